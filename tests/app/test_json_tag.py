"""Tagged JSON, beside Flask's own."""

import uuid
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import flask.json.tag
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from groundwire.app.json_tag import JSONTag, TagDict, TaggedJSONSerializer

OURS = TaggedJSONSerializer()
FLASKS = flask.json.tag.TaggedJSONSerializer()

MILLENNIUM = datetime(1000, 1, 2)
"""Flask takes the year 99 for 1999, even written 0099."""

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.uuids()
    | st.text().map(Markup)
    | st.datetimes(MILLENNIUM)
    | st.datetimes(MILLENNIUM, timezones=st.just(timezone(timedelta(hours=2))))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.sampled_from([*OURS.tags, " t__", "a"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(VALUES)
def test_text_is_flasks_byte_for_byte(value: Any) -> None:
    assert FLASKS.dumps(value) == OURS.dumps(value)


@pytest.mark.slow
@given(VALUES)
def test_flasks_text_is_read_as_flask_reads_it(value: Any) -> None:
    text = FLASKS.dumps(value)

    assert repr(FLASKS.loads(text)) == repr(OURS.loads(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, 2), '{" t":[1,2]}'),
        (b"\xff", '{" b":"/w=="}'),
        (Markup("<b>"), '{" m":"<b>"}'),
        (uuid.UUID(int=1), '{" u":"00000000000000000000000000000001"}'),
        (datetime(2024, 5, 1, tzinfo=UTC), '{" d":"Wed, 01 May 2024 00:00:00 GMT"}'),
        ({" t": 1}, '{" di":{" t__":1}}'),
        ({" di": (1,)}, '{" di":{" di__":{" t":[1]}}}'),
        ({"b": [(1,)], "a": {"x": b""}}, '{"b":[{" t":[1]}],"a":{"x":{" b":""}}}'),
    ],
)
def test_a_value_and_its_text(value: Any, text: str) -> None:
    assert text == OURS.dumps(value)
    assert value == OURS.loads(text)
    assert value == OURS.loads(text.encode())


def test_what_json_does_not_know_and_no_tag_takes_is_an_error() -> None:
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        OURS.dumps({"a": object()})


@pytest.mark.parametrize("text", ['{" t": 5}', '{" u": "x"}', '{" b": "!"}', '{" d": 1}'])
def test_a_tag_with_what_it_never_wrote_is_as_with_flask(text: str) -> None:
    def outcome(serializer: Any) -> Any:
        try:
            return serializer.loads(text)
        except (TypeError, ValueError, AttributeError) as error:
            return isinstance(error, Exception)

    assert outcome(FLASKS) == outcome(OURS)


class TagOrdered(JSONTag):
    __slots__ = ()
    key = " od"

    def check(self, value: Any) -> bool:
        return isinstance(value, OrderedDict)

    def to_json(self, value: Any) -> Any:
        return [[key, self.serializer.tag(inner)] for key, inner in value.items()]

    def to_python(self, value: Any) -> Any:
        return OrderedDict(value)


def test_a_tag_of_ones_own_is_asked_where_it_was_put() -> None:
    value = OrderedDict([("b", (1,)), ("a", 2)])
    serializer = TaggedJSONSerializer()
    serializer.register(TagOrdered, index=0)

    assert '{" od":[["b",{" t":[1]}],["a",2]]}' == serializer.dumps(value)
    assert repr(value) == repr(serializer.loads(serializer.dumps(value)))
    late = TaggedJSONSerializer()
    late.register(TagOrdered)
    assert '{"b":{" t":[1]},"a":2}' == late.dumps(value)


def test_a_tag_is_taken_once() -> None:
    serializer = TaggedJSONSerializer()
    serializer.register(TagOrdered)

    with pytest.raises(KeyError, match="Tag ' od' is already registered"):
        serializer.register(TagOrdered)
    serializer.register(TagOrdered, force=True, index=-1)
    assert isinstance(serializer.order[-2], TagOrdered)
    assert serializer.tags[" od"] is serializer.order[-2]


def test_a_serializer_of_ones_own_has_its_own_tags() -> None:
    class Bare(TaggedJSONSerializer):
        default_tags = [TagDict]

    assert [" di"] == list(Bare().tags)
    assert "[1]" == Bare().dumps((1,))


def test_the_base_class_says_what_has_to_be_defined() -> None:
    tag = JSONTag(OURS)

    for method in (tag.check, tag.to_json, tag.to_python, tag.tag):
        with pytest.raises(NotImplementedError, match="JSONTag has to define"):
            method(1)


def test_there_is_no_pickle() -> None:
    """A cookie can say nothing that runs code, even signed."""
    text = '{" p":"gANjcG9zaXgKc3lzdGVtCnEA"}'

    assert {" p": "gANjcG9zaXgKc3lzdGVtCnEA"} == OURS.loads(text)
