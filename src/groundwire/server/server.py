"""A server: it opens, serves, and stops without losing anybody.

One clock drives everything that depends on time. Once a second the sweep renews the Date field and
lets each connection judge its own deadlines, so that no request needs a timer of its own.
"""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from ..http.errors import HTTPException
from ..http.handler import ContentPolicy, Handler
from ..http.request import Request
from ..http.response import Response
from ..protocol.http1.reader import RequestLines
from .access_log import AccessLog, make_access_log
from .addresses import ListeningSockets, open_sockets, scheme_of
from .clock import date_field
from .connection import Connection
from .content import ContentBudget
from .deadlines import enforce
from .delivery import Delivery
from .errors import StartError
from .hangs import Hangs
from .listener import Listener, connection_limit
from .metrics import Metrics
from .observer import Observer
from .redirecting import RedirectingState, writer_for
from .request_ids import IdentifiedDelivery, IdentifyingWriter, identifying
from .server_state import Answer, Counters, RequestLog
from .settings import ServerSettings
from .sink import Sink
from .stacks import named
from .threads import ThreadPool
from .tls import TLS
from .watchdog import Watchdog

if TYPE_CHECKING:
    from .proxies import Proxies

logger = logging.getLogger("groundwire.server")

SWEEP_SECONDS: Final = 1.0

NAMED_AT_CUT: Final = 10
"""So many of the requests that a stop cuts are named."""

JUDGED_AT_ONCE: Final = 100
"""Connections whose deadlines are looked at before others have their turn. PERF: all 10,000 held the loop for 20 ms,
and 300 that were overdue at the same time, to be reset, for 50."""

ABORT_SECONDS: Final = 1.0
"""How long a stop waits for connections that it has reset to be gone."""

DROPPED_LINES_SECONDS: Final = 60
"""Dropped log lines are told of once in this time."""

AnyHandler = Handler | Callable[[Request], Answer]


class CallableHandler:
    """A bare callable as a `Handler`: content comes whole, under the default limit."""

    request_class: type[Request] = Request

    def __init__(self, function: Callable[[Request], Answer]) -> None:
        self._function = function

    def handle(self, request: Request) -> Answer:
        """Answer by the function, or by what it raised if that is an answer, such as `RequestEntityTooLarge`."""
        try:
            answer = self._function(request)
        except HTTPException as error:
            response: Response = error.get_response()
            return response
        return _contained(answer) if inspect.iscoroutine(answer) else answer

    def content_policy(self, request: Request) -> ContentPolicy:
        """Receive content whole."""
        return ContentPolicy()

    def startup(self) -> None:
        """Nothing has to be made ready."""

    def shutdown(self) -> None:
        """Nothing has to be given back."""


class Server:
    """Serves one handler on one set of listening sockets, on one event loop.

    Used on the loop's thread only, but for `request_stop`. What connections see of it is
    `server_state.ServerState`.

    Args:
        handler: what answers; a bare callable will do.
        settings: where and how; the defaults are fit for production.
        connection_class: what serves one connection; a subclass can watch its bytes.
        listening: sockets that are listening already, to serve on in place of what `settings` say.
        sink: what the access log is written to, in place of what `settings` say.
        tls: the certificates, loaded already, in place of what `settings` say.
        observer: who watches its connections, if anybody does.

    Attributes:
        each_second: called by the sweep, once a second.
        metrics: the figures that are kept, if they are.
        observer: see the argument.
        url: where clients find it, once it is open: an http URL, or ``unix:`` and a path.
        port: the TCP port, the one chosen when 0 was asked for; None on a Unix socket.
        redirecting_port: the TCP port where plain HTTP is led to https, if there is one.
        tls: its TLS, once it is open; None where it speaks plain HTTP.
    """

    loop: asyncio.AbstractEventLoop
    context: contextvars.Context
    pool: ThreadPool
    content_budget: ContentBudget
    hangs: Hangs

    def __init__(
        self,
        handler: AnyHandler,
        settings: ServerSettings | None = None,
        connection_class: Callable[["Server"], Connection] = Connection,
        *,
        listening: ListeningSockets | None = None,
        sink: Sink | None = None,
        tls: TLS | None = None,
        observer: Observer | None = None,
    ) -> None:
        given: Any = handler
        self.handler: Handler = given if hasattr(given, "handle") else CallableHandler(given)
        self.handle: Callable[[Request], Answer] = self.handler.handle
        self.settings = settings or ServerSettings()
        self.writer = writer_for(self.settings, identifies=observer is not None)
        self.request_lines: RequestLines = {}
        self.counters = Counters()
        self.connections: set[Connection] = set()
        self.access_log: RequestLog | None = None
        self.metrics: Metrics | None = None
        self.delivery_class: Callable[..., Delivery] = Delivery
        self.now = 0
        self.stopping = False
        self.lingering = 0
        self.upgraded = 0
        self.each_second: list[Callable[[], None]] = []
        self.url = listening.url if listening is not None else ""
        self.port: int | None = listening.port if listening is not None else None
        self.observer = observer
        if observer is not None:
            given_class: Any = connection_class
            connection_class = observer.connection_class(given_class)
        self._connection_class = connection_class
        self._listening = listening
        self._listeners: list[Listener[Connection]] = []
        self._redirecting: RedirectingState | None = None
        self.redirecting_port: int | None = None
        self.tls = tls
        self._proxies: Proxies | None = None
        self._sink = sink
        self._log: AccessLog | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._next_sweep = 0.0
        self._end_by: float | None = None
        self._dropped_told = 0
        self._dropped_told_at = -DROPPED_LINES_SECONDS
        self._none_open = asyncio.Event()
        self._end_requested = asyncio.Event()
        self._stop_requested = asyncio.Event()
        self._stop_at_once = asyncio.Event()

    @property
    def has_started(self) -> bool:
        """Whether it accepts connections, or has."""
        return self._next_sweep > 0

    def open(self) -> None:
        """Bind, listen, and open the log: all that can go wrong before a loop runs.

        Clients that connect from now on wait until `start`.

        Raises:
            StartError: the address, a certificate or the log file cannot be used.
        """
        if self.settings.trusted_proxies or self.settings.proxy_protocol != "off":
            # PERF: 15 ms, which only those pay who are behind a proxy.
            from .proxies import Proxies

            self._proxies = Proxies(self.settings)
        if self.tls is None and scheme_of(self.settings) == "https":
            self.tls = TLS.of(self.settings)
        if self._listening is not None:
            self._sink = self._sink or _open_log(self.settings.access_log)
            return
        listening = open_sockets(self.settings)
        try:
            self._sink = _open_log(self.settings.access_log)
        except BaseException:
            listening.close()
            raise
        self._listening = listening
        self.url = listening.url
        self.port = listening.port

    def close(self) -> None:
        """Give back what `open` took, if the server has not been started. Otherwise `stop` does."""
        if self._listening is not None and not self._listeners:
            self._listening.close()
            self._listening = None
        if self._sink is not None and self._log is None:
            self._sink.close()
            self._sink = None

    async def start(self) -> None:
        """Open if that has not been done, let the handler get ready, then accept connections.

        Raises:
            StartError: the address, a certificate or the log file cannot be used.
            Exception: whatever the handler's `startup` raised.
        """
        self.open()
        self.attach(asyncio.get_running_loop())
        listening = self._listening
        assert listening is not None  # `open` made it
        try:
            await _awaited(self.handler.startup)
        except BaseException:
            self.close()
            self._close()
            raise
        protect = None
        if self.tls is not None:
            protect = self.tls.protect
            self.each_second.append(self.tls.sweep)
        self._listeners.append(self._listener(listening, self, protect))
        if listening.redirecting and self.tls is not None:
            state: Any = RedirectingState(self, self.tls.certificates)
            self._redirecting = state
            self.redirecting_port = listening.redirecting[0].getsockname()[1]
            plain = ListeningSockets(listening.redirecting, "")
            self._listeners.append(self._listener(plain, state))
        self._plan_sweep()
        for listener in self._listeners:
            listener.start()

    def _listener(
        self,
        listening: ListeningSockets,
        state: Any,
        protect: Callable[[Connection], asyncio.Protocol] | None = None,
    ) -> Listener[Connection]:
        """Make what accepts on some sockets, for connections that see `state` as their server."""
        proxies = self._proxies
        make_proxied = None
        if proxies is not None and proxies.trusted:
            make_proxied = proxies.maker(state, self.observer)
            protect = proxies.introducing(protect)
        return Listener(
            self.loop,
            listening,
            functools.partial(self._connection_class, state),
            self.connections,
            max_connections=connection_limit(self.settings.max_connections),
            max_connections_per_address=self.settings.max_connections_per_address,
            protect=protect,
            make_proxied=make_proxied,
        )

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make what connections need besides sockets. `start` does it; a server in memory needs no more."""
        settings = self.settings
        self.loop = loop
        self.context = contextvars.copy_context()
        self.pool = ThreadPool(loop, settings.threads, settings.thread_queue)
        self.hangs = Hangs(
            self.pool,
            # A debugger stops where it likes.
            0 if getattr(self.handler, "debug", False) else settings.request_timeout_seconds,
            getattr(self.handler, "time_limit", None),
        )
        self.each_second.insert(0, self.hangs.sweep)
        self.content_budget = ContentBudget(
            settings.worker_memory_bytes, settings.worker_spool_bytes, settings.content_memory_bytes
        )
        if self._sink is not None:
            self.access_log = self._log = make_access_log(
                loop,
                self._sink,
                settings.access_log_format,
                request_id=settings.request_id,
            )
        if settings.request_id and isinstance(self.writer, IdentifyingWriter):
            self.delivery_class = IdentifiedDelivery
            self.handle = identifying(self.handle, self.writer)
        if settings.metrics:
            self.access_log = self.metrics = Metrics(self, self.access_log)
            self.handle = self.metrics.handle
            self.metrics.start()
        if self.observer is not None:
            self.observer.attached(self)
        self.writer.set_date(date_field(time.time()))

    async def serve(self, ready: Callable[[], None] | None = None) -> None:
        """Start, call `ready`, serve until `request_stop` or `request_retirement` is called, and stop.

        Raises:
            StartError: see `start`.
        """
        await self.start()
        watchdog = Watchdog(self) if self.settings.watchdog else None
        try:
            if ready is not None:
                ready()
            if watchdog is not None:
                watchdog.start()
            await self._end_requested.wait()
            if not self._stop_requested.is_set():
                await self._retire()
            await self.stop()
        finally:
            if watchdog is not None:
                watchdog.stop()

    def request_stop(self, *, at_once: bool = False) -> None:
        """Have `serve` stop: gracefully, or without waiting for anything. Safe to call in any thread.

        A second call while a graceful stop waits ends the waiting.
        """

        def ask() -> None:
            if at_once or self._stop_requested.is_set():
                self._stop_at_once.set()
            self._stop_requested.set()
            self._end_requested.set()

        self.loop.call_soon_threadsafe(ask)

    def request_retirement(self) -> None:
        """Leave the sockets to another process that accepts on them, and have `serve` end when its clients have.

        No idle connection is closed before its time, for its client may be about to send; the next answer on it says
        ``Connection: close``. After `graceful_seconds` the rest is cut. `request_stop` shortens it. On the loop's
        thread only.
        """
        self.stopping = True
        for listener in self._listeners:
            listener.leave()
        self._end_requested.set()

    def reload_certificates(self) -> None:
        """Read the certificates' files again, for handshakes from now on. On the loop's thread only."""
        if self.tls is not None:
            self.tls.certificates.reload()

    def reopen_log(self) -> None:
        """Open the access log's file anew, for it has been renamed. On the loop's thread only."""
        if self._sink is not None:
            try:
                self._sink.reopen()
            except StartError as error:
                logger.error("the log goes on in the old file: %s", error)

    async def stop(self) -> None:
        """Answer everything that was accepted or waits to be, for `graceful_seconds` at most, and end.

        Those who wait in the kernel's queue are accepted first. Answers say ``Connection: close``;
        idle connections, whose client may be about to send, are closed after a second.
        """
        if not self._listeners:
            return
        self.stopping = True
        for listener in self._listeners:
            listener.close()
        for listener in self._listeners:
            await listener.settle()
        self._listeners.clear()
        for connection in tuple(self.connections):
            connection.stop()
        await self._wait_until_none_open(self._stop_at_once)
        if self.connections:
            await self._cut()
        try:
            await _awaited(self.handler.shutdown)
        except Exception:
            logger.exception("the application's shutdown failed")
        self._close()

    async def _retire(self) -> None:
        self._answer_last()
        for listener in self._listeners:
            await listener.settle()
        self._answer_last()
        await self._wait_until_none_open(self._stop_requested)

    def _answer_last(self) -> None:
        for connection in tuple(self.connections):
            connection.stop(close_idle=False)

    # What connections call.

    def connection_made(self, connection: Connection) -> None:
        """Note that a connection is open."""
        self.counters.connections += 1
        self.connections.add(connection)
        if self.metrics is not None:
            self.metrics.connection_made(connection)
        for listener in self._listeners:
            listener.established(connection)

    def connection_lost(self, connection: Connection) -> None:
        """Forget a connection, and let another one in."""
        self.connections.discard(connection)
        if self.metrics is not None:
            self.metrics.connection_lost(connection)
        for listener in self._listeners:
            listener.released(connection)
        if self.stopping and not self.connections:
            self._none_open.set()

    # Within.

    def _plan_sweep(self) -> None:
        self._next_sweep = self.loop.time() + SWEEP_SECONDS
        self._sweep_timer = self.loop.call_at(self._next_sweep, self._sweep)

    def _sweep(self) -> None:
        # A loop that was late does not make up for it: with less than a second between two sweeps, deadlines would
        # come before their time. The next one is certain before anything else: without it none would hold.
        self._plan_sweep()
        self.now += 1
        # Date comes from the clock on the wall; deadlines count sweeps, which no change of it touches.
        self.writer.set_date(date_field(time.time()))
        if self._redirecting is not None:
            self._redirecting.writer.set_date(self.writer.date)
        self._enforce_deadlines(tuple(self.connections), 0)
        for call in self.each_second:
            try:
                call()
            except Exception:
                logger.exception("%r failed", call)
        if self._log is not None:
            self._log.refresh()
            self._tell_dropped_lines(self._log)

    def _enforce_deadlines(self, connections: tuple[Connection, ...], lingering: int) -> None:
        for connection in connections[:JUDGED_AT_ONCE]:
            if connection not in self.connections:
                continue
            try:
                enforce(connection, self.now)
            except Exception:
                logger.exception("a connection's deadlines could not be enforced")
                connection.abort()
            lingering += connection.is_lingering
        if len(connections) > JUDGED_AT_ONCE:
            self.loop.call_soon(self._enforce_deadlines, connections[JUDGED_AT_ONCE:], lingering)
        else:
            self.lingering = lingering

    def _tell_dropped_lines(self, log: AccessLog) -> None:
        self.counters.log_lines_dropped = dropped = log.dropped
        new = dropped - self._dropped_told
        if new and self.now - self._dropped_told_at >= DROPPED_LINES_SECONDS:
            self._dropped_told = dropped
            self._dropped_told_at = self.now
            logger.warning("%d lines of the access log could not be written and were dropped", new)

    async def _wait_until_none_open(self, asked_to_hurry: asyncio.Event) -> None:
        """Wait until no connection is open, `graceful_seconds` after the first such wait at most."""
        if self._end_by is None:
            self._end_by = self.loop.time() + self.settings.graceful_seconds
        if not self.connections:
            return
        self._none_open.clear()
        waiters = [
            self.loop.create_task(event.wait()) for event in (self._none_open, asked_to_hurry)
        ]
        seconds = max(0.0, self._end_by - self.loop.time())
        await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for waiter in waiters:
            waiter.cancel()

    async def _cut(self) -> None:
        for connection in tuple(self.connections):
            if connection.is_lingering:  # it has been answered
                connection.transport.close()
        number = sum(not connection.is_lingering for connection in self.connections)
        if not number:
            pass
        elif self._stop_at_once.is_set():
            logger.warning("%d connections were cut by a second request to stop", number)
        else:
            seconds = self.settings.graceful_seconds
            logger.warning(
                "%d connections were cut, because they had not ended within %g s", number, seconds
            )
        busy = [c.delivery.request for c in self.connections if c.delivery is not None]
        if busy:
            names = "\n".join(f"  {named(request)}" for request in busy[:NAMED_AT_CUT])
            logger.warning("%d of them were being answered, such as\n%s", len(busy), names)
        for connection in tuple(self.connections):
            if not connection.is_lingering:
                connection.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ABORT_SECONDS):
                await self._none_open.wait()

    def _close(self) -> None:
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None
        self.pool.close()
        if self.metrics is not None:
            self.metrics.stop()
        if self._log is not None:
            self._log.close()
            self.counters.log_lines_dropped = self._log.dropped


async def _contained(answer: Coroutine[Any, Any, Response]) -> Response:
    """Await `answer`, and let what it raises end its own request only."""
    try:
        return await answer
    except HTTPException as error:
        response: Response = error.get_response()
        return response
    except (SystemExit, KeyboardInterrupt) as error:  # raised in a task, these end the event loop
        raise RuntimeError(f"the handler raised {error!r}") from error


def _open_log(path: str) -> Sink | None:
    if path == "off":
        return None
    return Sink.to_stderr() if path == "-" else Sink.to_file(path)


async def _awaited(function: Callable[[], Any]) -> None:
    result = function()
    if inspect.isawaitable(result):
        await result
