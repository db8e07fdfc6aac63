"""Content codings: which is chosen, what it makes of content, and which responses get one."""

import asyncio
import gzip
import os
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from groundwire.http import codings
from groundwire.http.codings import (
    AVAILABLE,
    Encoder,
    add_vary,
    choose,
    compress,
    encode,
    is_compressible,
    is_eligible,
    optional_module,
    parse_accept_encoding,
    weaken,
)
from groundwire.http.headers import Headers
from groundwire.http.response import Response

TEXT = b"the same again and again " * 100


def decode_zstd(data: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(BytesIO(data)) as reader:
        return reader.read()


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "zstd": decode_zstd,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


# Choosing

ALL = ("br", "zstd", "gzip", "deflate")


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("gzip ; q=0.5 , deflate ; Q=0.8", "deflate"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0.000", None),
        ("*", "br"),
        ("*;q=0", None),
        ("gzip, *;q=0", "gzip"),
        ("br;q=0, *", "zstd"),
        ("identity", None),
        ("identity, gzip", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("identity;q=0", None),
        ("identity;q=0, *;q=0", None),
        ("identity;q=0, deflate;q=0.001", "deflate"),
        ("compress", None),
        ("compress, gzip;q=0.1", "gzip"),
        ("gzip;q=2", None),
        ("gzip;q=0.1234", None),
        ("gzip;q=-1", None),
        ("gzip;q=1.0001", None),
        ("gzip;q=nan", None),
        ("gzip;level=9", None),
        ("gz ip", None),
        (",,gzip,,", "gzip"),
        ("gzip, gzip;q=0", "gzip"),
        ("gzip;q=0, gzip", None),
    ],
)
def test_coding_is_chosen_by_weight_then_by_ours(
    accepted: str | None, expected: str | None
) -> None:
    assert expected == choose(accepted, ALL)


def test_only_what_is_available_is_chosen() -> None:
    assert "gzip" == choose("br, gzip;q=0.1", ("gzip",))
    assert choose("br", ("gzip",)) is None
    assert choose("gzip", ()) is None


def test_long_field_is_evaluated_and_not_remembered() -> None:
    codings.choose_remembered.cache_clear()

    assert "gzip" == choose("x, " * 1000 + "gzip", ALL)
    assert 0 == codings.choose_remembered.cache_info().currsize


def test_field_that_repeats_a_coding_counts_once() -> None:
    assert {"gzip": 0.5, "br": 1.0} == parse_accept_encoding("gzip;q=0.5, br, x-gzip;q=0.1")


@given(st.text(st.sampled_from("gzipbr*q=;., 01identy\t"), max_size=40))
def test_any_field_leads_to_something_available_or_nothing(accepted: str) -> None:
    assert choose(accepted, ALL) in (*ALL, None)


# Coding


def test_everything_installed_is_available() -> None:
    assert {"br", "zstd", "gzip", "deflate"} == set(AVAILABLE)


@pytest.mark.parametrize("coding", AVAILABLE)
@pytest.mark.parametrize("content", [b"", b"x", TEXT, bytes(range(256)) * 1000])
def test_coded_content_is_decoded_to_itself(coding: str, content: bytes) -> None:
    coded = encode(coding, content)

    assert content == DECODERS[coding](coded)
    assert len(coded) < len(TEXT) or content != TEXT


@given(st.sampled_from(AVAILABLE), st.lists(st.binary(max_size=200), max_size=6))
def test_coded_pieces_are_decoded_to_their_whole(coding: str, pieces: list[bytes]) -> None:
    encoder = Encoder(coding)
    coded = b"".join(encoder.encode(piece) for piece in pieces) + encoder.finish()

    assert b"".join(pieces) == DECODERS[coding](coded)


@pytest.mark.parametrize("coding", AVAILABLE)
def test_each_piece_can_be_decoded_when_it_has_come(coding: str) -> None:
    decoders: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
        "br": lambda: brotli.Decompressor().process,
        "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
        "gzip": lambda: zlib.decompressobj(31).decompress,
        "deflate": lambda: zlib.decompressobj().decompress,
    }
    encoder, decode = Encoder(coding), decoders[coding]()

    for piece in (b"first", b"second" * 100, b"third"):
        assert piece == decode(encoder.encode(piece))
    assert b"" == encoder.encode(b"")


def test_coding_that_is_not_available_is_refused() -> None:
    for coding in ("compress", "identity", ""):
        with pytest.raises(ValueError, match="available"):
            encode(coding, b"")
        with pytest.raises(ValueError, match="available"):
            Encoder(coding)


def test_module_that_is_not_installed_is_none() -> None:
    assert optional_module("groundwire.nothing", "no_such_module_at_all") is None
    assert sys.modules["zlib"] is optional_module("no_such_module_at_all", "zlib")


def test_zstd_of_the_standard_library_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.14 has ``compression.zstd``; its interface is this."""

    class Compressor:
        FLUSH_BLOCK, FLUSH_FRAME = 1, 2

        def __init__(self, level: int) -> None:
            self.inner = zstandard.ZstdCompressor(level=level).compressobj()

        def compress(self, data: bytes) -> bytes:
            return self.inner.compress(data)

        def flush(self, mode: int) -> bytes:
            kind = (
                zstandard.COMPRESSOBJ_FLUSH_BLOCK
                if mode == 1
                else zstandard.COMPRESSOBJ_FLUSH_FINISH
            )
            return self.inner.flush(kind)

    monkeypatch.setattr(codings, "zstd", SimpleNamespace(ZstdCompressor=Compressor))
    encoder = Encoder("zstd")

    assert b"ab" == decode_zstd(encoder.encode(b"a") + encoder.encode(b"b") + encoder.finish())


# Deciding


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset=utf-8",
        "TEXT/CSS",
        "text/x-anything",
        "application/json",
        "application/problem+json",
        "application/rss+xml",
        "text/javascript",
        "application/wasm",
        "image/svg+xml",
        "font/ttf",
    ],
)
def test_text_and_its_like_is_compressible(content_type: str) -> None:
    assert is_compressible(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "image/png",
        "video/mp4",
        "font/woff2",
        "application/zip",
        "application/octet-stream",
        "text/event-stream",
        "multipart/form-data; boundary=json",
        "",
        "text",
    ],
)
def test_what_is_compressed_already_or_has_to_flow_is_not(content_type: str) -> None:
    assert not is_compressible(content_type)


def test_response_is_eligible_over_500_octets() -> None:
    assert not is_eligible(200, "text/html", 500)
    assert is_eligible(200, "text/html", 501)
    assert is_eligible(200, "text/html", None)
    assert is_eligible(404, "text/html", 501)


@pytest.mark.parametrize("status", [100, 103, 204, 205, 206, 304])
def test_response_without_content_or_with_a_part_is_not_eligible(status: int) -> None:
    assert not is_eligible(status, "text/html", 1000)


@pytest.mark.parametrize(
    "fields",
    [
        {"content_encoding": "gzip"},
        {"content_encoding": "identity"},
        {"content_range": "bytes 0-1/2"},
        {"cache_control": "public, No-Transform"},
    ],
)
def test_response_whose_fields_forbid_it_is_not_eligible(fields: dict[str, str]) -> None:
    assert not is_eligible(200, "text/html", 1000, **fields)


def test_response_of_unknown_type_is_not_eligible() -> None:
    assert not is_eligible(200, None, 1000)
    assert not is_eligible(200, "image/png", 1000)


def test_weak_tag_stays_weak() -> None:
    assert 'W/"a"' == weaken('"a"') == weaken('W/"a"')


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "Accept-Encoding"),
        ("", "Accept-Encoding"),
        ("Cookie", "Cookie, Accept-Encoding"),
        ("Cookie, accept-encoding", "Cookie, accept-encoding"),
        ("*", "*"),
    ],
)
def test_vary_names_accept_encoding_once(value: str | None, expected: str) -> None:
    assert expected == add_vary(value)


# compress


def coded(response: Response, accepted: str | None = "gzip", method: str = "GET") -> Response:
    compress(response, accepted, method)
    return response


def test_short_text_is_left_alone_without_making_headers() -> None:
    response = coded(Response.of_text("x" * 500))

    assert b"x" * 500 == response.content
    assert response.plain_type is not None


def test_long_text_is_coded() -> None:
    response = coded(Response.of_text(TEXT.decode()))

    assert response.content is not None
    assert TEXT == gzip.decompress(response.content)
    assert "gzip" == response.headers["Content-Encoding"]
    assert "Accept-Encoding" == response.headers["Vary"]
    assert str(len(response.content)) == response.headers["Content-Length"]
    assert "text/plain; charset=utf-8" == response.headers["Content-Type"]


@pytest.mark.parametrize("accepted", [None, "", "compress", "gzip;q=0"])
def test_response_that_could_have_been_coded_says_so(accepted: str | None) -> None:
    response = coded(Response(TEXT, headers={"Vary": "Cookie"}), accepted)

    assert TEXT == response.content
    assert "Cookie, Accept-Encoding" == response.headers["Vary"]
    assert "Content-Encoding" not in response.headers


def test_several_vary_lines_become_one() -> None:
    response = coded(Response(TEXT, headers=Headers([("Vary", "Cookie"), ("Vary", "Origin")])))

    assert ["Cookie, Origin, Accept-Encoding"] == response.headers.getlist("Vary")


def test_content_that_coding_makes_larger_stays() -> None:
    noise = os.urandom(600)
    response = coded(Response(noise))

    assert noise == response.content
    assert "Content-Encoding" not in response.headers


def test_coded_response_has_a_weak_tag_and_no_ranges() -> None:
    response = coded(Response(TEXT, headers={"ETag": '"a"', "Accept-Ranges": "bytes"}))

    assert 'W/"a"' == response.headers["ETag"]
    assert "Accept-Ranges" not in response.headers


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (200, {"Content-Encoding": "br"}),
        (200, {"Cache-Control": "no-transform"}),
        (200, {"Content-Type": "image/png"}),
        (200, {"Content-Digest": "sha-256=:x:"}),
        (206, {"Content-Range": "bytes 0-9/100"}),
        (204, {}),
    ],
)
def test_response_that_must_not_be_coded_is_left_alone(status: int, fields: dict[str, str]) -> None:
    response = coded(Response(TEXT, status, headers=fields))

    assert TEXT == response.content
    assert "Vary" not in response.headers
    assert fields.get("Content-Encoding") == response.headers.get("Content-Encoding")


@pytest.mark.parametrize(
    ("fields", "vary"),
    [
        ({"Content-Range": "bytes 0-9/501"}, "Accept-Encoding"),
        ({"Content-Range": "bytes 0-9/501", "Vary": "Cookie"}, "Cookie, Accept-Encoding"),
        ({"Content-Type": "multipart/byteranges; boundary=a"}, "Accept-Encoding"),
        ({"Content-Range": "bytes 0-9/500"}, None),
        ({"Content-Range": "bytes 0-9/501", "Content-Type": "image/png"}, None),
        ({"Content-Range": "bytes 0-9/501", "Cache-Control": "no-transform"}, None),
        ({"Content-Range": "bytes 0-9/501", "Content-Encoding": "br"}, None),
        ({"Content-Range": "bytes 0-9/501", "Repr-Digest": "sha-256=:x:"}, None),
    ],
)
def test_part_varies_as_the_whole_does(fields: dict[str, str], vary: str | None) -> None:
    response = coded(Response(TEXT[:10], 206, headers=fields))

    assert vary == response.headers.get("Vary")
    assert TEXT[:10] == response.content
    assert fields.get("Content-Encoding") == response.headers.get("Content-Encoding")


def test_response_without_a_type_is_left_alone() -> None:
    response = Response(TEXT)
    response.headers.remove("Content-Type")

    assert TEXT == coded(response).content


def test_answer_to_connect_is_left_alone() -> None:
    assert TEXT == coded(Response(TEXT), method="CONNECT").content


def test_class_that_overrides_how_it_is_sent_is_left_alone() -> None:
    class Own(Response):
        def iter_encoded(self) -> Iterator[bytes]:
            yield b"other"

    assert TEXT == coded(Own(TEXT)).content


def test_list_of_pieces_is_coded_whole() -> None:
    response = coded(Response([TEXT, TEXT.decode()]))

    assert response.content is not None
    assert TEXT * 2 == gzip.decompress(response.content)


def test_short_list_of_pieces_is_not_coded() -> None:
    response = coded(Response([b"a", b"b"]))

    assert b"ab" == response.content
    assert "Vary" not in response.headers


def test_stream_is_coded_piece_by_piece_and_closed() -> None:
    closed: list[bool] = []

    def pieces() -> Iterator[bytes | str]:
        try:
            yield b"first"
            yield ""
            yield "zweites ä"
        finally:
            closed.append(True)

    response = coded(Response(pieces(), headers={"Content-Length": "1000"}))
    decode = zlib.decompressobj(31).decompress
    sent = response.iter_encoded()

    assert b"first" == decode(next(sent))
    assert "zweites ä".encode() == decode(next(sent))
    assert b"" == decode(b"".join(sent))
    assert "Content-Length" not in response.headers
    response.close()
    assert [True] == closed


def test_stream_given_up_is_closed() -> None:
    class Pieces:
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"x"])

        def close(self) -> None:
            self.closed = True

    pieces = Pieces()
    response = coded(Response(pieces))  # type: ignore[arg-type]
    response.close()
    assert pieces.closed
    coded(Response(iter([b"x"]))).close()


def test_short_stream_of_known_length_is_not_coded() -> None:
    response = coded(Response(iter([b"x"]), headers={"Content-Length": "1"}))

    assert "Vary" not in response.headers


def test_asynchronous_stream_is_coded_piece_by_piece_and_closed() -> None:
    closed: list[bool] = []

    async def pieces() -> AsyncIterator[bytes | str]:
        try:
            yield b"first"
            yield ""
            yield "second"
        finally:
            closed.append(True)

    async def run() -> bytes:
        response = coded(Response(pieces()))
        source: Any = response.source
        sent = [piece async for piece in source]
        await source.aclose()
        half: Any = coded(Response(pieces())).source
        await anext(half)
        await half.aclose()
        return b"".join(sent)

    assert b"firstsecond" == gzip.decompress(asyncio.run(run()))
    assert [True, True] == closed


def test_asynchronous_iterator_without_aclose_is_left_to_itself() -> None:
    class Pieces:
        def __aiter__(self) -> "Pieces":
            return self

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

    async def run() -> None:
        source: Any = coded(Response(Pieces())).source  # type: ignore[arg-type]
        assert b"" == gzip.decompress(b"".join([piece async for piece in source]))
        await source.aclose()

    asyncio.run(run())


def test_304_has_the_tag_and_vary_of_what_it_stands_for() -> None:
    fields = {"ETag": '"a"', "Content-Type": "text/html"}

    response = coded(Response(b"", 304, headers=fields))
    assert 'W/"a"' == response.headers["ETag"]
    assert "Accept-Encoding" == response.headers["Vary"]
    assert "Content-Encoding" not in response.headers
    response = coded(Response(b"", 304, headers=fields), None)
    assert '"a"' == response.headers["ETag"]
    assert "Accept-Encoding" == response.headers["Vary"]
    response = coded(Response(b"", 304, headers={"ETag": '"a"', "Content-Type": "image/png"}))
    assert '"a"' == response.headers["ETag"]
    assert "Vary" not in response.headers
