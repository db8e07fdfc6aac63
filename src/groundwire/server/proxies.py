"""Connections of proxies that are trusted: whom they speak for is taken from what they say.

Who connects is known when a connection is accepted, so those of everybody else are of another class and pay nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from ..http.forwarded import (
    FIELDS,
    NOTHING,
    Forwarded,
    Forwarding,
    MalformedForwarding,
    TrustedProxies,
)
from ..http.request import Request
from ..http.tls import TLSInfo
from ..protocol.head import RequestHead
from ..protocol.proxy_header import ProxyHeader, ProxyHeaderError, parse_proxy_header
from .connection import Connection
from .errors import StartError
from .observer import Observer
from .server_state import ServerState
from .settings import ServerSettings
from .sockets import reset

logger = logging.getLogger("groundwire.server")

Address = tuple[str, int] | str

_REFUSAL: Final = (
    "What a proxy in front of this server says of the client cannot be read, or contradicts itself."
)


class Proxies:
    """The proxies in front of one server, as its settings have them.

    Attributes:
        trusted: who is believed.
        forwarding: reads the fields of those.

    Raises:
        StartError: the settings cannot be.
    """

    def __init__(self, settings: ServerSettings) -> None:
        try:
            self.trusted = TrustedProxies(settings.trusted_proxies)
        except ValueError as error:
            raise StartError(f"trusted-proxies: {error}") from error
        unknown = set(settings.forwarded_fields) - set(FIELDS)
        if unknown:
            raise StartError(
                f"forwarded-fields: {', '.join(sorted(unknown))} cannot be believed; there are {', '.join(FIELDS)}"
            )
        self.introduced = settings.proxy_protocol == "required"
        if self.introduced and not self.trusted:
            raise StartError(
                "proxy-protocol is spoken with trusted proxies only; name them with trusted-proxies"
            )
        self.forwarding = Forwarding(
            self.trusted, settings.forwarded_headers, frozenset(settings.forwarded_fields)
        )

    def maker(
        self, server: ServerState, observer: Observer | None = None
    ) -> Callable[[object], "ProxiedConnection | None"]:
        """Return what makes a connection for a peer that is trusted, by its address; None for others."""
        trusted, forwarding = self.trusted, self.forwarding
        connection_class = ProxiedConnection
        if observer is not None:
            connection_class = observer.connection_class(ProxiedConnection)

        def make(address: object) -> ProxiedConnection | None:
            return connection_class(server, forwarding) if trusted.has_peer(address) else None

        return make

    def introducing(
        self, protect: Callable[[Connection], asyncio.Protocol] | None
    ) -> Callable[[Connection], asyncio.Protocol] | None:
        """Return what puts the reading of the header in front of a connection, and in front of its TLS."""
        if not self.introduced:
            return protect

        def front(connection: Connection) -> asyncio.Protocol:
            inner = connection if protect is None else protect(connection)
            if isinstance(connection, ProxiedConnection):
                return Introduction(connection, inner)
            return inner

        return front


class ProxiedConnection(Connection):
    """A connection of a trusted proxy: each request on it may be another client's.

    `peer` and `scheme` are those of the request that is being answered. `local` is never what a field says, so that a
    program which calls its own address cannot be sent elsewhere.
    """

    __slots__ = ("_forwarding", "_own")

    def __init__(self, server: ServerState, forwarding: Forwarding) -> None:
        super().__init__(server)
        self._forwarding: Forwarding | None = forwarding
        self._own: tuple[Address, str] = ("", "http")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the proxy has connected."""
        super().connection_made(transport)
        self._own = self.peer, self.scheme

    def introduce(self, header: ProxyHeader) -> None:
        """Take the addresses of a header of the PROXY protocol for the connection's own.

        What its requests say is believed only if the one they come from is a trusted proxy again.
        """
        if header.source is None or header.destination is None:
            return
        self.peer, self.local = header.source, header.destination
        self._own = self.peer, self.scheme
        forwarding = self._forwarding
        if forwarding is not None and not forwarding.trusted.has_peer(self.peer):
            self._forwarding = None

    def _next_request(self, output: list[bytes]) -> Request | None:
        self.peer, self.scheme = self._own
        head = self.reader.next_head()
        if head is None:
            return None
        request = self._request(head)
        if head.content_length != 0 and not self._take_content(request, output):
            return None
        return request

    def _request(self, head: RequestHead) -> Request:
        request_class = self.server.handler.request_class
        forwarding = self._forwarding
        said = NOTHING if forwarding is None else forwarding.read(head.fields.lines)
        if said is NOTHING:
            return request_class.from_wire(head, self)
        authority = said.authority(head.authority)
        if said.client is not None:
            self.peer = said.client
        if said.scheme is not None:
            self.scheme = said.scheme
        if authority != head.authority and head.form != "authority":
            head = head.addressed_to(authority)
        exchange = ForwardedExchange(self, said)
        request = request_class.from_wire(head, exchange)
        if said.root_path:
            request.root_path = said.root_path
        return request

    def _refuse(self, error: BaseException) -> None:
        if isinstance(error, MalformedForwarding):
            logger.warning("a request by the proxy %s was refused: %s", self.peer, error)
            rule = f"\nRule: {error.section}." if error.section else ""
            self.answer_last(400, f"{_REFUSAL}{rule}")
        else:
            super()._refuse(error)


class ForwardedExchange:
    """An exchange with a client that is reached through a proxy; see `Exchange`.

    Who the client is does not change when the connection goes on to the next one's request.
    """

    __slots__ = ("_connection", "local", "peer", "root_path", "route", "scheme")

    def __init__(self, connection: Connection, said: Forwarded) -> None:
        self._connection = connection
        self.peer = connection.peer
        self.local = connection.local
        self.scheme = connection.scheme
        self.root_path = said.root_path
        self.route = said.route

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS tells of the connection with the proxy."""
        return self._connection.tls

    @property
    def disconnected(self) -> bool:
        """Whether the proxy has gone, as most do when their client has."""
        return self._connection.disconnected

    @property
    def taken_over(self) -> bool:
        """Whether a program has taken the connection."""
        return self._connection.taken_over

    def offer_socket(self, head: RequestHead) -> Any | None:
        """Return what a program can take the connection with."""
        return self._connection.offer_socket(head)

    def inform(self, status: int, fields: Iterable[tuple[str, str]]) -> None:
        """Send an interim response."""
        self._connection.inform(status, fields)

    def reset(self, reason: str) -> None:
        """Give the exchange up at once."""
        self._connection.reset(reason)


class Introduction(asyncio.Protocol):
    """Reads the header of the PROXY protocol, then leaves the transport to what speaks with the client.

    Until then the connection is one on which nothing has come, and so its deadlines are.
    """

    __slots__ = ("_buffer", "_connection", "_inner", "_transport")

    def __init__(self, connection: ProxiedConnection, inner: asyncio.Protocol) -> None:
        self._connection = connection
        self._inner = inner
        self._buffer = b""
        self._transport = cast("asyncio.Transport", None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the proxy has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the header, and hand on what is behind it."""
        data = self._buffer + data if self._buffer else data
        try:
            header = parse_proxy_header(data)
        except ProxyHeaderError as error:
            self._give_up(str(error))
            return
        if header is None:
            self._buffer = data
            return
        self._connection.introduce(header)
        self._transport.set_protocol(self._inner)
        if len(data) > header.size:
            self._inner.data_received(data[header.size :])

    def eof_received(self) -> bool:
        """Note that the proxy has gone again, as health checks do that speak no protocol."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End without a request."""
        self._inner.connection_lost(exc)

    def _give_up(self, reason: str) -> None:
        # Whoever this is does not know what it talks to: no answer would be right.
        logger.warning(
            "the connection of the proxy %s was closed: %s", self._connection.peer, reason
        )
        reset(self._transport)
