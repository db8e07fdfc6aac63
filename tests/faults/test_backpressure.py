"""A gigabyte to who does not read, and from who sends faster than it is read: it must wait, not be held."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from faults.load import Load, get
from faults.processes import Running, everything, rss_bytes, running, until

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30


@contextlib.contextmanager
def grows_at_most(pid: int, most_bytes: int) -> Iterator[list[int]]:
    """Hold what a process holds in memory, at any time within the block, to a bound."""
    before = rss_bytes(pid)
    growth = [0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            growth[0] = max(growth[0], rss_bytes(pid) - before)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield growth
    finally:
        ended.set()
        watching.join()
    print(f"memory +{growth[0] / 1024:.0f} KiB")
    assert growth[0] <= most_bytes


def warm(server: Running) -> int:
    """Have done once what is measured, so that code that is imported for it does not count."""
    for route in ("/stream/1", "/async-stream/1"):
        server.get(route)
    with server.connect() as client:
        client.sendall(
            b"POST /upload/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n"
        )
        client.sendall(bytes(300_000))
        everything(client)
    with Load(server.address, 2) as load:
        load.wait_for(200)
    return server.worker


@pytest.mark.parametrize("route", ["/stream/1024", "/async-stream/1024"])
def test_a_gigabyte_for_a_reader_that_stalls_is_not_made(route: str) -> None:
    with running() as server:
        worker = warm(server)
        made = server.json("/seen")["sent"]
        with grows_at_most(worker, MEBIBYTE):
            client = server.connect(receive_bytes=65536)
            client.sendall(get(route))
            received = 0
            while received < MEBIBYTE:
                received += len(client.recv(65536))
            time.sleep(3)
            assert server.json("/seen")["sent"] - made < 3 * MEBIBYTE
        client.close()


def test_a_gigabyte_is_streamed_to_a_reader_that_reads() -> None:
    with running() as server:
        worker = warm(server)
        with grows_at_most(worker, MEBIBYTE), server.connect() as client:
            client.sendall(get("/async-stream/1024", "Connection: close"))
            received = 0
            buffer = bytearray(MEBIBYTE)
            while count := client.recv_into(buffer):
                received += count
            assert received > GIBIBYTE


def test_a_gigabyte_uploaded_to_a_view_that_reads_slowly_waits() -> None:
    """The client is held back; what it could send in three seconds is what the view has read, and a window."""
    with running() as server:
        worker = warm(server)
        piece = bytes(65536)
        with grows_at_most(worker, MEBIBYTE):
            client = server.connect()
            began = time.monotonic()
            client.sendall(
                f"POST /upload/50 HTTP/1.1\r\nHost: a\r\nContent-Length: {GIBIBYTE}\r\n\r\n".encode()
            )
            client.settimeout(0.2)
            sent = 0
            while time.monotonic() - began < 3:
                with contextlib.suppress(TimeoutError):
                    sent += client.send(piece)
            taken = server.json("/seen")["taken"]
            # A pause after each piece: so many at most since it began.
            assert 0 < taken <= ((time.monotonic() - began) / 0.05 + 1) * 65536
            # What is neither read nor held is in the two sockets' buffers.
            assert sent - taken < 12 * MEBIBYTE
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        # The deadline of content, half a minute, is not what ends it.
        until(lambda: server.json("/seen")["gone"] == 1, "the view is told", 10)


def test_a_gigabyte_uploaded_is_read_whole() -> None:
    with running() as server:
        worker = warm(server)
        piece = bytes(MEBIBYTE)
        with grows_at_most(worker, 2 * MEBIBYTE), server.connect() as client:
            client.sendall(
                b"POST /upload/0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n" % GIBIBYTE
            )
            for _ in range(1024):
                client.sendall(piece)
            client.settimeout(60)
            assert f'"taken":{GIBIBYTE}' in everything(client).decode().replace(" ", "")


def test_a_hundred_stalled_gigabytes_hold_64_mib_at_most() -> None:
    with running("--send-timeout", "4") as server:
        worker = warm(server)
        clients: list[socket.socket] = []
        with grows_at_most(worker, 64 * MEBIBYTE):
            for number in range(100):
                client = server.connect(receive_bytes=65536)
                client.sendall(get(("/stream/1024", "/async-stream/1024")[number % 2]))
                clients.append(client)
            closed = server.json("/seen")["closed"]
            # Long before the half minute that it is without the option.
            until(lambda: server.json("/seen")["closed"] >= closed + 100, "all given up", 15)
        for client in clients:
            client.close()
