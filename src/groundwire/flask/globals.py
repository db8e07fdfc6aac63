"""`flask.globals`: what stands for the app, the request and `g` of whoever looks."""

from ..app.globals import app_ctx as app_ctx
from ..app.globals import current_app as current_app
from ..app.globals import cv_app, cv_request
from ..app.globals import g as g
from ..app.globals import request as request
from ..app.globals import request_ctx as request_ctx
from ..app.globals import session as session
from ..werkzeug.local import LocalProxy as LocalProxy

_cv_app = cv_app
_cv_request = cv_request
