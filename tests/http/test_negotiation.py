"""Content negotiation: weights, specificity and the best match."""

from typing import Any

import pytest
import werkzeug.datastructures as oracle_structures
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import groundwire.http.negotiation as ours
from groundwire.http.negotiation import (
    Accept,
    CharsetAccept,
    LanguageAccept,
    MIMEAccept,
    parse_accept_header,
)


@pytest.mark.parametrize(
    ("weight", "quality"),
    [
        ("q=1", 1),
        ("q=0", 0),
        ("q=0.5", 0.5),
        ("q=0.123", 0.123),
        ("q=1.000", 1),
        ("q=0.", 0),
        ("Q=0.5", 0.5),
        ("q=0.3333", 0.3333),
        ("level=1", 1),
        ('a=";q=0"', 1),
        ('a="b";q=0.5', 0.5),
        ("q=" + "0." + "3" * 5000, 0.33333333333333),
    ],
)
def test_weight_is_read(weight: str, quality: float) -> None:
    assert [each[1] for each in parse_accept_header(f"a;{weight}")] == [quality]


@pytest.mark.parametrize(
    "weight",
    [
        "q=1.5",
        "q=-1",
        "q=2",
        "q=x",
        "q=1.001",
        "q=.5",
        "q=1e0",
        "q=",
        "Q = ",
        "q=inf",
        "q=nan",
        "q=٠",
    ],
)
def test_item_whose_weight_is_none_is_left_out(weight: str) -> None:
    assert list(parse_accept_header(f"a;{weight}, b").values()) == ["b"]


def test_absent_field_is_told_from_an_empty_list() -> None:
    assert not parse_accept_header(None).provided
    assert not parse_accept_header("").provided
    assert parse_accept_header(",").provided
    assert Accept().provided
    assert not Accept(Accept(None)).provided


def test_items_come_by_specificity_then_quality() -> None:
    accept = parse_accept_header(
        "text/*;q=0.3, text/html;q=0.7, text/html;level=1, text/html;level=2;q=0.4, */*;q=0.5",
        MIMEAccept,
    )

    assert list(accept.values()) == [
        "text/html;level=1".replace(";", "; "),
        "text/html; level=2",
        "text/html",
        "text/*",
        "*/*",
    ]


@pytest.mark.parametrize(
    ("media_type", "quality"),
    [
        ("text/html;level=1", 1),
        ("text/html", 0.7),
        ("text/plain", 0.3),
        ("image/jpeg", 0.5),
        ("text/html;level=2", 0.4),
        ("text/html;level=3", 0.7),
    ],
)
def test_example_of_rfc_9110_section_12_5_1(media_type: str, quality: float) -> None:
    accept = parse_accept_header(
        "text/*;q=0.3, text/html;q=0.7, text/html;level=1, text/html;level=2;q=0.4, */*;q=0.5",
        MIMEAccept,
    )

    assert accept[media_type] == quality


def test_best_match_follows_the_most_specific_item() -> None:
    accept = parse_accept_header("text/html;q=0, */*", MIMEAccept)

    assert accept.best_match(["text/html", "text/plain"]) == "text/plain"
    assert accept.best_match(["text/html"]) is None
    assert accept.best_match(["text/html"], "none") == "none"
    assert accept.best_match([]) is None


def test_best_match_of_equals_is_the_first() -> None:
    accept = parse_accept_header("text/html, application/json", MIMEAccept)

    assert accept.best_match(["application/json", "text/html"]) == "application/json"
    assert accept.best_match(["text/html;v=1", "text/html"]) == "text/html"
    assert parse_accept_header("*/*, text/html", MIMEAccept).best_match(["a/b", "text/html"]) == (
        "text/html"
    )


def test_browser_and_api_client_get_what_they_asked_for() -> None:
    browser = parse_accept_header(
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", MIMEAccept
    )
    choices = ["application/json", "text/html"]

    assert browser.best_match(choices) == "text/html"
    assert browser.accept_html
    assert browser.accept_xhtml
    assert browser.accept_json
    api = parse_accept_header("application/json", MIMEAccept)
    assert api.best_match(choices) == "application/json"
    assert api.accept_json
    assert not api.accept_html


def test_index_find_and_item() -> None:
    accept = parse_accept_header("b;q=0.5, a")

    assert accept[0] == ("a", 1)
    assert accept[:1] == [("a", 1)]
    assert accept["b"] == 0.5
    assert accept["z"] == 0
    assert accept.quality("A") == 1
    assert accept.index("b") == 1
    assert accept.index(("b", 0.5)) == 1
    assert accept.find(("b", 0.5)) == 1
    assert accept.find(("z", 0.5)) == -1
    assert accept.find("z") == -1
    with pytest.raises(ValueError, match="z"):
        accept.index("z")
    assert ("b", 0.5) in accept
    assert 5 not in accept
    assert accept.best == "a"
    assert Accept().best is None
    assert str(accept) == accept.to_header() == "a,b;q=0.5"
    assert repr(accept) == "Accept([('a', 1.0), ('b', 0.5)])"


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        parse_accept_header("a").append(("b", 1))
    assert hash(parse_accept_header("a")) == hash(parse_accept_header("a"))


def test_malformed_media_types() -> None:
    accept = parse_accept_header("*/html, text, text/html", MIMEAccept)

    assert accept["image/html"] == 0
    assert accept["text/html"] == 1
    assert accept["*/*"] == 1
    assert accept["text/*"] == 1
    with pytest.raises(ValueError, match="invalid mimetype"):
        accept.quality("text")
    with pytest.raises(ValueError, match="invalid mimetype"):
        accept.quality("*/html")


@pytest.mark.parametrize(
    ("header", "choices", "expected"),
    [
        ("en-US,en;q=0.5", ["en-us", "de"], "en-us"),
        ("en_us", ["en-US"], "en-US"),
        ("en-US", ["en", "de"], "en"),
        ("en", ["de", "en-GB"], "en-GB"),
        ("fr;q=0.5, en-US", ["fr", "en"], "fr"),
        ("zh-Hant", ["zh-Hans"], None),
        ("*", ["de"], "de"),
        ("", ["de"], None),
    ],
)
def test_best_language(header: str, choices: list[str], expected: str | None) -> None:
    assert parse_accept_header(header, LanguageAccept).best_match(choices) == expected


def test_charsets_go_by_several_names() -> None:
    accept = parse_accept_header("UTF8, latin-1;q=0.5, made-up;q=0.1", CharsetAccept)

    assert accept["utf-8"] == 1
    assert accept["iso-8859-1"] == 0.5
    assert accept["utf_8"] == 1
    assert accept["MADE-UP"] == 0.1
    assert accept["other"] == 0


ITEMS = st.sampled_from(
    ["text/html", "*/*", "text/*", "a/b", "*", "en", "en-us", "en_GB", "de", "utf-8", "UTF8"]
)
WEIGHTS = st.sampled_from(["", ";q=0.5", ";q=0", ";q=1", ";q=0.25", ";q=0.999"])
headers = st.lists(st.tuples(ITEMS, WEIGHTS).map("".join), max_size=6).map(", ".join)
CHOICES = {
    "Accept": ["text/html", "en", "a/b", "utf-8"],
    "MIMEAccept": ["a/b", "text/html", "text/plain"],
    "LanguageAccept": ["de", "en", "en-us", "fr"],
    "CharsetAccept": ["latin1", "utf-8"],
}


@pytest.mark.parametrize("name", CHOICES)
@given(header=headers)
@settings(max_examples=100, deadline=None)
def test_values_are_weighed_as_werkzeug_does(name: str, header: str) -> None:
    mine: Any = parse_accept_header(header, getattr(ours, name))
    theirs: Any = oracle.parse_accept_header(header, getattr(oracle_structures, name))

    assert list(mine) == list(theirs)
    assert list(parse_accept_header(mine.to_header(), type(mine))) == list(mine)
    for choice in CHOICES[name]:
        assert mine[choice] == theirs[choice]
        assert (choice in mine) == (choice in theirs)
        assert mine.find(choice) == theirs.find(choice)


@given(headers)
@settings(max_examples=150, deadline=None)
def test_best_match_has_the_highest_quality(header: str) -> None:
    accept = parse_accept_header(header, MIMEAccept)
    choices = CHOICES["MIMEAccept"]
    best = accept.best_match(choices)
    highest = max(accept[choice] for choice in choices)

    assert highest == (0 if best is None else accept[best])


@pytest.mark.parametrize("pump", [",", "a,", "a;q=0.5,", ";", '"', "a;", "q=0,", "*/*;q=0."])
def test_reading_costs_linear_time(pump: str) -> None:
    for cls in (Accept, MIMEAccept, LanguageAccept, CharsetAccept):
        parse_accept_header(pump * 10_000, cls).find("a/b")


def test_every_public_name_of_werkzeugs_classes_is_there() -> None:
    for name in CHOICES:
        wanted = {
            each for each in dir(getattr(oracle_structures, name)) if not each.startswith("_")
        }
        assert wanted <= set(dir(getattr(ours, name)))
