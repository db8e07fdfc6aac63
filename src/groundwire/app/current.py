"""The one context variable: which context, and so which app and request, belongs to the code that runs."""

from contextvars import ContextVar
from typing import Any

current: ContextVar[Any] = ContextVar("groundwire.context")
"""Holds an `AppContext` (`groundwire.app.context`). A server's exchange sets it in a `contextvars.Context` of its own
and leaves it; whoever pushes a context by hand pops it again."""

OUTSIDE_OF_REQUEST = (
    "Working outside of request context.\n\n"
    "This means that something was used that needs the request being answered, where none is. In a test, make one with"
    " `app.test_request_context()`; otherwise call this only from a view, a hook, or what they call."
)

OUTSIDE_OF_APP = (
    "Working outside of application context.\n\n"
    "This means that something was used that needs the current application, where none is. To make one current,"
    " use `with app.app_context():` around this code."
)
