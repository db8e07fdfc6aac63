"""`flask.wrappers`: the request and the response of an application."""

from ..app.wrappers import Request as Request
from ..app.wrappers import Response as Response
from ..werkzeug import wrappers as _messages
from ..werkzeug.exceptions import BadRequest as BadRequest
from ..werkzeug.exceptions import HTTPException as HTTPException
from .globals import current_app as current_app

RequestBase = _messages.Request
ResponseBase = _messages.Response
