"""Groundwire: from the TCP socket to your function and back, in Python, with Flask's API."""

from .app.app import Groundwire as Groundwire
from .app.context import after_this_request as after_this_request
from .app.context import has_app_context as has_app_context
from .app.context import has_request_context as has_request_context
from .app.answers import abort as abort
from .app.answers import jsonify as jsonify
from .app.answers import make_response as make_response
from .app.answers import redirect as redirect
from .app.blueprints import Blueprint as Blueprint
from .app.globals import current_app as current_app
from .app.globals import g as g
from .app.globals import request as request
from .app.urls import url_for as url_for
from .app.wrappers import Request as Request
from .app.wrappers import Response as Response

__version__ = "0.1.0"
