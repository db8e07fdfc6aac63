"""The names of ``werkzeug.wrappers.response``."""

from ...http.response import Response as Response
from ...http.response_stream import ResponseStream as ResponseStream
