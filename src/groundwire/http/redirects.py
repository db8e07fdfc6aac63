"""Responses that send the client somewhere else (RFC 9110 §15.4)."""

from collections.abc import Mapping
from typing import Any

from markupsafe import escape

from .environ import decode_wsgi
from .response import Response as DefaultResponse
from .urls import percent_encode

_SAFE_IN_NAME = "!$&'()*+,;=@"

PAGE = (
    "<!doctype html>\n"
    "<html lang=en>\n"
    "<title>Redirecting...</title>\n"
    "<h1>Redirecting...</h1>\n"
    "<p>You should be redirected automatically to the target URL: "
    '<a href="{0}">{0}</a>. If not, click the link.\n'
)


def redirect(
    location: str,
    code: int = 302,
    Response: Any = None,  # noqa: N803 - Werkzeug's name
) -> Any:
    """Return a response that sends the client to `location` (RFC 9110 §10.2.2).

    Args:
        location: a URL, or a reference relative to the request's.
        code: 301, 302, 303, 305, 307 or 308.
        Response: the class to make it of.

    Raises:
        ValueError: `location` has characters that no field value may have.

    (Werkzeug: ``werkzeug.utils.redirect``.)
    """
    response_class = DefaultResponse if Response is None else Response
    response = response_class(PAGE.format(escape(location)), code, mimetype="text/html")
    response.headers["Location"] = location
    return response


def append_slash_redirect(environ: Mapping[str, Any], code: int = 308) -> Any:
    """Return a redirect to the URL of the request with a slash at its end.

    The reference is relative to the last name of the path, so that it holds behind any proxy.

    (Werkzeug: ``werkzeug.utils.append_slash_redirect``.)
    """
    name = decode_wsgi(environ["PATH_INFO"]).rpartition("/")[2]
    query = environ.get("QUERY_STRING")
    # A colon would make the reference one with a scheme, `?` and `#` end its path (RFC 3986 §4.2).
    location = percent_encode(name, _SAFE_IN_NAME) + "/" if name else "./"
    return redirect(f"{location}?{query}" if query else location, code)
