"""Servers for faults: `groundwire run` as a person starts it, in a process group of its own."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("program.py")

SECONDS = 30.0
"""How long anything may take that ends at an event, on a machine that does other things too."""

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")

ANNOUNCED = re.compile(r"serves .* on https?://(?:localhost|127\.0\.0\.1):(\d+)")
LOGGED = re.compile(r"^\S+ - - \[")


class Running:
    """A `groundwire run` that serves on 127.0.0.1.

    Attributes:
        address: where.
        pid: of its supervisor.
        lines: what it has said on standard error, without the access log.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.pid = process.pid
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, name=f"stderr {process.pid}")
        self._reader.start()
        found = self.wait_for_line(ANNOUNCED.pattern)
        self.address = ("127.0.0.1", int(found[1]))

    # What it says.

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    def wait_for_line(self, pattern: str, after: int = 0) -> re.Match[str]:
        """Wait until it has said a line that matches, not counting the first `after` lines."""
        found: list[re.Match[str]] = []

        def said() -> bool:
            found.extend(filter(None, (re.search(pattern, line) for line in self.lines[after:])))
            return bool(found)

        with self._said:
            so = self._said.wait_for(lambda: said() or self.process.poll() is not None, SECONDS)
        assert so, f"within {SECONDS} s it did not say {pattern!r}, but:\n{self.log}"
        if not found:
            self._reader.join(SECONDS)
            said()
        assert found, f"it ended with {self.process.poll()} without {pattern!r}:\n{self.log}"
        return found[0]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._said:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._said.notify_all()

    # Its processes.

    def workers(self) -> list[int]:
        """The process ids of its workers; if it has no supervisor, its own."""
        children = [int(pid) for pid in _read(f"/proc/{self.pid}/task/{self.pid}/children").split()]
        return [pid for pid in children if not _is_zombie(pid)] or [self.pid]

    def serving(self, number: int) -> list[int]:
        """Wait until so many workers have answered, and return the process ids of them all."""
        answering: set[int] = set()

        def all_do() -> bool:
            # Several at a time, for of two workers that idle it is always the same that wakes first.
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(self.connect()) for _ in range(16)]
                for client in clients:
                    client.sendall(b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                for client in clients:
                    answering.add(json.loads(everything(client).partition(b"\r\n\r\n")[2])["pid"])
            return len(answering & set(self.workers())) == number

        until(all_do, f"{number} workers")
        return self.workers()

    @property
    def worker(self) -> int:
        (only,) = self.workers()
        return only

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait for its end and return its exit status."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"within {seconds} s it did not end, but said:\n{self.log}"
            ) from None
        self._reader.join(SECONDS)
        return status

    def stop(self) -> int:
        """End it as systemd does."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    # Its answers.

    def connect(self, *, receive_bytes: int | None = None) -> socket.socket:
        client = socket.socket()
        if receive_bytes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.settimeout(SECONDS)
        try:
            client.connect(self.address)
        except BaseException:
            client.close()
            raise
        return client

    def exchange(self, message: bytes) -> bytes:
        """Send bytes, and return all that comes until it closes."""
        with self.connect() as client:
            client.sendall(message)
            return everything(client)

    def get(self, target: str, *lines: str) -> bytes:
        """Return the whole answer to a GET request on a connection of its own."""
        head = "\r\n".join([f"GET {target} HTTP/1.1", "Host: a", "Connection: close", *lines])
        return self.exchange(head.encode() + b"\r\n\r\n")

    def json(self, target: str) -> Any:
        return json.loads(self.get(target).partition(b"\r\n\r\n")[2])


def everything(client: socket.socket) -> bytes:
    pieces = []
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@contextlib.contextmanager
def running(
    *options: str,
    target: Path | str = PROGRAM,
    descriptors: int | None = None,
    before: tuple[str, ...] = (),
    **environment: str,
) -> Iterator[Running]:
    """Run ``groundwire run`` for the time of a ``with`` block; it ends with all its processes.

    Args:
        options: of the command line.
        target: the program.
        descriptors: how many it may open.
        before: a command to run it by.
        environment: more variables.
    """

    def limit() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    command = [*before, sys.executable, "-m", "groundwire", "run", str(target)]
    if "--access-log" not in options:
        options = (*options, "--access-log", "off")
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        start_new_session=True,
        preexec_fn=limit,
    )
    try:
        yield Running(process)
    finally:
        # The session is its own: whatever is left of it ends here, and nothing else.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)
        assert process.stderr is not None
        for thread in threading.enumerate():
            if thread.name == f"stderr {process.pid}":
                thread.join(SECONDS)
        process.stderr.close()


def until(true: Callable[[], bool], what: str, seconds: float = SECONDS) -> float:
    """Wait until something outside is true; return how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - began


# What the kernel knows of a process.


def rss_bytes(pid: int) -> int:
    """Memory that it holds in RAM."""
    return int(_read(f"/proc/{pid}/statm").split()[1]) * PAGE_BYTES


def processor_seconds(pid: int) -> float:
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def open_files(pid: int) -> list[str]:
    folder = f"/proc/{pid}/fd"
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"{folder}/{name}"))
    return found


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and not _is_zombie(pid)


def accept_queue(address: tuple[str, int]) -> int:
    """How many connections wait to be accepted there (Linux tells in ``rx_queue`` of a listening socket)."""
    for line in _read("/proc/net/tcp").splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].partition(":")[2], 16) == address[1]:
            return int(fields[4].partition(":")[2], 16)
    return 0


def _is_zombie(pid: int) -> bool:
    try:
        return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _read(path: str) -> str:
    return Path(path).read_text()
