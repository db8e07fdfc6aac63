"""Parts of a representation, as the content of a 206 (RFC 9110 §14, §15.3.7)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .files import FileSlice
from .ranges import byteranges_end, byteranges_part_head, make_boundary


class PartOfIterable:
    """A run of octets out of an iterable of octets: what is before is passed over, what is after not read."""

    def __init__(
        self, pieces: Iterable[bytes], start: int, length: int, close: Callable[[], Any] | None
    ) -> None:
        self._pieces = iter(pieces)
        self._before = start
        self._missing = length
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while self._missing > 0:
            piece = next(self._pieces)
            if len(piece) <= self._before:
                self._before -= len(piece)
                continue
            piece = piece[self._before : self._before + self._missing]
            self._before = 0
            self._missing -= len(piece)
            return piece
        raise StopIteration

    def close(self) -> None:
        """Close the iterable, if it can be."""
        if self._close is not None:
            self._close()


def part_of_source(source: Any, pieces: Iterable[bytes], start: int, length: int) -> Any:
    """Return the run of octets out of the source of a response.

    Args:
        source: the source; a `FileSlice` is cut without reading anything.
        pieces: what it gives, encoded.
        start: where the run begins.
        length: how many octets it has.
    """
    if isinstance(source, FileSlice):
        return FileSlice(source.file, source.offset + start, length)
    return PartOfIterable(pieces, start, length, getattr(source, "close", None))


def byteranges(
    content: bytes, parts: Iterable[tuple[int, int]], content_type: str | None
) -> tuple[bytes, str]:
    """Return several parts of whole content as multipart/byteranges, and its Content-Type (RFC 9110 §14.6).

    Args:
        content: the whole representation.
        parts: (start, stop) of each part.
        content_type: the type of the representation.
    """
    boundary = make_boundary()
    pieces: list[bytes] = []
    for start, stop in parts:
        pieces.append(byteranges_part_head(boundary, content_type, start, stop, len(content)))
        pieces.append(content[start:stop])
    pieces.append(byteranges_end(boundary))
    return b"".join(pieces), f"multipart/byteranges; boundary={boundary}"
