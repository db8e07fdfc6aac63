"""`flask.helpers`: functions that views call."""

from ..app.answers import abort as abort
from ..app.answers import make_response as make_response
from ..app.flashing import flash as flash
from ..app.flashing import get_flashed_messages as get_flashed_messages
from ..app.scaffold import find_root_path
from ..app.state import debug_asked_for
from ..app.static import send_file as send_file
from ..app.static import send_from_directory as send_from_directory
from ..app.urls import redirect as redirect
from ..app.urls import url_for as url_for

get_debug_flag = debug_asked_for
get_root_path = find_root_path
