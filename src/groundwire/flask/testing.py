"""`flask.testing`: clients that need no socket."""

from ..app.testing import FlaskClient as FlaskClient
from .sessions import SessionMixin as SessionMixin
