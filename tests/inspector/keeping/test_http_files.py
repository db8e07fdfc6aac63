"""Files with requests are sent as they stand, or completed where that is asked for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.inspector.keeping.http_files import completed, read_http_file
from groundwire.protocol.http1.explain import explain_request

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n### x\nabc"


def requests(data: bytes, *, complete: bool = False) -> list[bytes]:
    return read_http_file(data, complete=complete, authority="b:1").requests


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (GET, [GET]),
        (GET + POST + GET, [GET, POST, GET]),
        (b"### first\n" + GET + b"### second\n" + POST + b"\n###\n", [GET, POST]),
        (b"###\r\n" + POST + b"\r\n### \r\n" + GET, [POST, GET]),
        (GET + b"\r\n\r\n###\r\n\r\n" + GET, [GET, GET]),
        (b"GET  /\r\n\r\n", [b"GET  /\r\n\r\n"]),
        (b"GET /half", [b"GET /half"]),
        (b"### a\nBAD\r\n### b\n" + GET, [b"BAD\r\n", GET]),
        (b"\n\n", []),
        (b"###\n###\n", []),
        (b"", []),
    ],
)
def test_requests_are_taken_out_as_they_stand(data: bytes, found: list[bytes]) -> None:
    assert found == requests(data)
    assert [] == read_http_file(data).notes


def test_content_that_looks_like_a_separator_is_content_while_its_length_says_so() -> None:
    assert [POST] == requests(POST)
    assert [POST, GET] == requests(POST + b"\n###\n" + GET)


def test_a_request_that_never_ends_does_not_take_the_next_ones() -> None:
    endless = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\nabc\r\n"

    assert [endless, GET] == requests(endless + b"###\n" + GET)


def test_lines_that_end_in_lf_alone_are_told() -> None:
    found = read_http_file(b"GET / HTTP/1.1\nHost: a\n\n")

    assert [b"GET / HTTP/1.1\nHost: a\n\n"] == found.requests
    assert "--crlf makes a request of them" in found.notes[0]


def test_variables_are_told() -> None:
    assert ["Variables in {{braces}} are not filled in."] == read_http_file(
        b"GET /{{name}} HTTP/1.1\r\n\r\n"
    ).notes


@pytest.mark.parametrize(
    ("saved", "request_"),
    [
        (b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"/a", b"GET /a HTTP/1.1\r\nHost: b:1\r\n\r\n"),
        (
            b"\n# a comment\n// another\n@name = x\nGET http://c/d?e=f\nAccept: */*\n",
            b"GET /d?e=f HTTP/1.1\r\nHost: c\r\nAccept: */*\r\n\r\n",
        ),
        (b"GET http://c", b"GET / HTTP/1.1\r\nHost: c\r\n\r\n"),
        (
            b"GET /a\n    ?b=c\n    &d=e\nAccept: x\n",
            b"GET /a?b=c&d=e HTTP/1.1\r\nHost: b:1\r\nAccept: x\r\n\r\n",
        ),
        (
            b'POST /a HTTP/1.1\r\nHost: a\nContent-Length: 99\n\n{\n "a": 1\n}\n\n',
            b'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n{\n "a": 1\n}',
        ),
        (b"POST /a\n", b"POST /a HTTP/1.1\r\nHost: b:1\r\nContent-Length: 0\r\n\r\n"),
        (
            b"POST /a\nTransfer-Encoding: chunked\n\n0\r\n\r\n",
            b"POST /a HTTP/1.1\r\nHost: b:1\r\nTransfer-Encoding: chunked\r\n\r\n0",
        ),
        (b"GET http://[", b"GET http://[ HTTP/1.1\r\nHost: b:1\r\n\r\n"),
        (b"not a request line at all\nA: b\n", b"not a request line at all\r\nA: b\r\n\r\n"),
    ],
)
def test_what_an_editor_saves_is_completed(saved: bytes, request_: bytes) -> None:
    assert request_ == completed(saved, "b:1")


def test_a_multipart_content_has_the_line_ends_it_needs() -> None:
    saved = (
        b"POST /a\nContent-Type: multipart/form-data; boundary=x\n\n"
        b'--x\nContent-Disposition: form-data; name="a"\n\nb\n--x--\n'
    )

    explained = explain_request(completed(saved, "a"))

    assert explained.complete
    assert explained.content.endswith(b"\r\n\r\nb\r\n--x--\r\n")


def test_a_file_of_an_editor_has_several_requests() -> None:
    saved = b"### one\nGET /a\n\n### two\n# why\nPOST /b\n\nhello\n###\n"

    assert [
        b"GET /a HTTP/1.1\r\nHost: b:1\r\n\r\n",
        b"POST /b HTTP/1.1\r\nHost: b:1\r\nContent-Length: 5\r\n\r\nhello",
    ] == requests(saved, complete=True)


@given(
    st.lists(
        st.sampled_from(
            [
                *(b"###", b"### x", b"GET ", b"POST /a", b" HTTP/1.1", b"Host: a", b"http://["),
                *(b"Content-Length: 3", b"Transfer-Encoding: chunked", b"multipart/", b"\xff\x00"),
                *(b"\r\n", b"\n", b"\r", b" ", b"# c", b"abc", b"0", b"?a=b", b"{{x}}"),
            ]
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_any_file_is_read(pieces: list[bytes], complete: bool) -> None:
    """Nothing is lost but separators and empty lines, and what is not to be completed stays as it is."""
    data = b"".join(pieces)

    found = requests(data, complete=complete)

    if not complete:
        between = rb"(?m)^###[^\n]*(?:\n|\Z)|[\r\n]"
        assert re.sub(between, b"", data) == re.sub(between, b"", b"\n".join(found))
        assert all(request in data for request in found)
