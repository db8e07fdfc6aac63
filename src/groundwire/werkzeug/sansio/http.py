"""The names of ``werkzeug.sansio.http``."""

from ...http.conditional import is_resource_modified as is_resource_modified
from ...http.cookies import parse_cookie as parse_cookie
