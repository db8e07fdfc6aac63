"""Where the elements of a message are: the reader's own scanners, noting what they find on their way.

Nothing here decides anything. Each class is a scanner of the reader with a notebook, so the places are those the
reader itself went by. A head that the reader would match whole is scanned here; that the two agree is a property of
the reader, which its tests hold it to.
"""

from contextlib import suppress
from typing import Final, NamedTuple

from ..errors import ProtocolError
from ..limits import MessageLimits
from .chunked import LINE_FEED as CHUNK_LINE_FEED
from .chunked import SIZE, ChunkedContent
from .scanner import (
    DONE,
    LAST_LINE_FEED,
    LINE_FEED,
    METHOD,
    NAME,
    TARGET,
    VALUE,
    Buffer,
    HeadScanner,
    LineRules,
    SectionScanner,
)


class Element(NamedTuple):
    """One part of a message, by its place."""

    kind: str
    """What it is: one of

    ``empty-line`` (before a request line), ``method``, ``target`` and in it ``authority``, ``path``, ``query``;
    ``version``, ``status``, ``reason``; ``field-line`` and in it ``field-name``, ``field-value``; ``end-of-head``;
    ``content``, where it is not in chunks; ``chunk`` and in it ``chunk-size``, ``chunk-extension``, ``chunk-data``;
    ``last-chunk``, ``trailer-line`` and in it ``trailer-name``, ``trailer-value``; ``end-of-trailers``;
    ``interim`` around all of an interim response.
    """

    start: int
    """Offset of its first byte in the message's bytes."""

    end: int
    """Offset of the first byte behind it."""

    name: str = ""
    """The name of the field it belongs to, as it was sent; of chunks their number, from 1; otherwise empty."""


Elements = list[Element]

FIELD: Final = "field"
TRAILER: Final = "trailer"
CRLF_BYTES: Final = 2


def in_order(elements: Elements) -> Elements:
    """Return elements by where they begin, the outer ones before what is in them."""
    return sorted(elements, key=lambda element: (element.start, -element.end))


def chunk_elements(data: Buffer, start: int, limits: MessageLimits, rules: LineRules) -> Elements:
    """Return the elements of the chunks and trailers that begin at the offset `start` of `data`.

    As far as they go: what is wrong, or not there yet, ends them.
    """
    chunks = NotedChunks(limits, start, rules)
    with suppress(ProtocolError):  # said by whoever reads the content
        chunks.read(data, 0, len(data), [])
    chunks.note_rest(data)
    return in_order(chunks.elements)


class NoRules:
    """Takes every field line: for sections in which no field is refused."""

    def take(self, _name: bytes, _value: bytes, _offset: int, /) -> None:
        """Take a line."""


class NotedSection(SectionScanner):
    """A scanner of a field section that notes each field line.

    It stands before the rules that lines are handed to, so a line that a rule refuses has been noted.
    """

    __slots__ = ("_inner", "_kind", "_noted_line", "elements")

    def __init__(self, limits: MessageLimits, rules: LineRules, start: int, kind: str) -> None:
        """Begin at the offset `start`; `kind` is `FIELD` or `TRAILER`."""
        super().__init__(limits, self, start)
        self.elements: Elements = []
        self._inner = rules
        self._kind = kind
        self._noted_line = -1

    def take(self, name: bytes, value: bytes, offset: int, /) -> None:
        """Note a whole line, and hand it on."""
        self._noted_line = self._line_start
        self._note(name, offset, offset + len(value), self.position - CRLF_BYTES)
        self._inner.take(name, value, offset)

    def note_unfinished(self, data: Buffer) -> None:
        """Note the line that the scanner has stopped in, as far as it has come."""
        start, end = self._line_start, self.position
        if self.state not in (NAME, VALUE, LINE_FEED) or self._noted_line == start:
            return
        if self.state is NAME:
            if end > start:
                name = data[start:end].decode("latin-1")
                self.elements.append(Element(f"{self._kind}-line", start, end, name))
                self.elements.append(Element(f"{self._kind}-name", start, end, name))
            return
        raw = bytes(data[self._colon + 1 : end]).rstrip(b"\r\n")
        line_end = self._colon + 1 + len(raw)
        value = raw.lstrip(b" \t")
        value_start = line_end - len(value)
        value_end = value_start + len(value.rstrip(b" \t"))
        self._note(bytes(data[start : self._colon]), value_start, value_end, line_end)

    def end(self, kind: str) -> Elements:
        """Return the empty line that ends the section, as far as it has come."""
        if self.state is DONE:
            return [Element(kind, self.position - CRLF_BYTES, self.position)]
        if self.state is LAST_LINE_FEED:
            return [Element(kind, self.position - 1, self.position)]
        return []

    def _note(self, written: bytes, value_start: int, value_end: int, line_end: int) -> None:
        start, kind = self._line_start, self._kind
        name = written.decode("latin-1")
        self.elements += (
            Element(f"{kind}-line", start, line_end, name),
            Element(f"{kind}-name", start, self._colon, name),
            Element(f"{kind}-value", value_start, value_end, name),
        )


class NotedHead(HeadScanner):
    """A scanner of a request's head that tells where its elements are."""

    __slots__ = ("_noted_section",)

    def __init__(self, limits: MessageLimits) -> None:
        """Begin at offset 0."""
        super().__init__(limits)
        self._noted_section: NotedSection | None = None

    def _end_request_line(self, buffer: Buffer, index: int) -> None:
        super()._end_request_line(buffer, index)
        if self._rules is not None:
            self._section = self._noted_section = NotedSection(
                self._limits, self._rules, self.section_start, FIELD
            )

    def elements(self, data: Buffer) -> Elements:
        """Return what has been found in `data`, in order, that which is not whole as far as it has come."""
        found: Elements = []
        section = self._noted_section
        if not self.begun:
            end = self.position
        else:
            found += self._line_elements()
            end = found[0].start if found else self._token_start
        found += [
            Element("empty-line", start, min(start + CRLF_BYTES, end))
            for start in range(0, end, CRLF_BYTES)
        ]
        if section is not None:
            section.note_unfinished(data)
            found += section.elements
            found += section.end("end-of-head")
        return in_order(found)

    def _line_elements(self) -> Elements:
        """The elements of the request line, method first."""
        start, end = self._token_start, self.position
        if self.state is METHOD:
            return [Element("method", start, end)] if end > start else []
        method_end = start - 1
        rest: Elements = []
        if self.state is TARGET:
            if end > start:
                rest.append(Element("target", start, end))
        else:
            if self._noted_section is not None:
                end = self.section_start - CRLF_BYTES
            elif self.state is LINE_FEED:
                end -= 1
            target_start = start - 1 - len(self.target)
            method_end = target_start - 1
            rest.append(Element("target", target_start, start - 1))
            if self._noted_section is not None:
                rest += self._target_elements(target_start)
            if end > start:
                rest.append(Element("version", start, end))
        return [Element("method", method_end - len(self.method), method_end), *rest]

    def _target_elements(self, start: int) -> Elements:
        """What the target was taken apart to; a path that the client left out has no place."""
        parts, target = self.parts, self.target
        found: Elements = []
        place = 0
        if parts.authority is not None:
            place = 0 if parts.form == "authority" else target.index(b"//") + 2
            found.append(_at("authority", start + place, parts.authority))
            place += len(parts.authority)
        if parts.path and parts.form != "asterisk" and target.startswith(parts.path, place):
            found.append(_at("path", start + place, parts.path))
        if parts.query:
            found.append(_at("query", start + len(target) - len(parts.query), parts.query))
        return found


def _at(kind: str, start: int, text: bytes) -> Element:
    return Element(kind, start, start + len(text))


class NotedChunks(ChunkedContent):
    """A reader of chunked content that notes each chunk and trailer."""

    __slots__ = ("_data_start", "_number", "_rules", "_section", "_size", "elements")

    def __init__(self, limits: MessageLimits, position: int, rules: LineRules) -> None:
        """Begin at the offset `position`; `rules` are those of the trailer section."""
        super().__init__(limits, position)
        self.elements: Elements = []
        self._number = 1
        self._size = 0
        self._data_start = -1
        self._rules = rules
        self._section: NotedSection | None = None

    def note_rest(self, data: Buffer) -> None:
        """Note the trailer section, or what the reader has stopped in, as far as it has come."""
        section = self._section
        if section is not None:
            section.note_unfinished(data)
            self.elements += section.elements
            self.elements += section.end("end-of-trailers")
        elif self.position > self._line_start:
            name, start = str(self._number), self._line_start
            self.elements.append(Element("chunk", start, self.position, name))
            if self._state is SIZE:
                self.elements.append(Element("chunk-size", start, self.position, name))
            elif self._data_start < 0:
                line_end = self.position - (self._state is CHUNK_LINE_FEED)
                self._note_size_line(name, line_end)
            else:
                self._note_data(name)

    # What the reader takes in one go where it can is taken here step by step.
    def _read_whole_chunks(
        self, buffer: Buffer, shift: int, max_bytes: int, content: list[Buffer]
    ) -> int:
        self._read_size(buffer, self.position + shift)
        return max_bytes

    def _begin_chunk(self, size: int) -> None:
        name, start = str(self._number), self._line_start
        if size:
            self._note_size_line(name, self.position - CRLF_BYTES)
            self._data_start = self.position
            self._size = size
        super()._begin_chunk(size)
        if not size:
            self.elements.append(Element("last-chunk", start, self.position, name))
            self._note_size_line(name, self.position - CRLF_BYTES)
            self._trailers = self._section = NotedSection(
                self._limits, self._rules, self.position, TRAILER
            )

    def _begin_line(self) -> None:
        name = str(self._number)
        self.elements.append(Element("chunk", self._line_start, self.position, name))
        self._note_data(name)
        self._number += 1
        self._data_start = -1
        super()._begin_line()

    def _note_size_line(self, name: str, line_end: int) -> None:
        size_start = self._line_start
        size_end = size_start + self._digits
        self.elements.append(Element("chunk-size", size_start, size_end, name))
        if line_end > size_end:
            self.elements.append(Element("chunk-extension", size_end, line_end, name))

    def _note_data(self, name: str) -> None:
        start = self._data_start
        end = min(start + self._size, self.position)
        if end > start:
            self.elements.append(Element("chunk-data", start, end, name))
