"""A WSGI application around another that shows where an error was raised: `DebuggedApplication`."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from ..http.environ import EnvironHeaders
from ..http.errors import InternalServerError
from .debug_pages import FIELDS, FORWARDED, is_loopback, names_loopback, traceback_page
from .wrappers import Request

_STATUS: Final = "500 INTERNAL SERVER ERROR"


class DebuggedApplication:
    """Answers what an application raises with the page that debug mode shows, on the machine that serves it.

    Clients elsewhere get the usual page for 500. Either way the traceback is logged. There is no console, so
    `evalex`, `console_path`, `pin_security` and the like are taken and mean nothing.

    Args:
        app: the application. One of Groundwire with ``PROPAGATE_EXCEPTIONS``, or another that lets errors through.
        evalex: for Werkzeug's console.
        options: for Werkzeug's console too.

    (Werkzeug: ``werkzeug.debug.DebuggedApplication``.)
    """

    def __init__(self, app: Callable[..., Any], evalex: bool = False, **options: Any) -> None:
        self.app = app
        self.evalex = False

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterator[bytes]:
        content: Iterable[bytes] | None = None
        try:
            content = self.app(environ, start_response)
            yield from content or ()
        except Exception as error:
            logging.getLogger("werkzeug").error("Error on request:", exc_info=error)
            page, fields = _page(environ, error)
            # Where the head is out already this raises the error again, and the server cuts the answer off.
            start_response(_STATUS, fields, sys.exc_info())
            yield page
        finally:
            close = getattr(content, "close", None)
            if close is not None:
                close()


def _page(environ: dict[str, Any], error: Exception) -> tuple[bytes, list[tuple[str, str]]]:
    if _is_shown_to(environ):
        request = Request(environ, populate_request=False, shallow=True)
        return traceback_page(request, error).encode(), list(FIELDS.items())
    usual = InternalServerError()
    return usual.get_body().encode(), usual.get_headers()


def _is_shown_to(environ: dict[str, Any]) -> bool:
    """Tell the same of an environ as `debug_pages.is_shown_to` of a request."""
    headers = EnvironHeaders(environ)
    if any(name in headers for name in FORWARDED):
        return False
    return is_loopback(environ.get("REMOTE_ADDR", "")) and names_loopback(
        environ.get("HTTP_HOST", "")
    )
