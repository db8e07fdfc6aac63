"""Plain iterators, stepped ahead of the client."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from groundwire.http.handler import InThread
from groundwire.http.response import Response
from groundwire.server import ahead as ahead_module
from groundwire.server.ahead import AHEAD_BYTES, AHEAD_PIECES, Ahead
from groundwire.server.sending import encoded
from serving import SECONDS, running_server
from wire import Wire, request

GET = request("/")


@pytest.fixture(autouse=True)
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that has no processor for a while has used up its time with less than it may make."""
    monkeypatch.setattr(ahead_module, "monotonic", lambda: 0.0)


def made_ahead(source: Iterator[Any]) -> tuple[Ahead, list[bytes]]:
    """Pull once, as a thread does, and return what there is then."""

    async def pull() -> tuple[Ahead, list[bytes]]:
        made = Ahead(source, encoded)
        await asyncio.to_thread(made.pull)
        assert made.changed.is_set()
        pieces = []
        while (piece := made.take()) is not None:
            pieces.append(piece)
        return made, pieces

    return asyncio.run(pull())


def test_what_is_made_is_bounded_in_octets() -> None:
    made, pieces = made_ahead(iter([b"x" * 1000] * 1000))

    assert AHEAD_BYTES <= sum(map(len, pieces)) < AHEAD_BYTES + 1000
    assert not made.ended


def test_what_is_made_is_bounded_in_pieces() -> None:
    _, pieces = made_ahead(iter(["x"] * 1000))

    assert [b"x"] * AHEAD_PIECES == pieces


def test_what_is_made_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(ahead_module, "monotonic", lambda: next(clock) * 0.004)

    _, pieces = made_ahead(iter(["x"] * 10))

    assert 3 == len(pieces)


def test_empty_pieces_are_left_out_and_the_end_is_known() -> None:
    async def pull() -> None:
        made = Ahead(iter(["", "a", b"", b"b"]), encoded)
        await asyncio.to_thread(made.pull)
        assert [b"a", b"b", None] == [made.take() for _ in range(3)]
        assert made.ended

    asyncio.run(pull())


def test_one_that_is_stopped_steps_no_more() -> None:
    async def pull() -> None:
        def source() -> Iterator[str]:
            yield "a"
            made.stopped = True
            yield "b"
            pytest.fail("stepped")

        made = Ahead(source(), encoded)
        await asyncio.to_thread(made.pull)
        assert [b"a", b"b", None] == [made.take() for _ in range(3)]
        assert not made.ended

    asyncio.run(pull())


def test_a_piece_goes_out_while_the_next_is_waited_for() -> None:
    gate = threading.Event()

    def source() -> Iterator[str]:
        yield "first"
        assert gate.wait(SECONDS)
        yield "second"

    with Wire(lambda _: Response(source())) as wire:
        wire.send(GET).until(lambda: b"first" in wire.raw)
        gate.set()
        (answer,) = wire.until_idle().answers()

        assert b"firstsecond" == answer.content


def test_pieces_that_come_in_one_go_are_chunks_of_their_own() -> None:
    with Wire(lambda _: Response(iter(["ab", "c"]))) as wire:
        wire.send(GET).until_idle()

        assert wire.raw.endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")


def test_the_iterator_waits_until_the_client_has_taken_enough() -> None:
    made: list[int] = []

    def source() -> Iterator[bytes]:
        for number in range(1000):
            made.append(number)
            yield b"x" * 1024

    with Wire(lambda _: Response(source())) as wire:
        wire.connection.pause_writing()
        wire.send(GET).until(lambda: len(made) >= 64).settle()
        time.sleep(0.02)
        assert len(made) <= 2 * 64 + 2  # in pieces of 1 KiB: one burst, and one more behind it
        wire.connection.resume_writing()
        (answer,) = wire.until_idle().answers()

        assert 1000 * 1024 == len(answer.content)


def test_what_came_before_an_error_goes_out() -> None:
    def source() -> Iterator[Any]:
        yield "before"
        yield 1

    with Wire(lambda _: Response(source())) as wire:
        wire.send(GET).until(lambda: wire.closed)

        assert b"before" in wire.raw


def test_a_fast_stream_leaves_the_threads_to_others() -> None:
    """Streams hold half of the threads at most, here one, and each gets its turn."""
    stop = threading.Event()

    def endless(mark: str) -> Iterator[str]:
        while not stop.is_set():
            yield mark * 1000

    def handle(received: Any) -> Response:
        return Response(endless(received.path[-1]))

    with running_server(handle, threads=2) as served:
        with served.connect() as one, served.connect() as other:
            one.sendall(request("/1"))
            other.sendall(request("/2"))
            seen = [client.recv(65536) + client.recv(65536) for client in (one, other)]
        stop.set()

    assert b"1" * 1000 in seen[0]
    assert b"2" * 1000 in seen[1]


def test_a_response_is_closed_once_its_last_step_has_ended(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write fails, and only then the connection's end is told, while a thread is in the iterator."""
    within, go_on = threading.Event(), threading.Event()
    closed: list[bool] = []

    def source() -> Iterator[bytes]:
        yield b"first"
        within.set()
        go_on.wait(SECONDS)
        yield b"second"

    def answer() -> Response:
        response = Response(source())
        response.call_on_close(lambda: closed.append(go_on.is_set()))
        return response

    with Wire(lambda _: InThread(answer)) as wire:
        # As a transport whose write has failed, and that has not said so yet.
        monkeypatch.setattr(type(wire.transport), "is_closing", lambda _self: within.is_set())
        wire.send(GET).until(within.is_set).settle()
        wire.connection.connection_lost(None)
        wire.settle()
        go_on.set()
        wire.until(lambda: closed != [])
        monkeypatch.undo()

    assert [True] == closed
    assert [] == caplog.records
