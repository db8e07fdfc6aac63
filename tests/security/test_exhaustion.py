"""When there is too little of something, those who ask learn it at once, and it passes."""

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fetching import make_app
from groundwire import Groundwire, Response, request
from serving import SECONDS, Served, everything, running_server
from supervising import eventually

GET = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def test_when_threads_are_taken_the_rest_is_told_so_at_once() -> None:
    release = threading.Event()
    app = make_app()

    @app.route("/wait", run="thread")
    def wait() -> str:
        release.wait(60)
        return "waited"

    @app.route("/health", run="inline")
    def health() -> str:
        return "well"

    with running_server(app, threads=8, thread_queue=16) as served:
        waiting = [served.connect(30) for _ in range(24)]
        for client in waiting:
            client.sendall(GET % b"/wait")
        eventually(lambda: served.server.pool.pending == 24)

        waits = []
        for _ in range(50):
            began = time.monotonic()
            answer = served.exchange(GET % b"/wait")
            waits.append(time.monotonic() - began)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nRetry-After: " in answer
        assert served.exchange(GET % b"/health").endswith(b"well")

        release.set()
        answers = [everything(client) for client in waiting]
        for client in waiting:
            client.close()
        assert served.exchange(GET % b"/wait").endswith(b"waited")

    assert all(answer.endswith(b"waited") for answer in answers)
    # On a machine with other work to do, which may stand still meanwhile; alone it is a tenth. Who waited for a thread
    # would do so each time, and for a minute.
    assert sorted(waits)[25] < 0.25
    assert max(waits) < 10


def test_streams_leave_room_for_requests() -> None:
    release = threading.Event()
    app = make_app()

    @app.route("/stream")
    def stream() -> Response:
        def pieces() -> Iterator[str]:
            yield "first"
            release.wait(60)
            yield "last"

        return Response(pieces())

    @app.route("/quick", run="thread")
    def quick() -> str:
        return "quick"

    with running_server(app, threads=4) as served:
        streams = [served.connect(30) for _ in range(8)]
        for client in streams:
            client.sendall(GET % b"/stream")
        time.sleep(0.2)
        began = time.monotonic()
        assert served.exchange(GET % b"/quick").endswith(b"quick")
        assert time.monotonic() - began < 10  # and not a minute
        release.set()
        for client in streams:
            assert everything(client).endswith(b"0\r\n\r\n")
            client.close()


def chatty_app() -> Groundwire:
    app = make_app()

    @app.route("/stream")
    def stream() -> Response:
        return Response(iter(["x" * 5000] * 40))

    @app.route("/large")
    def large() -> str:
        return "x" * 1_000_000

    @app.route("/upload", methods=["POST"])
    def upload() -> str:
        return str(len(request.get_data()))

    @app.route("/task", methods=["GET", "POST"])
    async def task() -> str:
        return str(len(request.get_data()))

    @app.route("/ok")
    def ok() -> str:
        return "ok"

    return app


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_clients_that_vanish_leave_nothing_behind(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Five hundred of them, each at some byte of some request or response, half of them by a reset."""
    post = (
        b"POST %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
        + b"x" * 100_000
    )
    messages = [
        GET % b"/stream",
        GET % b"/large",
        post % b"/upload",
        post % b"/task",
        b"GET /ok HTTP/1.1\r\nHost: a\r\n\r\n" * 50 + GET % b"/ok",
    ]
    chance = random.Random(2026)
    plans = [
        (chance.choice(messages), chance.random(), chance.random(), chance.random() < 0.5)
        for _ in range(500)
    ]

    def vanish(served: Served, plan: tuple[bytes, float, float, bool]) -> None:
        message, sent, read, by_reset = plan
        with served.connect() as client:
            if by_reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            cut = 1 + int(sent * 1.5 * len(message))
            try:
                client.sendall(message[:cut])
                if cut >= len(message):
                    left = int(read * 200_000)
                    while left > 0 and (piece := client.recv(min(left, 65536))):
                        left -= len(piece)
            except OSError:
                pass

    with running_server(chatty_app(), loop=loop) as served:
        with ThreadPoolExecutor(8) as clients:
            list(clients.map(lambda plan: vanish(served, plan), plans))
        # A view that is at work when its client goes ends in its own time.
        eventually(lambda: not served.server.connections and not served.server.pool.pending)
        assert (0, 0) == (
            served.server.content_budget.memory_held,
            served.server.content_budget.spool_held,
        )
        assert served.exchange(GET % b"/ok").endswith(b"ok")

    assert [] == [
        record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "WARNING")
    ]


def test_a_handler_learns_that_its_client_has_gone() -> None:
    learnt = threading.Event()
    started = threading.Event()
    app = make_app()

    @app.route("/", run="thread")
    def view() -> str:
        exchange = request.exchange
        started.set()
        for _ in range(2000):
            if exchange is not None and exchange.disconnected:
                learnt.set()
                break
            time.sleep(0.01)
        return "nobody reads this"

    with running_server(app) as served:
        client = served.connect()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(GET % b"/")
        assert started.wait(SECONDS)
        client.close()
        assert learnt.wait(SECONDS)


def test_half_an_upload_is_an_interruption_to_whom_reads_it() -> None:
    seen: list[type[BaseException]] = []
    begun, over = threading.Event(), threading.Event()
    app = make_app()

    @app.route("/", methods=["POST"], stream=True)
    def view() -> str:
        begun.set()
        try:
            request.stream.read()
        except BaseException as error:
            seen.append(type(error))
            raise
        finally:
            over.set()
        return "read"

    with running_server(app) as served:
        with served.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf")
            assert begun.wait(SECONDS)
        assert over.wait(SECONDS)

    assert [error.__name__ for error in seen] == ["ClientDisconnected"]
