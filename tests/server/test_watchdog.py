"""The watchdog: what holds the loop is named while it does. Time is told by the tests, where nothing has to be held."""

import asyncio
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from types import CodeType
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.server.watchdog import Watchdog
from serving import SECONDS, running_server
from supervising import eventually
from wire import request

LOOPS = pytest.mark.parametrize("loop", ["uvloop", "asyncio"])


class FakeLoop:
    """A loop whose turns are taken by the test."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def call_soon_threadsafe(self, function: Callable[[], None]) -> None:
        self.waiting.append(function)

    def turn(self) -> None:
        while self.waiting:
            self.waiting.pop()()


@pytest.fixture
def held() -> Iterator["Held"]:
    held = Held()
    yield held
    held.close()


class Held:
    """Callbacks that a thread, which stands for the loop's, is in one after the other."""

    def __init__(self) -> None:
        self.now = 100.0
        self.loop = FakeLoop()
        self.connections: set[Any] = set()
        self._gate: SimpleQueue[None] = SimpleQueue()
        self._inside = threading.Event()
        self._waits = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._base)
        self._thread.start()
        assert self._thread.ident is not None
        ident = self._thread.ident
        self.dog = Watchdog(self, lambda: self.now, lambda: sys._current_frames().get(ident))  # type: ignore[arg-type]
        self.dog._base = Held._base.__code__

    def _base(self) -> None:
        while True:
            self._waits.set()
            self._gate.get()  # in C: no frame above this one
            self._waits.clear()
            if not self._callbacks:
                return
            self._callbacks.pop()()

    def begin(self) -> None:
        """Have the loop call something that does not return until `end`."""

        def callback() -> None:
            self._inside.set()
            self._gate.get()

        assert self._waits.wait(SECONDS)
        self._inside.clear()
        self._callbacks.append(callback)
        self._gate.put(None)
        assert self._inside.wait(SECONDS)
        # It may still be about to return from saying so.
        last_line = max(line for *_, line in callback.__code__.co_lines() if line is not None)
        eventually(lambda: self._line_of(callback.__code__) == last_line)

    def _line_of(self, code: CodeType) -> int:
        """The line that the thread is in, if that is one of a function's own."""
        assert self._thread.ident is not None
        frame = sys._current_frames()[self._thread.ident]
        return frame.f_lineno if frame.f_code is code else 0

    def end(self, *, answers: bool = True) -> None:
        """Have it return; the loop answers then, unless it has more to do first."""
        self._waits.clear()
        self._gate.put(None)
        assert self._waits.wait(SECONDS)
        if answers:
            self.loop.turn()

    def look(self, after_seconds: float = 1 / 16) -> None:
        self.now += after_seconds
        self.dog.look()

    def close(self) -> None:
        if self._waits.wait(0.1):
            self._callbacks.clear()
        else:
            self._gate.put(None)
        self._gate.put(None)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().splitlines()[0] for record in caplog.records]


def test_a_loop_that_waits_is_not_asked(held: Held, caplog: pytest.LogCaptureFixture) -> None:
    assert held._waits.wait(SECONDS)
    for _ in range(100):
        held.look()
    assert ([], []) == (held.loop.waiting, said(caplog))


def test_what_holds_the_loop_is_logged_while_it_does_and_then_how_long(
    held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    held.begin()
    held.look()
    held.look()
    assert [] == said(caplog)
    held.look()
    (record,) = caplog.records
    assert logging.WARNING == record.levelno
    first, *stack = record.getMessage().splitlines()
    assert first == (
        "the event loop is held by the callback Held.begin.<locals>.callback for 125 ms now,"
        " and all other connections wait. It is in:"
    )
    assert "    self._gate.get()" == stack[-1]
    for _ in range(20):
        held.look()
    held.end()
    held.look()
    assert [
        "the event loop was held for 1.38 s by the callback Held.begin.<locals>.callback"
    ] == said(caplog)[1:]


def test_many_short_callbacks_in_a_row_are_no_hold(
    held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    held.begin()
    held.look()
    for _ in range(20):  # all of them before the loop comes to answering
        held.end(answers=False)
        held.begin()
        held.look()
    held.end()
    held.look()
    assert [] == said(caplog)


def test_a_loop_that_answers_between_two_looks_is_not_held(
    held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    held.begin()
    for _ in range(20):
        held.look()
        held.loop.turn()
    held.end()
    assert [] == said(caplog)


def test_of_many_holds_in_a_row_one_in_two_seconds_is_logged(
    held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        held.begin()
        for _ in range(5):
            held.look()
        held.end()
        held.look()
    began = [line for line in said(caplog) if " is held by " in line]
    assert 2 == len(began)
    assert "(4 more holds since the last were not logged.) It is in:" in began[1]


def test_a_long_hold_is_logged_even_soon_after_another(
    held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    held.begin()
    for _ in range(4):
        held.look()
    held.end()
    held.look()
    held.begin()
    for _ in range(16):
        held.look()
    assert 2 == len(caplog.records)
    held.look()
    assert 3 == len(caplog.records)
    assert " for 1000 ms now" in said(caplog)[2]


@pytest.mark.slow
@LOOPS
def test_a_hold_by_a_view_is_named_by_its_request(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Groundwire(__name__)
    logged = threading.Event()

    @app.route("/hold", run="inline")
    def hold() -> str:
        logged.wait(SECONDS)
        return ""

    @app.route("/hold-in-task")
    async def hold_in_task() -> str:
        await asyncio.sleep(0)
        logged.wait(SECONDS)
        return ""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if is_of_view(record):
                logged.set()

    def is_of_view(record: logging.LogRecord) -> bool:
        # On a machine that does other things too, anything may be said to hold the loop.
        said = record.getMessage()
        return " is held by " in said and "(endpoint hold" in said

    handler = Handler()
    logging.getLogger("groundwire.server").addHandler(handler)
    try:
        for path in ("/hold?key=1", "/hold-in-task?key=1"):
            logged.clear()
            with running_server(app, loop=loop, watchdog=True) as served:
                served.exchange(request(path, Connection="close"))
    finally:
        logging.getLogger("groundwire.server").removeHandler(handler)
    inline, in_task = (record.getMessage() for record in caplog.records if is_of_view(record))
    assert re.search(r'"GET /hold\?key=\*\*\* HTTP/1.1" \(endpoint hold\) for \d{3,} ms', inline)
    task = r'"GET /hold-in-task\?key=\*\*\* HTTP/1.1" \(endpoint hold_in_task\) for \d{3,} ms'
    assert re.search(task, in_task)
    for message in (inline, in_task):
        assert "    logged.wait(SECONDS)" in message.splitlines()
        assert message.splitlines()[1].split(" in ")[-1].startswith("hold")


@pytest.mark.slow
@LOOPS
def test_a_server_at_work_is_not_said_to_be_held(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Groundwire(__name__)

    @app.route("/", run="inline")
    def index() -> str:
        return "fine"

    with running_server(app, loop=loop, watchdog=True) as served, served.connect() as client:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            client.sendall(request("/"))
            client.recv(65536)
    assert [] == said(caplog)


def test_the_thread_ends_with_the_server() -> None:
    with running_server(Groundwire(__name__), watchdog=True) as served:
        served.exchange(request("/", Connection="close"))
        assert "groundwire-watchdog" in {thread.name for thread in threading.enumerate()}
    for thread in threading.enumerate():
        if thread.name == "groundwire-watchdog":
            thread.join(SECONDS)
            assert not thread.is_alive()


def test_there_is_none_where_it_is_off() -> None:
    with running_server(Groundwire(__name__)) as served:
        served.exchange(request("/", Connection="close"))
        assert "groundwire-watchdog" not in {thread.name for thread in threading.enumerate()}
