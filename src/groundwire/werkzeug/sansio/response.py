"""The names of ``werkzeug.sansio.response``."""

from ...http.response import Response as Response
