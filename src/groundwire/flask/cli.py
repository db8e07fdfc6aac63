"""`flask.cli`: the command line."""

import click as click
from click.core import ParameterSource as ParameterSource

from ..app.app_commands import CertParamType as CertParamType
from ..app.app_commands import SeparatedPathType as SeparatedPathType
from ..app.app_commands import routes_command as routes_command
from ..app.app_commands import run_command as run_command
from ..app.app_commands import shell_command as shell_command
from ..app.command_line import FlaskGroup as FlaskGroup
from ..app.command_line import cli as cli
from ..app.command_line import get_version as get_version
from ..app.command_line import main as main
from ..app.command_line import show_server_banner as show_server_banner
from ..app.command_line import version_option as version_option
from ..app.commands import AppGroup as AppGroup
from ..app.commands import ScriptInfo as ScriptInfo
from ..app.commands import pass_script_info as pass_script_info
from ..app.commands import with_appcontext as with_appcontext
from ..app.environment import get_load_dotenv as get_load_dotenv
from ..app.environment import load_dotenv as load_dotenv
from ..app.locating import NoAppException as NoAppException
from ..app.locating import find_app_by_string as find_app_by_string
from ..app.locating import find_best_app as find_best_app
from ..app.locating import locate_app as locate_app
from ..app.locating import prepare_import as prepare_import
from ..app.serving import is_running_from_reloader as is_running_from_reloader
from ..app.serving import run_simple as run_simple
from ..werkzeug.utils import import_string as import_string
from .globals import current_app as current_app
from .helpers import get_debug_flag as get_debug_flag
