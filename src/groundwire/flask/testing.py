"""`flask.testing`: clients that need no socket."""

from ..app.testing import EnvironBuilder as EnvironBuilder
from ..app.testing import FlaskClient as FlaskClient
