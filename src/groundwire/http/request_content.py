"""The content of a request, as a file to read from, whatever it comes from (RFC 9110 §6.4)."""

import io
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from .errors import (
    ClientDisconnected,
    HTTPException,
    InternalServerError,
    RequestEntityTooLarge,
    ServiceUnavailable,
)
from .exchange import (
    Content,
    ContentError,
    ContentInterrupted,
    ContentLimitExceeded,
    ContentNotStored,
)

PIECE_BYTES = 65536
"""How much is asked for at a time where the reader wants all of it, or a line."""


def http_error(error: ContentError) -> HTTPException:
    """Return what a handler sees of `error`: 413, 400, 503 where the server is short of room, 500 where its disk is."""
    if isinstance(error, ContentLimitExceeded):
        return RequestEntityTooLarge()
    if isinstance(error, ContentInterrupted):
        return ClientDisconnected()
    if isinstance(error, ContentNotStored):
        return InternalServerError()
    return ServiceUnavailable()


class ContentStream(io.RawIOBase):
    """A request's content as a binary file; on the event loop, ``async for`` gives it as it comes.

    Args:
        open_content: answers the content when it is first read, so that limits may be set until then.

    Every read raises `RequestEntityTooLarge` when the content is larger than its limit, `ClientDisconnected` when it
    will never be whole, and `ServiceUnavailable` when the server has no room for it.
    """

    def __init__(self, open_content: Callable[[], bytes | Content]) -> None:
        super().__init__()
        self._open_content: Callable[[], bytes | Content] | None = open_content
        self._content: Content | None = None
        self._buffer = b""
        self._start = 0
        """Where the unread part of the buffer begins."""
        self._position = 0

    def _open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if self._open_content is not None:
            content = self._open_content()
            # Nearly always a method of the request that holds this stream: no circle is left for the collector.
            self._open_content = None
            if isinstance(content, bytes):
                self._buffer = content
            else:
                self._content = content

    def _take_buffer(self, size: int = -1) -> bytes:
        start = self._start
        taken = self._buffer[start:] if size < 0 else self._buffer[start : start + size]
        self._start += len(taken)
        if self._start == len(self._buffer):
            self._buffer = b""
            self._start = 0
        return taken

    def _receive(self, size: int) -> bytes:
        if self._content is None:
            return b""
        try:
            return self._content.read(size)
        except ContentError as error:
            raise http_error(error) from error

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` octets, fewer only at the end; all that is left when `size` is negative or None."""
        self._open()
        size = -1 if size is None else size
        data = self._take_buffer(size)
        if size < 0:
            data += self._receive(-1)
        elif len(data) < size:
            data += self._receive(size - len(data))
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        """Return all that is left."""
        return self.read(-1)

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`, a writable buffer of octets, and return how many there were."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1) -> bytes:
        """Return the next line with its LF, cut at `size` octets when that is not negative."""
        self._open()
        limit = -1 if size is None else size
        pieces: list[bytes] = []
        length = 0
        while limit < 0 or length < limit:
            if not self._buffer:
                self._buffer = self._receive(PIECE_BYTES)
                if not self._buffer:
                    break
            end = self._buffer.find(b"\n", self._start) + 1
            wanted = (end or len(self._buffer)) - self._start
            if 0 <= limit < length + wanted:
                wanted = limit - length
                end = 0
            piece = self._take_buffer(wanted)
            pieces.append(piece)
            length += len(piece)
            if end:
                break
        self._position += length
        return b"".join(pieces)

    def readable(self) -> bool:
        """Answer True."""
        return True

    def tell(self) -> int:
        """Return how many octets have been read."""
        return self._position

    async def _chunks(self) -> AsyncIterator[bytes]:
        self._open()
        if data := self._take_buffer():
            self._position += len(data)
            yield data
        if self._content is None:
            return
        try:
            async for chunk in self._content.chunks():
                self._position += len(chunk)
                yield chunk
        except ContentError as error:
            raise http_error(error) from error

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks()


class EnvironContent:
    """Content that is read from a WSGI environ (PEP 3333; `Content` says what its methods promise).

    Without Content-Length there is content only where the server says, by ``wsgi.input_terminated``, that
    ``wsgi.input`` has an end of its own. The stream is looked up at the first read: a program may have replaced it.
    """

    __slots__ = ("_environ", "_missing", "_received", "declared_bytes", "limit_bytes")

    trailers: tuple[tuple[bytes, bytes], ...] = ()
    """WSGI has no trailers."""

    def __init__(self, environ: Mapping[str, Any], declared_bytes: int | None) -> None:
        self._environ = environ
        self.declared_bytes = declared_bytes
        """The value of Content-Length."""
        # Where the stream has an end, somebody in front may have read some of it, and it is not cut short for that.
        terminated = environ.get("wsgi.input_terminated", False)
        self._missing = None if terminated else declared_bytes or 0
        self._received = 0
        self.limit_bytes: int | None = None

    @property
    def complete(self) -> bool:
        """Answer True: nobody waits on an event loop here."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return `size` octets; see `Content.read`."""
        limit = self.limit_bytes
        if limit is not None and (self.declared_bytes or 0) > limit:
            raise ContentLimitExceeded(
                f"content of {self.declared_bytes} octets; at most {limit} are read"
            )
        if self._missing is not None:
            size = self._missing if size < 0 else min(size, self._missing)
        pieces: list[bytes] = []
        length = 0
        while size < 0 or length < size:
            piece = self._environ["wsgi.input"].read(PIECE_BYTES if size < 0 else size - length)
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
            self._received += len(piece)
            if limit is not None and self._received > limit:
                raise ContentLimitExceeded(f"content of more than {limit} octets")
        if self._missing is not None:
            self._missing -= length
            if length < size:
                raise ContentInterrupted(f"content ended {self._missing} octets before its length")
        return b"".join(pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the content, reading it where it is asked for."""
        while piece := self.read(PIECE_BYTES):
            yield piece

    async def receive_whole(self) -> None:
        """Return at once: `read` is all there is."""
