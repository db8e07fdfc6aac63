"""A worker beside a supervisor that is the test: what it says, and what it does when it is told something."""

import contextlib
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwire.server.channel import Message, channel_pair
from serving import everything

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is one process without fork()"),
]

SOURCE = Path(__file__).parents[2] / "src"
SECONDS = 20.0
GET = b"GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n"

PROGRAM = """
    import socket, sys
    from groundwire.http.response import Response
    from groundwire.server.addresses import ListeningSockets
    from groundwire.server.children import make_stacks_file
    from groundwire.server.errors import StartError
    from groundwire.server.settings import ServerSettings
    from groundwire.server.worker import Loaded, Post, Worker

    channel, listening = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    listening.setblocking(False)

    def load():
        {load}
        return Loaded(lambda request: Response.of_text(request.path), "shop:app", note="by hand")

    sockets = ListeningSockets([listening], "http://localhost:1")
    settings = ServerSettings(access_log="off", graceful_seconds=60, watchdog=False)
    sys.exit(Worker(Post(7, channel, sockets, make_stacks_file(), None, "auto"), settings).run(load))
"""


class Hired:
    """A worker's process, from the supervisor's side."""

    def __init__(self, load: str) -> None:
        self.channel, theirs = channel_pair()
        listening = socket.create_server(("127.0.0.1", 0))
        self.address = listening.getsockname()
        descriptors = [theirs.fileno(), listening.fileno()]
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent(PROGRAM).format(load=load),
                *map(str, descriptors),
            ],
            pass_fds=descriptors,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        listening.close()
        self._messages: list[Message] = []

    def heard(self, type: str) -> Message:
        """Wait for a message of a type, passing over others."""
        until = time.monotonic() + SECONDS
        others: list[Message] = []
        while time.monotonic() < until:
            while self._messages:
                if (message := self._messages.pop(0))["type"] == type:
                    return message
                others.append(message)
            self._messages += self.channel.receive()
            time.sleep(0.005)
        raise AssertionError(f"no {type} came, but {others}; it has ended: {self.process.poll()}")

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=SECONDS)

    def ended(self) -> tuple[int, str]:
        """Its exit status, and what it wrote."""
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, errors


@contextlib.contextmanager
def hired(load: str = "pass") -> Iterator[Hired]:
    worker = Hired(load)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.communicate()
        worker.channel.close()


def test_it_says_when_it_serves_and_then_that_its_loop_turns() -> None:
    with hired() as worker:
        ready = worker.heard("ready")
        first = worker.heard("beat")
        with worker.connect() as client:
            client.sendall(GET)
            assert client.recv(4096).endswith(b"\r\n\r\n/here")
            second = worker.heard("beat")
            if not second["counters"]["requests"]:  # of the second before
                second = worker.heard("beat")

        assert (worker.process.pid, "shop:app") == (ready["pid"], ready["name"])
        assert ("by hand", False) == (ready["note"], ready["debug"])
        assert "serving" == first["state"]
        assert first["rss_bytes"] > 1_000_000 or not Path("/proc/self/statm").exists()
        assert (1, 1) == (second["connections"], second["counters"]["requests"])


def test_it_answers_what_it_is_asked() -> None:
    with hired() as worker:
        worker.heard("ready")
        worker.channel.send("ask", id=3, what="state", arguments={})

        answer = worker.heard("answer")

        assert (3, "serving") == (answer["id"], answer["value"]["state"])


@pytest.mark.parametrize("orphaned", [False, True])
def test_told_to_stop_or_left_alone_it_answers_who_has_come_and_ends(orphaned: bool) -> None:
    with hired() as worker:
        worker.heard("ready")
        with worker.connect() as client:
            client.sendall(GET)
            if orphaned:
                worker.channel.close()
            else:
                worker.channel.send("stop", at_once=False)
            assert everything(client).endswith(b"\r\n\r\n/here")
        status, told = worker.ended()

        assert 0 == status
        assert orphaned == (f"[{worker.process.pid}] WARNING" in told and "has gone" in told)


def test_told_to_retire_it_closes_nothing_before_its_answer() -> None:
    with hired() as worker:
        worker.heard("ready")
        with worker.connect() as client:
            client.sendall(GET)
            assert b"Connection: close" not in client.recv(4096)
            worker.channel.send("retire")
            # It listens no more.
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                try:
                    worker.connect().close()
                except ConnectionError:  # refused, or it waited in the queue that is gone
                    break
            client.sendall(GET)
            answer = everything(client)
        status, _ = worker.ended()

        assert b"Connection: close\r\n" in answer
        assert 0 == status


def test_a_signal_that_says_the_same_as_the_supervisor_does_not_hurry_it() -> None:
    with hired() as worker:
        worker.heard("ready")
        with worker.connect() as client:
            client.sendall(GET[:20])
            worker.channel.send("stop", at_once=False)
            worker.process.terminate()
            worker.process.terminate()
            beat = worker.heard("beat")
            while beat["state"] != "stopping":
                beat = worker.heard("beat")
            client.sendall(GET[20:])
            assert everything(client).endswith(b"\r\n\r\n/here")

        assert (0, "") == worker.ended()


@pytest.mark.parametrize(
    ("load", "told"),
    [
        ("raise StartError('there is no shop')", ["there is no shop"]),
        ("1 / 0", ["the application could not start:\n", "ZeroDivisionError"]),
    ],
)
def test_what_it_cannot_load_is_told(load: str, told: list[str]) -> None:
    with hired(load) as worker:
        failed = worker.heard("failed")

        assert (2, "") == worker.ended()
    assert [text for text in told if text in failed["text"]] == told
