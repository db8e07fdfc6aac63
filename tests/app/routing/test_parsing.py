"""Rule strings and converter arguments, taken apart."""

from typing import Any

import pytest
import werkzeug.routing.rules as oracle
from hypothesis import given
from hypothesis import strategies as st

from groundwire.app.routing.parsing import Variable, parse_converter_args, tokenize


def test_a_rule_is_slashes_texts_and_variables() -> None:
    assert [
        "/",
        "users",
        "/",
        Variable("id", "int", "min=1", "<int(min=1):id>"),
        ".",
        Variable("ext", "default", "", "<ext>"),
        "/",
    ] == list(tokenize("/users/<int(min=1):id>.<ext>/"))


def test_nothing_is_no_token() -> None:
    assert [] == list(tokenize(""))


@pytest.mark.parametrize(
    "rule", ["/<", "/<>", "/<a", "/<1a>", "/<int:>", "/<a b>", "/<a:b:c>", "/<<a>>"]
)
def test_a_malformed_variable_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="malformed url rule"):
        list(tokenize(rule))


def test_a_refusal_shows_where_it_is_and_what_would_be_right() -> None:
    with pytest.raises(ValueError, match=r"'<int id>'.*<int:name>"):
        list(tokenize("/a/<int id>"))


@pytest.mark.parametrize(
    ("text", "positional", "named"),
    [
        ("", (), {}),
        ("  ", (), {}),
        ("a", ("a",), {}),
        ("a, b,c", ("a", "b", "c"), {}),
        ("a,", ("a",), {}),
        ("1, 2.5, -3", (1, 2.5, -3), {}),
        ("True, False, None", (True, False, None), {}),
        ("\"a, b\", 'c d', '5'", ("a, b", "c d", "5"), {}),
        ("u'x'", ("x",), {}),
        ('""', ("",), {}),
        ("min=1, max = 2", (), {"min": 1, "max": 2}),
        ("1, signed=True", (1,), {"signed": True}),
        ("min=-3", (), {"min": -3}),
        ("2020-01", ("2020-01",), {}),
        ("[a-z]+", ("[a-z]+",), {}),
    ],
)
def test_arguments_are_python_values_words_and_quoted_text(
    text: str, positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    assert (positional, named) == parse_converter_args(text)


@pytest.mark.parametrize("text", [",", "a b", "min=", "=1", "a,,b", "'a", 'a"b"', "a='b'c"])
def test_arguments_that_are_no_list_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot parse converter argument"):
        parse_converter_args(text)


WORDS = st.sampled_from(["a", "b1", "x_y", "1", "2.5", "True", "None", '"a, b"', "'q'", "v.w"])


@given(
    st.lists(st.tuples(st.sampled_from(["", "", "k=", "k = ", "m="]), WORDS), max_size=4),
)
def test_arguments_are_read_as_in_werkzeug(items: list[tuple[str, str]]) -> None:
    # With a space after each comma: without it Werkzeug takes "1,2" for one value.
    text = ", ".join(name + word for name, word in items)

    assert oracle.parse_converter_args(text) == parse_converter_args(text)


def test_numbers_need_no_space_between_them() -> None:
    assert ((1, 2), {}) == parse_converter_args("1,2")
