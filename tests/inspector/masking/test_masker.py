"""Masking recorded messages: no secret survives, all offsets hold, and what is no secret stays."""

import base64
import gzip
import html
import json
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.cases import load_all
from groundwire.inspector.masking import messages as masked_messages
from groundwire.inspector.masking.masker import Masker, Spans, secret_arguments
from groundwire.protocol.http1.explain import explain_request, explain_response

SECRET = "S3CR3T"


def outside(data: bytes, spans: Spans) -> list[bytes]:
    """Return what lies between spans."""
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(data)]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def masked_request(data: bytes, also: frozenset[bytes] = frozenset()) -> bytes:
    """Return a request as it is recorded."""
    masked, spans = Masker().mask_request(data, also)
    assert len(masked) == len(data)
    assert outside(data, spans) == outside(masked, spans)
    return masked


def masked_response(
    data: bytes, also: frozenset[bytes] = frozenset(), method: str = "GET"
) -> bytes:
    """Return a response as it is recorded."""
    masked, spans = Masker().mask_response(data, method, also)
    assert len(masked) == len(data)
    assert outside(data, spans) == outside(masked, spans)
    return masked


def request(*lines: str, content: bytes = b"", target: str = "/") -> bytes:
    """Return the octets of a request."""
    length = [f"Content-Length: {len(content)}"] if content else []
    head = [f"{'POST' if content else 'GET'} {target} HTTP/1.1", "Host: localhost", *lines, *length]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + content


def response(*lines: str, content: bytes = b"") -> bytes:
    """Return the octets of a response."""
    head = ["HTTP/1.1 200 OK", *lines, f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(head).encode("latin-1") + content


def chunked(content: bytes, size: int) -> bytes:
    """Return content in chunks of a size."""
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# Heads


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("Authorization: Bearer S3CR3T", "Authorization: Bearer ******"),
        ("authorization:S3CR3T", "authorization:******"),
        ("Proxy-Authorization: Basic dTpTM0NSM1Q=", "Proxy-Authorization: Basic ************"),
        ("Authorization: Digest response=S3CR3T", "Authorization: Digest ***************"),
        ("Cookie: a=S3CR3T; b=xyz", "Cookie: a=******; b=***"),
        ("Cookie: S3CR3T", "Cookie: ******"),
        ('Cookie: a="S3CR3T"', "Cookie: a=********"),
        ("X-Api-Key: S3CR3T", "X-Api-Key: ******"),
        ("X-Auth-Token: a S3CR3T", "X-Auth-Token: * ******"),
        ("Referer: http://u:S3CR3T@h/", "Referer: http://********@h/"),
        ("Referer: /?a=1&token=S3CR3T&b=2", "Referer: /?a=1&token=******&b=2"),
        ("Referer: /?next=%2F%3Ftoken%3DS3CR3T", "Referer: /?next=********************"),
        ("Link: </?token=S3CR3T>; rel=next", "Link: </?token=******>; rel=next"),
        ("Refresh: 5; url=/?%74oken=S3CR3T", "Refresh: 5; url=/?%74oken=******"),
        ("X-Config: password=S3CR3T", "X-Config: password=******"),
        ("X-Note: Bearer S3CR3T", "X-Note: Bearer ******"),
        ("X-Data: eyJhbGciOi.S3CR3T.x", "X-Data: *******************"),
        ("Sec-WebSocket-Protocol: bearer, S3CR3T", "Sec-WebSocket-Protocol: ******* ******"),
        ("Forwarded: for=1.2.3.4", "Forwarded: for=1.2.3.4"),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZQ==", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="),
        ("Referer: /?author=a&keyword=b", "Referer: /?author=a&keyword=b"),
    ],
)
def test_secret_values_of_fields_are_masked_and_nothing_else(line: str, masked: str) -> None:
    assert masked_request(request(line)) == request(masked)


@pytest.mark.parametrize(
    ("target", "masked"),
    [
        ("/?a=1&token=S3CR3T&b=2", "/?a=1&token=******&b=2"),
        ("/?%74oken=S3CR3T", "/?%74oken=******"),
        ("/?user[password]=S3CR3T", "/?user[password]=******"),
        ("http://u:S3CR3T@localhost/x@y", "http://********@localhost/x@y"),
        ("/?u=http%3A%2F%2Fu%3AS3CR3T%40h", "/?u=***************************"),
        ("/verify/eyJhbGciOi.S3CR3T.x/ok", "/verify/*******************/ok"),
        ("/x@y?a=b@c", "/x@y?a=b@c"),
        ("/key/token?a", "/key/token?a"),
        ("http://localhost:8000/", "http://localhost:8000/"),
    ],
)
def test_targets_are_masked(target: str, masked: str) -> None:
    assert masked_request(request(target=target)) == request(target=masked)


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (
            "Set-Cookie: sid=S3CR3T; Path=/; HttpOnly; Max-Age=5",
            "Set-Cookie: sid=******; Path=/; HttpOnly; Max-Age=5",
        ),
        ("Set-Cookie: a=b; x=S3CR3T", "Set-Cookie: a=*; x=******"),
        ("Set-Cookie: a=b; Path=/, c=S3CR3T", "Set-Cookie: a=*; Path=** ********"),
        ("Location: /done?session=S3CR3T#top", "Location: /done?session=**********"),
        ("WWW-Authenticate: Bearer realm=x", "WWW-Authenticate: Bearer realm=x"),
        ("Access-Control-Allow-Headers: X-Api-Key", "Access-Control-Allow-Headers: X-Api-Key"),
    ],
)
def test_fields_of_answers_are_masked(line: str, masked: str) -> None:
    assert masked_response(response(line)) == response(masked)


def test_interim_responses_are_masked_too() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </?key=S3CR3T>\r\n\r\n"

    masked = masked_response(early + response("X-Token: S3CR3T"))

    assert masked.count(b"******") == 2
    assert SECRET.encode() not in masked


@pytest.mark.parametrize(
    "data",
    [
        "GET / HTTP/1.1\r\nHost : a\r\nAuthorization: Bearer S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization : Bearer S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization Bearer S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization: Bearer S3C\0R3T-S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nAuth\0orization: Bearer x S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nX-Api\nKey: S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nCookie:\r\n a=S3CR3T;\r\n\tb=S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\nCookie: a=S3CR3T\n\n",
        "GET / HTTP/1.1\r\nCookie: a=\nS3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nCookie: a=b\rc=S3CR3T\r\n\r\n",
        "GET / HTTP/1.1\r\nReferer: http:\n/u:S3CR3T@h/\r\n\r\n",
        "GET /?token=a S3CR3T HTTP/1.1\r\n\r\n",
        'GET /?token=a"S3CR3T HTTP/1.1\r\n\r\n',
        "GET /?tok en=S3CR3T HTTP/1.1\r\n\r\n",
        "GET /?token=a#S3CR3T HTTP/1.1\r\n\r\n",
        "GET /?token=S3CR3T",
        "GET http://user:S3CR3T",
        "CONNECT user:S3CR3T",
        "CONNECT u:S3CR3T@localhost:443 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization: Bearer S3CR3T",
        "Authorization: Bearer x S3CR3T\r\n\r\n",
        "GET /?token=S3CR3T HTTP/2.0\r\n\r\n",
        "\r\n\r\nGET /?token=S3CR3T HTTP/1.1\r\n\r\n",
        "GET  /  HTTP/1.1\r\nHost: a\r\n\r\nGET /?token=S3CR3T HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nCookie: a=S3CR3T\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\ntoken=S3CR3T",
        'POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n{"a": {"token": "S3CR3T"}}',
    ],
)
def test_no_secret_survives_in_messages_that_are_refused_cut_or_pipelined(data: str) -> None:
    octets = data.encode("latin-1")

    masked = masked_request(octets)

    assert b"S3CR3T" not in masked
    assert explain_request(octets).error is None or explain_request(masked).error is not None


def test_what_breaks_a_rule_can_still_be_seen() -> None:
    data = b'GET /?token=S3C"R3T HTTP/1.1\r\nCookie: a=S3C\0R3T\r\n\r\n'

    assert masked_request(data) == b'GET /?token=***"*** HTTP/1.1\r\nCookie: a=***\0***\r\n\r\n'


# Contents

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def part(disposition: str, content: str, *lines: str) -> str:
    """Return one part of a multipart content that has an ordinary one before it."""
    first = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nplain\r\n'
    head = "\r\n".join([f"Content-Disposition: form-data; {disposition}", *lines])
    return f"{first}--b\r\n{head}\r\n\r\n{content}\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("media_type", "content", "masked"),
    [
        (FORM, "a=1&password=S3CR3T&b=2", "a=1&password=******&b=2"),
        (FORM, "%70assword=S3%20CR3T", "%70assword=*********"),
        (FORM, "a;token=S3CR3T;x&b=2", "a;token=********&b=2"),
        (FORM, "u=%7B%22token%22%3A%22S3CR3T%22%7D", "u=" + "*" * 32),
        (FORM, '{"token": "S3CR3T"}', '{"token": "******"}'),
        ("application/json", '{"a": 1, "token": "S3CR3T"}', '{"a": 1, "token": "******"}'),
        ("application/json", '{"t\\u006fken":"S3CR3T"}', '{"t\\u006fken":"******"}'),
        ("application/json", '{"a":{"pin":1234,"b":2}}', '{"a":{"pin":"**","b":2}}'),
        ("application/json", '{"pin":7,"b":2}', '{"pin":0,"b":2}'),
        ("application/json", '{"keys":["S3CR3T",{"a":1}]}', '{"keys":"****************"}'),
        ("application/json", '{"a":{"auth":{"x":[1]}}}', '{"a":{"auth":"*******"}}'),
        ("application/json", '{"has_token": true}', '{"has_token": true}'),
        ("application/json", '{"token": "a\\"S3CR3T"}', '{"token": "*********"}'),
        ("application/json", '{"u":"http://a:S3CR3T@h"}', '{"u":"http://********@h"}'),
        (
            "application/json",
            '{"s":"{\\"token\\":\\"S3CR3T\\"}"}',
            '{"s":"{\\"token\\":\\"******\\"}"}',
        ),
        (
            "application/json",
            '{"name": "token", "value": "S3CR3T"}',
            '{"name": "token", "value": "******"}',
        ),
        ("application/json", '{"b" "token": "S3CR3T', '{"b" "token": "******'),
        ("application/x-ndjson", '{"key":"S3CR3T"}\n{"a":1}', '{"key":"******"}\n{"a":1}'),
        ("", "password: S3CR3T", "password: ******"),
        ("text/plain", "PASSWORD=S3CR3T\nA=1", "PASSWORD=******\nA=1"),
        ("application/json", '{"s":"{\\"key\\":[1]}"}', '{"s":"{\\"key\\":****"}'),
        ("application/json", '{"s":"{\\"key\\":12}"}', '{"s":"{\\"key\\":**}"}'),
        (
            "application/json",
            '{"query": "{login(password: \\"S3CR3T\\", user: \\"a\\")}"}',
            '{"query": "{login(password: \\"******\\", user: \\"a\\")}"}',
        ),
        ("application/yaml", "user: a\npassword: S3CR3T\n", "user: a\npassword: ******\n"),
        ("application/msgpack", "\x82\x00password\x06S3CR3T", "*" * 18),
        ("application/msgpack", "\x82\x00user\x01a", "\x82\x00user\x01a"),
        ("application/json", '{"keys": [1, [2', '{"keys": "****"'),
        ("application/json", '{"a": "http://u:S3CR3T', '{"a": "http://********'),
        ("text/plain", "password = [1, 2] ; token =\n", "password = [****] ; token =\n"),
        ("text/plain", "see //host:80/ and //u:p/w@h", "see //host:80/ and //*****@h"),
        (MULTIPART, part('name="token"', "S3CR3T"), part('name="token"', "******")),
        (
            MULTIPART,
            part("name=key", "UzNDUjNU", "Content-Transfer-Encoding: base64"),
            part("name=key", "********", "Content-Transfer-Encoding: base64"),
        ),
        (
            MULTIPART,
            part("name=key", "S3=43R3T", "Content-Transfer-Encoding: quoted-printable"),
            part("name=key", "********", "Content-Transfer-Encoding: quoted-printable"),
        ),
        (MULTIPART, part("name=?utf-8?Q?x", "a"), part("name=?utf-8?Q?x", "a")),
        (MULTIPART, part("name=token", "S3\r\nCR3T"), part("name=token", "********")),
        (MULTIPART, part('name="t\\oken"', "S3CR3T"), part('name="t\\oken"', "******")),
        (MULTIPART, part("name*=utf-8''%74oken", "S3CR3T"), part("name*=utf-8''%74oken", "******")),
        (
            MULTIPART,
            part('name="=?utf-8?B?dG9rZW4=?="', "S3CR3T"),
            part('name="=?utf-8?B?dG9rZW4=?="', "******"),
        ),
        (
            MULTIPART,
            part('name="x"', '{"key": "S3CR3T"}', "Content-Type: application/json"),
            part('name="x"', '{"key": "******"}', "Content-Type: application/json"),
        ),
        ("multipart/form-data", part("name=token", "S3CR3T"), part("name=token", "******")),
        (
            "text/xml",
            "<a><password>S3CR3T</password><b>1</b></a>",
            "<a><password>******</password><b>1</b></a>",
        ),
        ("text/xml", "<a token='S3CR3T' b='1'/>", "<a token='******' b='1'/>"),
        ("image/png", "token=S3CR3T", "token=S3CR3T"),
    ],
)
@pytest.mark.parametrize("size", [0, 1, 7])
def test_contents_are_masked_also_in_chunks(
    media_type: str, content: str, masked: str, size: int
) -> None:
    field = [f"Content-Type: {media_type}"] if media_type else []
    if size:
        data = request(*field, "Transfer-Encoding: chunked") + chunked(content.encode(), size)
        assert explain_request(masked_request(data)).content == masked.encode()
    else:
        data = request(*field, content=content.encode())
        assert masked_request(data) == request(*field, content=masked.encode())


def test_a_part_that_is_a_secret_may_be_cut_off() -> None:
    content = part('name="token"', "S3CR3T").partition("3T")[0].encode()
    data = request(f"Content-Type: {MULTIPART}", "Content-Length: 1000") + content

    assert masked_request(data) == data.replace(b"S3CR", b"****")


def test_a_content_in_utf_16_is_masked_whole() -> None:
    content = json.dumps({"token": SECRET}).encode("utf-16")

    masked = masked_request(request("Content-Type: application/json", content=content))

    assert masked.endswith(b"\r\n\r\n" + b"*" * len(content))


def test_extensions_and_trailers_are_masked() -> None:
    data = (
        request("Transfer-Encoding: chunked") + b"1;token=S3CR3T\r\na\r\n0\r\nX-Key: S3CR3T\r\n\r\n"
    )

    assert masked_request(data) == data.replace(b"S3CR3T", b"******")


def test_a_secret_that_goes_on_behind_a_fault_is_masked() -> None:
    data = (
        request(f"Content-Type: {FORM}", "Transfer-Encoding: chunked")
        + b"b\r\npassword=S3\r\nzz\r\nCR3T&a=1"
    )

    masked = masked_request(data)

    assert b"CR3T" not in masked
    assert explain_request(data).error is not None
    assert str(explain_request(data).error) == str(explain_request(masked).error)


FORMS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "gzip, br": lambda content: brotli.compress(gzip.compress(content)),
    "rot13": lambda content: content,
}


@pytest.mark.parametrize("coding", FORMS)
def test_coded_contents_are_masked_whole_if_they_hold_a_secret(coding: str) -> None:
    fields = ("Content-Type: application/json", f"Content-Encoding: {coding}")
    secret = FORMS[coding](b'{"token": "S3CR3T"}')
    plain = FORMS[coding](b'{"page": 2}')

    masked = masked_request(request(*fields, content=secret))

    assert masked.endswith(b"\r\n\r\n" + b"*" * len(secret))
    if coding != "rot13":  # nobody knows what is in it
        assert masked_request(request(*fields, content=plain)) == request(*fields, content=plain)
        half = request(*fields, "Content-Length: 99") + secret[: len(secret) // 2]
        assert masked_request(half)[: -len(secret) // 2] == half[: -len(secret) // 2]


def test_a_bomb_is_decoded_to_a_bound_and_masked() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    data = response("Content-Encoding: gzip", "Content-Type: text/plain", content=bomb)

    assert masked_response(data).endswith(b"*" * len(bomb))


@pytest.mark.parametrize(
    ("content", "masked"),
    [
        ('<input name="csrf_token" value="S3CR3T">', '<input name="csrf_token" value="******">'),
        ("<input value=S3CR3T type=password>", "<input value=****** type=password>"),
        ('<meta name="csrf-token" content="S3CR3T">', '<meta name="csrf-token" content="******">'),
        ('<p data-api-key="S3CR3T">', '<p data-api-key="******">'),
        ('<a href="/?token=S3CR3T&amp;a=1">', '<a href="/?token=******&amp;a=1">'),
        ('<input name="q" value="1"> token = 1', '<input name="q" value="1"> token = 1'),
    ],
)
def test_secrets_in_pages_are_masked(content: str, masked: str) -> None:
    field = "Content-Type: text/html; charset=utf-8"

    octets = masked_response(response(field, content=content.encode()))

    assert octets == response(field, content=masked.encode())


# The same secret again

SHOWN = {
    "as it is": lambda value: value,
    "percent-encoded": quote,
    "in a form": quote_plus,
    "in HTML": html.escape,
    "in JSON": lambda value: json.dumps(value)[1:-1],
    "in a repr": lambda value: repr(value)[1:-1],
    "in base64": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "within base64": lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
    "in hexadecimal": lambda value: value.encode().hex(),
}


@pytest.mark.parametrize("form", SHOWN)
@pytest.mark.parametrize("value", ["S3CR3T", 'S3 <"CR3T">', "S3CR3T-ä'"])
def test_what_was_secret_in_the_request_is_masked_wherever_it_turns_up(
    form: str, value: str
) -> None:
    masker = Masker()
    asked = request(f"Content-Type: {FORM}", content=f"password={quote_plus(value)}".encode())
    _, spans = masker.mask_request(asked)
    also = masker.secrets_in(asked, spans)
    shown = SHOWN[form](value)

    answer = response("Content-Type: text/css", content=f"x {shown} y".encode())
    masked, _ = masker.mask_response(answer, "POST", also)

    assert shown.encode() not in masked
    assert shown not in masker.mask_text(f"a log of {shown} here", also)
    assert shown not in str(masker.mask_value("name", [shown], also))


def test_the_same_is_masked_in_the_rest_of_its_own_request() -> None:
    data = request("Cookie: a=S3CR3T", target="/S3CR3T", content=b"x=S3CR3T")

    assert masked_request(data) == data.replace(b"S3CR3T", b"******")


def test_what_is_masked_elsewhere_changes_nothing_that_says_how_a_message_is_read() -> None:
    data = request("Cookie: a=localhost; b=8000; c=HTTP; d=chunked", "Host: localhost:8000")
    answer = (
        b"HTTP/1.1 200 8000\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n8000\r\n4\r\nchun\r\n"
        b"3\r\nked\r\n0\r\n\r\n"
    )
    masker = Masker()
    masked, spans = masker.mask_request(data)
    also = masker.secrets_in(data, spans)

    assert masked.endswith(b"Host: localhost:8000\r\n\r\n")
    masked, _ = masker.mask_response(answer, "GET", also)
    assert masked.startswith(b"HTTP/1.1 200 ****\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n****")
    assert explain_response(masked, "GET").content == b"***********"


def test_short_and_ordinary_values_are_masked_in_their_place_only() -> None:
    masker = Masker()
    data = request("Cookie: a=abc; theme=dark")
    _, spans = masker.mask_request(data)
    answer = response("Content-Type: text/css", content=b"abc dark")

    assert masker.mask_response(answer, "GET", masker.secrets_in(data, spans))[0] == answer


def test_a_password_of_basic_credentials_is_masked_elsewhere() -> None:
    masker = Masker()
    credentials = base64.b64encode(b"user:S3CR3T").decode()
    data = request(f"Authorization: Basic {credentials}")
    _, spans = masker.mask_request(data)

    assert masker.mask_text("no S3CR3T", masker.secrets_in(data, spans)) == "no ******"


def test_what_turns_up_again_may_be_cut_off() -> None:
    masker = Masker()
    data = request("X-Key: 12S3CR3T-12")
    _, spans = masker.mask_request(data)
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\n\r\n12 12S3 12S3CR3T-1"

    masked, _ = masker.mask_response(answer, "GET", masker.secrets_in(data, spans))

    assert masked.endswith(b"\r\n\r\n12 12S3 **********")


def test_what_base64_stands_for_in_a_part_is_masked_elsewhere() -> None:
    masker = Masker()
    content = part("name=key", "UzNDUjNU", "Content-Transfer-Encoding: base64").encode()
    data = request(f"Content-Type: {MULTIPART}", content=content)
    _, spans = masker.mask_request(data)

    assert masker.mask_text("no S3CR3T", masker.secrets_in(data, spans)) == "no ******"


def test_secrets_are_found_again_in_a_request_that_was_masked_long_ago() -> None:
    masker = Masker()
    data = request("X-Key: S3CR3T")
    _, spans = masker.mask_request(data)
    first = masker.secrets_in(data, spans)

    assert b"S3CR3T" in first
    assert first == masker.secrets_in(data, spans)
    answer = response("Set-Cookie: a=S3CR3T-2")
    _, spans = masker.mask_response(answer, "GET")
    for _ in range(2):
        assert b"S3CR3T-2" in masker.secrets_in(answer, spans)
    assert masker.secrets_in(request(), ()) == frozenset()


def test_a_repr_that_raises_is_no_fault_of_the_masker() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError

    masker = Masker()

    assert masker.mask_value("a", Odd()) == "<Odd>"
    assert masker.mask_value("a", [1, "token=S3CR3T"]) == "[1, 'token=******']"
    assert masker.mask_value("a", None) is None


def test_arguments_of_views_are_masked_by_their_names_and_in_the_path() -> None:
    also = secret_arguments({"token": "S3CR3T", "page": 5})

    assert b"GET /reset/******/5 " in masked_request(request(target="/reset/S3CR3T/5"), also)
    masker = Masker()
    assert masker.mask_value("token", SECRET, also) == "******"
    assert masker.mask_value("page", 5, also) == 5
    assert masker.mask_value("path", "a/S3CR3T", also) == "a/******"


# Text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer S3CR3T x", "Authorization: ****** ****** *"),
        ("password=S3CR3T for user", "password=****** for user"),
        ("{'password': 'S3CR3T', 'n': 1}", "{'password': '******', 'n': 1}"),
        ("MultiDict([('token', 'S3CR3T')])", "MultiDict([('token', '******')])"),
        ("postgresql://u:S3CR3T@db/x", "postgresql://********@db/x"),
        ("GET /?token=S3CR3T", "GET /?token=******"),
        ("KeyError: 'name'", "KeyError: 'name'"),
        (
            '  File "a.py", line 1, in f\n    token = read(token)\nValueError: x',
            '  File "a.py", line 1, in f\n    token = read(token)\nValueError: x',
        ),
        (
            '  File "a.py", line 1, in f\n    token = "S3CR3T"\nValueError: x',
            '  File "a.py", line 1, in f\n    token = "******"\nValueError: x',
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nS3CR3T\n-----END",
            "-----BEGIN PRIVATE KEY-----\n******\n-----END",
        ),
        ("grüße ☃", "grüße ☃"),
    ],
)
def test_text_is_masked(text: str, masked: str) -> None:
    assert Masker().mask_text(text) == masked


# Whatever comes

PIECES = st.sampled_from(
    [
        *(b"GET /?token=S3CR3T HTTP/1.1\r\n", b"Cookie: a=S3CR3T\r\n", b"POST / HTTP/1.1\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"Content-Length: 12\r\n", b"5\r\n", b"\r\n", b"\n"),
        *(
            b"Content-Type: application/json\r\n",
            b'{"token": ',
            b'"S3CR3T"',
            b"//u:p@",
            b" ",
            b"\0",
        ),
        *(b"Content-Encoding: gzip\r\n", b"Content-Type: multipart/form-data; boundary=b\r\n"),
        *(b"--b\r\nContent-Disposition: form-data; name=key\r\n\r\n", b"HTTP/1.1 200 OK\r\n"),
    ]
)
OCTETS = st.lists(PIECES | st.binary(max_size=12), max_size=12).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(data=OCTETS, also=st.frozensets(st.binary(min_size=4, max_size=6), max_size=2))
def test_whatever_comes_the_length_and_all_else_stays(data: bytes, also: frozenset[bytes]) -> None:
    masked_request(data, also)
    masked_response(data, also)
    Masker().mask_text(data.decode("latin-1"), also)


VALUES = st.text(st.characters(codec="ascii", exclude_characters=";"), max_size=6).map(
    lambda text: f"{text}S3CR3T{text[::-1]}"
)


def sent(value: str, kind: str) -> tuple[tuple[str, ...], bytes]:
    """Return the fields and the content that carry a secret value."""
    plain = "".join(character for character in value if " " < character < "\x7f")
    if kind == "form":
        return (f"Content-Type: {FORM}",), f"a=1&token={quote_plus(value)}&b=2".encode()
    if kind == "json":
        document: Any = {"a": [1, {"password": [value, {"b": value}]}], "c": None}
        return ("Content-Type: application/json",), json.dumps(document).encode()
    if kind == "multipart":
        return (f"Content-Type: {MULTIPART}",), part('name="key"', value).encode()
    return (kind + plain,), b"x=1"


@settings(max_examples=150, deadline=None)
@given(
    value=VALUES,
    kind=st.sampled_from(
        ["form", "json", "multipart", "Cookie: a=", "Authorization: Basic ", "X-Key: "]
    ),
    size=st.integers(0, 30),
    cut=st.integers(0, 400),
)
def test_no_secret_value_survives_however_it_comes(
    value: str, kind: str, size: int, cut: int
) -> None:
    fields, content = sent(value, kind)
    if size:
        data = request(*fields, "Transfer-Encoding: chunked") + chunked(content, size)
    else:
        data = request(*fields, content=content)
    data = data[: len(data) - cut] if cut < 200 else data

    masked = masked_request(data)

    assert b"S3CR" not in masked
    assert b"S3CR" not in explain_request(masked).content
    before, after = explain_request(data), explain_request(masked)
    assert before.elements == after.elements
    assert str(before.error) == str(after.error)


@settings(max_examples=80, deadline=None)
@given(
    value=VALUES,
    form=st.sampled_from([form for form in SHOWN if form != "within base64"]),
    coded=st.booleans(),
    size=st.integers(0, 9),
    cut=st.integers(0, 200),
)
def test_no_secret_survives_in_what_is_answered(
    value: str, form: str, coded: bool, size: int, cut: int
) -> None:
    masker = Masker()
    asked = request("Content-Type: application/json", content=json.dumps({"key": value}).encode())
    _, spans = masker.mask_request(asked)
    content = f"a {SHOWN[form](value)} b".encode()
    content = gzip.compress(content) if coded else content
    lines = ["Content-Type: text/css", f"X-Echo: {quote(value)}", f"Set-Cookie: a={quote(value)}"]
    lines += ["Content-Encoding: gzip"] if coded else []
    head = "\r\n".join(["HTTP/1.1 200 OK", *lines, "Transfer-Encoding: chunked", "", ""]).encode()
    answer = head + chunked(content, size) if size else response(*lines, content=content)
    answer = answer[: len(answer) - cut] if cut < 100 else answer

    masked, _ = masker.mask_response(answer, "POST", masker.secrets_in(asked, spans))

    assert len(masked) == len(answer)
    before, after = explain_response(answer, "POST"), explain_response(masked, "POST")
    assert before.elements == after.elements
    shown = after.content
    if shown.startswith(b"\x1f\x8b"):
        shown = zlib.decompressobj(31).decompress(shown)
    for octets in (masked, shown):
        assert b"S3CR" not in octets
        assert b"UzNDUj" not in octets


SMALL = [case for case in load_all("http1") if len(case.data) < 5000]


def test_masked_messages_are_understood_or_refused_as_those_that_came() -> None:
    for case in SMALL:
        data, masked = case.data, Masker(case.limits).mask_request(case.data)[0]
        while data:
            before = explain_request(data, case.limits)
            after = explain_request(masked, case.limits)
            assert before.elements == after.elements, case.place
            assert str(before.error) == str(after.error), case.place
            if not before.complete:
                break
            data, masked = data[before.end :], masked[after.end :]


# What it costs


def test_a_request_that_was_seen_before_is_not_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = request("User-Agent: curl/8.5.0", "Accept: */*", target="/hello?page=2")
    masker = Masker()
    assert masker.mask_request(data) == (data, ())

    monkeypatch.setattr(masked_messages, "explain_request", None)
    monkeypatch.setattr("groundwire.inspector.masking.masker.MaskedRequest", None)
    masked, spans = masker.mask_request(bytes(bytearray(data)))

    assert masked == data
    assert spans == ()


def test_lines_that_were_seen_before_are_not_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[bytes] = []
    looks = masked_messages.in_lines

    def in_lines(data: bytes, start: int, end: int) -> Any:
        looked_at.append(data[start:end])
        return looks(data, start, end)

    monkeypatch.setattr(masked_messages, "in_lines", in_lines)
    masker = Masker()
    masker.mask_request(request("User-Agent: curl/8.5.0", "Accept: */*"))
    looked_at.clear()
    masker.mask_request(request("User-Agent: curl/8.5.0", "Accept: */*", "X-A: 1", "X-Key: 1"))
    masker.mask_request(request("User-Agent: curl/8.5.0", "X-A: 1", "X-Key: 1"))

    assert looked_at == [b"X-A: 1", b"X-Key: 1", b"X-Key: 1"]


def test_what_is_looked_for_elsewhere_is_bounded() -> None:
    masker = Masker()
    content = "&".join(f"token={number:05}" for number in range(5000)).encode()
    data = request(f"Content-Type: {FORM}", "X-Key: S3CR3T", content=content)
    masked, spans = masker.mask_request(data)

    also = masker.secrets_in(data, spans)

    assert masked.endswith(b"&token=*****")
    assert b"S3CR3T" in also
    assert len(also) < 2000


def test_what_is_remembered_is_bounded() -> None:
    masker = Masker()
    for number in range(2000):
        masker.mask_request(request(f"X-Number: {number}", target=f"/{number}"))
    masker.mask_request(request("X-Long: " + "a" * 4000))

    assert masker.remembered_octets < 512 * 2048


def test_documents_of_the_wire_hold_no_secret() -> None:
    for path in (Path(__file__).parents[1] / "documents").glob("*.json"):
        document = json.loads(path.read_text())
        for direction in ("request", "response"):
            message = document.get(direction)
            raw = base64.b64decode(message["raw"]) if message else b""
            masker = Masker()
            assert len(masker.mask_request(raw)[0]) == len(raw)
