"""`LocalProxy`: a name that stands for whatever object belongs to the code that uses it.

`Local` and `LocalStack` keep such objects, one set for each context: a thread, a task, a request.
"""

import copy
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import update_wrapper
from typing import Any, Generic, TypeVar, cast

from ..http.environ import ClosingIterator

T = TypeVar("T")

set_own = object.__setattr__

UNBOUND = "object is not bound"

_NOTHING: dict[str, Any] = {}
"""What a `Local` holds in a context that has set nothing."""


class Local:
    """Attributes of which every context has its own: what is set in one thread or task is not seen in another.

    Args:
        context_var: what holds them; a new one by default. One made within a function is never freed.

    (Werkzeug: ``werkzeug.local.Local``.)
    """

    __slots__ = ("__storage",)
    __storage: ContextVar[dict[str, Any]]

    def __init__(self, context_var: ContextVar[dict[str, Any]] | None = None) -> None:
        set_own(self, "_Local__storage", context_var or ContextVar(f"Local<{id(self)}>.storage"))

    def __call__(self, name: str, *, unbound_message: str | None = None) -> "LocalProxy[Any]":
        """Return a proxy of the attribute `name`, whether it is there by now or not."""
        proxy: LocalProxy[Any] = LocalProxy(self, name, unbound_message=unbound_message)
        return proxy

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self.__storage.get(_NOTHING).items())

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__storage.get(_NOTHING)[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        # A copy: contexts that were made from this one hold the dict that there was.
        self.__storage.set(self.__storage.get(_NOTHING) | {name: value})

    def __delattr__(self, name: str) -> None:
        values = self.__storage.get(_NOTHING).copy()
        try:
            del values[name]
        except KeyError:
            raise AttributeError(name) from None
        self.__storage.set(values)

    def __release_local__(self) -> None:
        self.__storage.set({})


class LocalStack(Generic[T]):
    """A stack of which every context has its own.

    Args:
        context_var: what holds it; a new one by default. One made within a function is never freed.

    (Werkzeug: ``werkzeug.local.LocalStack``.)
    """

    __slots__ = ("_storage",)

    def __init__(self, context_var: ContextVar[list[T]] | None = None) -> None:
        self._storage: ContextVar[list[T]] = context_var or ContextVar(
            f"LocalStack<{id(self)}>.storage"
        )

    def push(self, obj: T) -> list[T]:
        """Put `obj` on top, and return the stack."""
        stack = [*self._storage.get([]), obj]
        self._storage.set(stack)
        return stack

    def pop(self) -> T | None:
        """Take off what is on top and return it; None where the stack is empty."""
        stack = self._storage.get([])
        if not stack:
            return None
        self._storage.set(stack[:-1])
        return stack[-1]

    @property
    def top(self) -> T | None:
        """What is on top; None where the stack is empty."""
        stack = self._storage.get([])
        return stack[-1] if stack else None

    def __call__(
        self, name: str | None = None, *, unbound_message: str | None = None
    ) -> "LocalProxy[Any]":
        """Return a proxy of what is on top, or of an attribute of that."""
        return LocalProxy(self, name, unbound_message=unbound_message)

    def __release_local__(self) -> None:
        self._storage.set([])


def release_local(local: Local | LocalStack[Any]) -> None:
    """Forget everything that `local` holds in this context.

    (Werkzeug: ``werkzeug.local.release_local``.)
    """
    local.__release_local__()


class LocalManager:
    """Releases locals when a request has been answered.

    Args:
        locals: the locals, one or several. The attribute of this name is a list, which may be added to.

    (Werkzeug: ``werkzeug.local.LocalManager``.)
    """

    __slots__ = ("locals",)

    def __init__(
        self,
        locals: Local | LocalStack[Any] | Iterable[Local | LocalStack[Any]] | None = None,  # noqa: A002
    ) -> None:
        self.locals: list[Local | LocalStack[Any]]
        if locals is None:
            self.locals = []
        elif isinstance(locals, Local | LocalStack):
            self.locals = [locals]
        else:
            self.locals = list(locals)

    def cleanup(self) -> None:
        """Release them all in this context."""
        for local in self.locals:
            release_local(local)

    def make_middleware(self, app: Callable[..., Any]) -> Callable[..., Any]:
        """Return a WSGI application that calls `app` and releases the locals when its content is closed."""

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            return ClosingIterator(app(environ, start_response), self.cleanup)

        return application

    def middleware(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Do as `make_middleware`, as a decorator."""
        return update_wrapper(self.make_middleware(func), func)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} storages: {len(self.locals)}>"


class LocalProxy(Generic[T]):
    """A proxy: stands for another object, found anew at each use.

    It is that object for all that Python asks of an object, `isinstance` included. Where there is none, it is falsy,
    has a `repr`, and anything else raises RuntimeError.

    Args:
        local: a context variable, a `LocalStack` (its top is meant), a `Local`, or what returns the object and raises
            RuntimeError where there is none.
        name: the attribute of that object which is meant; a `Local` needs one.
        unbound_message: what the RuntimeError says.

    Raises:
        TypeError: `local` is none of these, or a `Local` and there is no `name`.

    (Werkzeug: ``werkzeug.local.LocalProxy``.)
    """

    __slots__ = ("_found_by", "_get_current_object")

    _get_current_object: Callable[[], T]
    """Returns the object itself; raises RuntimeError where there is none."""

    def __init__(
        self,
        local: "ContextVar[Any] | Local | LocalStack[Any] | Callable[[], Any]",
        name: str | None = None,
        *,
        unbound_message: str | None = None,
    ) -> None:
        find = _finder(local, name, unbound_message or UNBOUND)
        set_own(self, "_get_current_object", find)
        set_own(self, "_found_by", local)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get_current_object(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._get_current_object(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._get_current_object(), name)

    @property
    def __class__(self) -> Any:
        try:
            found = self._get_current_object()
        except RuntimeError:
            return LocalProxy
        return found.__class__

    @__class__.setter
    def __class__(self, value: Any) -> None:
        cast("Any", self._get_current_object()).__class__ = value

    @property
    def __wrapped__(self) -> Any:
        """The object's own; what the proxy was made of where there is no object."""
        try:
            found = self._get_current_object()
        except RuntimeError:
            return object.__getattribute__(self, "_found_by")
        return cast("Any", found).__wrapped__

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
        # Without an object it equals nothing but itself, so that a list can be searched that holds one.
        try:
            return bool(self._get_current_object() == other)
        except RuntimeError:
            return NotImplemented

    def __ne__(self, other: object) -> bool:
        try:
            return bool(self._get_current_object() != other)
        except RuntimeError:
            return NotImplemented

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return cast("Any", self._get_current_object())(*args, **kwargs)


class _Docstring:
    """The docstring of the object a proxy stands for; that of the class where there is none."""

    def __init__(self, own: str | None) -> None:
        self._own = own

    def __get__(self, proxy: Any, owner: type) -> str | None:
        if proxy is None:
            return self._own
        try:
            return cast("str | None", _object_of(proxy).__doc__)
        except RuntimeError:
            return self._own


setattr(LocalProxy, "__doc__", _Docstring(LocalProxy.__doc__))  # noqa: B010 - no attribute to a type checker


def _finder(
    local: ContextVar[Any] | Local | LocalStack[Any] | Callable[[], Any],
    name: str | None,
    unbound_message: str,
) -> Callable[[], Any]:
    """Return what finds the object a proxy stands for."""
    if isinstance(local, Local):
        if name is None:
            raise TypeError("'name' is required when proxying a 'Local' object.")
        return _attribute_finder(local, name, unbound_message)
    if isinstance(local, LocalStack):
        find = _top_finder(cast(Any, local), unbound_message)
    elif isinstance(local, ContextVar):
        find = _value_finder(local, unbound_message)
    elif callable(local):
        find = local
    else:
        raise TypeError(f"Don't know how to proxy '{type(local)}'.")
    if name is None:
        return find
    attribute_of = operator.attrgetter(name)

    def find_attribute() -> Any:
        return attribute_of(find())

    return find_attribute


def _attribute_finder(local: Local, name: str, unbound_message: str) -> Callable[[], Any]:
    attribute_of = operator.attrgetter(name)

    def find() -> Any:
        try:
            return attribute_of(local)
        except AttributeError:
            raise RuntimeError(unbound_message) from None

    return find


def _top_finder(stack: LocalStack[Any], unbound_message: str) -> Callable[[], Any]:
    def find() -> Any:
        top = stack.top
        if top is None:
            raise RuntimeError(unbound_message)
        return top

    return find


def _value_finder(variable: ContextVar[Any], unbound_message: str) -> Callable[[], Any]:
    get_value = variable.get

    def find() -> Any:
        try:
            return get_value()
        except LookupError:
            raise RuntimeError(unbound_message) from None

    return find


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


def _forward_in_place(name: str, function: Callable[..., Any]) -> None:
    def method(self: LocalProxy[Any], other: Any) -> Any:
        # The object changes itself, or nothing is changed: the name it was called by keeps the proxy.
        function(_object_of(self), other)
        return self

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
    _forward_in_place(f"__i{_plain}__", getattr(operator, f"i{_plain}"))

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

_CALLED = ("enter", "exit", "aenter", "aexit", "aiter", "anext", "await")

for _name in _CALLED:
    _forward_call(f"__{_name}__")
