"""Cookies: what is read, what is written, what is refused."""

import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.cookies import dump_cookie, parse_cookie
from groundwire.http.dates import parse_date
from groundwire.http.multidict import ImmutableMultiDict


def read(header: Any) -> list[tuple[str, str]]:
    return list(parse_cookie(header).items(multi=True))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, []),
        ("", []),
        ("a=b; c=d", [("a", "b"), ("c", "d")]),
        ("a=b;c=d ;  e =\tf", [("a", "b"), ("c", "d"), ("e", "f")]),
        ("a=1; a=2", [("a", "1"), ("a", "2")]),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=b; ;;", []),
        ("a=b=c", [("a", "b=c")]),
        ('a="b c"', [("a", "b c")]),
        ('a="\\"\\054\\073\\\\"', [("a", '",;\\')]),
        ('a="\\303\\274"', [("a", "ü")]),
        ('a="\\8\\477"', [("a", "8477")]),
        ('a="open', [("a", '"open')]),
        ('a="b; c=d; e="', [("a", '"b'), ("c", "d"), ("e", '"')]),
        ('a="', [("a", '"')]),
        ('a="\\"', [("a", "\\")]),
        ("a=\\054", [("a", "\\054")]),
        ("a=\xc3\xbc", [("a", "ü")]),
        ("a=\xff", [("a", "�")]),
        ("a=€", [("a", "€")]),
        ("a=b, c=d", [("a", "b, c=d")]),
        ("\xa0a=b", [("�a", "b")]),
    ],
)
def test_cookies_are_read(header: str | None, expected: list[tuple[str, str]]) -> None:
    assert read(header) == expected


def test_cookies_are_read_from_an_environ_into_a_class() -> None:
    cookies = parse_cookie({"HTTP_COOKIE": "a=b"}, ImmutableMultiDict)

    assert type(cookies) is ImmutableMultiDict
    assert cookies["a"] == "b"
    assert read({}) == []


@pytest.mark.parametrize(
    "pump", ["a,;b;", ";", "=", "a", '"', 'a="', "\\", '\\"', " ", " ;", "\xe9"]
)
def test_reading_costs_linear_time(pump: str) -> None:
    read(pump * 50_000)
    read('a="' + pump.replace(";", ",") * 50_000 + '"')


values = st.text(max_size=20)


@given(st.text("abcXYZ!#$-._", min_size=1, max_size=8), values)
@settings(max_examples=200, deadline=None)
def test_any_text_reads_back(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    written = dump_cookie(name, value, path=None)

    assert read(written) == [(name, value)]
    assert list(oracle.parse_cookie(written).items()) == [(name, value)]
    if not any(
        "\x19" < character < " " for character in value
    ):  # which Werkzeug leaves as they are
        assert written == oracle.dump_cookie(name, value, path=None)


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_no_text_at_all_raises(header: str) -> None:
    read(header)


@given(st.lists(st.sampled_from(["a=b", "c=d=e", "f", "g=", 'h="i j"', "a=2", ""]), max_size=6))
@settings(max_examples=100, deadline=None)
def test_cookies_are_read_as_werkzeug_does(pieces: list[str]) -> None:
    header = "; ".join(pieces)

    assert read(header) == list(oracle.parse_cookie(header).items(multi=True))


ATTRIBUTES: list[dict[str, Any]] = [
    {},
    {"path": None},
    {"path": "/a b/ü;%41"},
    {"domain": "example.com"},
    {"domain": ".Example.com:8080"},
    {"domain": "ü.de"},
    {"secure": True, "httponly": True},
    {"samesite": "lax"},
    {"samesite": "STRICT"},
    {"samesite": "None", "secure": True},
    {"partitioned": True},
    {"expires": 0},
    {"expires": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"expires": datetime(2030, 1, 2, tzinfo=UTC)},
    {"max_age": 0, "sync_expires": False},
    {"max_age": timedelta(minutes=1), "sync_expires": False},
    {"max_age": 5, "expires": 0},
    {
        "max_age": 5,
        "expires": 0,
        "domain": "a.com",
        "secure": True,
        "httponly": True,
        "path": "/x",
        "samesite": "Lax",
        "partitioned": True,
    },
]


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_cookies_are_written_as_werkzeug_does(attributes: dict[str, Any]) -> None:
    assert dump_cookie("k", "v", **attributes) == oracle.dump_cookie("k", "v", **attributes)


def test_expires_says_what_max_age_says() -> None:
    written = dump_cookie("k", "v", max_age=3600)
    expires = parse_date(written.partition("Expires=")[2].partition(";")[0])

    assert "Max-Age=3600" in written
    assert expires is not None
    assert abs(expires - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


def test_lifetime_beyond_the_calendar_has_max_age_alone() -> None:
    assert dump_cookie("k", "v", max_age=10**12) == "k=v; Max-Age=1000000000000; Path=/"


def test_empty_domain_is_none() -> None:
    assert dump_cookie("k", "v", domain="") == "k=v; Path=/"


@pytest.mark.parametrize(
    "name", ["", "a b", "a=b", "a;b", "a,b", 'a"', "a\r\nX-Inj: 1", "a\0", "ä", "\u212a"]
)
def test_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a cookie name"):
        dump_cookie(name, "v")


@pytest.mark.parametrize("text", ["/\r\nX-Inj: 1", "/\n", "/\0", "/\x7f"])
def test_path_with_a_control_character_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        dump_cookie("k", "v", path=text)


@pytest.mark.parametrize(
    "domain",
    ["a\r\nX-Inj", "a;b", "a b", "a,b", "a/b", "ü" * 70, "☃..de", ":80", "a=b", "%", "\u2028"],
)
def test_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="not a cookie domain"):
        dump_cookie("k", "v", domain=domain)


@pytest.mark.parametrize("expires", ["a\r\nX-Inj: 1", "a; Domain=x", "\0", "é"])
def test_expires_that_would_end_the_attribute_is_refused(expires: str) -> None:
    with pytest.raises(ValueError, match="Expires"):
        dump_cookie("k", "v", expires=expires)


def test_samesite_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="SameSite"):
        dump_cookie("k", "v", samesite="maybe")


@given(st.text(max_size=15))
@settings(max_examples=150, deadline=None)
def test_no_value_ends_the_line_or_adds_an_attribute(value: str) -> None:
    try:
        written = dump_cookie("k", value)
    except UnicodeEncodeError:
        return

    assert written.isascii()
    assert written.isprintable()
    assert written.removesuffix("; Path=/").count(";") == 0


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("__Secure-a", {}),
        ("__secure-a", {}),
        ("__Host-a", {}),
        ("__Host-a", {"secure": True, "path": "/x"}),
        ("__Host-a", {"secure": True, "path": None}),
        ("__Host-a", {"secure": True, "domain": "a.com"}),
        ("__hOST-a", {"secure": True, "domain": "a.com"}),
    ],
)
def test_prefix_that_browsers_would_not_accept_is_refused(
    name: str, attributes: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="6265bis"):
        dump_cookie(name, "v", **attributes)


def test_prefix_with_what_it_demands_is_written() -> None:
    assert dump_cookie("__Host-a", "v", secure=True) == "__Host-a=v; Secure; Path=/"
    assert dump_cookie("__Secure-a", "v", partitioned=True, path="/x") == (
        "__Secure-a=v; Secure; Path=/x; Partitioned"
    )


def test_cookie_larger_than_browsers_keep_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="too large"):
        dump_cookie("k", "v" * 4093)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dump_cookie("k", "v" * 4093, max_size=0)
        dump_cookie("k", "v" * (4093 - len("k=; Path=/")))
