"""`flask.views`: views that are classes."""

from .globals import current_app as current_app
from .globals import request as request
