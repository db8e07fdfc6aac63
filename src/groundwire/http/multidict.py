"""Dictionaries with several values for a key: query parameters, form fields, cookies, files.

Reading one value gives the first; all are kept, in order. Names and meanings are those of
``werkzeug.datastructures``, which Flask programs know.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NoReturn, Self, SupportsIndex, TypeAlias, TypeVar, overload

from .mappings import (
    MISSING,
    SEVERAL,
    ImmutableDictMixin,
    MissingKey,
    TypeConversionDict,
    convert,
    storage,
)

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

MultiDictSource: TypeAlias = (
    "MultiDict[K, V] | Mapping[K, V | list[V] | tuple[V, ...] | set[V]] | Iterable[tuple[K, V]]"
)
"""What a `MultiDict` can be made from."""


def iterate_pairs(mapping: Any) -> Iterable[tuple[Any, Any]]:
    """Return the (key, value) pairs of a `MultiDict`, a mapping, or an iterable of pairs.

    In a plain mapping, a value that is a list, tuple or set stands for several values.
    """
    pairs: Iterable[tuple[Any, Any]] = mapping
    if type(mapping) is list:  # PERF: the usual case; to find out what it is not takes 0.5 µs
        return pairs
    if is_multidict(mapping):
        pairs = mapping.items(multi=True)
    elif is_mapping(mapping):
        pairs = _mapping_pairs(mapping)
    return pairs


def _mapping_pairs(source: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in source.items():
        if isinstance(value, SEVERAL):
            for item in value:
                yield key, item
        else:
            yield key, value


def is_multidict(source: object) -> bool:
    """Whether `source` is a `MultiDict`; as `is_mapping`."""
    return isinstance(source, MultiDict)


def is_mapping(source: object) -> bool:
    """Whether `source` is a mapping. It tells a type checker nothing, which would make it a mapping of unknowns."""
    return isinstance(source, Mapping)


class MultiDict(TypeConversionDict[K, V]):
    """A dict that keeps every value of a key.

    As a dict it maps each key to its first value: ``d[key]``, `get`, `items` and ``dict(d)`` give that one.
    `getlist`, `lists` and ``items(multi=True)`` give all. A missing key raises a KeyError that Groundwire answers with
    400 Bad Request (see `MissingKey`).

    (Werkzeug: ``MultiDict``.)
    """

    # The dict itself holds a list for each key. `dict.` and `super()` calls reach those lists.

    def __init__(
        self,
        mapping: "MultiDictSource[K, V] | None" = None,
    ) -> None:
        if mapping is None:
            super().__init__()
            return
        lists: dict[Any, list[Any]] = {}
        for key, value in iterate_pairs(mapping):
            lists.setdefault(key, []).append(value)
        storage.__init__(self, lists)

    def _values(self, key: Any) -> list[V] | None:
        values: list[V] | None = storage.get(self, key)
        return values

    def _lists(self) -> Iterable[tuple[K, list[V]]]:
        lists: Iterable[tuple[K, list[V]]] = storage.items(self)
        return lists

    def __getitem__(self, key: K) -> V:
        values = self._values(key)
        if values:
            return values[0]
        raise MissingKey.error(key)

    def __setitem__(self, key: K, value: V) -> None:
        storage.__setitem__(self, key, [value])

    # Overridden so that `dict(d)` and `{**d}` go through keys() and d[key]: they copy a dict's own storage otherwise.
    def __iter__(self) -> Iterator[K]:
        return super().__iter__()

    def add(self, key: K, value: V) -> None:
        """Add one more value of `key`."""
        storage.setdefault(self, key, []).append(value)

    @overload
    def getlist(self, key: K, type: None = None) -> list[V]: ...
    @overload
    def getlist(self, key: K, type: Callable[[V], T]) -> list[T]: ...
    def getlist(self, key: Any, type: Any = None) -> list[Any]:
        """Return all values of `key`, an empty list when there are none.

        Values that `type` refuses with ValueError or TypeError are left out.
        """
        values = self._values(key) or []
        if type is None:
            return list(values)
        converted = [convert(value, MISSING, type) for value in values]
        return [value for value in converted if value is not MISSING]

    def setlist(self, key: K, new_list: Iterable[V]) -> None:
        """Replace all values of `key`."""
        storage.__setitem__(self, key, list(new_list))

    def setdefault(self, key: K, default: Any = None) -> Any:
        """Return the first value of `key`, setting it to `default` when it is missing."""
        if key not in self:
            self[key] = default
            return default
        return self[key]

    def setlistdefault(self, key: K, default_list: Iterable[V] | None = None) -> list[V]:
        """Return the list of values of `key` itself, not a copy; set from `default_list` when it is missing."""
        values = self._values(key)
        if values is None:
            values = list(() if default_list is None else default_list)
            storage.__setitem__(self, key, values)
        return values

    def items(self, multi: bool = False) -> Iterator[tuple[K, V]]:  # type: ignore[override]
        """Iterate over (key, first value), or with `multi` over (key, value) for every value."""
        for key, values in self._lists():
            if multi:
                for value in values:
                    yield key, value
            elif values:
                yield key, values[0]

    def lists(self) -> Iterator[tuple[K, list[V]]]:
        """Iterate over (key, all its values)."""
        for key, values in self._lists():
            yield key, list(values)

    def values(self) -> Iterator[V]:  # type: ignore[override]
        """Iterate over the first value of every key."""
        for _, values in self._lists():
            if values:
                yield values[0]

    def listvalues(self) -> Iterator[list[V]]:
        """Iterate over the lists of values, in the order of the keys."""
        for _, values in self.lists():
            yield values

    def copy(self) -> Self:
        """Return a copy that shares the values but not the lists."""
        return type(self)(self)

    def deepcopy(self, memo: Any = None) -> Self:
        """Return a copy whose values are copies too."""
        return type(self)(copy.deepcopy(self.to_dict(flat=False), memo))

    @overload
    def to_dict(self, flat: Literal[True] = True) -> dict[K, V]: ...
    @overload
    def to_dict(self, flat: Literal[False]) -> dict[K, list[V]]: ...
    def to_dict(self, flat: bool = True) -> dict[K, Any]:
        """Return a plain dict of first values, or of lists of all values unless `flat`."""
        return dict(self.items()) if flat else dict(self.lists())

    def update(  # type: ignore[override]
        self,
        mapping: "MultiDictSource[K, V]",
    ) -> None:
        """Add the values of `mapping` to those already here: it extends, it does not replace."""
        for key, value in iterate_pairs(mapping):
            self.add(key, value)

    def __or__(self, other: Any) -> Self:  # type: ignore[override]
        if not is_mapping(other):
            return NotImplemented
        joined = self.copy()
        joined.update(other)
        return joined

    def __ior__(self, other: Any) -> Self:  # type: ignore[override]
        if not hasattr(other, "__iter__"):
            return NotImplemented
        self.update(other)
        return self

    def pop(self, key: K, default: Any = MISSING) -> Any:
        """Remove `key` with all its values and return the first; without it return `default`.

        Raises:
            KeyError: there is neither a value nor a default.
        """
        values = self._values(key)
        if values is not None:
            super().__delitem__(key)
        if values:
            return values[0]
        if default is MISSING:
            raise MissingKey.error(key)
        return default

    def popitem(self) -> tuple[K, V]:
        """Remove a key and return it with its first value. Raises KeyError when there is none."""
        key, values = self.popitemlist()
        if not values:
            raise MissingKey.error(key)
        return key, values[0]

    def poplist(self, key: K) -> list[V]:
        """Remove `key` and return all its values, an empty list when there are none."""
        values: list[V] = storage.pop(self, key, [])
        return values

    def popitemlist(self) -> tuple[K, list[V]]:
        """Remove a key and return it with all its values. Raises KeyError when there is none."""
        try:
            item: tuple[K, list[V]] = storage.popitem(self)
        except KeyError:
            raise MissingKey.error("popitem(): dictionary is empty") from None
        return item

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Self:
        return self.deepcopy(memo)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (self.to_dict(flat=False),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.items(multi=True))!r})"


class ImmutableMultiDictMixin(ImmutableDictMixin[K, V]):
    """Makes a `MultiDict` immutable, and hashable if its values are."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(self.items(multi=True)),)  # type: ignore[attr-defined]

    def _hashed_items(self) -> Iterable[object]:
        return self.items(multi=True)  # type: ignore[attr-defined, no-any-return]

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__!r} objects are immutable")

    add = poplist = popitemlist = setlist = setlistdefault = _refuse


class ImmutableMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):  # type: ignore[misc]
    """A `MultiDict` that cannot be changed: what a request's data comes in."""

    def copy(self) -> MultiDict[K, V]:  # type: ignore[override]
        """Return a mutable copy; `copy.copy` returns the object itself, as for a tuple."""
        return MultiDict(self)

    def __copy__(self) -> Self:
        return self

    def __or__(self, other: Any) -> MultiDict[K, V]:  # type: ignore[override]
        joined = self.copy()
        if not is_mapping(other):
            return NotImplemented
        joined.update(other)
        return joined


class CombinedMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):
    """Several `MultiDict`s read as one: `get` gives the first that has the key, `getlist` joins all.

    It stays a view: changes of the dicts show. (Werkzeug: ``CombinedMultiDict``, Flask's ``request.values``.)
    """

    dicts: list[MultiDict[K, V]]

    def __init__(self, dicts: Iterable[MultiDict[K, V]] | None = None) -> None:
        super().__init__()
        self.dicts = list(() if dicts is None else dicts)

    @classmethod
    def fromkeys(cls, keys: Any, value: Any = None) -> NoReturn:
        """Raise TypeError: there is no dict to put the keys in."""
        raise TypeError(f"cannot create {cls.__name__!r} instances by fromkeys")

    def _values(self, key: Any) -> list[V] | None:
        found = [value for each in self.dicts for value in each.getlist(key)]
        return found or None

    def __getitem__(self, key: K) -> V:
        for each in self.dicts:
            if key in each:
                return each[key]
        raise MissingKey.error(key)

    def get(self, key: Any, default: Any = None, type: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the first value of `key` that `type` accepts, trying one dict after the other."""
        for each in self.dicts:
            if key in each:
                value = each[key] if type is None else convert(each[key], MISSING, type)
                if value is not MISSING:
                    return value
        return default

    def keys(self) -> Iterable[K]:  # type: ignore[override]
        """Return each key once, in the order of first appearance."""
        return dict.fromkeys(key for each in self.dicts for key in each)

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())

    def _lists(self) -> Iterable[tuple[K, list[V]]]:
        joined: dict[K, list[V]] = {}
        for each in self.dicts:
            for key, values in each.lists():
                joined.setdefault(key, []).extend(values)
        return joined.items()

    def copy(self) -> MultiDict[K, V]:  # type: ignore[override]
        """Return a mutable `MultiDict` of what is in here now."""
        return MultiDict(self)

    def __or__(self, other: Any) -> MultiDict[K, V]:  # type: ignore[override]
        joined = self.copy()
        if not is_mapping(other):
            return NotImplemented
        joined.update(other)
        return joined

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (self.dicts,)

    def __len__(self) -> int:
        return sum(1 for _ in self.keys())

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self.dicts)

    def __eq__(self, other: object) -> bool:
        # The dict's own storage is empty here; compare what is read through it.
        if isinstance(other, MultiDict):
            return self.to_dict(flat=False) == other.to_dict(flat=False)
        return NotImplemented

    __hash__ = ImmutableMultiDictMixin.__hash__  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dicts!r})"
