"""What clients can make a server hold is bounded: so much for each connection, and so much for all content."""

import asyncio
import contextlib
import select
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from groundwire.http.request import Request
from groundwire.http.response import Response
from serving import Served, running_server
from supervising import eventually

pytestmark = pytest.mark.slow

CONNECTIONS = 20
OFFERED = 4 * 1024 * 1024
"""Octets that each client would like to send."""

PER_CONNECTION = 448 * 1024
"""What waits before reading pauses (64 KiB), one read of the event loop (256 KiB), a head and what is made of it."""

CONTENT = 2 * 1024 * 1024
"""`worker_memory_bytes` here."""

QUIET_LOOKS = 10
"""At 0.2 s each: who takes nothing in all of them takes no more. (Seconds pass while a machine stands still.)"""

PIECE = b"x" * 65536
UPLOAD = 1024 * 1024
HEAD = b"POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % UPLOAD
GET = b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def waiting(request: Request) -> Response:
    await asyncio.sleep(60)
    return Response.of_text("too late")


def endless(request: Request) -> Response:
    def pieces() -> Iterator[bytes]:
        while True:
            yield PIECE

    return Response(pieces())


def offer(clients: list[socket.socket], data: bytes, number: int) -> None:
    """Have each client send `data` again and again, `number` octets, or until the server takes no more of it."""
    left = dict.fromkeys(clients, number)
    for client in clients:
        client.setblocking(False)
    quiet = 0
    while left and quiet < QUIET_LOOKS:
        _, writable, _ = select.select([], list(left), [], 0.2)
        quiet += 1
        for client in writable:
            try:
                sent = client.send(data[: left[client]])
            except BlockingIOError:
                continue
            except OSError:
                del left[client]  # refused
                continue
            quiet = 0
            left[client] -= sent
            if left[client] <= 0:
                del left[client]


def held_bytes(address: Served, begin: bytes, then: bytes, number: int = OFFERED) -> int:
    """Return how much more memory Python holds when all clients have sent what is taken of them."""
    tracemalloc.start()
    try:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(address.connect()) for _ in range(CONNECTIONS)]
            before, _ = tracemalloc.get_traced_memory()
            for client in clients:
                client.sendall(begin)
            if then:
                offer(clients, then, number)
            time.sleep(0.5)  # what has been sent has to be taken
            after, _ = tracemalloc.get_traced_memory()
        return after - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("handler", "begin", "then"),
    [
        (waiting, b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-Field: " + b"x" * 300 + b"\r\n"),
        (waiting, b"GET /" + b"x" * 8000, b"x"),
        (waiting, GET, GET * 1000),
        (endless, GET, b""),
    ],
    ids=["head", "target", "pipelined", "not-read"],
)
def test_connections_hold_no_more_than_their_part(
    handler: Callable[[Request], Response], begin: bytes, then: bytes
) -> None:
    with running_server(handler, loop="asyncio", threads=CONNECTIONS * 2) as address:
        held = held_bytes(address, begin, then)

    assert held < CONNECTIONS * PER_CONNECTION


def test_content_on_its_way_in_holds_no_more_than_is_set() -> None:
    with running_server(
        waiting,
        loop="asyncio",
        worker_memory_bytes=CONTENT,
        content_memory_bytes=1024 * 1024,
        worker_spool_bytes=CONTENT,
    ) as address:
        held = held_bytes(address, HEAD, PIECE, UPLOAD - 1)

        refused = address.server.counters.refused

    # Without the bound it would be 20 MiB and more.
    assert held < CONTENT + CONNECTIONS * PER_CONNECTION
    assert 0 < refused < CONNECTIONS


def test_content_a_handler_has_counts_until_it_is_answered() -> None:
    async def keeping(request: Request) -> Response:
        await asyncio.sleep(0 if request.path == "/done" else 60)
        return Response.of_text(str(len(request.content)))

    content = b"x" * (CONTENT // 4)
    kept = b"POST /keep HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(content)
    with (
        running_server(keeping, worker_memory_bytes=CONTENT) as served,
        contextlib.ExitStack() as stack,
    ):
        for _ in range(4):
            stack.enter_context(served.connect()).sendall(kept + content)
        budget = served.server.content_budget
        eventually(lambda: budget.memory_held == CONTENT)
        refused = served.exchange(kept + content)
        assert CONTENT == budget.memory_held
    assert refused.startswith(b"HTTP/1.1 503 ")

    with running_server(keeping, worker_memory_bytes=CONTENT) as served:
        done = kept.replace(b"/keep", b"/done").replace(b"Host", b"Connection: close\r\nHost")
        for _ in range(8):
            assert served.exchange(done + content).startswith(b"HTTP/1.1 200 ")
        assert 0 == served.server.content_budget.memory_held
