"""The names of ``werkzeug.middleware.profiler``."""

from ...adapters.profiler import ProfilerMiddleware as ProfilerMiddleware
