"""The names of ``werkzeug.test``."""

from ..http.client import Client as Client
from ..http.client import ClientRedirectError as ClientRedirectError
from ..http.client import Cookie as Cookie
from ..http.client import TestResponse as TestResponse
from ..http.environ import run_wsgi_app as run_wsgi_app
from ..http.environ_builder import EnvironBuilder as EnvironBuilder
from ..http.environ_builder import create_environ as create_environ
from ..http.form_encoding import encode_multipart as encode_multipart
from ..http.form_encoding import stream_encode_multipart as stream_encode_multipart
