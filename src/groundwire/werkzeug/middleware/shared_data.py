"""The names of ``werkzeug.middleware.shared_data``."""

from ...adapters.shared_data import SharedDataMiddleware as SharedDataMiddleware
