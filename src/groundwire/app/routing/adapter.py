"""A map bound to one request's circumstances: it matches paths and builds URLs (Werkzeug: ``MapAdapter``)."""

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, Literal, overload
from urllib.parse import urljoin, urlsplit, urlunsplit

from ...http.errors import HTTPException, MethodNotAllowed
from ...http.multidict import MultiDict
from .building import encode_query
from .converters import quote_path
from .exceptions import BuildError, NoMatch, RequestPath, RequestRedirect
from .rules import Rule

QueryArguments = Mapping[str, Any] | str

_PLACEHOLDER = re.compile(r"<([^>]+)>")


class MapAdapter:
    """What `Map.bind` and `Map.bind_to_environ` return.

    Args:
        map: the `Map`.
        server_name: host and port.
        script_name: the path the application is mounted at.
        subdomain: the subdomain of the request, where the map does not match hosts.
        url_scheme: ``http``, ``https``, ``ws`` or ``wss``.
        path_info: the path that `match` takes when it is given none.
        default_method: the method, likewise.
        query_args: the query of the request, kept in redirects.
    """

    def __init__(
        self,
        map: Any,
        server_name: str,
        script_name: str,
        subdomain: str | None,
        url_scheme: str,
        path_info: str,
        default_method: str,
        query_args: QueryArguments | None = None,
    ) -> None:
        self.map = map
        self.server_name = server_name
        self.script_name = script_name if script_name.endswith("/") else f"{script_name}/"
        self.subdomain = subdomain
        self.url_scheme = url_scheme
        self.path_info = path_info
        self.default_method = default_method
        self.query_args = query_args
        self.websocket = url_scheme in ("ws", "wss")

    # --- matching

    def dispatch(
        self,
        view_func: Callable[[Any, Mapping[str, Any]], Any],
        path_info: str | None = None,
        method: str | None = None,
        catch_http_exceptions: bool = False,
    ) -> Any:
        """Match, and return what ``view_func(endpoint, values)`` returns, or the redirect there is.

        Args:
            view_func: answers for an endpoint.
            path_info: see `match`.
            method: see `match`.
            catch_http_exceptions: whether an `HTTPException` is returned, as the WSGI application it is.

        Raises:
            HTTPException: nothing matches, or `view_func` raised it; not with `catch_http_exceptions`.
        """
        try:
            try:
                endpoint, values = self.match(path_info, method)
            except RequestRedirect as redirect:
                return redirect
            return view_func(endpoint, values)
        except HTTPException as error:
            if catch_http_exceptions:
                return error
            raise

    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: Literal[False] = False,
        query_args: QueryArguments | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, Mapping[str, Any]]: ...

    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: Literal[True] = True,
        query_args: QueryArguments | None = None,
        websocket: bool | None = None,
    ) -> tuple[Rule, Mapping[str, Any]]: ...

    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: bool = False,
        query_args: QueryArguments | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, Mapping[str, Any]]:
        """Return (endpoint, values for its view) of the rule that matches.

        Args:
            path_info: the decoded path; None: the one this was bound to.
            method: the method; None: likewise.
            return_rule: whether the rule comes first instead of its endpoint.
            query_args: the query, kept in redirects; None: the one this was bound to.
            websocket: whether it is a WebSocket's request; None: as the scheme says.

        Raises:
            NotFound: no rule matches.
            MethodNotAllowed: rules match, for other methods.
            WebsocketMismatch: rules match, for WebSocket requests only, or for all others only.
            RequestRedirect: the URL is another one: with a slash at its end, with single slashes, without what is a
                default, or as `Rule.redirect_to` says.
        """
        if path_info is None:
            path_info = self.path_info
        if query_args is None:
            query_args = self.query_args or {}
        if websocket is None:
            websocket = self.websocket
        method = (method or self.default_method).upper()
        path = f"/{path_info.lstrip('/')}" if path_info else ""
        table = self.map.table
        try:
            rule: Rule
            rule, values = table.find(self.domain(), path, method, websocket)
        except RequestPath as redirect:
            raise RequestRedirect(
                self.make_redirect_url(quote_path(redirect.path_info), query_args)
            ) from None
        except NoMatch as error:
            raise table.verdict(error) from None
        if rule.endpoint in table.redirecting:
            self._redirect(rule, method, path, values, query_args)
        return (rule if return_rule else rule.endpoint), values

    def domain(self) -> str:
        """Return what the first part of a rule is matched with: the subdomain, or the host."""
        if self.map.host_matching or self.subdomain is None:
            return self.server_name
        return self.subdomain

    def _redirect(
        self,
        rule: Rule,
        method: str,
        path: str,
        values: dict[str, Any],
        query_args: QueryArguments,
    ) -> None:
        """Raise a `RequestRedirect` if `rule`, which matches, is not where its resource is to be found."""
        if self.map.redirect_defaults:
            if rule.alias:
                raise RequestRedirect(
                    self.make_alias_redirect_url(
                        f"{self.domain()}|{path}", rule.endpoint, values, method, query_args
                    )
                )
            url = self.get_default_redirect(rule, method, values, query_args)
            if url is not None:
                raise RequestRedirect(url)
        if rule.redirect_to is not None:
            host = f"{self.subdomain}.{self.server_name}" if self.subdomain else self.server_name
            base = f"{self.url_scheme or 'http'}://{host}{self.script_name}"
            raise RequestRedirect(self._redirect_target(base, rule, values))

    def _redirect_target(self, base: str, rule: Rule, values: Mapping[str, Any]) -> str:
        """Return the URL that `Rule.redirect_to` says, relative to `base`."""
        target = rule.redirect_to
        if not isinstance(target, str):
            return base if target is None else urljoin(base, target(self, **values))
        filled = _PLACEHOLDER.sub(
            lambda match: rule.converters[match[1]].to_url(values[match[1]]), target
        )
        url = urljoin(base, filled)
        # SECURITY: where the rule itself stays on this host, no value in the path leads away from it.
        if _origin(urljoin(base, _PLACEHOLDER.sub("x", target))) == _origin(base) != _origin(url):
            url = f"{base}{filled.lstrip('/')}"
        return url

    def test(self, path_info: str | None = None, method: str | None = None) -> bool:
        """Whether a rule matches, be it to redirect."""
        try:
            self.match(path_info, method)
        except RequestRedirect:
            pass
        except HTTPException:
            return False
        return True

    def allowed_methods(self, path_info: str | None = None) -> Iterable[str]:
        """Return the methods for which a rule with methods matches the path."""
        try:
            self.match(path_info, method="--")
        except MethodNotAllowed as error:
            return error.valid_methods or []
        except HTTPException:
            pass
        return []

    # --- redirects

    def get_host(self, domain_part: str | None) -> str:
        """Return the whole host for a subdomain, or for a host where the map matches hosts; None: the request's."""
        if self.map.host_matching:
            return self.server_name if domain_part is None else domain_part
        subdomain = self.subdomain if domain_part is None else domain_part
        return f"{subdomain}.{self.server_name}" if subdomain else self.server_name

    def get_default_redirect(
        self,
        rule: Rule,
        method: str,
        values: MutableMapping[str, Any],
        query_args: QueryArguments,
    ) -> str | None:
        """Return the URL of the rule that has `values` as its defaults and goes before `rule`, or None."""
        for candidate in self.map.rules_by_endpoint[rule.endpoint]:
            if candidate is rule:
                break
            if candidate.provides_defaults_for(rule) and candidate.suitable_for(values, method):
                values.update(candidate.defaults)
                domain_part, path = candidate.build(values)
                return self.make_redirect_url(path, query_args, domain_part=domain_part)
        return None

    def encode_query_args(self, query_args: QueryArguments) -> str:
        """Return `query_args` as a query string."""
        return query_args if isinstance(query_args, str) else encode_query(query_args)

    def make_redirect_url(
        self,
        path_info: str,
        query_args: QueryArguments | None = None,
        domain_part: str | None = None,
    ) -> str:
        """Return the URL of a path, which is percent-encoded already; absolute, if the request's host is known.

        However many slashes `path_info` begins with, one stands after the application's root, so that none of it
        is taken for a host.
        """
        if query_args is None:
            query_args = self.query_args
        query = self.encode_query_args(query_args) if query_args else ""
        root = self.script_name.strip("/")
        path = f"/{root}/{path_info.lstrip('/')}" if root else f"/{path_info.lstrip('/')}"
        host = self.get_host(domain_part)
        # An HTTP/1.0 request may name no host; the client knows which one it meant.
        scheme = (self.url_scheme or "http") if host else ""
        return urlunsplit((scheme, host, path, query, ""))

    def make_alias_redirect_url(
        self,
        path: str,
        endpoint: Any,
        values: Mapping[str, Any],
        method: str,
        query_args: QueryArguments,
    ) -> str:
        """Return the absolute URL of the rule that an alias stands for.

        Raises:
            BuildError: there is none.
        """
        url = self.build(endpoint, values, method, append_unknown=False, force_external=True)
        return f"{url}?{self.encode_query_args(query_args)}" if query_args else url

    # --- building

    def _partial_build(
        self,
        endpoint: Any,
        values: Mapping[str, Any],
        method: str | None,
        append_unknown: bool,
    ) -> tuple[str, str, bool] | None:
        """Return (domain part, path with query, for a WebSocket) of the first rule that can be built, or None."""
        elsewhere: tuple[str, str, bool] | None = None
        rules: Iterable[Rule] = self.map.rules_by_endpoint.get(endpoint, ())
        for rule in rules:
            if not rule.suitable_for(values, method):
                continue
            url = rule.build(values, append_unknown)
            if url is None:
                continue
            if not self.map.host_matching or url[0] == self.server_name:
                return url[0], url[1], rule.websocket
            if elsewhere is None:
                elsewhere = url[0], url[1], rule.websocket
        return elsewhere

    def build(
        self,
        endpoint: Any,
        values: Mapping[str, Any] | None = None,
        method: str | None = None,
        force_external: bool = False,
        append_unknown: bool = True,
        url_scheme: str | None = None,
    ) -> str:
        """Return the URL of an endpoint with these values.

        It is a path, unless the rule is on another host or for WebSocket requests, or `force_external` is set.

        Args:
            endpoint: the endpoint.
            values: the values of its placeholders. What it has no placeholder for becomes the query; None as a value
                means that it is not given.
            method: take only a rule that answers this method; None: preferably one that answers the request's.
            force_external: return an absolute URL.
            append_unknown: False: leave out what would become the query.
            url_scheme: the scheme of an absolute URL; None: the request's; "": none, so that it begins with ``//``.

        Raises:
            BuildError: no rule of the endpoint can be built with these values.
        """
        given: dict[str, Any]
        if not values:
            given = {}
        elif isinstance(values, MultiDict):
            lists: Iterable[tuple[str, list[Any]]] = values.lists()
            given = {name: many[0] if len(many) == 1 else many for name, many in lists if many}
        else:
            given = {name: value for name, value in values.items() if value is not None}
        built = None
        if method is None:
            built = self._partial_build(endpoint, given, self.default_method, append_unknown)
        if built is None:
            built = self._partial_build(endpoint, given, method, append_unknown)
            if built is None:
                raise BuildError(endpoint, given, method, self)
        domain_part, path, websocket = built
        if not force_external and not websocket and self._is_here(domain_part):
            return f"{self.script_name.rstrip('/')}/{path.lstrip('/')}"
        scheme = self.url_scheme if url_scheme is None else url_scheme
        secure = scheme in ("https", "wss")
        if websocket:
            # Whole always: a page seen over HTTP has another scheme.
            scheme = "wss" if secure else "ws"
        elif scheme:
            scheme = "https" if secure else "http"
        prefix = f"{scheme}:" if scheme else ""
        host = self.get_host(domain_part)
        return f"{prefix}//{host}{self.script_name[:-1]}/{path.lstrip('/')}"

    def _is_here(self, domain_part: str) -> bool:
        """Whether a rule's subdomain or host is the request's."""
        if self.map.host_matching:
            return domain_part == self.server_name
        return domain_part == self.subdomain


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
