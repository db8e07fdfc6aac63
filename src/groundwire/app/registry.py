"""Dictionaries and lists that tell when they change.

What an application was set up with lies in plain dicts and lists that Flask documents and extensions change:
`view_functions`, `before_request_funcs` and the others. Endpoint plans are made from them (see `groundwire.app.plans`)
and have to be dropped when one changes; so these are such dicts and lists, and say so.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, Generic, TypeVar, cast

K = TypeVar("K")
V = TypeVar("V")

OnChange = Callable[[], None]


class TrackedList(list[V]):
    """A list that calls `on_change` after each change."""

    on_change: OnChange

    def __init__(self, on_change: OnChange, values: Iterable[V] = ()) -> None:
        super().__init__(values)
        self.on_change = on_change


class TrackedDict(dict[K, V], Generic[K, V]):
    """A dict that calls `on_change` after each change, also of the plain dicts and lists put into it.

    Args:
        on_change: what to call.
        missing: makes the value of a missing key, as `collections.defaultdict` does.
    """

    on_change: OnChange
    missing: Callable[[], Any] | None = None

    def __init__(self, on_change: OnChange, missing: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self.on_change = on_change
        self.missing = missing

    def __missing__(self, key: K) -> V:
        if self.missing is None:
            raise KeyError(key)
        self[key] = self.missing()
        return self[key]

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, tracked(value, self.on_change))
        self.on_change()

    def setdefault(self, key: K, default: Any = None) -> Any:
        """Return the value of `key`, which is made `default` first where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set the items of a mapping or of (key, value) pairs, then the keyword arguments."""
        changed: dict[Any, Any] = dict(*args, **kwargs)
        for key, value in changed.items():
            self[key] = value

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        self.update(other)
        return self


def tracked(value: Any, on_change: OnChange) -> Any:
    """Return a plain dict or list as one that tells of its changes, and anything else itself."""
    if isinstance(value, (TrackedDict, TrackedList)):
        return cast("Any", value)
    if isinstance(value, list):
        return TrackedList[Any](on_change, cast("Any", value))
    if isinstance(value, Mapping):
        missing = cast("Any", getattr(cast("Any", value), "default_factory", None))
        made = TrackedDict[Any, Any](on_change, missing)
        made.update(value)
        return made
    return value


def tell_of_changes(kind: type, *names: str) -> None:
    """Make methods that a class has from its base call `on_change` afterwards, if that is set."""
    for name in names:
        setattr(kind, name, _telling(getattr(kind, name)))


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            if self.on_change is not None:
                self.on_change()

    return changed


tell_of_changes(
    TrackedList,
    *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
    *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
)
tell_of_changes(TrackedDict, "__delitem__", "pop", "popitem", "clear")
