"""`flask.helpers`: functions that views call."""

from ..app.answers import abort as abort
from ..app.answers import make_response as make_response
from ..app.environment import get_debug_flag as get_debug_flag
from ..app.environment import get_load_dotenv as get_load_dotenv
from ..app.flashing import flash as flash
from ..app.flashing import get_flashed_messages as get_flashed_messages
from ..app.scaffold import find_root_path
from ..app.static import send_file as send_file
from ..app.static import send_from_directory as send_from_directory
from ..app.streaming import stream_with_context as stream_with_context
from ..app.templating import get_template_attribute as get_template_attribute
from ..app.urls import redirect as redirect
from ..app.urls import url_for as url_for
from ..werkzeug.wrappers import Response as _BaseResponse
from .globals import current_app as current_app
from .globals import request as request
from .globals import request_ctx as request_ctx
from .globals import session as session
from .signals import message_flashed as message_flashed

get_root_path = find_root_path

BaseResponse = _BaseResponse
