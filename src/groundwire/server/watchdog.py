"""A thread that watches the event loop, and logs what holds it while it does.

It looks at the loop's thread twenty times a second. A loop that waits for its sockets is left in peace; one that runs
something is asked to answer by a callback of its own, and until that has run the outermost Python frame tells whether
it is still the same thing that runs. So the loop and the requests on it know nothing of being watched.

PERF: 2 ms of processor time in a second while the server is idle, nearly all of it the waking of a thread; up to 10 ms
while it is at work without a pause.
"""

import asyncio
import logging
import sys
import threading
from asyncio.events import Handle
from collections.abc import Callable
from time import perf_counter
from types import FrameType
from typing import Any, Final

from ..http.request import Request
from .stacks import (
    WATCHDOG,
    Serving,
    frames_of_thread,
    innermost_frame,
    named,
    request_of_task,
    text_of,
)

logger = logging.getLogger("groundwire.server")

LOOK_SECONDS: Final = 0.05

HOLD_SECONDS: Final = 0.1
"""What is known to have held the loop for so long is logged. It may have begun up to `LOOK_SECONDS` earlier."""

QUIET_SECONDS: Final = 2.0
"""After one hold was logged, how long others are only counted."""

LONG_HOLD_SECONDS: Final = 1.0
"""A hold of this length is logged even then."""

DEBUGGERS: Final = frozenset({"bdb", "_pydevd_bundle", "debugpy"})
"""Modules, or packages, whose functions on the stack say that a person holds the loop."""

# Asyncio's own loop calls back from a frame of this function; uvloop from no frame.
_RUN_HANDLE: Final = Handle._run.__code__  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportAttributeAccessIssue]


class Watchdog:
    """Watches one server's loop from `start`, which is called on it, to `stop`.

    Args:
        server: whose loop it is, and whose requests are named.
        clock: tells seconds.
        frame: tells where the loop's thread is; by default, looks.
    """

    def __init__(
        self,
        server: Serving,
        clock: Callable[[], float] = perf_counter,
        frame: Callable[[], FrameType | None] | None = None,
    ) -> None:
        self._server = server
        self._loop = server.loop
        self._clock = clock
        self._thread_id = threading.get_ident()
        self._frame = frame or (lambda: innermost_frame(self._thread_id))
        self._base: Any = None
        """The function whose frame is around every callback."""

        self._by_handles = False
        """Whether it calls them by way of `_RUN_HANDLE`, so that other frames are the loop's own."""

        # PERF: waiting for a lock takes half of the time that waiting for an event does.
        self._stopped = threading.Lock()
        self._thread: threading.Thread | None = None
        self._answered_at: float | None = 0.0
        """When the loop has answered; None while that is waited for."""

        self._held_by: FrameType | None = None
        """The outermost frame of what ran at the last look."""

        self._since = 0.0
        self._what: str | None = None
        """What holds the loop, once that is logged."""

        self._quiet_until = 0.0
        self._not_logged = 0

    def start(self) -> None:
        """Begin, in the loop's next turn."""
        self._loop.call_soon(self._begin)

    def stop(self) -> None:
        """End. Does not wait for the thread, which is about to."""
        if self._stopped.locked():
            self._stopped.release()

    def _begin(self) -> None:
        self._stopped.acquire()
        self.note_base(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        self._thread = threading.Thread(target=self._watch, name=WATCHDOG, daemon=True)
        self._thread.start()

    def note_base(self, frame: FrameType) -> None:
        """Take note of the frame that a callback of the loop was called from."""
        self._by_handles = frame.f_code is _RUN_HANDLE
        if self._by_handles and frame.f_back is not None:
            frame = frame.f_back
        self._base = frame.f_code

    def _watch(self) -> None:
        while not self._stopped.acquire(timeout=LOOK_SECONDS):
            try:
                self.look()
            except RuntimeError:  # the loop is closed
                return
            except Exception:
                logger.exception("the watchdog failed, and watches no longer")
                return

    def look(self) -> None:
        """See what the loop is doing."""
        now = self._clock()
        callback = self._callback()
        if self._answered_at is None:
            if callback is not self._held_by:
                # Something else runs before the loop has come to answering: no single thing holds it.
                self._end_hold(now)
                self._held_by, self._since = callback, now
            elif callback is not None:
                self._judge_hold(now)
            return
        self._end_hold(self._answered_at)
        if callback is not None:
            self._held_by, self._since = callback, now
            self._answered_at = None
            self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._answered_at = self._clock()

    def _callback(self) -> FrameType | None:
        """Return the outermost frame of what the loop has called; None when it has called nothing."""
        callback = None
        frame = self._frame()
        while frame is not None and frame.f_code is not self._base:
            callback, frame = frame, frame.f_back
        if frame is None or callback is None:
            return None
        return callback if callback.f_code is _RUN_HANDLE or not self._by_handles else None

    def _judge_hold(self, now: float) -> None:
        held_seconds = now - self._since
        if self._what is not None or held_seconds < HOLD_SECONDS:
            return
        if now < self._quiet_until and held_seconds < LONG_HOLD_SECONDS:
            return
        frames = frames_of_thread(self._frame(), self._base)
        if not frames or self._answered_at is not None:
            return
        if any(_module(frame).partition(".")[0] in DEBUGGERS for frame in frames):
            return
        self._what = self._named(frames)
        self._quiet_until = now + QUIET_SECONDS
        missed, self._not_logged = self._not_logged, 0
        logger.warning(
            "the event loop is held by %s for %d ms now, and all other connections wait.%s It is in:\n%s",
            self._what,
            held_seconds * 1000,
            f" ({missed} more holds since the last were not logged.)" if missed else "",
            text_of(frames),
        )

    def _end_hold(self, now: float) -> None:
        if self._held_by is None:
            return
        held_seconds = now - self._since
        self._held_by = None
        if self._what is not None:
            logger.warning("the event loop was held for %.2f s by %s", held_seconds, self._what)
            self._what = None
        elif held_seconds >= HOLD_SECONDS + LOOK_SECONDS:
            self._not_logged += 1

    def _named(self, frames: list[FrameType]) -> str:
        for frame in frames:
            if _module(frame) == "groundwire.server.connection":
                request = frame.f_locals.get("request")
                if isinstance(request, Request):
                    return named(request)
        task = asyncio.current_task(self._loop)
        if task is not None:
            request = request_of_task(self._server, task)
            return f"task {task.get_name()}" if request is None else named(request)
        own = next((f for f in frames if f.f_code is not _RUN_HANDLE), frames[-1])
        return f"the callback {own.f_code.co_qualname}"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
