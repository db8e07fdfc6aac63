"""`flask.sansio.app`: the application's class under the name that Quart shares."""

from ...app.app import Groundwire

App = Groundwire
