"""Dictionaries and lists that convert, refuse to change, or tell when they changed."""

import copy
import pickle
from typing import Any

import pytest

from groundwire.http.mappings import (
    CallbackDict,
    ImmutableDict,
    ImmutableList,
    ImmutableTypeConversionDict,
    TypeConversionDict,
)


def test_type_conversion_get_converts_what_is_there() -> None:
    assert TypeConversionDict(a="42").get("a", type=int) == 42


def test_type_conversion_get_gives_the_default_for_what_is_missing_or_refused() -> None:
    mapping: TypeConversionDict[str, Any] = TypeConversionDict(a="x", b=None)

    assert mapping.get("a", 7, type=int) == 7
    assert mapping.get("b", 7, type=int) == 7  # int(None) is a TypeError
    assert mapping.get("c", 7, type=int) == 7
    assert mapping.get("c") is None


def test_type_conversion_get_lets_other_errors_through() -> None:
    def broken(_: str) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TypeConversionDict(a="x").get("a", type=broken)


@pytest.mark.parametrize("cls", [ImmutableDict, ImmutableTypeConversionDict])
@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", 2),
        lambda d: d.__delitem__("a"),
        lambda d: d.update(a=2),
        lambda d: d.setdefault("b", 2),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.__ior__({"a": 2}),
    ],
)
def test_immutable_dict_refuses_every_change(cls: type[Any], change: Any) -> None:
    mapping = cls({"a": 1})

    with pytest.raises(TypeError, match="immutable"):
        change(mapping)
    assert dict(mapping) == {"a": 1}


@pytest.mark.parametrize("cls", [ImmutableDict, ImmutableTypeConversionDict])
def test_immutable_dict_is_hashable_picklable_and_copied_mutable(cls: type[Any]) -> None:
    mapping = cls({"a": 1, "b": 2})

    assert hash(mapping) == hash(cls({"b": 2, "a": 1}))
    assert hash(mapping) == hash(mapping)
    assert copy.copy(mapping) is mapping
    again = pickle.loads(pickle.dumps(mapping))
    assert type(again) is cls
    assert again == mapping
    changed = mapping.copy()
    changed["c"] = 3
    assert "c" not in mapping


def test_immutable_dict_of_lists_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(ImmutableDict({"a": []}))


def test_immutable_dict_is_made_from_keys() -> None:
    assert ImmutableDict.fromkeys("ab", 1) == {"a": 1, "b": 1}
    assert type(ImmutableDict.fromkeys("ab")) is ImmutableDict


def test_immutable_dict_shows_its_class() -> None:
    assert repr(ImmutableDict(a=1)) == "ImmutableDict({'a': 1})"


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.append(1),
        lambda x: x.extend([1]),
        lambda x: x.insert(0, 1),
        lambda x: x.remove(1),
        lambda x: x.pop(),
        lambda x: x.reverse(),
        lambda x: x.sort(),
        lambda x: x.clear(),
        lambda x: x.__setitem__(0, 1),
        lambda x: x.__delitem__(0),
        lambda x: x.__iadd__([1]),
        lambda x: x.__imul__(2),
    ],
)
def test_immutable_list_refuses_every_change(change: Any) -> None:
    items = ImmutableList([2, 1])

    with pytest.raises(TypeError, match="immutable"):
        change(items)
    assert list(items) == [2, 1]


def test_immutable_list_is_hashable_and_picklable() -> None:
    items = ImmutableList([1, 2])

    assert hash(items) == hash(ImmutableList([1, 2]))
    assert hash(items) == hash(items)
    assert pickle.loads(pickle.dumps(items)) == items
    assert repr(items) == "ImmutableList([1, 2])"


def changes_of(change: Any, initial: dict[str, int] | None = None) -> list[dict[str, int]]:
    """Return what the dict held at each call of its callback."""
    seen: list[dict[str, int]] = []
    mapping: CallbackDict[str, int] = CallbackDict(
        {"a": 1} if initial is None else initial, lambda d: seen.append(dict(d))
    )
    change(mapping)
    return seen


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.__setitem__("b", 2), [{"a": 1, "b": 2}]),
        (lambda d: d.__delitem__("a"), [{}]),
        (lambda d: d.clear(), [{}]),
        (lambda d: d.popitem(), [{}]),
        (lambda d: d.pop("a"), [{}]),
        (lambda d: d.pop("b", None), []),
        (lambda d: d.setdefault("a", 5), []),
        (lambda d: d.setdefault("b", 5), [{"a": 1, "b": 5}]),
        (lambda d: d.update(b=2, c=3), [{"a": 1, "b": 2, "c": 3}]),
        (lambda d: d.__ior__({"b": 2}), [{"a": 1, "b": 2}]),
    ],
)
def test_callback_dict_tells_each_change_once(change: Any, expected: Any) -> None:
    assert expected == changes_of(change)


def test_callback_dict_pop_without_key_or_default_raises() -> None:
    with pytest.raises(KeyError):
        CallbackDict({}).pop("a")


def test_callback_dict_works_without_a_callback() -> None:
    mapping: CallbackDict[str, int] = CallbackDict()

    mapping["a"] = 1

    assert mapping == {"a": 1}
    assert repr(mapping) == "<CallbackDict {'a': 1}>"
