"""Header sections: what is refused when it is set, and what reading gives, beside Werkzeug's."""

import copy
import pickle
from typing import Any

import pytest
import werkzeug.datastructures as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.headers import (
    Headers,
    RequestHeaders,
    is_entity_header,
    is_hop_by_hop_header,
    remove_entity_headers,
    remove_hop_by_hop_headers,
)
from groundwire.http.multidict import MultiDict

INJECTIONS = [
    "a\r\nX-Inj: 1",
    "a\nX-Inj: 1",
    "a\rX-Inj: 1",
    "a\0b",
    "a\x0bb",
    "a\x7fb",
    "\r",
    "€",
    "a\u2028b",
    "\ud800",
]

SETTERS: list[Any] = [
    lambda h, k, v: h.add(k, v),
    lambda h, k, v: h.add_header(k, v),
    lambda h, k, v: h.set(k, v),
    lambda h, k, v: h.setlist(k, ["fine", v]),
    lambda h, k, v: h.setdefault(k, v),
    lambda h, k, v: h.setlistdefault(k, ["fine", v]),
    lambda h, k, v: h.extend([("Fine", "x"), (k, v)]),
    lambda h, k, v: h.extend({k: ["fine", v]}),
    lambda h, k, v: h.update([("Fine", "x"), (k, v)]),
    lambda h, k, v: h.update({"Fine": "x", k: v}),
    lambda h, k, v: h.update(MultiDict([("Fine", "x"), (k, v)])),
    lambda h, k, v: h.__setitem__(k, v),
    lambda h, k, v: h.__setitem__(0, (k, v)),
    lambda h, k, v: h.__setitem__(slice(0, 1), [("Fine", "x"), (k, v)]),
    lambda h, k, v: h.__ior__({"Fine": "x", k: v}),
    lambda h, k, v: h.__or__({k: v}),
]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("setter", SETTERS)
def test_value_that_cannot_be_sent_is_refused_and_nothing_changed(setter: Any, value: str) -> None:
    headers = Headers([("Old", "1"), ("Other", "2")])

    with pytest.raises(ValueError, match="X-Mine"):
        setter(headers, "X-Mine", value)
    assert list(headers) == [("Old", "1"), ("Other", "2")]


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\r\nX-Inj: 1", "a\0", "ä", "a\u212a", "a(b)", "a\n", " a"]
)
@pytest.mark.parametrize("setter", SETTERS)
def test_name_that_is_no_token_is_refused_and_nothing_changed(setter: Any, name: str) -> None:
    headers = Headers([("Old", "1"), ("Other", "2")])

    with pytest.raises(ValueError, match="header"):
        setter(headers, name, "x")
    assert list(headers) == [("Old", "1"), ("Other", "2")]


def test_parameter_that_would_split_the_response_is_refused() -> None:
    with pytest.raises(ValueError, match="Content-Disposition"):
        Headers().add("Content-Disposition", "attachment", filename="a\r\nX-Inj: 1")


def test_tabs_and_obs_text_are_allowed() -> None:
    assert Headers([("A", "x\ty\xff")])["a"] == "x\ty\xff"


def test_iri_for_location_becomes_a_uri() -> None:
    headers = Headers({"Location": "http://☃.net/ü"})

    assert headers["Location"] == "http://xn--n3h.net/%C3%BC"


def test_iri_for_location_with_a_control_character_is_refused() -> None:
    with pytest.raises(ValueError, match="Location"):
        Headers({"Location": "/☃\r\nX-Inj: 1"})
    with pytest.raises(ValueError, match="Location"):
        Headers({"Location": "/☃\x01"})


def test_lookup_does_not_mind_case_and_order_is_kept() -> None:
    headers = Headers([("X-A", "1"), ("b", "2"), ("x-a", "3")])

    assert headers["x-A"] == "1"
    assert headers.get("X-a") == "1"
    assert headers.getlist("X-A") == ["1", "3"]
    assert headers.get_all("X-A") == ["1", "3"]
    assert "x-a" in headers
    assert list(headers.keys()) == ["X-A", "b", "x-a"]
    assert list(headers.items(lower=True)) == [("x-a", "1"), ("b", "2"), ("x-a", "3")]
    assert list(headers.values()) == ["1", "2", "3"]


def test_name_outside_ascii_finds_nothing() -> None:
    # "\u212a".lower() is "k".
    for headers in (Headers({"Keep": "1"}), RequestHeaders([(b"Keep", b"1")])):
        assert "\u212aeep" not in headers
        assert headers.getlist("\u212aeep") == []
        assert 5 not in headers
        assert headers.getlist(5) == []  # type: ignore[call-overload]


def test_missing_name_raises_a_key_error() -> None:
    with pytest.raises(KeyError):
        Headers()["a"]
    with pytest.raises(KeyError):
        Headers().pop("a")
    assert Headers().get("a") is None
    assert Headers().get("a", "x") == "x"


def test_values_are_converted() -> None:
    headers = Headers([("A", "x"), ("A", "2"), ("N", "7")])

    assert headers.get("N", type=int) == 7
    assert headers.get("A", 0, type=int) == 0
    assert headers.getlist("A", type=int) == [2]


def test_index_and_slice() -> None:
    headers = Headers([("A", "1"), ("B", "2"), ("C", "3")])

    assert headers[0] == ("A", "1")
    assert headers[1:] == Headers([("B", "2"), ("C", "3")])
    headers[0] = ("D", 4)
    headers[1:] = [("E", 5)]
    assert list(headers) == [("D", "4"), ("E", "5")]
    del headers[0]
    del headers["e"]
    del headers["missing"]
    assert not headers


def test_parameters_are_quoted_and_underscores_become_dashes() -> None:
    headers = Headers()

    headers.add("Content-Disposition", "attachment", filename='a "b".png', x_y=1, nothing=None)
    headers.set("Link", None, rel="next")

    assert headers["Content-Disposition"] == 'attachment; filename="a \\"b\\".png"; x-y=1'
    assert headers["Link"] == "rel=next"


def test_values_of_other_types_become_text() -> None:
    headers = Headers({"N": 5, "B": b"x\xff"})

    assert list(headers) == [("N", "5"), ("B", "x\xff")]


def test_set_takes_the_place_of_the_first() -> None:
    headers = Headers([("A", "1"), ("B", "2"), ("a", "3")])

    headers.set("A", "x")
    assert list(headers) == [("A", "x"), ("B", "2")]
    headers.setlist("b", ["y", "z"])
    assert list(headers) == [("A", "x"), ("b", "y"), ("b", "z")]
    headers.setlist("A", [])
    assert list(headers) == [("b", "y"), ("b", "z")]
    headers.set("C", "w")
    assert headers[-1] == ("C", "w")


def test_pop_takes_by_name_by_position_or_the_last() -> None:
    headers = Headers([("A", "1"), ("B", "2"), ("a", "3"), ("C", "4")])

    assert headers.pop("a") == "1"
    assert headers.pop("a", None) is None
    assert headers.pop(0) == ("B", "2")
    assert headers.pop() == ("C", "4")
    with pytest.raises(IndexError):
        headers.popitem()


def test_update_from_headers_replaces_every_line_of_a_name() -> None:
    headers = Headers([("A", "1"), ("a", "2"), ("B", "3")])

    headers.update(Headers([("A", "x"), ("a", "y"), ("C", "z")]))

    assert list(headers) == [("A", "x"), ("B", "3"), ("a", "y"), ("C", "z")]


def test_update_with_keywords_and_none() -> None:
    headers = Headers()

    headers.update(None, A="1", B=["2", "3"])
    headers.extend(None, C="4")

    assert list(headers) == [("A", "1"), ("B", "2"), ("B", "3"), ("C", "4")]


def test_or_makes_new_headers() -> None:
    headers = Headers({"A": "1"})

    assert headers | {"a": "2"} == Headers({"a": "2"})
    assert headers == Headers({"A": "1"})
    headers |= [("B", "3")]
    assert headers["B"] == "3"
    with pytest.raises(TypeError):
        headers | [("a", "b")]
    with pytest.raises(TypeError):
        headers |= 5


def test_remove_and_clear() -> None:
    headers = Headers([("A", "1"), ("a", "2"), ("B", "3")])

    headers.remove("A")
    assert list(headers) == [("B", "3")]
    headers.clear()
    assert len(headers) == 0


def test_setdefault_returns_what_is_there() -> None:
    headers = Headers({"A": "1"})

    assert headers.setdefault("a", "2") == "1"
    assert headers.setdefault("B", 2) == "2"
    assert headers.setlistdefault("A", ["x"]) == ["1"]
    assert headers.setlistdefault("C", ["x", "y"]) == ["x", "y"]


def test_text_is_the_header_section_of_http_1() -> None:
    assert str(Headers({"A": "1", "B": "2"})) == "A: 1\r\nB: 2\r\n\r\n"
    assert repr(Headers({"A": "1"})) == "Headers([('A', '1')])"


def test_equal_headers_have_equal_lines_in_any_order() -> None:
    assert Headers([("A", "1"), ("B", "2")]) == Headers([("b", "2"), ("a", "1")])
    assert Headers({"A": "1"}) != Headers({"A": "2"})
    assert Headers() != 5
    assert RequestHeaders([(b"A", b"1")]) == Headers({"a": "1"})
    with pytest.raises(TypeError):
        hash(Headers())


def test_copies_change_by_themselves() -> None:
    headers = Headers({"A": "1"})

    for copied in (headers.copy(), copy.copy(headers), copy.deepcopy(headers)):
        copied["A"] = "2"
    wsgi = headers.to_wsgi_list()
    wsgi.clear()

    assert headers["A"] == "1"
    assert pickle.loads(pickle.dumps(headers)) == headers


def test_lines_of_one_name_are_combined_into_its_field_value() -> None:
    headers = RequestHeaders(
        [(b"Accept", b"a"), (b"cookie", b"x=1"), (b"accept", b"b"), (b"Cookie", b"y=2")]
    )

    assert headers.combined("Accept") == "a, b"
    assert headers.combined("Cookie") == "x=1; y=2"
    assert headers.combined("Missing") is None


LINES = [(b"Host", b"a.example"), (b"X-A", b"1"), (b"x-a", b"\xfc"), (b"Cookie", b"c=d")]


def test_request_headers_read_as_headers_do() -> None:
    headers = RequestHeaders(LINES)

    assert isinstance(headers, Headers)
    assert headers["host"] == "a.example"
    assert headers.get("X-A") == "1"
    assert headers.getlist("X-A") == ["1", "ü"]
    assert "cookie" in headers
    assert "Nothing" not in headers
    assert len(headers) == 4
    assert list(headers)[2] == ("x-a", "ü")
    assert headers[0] == ("Host", "a.example")
    with pytest.raises(KeyError):
        headers["nothing"]


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.add("a", "b"),
        lambda h: h.add_header("a", "b"),
        lambda h: h.set("a", "b"),
        lambda h: h.setlist("a", ["b"]),
        lambda h: h.setdefault("a", "b"),
        lambda h: h.setlistdefault("a", ["b"]),
        lambda h: h.extend({"a": "b"}),
        lambda h: h.update({"a": "b"}),
        lambda h: h.remove("host"),
        lambda h: h.pop(),
        lambda h: h.popitem(),
        lambda h: h.clear(),
        lambda h: h.__setitem__("a", "b"),
        lambda h: h.__delitem__("host"),
        lambda h: h.__ior__({"a": "b"}),
    ],
)
def test_request_headers_refuse_every_change(change: Any) -> None:
    headers = RequestHeaders(LINES)

    with pytest.raises(TypeError, match="immutable"):
        change(headers)
    assert len(headers) == 4


def test_copies_of_request_headers_can_be_changed() -> None:
    headers = RequestHeaders(iter(LINES))

    copied = headers.copy()
    copied["Host"] = "b"
    joined = headers | {"Host": "c"}

    assert headers["Host"] == "a.example"
    assert copied["Host"] == "b"
    assert type(joined) is Headers
    assert joined["Host"] == "c"
    with pytest.raises(TypeError):
        headers | 5
    assert list(pickle.loads(pickle.dumps(headers))) == list(headers)


def test_hop_by_hop_and_representation_fields_are_known() -> None:
    for name in ("Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"):
        assert is_hop_by_hop_header(name)
    assert not is_hop_by_hop_header("Content-Type")
    assert is_entity_header("Content-Type")
    assert not is_entity_header("Cookie")


def test_fields_are_removed_in_place_from_headers_and_lists() -> None:
    lines = [("Connection", "close"), ("Content-Type", "a/b"), ("Expires", "0"), ("ETag", '"x"')]
    headers, listed = Headers(lines), list(lines)

    remove_hop_by_hop_headers(headers)
    remove_hop_by_hop_headers(listed)
    assert list(headers) == listed == lines[1:]
    remove_entity_headers(headers)
    remove_entity_headers(listed, allowed=("EXPIRES",))
    assert list(headers) == listed == lines[2:]


names = st.sampled_from(["a", "A", "b", "C-d"])
texts = st.sampled_from(["1", "2", "x y"])
lines = st.lists(st.tuples(names, texts), max_size=5)
OPERATIONS = st.one_of(
    st.tuples(st.sampled_from(["add", "set", "setdefault", "__setitem__"]), names, texts),
    st.tuples(st.sampled_from(["setlist", "setlistdefault"]), names, st.lists(texts, max_size=3)),
    st.tuples(st.sampled_from(["remove", "__delitem__", "get", "getlist", "__contains__"]), names),
    st.tuples(st.just("pop"), names, st.just(None)),
    st.tuples(st.sampled_from(["extend", "update"]), lines),
    st.tuples(
        st.sampled_from(["extend", "update"]),
        st.dictionaries(names, st.one_of(texts, st.lists(texts, max_size=2)), max_size=3),
    ),
)


@given(lines, st.lists(OPERATIONS, max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_run_of_operations_gives_what_werkzeug_gives(start: Any, operations: Any) -> None:
    mine, theirs = Headers(start), oracle.Headers(start)

    for name, *arguments in operations:
        assert getattr(mine, name)(*arguments) == getattr(theirs, name)(*arguments)
        assert list(mine) == list(theirs)

    assert repr(mine) == repr(theirs)
    assert str(mine).split("\r\n") == str(theirs).split("\r\n")


field_names = st.text("abcXYZ-!#09", min_size=1, max_size=8)
field_values = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12).map(
    lambda text: text.replace("\x7f", "")
)


@given(st.lists(st.tuples(field_names, field_values), max_size=6))
@settings(max_examples=80, deadline=None)
def test_lines_read_back_as_they_were_set(pairs: list[tuple[str, str]]) -> None:
    headers = Headers(pairs)
    received = RequestHeaders((k.encode("latin-1"), v.encode("latin-1")) for k, v in headers)

    assert list(received) == pairs
    for name, _ in pairs:
        assert received.getlist(name.swapcase()) == headers.getlist(name)


@given(st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_splits_a_response(text: str) -> None:
    headers = Headers()
    for setting in (lambda: headers.add("A", text), lambda: headers.add(text or "x", "b")):
        try:
            setting()
        except ValueError:
            continue

    written = str(headers).encode("latin-1")
    assert (
        written.count(b"\r\n") == written.count(b"\n") == written.count(b"\r") == len(headers) + 1
    )


def test_every_public_name_of_werkzeugs_class_is_there() -> None:
    wanted = {each for each in dir(oracle.Headers) if not each.startswith("_")}

    assert wanted <= set(dir(Headers))
    assert wanted <= set(dir(RequestHeaders))


def test_request_headers_are_found_by_search_and_by_index() -> None:
    headers = RequestHeaders([*LINES, (b"x-A", b"3")])

    for _ in range(10):  # the first few searches go through the lines, the rest ask an index
        assert headers.getlist("X-a") == ["1", "ü", "3"]
        assert headers.get("nothing") is None
    many = RequestHeaders((f"N-{i}".encode(), b"v") for i in range(50))
    assert many["n-49"] == "v"
