"""What matching a path and building a URL can end in, other than a rule and a URL."""

import difflib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol

from markupsafe import escape

from ...http.errors import BadRequest, HTTPException, make_response


class RoutingException(Exception):
    """The router has something to say that is neither a match nor that there is none."""


class RequestRedirect(HTTPException, RoutingException):
    """308: the resource has another URL, `new_url`, such as the same one with a slash at its end."""

    code = 308

    def __init__(self, new_url: str) -> None:
        super().__init__(new_url)
        self.new_url = new_url

    def get_response(
        self, environ: Any | None = None, scope: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the response that sends the client to `new_url`."""
        url = escape(self.new_url)
        page = (
            "<!doctype html>\n"
            "<html lang=en>\n"
            "<title>Redirecting...</title>\n"
            "<h1>Redirecting...</h1>\n"
            "<p>You should be redirected automatically to the target URL: "
            f'<a href="{url}">{url}</a>. If not, click the link.\n'
        )
        content_type = ("Content-Type", "text/html; charset=utf-8")
        return make_response(page, self.code, [content_type, ("Location", self.new_url)])


class RequestPath(RoutingException):
    """The path matches when it is written as `path_info`."""

    def __init__(self, path_info: str) -> None:
        super().__init__(path_info)
        self.path_info = path_info


class RequestAliasRedirect(RoutingException):
    """The rule that matched is an alias; the canonical URL is that of `endpoint` with `matched_values`."""

    def __init__(self, matched_values: Mapping[str, Any], endpoint: Any) -> None:
        super().__init__(endpoint)
        self.matched_values = matched_values
        self.endpoint = endpoint


class AdapterNeeded(RoutingException):
    """The path may have to be redirected, and only a `MapAdapter` knows scheme, host and query of the target."""


class NoMatch(Exception):
    """No rule matches.

    Attributes:
        have_match_for: methods for which one would have.
        websocket_mismatch: one would have, were the request a WebSocket's, or were it none.
    """

    def __init__(self, have_match_for: set[str], websocket_mismatch: bool) -> None:
        super().__init__(have_match_for, websocket_mismatch)
        self.have_match_for = have_match_for
        self.websocket_mismatch = websocket_mismatch


class WebsocketMismatch(BadRequest):
    """400: the only rule that matches is for WebSocket requests and this is none, or the other way round."""


class _Rule(Protocol):
    """What `BuildError` needs to know of a rule."""

    endpoint: Any
    arguments: set[str]
    methods: set[str] | None
    defaults: Mapping[str, Any] | None


class BuildError(RoutingException, LookupError):
    """No rule builds a URL for this endpoint with these values.

    Attributes:
        endpoint: what was asked for.
        values: the values for its variables.
        method: the method, if one was asked for.
        adapter: who was asked; None: nobody can be asked for a suggestion.
    """

    def __init__(
        self, endpoint: Any, values: Mapping[str, Any], method: str | None, adapter: Any = None
    ) -> None:
        super().__init__(endpoint, values, method)
        self.endpoint = endpoint
        self.values = values
        self.method = method
        self.adapter = adapter

    @cached_property
    def suggested(self) -> Any:
        """The rule that is nearest to what was asked for, or None."""
        return self.closest_rule(self.adapter)

    def closest_rule(self, adapter: Any) -> Any:
        """Return the rule of `adapter` that is nearest to what was asked for, or None."""
        rules: Iterable[_Rule] = () if adapter is None else adapter.map.iter_rules()
        return max(rules, key=self._likeness, default=None)

    def _likeness(self, rule: _Rule) -> float:
        # The name counts; arguments and method decide between rules of one name.
        likeness = difflib.SequenceMatcher(None, str(rule.endpoint), str(self.endpoint)).ratio()
        fits = set(self.values or ()).issubset(rule.arguments)
        allowed = bool(rule.methods and self.method in rule.methods)
        return 0.98 * likeness + 0.01 * fits + 0.01 * allowed

    def _advice(self) -> str:
        rule: _Rule | None = self.suggested
        if rule is None:
            return ""
        if rule.endpoint != self.endpoint:
            return f" Did you mean {rule.endpoint!r} instead?"
        advice = ""
        if self.method and rule.methods is not None and self.method not in rule.methods:
            advice += f" Did you mean to use methods {sorted(rule.methods)!r}?"
        missing = rule.arguments.union(rule.defaults or ()) - set(self.values)
        if missing:
            advice += f" Did you forget to specify values {sorted(missing)!r}?"
        return advice

    def __str__(self) -> str:
        method = f" ({self.method!r})" if self.method else ""
        values = f" with values {sorted(self.values)!r}" if self.values else ""
        return (
            f"Could not build url for endpoint {self.endpoint!r}{method}{values}.{self._advice()}"
        )
