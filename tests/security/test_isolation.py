"""What one request sets, no other sees: whoever sends it, wherever it runs (CVE-2020-35681)."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from fetching import make_app
from groundwire import Groundwire, Response, g, request
from serving import Served, running_server

user: ContextVar[str] = ContextVar("user", default="nobody")
ROUNDS = 60
CLIENTS = 8


def answered(client: socket.socket, target: str, name: str) -> str:
    """Send one request on a connection that goes on, and return its content."""
    client.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nX-User: {name}\r\n\r\n".encode())
    data = b""
    while True:
        piece = client.recv(65536)
        assert piece, f"the connection was closed after {data!r}"
        data += piece
        head, blank, content = data.partition(b"\r\n\r\n")
        if not blank:
            continue
        if b"chunked" in head.lower():
            if content.endswith(b"0\r\n\r\n"):
                lines = content.split(b"\r\n")
                return b"".join(lines[1:-3:2]).decode()
        elif len(content) == int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return content.decode()


def take_on() -> str:
    """Say who was there before, then be who asks."""
    before = f"{user.get()}/{g.get('user', 'nobody')}"
    name = request.headers["X-User"]
    if name != "-":
        user.set(name)
        g.user = name
    return before


def app_with_views() -> Groundwire:
    app = make_app()
    barrier = threading.Event()
    barrier.set()

    @app.route("/inline", run="inline")
    def inline() -> str:
        return take_on()

    @app.route("/thread", run="thread")
    def thread() -> str:
        return take_on()

    @app.route("/task")
    async def task() -> str:
        before = take_on()
        await asyncio.sleep(0)
        assert user.get() == (
            request.headers["X-User"] if request.headers["X-User"] != "-" else "nobody"
        )
        return before

    @app.route("/watched")
    def watched() -> str:
        return take_on()

    @app.route("/iterator")
    def iterator() -> Response:
        name = request.headers["X-User"]

        def pieces() -> Iterator[str]:
            yield user.get()
            if name != "-":
                user.set(name)
            yield "/nobody"

        return Response(pieces())

    @app.route("/async-iterator")
    async def async_iterator() -> Response:
        name = request.headers["X-User"]

        async def pieces() -> AsyncIterator[str]:
            yield user.get()
            if name != "-":
                user.set(name)
            await asyncio.sleep(0)
            yield "/nobody"

        return Response(pieces())

    return app


WAYS = ["/inline", "/thread", "/task", "/watched", "/iterator", "/async-iterator"]


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def served(request: Any) -> Iterator[Served]:
    with running_server(app_with_views(), loop=request.param) as served:
        yield served


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
def test_the_next_request_of_a_connection_finds_nothing(
    served: Served, first: str, second: str
) -> None:
    with served.connect() as client:
        for _ in range(3):
            assert "nobody/nobody" == answered(client, first, "alice")
            assert "nobody/nobody" == answered(client, second, "-")


@pytest.mark.parametrize("way", WAYS)
def test_other_connections_find_nothing(served: Served, way: str) -> None:
    with served.connect() as alice, served.connect() as bob:
        assert "nobody/nobody" == answered(alice, way, "alice")
        assert "nobody/nobody" == answered(bob, way, "-")
    with served.connect() as later:
        assert "nobody/nobody" == answered(later, way, "-")


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_side_by_side_nobody_sees_anybody(served: Served, way: str) -> None:
    def visit(name: str) -> set[str]:
        with served.connect() as client:
            return {answered(client, way, name) for _ in range(ROUNDS)}

    with ThreadPoolExecutor(CLIENTS) as clients:
        found = set().union(*clients.map(visit, [f"user{i}" for i in range(CLIENTS)]))

    assert {"nobody/nobody"} == found


def test_a_pipeline_is_many_requests() -> None:
    with running_server(app_with_views()) as served:
        one = "GET {} HTTP/1.1\r\nHost: a\r\nX-User: {}\r\n{}\r\n"
        raw = served.exchange(
            "".join(
                one.format(way, name, "")
                for way in ("/inline", "/thread", "/task", "/watched")
                for name in ("alice", "-")
            ).encode(),
            one.format("/inline", "-", "Connection: close\r\n").encode(),
        )

    assert 9 == raw.count(b"\r\n\r\nnobody/nobody")
    assert b"alice" not in raw
