"""The map: all rules of an application, and the settings they share (Werkzeug: ``Map``; Flask: ``app.url_map``).

It is live: a rule added, changed or refreshed counts from then on, for matching and for building.
"""

import warnings
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pprint import pformat
from threading import Lock
from typing import Any, ClassVar

from ...http.environ import decode_wsgi, server_address
from ...http.errors import BadHost
from ...http.mappings import CallbackDict, ImmutableDict
from ...http.urls import get_host
from .adapter import MapAdapter, QueryArguments
from .converters import DEFAULT_CONVERTERS, BaseConverter
from .explain import explain
from .matcher import RouteTable
from .rules import Rule, RuleFactory


class Map:
    """The rules, by which requests are matched and URLs built.

    Args:
        rules: rules and rule factories to begin with.
        default_subdomain: the subdomain of rules that name none.
        strict_slashes: whether a branch is redirected to its URL with a slash, and a leaf with one is not found.
        merge_slashes: whether a path with ``//`` is redirected to the one with ``/``.
        redirect_defaults: whether a URL that holds a rule's defaults is redirected to that rule, and an alias to
            what it stands for.
        converters: converters on top of the default ones.
        sort_parameters: whether the query of built URLs is sorted.
        sort_key: by what its pairs are sorted.
        host_matching: whether rules are matched by `Rule.host` instead of `Rule.subdomain`.
    """

    default_converters: ClassVar[Mapping[str, type[BaseConverter]]] = ImmutableDict(
        DEFAULT_CONVERTERS
    )
    """The converters of every map."""

    lock_class: ClassVar[Any] = Lock
    """Makes the lock that is held while rules are added."""

    on_change: list[Callable[[], None]]
    """Called after each change of rules, converters, or settings that matching depends on."""

    table: RouteTable
    """What requests are matched with."""

    rules_by_endpoint: dict[Any, list[Rule]]
    """The rules of each endpoint, in the order in which they are tried for building."""

    def __init__(
        self,
        rules: Iterable[RuleFactory] | None = None,
        default_subdomain: str = "",
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        redirect_defaults: bool = True,
        converters: Mapping[str, type[BaseConverter]] | None = None,
        sort_parameters: bool = False,
        sort_key: Callable[[Any], Any] | None = None,
        host_matching: bool = False,
    ) -> None:
        self.on_change = []
        self.rules_by_endpoint = {}
        self._in_order: list[Rule] = []
        self._lock = self.lock_class()
        self._default_subdomain = default_subdomain
        self._merge_slashes = merge_slashes
        self._host_matching = host_matching
        self.strict_slashes = strict_slashes
        self.redirect_defaults = redirect_defaults
        self.converters: dict[str, type[BaseConverter]] = CallbackDict(
            {**self.default_converters, **(converters or {})}, self._told
        )
        self.sort_parameters = sort_parameters
        self.sort_key = sort_key
        self.table = self._empty_table()
        for factory in rules or ():
            self.add(factory)

    # --- settings

    @property
    def merge_slashes(self) -> bool:
        """Whether a path with ``//`` is redirected to the one with ``/``."""
        return self._merge_slashes

    @merge_slashes.setter
    def merge_slashes(self, value: bool) -> None:
        self._merge_slashes = value
        self.rules_changed()

    @property
    def host_matching(self) -> bool:
        """Whether rules are matched by `Rule.host` instead of `Rule.subdomain`. Set it before adding rules."""
        return self._host_matching

    @host_matching.setter
    def host_matching(self, value: bool) -> None:
        self._host_matching = value
        self.rules_changed()

    @property
    def default_subdomain(self) -> str:
        """The subdomain of rules that name none."""
        return self._default_subdomain

    @default_subdomain.setter
    def default_subdomain(self, value: str) -> None:
        self._default_subdomain = value
        self.rules_changed()

    # --- rules

    def add(self, rulefactory: RuleFactory) -> None:
        """Bind a rule, or the rules of a factory, and take them in.

        Raises:
            RuntimeError: a rule is bound already.
            ValueError: a rule is malformed.
            LookupError: a rule names a converter that the map does not have.
        """
        for rule in rulefactory.get_rules(self):
            rule.bind(self)
            with self._lock:
                self._in_order.append(rule)
                self.table.add(rule)
                _take_in(self.rules_by_endpoint, rule)
        self._told()

    def rule_changed(self, rule: Rule, attribute: str) -> None:
        """Match and build by what `attribute` of `rule` says now. The rule calls it."""
        if attribute in ("build_only", "endpoint"):
            self.rules_changed()
            return
        with self._lock:
            self.table.relist(rule)
        self._told()

    def rules_changed(self) -> None:
        """Match and build by what all rules and the settings say now."""
        with self._lock:
            # Made whole first: other threads match and build meanwhile.
            table = self._empty_table()
            rules_by_endpoint: dict[Any, list[Rule]] = {}
            for rule in self._in_order:
                table.add(rule)
                _take_in(rules_by_endpoint, rule)
            self.table, self.rules_by_endpoint = table, rules_by_endpoint
        self._told()

    def _empty_table(self) -> RouteTable:
        return RouteTable(
            merge_slashes=self._merge_slashes,
            default_domain=None if self._host_matching else self._default_subdomain,
        )

    def _told(self, converters: Any = None) -> None:
        for listener in self.on_change:
            listener()

    def is_endpoint_expecting(self, endpoint: Any, *arguments: str) -> bool:
        """Whether some rule of `endpoint` has all these arguments.

        Raises:
            KeyError: there is no such endpoint.
        """
        wanted = set(arguments)
        return any(wanted <= rule.arguments for rule in self.rules_by_endpoint[endpoint])

    def iter_rules(self, endpoint: Any | None = None) -> Iterator[Rule]:
        """Iterate over all rules, or those of one endpoint.

        Raises:
            KeyError: there is no such endpoint.
        """
        if endpoint is not None:
            return iter(self.rules_by_endpoint[endpoint])
        return iter([rule for rules in self.rules_by_endpoint.values() for rule in rules])

    def update(self) -> None:
        """Do nothing, since the map is always up to date; programs written for Werkzeug may call it."""

    def duplicates(self) -> list[tuple[Rule, Rule]]:
        """Return pairs of rules that match the same requests, so that the second of them never does.

        See `RouteTable.duplicates` for what counts.
        """
        return list(self.table.duplicates())

    @property
    def in_order(self) -> Sequence[Rule]:
        """All rules, in the order in which they were added."""
        return self._in_order

    def explain(
        self, method: str, path: str, domain: str | None = None, websocket: bool = False
    ) -> list[tuple[Rule, str]]:
        """Return for each rule, the nearest to matching first, why it does not match the request, or that it does."""
        where = self._default_subdomain if domain is None else domain
        return explain(self._in_order, method.upper(), path, where, websocket)

    # --- binding to a request

    def bind(
        self,
        server_name: str,
        script_name: str | None = None,
        subdomain: str | None = None,
        url_scheme: str = "http",
        default_method: str = "GET",
        path_info: str | None = None,
        query_args: QueryArguments | None = None,
    ) -> MapAdapter:
        """Return an adapter for these circumstances; see `MapAdapter`.

        `script_name` and `path_info` are ``/`` when None, `subdomain` is the default one.

        Raises:
            BadHost: `server_name` cannot be a host.
            RuntimeError: the map matches hosts, and a subdomain was given.
        """
        if self._host_matching:
            if subdomain is not None:
                raise RuntimeError("host matching enabled and a subdomain was provided")
        elif subdomain is None:
            subdomain = self._default_subdomain
        return MapAdapter(
            self,
            _ascii_host(server_name.lower()),
            "/" if script_name is None else script_name,
            subdomain,
            url_scheme,
            "/" if path_info is None else path_info,
            default_method,
            query_args,
        )

    def bind_to_environ(
        self, environ: Any, server_name: str | None = None, subdomain: str | None = None
    ) -> MapAdapter:
        """Return an adapter for a WSGI environ, or for a request that has one.

        Args:
            environ: the environ, or the request.
            server_name: the host that the application is configured for; what the request's host has more is the
                subdomain. None: the request's host.
            subdomain: the subdomain; None: found out as above.

        Raises:
            BadHost: the host cannot be one.
        """
        env: dict[str, Any] = getattr(environ, "environ", environ)
        scheme: str = env["wsgi.url_scheme"]
        connection: str = env.get("HTTP_CONNECTION", "").lower()
        upgrade = "upgrade" in [option.strip(" \t") for option in connection.split(",")]
        return self.bind_to_host(
            get_host(scheme, env.get("HTTP_HOST"), server_address(env)),
            scheme=scheme,
            method=env["REQUEST_METHOD"],
            script_name=decode_wsgi(env.get("SCRIPT_NAME", "")),
            path_info=decode_wsgi(env.get("PATH_INFO", "/")),
            query_args=decode_wsgi(env.get("QUERY_STRING", "")),
            websocket=upgrade and env.get("HTTP_UPGRADE", "").lower() == "websocket",
            server_name=server_name,
            subdomain=subdomain,
        )

    @property
    def reads_environ(self) -> bool:
        """Whether a subclass binds to environs in a way of its own, so that it has to be asked for each request."""
        return type(self).bind_to_environ is not Map.bind_to_environ

    def bind_to_host(
        self,
        host: str,
        *,
        scheme: str,
        method: str,
        script_name: str,
        path_info: str,
        query_args: str,
        websocket: bool = False,
        server_name: str | None = None,
        subdomain: str | None = None,
    ) -> MapAdapter:
        """Return an adapter for a request that came to `host`; see `bind_to_environ`.

        Raises:
            BadHost: the host cannot be one.
        """
        host = host.lower()
        if websocket:
            scheme = "wss" if scheme == "https" else "ws"
        if server_name is None:
            server_name = host
        else:
            default_port = ":443" if scheme in ("https", "wss") else ":80"
            server_name = server_name.lower().removesuffix(default_port)
        if subdomain is None and not self._host_matching:
            subdomain = self._subdomain_of(host, server_name)
        return self.bind(server_name, script_name, subdomain, scheme, method, path_info, query_args)

    def _subdomain_of(self, host: str, server_name: str) -> str:
        labels, known = host.split("."), server_name.split(".")
        if labels[-len(known) :] != known:
            # As when the application is reached by its IP address: no rule matches then.
            warnings.warn_explicit(
                f"Current server name {host!r} doesn't match configured server name"
                f" {server_name!r}",
                UserWarning,
                __file__,
                0,
                module="flask.app",  # where it comes from with Flask: programs filter it by that
                registry=_warned,
            )
            return "<invalid>"
        return ".".join(filter(None, labels[: -len(known)]))

    # --- as Werkzeug's: programs read these two

    @property
    def _rules(self) -> list[Rule]:
        return list(self.iter_rules())

    @property
    def _rules_by_endpoint(self) -> dict[Any, list[Rule]]:
        return self.rules_by_endpoint

    def __repr__(self) -> str:
        return f"{type(self).__name__}({pformat(list(self.iter_rules()))})"


_warned: dict[Any, Any] = {}
"""Which warnings were shown, so that `warnings` shows each once."""


def _take_in(rules_by_endpoint: dict[Any, list[Rule]], rule: Rule) -> None:
    # A new list, since another thread may be iterating over the old one.
    rules = [*rules_by_endpoint.get(rule.endpoint, ())]
    insort(rules, rule, key=lambda rule: rule.build_compare_key())
    rules_by_endpoint[rule.endpoint] = rules


def _ascii_host(host: str) -> str:
    """Return `host` with its name in ASCII (RFC 5891). Raises `BadHost` if it cannot be a host."""
    name, colon, port = host.partition(":")
    try:
        name = name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadHost from error
    return f"{name}{colon}{port}"
