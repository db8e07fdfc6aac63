"""A message as a document: its elements, its fields and what they mean, its content in the forms it has.

What was recorded are octets. What they are is found out here, when somebody looks, by `explain_request` and
`explain_response`; text is decoded for show only, and whatever the octets are, there is a document.
"""

import base64
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...http.cookies import parse_cookie
from ...http.secrets import is_secret_field
from ...protocol.errors import ProtocolError
from ...protocol.http1.explain import Element, explain_request, explain_response
from ...protocol.http1.reader import DEFAULT_LIMITS
from ...protocol.limits import MessageLimits
from .content_view import ContentView, describe_content, pairs, readable
from .notes import Direction, field_note

MessageView = dict[str, Any]
"""The object ``Message`` of the inspector's JSON (docs/reference/wire.md)."""

Spans = Iterable[tuple[int, int]]


@dataclass(slots=True)
class Explained:
    """What a message of either direction was found to be."""

    elements: list[Element]
    start: int
    """Where the message proper begins, behind interim responses."""

    end: int
    content: bytes
    content_follows: bool
    """Whether the head is there and content may follow it."""

    complete: bool
    error: ProtocolError | None


def explain_message(
    raw: bytes, direction: Direction, method: str, limits: MessageLimits = DEFAULT_LIMITS
) -> Explained:
    """Explain a request, read with these limits, or the responses to one with the method `method`."""
    if direction == "request":
        request = explain_request(raw, limits)
        follows = request.head is not None and request.head.has_content
        return Explained(
            request.elements,
            0,
            request.end,
            request.content,
            follows,
            request.complete,
            request.error,
        )
    response = explain_response(raw, method)
    return Explained(
        response.elements,
        response.start,
        response.end,
        response.content,
        response.framing != "none",
        response.complete,
        response.error,
    )


def describe_message(
    raw: bytes,
    *,
    size: int,
    masked: Spans = (),
    direction: Direction,
    method: str = "GET",
    limits: MessageLimits = DEFAULT_LIMITS,
) -> MessageView:
    """Return a message as a document.

    It may be cut, broken or masked: this raises nothing.

    Args:
        raw: the octets that were kept.
        size: how many there were on the wire.
        masked: what was replaced in `raw` by as many asterisks.
        direction: whose message it is.
        method: the request's, for a response: whether content follows depends on it.
        limits: those that a request was read with.
    """
    explained = explain_message(raw, direction, method, limits)
    fields = _fields(raw, explained, direction)
    return {
        "size": size,
        "kept": len(raw),
        "cut": size > len(raw),
        "complete": explained.complete,
        "raw": base64.b64encode(raw).decode(),
        "masked": [list(span) for span in masked],
        "elements": [_element(element) for element in explained.elements],
        "fields": fields,
        "query": pairs(_text_of(raw, explained, "query")),
        "cookies": _cookies(raw, explained, direction),
        "content": _content(raw, explained, size),
    }


def _element(element: Element) -> dict[str, Any]:
    described: dict[str, Any] = {
        "kind": element.kind,
        "start": element.start,
        "end": element.end,
    }
    if element.name:
        described["name"] = element.name
    return described


def _fields(raw: bytes, explained: Explained, direction: Direction) -> list[dict[str, Any]]:
    """The field lines of the message proper, and those of its trailer section, in order."""
    fields: list[dict[str, Any]] = []
    for element in explained.elements:
        kind = element.kind
        if element.start < explained.start:
            continue
        if kind in ("field-line", "trailer-line"):
            note = field_note(element.name, direction)
            fields.append(
                {
                    "name": element.name,
                    "value": "",
                    "start": element.start,
                    "end": element.end,
                    "note": note.sentence,
                    "url": note.url,
                    "secret": is_secret_field(element.name),
                    "trailer": kind == "trailer-line",
                }
            )
        elif kind in ("field-value", "trailer-value"):
            fields[-1]["value"] = readable(raw[element.start : element.end])
    return fields


def _text_of(raw: bytes, explained: Explained, kind: str) -> str:
    for element in explained.elements:
        if element.kind == kind:
            return raw[element.start : element.end].decode("latin-1")
    return ""


def _values(raw: bytes, explained: Explained, name: str) -> list[str]:
    """The values of a field, an octet a character, as those who take values apart want them."""
    return [
        raw[element.start : element.end].decode("latin-1")
        for element in explained.elements
        if element.kind == "field-value"
        and element.start >= explained.start
        and element.name.lower() == name
    ]


def _cookies(raw: bytes, explained: Explained, direction: Direction) -> list[list[str]]:
    """The cookies that a client sends, or that a server sets."""
    found: list[list[str]] = []
    if direction == "request":
        for value in _values(raw, explained, "cookie"):
            found += [[name, text] for name, text in parse_cookie(value).items(multi=True)]
    else:
        for value in _values(raw, explained, "set-cookie"):
            first = parse_cookie(value.partition(";")[0])
            found += [[name, text] for name, text in first.items(multi=True)]
    return found


def _content(raw: bytes, explained: Explained, size: int) -> ContentView:
    starts: list[int] = []
    places: list[int] = []
    size_so_far = 0
    for element in explained.elements:
        if element.kind in ("content", "chunk-data"):
            starts.append(size_so_far)
            places.append(element.start)
            size_so_far += element.end - element.start

    def place(offset: int) -> int:
        # Between the pieces of what is one content stand the lines of its chunks.
        piece = bisect_right(starts, offset) - 1
        return places[piece] + offset - starts[piece]

    types = _values(raw, explained, "content-type")
    return describe_content(
        explained.content,
        content_type=types[-1] if types else "",
        coding=", ".join(_values(raw, explained, "content-encoding")),
        size=_content_size(raw, explained, size - len(raw)),
        place=place,
    )


def _content_size(raw: bytes, explained: Explained, missing: int) -> int:
    """How many octets of content there are altogether; of chunks that were not kept, with what is around them."""
    if missing <= 0 or not explained.content_follows:
        return len(explained.content)
    lengths = _values(raw, explained, "content-length")
    if lengths and lengths[-1].isascii() and lengths[-1].isdigit() and len(lengths[-1]) < 20:
        return int(lengths[-1])
    return len(explained.content) + missing
