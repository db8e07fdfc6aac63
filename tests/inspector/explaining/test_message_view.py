import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.runner import load_cases, raw_bytes
from corpora.streams import mutated
from groundwire.http.codings import AVAILABLE, encode
from groundwire.inspector.explaining import content_view
from groundwire.inspector.explaining.message_view import describe_message

SIZE = 64 * 1024


def request(
    content: bytes = b"", *lines: str, target: str = "/", chunks: int = 0, **kwargs: Any
) -> dict[str, Any]:
    """Describe a request with this content."""
    head = [f"POST {target} HTTP/1.1", "Host: a", *lines]
    if chunks:
        head.append("Transfer-Encoding: chunked")
        pieces = [content[at : at + chunks] for at in range(0, len(content), chunks)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        content = framed + b"0\r\n\r\n"
    elif content:
        head.append(f"Content-Length: {len(content)}")
    raw = "\r\n".join((*head, "", "")).encode() + content
    return describe_message(raw, size=len(raw), direction="request", **kwargs)


def response(raw: bytes, **kwargs: Any) -> dict[str, Any]:
    return describe_message(raw, size=len(raw), direction="response", **kwargs)


def raw_of(message: dict[str, Any]) -> bytes:
    return base64.b64decode(message["raw"])


def test_fields_have_their_place_their_meaning_and_whether_they_are_secret() -> None:
    message = request(b"", "Authorization: Basic xyz", "X-Own:  a ")
    raw = raw_of(message)
    host, authorization, own = message["fields"]

    assert ("Host", "a", False) == (host["name"], host["value"], host["secret"])
    assert b"Host: a" == raw[host["start"] : host["end"]]
    assert "Which site is meant; one machine may serve many." == host["note"]
    assert "https://www.rfc-editor.org/rfc/rfc9110#section-7.2" == host["url"]
    assert authorization["secret"]
    assert ("a", "", False) == (own["value"], own["url"], own["secret"])


def test_query_and_cookies_are_taken_apart() -> None:
    message = request(b"", "Cookie: a=1; b=J\u00fcrgen", "Cookie: c", target="/p?q=a+b&q=%C3%BC&&r")

    assert [["q", "a b"], ["q", "ü"], ["r", ""]] == message["query"]
    assert [["a", "1"], ["b", "Jürgen"], ["c", ""]] == message["cookies"]
    assert "a=1; b=Jürgen" == message["fields"][1]["value"]


def test_the_cookies_that_a_response_sets_are_without_their_attributes() -> None:
    message = response(
        b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=1; Path=/; HttpOnly\r\nSet-Cookie: b=2\r\n\r\n"
    )

    assert [["a", "1"], ["b", "2"]] == message["cookies"]
    assert all(field["secret"] for field in message["fields"])
    assert "none" == message["content"]["kind"]


def test_a_form_is_taken_apart() -> None:
    content = request(
        b"text=a+b&n=%FF&n=", "Content-Type: application/x-www-form-urlencoded; charset=utf-8"
    )["content"]

    assert "form" == content["kind"]
    assert [["text", "a b"], ["n", "%FF"], ["n", ""]] == content["form"]
    assert "text=a+b&n=%FF&n=" == content["text"]


def test_of_a_form_without_end_the_beginning_is_shown() -> None:
    content = request(b"a=1&" * 3000, "Content-Type: application/x-www-form-urlencoded")["content"]

    assert [["a", "1"]] * content_view.MAX_PAIRS == content["form"]


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json; charset=utf-8"])
def test_json_is_read(kind: str) -> None:
    content = request('{"a": [1, "ü", null]}'.encode(), f"Content-Type: {kind}")["content"]

    assert ("json", {"a": [1, "ü", None]}) == (content["kind"], content["json"])
    assert '{"a": [1, "ü", null]}' == content["text"]


@pytest.mark.parametrize("text", [b'{"a": ', b"[" * 5000, b"*****", b"1" * 5000, b'"\xff"'])
def test_json_that_cannot_be_read_is_text(text: bytes) -> None:
    content = request(text, "Content-Type: application/json")["content"]

    assert ("json", None) == (content["kind"], content["json"])
    assert text.decode("utf-8", "replace") == content["text"]


def test_json_that_no_browser_reads_is_shown_all_the_same() -> None:
    content = request(b"[NaN, -Infinity]", "Content-Type: application/json")["content"]

    assert ["NaN", "-Infinity"] == content["json"]


PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nHello\r\n'
    b'--b\r\nContent-Disposition: form-data; name="empty"\r\n\r\n\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="\xc3\xbc.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x00\r\n--b--\r\n"
)


@pytest.mark.parametrize("chunks", [0, 1, 7, 100, 1000])
def test_parts_have_their_places(chunks: int) -> None:
    message = request(PARTS, "Content-Type: multipart/form-data; boundary=b", chunks=chunks)
    content, raw = message["content"], raw_of(message)
    title, empty, file = content["parts"]

    assert ("multipart", len(PARTS)) == (content["kind"], content["size"])
    assert ("title", None, "Hello", 5) == tuple(
        title[key] for key in ("name", "filename", "text", "size")
    )
    assert ("empty", 0) == (empty["name"], empty["size"])
    assert ("f", "ü.png", "image/png", 7, "") == tuple(
        file[key] for key in ("name", "filename", "type", "size", "text")
    )
    if not chunks or chunks == 1000:
        assert b"Hello" == raw[title["start"] : title["end"]]
        assert b"\x89PNG\r\n\x00" == raw[file["start"] : file["end"]]
        assert empty["start"] == empty["end"]
    assert raw[title["start"]] == ord("H")
    assert raw[title["end"] - 1] == ord("o")


@pytest.mark.parametrize("length", [0, 10, 60, 100, 150, len(PARTS) - 8])
def test_of_parts_that_are_cut_those_that_came_are_shown(length: int) -> None:
    content = request(PARTS[:length], "Content-Type: multipart/form-data; boundary=b")["content"]

    assert [part["name"] for part in content["parts"]] == ["title", "empty", "f"][
        : PARTS[:length].count(b'"\r\n\r\n') + PARTS[:length].count(b"png\r\n\r\n")
    ]


@pytest.mark.parametrize("kind", ["", "; boundary=", "; boundary=\x80"])
def test_parts_without_a_boundary_are_none(kind: str) -> None:
    assert [] == request(PARTS, f"Content-Type: multipart/form-data{kind}")["content"]["parts"]


@pytest.mark.parametrize("coding", AVAILABLE)
def test_coded_content_is_decoded_for_show_and_bounded(coding: str) -> None:
    whole = encode(coding, b'{"a": 1}')
    kind = "Content-Type: application/json"
    content = request(whole, f"Content-Encoding: {coding}", kind)["content"]
    bomb = request(encode(coding, b"0" * 4_000_000), f"Content-Encoding: {coding}")["content"]

    assert (coding, True, {"a": 1}) == (content["coding"], content["decoded"], content["json"])
    assert len(whole) == content["size"]
    assert ("text", "0" * SIZE, True) == (bomb["kind"], bomb["text"], bomb["text_cut"])


@pytest.mark.parametrize("coding", AVAILABLE)
def test_coded_content_that_is_cut_is_decoded_as_far_as_it_goes(coding: str) -> None:
    text = "".join(str(number) for number in range(60_000))
    coded = encode(coding, text.encode())
    shown = request(coded[:-1000], f"Content-Encoding: {coding}")["content"]["text"]

    assert 1000 < len(shown)
    assert text.startswith(shown)


@pytest.mark.parametrize("coding", AVAILABLE)
def test_content_that_is_not_in_its_coding_is_said_so(coding: str) -> None:
    content = request(b"\xff" * 3000, f"Content-Encoding: {coding}")["content"]

    assert ("binary", False) == (content["kind"], content["decoded"])


def test_a_coding_that_is_not_known_is_said_so() -> None:
    content = request(b"hello", "Content-Encoding: rot13", "Content-Type: text/plain")["content"]

    assert ("binary", False, "rot13", "") == tuple(
        content[key] for key in ("kind", "decoded", "coding", "text")
    )


def test_codings_are_undone_in_turn() -> None:
    content = request(
        encode("gzip", encode("deflate", b"hello")), "Content-Encoding: deflate, X-Gzip, identity"
    )["content"]

    assert "hello" == content["text"]


@pytest.mark.parametrize(
    ("kind", "octets", "text"),
    [
        ("", b"hello\n", "hello\n"),
        ("application/x-own", "ü".encode() * 10, "ü" * 10),
        ("", b"\x00\x01", None),
        ("", b"\xff\xfe\xfd\xfc", None),
        ("image/png", b"hello", None),
        ("image/svg+xml", b"<svg/>", "<svg/>"),
        ("text/plain; charset=iso-8859-1", b"\xfc", "ü"),
        ("text/plain; charset=zip", b"\xff", "\ufffd"),
    ],
)
def test_text_is_told_from_bytes(kind: str, octets: bytes, text: str | None) -> None:
    content = request(octets, f"Content-Type: {kind}")["content"]

    assert ("binary" if text is None else "text") == content["kind"]
    assert (text or "") == content["text"]


def test_what_was_not_kept_is_counted() -> None:
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n" + b"x" * 100
    message = describe_message(raw, size=90_051, masked=[(1, 2)], direction="request")

    assert (90_051, len(raw), True, False) == tuple(
        message[key] for key in ("size", "kept", "cut", "complete")
    )
    assert 90_000 == message["content"]["size"]
    assert [[1, 2]] == message["masked"]


def test_interim_responses_have_no_part_in_the_fields() -> None:
    message = response(
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nETag: a\r\n\r\nhi"
    )

    assert ["ETag"] == [field["name"] for field in message["fields"]]
    assert "interim" == message["elements"][0]["kind"]
    assert "hi" == message["content"]["text"]


def test_an_answer_to_head_has_a_length_and_no_content() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

    assert ("none", 0) == tuple(
        response(raw, method="HEAD")["content"][k] for k in ("kind", "size")
    )


def test_trailers_are_among_the_fields() -> None:
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"
    fields = describe_message(raw, size=len(raw), direction="request")["fields"]

    assert [("Host", False), ("Transfer-Encoding", False), ("X-Sum", True)] == [
        (field["name"], field["trailer"]) for field in fields
    ]


def test_every_case_has_a_document() -> None:
    for case in load_cases(have=("static", "ws", "routes")):
        assert_is_document(raw_bytes(case)[:20_000])


@settings(max_examples=150, deadline=None)
@given(mutated(), st.integers(0, 100))
def test_whatever_comes_has_a_document(data: bytes, missing: int) -> None:
    assert_is_document(data, missing)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100), st.sampled_from(["json", "x-www-form-urlencoded", "x"]))
def test_whatever_content_comes_has_a_document(content: bytes, kind: str) -> None:
    for coding in ("identity", *AVAILABLE):
        message = request(
            content, f"Content-Type: application/{kind}", f"Content-Encoding: {coding}"
        )
        assert len(content) == message["content"]["size"]
        json.dumps(message, allow_nan=False)


def assert_is_document(data: bytes, missing: int = 0) -> None:
    for direction in ("request", "response"):
        message = describe_message(data, size=len(data) + missing, direction=direction)
        json.dumps(message, allow_nan=False).encode()
        assert data == raw_of(message)
        for field in message["fields"]:
            assert data[field["start"] : field["end"]].startswith(field["name"].encode("latin-1"))
