"""Processes that the supervisor has forked, as it knows them, and the fork itself."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .channel import Channel
from .timers import Timer

STACKS_BYTES: Final = 64 * 1024
"""As much of a worker's stacks as is shown."""

_SUPERVISOR_SIGNALS: Final = (
    *("SIGINT", "SIGHUP", "SIGTTIN", "SIGTTOU", "SIGUSR1", "SIGUSR2", "SIGWINCH"),
)

WorkerState = Literal["starting", "serving", "retiring", "stopping"]


class Become(BaseException):
    """Raised in a process that has just been forked: it is to leave the supervisor's code, and be `main`."""

    def __init__(self, main: Callable[[], int]) -> None:
        super().__init__()
        self.main = main


@dataclass(slots=True, eq=False)
class Child:
    """A process that was forked."""

    name: str
    """As messages call it."""

    pid: int
    channel: Channel
    started: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"

    def signal(self, number: int) -> None:
        """Send it a signal, if it still lives; it has not been waited for, so nobody else has its id."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, number)

    def let_go(self) -> None:
        """Close what leads to it."""
        self.channel.close()


@dataclass(slots=True, eq=False)
class WorkerProcess(Child):
    """A worker."""

    number: int = 0
    """Its place, which its replacement takes."""

    generation: int = 0
    """How many reloads there had been when it was started."""

    stacks: int = -1
    """A file that it writes its stacks to."""

    request_limit: int = 0
    """It is replaced after this many requests; 0: never."""

    state: WorkerState = "starting"
    serving_since: float | None = None
    last_beat: float = 0.0
    beat: dict[str, Any] = field(default_factory=dict[str, Any])
    """What it said of itself the last time."""

    failure: str | None = None
    """Why it cannot serve, in its own words."""

    deadline: Timer | None = None
    """What happens when it does not do in time what it was told."""

    given_up: bool = False
    """It hangs and is about to be killed."""

    @property
    def counters(self) -> dict[str, int]:
        """What it has counted, as far as it has told."""
        counters: dict[str, int] = self.beat.get("counters") or {}
        return counters

    def read_stacks(self) -> str:
        """Return what it has written of its stacks, when it was asked to or when it crashed."""
        try:
            return os.pread(self.stacks, STACKS_BYTES, 0).decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def set_deadline(self, timer: Timer | None) -> None:
        """Have another deadline, or none."""
        if self.deadline is not None:
            self.deadline.cancel()
        self.deadline = timer

    def let_go(self) -> None:
        """Close what leads to it."""
        Child.let_go(
            self
        )  # with slots, a dataclass is another class than the one super() has in mind
        if self.stacks >= 0:
            os.close(self.stacks)
            self.stacks = -1


def how_it_ended(status: int) -> str:
    """Put a status of waitpid in words."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}"


def make_stacks_file() -> int:
    """Make a file without a name and return its descriptor."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("groundwire-stacks", os.MFD_CLOEXEC)
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def fork(let_go: Callable[[], None], main: Callable[[], int]) -> int:
    """Fork, and return the child's process id; in the child, raise `Become`.

    Args:
        let_go: called in the child: closes what is the supervisor's.
        main: what the child is to do, once it has left the supervisor's code; it returns the exit status.

    Raises:
        OSError: the system has no room for one more process.
        RuntimeError: this process has threads, or an event loop, and forked now its child might hang.
    """
    _check_single()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()  # what is buffered would be written twice
    # Until the child has its own handlers, a signal for it would be told to the supervisor, whose pipe it shares.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if not pid:
            leave_signals_to_supervisor()
            let_go()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if not pid:
        raise Become(main)
    return pid


def leave_signals_to_supervisor() -> None:
    """Have what an operator tells the supervisor do nothing here.

    Ctrl+C reaches every process of a terminal, and so may what else is sent to a group. What is ignored stays ignored
    in programs that the application starts; what has a handler does not, so each gets one, which does nothing.
    """
    signal.set_wakeup_fd(-1)
    for name in _SUPERVISOR_SIGNALS:
        signal.signal(getattr(signal, name), _pass)
    for name in ("SIGCHLD", "SIGQUIT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def _pass(_number: int, _frame: object) -> None:
    pass


def _check_single() -> None:
    threads = threading.active_count()
    with contextlib.suppress(OSError):
        threads = max(threads, len(os.listdir("/proc/self/task")))
    if threads != 1:
        raise RuntimeError(f"the supervisor has {threads} threads; it must have one when it forks")
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        raise AssertionError("the supervisor runs an event loop, which it must not when it forks")
