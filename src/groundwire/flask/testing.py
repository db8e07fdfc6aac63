"""`flask.testing`: clients that need no socket."""

from ..app.testing import FlaskClient as FlaskClient
