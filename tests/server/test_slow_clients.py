"""Slow and silent clients, with the limits of production turned down to a second or two.

Each deadline is met for a hundred at a time, while others are served: not before its time, and long before its figure
in production, which is ten seconds at least. How exactly it is met, `test_deadlines.py` shows without a clock.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterable

import pytest

from groundwire.http.request import Request
from groundwire.http.response import Response
from serving import SECONDS, Served, everything, running_server

pytestmark = pytest.mark.slow

MANY = 100
LAST_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LARGE = b"x" * (32 * 1024 * 1024)
LATE_SECONDS = 8.0
"""What a deadline of a second may become on a machine that does other things too."""


def answer(request: Request) -> Response:
    if request.path == "/large":
        return Response(LARGE, content_type="application/octet-stream")
    return Response.of_text("Hello, World!")


def connected(address: Served, number: int = MANY) -> list[socket.socket]:
    return [address.connect() for _ in range(number)]


def seconds_until_closed(clients: Iterable[socket.socket], began: float) -> float:
    """Wait until the server has closed every client, and return how long ago it began then."""
    waiting = set(clients)
    while waiting:
        left = LATE_SECONDS - (time.monotonic() - began)
        assert left > 0, f"{len(waiting)} are still open after {LATE_SECONDS} s"
        readable, _, _ = select.select(waiting, [], [], left)
        for client in readable:
            try:
                ended = not client.recv(65536)
            except ConnectionResetError:
                ended = True
            if ended:
                waiting.discard(client)
                client.close()
    return time.monotonic() - began


def test_silent_connections_are_closed() -> None:
    with running_server(answer, first_byte_seconds=1) as address:
        began = time.monotonic()
        assert 1.0 <= seconds_until_closed(connected(address), began)


def test_idle_connections_are_closed() -> None:
    with running_server(answer, keepalive_seconds=1) as address:
        began = time.monotonic()
        clients = connected(address)
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert 1.0 <= seconds_until_closed(clients, began)


def test_heads_that_come_line_by_line_are_cut_off_while_others_are_served() -> None:
    """Slowloris: each line comes in time, the head never."""
    with running_server(answer, head_seconds=1) as address:
        began = time.monotonic()
        clients = connected(address)
        waits: list[float] = []
        while time.monotonic() - began < 0.9 or len(waits) < 3:
            for client in clients:
                with contextlib.suppress(
                    ConnectionError
                ):  # it may be over when this machine has stood still
                    client.sendall(b"X-A: b\r\n" if waits else b"GET / HTTP/1.1\r\n")
            asked = time.monotonic()
            assert address.exchange(LAST_GET).endswith(b"Hello, World!")
            waits.append(time.monotonic() - asked)
            time.sleep(0.2)
        assert 1.0 <= seconds_until_closed(clients, began)

    # Whom slow clients held up would wait each time; whom the machine did, once.
    assert sorted(waits)[len(waits) // 2] < 0.25


def test_content_that_does_not_come_is_answered_408() -> None:
    with running_server(answer, content_gap_seconds=1) as address, address.connect() as client:
        began = time.monotonic()
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert everything(client).startswith(b"HTTP/1.1 408 ")
        assert 1.0 <= time.monotonic() - began < LATE_SECONDS


def test_content_that_drips_is_answered_408() -> None:
    """A byte now and then keeps no connection: the average counts."""
    with (
        running_server(answer, content_grace_seconds=1, content_rate_bytes=500) as address,
        address.connect() as client,
    ):
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        began = time.monotonic()
        while not select.select([client], [], [], 0.1)[0]:
            assert time.monotonic() - began < LATE_SECONDS
            client.sendall(b"x")
        assert client.recv(100).startswith(b"HTTP/1.1 408 ")


def slow_reader(address: Served) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.settimeout(SECONDS)
    client.connect(address)
    client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client


def test_clients_that_stop_reading_are_reset() -> None:
    with running_server(answer, send_stall_seconds=1) as address:
        clients = [slow_reader(address) for _ in range(10)]
        for client in clients:
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        began = time.monotonic()
        while address.server.connections:
            assert time.monotonic() - began < LATE_SECONDS
            time.sleep(0.02)
        for client in clients:
            with pytest.raises(ConnectionResetError):
                while client.recv(65536):
                    pass
            client.close()


def test_clients_that_read_too_slowly_are_reset() -> None:
    with running_server(answer, send_grace_seconds=1, send_rate_bytes=1_000_000) as address:
        client = slow_reader(address)
        began = time.monotonic()
        with pytest.raises(ConnectionResetError):
            while client.recv(1000):
                assert time.monotonic() - began < LATE_SECONDS
                time.sleep(0.05)
        client.close()


def test_a_slow_reader_above_the_rate_gets_everything() -> None:
    with running_server(
        answer, send_stall_seconds=3, send_grace_seconds=1, send_rate_bytes=500
    ) as address:
        client = slow_reader(address)
        received = 0
        began = time.monotonic()
        while time.monotonic() - began < 4.2:
            received += len(client.recv(2000))
            time.sleep(0.02)
        client.settimeout(SECONDS)
        while received < len(LARGE):
            piece = client.recv(1024 * 1024)
            assert piece
            received += len(piece)
        client.close()


def test_a_hostile_pipeline_does_not_hold_up_others() -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with running_server(answer, keepalive_requests=1_000_000) as address:
        stop = threading.Event()

        def flood() -> None:
            with address.connect() as client:
                client.setblocking(False)
                while not stop.is_set():
                    readable, writable, _ = select.select([client], [client], [], 0.1)
                    if readable:
                        client.recv(1024 * 1024)
                    if writable:
                        client.send(request * 5000)

        hostile = threading.Thread(target=flood)
        hostile.start()
        try:
            waits = []
            for _ in range(50):
                began = time.monotonic()
                assert address.exchange(LAST_GET).endswith(b"Hello, World!")
                waits.append(time.monotonic() - began)
        finally:
            stop.set()
            hostile.join(SECONDS)

    # Client, flood and server share one interpreter here; alone the server keeps it under 20 ms.
    # Whom the flood held up would wait each time.
    assert sorted(waits)[25] < 0.25
