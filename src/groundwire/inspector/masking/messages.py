"""Goes through a message for what is secret in it: heads line by line, contents taken out of chunks and codings."""

import re
import sys
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from ...protocol.http1.explain import explain_request, explain_response
from ...protocol.limits import MessageLimits
from ..explaining.decoding import CannotDecode, decode_content
from .contents import in_content
from .fields import path_of, reason_of
from .lines import in_first_line, in_lines, lines_of
from .text import Secret, begun_in, forms_of, repeated, values_of

MASK: Final = b"*"
"""What stands for a masked octet. In JSON, what was no string begins and ends with a quotation mark instead."""

Spans = tuple[tuple[int, int], ...]
"""What was masked: offsets in the message, in order, the end exclusive, none overlapping or touching another."""

Forms = frozenset[bytes]
"""Octets that are secret wherever they are in an exchange."""

NOTHING: Final[Forms] = frozenset()

_REMEMBERED: Final = 512
"""Lines, contents and messages that are kept in mind. Those of one page and what it loads are about a hundred."""

_REMEMBERED_BYTES: Final = 1024
"""Longer ones are looked at each time."""

_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_EMPTY_LINES: Final = re.compile(rb"(?:\r?\n)*+")
_WELL_FORMED: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\r\n\0]*+")
_OWN_LINE: Final = re.compile(
    rb"X-Wire-Id: [0-9]+-[0-9]+|Link: </__wire__/requests/[0-9]+-[0-9]+>; rel=\"describedby\""
    rb"|Content-Length: [0-9]+|Date: [A-Za-z0-9:, ]{29}"
)
TO_MASK: Final = re.compile(rb"[^\x00-\x20\x7f]+")
"""Of text: white space and control characters stay."""

_INVALID_IN_TARGET: Final = re.compile(rb"[^!#$%&'()*+,\-./:;=?@\[\]_~0-9A-Za-z]")
_INTERIM: Final = re.compile(rb"HTTP/1\.[01] 1(?!01)[0-9]{2}")

_FRAMING: Final = frozenset(
    b"host content-length transfer-encoding connection expect upgrade content-type".split()
)
"""Fields that say how a message is read: nothing that was found elsewhere is looked for in them."""

_ABOUT: Final = frozenset((b"content-", b"transfer"))


class Remembered:
    """Lines, contents by their type, and whole messages in which nothing secret was found."""

    def __init__(self) -> None:
        self._clean: set[bytes | tuple[str, bytes]] = set()
        self.is_clean = self._clean.__contains__

    @property
    def octets(self) -> int:
        """How many are kept in mind."""
        return sum(len(clean if isinstance(clean, bytes) else clean[1]) for clean in self._clean)

    def remember(self, clean: bytes | tuple[str, bytes]) -> None:
        """Keep in mind that there is nothing secret in it."""
        if len(self._clean) >= _REMEMBERED:
            self._clean.clear()
        self._clean.add(clean)


class MaskedMessage(ABC):
    """One run over octets of one direction."""

    asked: bool
    """Whether they are a client's."""

    def __init__(self, data: bytes, remembered: Remembered) -> None:
        self.data = data
        self.remembered = remembered
        self.spans: list[tuple[int, int]] = []
        self.quoted: dict[int, bytes] = {}
        self.found: dict[bytes, None] = {}
        """The values that were found, in order."""
        self._values: Forms | None = None
        self.heads: list[tuple[int, int, int]] = []
        """Of each head: what may hold something from elsewhere of its first line, from where to where, and its end."""
        self.between: list[tuple[int, int]] = []
        """Lines that belong to no head."""
        self.contents: list[_Content] = []
        self.kept: set[int] = set()
        """Offsets of octets that break a rule."""

    def mask(self, also: Forms) -> tuple[bytes, Spans]:
        """Return the masked octets, and what was masked."""
        self.examine()
        forms = (self.values() if self.found else NOTHING) | also
        if forms:
            self._look_for(forms)
        if not self.spans:
            return self.data, ()
        spans = merged(self._without_kept())
        masked = bytearray(self.data)
        for start, end in spans:
            masked[start:end] = MASK * (end - start)
        # What is masked beside it, or around it, leaves no room for quotation marks.
        ends = {offset for start, end in spans for offset in (start, end - 1)}
        for offset in ends & self.quoted.keys():
            masked[offset : offset + 1] = self.quoted[offset]
        return bytes(masked), spans

    @abstractmethod
    def examine(self) -> None:
        """Go through all that is there."""

    def values(self) -> Forms:
        """Return what was found, in all forms in which it may turn up elsewhere."""
        if self._values is None:
            self._values = forms_of(self.found)
        return self._values

    def _without_kept(self) -> Iterator[tuple[int, int]]:
        if not self.kept:
            yield from self.spans
            return
        for start, end in self.spans:
            for offset in sorted(self.kept):
                if start <= offset < end:
                    yield start, offset
                    start = offset + 1
            yield start, end

    def in_head(self, secrets: Iterable[Secret]) -> bool:
        """Mask secrets of a head, and other octets between contents; tell whether there were any."""
        some = False
        for secret in secrets:
            some = True
            self.found.update(dict.fromkeys(values_of(self.data, [secret])))
            self._mask_words(secret.start, secret.end)
        return some

    def _mask_words(self, start: int, end: int) -> None:
        self.spans += (found.span() for found in TO_MASK.finditer(self.data, start, end))

    def examine_head(self, start: int, end: int, first_values: int) -> dict[str, str]:
        """Go through one head; return its fields that say what its content is.

        Args:
            start: where its first line begins.
            end: where its last line ends.
            first_values: from where on something from elsewhere is looked for in the first line.
        """
        lines = self.data[start:end].split(b"\r\n")
        first_end = start + len(lines[0])
        self.heads.append((first_values, first_end, end))
        self._examine_line(lines[0], start, first=True)
        is_clean = self.remembered.is_clean
        about: dict[str, str] = {}
        offset = first_end + 2
        for line in lines[1:]:
            if not is_clean(line) and line and _WELL_FORMED.fullmatch(line) is None:
                return self._examine_odd_head(first_end, end)
            if line[:8].lower() in _ABOUT:
                _note(about, line)
        for line in lines[1:]:
            if line and not is_clean(line):
                self._examine_line(line, offset)
            offset += len(line) + 2
        return about

    def _examine_odd_head(self, start: int, end: int) -> dict[str, str]:
        """Go through the lines of a head where some are folded, broken, or end in another way than they should."""
        data = self.data
        self.in_head(in_lines(data, start, end))
        about: dict[str, str] = {}
        for line in lines_of(data, start, end):
            _note(about, data[line.start : line.end])
        return about

    def _examine_line(self, line: bytes, start: int, *, first: bool = False) -> None:
        if self.remembered.is_clean(line) or _OWN_LINE.fullmatch(line):
            return
        end = start + len(line)
        secret = self.in_head((in_first_line if first else in_lines)(self.data, start, end))
        if not secret and len(line) <= _REMEMBERED_BYTES and b"\n" not in line:
            self.remembered.remember(line)

    def examine_content(self, content: "_Content") -> None:
        """Go through a content that is whole, or as far as it is there."""
        self.contents.append(content)
        octets = content.octets
        if content.encoding:
            try:
                octets, content.known = decode_content(octets, content.encoding)
            except CannotDecode:
                content.known, octets = False, b""
            content.decoded = octets
        seen = (content.media_type, octets)
        if content.known and self.remembered.is_clean(seen):
            return
        secrets = list(in_content(octets, content.media_type, asked=self.asked))
        for secret in secrets:
            self.found.update(dict.fromkeys(values_of(octets, [secret])))
            if content.decoded is None:
                self._mask_content(content, secret)
        if content.decoded is not None and (secrets or self._may_hide(content)):
            self._mask_content(content, Secret(0, len(content.octets)))
        elif not secrets and content.known and len(octets) <= _REMEMBERED_BYTES:
            self.remembered.remember(seen)

    def _may_hide(self, content: "_Content") -> bool:
        return not content.known and not content.media_type.lower().startswith(
            ("image/", "video/", "audio/", "font/")
        )

    def _mask_content(self, content: "_Content", secret: Secret) -> None:
        spans = list(content.places(secret.start, secret.end))
        if secret.quoted and spans and content.broken_at == sys.maxsize:
            first, last = spans[0][0], spans[-1][1] - 1
            self.quoted.update({first: b'"', last: b'"'} if last > first else {first: b"0"})
        for start, end in spans:
            if end <= content.broken_at:
                self.spans.append((start, end))
            else:  # Behind a fault nothing says what is content: lines stay lines.
                self._mask_words(start, end)

    def _look_for(self, forms: Forms) -> None:
        begun = begun_in(self.data, forms)
        for start, end in self._places() if begun else ():
            for secret in repeated(self.data[start:end], begun):
                self._mask_words(start + secret.start, start + secret.end)
        for content in self.contents:
            octets = content.octets if content.decoded is None else content.decoded
            for secret in repeated(octets, forms):
                if content.decoded is not None:
                    self._mask_content(content, Secret(0, len(content.octets)))
                    break
                self._mask_content(content, secret)

    def _places(self) -> Iterator[tuple[int, int]]:
        """Yield where in heads and other lines something from elsewhere may be."""
        yield from self.between
        for first_values, first_end, end in self.heads:
            yield first_values, first_end
            for line in lines_of(self.data, first_end, end):
                if self.data[line.start : line.name_end].strip().lower() not in _FRAMING:
                    yield line.name_end, line.end

    def examine_lines(self, start: int, end: int) -> None:
        """Go through lines that are between or behind contents: of chunks, of trailers, of nobody knows what."""
        self.in_head(in_lines(self.data, start, end))
        self.between.append((start, end))

    def examine_between(self, pieces: list[tuple[int, int]], start: int, end: int) -> int:
        """Go through the lines between pieces of content; return where the last piece ends."""
        for first, last in pieces:
            self.examine_lines(start, first)
            start = last
        if start < end:
            self.examine_lines(start, end)
        return start


class _Content:
    """One content: octets, and where they are in the message."""

    def __init__(
        self,
        data: bytes,
        pieces: list[tuple[int, int]],
        about: Mapping[str, str],
        broken_at: int = sys.maxsize,
    ) -> None:
        self.pieces = pieces
        self.ends = list(accumulate(end - start for start, end in pieces))
        self.octets = b"".join([data[start:end] for start, end in pieces])
        self.media_type = about.get("content-type", "")
        codings = (about.get("content-encoding", ""), _coded(about.get("transfer-encoding", "")))
        self.encoding = ", ".join(filter(None, codings))
        self.broken_at = broken_at
        """From where on the octets are no content, but what follows a fault."""
        self.decoded: bytes | None = None
        """The octets without codings; None when there is no coding."""
        self.known = True
        """Whether all of it could be decoded."""

    def places(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield where in the message the octets between two offsets of the content are."""
        for number in range(bisect_right(self.ends, start), len(self.pieces)):
            first, last = self.pieces[number]
            before = self.ends[number] - (last - first)
            if before >= end:
                return
            yield first + max(start - before, 0), first + min(end - before, last - first)


def _note(about: dict[str, str], line: bytes) -> None:
    """Add a field line to those that say what a content is."""
    name, _, value = line.partition(b":")
    key = name.decode("latin-1").strip().lower()
    text = value.decode("latin-1").strip()
    about[key] = f"{about[key]}, {text}" if key in about else text


def _coded(transfer_encoding: str) -> str:
    codings = [coding.strip() for coding in transfer_encoding.lower().split(",")]
    return ", ".join(coding for coding in codings if coding != "chunked")


class MaskedRequest(MaskedMessage):
    """A request, or what has come of one, and those behind it."""

    asked = True

    def __init__(self, data: bytes, remembered: Remembered, limits: MessageLimits) -> None:
        super().__init__(data, remembered)
        self._limits = limits

    def examine(self) -> None:
        """Go through all that is there."""
        start = 0
        while start < len(self.data):
            start = self._examine_one(start)

    def _examine_one(self, begin: int) -> int:
        """Go through one request; return where the next begins."""
        data = self.data
        empty = _EMPTY_LINES.match(data, begin)
        start = begin if empty is None else empty.end()
        if start == len(data):
            return start
        found = _END_OF_HEAD.search(data, start)
        head_end = len(data) if found is None else found.end()
        line_end = data.find(b"\n", start, head_end)
        line_end = head_end if line_end < 0 else line_end
        about = self.examine_head(start, head_end, path_of(data, start, line_end))
        invalid = _INVALID_IN_TARGET.search(data, data.find(b" ", start) + 1 or start, line_end)
        if invalid is not None:
            self.kept.add(invalid.start())
        if head_end == len(data):
            return head_end
        length = about.get("content-length", "")
        sized = "transfer-encoding" not in about and length.isdecimal() and len(length) < 19
        if sized and head_end + int(length) >= len(data):
            self.examine_content(_Content(data, [(head_end, len(data))], about))
            return len(data)
        return self._examine_behind(begin, head_end, about)

    def _examine_behind(self, begin: int, head_end: int, about: Mapping[str, str]) -> int:
        """Go through what follows a head, where only the reader's rules say what it is."""
        data = self.data
        explanation = explain_request(data[begin:], self._limits)
        pieces = [
            (begin + element.start, begin + element.end)
            for element in explanation.elements
            if element.kind in ("content", "chunk-data")
        ]
        self.examine_content(_Content(data, pieces, about))
        last = pieces[-1][1] if pieces else head_end
        if explanation.complete:
            end = begin + explanation.end
            self.examine_between(pieces, head_end, end)
            return end
        self.examine_between(pieces, head_end, len(data))
        if explanation.error is not None:
            self._examine_broken(pieces, last, about, begin + explanation.error.offset)
            if explanation.head is None:
                # Behind a refused head nothing says what there is: it may be the next one of a pipeline.
                return head_end
        return len(data)

    def _examine_broken(
        self, pieces: list[tuple[int, int]], start: int, about: Mapping[str, str], fault: int
    ) -> None:
        """Go through what follows a fault: it may be the rest of the content, or of what was cut by the fault."""
        data = self.data
        if pieces or not data[fault : fault + 1].isalnum():
            self.kept.add(fault)  # in a head it may be part of a secret that is only too long
        line_end = data.find(b"\n", max(start, min(fault, len(data)))) + 1
        rest = (start, len(data))
        self.examine_content(_Content(data, [*pieces, rest], about, start))
        if 0 < line_end < len(data):
            behind = [*pieces, (line_end, len(data))]
            self.examine_content(_Content(data, behind, about, start))


class MaskedResponse(MaskedMessage):
    """The responses of one exchange, interim ones first."""

    asked = False

    def __init__(self, data: bytes, remembered: Remembered, method: str) -> None:
        super().__init__(data, remembered)
        self._method = method

    def examine(self) -> None:
        """Go through all that is there."""
        data = self.data
        start = 0
        while True:
            found = _END_OF_HEAD.search(data, start)
            head_end = len(data) if found is None else found.end()
            line_end = data.find(b"\n", start, head_end)
            reason = reason_of(data, start, head_end if line_end < 0 else line_end)
            about = self.examine_head(start, head_end, reason)
            if head_end == len(data):
                return
            if _INTERIM.match(data, start) is None:
                break
            start = head_end
        if "transfer-encoding" in about:
            self._examine_chunks(start, head_end, about)
        else:
            self.examine_content(_Content(data, [(head_end, len(data))], about))

    def _examine_chunks(self, start: int, head_end: int, about: Mapping[str, str]) -> None:
        data = self.data
        explanation = explain_response(data[start:], self._method)
        pieces = [
            (start + element.start, start + element.end)
            for element in explanation.elements
            if element.kind in ("content", "chunk-data")
        ]
        self.examine_content(_Content(data, pieces, about))
        last = self.examine_between(pieces, head_end, len(data))
        if last < len(data) and not explanation.complete:
            self.examine_content(_Content(data, [(last, len(data))], {}, last))


def merged(spans: Iterable[tuple[int, int]]) -> Spans:
    """Return spans in order, those that overlap or touch as one, empty ones left out."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
