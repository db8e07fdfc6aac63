import asyncio
import gc
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.app import holdups
from groundwire.app.holdups import HoldUps, stolen_from_machine, waited_for_processor


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Time, and how long the thread has waited for a processor, by hand."""
    times = {"now": 100.0, "waited": 5.0, "stolen": 1.0}
    monkeypatch.setattr(holdups, "perf_counter", lambda: times["now"])
    monkeypatch.setattr(holdups, "waited_for_processor", lambda: times["waited"])
    monkeypatch.setattr(holdups, "stolen_from_machine", lambda: times["stolen"])
    return times


def test_time_without_a_processor_is_excused(clocks: dict[str, float]) -> None:
    hold_ups = HoldUps()
    hold_ups.note()
    clocks["now"] += 0.5
    clocks["waited"] += 0.004

    assert pytest.approx(0.004) == hold_ups.seconds_of(0.005)
    assert 0.0 == hold_ups.seconds_of(0.005)  # once only


def test_no_more_is_excused_than_the_run_took(clocks: dict[str, float]) -> None:
    hold_ups = HoldUps()
    hold_ups.note()
    clocks["waited"] += 3.0

    assert 0.005 == hold_ups.seconds_of(0.005)


def test_an_old_note_excuses_nothing(clocks: dict[str, float]) -> None:
    hold_ups = HoldUps()
    hold_ups.note()
    clocks["now"] += 10.0
    clocks["waited"] += 3.0

    assert 0.0 == hold_ups.seconds_of(0.005)


def test_a_long_run_right_after_a_note_is_judged_by_it(clocks: dict[str, float]) -> None:
    hold_ups = HoldUps()
    hold_ups.note()
    clocks["now"] += 10.0  # all of it one run
    clocks["waited"] += 0.001

    assert pytest.approx(0.001) == hold_ups.seconds_of(9.9)


def test_a_collection_within_the_run_is_excused(clocks: dict[str, float]) -> None:
    hold_ups = HoldUps()
    hold_ups.start(None)
    try:
        for callback in list(gc.callbacks):
            if getattr(callback, "__self__", None) is hold_ups:
                callback("start", {})
                clocks["now"] += 0.010
                callback("stop", {})
        clocks["now"] += 0.001

        assert pytest.approx(0.010) == hold_ups.seconds_of(0.012)
        clocks["now"] += 1.0
        assert 0.0 == hold_ups.seconds_of(0.012)
    finally:
        hold_ups.stop()
    assert not any(getattr(callback, "__self__", None) is hold_ups for callback in gc.callbacks)


def test_a_server_s_app_notes_once_a_second() -> None:
    app = Groundwire("noting")
    notes: list[Any] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        app.plans.hold_ups.note = lambda: notes.append(loop.time())  # type: ignore[method-assign]
        app.startup()
        while len(notes) < 2:
            await asyncio.sleep(0.01)
        app.shutdown()

    asyncio.run(serve())

    first, second, *_ = notes
    assert second - first >= 0.99


def test_where_nobody_tells_nothing_was_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdups, "SCHEDULER_FILE", "/nowhere")
    monkeypatch.setattr(holdups, "PROCESSORS_FILE", "/nowhere")

    assert 0.0 == waited_for_processor() == stolen_from_machine()


def test_time_that_the_host_took_is_excused(clocks: dict[str, float]) -> None:
    hold_ups = HoldUps()
    hold_ups.note()
    clocks["now"] += 0.5
    clocks["stolen"] += 0.02

    assert pytest.approx(0.02) == hold_ups.seconds_of(0.025)
