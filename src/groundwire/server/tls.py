"""TLS (RFC 8446) between the socket and a connection, which sees a transport like any other and plain bytes.

The event loops have a TLS of their own. It has no half close, so that a last answer could be lost; it cannot tell how
much of what was written a slow peer has taken; each of its handshakes has a timer; and what goes wrong it logs with a
traceback. Here OpenSSL works in memory, and all the rest is as with a plain connection: the loop's transport with its
buffer and its end, and the sweep.
"""

import asyncio
import contextlib
import logging
import ssl
import time
from collections import deque
from typing import Any, Final, cast

from ..http.tls import ClientCertificate, TLSInfo
from .certificates import LOOK_SECONDS, Certificates
from .connection import Connection
from .development import trust_hint, with_development_certificate
from .settings import ServerSettings
from .state import State

logger = logging.getLogger("groundwire.server")

RECORD_BYTES: Final = 16384
"""The most that one record holds (RFC 8446 §5.1). OpenSSL's buffers keep the size they have once grown to, so no more
than a record goes in or out at a time."""

TURN_BYTES: Final = 131_072
"""How much is encrypted before other connections have their turn.

PERF: ten megabytes at once held the loop for 0.1 s; this much takes a millisecond.
"""

OWN_BYTES: Final = 65536
"""What OpenSSL may send on its own account over the life of a connection. New keys are answered with new keys
(RFC 8446 §4.6.3), so a peer that asks for them without end, and reads no answer, would fill the memory."""

NEW_KEYS_SECONDS: Final = 86_400
"""Certificates are read again after this long even if they have not changed. That changes the keys by which tickets for
resumption are encrypted: who learns one later can read fewer of the older connections (RFC 9325 §3.4)."""

LOG_SECONDS: Final = 10.0
"""Handshakes that fail are logged once in this time, with how many there were."""

_HANDSHAKE: Final = 0x16
"""What a TLS connection begins with: the type of its first record."""

NOTHING: Final = memoryview(b"")

_NOT_PLAIN = b"This port speaks HTTPS, and this request came in plain HTTP. Say https:// in place of http://.\n"


class TLS:
    """The TLS of one server: its certificates, and what goes wrong with handshakes."""

    def __init__(self, certificates: Certificates, *, watches: bool = True) -> None:
        self.certificates = certificates
        self.failures = 0
        """Handshakes that came to nothing."""

        self._watches = watches
        self._looked = 0
        self._told = 0
        self._told_at = -LOG_SECONDS

    @classmethod
    def of(cls, settings: ServerSettings, *, watches: bool = True) -> "TLS":
        """Load the certificates that `settings` name, or make one.

        Args:
            settings: which.
            watches: whether to look for changes of the files.

        Raises:
            StartError: a file cannot be read, or is not what it should be.
        """
        if settings.tls_dev:
            settings, authority = with_development_certificate(settings)
            logger.info("%s", trust_hint(authority))
        return cls(Certificates(settings), watches=watches)

    def protect(self, connection: Connection) -> "TLSTransport":
        """Return what speaks with the peer in place of `connection`."""
        return TLSTransport(self, connection)

    def sweep(self) -> None:
        """Look after the certificates; called once a second."""
        self._looked += 1
        if not self._watches:
            return
        if self._looked % NEW_KEYS_SECONDS == 0:
            self.certificates.reload()
        elif self._looked % LOOK_SECONDS == 0:
            self.certificates.look()

    def failed(self, peer: object, reason: str) -> None:
        """Note that a connection came to nothing, and say so now and then: anybody can make any number of these."""
        self.failures += 1
        now = time.monotonic()
        if now - self._told_at >= LOG_SECONDS:
            others = self.failures - self._told - 1
            more = f" ({others} others since the last such line)" if others else ""
            self._told_at = now
            self._told = self.failures
            logger.info("no TLS with %s: %s%s", peer, reason, more)


class TLSTransport(asyncio.Transport, asyncio.Protocol):
    """The transport of a connection that is protected, and the protocol of the transport beneath."""

    __slots__ = (
        "_backlog",
        "_backlog_bytes",
        "_closing",
        "_connection",
        "_discarding",
        "_ended",
        "_ending",
        "_full",
        "_incoming",
        "_info",
        "_object",
        "_outgoing",
        "_own_octets",
        "_paused",
        "_raw",
        "_receiver",
        "_said_goodbye",
        "_tls",
        "_turn_waits",
        "_unread",
    )

    def __init__(self, tls: TLS, connection: Connection) -> None:
        self._tls = tls
        self._connection: Connection | None = connection
        self._receiver: asyncio.Protocol | None = connection
        """What is told of what comes: the connection, until a program takes it over."""

        self._raw = cast("asyncio.Transport", None)
        self._object: ssl.SSLObject | None = None
        self._incoming = cast("ssl.MemoryBIO", None)
        self._outgoing = cast("ssl.MemoryBIO", None)
        self._info: TLSInfo | None = None
        self._unread = NOTHING
        self._paused = False
        self._ended = False
        """Whether the peer has ended its side, and the connection has not been told yet."""

        self._backlog: deque[memoryview] = deque()
        self._backlog_bytes = 0
        """What is to be encrypted when there is room for it, and how much that is."""

        self._full = False
        """Whether the transport beneath has as much as it wants."""

        self._turn_waits = False
        self._ending = False
        """Whether nothing more is written after the backlog."""

        self._closing = False
        self._said_goodbye = False
        self._discarding = False
        """Whether nothing more is decrypted."""

        self._own_octets = 0
        """What OpenSSL has sent on its own account since the handshake."""

    # As the protocol of the transport beneath.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the peer has connected, and has still to make a handshake."""
        self._raw = cast("asyncio.Transport", transport)
        connection = self._connection
        assert connection is not None
        connection.connection_made(self)
        connection.state = State.HANDSHAKING

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer."""
        connection = self._connection
        if self._closing:
            return
        if self._discarding:
            # A connection that lingers counts what comes, and does not look at it.
            if connection is not None and connection.state is State.LINGERING:
                connection.data_received(data)
            return
        if self._object is None and not self._begin(data):
            return
        self._unread = memoryview(bytes(self._unread) + data if self._unread else data)
        self._read()

    def eof_received(self) -> bool:
        """Note that the peer has ended its side: many do so without close_notify, and HTTP tells what is whole."""
        connection = self._connection
        if connection is None:
            return False
        if self._discarding:
            if self._receiver is not None and connection.state in (State.LINGERING, State.TAKEN):
                self._receiver.eof_received()
            return True
        if self._info is None:
            self._tls.failed(connection.peer, "the peer ended the connection")
            return False
        self._ended = True
        self._read()
        return True

    def pause_writing(self) -> None:
        """Pass on that the peer does not take what there is."""
        self._full = True
        if self._receiver is not None and not self._backlog:
            self._receiver.pause_writing()

    def resume_writing(self) -> None:
        """Encrypt more, or pass on that there is room again."""
        self._full = False
        if self._backlog:
            self._write_on()
        elif self._receiver is not None:
            self._receiver.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End. No circle is left for the garbage collector."""
        self._connection = None
        receiver, self._receiver = self._receiver, None
        self._object = None
        self._unread = NOTHING
        self._drop_backlog()
        self._closing = True
        if receiver is not None:
            receiver.connection_lost(exc)

    # Reading.

    def _begin(self, data: bytes) -> bool:
        """Make what the handshake needs. False: this is no TLS."""
        if data[0] != _HANDSHAKE:
            self._refuse_plain(data)
            return False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        context = self._tls.certificates.context
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        return True

    def _read(self) -> None:
        """Decrypt what has come, as far as it is wanted, and hand it on."""
        while not (self._paused or self._closing or self._discarding):
            if self._unread:
                self._incoming.write(self._unread[:RECORD_BYTES])
                self._unread = self._unread[RECORD_BYTES:]
            if self._info is None and not self._shake_hands():
                if self._unread:
                    continue
                return
            self._hand_on()
            if not self._unread:
                break
        self._flush()
        if self._ended and not (self._paused or self._closing or self._discarding):
            self._tell_end()

    def _hand_on(self) -> None:
        """Give the connection what can be decrypted now."""
        tls_object = self._object
        receiver = self._receiver
        assert tls_object is not None
        assert receiver is not None
        while not (self._paused or self._closing or self._discarding):
            try:
                piece = tls_object.read(RECORD_BYTES)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLZeroReturnError:
                piece = b""
            except ssl.SSLError as error:
                self._fail(error)
                return
            if not piece:  # the peer has said that no more comes (RFC 8446 §6.1)
                self._unread = NOTHING
                self._ended = True
                return
            receiver.data_received(piece)
            if not (self._incoming.pending or tls_object.pending()):
                return  # PERF: to be told so by an exception takes 1.6 µs; a request takes 7

    def _tell_end(self) -> None:
        self._ended = False
        self._discarding = True
        if self._receiver is not None:
            self._receiver.eof_received()

    def _shake_hands(self) -> bool:
        """Go on with the handshake. True: it is done."""
        tls_object = self._object
        connection = self._connection
        assert tls_object is not None
        assert connection is not None
        try:
            tls_object.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except (ssl.SSLError, ssl.CertificateError) as error:
            self._fail(error)
            return False
        self._info = _info_of(tls_object, self._tls.certificates.asks_clients)
        self._flush()
        connection.state = State.READY
        connection.since = connection.server.now
        return True

    def _fail(self, error: Exception) -> None:
        connection = self._connection
        assert connection is not None
        if self._said_goodbye:
            self._discarding = True
            self._unread = NOTHING
            return
        self._flush()  # OpenSSL has written an alert that says why
        if self._info is None:
            self._tls.failed(connection.peer, _reason(error))
        else:
            logger.debug("TLS with %s broke: %s", connection.peer, _reason(error))
        self._closing = True
        self._drop_backlog()
        self._raw.close()

    def _refuse_plain(self, data: bytes) -> None:
        """Tell a client that speaks plain HTTP what to do; whatever else it may be is not answered."""
        connection = self._connection
        assert connection is not None
        if not data[:1].isalpha():
            self._tls.failed(connection.peer, "what came was no TLS")
            self._closing = True
            self._raw.close()
            return
        self._tls.failed(connection.peer, "what came was plain HTTP")
        connection.state = State.LINGERING
        connection.since = connection.server.now
        self._discarding = True
        head = connection.server.writer.head(
            400,
            (("Content-Type", "text/plain; charset=utf-8"),),
            content_length=len(_NOT_PLAIN),
            connection="close",
        )
        connection.server.counters.refused += 1
        self._raw.write(head + _NOT_PLAIN)
        with contextlib.suppress(OSError):  # so asyncio's own loop says that the peer has gone
            self._raw.write_eof()

    # As the connection's transport.

    @property
    def info(self) -> TLSInfo | None:
        """What the handshake came to, once it is done."""
        return self._info

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have `protocol` be told of what comes from now on, in place of the connection."""
        self._receiver = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return what is told of what comes."""
        return cast("asyncio.BaseProtocol", self._receiver)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport beneath knows; or ``tls``, ``sslcontext`` and ``ssl_object``."""
        match name:
            case "tls":
                return self._info or default
            case "sslcontext":
                return self._tls.certificates.context
            case "ssl_object":
                return self._object or default
            case _:
                return self._raw.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send; much of it piece by piece."""
        if self._object is None or self._closing or self._ending or self._raw.is_closing():
            return
        if not data:
            return
        rest = memoryview(data)
        if not self._backlog:
            rest = self._encrypt(rest)
        if rest:
            if not self._backlog and not self._full and self._receiver is not None:
                self._receiver.pause_writing()
            self._backlog.append(rest)
            self._backlog_bytes += len(rest)
            self._take_turn()

    def _encrypt(self, plain: memoryview) -> memoryview:
        """Send the beginning of `plain` and return the rest."""
        tls_object = self._object
        connection = self._connection
        if tls_object is None or connection is None:
            return NOTHING
        rest = plain[:TURN_BYTES]
        octets = len(rest)
        pieces: list[bytes] = []
        try:
            while rest:
                rest = rest[tls_object.write(rest[:RECORD_BYTES]) :]
                pieces.append(self._outgoing.read())
        except ssl.SSLError as error:
            self._fail(error)
            return NOTHING
        sent = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        # The connection counts what it has sent, and the transport what waits: both in bytes on the wire.
        connection.octets_sent += len(sent) - octets
        self._raw.write(sent)
        return plain[octets:]

    def _take_turn(self) -> None:
        if not self._turn_waits and not self._full and self._connection is not None:
            self._turn_waits = True
            self._connection.loop.call_soon(self._write_on)

    def _write_on(self) -> None:
        """Go on with the backlog. Then is the time for what was to follow."""
        self._turn_waits = False
        if not self._backlog or self._full:
            return
        plain = self._backlog.popleft()
        rest = self._encrypt(plain)
        self._backlog_bytes -= len(plain) - len(rest)
        if rest:
            self._backlog.appendleft(rest)
        if self._backlog:
            self._take_turn()
        elif self._closing:
            self._say_goodbye()
            self._raw.close()
        elif self._ending:
            try:
                self._write_eof()
            except OSError:  # so asyncio's own loop says that the peer has gone
                self.abort()
        elif not self._is_full and self._receiver is not None:
            self._receiver.resume_writing()

    @property
    def _is_full(self) -> bool:
        return self._full

    def _drop_backlog(self) -> None:
        self._backlog.clear()
        self._backlog_bytes = 0

    def can_write_eof(self) -> bool:
        """Whether the peer can be told that nothing more comes, while it is still read from."""
        return self._raw.can_write_eof()

    def write_eof(self) -> None:
        """Tell the peer that nothing more comes; it is still read from."""
        self._ending = True
        if not self._backlog:
            self._write_eof()

    def _write_eof(self) -> None:
        self._say_goodbye()
        self._raw.write_eof()

    def close(self) -> None:
        """Send what waits, say good-bye, and close."""
        if self._closing:
            return
        self._closing = True
        if not self._backlog:
            self._say_goodbye()
            self._raw.close()

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        self._drop_backlog()
        self._raw.abort()

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._closing or self._raw.is_closing()

    def pause_reading(self) -> None:
        """Hand on nothing until `resume_reading`."""
        self._paused = True
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        """Go on with what has come meanwhile, in the next turn."""
        self._paused = False
        self._raw.resume_reading()
        connection = self._connection
        if connection is not None and self._info is not None and not self._discarding:
            connection.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._object is not None:
            self._read()

    def is_reading(self) -> bool:
        """Whether what comes is handed on."""
        return not self._paused and self._raw.is_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say when to pause the connection's writing."""
        self._raw.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the peer has not been sent."""
        return self._backlog_bytes + self._raw.get_write_buffer_size()

    def _say_goodbye(self) -> None:
        """Write close_notify, so that the peer knows that nothing was cut off (RFC 8446 §6.1)."""
        if self._object is not None and self._info is not None and not self._said_goodbye:
            self._said_goodbye = True
            try:
                self._object.unwrap()
            except ssl.SSLWantReadError:
                pass  # it wants to wait for the peer's own, and is not let
            except ssl.SSLError:
                # It has found something else in the peer's place, and reads no more.
                self._discarding = True
                self._unread = NOTHING
            self._flush()

    def _flush(self) -> None:
        """Send what OpenSSL has written on its own account."""
        if self._object is None or not self._outgoing.pending or self._raw.is_closing():
            return
        data = self._outgoing.read()
        if self._connection is not None:
            self._connection.octets_sent += len(data)
        if self._info is not None:
            self._own_octets += len(data)
            if self._own_octets > OWN_BYTES:
                self.abort()
                return
        self._raw.write(data)


def _info_of(tls_object: ssl.SSLObject, asks_clients: bool) -> TLSInfo:
    name, _version, bits = tls_object.cipher() or ("", "", 0)
    client: ClientCertificate | None = None
    if asks_clients:
        details: dict[str, Any] | None = tls_object.getpeercert()
        der = tls_object.getpeercert(binary_form=True)
        if details and der:
            client = ClientCertificate(der, details)
    return TLSInfo(
        tls_object.version() or "",
        name,
        bits,
        tls_object.selected_alpn_protocol(),
        getattr(tls_object, "server_name", None),
        client,
    )


def _reason(error: Exception) -> str:
    """Say what OpenSSL says, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    reason = getattr(error, "reason", None)
    return str(reason).lower().replace("_", " ") if reason else str(error)
