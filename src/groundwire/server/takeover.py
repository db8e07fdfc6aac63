"""The takeover of a connection by a program that speaks another protocol on it, as WebSocket servers for WSGI do.

A request that asks for an upgrade (RFC 9110 §7.8) has an `OfferedSocket` in its environ. With its first use the
connection leaves the event loop, and HTTP: the thread that answers the request leaves the pool with it, and has a
blocking socket of its own until it returns. All but the socket's own methods happens on the loop's thread.

From then on the program decides what is read, sent and waited for. What the server still sees to: how many such
connections there are, that a peer which has gone or takes nothing does not hold a thread for ever, that nothing is
left open, and that a stop ends.
"""

import asyncio
import contextlib
import os
import socket
import struct
import sys
import threading
from concurrent.futures import Future, InvalidStateError
from typing import Any, NoReturn, Protocol

from ..http.errors import ServiceUnavailable
from ..http.request import Request
from ..protocol.head import RequestHead
from ..protocol.http1.reader import RequestReader
from .relay import Relay
from .server_state import ServerState
from .state import State

FLUSH_SECONDS = 0.01
"""How often is looked whether answers to earlier requests are out, before the connection leaves the loop."""

HAND_OVER_SECONDS = 60.0
"""How long a thread waits for that. A peer that takes too long is reset earlier, by its deadline."""

CLOSING_SECONDS = 0.25
"""After the view has returned, for another thread of the program to end the protocol properly and close."""

LINGER_SECONDS = 2
"""After that, for the peer to close; then it is done for both."""

KEEPALIVE_IDLE_SECONDS = 60
KEEPALIVE_INTERVAL_SECONDS = 15
KEEPALIVE_PROBES = 4
"""A peer that vanished without a word is found out within two minutes, also where the program sends no pings."""


class Answer(Protocol):
    """The answer that the program was to make (`groundwire.server.delivery.Delivery`)."""

    request: Request

    def is_made_in(self, thread: int) -> bool:
        """Whether this thread makes the answer, and has not done so yet."""
        ...

    def leave(self, takeover: "Takeover") -> None:
        """Send nothing: the thread has taken the connection over."""
        ...

    def note_switch(self) -> None:
        """Count and log that the protocol was switched, once the other protocol is over."""
        ...


class Leaving(Protocol):
    """The connection that is taken over."""

    server: ServerState
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    reader: RequestReader
    state: State
    paused: bool
    takeover: "Takeover | None"
    delivery: Any
    """The `Answer` that is being made, if any."""

    def pace_reading(self) -> None:
        """Read from the transport, unless more waits than can be used."""
        ...


class OfferedSocket:
    """What an environ holds as ``werkzeug.socket``: the connection's blocking socket, taken with the first use.

    It has the methods and attributes of `socket.socket`. Any of them takes the connection from the server; being
    looked up, copied or printed does not.
    """

    __slots__ = ("_connection", "_head", "_lock", "_socket")

    def __init__(self, connection: Leaving, head: RequestHead) -> None:
        self._connection = connection
        self._head = head
        self._lock = threading.Lock()
        self._socket: TakenSocket | None = None

    def __repr__(self) -> str:
        taken = self._socket
        return f"<OfferedSocket {'not taken' if taken is None else repr(taken)}>"

    def __getattr__(self, name: str) -> Any:
        """Return the socket's own attribute.

        Raises:
            RuntimeError: it is too late, because the request has its answer; or the view runs on the event loop, or
                in another thread.
            ServiceUnavailable: as many connections as may be (`max_upgraded`) have been taken over.
            ConnectionError: the peer has gone.
        """
        if name.startswith("__"):  # `copy` and the like ask an object for what it may not have
            raise AttributeError(name)
        return getattr(self._taken(), name)

    def __enter__(self) -> socket.socket:
        return self._taken().__enter__()

    def __exit__(self, *error: object) -> None:
        self._taken().__exit__(*error)

    def _taken(self) -> "TakenSocket":
        with self._lock:
            if self._socket is None:
                self._socket = take(self._connection, self._head)
            return self._socket


class TakenSocket(socket.socket):
    """A blocking socket that begins with bytes which were read before it was made.

    `select` and its kin do not know of those bytes. (No WebSocket client sends any before it has the answer to its
    handshake: RFC 6455 §4.1.)
    """

    def __init__(self, descriptor: int, stall_seconds: int) -> None:
        super().__init__(fileno=descriptor)
        self.first = b""
        self._stall_seconds = stall_seconds
        self.setblocking(True)
        if self.family in (socket.AF_INET, socket.AF_INET6):
            probe_the_peer(self)
        with contextlib.suppress(OSError):
            # A blocking send to a peer that takes nothing would hold its thread for as long as the peer likes.
            self.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", stall_seconds, 0)
            )

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive up to `bufsize` bytes."""
        if not self.first:
            return super().recv(bufsize, flags)
        piece = self.first[:bufsize]
        if not flags & socket.MSG_PEEK:
            self.first = self.first[bufsize:]
        return piece

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive up to `nbytes` bytes, or as many as there is room for, into `buffer`."""
        if not self.first:
            return super().recv_into(buffer, nbytes, flags)
        room = memoryview(buffer).cast("B")
        piece = self.recv(nbytes or len(room), flags)
        room[: len(piece)] = piece
        return len(piece)

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send `data`, all of it as long as the socket has no timeout of its own.

        Raises:
            TimeoutError: the peer has taken nothing for `send_stall_seconds`. The connection is closed then: programs
                count on a blocking socket to take all.
        """
        if self.gettimeout() is not None:
            return super().send(data, flags)
        try:
            sent = super().send(data, flags)
        except BlockingIOError:
            self._stalled()
        if sent < memoryview(data).nbytes:
            self._stalled()
        return sent

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all of `data`. Raises as `send`."""
        try:
            super().sendall(data, flags)
        except BlockingIOError:
            self._stalled()

    def _stalled(self) -> NoReturn:
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)
        raise TimeoutError(
            f"the peer has not taken what was sent within {self._stall_seconds} s, so the connection was closed"
        )


def probe_the_peer(connected: Any) -> None:
    """Have TCP find out whether the peer of a socket is there still, when it is silent."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
    ):
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def can_be_offered(transport: asyncio.Transport, head: RequestHead) -> bool:
    """Tell whether a program could take this connection after this request."""
    return (
        # What follows the head would be content to one and the other protocol to another.
        not head.has_content
        and head.form != "authority"
        and sys.platform
        != "win32"  # its event loop has begun to read, and cannot be told to give that up
        and transport.get_extra_info("socket") is not None
    )


def take(connection: Leaving, head: RequestHead) -> TakenSocket:
    """Take the connection, in a thread. Raises as `OfferedSocket` does."""
    try:
        running: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is connection.loop:
        raise RuntimeError(
            "A connection can be taken over in a thread only, and this runs on the event loop, where a blocking"
            " socket would stop everything else. Take it in a plain function, not in a coroutine, and not in one"
            ' that is made to run there by run="inline".'
        )
    promise: Future[TakenSocket] = Future()
    connection.loop.call_soon_threadsafe(
        hand_over, connection, head, threading.get_ident(), promise
    )
    try:
        return promise.result(HAND_OVER_SECONDS)
    except TimeoutError:
        if promise.cancel():
            raise
        return promise.result()


def hand_over(
    connection: Leaving, head: RequestHead, thread: int, promise: "Future[TakenSocket]"
) -> None:
    """Give the connection to the thread that waits for `promise`, once answers to earlier requests are out."""
    try:
        taken = _taken(connection, head, thread, promise)
    except Exception as error:  # noqa: BLE001 - whatever it is belongs to the thread that waits
        with contextlib.suppress(InvalidStateError):  # it waits no longer
            promise.set_exception(error)
    else:
        if taken is not None:
            promise.set_result(taken)


def _taken(
    connection: Leaving, head: RequestHead, thread: int, promise: "Future[TakenSocket]"
) -> TakenSocket | None:
    server = connection.server
    if connection.state is State.CLOSED:
        raise ConnectionResetError("the client has gone")
    answer: Answer | None = connection.delivery
    if answer is None or answer.request.head is not head or not answer.is_made_in(thread):
        raise RuntimeError(
            "The connection of this request cannot be taken over: its answer has begun, or is out, or this is not"
            " the thread that answers it."
        )
    limit = server.settings.max_upgraded
    if server.upgraded >= limit:
        raise ServiceUnavailable(
            f"As many connections as may be ({limit}) speak another protocol already.",
            retry_after=1,
        )
    if not connection.paused:
        connection.paused = True
        connection.transport.pause_reading()
    if connection.transport.get_write_buffer_size() and not promise.cancelled():
        connection.loop.call_later(FLUSH_SECONDS, hand_over, connection, head, thread, promise)
        return None
    if not promise.set_running_or_notify_cancel():
        connection.pace_reading()
        return None
    stall_seconds = server.settings.send_stall_seconds
    try:
        taken, end = _socket_for(connection.transport, stall_seconds)
    except OSError as error:
        connection.pace_reading()
        raise ServiceUnavailable(f"The connection cannot be taken over: {error}.") from error
    connection.state = State.TAKEN
    if end is None:
        relay = None
        connection.transport.close()
    else:
        relay = Relay(connection.loop, connection.transport, end)
    takeover = connection.takeover = Takeover(connection, taken, relay)
    taken.first = connection.reader.take_rest()
    answer.leave(takeover)
    server.upgraded += 1
    server.counters.upgrades += 1
    if server.stopping:
        takeover.stop()
    return taken


def _socket_for(
    transport: asyncio.Transport, stall_seconds: int
) -> tuple[TakenSocket, socket.socket | None]:
    """Return what the program gets: the connection's socket itself, or one of a pair whose other end is relayed."""
    connected = transport.get_extra_info("socket")
    if transport.get_extra_info("tls") is None:
        # The transport closes its own descriptor, which does not end the connection while there is another.
        return TakenSocket(os.dup(connected.fileno()), stall_seconds), None
    if connected.family in (socket.AF_INET, socket.AF_INET6):
        probe_the_peer(connected)
    end, theirs = socket.socketpair()
    return TakenSocket(theirs.detach(), stall_seconds), end


class Takeover:
    """A connection that a program has taken over, as the server sees it."""

    __slots__ = ("_connection", "_ended_at", "_relay", "_shut", "_socket")

    def __init__(self, connection: Leaving, taken: TakenSocket, relay: Relay | None) -> None:
        self._connection: Leaving | None = connection
        self._relay = relay
        self._socket = taken
        self._ended_at: int | None = None
        self._shut = False

    def handler_ended(self) -> None:
        """The view has returned. What it took ends with it, if it has not closed it itself."""
        connection = self._connection
        if connection is None:  # it was cut
            return
        if self._is_closed:
            self._finish()
            return
        self._ended_at = connection.server.now
        connection.loop.call_later(CLOSING_SECONDS, self._say_end)

    def _say_end(self) -> None:
        if self._connection is not None:
            self._shut_down(socket.SHUT_WR)
            self.enforce(self._connection.server.now)

    def enforce(self, now: int) -> None:
        """Close what the program has left open and the peer has not, or not in time; find out what is closed."""
        if self._ended_at is None:
            return
        if self._shut or self._is_closed or self._peer_has_closed():
            self._finish()
        elif now - self._ended_at > LINGER_SECONDS:
            # Closed at the next look: a thread that waits in `recv` is woken by this, and shall find it open.
            self._shut = True
            self._shut_down(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Tell the program that the server stops: it reads the end, and can still say good-bye."""
        self._shut_down(socket.SHUT_RD)

    def cut(self) -> None:
        """End it at once; the thread, if it still waits for the peer, goes on and finds out."""
        self._shut_down(socket.SHUT_RDWR)
        if self._relay is not None:
            self._relay.cut()
        self._finish()

    @property
    def _is_closed(self) -> bool:
        return self._socket.fileno() < 0

    def _peer_has_closed(self) -> bool:
        try:
            return not socket.socket.recv(self._socket, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _shut_down(self, how: int) -> None:
        with contextlib.suppress(OSError):  # the peer, or the program, has been faster
            self._socket.shutdown(how)

    def _finish(self) -> None:
        self._socket.close()
        if self._relay is not None:
            self._relay.finish()
        # No circle is left for the garbage collector.
        connection, self._connection = self._connection, None
        if connection is None:
            return
        connection.state = State.CLOSED
        if connection.delivery is not None:
            connection.delivery.note_switch()
            connection.delivery = None
        connection.server.upgraded -= 1
        connection.server.connection_lost(connection)
