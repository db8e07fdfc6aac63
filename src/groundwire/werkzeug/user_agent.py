"""The names of ``werkzeug.user_agent``."""

from ..http.request_fields import UserAgent as UserAgent
