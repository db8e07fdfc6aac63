"""An ASGI 3 application as a handler: HTTP and lifespan scopes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, cast
from urllib.parse import unquote

from ..http.exchange import Content, ContentError
from ..http.handler import DEFAULT_CONTENT_LIMIT_BYTES, ContentPolicy
from ..http.request import Request
from ..http.request_content import http_error
from ..http.response import Response
from ..protocol.head import RequestHead
from .following import describe_routing, telling

logger = logging.getLogger("groundwire.adapters")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

DISCONNECT: Message = {"type": "http.disconnect"}


class ASGIHandler:
    """Serves `application`, each request in a task on the server's loop.

    Args:
        application: an ASGI 3 callable.
        max_content_length: limit of a request's content in octets; None for no limit.
    """

    request_class: type[Request] = Request

    def __init__(
        self,
        application: ASGIApplication,
        max_content_length: int | None = DEFAULT_CONTENT_LIMIT_BYTES,
    ) -> None:
        self._application = application
        self._policy = ContentPolicy(max_content_length, whole=False)
        self._state: dict[str, Any] = {}
        self._lifespan = Lifespan(application, self._state)

    async def handle(self, request: Request) -> Response:
        """Run the application until its response has begun; the rest follows as it is sent."""
        call = Call(request)
        task = asyncio.ensure_future(self._run(self._scope(request), call))
        return await call.response(task)

    async def _run(self, scope: dict[str, Any], call: "Call") -> None:
        try:
            await self._application(scope, call.receive, call.send)
        except (
            SystemExit,
            KeyboardInterrupt,
        ) as error:  # raised in a task, these end the event loop
            raise RuntimeError(f"the application raised {error!r}") from error

    def begin_tracing(self) -> None:
        """Tell of each call of the application when somebody takes notes (`groundwire.http.tracing`)."""
        self._application = telling(self._application)

    def describe_routing(self, request_or_head: Any) -> dict[str, Any]:
        """Return what is known of how the application answers: which function it is, and where it runs."""
        return describe_routing(self._application, "loop", "ASGI applications are coroutines")

    def content_policy(self, request: Request) -> ContentPolicy:
        """Hand content over as it is received."""
        return self._policy

    async def startup(self) -> None:
        """Run the lifespan's startup, where the application has one.

        Raises:
            RuntimeError: the application says that its startup failed.
        """
        await self._lifespan.start()

    async def shutdown(self) -> None:
        """Run the lifespan's shutdown."""
        await self._lifespan.stop()

    def _scope(self, request: Request) -> dict[str, Any]:
        head, exchange = request.head, request.exchange
        assert head is not None
        assert exchange is not None
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": head.version.removeprefix("HTTP/"),
            "method": head.method,
            "scheme": exchange.scheme,
            # As the client asked for it (spec 2.4): with what a proxy has cut off.
            "path": exchange.root_path + unquote(head.path),
            "raw_path": head.path.encode("ascii"),
            "query_string": head.query.encode("ascii"),
            "root_path": exchange.root_path,
            "headers": _fields(request, head),
            "client": _pair(exchange.peer),
            "server": _pair(exchange.local),
            "state": self._state.copy(),
        }


def _fields(request: Request, head: RequestHead) -> list[tuple[bytes, bytes]]:
    fields = [(name.lower(), value) for name, value in head.lines]
    if "id" in request.__dict__:  # as if a proxy in front of us had written it
        fields = [field for field in fields if field[0] != b"x-request-id"]
        fields.append((b"x-request-id", str(request.id).encode("latin-1", "replace")))
    return fields


def _pair(address: tuple[str, int] | str) -> tuple[str, int | None]:
    return (address, None) if isinstance(address, str) else address


class Call:
    """One call of an application: its `receive` and `send`, and the response that comes of them."""

    def __init__(self, request: Request) -> None:
        self._content = _chunks(request.content)
        self._content_ended = False
        self._failure: ContentError | None = None
        self._gone = asyncio.Event()
        self._start: Message | None = None
        self._bodies: asyncio.Queue[Message | None] = asyncio.Queue()
        # Set while `send` need not wait: one message at a time, the next when the connection has taken it.
        self._room = asyncio.Event()
        self._room.set()

    async def receive(self) -> Message:
        """Give the application the next piece of content, or, after the last, the client's going away."""
        if self._content_ended:
            await self._gone.wait()
            return DISCONNECT
        try:
            piece = await anext(self._content, b"")
        except ContentError as error:
            self._failure = error
            self._content_ended = True
            self._gone.set()
            return DISCONNECT
        self._content_ended = not piece
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(self, message: Message) -> None:
        """Take a message of the application's response.

        Raises:
            OSError: the client has gone (ASGI HTTP spec 2.4).
            RuntimeError: this message may not come now.
        """
        if self._gone.is_set():
            raise OSError("the client has gone")
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            self._start = message
        elif kind == "http.response.body" and self._start is not None:
            await self._room.wait()
            if self._gone.is_set():
                raise OSError("the client has gone")
            self._room.clear()
            self._bodies.put_nowait(message)
        else:
            raise RuntimeError(f"the ASGI message {kind!r} may not be sent now")

    async def response(self, task: "asyncio.Future[None]") -> Response:
        """Wait until the application sends content, and make the response.

        ASGI knows no content that is too large, only clients that have gone: an application that was told so for want
        of anything better is answered for.

        Raises:
            RuntimeError: the application ended without a response.
            Exception: whatever the application raised before that.
        """
        task.add_done_callback(self._ended)
        try:
            first = await self._bodies.get()
        except asyncio.CancelledError:
            self._leave(task)
            raise
        if first is None or self._start is None:
            if self._failure is not None:
                if not task.cancelled():
                    task.exception()  # seen; most raise something when the client has gone
                answer: Response = http_error(self._failure).get_response()
                return answer
            task.result()
            raise RuntimeError("the ASGI application ended without a response")
        fields = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in cast("Iterable[tuple[bytes, bytes]]", self._start.get("headers", ()))
        ]
        status = int(self._start["status"])
        if first.get("more_body", False):
            return Response(self._pieces(first, task), status=status, headers=fields)
        return Response(bytes(first.get("body", b"")), status=status, headers=fields)

    async def _pieces(
        self, message: Message | None, task: "asyncio.Future[None]"
    ) -> AsyncIterator[bytes]:
        try:
            while message is not None:
                yield bytes(message.get("body", b""))
                if not message.get("more_body", False):
                    return
                self._room.set()
                message = await self._bodies.get()
            task.result()
            raise RuntimeError("the ASGI application ended in the middle of its response")
        finally:
            self._leave(task)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._bodies.put_nowait(None)
        if not task.cancelled() and task.exception() is not None and self._gone.is_set():
            logger.debug(
                "an ASGI application ended after its client had gone", exc_info=task.exception()
            )

    def _leave(self, task: "asyncio.Future[None]") -> None:
        """Let the application know that nobody listens any more, and cancel it if it does not end by that."""
        self._gone.set()
        self._room.set()
        if not task.done():
            asyncio.get_running_loop().call_later(1.0, task.cancel)


async def _chunks(content: bytes | Content) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        if content:
            yield content
    else:
        async for piece in content.chunks():
            yield piece


class Lifespan:
    """The lifespan scope of an application: one task from before the first request to after the last."""

    def __init__(self, application: ASGIApplication, state: dict[str, Any]) -> None:
        self._application = application
        self._state = state
        self._task: asyncio.Future[None] | None = None
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message | None] = asyncio.Queue()

    async def start(self) -> None:
        """Start the application. One that does not know the scope raises, and is served without it."""
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        self._task = asyncio.ensure_future(
            self._application(scope, self._to_app.get, self._from_app.put)
        )
        self._task.add_done_callback(lambda _: self._from_app.put_nowait(None))
        await self._to_app.put({"type": "lifespan.startup"})
        answer = await self._from_app.get()
        if answer is None:
            if not self._task.cancelled():
                logger.debug("the application has no lifespan", exc_info=self._task.exception())
            self._task = None
        elif answer["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the ASGI application could not start: {answer.get('message', '')}")

    async def stop(self) -> None:
        """End the application."""
        if self._task is None:
            return
        await self._to_app.put({"type": "lifespan.shutdown"})
        answer = await self._from_app.get()
        if answer is not None and answer["type"] == "lifespan.shutdown.failed":
            logger.error("the ASGI application did not end well: %s", answer.get("message", ""))
        with contextlib.suppress(Exception):
            await self._task
        self._task = None
