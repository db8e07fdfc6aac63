"""`flask.app`: the application's class."""

from ..app.app import Groundwire
from ..app.context import AppContext as AppContext
from ..app.context import RequestContext as RequestContext
from ..werkzeug.datastructures import Headers as Headers
from ..werkzeug.datastructures import ImmutableDict as ImmutableDict
from ..werkzeug.exceptions import BadRequestKeyError as BadRequestKeyError
from ..werkzeug.exceptions import HTTPException as HTTPException
from ..werkzeug.exceptions import InternalServerError as InternalServerError
from ..werkzeug.routing import BuildError as BuildError
from ..werkzeug.routing import MapAdapter as MapAdapter
from ..werkzeug.routing import RequestRedirect as RequestRedirect
from ..werkzeug.routing import RoutingException as RoutingException
from ..werkzeug.routing import Rule as Rule
from ..werkzeug.serving import is_running_from_reloader as is_running_from_reloader
from ..werkzeug.wrappers import Response as _BaseResponse
from ..werkzeug.wsgi import get_host as get_host
from .cli import get_load_dotenv as get_load_dotenv
from .globals import current_app as current_app
from .globals import g as g
from .globals import request as request
from .globals import request_ctx as request_ctx
from .globals import session as session
from .helpers import get_debug_flag as get_debug_flag
from .helpers import get_flashed_messages as get_flashed_messages
from .helpers import send_from_directory as send_from_directory
from .sansio.app import App as App
from .sessions import SecureCookieSessionInterface as SecureCookieSessionInterface
from .sessions import SessionInterface as SessionInterface
from .signals import appcontext_tearing_down as appcontext_tearing_down
from .signals import got_request_exception as got_request_exception
from .signals import request_finished as request_finished
from .signals import request_started as request_started
from .signals import request_tearing_down as request_tearing_down
from .templating import Environment as Environment
from .wrappers import Request as Request
from .wrappers import Response as Response

Flask = Groundwire

BaseResponse = _BaseResponse
