"""Loggers."""

import contextlib
import io
import logging
from collections.abc import Iterator

import pytest

from groundwire.app.log import log_for_werkzeug


@contextlib.contextmanager
def untouched() -> Iterator[logging.Logger]:
    """Have the logger ``werkzeug`` as nobody has set it up, with no handler above it, not even pytest's."""
    logger = logging.getLogger("werkzeug")
    level, handlers, propagates = logger.level, logger.handlers, logger.propagate
    logger.setLevel(logging.NOTSET)
    logger.handlers, logger.propagate = [], False
    try:
        yield logger
    finally:
        logger.setLevel(level)
        logger.handlers, logger.propagate = handlers, propagates


def test_werkzeugs_logger_is_set_up_to_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    with untouched() as logger:
        log_for_werkzeug("info", "%s of %s\n", 1, 2)
        log_for_werkzeug("debug", "hidden")
        log_for_werkzeug("warning", "seen")

        assert 1 == len(logger.handlers)
    assert "1 of 2\nseen\n" == capsys.readouterr().err


def test_what_a_program_has_set_up_stays() -> None:
    written = io.StringIO()
    with untouched() as logger:
        logger.addHandler(logging.StreamHandler(written))
        logger.setLevel(logging.ERROR)

        log_for_werkzeug("info", "hidden")
        log_for_werkzeug("error", "seen")

        assert (logging.ERROR, 1) == (logger.level, len(logger.handlers))
    assert "seen\n" == written.getvalue()
