"""Responses are read as strictly as requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.protocol.errors import ProtocolError
from groundwire.protocol.http1 import ResponseWriter
from groundwire.protocol.http1.responses import ReceivedResponse, read_responses


def test_response_with_a_length() -> None:
    data = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"

    assert [
        ReceivedResponse(
            "HTTP/1.1", 404, "Not Found", [("Content-Length", "5"), ("X-A", "b")], b"hello", []
        )
    ] == read_responses(data)


def test_response_up_to_the_end_of_the_connection() -> None:
    (response,) = read_responses(b"HTTP/1.0 200 \r\n\r\nhello")

    assert ("HTTP/1.0", "", b"hello") == (response.version, response.reason, response.content)


def test_response_in_chunks_with_trailers() -> None:
    writer = ResponseWriter()
    data = writer.head(200, [], chunked=True) + writer.chunk(b"hel") + writer.chunk(b"lo")
    (plain,) = read_responses(data + writer.last_chunk())
    (trailed,) = read_responses(data + writer.last_chunk([("X-T", "v")]))

    assert (b"hello", []) == (plain.content, plain.trailers)
    assert (b"hello", [("X-T", "v")]) == (trailed.content, trailed.trailers)


def test_interim_responses_come_first() -> None:
    writer = ResponseWriter()
    data = writer.head(100, [], interim=True) + writer.whole(200, None, b"x")

    assert [100, 200] == [response.status for response in read_responses(data)]


@pytest.mark.parametrize("status", [204, 304])
def test_some_responses_have_no_content(status: int) -> None:
    data = b"HTTP/1.1 %d x\r\nContent-Length: 5\r\n\r\n" % status
    (response,) = read_responses(data)

    assert b"" == response.content


def test_answer_to_head_has_no_content() -> None:
    (response,) = read_responses(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD")

    assert b"" == response.content


def test_what_follows_101_is_not_http() -> None:
    (response,) = read_responses(b"HTTP/1.1 101 x\r\nUpgrade: foo\r\n\r\n\x81\x05hello")

    assert 101 == response.status


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nX-A: b",
        b"HTTP/1.1 200 OK\nX-A: b\n\n",
        b"HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: v\r\n",
    ],
)
def test_broken_response_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_responses(data)


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_a_protocol_error(data: bytes) -> None:
    for start in (b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            read_responses(start + data)
        except ProtocolError:
            pass
