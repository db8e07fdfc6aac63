"""Rules: which URLs belong to an endpoint (Flask: "URL Route Registrations"; Werkzeug: ``werkzeug.routing.Rule``)."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from .building import Template, UrlBuilder
from .converters import BaseConverter, NumberConverter, ValidationError
from .parsing import Token, Variable, parse_converter_args, tokenize
from .parts import EMPTY_DOMAIN, Part, split_parts

Conversion = tuple[str, Callable[[str], Any] | None]
"""A variable's name and what makes its value of the text; None: the text is the value."""

MATTERS_WHEN_MATCHING = frozenset(
    {
        *("alias", "build_only", "defaults", "endpoint", "merge_slashes", "methods"),
        *("redirect_to", "strict_slashes", "websocket"),
    }
)
"""Attributes of a bound rule that may be set: the map is told, and matches accordingly from then on."""


class Methods(set[str]):
    """The methods of a rule: a set that says when it was changed."""

    on_change: Callable[[], None]


def _telling(name: str) -> Callable[..., Any]:
    change = getattr(set, name)

    def changed(self: Methods, *args: Any) -> Any:
        result = change(self, *args)
        self.on_change()
        return result

    changed.__name__ = name
    return changed


for _name in (
    *("add", "clear", "discard", "pop", "remove", "update"),
    *("difference_update", "intersection_update", "symmetric_difference_update"),
    *("__iand__", "__ior__", "__isub__", "__ixor__"),
):
    setattr(Methods, _name, _telling(_name))


class RuleFactory(ABC):
    """Anything that makes rules, so that it can be added to a map."""

    @abstractmethod
    def get_rules(self, map: Any) -> Iterable["Rule"]:
        """Return the rules, unbound, for `map` (a `Map`)."""


class Rule(RuleFactory):
    """One URL pattern and the endpoint behind it.

    Args:
        string: a path with placeholders ``<converter(arguments):name>``; converter and arguments may be left out.
            With a slash at its end it is a branch: without it the client is redirected there. Otherwise a leaf.
        defaults: values for names that are no placeholders of this rule. A URL of another rule of the endpoint that
            has placeholders of these names, and these very values in it, is redirected to this one.
        subdomain: where the map does not match hosts: the subdomain, which may have placeholders too.
        methods: the methods it answers; None: all. GET brings HEAD along.
        build_only: it builds URLs and never matches.
        endpoint: what the map gives when it matches.
        strict_slashes: False: a branch matches without its slash, a leaf with one; None: as the map says.
        merge_slashes: whether ``//`` in a path is redirected to ``/``; None: as the map says.
        redirect_to: matching redirects there: a URL with this rule's placeholders, relative to the application's
            root, or a function of the adapter and the values that returns one.
        alias: it is another URL of a rule with the same endpoint and arguments, and redirected there.
        host: where the map matches hosts: the host, which may have placeholders too.
        websocket: it matches WebSocket requests, and only those.

    Raises:
        ValueError: `string` does not begin with a slash, or a WebSocket rule has methods other than
            GET, HEAD and OPTIONS.
        TypeError: `methods` is one string.
    """

    map: Any = None
    """The `Map` this rule is bound to, or None."""

    methods: set[str] | None
    """The methods it answers; None: all."""

    arguments: set[str]
    """The names of its placeholders and defaults."""

    parts: tuple[Part, ...]
    """The host or subdomain, then one part for each segment of the path."""

    trace: tuple[tuple[bool, str], ...]
    """(is variable, text or name) in order; host and path are separated by ``|``."""

    converters: dict[str, BaseConverter]
    """The converter of each placeholder, in order."""

    conversions: tuple[Conversion, ...]
    """How the value of each placeholder is made of its text, in order."""

    def __init__(
        self,
        string: str,
        defaults: Mapping[str, Any] | None = None,
        subdomain: str | None = None,
        methods: Iterable[str] | None = None,
        build_only: bool = False,
        endpoint: Any | None = None,
        strict_slashes: bool | None = None,
        merge_slashes: bool | None = None,
        redirect_to: str | Callable[..., str] | None = None,
        alias: bool = False,
        host: str | None = None,
        websocket: bool = False,
    ) -> None:
        if not string.startswith("/"):
            raise ValueError(f"URL rule '{string}' must start with a slash.")
        self.rule = string
        self.is_branch = string.endswith("/")
        self.is_leaf = not self.is_branch
        self.strict_slashes = strict_slashes
        self.merge_slashes = merge_slashes
        self.subdomain = subdomain
        self.host = host
        self.defaults = defaults
        self.build_only = build_only
        self.alias = alias
        self.websocket = websocket
        self.methods = self._checked_methods(methods)
        self.endpoint = endpoint
        self.redirect_to = redirect_to
        self.arguments = {str(name) for name in defaults or ()}
        self.parts = ()
        self.trace = ()
        self.converters = {}
        self.conversions = ()

    def _checked_methods(self, methods: Iterable[str] | None) -> set[str] | None:
        if methods is None:
            return None
        if isinstance(methods, str):
            raise TypeError(f"'methods' should be a list of strings, not {methods!r}.")
        allowed = {method.upper() for method in methods}
        if "GET" in allowed:
            allowed.add("HEAD")
        if self.websocket and allowed - {"GET", "HEAD", "OPTIONS"}:
            raise ValueError("WebSocket rules can only use 'GET', 'HEAD', and 'OPTIONS' methods.")
        return allowed

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "methods" and value is not None:
            value = Methods(value)
            value.on_change = self._methods_changed
        super().__setattr__(name, value)
        if name in MATTERS_WHEN_MATCHING and self.map is not None:
            self.map.rule_changed(self, name)

    def _methods_changed(self) -> None:
        if self.map is not None:
            self.map.rule_changed(self, "methods")

    # --- being bound to a map

    def empty(self) -> Self:
        """Return an unbound copy, made with `get_empty_kwargs`."""
        return type(self)(self.rule, **self.get_empty_kwargs())

    def get_empty_kwargs(self) -> Mapping[str, Any]:
        """Return the keyword arguments for `empty`. Extend it in a subclass that takes more of them."""
        return {
            "defaults": dict(self.defaults) if self.defaults else None,
            "subdomain": self.subdomain,
            "methods": self.methods,
            "build_only": self.build_only,
            "endpoint": self.endpoint,
            "strict_slashes": self.strict_slashes,
            "merge_slashes": self.merge_slashes,
            "redirect_to": self.redirect_to,
            "alias": self.alias,
            "host": self.host,
            "websocket": self.websocket,
        }

    def get_rules(self, map: Any) -> Iterator["Rule"]:
        """Yield this rule itself."""
        yield self

    def refresh(self) -> None:
        """Bind it again to its map, after `rule`, `subdomain`, `host` or `arguments` were set."""
        bound_to = self.map
        self.bind(bound_to, rebind=True)
        bound_to.rules_changed()

    def bind(self, map: Any, rebind: bool = False) -> None:
        """Bind the rule to `map` (a `Map`): take over its settings and converters.

        Raises:
            RuntimeError: it is bound already, and `rebind` is False.
            ValueError: the rule is malformed.
            LookupError: it names a converter that the map does not have.
        """
        if self.map is not None and not rebind:
            raise RuntimeError(f"url rule {self!r} already bound to map {self.map!r}")
        self.map = None
        if self.strict_slashes is None:
            self.strict_slashes = bool(map.strict_slashes)
        if self.merge_slashes is None:
            self.merge_slashes = bool(map.merge_slashes)
        if self.subdomain is None:
            self.subdomain = map.default_subdomain
        self.map = map
        self.compile()

    def get_converter(
        self,
        variable_name: str,
        converter_name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> BaseConverter:
        """Return the converter for a placeholder.

        Raises:
            LookupError: the map has none of that name.
        """
        if converter_name not in self.map.converters:
            raise LookupError(f"the converter {converter_name!r} does not exist")
        converter: BaseConverter = self.map.converters[converter_name](self.map, *args, **kwargs)
        return converter

    def _converter_of(self, variable: Variable) -> BaseConverter:
        if variable.name in self.converters:
            raise ValueError(
                f"variable name {variable.name!r} used twice in rule {self.rule!r}: give one another name"
            )
        positional, named = parse_converter_args(variable.arguments)
        converter = self.get_converter(variable.name, variable.converter, positional, named)
        self.converters[variable.name] = converter
        self.arguments.add(variable.name)
        return converter

    def compile(self) -> None:
        """Take the rule apart into what matching and building need.

        Raises:
            ValueError: the rule is malformed, or has two variables of one name.
            LookupError: it names a converter that the map does not have.
        """
        domain = (self.host if self.map.host_matching else self.subdomain) or ""
        path = re.sub("/{2,}", "/", self.rule) if self.merge_slashes else self.rule
        domain_tokens, path_tokens = list(tokenize(domain)), list(tokenize(path))
        self.converters = {}
        domain_parts = split_parts(domain_tokens, self._converter_of) if domain else (EMPTY_DOMAIN,)
        self.parts = (*domain_parts, *split_parts(path_tokens, self._converter_of))
        domain_trace, path_trace = _trace(domain_tokens), _trace(path_tokens)
        self.trace = (*domain_trace, (False, "|"), *path_trace)
        self.conversions = tuple(
            (name, _conversion(converter)) for name, converter in self.converters.items()
        )
        defaults = self.defaults or {}
        self._builder = UrlBuilder(
            Template(domain_trace, self.converters, defaults),
            Template(path_trace, self.converters, defaults),
            defaults,
            self.map.sort_parameters,
            self.map.sort_key,
        )

    # --- matching

    def convert(self, texts: Sequence[str]) -> dict[str, Any]:
        """Return the values for the view, made of the text of each placeholder in order, with the defaults.

        Raises:
            ValidationError: a converter refuses a text. Other exceptions of a converter pass through.
        """
        values: dict[str, Any] = {}
        at = 0  # PERF: counted by hand, a third less than with `zip`
        for name, convert in self.conversions:
            if convert is None:
                values[name] = texts[at]
            elif convert is int:
                try:
                    values[name] = int(texts[at])
                except ValueError as error:  # more digits than Python converts
                    raise ValidationError(texts[at]) from error
            else:
                values[name] = convert(texts[at])
            at += 1  # noqa: SIM113
        if self.defaults:
            values.update(self.defaults)
        return values

    # --- building

    def build(
        self, values: Mapping[str, Any], append_unknown: bool = True
    ) -> tuple[str, str] | None:
        """Return (domain part, path with query), or None when a converter refuses a value."""
        try:
            return self._builder.build(values, append_unknown)
        except ValidationError:
            return None

    def provides_defaults_for(self, rule: "Rule") -> bool:
        """Whether `rule`, of the same endpoint, has placeholders for this rule's defaults."""
        return bool(
            not self.build_only
            and self.defaults
            and self.endpoint == rule.endpoint
            and self != rule
            and self.arguments == rule.arguments
        )

    def suitable_for(self, values: Mapping[str, Any], method: str | None = None) -> bool:
        """Whether `values` are enough to build a URL, do not contradict the defaults, and the method fits."""
        if method is not None and self.methods is not None and method not in self.methods:
            return False
        defaults = self.defaults or {}
        for name in self.arguments:
            if name not in values and name not in defaults:
                return False
        if not defaults:
            return True
        return all(name not in values or value == values[name] for name, value in defaults.items())

    def build_compare_key(self) -> tuple[int, int, int]:
        """Return what sorts the rules of an endpoint for building: aliases last, more arguments first."""
        return (1 if self.alias else 0, -len(self.arguments), -len(self.defaults or ()))

    # --- as Werkzeug's: extensions read these two

    @property
    def _converters(self) -> dict[str, BaseConverter]:
        return self.converters

    @property
    def _trace(self) -> list[tuple[bool, str]]:
        return list(self.trace)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.trace == other.trace

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.rule

    def __repr__(self) -> str:
        if self.map is None:
            return f"<{type(self).__name__} (unbound)>"
        text = "".join([f"<{name}>" if variable else name for variable, name in self.trace])
        methods = "" if self.methods is None else f" ({', '.join(sorted(self.methods))})"
        return f"<{type(self).__name__} {text.lstrip('|')!r}{methods} -> {self.endpoint}>"


def _trace(tokens: Iterable[Token]) -> list[tuple[bool, str]]:
    return [
        (True, token.name) if isinstance(token, Variable) else (False, token) for token in tokens
    ]


def _conversion(converter: BaseConverter) -> Callable[[str], Any] | None:
    """Return how `converter` makes a value of a text, without a call of ours where there is nothing to check."""
    method = getattr(converter.to_python, "__func__", None)
    if method is BaseConverter.to_python:
        return None
    if isinstance(converter, NumberConverter) and method is NumberConverter.to_python:
        bounded = converter.fixed_digits or converter.min is not None or converter.max is not None
        if converter.num_convert is int and not bounded:
            return int
    return converter.to_python
