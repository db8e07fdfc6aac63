"""The workers: hired, replaced one after the other, restarted when they die, told to go.

Each has a place. In a place there is the worker that serves (`current`), perhaps one that is to replace it and has
not begun to serve (`successor`), and there may be others that have been replaced and are finishing.
"""

import logging
import random
import signal
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

from .channel import Message
from .children import WorkerProcess, how_it_ended
from .process_settings import ProcessSettings
from .timers import Timer, Timers
from .worker import STACKS_SIGNAL

logger = logging.getLogger("groundwire.server")

FIRST_DELAY_SECONDS: Final = 0.1
LONGEST_DELAY_SECONDS: Final = 5.0
"""Between two starts of a worker that dies at once; the delay doubles each time."""

LEAST_SILENCE_SECONDS: Final = 2.0
"""Who beats once a second may be silent for that long, whatever the operator says."""

STEADY_SECONDS: Final = 5.0
"""A worker that has served this long did not die at once: its replacement does not wait."""

STACKS_SECONDS: Final = 0.5
"""How long a worker that hangs has to write its stacks."""

MARGIN_SECONDS: Final = 3.0
"""How much longer than it may take a worker to end it has, before it is killed."""

CUT_SECONDS: Final = 2.0
"""How long a worker has to end at once."""

RETRY_SECONDS: Final = 10.0
"""After a replacement that failed, when the worker it was for is looked at again."""

JITTER: Final = 0.1

ReloadDone = Callable[[str | None], None]
"""Called with why a reload failed, or None."""


def _nobody_waits(_failure: str | None) -> None:
    """Be called at the end of a reload that nobody waits for."""


class Place:
    """Where one worker serves at a time."""

    __slots__ = ("current", "delay_seconds", "number", "restart", "spared_until", "successor")

    def __init__(self, number: int) -> None:
        self.number = number
        self.current: WorkerProcess | None = None
        self.successor: WorkerProcess | None = None
        self.delay_seconds = 0.0
        self.restart: Timer | None = None
        self.spared_until = 0.0


class Crew:
    """The workers of one supervisor.

    Args:
        fork_worker: forks the worker for a place, by its number and generation. May raise OSError.
        processes: how many, and how long.
        graceful_seconds: how long a worker may take to end.
        timers: for what is to be done later.

    Attributes:
        workers: all that live, by process id.
        wanted: how many are to serve.
        has_served: whether one has ever served.
        on_serving: called with the first worker that serves, and what it said.
        on_given_up: called with the reason when the first worker cannot serve.
        on_empty: called when none is left after `stop`.
        on_reloaded: called at the end of a reload, with why it failed or None.
    """

    def __init__(
        self,
        fork_worker: Callable[[int, int], WorkerProcess],
        processes: ProcessSettings,
        wanted: int,
        graceful_seconds: float,
        timers: Timers,
    ) -> None:
        self.workers: dict[int, WorkerProcess] = {}
        self.wanted = wanted
        self.has_served = False
        self.generation = 0
        self.restarts = 0
        self.past_counters: Counter[str] = Counter()
        """The counters of workers that have ended, added up."""

        self.on_serving: Callable[[WorkerProcess, Message], None] = lambda _worker, _message: None
        self.on_given_up: Callable[[str], None] = lambda _text: None
        self.on_empty: Callable[[], None] = lambda: None
        self.on_reloaded: ReloadDone = _nobody_waits
        self._fork_worker = fork_worker
        self._processes = processes
        self._graceful_seconds = graceful_seconds
        self._timers = timers
        self._stopping = False
        self._places: dict[int, Place] = {}
        self._queue: deque[Place] = deque()
        """Places whose worker is to be replaced."""

        self._replacing: Place | None = None
        self._leaving: set[WorkerProcess] = set()
        """Who was told to retire and may still accept: a new connection could reach the version before."""

        self._reloads: list[ReloadDone] | None = None
        """Who waits for the reload that is going on; None if none is."""

        self._next_reloads: list[ReloadDone] = []
        self._told_failure = ""

    @property
    def is_reloading(self) -> bool:
        """Whether a reload is going on."""
        return self._reloads is not None

    # What the operator wants.

    def start(self) -> None:
        """Start the first worker; the others are started when it serves, so that an error is told once."""
        place = self._places[1] = Place(1)
        self._fill(place)

    def scale(self, wanted: int) -> None:
        """Have another number of workers, one at least."""
        self.wanted = max(1, wanted)
        if self.has_served and not self._stopping:
            self._fill_all()
        for number in [number for number in self._places if number > self.wanted]:
            self._abandon(self._places.pop(number))

    def reload(self, done: ReloadDone = _nobody_waits) -> None:
        """Replace each worker by one with the application as it is now, one after the other.

        It is done when no worker from before accepts any more: who connects then is answered by the new version. If
        one cannot serve, the others stay. A reload that is asked for while one goes on follows it.
        """
        if self._stopping or not self.has_served:
            done("the server is starting or stopping")
        elif self._reloads is not None:
            self._next_reloads.append(done)
        else:
            self._reloads = [done]
            self.generation += 1
            for place in self._places.values():
                if place not in self._queue and place is not self._replacing:
                    self._queue.append(place)
                place.delay_seconds = 0.0
            self._replace_next()

    def stop(self, *, at_once: bool = False) -> None:
        """Have all end, and none start."""
        self._stopping = True
        self._queue.clear()
        for place in self._places.values():
            if place.restart is not None:
                place.restart.cancel()
        for worker in tuple(self.workers.values()):
            if worker.state == "starting" and (at_once or not self.has_served):
                self._kill(worker)
                continue
            worker.channel.send("stop", at_once=at_once)
            seconds = CUT_SECONDS if at_once else self._graceful_seconds + MARGIN_SECONDS
            self._end_within(worker, seconds)
            if worker.state != "starting":
                worker.state = "stopping"
        if not self.workers:
            self.on_empty()

    # What the workers say.

    def ready(self, worker: WorkerProcess, message: Message) -> None:
        """Note that a worker serves, and have the one it replaces end."""
        now = self._timers.now()
        worker.serving_since = worker.last_beat = now
        if self._stopping:
            return  # it has been told
        worker.set_deadline(None)
        worker.state = "serving"
        place = self._places.get(worker.number)
        if place is None:
            self._retire(worker)
        elif place.successor is worker:
            place.successor, replaced, place.current = None, place.current, worker
            if replaced is not None:
                self._retire(replaced)
            self._replaced()
        if not self.has_served:
            self.has_served = True
            self.on_serving(worker, message)
            self._fill_all()

    def beat(self, worker: WorkerProcess, message: Message) -> None:
        """Note that a worker's loop turns."""
        worker.last_beat = self._timers.now()
        worker.beat = message
        if message.get("state") != "serving":
            self._left(worker)
        if message.get("state") == "stopping" and worker.state == "serving":
            # Somebody has told it, not through us: its place must not wait until it has ended.
            logger.warning("%s was told to stop; another takes its place", worker)
            worker.state = "retiring"
            place = self._places.get(worker.number)
            if place is not None and place.current is worker and not self._stopping:
                place.current = None
                if place.successor is None:
                    self._fill(place)

    def failed(self, worker: WorkerProcess, message: Message) -> None:
        """Note why a worker cannot serve; it is about to end."""
        worker.failure = str(message.get("text"))

    def ended(self, worker: WorkerProcess, status: int) -> None:
        """Note that a worker has ended, and have another one in its place if it was not to."""
        del self.workers[worker.pid]
        self.past_counters.update(worker.counters)
        worker.set_deadline(None)
        self._left(worker)
        place = self._places.get(worker.number)
        told_otherwise = place is not None and place.successor is worker
        how = self._describe_end(worker, status, told_otherwise)
        if self._stopping:
            if not self.workers:
                self.on_empty()
        elif not self.has_served:
            self.on_given_up(worker.failure or f"the first worker {how} before it served")
        elif place is not None and place.successor is worker:
            place.successor = None
            self._replacement_failed(place, worker.failure or f"{worker} {how} before it served")
        elif place is not None and place.current is worker:
            place.current = None
            if place.successor is None:
                self._restart(place, worker)
            self._tell_failure(worker, place)

    # Once a second.

    def check(self) -> None:
        """Kill who hangs, and have those replaced who have served enough or hold too much."""
        now = self._timers.now()
        most = max(self._processes.heartbeat_seconds, LEAST_SILENCE_SECONDS)
        for worker in tuple(self.workers.values()):
            silent = now - worker.last_beat
            if worker.state != "starting" and silent > most:
                self._give_up(worker, f"has not turned its event loop for {silent:.0f} s")
        if not self._stopping:
            for place in self._places.values():
                self._check_wear(place, now)

    def spare(self, seconds: float) -> None:
        """Hold so much of their silence not against the workers: the supervisor had no processor, so nor had they."""
        now = self._timers.now()
        for worker in self.workers.values():
            worker.last_beat = min(now, worker.last_beat + seconds)

    def state(self) -> list[dict[str, Any]]:
        """Return what is known of each worker."""
        now = self._timers.now()
        return [
            {
                "number": worker.number,
                "pid": worker.pid,
                "state": worker.state,
                "generation": worker.generation,
                "age_seconds": round(now - worker.started, 1),
                "silent_seconds": round(now - worker.last_beat, 1) if worker.last_beat else None,
                **{
                    name: value
                    for name, value in worker.beat.items()
                    if name not in ("type", "state")
                },
            }
            for worker in sorted(self.workers.values(), key=lambda worker: worker.number)
        ]

    # Places.

    def _fill_all(self) -> None:
        for number in range(1, self.wanted + 1):
            if number not in self._places:
                place = self._places[number] = Place(number)
                self._fill(place)

    def _fill(self, place: Place) -> None:
        place.restart = None
        place.current = self._hire(place)
        if place.current is None:
            self._fill_later(place)

    def _hire(self, place: Place) -> WorkerProcess | None:
        try:
            worker = self._fork_worker(place.number, self.generation)
        except OSError as error:
            logger.error("no worker can be started: %s", error.strerror or error)
            return None
        if self._processes.max_requests:
            jitter = 1 + random.uniform(-JITTER, JITTER)
            worker.request_limit = max(1, round(self._processes.max_requests * jitter))
        self.workers[worker.pid] = worker
        seconds = self._processes.start_seconds
        worker.set_deadline(
            self._timers.call_in(
                seconds, lambda: self._give_up(worker, f"does not serve after {seconds:g} s")
            )
        )
        return worker

    def _restart(self, place: Place, worker: WorkerProcess) -> None:
        self.restarts += 1
        served = (
            self._timers.now() - worker.serving_since if worker.serving_since is not None else 0.0
        )
        if served >= STEADY_SECONDS:
            place.delay_seconds = 0.0
            self._fill(place)
        else:
            self._fill_later(place)

    def _fill_later(self, place: Place) -> None:
        longer = max(FIRST_DELAY_SECONDS, place.delay_seconds * 2)
        place.delay_seconds = min(longer, LONGEST_DELAY_SECONDS)
        place.restart = self._timers.call_in(place.delay_seconds, lambda: self._fill(place))

    def _abandon(self, place: Place) -> None:
        if place.restart is not None:
            place.restart.cancel()
        if place in self._queue:
            self._queue.remove(place)
        for worker in (place.current, place.successor):
            if worker is not None:
                self._retire(worker)
        if self._replacing is place:
            self._replaced()

    # Replacing.

    def _check_wear(self, place: Place, now: float) -> None:
        worker = place.current
        if worker is None or worker.state != "serving" or now < place.spared_until:
            return
        if place in self._queue or place is self._replacing:
            return
        requests: int = worker.counters.get("requests", 0)
        rss_bytes: int = worker.beat.get("rss_bytes", 0)
        if worker.request_limit and requests >= worker.request_limit:
            logger.info("%s is replaced after %d requests", worker, requests)
        elif self._processes.max_rss_bytes and rss_bytes > self._processes.max_rss_bytes:
            logger.info("%s is replaced: it holds %.0f MiB", worker, rss_bytes / 1024 / 1024)
        elif worker.beat.get("all_threads_hang"):
            logger.warning("%s is replaced: every thread of it hangs", worker)
        else:
            return
        self._queue.append(place)
        self._replace_next()

    def _replace_next(self) -> None:
        while self._replacing is None and self._queue:
            place = self._queue.popleft()
            if place.restart is not None:
                place.restart.cancel()
            self._replacing = place
            place.successor = self._hire(place)
            if place.successor is None:
                self._replacement_failed(place, "no process could be started")
        if self._replacing is None and not self._leaving and self._reloads is not None:
            self._end_reload(None)

    def _replaced(self) -> None:
        self._replacing = None
        self._replace_next()

    def _replacement_failed(self, place: Place, why: str) -> None:
        self._replacing = None
        if place.current is None:
            self._fill_later(place)
        place.spared_until = self._timers.now() + RETRY_SECONDS
        if self._reloads is not None:
            self._queue.clear()
            self._end_reload(why)
        else:
            logger.error("a worker could not be replaced, and goes on: %s", why)
            self._replace_next()

    def _end_reload(self, failure: str | None) -> None:
        waiting, self._reloads = self._reloads or [], None
        if failure is None:
            logger.info("reloaded: the new version serves")
        else:
            logger.error("the reload failed, and the old version goes on serving: %s", failure)
        self.on_reloaded(failure)
        for done in waiting:
            done(failure)
        if self._next_reloads:
            again, self._next_reloads = self._next_reloads, []
            for done in again:
                self.reload(done)

    # Ending.

    def _retire(self, worker: WorkerProcess) -> None:
        if worker.state == "starting":
            self._kill(worker)
            return
        worker.state = "retiring"
        self._leaving.add(worker)
        worker.channel.send("retire")
        self._end_within(worker, self._graceful_seconds + MARGIN_SECONDS)

    def _left(self, worker: WorkerProcess) -> None:
        if worker in self._leaving:
            self._leaving.remove(worker)
            if not self._stopping:
                self._replace_next()

    def _end_within(self, worker: WorkerProcess, seconds: float) -> None:
        worker.set_deadline(
            self._timers.call_in(
                seconds, lambda: self._give_up(worker, f"has not ended within {seconds:g} s")
            )
        )

    def _kill(self, worker: WorkerProcess) -> None:
        worker.given_up = True
        worker.signal(signal.SIGKILL)

    def _give_up(self, worker: WorkerProcess, why: str) -> None:
        if worker.given_up:
            return
        worker.given_up = True
        if STACKS_SIGNAL is not None:
            worker.signal(STACKS_SIGNAL)

        def kill() -> None:
            stacks = worker.read_stacks()
            told = f" This is where it is:\n{stacks}" if stacks else ""
            logger.error("%s %s, and is killed.%s", worker, why, told)
            worker.signal(signal.SIGKILL)

        self._timers.call_in(STACKS_SECONDS, kill)

    def _tell_failure(self, worker: WorkerProcess, place: Place) -> None:
        if worker.failure is None:
            return
        # It is tried again and again; told once is enough.
        again = "the same as before" if worker.failure == self._told_failure else worker.failure
        self._told_failure = worker.failure
        seconds = place.delay_seconds
        logger.error("a worker cannot serve, and is tried again in %.1f s: %s", seconds, again)

    def _describe_end(self, worker: WorkerProcess, status: int, told_otherwise: bool) -> str:
        """Say how a worker ended, in the log too if it was not told to."""
        how = how_it_ended(status)
        stacks = worker.read_stacks()
        worker.let_go()
        told = told_otherwise or worker.given_up or worker.failure is not None
        first = worker.state == "starting" and not self.has_served
        if told or first or (status == 0 and worker.state != "serving"):
            return how
        crashed = f", from here:\n{stacks}" if stacks else ""
        logger.error("%s %s%s", worker, how, crashed)
        return how
