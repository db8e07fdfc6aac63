"""`flask.logging`: the application's logger and its handler."""

from ..app.log import create_logger as create_logger
from ..app.log import default_handler as default_handler
from ..app.log import has_level_handler as has_level_handler
from ..app.log import wsgi_errors_stream as wsgi_errors_stream
from ..werkzeug.local import LocalProxy as LocalProxy
from .globals import request as request
