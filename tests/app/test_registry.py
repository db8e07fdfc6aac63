"""Dicts and lists that tell when they change."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from groundwire.app.registry import TrackedDict, TrackedList


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lambda values: values.append(9), [3, 1, 2, 9]),
        (lambda values: values.extend([9]), [3, 1, 2, 9]),
        (lambda values: values.insert(0, 9), [9, 3, 1, 2]),
        (lambda values: values.remove(1), [3, 2]),
        (lambda values: values.pop(), [3, 1]),
        (lambda values: values.clear(), []),
        (lambda values: values.sort(), [1, 2, 3]),
        (lambda values: values.reverse(), [2, 1, 3]),
        (lambda values: values.__setitem__(0, 9), [9, 1, 2]),
        (lambda values: values.__delitem__(0), [1, 2]),
        (lambda values: values.__iadd__([9]), [3, 1, 2, 9]),
        (lambda values: values.__imul__(0), []),
    ],
)
def test_each_change_of_a_list_is_told(
    change: Callable[[list[int]], Any], after: list[int]
) -> None:
    told: list[int] = []
    values = TrackedList(lambda: told.append(1), [3, 1, 2])

    change(values)

    assert (after, [1]) == (values, told)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lambda values: values.__setitem__("b", 2), {"a": 1, "b": 2}),
        (lambda values: values.__delitem__("a"), {}),
        (lambda values: values.pop("a"), {}),
        (lambda values: values.popitem(), {}),
        (lambda values: values.clear(), {}),
        (lambda values: values.setdefault("b", 2), {"a": 1, "b": 2}),
        (lambda values: values.update(b=2), {"a": 1, "b": 2}),
        (lambda values: values.update([("b", 2)]), {"a": 1, "b": 2}),
        (lambda values: values.__ior__({"b": 2}), {"a": 1, "b": 2}),
    ],
)
def test_each_change_of_a_dict_is_told(
    change: Callable[[dict[str, int]], Any], after: dict[str, int]
) -> None:
    told: list[int] = []
    values: TrackedDict[str, int] = TrackedDict(lambda: told.append(1))
    values["a"] = 1
    told.clear()

    change(values)

    assert (after, [1]) == (values, told)


def test_change_that_fails_is_told_too() -> None:
    told: list[int] = []
    values: TrackedList[int] = TrackedList(lambda: told.append(1))

    with pytest.raises(IndexError):
        values.pop()

    assert [1] == told


def test_reading_is_not_told() -> None:
    told: list[int] = []
    values: TrackedDict[str, int] = TrackedDict(lambda: told.append(1))
    values["a"] = 1
    told.clear()

    assert (1, None, 1) == (values["a"], values.get("b"), values.setdefault("a", 5))
    with pytest.raises(KeyError):
        values["b"]
    assert [] == told


def test_missing_value_is_made_as_in_a_defaultdict() -> None:
    values: TrackedDict[str, list[int]] = TrackedDict(lambda: None, list)

    values["a"].append(1)

    assert {"a": [1]} == values


def test_what_is_put_in_tells_too() -> None:
    told: list[int] = []
    values: TrackedDict[str, Any] = TrackedDict(lambda: told.append(1))
    inner: defaultdict[str, dict[str, int]] = defaultdict(dict, {"x": {"y": 1}})
    values.update({"list": [1], "dict": inner, "same": TrackedList(lambda: None)})
    told.clear()

    values["list"].append(2)
    values["dict"]["x"]["y"] = 2
    values["dict"]["made"]["z"] = 3

    assert {"x": {"y": 2}, "made": {"z": 3}} == values["dict"]
    assert [1] * 4 == told
