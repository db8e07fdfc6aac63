"""The short words of a view for what it answers: `abort`, `jsonify`, `make_response`, `redirect`."""

from typing import Any, NoReturn

from ..http import errors
from .context import app_context
from .current import current
from .json import jsonify as jsonify
from .urls import redirect as redirect


def abort(code: Any, /, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the error for a status (``abort(404)``), or answer with a response (``abort(response)``).

    Raises:
        HTTPException: always, made with the other arguments.
        LookupError: no class stands for that status.
    """
    context = current.get(None)
    if context is not None:
        context.app.aborter(code, *args, **kwargs)
    errors.abort(code, *args, **kwargs)


def make_response(*args: Any) -> Any:
    """Turn what a view could return into a response, to set headers on it; several arguments are a tuple's items.

    Raises:
        RuntimeError: there is no current app.
        TypeError: it is nothing a view may return.
    """
    app = app_context().app
    if not args:
        return app.response_class()
    return app.make_response(args[0] if len(args) == 1 else args)
