"""Reading ``wsgi.input`` no further than it may be read (PEP 3333)."""

import io
from collections.abc import Mapping
from typing import IO, Any, cast

from .errors import ClientDisconnected, RequestEntityTooLarge

PIECE_BYTES = 65536


class LimitedStream(io.RawIOBase):
    """A stream that ends after so many octets of another.

    Args:
        stream: the other, binary.
        limit: how many octets are read of it.
        is_max: whether `limit` is a maximum, beyond which content is refused, and not its very length. A stream that
            ends before its length has been cut off; one that ends before a maximum has just ended.

    A subclass may do something else in `on_exhausted` and `on_disconnect`.

    (Werkzeug: ``werkzeug.wsgi.LimitedStream``.)
    """

    def __init__(self, stream: IO[bytes], limit: int, is_max: bool = False) -> None:
        super().__init__()
        self.limit = limit
        self._stream = stream
        self._is_max = is_max
        self._position = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether as much has been read as may be."""
        return self._position >= self.limit

    def on_exhausted(self) -> None:
        """Called when more is asked for than may be read.

        Raises:
            RequestEntityTooLarge: the limit is a maximum.
        """
        if self._is_max:
            raise RequestEntityTooLarge

    def on_disconnect(self, error: Exception | None = None) -> None:
        """Called when the other stream gives nothing, or fails with `error`, before the limit.

        Raises:
            ClientDisconnected: it failed, or the limit was its length.
        """
        if not self._is_max or error is not None:
            raise ClientDisconnected from error

    def exhaust(self) -> bytes:
        """Return all that may be read; nothing, where nothing is left."""
        return b"" if self.is_exhausted else self.readall()

    def readinto(self, b: Any) -> int:
        """Fill `b`, a writable buffer of octets, and return how many there were; 0 at the end."""
        missing = self.limit - self._position
        if missing <= 0:
            self.on_exhausted()
            return 0
        try:
            length = self._receive(memoryview(b)[:missing])
        except (OSError, ValueError) as error:
            self.on_disconnect(error=error)
            return 0
        if not length:
            self.on_disconnect()
            return 0
        self._position += length
        return length

    def _receive(self, window: memoryview) -> int:
        read_into = getattr(self._stream, "readinto", None)
        if read_into is not None:
            return cast("int | None", read_into(window)) or 0
        # `read` is what every ``wsgi.input`` has.
        data = self._stream.read(len(window))
        window[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """Return all that may be read."""
        if self.is_exhausted:
            self.on_exhausted()
            return b""
        pieces: list[bytes] = []
        while self._position < self.limit and (piece := self.read(PIECE_BYTES)):
            pieces.append(piece)
        return b"".join(pieces)

    def tell(self) -> int:
        """Return how many octets have been read."""
        return self._position

    def readable(self) -> bool:
        """Answer True."""
        return True


def get_content_length(environ: Mapping[str, Any]) -> int | None:
    """Return the length of the content that an environ announces; None where it is not known beforehand.

    What is no number, or a negative one, counts as 0.

    (Werkzeug: ``werkzeug.wsgi.get_content_length``.)
    """
    return content_length(environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"))


def content_length(
    http_content_length: str | None = None, http_transfer_encoding: str | None = None
) -> int | None:
    """Return what the two fields say of the length of content; see `get_content_length`.

    (Werkzeug: ``werkzeug.sansio.utils.get_content_length``.)
    """
    codings = (http_transfer_encoding or "").lower().split(",")
    if http_content_length is None or any(coding.strip() == "chunked" for coding in codings):
        return None
    text = http_content_length.strip()
    return int(text) if text.isascii() and text.isdigit() else 0


def get_input_stream(
    environ: Mapping[str, Any],
    safe_fallback: bool = True,
    max_content_length: int | None = None,
) -> IO[bytes]:
    """Return a stream over the content that ends where the content does.

    Args:
        environ: the environ.
        safe_fallback: whether content that has neither a length nor an end of its own counts as empty.
        max_content_length: octets that are read at most.

    Raises:
        RequestEntityTooLarge: the length that was announced is over `max_content_length`.

    (Werkzeug: ``werkzeug.wsgi.get_input_stream``.)
    """
    stream: IO[bytes] = environ["wsgi.input"]
    length = get_content_length(environ)
    if length is not None and max_content_length is not None and length > max_content_length:
        raise RequestEntityTooLarge
    if "wsgi.input_terminated" in environ:
        if max_content_length is None:
            return stream
        return cast("IO[bytes]", LimitedStream(stream, max_content_length, is_max=True))
    if length is None:
        return io.BytesIO() if safe_fallback else stream
    return cast("IO[bytes]", LimitedStream(stream, length))
