"""The names of ``werkzeug.wsgi``."""

from ..http.environ import ClosingIterator as ClosingIterator
from ..http.environ_urls import get_current_url as get_current_url
from ..http.environ_urls import get_host as get_host
from ..http.environ_urls import get_path_info as get_path_info
from ..http.limited_stream import LimitedStream as LimitedStream
from ..http.limited_stream import get_content_length as get_content_length
from ..http.limited_stream import get_input_stream as get_input_stream
from ..http.urls import host_is_trusted as host_is_trusted
from ..http.wsgi_answers import FileWrapper as FileWrapper
from ..http.wsgi_answers import responder as responder
from ..http.wsgi_answers import wrap_file as wrap_file
