"""Says what the bytes of a response are, element by element, and where it is wrong if it is.

Made of the pattern of status lines, the reader's scanners of sections and chunks, and the framing of `read_responses`;
what that takes is explained as what it takes.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final, Literal

from ..errors import ProtocolError
from ..limits import MessageLimits
from .chunked import ChunkedContent
from .elements import (
    FIELD,
    Element,
    NoRules,
    NotedSection,
    chunk_elements,
    in_order,
)
from .grammar import STATUS_LINE
from .responses import CHUNKED, TO_THE_END, ResponseHead, content_framing

__all__ = ["ResponseExplanation", "explain_response"]

UNLIMITED: Final = MessageLimits(
    field_section_bytes=1 << 40,
    field_line_bytes=1 << 40,
    field_lines=1 << 40,
    chunk_line_bytes=1 << 40,
    chunk_overhead_bytes=1 << 40,
)
"""What has been kept to be looked at is in memory as it is."""

ResponseFraming = Literal["none", "length", "chunks", "close"]
"""What content ends with: there is none; what Content-Length says; the last chunk; the connection."""

SWITCHING_PROTOCOLS: Final = 101
_SHORTEST_LINE: Final = b"HTTP/1.1 200 "


@dataclass(slots=True)
class ResponseExplanation:
    """What an answer was found to be: interim responses if there are any, then the final one.

    All offsets count from 0 at the first byte that was given. What is not whole is there as far as it has come.
    """

    elements: list[Element] = field(default_factory=list[Element])
    """Those of all responses. What belongs to an interim one lies within an ``interim`` element."""

    start: int = 0
    """Offset of the final response's first byte, or of the last one that has begun."""

    version: str = ""
    """Like `status`, `reason` and `fields` of the last response that has begun; empty until its status line is
    whole."""

    status: int = 0
    reason: str = ""

    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The field lines that are whole, by name and value."""

    framing: ResponseFraming = "none"
    """What its content ends with."""

    content: bytes = b""
    """The content that is there, taken out of its chunks."""

    trailers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    error: ProtocolError | None = None
    complete: bool = False
    """Whether all is there. Content that ends with the connection is taken to be."""

    end: int = 0
    """Offset of the first byte behind it; all that was given, when it is not complete."""


def explain_response(data: bytes, method: str = "GET") -> ResponseExplanation:
    """Explain the answer that `data` begins with, which may be incomplete or wrong: this raises nothing.

    Args:
        data: bytes of a connection from the beginning of the answer on.
        method: of the request that it answers, on which its content depends (RFC 9112 §6.3).
    """
    explanation = ResponseExplanation(end=len(data))
    try:
        position: int | None = 0
        while position is not None:
            position = _explain_next(explanation, data, position, method)
    except ProtocolError as error:
        explanation.error = error
    explanation.elements = in_order(explanation.elements)
    return explanation


def _explain_next(
    explanation: ResponseExplanation, data: bytes, start: int, method: str
) -> int | None:
    """Explain the response that begins at `start`.

    Returns where the next one begins, if this one is interim; None when all is said.
    """
    explanation.start = start
    explanation.version, explanation.status, explanation.reason = "", 0, ""
    explanation.fields = []
    section_start = _status_line(explanation, data, start)
    if section_start is None:
        return None
    section = NotedSection(UNLIMITED, NoRules(), section_start, FIELD)
    try:
        whole = section.scan(data, 0)
    finally:
        section.note_unfinished(data)
        explanation.elements += section.elements
        explanation.elements += section.end("end-of-head")
        explanation.fields = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in section.lines
        ]
    status, end = explanation.status, section.position
    if not whole:
        return None
    if 100 <= status < 200 and status != SWITCHING_PROTOCOLS:
        explanation.elements.append(Element("interim", start, end))
        return end
    length = _content_length(explanation, method, end)
    if length == CHUNKED:
        explanation.framing = "chunks"
        explanation.elements += chunk_elements(data, end, UNLIMITED, NoRules())
        _chunked_content(explanation, data, end)
    else:
        _plain_content(explanation, data, end, length)
    return None


def _status_line(explanation: ResponseExplanation, data: bytes, start: int) -> int | None:
    """Note the status line at `start`; returns where the field lines begin, None when it is not whole."""
    match = STATUS_LINE.match(data, start)
    if match is None:
        _check_begun_line(data, start)
        return None
    version, code, reason = (part.decode("latin-1") for part in match.groups())
    explanation.version, explanation.status, explanation.reason = version, int(code), reason
    for group, kind in enumerate(("version", "status", "reason"), 1):
        explanation.elements.append(Element(kind, *match.span(group)))
    return match.end()


def _check_begun_line(data: bytes, start: int) -> None:
    """Raise unless what is there of the line at `start` can become a status line."""
    line = data[start:].partition(b"\n")[0]
    if b"\n" in data[start:]:
        line += b"\n"

    def is_wrong(length: int) -> bool:
        # Whether no status line begins so: what is missing is put there, and the pattern asked.
        begun = line[:length]
        if len(begun) < len(_SHORTEST_LINE):
            begun += _SHORTEST_LINE[len(begun) :]
        if not begun.endswith(b"\r\n"):
            begun += b"\n" if begun.endswith(b"\r") else b"\r\n"
        return STATUS_LINE.fullmatch(begun) is None

    # If one beginning is wrong, so are all longer ones.
    right = bisect_left(range(len(line) + 1), True, key=is_wrong) - 1
    if right < len(line):
        message = "This is not a status line: HTTP/1.1, a space, three digits, a space, a phrase."
        raise ProtocolError(message, section="RFC 9112 §4", offset=start + right)


def _content_length(explanation: ResponseExplanation, method: str, end: int) -> int:
    """Return what `content_framing` says; an error names the value that is wrong."""
    head = ResponseHead(
        explanation.version, explanation.status, explanation.reason, explanation.fields, end
    )
    try:
        return content_framing(head, method, explanation.start)
    except ProtocolError as error:
        for element in explanation.elements:
            if (
                element.kind == "field-value"
                and element.start >= explanation.start
                and element.name.lower() in ("transfer-encoding", "content-length")
            ):
                error.offset = element.start
                break
        raise


def _plain_content(explanation: ResponseExplanation, data: bytes, start: int, length: int) -> None:
    end = len(data) if length == TO_THE_END else min(len(data), start + length)
    explanation.content = data[start:end]
    if end > start:
        explanation.elements.append(Element("content", start, end))
    explanation.complete = length == TO_THE_END or end == start + length
    explanation.end = end
    if length:
        explanation.framing = "close" if length == TO_THE_END else "length"


def _chunked_content(explanation: ResponseExplanation, data: bytes, start: int) -> None:
    chunks = ChunkedContent(UNLIMITED, start)
    pieces: list[bytes | bytearray] = []
    try:
        chunks.read(data, 0, len(data), pieces)
    finally:
        explanation.content = b"".join(pieces)
    explanation.complete = chunks.complete
    if chunks.complete:
        explanation.end = chunks.position
        explanation.trailers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in chunks.trailers
        ]
