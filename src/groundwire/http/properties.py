"""Attributes that are worked out when they are first asked for, or that stand for one field."""

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

_T = TypeVar("_T")


class cached_property(Generic[_T]):  # noqa: N801  (Werkzeug's name, and the standard library's)
    """A method that becomes an attribute: called once, then its value is kept in the instance's `__dict__`.

    It can be set and deleted; deleting it has it worked out again. It takes no lock, which the standard
    library's does before Python 3.12: two threads that share an instance may both call the method.
    """

    def __init__(
        self, fget: Callable[[Any], _T], name: str | None = None, doc: str | None = None
    ) -> None:
        self.fget = fget
        self.__name__ = name or fget.__name__
        self.__doc__ = doc or fget.__doc__
        self.__module__ = fget.__module__

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _T: ...

    def __get__(self, instance: object | None, owner: type | None = None) -> Self | _T:
        if instance is None:
            return self
        value = self.fget(instance)
        instance.__dict__[self.__name__] = value
        return value

    if TYPE_CHECKING:
        # At run time assigning puts the value into the instance's `__dict__`, where it is found first.
        def __set__(self, instance: object, value: Any) -> None: ...


class _MappingProperty(Generic[_T]):
    """An attribute that is one entry of a mapping of the instance, read and written through functions."""

    read_only = False

    def __init__(
        self,
        name: str,
        default: _T | None = None,
        load_func: Callable[[str], _T | None] | None = None,
        dump_func: Callable[[_T], str | None] | None = None,
        read_only: bool | None = None,
        doc: str | None = None,
    ) -> None:
        self.name = name
        self.default = default
        self.load_func = load_func
        self.dump_func = dump_func
        if read_only is not None:
            self.read_only = read_only
        self.__doc__ = doc

    def lookup(self, obj: Any) -> MutableMapping[str, Any]:
        """Return the mapping of `obj` that holds the entry."""
        raise TypeError(f"{type(self).__name__} names no mapping")  # pragma: no cover

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _T | None: ...

    def __get__(self, instance: object | None, owner: type | None = None) -> Self | _T | None:
        if instance is None:
            return self
        value = self.lookup(instance).get(self.name)
        if value is None:
            return self.default
        if self.load_func is None:
            return cast(_T, value)
        try:
            return self.load_func(value)
        except (ValueError, TypeError):
            # What the other side wrote badly counts as not written.
            return self.default

    def __set__(self, instance: object, value: Any) -> None:
        if self.read_only:
            raise AttributeError("read only property")
        if value is None:
            self.__delete__(instance)
        else:
            self.lookup(instance)[self.name] = (
                value if self.dump_func is None else self.dump_func(value)
            )

    def __delete__(self, instance: object) -> None:
        if self.read_only:
            raise AttributeError("read only property")
        self.lookup(instance).pop(self.name, None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class header_property(_MappingProperty[_T]):  # noqa: N801  (Werkzeug's name)
    """An attribute that stands for one field of `headers`.

    Reading answers the field's value through `load_func`, or `default` when the field is missing or
    `load_func` refuses it. Setting writes the field through `dump_func`; None and `del` remove it.
    """

    def lookup(self, obj: Any) -> MutableMapping[str, Any]:
        """Return the headers of `obj`."""
        return cast("MutableMapping[str, Any]", obj.headers)


class environ_property(_MappingProperty[_T]):  # noqa: N801  (Werkzeug's name)
    """An attribute that stands for one entry of `environ`; read-only unless it is told otherwise."""

    read_only = True

    def lookup(self, obj: Any) -> MutableMapping[str, Any]:
        """Return the environ of `obj`."""
        return cast("MutableMapping[str, Any]", obj.environ)
