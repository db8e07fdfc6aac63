"""The app's logger (https://flask.palletsprojects.com/logging/)."""

import logging
import sys
from typing import Any, TextIO, cast

from .current import current
from .local import LocalProxy


def _errors_stream() -> TextIO:
    context = current.get(None)
    request = None if context is None else context.request
    # An environ is looked at, never made: only a WSGI server's has a stream of its own.
    environ: dict[str, Any] = {} if request is None else request.__dict__.get("environ") or {}
    stream: TextIO = environ.get("wsgi.errors") or sys.stderr
    return stream


wsgi_errors_stream = cast("TextIO", LocalProxy(_errors_stream))
"""The WSGI error stream during a WSGI request, otherwise standard error as it is at that time."""

default_handler = logging.StreamHandler(wsgi_errors_stream)
"""What `create_logger` gives to a logger that would have none."""

default_handler.setFormatter(
    logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s")
)


def has_level_handler(logger: logging.Logger) -> bool:
    """Tell whether a handler would take what the logger lets through."""
    level = logger.getEffectiveLevel()
    current_logger: logging.Logger | None = logger
    while current_logger is not None:
        if any(handler.level <= level for handler in current_logger.handlers):
            return True
        if not current_logger.propagate:
            return False
        current_logger = current_logger.parent
    return False


def create_logger(app: Any) -> logging.Logger:
    """Return the logger called like `app`, with a handler if it has none and, in debug mode, showing everything."""
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger


def log_for_werkzeug(type: str, message: str, *args: Any, **kwargs: Any) -> None:
    """Log to the logger ``werkzeug``, which extensions share; it is set up to be seen where nobody has set it up.

    Args:
        type: the level's name, in small letters.
        message: the message.
        args: as a logger's.
        kwargs: as a logger's.

    (Werkzeug: ``_internal._log``, which extensions call.)
    """
    logger = logging.getLogger("werkzeug")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not has_level_handler(logger):
        logger.addHandler(logging.StreamHandler())
    getattr(logger, type)(message.rstrip(), *args, **kwargs)


def printable(path: str) -> str:
    """Return a request's path as it may stand in a line of a log: what could begin another line is escaped."""
    return path if path.isprintable() else repr(path)[1:-1]
