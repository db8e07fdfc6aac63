"""Sends requests to a proxy, and receives in place of the application what the proxy makes of them."""

import contextlib
import http.client
import secrets
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

from ..protocol.errors import ProtocolError
from ..protocol.head import RequestHead
from ..protocol.http1.reader import RequestReader
from ..protocol.proxy_header import (
    SIGNATURE,
    ProxyHeader,
    ProxyHeaderError,
    parse_proxy_header,
)
from ..server.addresses import ListeningSockets

MARK: Final = "groundwire-doctor"
"""In the query of each probe, and as a field of it, so that others' requests are told from ours."""

STREAM_SECONDS: Final = 2.0
"""How long the end of a streamed answer is kept back for its beginning to arrive."""

POLL_SECONDS: Final = 0.1
MAX_CONNECTIONS: Final = 64
_PROXY_LINE: Final = b"PROXY "

Address = tuple[str, int] | str

SPOOFED_ADDRESS: Final = "203.0.113.66"
"""From a network that is for examples only (RFC 5737)."""

SPOOFED_HOST: Final = "spoofed.invalid"
SPOOFED_PORT: Final = "4666"
SPOOFED_PREFIX: Final = "/spoofed"


def spoofed_scheme(scheme: str) -> str:
    """Return the scheme that a request does not have."""
    return "http" if scheme == "https" else "https"


@dataclass(slots=True)
class Upstream:
    """One connection of the proxy's.

    Attributes:
        peer: where it came from.
        introduction: the header of the PROXY protocol it began with, if any.
        requests: how many have come on it.
        ended_by_peer: whether the proxy has closed it.
    """

    peer: Address
    local: Address
    introduction: ProxyHeader | None = None
    requests: int = 0
    ended_by_peer: bool = False
    open: bool = True


@dataclass(slots=True)
class Arrival:
    """A probe as it arrived."""

    head: RequestHead
    upstream: Upstream

    def values(self, name: str) -> list[str]:
        """Return what the field lines with this name say, from first to last."""
        wanted = name.lower().encode()
        return [
            value.decode("latin-1")
            for each, value in self.head.fields.lines
            if each.lower() == wanted
        ]


@dataclass(slots=True)
class Answer:
    """What the proxy answered to a probe.

    Attributes:
        status: the status code; 0 where there was no answer.
        server: what the proxy says that it is.
        failure: why there was no answer, if so.
        arrival: what came of the probe here; None where nothing did.
    """

    status: int = 0
    server: str = ""
    content: str = ""
    failure: str = ""
    arrival: Arrival | None = None


class ProbeServer:
    """Listens in place of the application, and answers probes; all else gets 503.

    Threads and blocking sockets: what it looks at is how connections are used, which a server hides.
    """

    def __init__(self, listening: ListeningSockets) -> None:
        self.token = secrets.token_hex(8)
        self.arrivals: dict[str, Arrival] = {}
        self.refused: list[str] = []
        """What came and was no request, in words."""

        self.strangers = 0
        """Requests that were no probes."""

        self.first_piece_seen = threading.Event()
        self.streamed: dict[str, bool] = {}
        self._listening = listening
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._room = threading.Semaphore(MAX_CONNECTIONS)

    def start(self) -> None:
        """Begin to accept."""
        for sock in self._listening.sockets:
            sock.settimeout(POLL_SECONDS)
            self._spawn(self._accept, sock)

    def close(self) -> None:
        """End everything."""
        self._closed.set()
        for thread in self._threads:
            thread.join(5)
        self._listening.close()

    def _spawn(self, function: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, sock: socket.socket) -> None:
        while not self._closed.is_set():
            try:
                accepted, address = sock.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if not self._room.acquire(blocking=False):
                accepted.close()
                continue
            self._spawn(self._serve, accepted, _plain(address))

    def _serve(self, accepted: socket.socket, peer: Address) -> None:
        upstream = Upstream(peer, _plain(accepted.getsockname()))
        try:
            with accepted, contextlib.suppress(OSError):
                accepted.settimeout(POLL_SECONDS)
                self._converse(accepted, upstream)
        finally:
            upstream.open = False
            self._room.release()

    def _converse(self, accepted: socket.socket, upstream: Upstream) -> None:
        reader = RequestReader()
        beginning: bytes | None = b""
        while not self._closed.is_set():
            try:
                data = accepted.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:  # a reset is an end too, if not a polite one
                data = b""
            if not data:
                upstream.ended_by_peer = True
                return
            try:
                if beginning is not None:
                    beginning += data
                    rest = _introduced(beginning, upstream)
                    if rest is None:
                        continue
                    beginning, data = None, rest
                if data:
                    reader.receive(data)
                while (head := reader.next_head()) is not None:
                    upstream.requests += 1
                    if not self._answer(accepted, Arrival(head, upstream)):
                        return
            except (ProtocolError, ProxyHeaderError) as error:
                self.refused.append(f"from {shown(upstream.peer)}: {error}")
                accepted.sendall(_answer_of("400 Bad Request", "no request\n", persistent=False))
                return

    def _answer(self, accepted: socket.socket, arrival: Arrival) -> bool:
        """Answer a request. True: the connection may go on."""
        probe = self._probe_of(arrival)
        if probe is None:
            self.strangers += 1
            accepted.sendall(
                _answer_of("503 Service Unavailable", "being examined\n", persistent=False)
            )
            return False
        self.arrivals.setdefault(probe, arrival)
        streams = probe.startswith("stream")
        persistent = arrival.head.persistent and not arrival.head.has_content
        if streams or not persistent:
            # Before the answer is read: who has read it must not take this connection for one that is kept.
            arrival.upstream.open = False
        if streams:
            self._stream(accepted, probe, arrival.head.version)
            return False
        accepted.sendall(_answer_of("200 OK", f"{MARK}\n", persistent=persistent))
        return persistent

    def _probe_of(self, arrival: Arrival) -> str | None:
        """Return a probe's name; None for what is none."""
        marks = arrival.values(MARK)
        _, _, query = arrival.head.query.rpartition(f"{MARK}=")
        for mark in (*marks, query):
            token, _, probe = mark.partition("-")
            if secrets.compare_digest(token.encode(), self.token.encode()):
                return probe
        return None

    def _stream(self, accepted: socket.socket, probe: str, version: str) -> None:
        self.first_piece_seen.clear()
        fields = "X-Accel-Buffering: no\r\n" if probe == "stream-unbuffered" else ""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n{fields}"
        chunked = version == "HTTP/1.1"
        if chunked:
            head += "Transfer-Encoding: chunked\r\n"
        accepted.sendall(f"{head}\r\n".encode() + _chunk(b"first\n", chunked))
        self.streamed[probe] = self.first_piece_seen.wait(STREAM_SECONDS)
        accepted.sendall(_chunk(b"last\n", chunked) + (b"0\r\n\r\n" if chunked else b""))


def _introduced(data: bytes, upstream: Upstream) -> bytes | None:
    """Return what is behind a header of the PROXY protocol, if there is one; None until that can be told."""
    if not (data.startswith((_PROXY_LINE, SIGNATURE)) or _PROXY_LINE.startswith(data)):
        return None if SIGNATURE.startswith(data) else data
    header = parse_proxy_header(data)
    if header is None:
        return None
    upstream.introduction = header
    return data[header.size :]


def _answer_of(status: str, text: str, *, persistent: bool) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
        f"Cache-Control: no-store\r\nConnection: {'keep-alive' if persistent else 'close'}\r\n\r\n{text}"
    ).encode()


def _chunk(piece: bytes, chunked: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece


def _plain(address: Any) -> Address:
    if not isinstance(address, tuple):
        return str(address or "")
    host, port, *_ = cast("tuple[str, int, int, int]", address)
    return host, port


def shown(address: Address) -> str:
    """Return an address as a person would write it."""
    if isinstance(address, tuple):
        return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    return f"unix:{address}"


@dataclass(slots=True)
class Prober:
    """Sends probes to a URL, each on a connection of its own.

    Attributes:
        url: where clients find the proxy.
        server: where the probes are to arrive.
        timeout_seconds: how long to wait for an answer.
        verify: whether the proxy's certificate must be good.
    """

    url: str
    server: ProbeServer
    timeout_seconds: float = 10.0
    verify: bool = True
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])

    @property
    def scheme(self) -> str:
        """The scheme clients use."""
        return urlsplit(self.url).scheme

    @property
    def authority(self) -> str:
        """Host and port that clients ask for."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def path(self) -> str:
        """The path clients ask for."""
        return urlsplit(self.url).path or "/"

    def send(self, probe: str, fields: dict[str, str] | None = None) -> Answer:
        """Send a probe, and return what the proxy answered and what arrived."""
        mark = f"{self.server.token}-{probe}"
        query = urlsplit(self.url).query
        target = f"{self.path}?{query}&{MARK}={mark}" if query else f"{self.path}?{MARK}={mark}"
        answer = Answer()
        connection = self._connect()
        try:
            connection.request(
                "GET", target, headers={MARK: mark, "Accept": "*/*", **(fields or {})}
            )
            response = connection.getresponse()
            if probe.startswith("stream"):
                response.readline()
                self.server.first_piece_seen.set()
            answer.content = response.read(65536).decode("utf-8", "replace")
            answer.status = response.status
            answer.server = response.getheader("Server", "")
        except ssl.SSLCertVerificationError as error:
            answer.failure = f"its certificate is not good: {error.verify_message}; to go on all the same: --insecure"
        except socket.gaierror as error:
            answer.failure = f"the host {self.authority} is not known here: {error.strerror}"
        except ConnectionRefusedError:
            answer.failure = "nobody listens there"
        except TimeoutError:
            answer.failure = f"no answer came in {self.timeout_seconds:g} s"
        except (OSError, http.client.HTTPException) as error:
            answer.failure = str(error) or type(error).__name__
        finally:
            connection.close()
        answer.arrival = self.server.arrivals.get(probe)
        self.answers[probe] = answer
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self.timeout_seconds)
        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            host, parts.port, timeout=self.timeout_seconds, context=context
        )

    def spoofs(self) -> dict[str, str]:
        """Return fields that only a proxy should write, as a client would forge them."""
        scheme = spoofed_scheme(self.scheme)
        return {
            "X-Forwarded-For": SPOOFED_ADDRESS,
            "X-Forwarded-Proto": scheme,
            "X-Forwarded-Host": SPOOFED_HOST,
            "X-Forwarded-Port": SPOOFED_PORT,
            "X-Forwarded-Prefix": SPOOFED_PREFIX,
            "Forwarded": f"for={SPOOFED_ADDRESS};proto={scheme};host={SPOOFED_HOST}",
        }


def wait_idle(upstream: Upstream, seconds: float) -> bool:
    """Wait whether the proxy closes a connection by itself. True: it does, within `seconds`."""
    end = time.monotonic() + seconds
    while upstream.open and not upstream.ended_by_peer and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return upstream.ended_by_peer
