"""`werkzeug.serving`: a server for an application. This module becomes `groundwire.app.serving` itself.

A program that replaces ``werkzeug.serving.run_simple``, as tests do, has to reach what `app.run` looks up.
"""

import sys

from ..app import serving as _serving
from ..app.serving import BaseWSGIServer as BaseWSGIServer
from ..app.serving import ThreadedWSGIServer as ThreadedWSGIServer
from ..app.serving import WSGIRequestHandler as WSGIRequestHandler
from ..app.serving import is_running_from_reloader as is_running_from_reloader
from ..app.serving import make_server as make_server
from ..app.serving import run_simple as run_simple

sys.modules[__name__] = _serving
