"""`flask.testing`: clients that need no socket."""

from click.testing import CliRunner as CliRunner
from click.testing import Result as Result

from ..app.cli_runner import FlaskCliRunner as FlaskCliRunner
from ..app.testing import EnvironBuilder as EnvironBuilder
from ..app.testing import FlaskClient as FlaskClient
from ..werkzeug.test import Client as Client
from ..werkzeug.wrappers import Request as _BaseRequest
from .cli import ScriptInfo as ScriptInfo
from .sessions import SessionMixin as SessionMixin

BaseRequest = _BaseRequest
