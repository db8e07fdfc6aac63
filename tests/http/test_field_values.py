"""Tokens, quoted strings, lists, dictionaries and sets."""

from typing import Any

import pytest
import werkzeug.datastructures as oracle_structures
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.field_values import (
    HeaderSet,
    decode_extended_value,
    dump_header,
    fold_case,
    is_token,
    parse_dict_header,
    parse_list_header,
    parse_set_header,
    quote_header_value,
    unquote_header_value,
)

PUMPED = 20_000
"""Repeats of a pumped input: a cost that grows with their square would never end."""


@pytest.mark.parametrize("text", ["a", "!#$%&'*+-.^_`|~", "aZ09"])
def test_token_characters_make_a_token(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize("text", ["", "a b", "a\n", "ä", "a,b", '"', "(", "/", "\u212a", "\x7f"])
def test_anything_else_makes_none(text: str) -> None:
    assert not is_token(text)


def test_case_is_folded_in_ascii_only() -> None:
    assert fold_case("ABC-xyz") == "abc-xyz"
    assert fold_case("\u212aEEP-Ä") == "\u212aeep-Ä"


def test_values_are_quoted_where_they_need_it() -> None:
    assert quote_header_value("abc") == "abc"
    assert quote_header_value("abc", allow_token=False) == '"abc"'
    assert quote_header_value("") == '""'
    assert quote_header_value(5) == "5"
    assert quote_header_value('a "b" \\') == '"a \\"b\\" \\\\"'


def test_a_plain_backslash_of_a_file_name_stays() -> None:
    assert unquote_header_value('"C:\\temp\\new.txt"') == "C:\\temp\\new.txt"


@given(st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_quoting_is_undone(text: str) -> None:
    assert unquote_header_value(quote_header_value(text, allow_token=False)) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        (",, ,", []),
        ("a, b,c", ["a", "b", "c"]),
        ('"a,b", c', ["a,b", "c"]),
        ('a="b,c", d', ['a="b,c"', "d"]),
        (r'"a\"b,c"', ['a"b,c']),
        ("\xa0a", ["\xa0a"]),
        ('"open, b', ['"open, b']),
        ('a, "end\\', ["a", '"end\\']),
    ],
)
def test_lists_are_split_at_commas_outside_quotes(value: str, expected: list[str]) -> None:
    assert parse_list_header(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a=b, c", {"a": "b", "c": None}),
        ('a="b, c" , d = e', {"a": "b, c", "d": "e"}),
        ("a=1, a=2", {"a": "2"}),
        ("a*=UTF-8''%C3%BC", {"a": "ü"}),
        ("a*=koi8-r''%C3", {"a": "koi8-r''%C3"}),
        ("a*=b", {"a": "b"}),
        ("*=b, =c, a=", {"a": ""}),
        ('"x y"', {"x y": None}),
    ],
)
def test_dictionaries_are_read(value: str, expected: dict[str, str | None]) -> None:
    assert parse_dict_header(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("UTF-8''%e2%82%ac", "€"),
        ("iso-8859-1'en'%A3", "£"),
        ("utf-8'en-GB'a%FF", "a�"),
        ("utf-16''%00", None),
        ("a", None),
        ("", None),
    ],
)
def test_extended_values_are_decoded_from_known_charsets(value: str, expected: str | None) -> None:
    assert decode_extended_value(value) == expected


def test_lists_and_dictionaries_are_written() -> None:
    assert dump_header(["a", "b c", ""]) == 'a, "b c", ""'
    assert dump_header({"a": "b", "c": "d e", "f": None, "g*": "UTF-8''%C3"}) == (
        "a=b, c=\"d e\", f, g*=UTF-8''%C3"
    )


plain = st.text("abc,;= \\\"'*%1", max_size=12)
tokens = st.text("abcXYZ-1", min_size=1, max_size=6)


@given(st.lists(plain.filter(lambda text: text.strip(" ") == text), max_size=5))
@settings(max_examples=100, deadline=None)
def test_lists_read_back(items: list[str]) -> None:
    assert parse_list_header(dump_header(items)) == items


@given(st.dictionaries(tokens, st.one_of(st.none(), plain), max_size=5))
@settings(max_examples=100, deadline=None)
def test_dictionaries_read_back(items: dict[str, str | None]) -> None:
    assert parse_dict_header(dump_header(items)) == items


@given(st.lists(st.sampled_from(["a", "b", "=", ",", '="c,d"', " ", "\t", "*"]), max_size=10))
@settings(max_examples=200, deadline=None)
def test_lists_and_dictionaries_are_read_as_werkzeug_does(pieces: list[str]) -> None:
    value = "".join(pieces)

    assert parse_list_header(value) == oracle.parse_list_header(value)
    if "*" not in value:
        assert parse_dict_header(value) == oracle.parse_dict_header(value)


@pytest.mark.parametrize("pump", [",", '"', '"a",', "\\", '\\"', " ", 'a="', "a=b,", '","', "a "])
def test_reading_costs_linear_time(pump: str) -> None:
    parse_list_header(pump * PUMPED)
    parse_dict_header(pump * PUMPED)
    parse_set_header(pump * PUMPED)
    unquote_header_value('"' + pump * PUMPED + '"')
    decode_extended_value(pump * PUMPED)


def test_set_has_no_case_and_keeps_its_order() -> None:
    words = HeaderSet(["Accept", "Cookie", "accept"])

    assert list(words) == ["Accept", "Cookie"]
    assert "COOKIE" in words
    assert 5 not in words
    assert words[1] == "Cookie"
    assert words.find("cookie") == 1
    assert words.find("x") == -1
    assert words.index("accept") == 0
    with pytest.raises(IndexError):
        words.index("x")
    assert words.as_set() == {"accept", "cookie"}
    assert words.as_set(preserve_casing=True) == {"Accept", "Cookie"}
    assert words.to_header() == str(words) == "Accept, Cookie"
    assert repr(words) == "HeaderSet(['Accept', 'Cookie'])"
    assert len(words) == 2
    assert words
    assert not HeaderSet()


def test_set_tells_its_changes() -> None:
    seen: list[str] = []
    words = HeaderSet(["a"], lambda changed: seen.append(str(changed)))

    words.add("b")
    words.add("B")
    words.update(["c", "d"])
    words.remove("A")
    words.discard("a")
    words.discard("b")
    words[0] = "x"
    del words[1]
    words.clear()

    assert seen == ["a, b", "a, b, c, d", "b, c, d", "c, d", "x, d", "x", ""]
    with pytest.raises(KeyError):
        words.remove("a")


def test_set_copies_and_joins() -> None:
    seen: list[Any] = []
    words = HeaderSet(["a"], seen.append)

    copied = words.copy()
    copied.add("b")

    assert list(words) == ["a"]
    assert seen == []
    assert set(words | {"b"}) == {"a", "b"}
    assert list(parse_set_header("a, B")) == ["a", "B"]
    assert list(parse_set_header(None)) == []


def test_every_public_name_of_werkzeugs_class_is_there() -> None:
    wanted = {each for each in dir(oracle_structures.HeaderSet) if not each.startswith("_")}

    assert wanted <= set(dir(HeaderSet))
