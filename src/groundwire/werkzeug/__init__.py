"""Werkzeug's module names: every name in here is the very object the framework uses, and nothing is defined here.

`import groundwire.as_flask` makes ``import werkzeug`` mean this package.
"""

from . import _internal as _internal
from . import datastructures as datastructures
from . import exceptions as exceptions
from . import formparser as formparser
from . import http as http
from . import local as local
from . import middleware as middleware
from . import routing as routing
from . import sansio as sansio
from . import security as security
from . import serving as serving
from . import urls as urls
from . import user_agent as user_agent
from . import utils as utils
from . import wsgi as wsgi
from .serving import run_simple as run_simple
from .test import Client as Client
from .wrappers import Request as Request
from .wrappers import Response as Response
