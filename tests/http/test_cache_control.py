"""Cache-Control of requests and responses."""

from typing import Any

import pytest
import werkzeug.datastructures as oracle_structures
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import groundwire.http.cache_control as ours
from groundwire.http.cache_control import (
    RequestCacheControl,
    ResponseCacheControl,
    cache_control_property,
    parse_cache_control_header,
)

FLAGS = [
    "no_store", "no_transform", "public", "must_revalidate", "proxy_revalidate", "immutable",
    "must_understand",
]  # fmt: skip
NUMBERS = ["max_age", "s_maxage", "stale_if_error", "stale_while_revalidate"]


def test_directives_of_a_request_are_read() -> None:
    control = parse_cache_control_header(
        "No-Cache, max-age=5, max-stale, min-fresh=x, only-if-cached"
    )

    assert type(control) is RequestCacheControl
    assert control.no_cache is True
    assert control.max_age == 5
    assert control.max_stale is True
    assert control.min_fresh is None
    assert control.only_if_cached is True
    assert control.no_store is False
    assert control.provided
    assert parse_cache_control_header("max-stale=7").max_stale == 7
    assert parse_cache_control_header("max-age=٣").max_age is None
    assert parse_cache_control_header("max-age=" + "9" * 5000).max_age is None


def test_absent_field_is_told_from_one_without_directives() -> None:
    assert not parse_cache_control_header(None).provided
    assert not parse_cache_control_header("", cls=ResponseCacheControl).provided
    assert ResponseCacheControl().provided


def test_directives_of_a_request_cannot_be_changed() -> None:
    control = parse_cache_control_header("max-age=5")

    with pytest.raises(TypeError):
        control.max_age = 7
    with pytest.raises(TypeError):
        control["max-age"] = "7"
    with pytest.raises(TypeError):
        del control.max_age


@pytest.mark.parametrize("name", FLAGS)
def test_flag_is_set_and_removed(name: str) -> None:
    control = ResponseCacheControl()

    setattr(control, name, True)
    assert getattr(control, name) is True
    assert control.to_header() == name.replace("_", "-")
    setattr(control, name, 0)
    assert getattr(control, name) is False
    setattr(control, name, 1)
    delattr(control, name)
    assert str(control) == ""


@pytest.mark.parametrize("name", NUMBERS)
def test_number_is_set_and_removed(name: str) -> None:
    control = ResponseCacheControl()

    setattr(control, name, 5)
    assert getattr(control, name) == 5
    setattr(control, name, "7")
    assert getattr(control, name) == 7
    setattr(control, name, 0)
    assert getattr(control, name) == 0
    with pytest.raises(ValueError, match="invalid literal"):
        setattr(control, name, "x")
    setattr(control, name, None)
    assert name.replace("_", "-") not in control


def test_text_is_set_to_fields_or_to_all() -> None:
    control = ResponseCacheControl()

    control.private = "x, y"
    control.no_cache = True
    assert str(control) == 'private="x, y", no-cache'
    assert control.private == "x, y"
    assert control.no_cache is True
    control.no_cache = False
    assert control.no_cache is None


def test_each_change_is_told() -> None:
    seen: list[str] = []
    control = parse_cache_control_header(
        "public", lambda changed: seen.append(str(changed)), ResponseCacheControl
    )

    control.max_age = 5
    control.public = False
    control.private = None

    assert seen == ["public, max-age=5", "max-age=5"]
    assert repr(control) == "<ResponseCacheControl max-age='5'>"
    assert isinstance(ResponseCacheControl.max_age.__doc__, str)


pieces = st.lists(
    st.sampled_from(["max-age=5", "no-cache", 'no-cache="a, b"', "private", "x=y", "max-stale=z"]),
    max_size=5,
)
attributes = st.lists(
    st.tuples(
        st.sampled_from([*FLAGS, *NUMBERS, "no_cache", "private"]),
        st.sampled_from([True, False, None, 0, 5]),
    ),
    max_size=5,
)


@given(pieces, attributes)
@settings(max_examples=150, deadline=None)
def test_directives_are_read_and_set_as_werkzeug_does(values: list[str], changes: Any) -> None:
    header = ", ".join(values)
    mine: Any = parse_cache_control_header(header, cls=ResponseCacheControl)
    theirs: Any = oracle.parse_cache_control_header(
        header, cls=oracle_structures.ResponseCacheControl
    )

    for name, value in changes:
        setattr(mine, name, value)
        setattr(theirs, name, value)
        assert getattr(mine, name) == getattr(theirs, name)

    assert dict(mine) == dict(theirs)
    assert mine.to_header() == theirs.to_header()
    assert repr(mine) == repr(theirs)


def test_extension_is_added_in_a_subclass() -> None:
    class Extended(ResponseCacheControl):
        community = ResponseCacheControl.cache_property("community", None, None)
        ratio = cache_control_property("ratio", 1.0, float, "A ratio.")

    control = Extended({"community": "UCI", "ratio": None})

    assert control.community == "UCI"
    assert control.ratio == 1.0
    control.ratio = "0.5"
    assert control["ratio"] == "0.5"
    assert control.ratio == 0.5
    control["ratio"] = "x"
    assert control.ratio is None
    assert Extended.ratio.__doc__ == "A ratio."


def test_every_public_name_of_werkzeugs_classes_is_there() -> None:
    for name in ("RequestCacheControl", "ResponseCacheControl"):
        theirs = getattr(oracle_structures, name)
        assert {each for each in dir(theirs) if not each.startswith("_")} <= set(
            dir(getattr(ours, name))
        )
