"""A response is whole at the same byte however it was cut, and the reader agrees with the one of whole data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.protocol.errors import ProtocolError
from groundwire.protocol.http1.explain import explain_response
from groundwire.protocol.http1.response_reader import HEAD_BYTES, ResponseReader
from groundwire.protocol.http1.responses import read_responses

WHOLE = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", b"hello"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", b""),
    (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", b""),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", b""),
    (b"HTTP/1.1 200 OK\r\n\r\n", "CONNECT", b""),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: v\r\n\r\n",
        "GET",
        b"hello",
    ),
    (
        b"HTTP/1.1 103 x\r\nLink: </a>\r\n\r\nHTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        "POST",
        b"x",
    ),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\n\r\n", "GET", b""),
]


@pytest.mark.parametrize(("data", "method", "content"), WHOLE)
def test_a_response_is_complete_at_its_last_byte_and_not_before(
    data: bytes, method: str, content: bytes
) -> None:
    reader = ResponseReader(method)
    for at in range(len(data)):
        assert not reader.complete
        reader.receive(data[at : at + 1])

    assert (True, len(data), content) == (reader.complete, reader.end, reader.content)
    *interim, final = read_responses(data, method)
    assert interim == reader.interim
    assert reader.head is not None
    assert (final.status, final.fields, final.trailers) == (
        reader.head.status,
        reader.head.fields,
        reader.trailers,
    )


@given(st.sampled_from(WHOLE), st.data())
def test_how_it_was_cut_changes_nothing(
    case: tuple[bytes, str, bytes], data: st.DataObject
) -> None:
    whole, method, content = case
    cut = data.draw(st.integers(0, len(whole)))
    reader = ResponseReader(method, whole[:cut])
    reader.receive(whole[cut:] + b"HTTP/1.1 200 OK\r\n")

    assert (True, len(whole), content) == (reader.complete, reader.end, reader.content)


def test_a_response_without_a_length_ends_with_the_connection() -> None:
    reader = ResponseReader("GET", b"HTTP/1.0 200 OK\r\n\r\nhel")
    reader.receive(b"lo")
    assert not reader.complete

    reader.receive_eof()

    assert (True, b"hello", 24) == (reader.complete, reader.content, reader.end)


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (b"", "nothing of it came"),
        (b"HTTP/1.1 200 O", "its head is not whole"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello",
            "of 5,000 octets of content 5 have come",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhe",
            "the last chunk is missing",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "its end is where the connection ends"),
        (b"HTTP/1.1 204 x\r\n\r\n", ""),
    ],
)
def test_what_is_missing_is_told(data: bytes, missing: str) -> None:
    assert missing == ResponseReader("GET", data).missing


def test_half_of_the_content_is_there() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwor"

    assert b"hellowor" == ResponseReader("GET", chunked).content
    assert b"he" == ResponseReader("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe").content


def test_chunk_extensions_are_no_content() -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n"

    assert b"hello" == ResponseReader("GET", data).content


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0",
        b"HTTP/2.0 200",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 200 " + b"a" * HEAD_BYTES,
    ],
)
def test_what_is_no_response_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        ResponseReader("GET", data)


@given(st.sampled_from(WHOLE), st.data())
def test_the_explanation_of_the_same_octets_agrees(
    case: tuple[bytes, str, bytes], data: st.DataObject
) -> None:
    """Damaged at any octet and cut anywhere: what one refuses the other does, and at the same place they are whole."""
    octets, method, _ = case
    damaged = bytearray(octets)
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.sampled_from(b"\r\n :;,0159aHT/\x00\xff"))
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    explained = explain_response(cut, method)

    reader = ResponseReader(method)
    try:
        reader.receive(cut)
        reader.receive_eof()
    except ProtocolError:
        assert explained.error is not None
        return
    assert None is explained.error or not reader.complete
    if reader.complete:
        assert (explained.complete, explained.end) == (True, reader.end)
        assert explained.content == reader.content
    elif explained.error is None:
        assert not explained.complete
