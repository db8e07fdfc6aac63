"""The names of ``werkzeug.middleware.dispatcher``."""

from ...adapters.dispatcher import DispatcherMiddleware as DispatcherMiddleware
