"""`flask.app`: the application's class."""

from ..app.app import Groundwire

Flask = Groundwire
