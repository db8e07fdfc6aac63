"""Range requests: parts of a representation (RFC 9110 §14)."""

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from .dates import http_date, parse_date
from .etags import quote_etag, unquote_etag
from .field_values import OWS, fold_case, is_token

MAX_RANGES: Final = 16
"""Ranges of one request; with more the whole representation is sent, as if none had been asked for (RFC 9110 §14.2
lets a server ignore Range). Apache stops at 200; CVE-2011-3192 and CVE-2025-62727 show what no limit does."""

_RANGE = re.compile(r"([0-9]*)[ \t]*-[ \t]*([0-9]*)", re.ASCII)
_CONTENT_RANGE = re.compile(
    r"[ \t]*([^ \t]+)[ \t]+(?:([0-9]+)-([0-9]+)|\*)/([0-9]+|\*)[ \t]*", re.ASCII
)
_LARGEST = 10**18
_EMPTY_SUFFIX = (0, 0)
"""``-0``: the last 0 octets. It is well formed, and no representation can satisfy it (RFC 9110 §14.1.2)."""


def _number(digits: str) -> int:
    """Read a number that may have more digits than int() takes; beyond any representation's length all are equal."""
    return int(digits) if len(digits) <= 18 else min(int(digits.lstrip("0")[:19] or "0"), _LARGEST)


class Range:
    """The value of Range: which parts of a representation are asked for (Werkzeug: ``Range``).

    Attributes:
        units: the range unit, in lower case; only ``bytes`` means something here.
        ranges: (start, stop) of each range, `stop` exclusive, None to the end; a negative `start` counts from the end.
    """

    def __init__(self, units: str, ranges: Sequence[tuple[int, int | None]]) -> None:
        """Make one.

        Raises:
            ValueError: a range is empty or backwards.
        """
        pairs: Any = ranges
        for start, stop in pairs:
            if start is None or (stop is not None and not 0 <= start < stop):
                raise ValueError(f"{(start, stop)} is not a valid range.")
        self.units = units
        self.ranges: list[tuple[int, int | None]] = list(ranges)

    def resolve(self, length: int) -> list[tuple[int, int]]:
        """Return (start, stop) of each part to send of a representation of `length` octets; empty when no range can
        be satisfied (then the answer is 416, RFC 9110 §15.5.17).

        Parts come in the order that was asked for. If some overlap or touch, they are merged and sorted, so that all
        together never exceed the representation (RFC 9110 §14.2).
        """
        parts: list[tuple[int, int]] = []
        for first, last in self.ranges:
            start = max(0, length + first) if first < 0 else first
            stop = length if last is None else min(last, length)
            if start < stop:
                parts.append((start, stop))
        ordered = sorted(parts)
        if all(left[1] < right[0] for left, right in pairwise(ordered)):
            return parts
        merged: list[tuple[int, int]] = []
        for start, stop in ordered:
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            else:
                merged.append((start, stop))
        return merged

    def range_for_length(self, length: int | None) -> tuple[int, int] | None:
        """Return (start, stop) if this is exactly one range of bytes and it can be satisfied, otherwise None."""
        if self.units != "bytes" or length is None or len(self.ranges) != 1:
            return None
        parts = self.resolve(length)
        return parts[0] if parts else None

    def make_content_range(self, length: int | None) -> "ContentRange | None":
        """Return the Content-Range that answers a single range, None where `range_for_length` does."""
        part = self.range_for_length(length)
        return None if part is None else ContentRange(self.units, part[0], part[1], length)

    def to_header(self) -> str:
        """Return the field value."""
        specs: list[str] = []
        for start, stop in self.ranges:
            if (start, stop) == _EMPTY_SUFFIX:
                specs.append("-0")
            elif stop is None:
                specs.append(f"{start}-" if start >= 0 else str(start))
            else:
                specs.append(f"{start}-{stop - 1}")
        return f"{self.units}={','.join(specs)}"

    def to_content_range_header(self, length: int | None) -> str | None:
        """Return the value of Content-Range that answers a single range, None where `range_for_length` does."""
        content_range = self.make_content_range(length)
        return None if content_range is None else content_range.to_header()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Range):
            return NotImplemented
        return (self.units, self.ranges) == (other.units, other.ranges)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def parse_range_header(
    value: str | None, make_inclusive: bool = True, limit: int = MAX_RANGES
) -> Range | None:
    """Read the value of Range; None when it is malformed or has more than `limit` ranges, so that it is to be ignored.

    Only ASCII digits are digits. Ranges may come in any order and overlap: `Range.resolve` deals with it.

    Args:
        value: the field value.
        make_inclusive: the last number belongs to the range, as RFC 9110 §14.1.2 has it; False: it does not.
        limit: how many ranges are looked at.
    """
    if not value or "=" not in value:
        return None
    units, _, specs = value.partition("=")
    units = fold_case(units.strip(OWS))
    if is_token(units) is None:
        return None
    pieces = [piece for piece in specs.split(",", 4 * limit) if piece.strip(OWS)]
    if not pieces or len(pieces) > limit:
        return None
    ranges: list[tuple[int, int | None]] = []
    for piece in pieces:
        match = _RANGE.fullmatch(piece.strip(OWS))
        if match is None or not (match[1] or match[2]):
            return None
        if not match[1]:
            suffix = _number(match[2])
            ranges.append((-suffix, None) if suffix else _EMPTY_SUFFIX)
        elif not match[2]:
            ranges.append((_number(match[1]), None))
        else:
            start, stop = _number(match[1]), _number(match[2]) + make_inclusive
            if start >= stop:
                return None
            ranges.append((start, stop))
    wanted = Range(units, ())
    wanted.ranges = ranges
    return wanted


def is_byte_range_valid(start: int | None, stop: int | None, length: int | None) -> bool:
    """Whether (start, stop exclusive, length) can be a Content-Range; start and stop are both None or both numbers."""
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    return 0 <= start < stop and (length is None or start < length)


class ContentRange:
    """The value of Content-Range: which part of a representation is sent (Werkzeug: ``ContentRange``).

    Calls ``on_update(content_range)`` after each change.
    """

    def __init__(
        self,
        units: str | None,
        start: int | None,
        stop: int | None,
        length: int | None = None,
        on_update: Callable[[Any], object] | None = None,
    ) -> None:
        """Make one; see `set`."""
        self.on_update: Callable[[Any], object] | None = None
        self.set(start, stop, length, units)
        self.on_update = on_update

    def set(
        self,
        start: int | None,
        stop: int | None,
        length: int | None = None,
        units: str | None = "bytes",
    ) -> None:
        """Set all of it; `stop` is exclusive.

        Raises:
            ValueError: `start` and `stop` do not make a range.
        """
        if not is_byte_range_valid(start, stop, length):
            raise ValueError(f"not a content range: {start!r} to {stop!r} of {length!r}")
        self._units, self._start, self._stop, self._length = units, start, stop, length
        self._updated()

    def unset(self) -> None:
        """Take the range away: the field is not to be sent."""
        self.set(None, None, units=None)

    def _updated(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    @property
    def units(self) -> str | None:
        """The range unit; None when there is no range."""
        return self._units

    @units.setter
    def units(self, value: str | None) -> None:
        self._units = value
        self._updated()

    @property
    def start(self) -> int | None:
        """The first position; None when the range is ``*``."""
        return self._start

    @start.setter
    def start(self, value: int | None) -> None:
        self._start = value
        self._updated()

    @property
    def stop(self) -> int | None:
        """The position after the last; None when the range is ``*``."""
        return self._stop

    @stop.setter
    def stop(self, value: int | None) -> None:
        self._stop = value
        self._updated()

    @property
    def length(self) -> int | None:
        """The length of the whole representation; None when it is not known."""
        return self._length

    @length.setter
    def length(self, value: int | None) -> None:
        self._length = value
        self._updated()

    def to_header(self) -> str:
        """Return the field value, empty when there is no range."""
        if self.units is None:
            return ""
        length = "*" if self.length is None else self.length
        if self.start is None or self.stop is None:
            return f"{self.units} */{length}"
        return f"{self.units} {self.start}-{self.stop - 1}/{length}"

    def __bool__(self) -> bool:
        return self.units is not None

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def parse_content_range_header(
    value: str | None, on_update: Callable[[ContentRange], object] | None = None
) -> ContentRange | None:
    """Read the value of Content-Range (RFC 9110 §14.4); None when it is malformed."""
    match = _CONTENT_RANGE.fullmatch(value or "")
    if match is None:
        return None
    units, first, last, total = match.groups()
    length = None if total == "*" else _number(total)
    start = None if first is None else _number(first)
    stop = None if last is None else _number(last) + 1
    if not is_byte_range_valid(start, stop, length):
        return None
    return ContentRange(units, start, stop, length, on_update)


class IfRange:
    """The value of If-Range: a validator, either an entity tag or a date (RFC 9110 §13.1.5; Werkzeug: ``IfRange``).

    Attributes:
        etag: the entity tag, unquoted.
        date: the date.
        weak: whether the entity tag is weak, so that it matches nothing. It is not written: If-Range holds strong tags
            only.
    """

    def __init__(
        self, etag: str | None = None, date: datetime | None = None, weak: bool = False
    ) -> None:
        self.etag = etag
        self.date = date
        self.weak = weak

    def to_header(self) -> str:
        """Return the field value, empty when there is no validator."""
        if self.date is not None:
            return http_date(self.date)
        return "" if self.etag is None else quote_etag(self.etag)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def parse_if_range_header(value: str | None) -> IfRange:
    """Read the value of If-Range. What is no date is taken for an entity tag."""
    if not value:
        return IfRange()
    date = parse_date(value)
    if date is not None:
        return IfRange(date=date)
    etag, weak = unquote_etag(value)
    if etag is None or '"' in etag:
        return IfRange()
    return IfRange(etag, weak=bool(weak))


# multipart/byteranges


def make_boundary() -> str:
    """Return a boundary that no representation contains: 128 random bits (RFC 2046 §5.1.1)."""
    return secrets.token_hex(16)


def byteranges_part_head(
    boundary: str, content_type: str | None, start: int, stop: int, length: int
) -> bytes:
    """Return what comes before one part of multipart/byteranges (RFC 9110 §14.6): delimiter and field lines.

    It begins with the CRLF that belongs to the delimiter, before the first part too, where it is allowed.
    """
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    return (
        f"\r\n--{boundary}\r\n{kind}Content-Range: bytes {start}-{stop - 1}/{length}\r\n\r\n"
    ).encode("latin-1")


def byteranges_end(boundary: str) -> bytes:
    """Return what comes after the last part of multipart/byteranges."""
    return f"\r\n--{boundary}--\r\n".encode("latin-1")


def byteranges_length(
    boundary: str, content_type: str | None, parts: Iterable[tuple[int, int]], length: int
) -> int:
    """Return how many octets the whole multipart/byteranges content has, for Content-Length."""
    total = len(byteranges_end(boundary))
    for start, stop in parts:
        total += len(byteranges_part_head(boundary, content_type, start, stop, length))
        total += stop - start
    return total
