"""`flask.wrappers`: the request and the response of an application."""

from ..app.wrappers import Request as Request
from ..app.wrappers import Response as Response
from .globals import current_app as current_app
