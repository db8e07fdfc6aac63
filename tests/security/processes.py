"""A server in a process of its own, so that its memory and its time are its own too."""

import contextlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

APPS = Path(__file__).with_name("apps")


class Process(tuple[str, int]):
    """The address of a server in another process, as `socket.create_connection` takes it.

    Attributes:
        pid: its number.
    """

    pid: int

    @property
    def resident_bytes(self) -> int:
        """Memory it holds now, pages shared with nobody and all others."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    @property
    def processor_seconds(self) -> float:
        """Processor time it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def settled_bytes(self, at_most: int, seconds: float) -> int:
        """Wait until it holds at most so much memory, or for so long, and return what it holds."""
        deadline = time.monotonic() + seconds
        while (held := self.resident_bytes) > at_most and time.monotonic() < deadline:
            time.sleep(0.05)
        return held


@contextlib.contextmanager
def running_process(app: str, *options: str) -> Iterator[Process]:
    """Serve one of `apps` by ``groundwire run`` for the time of a ``with`` block; it has to end without an error."""
    command = [sys.executable, "-m", "groundwire", "run", str(APPS / app), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--access-log", "off", "--graceful", "0.5", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"http://[^:/]+:(\d+)", line):
            break
    else:
        raise AssertionError(f"the server did not start: {said}")
    # Nobody reads further, but a full pipe must not be what stops it.
    reader = threading.Thread(target=process.stdout.read)
    reader.start()
    served = Process(("127.0.0.1", int(found[1])))
    served.pid = process.pid
    try:
        yield served
        assert process.poll() is None, "the process has ended"
    finally:
        process.terminate()
        status = process.wait(60)
        reader.join()
        process.stdout.close()
    assert status == 0
