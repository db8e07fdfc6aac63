"""What belongs to one exchange, or to work done for an app outside of one.

There is one context variable, `current`.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import Token
from types import TracebackType
from typing import Any, Self, cast

from ..http.environ import ENDPOINTS
from .current import OUTSIDE_OF_APP, OUTSIDE_OF_REQUEST, current
from .local import LocalProxy
from .wrappers import Request

_MISSING: Any = object()
_holding = threading.Lock()


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
    """Makes `current_app` and `g` work outside of an exchange. Use it in a `with` block.

    It may be pushed several times, and is over when it was popped as often.

    (Flask: ``flask.ctx.AppContext``.)
    """

    app: Any
    """The `Groundwire` app."""

    request: Request | None = None
    """The request of the exchange this context belongs to or was pushed within."""

    request_context: "RequestContext | None" = None
    _globals: Any = None
    _adapter: Any = None
    _tokens: tuple[tuple[Token[Any], Any], ...] = ()
    """One for each push that was not popped yet, with what has to be put back then."""

    holds: int = 0
    """How many calls of `let_go` the teardown waits for."""

    _postponed: bool = False

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

    @url_adapter.setter
    def url_adapter(self, value: Any) -> None:
        self._adapter = value

    @property
    def app_context(self) -> "AppContext":
        """Itself."""
        return self

    def push(self) -> None:
        """Make this the current context."""
        outer = current.get(None)
        owner = None if outer is None else outer.request_context
        self._tokens += ((current.set(self), self.request_context),)
        self._belong_to(owner)
        self.app.context_pushed()

    def _belong_to(self, owner: "RequestContext | None") -> None:
        self.request_context = owner
        self.request = None if owner is None else owner.request

    def pop(self, exc: BaseException | None = _MISSING) -> None:
        """Run the teardown functions, if it was pushed once, and make the former context current again.

        Args:
            exc: what the teardown functions are told; by default the error being handled.

        Raises:
            AssertionError: another context is current.
        """
        if exc is _MISSING:
            exc = sys.exc_info()[1]
        try:
            if len(self._tokens) == 1 and not (self.holds and self.postpones(exc)):
                self.app.do_teardown_appcontext(exc)
        finally:
            self._leave()
        self.app.context_popped()

    def _leave(self) -> None:
        context = current.get(None)
        (token, owner), self._tokens = self._tokens[-1], self._tokens[:-1]
        if isinstance(context, RequestContext) and context.outlives(self):
            # Popped before a request's context that was pushed on top of it. Flask allows that: it has a variable
            # for each of the two.
            context.tokens_beneath = (*context.tokens_beneath, token)
            return
        current.reset(token)
        self._belong_to(owner)
        if context is not self:
            raise AssertionError(f"Popped wrong app context. ({context!r} instead of {self!r})")

    def hold(self) -> None:
        """Have the teardown wait for as many calls of `let_go`."""
        with _holding:
            self.holds += 1

    def postpones(self, error: BaseException | None) -> bool:
        """Tell whether the teardown, due now, is left to who holds this. After an error nobody is waited for."""
        if error is not None:
            return False
        with _holding:
            self._postponed = self.holds > 0
            return self._postponed

    def let_go(self) -> bool:
        """Hold this no longer. True: the teardown was postponed, and is the caller's to do now.

        Pushed again meanwhile, as by a test client that keeps it, it is torn down when it is popped.
        """
        with _holding:
            self.holds -= 1
            due = self._postponed and self.holds == 0 and not self._tokens
            if due:
                self._postponed = False
            return due

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
    """What one exchange needs beside its request: `current_app`, `g`, `request`, and URLs relative to it.

    Pushed by a program or a WSGI server it stands on an app context, one of its own unless the app's is current
    already. A server's exchange, which nobody pushes, is both in one.

    Args:
        app: the app.
        environ: the WSGI environ its request is made from.
        request: in place of that.
        session: in place of one that is opened.

    (Flask: ``flask.ctx.RequestContext``.)
    """

    request: Request
    flashes: list[tuple[str, str]] | None = None
    opened_session: Any = None
    """The session, once it was opened: when it is first looked at, or before (see `groundwire.app.sessions`)."""

    loop: Any = None
    """The server's event loop, when the exchange came from a server."""

    kept_files_only: bool = False
    """Whether its view runs on the event loop to try whether a static file is in memory; raises `NotKept` if not."""

    after_functions: list[Callable[[Any], Any]] | None = None
    """What `after_this_request` was given."""

    is_exchange: bool = False
    """Whether a server's exchange made this current without pushing it, and tears down itself."""

    tokens_beneath: tuple[Token[Any], ...] = ()
    """Of the app contexts beneath that were popped before this."""

    _app_context: AppContext | None = None

    def __init__(
        self,
        app: Any,
        environ: dict[str, Any] | None = None,
        request: Request | None = None,
        session: Any = None,
    ) -> None:
        super().__init__(app)
        made: Any = request
        if made is None:
            made = app.request_class(environ)
            made.json_module = app.json
        self.request = made  # pyright: ignore[reportIncompatibleVariableOverride]
        if session is not None:
            self.session = session

    @property
    def request_context(self) -> "RequestContext":  # type: ignore[override]
        """Itself."""
        return self

    @property
    def app_context(self) -> AppContext:
        """The app context it stands on; itself in a server's exchange."""
        return self._app_context or self

    @property
    def url_adapter(self) -> Any:
        """What matches this request and builds URLs relative to it."""
        if self._adapter is None:
            self._adapter = self.app.create_url_adapter(self.request)
        return self._adapter

    @url_adapter.setter
    def url_adapter(self, value: Any) -> None:
        self._adapter = value

    @property
    def session(self) -> Any:
        """The session, opened now if it was not yet; it counts as looked at."""
        session = self.open_session()
        session.accessed = True
        return session

    @session.setter
    def session(self, value: Any) -> None:
        self.opened_session = value
        if self.after_functions is None:
            self.after_functions = []  # the short ways end here: it has to be saved

    @property
    def _session(self) -> Any:
        """Flask's name for the session that does not count as looked at."""
        return self.open_session()

    @_session.setter
    def _session(self, value: Any) -> None:
        self.session = value

    def open_session(self) -> Any:
        """Open the session, if it was not opened yet, and return it. It does not count as looked at."""
        session = self.opened_session
        if session is None:
            interface = self.app.session_interface
            session = interface.open_session(self.app, self.request)
            if session is None:
                session = interface.make_null_session(self.app)
            self.session = session
        return session

    @property
    def _after_request_functions(self) -> list[Callable[[Any], Any]]:
        """Flask's name for what `after_this_request` was given."""
        if self.after_functions is None:
            self.after_functions = []
        return self.after_functions

    def copy(self) -> "RequestContext":
        """Return a context of the same request, to be pushed in another thread or task."""
        # Both have one session, so it is opened now.
        session = self.open_session() if self._is_current() else self.opened_session
        return type(self)(self.app, None, self.request, session)

    def _is_current(self) -> bool:
        context = current.get(None)
        return context is not None and context.request_context is self

    def match_request(self) -> None:
        """Find the request's rule and parameters, or the error to raise in their place."""
        self.app.match(self)

    def push(self) -> None:
        """Make this the current context, and find the request's rule."""
        outer = current.get(None)
        made: AppContext | None = None
        if outer is None or outer.app is not self.app:
            outer = made = cast("AppContext", self.app.app_context())
            made.push()
        if not self._tokens:
            self.is_exchange = outer is self
            if not self.is_exchange:
                self._app_context = outer.app_context
                self._globals = outer.g
        self._tokens += ((current.set(self), made),)
        if self.opened_session is None:
            self.app.open_session_early(self)
        if not self.request.matched:
            self.match_request()

    def pop(self, exc: BaseException | None = _MISSING) -> None:
        """Run the teardown functions, if it was pushed once, and make the former context current again.

        Args:
            exc: what the teardown functions are told; by default the error being handled.

        Raises:
            AssertionError: another context is current.
        """
        if exc is _MISSING:
            exc = sys.exc_info()[1]
        last = len(self._tokens) == 1 and not self.is_exchange
        try:
            if last and not (self.holds and self.postpones(exc)):
                self.app.do_teardown_request(exc)
                self.request.close()
        finally:
            context = current.get(None)
            (token, made), self._tokens = self._tokens[-1], self._tokens[:-1]
            current.reset(token)
            if last:
                environ = self.request.__dict__.get("environ")
                if environ is not None:
                    environ.get(ENDPOINTS, []).append(self.request.endpoint)
                    environ["werkzeug.request"] = None  # no circle for the garbage collector
                beneath, self.tokens_beneath = self.tokens_beneath, ()
                for token in beneath:
                    current.reset(token)
            if made is not None:
                made.pop(exc)
            if context is not self:
                raise AssertionError(
                    f"Popped wrong request context. ({context!r} instead of {self!r})"
                )

    def outlives(self, context: AppContext) -> bool:
        """Tell whether this stands on `context` without having made it, so that either may be popped first."""
        return (
            self._app_context is context and len(self._tokens) == 1 and self._tokens[0][1] is None
        )

    def __repr__(self) -> str:
        request = self.request
        return f"<{type(self).__name__} {request.url!r} [{request.method}] of {self.app.name}>"


def after_this_request(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Have `f` called with the response of the current exchange; it returns that or another one.

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
    functions.append(f)
    owner.after_functions = functions
    return f


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


def _globals() -> Any:
    context = current.get(None)
    if context is None:
        raise RuntimeError(OUTSIDE_OF_APP)
    return context.g


g = cast("Any", LocalProxy(_globals))
"""The namespace of the current context."""
