"""Accepting connections on listening sockets of our own.

`loop.create_server` would do, were it not for four things it cannot: count connections and stop
accepting, come through a shortage of descriptors without dropping clients, turn away one address
that takes everything, and, at a stop, answer all who wait in the kernel's queue already (at SIGTERM
it resets 48 of 50 queued clients; here it is none).
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from .addresses import ListeningSockets, set_stream_options
from .sockets import RESET_ON_CLOSE

logger = logging.getLogger("groundwire.server")

ACCEPTS_PER_TURN: Final = 64
"""Accepting more at once would make those wait who are connected already."""

SHARED_ACCEPTS_PER_TURN: Final = 1
"""Where other processes accept on the same sockets, so that each looks at its share (`fair_share`) between two."""

BACK_SECONDS: Final = 0.001
"""How long one that is ahead of the others leaves connections to them. What is still there then they do not want."""

ACCEPTS_LEFT_OVER: Final = 8

RETRY_SECONDS: Final = 1.0
"""How long accepting rests when the system has no descriptor, or no memory, for one more."""

LOG_SECONDS: Final = 10.0
"""The same trouble is logged once in this time."""

_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nServer: groundwire\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)

ConnectionT = TypeVar("ConnectionT", bound=asyncio.Protocol)


class Listener(Generic[ConnectionT]):
    """Accepts connections and hands them to the event loop, no more than may be open.

    Args:
        loop: the event loop that is running.
        listening: the sockets to accept on; closed by `close`.
        make_connection: makes the protocol object of one accepted connection.
        connections: the connections that are open, kept by the server.
        max_connections: how many may be open; beyond, the others wait in the kernel's queue.
        max_connections_per_address: how many may be open from one IPv4 address or one IPv6 /64;
            beyond, they are reset. Loopback and Unix sockets are exempt.
        protect: makes what speaks with the peer in place of the connection, in TLS for example.
        make_proxied: makes the protocol object for a peer that is a trusted proxy, by its address; None for others.
            Trusted proxies are exempt from the bound on one address.

    Attributes:
        accepted: how many connections have been accepted.
        turned_away: how many of them were reset, or answered 503, without being served.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listening: ListeningSockets,
        make_connection: Callable[[], ConnectionT],
        connections: set[ConnectionT],
        *,
        max_connections: int,
        max_connections_per_address: int,
        protect: Callable[[ConnectionT], asyncio.Protocol] | None = None,
        make_proxied: Callable[[object], ConnectionT | None] | None = None,
    ) -> None:
        self.accepted = 0
        self.turned_away = 0
        self._loop = loop
        self._listening = listening
        self._make_connection = make_connection
        self._connections = connections
        self._max_connections = max_connections
        self._max_per_address = max_connections_per_address
        self._protect = protect
        self._make_proxied = make_proxied
        self._connecting: dict[ConnectionT, asyncio.Task[None]] = {}
        self._networks: dict[ConnectionT, bytes] = {}
        self._open_per_network: Counter[bytes] = Counter()
        self._share = share = listening.share
        self._accepts_per_turn = ACCEPTS_PER_TURN if share is None else SHARED_ACCEPTS_PER_TURN
        self._held_back = False
        self._accepting = False
        self._closed = False
        self._starving = False
        self._retry: asyncio.TimerHandle | None = None
        self._logged: dict[str, float] = {}
        self._accept_tasks: list[asyncio.Task[None]] = []
        self._reserve: int | None = None
        self._take_reserve()

    def start(self) -> None:
        """Begin to accept, or go on with it."""
        if self._accepting or self._closed:
            return
        self._accepting = True
        self._tell_share()
        for sock in self._listening.sockets:
            try:
                self._loop.add_reader(sock, self._accept, sock)
            except (
                NotImplementedError
            ):  # Windows' proactor loop waits for operations, not readiness
                self._accept_tasks.append(self._loop.create_task(self._accept_one_by_one(sock)))

    def pause(self) -> None:
        """Leave those who come from now on in the kernel's queue."""
        if not self._accepting:
            return
        self._accepting = False
        for sock in self._listening.sockets:
            with contextlib.suppress(NotImplementedError):
                self._loop.remove_reader(sock)
        for task in self._accept_tasks:
            task.cancel()
        self._accept_tasks.clear()

    def established(self, connection: ConnectionT) -> None:
        """Note that a connection has its transport; `connections` counts it from now on."""
        self._connecting.pop(connection, None)

    def released(self, connection: ConnectionT) -> None:
        """Note that a connection has ended, so that another can be accepted."""
        network = self._networks.pop(connection, None)
        if network is not None:
            self._open_per_network[network] -= 1
            if not self._open_per_network[network]:
                del self._open_per_network[network]
        self._tell_share()
        if not self._accepting and not self._closed and not self._held_back:
            self._starving = False
            self._resume()

    def close(self) -> None:
        """Accept all who wait already, however many are open, then listen no more."""
        if not self._end():
            return
        self._listening.unlink()
        for sock in self._listening.sockets:
            # Clients may go on coming: a queue of twice the kernel's default limit has been emptied.
            for _ in range(8192):
                if not self._accept_next(sock):
                    break
        self._listening.close()
        self._release_reserve()

    def leave(self) -> None:
        """Listen no more, and leave those who wait to the other processes that listen on the same sockets."""
        if not self._end():
            return
        for sock in self._listening.sockets:
            sock.close()
        self._release_reserve()

    async def settle(self) -> None:
        """Wait until everything accepted has its transport."""
        while self._connecting:
            await asyncio.wait(tuple(self._connecting.values()))

    def _end(self) -> bool:
        """Begin nothing new for good; return whether that was still to be done."""
        if self._closed:
            return False
        self.pause()
        self._closed = True
        if self._share is not None:
            self._share.leave()
        if self._retry is not None:
            self._retry.cancel()
        return True

    @property
    def _room(self) -> int:
        return self._max_connections - len(self._connections) - len(self._connecting)

    def _accept(self, sock: socket.socket) -> None:
        accepts = self._accepts_per_turn
        if self._share is not None:
            if self._held_back:
                self._held_back = False
                accepts = ACCEPTS_LEFT_OVER
            elif self._share.is_ahead():
                self._hold_back()
                return
        for _ in range(accepts):
            if self._room <= 0:
                self.pause()
                self._log("%d connections are open: accepting no more until one closes", "full")
                return
            if not self._accept_next(sock):
                return

    def _hold_back(self) -> None:
        self.pause()
        self._held_back = True
        self._retry = self._loop.call_later(BACK_SECONDS, self._resume)

    def _tell_share(self) -> None:
        if self._share is not None and not self._closed:
            self._share.tell(len(self._connections) + len(self._connecting))

    def _accept_next(self, sock: socket.socket) -> bool:
        """Accept one connection; return whether it makes sense to go on at once."""
        try:
            accepted, address = sock.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                # The client gave up while it waited, or its network has an error pending (accept(2)).
                return True
            return self._exhausted(sock, error)
        self._starving = False
        self._take(accepted, address)
        return True

    async def _accept_one_by_one(self, sock: socket.socket) -> None:
        while True:
            if self._room <= 0:
                self.pause()
                return
            try:
                accepted, address = await self._loop.sock_accept(sock)
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._take(accepted, address)

    def _take(self, accepted: socket.socket, address: object) -> None:
        self.accepted += 1
        proxied = None if self._make_proxied is None else self._make_proxied(address)
        network = _network(address) if proxied is None else None
        if network is not None and self._open_per_network[network] >= self._max_per_address:
            self.turned_away += 1
            # A reset costs nothing more; an answer would hold a descriptor for a peer that has 256.
            with contextlib.suppress(OSError):
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            accepted.close()
            self._log("%d connections from one address are open: others are reset", "address")
            return
        accepted.setblocking(False)
        if sys.platform not in ("linux", "darwin") and isinstance(address, tuple):
            set_stream_options(accepted)
        connection = self._make_connection() if proxied is None else proxied
        if network is not None:
            self._networks[connection] = network
            self._open_per_network[network] += 1
        # The loop keeps only a weak reference to a task.
        self._connecting[connection] = self._loop.create_task(self._connect(connection, accepted))
        self._tell_share()

    async def _connect(self, connection: ConnectionT, accepted: socket.socket) -> None:
        try:
            protocol = connection if self._protect is None else self._protect(connection)
            await self._loop.connect_accepted_socket(lambda: protocol, accepted)
        except Exception as error:  # whatever it is, the other connections go on
            accepted.close()
            if not isinstance(error, OSError):
                logger.error("a connection could not be set up", exc_info=error)
        finally:
            if self._connecting.pop(connection, None) is not None:
                self.released(connection)  # it never had a transport, so nobody else says so

    def _exhausted(self, sock: socket.socket, error: OSError) -> bool:
        """Rest until a connection closes, for a second at most.

        When a second has changed nothing, what takes the descriptors is not going to give them
        back soon; then those who wait are told so one after the other, on the descriptor kept in
        reserve, rather than left without an answer.
        """
        if self._starving or self._closed:
            turned_away = self._turn_away(sock)
        else:
            turned_away = False
        if self._closed:
            return turned_away
        self._starving = True
        self.pause()
        self._log(f"cannot accept: {error.strerror}; %d connections are open", "exhausted")
        self._retry = self._loop.call_later(RETRY_SECONDS, self._resume)
        return False

    def _resume(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._take_reserve()
        self.start()

    def _take_reserve(self) -> None:
        if self._reserve is None:
            with contextlib.suppress(OSError):
                self._reserve = os.open(os.devnull, os.O_RDONLY)

    def _release_reserve(self) -> None:
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None

    def _turn_away(self, sock: socket.socket) -> bool:
        if self._reserve is None:
            return False
        os.close(self._reserve)
        self._reserve = None
        served = False
        for _ in range(ACCEPTS_PER_TURN):
            try:
                accepted, _address = sock.accept()
            except OSError:
                break
            served = True
            self.accepted += 1
            self.turned_away += 1
            with accepted, contextlib.suppress(OSError):
                accepted.setblocking(False)
                accepted.send(_BUSY)
                accepted.shutdown(socket.SHUT_WR)
                # Closing with input unread would reset the connection, and the answer with it.
                accepted.recv(65536)
        self._take_reserve()
        return served

    def _log(self, message: str, trouble: str) -> None:
        now = time.monotonic()
        if now - self._logged.get(trouble, -LOG_SECONDS) >= LOG_SECONDS:
            self._logged[trouble] = now
            logger.warning(message, len(self._connections) + len(self._connecting))


def connection_limit(max_connections: int) -> int:
    """Return how many connections may be open: at most 80 % of the descriptors that are free now.

    The rest is for files, databases and connections to other servers.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return max_connections
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return max_connections
    try:
        used = len(os.listdir("/dev/fd"))
    except OSError:
        used = 16
    return max(1, min(max_connections, (soft - used) * 4 // 5))


def _network(address: object) -> bytes | None:
    """Return what connections of one peer have in common, or None for a peer of this machine.

    An IPv6 subscriber holds a /64 at least, so that is one peer.
    """
    if not isinstance(address, tuple):
        return None
    host = str(address[0])  # pyright: ignore[reportUnknownArgumentType]
    if ":" not in host:
        return None if host.startswith("127.") else host.encode("ascii")
    if host == "::1":
        return None
    return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])[:8]
