"""Messages as text for a terminal, as curl shows them: ``>`` before what was asked, ``<`` before what was answered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ...protocol.http1.explain import explain_request, explain_response
from ..explaining.decoding import CannotDecode, decode_content
from ..sending.outgoing import Spans
from .terminal import BLUE, BOLD, CYAN, GREEN, RED, YELLOW, Paint, printable, printable_octets

SHOWN_HEAD_BYTES: Final = 16 * 1024
SHOWN_CONTENT_BYTES: Final = 2048
SHOWN_CONTENT_LINES: Final = 30
AROUND_BYTES: Final = 48
"""Of a long line, how much stands before and behind a mark."""

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-9])\d\d")
_COLOUR_OF_CLASS: Final = {"1": CYAN, "2": GREEN, "3": CYAN, "4": YELLOW, "5": RED}
_TEXT: Final = re.compile(r"[^\x00-\x08\x0e-\x1f\x7f]*+")


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is shown.

    Attributes:
        raw: its octets, as far as they were kept.
        sign: what its lines begin with.
        size: how many octets there were.
        masked: where it is masked.
        mark: the octet at which a rule was broken.
        method: the request's, for a response.
    """

    raw: bytes
    sign: str
    size: int
    masked: Spans = ()
    mark: int | None = None
    method: str = ""


def message_lines(message: Message, paint: Paint) -> Iterator[str]:
    """Yield the lines of a message, its head whole and its content if it is short text."""
    raw = message.raw
    head_end, content, kind, coding = _taken_apart(message)
    sign = paint(message.sign, BLUE if message.sign == ">" else CYAN)
    shown_to = min(head_end, SHOWN_HEAD_BYTES)
    position, marked = 0, False
    while position < shown_to:
        feed = raw.find(b"\n", position, shown_to)
        end = shown_to if feed < 0 else feed + 1
        yield f"{sign} {_head_line(message, position, end, paint)}".rstrip(" ")
        at = message.mark
        if at is not None and (position <= at < end or at == end == len(raw)):
            yield _caret(message, position, paint)
            marked = True
        position = end
    if message.mark is not None and not marked:
        start = max(position, message.mark - AROUND_BYTES)
        yield f"{sign} {_marked_content(message, start, paint)}"
        yield _caret(message, start, paint)
    if shown_to < head_end:
        yield f"{sign} {paint.faint(f'… and {head_end - shown_to:,} octets more')}"
    if head_end < len(raw) or message.size > len(raw):
        yield from _content_lines(message, content, kind, coding, sign, paint)


def _taken_apart(message: Message) -> tuple[int, bytes, str, str]:
    """Return where the head ends, the content, its type and its codings."""
    raw = message.raw
    if message.sign == ">":
        request = explain_request(raw)
        elements, content, start = request.elements, request.content, 0
    else:
        response = explain_response(raw, message.method)
        elements, content, start = response.elements, response.content, response.start
    head_end = next(
        (e.end for e in elements if e.kind == "end-of-head" and e.start >= start), len(raw)
    )
    values = {
        element.name.lower(): raw[element.start : element.end].decode("latin-1")
        for element in elements
        if element.kind == "field-value" and element.start >= start
    }
    return head_end, content, values.get("content-type", ""), values.get("content-encoding", "")


def _head_line(message: Message, start: int, end: int, paint: Paint) -> str:
    """Return a line of a head; its end is shown only if it is not as it should be."""
    raw = message.raw
    line = raw[start:end]
    marked = message.mark is not None and end - 2 <= message.mark < end
    if line.endswith(b"\r\n") and marked:
        return _painted(message, start, end - 2, paint) + paint("\\r\\n", RED)
    if line.endswith(b"\r\n"):
        end -= 2
    elif line.endswith(b"\n"):
        return _painted(message, start, end - 1, paint) + paint("\\n", RED)
    text = _painted(message, start, end, paint)
    status = _STATUS_LINE.match(line)
    if status is not None:
        return paint(text, BOLD, _COLOUR_OF_CLASS.get(status[1].decode(), RED))
    name, colon, value = text.partition(":")
    if start == 0:
        return paint(text, BOLD)
    return f"{paint(name, BOLD)}:{value}" if colon and " " not in name else text


def _painted(message: Message, start: int, end: int, paint: Paint) -> str:
    """Return octets as text, those that are masked in a colour of their own."""
    parts: list[str] = []
    for first, last in message.masked:
        if last <= start or first >= end:
            continue
        first, last = max(first, start), min(last, end)
        parts.append(printable_octets(message.raw[start:first]))
        parts.append(paint(printable_octets(message.raw[first:last]), YELLOW))
        start = last
    parts.append(printable_octets(message.raw[start:end]))
    return "".join(parts)


def _caret(message: Message, start: int, paint: Paint) -> str:
    """Return a line with a mark under the octet that broke a rule."""
    mark = message.mark or 0
    before = printable_octets(message.raw[start:mark])
    return f"  {' ' * len(before)}{paint('^', BOLD, RED)}"


def _marked_content(message: Message, start: int, paint: Paint) -> str:
    mark = message.mark or 0
    raw = message.raw
    before = printable_octets(raw[start:mark])
    return (
        before
        + paint(printable_octets(raw[mark : mark + 1]), RED)
        + printable_octets(raw[mark + 1 : mark + AROUND_BYTES])
    )


def _content_lines(
    message: Message, content: bytes, kind: str, coding: str, sign: str, paint: Paint
) -> Iterator[str]:
    if message.mark is not None:
        return  # what matters of it has been shown
    what = f" of {printable(kind)}" if kind else ""
    coded = f", {printable(coding)}" if coding else ""
    cut = message.size - len(message.raw)
    size = len(content) + cut
    whole = f"{size:,} {'octet' if size == 1 else 'octets'}{what}{coded}"
    if cut > 0:
        whole += f", {len(content):,} kept"
    text, is_all = _text_of(content, coding)
    if text is None:
        yield f"{sign} {paint.faint(f'{{ {whole} }}')}"
        return
    lines = text.splitlines()
    for line in lines[:SHOWN_CONTENT_LINES]:
        yield f"{sign} {_with_tabs(line)}"
    if not is_all or len(lines) > SHOWN_CONTENT_LINES or cut > 0:
        yield f"{sign} {paint.faint(f'… {{ {whole} }}')}"


def _text_of(content: bytes, coding: str) -> tuple[str | None, bool]:
    """Return the beginning of a content as text, and whether it is all; None if it is none, or cannot be decoded."""
    try:
        plain, is_all = decode_content(content, coding)
    except CannotDecode:
        return None, False
    beginning = plain[:SHOWN_CONTENT_BYTES]
    is_all = is_all and len(plain) == len(beginning)
    # The last character may be cut.
    for cut in range(1 if is_all else 4):
        try:
            text = beginning[: len(beginning) - cut].decode()
        except UnicodeDecodeError:
            continue
        return (text, is_all) if _TEXT.fullmatch(text) else (None, False)
    return None, False


def _with_tabs(line: str) -> str:
    return "\t".join(printable(piece) for piece in line.split("\t"))
