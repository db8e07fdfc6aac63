"""The names of ``werkzeug.datastructures.cache_control``."""

from ...http.cache_control import CacheControl
from ...http.cache_control import RequestCacheControl as RequestCacheControl
from ...http.cache_control import ResponseCacheControl as ResponseCacheControl
from ...http.cache_control import cache_control_property as cache_control_property

_CacheControl = CacheControl
