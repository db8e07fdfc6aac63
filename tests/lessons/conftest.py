"""What the tests of the lessons share."""

import pytest

from groundwire.lessons import checking, playing, running

SECONDS = 20.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends when a program does something may take long on a machine that is busy with other tests."""
    monkeypatch.setattr(playing, "CLOSE_SECONDS", SECONDS)
    monkeypatch.setattr(playing, "ENDING_SECONDS", SECONDS)
    monkeypatch.setattr(checking, "CLOSE_SECONDS", SECONDS)
    monkeypatch.setattr(running, "START_SECONDS", 3 * SECONDS)
    monkeypatch.setattr(running, "END_SECONDS", SECONDS)
