"""What stands for the app, the request and `g` of whoever looks (https://flask.palletsprojects.com/reqcontext/)."""

from contextvars import Token
from typing import Any, Generic, TypeVar, cast

from .app import Groundwire
from .context import AppContext, RequestContext, request_context
from .context import g as g
from .current import OUTSIDE_OF_APP, OUTSIDE_OF_REQUEST, current
from .flashing import get_flashed_messages
from .local import LocalProxy
from .sessions import SessionMixin
from .template_context import STANDARD_GLOBALS
from .wrappers import Request

_MISSING: Any = object()
C = TypeVar("C", bound=AppContext)


def _app() -> Groundwire:
    context = current.get(None)
    if context is None:
        raise RuntimeError(OUTSIDE_OF_APP)
    app: Groundwire = context.app
    return app


def _session() -> SessionMixin:
    context = current.get(None)
    if context is None or context.request_context is None:
        raise RuntimeError(OUTSIDE_OF_REQUEST)
    session: SessionMixin = context.request_context.session
    return session


def _request() -> Request:
    context = current.get(None)
    if context is None or context.request is None:
        raise RuntimeError(OUTSIDE_OF_REQUEST)
    request: Request = context.request
    return request


class ContextView(Generic[C]):
    """One of Flask's two context variables, with `ContextVar`'s methods, on top of the one there is.

    Args:
        name: Flask's name for it.
        attribute: of the current context, which holds what this one is about; None: it is unbound.
        unbound_message: what is raised when it is called, as `LocalProxy` does.
    """

    def __init__(self, name: str, attribute: str, unbound_message: str) -> None:
        self.name = name
        self._attribute = attribute
        self._unbound_message = unbound_message

    def get(self, default: Any = _MISSING) -> Any:
        """Return the context that is bound, or `default`.

        Raises:
            LookupError: none is, and no `default` was given.
        """
        found = getattr(current.get(None), self._attribute, None)
        if found is None and default is _MISSING:
            raise LookupError(self)
        return default if found is None else found

    def set(self, value: Any) -> Token[Any]:
        """Bind a context without pushing it: nothing is sent, matched or torn down. Returns what `reset` takes."""
        outer = current.get(None)
        if outer is not None and type(value) is AppContext:
            value.request, value.request_context = outer.request, outer.request_context
        return current.set(value)

    def reset(self, token: Token[Any]) -> None:
        """Bind what was bound before `set` returned `token`."""
        current.reset(token)

    def __call__(self) -> C:
        found: C | None = self.get(None)
        if found is None:
            raise RuntimeError(self._unbound_message)
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


cv_app: ContextView[AppContext] = ContextView("flask.app_ctx", "app_context", OUTSIDE_OF_APP)
cv_request: ContextView[RequestContext] = ContextView(
    "flask.request_ctx", "request_context", OUTSIDE_OF_REQUEST
)

# An editor is told the type of what they stand for.
app_ctx = cast("AppContext", LocalProxy(cv_app))
current_app = cast("Groundwire", LocalProxy(_app))
request_ctx = cast("RequestContext", LocalProxy(request_context))
request = cast("Request", LocalProxy(_request))
session = cast("SessionMixin", LocalProxy(_session))

STANDARD_GLOBALS.update(
    request=request, session=session, g=g, get_flashed_messages=get_flashed_messages
)
