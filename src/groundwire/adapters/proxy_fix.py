"""What proxies in front say of a request, taken for what the request says: ``X-Forwarded-*``."""

from collections.abc import Callable, Iterable
from typing import Any

from ..http.field_values import parse_list_header

ORIGINAL = (
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
)
"""What may be replaced; the values that were there are kept under ``werkzeug.proxy_fix.orig``."""


class ProxyFix:
    """A WSGI application around another, to be reached through proxies only.

    Each number says how many proxies add a value to the field: the one that the outermost of them wrote is believed,
    nothing before it. 0: the field is not looked at.

    SECURITY: a field that no proxy writes comes from the client. Say 0 for it, or the client chooses its own address.

    Args:
        app: the application: ``app.wsgi_app = ProxyFix(app.wsgi_app)``.
        x_for: of X-Forwarded-For, the client's address.
        x_proto: of X-Forwarded-Proto, the scheme.
        x_host: of X-Forwarded-Host, the host the client asked for.
        x_port: of X-Forwarded-Port, its port.
        x_prefix: of X-Forwarded-Prefix, the path the application is mounted at.

    (Flask: "Tell Flask it is Behind a Proxy". Werkzeug: ``werkzeug.middleware.proxy_fix.ProxyFix``.)
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        x_for: int = 1,
        x_proto: int = 1,
        x_host: int = 0,
        x_port: int = 0,
        x_prefix: int = 0,
    ) -> None:
        self.app = app
        self.x_for = x_for
        self.x_proto = x_proto
        self.x_host = x_host
        self.x_port = x_port
        self.x_prefix = x_prefix

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        environ["werkzeug.proxy_fix.orig"] = {key: environ.get(key) for key in ORIGINAL}
        if address := _believed(environ, "FOR", self.x_for):
            environ["REMOTE_ADDR"] = address
        if scheme := _believed(environ, "PROTO", self.x_proto):
            environ["wsgi.url_scheme"] = scheme
        if host := _believed(environ, "HOST", self.x_host):
            environ["HTTP_HOST"] = host
            name, port = _split_port(host)
            environ["SERVER_NAME"] = name
            if port is not None:
                environ["SERVER_PORT"] = port
        if port := _believed(environ, "PORT", self.x_port):
            if asked := environ.get("HTTP_HOST"):
                environ["HTTP_HOST"] = f"{_split_port(asked)[0]}:{port}"
            environ["SERVER_PORT"] = port
        if prefix := _believed(environ, "PREFIX", self.x_prefix):
            environ["SCRIPT_NAME"] = prefix
        return self.app(environ, start_response)


def _believed(environ: dict[str, Any], what: str, proxies: int) -> str | None:
    """Return the value that the outermost of so many proxies wrote; None where fewer have written."""
    field = environ.get(f"HTTP_X_FORWARDED_{what}")
    if not proxies or not field:
        return None
    values = parse_list_header(field)
    return values[-proxies] if len(values) >= proxies else None


def _split_port(host: str) -> tuple[str, str | None]:
    if ":" not in host or host.endswith("]"):  # an IPv6 address without a port ends so
        return host, None
    name, _, port = host.rpartition(":")
    return name, port
