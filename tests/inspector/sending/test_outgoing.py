"""Requests are built and filled in so that what is sent is what was meant."""

import json

import pytest

from groundwire.inspector.masking.masker import Masker
from groundwire.inspector.sending.outgoing import (
    MaskedPart,
    ReplayError,
    build_request,
    filled_in,
    masked_parts,
    methods_in,
)

LOGIN = (
    b"POST /login?token=****&n=1 HTTP/1.1\r\nHost: a\r\nAuthorization: ******\r\n"
    b"Cookie: a=b; session=***; c=d\r\nReferer: http://a/?key=**\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 22\r\n\r\n"
    b"name=ada&password=****"
)


def spans(raw: bytes) -> list[tuple[int, int]]:
    found, at = [], 0
    while (at := raw.find(b"**", at)) >= 0:
        end = at + len(raw[at:]) - len(raw[at:].lstrip(b"*"))
        found.append((at, end))
        at = end
    return found


def test_a_request_is_built_with_the_length_of_its_content() -> None:
    assert (
        b"POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello"
    ) == build_request(
        "POST",
        "/a",
        [("Host", "b"), ("Transfer-Encoding", "chunked"), ("X-A", "1"), ("Content-Length", "9")],
        b"hello",
    )


def test_a_get_says_no_length_and_an_empty_post_says_0() -> None:
    assert b"GET / HTTP/1.1\r\nHost: b\r\n\r\n" == build_request(
        "GET", "/", [("Host", "b"), ("Content-Length", "9")]
    )
    assert build_request("POST", "/", []).endswith(b"Content-Length: 0\r\n\r\n")


def test_values_are_latin_1_where_that_will_do() -> None:
    built = build_request("GET", "/ü", [("X-A", "ü"), ("X-B", "€")])

    assert "GET /ü HTTP/1.1\r\n".encode() in built
    assert b"X-A: \xfc\r\n" in built
    assert b"X-B: \xe2\x82\xac\r\n" in built


@pytest.mark.parametrize(
    ("method", "target", "name", "value", "said"),
    [
        ("GET /", "/", "A", "b", "method"),
        ("GET", "/a b", "A", "b", "target"),
        ("GET", "", "A", "b", "target"),
        ("GET", "/", "A b", "b", "field name"),
        ("GET", "/", "A", "b\r\nX: y", "control character"),
    ],
)
def test_what_would_leave_its_place_is_refused(
    method: str, target: str, name: str, value: str, said: str
) -> None:
    with pytest.raises(ReplayError, match=said):
        build_request(method, target, [(name, value)])


@pytest.mark.parametrize(
    ("raw", "methods", "wrong"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", ["GET"], ""),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n", ["HEAD", "GET"], ""),
        (b"", ["GET"], "incomplete"),
        (b"GET / HT", ["GET"], "incomplete"),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", ["PUT"], "incomplete"),
        (b"GET  / HTTP/1.1\r\n", ["GET"], "RFC 9112"),
        (b"HEAD / HTTP/1.1\r\n\r\n", ["GET"], "Host"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nBAD REQUEST\r\n", ["GET", "GET"], "RFC 9112"),
        (b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", ["GET"], ""),
        (
            b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz",
            ["PUT"],
            "RFC 9112",
        ),
    ],
)
def test_as_many_answers_are_expected_as_a_server_gives(
    raw: bytes, methods: list[str], wrong: str
) -> None:
    found, fault = methods_in(raw)

    assert methods == found
    assert wrong in fault
    assert bool(wrong) == bool(fault)


def test_masked_values_are_named() -> None:
    names = [part.name for part in masked_parts(LOGIN, spans(LOGIN))]

    assert [
        "query token",
        "Authorization",
        "Cookie session",
        "Referer key",
        "form password",
    ] == names


@pytest.mark.parametrize(
    ("kind", "content", "name"),
    [
        (b"application/json", b'{"a": {"password": "****"}}', "JSON password"),
        (
            b"multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="pin"\r\n\r\n****\r\n--x--',
            "part pin",
        ),
        (b"text/plain", b"****", "content"),
    ],
)
def test_masked_values_in_content_are_named(kind: bytes, content: bytes, name: str) -> None:
    raw = b"POST / HTTP/1.1\r\nContent-Type: " + kind + b"\r\n\r\n" + content

    (part,) = masked_parts(raw, [(raw.index(b"****"), raw.index(b"****") + 4)])

    assert name == part.name


def test_what_stands_in_no_field_is_of_the_target() -> None:
    raw = b"GET http://ada:***@a/ HTTP/1.1\r\n"

    (part,) = masked_parts(raw, spans(raw))

    assert "target" == part.name


def test_values_are_filled_in_and_the_length_follows() -> None:
    parts = masked_parts(LOGIN, spans(LOGIN))

    raw = filled_in(LOGIN, parts, {"Authorization": "Bearer x", "form password": "S3CR3T"})

    assert b"Authorization: Bearer x\r\n" in raw
    assert b"Content-Length: 24\r\n" in raw
    assert raw.endswith(b"name=ada&password=S3CR3T")
    assert b"session=***;" in raw


def test_a_value_stays_one_wherever_it_is_filled_in() -> None:
    json_type = b"Content-Type: application/json\r\n"
    content = b'{"token": "abcd", "pin": 1234}'
    raw = b"POST /?key=abcd HTTP/1.1\r\nHost: a\r\n" + json_type
    raw += b"Content-Length: %d\r\n\r\n" % len(content) + content
    masked, masks = Masker().mask_request(raw)
    values = {"query key": "a&b c", "JSON token": 'a"\\ü', "JSON pin": "5678"}

    filled = filled_in(masked, masked_parts(masked, masks), values)

    assert filled.startswith(b"POST /?key=a%26b%20c HTTP/1.1\r\n")
    assert {"token": 'a"\\ü', "pin": 5678} == json.loads(filled.partition(b"\r\n\r\n")[2])
    form = filled_in(LOGIN, masked_parts(LOGIN, spans(LOGIN)), {"form password": "p&s=1+2"})
    assert form.endswith(b"name=ada&password=p%26s%3D1%2B2")


def test_a_value_that_was_not_masked_cannot_be_filled_in() -> None:
    with pytest.raises(ReplayError, match="'X-A'"):
        filled_in(b"GET / HTTP/1.1\r\n\r\n", [], {"X-A": "b"})


def test_a_value_cannot_end_its_line() -> None:
    with pytest.raises(ReplayError, match="control character"):
        filled_in(LOGIN, masked_parts(LOGIN, spans(LOGIN)), {"Authorization": "a\r\nX: y"})


def test_in_chunks_only_the_same_length_fits() -> None:
    raw = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n****\r\n0\r\n\r\n"
    part = MaskedPart("content", raw.index(b"****"), raw.index(b"****") + 4)

    assert b"4\r\nabcd\r\n" in filled_in(raw, [part], {"content": "abcd"})
    with pytest.raises(ReplayError, match="in chunks"):
        filled_in(raw, [part], {"content": "abc"})
