"""The names of ``werkzeug.utils``."""

from ..app.importing import ImportStringError as ImportStringError
from ..app.importing import find_modules as find_modules
from ..app.importing import import_string as import_string
from ..app.sending import send_file as send_file
from ..app.sending import send_from_directory as send_from_directory
from ..http.media_types import get_content_type as get_content_type
from ..http.properties import cached_property as cached_property
from ..http.properties import environ_property as environ_property
from ..http.properties import header_property as header_property
from ..http.redirects import append_slash_redirect as append_slash_redirect
from ..http.redirects import redirect as redirect
from ..http.uploads import secure_filename as secure_filename
