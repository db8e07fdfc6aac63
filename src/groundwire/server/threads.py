"""The pool of threads in which blocking calls run."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType
from typing import Any, NamedTuple

logger = logging.getLogger("groundwire.server")

awaited_tasks: dict[int, list[asyncio.Task[None]]] = {}
"""By the identifier of a thread that waits for a coroutine: the task that this runs in on a loop, once it does."""


class Outcome(NamedTuple):
    """What a call in a thread came to: a value, or the exception it raised."""

    value: Any
    error: BaseException | None


@dataclass(slots=True, eq=False)
class Call:
    """One call waiting for a thread, or in one."""

    context: Context
    function: Callable[..., Any]
    args: tuple[Any, ...]
    done: Callable[[Outcome], None]
    steps_iterator: bool
    thread: int = 0
    """Identifier of the thread it runs in, once it does."""

    parted: bool = False
    """Whether its thread has left the pool for it; see `ThreadPool.part`."""


class ThreadPool:
    """Threads that are started as they are needed and kept.

    Everything but the calls themselves happens on the loop's thread, so the counts need no lock.

    Args:
        loop: where `done` is called.
        threads: how many calls run at once.
        waiting: how many more calls may wait; `submit` refuses beyond that.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int, waiting: int) -> None:
        self._loop = loop
        self.threads_max = threads
        self._waiting_max = waiting
        self._threads = 0
        self._started = 0
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        self._iterators_max = max(1, threads // 2)
        self._iterators = 0
        self._iterators_waiting: deque[Call] = deque()
        self.pending = 0
        """Calls handed to the threads and not yet done, running or waiting."""

        self.running: dict[int, Call] = {}
        """By the identifier of their thread: the calls that run at this moment."""

    @property
    def busy(self) -> int:
        """How many threads have a call, as far as the loop knows."""
        return min(self.pending, self._threads)

    def submit(
        self,
        context: Context,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        done: Callable[[Outcome], None],
        *,
        steps_iterator: bool = False,
    ) -> Call | None:
        """Call `function(*args)` in `context` in a thread, then `done(outcome)` on the loop.

        Calls that step a response's iterator hold at most half of the threads, so that endless streams leave
        room for requests; they wait in their own line, which `waiting` does not bound (each belongs to an
        open connection).

        Returns:
            The call; None when every thread is busy and `waiting` calls wait already: nothing is called then.
        """
        call = Call(context, function, args, done, steps_iterator)
        if steps_iterator:
            if self._iterators >= self._iterators_max:
                self._iterators_waiting.append(call)
                return call
            self._iterators += 1
        elif self.pending - self._iterators >= self.threads_max + self._waiting_max:
            return None
        self._start(call)
        return call

    def _start(self, call: Call) -> None:
        self.pending += 1
        self._grow()
        self._queue.put(call)

    def _grow(self) -> None:
        """Start one more thread, if a call waits for one and there may be one more."""
        if self.pending > self._threads < self.threads_max:
            self._threads += 1
            self._started += 1
            # Daemon: a call that never returns must not keep a stopped server alive.
            threading.Thread(
                target=self._run, name=f"groundwire-{self._started}", daemon=True
            ).start()

    def withdraw(self, call: Call) -> None:
        """Have `call` do nothing when its turn comes, because nobody waits for it any longer. It keeps its place."""
        call.function = _nothing

    def part(self, call: Call) -> None:
        """Have the thread that `call` runs in leave the pool, which another may take its place in.

        For a call that may take hours, and asks for it itself. The thread ends with it.
        """
        call.parted = True
        self.pending -= 1
        self._threads -= 1
        self._grow()

    def _run(self) -> None:
        thread = threading.get_ident()
        running = self.running
        while (call := self._queue.get()) is not None:
            call.thread = thread
            running[thread] = call
            try:
                outcome = Outcome(call.context.run(call.function, *call.args), None)
            except BaseException as error:  # noqa: BLE001 - SystemExit in a view must not end the thread
                outcome = Outcome(None, error)
            del running[thread]
            try:
                self._loop.call_soon_threadsafe(self._finish, call, outcome)
            except RuntimeError:  # the loop was closed while the call ran
                return
            if call.parted:
                return
            # Do not keep the request alive while this thread waits for the next one.
            del call, outcome

    def _finish(self, call: Call, outcome: Outcome) -> None:
        done = call.done
        del call.done  # whose owner keeps the call: no circle is left for the garbage collector
        if call.parted:
            done(outcome)
            return
        self.pending -= 1
        if call.steps_iterator:
            self._iterators -= 1
            if self._iterators_waiting:
                self._iterators += 1
                self._start(self._iterators_waiting.popleft())
        done(outcome)

    async def call(
        self,
        context: Context,
        function: Callable[..., Any],
        *args: Any,
        steps_iterator: bool = False,
    ) -> Any:
        """Await `function(*args)` in a thread.

        Raises:
            PoolFull: no thread is free and too many calls wait already.
            Exception: whatever the function raised; `StopIteration` as `IteratorEnded`, `SystemExit` and
                `KeyboardInterrupt` as `RuntimeError`.
        """
        future: asyncio.Future[Outcome] = self._loop.create_future()

        def done(outcome: Outcome) -> None:
            if not future.done():  # cancelled meanwhile
                future.set_result(outcome)

        if not self.submit(context, function, args, done, steps_iterator=steps_iterator):
            raise PoolFull("every thread is busy and too many calls wait for one already")
        outcome = await future
        if outcome.error is not None:
            if isinstance(outcome.error, StopIteration):
                raise IteratorEnded from None
            if isinstance(outcome.error, SystemExit | KeyboardInterrupt):
                # Raised in a task, these end the event loop and with it the server.
                raise RuntimeError(f"the call raised {outcome.error!r}") from outcome.error
            raise outcome.error
        return outcome.value

    def close(self) -> None:
        """Let the threads end when their calls have. Waits for none."""
        for _ in range(self._threads):
            self._queue.put(None)
        self._threads = 0


def is_idle(frame: FrameType) -> bool:
    """Tell whether this, the innermost frame of a thread, is that of a pool's thread without a call."""
    return frame.f_code is _IDLE_CODE


_IDLE_CODE = ThreadPool._run.__code__  # pyright: ignore[reportPrivateUsage]


def _nothing(*_: Any) -> None:
    """Stand in for a function that nobody waits for any longer."""


class PoolFull(RuntimeError):
    """No thread is free and as many calls as allowed wait for one."""


class IteratorEnded(Exception):
    """A stepped iterator is exhausted (`StopIteration` cannot pass through a coroutine)."""
