"""The steps of an exchange as methods that a program may call or override, with Flask's names and signatures.

What they do is written once, in `groundwire.app.lifecycle`; these run that in the current thread. An exchange calls
the method where a program overrides it, and otherwise the generator itself.
"""

import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from types import TracebackType
from typing import Any

from ..http.errors import BadRequestKeyError, HTTPException
from . import lifecycle, returning, signals
from .context import request_context
from .current import current
from .execution import Steps, is_async, run_sync, wait_for
from .log import printable
from .state import AppState

_MISSING: Any = object()

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class AppSteps(AppState):
    """Base of `Groundwire`: what happens to a request, step by step."""

    def _run(self, step: Callable[..., Steps[Any]], *args: Any) -> Any:
        return run_sync(step(self, request_context(), *args))

    def full_dispatch_request(self) -> Any:
        """Answer the current request: hooks, view, error handlers, finished response."""
        return self._run(lifecycle.full_dispatch)

    def preprocess_request(self) -> Any:
        """Run the functions that come before the view; return the answer if one gave it."""
        return self._run(lifecycle.preprocess)

    def dispatch_request(self) -> Any:
        """Call the view of the current request and return what it returned."""
        return self._run(lifecycle.dispatch)

    def raise_routing_exception(self, request: Any) -> Any:
        """Raise why no rule matched the request."""
        return self._run(lifecycle.raise_routing, request)

    def make_default_options_response(self) -> Any:
        """Answer OPTIONS with the methods of the current request's path."""
        return self._run(lifecycle.default_options)

    def make_response(self, rv: Any) -> Any:
        """Turn what a view returned into a response.

        Raises:
            TypeError: it is nothing a view may return.
        """
        context = current.get(None)
        return self.response_of(rv, None if context is None else context.request)

    def response_of(self, value: Any, request: Any) -> Any:
        """Turn what a view for `request` returned into a response; the rule behind `make_response`."""
        return returning.make_response(self, value, request)

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Any:
        """Turn what a view returned into a response, and run the functions that come after it."""
        return self._run(lifecycle.finalize, rv, from_error_handler)

    def process_response(self, response: Any) -> Any:
        """Run the functions that come after the view on a response."""
        return self._run(lifecycle.process_response, response)

    def handle_http_exception(self, e: HTTPException) -> Any:
        """Turn an `HTTPException` into an answer by an error handler; without one it is the answer."""
        return self._run(lifecycle.handle_http, e)

    def handle_user_exception(self, e: Exception) -> Any:
        """Turn what a view raised into an answer by an error handler; raise it again where there is none."""
        return self._run(lifecycle.handle_user, e)

    def handle_exception(self, e: Exception) -> Any:
        """Answer 500 for an error that no handler took, or raise it again for a debugger or a test."""
        return self._run(lifecycle.handle_unexpected, e)

    def do_teardown_request(self, exc: BaseException | None = _MISSING) -> None:
        """Run the `teardown_request` functions, with `exc` or the error being handled."""
        self._run(lifecycle.teardown_request, sys.exc_info()[1] if exc is _MISSING else exc)

    def do_teardown_appcontext(self, exc: BaseException | None = _MISSING) -> None:
        """Run the `teardown_appcontext` functions, with `exc` or the error being handled."""
        error = sys.exc_info()[1] if exc is _MISSING else exc
        run_sync(lifecycle.teardown_app(self, None, error))

    def context_pushed(self) -> None:
        """Tell who listens that a context of this app is current."""
        if signals.appcontext_pushed.receivers:
            run_sync(lifecycle.sent_to_receivers(self, signals.appcontext_pushed, {}))

    def context_popped(self) -> None:
        """Tell who listens that a context of this app is current no more."""
        if signals.appcontext_popped.receivers:
            run_sync(lifecycle.sent_to_receivers(self, signals.appcontext_popped, {}))

    # Errors

    def propagates_exceptions(self) -> bool:
        """Tell whether unhandled errors are raised on: PROPAGATE_EXCEPTIONS, by default when testing or debugging."""
        wanted = self.config["PROPAGATE_EXCEPTIONS"]
        return bool(self.testing or self.debug) if wanted is None else bool(wanted)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Tell whether the teardown functions are not told of `error`. A program may override it."""
        return False

    def trap_http_exception(self, e: Exception) -> bool:
        """Tell whether `e` is raised on although it could be an answer.

        The keys TRAP_HTTP_EXCEPTIONS and TRAP_BAD_REQUEST_ERRORS say so.
        """
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        trap = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if isinstance(e, BadRequestKeyError):
            return bool(self.debug if trap is None else trap)
        return bool(trap) and isinstance(e, HTTPException) and e.code == 400

    def log_exception(self, exc_info: ExceptionInfo) -> None:
        """Log an unhandled error with its traceback."""
        request = request_context().request
        self.logger.error(
            "Exception on %s [%s]", printable(request.path), request.method, exc_info=exc_info
        )

    # Coroutines

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a plain function that does what `func` does, be that a coroutine function."""
        return self.async_to_sync(func) if is_async(func) else func

    def async_to_sync(self, func: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """Return a plain function that runs the coroutine function `func` on the server's loop and waits for it."""

        @wraps(func)
        def synchronous(*args: Any, **kwargs: Any) -> Any:
            return wait_for(func(*args, **kwargs))

        return synchronous
