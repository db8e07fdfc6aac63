"""WebSockets on our server: flask-sock and Flask-SocketIO, with real clients.

On Flask's own server most of this holds too (the program runs there as well), but its closing handshakes get lost.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import socketio
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ports import free_ports
from supervising import eventually

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "programs" / "websocket_program.py"
START_SECONDS = 20.0
TIMEOUT_SECONDS = 20.0


class Running:
    """A server that runs.

    Attributes:
        log: the file of what it has written.
    """

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.address = ("127.0.0.1", port)
        self.log = log

    def connect(self, target: str, **options: Any) -> ClientConnection:
        url = self.url.replace("http", "ws", 1) + target
        return connect(url, open_timeout=TIMEOUT_SECONDS, close_timeout=TIMEOUT_SECONDS, **options)

    def get(self, target: str) -> tuple[bytes, Any]:
        with urllib.request.urlopen(self.url + target, timeout=TIMEOUT_SECONDS) as response:
            return response.read(), response.headers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    (port,) = free_ports(1)
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, PROGRAM, "groundwire", str(port)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield Running(port, log)
    finally:
        process.terminate()
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# flask-sock


def test_messages_come_back(server: Running) -> None:
    with server.connect("/echo") as client:
        for sent in ("text", "ünï", b"\0\xff", "x" * 300_000, b""):
            client.send(sent)
            assert sent == client.recv(TIMEOUT_SECONDS)


def test_many_messages_at_once_come_back_in_order(server: Running) -> None:
    with server.connect("/echo") as client:
        for number in range(500):
            client.send(str(number))
        assert [str(n) for n in range(500)] == [client.recv(TIMEOUT_SECONDS) for _ in range(500)]


def test_the_server_closes_with_its_code_and_reason(server: Running) -> None:
    with server.connect("/echo") as client:
        client.send("close")
        with pytest.raises(ConnectionClosed) as raised:
            client.recv(TIMEOUT_SECONDS)

    assert raised.value.rcvd is not None
    assert (1001, "good-bye") == (raised.value.rcvd.code, raised.value.rcvd.reason)


def test_the_client_closes_and_gets_its_close_back(server: Running) -> None:
    with server.connect("/echo") as client:
        client.send("a")
        assert "a" == client.recv(TIMEOUT_SECONDS)
        client.close(4321, "enough")

    assert client.protocol.close_rcvd is not None
    assert 4321 == client.protocol.close_rcvd.code


def test_a_view_has_its_request_and_session(server: Running) -> None:
    _, headers = server.get("/login?name=ada")
    fields = {"X-One": "1", "Cookie": headers["Set-Cookie"].partition(";")[0]}

    with server.connect("/once/7?q=q", additional_headers=fields) as client:
        assert "7 q 1 ada" == client.recv(TIMEOUT_SECONDS)
        with pytest.raises(ConnectionClosed) as raised:
            client.recv(TIMEOUT_SECONDS)

    assert raised.value.rcvd is not None
    assert 1000 == raised.value.rcvd.code


def test_a_view_that_fails_ends_the_connection_and_is_in_the_log(server: Running) -> None:
    with server.connect("/fails") as client:
        assert "before" == client.recv(TIMEOUT_SECONDS)
        with pytest.raises(ConnectionClosed):
            client.recv(TIMEOUT_SECONDS)

    eventually(lambda: "LookupError" in server.log.read_text())


def test_other_requests_to_it_are_bad_ones(server: Running) -> None:
    with pytest.raises(urllib.error.HTTPError) as plain:
        server.get("/echo")
    plain.value.close()
    with pytest.raises(InvalidStatus) as upgrade:
        server.connect("/events")

    assert (400, 400) == (plain.value.code, upgrade.value.response.status_code)


def test_more_websockets_than_threads_leave_room_for_requests(server: Running) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect("/echo")) for _ in range(60)]
        for number, client in enumerate(clients):
            client.send(str(number))
        assert b"[" == server.get("/events")[0][:1]
        assert [str(n) for n in range(60)] == [client.recv(TIMEOUT_SECONDS) for client in clients]


# Flask-SocketIO


class Listener:
    """A Socket.IO client, and what it was told."""

    def __init__(self, server: Running, transports: list[str]) -> None:
        self.told: list[Any] = []
        self.client = socketio.Client(reconnection=False)
        self.client.on("said", self.told.append)
        self.client.on("welcome", self.told.append)
        self.client.connect(
            server.url, transports=transports, auth={"who": 1}, wait_timeout=TIMEOUT_SECONDS
        )

    def until_told(self, count: int) -> list[Any]:
        end = time.monotonic() + TIMEOUT_SECONDS
        while len(self.told) < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.told

    def disconnect(self) -> None:
        """Disconnect, and tell the server: the client's writer drops what it is not waiting for at that moment."""
        queue = self.client.eio.queue
        end = time.monotonic() + TIMEOUT_SECONDS
        while not queue.not_empty._waiters and time.monotonic() < end:
            time.sleep(0.01)
        self.client.disconnect()


@pytest.mark.parametrize(
    "transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join
)
def test_socket_io_emits_broadcasts_and_disconnects(server: Running, transports: list[str]) -> None:
    before = server.get("/events")[0].count(b"disconnect")
    first, second = Listener(server, transports), Listener(server, transports)
    welcome = {"auth": {"who": 1}}
    try:
        assert [transports[-1]] * 2 == [one.client.transport() for one in (first, second)]
        assert "heard" == first.client.call("say", "hello", timeout=TIMEOUT_SECONDS)
        assert [welcome, "hello"] == first.until_told(2) == second.until_told(2)

        second.client.emit("join", "a room")
        assert [welcome, "hello", "in a room"] == second.until_told(3)
        assert 2 == len(first.told)

        data = bytes(range(256)) * 300
        assert data[::-1] == first.client.call("raw", data, timeout=TIMEOUT_SECONDS)
    finally:
        first.disconnect()
        second.disconnect()

    end = time.monotonic() + TIMEOUT_SECONDS
    while server.get("/events")[0].count(b"disconnect") < before + 2:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_nothing_unexpected_is_in_the_log(server: Running) -> None:
    eventually(lambda: '"GET /echo HTTP/1.1" 101 ' in server.log.read_text())
    log = server.log.read_text()

    assert 1 == log.count("Traceback"), log  # the view that fails
