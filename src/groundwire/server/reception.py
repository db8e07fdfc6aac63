"""The receiving of one request's content: out of the reader, into what the handler reads.

Made only for content that is not whole when its head is; a request without content, and the usual small one
that comes in one piece with its head, never see this module.
"""

from typing import Protocol

from ..http.handler import ContentPolicy
from ..http.request import Request
from ..protocol.head import RequestHead
from ..protocol.http1.reader import RequestReader
from .content import ContentBudget, ContentSource, ReceivedContent
from .pace import ReceivingPace
from .settings import ServerSettings

DRAIN_BYTES = 65536
"""Unread content up to this much is discarded to keep the connection; more of it closes the connection."""


class Receiver(ContentSource, Protocol):
    """The connection that content comes on."""

    reader: RequestReader
    eof: bool

    def say_continue(self) -> None:
        """Send 100 (Continue), unless an answer has begun."""
        ...


class Reception:
    """How far the content of `request` has come."""

    __slots__ = (
        "_connection",
        "_continued",
        "_discarded",
        "_head",
        "_octets",
        "_pace",
        "content",
        "request",
    )

    def __init__(
        self, connection: Receiver, request: Request, policy: ContentPolicy, budget: ContentBudget
    ) -> None:
        head = request.head
        assert head is not None
        self._connection = connection
        self._head: RequestHead = head
        self._continued = False
        self._discarded = 0
        self._octets = 0
        self._pace: ReceivingPace | None = None
        self.request = request
        self.content = ReceivedContent(connection, budget, policy.limit_bytes, head.content_length)
        request.content = self.content
        if policy.whole and not self.content.exceeded:
            self.content.collect()
        else:
            self._offer_what_is_here()

    def _offer_what_is_here(self) -> None:
        """Hand over small content that has come whole: reading it then need not wait.

        It is not `wanted` by that: whether anybody read it must not depend on how the bytes were cut.
        """
        reader = self._connection.reader
        declared = self._head.content_length
        if (
            declared is not None
            and declared <= min(reader.buffered, DRAIN_BYTES)
            and not self.content.exceeded
        ):
            self._octets = declared
            self.content.offer(reader.next_content(declared))
            self.content.end()

    @property
    def ready(self) -> bool:
        """Whether a handler that wants whole content can be called: it is whole, or known to be too large."""
        return self.content.complete or self.content.exceeded

    @property
    def awaited(self) -> bool:
        """Whether the server waits for the peer, and not the peer for the server."""
        return self.content.wanted and self.content.room

    def settle(self) -> None:
        """Give whole content that is in memory to the request as plain bytes."""
        if self.content.complete:
            whole = self.content.in_memory(self.request)
            if whole is not None:
                self.request.content = whole
                self.request.trailer_lines = self.content.trailers

    def pump(self) -> None:
        """Move what has come into the content, as long as it is wanted and there is room.

        Raises:
            ProtocolError: the content is malformed, or the peer ended it too early.
        """
        content = self.content
        reader = self._connection.reader
        while content.wanted and content.room:
            piece = reader.next_content()
            if piece:
                self._octets += len(piece)
                content.offer(piece)
            elif reader.complete:
                content.end(reader.trailers)
            else:
                if self._head.chunked:  # otherwise its length has been known from the start
                    content.expect(reader.announced)
                if self._head.expectation is not None:
                    self._continue()
                if self._connection.eof:
                    reader.receive_eof()
                return

    def _continue(self) -> None:
        """Ask a client that waits for it to send its content (RFC 9110 §10.1.1), once, if none has come."""
        if (
            not self._continued
            and self._head.expectation == b"100-continue"
            and self._octets == 0
            and self._connection.reader.buffered == 0
        ):
            self._continued = True
            self._connection.say_continue()

    def discard(self) -> bool:
        """Throw away content that nobody read. False: it is more than is worth reading.

        Raises:
            ProtocolError: as `pump`.
        """
        reader = self._connection.reader
        while piece := reader.next_content():
            self._discarded += len(piece)
        if not reader.complete and self._connection.eof:
            reader.receive_eof()
        return self._discarded <= DRAIN_BYTES

    def lets_persist(self) -> bool:
        """Whether the connection can go on although not all content may have been read."""
        if self._head.expectation is not None and not self.content.wanted:
            # The client may send its content or not (RFC 9110 §10.1.1); never guess which.
            return False
        declared = self._head.content_length
        if declared is None and self.content.exceeded:
            # How much more would come nobody can tell: better to say that the connection ends than to find out.
            return False
        if self._connection.reader.complete:
            return True
        return declared is None or declared - self._octets <= DRAIN_BYTES

    def is_too_slow(self, settings: ServerSettings) -> bool:
        """Judge another awaited second."""
        if self._pace is None:
            self._pace = ReceivingPace()
        return self._pace.is_too_slow(self._octets + self._connection.reader.buffered, settings)
