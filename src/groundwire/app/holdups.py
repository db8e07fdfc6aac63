"""What made a run on the event loop long although its endpoint did not: the collector, other processes, onlookers.

A machine that is busy takes the processor away in the middle of any function, and the garbage collector runs when it
wants. An endpoint must not be sent to threads for that, and it must be for everything else; so a run that was too long
is looked at once more before it counts. Nothing here costs a run that was not.
"""

import asyncio
import gc
import os
from time import perf_counter
from typing import Any, Final

STALE_SECONDS: Final = 2.0
"""How old the note of what the thread has waited for the processor may be, to say anything of the last run."""

PROCESSORS_FILE: Final = "/proc/stat"
"""Linux: in its first line the eighth number counts ticks that a host gave to other machines than this one."""

SCHEDULER_FILE: Final = "/proc/thread-self/schedstat"
"""Linux: nanoseconds on the processor, nanoseconds waiting for one, and turns, of this thread."""


class HoldUps:
    """What holds up the runs of one event loop's thread."""

    def __init__(self) -> None:
        self._noted_at = -STALE_SECONDS
        self._waited_when_noted = 0.0
        self._collection_began = 0.0
        self._collection_ended = 0.0
        self._collection_seconds = 0.0
        self._looked_on_seconds = 0.0
        self._looked_on_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Watch the collector, and note once a second, on `loop`, how long its thread has waited for a processor."""
        self.stop()
        gc.callbacks.append(self._collected)
        if loop is not None:
            self._note_each_second(loop)

    def stop(self) -> None:
        """Watch no longer."""
        if self._collected in gc.callbacks:
            gc.callbacks.remove(self._collected)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _note_each_second(self, loop: asyncio.AbstractEventLoop) -> None:
        self.note()
        self._timer = loop.call_later(1.0, self._note_each_second, loop)

    def note(self) -> None:
        """Note how long this thread has waited for a processor until now."""
        self._noted_at = perf_counter()
        self._waited_when_noted = waited_for_processor() + stolen_from_machine()

    def seconds_of(self, run_seconds: float) -> float:
        """Return how much of the run that has just ended, and took so long, others are to blame for."""
        now = perf_counter()
        excused = 0.0
        if self._collection_ended >= now - run_seconds:
            excused += self._collection_seconds
        if self._looked_on_at >= now - run_seconds:
            excused += self._looked_on_seconds
        if now - self._noted_at - run_seconds < STALE_SECONDS:
            waited = waited_for_processor() + stolen_from_machine()
            excused += waited - self._waited_when_noted
            self.note()
        return min(excused, run_seconds)

    def looked_on(self, seconds: float) -> None:
        """Take note that a run took so long for who follows the app (`groundwire.app.tracing`): a traceback's text."""
        self._looked_on_at = perf_counter()
        self._looked_on_seconds = seconds

    def _collected(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._collection_began = perf_counter()
        else:
            self._collection_ended = perf_counter()
            self._collection_seconds = self._collection_ended - self._collection_began


def waited_for_processor() -> float:
    """Return the seconds this thread was ready to run and another had the processor; 0 where nobody tells."""
    try:
        with open(SCHEDULER_FILE, "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def stolen_from_machine() -> float:
    """Return the seconds for which a host gave this machine's processors to others; 0 where nobody tells."""
    try:
        with open(PROCESSORS_FILE, "rb") as file:
            return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0
