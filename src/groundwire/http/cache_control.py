"""Cache-Control: what a client asks of caches, and what a server allows them (RFC 9111 §5.2)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Self, TypeVar, overload

from .field_values import dump_header, fold_case, parse_dict_header
from .mappings import CallbackDict, ImmutableDictMixin

T = TypeVar("T")
_integer = re.compile(r"-?[0-9]{1,18}", re.ASCII).fullmatch


class _Directive(Generic[T]):
    """A directive as an attribute.

    Set to None or False it is removed; to True it stands alone; to anything else that is its argument.
    """

    def __init__(
        self, name: str, read: Callable[[str | None], Any], default: Any, doc: str
    ) -> None:
        self.name = name
        self.read = read
        self.default = default
        self.__doc__ = doc

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "CacheControl", owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return self.read(instance[self.name]) if self.name in instance else self.default

    def __set__(self, instance: "CacheControl", value: Any) -> None:
        is_flag = self.read is _present
        if value is None or value is False or (is_flag and not value):
            instance.pop(self.name, None)
        elif value is True or is_flag:
            instance[self.name] = None
        elif self.read is _text_or_true:
            instance[self.name] = str(value)
        else:
            instance[self.name] = str(int(value))

    def __delete__(self, instance: "CacheControl") -> None:
        instance.pop(self.name, None)


def _present(_value: str | None) -> bool:
    return True


def _seconds(value: str | None) -> int | None:
    return int(value) if value is not None and _integer(value) else None


def _seconds_or_true(value: str | None) -> int | bool | None:
    return True if value is None else _seconds(value)


def _text_or_true(value: str | None) -> str | bool:
    return True if value is None else value


def _flag(name: str) -> _Directive[bool]:
    return _Directive(name, _present, False, f"Whether ``{name}`` is there.")


def _number(name: str) -> _Directive[int | None]:
    return _Directive(name, _seconds, None, f"The seconds of ``{name}``, None without it.")


class CacheControl(CallbackDict[str, str | None]):
    """The directives of Cache-Control: a dict of names and arguments, None where there is no argument.

    Attributes:
        provided: whether the field was there at all.
    """

    no_store = _flag("no-store")
    max_age = _number("max-age")
    no_transform = _flag("no-transform")
    stale_if_error = _number("stale-if-error")

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
        "max-stale", _seconds_or_true, None, "The seconds of ``max-stale``, True without a number."
    )
    min_fresh = _number("min-fresh")
    only_if_cached = _flag("only-if-cached")


class ResponseCacheControl(CacheControl):
    """Cache-Control of a response (RFC 9111 §5.2.2; Werkzeug: ``ResponseCacheControl``)."""

    no_cache: _Directive[str | bool | None] = _Directive(
        "no-cache",
        _text_or_true,
        None,
        "The fields ``no-cache`` is limited to, True for the whole.",
    )
    private: _Directive[str | bool | None] = _Directive(
        "private", _text_or_true, None, "The fields ``private`` is limited to, True for the whole."
    )
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
