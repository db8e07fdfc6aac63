"""`flask.ctx`: the contexts of an application and of a request."""

from ..app.context import AppContext as AppContext
from ..app.context import AppGlobals
from ..app.context import RequestContext as RequestContext
from ..app.context import after_this_request as after_this_request
from ..app.context import has_app_context as has_app_context
from ..app.context import has_request_context as has_request_context
from ..app.streaming import copy_current_request_context as copy_current_request_context
from ..werkzeug.exceptions import HTTPException as HTTPException
from .signals import appcontext_popped as appcontext_popped
from .signals import appcontext_pushed as appcontext_pushed

_AppCtxGlobals = AppGlobals
