"""Where a callback runs: at once on the event loop, in a pool thread, or as a coroutine.

The steps of an exchange are generators (`groundwire.app.lifecycle`): they call plain functions themselves and yield
what a callback returned to be awaited. Here is what drives them: `run_sync` in a thread, `run_async` in a task,
`drive` at once, until there is something to wait for.
"""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future
from functools import partial
from typing import Any, Literal, TypeVar

from ..server.threads import awaited_tasks
from .current import current
from .nonblocking import Watch

T = TypeVar("T")

Steps = Generator[Awaitable[Any], Any, T]
"""A step of an exchange: yields what has to be awaited, and is sent what came of it."""

Mode = Literal["watch", "thread", "inline"]

WATCHED_RUNS = 20
"""Runs that must show nothing that can wait, before an endpoint runs on the event loop."""

SLOW_RUNS = 10
"""Runs that took long, by the processor's time, before the watching ends. Such a run begins the row anew: it may have
filled a cache."""

SWITCHED_RUNS = 400
"""Runs that gave the processor up, before the watching ends. They count neither way: on a busy server a thread often
waits for the interpreter, which another thread has; and what such a run called was seen all the same."""

WATCHED_RUN_SECONDS = 0.001


LONG_HOLD_SECONDS = 0.010
"""A run on the event loop that was longer sends its endpoint to threads for the life of the process."""

SHORT_HOLDS = 5
"""Runs between `HELD_LOOP_SECONDS` and that which are forgiven, one more each second: a virtual machine is stopped for
a few milliseconds now and then, in the midst of anything, and cannot tell. An endpoint that is slow by itself soon has
more of them."""


class Execution:
    """Where one endpoint runs, and why, in words.

    Args:
        chain: all functions a request of this endpoint may call. Another chain is watched anew.
        mode: where it runs at first.
        reason: why.
    """

    __slots__ = (
        "chain",
        "held_at",
        "held_loop",
        "holds",
        "mode",
        "reason",
        "runs",
        "slow",
        "switched",
    )

    def __init__(self, chain: tuple[Any, ...], mode: Mode, reason: str) -> None:
        self.chain = chain
        self.mode: Mode = mode
        self.reason = reason
        self.runs = 0
        self.slow = 0
        self.switched = 0
        self.holds = 0.0
        self.held_at = 0.0
        self.held_loop = False
        """Whether it is known to have held the event loop, so that it runs in threads for the life of the process."""

    def count(self, watch: Watch) -> bool:
        """Take a watched run into account. True when that changed where the endpoint runs."""
        if self.mode != "watch":
            return False
        if watch.blocking is not None:
            self.keep_in_threads(watch.blocking)
            return True
        if watch.loading:
            return False  # code or a template was loaded, which happens once: says nothing of the next run
        if watch.seconds > WATCHED_RUN_SECONDS:
            self.runs = 0
            self.slow += 1
            if self.slow < SLOW_RUNS:
                return False
            self.keep_in_threads(f"a run took {watch.seconds * 1000:.1f} ms")
            return True
        if watch.switches:
            self.switched += 1
            if self.switched < SWITCHED_RUNS:
                return False
            self.keep_in_threads("it waited for something")
            return True
        self.runs += 1
        if self.runs < WATCHED_RUNS:
            return False
        self.mode = "inline"
        self.reason = f"{WATCHED_RUNS} runs called nothing that can wait"
        return True

    def keep_in_threads(self, reason: str) -> None:
        """Run it in threads from now on."""
        self.mode = "thread"
        self.reason = reason

    def held_the_loop_for(self, seconds: float, now: float) -> bool:
        """Take into account that a run held the event loop. True when it runs in threads from now on, for good."""
        self.holds = max(0.0, self.holds - (now - self.held_at)) + 1.0
        self.held_at = now
        if seconds < LONG_HOLD_SECONDS and self.holds <= SHORT_HOLDS:
            return False
        self.held_loop = True
        self.keep_in_threads(f"a run held the event loop for {seconds * 1000:.1f} ms")
        return True


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling `function` makes a coroutine."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - the method itself, not whether there is one
    )


def is_awaitable(value: Any) -> bool:
    """Tell whether `value` can be awaited."""
    return hasattr(type(value), "__await__")  # pyright: ignore[reportUnknownArgumentType]


# Driving


def drive(steps: Steps[T]) -> "T | Coroutine[Any, Any, T]":
    """Run `steps` at once; return a coroutine that goes on where there is something to wait for."""
    try:
        awaited = next(steps)
    except StopIteration as stop:
        result: T = stop.value
        return result
    return run_async(steps, awaited)


async def run_async(steps: Steps[T], awaited: Awaitable[Any]) -> T:
    """Await `awaited`, then run `steps` to their end."""
    while True:
        try:
            value = await awaited
        except BaseException as error:  # noqa: BLE001 - cancellation too: the steps' teardown runs
            outcome = partial(steps.throw, error)
        else:
            outcome = partial(steps.send, value)
        try:
            awaited = outcome()
        except StopIteration as stop:
            result: T = stop.value
            return result


async def given(value: T) -> T:
    """Return `value`, for steps that await it."""
    return value


def run_sync(steps: Steps[T], watch: Watch | None = None) -> T:
    """Run `steps` to their end in this thread, which waits while the event loop awaits what has to be awaited."""
    outcome: Callable[[], Awaitable[Any]] = partial(next, steps)
    while True:
        try:
            awaited = outcome()
        except StopIteration as stop:
            result: T = stop.value
            return result
        if watch is not None:
            watch.pause()
        try:
            value = wait_for(awaited)
        except BaseException as error:  # noqa: BLE001
            outcome = partial(steps.throw, error)
        else:
            outcome = partial(steps.send, value)
        finally:
            if watch is not None:
                watch.go_on()


def run_watched(steps: Steps[T], plan: Any, plans: Any) -> T:
    """Run `steps` to their end in this thread and take note of what is called.

    Args:
        steps: what to run.
        plan: the `Plan` it belongs to.
        plans: the `PlanTable` of that, told when the endpoint runs elsewhere from now on.
    """
    watch = Watch()
    try:
        with watch:
            return run_sync(steps, watch)
    finally:
        if watch.complete and plan.execution.count(watch):
            plans.forget()


# Waiting in a thread for what runs on the loop


class HelperLoop:
    """An event loop in a thread of its own: for awaiting where no server's loop is, or where it must not be held."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which runs from the first call on."""
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_forever, name="groundwire-await", daemon=True
                ).start()
            return self._loop


helper_loop = HelperLoop()


def wait_for(awaited: Awaitable[T]) -> T:
    """Wait in this thread for `awaited`, which runs on the server's loop, or on one in another thread if there is none.

    It sees this thread's context variables; what it sets in them is set here afterwards.
    """
    context = current.get(None)
    owner = None if context is None else context.request_context
    loop: asyncio.AbstractEventLoop | None = None if owner is None else owner.loop
    if running_loop() is not None and owner is not None:
        # It would hold the loop until the end of this wait, so the next run of this endpoint is in a thread.
        owner.app.plans.pin(owner.request, "it waited on the event loop for a coroutine")
    if loop is None or not loop.is_running() or running_loop() is loop:
        loop = helper_loop.get()
    variables = contextvars.copy_context()
    outcome: Future[T] = Future()
    started: list[asyncio.Task[None]] = []
    loop.call_soon_threadsafe(_start, loop, awaited, variables, outcome, started)
    exchange = None if owner is None else owner.request.exchange
    thread = threading.get_ident()
    awaited_tasks[thread] = started
    try:
        while True:
            try:
                return outcome.result(LOOK_SECONDS)
            except TimeoutError:
                if outcome.done():
                    raise
            if started and exchange is not None and exchange.disconnected:
                exchange = None
                loop.call_soon_threadsafe(started[0].cancel)
    finally:
        del awaited_tasks[thread]
        for variable, value in variables.items():
            if variable.get(_MISSING) is not value:
                variable.set(value)


LOOK_SECONDS = 1.0
"""How often a thread that waits looks whether the client is still there. What it waits for is cancelled when not."""

_MISSING: Any = object()
_tasks: set[asyncio.Task[None]] = set()
"""The loop itself holds only weak references to its tasks."""


def _start(
    loop: asyncio.AbstractEventLoop,
    awaited: Awaitable[T],
    variables: contextvars.Context,
    outcome: "Future[T]",
    started: list[asyncio.Task[None]],
) -> None:
    task = loop.create_task(_settle(awaited, outcome), context=variables)
    started.append(task)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _settle(awaited: Awaitable[T], outcome: "Future[T]") -> None:
    try:
        outcome.set_result(await awaited)
    except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the thread that waits
        outcome.set_exception(error)


class SteppedInThread:
    """Asynchronous content for those who iterate plainly, such as a WSGI server: each step waits for a loop elsewhere.

    Args:
        source: the content.
    """

    def __init__(self, source: AsyncIterable[Any]) -> None:
        self._iterator = aiter(source)

    def __iter__(self) -> "SteppedInThread":
        return self

    def __next__(self) -> Any:
        try:
            return wait_for(anext(self._iterator))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        """Have the content's own ending run."""
        aclose = getattr(self._iterator, "aclose", None)
        if aclose is not None:
            wait_for(aclose())


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs this code, or None in a thread without one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
