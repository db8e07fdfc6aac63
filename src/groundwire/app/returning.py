"""From what a view returns to a response (https://flask.palletsprojects.com/quickstart/#about-responses)."""

import sys
from collections.abc import AsyncIterable, Iterator, Mapping
from typing import Any, cast

from ..http.error_formats import error_content, error_fields, negotiate_error_format
from ..http.errors import HTTPException
from ..http.headers import Headers
from ..http.response import Response as MessageResponse
from .debug_pages import debug_answer
from .state import AppState

ALLOWED = (
    "A view returns a str, bytes, dict, list, generator, Response or WSGI application, or one of these in a tuple with"
    " a status, headers or both"
)


HEADERS = (Headers, Mapping, tuple, list)
"""What can stand for headers in a view's tuple."""


def make_response(app: AppState, value: Any, request: Any) -> Any:
    """Turn what a view returned into an instance of the app's response class.

    Raises:
        TypeError: it is nothing a view may return; the message says what was returned and by which endpoint.
    """
    status: Any = None
    headers: Any = None
    if isinstance(value, tuple):
        value, status, headers = _unpack(app, cast("Any", value))
    if value is None:
        raise TypeError(
            f"The view of endpoint {_view_of(request)} did not return a valid response: it returned None, as a function"
            " that ends without `return` does."
        )
    response_class = app.response_class
    if not isinstance(value, response_class):
        if isinstance(value, (str, bytes, bytearray)) or _is_streamed(value):
            # Given to the constructor, a status and headers can take the place of its defaults.
            value = response_class(value, status=status, headers=headers)
            status = headers = None
        elif isinstance(value, (dict, list)):
            value = app.json.response(value)
        else:
            value = _from_other(app, value, request)
    elif type(value.status_code) is not int:
        value.settle_status()
    if status is not None:
        if isinstance(status, str):
            value.status = status
        else:
            value.status_code = status
    if headers:
        value.headers.update(headers)
    return value


def _unpack(app: AppState, value: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Return the (value, status, headers) that a view's tuple means."""
    match value:
        case (content, status, headers):
            return content, status, headers
        case (content, other) if isinstance(other, HEADERS):
            return content, None, cast("Any", other)
        case (content, status):
            return content, status, None
        case _:
            raise TypeError(
                f"A view did not return a valid response: it returned a tuple of length {len(value)}. The tuple must"
                " have the form (body, status, headers), (body, status) or (body, headers)."
            )


def _is_streamed(value: Any) -> bool:
    return isinstance(value, (Iterator, AsyncIterable))


def error_response(
    response_class: Any, error: HTTPException, request: Any, mode: Any = "html"
) -> Any:
    """Make the response of an error that no handler took, in the form the client prefers.

    Args:
        response_class: what to make.
        error: the error.
        request: the request it answers, or None.
        mode: ERROR_FORMAT; see `negotiate_error_format`.
    """
    if error.response is not None or type(error).get_response is not HTTPException.get_response:
        # A redirect, or an error of the program's own making: it knows its response.
        return error.get_response(request)
    accept = None if request is None else request.headers.get("Accept")
    form = negotiate_error_format(accept, mode)
    if form == "html" and type(error).get_body is not HTTPException.get_body:
        return error.get_response(request)
    return response_class(error_content(error, form), error.code, error_fields(error, form))


def _from_other(app: AppState, value: Any, request: Any) -> Any:
    if isinstance(value, HTTPException):
        shown = debug_answer(app, request, value) if app.debug else None
        value = shown or error_response(
            app.response_class, value, request, app.config["ERROR_FORMAT"]
        )
        if isinstance(value, app.response_class):
            return value
    if not isinstance(value, MessageResponse) and not callable(value):
        raise TypeError(
            f"The view of endpoint {_view_of(request)} did not return a valid response. {ALLOWED}, but it was a"
            f" {type(value).__name__}."
        )
    try:
        return app.response_class.force_type(value, request.environ)
    except TypeError as error:
        raise TypeError(
            f"The view of endpoint {_view_of(request)} did not return a valid response. {ALLOWED}, but it was a"
            f" {type(value).__name__}, which cannot be called as one: {error}"
        ).with_traceback(sys.exc_info()[2]) from None


def _view_of(request: Any) -> str:
    return repr(None if request is None else request.endpoint)
