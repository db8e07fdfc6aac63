"""The names of ``werkzeug._reloader``."""

from ..app.serving import run_with_reloader as run_with_reloader
