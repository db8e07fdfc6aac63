"""The names of ``werkzeug.debug``. There is no console: a page that can run code is a way in."""

from ...app.debugged_application import DebuggedApplication as DebuggedApplication
