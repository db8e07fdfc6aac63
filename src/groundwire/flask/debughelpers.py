"""`flask.debughelpers`: what is explained in debug mode."""

from ..app.template_loading import (
    explain_template_loading_attempts as explain_template_loading_attempts,
)
from .blueprints import Blueprint as Blueprint
from .globals import request_ctx as request_ctx
from .sansio.app import App as App
