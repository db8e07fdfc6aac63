"""The waist without our server: one connection in memory that carries two exchanges at once.

This is what HTTP/2 will be to the application, so nothing above the waist may know of a connection.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextvars import Context, copy_context
from typing import Any

from groundwire import Groundwire, request
from groundwire.http.exchange import Content
from groundwire.http.handler import InThread
from groundwire.http.response import Response
from groundwire.protocol.head import FieldSection, RequestHead


class FakeContent:
    """Content that a test hands over piece by piece."""

    def __init__(self) -> None:
        self.limit_bytes: int | None = None
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.held: list[bytes] = []
        self.complete = False

    def read(self, size: int = -1) -> bytes:
        assert self.complete, "read before it was whole"
        content = b"".join(self.held)
        taken = content if size < 0 else content[:size]
        self.held = [content[len(taken) :]]
        return taken

    async def chunks(self) -> AsyncIterator[bytes]:
        while piece := await self.pieces.get():
            yield piece

    async def receive_whole(self) -> None:
        async for piece in self.chunks():
            self.held.append(piece)
        self.complete = True


class FakeStream:
    """One of the exchanges of a connection: an `Exchange`, and what came of it."""

    peer = ("192.0.2.1", 1234)
    local = ("192.0.2.2", 443)
    scheme = "https"
    root_path = ""
    route = ()
    disconnected = False
    taken_over = False

    def __init__(self, app: Groundwire, path: str, content: FakeContent | None = None) -> None:
        self.app = app
        self.informed: list[int] = []
        self.sent: list[bytes] = []
        head = RequestHead()
        head.method, head.target, head.path, head.query = (
            "POST" if content else "GET",
            path,
            path,
            "",
        )
        head.form, head.version, head.authority = "origin", "HTTP/2", "example.com"
        head.fields = FieldSection()
        head.content_length = None if content else 0
        head.chunked, head.persistent, head.expectation = False, True, None
        self.request = app.request_class.from_wire(head, self)
        if content is not None:
            app.content_policy(self.request)
            self.request.content = content

    def offer_socket(self, head: RequestHead) -> None:
        """One stream of a connection cannot be given away."""

    def inform(self, status: int, fields: Iterable[tuple[str, str]]) -> None:
        self.informed.append(status)

    def reset(self, reason: str) -> None:
        raise AssertionError(reason)

    async def run(self, base: Context) -> Response:
        """Do what a server does: call the handler in a context of the exchange's own, wherever it says."""
        context = base.copy()
        answer: Any = context.run(self.app.handle, self.request)
        loop = asyncio.get_running_loop()
        if isinstance(answer, InThread):
            answer = await loop.run_in_executor(None, context.run, answer.function, *answer.args)
        elif asyncio.iscoroutine(answer):
            answer = await loop.create_task(answer, context=context)
        if answer.content is not None:
            self.sent.append(answer.content)
        else:

            async def pump() -> None:
                async for piece in answer.source:
                    self.sent.append(piece if isinstance(piece, bytes) else piece.encode())

            await loop.create_task(pump(), context=context)
        return answer


def test_two_exchanges_of_one_connection_run_interleaved() -> None:
    app = Groundwire("two")
    events: list[str] = []

    @app.post("/upload/<name>", stream=True)
    async def upload(name: str) -> str:
        size = 0
        async for chunk in request.stream:
            size += len(chunk)
            events.append(f"{name} {chunk.decode()}")
        return f"{name} {size} {request.path} {request.scheme}"

    async def connection() -> list[FakeStream]:
        first, second = FakeContent(), FakeContent()
        streams = [FakeStream(app, "/upload/a", first), FakeStream(app, "/upload/b", second)]
        base = copy_context()
        running = [asyncio.ensure_future(stream.run(base)) for stream in streams]
        for number in range(3):
            first.pieces.put_nowait(b"x%d" % number)
            await asyncio.sleep(0.01)
            second.pieces.put_nowait(b"y%d" % number)
            await asyncio.sleep(0.01)
        second.pieces.put_nowait(b"")
        await running[1]
        first.pieces.put_nowait(b"")
        await running[0]
        return streams

    streams = asyncio.run(connection())

    assert ["a x0", "b y0", "a x1", "b y1", "a x2", "b y2"] == events
    assert [[b"a 6 /upload/a https"], [b"b 6 /upload/b https"]] == [
        stream.sent for stream in streams
    ]


def test_content_is_awaited_whole_before_an_async_view_that_does_not_stream() -> None:
    app = Groundwire("whole")

    @app.post("/")
    async def view() -> bytes:
        return request.get_data()

    async def connection() -> FakeStream:
        content = FakeContent()
        stream = FakeStream(app, "/", content)
        running = asyncio.ensure_future(stream.run(copy_context()))
        for piece in (b"he", b"llo", b""):
            content.pieces.put_nowait(piece)
            await asyncio.sleep(0)
        await running
        return stream

    assert [b"hello"] == asyncio.run(connection()).sent


def test_streamed_answers_and_threads_work_through_an_exchange_alone() -> None:
    app = Groundwire("streams")

    @app.get("/pieces")
    async def pieces() -> Any:
        async def generate() -> AsyncIterator[str]:
            for number in range(3):
                await asyncio.sleep(0)
                yield f"{number} {request.remote_addr},"

        return generate()

    @app.get("/plain", run="thread")
    def plain() -> str:
        return f"{request.path} {request.host}"

    async def connection() -> list[FakeStream]:
        streams = [FakeStream(app, "/pieces"), FakeStream(app, "/plain")]
        base = copy_context()
        await asyncio.gather(*[stream.run(base) for stream in streams])
        return streams

    first, second = asyncio.run(connection())

    assert [b"0 192.0.2.1,", b"1 192.0.2.1,", b"2 192.0.2.1,"] == first.sent
    assert [b"/plain example.com"] == second.sent


def test_the_fakes_are_what_the_waist_asks_for() -> None:
    content: Content = FakeContent()

    assert not content.complete
