"""One answer that is not out at once: it is made later, goes out in pieces, or needs a head of its own."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Coroutine
from contextvars import Context
from time import perf_counter
from typing import Any, Protocol, cast

from ..http.environ import ENDS_OF_TAKEOVER
from ..http.errors import HTTPException
from ..http.exchange import ContentError, ContentNotStored
from ..http.handler import InThread
from ..http.request import Request
from ..http.response import Response
from .hangs import Handling
from .sending import Framing, Outlet, PeerGone, Progress, frame, send_stream
from .server_state import ServerState
from .takeover import Takeover
from .threads import Call, Outcome

logger = logging.getLogger("groundwire.server")

RETRY_SOON = ("Retry-After", "1")

CLIENT_GONE = 499
"""What the access log says, as nginx's does, of an exchange whose client went away before it was answered."""

SWITCHED = 101
"""What it says of one whose connection a program has taken over, whatever that has sent itself."""


class Answering(Outlet, Protocol):
    """The connection (or one stream of it) that an answer goes out on."""

    server: ServerState
    loop: asyncio.AbstractEventLoop
    peer: tuple[str, int] | str

    def may_persist(self, request: Request) -> bool:
        """Whether the connection can go on after the answer to `request`."""
        ...

    def answered(self, delivery: "Delivery", persistent: bool) -> bool:
        """Take note that the answer is out. True: the next request may follow at once."""
        ...

    def serve_next(self) -> None:
        """Go on with the next request, if one waits."""
        ...

    def reset(self, reason: str) -> None:
        """Give the connection up at once."""
        ...


class Delivery:
    """From what the handler returned for `request` to the last byte of the response.

    Bound to one exchange: what a thread or a task brings after the exchange has ended goes nowhere else.
    """

    __slots__ = (
        "_began",
        "_call",
        "_connection",
        "_context",
        "_over",
        "_progress",
        "_takeover",
        "_task",
        "handling",
        "request",
    )

    def __init__(
        self, connection: Answering, request: Request, context: Context, began: float
    ) -> None:
        self._connection = connection
        self._context = context
        self._began = began
        self._call: Call | None = None
        self._over = False
        self._takeover: Takeover | None = None
        self._task: asyncio.Task[Response] | asyncio.Task[None] | None = None
        self.request = request
        self.handling: Handling | None = None
        """How long it takes, once a sweep has met it."""

        self._progress: Progress | None = None

    def begin(self, answer: "Response | Awaitable[Response] | InThread") -> bool:
        """Send the answer, or wait for it. True: it is out and the next request may follow at once."""
        connection = self._connection
        if isinstance(answer, Response):
            return self._respond(answer)
        if isinstance(answer, InThread):
            self._call = connection.pool.submit(
                self._context, answer.function, answer.args, self._replied
            )
            return self._call is None and self._respond(_busy())
        coroutine = answer if asyncio.iscoroutine(answer) else _awaited(answer)
        task = _start(
            cast("Coroutine[Any, Any, Response]", coroutine), connection.loop, self._context
        )
        if task.done():
            return self._take(_outcome(task))
        self._task = task
        if self._over:
            # What it read was refused, and it ran then, so that it could not be cancelled.
            task.cancel()
        task.add_done_callback(self._task_done)
        return False

    def _task_done(self, task: "asyncio.Task[Response]") -> None:
        self._task = None
        self._replied(_outcome(task))

    def _replied(self, outcome: Outcome) -> None:
        """Take the answer that a thread or a task has made, and go on with the next request."""
        if self._take(outcome):
            self._connection.serve_next()

    def _take(self, outcome: Outcome) -> bool:
        """Send the answer that was made. True: it is out and the next request may follow at once."""
        answer = outcome.value
        if self._over:
            if isinstance(answer, Response):
                self._close(answer)
            takeover = self._takeover
            if takeover is not None:
                if not isinstance(outcome.error, (*ENDS_OF_TAKEOVER, type(None))):
                    logger.error(
                        "a program failed with the connection it took", exc_info=outcome.error
                    )
                self.note_switch()
                takeover.handler_ended()
            return False
        if isinstance(outcome.error, asyncio.CancelledError):
            self._connection.reset("the handler was cancelled")
            return False
        if isinstance(outcome.error, HTTPException):
            answer = outcome.error.get_response()
        if not isinstance(answer, Response):
            logger.error("the handler gave no response: %r", answer, exc_info=outcome.error)
            answer = _failure()
        return self._respond(answer)

    def _respond(self, response: Response) -> bool:
        """Send a response. True: it is out and the next request may follow at once."""
        connection = self._connection
        head = self.request.head
        assert head is not None
        writer = connection.server.writer
        persistent = connection.may_persist(self.request)
        if (
            persistent
            and head.usual
            and (plain_type := response.plain_type) is not None
            and (plain := response.content) is not None
            and response.on_close is None
            and response.reason is None
            and 200 <= response.status_code <= 599
        ):
            # PERF: a prepared head, as on the connection's straight line: 3 µs less.
            connection.send(writer.whole(response.status_code, plain_type, plain))
            return self._finish(response, persistent, len(plain))
        if head.method == "CONNECT" and response.status_code < 300:
            # RFC 9110 §9.3.6: a client takes any 2xx for a tunnel to the host it named.
            self._close(response)
            response = _no_tunnel()
        try:
            response.settle(self.request)
            framing = frame(writer, head, response, persistent)
        except Exception:  # a program may override how its responses become messages
            logger.exception("the response to %s %r cannot be sent", head.method, self.request.path)
            self._close(response)
            response = _failure()
            framing = frame(writer, head, response, persistent)
        if framing.has_content and response.content is None:
            self._progress = Progress(response, framing.length)
            # A plain iterator's steps enter the exchange's context in threads, so the task needs another one.
            context = self._context if hasattr(response.source, "__aiter__") else Context()
            self._task = connection.loop.create_task(
                self._stream(response, framing, self._progress), context=context
            )
            return False
        content = (response.content or b"") if framing.has_content else b""
        connection.send(framing.head + content)
        return self._finish(response, framing.persistent, len(content))

    @property
    def streaming(self) -> bool:
        """Whether part of the response is out, so that no other answer can take its place."""
        return self._progress is not None and self._progress.begun

    async def _stream(self, response: Response, framing: Framing, progress: Progress) -> None:
        connection = self._connection
        writer = connection.server.writer
        try:
            await send_stream(connection, writer, framing, response, self._context, progress)
        except (asyncio.CancelledError, PeerGone) as gone:  # the client, or the server stops
            if progress.begun:
                self._record(response.status_code, progress.octets)
            self._close(response)
            if isinstance(gone, asyncio.CancelledError):
                raise
        except BaseException as error:
            self._task = None
            self._close(response)
            if not progress.begun:
                self._replied(Outcome(None, error))
                return
            # What was sent cannot be taken back; without its end the client sees that it is cut short.
            logger.exception("the response to %r broke off", self.request.path)
            self._record(response.status_code, progress.octets)
            connection.reset("the response broke off")
        else:
            self._task = None
            self._progress = None
            if self._finish(response, framing.persistent, progress.octets):
                connection.serve_next()

    def _finish(self, response: Response, persistent: bool, octets: int) -> bool:
        """End the exchange. True: the next request may follow at once."""
        self._record(response.status_code, octets)
        self._over = True
        self._close(response)
        return self._connection.answered(self, persistent)

    def _record(self, status: int, octets: int) -> None:
        """Count and log the exchange, with the octets that are out, though the response may have broken off."""
        server = self._connection.server
        server.counters.requests += 1
        if server.access_log is not None:
            elapsed = perf_counter() - self._began
            server.access_log.record(self._connection.peer, self.request, status, octets, elapsed)

    def _close(self, response: Response) -> None:
        """Close a response where its handler ran: functions given to `call_on_close` may block."""
        if response.on_close is None and response.content is not None:
            return
        if self._call is None:
            try:
                self._context.copy().run(response.close)
            except Exception:
                logger.exception("closing a response failed")
        elif not self._connection.pool.submit(
            self._context, response.close, (), _log_failure, steps_iterator=True
        ):
            logger.error("no thread was free to close the response to %r", self.request.path)

    # What a sweep asks of an answer that takes long (`groundwire.server.hangs`).

    @property
    def progress(self) -> Progress | None:
        """How much of the content of a streamed response is out."""
        return self._progress

    @property
    def task(self) -> "asyncio.Task[Any] | None":
        """The task that makes the answer, or sends it piece by piece."""
        return self._task

    @property
    def queued(self) -> Call | None:
        """The call that makes the answer, while it waits for a thread."""
        call = self._call
        return call if call is not None and not call.thread and not self._progress else None

    def is_worked_on_by(self, call: Call) -> bool:
        """Whether this call makes the answer, or a piece of it: all of them run in the exchange's context."""
        return call is self._call or call.context is self._context

    @property
    def elapsed_seconds(self) -> float:
        """How long ago the request was here."""
        return perf_counter() - self._began

    # Leaving HTTP.

    def is_made_in(self, thread: int) -> bool:
        """Whether this thread makes the answer, and has not done so yet."""
        call = self._call
        return call is not None and call.thread == thread and not self._over and not self._progress

    def leave(self, takeover: Takeover) -> None:
        """The thread that was to make the answer has taken the connection over; nothing more is sent here."""
        self._over = True
        self._takeover = takeover
        if self._call is not None:
            self._connection.pool.part(self._call)

    def note_switch(self) -> None:
        """Count and log that the protocol was switched, once the other protocol is over."""
        if self._takeover is not None:
            self._takeover = None
            self._record(SWITCHED, 0)

    # Giving up.

    def peer_gone(self) -> None:
        """Give up, because nobody is there to take the answer."""
        if not self._over and not self.streaming:  # a stream tells itself
            self._record(CLIENT_GONE, 0)
        self.abandon()

    def abandon(self) -> None:
        """Give up: the peer has gone, or was refused meanwhile. A thread's answer will be dropped."""
        self._over = True
        task, self._task = self._task, None
        # A write may have told the task already that the peer has gone. Cancelled again, it would not wait for the
        # thread that is in the iterator, and close the response in the context which that thread has entered.
        if task is not None and not (self._progress is not None and self._progress.ending):
            task.cancel()


if sys.version_info >= (3, 12):

    def _start(
        coroutine: Coroutine[Any, Any, Response], loop: asyncio.AbstractEventLoop, context: Context
    ) -> asyncio.Task[Response]:
        """Run a coroutine in a task of its own: outside one, `asyncio.timeout` and `TaskGroup` fail.

        PERF: its first step runs here and now. One that never waits costs no turn of the loop that
        way: 9.7 µs with its request and response, of 14.
        """
        if loop.get_task_factory() is not None:  # a program's own way to make tasks is kept
            return loop.create_task(coroutine, context=context)
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)

else:

    def _start(
        coroutine: Coroutine[Any, Any, Response], loop: asyncio.AbstractEventLoop, context: Context
    ) -> asyncio.Task[Response]:
        """Run a coroutine in a task of its own: outside one, `asyncio.timeout` and `TaskGroup` fail."""
        return loop.create_task(coroutine, context=context)


async def _awaited(answer: Awaitable[Response]) -> Response:
    return await answer


def _outcome(task: "asyncio.Task[Response]") -> Outcome:
    if task.cancelled():
        return Outcome(None, asyncio.CancelledError())
    error = task.exception()
    return Outcome(task.result() if error is None else None, error)


def _failure() -> Response:
    return Response("Internal Server Error\n", 500, content_type="text/plain; charset=utf-8")


def _no_tunnel() -> Response:
    text = "This server makes no tunnels to other hosts.\n"
    return Response(text, 501, content_type="text/plain; charset=utf-8")


def _busy() -> Response:
    text = "Every thread of this server is busy, and as many requests as allowed wait for one. Try again.\n"
    return Response(text, 503, dict([RETRY_SOON]), content_type="text/plain; charset=utf-8")


def no_room(failure: ContentError) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Return the status, the text and the fields of the answer to content that the server cannot hold."""
    if isinstance(failure, ContentNotStored):
        return 507, "This server has no room on its disk for this content.", ()
    return 503, "This server holds as much content as it may. Try again later.", (RETRY_SOON,)


def _log_failure(outcome: Outcome) -> None:
    if outcome.error is not None:
        logger.error("closing a response failed", exc_info=outcome.error)
