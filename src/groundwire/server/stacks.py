"""Where threads and tasks are: Python stacks for people, with the request that each works on.

All of it is made when somebody asks, from outside what it tells of. Nothing here costs a request anything. Values of
variables are never shown.
"""

import asyncio
import gc
import linecache
import sys
import threading
import traceback
from collections.abc import Iterable
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final, Protocol, cast

from ..http.request import Request
from .access_log import escaped, masked
from .threads import Call, ThreadPool, awaited_tasks, is_idle

PACKAGE: Final = __name__.partition(".")[0]

TARGET_CHARS: Final = 1000
FRAMES: Final = 60
"""The longest stack that is shown. Of a longer one, such as a recursion's, the middle is left out."""

WATCHDOG: Final = "groundwire-watchdog"
"""Name of the thread that watches the event loop."""

ENDING: Final = "groundwire-ending"
"""Name of the thread that waits for the supervisor's end."""

OWN: Final = (WATCHDOG, ENDING)

AWAITED: Final = 200
"""The most coroutines that are followed, each waiting for the next."""


class Delivering(Protocol):
    """An answer that is being made (`groundwire.server.delivery.Delivery`)."""

    request: Request

    @property
    def task(self) -> "asyncio.Task[Any] | None":
        """The task that makes it, if a task does."""
        ...

    def is_worked_on_by(self, call: Call) -> bool:
        """Whether this call to a thread makes it, or a piece of it."""
        ...


class Connected(Protocol):
    """A connection."""

    delivery: Any
    """The `Delivering` of the answer that is being made, if any."""


class Serving(Protocol):
    """A server, as far as its stacks are concerned."""

    loop: asyncio.AbstractEventLoop
    pool: ThreadPool

    @property
    def connections(self) -> Iterable[Connected]:
        """The connections there are."""
        ...


def named(request: Request) -> str:
    """Return the request line, escaped and with its secrets masked, and the endpoint if that is known."""
    head = request.head
    if head is None:
        line = escaped(f"{request.method} {request.path}", TARGET_CHARS)
    else:
        target = escaped(masked(head.target), TARGET_CHARS)
        line = f"{escaped(head.method, TARGET_CHARS)} {target} {head.version}"
    endpoint = getattr(request, "endpoint", None)
    return f'"{line}"' if endpoint is None else f'"{line}" (endpoint {endpoint})'


# Stacks, the innermost frame last


def frames_of_thread(frame: FrameType | None, until: CodeType | None = None) -> list[FrameType]:
    """Return the frames of a thread from the outermost to `frame`; those inside of `until`, if it is among them."""
    frames: list[FrameType] = []
    while frame is not None and frame.f_code is not until:
        frames.append(frame)
        frame = frame.f_back
    frames.reverse()
    return frames


def frames_of_task(task: "asyncio.Task[Any]") -> list[FrameType]:
    """Return the frames of a task that waits: of its coroutine, of the one that awaits, and so on.

    (`Task.get_stack` knows the first only.)
    """
    frames: list[FrameType] = []
    awaited: Any = task.get_coro()
    for _ in range(AWAITED):
        if awaited is None:
            break
        frame, inner = _suspended(awaited)
        if frame is not None:
            frames.append(frame)
        awaited = inner
    return frames


def _suspended(awaited: Any) -> tuple[FrameType | None, Any]:
    """Return where a coroutine or generator is suspended, and what it waits for."""
    for kind, waits_for in (("cr", "await"), ("gi", "yieldfrom"), ("ag", "await")):
        frame: FrameType | None = getattr(awaited, f"{kind}_frame", None)
        if frame is not None:
            return frame, getattr(awaited, f"{kind}_{waits_for}", None)
    # A step of an asynchronous generator, or of a future, does not say what it is a step of; the collector knows.
    for behind in gc.get_referents(awaited):
        if isinstance(behind, CoroutineType | AsyncGeneratorType | GeneratorType):
            return None, cast("Any", behind)
        if isinstance(behind, asyncio.Task):
            return None, cast("Any", behind).get_coro()
    return None, None


def text_of(frames: list[FrameType]) -> str:
    """Return a stack as tracebacks show it, from the first function that is the program's own."""
    own = next((index for index, frame in enumerate(frames) if not _is_ours(frame)), 0)
    frames = frames[own:]
    if not frames:
        return "  (no Python function)"
    left_out = len(frames) - FRAMES
    half = FRAMES // 2
    if left_out <= 0:
        return _lines(frames)
    return f"{_lines(frames[:half])}\n  ({left_out} more)\n{_lines(frames[left_out + FRAMES - half :])}"


def _is_ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in (PACKAGE, "threading", "asyncio", "uvloop") or not name


def _lines(frames: list[FrameType]) -> str:
    for name in {frame.f_code.co_filename for frame in frames}:
        linecache.checkcache(name)
    summary = traceback.StackSummary.from_list(
        [
            traceback.FrameSummary(
                frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, lookup_line=False
            )
            for frame in frames
        ]
    )
    return "".join(summary.format()).rstrip("\n")


def stack_of_call(pool: ThreadPool, call: Call) -> str | None:
    """Return what the thread of a call is doing, with its name; None if the call does not run (any more)."""
    frame = innermost_frame(call.thread)
    text = _text_of_thread(call.thread, frames_of_thread(frame))
    if pool.running.get(call.thread) is not call:  # looked at afterwards: so the stack was its own
        return None
    return f"Thread {thread_name(call.thread)} is in:\n{text}"


def innermost_frame(thread: int) -> FrameType | None:
    """Return where a thread is at this moment."""
    return sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage]


def _text_of_thread(thread: int, frames: list[FrameType]) -> str:
    text = text_of(frames)
    started = awaited_tasks.get(thread)
    if started:
        text += f"\nand waits for a task, which is in:\n{text_of(frames_of_task(started[0]))}"
    return text


def thread_name(thread: int) -> str:
    """Return the name of a thread."""
    for known in threading.enumerate():
        if known.ident == thread:
            return known.name
    return str(thread)


# All of them


def stacks(server: Serving) -> list[dict[str, Any]]:
    """Return what each thread and each task of this process does, as JSON can have it.

    Left out are pool threads without a call, the watchdog, and who asks.
    """
    calls = server.pool.running.copy()
    found: list[dict[str, Any]] = []
    for thread, frame in sys._current_frames().items():  # pyright: ignore[reportPrivateUsage]
        name = thread_name(thread)
        if is_idle(frame) or thread == threading.get_ident() or name in OWN:
            continue
        call = calls.get(thread)
        request = None if call is None else request_of_call(server, call)
        text = _text_of_thread(thread, frames_of_thread(frame))
        found.append(_entry("thread", name, request, text))
    for task in tuple(asyncio.all_tasks(server.loop)):
        request = request_of_task(server, task)
        found.append(_entry("task", task.get_name(), request, text_of(frames_of_task(task))))
    return found


def _entry(kind: str, name: str, request: Request | None, stack: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "request": None if request is None else named(request),
        "stack": stack,
    }


def request_of_call(server: Serving, call: Call) -> Request | None:
    """Return the request that a call in a thread works on."""
    return next((d.request for d in _deliveries(server) if d.is_worked_on_by(call)), None)


def request_of_task(server: Serving, task: "asyncio.Task[Any]") -> Request | None:
    """Return the request that a task works on: it makes the answer, or a thread that makes it waits for it."""
    for delivery in _deliveries(server):
        if delivery.task is task:
            return delivery.request
    for thread, started in awaited_tasks.copy().items():
        call = server.pool.running.get(thread)
        if call is not None and task in started:
            return request_of_call(server, call)
    return None


def _deliveries(server: Serving) -> list[Delivering]:
    connections = tuple(server.connections)
    return [c.delivery for c in connections if c.delivery is not None]


def text_of_all(entries: list[dict[str, Any]]) -> str:
    """Return what `stacks` found as a text for a log."""
    return "\n".join(
        f"{entry['kind']} {entry['name']}"
        + (f", for {entry['request']}" if entry["request"] else "")
        + f":\n{entry['stack']}"
        for entry in entries
    )
