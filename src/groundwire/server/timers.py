"""Calls at a later time, for a loop of one's own. The clock is monotonic: nobody who sets it changes a deadline."""

import heapq
import itertools
import time
from collections.abc import Callable


class Timer:
    """A call that is to come, unless it is cancelled."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    @property
    def is_pending(self) -> bool:
        """Whether it is still to come."""
        return self._function is not None

    def cancel(self) -> None:
        """Have it not come."""
        self._function = None

    def run(self) -> None:
        """Make the call, unless it has been made or cancelled."""
        function, self._function = self._function, None
        if function is not None:
            function()


class Timers:
    """What is to be called, and when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Return the time on the clock."""
        return self._clock()

    def call_in(self, seconds: float, function: Callable[[], None]) -> Timer:
        """Call `function` in some seconds."""
        timer = Timer(function)
        heapq.heappush(self._heap, (self._clock() + seconds, next(self._numbers), timer))
        return timer

    def run_due(self) -> None:
        """Make the calls whose time has come."""
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2].run()

    def seconds_to_next(self) -> float | None:
        """Return how long nothing is due; None when nothing will ever be."""
        while self._heap and not self._heap[0][2].is_pending:
            heapq.heappop(self._heap)
        return max(0.0, self._heap[0][0] - self._clock()) if self._heap else None
