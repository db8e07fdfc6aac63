"""Groundwire: from the TCP socket to your function and back, in Python, with Flask's API."""
# ruff: noqa: I001 - in the order of the tutorial

from .app.app import Groundwire as Groundwire
from .app.globals import request as request
from .app.wrappers import Request as Request
from .app.wrappers import Response as Response
from .app.answers import abort as abort
from .app.answers import jsonify as jsonify
from .app.answers import make_response as make_response
from .app.answers import redirect as redirect
from .app.urls import url_for as url_for
from .http.urls import safe_next as safe_next
from .app.templating import render_template as render_template
from .app.templating import render_template_string as render_template_string
from .app.templating import stream_template as stream_template
from .app.templating import stream_template_string as stream_template_string
from .app.templating import render_template_async as render_template_async
from .app.templating import render_template_string_async as render_template_string_async
from .app.templating import get_template_attribute as get_template_attribute
from .app.streaming import stream_with_context as stream_with_context
from .app.static import send_file as send_file
from .app.static import send_from_directory as send_from_directory
from .app.globals import session as session
from .app.flashing import flash as flash
from .app.flashing import get_flashed_messages as get_flashed_messages
from .app.globals import current_app as current_app
from .app.globals import g as g
from .app.context import after_this_request as after_this_request
from .app.context import has_app_context as has_app_context
from .app.context import has_request_context as has_request_context
from .app.streaming import copy_current_request_context as copy_current_request_context
from .app.blueprints import Blueprint as Blueprint
from .app.views import View as View
from .app.views import MethodView as MethodView
from .app.config import Config as Config

__version__ = "0.1.0"
