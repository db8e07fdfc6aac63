"""Programs of lessons as child processes: on a free port of loopback, bounded in time, ended with this process."""

import contextlib
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, Self

CHILD: Final = Path(__file__).with_name("child.py")

START_SECONDS: Final = 15.0
"""How long a program may take to listen; a Groundwire application takes half a second."""

END_SECONDS: Final = 2.0

KEPT_OUTPUT: Final = 64 * 1024
"""How many bytes of what a program prints are kept, the latest."""

PIECE_OCTETS: Final = 4096
PIPE_PIECES: Final = 16
"""How many a pipe holds. Who prints without end is read no further at a time."""

POLLS_PIPES: Final = hasattr(select, "poll")

LEFT_OUT: Final = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
"""Variables a program does not get: what is asked for on loopback is not a proxy's."""


class DoesNotRun(Exception):
    """A program ended before it listened, or does not listen in time; its text is what the program printed."""


class Running:
    """A program that is running, for the time of a ``with`` block.

    Args:
        file: the program.
        folder: the working directory; by default the program's own.
        seconds: how long it may run; then it ends by itself.
        environment: variables it gets beside those of this process.
    """

    port: int

    def __init__(
        self,
        file: Path,
        *,
        seconds: float,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.file = file
        self._seconds = seconds
        self._folder = folder or file.absolute().parent
        self._environment = environment or {}
        self._output = bytearray()
        self._has_all = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._reading: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def output(self) -> str:
        """What the program has printed so far, on both streams: before its last answer, for example."""
        process = self._process
        if process is not None and process.stderr is not None and POLLS_PIPES:
            self._take(process.stderr.fileno())
        with self._lock:
            return self._output.decode("utf-8", "replace")

    @property
    def has_ended(self) -> bool:
        """Whether the program is not running any more."""
        return self._process is None or self._process.poll() is not None

    def ends_within(self, seconds: float) -> bool:
        """Wait for the program to end, so long; then all that it has printed is in `output`."""
        if self._process is None or not self._ends(self._process, seconds):
            return False
        for thread in self._reading:
            thread.join(END_SECONDS)
        return True

    def start(self) -> None:
        """Start the program and wait until it listens.

        Raises:
            DoesNotRun: it ended first, or does not listen in time.
        """
        environment = {
            name: value for name, value in os.environ.items() if name.lower() not in LEFT_OUT
        }
        environment.update(self._environment, PYTHONUNBUFFERED="1", PYTHONIOENCODING="utf-8")
        command = [sys.executable, "-P", str(CHILD), str(self._seconds), str(self.file.absolute())]
        process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._process = process
        assert process.stdout is not None
        assert process.stderr is not None
        told: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._read_in_thread(self._tell_port, process.stdout, told)
        self._read_in_thread(self._keep_output, process.stderr)
        try:
            self.port = int(told.get(timeout=START_SECONDS))
        except (queue.Empty, ValueError):
            late = not self._ends(process, END_SECONDS)
            self.stop()
            raise DoesNotRun(self._why_not(late)) from None

    def stop(self) -> None:
        """End the program, and whatever it has started in its process group."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        if process.poll() is None and hasattr(os, "killpg"):
            # Before it is waited for: until then its number cannot be another's.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            process.stdin.close()
        for thread in self._reading:
            thread.join(END_SECONDS)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    @staticmethod
    def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _why_not(self, late: bool) -> str:
        printed = self.output.strip()
        if late:
            why = f"{self.file.name} does not listen after {START_SECONDS:g} seconds."
        else:
            why = f"{self.file.name} ended before it listened."
        return f"{why}\n{printed}" if printed else why

    def _read_in_thread(self, function: object, *arguments: object) -> None:
        assert callable(function)
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        self._reading.append(thread)

    @staticmethod
    def _tell_port(stream: IO[bytes], told: queue.SimpleQueue[bytes]) -> None:
        told.put(stream.readline())

    def _keep_output(self, stream: IO[bytes]) -> None:
        descriptor = stream.fileno()
        if POLLS_PIPES:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            # What the program has started may have the pipe still when it is closed here.
            with contextlib.suppress(OSError):
                while not self._has_all:
                    waiting.poll()
                    self._take(descriptor)
        else:
            while piece := os.read(descriptor, PIECE_OCTETS):
                with self._lock:
                    self._keep(piece)

    def _take(self, descriptor: int) -> None:
        """Read what is in a pipe already, without waiting for more."""
        ready = select.poll()
        ready.register(descriptor, select.POLLIN)
        with self._lock:
            for _ in range(PIPE_PIECES):
                if self._has_all or not ready.poll(0):
                    break
                piece = os.read(descriptor, PIECE_OCTETS)
                self._has_all = not piece
                self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        self._output += piece
        del self._output[:-KEPT_OUTPUT]
