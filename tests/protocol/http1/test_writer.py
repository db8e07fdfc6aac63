"""Responses are one message each, and nothing that is put into them can change that."""

import http.client
import io
from typing import Any

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.protocol.http1 import REASONS, ResponseWriter
from groundwire.protocol.http1.writer import KNOWN_NAMES, PREPARED_HEADS, allows_content

DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"

HOSTILE = [
    "a\r\nX-Inj: 1",
    "a\nX-Inj: 1",
    "a\rX-Inj: 1",
    "a\r\n\r\n<html>",
    "\0",
    "a\x0bb",
    "a\x0cb",
    "a\x1fb",
    "a\x7fb",
    "a\u010ab",  # its low byte is a line feed
    "a\u2028b",
    "a\u560a",
]


@pytest.fixture
def writer() -> ResponseWriter:
    writer = ResponseWriter()
    writer.set_date(DATE)
    return writer


class FakeSocket(io.BytesIO):
    def makefile(self, *_args: Any, **_options: Any) -> io.BytesIO:
        return self

    def close(self) -> None:
        """A response closes what it was read from; the connection stays open for the next."""


def read_back(data: bytes, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    response = http.client.HTTPResponse(FakeSocket(data), method=method)  # type: ignore[arg-type]
    response.begin()
    return response, response.read()


# Whole responses


def test_whole_response_has_the_usual_fields(writer: ResponseWriter) -> None:
    expected = (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: text/plain\r\n"
        b"Server: groundwire\r\n"
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"Content-Length: 5\r\n"
        b"\r\n"
        b"hello"
    )

    assert expected == writer.whole(200, "text/plain", b"hello")
    assert expected == writer.whole(200, "text/plain", b"hello")


def test_whole_response_without_a_type_has_no_content_type(writer: ResponseWriter) -> None:
    assert b"Content-Type" not in writer.whole(200, None, b"hello")
    assert writer.whole(200, None, b"").endswith(b"Content-Length: 0\r\n\r\n")


def test_reset_content_is_empty() -> None:
    written = ResponseWriter().whole(205, "text/plain", b"reset")

    assert b"\r\nContent-Length: 0\r\n" in written
    assert written.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [101, 103, 204, 304])
def test_whole_response_without_content_by_its_status(writer: ResponseWriter, status: int) -> None:
    data = writer.whole(status, "text/plain", b"hello")

    assert data.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in data
    assert not allows_content(status)


def test_new_date_is_used_at_once(writer: ResponseWriter) -> None:
    writer.whole(200, "text/plain", b"")
    writer.set_date(b"Sun, 06 Nov 1994 08:49:38 GMT")

    assert b"08:49:38" in writer.whole(200, "text/plain", b"")
    assert b"08:49:38" in writer.head(200, [])
    assert b"Sun, 06 Nov 1994 08:49:38 GMT" == writer.date


def test_same_date_keeps_prepared_heads(writer: ResponseWriter) -> None:
    before = writer.whole(200, "text/plain", b"")
    writer.set_date(DATE)

    assert before == writer.whole(200, "text/plain", b"")


def test_prepared_heads_do_not_grow_without_end(writer: ResponseWriter) -> None:
    for number in range(3 * PREPARED_HEADS):
        data = writer.whole(200, f"multipart/mixed; boundary={number}", b"x")

        assert f"boundary={number}\r\n".encode() in data
    assert len(writer._prefixes) <= PREPARED_HEADS


def test_known_names_do_not_grow_without_end(writer: ResponseWriter) -> None:
    for number in range(2 * KNOWN_NAMES):
        assert f"X-{number}: v\r\n".encode() in writer.head(200, [(f"X-{number}", "v")])
    assert len(writer._names) <= KNOWN_NAMES


@pytest.mark.parametrize("value", HOSTILE)
def test_content_type_cannot_end_its_line(writer: ResponseWriter, value: str) -> None:
    with pytest.raises(ValueError, match="Content-Type"):
        writer.whole(200, value, b"")


def test_every_registered_status_has_its_reason(writer: ResponseWriter) -> None:
    for status, reason in REASONS.items():
        assert writer.head(status, []).startswith(f"HTTP/1.1 {status} {reason}\r\n".encode())


def test_unknown_status_has_an_empty_reason(writer: ResponseWriter) -> None:
    # RFC 9112 §4: the space stays.
    assert writer.head(299, []).startswith(b"HTTP/1.1 299 \r\n")


# Heads


def test_head_keeps_the_order_of_fields(writer: ResponseWriter) -> None:
    data = writer.head(200, [("X-B", "2"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])

    assert data.startswith(b"HTTP/1.1 200 OK\r\nX-B: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n")


def test_own_server_and_date_are_kept(writer: ResponseWriter) -> None:
    data = writer.head(200, [("server", "mine"), ("DATE", "never")])

    assert b"HTTP/1.1 200 OK\r\nserver: mine\r\nDATE: never\r\n\r\n" == data


def test_framing_fields_come_from_the_arguments_only(writer: ResponseWriter) -> None:
    fields = [
        ("content-length", "9"),
        ("Transfer-Encoding", "gzip"),
        ("Connection", "x"),
        ("A", "b"),
    ]

    data = writer.head(200, fields, content_length=3, connection="close")

    assert data.endswith(b"Content-Length: 3\r\nConnection: close\r\n\r\n")
    assert b"gzip" not in data
    assert 1 == data.lower().count(b"content-length")


def test_chunked_head(writer: ResponseWriter) -> None:
    assert writer.head(200, [], chunked=True).endswith(b"Transfer-Encoding: chunked\r\n\r\n")


@pytest.mark.parametrize("status", [100, 101, 103, 204])
def test_framing_is_left_out_where_it_is_forbidden(writer: ResponseWriter, status: int) -> None:
    assert b"Content-Length" not in writer.head(status, [], content_length=0)
    assert b"Transfer-Encoding" not in writer.head(status, [], chunked=True)


def test_304_may_say_how_long_the_content_would_be(writer: ResponseWriter) -> None:
    assert b"Content-Length: 5\r\n" in writer.head(304, [], content_length=5)


def test_both_framings_are_refused(writer: ResponseWriter) -> None:
    with pytest.raises(ValueError, match="not by both"):
        writer.head(200, [], content_length=1, chunked=True)


def test_interim_response_has_no_server_and_date(writer: ResponseWriter) -> None:
    assert b"HTTP/1.1 100 Continue\r\n\r\n" == writer.head(100, [], interim=True)
    assert b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n" == writer.head(
        103, [("Link", "</s.css>")], interim=True
    )


def test_other_reason(writer: ResponseWriter) -> None:
    assert writer.head(200, [], reason="Très bien").startswith(b"HTTP/1.1 200 Tr\xe8s bien\r\n")


@pytest.mark.parametrize("status", [0, 99, 1000, -200])
def test_status_has_three_digits(writer: ResponseWriter, status: int) -> None:
    with pytest.raises(ValueError, match="three digits"):
        writer.head(status, [])
    with pytest.raises(ValueError, match="three digits"):
        writer.whole(status, None, b"")


@pytest.mark.parametrize("text", HOSTILE)
def test_value_reason_and_connection_cannot_end_their_lines(
    writer: ResponseWriter, text: str
) -> None:
    with pytest.raises(ValueError, match="X-A"):
        writer.head(200, [("X-A", text)])
    with pytest.raises(ValueError, match="reason"):
        writer.head(200, [], reason=text)
    with pytest.raises(ValueError, match="Connection"):
        writer.head(200, [], connection=text)
    with pytest.raises(ValueError, match="Server"):
        ResponseWriter(text)
    with pytest.raises(ValueError, match="X-T"):
        writer.last_chunk([("X-T", text)])


@pytest.mark.parametrize("name", ["", " ", "a b", "a:", "a\r\nb", "a\n", "é", "(", "a\0", "a\t"])
def test_name_must_be_a_token(writer: ResponseWriter, name: str) -> None:
    with pytest.raises(ValueError, match="token"):
        writer.head(200, [(name, "v")])
    with pytest.raises(ValueError, match="token"):
        writer.last_chunk([(name, "v")])


def test_date_cannot_end_its_line(writer: ResponseWriter) -> None:
    with pytest.raises(ValueError, match="Date"):
        writer.set_date(b"now\r\nX-Inj: 1")
    assert DATE == writer.date


# Chunks


def test_chunks(writer: ResponseWriter) -> None:
    assert b"1a\r\nabcdefghijklmnopqrstuvwxyz\r\n" == writer.chunk(b"abcdefghijklmnopqrstuvwxyz")
    assert b"0\r\n\r\n" == writer.last_chunk()
    assert b"0\r\nX-T: v\r\nY-T:  \r\n\r\n" == writer.last_chunk([("X-T", "v"), ("Y-T", " ")])


def test_empty_chunk_is_not_written(writer: ResponseWriter) -> None:
    """It would be the last one."""
    assert b"" == writer.chunk(b"")


def test_framing_cannot_be_a_trailer(writer: ResponseWriter) -> None:
    with pytest.raises(ValueError, match="Content-Length is not allowed"):
        writer.last_chunk([("Content-Length", "5")])


# Read back by others

names = st.from_regex(r"X-[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}", fullmatch=True)
values = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f")
    | st.sampled_from(" \t"),
    max_size=40,
).map(lambda value: value.strip(" \t"))
# email's parser, which http.client uses, takes these for line ends or strips them as white space.
plain_values = values.filter(lambda value: not any("\x80" <= letter <= "\xa0" for letter in value))
statuses = st.sampled_from([200, 201, 203, 206, 400, 404, 418, 500, 503, 599])


@settings(max_examples=200, deadline=None)
@given(statuses, st.lists(st.tuples(names, plain_values), max_size=6), st.binary(max_size=300))
def test_http_client_reads_back_what_was_written(
    status: int, fields: list[tuple[str, str]], content: bytes
) -> None:
    writer = ResponseWriter()
    for head, body in (
        (writer.head(status, fields, content_length=len(content)), content),
        (
            writer.head(status, fields, chunked=True),
            writer.chunk(content[:7]) + writer.chunk(content[7:]) + writer.last_chunk(),
        ),
        (writer.head(status, fields, connection="close"), content),
    ):
        response, read = read_back(head + body)

        assert status == response.status
        assert content == read
        assert fields == [(n, v) for n, v in response.getheaders() if n.startswith("X-")]


@settings(max_examples=200, deadline=None)
@given(
    statuses,
    st.lists(st.tuples(names, values), max_size=6),
    st.lists(st.binary(max_size=100), max_size=5),
    st.lists(st.tuples(names, values), max_size=3),
)
def test_h11_reads_back_what_was_written(
    status: int,
    fields: list[tuple[str, str]],
    pieces: list[bytes],
    trailers: list[tuple[str, str]],
) -> None:
    writer = ResponseWriter()
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(
        writer.head(status, fields, chunked=True)
        + b"".join(map(writer.chunk, pieces))
        + writer.last_chunk(trailers)
    )
    response = client.next_event()
    content = b""
    while isinstance(event := client.next_event(), h11.Data):
        content += event.data

    assert isinstance(response, h11.Response)
    assert isinstance(event, h11.EndOfMessage)
    assert status == response.status_code
    assert b"".join(pieces) == content
    assert as_bytes(fields) == [line for line in response.headers if line[0].startswith(b"x-")]
    assert as_bytes(trailers) == list(event.headers)


def as_bytes(fields: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([200, 204, 304, 404]),
            st.sampled_from([None, "text/x"]),
            st.binary(max_size=50),
        ),
        max_size=6,
    )
)
def test_pipelined_responses_are_read_back_in_order(
    answers: list[tuple[int, str | None, bytes]],
) -> None:
    writer = ResponseWriter()
    stream = FakeSocket(b"".join(writer.whole(*answer) for answer in answers))
    for status, content_type, content in answers:
        response = http.client.HTTPResponse(stream)  # type: ignore[arg-type]
        response.begin()

        assert status == response.status
        assert (content if allows_content(status) else b"") == response.read()
        assert content_type == response.getheader("Content-Type")
    assert b"" == stream.read()


def test_fields_of_the_writer_are_in_every_final_response() -> None:
    writer = ResponseWriter(Strict_Transport_Security="max-age=1")
    writer.set_date(DATE)
    line = b"\r\nStrict-Transport-Security: max-age=1\r\n"

    assert line in writer.whole(200, "text/plain", b"x")
    assert line in writer.head(304, ())
    assert line not in writer.head(103, (), interim=True)


def test_a_field_of_the_writer_gives_way_to_a_responses_own() -> None:
    writer = ResponseWriter(Strict_Transport_Security="max-age=1", X_Other="x")
    head = writer.head(200, [("strict-transport-security", "max-age=2")])

    assert 1 == head.lower().count(b"strict-transport-security")
    assert b"\r\nstrict-transport-security: max-age=2\r\n" in head
    assert b"\r\nX-Other: x\r\n" in head


@pytest.mark.parametrize("value", HOSTILE)
def test_a_field_of_the_writer_is_one_line(value: str) -> None:
    with pytest.raises(ValueError, match="X-Other"):
        ResponseWriter(X_Other=value)
