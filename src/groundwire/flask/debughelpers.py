"""`flask.debughelpers`: what is explained in debug mode."""

from jinja2.loaders import BaseLoader as BaseLoader

from ..app.debug_helpers import DebugFilesKeyError as DebugFilesKeyError
from ..app.debug_helpers import FormDataRoutingRedirect as FormDataRoutingRedirect
from ..app.debug_helpers import UnexpectedUnicodeError as UnexpectedUnicodeError
from ..app.debug_helpers import attach_enctype_error_multidict as attach_enctype_error_multidict
from ..app.template_loading import (
    explain_template_loading_attempts as explain_template_loading_attempts,
)
from ..werkzeug.routing import RequestRedirect as RequestRedirect
from .blueprints import Blueprint as Blueprint
from .globals import request_ctx as request_ctx
from .sansio.app import App as App
