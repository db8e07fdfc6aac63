"""What stands for the app, the request and `g` of whoever looks (https://flask.palletsprojects.com/reqcontext/)."""

from typing import Any, cast

from .app import Groundwire
from .context import AppContext, RequestContext, app_context, request_context
from .current import OUTSIDE_OF_APP, OUTSIDE_OF_REQUEST, current
from .local import LocalProxy
from .wrappers import Request


def _app() -> Groundwire:
    context = current.get(None)
    if context is None:
        raise RuntimeError(OUTSIDE_OF_APP)
    app: Groundwire = context.app
    return app


def _globals() -> Any:
    context = current.get(None)
    if context is None:
        raise RuntimeError(OUTSIDE_OF_APP)
    return context.g


def _request() -> Request:
    context = current.get(None)
    if context is None or context.request is None:
        raise RuntimeError(OUTSIDE_OF_REQUEST)
    request: Request = context.request
    return request


# An editor is told the type of what they stand for.
app_ctx = cast("AppContext", LocalProxy(app_context))
current_app = cast("Groundwire", LocalProxy(_app))
g = cast("Any", LocalProxy(_globals))
request_ctx = cast("RequestContext", LocalProxy(request_context))
request = cast("Request", LocalProxy(_request))
