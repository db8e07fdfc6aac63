"""Dictionaries with several values for a key, beside Werkzeug's."""

import copy
import json
import pickle
from typing import Any

import pytest
import werkzeug.datastructures as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import groundwire.http.multidict as ours
from groundwire.http.mappings import MissingKey
from groundwire.http.multidict import CombinedMultiDict, ImmutableMultiDict, MultiDict

Pairs = list[tuple[str, int]]
pairs = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=8)


def test_first_value_is_read_and_all_are_kept() -> None:
    mapping = MultiDict([("a", 1), ("a", 2), ("b", 3)])

    assert mapping["a"] == 1
    assert mapping.getlist("a") == [1, 2]
    assert list(mapping.items()) == [("a", 1), ("b", 3)]
    assert list(mapping.items(multi=True)) == [("a", 1), ("a", 2), ("b", 3)]
    assert list(mapping.values()) == [1, 3]
    assert list(mapping.lists()) == [("a", [1, 2]), ("b", [3])]
    assert list(mapping.listvalues()) == [[1, 2], [3]]
    assert len(mapping) == 2


@pytest.mark.parametrize(
    "source",
    [
        [("a", 1), ("a", 2)],
        {"a": [1, 2]},
        {"a": (1, 2)},
        MultiDict([("a", 1), ("a", 2)]),
        iter([("a", 1), ("a", 2)]),
    ],
)
def test_it_is_made_from_pairs_mappings_and_its_like(source: Any) -> None:
    assert MultiDict(source).getlist("a") == [1, 2]


def test_a_key_with_an_empty_list_is_left_out() -> None:
    assert "a" not in MultiDict({"a": []})


def test_made_from_another_it_shares_no_lists() -> None:
    first = MultiDict({"a": [1]})
    second = MultiDict(first)

    second.add("a", 2)

    assert first.getlist("a") == [1]


def test_plain_dict_of_it_has_first_values() -> None:
    mapping = MultiDict([("a", 1), ("a", 2)])

    assert dict(mapping) == {"a": 1}
    assert {**mapping} == {"a": 1}
    assert {} | mapping == {"a": 1}
    assert json.loads(json.dumps(mapping)) == {"a": 1}


def test_missing_key_raises_what_the_module_of_errors_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class BadRequestKeyError(KeyError):
        pass

    monkeypatch.setattr(MissingKey, "error", BadRequestKeyError)

    with pytest.raises(BadRequestKeyError):
        MultiDict()["a"]
    with pytest.raises(BadRequestKeyError):
        CombinedMultiDict()["a"]
    with pytest.raises(BadRequestKeyError):
        MultiDict().pop("a")
    with pytest.raises(BadRequestKeyError):
        MultiDict().popitem()


def test_get_converts() -> None:
    mapping = MultiDict({"a": ["x", "2", "3"]})

    assert mapping.get("a", type=int) is None
    assert mapping.getlist("a", type=int) == [2, 3]
    assert mapping.getlist("b", type=int) == []


def test_key_set_to_an_empty_list_is_there_without_a_value() -> None:
    mapping: MultiDict[str, int] = MultiDict()
    mapping.setlist("a", [])

    assert "a" in mapping
    assert mapping.get("a") is None
    assert list(mapping.items()) == []
    assert list(mapping.values()) == []
    with pytest.raises(KeyError):
        mapping.popitem()
    mapping.setlist("a", [])
    with pytest.raises(KeyError):
        mapping.pop("a")
    assert "a" not in mapping


def test_setlistdefault_gives_the_list_itself() -> None:
    mapping = MultiDict({"a": 1})

    mapping.setlistdefault("a").extend([2, 3])

    assert mapping.getlist("a") == [1, 2, 3]
    assert mapping.setlistdefault("b", [9]) == [9]
    assert mapping.setlistdefault("c") == []


def test_setdefault_keeps_what_is_there() -> None:
    mapping: MultiDict[str, Any] = MultiDict({"a": 1})

    assert mapping.setdefault("a", 2) == 1
    assert mapping.setdefault("b", 2) == 2
    assert mapping.setdefault("c") is None
    assert mapping.getlist("c") == [None]


def test_pop_gives_the_first_value_and_drops_the_rest() -> None:
    mapping = MultiDict({"a": [1, 2]})

    assert mapping.pop("a") == 1
    assert "a" not in mapping
    assert mapping.pop("a", None) is None


def test_poplist_and_popitemlist_give_all_values() -> None:
    mapping = MultiDict({"a": [1, 2], "b": [3]})

    assert mapping.popitemlist() == ("b", [3])
    assert mapping.poplist("a") == [1, 2]
    assert mapping.poplist("a") == []
    with pytest.raises(KeyError):
        mapping.popitemlist()


def test_popitem_gives_a_key_and_its_first_value() -> None:
    assert MultiDict({"a": [1, 2]}).popitem() == ("a", 1)


def test_or_makes_a_new_one_and_extends() -> None:
    first = MultiDict({"a": 1})

    joined = first | {"a": 2, "b": [3, 4]}

    assert joined.to_dict(flat=False) == {"a": [1, 2], "b": [3, 4]}
    assert first.getlist("a") == [1]
    with pytest.raises(TypeError):
        first | [("a", 1)]
    with pytest.raises(TypeError):
        ImmutableMultiDict(first) | [("a", 1)]


def test_ior_extends_in_place() -> None:
    mapping = MultiDict({"a": 1})
    same = mapping

    mapping |= {"a": 2}
    mapping |= [("b", 3)]

    assert same.to_dict(flat=False) == {"a": [1, 2], "b": [3]}
    with pytest.raises(TypeError):
        mapping |= 5


def test_copies_are_shallow_or_deep() -> None:
    mapping = MultiDict({"a": [[1]]})

    shallow, deep = copy.copy(mapping), copy.deepcopy(mapping)
    mapping["a"].append(2)

    assert shallow["a"] == [1, 2]
    assert deep["a"] == [1]
    assert mapping.deepcopy()["a"] == [1, 2]


@pytest.mark.parametrize("cls", [MultiDict, ImmutableMultiDict])
def test_pickling_keeps_every_value(cls: type[Any]) -> None:
    mapping = cls([("a", 1), ("a", 2)])

    again = pickle.loads(pickle.dumps(mapping))

    assert type(again) is cls
    assert again == mapping
    assert again.getlist("a") == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.add("a", 1),
        lambda d: d.setlist("a", [1]),
        lambda d: d.setlistdefault("b"),
        lambda d: d.setdefault("b"),
        lambda d: d.poplist("a"),
        lambda d: d.popitemlist(),
        lambda d: d.popitem(),
        lambda d: d.pop("a"),
        lambda d: d.clear(),
        lambda d: d.update({"a": 1}),
        lambda d: d.__setitem__("a", 1),
        lambda d: d.__delitem__("a"),
        lambda d: d.__ior__({"a": 1}),
    ],
)
@pytest.mark.parametrize("cls", [ImmutableMultiDict, CombinedMultiDict])
def test_immutable_ones_refuse_every_change(cls: type[Any], change: Any) -> None:
    mapping = cls([MultiDict({"a": 5})] if cls is CombinedMultiDict else {"a": 5})

    with pytest.raises(TypeError, match="immutable"):
        change(mapping)
    assert mapping.to_dict(flat=False) == {"a": [5]}


def test_immutable_one_is_hashable_and_copied_mutable() -> None:
    mapping = ImmutableMultiDict([("a", 1), ("a", 2)])

    assert hash(mapping) == hash(ImmutableMultiDict([("a", 1), ("a", 2)]))
    assert copy.copy(mapping) is mapping
    assert copy.deepcopy(mapping) == mapping
    assert type(mapping.copy()) is MultiDict
    assert type(mapping | {"b": 1}) is MultiDict
    assert type(ImmutableMultiDict.fromkeys("ab", 1)) is ImmutableMultiDict


def test_combined_reads_the_first_and_joins_all() -> None:
    query, form = MultiDict({"a": ["x"], "b": [1]}), MultiDict({"a": ["2"], "c": [3]})

    combined = CombinedMultiDict([query, form])

    assert combined["a"] == "x"
    assert combined.get("a", type=int) == 2  # the first that converts
    assert combined.get("z", 9) == 9
    assert combined.getlist("a") == ["x", "2"]
    assert list(combined) == ["a", "b", "c"]
    assert list(combined.keys()) == ["a", "b", "c"]
    assert len(combined) == 3
    assert "c" in combined
    assert "z" not in combined
    assert combined.to_dict(flat=False) == {"a": ["x", "2"], "b": [1], "c": [3]}
    assert dict(combined) == {"a": "x", "b": 1, "c": 3}


def test_combined_stays_a_view() -> None:
    query: MultiDict[str, int] = MultiDict()
    combined = CombinedMultiDict([query])
    assert not combined

    query.add("a", 1)

    assert combined["a"] == 1
    assert combined


def test_combined_copies_joins_pickles_and_compares() -> None:
    combined = CombinedMultiDict([MultiDict({"a": 1}), MultiDict({"a": 2})])

    assert type(combined.copy()) is MultiDict
    assert (combined | {"a": 3}).getlist("a") == [1, 2, 3]
    with pytest.raises(TypeError):
        combined | [("a", 1)]
    assert combined == MultiDict({"a": [1, 2]})
    assert combined != MultiDict({"a": [1]})
    assert (combined == 5) is False
    assert pickle.loads(pickle.dumps(combined)) == combined
    assert hash(combined) == hash(ImmutableMultiDict({"a": [1, 2]}))
    with pytest.raises(TypeError):
        CombinedMultiDict.fromkeys("a")
    assert repr(CombinedMultiDict([MultiDict({"a": 1})])) == (
        "CombinedMultiDict([MultiDict([('a', 1)])])"
    )


OPERATIONS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from("abc"), st.integers(0, 3)),
    st.tuples(st.just("setlist"), st.sampled_from("abc"), st.lists(st.integers(0, 3), max_size=2)),
    st.tuples(st.just("setdefault"), st.sampled_from("abc"), st.integers(0, 3)),
    st.tuples(st.just("pop"), st.sampled_from("abc"), st.just(None)),
    st.tuples(st.just("poplist"), st.sampled_from("abc")),
    st.tuples(st.just("__setitem__"), st.sampled_from("abc"), st.integers(0, 3)),
    st.tuples(st.just("update"), pairs),
    st.tuples(st.just("popitemlist")),
)


@given(pairs, st.lists(OPERATIONS, max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_run_of_operations_gives_what_werkzeug_gives(start: Pairs, operations: Any) -> None:
    mine: Any = MultiDict(start)
    theirs: Any = oracle.MultiDict(start)

    for name, *arguments in operations:
        results = []
        for each in (mine, theirs):
            try:
                results.append(getattr(each, name)(*arguments))
            except KeyError:
                results.append(KeyError)
        assert results[0] == results[1]

    assert list(mine.lists()) == list(theirs.lists())
    assert repr(mine) == repr(theirs)


@given(st.lists(pairs, max_size=3))
@settings(max_examples=60, deadline=None)
def test_combined_gives_what_werkzeug_gives(parts: list[Pairs]) -> None:
    mine = CombinedMultiDict([MultiDict(part) for part in parts])
    theirs = oracle.CombinedMultiDict([oracle.MultiDict(part) for part in parts])

    assert sorted(mine.items(multi=True)) == sorted(theirs.items(multi=True))
    assert list(mine.items()) == list(theirs.items())
    assert sorted(mine.keys()) == sorted(theirs.keys())
    assert len(mine) == len(theirs)
    for key in "abc":
        assert mine.getlist(key) == theirs.getlist(key)
        assert mine.get(key) == theirs.get(key)


def test_every_public_name_of_werkzeugs_classes_is_there() -> None:
    for name in ("MultiDict", "ImmutableMultiDict", "CombinedMultiDict"):
        wanted = {each for each in dir(getattr(oracle, name)) if not each.startswith("_")}
        assert wanted <= set(dir(getattr(ours, name)))
