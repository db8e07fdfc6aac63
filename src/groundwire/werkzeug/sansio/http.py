"""The names of ``werkzeug.sansio.http``."""

from ...http.from_fields import is_resource_modified as is_resource_modified
from ...http.from_fields import parse_cookie as parse_cookie
