"""The names of ``werkzeug.test``."""

from ..app.testing import ClientRedirectError as ClientRedirectError
from ..app.testing import Cookie as Cookie
from ..app.testing import FlaskClient
from ..app.testing import TestResponse as TestResponse
from ..http.environ import run_wsgi_app as run_wsgi_app
from ..http.multipart import encode_multipart as encode_multipart

Client = FlaskClient
