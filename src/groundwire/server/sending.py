"""How a response goes out: its framing, and the pump that sends content piece by piece.

Short responses never come here; `Connection` writes them in one piece with their head.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextvars import Context
from typing import Any, NamedTuple, Protocol, cast

from ..http.files import FileSlice
from ..http.response import Response
from ..protocol.head import RequestHead
from ..protocol.http1.writer import ResponseWriter
from .ahead import Ahead
from .threads import ThreadPool

logger = logging.getLogger("groundwire.server")

SLICE_BYTES = 131072
"""How much of a file is read at a time."""


class Framing(NamedTuple):
    """How the content of one response is delimited (RFC 9112 §6)."""

    head: bytes
    has_content: bool
    """Whether content follows the head at all (RFC 9110 §6.4.1)."""

    chunked: bool
    length: int | None
    """Octets that must follow when not chunked; None: closing the connection ends the content."""

    persistent: bool
    """Whether the connection can go on after this response."""


def frame(
    writer: ResponseWriter, request: RequestHead, response: Response, persistent: bool
) -> Framing:
    """Decide the framing of `response` and write its head.

    HEAD gets the header section that GET would get (RFC 9110 §9.3.2).

    Raises:
        ValueError: a field of the response cannot be sent, or its status is not a final one.
    """
    status = response.status_code
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is not the status code of a final response")
    content = response.content
    length = len(content) if content else response.content_length
    if content is not None and (length is None or request.method != "HEAD"):
        length = len(content)  # a view that answers HEAD itself may say how much GET would get
    if isinstance(response.source, FileSlice) and content is None:
        length = response.source.length
    if status == 205:
        length = 0  # RFC 9110 §15.3.6: it has no content, and says so
    bodiless = status in (204, 304)
    chunked = length is None and not bodiless and request.version == "HTTP/1.1"
    if length is None and not chunked and not bodiless:
        persistent = False
    if request.method == "CONNECT" and status < 300:
        # The client takes whatever follows a 2xx for its tunnel (RFC 9110 §9.3.6); there is none.
        persistent = False
    if persistent and response.plain_type is None and "Connection" in response.headers:
        wanted = response.headers.combined("Connection") or ""
        persistent = "close" not in (option.strip().lower() for option in wanted.split(","))
    connection: str | None
    if not persistent:
        connection = "close"
    else:
        connection = None if request.version == "HTTP/1.1" else "keep-alive"
    head = writer.head(
        status,
        response.field_lines(),
        reason=response.reason,
        content_length=None if bodiless else length,
        chunked=chunked,
        connection=connection,
    )
    has_content = not bodiless and status != 205 and request.method != "HEAD"
    return Framing(head, has_content, chunked, length, persistent)


class PeerGone(ConnectionResetError):
    """Nobody is there to take the answer. Not any `ConnectionError`: a program's own connections fail too."""


class Outlet(Protocol):
    """Where a stream of content goes: a connection, or one stream of it."""

    pool: ThreadPool

    def send(self, data: bytes) -> None:
        """Hand bytes to the transport."""
        ...

    async def drained(self) -> None:
        """Wait until the peer has taken enough of what was sent. Raises `PeerGone`."""
        ...


class StreamMismatch(Exception):
    """A streamed response came out longer or shorter than its Content-Length said."""


class Progress:
    """How much of a response's content is out, for whoever has to tell when the rest does not follow."""

    __slots__ = ("begun", "ending", "length", "octets", "response")

    def __init__(self, response: Response, length: int | None) -> None:
        self.response = response
        self.length = length
        """Octets that its head announces, if it does."""

        self.begun = False
        """Whether the head is out, so that no other answer can take this one's place."""

        self.octets = 0
        self.ending = False
        """Whether nothing more is sent, and only the response's iterator is being closed: not to be interrupted."""


async def send_stream(
    outlet: Outlet,
    writer: ResponseWriter,
    framing: Framing,
    response: Response,
    context: Context,
    progress: Progress,
) -> None:
    """Send the head and then the content of a streamed response, never faster than the peer takes it.

    The head goes out with the first piece, as WSGI has it (PEP 3333): what is wrong before that can still be answered.

    The context is the exchange's own; the iterator's steps run in it, in the pool for plain iterators. (This
    coroutine itself must run in another context when the source is a plain iterator: a context can be entered
    by one thread only.)

    Raises:
        StreamMismatch: the content does not have the announced length.
        FileTruncated: the file became shorter meanwhile.
        BaseException: whatever the iterator raised. The content was not ended: the client must see that.
    """
    pieces = pieces_of(response.source, outlet.pool, context)
    try:
        async for piece in pieces:
            if not piece:
                continue
            if framing.length is not None and progress.octets + len(piece) > framing.length:
                _send(outlet, framing, progress, piece[: framing.length - progress.octets])
                raise StreamMismatch(
                    f"content goes on after the {framing.length} octets of its Content-Length"
                )
            _send(outlet, framing, progress, writer.chunk(piece) if framing.chunked else piece)
            progress.octets += len(piece)
            await outlet.drained()
        if framing.length is not None and progress.octets != framing.length:
            raise StreamMismatch(
                f"content ended after {progress.octets} of the {framing.length} octets of its Content-Length"
            )
        end = b""
        if framing.chunked:
            trailers = response.trailers
            end = writer.last_chunk(trailers.items() if trailers is not None else ())
        _send(outlet, framing, progress, end)
    finally:
        progress.ending = True
        await pieces.aclose()


def _send(outlet: Outlet, framing: Framing, progress: Progress, data: bytes) -> None:
    """Send `data`, behind the head if that is not out yet."""
    if not progress.begun:
        progress.begun = True
        data = framing.head + data
    if data:
        outlet.send(data)


def pieces_of(source: Any, pool: ThreadPool, context: Context) -> Any:
    """Return an async generator over the octets of a response's source, whatever kind it is."""
    if isinstance(source, FileSlice):
        return _file_pieces(source, pool)
    if isinstance(source, AsyncIterable):
        return _async_pieces(source)  # pyright: ignore[reportUnknownArgumentType] - any element is encoded
    return _iterator_pieces(source, pool, context)


async def _file_pieces(file: FileSlice, pool: ThreadPool) -> AsyncIterator[bytes]:
    context = Context()
    while piece := await pool.call(context, file.read, SLICE_BYTES):
        yield piece


async def _async_pieces(source: AsyncIterable[Any]) -> AsyncIterator[bytes]:
    iterator = aiter(source)
    try:
        async for piece in iterator:
            yield encoded(piece)
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


async def _iterator_pieces(
    source: Iterable[Any], pool: ThreadPool, context: Context
) -> AsyncIterator[bytes]:
    iterator: Iterator[Any] = await pool.call(context, iter, source, steps_iterator=True)
    ahead = Ahead(iterator, encoded)
    pull: asyncio.Future[Any] | None = None
    try:
        while True:
            if pull is None:
                pull = asyncio.ensure_future(pool.call(context, ahead.pull, steps_iterator=True))
                pull.add_done_callback(ahead.pulled)
            await ahead.changed.wait()
            ahead.changed.clear()
            pulled = pull.done()  # looked at before the rest of what it has brought is taken
            while (piece := ahead.take()) is not None:
                yield piece
            if pulled:
                pull.result()
                if ahead.ended:
                    return
                pull = None
    finally:
        ahead.stopped = True
        # Shielded: the generator's `finally` must run even though the client has gone.
        closing = _close_iterator(iterator, pull, pool, context)
        pull = None  # the exception in it has a traceback, and that holds this frame
        await asyncio.shield(closing)


async def _close_iterator(
    iterator: Iterator[Any], step: "asyncio.Future[Any] | None", pool: ThreadPool, context: Context
) -> None:
    """Close a generator once the step that a thread is still in has ended; closing it earlier is an error."""
    if step is not None:
        await asyncio.wait([step])
        if not step.cancelled():
            step.exception()  # seen: nobody else will ask for it
    close = getattr(iterator, "close", None)
    if close is not None:
        await pool.call(context, close, steps_iterator=True)


def encoded(piece: Any) -> bytes:
    """Return a piece of a response's content as bytes.

    Raises:
        TypeError: it is neither bytes nor str.
    """
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray | memoryview):
        return bytes(cast("bytearray", piece))
    raise TypeError(
        f"a streamed response may yield str or bytes, not {type(piece).__name__}: {piece!r:.100}"
    )
