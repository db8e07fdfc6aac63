"""`flask.testing`: clients that need no socket."""

from ..app.cli_runner import FlaskCliRunner as FlaskCliRunner
from ..app.testing import EnvironBuilder as EnvironBuilder
from ..app.testing import FlaskClient as FlaskClient
