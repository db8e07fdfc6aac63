"""A WSGI environ for a made-up request (`app.test_request_context`)."""

import io
import sys
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import SplitResult, unquote_to_bytes, urlencode, urlsplit

from ..http.environ import Environ, encode_wsgi
from ..http.urls import iri_to_uri

ALWAYS: Final[Mapping[str, Any]] = {
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0),
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
"""What every made-up request has in common."""


def make_environ(
    app: Any,
    path: str = "/",
    base_url: str | None = None,
    subdomain: str | None = None,
    url_scheme: str | None = None,
    *,
    method: str = "GET",
    query_string: str | Mapping[str, Any] | None = None,
    headers: Any = None,
    data: str | bytes | Mapping[str, Any] | None = None,
    json: Any = None,
    content_type: str | None = None,
    environ_base: Mapping[str, Any] | None = None,
    environ_overrides: Mapping[str, Any] | None = None,
) -> Environ:
    """Make the environ of a request to `app`.

    Args:
        app: its configuration gives the host, the scheme and where the app is mounted.
        path: the path, with a query if `query_string` is not given; or a whole URL.
        base_url: scheme, host and mount point in place of the configuration's.
        subdomain: goes before SERVER_NAME.
        url_scheme: in place of PREFERRED_URL_SCHEME.
        method: the method.
        query_string: the query, as it is or as a mapping.
        headers: a mapping, or (name, value) pairs.
        data: the content; a mapping is sent as a form.
        json: a value to send as JSON.
        content_type: the type of the content.
        environ_base: variables that others go over.
        environ_overrides: variables that go over all others.

    Raises:
        ValueError: `subdomain` or `url_scheme` together with `base_url`, or `data` together with `json`.
    """
    if base_url is not None and (subdomain or url_scheme):
        raise ValueError(
            "'base_url' says the scheme and the host: leave 'subdomain' and 'url_scheme' out."
        )
    if data is not None and json is not None:
        raise ValueError("Give the content as 'data' or as 'json', not as both.")
    url = urlsplit(path)
    if base_url is None:
        base_url = _configured_base_url(app, url, subdomain, url_scheme)
    base = urlsplit(base_url)
    if json is not None:
        data = str(app.json.dumps(json))
        content_type = content_type or "application/json"
    elif isinstance(data, Mapping):
        data = urlencode(data, doseq=True)
        content_type = content_type or "application/x-www-form-urlencoded"
    content: bytes = data.encode() if isinstance(data, str) else cast("Any", data) or b""
    if query_string is None:
        query_string = encode_wsgi(url.query)
    elif not isinstance(query_string, str):
        query_string = urlencode(query_string, doseq=True)
    environ: Environ = {
        **(environ_base or {}),
        "REQUEST_METHOD": method.upper(),
        "SCRIPT_NAME": base.path.rstrip("/"),
        "PATH_INFO": unquote_to_bytes(iri_to_uri(url.path or "/")).decode("latin-1"),
        "QUERY_STRING": query_string,
        "REQUEST_URI": path,
        "SERVER_NAME": base.hostname or "localhost",
        "SERVER_PORT": str(base.port or (443 if base.scheme == "https" else 80)),
        "HTTP_HOST": base.netloc,
        **ALWAYS,
        "wsgi.url_scheme": base.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
    }
    if content or method.upper() not in {"GET", "HEAD", "OPTIONS", "DELETE"}:
        environ["CONTENT_LENGTH"] = str(len(content))
    if content_type is not None:
        environ["CONTENT_TYPE"] = content_type
    environ.update(_field_variables(headers))
    environ.update(environ_overrides or {})
    return environ


def _configured_base_url(
    app: Any, url: SplitResult, subdomain: str | None, url_scheme: str | None
) -> str:
    """Return scheme, host and mount point as the configuration says, where `url` does not."""
    host = app.config["SERVER_NAME"] or "localhost"
    if subdomain:
        host = f"{subdomain}.{host}"
    scheme = url_scheme or url.scheme or app.config["PREFERRED_URL_SCHEME"]
    return f"{scheme}://{url.netloc or host}/{app.config['APPLICATION_ROOT'].lstrip('/')}"


def _field_variables(headers: Any) -> Environ:
    """Return the variables that stand for `headers` (RFC 3875 §4.1.18)."""
    pairs: Any = headers.items() if hasattr(headers, "items") else headers or ()
    variables: Environ = {}
    for name, value in pairs:
        variable = name.upper().replace("-", "_")
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variable = f"HTTP_{variable}"
        variables[variable] = str(value)
    return variables
