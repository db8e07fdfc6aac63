"""`flask.views`: views that are classes."""

from ..app.globals import current_app as current_app
from ..app.globals import request as request
from ..app.views import HTTP_METHOD_NAMES
from ..app.views import MethodView as MethodView
from ..app.views import View as View

http_method_funcs = HTTP_METHOD_NAMES
