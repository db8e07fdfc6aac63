"""Taking content codings off, to a bound."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from groundwire.inspector.explaining.decoding import DECODED_BYTES, CannotDecode, decode_content


def raw_deflate(content: bytes) -> bytes:
    """Return what some send as ``deflate``: without zlib's frame."""
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(content) + coder.flush()


CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP , identity": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, br": lambda content: brotli.compress(gzip.compress(content)),
    "": bytes,
}


@pytest.mark.parametrize("coding", CODERS)
def test_a_content_is_decoded(coding: str) -> None:
    assert decode_content(CODERS[coding](b"hello"), coding) == (b"hello", True)


def test_deflate_without_its_frame_and_gzip_in_pieces_are_decoded() -> None:
    assert decode_content(raw_deflate(b"hello"), "deflate") == (b"hello", True)
    pieces = gzip.compress(b"hello ") + gzip.compress(b"there") + b"and padding"
    assert decode_content(pieces, "gzip") == (b"hello there", True)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_no_more_than_the_bound_is_decoded(coding: str) -> None:
    bomb = CODERS[coding](bytes(32 * DECODED_BYTES))

    assert decode_content(bomb, coding) == (bytes(DECODED_BYTES), False)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_content_that_is_cut_off_is_decoded_up_to_there(coding: str) -> None:
    content = bytes(range(256)) * 64
    decoded, _ = decode_content(CODERS[coding](content)[:-3], coding)

    assert content.startswith(decoded)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "rot13", "compress"])
def test_what_cannot_be_decoded_is_said_to_be(coding: str) -> None:
    with pytest.raises(CannotDecode):
        decode_content(b"no such thing", coding)
