"""Building URLs, and what a request's URL is matched with (https://flask.palletsprojects.com/api/#flask.Flask.url_for)."""

from typing import Any
from urllib.parse import quote

from ..http.redirects import redirect as make_redirect
from .context import app_context
from .current import current
from .routing import BuildError, MapAdapter
from .security import check_redirect, is_strict
from .state import AppState
from .wrappers import Response as DefaultResponse
from .wrappers import scopes_of


class AppUrls(AppState):
    """Base of `Groundwire`: from requests to rules, and from endpoints to URLs."""

    def create_url_adapter(self, request: Any) -> MapAdapter | None:
        """Return what matches `request` and builds URLs relative to it.

        Without a request it builds external URLs if SERVER_NAME says for which host; None if not.

        Raises:
            SecurityError: the request's host is none of TRUSTED_HOSTS.
            BadHost: it cannot be a host.
        """
        server_name: str | None = self.config["SERVER_NAME"]
        if request is None:
            if server_name is None:
                return None
            return self.url_map.bind(
                server_name,
                script_name=self.config["APPLICATION_ROOT"],
                url_scheme=self.config["PREFERRED_URL_SCHEME"],
            )
        trusted = self.config["TRUSTED_HOSTS"]
        if trusted is not None:
            request.trusted_hosts = trusted
        subdomain: str | None = None
        if self.url_map.host_matching:
            server_name = None
        elif not self.subdomain_matching:
            subdomain = self.url_map.default_subdomain or ""
        if request.head is None or self.url_map.reads_environ:
            # Refused here, if it is to be refused, rather than at its first use (RFC 9112 §3.2).
            if not request.host and request.environ.get("HTTP_HOST"):
                self.url_map.bind(request.environ["HTTP_HOST"])
            return self.url_map.bind_to_environ(
                request.environ, server_name=server_name, subdomain=subdomain
            )
        return self.url_map.bind_to_host(
            request.host,
            scheme=request.scheme,
            method=request.method,
            script_name=request.root_path or "/",
            path_info=request.path,
            query_args=request.query_string.decode("latin-1"),
            websocket=request.head.fields.upgrade == b"websocket",
            server_name=server_name,
            subdomain=subdomain,
        )

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Have the `url_defaults` functions of the endpoint's blueprints and of the app change `values`."""
        scopes: tuple[str | None, ...] = (None,)
        if "." in endpoint:
            scopes = (None, *reversed(scopes_of(endpoint.rpartition(".")[0])))
        for scope in scopes:
            for function in self.url_default_functions.get(scope, ()):
                function(endpoint, values)

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Return the URL of an endpoint.

        Args:
            endpoint: its name; a leading dot means the blueprint of the current request.
            _anchor: goes behind ``#``.
            _method: of the endpoint's rules, one for this method.
            _scheme: of an external URL.
            _external: with scheme and host; by default only outside of a request.
            values: the rule's parameters; the others become the query.

        Raises:
            BuildError: there is no such endpoint, or parameters are missing.
            RuntimeError: outside of a request, and SERVER_NAME is not set.
            ValueError: `_scheme` without `_external`.
        """
        context = current.get(None)
        request_context = None if context is None else context.request_context
        if request_context is not None:
            adapter = request_context.url_adapter
            if endpoint.startswith("."):
                blueprint = request_context.request.blueprint
                endpoint = endpoint[1:] if blueprint is None else f"{blueprint}{endpoint}"
            if _external is None:
                _external = _scheme is not None
        else:
            adapter = self.create_url_adapter(None) if context is None else context.url_adapter
            if adapter is None:
                raise RuntimeError(
                    "Outside of a request a URL can be built only if the configuration says for which host, by"
                    " 'SERVER_NAME' (and 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME', where these are not the"
                    " defaults)."
                )
            if _external is None:
                _external = True
        if _scheme is not None and not _external:
            raise ValueError(
                "A URL with '_scheme' is external: leave '_external' out, or make it True."
            )
        self.inject_url_defaults(endpoint, values)
        try:
            url = adapter.build(
                endpoint,
                values,
                method=_method,
                url_scheme=_scheme,
                force_external=_external,
            )
        except BuildError as error:
            values.update(_anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external)
            return self.handle_url_build_error(error, endpoint, values)
        if _anchor is not None:
            url = f"{url}#{quote(_anchor, safe=_SAFE_IN_FRAGMENT)}"
        return str(url)

    def handle_url_build_error(
        self, error: BuildError, endpoint: str, values: dict[str, Any]
    ) -> str:
        """Return the URL that one of `url_build_error_handlers` gives, or raise `error`."""
        for handler in self.url_build_error_handlers:
            try:
                url = handler(error, endpoint, values)
            except BuildError as another:
                error = another
            else:
                if url is not None:
                    return str(url)
        raise error

    def redirect(self, location: str, code: int = 302, *, allow_external: bool = False) -> Any:
        """Return a response that sends the client to `location`.

        Args:
            location: a URL, or a path on this site.
            code: the status.
            allow_external: whether it may lead to another site. Of account only with ``SECURITY_PROFILE = "strict"``.

        Raises:
            ValueError: it must not lead to another site, and would; or `location` has characters that no field value
                may have.
        """
        if not allow_external and is_strict(self):
            context = current.get(None)
            check_redirect(location, None if context is None else context.request)
        return make_redirect(location, code, self.response_class)


# RFC 3986 §3.5; "%" for what is encoded already, and "#" because Flask leaves it.
_SAFE_IN_FRAGMENT = "%!#$&'()*+,/:;=?@"


def redirect(
    location: str,
    code: int = 302,
    Response: Any = None,  # noqa: N803 - Flask's name
    *,
    allow_external: bool = False,
) -> Any:
    """Return a response that sends the client to `location`; see `Groundwire.redirect`."""
    context = current.get(None)
    if context is not None and Response is None:
        if allow_external:
            return context.app.redirect(location, code, allow_external=True)
        return context.app.redirect(location, code)  # a program's own may know no more
    if context is not None and not allow_external and is_strict(context.app):
        check_redirect(location, context.request)
    return make_redirect(location, code, DefaultResponse if Response is None else Response)


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: Any,
) -> str:
    """Return the URL of an endpoint of the current app; see `Groundwire.url_for`."""
    return str(
        app_context().app.url_for(
            endpoint,
            _anchor=_anchor,
            _method=_method,
            _scheme=_scheme,
            _external=_external,
            **values,
        )
    )
