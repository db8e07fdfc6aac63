"""Percent-encoding, queries, hosts and URLs."""

from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
import werkzeug.sansio.utils as oracle_utils
import werkzeug.urls as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.urls import (
    FieldLimitExceeded,
    UntrustedHost,
    build_query,
    decode_path,
    get_current_url,
    get_host,
    host_is_trusted,
    iri_to_uri,
    parse_query,
    percent_decode,
    percent_encode,
    safe_next,
    split_host,
    uri_to_iri,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b", "/a/b"),
        ("/%C3%BC", "/ü"),
        ("/%c3%bc%2F%25", "/ü/%"),
        ("/%FF", "/�"),
        ("/%", "/%"),
        ("/%4", "/%4"),
        ("/%zz", "/%zz"),
        ("/a+b", "/a+b"),
        ("/%252e", "/%2e"),
        ("/\xc3\xbc", "/ü"),
        ("/%00", "/\0"),
        ("/€%41", "/€A"),
    ],
)
def test_path_is_decoded_once(path: str, expected: str) -> None:
    assert decode_path(path) == expected


@given(st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_percent_encoding_is_undone(text: str) -> None:
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        return

    assert percent_decode(percent_encode(text)) == octets
    assert percent_encode(octets) == percent_encode(text)
    assert decode_path(percent_encode(text)) == text


@given(st.lists(st.sampled_from(["%", "=", "4", "F", "%41", "%0A", "\n", "\r", " ", "%3d", "é"])))
@settings(max_examples=200, deadline=None)
def test_percent_decoding_is_the_standard_librarys(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert percent_decode(text) == unquote_to_bytes(text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        ("a=b", [("a", "b")]),
        ("a=b&a=c", [("a", "b"), ("a", "c")]),
        ("a", [("a", "")]),
        ("a=&=b", [("a", ""), ("", "b")]),
        ("&&a=1&", [("a", "1")]),
        ("a+b=c+d", [("a b", "c d")]),
        ("a%2Bb=%26%3D", [("a+b", "&=")]),
        ("a=b=c", [("a", "b=c")]),
        ("a;b=c", [("a;b", "c")]),
        ("%C3%BC=%E2%82%AC", [("ü", "€")]),
        ("a=%FF%C3", [("a", "%FF%C3")]),
        ("a=%", [("a", "%")]),
    ],
)
def test_query_is_read(query: str, expected: list[tuple[str, str]]) -> None:
    assert parse_query(query) == expected


def test_query_of_too_many_fields_is_refused() -> None:
    assert len(parse_query("a&" * 1000)) == 1000
    assert len(parse_query("&" * 5000 + "a")) == 1
    with pytest.raises(FieldLimitExceeded):
        parse_query("a&" * 1001)
    with pytest.raises(FieldLimitExceeded):
        parse_query("a=1&b=2", limit=1)


@given(
    st.lists(st.sampled_from(["a", "=", "&", "+", "%41", "%ff", "%c3%bc", "%", ";"]), max_size=9)
)
@settings(max_examples=200, deadline=None)
def test_query_is_read_as_flask_does(pieces: list[str]) -> None:
    query = "".join(pieces)

    assert parse_query(query) == parse_qsl(
        query, keep_blank_values=True, errors="werkzeug.url_quote"
    )


fields = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5)


@given(fields)
@settings(max_examples=150, deadline=None)
def test_query_reads_back(pairs: list[tuple[str, str]]) -> None:
    try:
        query = build_query(pairs)
    except UnicodeEncodeError:
        return

    assert parse_query(query) == pairs or ("", "") in pairs


def test_query_is_built_from_lists_numbers_and_octets() -> None:
    query = build_query({"a": [1, "x y"], "b": None, "c": b"\xff", "d": "ü/?:@"})

    assert query == "a=1&a=x+y&c=%FF&d=%C3%BC/?:@"


@pytest.mark.parametrize("pump", ["&", "=", "+", "%", "%4", "%41", "%ff", "a=b&", "é"])
def test_reading_costs_linear_time(pump: str) -> None:
    parse_query(pump * 30_000, limit=1_000_000)
    decode_path(pump * 30_000)
    uri_to_iri("/" + pump * 30_000)
    iri_to_uri("/" + pump * 30_000)


URL_PIECES = [
    "/", "ü", "%C3%BC", "%2F", "%ff", "%20", "@", "+", "%41", '"', "x", "%0a", "€", "%3F", "%26",
    "%3A", "%25",
]  # fmt: skip
url_texts = st.lists(st.sampled_from(URL_PIECES), max_size=6).map("".join)


@given(
    st.sampled_from(["http://é.de:80", "http://u:p@a", "", "http://[::1]"]), url_texts, url_texts
)
@settings(max_examples=200, deadline=None)
def test_iri_and_uri_are_converted_as_werkzeug_does(origin: str, path: str, query: str) -> None:
    url = f"{origin}/x{path}?y{query}#z{query}"

    assert iri_to_uri(url) == oracle.iri_to_uri(url)
    assert uri_to_iri(url) == oracle.uri_to_iri(url)


@given(url_texts)
@settings(max_examples=100, deadline=None)
def test_iri_to_uri_may_be_applied_twice(path: str) -> None:
    once = iri_to_uri(f"http://é.de/{path}")

    assert iri_to_uri(once) == once
    assert once.isascii()


@pytest.mark.parametrize(
    ("iri", "uri"),
    [
        ("http://☃.net/p?q=ü#ü", "http://xn--n3h.net/p?q=%C3%BC#%C3%BC"),
        ("http://üser:pä@x.com/", "http://%C3%BCser:p%C3%A4@x.com/"),
        ("itms-services://?action=ü", "itms-services://?action=%C3%BC"),
        ("made-up://?action=ü", "made-up://?action=%C3%BC"),
        ("/a\r\nb\tc d", "/a%0D%0Ab%09c%20d"),
        ("\t//evil.example", "%09//evil.example"),
        ("http://a..ü/", "http://a..%C3%BC/"),
        ("a\\b", "a%5Cb"),
        ("http://[::1]:80/[a]?b", "http://[::1]:80/%5Ba%5D?b"),
        ("HTTP://Ann:Key@Example.ORG:80/A?B=C#D", "http://Ann:Key@example.org:80/A?B=C#D"),
        ("//Example.org/A", "//example.org/A"),
        ("/A//B", "/A//B"),
        ("", ""),
    ],
)
def test_iri_becomes_a_uri(iri: str, uri: str) -> None:
    assert iri_to_uri(iri) == uri


def test_scheme_and_host_have_no_case() -> None:
    assert uri_to_iri("HTTP://Example.ORG/A") == "http://example.org/A"
    assert get_current_url("http", "Example.ORG", "", "/A", b"B=C") == "http://example.org/A?B=C"


def test_uri_becomes_an_iri() -> None:
    assert uri_to_iri("http://xn--n3h.net:80/%C3%BC%2F%0a%ff?%26=%C3%BC") == (
        "http://☃.net:80/ü%2F%0a%FF?%26=ü"
    )
    assert uri_to_iri("http://xn--\xff/") == "http://xn--\xff/"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a", ("a", "")),
        ("a:80", ("a", "80")),
        ("[::1]", ("[::1]", "")),
        ("[::1]:80", ("[::1]", "80")),
        ("::1", ("::1", "")),
    ],
)
def test_host_is_split(host: str, expected: tuple[str, str]) -> None:
    assert split_host(host) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("http", "a.com:80"), "a.com"),
        (("https", "a.com:80"), "a.com:80"),
        (("https", "a.com:443"), "a.com"),
        (("ws", "a.com:80"), "a.com"),
        (("http", "a.com:"), "a.com"),
        (("http", "[::1]:80"), "[::1]"),
        (("http", "my_service:8000"), "my_service:8000"),
        (("http", None, ("127.0.0.1", 80)), "127.0.0.1"),
        (("http", None, ("::1", 81)), "[::1]:81"),
        (("http", None, ("[::1]", 81)), "[::1]:81"),
        (("http", None, ("/run/socket", None)), ""),
        (("http", None), ""),
        (("http", "a b"), ""),
        (("http", "a/b"), ""),
        (("http", "user@a"), ""),
        (("http", ":80"), ""),
        (("http", "a\r\nb"), ""),
        (("http", "a:٨٠"), ""),
    ],
)
def test_host_of_a_request(arguments: Any, expected: str) -> None:
    assert get_host(*arguments) == expected


def test_untrusted_host_is_refused() -> None:
    assert get_host("http", "a.com", None, ["a.com"]) == "a.com"
    with pytest.raises(UntrustedHost):
        get_host("http", "evil.com", None, ["a.com"])
    with pytest.raises(UntrustedHost):
        get_host("http", "a/b", None, ["a"])


@pytest.mark.parametrize(
    ("host", "trusted", "expected"),
    [
        ("a.com", ["a.com"], True),
        ("A.com:80", ["a.COM"], True),
        ("x.a.com", ["a.com"], False),
        ("x.a.com", [".a.com"], True),
        ("a.com", [".a.com"], True),
        ("evila.com", [".a.com"], False),
        (".a.com", [".a.com"], False),
        ("x..a.com", [".a.com"], False),
        ("a.com.evil", ["a.com"], False),
        ("é.de", ["é.de"], True),
        ("xn--9ca.de", ["é.de"], True),
        ("[::1]:80", ["[::1]"], True),
        ("", ["a"], False),
        (None, ["a"], False),
        ("a b", ["a"], False),
        ("a", ["b c", "ü" * 70, "a"], True),
        ("ü" * 70, ["a"], False),
        ("a", "a", True),
    ],
)
def test_host_is_compared_with_those_that_are_trusted(
    host: str | None, trusted: Any, expected: bool
) -> None:
    assert host_is_trusted(host, trusted) is expected


@given(url_texts, url_texts)
@settings(max_examples=100, deadline=None)
def test_url_of_a_request_is_built_as_werkzeug_does(path: str, query: str) -> None:
    for arguments in (
        ("http", "a.com"),
        ("http", "a.com", f"/{path}"),
        ("http", "xn--9ca.de:81", f"/{path}", f"/x{path}", query.encode()),
        ("http", "a.com", "", path, b""),
    ):
        assert get_current_url(*arguments) == oracle_utils.get_current_url(*arguments)


@pytest.mark.parametrize("target", ["/", "/a?b#c", "/a//b", "/a/%2F", "/ü"])
def test_next_page_on_this_site_is_taken(target: str) -> None:
    assert safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "a",
        "//evil",
        "/\\evil",
        "\\/evil",
        "https:evil",
        "https://evil",
        "javascript:x",
        "\t//evil",
        "/\t/evil",
        "/%09/evil",
        "/%2Fevil",
        "/%5Cevil",
        "/\r\nX-Inj: 1",
        "/\xa0",
        "/\x7f",
    ],
)
def test_next_page_that_may_be_elsewhere_is_not(target: str | None) -> None:
    assert safe_next(target, "/home") == "/home"
