"""`flask.sansio.app`: the application's class under the name that Quart shares."""

from ...app.app import Groundwire
from ...werkzeug.exceptions import Aborter as Aborter
from ...werkzeug.exceptions import BadRequest as BadRequest
from ...werkzeug.exceptions import BadRequestKeyError as BadRequestKeyError
from ...werkzeug.routing import BuildError as BuildError
from ...werkzeug.routing import Map as Map
from ...werkzeug.routing import Rule as Rule
from ...werkzeug.sansio.response import Response as Response
from ...werkzeug.utils import cached_property as cached_property
from ..config import Config as Config
from ..config import ConfigAttribute as ConfigAttribute
from ..helpers import get_debug_flag as get_debug_flag
from ..json.provider import DefaultJSONProvider as DefaultJSONProvider
from ..json.provider import JSONProvider as JSONProvider
from ..logging import create_logger as create_logger
from ..templating import DispatchingJinjaLoader as DispatchingJinjaLoader
from ..templating import Environment as Environment
from .scaffold import Scaffold as Scaffold
from .scaffold import find_package as find_package
from .scaffold import setupmethod as setupmethod

App = Groundwire
