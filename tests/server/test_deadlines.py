import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from groundwire.http.handler import ContentPolicy
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.server.deadlines import enforce
from groundwire.server.state import State
from wire import Wire, request

GET = request("/hello")


def hello(_: Request) -> Response:
    return Response("hello")


def sweep(wire: Wire, seconds: int, *arriving: bytes) -> None:
    """Let seconds pass, one sweep each; `arriving` comes before each of them."""
    for _ in range(seconds):
        if wire.closed:
            return
        if arriving:
            wire.send(*arriving)
        wire.server.now += 1
        enforce(wire.connection, wire.server.now)


def test_a_connection_that_never_sends_is_closed_without_an_answer() -> None:
    with Wire(hello) as wire:
        sweep(wire, 30)
        assert not wire.closed
        sweep(wire, 1)
        assert wire.closed
        assert b"" == wire.raw


def test_a_head_is_refused_10_seconds_after_its_first_byte_however_fast_bytes_come() -> None:
    with Wire(hello) as wire:
        sweep(wire, 5)
        wire.send(b"GET / HTTP/1.1\r\n")
        sweep(wire, 10, b"X-Header: x\r\n")
        assert not wire.closed
        sweep(wire, 1)
        (answer,) = wire.answers()
        assert 408 == answer.status
        assert wire.closed


def test_the_head_s_clock_starts_with_its_first_byte_behind_another_request() -> None:
    with Wire(hello) as wire:
        sweep(wire, 9)
        wire.send(GET + b"GET")
        sweep(wire, 10)
        assert not wire.closed
        sweep(wire, 1)
        assert wire.closed


def test_an_idle_connection_is_closed_after_15_seconds() -> None:
    with Wire(hello) as wire:
        sweep(wire, 14, GET)  # the last of them a second before this
        sweep(wire, 14)
        assert not wire.closed
        sweep(wire, 1)
        assert wire.closed
        assert 14 == len(wire.answers())


def test_content_that_pauses_for_30_seconds_is_refused() -> None:
    with Wire(hello, content_grace_seconds=1000) as wire:
        wire.send(request("/", "POST", Content_Length="10") + b"x")
        sweep(wire, 31)
        assert not wire.closed
        sweep(wire, 1)
        assert 408 == wire.answers()[0].status


def test_content_that_drips_is_refused_after_10_seconds() -> None:
    with Wire(hello) as wire:
        wire.send(request("/", "POST", Content_Length="100000"))
        sweep(wire, 10, b"x" * 499)
        assert not wire.closed
        sweep(wire, 2, b"x" * 499)
        assert 408 == wire.answers()[0].status


def test_content_at_500_bytes_a_second_is_received() -> None:
    with Wire(hello) as wire:
        wire.send(request("/", "POST", Content_Length="30000"))
        sweep(wire, 60, b"x" * 500)
        assert 200 == wire.answers()[0].status


def test_seconds_in_which_the_handler_does_not_read_do_not_count_against_the_client() -> None:
    gate = asyncio.Event()

    async def read_late(request: Request) -> Response:
        await gate.wait()
        async for _ in request.content.chunks():  # type: ignore[union-attr]
            pass
        return Response("read")

    class Handler:
        request_class = Request

        def handle(self, request: Request) -> Any:
            return read_late(request)

        def content_policy(self, request: Request) -> ContentPolicy:
            return ContentPolicy(None, whole=False)

        def startup(self) -> None: ...

        def shutdown(self) -> None: ...

    with Wire(Handler(), request_timeout_seconds=0) as wire:
        wire.send(request("/", "POST", Content_Length="10"))
        sweep(wire, 100)
        assert not wire.closed
        gate.set()
        wire.settle().send(b"0123456789").until_idle()
        assert b"read" == wire.answers()[0].content


@pytest.mark.parametrize(
    ("taken_a_second", "seconds"),
    [(0, 32), (200, 32), (499, 32)],
    ids=["stalled", "200 B/s", "499 B/s"],
)
def test_a_peer_that_takes_its_response_too_slowly_is_reset(
    taken_a_second: int, seconds: int
) -> None:
    with Wire(endless) as wire:
        pending = 100_000
        wire.transport.get_write_buffer_size = lambda: pending  # type: ignore[method-assign]
        wire.connection.pause_writing()
        wire.send(GET)
        wire.connection.octets_sent = pending
        while not wire.closed:
            pending -= taken_a_second
            sweep(wire, 1)
        assert seconds == wire.server.now
        assert 1 == wire.server.counters.resets


def test_a_peer_that_takes_2_kib_a_second_is_not_reset() -> None:
    with Wire(endless) as wire:
        pending = 1_000_000
        wire.transport.get_write_buffer_size = lambda: pending  # type: ignore[method-assign]
        wire.connection.pause_writing()
        wire.send(GET)
        wire.connection.octets_sent = pending
        for _ in range(200):
            pending -= 2048
            sweep(wire, 1)
        assert not wire.closed


async def pieces() -> AsyncIterator[bytes]:
    while True:
        yield b"x"


def endless(_: Request) -> Response:
    return Response(pieces())


def test_unread_content_is_waited_for_2_seconds_at_most() -> None:
    class Handler:
        request_class = Request

        def handle(self, request: Request) -> Any:
            return Response("early")

        def content_policy(self, request: Request) -> ContentPolicy:
            return ContentPolicy(None, whole=False)

        def startup(self) -> None: ...

        def shutdown(self) -> None: ...

    with Wire(Handler()) as wire:
        wire.send(request("/", "POST", Content_Length="10") + b"x")
        assert wire.connection.state is State.DRAINING
        sweep(wire, 2)
        assert not wire.closed
        sweep(wire, 1)
        assert wire.closed


def test_a_connection_that_lingers_is_closed_after_2_seconds() -> None:
    with Wire(hello) as wire:
        wire.transport.can_write_eof = lambda: True  # type: ignore[method-assign]
        wire.transport.write_eof = lambda: None  # type: ignore[method-assign]
        wire.send(b"BAD\r\n\r\n", b"discarded" * 1000)
        assert wire.connection.is_lingering
        sweep(wire, 2)
        assert not wire.closed
        sweep(wire, 1)
        assert wire.closed


def test_an_idle_connection_forgets_the_field_section_it_remembered() -> None:
    with Wire(hello) as wire:
        wire.send(GET, GET)
        first = wire.connection.reader
        sweep(wire, 3)
        wire.send(GET)
        assert first is wire.connection.reader
        assert 3 == len(wire.answers())
