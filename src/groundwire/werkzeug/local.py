"""The names of ``werkzeug.local``."""

from ..app.local import LocalProxy as LocalProxy
