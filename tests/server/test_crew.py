"""The workers' fates, without processes: a clock that is set, and workers that only remember what they were told."""

import logging
import signal
from collections.abc import Callable
from typing import Any

import pytest

from groundwire.server.children import WorkerProcess
from groundwire.server.crew import Crew
from groundwire.server.process_settings import ProcessSettings
from groundwire.server.timers import Timers
from groundwire.server.worker import STACKS_SIGNAL

KILLED = signal.SIGKILL
"""As a status of waitpid."""


class FakeChannel:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, type: str, **fields: Any) -> bool:
        self.sent.append("stop at once" if fields.get("at_once") else type)
        return True

    def close(self) -> None: ...


class FakeWorker(WorkerProcess):
    def __init__(self, number: int, pid: int, generation: int) -> None:
        super().__init__(f"worker {number}", pid, FakeChannel(), number=number)  # type: ignore[arg-type]
        self.generation = generation
        self.signals: list[int] = []
        self.written = ""

    def signal(self, number: int) -> None:
        self.signals.append(number)

    def read_stacks(self) -> str:
        return self.written

    @property
    def told(self) -> list[str]:
        return self.channel.sent  # type: ignore[attr-defined, no-any-return]


class Scene:
    def __init__(self, workers: int = 2, **processes: Any) -> None:
        self.time = 1000.0
        self.hired: list[FakeWorker] = []
        self.fork_error: OSError | None = None
        self.timers = Timers(lambda: self.time)
        self.crew = Crew(self.fork, ProcessSettings(**processes), workers, 30, self.timers)
        self.happened: list[str] = []
        self.crew.on_serving = lambda _worker, _message: self.happened.append("serving")
        self.crew.on_given_up = lambda text: self.happened.append(f"given up: {text}")
        self.crew.on_empty = lambda: self.happened.append("empty")

    def fork(self, number: int, generation: int) -> WorkerProcess:
        if self.fork_error is not None:
            raise self.fork_error
        worker = FakeWorker(number, 100 + len(self.hired), generation)
        self.hired.append(worker)
        return worker

    def started(self) -> "Scene":
        self.crew.start()
        done = 0
        while done < len(self.hired):
            self.crew.ready(self.hired[done], {})
            done += 1
        return self

    def leave(self) -> None:
        """Have those who were told to retire say that they accept no more."""
        for worker in self.hired:
            if "retire" in worker.told and worker.pid in self.crew.workers:
                self.crew.beat(worker, beat(state="retiring"))

    def pass_time(self, seconds: float) -> None:
        until = self.time + seconds
        while (wait := self.timers.seconds_to_next()) is not None and self.time + wait <= until:
            self.time += wait
            self.timers.run_due()
        self.time = until

    @property
    def states(self) -> list[tuple[int, str]]:
        return [(worker["number"], worker["state"]) for worker in self.crew.state()]


def test_the_others_are_started_when_the_first_serves() -> None:
    scene = Scene(3)

    scene.crew.start()
    assert [(1, "starting")] == scene.states
    scene.crew.ready(scene.hired[0], {})

    assert [(1, "serving"), (2, "starting"), (3, "starting")] == scene.states
    assert ["serving"] == scene.happened


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("no such file", "given up: no such file"),
        (None, "given up: the first worker ended with status 3 before it served"),
    ],
)
def test_a_first_worker_that_cannot_serve_is_the_end(failure: str | None, told: str) -> None:
    scene = Scene(2)
    scene.crew.start()

    if failure:
        scene.crew.failed(scene.hired[0], {"text": failure})
    scene.crew.ended(scene.hired[0], 3 << 8)

    assert [told] == scene.happened
    assert 1 == len(scene.hired)


def test_who_dies_after_a_while_is_replaced_at_once(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(2).started()
    scene.pass_time(6)

    scene.crew.ended(scene.hired[1], KILLED)

    assert [(1, "serving"), (2, "starting")] == scene.states
    assert "worker 2 (process 101) was killed by SIGKILL" in caplog.text
    assert 1 == scene.crew.restarts


def test_who_dies_at_once_is_restarted_less_and_less_often() -> None:
    scene = Scene(1).started()
    waited = []
    for _ in range(8):
        before = scene.time
        scene.crew.ended(scene.hired[-1], KILLED)
        number = len(scene.hired)
        while len(scene.hired) == number:
            scene.pass_time(0.1)
        waited.append(round(scene.time - before, 1))
        scene.crew.ready(scene.hired[-1], {})

    assert [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0] == waited
    scene.pass_time(6)
    scene.crew.ended(scene.hired[-1], KILLED)
    assert [(1, "starting")] == scene.states


def test_a_reload_replaces_one_after_the_other() -> None:
    scene = Scene(2).started()
    first, second = scene.hired
    ended: list[str | None] = []

    scene.crew.reload(ended.append)

    assert [(1, "serving"), (1, "starting"), (2, "serving")] == scene.states
    scene.crew.ready(scene.hired[2], {})
    assert ["retire"] == first.told
    assert [] == second.told
    assert [1, 2] == [worker.number for worker in scene.hired[2:]]
    scene.crew.ready(scene.hired[3], {})
    assert ["retire"] == second.told
    assert [] == ended  # they may still accept
    scene.crew.beat(second, beat(state="serving"))  # said before it heard
    scene.crew.beat(first, beat(state="retiring"))
    assert [] == ended
    scene.crew.beat(second, beat(state="retiring"))
    assert [None] == ended
    assert [0, 0, 1, 1] == [worker.generation for worker in scene.hired]
    scene.crew.ended(first, 0)
    scene.crew.ended(second, 0)
    assert [(1, "serving"), (2, "serving")] == scene.states


def test_a_broken_new_version_leaves_the_old_one(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(2).started()
    ended: list[str | None] = []
    scene.crew.reload(ended.append)

    scene.crew.failed(scene.hired[2], {"text": "SyntaxError: what is this"})
    scene.crew.ended(scene.hired[2], 2 << 8)

    assert [(1, "serving"), (2, "serving")] == scene.states
    assert [[], []] == [worker.told for worker in scene.hired[:2]]
    assert ["SyntaxError: what is this"] == ended
    assert "the old version goes on serving: SyntaxError: what is this" in caplog.text
    scene.crew.reload(ended.append)
    assert 4 == len(scene.hired)


def test_a_reload_waits_for_no_worker_that_has_ended() -> None:
    scene = Scene(1).started()
    ended: list[str | None] = []
    scene.crew.reload(ended.append)
    scene.crew.ready(scene.hired[1], {})

    scene.crew.ended(scene.hired[0], KILLED)

    assert [None] == ended


def test_a_reload_is_not_told_of_after_a_stop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene(1).started()
    scene.crew.reload()
    scene.crew.ready(scene.hired[1], {})
    scene.crew.stop()

    scene.crew.ended(scene.hired[0], 0)

    assert "the new version serves" not in caplog.text


def test_reloads_asked_for_meanwhile_are_one_more() -> None:
    scene = Scene(1).started()
    ended: list[tuple[int, str | None]] = []
    for number in range(4):

        def done(failure: str | None, number: int = number) -> None:
            ended.append((number, failure))

        scene.crew.reload(done)

    scene.crew.ready(scene.hired[1], {})
    scene.leave()
    assert [(0, None)] == ended
    scene.crew.ready(scene.hired[2], {})
    scene.leave()
    assert [(0, None), (1, None)] == ended[:2]
    while scene.crew.is_reloading:
        scene.crew.ready(scene.hired[-1], {})
        scene.leave()
    assert [0, 1, 2, 3] == [number for number, _ in ended]
    assert len(scene.hired) <= 5


def test_who_dies_during_its_replacement_is_not_replaced_twice() -> None:
    scene = Scene(1).started()
    scene.crew.reload()

    scene.crew.ended(scene.hired[0], KILLED)
    scene.pass_time(1)

    assert [(1, "starting")] == scene.states
    scene.crew.ready(scene.hired[1], {})
    assert [(1, "serving")] == scene.states
    assert not scene.crew.is_reloading


def test_who_dies_during_a_reload_that_fails_is_tried_again() -> None:
    scene = Scene(1).started()
    scene.crew.reload()
    scene.crew.ended(scene.hired[0], KILLED)

    scene.crew.ended(scene.hired[1], KILLED)
    scene.pass_time(1)

    assert [(1, "starting")] == scene.states


def beat(**figures: Any) -> dict[str, Any]:
    return {"type": "beat", "state": "serving", **figures}


def test_who_has_answered_enough_is_replaced() -> None:
    scene = Scene(1, max_requests=1000).started()
    worker = scene.hired[0]
    assert 900 <= worker.request_limit <= 1100

    scene.crew.beat(worker, beat(counters={"requests": 899}))
    scene.crew.check()
    assert [(1, "serving")] == scene.states
    scene.crew.beat(worker, beat(counters={"requests": 1101}))
    scene.crew.check()
    scene.crew.check()

    assert [(1, "serving"), (1, "starting")] == scene.states
    scene.crew.ready(scene.hired[1], {})
    assert ["retire"] == worker.told


def test_who_holds_too_much_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene(1, max_rss_bytes=100 * 1024**2).started()

    scene.crew.beat(scene.hired[0], beat(rss_bytes=101 * 1024**2))
    scene.crew.check()

    assert [(1, "serving"), (1, "starting")] == scene.states
    assert "is replaced: it holds 101 MiB" in caplog.text


def test_a_replacement_that_cannot_serve_is_tried_again_later() -> None:
    scene = Scene(1, max_rss_bytes=1).started()
    scene.crew.beat(scene.hired[0], beat(rss_bytes=2))
    scene.crew.check()
    scene.crew.ended(scene.hired[1], 2 << 8)
    scene.crew.check()
    assert 2 == len(scene.hired)

    scene.pass_time(10)
    scene.crew.beat(scene.hired[0], beat(rss_bytes=2))
    scene.crew.check()

    assert 3 == len(scene.hired)


def test_who_hangs_writes_its_stack_and_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(2).started()
    hanging, other = scene.hired
    scene.pass_time(31)
    scene.crew.beat(other, beat())

    scene.crew.check()
    scene.crew.check()

    assert [STACKS_SIGNAL] == hanging.signals
    hanging.written = 'File "shop.py", line 7 in pay'
    scene.pass_time(0.5)
    assert [STACKS_SIGNAL, signal.SIGKILL] == hanging.signals
    assert "has not turned its event loop for 31 s, and is killed" in caplog.text
    assert 'File "shop.py", line 7 in pay' in caplog.text
    assert [] == other.signals
    scene.crew.ended(hanging, KILLED)
    assert [(1, "starting"), (2, "serving")] == scene.states


def test_nobody_is_killed_for_what_the_supervisor_missed() -> None:
    scene = Scene(1).started()
    scene.pass_time(31)

    scene.crew.spare(1.5)
    scene.crew.check()

    assert [] == scene.hired[0].signals


def test_who_beats_once_a_second_is_not_killed_between_two_beats() -> None:
    scene = Scene(1, heartbeat_seconds=0.5).started()

    scene.pass_time(1.9)
    scene.crew.check()
    assert [] == scene.hired[0].signals
    scene.pass_time(0.2)
    scene.crew.check()
    assert [STACKS_SIGNAL] == scene.hired[0].signals


def test_what_the_supervisor_missed_is_no_more_than_that() -> None:
    scene = Scene(1).started()
    scene.pass_time(20)
    scene.crew.spare(100)  # who has just been heard gains nothing
    scene.pass_time(31)

    scene.crew.check()

    assert [STACKS_SIGNAL] == scene.hired[0].signals


def test_who_does_not_begin_to_serve_is_killed() -> None:
    scene = Scene(2, start_seconds=60).started()
    scene.crew.reload()

    scene.pass_time(60.6)

    assert [STACKS_SIGNAL, signal.SIGKILL] == scene.hired[2].signals
    scene.crew.ended(scene.hired[2], KILLED)
    assert not scene.crew.is_reloading
    assert [(1, "serving"), (2, "serving")] == scene.states


def test_who_retires_for_too_long_is_killed() -> None:
    scene = Scene(1).started()
    scene.crew.reload()
    scene.crew.ready(scene.hired[1], {})

    scene.pass_time(33.4)
    assert [] == scene.hired[0].signals[1:]
    scene.pass_time(0.2)

    assert signal.SIGKILL == scene.hired[0].signals[-1]


def test_there_can_be_more_and_fewer() -> None:
    scene = Scene(1).started()

    scene.crew.scale(3)
    for worker in scene.hired[1:]:
        scene.crew.ready(worker, {})
    assert [1, 2, 3] == [number for number, _ in scene.states]
    scene.crew.scale(0)

    assert 1 == scene.crew.wanted
    assert [[], ["retire"], ["retire"]] == [worker.told for worker in scene.hired]
    for worker in scene.hired[1:]:
        scene.crew.ended(worker, 0)
    scene.pass_time(10)
    assert [(1, "serving")] == scene.states


def test_who_was_starting_is_not_needed_after_all() -> None:
    scene = Scene(1).started()
    scene.crew.scale(2)

    scene.crew.scale(1)

    assert [signal.SIGKILL] == scene.hired[1].signals
    scene.crew.ended(scene.hired[1], KILLED)
    assert [(1, "serving")] == scene.states


def test_who_is_told_to_stop_by_somebody_else_is_replaced_at_once() -> None:
    scene = Scene(1).started()

    scene.crew.beat(scene.hired[0], {"type": "beat", "state": "stopping"})

    assert [(1, "retiring"), (1, "starting")] == scene.states
    scene.crew.ready(scene.hired[1], {})
    scene.crew.ended(scene.hired[0], 0)
    assert [(1, "serving")] == scene.states


def test_a_stop_is_told_to_all_and_over_when_they_have_ended() -> None:
    scene = Scene(2).started()
    scene.crew.reload()

    scene.crew.stop()

    # The successor too: it may be the one that takes whoever still waits.
    assert [["stop"]] * 3 == [worker.told for worker in scene.hired]
    for worker in scene.hired:
        assert "empty" not in scene.happened
        scene.crew.ended(worker, 0)
    assert "empty" == scene.happened[-1]
    assert 3 == len(scene.hired)


def test_who_does_not_stop_in_time_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(1).started()

    scene.crew.stop()
    scene.pass_time(33.6)

    assert signal.SIGKILL == scene.hired[0].signals[-1]
    assert "has not ended within 33 s, and is killed" in caplog.text


def test_a_second_stop_is_at_once() -> None:
    scene = Scene(1).started()

    scene.crew.stop()
    scene.crew.stop(at_once=True)
    scene.pass_time(2.6)

    assert ["stop", "stop at once"] == scene.hired[0].told
    assert signal.SIGKILL == scene.hired[0].signals[-1]


def test_a_stop_before_anything_is_served_waits_for_nobody() -> None:
    scene = Scene(1)
    scene.crew.start()

    scene.crew.stop()

    assert [signal.SIGKILL] == scene.hired[0].signals
    scene.crew.ended(scene.hired[0], KILLED)
    assert ["empty"] == scene.happened


def test_a_reload_while_stopping_is_refused() -> None:
    scene = Scene(1).started()
    scene.crew.stop()
    ended: list[str | None] = []

    scene.crew.reload(ended.append)

    assert ["the server is starting or stopping"] == ended


@pytest.mark.parametrize("begin", [lambda crew: crew.scale(2), lambda crew: crew.reload()])
def test_a_system_without_room_for_a_process_is_asked_again(
    begin: Callable[[Crew], None], caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(1).started()
    scene.fork_error = BlockingIOError(11, "Resource temporarily unavailable")

    begin(scene.crew)

    assert "no worker can be started: Resource temporarily unavailable" in caplog.text
    assert [(1, "serving")] == scene.states
    assert not scene.crew.is_reloading
    scene.fork_error = None
    begin(scene.crew)
    scene.pass_time(1)
    assert 2 == len(scene.hired)


def test_a_crash_is_told_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(1).started()
    scene.hired[0].written = 'Fatal Python error: Segmentation fault\nFile "c.py", line 1'

    scene.crew.ended(scene.hired[0], signal.SIGSEGV)

    assert "was killed by SIGSEGV, from here:\nFatal Python error" in caplog.text


def test_what_those_who_ended_have_counted_is_kept() -> None:
    scene = Scene(1).started()
    for requests in (3, 4):
        scene.crew.beat(scene.hired[-1], beat(counters={"requests": requests}))
        scene.crew.ended(scene.hired[-1], KILLED)
        scene.pass_time(1)
        scene.crew.ready(scene.hired[-1], {})

    assert {"requests": 7} == dict(scene.crew.past_counters)


def test_a_place_can_be_given_up_in_the_middle_of_its_replacement() -> None:
    scene = Scene(2).started()
    scene.crew.reload()
    scene.crew.ready(scene.hired[2], {})  # the first is replaced; the second is about to be

    scene.crew.scale(1)

    assert ["retire"] == scene.hired[1].told
    assert [signal.SIGKILL] == scene.hired[3].signals
    assert scene.crew.is_reloading
    scene.leave()
    assert not scene.crew.is_reloading
    for worker in (scene.hired[0], scene.hired[1], scene.hired[3]):
        scene.crew.ended(worker, 0)
    assert [(1, "serving")] == scene.states


def test_a_place_can_be_given_up_before_its_turn_and_while_it_is_empty() -> None:
    scene = Scene(3).started()
    scene.crew.ended(scene.hired[2], KILLED)  # and is about to be restarted
    scene.crew.reload()

    scene.crew.scale(1)
    scene.crew.ready(scene.hired[3], {})
    scene.leave()
    scene.pass_time(10)

    assert 4 == len(scene.hired)
    assert not scene.crew.is_reloading


def test_the_same_failure_is_told_in_full_once(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(1).started()
    scene.crew.ended(scene.hired[0], KILLED)
    for _ in range(3):
        scene.pass_time(5)
        scene.crew.failed(scene.hired[-1], {"text": "SyntaxError: what is this"})
        scene.crew.ended(scene.hired[-1], 2 << 8)

    assert 1 == caplog.text.count("SyntaxError: what is this")
    assert 2 == caplog.text.count("the same as before")


def test_who_begins_to_serve_in_a_place_that_is_gone_retires() -> None:
    scene = Scene(1).started()
    scene.crew.scale(2)
    late = scene.hired[1]
    scene.crew.scale(1)

    scene.crew.ready(late, {})  # it said so before the signal came

    assert ["retire"] == late.told
