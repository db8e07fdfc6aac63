"""`LocalProxy`: a name that stands for whatever object belongs to the code that uses it."""

import copy
import math
import operator
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

set_own = object.__setattr__


class LocalProxy(Generic[T]):
    """Stands for another object, found anew at each use.

    It is that object for all that Python asks of an object, `isinstance` included. Where there is none, it is falsy,
    has a `repr`, and anything else raises RuntimeError.

    Args:
        local: a context variable, or what returns the object and raises RuntimeError where there is none.
        name: the attribute of that object which is meant.
        unbound_message: what the RuntimeError says.

    (Werkzeug: ``werkzeug.local.LocalProxy``.)
    """

    __slots__ = ("__wrapped__", "_get_current_object")

    _get_current_object: Callable[[], T]
    """Returns the object itself; raises RuntimeError where there is none."""

    def __init__(
        self,
        local: "ContextVar[Any] | Callable[[], Any]",
        name: str | None = None,
        *,
        unbound_message: str | None = None,
    ) -> None:
        if isinstance(local, ContextVar):
            get_value = local.get

            def find() -> Any:
                try:
                    return get_value()
                except LookupError:
                    raise RuntimeError(unbound_message or "object is not bound") from None

        else:
            find = local
        if name is not None:
            attribute_of = operator.attrgetter(name)
            found = find

            def find_attribute() -> Any:
                return attribute_of(found())

            find = find_attribute
        set_own(self, "_get_current_object", find)
        set_own(self, "__wrapped__", local)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get_current_object(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._get_current_object(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._get_current_object(), name)

    @property
    def __class__(self) -> Any:
        return type(self._get_current_object())

    @__class__.setter
    def __class__(self, value: Any) -> None:
        cast("Any", self._get_current_object()).__class__ = value

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return self._get_current_object().__dict__

    def __bool__(self) -> bool:
        try:
            return bool(self._get_current_object())
        except RuntimeError:
            return False

    def __repr__(self) -> str:
        try:
            return repr(self._get_current_object())
        except RuntimeError:
            return f"<{LocalProxy.__name__} unbound>"

    def __dir__(self) -> list[str]:
        try:
            return dir(self._get_current_object())
        except RuntimeError:
            return []

    def __hash__(self) -> int:
        return hash(self._get_current_object())

    def __eq__(self, other: object) -> bool:
        return bool(self._get_current_object() == other)

    def __ne__(self, other: object) -> bool:
        return bool(self._get_current_object() != other)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return cast("Any", self._get_current_object())(*args, **kwargs)


def _object_of(proxy: LocalProxy[Any]) -> Any:
    return object.__getattribute__(proxy, "_get_current_object")()


def _forward(name: str, function: Callable[..., Any]) -> None:
    def method(self: LocalProxy[Any], *args: Any) -> Any:
        return function(_object_of(self), *args)

    method.__name__ = name
    setattr(LocalProxy, name, method)


def _forward_reflected(name: str, function: Callable[..., Any]) -> None:
    def method(self: LocalProxy[Any], other: Any) -> Any:
        return function(other, _object_of(self))

    method.__name__ = name
    setattr(LocalProxy, name, method)


def _forward_call(name: str) -> None:
    def method(self: LocalProxy[Any], *args: Any) -> Any:
        return getattr(_object_of(self), name)(*args)

    method.__name__ = name
    setattr(LocalProxy, name, method)


_BINARY = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift"),
    *("and_", "or_", "xor"),
)

for _name in _BINARY:
    _plain = _name.rstrip("_")
    _forward(f"__{_plain}__", getattr(operator, _name))
    _forward_reflected(f"__r{_plain}__", getattr(operator, _name))
    # What an operator such as `+=` is given back takes the proxy's place in the program, as it would the object's.
    _forward(f"__i{_plain}__", getattr(operator, f"i{_plain}"))

for _name in ("lt", "le", "gt", "ge", "neg", "pos", "abs", "invert", "index", "contains"):
    _forward(f"__{_name}__", getattr(operator, _name))


def _is_instance(kind: Any, value: object) -> bool:
    return isinstance(value, kind)


def _is_subclass(kind: Any, other: type) -> bool:
    return issubclass(other, kind)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "__str__": str,
    "__bytes__": bytes,
    "__format__": format,
    "__len__": len,
    "__length_hint__": operator.length_hint,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__iter__": iter,
    "__next__": next,
    "__reversed__": reversed,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__round__": round,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
    "__divmod__": divmod,
    "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy,
    "__instancecheck__": _is_instance,
    "__subclasscheck__": _is_subclass,
}

for _name, _function in _FUNCTIONS.items():
    _forward(_name, _function)

_forward_reflected("__rdivmod__", divmod)

for _name in ("__enter__", "__exit__", "__aenter__", "__aexit__", "__aiter__", "__anext__"):
    _forward_call(_name)
