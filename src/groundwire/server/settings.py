"""What an operator can set, with defaults that can go to production."""

from dataclasses import dataclass, field
from typing import Any, Literal

from ..protocol.limits import MessageLimits
from . import log_format

ForwardedHeaders = Literal["auto", "forwarded", "x-forwarded"]

ClientCertificates = Literal["required", "optional"]

Wire = Literal["auto", "on", "off", "console"]


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a server listens, how long it waits, and how much it holds.

    Every limit is finite. Times are seconds and are met within 1.5 s (one sweep a second).
    """

    host: str = "localhost"
    """Name or address to listen on; ``localhost`` means 127.0.0.1 and ::1."""

    port: int = 8000
    """TCP port; 0 picks a free one."""

    unix: str | None = None
    """Path of a Unix socket to listen on instead of host and port."""

    unix_mode: str = "660"
    """Who may connect to the Unix socket, as chmod has it: by default its owner and group."""

    backlog: int = 1024
    """Connections that wait in the kernel to be accepted; nginx 511, Apache 511. The system has a bound of its own."""

    message_limits: MessageLimits = field(default_factory=MessageLimits)

    first_byte_seconds: int = 30
    """From connecting to the first byte. Beyond: close."""

    head_seconds: int = 10
    """From a head's first byte to its last, however fast bytes come. h2o 10 s, Apache 20 s. Beyond: 408, close."""

    content_gap_seconds: int = 30
    """How long awaited content may come without one byte. Beyond: 408, close."""

    content_grace_seconds: int = 10
    """From when on awaited content must have averaged `content_rate_bytes` a second."""

    content_rate_bytes: int = 500
    """Bytes a second that awaited content must average. Apache's RequestReadTimeout 500. Below: 408, close."""

    keepalive_seconds: int = 15
    """An idle persistent connection is closed after this. Raise above the proxy's own figure when behind one."""

    keepalive_requests: int = 10_000
    """Requests on one connection; the last answer says ``Connection: close``."""

    send_stall_seconds: int = 30
    """How long the peer may take no byte of what is pending. Beyond: reset."""

    send_grace_seconds: int = 30
    """From when on a peer with bytes pending must have averaged `send_rate_bytes` a second."""

    send_rate_bytes: int = 500
    """Bytes a second that a peer must average, while any are pending. Below: reset."""

    max_connections: int = 4096
    """Open connections; also at most 80 % of the free descriptors. Beyond: stop accepting until one closes."""

    max_connections_per_address: int = 256
    """Open connections from one IPv4 address or IPv6 /64; loopback and Unix sockets are exempt. Beyond: reset."""

    max_upgraded: int = 512
    """Connections that a program has taken over for another protocol (WebSocket), each with a thread of its own.
    Beyond: 503 with Retry-After."""

    request_timeout_seconds: int = 60
    """From the handler's call to the first byte of its answer; a route may have its own (``timeout=``). 0: no limit,
    for routes neither. Beyond: 503 and close, with the stack of what hangs in the log."""

    watchdog: bool = True
    """Whether a callback that holds the event loop for 100 ms is logged with its stack."""

    cert: tuple[str, ...] = ()
    """PEM files of certificates, each with the chain that leads to its issuer. With one, the server speaks HTTPS only.
    Of several the first is the default, and the others are chosen by the names in them (SNI)."""

    key: tuple[str, ...] = ()
    """PEM files of the certificates' keys, in the same order; none where the keys are in the files of `cert`."""

    client_ca: str | None = None
    """PEM file of the authorities whose client certificates are accepted. None: clients are not asked for any."""

    client_cert: ClientCertificates = "required"
    """Whether a client without a certificate is turned away, once there is a `client_ca`."""

    tls_handshake_seconds: int = 10
    """From connecting to the end of the TLS handshake. Beyond: close."""

    tls_dev: bool = False
    """Whether to make a certificate for this machine on the spot, for development; needs the package trustme."""

    hsts_seconds: int = 0
    """How long browsers shall use nothing but https for this host (RFC 6797). 0: not said."""

    redirect_http: str | None = None
    """``PORT`` or ``HOST:PORT`` to listen on with plain HTTP, where every answer leads to https."""

    ssl_context: Any = field(default=None, repr=False)
    """An `ssl.SSLContext` that a program has made itself, in place of `cert`."""

    trusted_proxies: tuple[str, ...] = ()
    """Peers that are believed what they say of clients: addresses, networks such as 10.0.0.0/8, or ``unix`` for those
    on a Unix socket. By default nobody is. They are exempt from `max_connections_per_address`."""

    forwarded_headers: ForwardedHeaders = "auto"
    """Which fields of a trusted proxy are read: Forwarded (RFC 7239), or those that begin with X-Forwarded. ``auto``
    reads whichever there are, and refuses a request where both are there and do not agree (400)."""

    forwarded_fields: tuple[str, ...] = ("for", "proto", "host", "port", "prefix")
    """What is believed of a trusted proxy's fields. Leave out what it only hands on from clients."""

    proxy_protocol: Literal["off", "required"] = "off"
    """Whether connections of trusted proxies begin with a header of the PROXY protocol (version 1 or 2)."""

    threads: int = 32
    """Blocking calls that run at once. Iterators of responses hold half of them at most."""

    thread_queue: int = 256
    """Calls that may wait for a thread. Beyond: 503 with Retry-After."""

    content_memory_bytes: int = 1024 * 1024
    """Whole content held in memory for one request; the rest goes to a temporary file."""

    worker_memory_bytes: int = 64 * 1024 * 1024
    """Content held in memory for all requests together. Beyond: 503."""

    worker_spool_bytes: int = 1024 * 1024 * 1024
    """Content spooled to disk for all requests together. Beyond: 503."""

    graceful_seconds: float = 30.0
    """How long a stop waits for what is being answered."""

    access_log: str = "-"
    """``-`` for stderr, ``off``, or a file's path."""

    access_log_format: str = "combined"
    """``common``, ``combined``, ``json``, or a text with fields such as ``{method} {target} {status}``."""

    request_id: bool = False
    """Whether answers carry X-Request-ID: the client's, where it sent one that can be, or a new one."""

    metrics: bool = False
    """Whether figures are kept for ``/-/metrics``. They are where there is an admin address or a control socket."""

    wire: Wire = "auto"
    """Whether exchanges are recorded and shown at ``/__wire__``; ``console`` also prints each. ``auto``: in debug
    mode."""

    wire_token: str = field(default="", repr=False)
    """What opens ``/__wire__`` to other machines too. Empty: it is there on loopback only."""

    wire_secrets: bool = False
    """Whether what is recorded keeps passwords, cookies and other secrets, which are masked otherwise."""

    wire_bytes: int = 8 * 1024 * 1024
    """What all recorded exchanges take in memory. Beyond: the oldest are forgotten."""

    def watches(self, *, debug: bool) -> bool:
        """Tell whether exchanges are recorded and shown, by an application that is in debug mode or is not."""
        return debug if self.wire == "auto" else self.wire != "off"

    def __post_init__(self) -> None:
        log_format.check(self.access_log_format)
