"""Reads the responses to one request as they come, in pieces, and keeps their octets.

For whoever sends a request and wants to see what came of it, also when that is half a response, or none: what has come
is there at any time. `responses` reads the same, when all of it is there.
"""

from typing import Final

from ..errors import ProtocolError
from ..limits import MessageLimits
from .chunked import ChunkedContent
from .responses import (
    CHUNKED,
    TO_THE_END,
    Fields,
    ReceivedResponse,
    ResponseHead,
    content_framing,
    read_head,
)
from .scanner import Buffer

LIMITS: Final = MessageLimits()
HEAD_BYTES: Final = 64 * 1024
"""A head that has not ended by then never will. Servers that send more than 16 KiB are hard to find."""

_BEGINNING: Final = b"HTTP/1."


class ResponseReader:
    """Takes the octets that come in answer to one request.

    Attributes:
        raw: all of them.
        interim: the informational responses (1xx) that came before the final one.
        head: the final response's head, once it is whole.
        end: the offset behind the response, once it is complete; what follows belongs to the next.
        complete: whether the final response has come whole. After 101 it has: another protocol follows.
    """

    def __init__(self, method: str = "GET", raw: bytes = b"") -> None:
        """Begin.

        Args:
            method: the request's method; an answer to HEAD has no content (RFC 9112 §6.3).
            raw: octets that have come already.

        Raises:
            ProtocolError: they are no response.
        """
        self.raw = bytearray()
        self.interim: list[ReceivedResponse] = []
        self.head: ResponseHead | None = None
        self.end = 0
        self.complete = False
        self._method = method
        self._start = 0
        self._searched = 0
        self._length = 0
        self._chunks: ChunkedContent | None = None
        self._pieces: list[Buffer] = []
        if raw:
            self.receive(raw)

    @property
    def content(self) -> bytes:
        """What has come of the final response's content, chunks taken apart."""
        if self.head is None:
            return b""
        if self._chunks is not None:
            return b"".join(self._pieces)
        stop = self.end if self.complete else len(self.raw)
        return bytes(self.raw[self.head.end : stop])

    @property
    def trailers(self) -> Fields:
        """The trailer section of a chunked response that is complete."""
        lines = () if self._chunks is None else self._chunks.trailers
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in lines]

    @property
    def missing(self) -> str:
        """What has not come, in words; empty when the response is complete."""
        if self.complete:
            return ""
        if self.head is None:
            return "its head is not whole" if len(self.raw) > self._start else "nothing of it came"
        if self._chunks is not None:
            return "the last chunk is missing"
        if self._length == TO_THE_END:
            return "its end is where the connection ends"
        came = len(self.raw) - self.head.end
        return f"of {self._length:,} octets of content {came:,} have come"

    def receive(self, data: bytes) -> None:
        """Take octets.

        Raises:
            ProtocolError: what has come is no response.
        """
        self.raw += data
        while not self.complete:
            if self.head is None and not self._read_head():
                return
            if self.head is not None:
                self._read_content(self.head)
                return

    def receive_eof(self) -> None:
        """Take note that nothing more comes, which is how some responses end (RFC 9112 §8)."""
        if self.head is not None and self._length == TO_THE_END:
            self.complete = True
            self.end = len(self.raw)

    def _read_head(self) -> bool:
        """Read the next head if it is whole. True: there may be more to read."""
        raw = self.raw
        start = self._start
        beginning = bytes(raw[start : start + len(_BEGINNING)])
        if not _BEGINNING.startswith(beginning):
            raise ProtocolError("This is not a status line.", section="RFC 9112 §4", offset=start)
        end = raw.find(b"\r\n\r\n", max(start, self._searched - 3))
        if end < 0:
            self._searched = len(raw)
            if len(raw) - start > HEAD_BYTES:
                raise ProtocolError(
                    f"The head of the response is longer than {HEAD_BYTES:,} bytes.",
                    section="RFC 9112 §2.2",
                    offset=start + HEAD_BYTES,
                )
            return False
        head = read_head(raw, start)
        if head.status < 200 and head.status != 101:
            version, status, reason, fields, self._start = head
            self.interim.append(ReceivedResponse(version, status, reason, fields, b"", []))
            return True
        self._length = content_framing(head, self._method, start)
        self.head = head
        if self._length == CHUNKED:
            self._chunks = ChunkedContent(LIMITS, head.end)
        return True

    def _read_content(self, head: ResponseHead) -> None:
        chunks = self._chunks
        if chunks is not None:
            chunks.read(self.raw, 0, len(self.raw), self._pieces)
            self.complete = chunks.complete
            self.end = chunks.position
        elif self._length != TO_THE_END and len(self.raw) - head.end >= self._length:
            self.complete = True
            self.end = head.end + self._length
