"""Dictionaries and lists that convert, refuse to change, or tell when they changed.

Names and meanings are those of ``werkzeug.datastructures``, which Flask programs know.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NoReturn, Self, SupportsIndex, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

MISSING: Any = object()
"""Stands for an argument that was not given, where None is a value."""


SEVERAL: Any = (list, tuple, set)
"""The types whose instances, as values of a plain mapping, stand for several values of a `MultiDict` or `Headers`."""

storage: Any = dict
"""Untyped `dict`: for reaching what a dict holds below the methods that a subclass of it overrides."""


class MissingKey:
    """Which KeyError a mapping of request data raises for a name it lacks.

    Flask answers 400 to a request that lacks an expected form field, because the error is a `BadRequestKeyError`.
    That class knows responses and responses know headers, so the mappings cannot import it: the module that
    defines it says here, once, what to raise.
    """

    error: Callable[[object], KeyError] = KeyError


def convert(value: Any, default: Any, type: Callable[[Any], Any]) -> Any:
    """Return ``type(value)``, or `default` where that raises ValueError or TypeError."""
    try:
        return type(value)
    except (ValueError, TypeError):
        return default


class TypeConversionDict(dict[K, V]):
    """A dict whose `get` can convert the value it finds."""

    @overload
    def get(self, key: K, default: None = None, type: None = None) -> V | None: ...
    @overload
    def get(self, key: K, default: V | T, type: None = None) -> V | T: ...
    @overload
    def get(self, key: K, default: None = None, *, type: Callable[[V], T]) -> T | None: ...
    @overload
    def get(self, key: K, default: None, type: Callable[[V], T]) -> T | None: ...
    @overload
    def get(self, key: K, default: T, type: Callable[[V], T]) -> T: ...
    def get(self, key: Any, default: Any = None, type: Any = None) -> Any:
        """Return the value of `key`, or `default` when it is missing or `type` refuses it.

        `type` refuses a value by raising ValueError or TypeError.
        """
        try:
            value = self[key]
        except KeyError:
            return default
        return value if type is None else convert(value, default, type)


class ImmutableDictMixin(Generic[K, V]):
    """Makes a dict immutable, and hashable if its values are."""

    _hash: int | None = None

    @classmethod
    def fromkeys(cls, keys: Iterable[Any], value: Any = None) -> Self:
        """Make one with `value` for each of `keys`."""
        make: Any = cls
        made: Self = make(dict.fromkeys(keys, value))
        return made

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (storage(self),)

    def _hashed_items(self) -> Iterable[object]:
        items: Iterable[object] = storage.items(self)
        return items

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._hashed_items()))
        return self._hash

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__!r} objects are immutable")

    setdefault = update = pop = popitem = clear = _refuse
    __setitem__ = __delitem__ = __ior__ = _refuse


class ImmutableDict(ImmutableDictMixin[K, V], dict[K, V]):  # type: ignore[misc]
    """A dict that cannot be changed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({storage.__repr__(self)})"

    def copy(self) -> dict[K, V]:
        """Return a mutable copy; `copy.copy` returns the object itself, as for a tuple."""
        return dict(self)

    def __copy__(self) -> Self:
        return self


class ImmutableTypeConversionDict(ImmutableDictMixin[K, V], TypeConversionDict[K, V]):  # type: ignore[misc]
    """A `TypeConversionDict` that cannot be changed."""

    def copy(self) -> TypeConversionDict[K, V]:
        """Return a mutable copy; `copy.copy` returns the object itself, as for a tuple."""
        return TypeConversionDict(self)

    def __copy__(self) -> Self:
        return self


class ImmutableListMixin:
    """Makes a list immutable, and hashable if its items are."""

    _hash: int | None = None

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(self),)  # type: ignore[call-overload]

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(tuple(self))  # type: ignore[arg-type]
        return self._hash

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__!r} objects are immutable")

    append = extend = insert = remove = pop = reverse = sort = clear = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse


class ImmutableList(ImmutableListMixin, list[V]):  # type: ignore[misc]
    """A list that cannot be changed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"


class UpdateDictMixin(dict[K, V]):
    """Calls `on_update` with the dict itself after each change."""

    on_update: Callable[[Any], object] | None = None

    def _updated(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def setdefault(self: Any, key: Any, default: Any = None) -> Any:
        """Return the value of `key`, setting it to `default` (which is a change) when it is missing."""
        if key in self:
            return self[key]
        storage.__setitem__(self, key, default)
        self._updated()
        return default

    def pop(self: Any, key: Any, default: Any = MISSING) -> Any:
        """Remove `key` and return its value; without it return `default`, which changes nothing.

        Raises:
            KeyError: there is neither the key nor a default.
        """
        if key not in self and default is not MISSING:
            return default
        value: Any = storage.pop(self, key)
        self._updated()
        return value

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._updated()

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._updated()

    def clear(self) -> None:
        """Remove everything."""
        super().clear()
        self._updated()

    def popitem(self) -> tuple[K, V]:
        """Remove and return the last item. Raises KeyError when there is none."""
        item = super().popitem()
        self._updated()
        return item

    def update(self: Any, *args: Any, **kwargs: Any) -> None:
        """Take over items as `dict.update` does; one change, however many."""
        storage.update(self, *args, **kwargs)
        self._updated()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]
        self.update(other)
        return self


class CallbackDict(UpdateDictMixin[K, V]):
    """A dict that calls ``on_update(dict)`` after each change."""

    def __init__(
        self,
        initial: Mapping[K, V] | Iterable[tuple[K, V]] | None = None,
        on_update: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(() if initial is None else initial)
        self.on_update = on_update

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {storage.__repr__(self)}>"
