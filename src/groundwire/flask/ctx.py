"""`flask.ctx`: the contexts of an application and of a request."""

from ..app.context import AppContext as AppContext
from ..app.context import AppGlobals
from ..app.context import RequestContext as RequestContext
from ..app.context import after_this_request as after_this_request
from ..app.context import has_app_context as has_app_context
from ..app.context import has_request_context as has_request_context

_AppCtxGlobals = AppGlobals
