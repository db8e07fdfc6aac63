"""Requests that hang: answered in their handler's place, and named. Seconds are sweeps; nothing waits for a clock."""

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from groundwire import Blueprint, Groundwire, Response, request
from groundwire.app.serving import make_server
from groundwire.http.handler import ContentPolicy, InThread
from groundwire.http.request import Request
from groundwire.http.response import Response as Message
from groundwire.server.connection import Connection
from groundwire.server.deadlines import enforce
from groundwire.server.memory import MemoryTransport
from groundwire.server.stacks import stacks
from groundwire.server.threads import awaited_tasks
from serving import SECONDS
from wire import Wire
from wire import request as message

GET = message("/hang?token=geheim&page=2")


def sweep(wire: Wire, seconds: int) -> None:
    """Let seconds pass: what the server's own sweep does, once for each."""
    for _ in range(seconds):
        wire.server.now += 1
        enforce(wire.connection, wire.server.now)
        wire.server.hangs.sweep()


class Gate:
    """What hangs in a test, and lets go at its end."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    def enter(self) -> float:
        self.entered.set()
        return SECONDS

    def wait(self) -> str:
        self.release.wait(self.enter())  # one line, so that who is told finds it there
        return "late"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.release.set()


@pytest.fixture
def app(gate: Gate) -> Groundwire:
    app = Groundwire(__name__)

    @app.route("/hang", run="thread")
    def hang() -> str:
        return gate.wait()

    @app.route("/await")
    async def wait_for_ever() -> str:
        await asyncio.Event().wait()
        return ""

    @app.route("/patient", run="thread", timeout=100)
    def patient() -> str:
        return gate.wait()

    @app.route("/for-ever", run="thread", timeout=0)
    def for_ever() -> str:
        return gate.wait()

    return app


# What it is answered


def test_a_request_in_a_thread_gets_503_after_60_seconds_and_its_connection_is_closed(
    app: Groundwire, gate: Gate
) -> None:
    with Wire(app) as wire:
        wire.send(GET)
        assert gate.entered.wait(SECONDS)
        sweep(wire, 60)
        assert b"" == wire.raw
        sweep(wire, 1)
        (answer,) = wire.answers()
        assert (503, "close") == (answer.status, answer.headers["Connection"])
        assert b"This request could not be answered within 60 s.\n" == answer.content
        assert wire.closed
        assert 1 == wire.server.counters.timeouts


def test_what_the_thread_brings_afterwards_goes_nowhere(app: Groundwire, gate: Gate) -> None:
    with Wire(app, request_timeout_seconds=1) as wire:
        wire.send(GET + GET)
        assert gate.entered.wait(SECONDS)
        sweep(wire, 2)
        sent = wire.raw
        gate.release.set()
        wire.until(lambda: wire.server.pool.pending == 0)
        assert sent == wire.raw


def test_a_task_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def view(_: Request) -> Message:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        finally:
            ended.append("finally")
        return Message()

    with Wire(view, request_timeout_seconds=5) as wire:
        wire.send(GET)
        sweep(wire, 6)
        wire.settle()
        assert 503 == wire.answers()[0].status
        assert ["cancelled", "finally"] == ended
        sweep(wire, 1)
        assert [] == wire.server.hangs.overdue
    assert ["it got 503"] == [r.getMessage().split(": ")[1].split(".")[0] for r in caplog.records]


def test_a_call_that_still_waits_for_a_thread_is_never_made(
    app: Groundwire, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(app, request_timeout_seconds=5, threads=1) as wire:
        made: list[str] = []
        wire.server.pool.submit(wire.server.context.copy(), gate.wait, (), lambda _: None)

        @app.route("/made", run="thread")
        def make() -> str:
            made.append("made")
            return ""

        wire.send(message("/made"))
        sweep(wire, 6)
        (answer,) = wire.answers()
        assert (503, b"No thread of this server was free within 5 s.\n") == (
            answer.status,
            answer.content,
        )
        gate.release.set()
        wire.until(lambda: wire.server.pool.pending == 0)
        assert [] == made
    assert '"GET /made HTTP/1.1" (endpoint make) has waited for a thread for 5 s: it got 503' in (
        caplog.text
    )


def test_a_stream_that_never_begins_gets_503(gate: Gate) -> None:
    def pieces() -> Iterator[str]:
        gate.wait()
        yield "late"

    with Wire(lambda _: Message(pieces()), request_timeout_seconds=5) as wire:
        wire.send(GET)
        wire.until(gate.entered.is_set)
        sweep(wire, 6)
        assert 503 == wire.answers()[0].status
        assert wire.closed
        gate.release.set()
        wire.settle()


# Whose limit


def test_a_route_s_own_limit_goes_before_the_server_s(app: Groundwire, gate: Gate) -> None:
    with Wire(app) as wire:
        wire.send(message("/patient"))
        assert gate.entered.wait(SECONDS)
        sweep(wire, 100)
        assert b"" == wire.raw
        sweep(wire, 1)
        assert 503 == wire.answers()[0].status


def test_0_is_no_limit(app: Groundwire, gate: Gate) -> None:
    with Wire(app) as wire:
        wire.send(message("/for-ever"))
        assert gate.entered.wait(SECONDS)
        sweep(wire, 1000)
        assert b"" == wire.raw


def test_without_a_limit_of_the_server_s_routes_have_none(app: Groundwire, gate: Gate) -> None:
    with Wire(app, request_timeout_seconds=0) as wire:
        wire.send(message("/patient"))
        assert gate.entered.wait(SECONDS)
        sweep(wire, 1000)
        assert b"" == wire.raw


def test_in_debug_mode_there_is_none(app: Groundwire, gate: Gate) -> None:
    app.debug = True
    with Wire(app) as wire:
        wire.send(GET)
        assert gate.entered.wait(SECONDS)
        sweep(wire, 1000)
        assert b"" == wire.raw


def test_head_gets_the_head_of_the_503_alone(app: Groundwire, gate: Gate) -> None:
    with Wire(app, request_timeout_seconds=1) as wire:
        wire.send(message("/hang", "HEAD"))
        assert gate.entered.wait(SECONDS)
        sweep(wire, 2)
        assert wire.raw.startswith(b"HTTP/1.1 503 ")
        assert wire.raw.endswith(b"\r\n\r\n")


def test_a_route_of_a_blueprint_may_have_a_limit_too(gate: Gate) -> None:
    blueprint = Blueprint("shop", __name__)

    @blueprint.get("/hang", run="thread", timeout=2)
    def hang() -> str:
        return gate.wait()

    app = Groundwire(__name__)
    app.register_blueprint(blueprint)
    with Wire(app) as wire:
        wire.send(message("/hang"))
        assert gate.entered.wait(SECONDS)
        sweep(wire, 3)
        assert 503 == wire.answers()[0].status


def test_servers_that_programs_start_themselves_have_no_limit(app: Groundwire) -> None:
    with make_server("127.0.0.1", 0, app) as server:
        assert 0 == server._server.settings.request_timeout_seconds


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_route_cannot_have_less_than_no_time(timeout: float) -> None:
    app = Groundwire(__name__)
    with pytest.raises(ValueError, match="'timeout' is a number of seconds, or 0"):
        app.add_url_rule("/", "index", timeout=timeout)


# What counts


def test_an_upload_that_moves_does_not_hang() -> None:
    async def read(request: Request) -> Message:
        async for _ in request.content.chunks():  # type: ignore[union-attr]
            pass
        return Message("read")

    with Wire(_reading(read), request_timeout_seconds=5) as wire:
        wire.send(message("/", "POST", Content_Length="30000"))
        for _ in range(60):
            wire.send(b"x" * 500)
            sweep(wire, 1)
        assert [200] == [answer.status for answer in wire.answers()]


def test_a_handler_that_takes_some_content_each_second_does_not_hang() -> None:
    turn = asyncio.Event()

    async def read(request: Request) -> Message:
        async for _ in request.content.chunks():  # type: ignore[union-attr]
            await turn.wait()
            turn.clear()
        return Message("read")

    with Wire(_reading(read), request_timeout_seconds=2) as wire:
        wire.send(message("/", "POST", Content_Length="2000000"))
        sent = 0
        while not wire.raw and sent < 2000000:
            while wire.transport.reading and sent < 2000000:
                wire.send(b"x" * 20000)
                sent += 20000
            sweep(wire, 2)
            turn.set()
            wire.settle()
        turn.set()
        wire.settle()
        turn.set()
        wire.settle()
        assert [200] == [answer.status for answer in wire.answers()]


def test_a_handler_that_has_read_all_and_then_hangs_does() -> None:
    async def read(request: Request) -> Message:
        async for _ in request.content.chunks():  # type: ignore[union-attr]
            pass
        await asyncio.Event().wait()
        return Message()

    with Wire(_reading(read), request_timeout_seconds=5) as wire:
        wire.send(message("/", "POST", Content_Length="5") + b"12345")
        sweep(wire, 6)
        assert [503] == [answer.status for answer in wire.answers()]


def test_a_stream_of_unknown_length_may_be_silent_once_it_has_begun() -> None:
    async def pieces() -> AsyncIterator[str]:
        yield "first"
        await asyncio.Event().wait()

    with Wire(lambda _: Message(pieces()), request_timeout_seconds=5) as wire:
        wire.send(GET).settle()
        sweep(wire, 100)
        assert not wire.closed


def test_an_event_stream_may_be_silent_from_the_beginning() -> None:
    async def events() -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield ""

    def handle(_: Request) -> Message:
        return Message(events(), content_type="text/event-stream; charset=utf-8")

    with Wire(handle, request_timeout_seconds=5) as wire:
        wire.send(GET).settle()
        sweep(wire, 100)
        assert not wire.closed


def test_a_response_of_announced_length_that_stops_half_way_is_reset(
    caplog: pytest.LogCaptureFixture,
) -> None:
    more = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await more.wait()
        yield b"second"
        await asyncio.Event().wait()

    def handle(_: Request) -> Message:
        return Message(pieces(), headers={"Content-Length": "100"})

    with Wire(handle, request_timeout_seconds=5) as wire:
        wire.send(GET).settle()
        sweep(wire, 5)
        more.set()
        wire.settle()
        sweep(wire, 5)
        assert not wire.closed  # each piece begins the seconds anew
        sweep(wire, 1)
        assert wire.closed
        assert wire.raw.endswith(b"firstsecond")
        wire.settle()
    assert "has sent no more of its response for 5 s: it was reset. Task " in caplog.text
    assert "await asyncio.Event().wait()" in caplog.text


# What is named


def test_the_log_has_request_line_endpoint_and_the_place(
    app: Groundwire, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(app) as wire:
        wire.send(GET)
        assert gate.entered.wait(SECONDS)
        sweep(wire, 61)
    (record,) = caplog.records
    lines = record.getMessage().splitlines()
    assert (logging.WARNING, "groundwire.server") == (record.levelno, record.name)
    assert (
        '"GET /hang?token=***&page=2 HTTP/1.1" (endpoint hang) has had no answer for 60 s: it got 503. '
        "Thread groundwire-1 is in:"
    ) == lines[0]
    assert lines[1].endswith(", in hang")  # not what is around it in the server
    assert "    return gate.wait()" == lines[2]
    assert any(line.startswith("    self.release.wait(") for line in lines)


def test_what_a_peer_sent_is_escaped(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    with Wire(lambda _: InThread(gate.wait), request_timeout_seconds=1) as wire:  # type: ignore[arg-type]
        wire.send(b'GET /\xe2\x80\xa8\x9b"x HTTP/1.1\r\nHost: h\r\n\r\n')
        if not wire.raw:
            assert gate.entered.wait(SECONDS)
            sweep(wire, 2)
            assert '"GET /\\xe2\\x80\\xa8\\x9b\\x22x HTTP/1.1" has had' in caplog.text


def test_the_stack_of_a_task_goes_through_all_it_awaits(
    app: Groundwire, caplog: pytest.LogCaptureFixture
) -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    @app.route("/deep")
    async def deep() -> str:
        await asyncio.create_task(inner())
        return ""

    with Wire(app, request_timeout_seconds=5) as wire:
        wire.send(message("/deep")).settle()
        sweep(wire, 6)
        wire.settle()
    places = [
        line.rpartition(" in ")[2] for line in caplog.text.splitlines() if line.startswith("  File")
    ]
    assert ["deep", "inner", "wait"] == places


@pytest.mark.slow
def test_a_thread_that_waits_for_a_coroutine_shows_where_that_is(
    app: Groundwire, caplog: pytest.LogCaptureFixture
) -> None:
    entered = threading.Event()

    @app.before_request
    def plain() -> None:
        pass

    @app.route("/mixed")
    async def mixed() -> str:
        entered.set()
        await asyncio.Event().wait()
        return ""

    with Wire(app, request_timeout_seconds=5) as wire:
        wire.send(message("/mixed"))
        wire.until(lambda: entered.is_set() and bool(awaited_tasks))
        sweep(wire, 6)
        assert "and waits for a task, which is in:" in caplog.text
        assert "in mixed\n" in caplog.text
        # The client has gone: what it waits for is cancelled, and the thread is free again.
        wire.connection.connection_lost(None)
        wire.until(lambda: wire.server.pool.pending == 0)


def test_a_thread_is_named_until_it_returns(
    app: Groundwire, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(app, request_timeout_seconds=10) as wire:
        wire.send(GET)
        assert gate.entered.wait(SECONDS)
        sweep(wire, 11)
        assert 1 == wire.server.hangs.threads
        sweep(wire, 100)
        gate.release.set()
        wire.until(lambda: wire.server.pool.pending == 0)
        sweep(wire, 1)
        assert 0 == wire.server.hangs.threads
    said = [record.getMessage().partition("(endpoint hang) ")[2][:25] for record in caplog.records]
    assert [
        "has had no answer for 10 ",
        "goes on, after 20 s. Thre",
        "goes on, after 40 s. Thre",
        "goes on, after 80 s. Thre",
        "has ended, after 112 s",
    ] == said


def test_it_is_said_once_that_every_thread_hangs(
    app: Groundwire, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(app, request_timeout_seconds=5, threads=1) as wire:
        wire.send(GET)
        assert gate.entered.wait(SECONDS)
        sweep(wire, 6)
        assert wire.server.hangs.all_threads_hang
        sweep(wire, 3)
    assert 1 == caplog.text.count("every thread of this process hangs")


def test_of_many_at_once_eight_stacks_are_looked_up(
    app: Groundwire, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(app, request_timeout_seconds=1) as wire:
        others = [Connection(wire.server) for _ in range(10)]
        for other in others:
            other.connection_made(MemoryTransport(("127.0.0.1", 50000), ("127.0.0.1", 80)))
            wire.loop.call_soon(other.data_received, message("/await"))
        wire.settle()
        for other in others * 2:
            enforce(other, 1)
        wire.settle()
        for other in others:
            other.connection_lost(None)
    assert 10 == len(caplog.records)
    assert 8 == caplog.text.count("await asyncio.Event().wait()")
    assert 2 == caplog.text.count("Where is not looked up")


# All that goes on


def test_stacks_name_threads_and_tasks_with_their_requests(app: Groundwire, gate: Gate) -> None:
    with Wire(app) as wire:
        wire.server.connections.add(wire.connection)
        wire.send(GET)
        assert gate.entered.wait(SECONDS)
        entries = {entry["request"]: entry for entry in stacks(wire.server)}
        hanging = entries['"GET /hang?token=***&page=2 HTTP/1.1" (endpoint hang)']
        assert ("thread", "groundwire-1") == (hanging["kind"], hanging["name"])
        assert "return gate.wait()" in hanging["stack"]
    with Wire(app) as wire:
        wire.server.connections.add(wire.connection)
        wire.send(message("/await")).settle()
        entries = {entry["request"]: entry for entry in stacks(wire.server)}
        waiting = entries['"GET /await HTTP/1.1" (endpoint wait_for_ever)']
        assert "task" == waiting["kind"]
        assert "await asyncio.Event().wait()" in waiting["stack"]


def test_threads_without_a_call_are_left_out(app: Groundwire, gate: Gate) -> None:
    gate.release.set()
    with Wire(app) as wire:
        wire.send(GET).until_idle()
        assert 200 == wire.answers()[0].status
        assert "groundwire-1" not in {entry["name"] for entry in stacks(wire.server)}


# Nothing that a view does ends the server


@pytest.mark.parametrize("run", ["thread", "inline"])
@pytest.mark.parametrize(
    "error", [SystemExit, KeyboardInterrupt, MemoryError, RecursionError, GeneratorExit]
)
def test_whatever_a_view_raises_is_answered_and_named(
    run: str, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    app = Groundwire(__name__)

    @app.route("/raise", run=run)
    def raising() -> str:
        if error is RecursionError:
            return raising()
        raise error

    @app.route("/")
    def index() -> str:
        return "fine"

    with Wire(app) as wire:
        wire.send(message("/raise")).until_idle()
        wire.send(message("/")).until_idle()
        assert [500, 200] == [answer.status for answer in wire.answers()]
    assert "Exception on /raise [GET]" in caplog.text
    assert error.__name__ in caplog.text


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError, RecursionError])
def test_whatever_a_coroutine_raises_is_answered_and_named(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    app = Groundwire(__name__)

    @app.route("/raise")
    async def raising() -> str:
        await asyncio.sleep(0)
        if error is RecursionError:
            return await raising()
        raise error

    @app.route("/stream")
    def stream() -> Response:
        async def pieces() -> AsyncIterator[str]:
            raise error
            yield ""

        return Response(pieces())

    with Wire(app) as wire:
        wire.send(message("/raise")).until_idle()
        wire.send(message("/stream")).until_idle()
        assert [500, 500] == [answer.status for answer in wire.answers()]
    assert "Exception on /raise [GET]" in caplog.text
    assert error.__name__ in caplog.text


def test_beyond_threads_and_queue_requests_get_503_at_once(app: Groundwire, gate: Gate) -> None:
    @app.route("/health", run="inline")
    def health() -> str:
        return f"{request.method} fine"

    with Wire(app, threads=1, thread_queue=1) as wire:
        for _ in range(2):
            wire.server.pool.submit(wire.server.context.copy(), gate.wait, (), lambda _: None)
        wire.send(message("/hang"), message("/health")).until_idle()
        refused, fine = wire.answers()
        assert (503, "1") == (refused.status, refused.headers["Retry-After"])
        assert (200, b"GET fine") == (fine.status, fine.content)


def _reading(handle: Any) -> Any:
    class Handler:
        request_class = Request

        def handle(self, request: Request) -> Any:
            return handle(request)

        def content_policy(self, request: Request) -> ContentPolicy:
            return ContentPolicy(None, whole=False)

        def startup(self) -> None: ...

        def shutdown(self) -> None: ...

    return Handler()


@pytest.mark.slow
def test_a_program_that_ends_its_process_is_told_by_its_stack() -> None:
    program = """
import os
from groundwire.server.exits import told_exits

def leave(status):
    os._exit(status)

with told_exits(1):
    if os.fork() == 0:
        leave(0)  # a process of the program's own may end so
    os.wait()
    leave(3)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert 3 == ended.returncode
    assert 1 == ended.stdout.count(" in leave\n")
