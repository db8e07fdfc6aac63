"""The parts of a rule, and what they are able to take."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.app.routing import Map, Rule
from groundwire.app.routing.parts import ANY_TEXT, DIGITS, PATTERN, REST, Part, take_chain


def parts_of(rule: str) -> tuple[Part, ...]:
    made = Rule(rule, endpoint="e")
    Map([made])
    return made.parts[1:]


def test_there_is_a_part_for_each_segment() -> None:
    assert ["", "a", "<int:b>", ""] == [part.source for part in parts_of("/a/<int:b>/")]


def test_a_part_that_crosses_slashes_takes_the_rest() -> None:
    first, last = parts_of("/<path:p>/edit/<x>")

    assert (True, False) == (first.static, last.static)
    assert last.final
    assert "<path:p>/edit/<x>" == last.source
    assert "<Part '<path:p>/edit/<x>'>" == repr(last)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("/<a>", ANY_TEXT),
        ("/<int:a>", DIGITS),
        ("/<int(min=3):a>", DIGITS),
        ("/<int(signed=True):a>", PATTERN),
        ("/<string(length=2):a>", PATTERN),
        ("/<a>.txt", PATTERN),
        ("/<path:a>", REST),
        ("/<path:a>/", PATTERN),
        ("/<path:a>/x", PATTERN),
    ],
)
def test_the_common_kinds_need_no_regular_expression(rule: str, kind: int) -> None:
    assert kind == parts_of(rule)[-1].kind


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("/<path:a>", None),
        ("/<path:a>/edit", None),
        ("/<path:a>/<b>", None),
        ("/<path:a>/<int:b>.txt", None),
        ("/<int:a>-<int:b>", None),
        ("/<int:a>.<b>", None),
        ("/<int:a><b>", 2048),
        ("/<a>-<int:b>", None),
        ("/<a>1<int:b>", 2048),
        ("/<path:a>/<path:b>", 2048),
        ("/<path:a>-<b>", 2048),
        ("/<path:a>/<path:b>/<path:c>", 256),
        ("/<path:a>/<path:b>/<path:c>/<path:d>/<path:e>", 96),
    ],
)
def test_variables_that_compete_have_a_limit(rule: str, limit: int | None) -> None:
    assert limit == parts_of(rule)[-1].limit_characters


def test_what_is_longer_than_the_limit_does_not_match() -> None:
    part = parts_of("/<path:a>/<path:b>")[-1]

    assert ("a", "b" * 2046) == part.take("a/" + "b" * 2046)
    assert part.take("a/" + "b" * 2047) is None


TEXTS = st.sampled_from(["", "-", "--", ".", "a", "-a"])


@given(st.lists(TEXTS, min_size=2, max_size=5), st.text("-a.b", max_size=14))
def test_a_chain_takes_what_a_greedy_regular_expression_takes(
    texts: list[str], segment: str
) -> None:
    match = re.fullmatch("([^/]+)".join([re.escape(text) for text in texts]), segment)

    if segment.startswith(texts[0]) and segment.endswith(texts[-1]):
        assert (None if match is None else match.groups()) == take_chain(tuple(texts), segment)
    else:
        assert match is None


@pytest.mark.parametrize(
    ("rule", "text", "values"),
    [
        ("/v<int:a>.<int:b>x", "v1.2x", ("1", "2")),
        ("/v<int:a>.<int:b>x", "1.2x", None),
        ("/v<int:a>.<int:b>x", "v1.2", None),
        ("/v<int:a>.<int:b>x", "v12x", None),
        ("/v<int:a>.<int:b>x", "va.bx", None),
        ("/<path:a>/x/<int:b>/", "p/x/1", ("p", "1", "")),
        ("/<path:a>/x/<int:b>/", "p/x/1/", ("p", "1", "/")),
        ("/<path:a>/x/y/", "p/x/y", ("p", "")),
        ("/<path:a>/x/y/", "p/x/z", None),
        ("/<path:a>/", "p//", None),
    ],
)
def test_a_part_takes_the_texts_of_its_variables(
    rule: str, text: str, values: tuple[str, ...] | None
) -> None:
    part = next(part for part in parts_of(rule) if not part.static)

    assert values == part.take(text)


def test_a_chain_takes_a_segment_of_any_length() -> None:
    part = parts_of("/<a>-<b>-<c>")[-1]

    assert ("-" * 8188, "-", "-") == part.take("-" * 8192)


def test_equal_parts_have_equal_keys() -> None:
    def key(rule: str) -> Any:
        return parts_of(rule)[-1].key

    assert key("/<int:a>") == key("/<int(min=3):other>")
    assert key("/<int:a>") != key("/<a>")
    assert key("/<path:a>/") != key("/<path:a>")
