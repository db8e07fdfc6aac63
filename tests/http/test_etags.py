"""Entity tags: read, written and compared."""

import pytest
import werkzeug.datastructures as oracle_structures
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.etags import ETags, generate_etag, parse_etags, quote_etag, unquote_etag


@pytest.mark.parametrize(
    ("value", "strong", "weak"),
    [
        (None, [], []),
        ("", [], []),
        ('"a"', ["a"], []),
        ('"a", W/"b"', ["a"], ["b"]),
        ('W/"a","b,c" , "d"', ["b,c", "d"], ["a"]),
        ('""', [""], []),
        ('"a\xff!#"', ["a\xff!#"], []),
        ("a, b", ["a", "b"], []),
        ("W/a", [], ["a"]),
        (',,"a",,"b",', ["a", "b"], []),
        ('\t"a"\t', ["a"], []),
    ],
)
def test_lists_of_tags_are_read(value: str | None, strong: list[str], weak: list[str]) -> None:
    tags = parse_etags(value)

    assert list(tags) == strong
    assert tags.as_set() == set(strong)
    assert tags.as_set(include_weak=True) == {*strong, *weak}
    assert all(tags.is_weak(tag) for tag in weak)
    assert len(tags) == len(strong)
    assert bool(tags) == bool(strong or weak)


@pytest.mark.parametrize(
    "value", ['"a', '"a""b"', '"a" "b"', '"a"b', "a b", 'a"b"', '"a", "', "a;"]
)
def test_of_a_malformed_list_nothing_counts(value: str) -> None:
    if value == "a;":
        assert list(parse_etags(value)) == ["a;"]
    else:
        assert not parse_etags(value)


@pytest.mark.parametrize("value", ["*", " * ", "*,"])
def test_star_matches_every_tag(value: str) -> None:
    tags = parse_etags(value)

    assert tags.star_tag
    assert tags
    assert "x" in tags
    assert tags.contains("x")
    assert tags.contains_weak("x")
    assert tags.to_header() == "*"
    assert list(tags) == []


def test_comparison_is_strong_or_weak() -> None:
    tags = parse_etags('"s", W/"w"')

    assert "s" in tags
    assert "w" not in tags
    assert 5 not in tags
    assert tags.contains_weak("w")
    assert tags.contains_weak("s")
    assert not tags.contains_weak("x")
    assert tags.is_strong("s")
    assert not tags.is_strong("w")
    assert tags.contains_raw('"s"')
    assert not tags.contains_raw('"w"')
    assert tags.contains_raw('W/"s"')
    assert tags.contains_raw('W/"w"')
    assert not tags.contains_raw("")


def test_calling_asks_for_a_tag_or_for_data() -> None:
    tags = ETags([generate_etag(b"data")], ["w"])

    assert tags(data=b"data")
    assert not tags(data=b"other")
    assert not tags("w")
    assert tags("w", include_weak=True)
    with pytest.raises(TypeError):
        tags()


def test_equality_is_that_of_the_tags() -> None:
    assert ETags(["a", "b"], ["c"]) == ETags(["b", "a"], ["c"])
    assert ETags(["a"]) != ETags([], ["a"])
    assert ETags(["a"]) != ETags(star_tag=True)
    assert ETags() != 5
    assert repr(ETags(["a"])) == "<ETags '\"a\"'>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, (None, None)),
        ("", (None, None)),
        ('"a"', ("a", False)),
        ('W/"a"', ("a", True)),
        ('w/"a"', ("a", True)),
        ("a", ("a", False)),
        (' "a" ', ("a", False)),
        ('"', ('"', False)),
    ],
)
def test_quotes_are_taken_off(value: str | None, expected: object) -> None:
    assert unquote_etag(value) == expected


def test_tag_with_a_quote_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="double quote"):
        quote_etag('a"b')
    with pytest.raises(ValueError, match="double quote"):
        ETags(['a"b']).to_header()


opaque = st.text("ab1,;/W* \xff", max_size=5)


@given(st.lists(opaque, max_size=4), st.lists(opaque, max_size=4))
@settings(max_examples=100, deadline=None)
def test_tags_read_back(strong: list[str], weak: list[str]) -> None:
    tags = ETags(strong, weak)

    assert parse_etags(tags.to_header()) == tags
    for tag in weak:
        assert unquote_etag(quote_etag(tag, weak=True)) == (tag, True)


@given(st.lists(st.sampled_from(['"a"', 'W/"b"', "c", '"d,e"', "", 'w/"a"']), max_size=5))
@settings(max_examples=80, deadline=None)
def test_lists_are_read_as_werkzeug_does(pieces: list[str]) -> None:
    mine, theirs = parse_etags(", ".join(pieces)), oracle.parse_etags(", ".join(pieces))

    assert mine.as_set() == theirs.as_set()
    assert mine.as_set(include_weak=True) == theirs.as_set(include_weak=True)
    for tag in ("a", "b", "c", "x"):
        for method in ("contains", "contains_weak", "is_weak", "is_strong", "contains_raw"):
            assert getattr(mine, method)(tag) == getattr(theirs, method)(tag)


def test_tag_of_data_is_werkzeugs() -> None:
    assert generate_etag(b"abc") == oracle.generate_etag(b"abc")


@pytest.mark.parametrize("pump", ["a", '"', '"a",', " ", ",", "W/", "a ", '" ', "\xff"])
def test_reading_costs_linear_time(pump: str) -> None:
    parse_etags(pump * 30_000 + '"')
    parse_etags("a" + pump * 30_000)


def test_every_public_name_of_werkzeugs_class_is_there() -> None:
    assert {each for each in dir(oracle_structures.ETags) if not each.startswith("_")} <= set(
        dir(ETags)
    )
