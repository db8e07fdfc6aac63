import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost import processor_seconds
from groundwire.http.json_limits import JSONLimitExceeded, JSONLimits, check_json

SHALLOW = JSONLimits(max_depth=3)
STRICT = JSONLimits(constants=False)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


values = st.recursive(
    st.none() | st.text(st.sampled_from('a"\\[]{}\n€')) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('k"[{\\'), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 2]), st.booleans())
def test_exactly_what_is_nested_deeper_than_allowed_is_refused(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    for form in (text, text.encode(), text.encode("utf-16"), text.encode("utf-32-le")):
        if depth_of(value) > SHALLOW.max_depth:
            with pytest.raises(JSONLimitExceeded, match="more than 3 deep"):
                check_json(form, SHALLOW)
        else:
            check_json(form, SHALLOW)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', '"x", NaN'])
def test_constants_are_refused_outside_strings_only(text: str) -> None:
    with pytest.raises(JSONLimitExceeded, match="is not JSON"):
        check_json(text, STRICT)
    check_json(text, JSONLimits())
    check_json(json.dumps(text), STRICT)
    check_json('"\\" NaN', STRICT)


@given(st.binary(max_size=40))
def test_octets_that_are_no_json_are_left_to_the_decoder(data: bytes) -> None:
    check_json(data, JSONLimits())


@pytest.mark.parametrize(
    "piece", [b"[", b'{"a":', b"[]", b'"', b'"\\', b"\\", b'"[', b"NaN", b'[{"']
)
def test_time_is_linear_in_the_length(piece: bytes) -> None:
    data = piece * (500_000 // len(piece))

    def check() -> None:
        for limits in (JSONLimits(), STRICT):
            with contextlib.suppress(JSONLimitExceeded):
                check_json(data, limits)

    assert processor_seconds(check, runs=1) < 1.0
