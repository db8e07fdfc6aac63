"""One HTTP/1.1 connection: bytes in, requests up to the handler, responses and bytes out.

The straight line, for a request whose handler answers at once::

    data_received -> _serve -> RequestReader -> handler.handle -> ResponseWriter -> transport.write

Everything else here is what happens when a message is refused, content is still on its way, an answer comes
later or in pieces, the peer is slow, or it goes away. A connection does one exchange after the other and is
itself the `Exchange` the handler sees; pipelined requests wait in the reader.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Iterable
from contextvars import Context
from time import perf_counter
from typing import Any, cast

from ..http.exchange import ContentInterrupted
from ..http.handler import HELD_LOOP_SECONDS, InThread
from ..http.request import Request
from ..http.response import Response
from ..http.tls import TLSInfo
from ..protocol.errors import ProtocolError
from ..protocol.head import RequestHead
from ..protocol.http1.reader import RequestReader
from .content import ReceivedContent
from .delivery import Delivery, no_room
from .pace import SendingPace
from .reception import Reception
from .refusals import send_refusal
from .sending import PeerGone
from .server_state import ServerState
from .sockets import reset
from .state import State
from .takeover import OfferedSocket, Takeover, can_be_offered

logger = logging.getLogger("groundwire.server")

# PERF: a batch of answers goes out in one write. It ends early so that one client's pipeline cannot hold up
# the others (200 KB of pipelined requests made another client wait 7 s without these bounds).
BATCH_REQUESTS = 16
BATCH_BYTES = 65536
BATCH_SECONDS = 0.001

PIPELINE_BYTES = 65536
"""Requests waiting in the reader beyond this pause reading."""

LINGER_BYTES = 16 * 1024 * 1024
LINGERING_CONNECTIONS = 256

STOP_IDLE_SECONDS = 1.0


READY = State.READY
CLOSED = State.CLOSED


class Connection(asyncio.Protocol):
    """A connection, and the exchange that is going on on it (`groundwire.http.exchange.Exchange`)."""

    __slots__ = (
        "_discarded",
        "delivery",
        "_drain_waiter",
        "_in_head",
        "eof",
        "octets_sent",
        "paused",
        "reader",
        "_requests_left",
        "sending_pace",
        "since",
        "state",
        "takeover",
        "transport",
        "_writable",
        "local",
        "loop",
        "peer",
        "pool",
        "reception",
        "scheme",
        "server",
    )

    root_path = ""
    route = ()
    """See `Exchange`: only a proxy's client has either."""

    def __init__(self, server: ServerState) -> None:
        self.server = server
        self.loop = server.loop
        self.pool = server.pool
        self.peer: tuple[str, int] | str = ""
        self.local: tuple[str, int] | str = ""
        self.scheme = "http"
        self.reader = RequestReader(server.settings.message_limits, server.request_lines)
        self.state = READY
        self.since = server.now
        # An answer after which less than one is left is the connection's last.
        self._requests_left = 1 if server.stopping else server.settings.keepalive_requests
        self.transport = cast("asyncio.Transport", None)
        self.reception: Reception | None = None
        self.delivery: Delivery | None = None
        self._in_head = False
        self.octets_sent = 0
        self._discarded = 0
        self.paused = False
        self._writable = True
        self._drain_waiter: asyncio.Future[None] | None = None
        self.eof = False
        self.sending_pace: SendingPace | None = None
        self.takeover: Takeover | None = None

    # The transport's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the peer has connected."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=BATCH_BYTES)
        self.peer = _address(transport.get_extra_info("peername"))
        self.local = _address(transport.get_extra_info("sockname"))
        if transport.get_extra_info("sslcontext") is not None:
            self.scheme = "https"
        self.server.connection_made(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer; answer what is complete."""
        if self.state is READY:
            self.reader.receive(data)
            self._serve()
        else:
            self._received_meanwhile(data)

    def eof_received(self) -> bool:
        """Note that the peer will send nothing more; what it sent completely is still answered."""
        self.eof = True
        if self.state is READY:
            self._end_at_eof()
        elif self.state is State.DRAINING:
            self._drain_and_serve()
        elif self.state in (State.COLLECTING, State.ANSWERING):
            self.pump_content()
        elif self.state is State.LINGERING:
            self.transport.close()
        return True

    def pause_writing(self) -> None:
        """Stop making output: the peer does not take what there is."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on with whatever waited for the peer."""
        self._writable = True
        if self._drain_waiter is not None and not self._drain_waiter.done():
            self._drain_waiter.set_result(None)
        self._resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """End: give everything back, and stop what was being made for this peer."""
        if self.state is State.TAKEN:
            return  # only the transport is done
        self.state = CLOSED
        if self._drain_waiter is not None and not self._drain_waiter.done():
            self._drain_waiter.set_exception(PeerGone("the client has gone"))
        if self.delivery is not None:
            self.delivery.peer_gone()
        if self.reception is not None:
            self.reception.content.fail(ContentInterrupted("the client has gone"))
            self.reception.content.release()
        self.server.connection_lost(self)

    # The straight line.

    def _serve(self, request: Request | None = None) -> None:
        """Answer requests in order, beginning with `request` if given, until one has to wait or none is left."""
        server, reader = self.server, self.reader
        log = server.access_log
        output: list[bytes] = []
        batch_began = began = perf_counter()
        try:
            while request is not None or (request := self._next_request(output)) is not None:
                head = request.head
                assert head is not None
                context = server.context.copy()
                answer = context.run(server.handle, request)
                took = (ended := perf_counter()) - began
                if took > HELD_LOOP_SECONDS:
                    self._held_loop(request, took)
                if (
                    isinstance(answer, Response)
                    and (plain_type := answer.plain_type) is not None
                    and (content := answer.content) is not None
                    and answer.on_close is None
                    and answer.reason is None
                    and 200 <= answer.status_code <= 599
                    and head.usual
                    and self._requests_left > 1
                    and self.reception is None
                ):
                    self._requests_left -= 1
                    server.counters.requests += 1
                    output.append(server.writer.whole(answer.status_code, plain_type, content))
                    if log is not None:
                        log.record(self.peer, request, answer.status_code, len(content), took)
                else:
                    self._flush(output)
                    if not self._deliver(request, answer, context, began):
                        return
                    ended = perf_counter()  # a coroutine may have run meanwhile
                request = None
                if not reader.buffered:
                    break
                began = ended
                batch_full = (
                    len(output) >= BATCH_REQUESTS
                    or sum(map(len, output)) >= BATCH_BYTES
                    or ended - batch_began >= BATCH_SECONDS
                )
                if batch_full or not self._writable:
                    self._yield_turn(output)
                    return
        except BaseException as error:  # noqa: BLE001 - whatever it is, this client gets an answer
            self._flush(output)
            self._refuse(error)
            return
        self._flush(output)
        if reader.buffered or self.paused or self.eof or self.state is not READY:
            self._await_request()
        else:
            self.since = server.now
            self._in_head = False

    def _held_loop(self, request: Request, seconds: float) -> None:
        """Tell the handler that all other connections have waited for its answer, if it was the handler's doing.

        Each busy thread may have had the interpreter for a switch interval meanwhile.
        """
        seconds -= self.pool.busy * sys.getswitchinterval()
        told = getattr(self.server.handler, "held_loop", None)
        if told is not None and seconds > HELD_LOOP_SECONDS:
            told(request, seconds)

    def _next_request(self, output: list[bytes]) -> Request | None:
        """Return the next request that can be handled, if all that is needed of it has come."""
        head = self.reader.next_head()
        if head is None:
            return None
        request = self.server.handler.request_class.from_wire(head, self)
        if head.content_length != 0 and not self._take_content(request, output):
            return None
        return request

    def _yield_turn(self, output: list[bytes]) -> None:
        """Let other connections go on before the requests that still wait, or wait for the peer to take answers."""
        self._flush(output)
        self.state = State.YIELDED
        self.pace_reading()
        if self._writable:
            self.loop.call_soon(self._resume)

    def _flush(self, output: list[bytes]) -> None:
        if output:
            data = output[0] if len(output) == 1 else b"".join(output)
            output.clear()
            self.octets_sent += len(data)
            self.transport.write(data)

    def _await_request(self) -> None:
        """Note since when the next request is waited for: a head that has begun keeps its own clock."""
        if self.state is not READY:
            return
        in_head = self.reader.buffered > 0 and self.reader.in_head
        if not (in_head and self._in_head):
            self.since = self.server.now
            self._in_head = in_head
        if self.paused:
            self.pace_reading()
        if self.eof:
            self._end_at_eof()

    def _resume(self) -> None:
        if self.state is State.YIELDED and self._writable:
            self.state = READY
            self._serve()

    # Content of requests.

    def _take_content(self, request: Request, output: list[bytes]) -> bool:
        """Decide how the content is received. False: `_serve` goes on when it has come."""
        server = self.server
        policy = server.handler.content_policy(request)
        head = request.head
        assert head is not None
        declared = head.content_length
        reader = self.reader
        if (
            policy.whole
            and declared is not None
            and declared <= reader.buffered
            and (policy.limit_bytes is None or declared <= policy.limit_bytes)
        ):
            # PERF: the usual POST, whole in one segment, needs no object for its content.
            piece = reader.next_content(declared)
            if reader.complete:
                request.content = piece
                return True
        self._flush(output)
        reception = self.reception = Reception(self, request, policy, server.content_budget)
        if not policy.whole or reception.ready:
            return True
        self.state = State.COLLECTING
        reception.pump()
        if not self._collected(reception):
            self.pace_reading()
            return False
        self.state = READY
        return True

    def _collected(self, reception: Reception) -> bool:
        """Whether `handle` can be called now. If content can never be held, the answer is given here."""
        if reception.content.failure is not None:
            status, text, fields = no_room(reception.content.failure)
            self.answer_last(status, text, *fields)
            return False
        if not reception.ready:
            return False
        reception.settle()
        if not isinstance(reception.request.content, ReceivedContent):
            self.reception = None
        return True

    def pump_content(self) -> None:
        """Offer what has come, as long as there is room."""
        reception = self.reception
        if reception is None or self.state in (State.LINGERING, CLOSED):
            return
        try:
            reception.pump()
        except ProtocolError as error:
            reception.content.fail(ContentInterrupted(str(error)))
            self._refuse(error)
            return
        self.pace_reading()
        if self.state is State.COLLECTING and self._collected(reception):
            self.state = READY
            self._serve(reception.request)

    def say_continue(self) -> None:
        """Send 100 (Continue), unless an answer has begun."""
        if self.state in (State.COLLECTING, State.ANSWERING, READY):
            self.send(self.server.writer.head(100, (), interim=True))

    def pace_reading(self) -> None:
        """Pause the socket while more waits here than can be used, and go on when it has been."""
        full = self.reader.buffered > PIPELINE_BYTES and self.state not in (READY, State.LINGERING)
        if full != self.paused and not self.transport.is_closing():
            self.paused = full
            if full:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _received_meanwhile(self, data: bytes) -> None:
        """Take bytes that come while something is being done."""
        if self.state is State.LINGERING:
            self._discarded += len(data)
            if self._discarded > LINGER_BYTES:
                self.transport.close()
        elif self.state is not CLOSED:
            self.reader.receive(data)
            if self.state is State.DRAINING:
                self._drain_and_serve()
            elif self.reception is not None:
                self.pump_content()
            else:
                self.pace_reading()

    # Answers that are not out at once.

    def _deliver(
        self,
        request: Request,
        answer: "Response | Awaitable[Response] | InThread",
        context: Context,
        began: float,
    ) -> bool:
        """Begin an answer that the short path cannot send. True: it is out; the next request may follow."""
        delivery: Delivery = self.server.delivery_class(self, request, context, began)
        if self.state is not READY:  # refused while the handler ran
            delivery.abandon()
            if isinstance(answer, Response) or asyncio.iscoroutine(answer):
                answer.close()
            return False
        self.delivery = delivery
        self.state = State.ANSWERING
        if delivery.begin(answer):
            return True
        self.pace_reading()
        return False

    def may_persist(self, request: Request) -> bool:
        """Whether the connection can go on after the answer to `request`."""
        self._requests_left -= 1
        head = request.head
        return (
            head is not None
            and head.persistent
            and self._requests_left > 0
            and not (self.eof and not self.reader.buffered)
            and (self.reception is None or self.reception.lets_persist())
        )

    def answered(self, delivery: Delivery, persistent: bool) -> bool:
        """Take note that the answer is out. True: the next request may follow at once."""
        if self.delivery is delivery:
            self.delivery = None
        if self.state is CLOSED:
            return False
        if self.reception is not None:
            self.reception.content.release()
            if persistent and not self.reader.complete:
                self.since = self.server.now
                self.state = State.DRAINING
                return self._drain()
            self.reception = None
        if not persistent:
            self._linger()
            return False
        self.state = READY
        return True

    def serve_next(self) -> None:
        """Go on with the next request, if one waits."""
        if self.state is READY:
            self._serve()

    def _drain(self) -> bool:
        """Discard content that nobody read. True: all of it has gone and the next request may follow."""
        reception = self.reception
        try:
            worth_it = reception is None or reception.discard()
        except ProtocolError:
            # The request has its answer; a second one would be taken for the next request's.
            worth_it = False
        if not worth_it:
            self._linger()
            return False
        if not self.reader.complete:
            self.pace_reading()
            return False
        self.reception = None
        self.state = READY
        return True

    def _drain_and_serve(self) -> None:
        if self._drain():
            self._serve()

    # Refusing and closing.

    def _refuse(self, error: BaseException) -> None:
        """Answer a message that breaks the protocol; nothing more is handled on this connection."""
        if isinstance(error, ProtocolError):
            rule = f"Rule: {error.section}, at byte {error.offset} of the request."
            self.answer_last(error.status, f"{error.message}\n{rule}")
        else:  # a `Handler` never raises; a bare callable may
            logger.error("the handler failed", exc_info=error)
            self.answer_last(500, "Internal Server Error")

    def answer_last(self, status: int, text: str, *fields: tuple[str, str]) -> None:
        """Send the server's own answer, in plain text, and close. Nothing more is handled here."""
        if self.delivery is not None and self.delivery.streaming:
            # A response is half out: only a reset tells the truth.
            self.reset("the request was refused while its response was being sent")
            return
        took = self.delivery.elapsed_seconds if self.delivery is not None else 0.0
        send_refusal(self, self.delivery or self.reception, status, text, fields, took)
        if self.delivery is not None:
            self.delivery.abandon()
        self._linger()

    def _linger(self) -> None:
        """Close so that the peer can read the last answer.

        Closing a socket with unread input makes the kernel reset the connection, and the peer may lose what
        it has not read yet (RFC 9112 §9.6). So: end our side, read and discard for a bounded while, then close.
        """
        self.state = State.LINGERING
        self.since = self.server.now
        self._discarded = 0
        transport = self.transport
        if self.reception is not None:
            self.reception.content.give_up(ContentInterrupted("the connection was given up"))
        if (
            self.eof
            or self.server.lingering >= LINGERING_CONNECTIONS
            or not transport.can_write_eof()
        ):
            transport.close()
            return
        try:
            transport.write_eof()
        except OSError:
            # So asyncio's own loop says that the peer has closed and refused the answer.
            transport.abort()
            return
        if self.paused:
            self.paused = False
            transport.resume_reading()

    def _end_at_eof(self) -> None:
        """The peer sends nothing more and every whole request is answered: refuse half a message, or close."""
        try:
            self.reader.receive_eof()
        except ProtocolError as error:
            self._refuse(error)
        else:
            self.transport.close()

    # For the server and its clock.

    @property
    def is_lingering(self) -> bool:
        """Whether it only waits for the peer to read the last answer."""
        return self.state is State.LINGERING

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request has come yet."""
        return self.state is READY and self.reader.buffered == 0

    @property
    def is_new(self) -> bool:
        """Whether it has carried no request yet."""
        return self._requests_left == self.server.settings.keepalive_requests

    def stop(self, *, close_idle: bool = True) -> None:
        """Have the next answer be the last; an idle connection has a second for a request, unless left alone."""
        self._requests_left = min(self._requests_left, 1)
        if close_idle:
            self.loop.call_later(STOP_IDLE_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self.is_idle:
            self.transport.close()
        elif self.takeover is not None:
            self.takeover.stop()
        elif self.state is not CLOSED:
            # A handshake, which a request may follow, or an answer that may have begun before the stop: its head did
            # not say that it is the last.
            self.loop.call_later(STOP_IDLE_SECONDS, self._close_if_idle)

    def abort(self) -> None:
        """Close at once, whatever is going on."""
        self.reset("the server stops")

    # Leaving HTTP: another protocol is spoken, by a program in a thread (`groundwire.server.takeover`).

    @property
    def taken_over(self) -> bool:
        """Whether a program has taken it; see `Exchange.taken_over`."""
        return self.takeover is not None

    def offer_socket(self, head: RequestHead) -> OfferedSocket | None:
        """Return what a program can take it with; see `Exchange.offer_socket`."""
        return OfferedSocket(self, head) if can_be_offered(self.transport, head) else None

    # The exchange, for the handler and for `send_stream`.

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS tells of the connection; see `Exchange.tls`."""
        return cast("TLSInfo | None", self.transport.get_extra_info("tls"))

    @property
    def disconnected(self) -> bool:
        """Whether the peer has gone."""
        return self.state is CLOSED

    def inform(self, status: int, fields: Iterable[tuple[str, str]]) -> None:
        """Send an interim response (RFC 9110 §15.2); see `Exchange.inform`."""
        if not 100 <= status <= 199 or status == 101:
            raise ValueError(f"{status} is not the status code of an interim response")
        data = self.server.writer.head(status, list(fields), interim=True)
        delivery = self.delivery
        if delivery is None:
            return  # the final response follows at once, and this is of no use
        if _runs_in(self.loop):
            # At once: a coroutine that never waits is answered in this very turn.
            self._send_interim(delivery, data)
        else:
            self.loop.call_soon_threadsafe(self._send_interim, delivery, data)

    def _send_interim(self, delivery: Delivery, data: bytes) -> None:
        head = delivery.request.head
        unanswered = self.delivery is delivery and not delivery.streaming
        if unanswered and head is not None and head.version == "HTTP/1.1":
            self.send(data)

    def reset(self, reason: str) -> None:
        """Give the connection up at once, so that the client sees that its answer is not whole."""
        if self.state is CLOSED:
            return
        logger.debug("connection with %s reset: %s", self.peer, reason)
        self.server.counters.resets += 1
        if self.takeover is not None:
            self.takeover.cut()
        else:
            reset(self.transport)

    def send(self, data: bytes) -> None:
        """Hand bytes to the transport."""
        self.octets_sent += len(data)
        self.transport.write(data)

    async def drained(self) -> None:
        """Wait until the peer has taken enough of what was sent."""
        # The transport knows first, when a write has failed; asyncio's warns of each further one.
        if self.state is CLOSED or self.transport.is_closing():
            raise PeerGone("the client has gone")
        if not self._writable:
            self._drain_waiter = self.loop.create_future()
            await self._drain_waiter


def _runs_in(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:  # a thread without a loop
        return False


def _address(name: Any) -> tuple[str, int] | str:
    """Return a socket's name without the flow and scope of IPv6."""
    if isinstance(name, tuple):
        return cast("tuple[str, int]", name[:2])
    return name if isinstance(name, str) else ""
