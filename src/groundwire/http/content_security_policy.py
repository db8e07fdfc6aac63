"""Content-Security-Policy: what a page may load and do (W3C Content Security Policy Level 3)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, overload

from .field_values import OWS, fold_case
from .mappings import CallbackDict


class _Directive:
    """A directive as an attribute; None when it is not there, and set to None it is removed."""

    def __init__(self, key: str = "") -> None:
        self.name = key

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name.replace("_", "-")
        self.__doc__ = f"The value of ``{self.name}``, None without it."

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "ContentSecurityPolicy", owner: type) -> str | None: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.get(self.name)

    def __set__(self, instance: "ContentSecurityPolicy", value: str | None) -> None:
        if value is None:
            instance.pop(self.name, None)
        else:
            instance[self.name] = value

    def __delete__(self, instance: "ContentSecurityPolicy") -> None:
        instance.pop(self.name, None)


def csp_property(key: str) -> Any:
    """Return an attribute for the directive `key`, for a subclass that knows more of them.

    (Werkzeug: ``werkzeug.datastructures.csp.csp_property``.)
    """
    return _Directive(key)


class ContentSecurityPolicy(CallbackDict[str, str]):
    """The directives of a policy: a dict of names and values (Werkzeug: ``ContentSecurityPolicy``).

    Attributes:
        provided: whether the field was there at all.
    """

    base_uri = _Directive()
    child_src = _Directive()
    connect_src = _Directive()
    default_src = _Directive()
    font_src = _Directive()
    form_action = _Directive()
    frame_ancestors = _Directive()
    frame_src = _Directive()
    img_src = _Directive()
    manifest_src = _Directive()
    media_src = _Directive()
    navigate_to = _Directive()
    object_src = _Directive()
    plugin_types = _Directive()
    prefetch_src = _Directive()
    report_to = _Directive()
    report_uri = _Directive()
    sandbox = _Directive()
    script_src = _Directive()
    script_src_attr = _Directive()
    script_src_elem = _Directive()
    style_src = _Directive()
    style_src_attr = _Directive()
    style_src_elem = _Directive()
    worker_src = _Directive()

    def __init__(
        self,
        values: Mapping[str, str] | Iterable[tuple[str, str]] | None = (),
        on_update: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(values, on_update)
        self.provided = values is not None

    def to_header(self) -> str:
        """Return the field value."""
        return dump_csp_header(self)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        items = " ".join(f"{name}={value!r}" for name, value in sorted(self.items()))
        return f"<{type(self).__name__} {items}>"


def parse_csp_header(
    value: str | None,
    on_update: Callable[[Any], object] | None = None,
    cls: type[ContentSecurityPolicy] | None = None,
) -> ContentSecurityPolicy:
    """Read a policy; names of directives have no case, and of a repeated one the first counts, as in browsers."""
    make = ContentSecurityPolicy if cls is None else cls
    if value is None:
        return make(None, on_update)
    directives: dict[str, str] = {}
    for piece in value.split(";"):
        name, _, text = piece.strip(OWS).partition(" ")
        if name:
            directives.setdefault(fold_case(name), text.strip(OWS))
    return make(directives, on_update)


def dump_csp_header(header: Mapping[str, str]) -> str:
    """Return the field value of a policy."""
    return "; ".join(f"{name} {value}".rstrip(" ") for name, value in header.items())
