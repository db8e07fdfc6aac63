"""What belongs to one exchange, or to work done for an app outside of one.

There is one context variable, `current`.
"""

import sys
from collections.abc import Callable, Iterator
from contextvars import Token
from types import TracebackType
from typing import Any, Self

from ..http.errors import HTTPException
from .current import OUTSIDE_OF_APP, OUTSIDE_OF_REQUEST, current
from .wrappers import Request

_MISSING: Any = object()


class AppGlobals:
    """A namespace for what one context keeps: `g`."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`, or `default`."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        """Remove the attribute `name` and return it, or `default`.

        Raises:
            KeyError: there is no such attribute and no `default` was given.
        """
        if default is _MISSING:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`, which is made `default` first where there is none."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        context = current.get(None)
        if context is None:
            return object.__repr__(self)
        return f"<flask.g of {context.app.name!r}>"


class AppContext:
    """Makes `current_app` and `g` work outside of an exchange. Use it in a `with` block."""

    app: Any
    """The `Groundwire` app."""

    request: Request | None = None
    """The request of the exchange this context belongs to or was pushed within."""

    request_context: "RequestContext | None" = None
    _globals: Any = None
    _adapter: Any = None
    _tokens: tuple[Token[Any], ...] = ()
    """One for each push that was not popped yet."""

    def __init__(self, app: Any) -> None:
        self.app = app

    @property
    def g(self) -> Any:
        """The namespace of this context."""
        if self._globals is None:
            self._globals = self.app.app_ctx_globals_class()
        return self._globals

    @g.setter
    def g(self, value: Any) -> None:
        self._globals = value

    @property
    def url_adapter(self) -> Any:
        """What builds URLs here: a `MapAdapter`, or None outside of a request without SERVER_NAME."""
        if self._adapter is None:
            self._adapter = self.app.create_url_adapter(None)
        return self._adapter

    def push(self) -> None:
        """Make this the current context."""
        outer = current.get(None)
        if outer is not None and self.request is None:
            self.request = outer.request
            self.request_context = outer.request_context
        self._tokens += (current.set(self),)
        self.app.context_pushed()

    def pop(self, exc: BaseException | None = _MISSING) -> None:
        """Run the teardown functions and make the former context current again.

        Raises:
            AssertionError: another context is current.
        """
        if exc is _MISSING:
            exc = sys.exc_info()[1]
        try:
            if len(self._tokens) == 1:
                self.app.do_teardown_appcontext(exc)
        finally:
            self._leave()
        self.app.context_popped()

    def _leave(self) -> None:
        context = current.get(None)
        if context is not self:
            raise AssertionError(
                f"Popped wrong context. Expected {self!r} to be current, got {context!r}."
            )
        current.reset(self._tokens[-1])
        self._tokens = self._tokens[:-1]

    def __enter__(self) -> Self:
        self.push()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.pop(error)


class RequestContext(AppContext):
    """What one exchange needs, beside its request: `current_app`, `g`, `request`, and URLs relative to it."""

    request: Request
    flashes: list[tuple[str, str]] | None = None
    session: Any = None
    loop: Any = None
    """The server's event loop, when the exchange came from a server."""

    kept_files_only: bool = False
    """Whether its view runs on the event loop to try whether a static file is in memory; raises `NotKept` if not."""

    after_functions: list[Callable[[Any], Any]] | None = None
    """What `after_this_request` was given."""

    owns_app_context: bool = True
    """Whether the app's teardown functions run when this is popped: not if the app's context was there before."""

    is_exchange: bool = False
    """Whether a server's exchange made this current without pushing it, and tears down itself."""

    def __init__(self, app: Any, request: Request) -> None:
        super().__init__(app)
        self.request = request  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def request_context(self) -> "RequestContext":  # type: ignore[override]
        """Itself."""
        return self

    @property
    def url_adapter(self) -> Any:
        """What matches this request and builds URLs relative to it."""
        if self._adapter is None:
            self._adapter = self.app.create_url_adapter(self.request)
        return self._adapter

    def copy(self) -> "RequestContext":
        """Return a context of the same request, to be pushed in another thread or task."""
        other = type(self)(self.app, self.request)
        other.session = self.session
        return other

    def match_request(self) -> None:
        """Find the request's rule and parameters, or the error to raise in their place."""
        request = self.request
        try:
            request.url_rule, request.view_args = self.url_adapter.match(return_rule=True)
        except HTTPException as error:
            request.routing_exception = error

    def push(self) -> None:
        """Make this the current context, and find the request's rule."""
        outer = current.get(None)
        if outer is self and not self._tokens:
            self.is_exchange = True
        elif outer is not None and outer.app is self.app and not self._tokens:
            self._globals = outer.g
            self.owns_app_context = False
        self._tokens += (current.set(self),)
        if self.owns_app_context:
            self.app.context_pushed()
        if not self.request.matched:
            self.app.match(self)

    def pop(self, exc: BaseException | None = _MISSING) -> None:
        """Run the teardown functions and make the former context current again."""
        if exc is _MISSING:
            exc = sys.exc_info()[1]
        try:
            if len(self._tokens) == 1 and not self.is_exchange:
                try:
                    self.app.do_teardown_request(exc)
                    self.request.close()
                finally:
                    if self.owns_app_context:
                        self.app.do_teardown_appcontext(exc)
        finally:
            self._leave()
        if self.owns_app_context:
            self.app.context_popped()

    def __repr__(self) -> str:
        request = self.request
        return f"<{type(self).__name__} {request.url!r} [{request.method}] of {self.app.name}>"


def after_this_request(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Have `function` called with the response of the current exchange; it returns that or another one.

    Raises:
        RuntimeError: there is no request.
    """
    context = current.get(None)
    if context is None or context.request_context is None:
        raise RuntimeError(
            "'after_this_request' was called where there is no request to come after. Call it in a view or a hook."
        )
    owner: RequestContext = context.request_context
    functions = owner.after_functions or []
    functions.append(function)
    owner.after_functions = functions
    return function


def has_request_context() -> bool:
    """Tell whether `request` can be used here."""
    context = current.get(None)
    return context is not None and context.request is not None


def has_app_context() -> bool:
    """Tell whether `current_app` and `g` can be used here."""
    return current.get(None) is not None


def request_context() -> RequestContext:
    """Return the context of the current request.

    Raises:
        RuntimeError: there is none.
    """
    context = current.get(None)
    found: RequestContext | None = None if context is None else context.request_context
    if found is None:
        raise RuntimeError(OUTSIDE_OF_REQUEST)
    return found


def app_context() -> AppContext:
    """Return the current context.

    Raises:
        RuntimeError: there is none.
    """
    context: AppContext | None = current.get(None)
    if context is None:
        raise RuntimeError(OUTSIDE_OF_APP)
    return context
