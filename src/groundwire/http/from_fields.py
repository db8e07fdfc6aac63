"""Functions of a WSGI environ, for programs that hold the field values instead (Werkzeug: ``werkzeug.sansio.http``)."""

from datetime import datetime

from . import conditional, cookies
from .multidict import MultiDict


def is_resource_modified(
    http_range: str | None = None,
    http_if_range: str | None = None,
    http_if_modified_since: str | None = None,
    http_if_none_match: str | None = None,
    http_if_match: str | None = None,
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Whether a request with these field values has to be answered in full, and not by 304 or 412.

    Raises:
        TypeError: both `etag` and `data` are given.

    (Werkzeug: ``werkzeug.sansio.http.is_resource_modified``.)
    """
    environ = {
        "HTTP_RANGE": http_range,
        "HTTP_IF_RANGE": http_if_range,
        "HTTP_IF_MODIFIED_SINCE": http_if_modified_since,
        "HTTP_IF_NONE_MATCH": http_if_none_match,
        "HTTP_IF_MATCH": http_if_match,
    }
    return conditional.is_resource_modified(environ, etag, data, last_modified, ignore_if_range)


def parse_cookie(
    cookie: str | None = None, cls: type[MultiDict[str, str]] | None = None
) -> MultiDict[str, str]:
    """Return the cookies of a Cookie field value; see `cookies.parse_cookie`.

    (Werkzeug: ``werkzeug.sansio.http.parse_cookie``.)
    """
    return cookies.parse_cookie(cookie, cls)
