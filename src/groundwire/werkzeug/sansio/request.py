"""The names of ``werkzeug.sansio.request``."""

from ...http.request import Request as Request
