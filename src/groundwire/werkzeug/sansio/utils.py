"""The names of ``werkzeug.sansio.utils``."""

from ...http.limited_stream import content_length
from ...http.urls import get_current_url as get_current_url
from ...http.urls import get_host as get_host
from ...http.urls import host_is_trusted as host_is_trusted

get_content_length = content_length
