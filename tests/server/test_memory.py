import asyncio
from collections.abc import AsyncIterator, Iterator

from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.server.memory import MemoryServer
from serving import SECONDS
from wire import request


def test_a_streamed_answer_of_known_length_ends_though_no_byte_follows_its_content() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"abc"

    server = MemoryServer(lambda _: Response(pieces(), headers={"Content-Length": "3"}))

    assert server.exchange(request("/"), timeout_seconds=SECONDS).endswith(b"abc")
    server.close()


def test_a_generator_that_a_handler_left_is_closed_when_the_server_is() -> None:
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def handle() -> Response:
        async for _ in numbers():
            break
        return Response("left")

    server = MemoryServer(lambda _: handle())

    assert server.exchange(request("/")).endswith(b"left")
    server.close()
    assert [True] == closed


def test_a_task_that_a_handler_left_is_cancelled_when_the_server_is_closed() -> None:
    cancelled = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def handle(request: Request) -> Response:
        request.task = asyncio.create_task(wait())  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        return Response("left")

    server = MemoryServer(lambda request: handle(request))

    assert server.exchange(request("/")).endswith(b"left")
    server.close()
    server.close()
    assert [True] == cancelled
