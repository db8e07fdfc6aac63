"""Cache-Control: what a client asks of caches, and what a server allows them (RFC 9111 §5.2)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Self, TypeVar, overload

from .field_values import dump_header, fold_case, parse_dict_header
from .mappings import CallbackDict, ImmutableDictMixin, convert

T = TypeVar("T")
_integer = re.compile(r"-?[0-9]{1,18}", re.ASCII).fullmatch


class _Directive(Generic[T]):
    """A directive as an attribute.

    Set to None or False it is removed; to True it stands alone; to anything else that is its argument.
    """

    def __init__(self, key: str, empty: Any, type: Any, doc: str | None = None) -> None:
        self.key = key
        self.empty = empty
        self.type = type
        self.__doc__ = doc or f"The directive ``{key}``."

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "CacheControl", owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        if self.type is bool:
            return self.key in instance
        if self.key not in instance:
            return None
        value = instance[self.key]
        if value is None:
            return self.empty
        if self.type is int:
            return int(value) if _integer(value) else None
        return value if self.type is None else convert(value, None, self.type)

    def __set__(self, instance: "CacheControl", value: Any) -> None:
        is_flag = self.type is bool
        if value is None or value is False or (is_flag and not value):
            instance.pop(self.key, None)
        elif value is True or is_flag:
            instance[self.key] = None
        else:
            instance[self.key] = str(value if self.type is None else self.type(value))

    def __delete__(self, instance: "CacheControl") -> None:
        instance.pop(self.key, None)


def cache_control_property(
    key: str, empty: Any, type: Callable[[Any], Any] | None, doc: str | None = None
) -> Any:
    """Return an attribute for a directive that an extension of RFC 9111 §5.2.3 adds, for use in a subclass.

    Args:
        key: the name of the directive.
        empty: what it reads as where it has no argument.
        type: what converts the argument; None: it stays text; bool: only its presence counts.
        doc: the docstring.
    """
    return _Directive[Any](key, empty, type, doc)


def _flag(key: str) -> _Directive[bool]:
    return _Directive(key, True, bool, f"Whether ``{key}`` is there.")


def _number(key: str) -> _Directive[int | None]:
    return _Directive(key, None, int, f"The seconds of ``{key}``, None without it.")


def _fields(key: str) -> _Directive[str | bool | None]:
    return _Directive(key, True, None, f"The fields ``{key}`` is limited to, True for the whole.")


class CacheControl(CallbackDict[str, str | None]):
    """The directives of Cache-Control: a dict of names and arguments, None where there is no argument.

    Attributes:
        provided: whether the field was there at all.
    """

    no_store = _flag("no-store")
    max_age = _number("max-age")
    no_transform = _flag("no-transform")
    stale_if_error = _number("stale-if-error")

    cache_property = staticmethod(cache_control_property)

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = (),
        on_update: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(values, on_update)
        self.provided = values is not None

    def to_header(self) -> str:
        """Return the field value."""
        return dump_header(self)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        items = " ".join(f"{name}={value!r}" for name, value in sorted(self.items()))
        return f"<{type(self).__name__} {items}>"


class RequestCacheControl(ImmutableDictMixin[str, str | None], CacheControl):  # type: ignore[misc]
    """Cache-Control of a request; immutable (RFC 9111 §5.2.1; Werkzeug: ``RequestCacheControl``)."""

    no_cache = _flag("no-cache")
    max_stale: _Directive[int | bool | None] = _Directive(
        "max-stale", True, int, "The seconds of ``max-stale``, True without a number."
    )
    min_fresh = _number("min-fresh")
    only_if_cached = _flag("only-if-cached")


class ResponseCacheControl(CacheControl):
    """Cache-Control of a response (RFC 9111 §5.2.2; Werkzeug: ``ResponseCacheControl``)."""

    no_cache = _fields("no-cache")
    private = _fields("private")
    public = _flag("public")
    must_revalidate = _flag("must-revalidate")
    proxy_revalidate = _flag("proxy-revalidate")
    s_maxage = _number("s-maxage")
    immutable = _flag("immutable")
    must_understand = _flag("must-understand")
    stale_while_revalidate = _number("stale-while-revalidate")


C = TypeVar("C", bound=CacheControl)


@overload
def parse_cache_control_header(
    value: str | None, on_update: Callable[[Any], object] | None = None
) -> RequestCacheControl: ...
@overload
def parse_cache_control_header(
    value: str | None, on_update: Callable[[Any], object] | None, cls: type[C]
) -> C: ...
@overload
def parse_cache_control_header(
    value: str | None, on_update: Callable[[Any], object] | None = None, *, cls: type[C]
) -> C: ...
def parse_cache_control_header(
    value: str | None,
    on_update: Callable[[Any], object] | None = None,
    cls: type[CacheControl] | None = None,
) -> CacheControl:
    """Read the value of Cache-Control into `cls` (`RequestCacheControl` by default); names have no case."""
    make = RequestCacheControl if cls is None else cls
    if not value:
        return make(None, on_update)
    directives = parse_dict_header(value)
    return make({fold_case(name): text for name, text in directives.items()}, on_update)
