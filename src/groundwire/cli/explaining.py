"""A request in words: its bytes as they came, then each part with what it is for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import click

from ..protocol.errors import ProtocolError
from ..protocol.head import RequestHead
from . import field_notes

SHOWN_BYTES: Final = 16 * 1024
SHOWN_CONTENT_BYTES: Final = 2048
SHOWN_PAIRS: Final = 20
_AROUND_BYTES: Final = 24


@dataclass(slots=True)
class Received:
    """What one client sent, and what it was found to be."""

    peer: str
    raw: bytes
    """Every byte, as far as it was kept."""

    head: RequestHead | None = None
    content: bytes = b""
    content_bytes: int = 0
    """How many bytes of content came; `content` may hold fewer."""

    error: ProtocolError | None = None
    """Why it is no request, or None."""

    ended: str = ""
    """How it ended if neither a whole request nor an error came of it."""


def explain(received: Received) -> Iterator[str]:
    """Yield the lines of an explanation."""
    yield _title(f"{received.peer} sent {_count(len(received.raw))}:")
    yield ""
    yield from _indented(visible_lines(received.raw, SHOWN_BYTES))
    yield ""
    if received.error is not None:
        yield from _explain_error(received.error, received.raw)
    elif received.head is None:
        yield _title("That is no whole request.")
        yield f"    {received.ended}"
    else:
        yield from _explain_request(received, received.head)
    yield ""


def visible_lines(data: bytes, limit_bytes: int) -> list[str]:
    r"""Return bytes as lines of ASCII that can be read, each line end shown as ``\r\n`` before the break.

    What is neither a letter, a digit nor a sign is shown as ``\xhh``; a backslash as two.
    """
    lines: list[str] = []
    for line in data[:limit_bytes].splitlines(keepends=True) or [b""]:
        text = line.rstrip(b"\r\n")
        end = line[len(text) :]
        lines.append(_plain(text) + (click.style(_plain(end), dim=True) if end else ""))
    if len(data) > limit_bytes:
        lines.append(click.style(f"... and {_count(len(data) - limit_bytes)} more", dim=True))
    return lines


def _explain_request(received: Received, head: RequestHead) -> Iterator[str]:
    yield _title("The request line says what is wanted:")
    rows = [
        ("method", head.method, field_notes.METHODS.get(head.method, field_notes.UNKNOWN_METHOD)),
        ("target", head.target, field_notes.TARGETS[head.form]),
        ("version", head.version, "which rules the message follows"),
    ]
    yield from _table(rows)
    if head.query:
        yield "    The target has a query, the part behind the question mark:"
        yield from _pairs(head.query)
    if head.path == "/favicon.ico":
        yield "    (Browsers ask for this by themselves: it is the little picture in the tab.)"
    yield ""
    lines = head.fields.lines
    if lines:
        yield _title(f"The headers say more about it ({len(lines)}, a line each, name and value):")
        yield from _table([_field_row(name, value) for name, value in lines])
    else:
        yield _title("There are no headers.")
    yield ""
    yield "    Then an empty line: the headers end here."
    yield ""
    yield from _explain_content(received, head)


def _explain_content(received: Received, head: RequestHead) -> Iterator[str]:
    if not received.content_bytes:
        yield _title("There is no content.")
        return
    kind = ""
    for name, value in head.fields.lines:
        if name.lower() == b"content-type":
            kind = value.decode("latin-1").partition(";")[0].strip().lower()
    way = "in chunks" if head.chunked else "as Content-Length says"
    yield _title(f"The content has {_count(received.content_bytes)}, {way}:")
    if kind in field_notes.CONTENT_TYPES:
        yield f"    It is {field_notes.CONTENT_TYPES[kind]}."
    yield ""
    yield from _indented(visible_lines(received.content, SHOWN_CONTENT_BYTES))
    if kind == "application/x-www-form-urlencoded":
        yield ""
        yield from _pairs(received.content[:SHOWN_CONTENT_BYTES].decode("latin-1"))


def _explain_error(error: ProtocolError, raw: bytes) -> Iterator[str]:
    yield click.style(f"That is no request: {error.message}", fg="red", bold=True)
    yield f"    The rule is in {error.section}; it was broken at byte {error.offset} (the first is 0):"
    yield ""
    before = _plain(raw[max(0, error.offset - _AROUND_BYTES) : error.offset])
    yield f"    {before}{_plain(raw[error.offset : error.offset + _AROUND_BYTES])}"
    yield f"    {' ' * len(before)}^"
    yield f"    A server has to refuse it; it answers with status {error.status} and closes the connection."


def _field_row(name: bytes, value: bytes) -> tuple[str, str, str]:
    shown = name.decode("latin-1")
    return shown, _plain(value), field_notes.FIELDS.get(shown.lower(), field_notes.CUSTOM_FIELD)


def _pairs(query: str) -> Iterator[str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        yield "    (more than a thousand pairs)"
        return
    yield from _table(
        [("", _plain_text(name), f"= {_plain_text(value)}") for name, value in pairs[:SHOWN_PAIRS]]
    )
    if len(pairs) > SHOWN_PAIRS:
        yield f"    ... and {len(pairs) - SHOWN_PAIRS} more"


def _table(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Lay out (name, value, note); a long value pushes its note to the next line."""
    if not rows:
        return
    name_width = max(len(name) for name, _, _ in rows)
    value_width = min(36, max(len(value) for _, value, _ in rows))
    for name, value, note in rows:
        begin = f"    {click.style(name.ljust(name_width), bold=True)}{'  ' if name_width else ''}"
        note = click.style(note, dim=True)
        if len(value) <= value_width:
            yield f"{begin}{value.ljust(value_width)}  {note}"
        else:
            yield f"{begin}{value}"
            yield f"    {' ' * (name_width + 4)}{note}"


def _plain(data: bytes) -> str:
    return data.decode("latin-1").encode("unicode_escape").decode("ascii")


def _plain_text(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _title(text: str) -> str:
    return click.style(text, fg="cyan", bold=True)


def _count(number: int) -> str:
    return f"{number:,} byte" if number == 1 else f"{number:,} bytes"
