"""An exchange: one request and all its responses, seen from the handler (RFC 9110 §3.4).

Application code never sees a connection. HTTP/1.1's connection is its own exchange, one after the other;
HTTP/2 has one per stream; a test has one in memory.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

from ..protocol.head import RequestHead
from .tls import TLSInfo


class ContentError(Exception):
    """The content of a request cannot be read to its end."""


class ContentLimitExceeded(ContentError):
    """The content is larger than the request's limit; what came before the limit is not handed out."""


class ContentInterrupted(ContentError):
    """The client went away, or was too slow, before its content had come whole."""


class ContentUnavailable(ContentError):
    """The server cannot hold this content now: its memory or disk for content is taken. Worth a 503."""


class ContentNotStored(ContentUnavailable):
    """The disk did not take this content: it is full, or broken. Worth a 507 (RFC 4918 §11.5)."""


class Content(Protocol):
    """The content of one request that had not come whole, in memory, when the handler was called.

    Belongs to one request: when its exchange is over every read answers `ContentInterrupted`, whatever the
    connection does next.
    """

    limit_bytes: int | None
    """How much may be read before `ContentLimitExceeded`; None: no limit. May be set until content is read."""

    trailers: tuple[tuple[bytes, bytes], ...]
    """The field lines of the trailer section, once content has been read to its end (RFC 9110 §6.5)."""

    @property
    def complete(self) -> bool:
        """Whether all of it is here, so that no read has to wait."""
        ...

    def read(self, size: int = -1) -> bytes:
        """Return `size` octets, fewer only at the end; all that is left when `size` is negative.

        Blocks until they are there. Call it in a pool thread.

        Raises:
            ContentError: it is too large, or will never be whole.
            RuntimeError: called on the event loop while content is still missing.
        """
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the content as it comes, on the event loop. Raises `ContentError` as `read` does."""
        ...

    async def receive_whole(self) -> None:
        """Wait, on the event loop, until `read` cannot wait. Raises `ContentError` as `read` does."""
        ...


class Exchange(Protocol):
    """What stands behind a request while it is being answered."""

    @property
    def peer(self) -> tuple[str, int] | str:
        """Address of the peer: (host, port), or the path or empty name of a Unix socket."""
        ...

    @property
    def local(self) -> tuple[str, int] | str:
        """Address the peer connected to, in the same form."""
        ...

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        ...

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS tells of the connection, with the client's certificate where it has shown one.

        None where the connection is plain, though a proxy before it may have spoken TLS with the client.
        """
        ...

    @property
    def route(self) -> tuple[str, ...]:
        """The addresses a request has come by, the client's first, as far as proxies are believed; empty without."""
        ...

    @property
    def root_path(self) -> str:
        """Where the application is mounted for the client, without a slash at the end: what a proxy has cut off."""
        ...

    @property
    def disconnected(self) -> bool:
        """Whether the peer has gone, so that no answer can reach it. Safe to read in any thread."""
        ...

    @property
    def taken_over(self) -> bool:
        """Whether a program has taken the connection (see `offer_socket`), so that no answer is written."""
        ...

    def offer_socket(self, head: RequestHead) -> Any | None:
        """Return what a program can take the connection with, to speak the protocol `head` asks to upgrade to.

        It is used as a blocking socket is. Looking at it does nothing; with its first use the connection is the
        program's: what it reads begins behind the head, what it sends is sent as it is (101 included), and what the
        handler returns goes nowhere. None where the connection cannot be given away. (RFC 9110 §7.8.)
        """
        ...

    def inform(self, status: int, fields: Iterable[tuple[str, str]]) -> None:
        """Send an interim response, such as 103 (RFC 9110 §15.2). Nothing is sent to an HTTP/1.0 client.

        Raises:
            ValueError: `status` is not 1xx, or is 101, which is a final answer here.
        """
        ...

    def reset(self, reason: str) -> None:
        """Give the exchange up at once: the client sees that the answer is not whole."""
        ...
