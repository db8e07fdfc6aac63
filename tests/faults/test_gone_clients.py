"""Clients that go away: in the middle of what they send, of what they get, or halfway."""

import random
import socket
import struct
import tempfile
import time
import zlib

import pytest

from faults.load import Load, get
from faults.processes import (
    Running,
    everything,
    open_files,
    processor_seconds,
    running,
    until,
)

LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing resets."""

IDLE_SECONDS = 0.2
"""Of processor time in a second, at most; who looks again and again takes all of it."""


def leave(client: socket.socket, *, reset: bool) -> None:
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    client.close()


def spooled(server: Running) -> list[str]:
    return [name for name in open_files(server.worker) if name.startswith(tempfile.gettempdir())]


def no_tracebacks(server: Running) -> None:
    assert "Traceback" not in server.log, server.log[-3000:]
    assert "ERROR" not in server.log


@pytest.mark.parametrize("route", ["/stream/1000", "/async-stream/1000"])
def test_who_leaves_in_the_middle_of_a_response_ends_it(route: str) -> None:
    with running() as server:
        baseline = len(open_files(server.worker))
        for number in range(20):
            client = server.connect(receive_bytes=4096)
            client.sendall(get(route))
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
            leave(client, reset=number % 2 == 0)
        until(lambda: server.json("/seen")["closed"] == 20, "every generator is closed")
        until(lambda: len(open_files(server.worker)) <= baseline + 2, "descriptors given back")
        sent = server.json("/seen")["sent"]
        assert sent < 20 * (8 << 20)
        no_tracebacks(server)


def test_who_leaves_in_the_middle_of_an_upload_ends_it() -> None:
    """What was spooled to a file is gone; a view that reads is told."""
    with running() as server:
        baseline = len(open_files(server.worker))
        clients = []
        for number in range(20):
            client = server.connect()
            route = ("/whole", "/upload/1")[number % 2]
            client.sendall(
                f"POST {route} HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n".encode()
            )
            client.sendall(bytes(4_000_000))
            clients.append(client)
        until(lambda: len(spooled(server)) == 10, "ten files")
        for number, client in enumerate(clients):
            leave(client, reset=number % 4 < 2)
        # Long before the half minute that content may pause for.
        until(lambda: server.json("/seen")["gone"] == 10, "ten views told", 10)
        until(lambda: spooled(server) == [], "no file left")
        until(lambda: len(open_files(server.worker)) <= baseline + 2, "descriptors given back")
        assert server.json("/seen")["finished"] == 0
        no_tracebacks(server)


def test_who_has_sent_everything_and_closes_that_way_is_answered() -> None:
    """``printf … | nc`` does so."""
    with running() as server:
        content = random.Random(1).randbytes(3_000_000)
        for route in ("/whole", "/upload/0"):
            with server.connect() as client:
                client.sendall(
                    f"POST {route} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(content)}\r\n\r\n".encode()
                )
                client.sendall(content)
                client.shutdown(socket.SHUT_WR)
                assert f'"checksum":{zlib.crc32(content)}' in everything(client).decode().replace(
                    " ", ""
                )
        with server.connect() as client:
            client.sendall(get("/thread/300/1/1000"))
            client.shutdown(socket.SHUT_WR)
            assert everything(client).startswith(b"HTTP/1.1 200 ")
        no_tracebacks(server)


def test_who_closes_halfway_in_the_middle_of_a_message_is_refused() -> None:
    with running() as server:
        for message in (
            b"GET /version HTTP/1.1\r\nHost: a\r\n",
            b"POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
        ):
            with server.connect() as client:
                client.sendall(message)
                client.shutdown(socket.SHUT_WR)
                answer = everything(client)
                assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        assert server.json("/seen")["finished"] == 0
        no_tracebacks(server)


def test_thousands_that_leave_anywhere_leave_nothing_behind() -> None:
    requests = (
        get("/answer/1/70000"),
        get("/thread/2/1/1000"),
        get("/stream/2"),
        b"POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000),
        b"POST /upload/0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1000\r\n%b\r\n" % bytes(4096) * 20
        + b"0\r\n\r\n",
    )
    rng = random.Random(7)
    with running() as server:
        server.get("/seen")
        worker = server.worker
        baseline = len(open_files(worker))
        with Load(server.address, 4, think_seconds=(0, 0.05)) as load:
            for _ in range(3000):
                message = rng.choice(requests)
                client = server.connect()
                sent = rng.choice((len(message), rng.randrange(len(message))))
                client.sendall(message[:sent])
                if message == requests[0] and sent == len(message):
                    client.recv(rng.choice((1, 1000, 50_000)))
                leave(client, reset=rng.random() < 0.5)
        assert load.report.failures == []
        assert server.worker == worker
        until(lambda: len(open_files(worker)) <= baseline + 2, "descriptors given back")
        assert spooled(server) == []
        before = processor_seconds(worker)
        time.sleep(1)
        assert processor_seconds(worker) - before <= IDLE_SECONDS
        no_tracebacks(server)


def test_a_storm_of_resets_is_over_when_it_ends() -> None:
    with running() as server:
        worker = server.worker
        with Load(server.address, 2, think_seconds=(0, 0.05)) as load:
            began = time.monotonic()
            while time.monotonic() - began < 3:
                client = server.connect()
                leave(client, reset=True)
        assert load.report.failures == []
        before = processor_seconds(worker)
        time.sleep(1)
        assert processor_seconds(worker) - before <= IDLE_SECONDS
        no_tracebacks(server)
