"""`flask.wrappers`: the request and the response of an application."""

from ..app.wrappers import Request as Request
from ..app.wrappers import Response as Response
