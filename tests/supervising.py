"""A supervisor for tests: `groundwire run` with workers, in a process group of its own that ends with the test."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from groundwire.server.control import ask_supervisor

SOURCE = Path(__file__).parents[1] / "src"
SECONDS = 20.0
"""How long anything may take on a machine that is busy with other tests."""

PROGRAM = """
import os, time
from groundwire import Groundwire

app = Groundwire(__name__, static_folder=None)

@app.route("/pid")
def pid():
    return str(os.getpid())

@app.route("/version")
def version():
    return "one"

@app.route("/slow/<float:seconds>", run="thread")
def slow(seconds):
    time.sleep(seconds)
    return "slept"

@app.route("/hang")
async def hang():
    while True:
        pass
"""


class Supervised:
    """A running `groundwire run`.

    Attributes:
        lines: what it has written to standard error.
        port: where it listens.
        control: its control socket.
    """

    def __init__(self, folder: Path, arguments: tuple[str, ...], **popen: Any) -> None:
        self.folder = folder
        self.control = str(folder / "ctl")
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "PYTHONPATH": path, **popen.pop("env", {})}
        command = [sys.executable, "-m", "groundwire", "run", *arguments, "--control", self.control]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **popen,
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()

    def line_with(self, text: str) -> str:
        """Wait for a line that holds a text, and return it."""

        def found() -> str | None:
            return next((line for line in self.lines if text in line), None)

        with self._changed:
            line = self._changed.wait_for(found, SECONDS)
        assert line is not None, f"{text!r} was not said, but: {self.lines}"
        return line

    @property
    def port(self) -> int:
        return int(self.line_with(" serves ").partition("localhost:")[2].split()[0])

    def get(self, path: str) -> str:
        """Ask on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Connection": "close"})
            response = connection.getresponse()
            text = response.read().decode()
        assert 200 == response.status, (response.status, text)
        return text

    def state(self) -> dict[str, Any]:
        """What it says of itself."""
        return ask_supervisor(self.control, "state", SECONDS)["value"]  # type: ignore[no-any-return]

    def pids(self) -> list[int]:
        """The workers that serve."""
        return [w["pid"] for w in self.state()["workers"] if w["state"] == "serving"]

    def wait_for_workers(self, number: int) -> list[int]:
        """Wait until so many serve."""
        self.line_with(" serves ")
        return eventually(lambda: pids if len(pids := self.pids()) == number else None)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait until it has ended by itself, and return its status."""
        status = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return status

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        if self.process.stderr is not None:
            self.process.stderr.close()


def eventually(found: Callable[[], Any]) -> Any:
    """Return what a function returns as soon as it is something."""
    until = time.monotonic() + SECONDS
    while True:
        if value := found():
            return value
        assert time.monotonic() < until, f"it did not happen in {SECONDS:g} s; at last: {value!r}"
        time.sleep(0.02)


@contextlib.contextmanager
def supervised(
    folder: Path, *arguments: str, program: str = PROGRAM, **popen: Any
) -> Iterator[Supervised]:
    """Run a program's application for the time of a ``with`` block, without an access log unless one is named."""
    (folder / "shop.py").write_text(program)
    given = " ".join(arguments)
    if "--port" not in given and "--unix" not in given and "--fd" not in given:
        arguments = (*arguments, "--port", "0")
    if "--access-log" not in given:
        arguments = (*arguments, "--access-log", "off")
    server = Supervised(folder, ("shop.py", *arguments), **popen)
    try:
        yield server
    finally:
        server.close()
