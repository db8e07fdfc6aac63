"""Requests that take too long: answered for their handler, and named in the log with the place where they hang.

Judged by the sweep, so that a request which is answered within a second never meets this. What counts are the sweeps
that see the answer being made: while the event loop is held nothing is made, and nothing counts.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from ..http.request import Request
from .sending import Progress
from .stacks import frames_of_task, named, stack_of_call, text_of
from .threads import Call, ThreadPool

logger = logging.getLogger("groundwire.server")

STACKS_PER_SWEEP: Final = 8
"""Stacks that one sweep writes: when a database hangs, so does everything that asks it, in the same place."""

EVENT_STREAM: Final = "text/event-stream"


class Handling:
    """How long one answer has been made, in sweeps during which that was the handler's business."""

    __slots__ = ("_progress", "limit_seconds", "seconds")

    def __init__(self, limit_seconds: float) -> None:
        self.limit_seconds = limit_seconds
        self.seconds = 0
        self._progress = 0

    def is_too_long(self, progress: int) -> bool:
        """Judge another second. `progress`, a number that grows with what is read and sent, begins them anew."""
        if progress != self._progress:
            self._progress = progress
            self.seconds = 0
        self.seconds += 1
        return self.seconds > self.limit_seconds > 0


class Delivering(Protocol):
    """The answer (`groundwire.server.delivery.Delivery`)."""

    request: Request
    handling: Handling | None

    @property
    def progress(self) -> Progress | None:
        """How much of the content of a streamed response is out."""
        ...

    @property
    def streaming(self) -> bool:
        """Whether part of the response is out."""
        ...

    @property
    def task(self) -> "asyncio.Task[Any] | None":
        """The task that makes or sends it, if a task does."""
        ...

    @property
    def queued(self) -> Call | None:
        """The call that makes it, while that waits for a thread."""
        ...

    def is_worked_on_by(self, call: Call) -> bool:
        """Whether this call to a thread makes it, or a piece of it."""
        ...


class Connected(Protocol):
    """The connection."""

    server: Any
    transport: asyncio.Transport
    reception: Any
    """The `Reception` of the request's content, if that did not come with its head."""

    def answer_last(self, status: int, text: str, *fields: tuple[str, str]) -> None:
        """Send the server's own answer and close; reset where a response is half out."""
        ...


class Overdue:
    """What goes on although its request has had another answer."""

    __slots__ = ("_call", "_pool", "_task", "line", "seconds", "tell_at", "told")

    def __init__(
        self,
        line: str,
        seconds: int,
        pool: ThreadPool,
        call: Call | None,
        task: "asyncio.Task[Any] | None",
    ) -> None:
        self.line = line
        self.seconds = seconds
        self.tell_at = 2 * max(1, seconds)
        self.told = call is not None
        """Whether its end is worth a line. That of a task which was cancelled goes without saying."""

        self._pool = pool
        self._call = call
        self._task = task

    @property
    def holds_thread(self) -> bool:
        """Whether a place among the threads is taken by it."""
        return self._call is not None and self.goes_on

    @property
    def goes_on(self) -> bool:
        """Whether it has not returned yet."""
        call = self._call
        if call is not None:
            return self._pool.running.get(call.thread) is call
        return self._task is not None and not self._task.done()

    def where(self) -> str:
        """Return where it is, in words and lines of a stack."""
        if self._call is not None:
            return stack_of_call(self._pool, self._call) or "It has returned by now."
        if self._task is None:
            return "It is between two steps."
        return f"Task {self._task.get_name()} is in:\n{text_of(frames_of_task(self._task))}"


class Hangs:
    """The time limit of one server's requests, and what has passed it.

    Args:
        pool: the threads that calls run in.
        limit_seconds: how long an answer may take; 0: for ever, whatever a route says.
        limit_of: tells the limit of a request's own, None where it has none; see `groundwire.http.handler.Handler`.
    """

    def __init__(
        self,
        pool: ThreadPool,
        limit_seconds: float,
        limit_of: Callable[[Request], float | None] | None = None,
    ) -> None:
        self._pool = pool
        self._limit_seconds = limit_seconds
        self.limit_of = limit_of
        self._stacks_left = STACKS_PER_SWEEP
        self._told_all_hang = False
        self.overdue: list[Overdue] = []
        """What has not returned yet."""

    @property
    def threads(self) -> int:
        """How many threads are taken by calls whose answer nobody waits for any longer."""
        return sum(overdue.holds_thread for overdue in self.overdue)

    @property
    def all_threads_hang(self) -> bool:
        """Whether no thread is left for requests, so that another worker would do better."""
        return self.threads >= self._pool.threads_max

    def enforce(self, connection: Connected, delivery: Delivering) -> None:
        """Judge another second of an answer that is being made, and answer in its place if it is one too many."""
        if not self._limit_seconds or not _counts(connection, delivery):
            return
        handling = delivery.handling
        if handling is None:
            handling = delivery.handling = Handling(self._limit(delivery.request))
        if handling.is_too_long(_progress(connection, delivery)):
            self._give_up(connection, delivery, handling.seconds - 1)

    def sweep(self) -> None:
        """Take note of what has returned, and name again what has not: after as long as it took, and so on."""
        self._stacks_left = STACKS_PER_SWEEP
        for overdue in self.overdue.copy():
            overdue.seconds += 1
            if not overdue.goes_on:
                self.overdue.remove(overdue)
                if overdue.told:
                    logger.warning("%s has ended, after %d s", overdue.line, overdue.seconds)
            elif overdue.seconds >= overdue.tell_at:
                overdue.tell_at *= 2
                overdue.told = True
                self._tell("%s goes on, after %d s. %s", overdue, overdue.line, overdue.seconds)
        all_hang = self.all_threads_hang
        if all_hang and not self._told_all_hang:
            logger.error(
                "every thread of this process hangs: what needs one has to wait until one of them returns"
            )
        self._told_all_hang = all_hang

    def _limit(self, request: Request) -> float:
        own = self.limit_of(request) if self.limit_of is not None else None
        return self._limit_seconds if own is None else own

    def _give_up(self, connection: Connected, delivery: Delivering, seconds: int) -> None:
        connection.server.counters.timeouts += 1
        line = named(delivery.request)
        queued = delivery.queued
        if queued is not None:
            self._pool.withdraw(queued)
            logger.warning("%s has waited for a thread for %d s: it got 503", line, seconds)
            connection.answer_last(503, f"No thread of this server was free within {seconds} s.")
            return
        running = self._pool.running.copy().values()
        call = next((call for call in running if delivery.is_worked_on_by(call)), None)
        overdue = Overdue(line, seconds, self._pool, call, delivery.task)
        if delivery.streaming:
            message = "%s has sent no more of its response for %d s: it was reset. %s"
        else:
            message = "%s has had no answer for %d s: it got 503. %s"
        # Before the task is cancelled, and so elsewhere.
        self._tell(message, overdue, line, seconds)
        self.overdue.append(overdue)
        connection.answer_last(503, f"This request could not be answered within {seconds} s.")

    def _tell(self, message: str, overdue: Overdue, line: str, seconds: int) -> None:
        self._stacks_left -= 1
        where = (
            overdue.where() if self._stacks_left >= 0 else "Where is not looked up: there are many."
        )
        logger.warning(message, line, seconds, where)


def _counts(connection: Connected, delivery: Delivering) -> bool:
    """Tell whether it is the handler that is waited for."""
    progress = delivery.progress
    if progress is None:
        reception = connection.reception
        return reception is None or not reception.awaited
    if progress.begun:
        # What has announced its length has an end. Otherwise nobody but the program can know when more is to come.
        return progress.length is not None and not connection.transport.get_write_buffer_size()
    return progress.response.mimetype != EVENT_STREAM


def _progress(connection: Connected, delivery: Delivering) -> int:
    read = connection.reception.content.taken if connection.reception is not None else 0
    return read + (delivery.progress.octets if delivery.progress is not None else 0)
