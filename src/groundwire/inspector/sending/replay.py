"""Sends octets exactly as they are given, broken ones too, and receives what is answered, octet for octet.

One way for both who ask: the inspector of a running server awaits it on the server's own loop, the command line runs it
on a loop of its own. Sending and receiving go on at the same time, since a server may answer, and stop to read, before
it has everything; what it said then is not lost.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from ...protocol.errors import ProtocolError
from ...protocol.http1.response_reader import ResponseReader
from ...server.server import Server
from .outgoing import ReplayError, methods_in

MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024
TIMEOUT_SECONDS: Final = 30.0
RECEIVED_AT_ONCE: Final = 65_536

State = Literal["answered", "broken off", "no answer", "not reached", "too long", "malformed"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests are sent to."""

    host: str = ""
    port: int = 0
    unix: str = ""
    """Path of a Unix socket, in place of host and port."""

    secure: bool = False
    """Whether TLS is spoken."""

    verify: bool = True
    """Whether the certificate must be good."""

    preface: bytes = b""
    """What goes before everything else, such as a header of the PROXY protocol."""

    @property
    def authority(self) -> str:
        """Host and port as a Host field has them."""
        if self.unix:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        scheme = "https" if self.secure else "http"
        return f"unix:{self.unix}" if self.unix else f"{scheme}://{self.authority}"


@dataclass(slots=True)
class Outcome:
    """What came of a request.

    Attributes:
        request: the octets that were sent.
        state: how it ended; ``"answered"`` when a response has come whole.
        said: that in a sentence.
        responses: what has come, a reader for each response that was expected and has begun.
        extra_octets: how many octets came behind the last response.
        seconds: from the first moment to the last octet.
        first_byte_seconds: to the first octet of the answer; None if none came.
    """

    request: bytes
    state: State = "no answer"
    said: str = ""
    responses: list[ResponseReader] = field(default_factory=list[ResponseReader])
    extra_octets: int = 0
    seconds: float = 0.0
    first_byte_seconds: float | None = None

    @property
    def response(self) -> bytes:
        """Every octet that came, up to the end of the last response."""
        return b"".join(
            bytes(reader.raw[: reader.end] if reader.complete else reader.raw)
            for reader in self.responses
        )

    @property
    def status(self) -> int:
        """The status code of the last response; 0 if there is none."""
        head = self.responses[-1].head if self.responses else None
        return 0 if head is None else head.status

    @property
    def method(self) -> str:
        """The method of the first request in what was sent."""
        return methods_in(self.request)[0][0]

    def field(self, name: str) -> str:
        """Return the first value of a field of the last response; empty if it has none."""
        head = self.responses[-1].head if self.responses else None
        wanted = name.lower()
        values = [] if head is None else [v for n, v in head.fields if n.lower() == wanted]
        return values[0] if values else ""


def parse_target(text: str, *, verify: bool = True) -> Address:
    """Read where a person wants requests to be sent.

    Args:
        text: an http or https URL without a path, or ``unix:`` and the path of a socket.
        verify: whether a certificate must be good.

    Raises:
        ReplayError: it is neither.
    """
    if text.startswith("unix:") and len(text) > len("unix:"):
        return Address(unix=text.removeprefix("unix:"))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ReplayError(f"{text!r} is no URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ReplayError(
            f"{text!r} is no URL to send to; write http://localhost:8000, or unix: and a path."
        )
    if parts.path not in ("", "/") or parts.query:
        raise ReplayError(
            f"{text!r} has a path, but which one is asked for is up to each request; leave it out."
        )
    secure = parts.scheme == "https"
    return Address(
        parts.hostname, port or (443 if secure else 80), secure=secure, verify=verify or not secure
    )


def own_address(server: Server) -> Address:
    """Return where a server finds itself: for its inspector, which sends to nobody else."""
    secure = server.tls is not None
    preface = b"PROXY UNKNOWN\r\n" if server.settings.proxy_protocol == "required" else b""
    # It is the server itself at the other end, whatever its certificate has been issued for.
    if server.url.startswith("unix:"):
        unix = server.url.removeprefix("unix:")
        return Address(unix=unix, secure=secure, verify=False, preface=preface)
    host = urlsplit(server.url).hostname or "localhost"
    port = server.port or urlsplit(server.url).port or (443 if secure else 80)
    return Address(host, port, secure=secure, verify=False, preface=preface)


def send_and_wait(
    raw: bytes,
    address: Address,
    *,
    limit_bytes: int = MAX_RESPONSE_BYTES,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Outcome:
    """Do what `send` does, in a thread that has no event loop."""
    return asyncio.run(send(raw, address, limit_bytes=limit_bytes, timeout_seconds=timeout_seconds))


async def send(
    raw: bytes,
    address: Address,
    *,
    limit_bytes: int = MAX_RESPONSE_BYTES,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Outcome:
    """Send octets on a connection of their own, and receive what is answered.

    Where they are no whole request, the sending side is closed behind them (but for TLS, which has no such thing here),
    so that nobody waits for the rest.

    Args:
        raw: what to send; one request, several, or none at all.
        address: where to.
        limit_bytes: how many octets of the answer are taken.
        timeout_seconds: how long all of it may take.

    Returns:
        What came of it. It raises nothing that the peer or the network may cause.
    """
    began = time.perf_counter()
    outcome = Outcome(raw)
    methods, fault = methods_in(raw)
    channel: Channel | None = None
    try:
        async with asyncio.timeout(timeout_seconds):
            channel = await _connect(address)
            await _converse(
                channel, outcome, methods, limit_bytes, began, half=fault == "incomplete"
            )
    except (TimeoutError, OSError, ProtocolError, ValueError) as error:
        _tell_failure(outcome, error, address, timeout_seconds, reached=channel is not None)
    finally:
        if channel is not None:
            channel.close()
    outcome.seconds = time.perf_counter() - began
    return outcome


async def _converse(
    channel: "Channel",
    outcome: Outcome,
    methods: list[str],
    limit_bytes: int,
    began: float,
    *,
    half: bool,
) -> None:
    """Send and receive at once, until the last response is whole or the peer has ended."""
    sending = asyncio.create_task(_send_all(channel, outcome.request, half=half))
    left = limit_bytes
    waiting = list(methods)
    rest = b""
    try:
        while waiting:
            data = rest or await channel.receive()
            if not rest:
                left -= len(data)
                if outcome.first_byte_seconds is None and data:
                    outcome.first_byte_seconds = time.perf_counter() - began
            reader = _open_reader(outcome, waiting[0])
            if data:
                reader.receive(data)
            else:
                reader.receive_eof()
            if reader.complete:
                waiting.pop(0)
                rest = bytes(reader.raw[reader.end :])
                if reader.head is not None and reader.head.status == 101:
                    break
            elif not data:
                _tell_end(outcome, reader)
                return
            elif left < 0:
                outcome.state = "too long"
                outcome.said = (
                    f"The answer is longer than {limit_bytes:,} octets: {reader.missing}."
                )
                return
            else:
                rest = b""
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
    outcome.extra_octets = len(rest)
    outcome.state = "answered"
    outcome.said = f"It was answered with {outcome.status}."


def _open_reader(outcome: Outcome, method: str) -> ResponseReader:
    """Return the reader of the response that is coming."""
    if not outcome.responses or outcome.responses[-1].complete:
        outcome.responses.append(ResponseReader(method))
    return outcome.responses[-1]


async def _send_all(channel: "Channel", raw: bytes, *, half: bool) -> None:
    # A server that refuses need not read the rest; what it has to say is read all the same.
    with contextlib.suppress(OSError):
        await channel.send(raw)
        if half:
            channel.end_sending()


def _tell_end(outcome: Outcome, reader: ResponseReader) -> None:
    if reader.raw:
        outcome.state = "broken off"
        outcome.said = f"The connection ended before the answer was whole: {reader.missing}."
    else:
        outcome.responses.pop()
        outcome.said = "The connection was closed without an answer."


def _tell_failure(
    outcome: Outcome, error: Exception, address: Address, seconds: float, *, reached: bool
) -> None:
    """Say in a sentence what went wrong."""
    reader = outcome.responses[-1] if outcome.responses else None
    begun = reader is not None and not reader.complete and bool(reader.raw)
    if isinstance(error, ProtocolError):
        outcome.state = "malformed"
        outcome.said = f"What came is no response: {error}"
    elif not reached:
        outcome.state = "not reached"
        outcome.said = _why_not_reached(error, address, seconds)
    elif isinstance(error, TimeoutError):
        outcome.state = "broken off" if begun else "no answer"
        missing = f": {reader.missing}" if begun and reader is not None else ""
        what = "The answer was not whole" if begun else "No answer came"
        outcome.said = f"{what} in {seconds:g} s{missing}."
    else:
        outcome.state = "broken off" if begun else "no answer"
        missing = f": {reader.missing}" if begun and reader is not None else ""
        what = "in the middle of the answer" if begun else "without an answer"
        outcome.said = f"The connection was reset {what}{missing}."


def _why_not_reached(error: Exception, address: Address, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"{address} could not be reached in {seconds:g} s."
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return f"Nobody listens on {address}."
    if isinstance(error, socket.gaierror | UnicodeError):  # a name that cannot be is no OSError
        return f"The host {address.host!r} is not known here."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {address} is not good: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return f"TLS cannot be spoken with {address}: {error.reason or error}."
    reason = error.strerror if isinstance(error, OSError) else ""
    return f"{address} could not be reached: {reason or error}."


async def _connect(address: Address) -> "Channel":
    loop = asyncio.get_running_loop()
    if address.unix:
        family = getattr(socket, "AF_UNIX", None)
        if family is None:
            raise OSError("this system has no Unix sockets")
        connected = await _connect_to(loop, family, address.unix)
    else:
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        connected = await _connect_to_any(loop, found)
    channel = Channel(loop, connected)
    try:
        await channel.send(address.preface)
        if not address.secure:
            return channel
        secured = SecuredChannel(loop, connected, address)
        await secured.shake_hands()
    except BaseException:
        channel.close()
        raise
    return secured


async def _connect_to_any(loop: asyncio.AbstractEventLoop, found: list[Any]) -> socket.socket:
    failure: OSError | None = None
    for family, _type, _protocol, _name, where in found:
        try:
            return await _connect_to(loop, family, where)
        except OSError as error:
            failure = failure or error
    raise failure or OSError("it has no address")


async def _connect_to(
    loop: asyncio.AbstractEventLoop, family: socket.AddressFamily, where: Any
) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        await loop.sock_connect(connecting, where)
    except BaseException:
        connecting.close()
        raise
    return connecting


class Channel:
    """A connected socket."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connected: socket.socket) -> None:
        self._loop = loop
        self._socket = connected

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        if data:
            await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """Return what comes next; empty at the end."""
        return await self._loop.sock_recv(self._socket, RECEIVED_AT_ONCE)

    def end_sending(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close it, whatever is still on its way."""
        self._socket.close()


class SecuredChannel(Channel):
    """A connected socket with TLS on it; OpenSSL works in memory, as nothing else can send and receive at once."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, connected: socket.socket, address: Address
    ) -> None:
        super().__init__(loop, connected)
        if address.verify:
            context = ssl.create_default_context()
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=address.host or None
        )
        self._sending = asyncio.Lock()

    async def shake_hands(self) -> None:
        """Agree on keys.

        Raises:
            OSError: the peer cannot, or its certificate is not good.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._take():
                    raise ConnectionResetError("the peer ended the handshake") from None
            else:
                await self._flush()
                return

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        for start in range(0, len(data), RECEIVED_AT_ONCE):
            self._tls.write(data[start : start + RECEIVED_AT_ONCE])
            await self._flush()

    async def receive(self) -> bytes:
        """Return what comes next; empty at the end, said or not."""
        while True:
            try:
                return self._tls.read(RECEIVED_AT_ONCE)
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._take():
                    return b""
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def end_sending(self) -> None:
        """Do nothing: `ssl` cannot end one direction alone."""

    async def _flush(self) -> None:
        async with self._sending:
            if data := self._outgoing.read():
                await super().send(data)

    async def _take(self) -> bool:
        data = await super().receive()
        if data:
            self._incoming.write(data)
        return bool(data)
