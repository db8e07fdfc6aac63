"""URLs from values, for one rule."""

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.app.routing import Map, Rule
from groundwire.app.routing.building import encode_query
from groundwire.http.multidict import MultiDict


def built(string: str, values: dict[str, Any], unknown: bool = True, **options: Any) -> Any:
    rule = Rule(string, endpoint="e", **options)
    Map([rule])
    return rule.build(values, unknown)


def test_texts_and_values_are_joined() -> None:
    assert ("", "/a/1-x/b") == built("/a/<int:i>-<x>/b", {"i": 1, "x": "x"})
    assert ("", "/") == built("/", {})


def test_the_domain_is_built_too() -> None:
    assert ("joe.eu", "/x") == built("/<a>", {"u": "joe", "a": "x"}, subdomain="<u>.eu")


def test_a_default_stands_in_for_its_variable() -> None:
    assert ("", "/page/1") == built("/page/<int:n>", {}, defaults={"n": 1})


def test_unknown_values_become_the_query_or_are_left_out() -> None:
    assert ("", "/?q=1&r=a+b") == built("/", {"q": 1, "r": "a b"})
    assert ("", "/") == built("/", {"q": 1}, unknown=False)
    assert ("", "/") == built("/", {"q": None})
    assert ("", "/") == built("/", {"q": []})
    assert ("", "/") == built("/", {"d": 2}, defaults={"d": 2})


def test_a_value_that_is_missing_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        built("/<a>", {})


def test_a_rule_is_suitable_when_values_are_enough_and_agree_with_defaults() -> None:
    rule = Rule("/<a>", endpoint="e", methods=["GET"], defaults={"b": 1})
    Map([rule])

    assert rule.suitable_for({"a": 1})
    assert rule.suitable_for({"a": 1, "b": 1}, "GET")
    assert not rule.suitable_for({"a": 1, "b": 2})
    assert not rule.suitable_for({"b": 1})
    assert not rule.suitable_for({"a": 1}, "PUT")
    assert Rule("/").suitable_for({}, "PUT")


def test_a_query_is_quoted_as_the_url_standard_says() -> None:
    assert "a=%26%3D%23%2B+%22&b=!$'()*,/:;?@" == encode_query(
        {"a": '&=#+ "', "b": "!$'()*,/:;?@", "c": None}
    )
    assert "a=1&a=2&b=%C3%BC" == encode_query(MultiDict([("a", 1), ("a", 2), ("b", "ü")]))
    assert "a=1" == encode_query([("a", 1)])


@given(st.text(min_size=1).filter(lambda text: "/" not in text and text.isprintable()))
def test_what_is_built_leads_back_to_the_value(text: str) -> None:
    adapter = Map([Rule("/x/<value>", endpoint="e")]).bind("h")

    assert ("e", {"value": text}) == adapter.match(unquote(adapter.build("e", {"value": text})))
