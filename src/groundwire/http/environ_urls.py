"""URLs of the request that a WSGI environ describes, for programs that hold an environ and no request."""

from collections.abc import Iterable, Mapping
from typing import Any

from . import urls
from .environ import decode_wsgi, server_address
from .errors import SecurityError
from .urls import UntrustedHost


def get_host(environ: Mapping[str, Any], trusted_hosts: Iterable[str] | None = None) -> str:
    """Return the host a request is for, with its port unless that is the scheme's own.

    Args:
        environ: the environ.
        trusted_hosts: hosts it may be for, `.example.org` with everything below it; None: any.

    Raises:
        SecurityError: it is none of them, or cannot be a host.

    (Werkzeug: ``werkzeug.wsgi.get_host``.)
    """
    try:
        return urls.get_host(
            environ["wsgi.url_scheme"],
            environ.get("HTTP_HOST"),
            server_address(environ),
            trusted_hosts,
        )
    except UntrustedHost as error:
        raise SecurityError(str(error)) from error


def get_current_url(
    environ: Mapping[str, Any],
    root_only: bool = False,
    strip_querystring: bool = False,
    host_only: bool = False,
    trusted_hosts: Iterable[str] | None = None,
) -> str:
    """Return the URL of a request, as an IRI to be read by people.

    Args:
        environ: the environ.
        root_only: only up to where the application is mounted.
        strip_querystring: without the query.
        host_only: only scheme and host.
        trusted_hosts: see `get_host`.

    Raises:
        SecurityError: the host is not a trusted one.

    (Werkzeug: ``werkzeug.wsgi.get_current_url``.)
    """
    scheme, host = environ["wsgi.url_scheme"], get_host(environ, trusted_hosts)
    if host_only:
        return urls.get_current_url(scheme, host)
    root_path = decode_wsgi(environ.get("SCRIPT_NAME", ""))
    if root_only:
        return urls.get_current_url(scheme, host, root_path)
    path = decode_wsgi(environ.get("PATH_INFO", ""))
    if strip_querystring:
        return urls.get_current_url(scheme, host, root_path, path)
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    return urls.get_current_url(scheme, host, root_path, path, query)


def get_path_info(environ: Mapping[str, Any]) -> str:
    """Return the path behind where the application is mounted, decoded.

    (Werkzeug: ``werkzeug.wsgi.get_path_info``.)
    """
    return decode_wsgi(environ.get("PATH_INFO", ""))
