"""What can be served: Groundwire's applications, other people's, and plain functions of a request."""

import inspect
from typing import Any

from ..adapters.asgi import ASGIHandler
from ..adapters.wsgi import WSGIHandler
from ..server.server import CallableHandler


def as_handler(value: Any) -> Any:
    """Return what the server can call for `value`; None if that is no application of any kind.

    A WSGI application runs as it is, and an ASGI application, which is known by being async. So does a function,
    ``def`` or ``async def``, of nothing but a ``request``.
    """
    if is_application(value):
        return value
    if not callable(value) or isinstance(value, type):
        return None
    application: Any = value
    if _takes_request(value):
        return CallableHandler(application)
    called: Any = value if inspect.isfunction(value) else type(value).__call__
    if inspect.iscoroutinefunction(called):
        return ASGIHandler(application)
    return WSGIHandler(application) if can_be_called(value, 2) else None


def is_application(value: object) -> bool:
    """Whether `value` is a `Handler`, as each `Groundwire` is."""
    # The type is asked first: `request` and its like, imported by every other module, answer questions about
    # themselves with an error outside a request.
    kind = type(value)
    return callable(getattr(kind, "handle", None)) and hasattr(value, "request_class")


def can_be_called(value: Any, positional: int) -> bool:
    """Whether `value` takes so many positional arguments and needs no others."""
    try:
        inspect.signature(value).bind(*range(positional))
    except (TypeError, ValueError):
        return False
    return True


def described(value: object) -> str:
    """Say in words what kind of thing a value is that is no application."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if inspect.isfunction(value):
        return "a function"
    return f"of type {type(value).__name__}"


def _takes_request(value: Any) -> bool:
    """Whether `value` is a function of one argument, named so that no factory is mistaken for it."""
    return inspect.isfunction(value) and list(inspect.signature(value).parameters) == ["request"]
