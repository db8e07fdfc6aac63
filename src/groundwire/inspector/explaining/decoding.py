"""Takes content codings off, as far as it is safe: what is decoded here is bounded, whatever was sent."""

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from ...http import codings

DECODED_BYTES: Final = 1024 * 1024
"""More of a content is not decoded."""


class CannotDecode(Exception):
    """A content is not in the coding it says, or in one that is not known here."""


def decode_content(content: bytes, content_encoding: str) -> tuple[bytes, bool]:
    """Take the codings off that a Content-Encoding field names, the last one first (RFC 9110 §8.4).

    Returns:
        What is decoded, at most `DECODED_BYTES`, and whether that is all that `content` says. A content that is cut off
        is decoded up to there.

    Raises:
        CannotDecode: see there.
    """
    whole = True
    for name in reversed(content_encoding.split(",")):
        coding = name.strip().lower()
        if coding in ("", "identity"):
            continue
        decoder = _DECODERS.get(coding.removeprefix("x-"))
        if decoder is None:
            raise CannotDecode(coding)
        try:
            content = decoder(content)
        except Exception as error:
            # brotli and zstd have exceptions of their own, which may not be there to be named.
            raise CannotDecode(coding) from error
        if len(content) > DECODED_BYTES:
            content = content[:DECODED_BYTES]
            whole = False
    return content, whole


def _gzip(content: bytes) -> bytes:
    pieces: list[bytes] = []
    left = DECODED_BYTES + 1
    while content and left > 0:  # RFC 1952 §2.2: members one after the other
        decoder = zlib.decompressobj(31)
        piece = decoder.decompress(content, left)
        pieces.append(piece)
        left -= len(piece)
        if not decoder.eof:
            break
        content = decoder.unused_data
        if not content.startswith(b"\x1f\x8b"):
            break
    return b"".join(pieces)


def _deflate(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, DECODED_BYTES + 1)
    except zlib.error:  # without zlib's frame, as some have always sent it
        return zlib.decompressobj(-15).decompress(content, DECODED_BYTES + 1)


def _brotli(content: bytes) -> bytes:
    decoder: Any = codings.brotli.Decompressor()
    # Versions before 1.2 know no limit, and are not used: a few octets would become gigabytes.
    pieces = [decoder.process(content, output_buffer_limit=DECODED_BYTES + 1)]
    size = len(pieces[0])
    while size <= DECODED_BYTES and not decoder.can_accept_more_data():
        piece = decoder.process(b"", output_buffer_limit=DECODED_BYTES + 1)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _zstd(content: bytes) -> bytes:
    if codings.zstd is not None:
        decoder: Any = codings.zstd.ZstdDecompressor()
        return bytes(decoder.decompress(content, DECODED_BYTES + 1))
    reader: Any = codings.zstandard.ZstdDecompressor().stream_reader(
        BytesIO(content), read_across_frames=True
    )
    return bytes(reader.read(DECODED_BYTES + 1))


_DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
