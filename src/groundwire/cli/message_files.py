"""Files with messages: taken apart, explained, and written down as JSON."""

import base64
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ..http.status import reason_phrase
from ..inspector.correcting.corrections import correct
from ..inspector.explaining.message_view import describe_message
from ..inspector.explaining.notes import rule_note, section_url
from ..inspector.keeping.http_files import read_http_file
from ..protocol.errors import ProtocolError
from ..protocol.http1.explain import (
    Explanation,
    ResponseExplanation,
    explain_request,
    explain_response,
)
from .explaining import View, count, title

MAX_MESSAGES: Final = 1000

_SEPARATOR: Final = re.compile(rb"(?m)^###")
_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_CHUNKED: Final = re.compile(rb"(?im)^transfer-encoding[ \t]*:.*chunked")
_LENGTH: Final = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*([0-9]{1,18})[ \t]*\r?$")


class Message(NamedTuple):
    """One message of a file."""

    raw: bytes
    offset: int
    """Where it begins in the file, as it was read."""

    explanation: Explanation | ResponseExplanation

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing to be said against it."""
        return self.explanation.error is None and self.explanation.complete


def messages_in(data: bytes, answered: str) -> Iterator[Message]:
    """Yield the messages of a file.

    Behind one that is refused or not whole no other can be found, except behind a separator.

    Args:
        data: the file.
        answered: the method that responses answer; empty for requests.
    """
    offset = 0
    if not answered and _SEPARATOR.search(data) is not None:
        for raw in read_http_file(data).requests:
            offset = data.find(raw, offset)
            yield Message(raw, offset, explain_request(raw))
            offset += len(raw)
        return
    for _ in range(MAX_MESSAGES):
        rest = data[offset:]
        explanation = explain_response(rest, answered) if answered else explain_request(rest)
        whole = explanation.error is None and explanation.complete
        yield Message(rest[: explanation.end] if whole else rest, offset, explanation)
        offset += explanation.end
        # Editors end a file with a line end.
        if not whole or not data[offset:].strip(b"\r\n"):
            return


def with_line_ends(data: bytes) -> bytes:
    """End the lines of heads, and of chunks, in CR LF; content stays as it is, as far as its length is known.

    A head that lacks its empty line at the end of the file gets it.
    """
    converted: list[bytes] = []
    while data:
        blank = _END_OF_HEAD.search(data)
        end = blank.end() if blank is not None else len(data)
        head = _BARE_LINE_FEED.sub(b"\r\n", data[:end])
        if blank is None and head.strip():
            head = head.rstrip(b"\r\n") + b"\r\n\r\n"
        converted.append(head)
        data = data[end:]
        if _CHUNKED.search(head) is not None:
            converted.append(_BARE_LINE_FEED.sub(b"\r\n", data))
            break
        length = _LENGTH.search(head)
        taken = int(length[1]) if length is not None else 0
        if length is None and head.startswith(b"HTTP/"):
            taken = len(data)
        converted.append(data[:taken])
        data = data[taken:]
    return b"".join(converted)


def document(message: Message, answered: str) -> dict[str, Any]:
    """Return a message as JSON: the inspector's ``Message``, and what else is known of it."""
    explanation = message.explanation
    view = describe_message(
        message.raw,
        size=len(message.raw),
        direction="response" if answered else "request",
        method=answered,
    )
    about: dict[str, Any] = {"offset": message.offset}
    if isinstance(explanation, ResponseExplanation):
        about["http_version"] = explanation.version
        about["status"] = explanation.status
        about["reason"] = explanation.reason
    elif explanation.head is not None:
        head = explanation.head
        about["method"], about["target"] = head.method, head.target
        about["path"], about["http_version"] = head.path, head.version
    fault = explanation.error
    about["refusal"] = None if fault is None else _refusal(message.raw, fault, not answered)
    return about | view


def _refusal(raw: bytes, fault: ProtocolError, is_request: bool) -> dict[str, Any]:
    correction = correct(raw, fault) if is_request else None
    corrected = None if correction is None else correction.data
    return {
        "message": fault.message,
        "section": fault.section,
        "url": section_url(fault.section),
        "rule": rule_note(fault.section),
        "offset": fault.offset,
        "status": fault.status,
        "reason": reason_phrase(fault.status),
        "corrected": None if corrected is None else base64.b64encode(corrected).decode(),
        "changes": [] if correction is None else correction.changes,
    }


def shown(messages: list[Message], begin: str, kind: str, method: str) -> Iterator[str]:
    """Yield the lines that show messages.

    Args:
        messages: those of a file.
        begin: the first words.
        kind: ``request`` or ``response``.
        method: what responses answer.
    """
    number = len(messages)
    size = count(sum(len(message.raw) for message in messages))
    several = f"{number} {kind}s, one after the other" if number > 1 else f"one {kind}"
    yield title(f"{begin} {several}: {size}.")
    for position, message in enumerate(messages, 1):
        if number > 1:
            yield ""
            yield title(f"{position} of {number}, from byte {message.offset} on:")
        yield ""
        view = View(message.raw, offsets=True, sections=True)
        if isinstance(message.explanation, ResponseExplanation):
            yield from view.response(message.explanation, method)
        else:
            yield from view.request(message.explanation)
            head = message.explanation.head
            if position < number and head is not None and not head.persistent:
                yield title("A server closes the connection here: what follows would not be read.")


def about_line_ends(*, converted: bool) -> Iterator[str]:
    """Yield what there is to be said of a file whose lines end in LF alone."""
    if converted:
        yield "    The lines of the file end in a line feed alone; they have been converted."
        return
    yield title("The lines of this file end in a line feed alone (LF), as editors save them.")
    yield "    On the wire every line of a head ends in CR LF. To have them converted: --crlf"
