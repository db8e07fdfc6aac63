"""Messages in words: their bytes as they came, then each part with what it is for."""

import json
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import click

from ..http.status import reason_phrase
from ..inspector.correcting.corrections import Correction, correct
from ..inspector.explaining import notes
from ..inspector.explaining.message_view import describe_message
from ..inspector.explaining.notes import (
    Note,
    content_type_note,
    field_note,
    method_note,
    status_note,
)
from ..inspector.terminal.terminal import printable
from ..protocol.errors import ProtocolError
from ..protocol.head import RequestHead
from ..protocol.http1.explain import (
    Element,
    Explanation,
    ResponseExplanation,
    explain_request,
)
from ..protocol.http1.octets import escaped

SHOWN_BYTES: Final = 16 * 1024
SHOWN_CONTENT_BYTES: Final = 2048
SHOWN_PAIRS: Final = 20
SHOWN_CHUNKS: Final = 10
SHOWN_LINES: Final = 40
VALUE_SHARE: Final = 5
"""What part of a line's columns the values have of it; what is longer pushes its note to the next line."""

AROUND_BYTES: Final = 60
"""How much of a line is shown before and behind a byte that is marked."""

NARROW_COLUMNS: Final = 60
"""Where a note has fewer under its value, it stands under the name."""

INDENT: Final = "    "
UNBROKEN: Final = "\N{NO-BREAK SPACE}"
"""Stands in what is not to be parted at the end of a line, until the line is shown."""

STYLES: Final[dict[str, dict[str, Any]]] = {
    "method": {"bold": True},
    "target": {"fg": "green"},
    "version": {"dim": True},
    "status": {"bold": True},
    "reason": {"fg": "green"},
    "field-name": {"fg": "cyan"},
    "trailer-name": {"fg": "cyan"},
    "chunk-size": {"fg": "yellow"},
    "chunk-extension": {"fg": "magenta"},
}
"""How elements look among the bytes, and their names beside what they mean."""


@dataclass(slots=True)
class Received:
    """What one client sent, and what it was found to be."""

    peer: str
    raw: bytes
    """Every byte, as far as it was kept."""

    octets: int = 0
    """How many bytes came; `raw` may hold fewer. 0: as many as it holds."""

    head: RequestHead | None = None
    error: ProtocolError | None = None
    """Why it is no request, or None."""

    ended: str = ""
    """How it ended if neither a whole request nor an error came of it."""


class Row(NamedTuple):
    """One part of a message, and what it is for."""

    name: str
    value: str
    note: str = ""
    kind: str = ""
    offset: int | None = None
    """Where it begins; None: it is not told."""


def explain(received: Received) -> Iterator[str]:
    """Yield the lines of an explanation of what a client sent."""
    yield title(f"{received.peer} sent {count(received.octets or len(received.raw))}:")
    yield ""
    view = View(received.raw, received.octets)
    explanation = explain_request(received.raw)
    if received.ended:
        yield from view.bytes_lines(explanation.elements)
        yield title("That is no whole request.")
        yield f"{INDENT}{received.ended}"
        yield ""
    else:
        explanation.error = explanation.error or received.error
        yield from view.request(explanation)


class View:
    """One message in lines for a terminal.

    Args:
        raw: its bytes.
        octets: how many there were, if `raw` has fewer; 0: as many.
        offsets: whether it is told where each part begins.
        sections: whether it is told where its meaning is laid down.
    """

    def __init__(
        self, raw: bytes, octets: int = 0, *, offsets: bool = False, sections: bool = False
    ) -> None:
        self._raw = raw
        self._octets = max(octets, len(raw))
        self._offsets = offsets
        self._sections = sections

    def request(self, explained: Explanation) -> Iterator[str]:
        """Yield the bytes, then what they mean, or why they are refused."""
        yield from self.bytes_lines(explained.elements)
        head = explained.head
        if explained.error is not None:
            yield from refusal(self._raw, explained.error, correct(self._raw, explained.error))
        elif head is None:
            yield title("That is no whole request.")
            yield f"{INDENT}{_missing(self._raw, explained.elements)}"
        else:
            yield from self._request_line(explained, head)
            yield from self._fields(explained.elements, "request")
            yield ""
            yield from self._content(explained.elements, "request", "GET")
            if not explained.complete and self._octets <= len(self._raw):
                yield ""
                yield from _not_all(head, len(explained.content))
        yield ""

    def response(self, explanation: ResponseExplanation, method: str = "GET") -> Iterator[str]:
        """Yield the bytes of an answer to a request with the method `method`, then what they mean."""
        yield from self.bytes_lines(explanation.elements)
        if explanation.error is not None:
            yield from refusal(self._raw, explanation.error, None)
            yield ""
            return
        final = [e for e in explanation.elements if e.start >= explanation.start]
        for element in explanation.elements:
            if element.kind == "status" and element.start < explanation.start:
                code = self._raw[element.start : element.end].decode()
                yield title(f"First comes an interim response, {code}:")
                yield f"{INDENT}{status_note(int(code)).sentence}"
                yield ""
        if not explanation.status:
            yield title("That is no whole response.")
            yield ""
            return
        rows = {
            "version": notes.VERSION,
            "status": status_note(explanation.status),
            "reason": notes.REASON,
        }
        yield title("The status line says what came of it:")
        yield from table([self._row(e, rows[e.kind]) for e in final if e.kind in rows])
        yield ""
        yield from self._fields(final, "response")
        yield ""
        yield from self._content(explanation.elements, "response", method)
        if not explanation.complete:
            yield title("The rest of the response has not come.")
        yield ""

    def bytes_lines(self, elements: list[Element]) -> Iterator[str]:
        """Yield the bytes, indented, their elements coloured."""
        for line in visible_lines(self._raw, SHOWN_BYTES, elements):
            yield INDENT + line
        yield ""

    def _row(self, element: Element, note: Note, name: str = "") -> Row:
        value = escaped(self._raw[element.start : element.end])
        text = note.text
        if self._sections and note.section.startswith("RFC"):
            text = f"{text} ({note.section.replace(' ', UNBROKEN)})"
        offset = element.start if self._offsets else None
        return Row(name or element.kind, value, text, element.kind, offset)

    def _request_line(self, explanation: Explanation, head: RequestHead) -> Iterator[str]:
        rows = {
            "method": method_note(head.method),
            "target": notes.TARGETS[head.form],
            "version": notes.VERSION,
        }
        yield title("The request line says what is wanted:")
        yield from table(
            [self._row(e, rows[e.kind]) for e in explanation.elements if e.kind in rows]
        )
        if head.query:
            yield f"{INDENT}The target has a query, the part behind the question mark:"
            yield from pairs(self._described("request", "GET")["query"])
        if head.path == "/favicon.ico":
            yield f"{INDENT}(Browsers ask for this by themselves: it is the little picture in the tab.)"
        yield ""

    def _described(self, direction: notes.Direction, method: str) -> dict[str, Any]:
        return describe_message(self._raw, size=self._octets, direction=direction, method=method)

    def _fields(self, elements: list[Element], direction: notes.Direction) -> Iterator[str]:
        rows = [
            self._row(element, field_note(element.name, direction), element.name)._replace(
                kind="field-name"
            )
            for element in elements
            if element.kind == "field-value"
        ]
        if rows:
            yield title(
                f"The headers say more about it ({len(rows)}, a line each, name and value):"
            )
            yield from table(rows)
        else:
            yield title("There are no headers.")
        cookies = self._described(direction, "GET")["cookies"]
        if cookies:
            said = "The cookies are:" if direction == "request" else "The cookies it sets are:"
            yield f"{INDENT}{said}"
            yield from pairs(cookies)
        if any(element.kind == "end-of-head" for element in elements):
            yield ""
            yield f"{INDENT}Then an empty line: the headers end here."

    def _content(
        self, elements: list[Element], direction: notes.Direction, method: str
    ) -> Iterator[str]:
        content = self._described(direction, method)["content"]
        chunks = [e for e in elements if e.kind in ("chunk", "last-chunk")]
        if not content["size"] and not chunks:
            yield title("There is no content.")
            return
        way = "in chunks" if chunks else "as Content-Length says"
        if direction == "response" and not chunks and not _has_length(elements):
            way = "all that comes until the connection is closed"
        yield title(f"The content has {count(content['size'])}, {way}:")
        kind = content_type_note(content["type"])
        if kind is not None:
            yield f"{INDENT}It is {kind.text}."
        if content["coding"]:
            how = "decoded here" if content["decoded"] else "which cannot be decoded here"
            yield f"{INDENT}It is compressed ({printable(content['coding'])}), {how}."
        if chunks and self._offsets:
            yield ""
            yield from self._chunks(elements, chunks)
        yield ""
        yield from _content_lines(content, self._content_octets(elements))
        trailers = [e for e in elements if e.kind == "trailer-value"]
        if trailers:
            yield ""
            yield title("Behind the content come trailers, which are like headers:")
            yield from table(
                [
                    self._row(e, field_note(e.name, direction), e.name)._replace(
                        kind="trailer-name"
                    )
                    for e in trailers
                ]
            )

    def _content_octets(self, elements: list[Element]) -> bytes:
        return b"".join(
            self._raw[e.start : e.end] for e in elements if e.kind in ("content", "chunk-data")
        )

    def _chunks(self, elements: list[Element], chunks: list[Element]) -> Iterator[str]:
        rows: list[Row] = []
        for chunk in chunks[:SHOWN_CHUNKS]:
            inner = {
                e.kind: self._raw[e.start : e.end]
                for e in elements
                if chunk.start <= e.start < chunk.end and e.kind.startswith("chunk-")
            }
            size = escaped(inner.get("chunk-size", b""))
            if chunk.kind == "last-chunk":
                note = "the last chunk, which is empty"
            else:
                note = f"{count(len(inner.get('chunk-data', b'')))} of data"
            if "chunk-extension" in inner:
                note += (
                    f", an extension that nobody has to know: {escaped(inner['chunk-extension'])}"
                )
            rows.append(Row(f"chunk {chunk.name}", size, note, "chunk-size", chunk.start))
        yield from table(rows)
        if len(chunks) > SHOWN_CHUNKS:
            yield f"{INDENT}... and {len(chunks) - SHOWN_CHUNKS} more chunks"


def _not_all(head: RequestHead, come: int) -> Iterator[str]:
    if head.content_length is None:
        yield title("The last chunk has not come.")
    else:
        yield title(
            f"Not all of it has come: {count(head.content_length - come)} more are announced."
        )


def _has_length(elements: list[Element]) -> bool:
    return any(e.kind == "field-value" and e.name.lower() == "content-length" for e in elements)


def _content_lines(content: dict[str, Any], octets: bytes) -> Iterator[str]:
    """Yield content in the form it has: parts, pairs, JSON, text, or bytes."""
    if content["kind"] == "multipart" and content["parts"]:
        rows: list[Row] = []
        for part in content["parts"][:SHOWN_PAIRS]:
            value = f"= {printable(part['text'][:200])}"
            if part["filename"] is not None:
                value = f"a file: {printable(part['filename'])}, {count(part['size'])}"
                value += f", {printable(part['type'])}" if part["type"] else ""
            rows.append(Row(printable(part["name"]), value))
        yield from table(rows)
        if len(content["parts"]) > SHOWN_PAIRS:
            yield f"{INDENT}... and {len(content['parts']) - SHOWN_PAIRS} more parts"
    elif content["kind"] == "json" and content["json"] is not None:
        text = json.dumps(content["json"], indent=2, ensure_ascii=False)
        yield from _some_lines(text)
    elif content["kind"] == "form":
        yield from pairs(content["form"])
    elif content["coding"] and content["text"]:
        yield from _some_lines(content["text"])
    else:
        yield from _octet_lines(octets)


def _some_lines(text: str) -> Iterator[str]:
    lines = text[:SHOWN_BYTES].splitlines()
    for line in lines[:SHOWN_LINES]:
        yield INDENT + printable(line)
    if len(lines) > SHOWN_LINES or len(text) > SHOWN_BYTES:
        yield INDENT + click.style("... and more", dim=True)


def _octet_lines(octets: bytes) -> Iterator[str]:
    for line in visible_lines(octets, SHOWN_CONTENT_BYTES):
        yield INDENT + line


def refusal(raw: bytes, error: ProtocolError, correction: Correction | None) -> Iterator[str]:
    """Yield why a message is refused: the byte, the rule, and what it should be."""
    kind = "response" if correction is None else "request"
    yield click.style(f"That is no {kind}: {error.message}", fg="red", bold=True)
    yield f"{INDENT}The rule is in {error.section}; it was broken at byte {error.offset} (the first is 0):"
    yield ""
    yield from marked_line(raw, error.offset)
    yield ""
    rule = notes.rule_note(error.section)
    if rule:
        yield from _wrapped(rule)
    url = notes.section_url(error.section)
    if url:
        yield INDENT + click.style(url, underline=True)
    if correction is None:
        return
    status = f"{error.status} ({reason_phrase(error.status)})"
    yield f"{INDENT}A server has to refuse it; it answers with status {status} and closes the connection."
    yield ""
    if correction.data is None:
        yield title("What to do:")
    else:
        yield title("This is how it should be:")
        yield ""
        before = set(visible_lines(raw, len(raw)))
        for line in visible_lines(correction.data, SHOWN_BYTES):
            changed = line not in before
            yield INDENT + (click.style(click.unstyle(line), fg="green") if changed else line)
        yield ""
    for change in correction.changes:
        yield from _wrapped(change)


def marked_line(raw: bytes, offset: int) -> Iterator[str]:
    """Yield the line in which a byte is, and a mark under it; behind the last byte, where one is missing."""
    start = max(raw.rfind(b"\n", 0, offset) + 1, offset - AROUND_BYTES)
    line_end = raw.find(b"\n", offset) + 1 or len(raw)
    end = min(line_end, offset + AROUND_BYTES)
    before, octet = escaped(raw[start:offset]), escaped(raw[offset : offset + 1])
    after = escaped(raw[offset + 1 : end])
    yield f"{INDENT}{before}{click.style(octet, fg='red', bold=True, reverse=True)}{after}"
    what = "here it ends" if not octet else f"byte {offset}, 0x{raw[offset]:02x}"
    mark = click.style("^" * max(len(octet), 1), fg="red", bold=True)
    yield f"{INDENT}{' ' * len(before)}{mark} {click.style(what, dim=True)}"


def visible_lines(
    data: bytes, limit_bytes: int, elements: list[Element] | None = None
) -> list[str]:
    r"""Return bytes as lines of ASCII that can be read, each line end shown as ``\r\n`` before the break.

    What is neither a letter, a digit nor a sign is shown as ``\xhh``; a backslash as two. Elements are coloured.
    """
    spans = [e for e in elements or () if e.kind in STYLES and e.end > e.start]
    lines: list[str] = []
    position = 0
    for line in data[:limit_bytes].splitlines(keepends=True) or [b""]:
        text = line.rstrip(b"\r\n")
        text_end = position + len(text)
        shown = ""
        while spans and spans[0].start < text_end:
            span = spans.pop(0)
            if span.start < position:
                continue
            end = min(span.end, text_end)
            shown += escaped(data[position : span.start])
            shown += click.style(escaped(data[span.start : end]), **STYLES[span.kind])
            position = end
        shown += escaped(data[position:text_end])
        end_of_line = line[len(text) :]
        lines.append(shown + (click.style(escaped(end_of_line), dim=True) if end_of_line else ""))
        position = text_end + len(end_of_line)
    if len(data) > limit_bytes:
        lines.append(click.style(f"... and {count(len(data) - limit_bytes)} more", dim=True))
    return lines


def table(rows: list[Row]) -> Iterator[str]:
    """Lay out rows; what does not fit beside its value stands in the next line."""
    if not rows:
        return
    columns = shutil.get_terminal_size((120, 24)).columns
    name_width = max(len(row.name) for row in rows)
    value_width = min(columns // VALUE_SHARE, max(len(row.value) for row in rows))
    offset_width = max((len(str(row.offset)) for row in rows if row.offset is not None), default=0)
    for row in rows:
        offset = "" if row.offset is None else str(row.offset).rjust(offset_width) + "  "
        style = STYLES.get(row.kind, {"bold": True})
        gap = "  " if name_width else ""
        name = click.style(row.name, **style) + " " * (name_width - len(row.name)) + gap
        begin = f"{INDENT}{click.style(offset, dim=True)}{name}"
        indent = len(INDENT) + len(offset) + name_width + len(gap)
        room = columns - indent - value_width - 2
        if not row.note:
            yield f"{begin}{row.value}"
            continue
        if len(row.value) <= value_width and len(row.note) <= room:
            note = row.note.replace(UNBROKEN, " ")
            yield f"{begin}{row.value.ljust(value_width)}  {click.style(note, dim=True)}"
            continue
        yield f"{begin}{row.value}"
        if columns - indent - 2 < NARROW_COLUMNS:
            indent = len(INDENT) + len(offset) + 2
        for line in textwrap.wrap(row.note, max(columns - indent - 2, 30), break_on_hyphens=False):
            yield f"{' ' * (indent + 2)}{click.style(line.replace(UNBROKEN, ' '), dim=True)}"


def pairs(found: list[list[str]]) -> Iterator[str]:
    """Lay out names and values."""
    yield from table(
        [
            Row(f"  {printable(name)}", f"= {printable(value)}")
            for name, value in found[:SHOWN_PAIRS]
        ]
    )
    if len(found) > SHOWN_PAIRS:
        yield f"{INDENT}... and {len(found) - SHOWN_PAIRS} more"


def _missing(raw: bytes, elements: list[Element]) -> str:
    """Say what a head that is not whole lacks."""
    if not raw.strip():
        return "Nothing has come but empty lines." if raw else "There is nothing."
    last = elements[-1].kind if elements else ""
    if raw.endswith(b"\r\n") and last != "empty-line":
        return "The empty line is missing that ends the headers."
    if last in ("method", "target", "path", "query", "authority", "version"):
        return (
            "It ends within the request line, which needs a method, a target, a version, and CR LF."
        )
    return "It ends within a header."


def _wrapped(text: str) -> Iterator[str]:
    columns = shutil.get_terminal_size((120, 24)).columns
    for line in textwrap.wrap(text, max(columns - len(INDENT), 40)):
        yield INDENT + line


def title(text: str) -> str:
    """Return the first line of a part."""
    return click.style(text, fg="cyan", bold=True)


def count(number: int) -> str:
    """Return a number of bytes in words."""
    return f"{number:,} byte" if number == 1 else f"{number:,} bytes"
