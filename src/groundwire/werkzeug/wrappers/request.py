"""The names of ``werkzeug.wrappers.request``."""

from ...http.request import Request as Request
