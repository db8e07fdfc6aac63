"""Log records of the program, for the exchange in whose context they were made.

They are seen where they are made, by the function that makes them, and not by a handler. A handler on the root
logger would be noticed: `logging.basicConfig` then does nothing, the last resort says nothing any more, and a
framework which looks whether somebody has set up logging finds that somebody has.
"""

import logging
from typing import Any

from ...http.tracing import tracing
from .records import Record


class CapturingFactory:
    """Makes log records as another factory does, and shows them to the exchange they belong to."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def __call__(self, name: Any, *args: Any, **kwargs: Any) -> logging.LogRecord:
        made: logging.LogRecord = self._factory(name, *args, **kwargs)
        record = tracing.get()
        if isinstance(record, Record) and isinstance(name, str):
            if made.exc_info and made.exc_info[1] is not None:
                # Who logs an exception has seen to it, but for the server.
                record.fail(made.exc_info[1], handled=not made.name.startswith("groundwire."))
            record.log(made.levelname, made.name, made.getMessage, made.pathname, made.lineno)
        return made


def begin_capturing() -> None:
    """Capture from now on, in the whole process; once is enough."""
    factory: Any = logging.getLogRecordFactory()
    if not isinstance(factory, CapturingFactory):
        logging.setLogRecordFactory(CapturingFactory(factory))
