"""Loggers."""

import io
import logging
from collections.abc import Iterator

import pytest

from groundwire.app.log import log_for_werkzeug


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The logger ``werkzeug`` as nobody has set it up, with no handler above it either."""
    logger = logging.getLogger("werkzeug")
    kept = logger.level, logger.handlers, logger.propagate
    logger.level, logger.handlers, logger.propagate = logging.NOTSET, [], False
    yield logger
    logger.level, logger.handlers, logger.propagate = kept


def test_werkzeugs_logger_is_set_up_to_be_seen(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log_for_werkzeug("info", "%s of %s\n", 1, 2)
    log_for_werkzeug("debug", "hidden")
    log_for_werkzeug("warning", "seen")

    assert "1 of 2\nseen\n" == capsys.readouterr().err
    assert 1 == len(logger.handlers)


def test_what_a_program_has_set_up_stays(logger: logging.Logger) -> None:
    written = io.StringIO()
    logger.addHandler(logging.StreamHandler(written))
    logger.setLevel(logging.ERROR)

    log_for_werkzeug("info", "hidden")
    log_for_werkzeug("error", "seen")

    assert "seen\n" == written.getvalue()
    assert (logging.ERROR, 1) == (logger.level, len(logger.handlers))
