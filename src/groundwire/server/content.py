"""The content of one request on its way from the connection to the handler.

Two sides: the connection offers pieces on the loop; the handler reads them on the loop or in a thread.
Flow control is the window between them: the connection takes nothing more out of its reader, and pauses
reading from the socket, while `room` is zero.
"""

import asyncio
import contextlib
import logging
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import AsyncIterator
from contextvars import Context
from typing import IO, Protocol

from ..http.exchange import (
    ContentError,
    ContentInterrupted,
    ContentLimitExceeded,
    ContentNotStored,
    ContentUnavailable,
)
from .threads import Outcome, ThreadPool

logger = logging.getLogger("groundwire.server")

WINDOW_BYTES = 65536
"""Content held for a handler that reads it piece by piece."""

OVER = "the exchange this content came with is over"


class ContentBudget:
    """Content that all requests of one worker hold together."""

    __slots__ = (
        "_given_back",
        "_memory_held",
        "memory_bytes",
        "memory_per_request",
        "spool_bytes",
        "spool_held",
    )

    def __init__(self, memory_bytes: int, spool_bytes: int, memory_per_request: int) -> None:
        self.memory_bytes = memory_bytes
        self.spool_bytes = spool_bytes
        self.memory_per_request = memory_per_request
        self._memory_held = 0
        self._given_back: deque[int] = deque()
        self.spool_held = 0

    @property
    def memory_held(self) -> int:
        """Octets of content in memory, now."""
        while self._given_back:
            self._memory_held -= self._given_back.popleft()
        return self._memory_held

    @memory_held.setter
    def memory_held(self, octets: int) -> None:
        self._memory_held = octets

    def held_by(self, owner: object, octets: int) -> None:
        """Go on counting octets until `owner` is gone, in whatever thread that may be."""
        weakref.finalize(owner, self._given_back.append, octets).atexit = False


class ContentSource(Protocol):
    """The connection, as content sees it. All on the loop's thread."""

    loop: asyncio.AbstractEventLoop
    pool: ThreadPool

    def pump_content(self) -> None:
        """Offer what has come, as long as there is room, and say 100 (Continue) if the client waits for it."""
        ...


class ReceivedContent:
    """A request's content (see `groundwire.http.exchange.Content` for the handler's side)."""

    __slots__ = (
        "_announced",
        "_budget",
        "_declared",
        "_ended",
        "_failure",
        "_file",
        "_held",
        "_loop_thread",
        "_offset",
        "_pieces",
        "_ready",
        "_received",
        "_rewound",
        "_source",
        "_spooled_bytes",
        "_spooling",
        "_waiters",
        "_whole",
        "limit_bytes",
        "trailers",
        "wanted",
    )

    def __init__(
        self,
        source: ContentSource,
        budget: ContentBudget,
        limit_bytes: int | None,
        declared: int | None,
    ) -> None:
        self._source = source
        self._budget = budget
        self._declared = declared
        self.limit_bytes = limit_bytes
        self.trailers: tuple[tuple[bytes, bytes], ...] = ()
        self.wanted = False
        """Whether anybody has asked for it yet; until then nothing is taken from the reader."""
        self._whole = False
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._offset = 0
        self._received = 0
        self._announced = 0
        self._ended = False
        self._failure: ContentError | None = None
        self._file: IO[bytes] | None = None
        self._spooled_bytes = 0
        self._spooling = False
        self._rewound = False
        self._ready = threading.Condition()
        self._waiters: list[asyncio.Future[None]] = []
        self._loop_thread = threading.get_ident()

    # The connection's side, on the loop.

    @property
    def room(self) -> bool:
        """Whether another piece may be offered now."""
        if self._ended or self._failure is not None or self._spooling or self.exceeded:
            return False
        return self._whole or self._held < WINDOW_BYTES

    @property
    def exceeded(self) -> bool:
        """Whether it is already known to be larger than its limit."""
        size = self._received + self._announced if self._declared is None else self._declared
        return self.limit_bytes is not None and size > self.limit_bytes

    @property
    def taken(self) -> int:
        """Octets that are not held here any more: read by the handler, or spooled."""
        return self._received - self._held

    @property
    def failure(self) -> ContentError | None:
        """Why it will never be whole, if so."""
        return self._failure

    def offer(self, piece: bytes) -> None:
        """Take a piece that has come."""
        with self._ready:
            self._pieces.append(piece)
            self._received += len(piece)
            self._announced = max(0, self._announced - len(piece))
            self._held += len(piece)
            self._ready.notify_all()
        if self._whole:
            self._hold(len(piece))
        self._wake()

    def expect(self, octets: int) -> None:
        """Take note that at least so many octets follow: a chunk may announce more than the limit allows."""
        with self._ready:
            self._announced = octets
            self._ready.notify_all()
        if self.exceeded:
            self._wake()

    def end(self, trailers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Nothing more will come; it is whole."""
        self.trailers = trailers
        with self._ready:
            self._ended = True
            self._ready.notify_all()
        if self._file is not None and not self._spooling:
            self._spool()
        self._wake()

    def fail(self, failure: ContentError) -> None:
        """Nothing more will come; whoever reads gets `failure`. Content that is whole stays readable."""
        with self._ready:
            if not self._ended and self._failure is None:
                self._failure = failure
                self._ready.notify_all()
        self._wake()

    def collect(self) -> None:
        """Ask for all of it, to be held until it is read."""
        self.wanted = True
        if not self._whole:
            self._whole = True
            self._hold(self._held)

    def give_up(self, error: ContentError) -> None:
        """Say that it will never be whole, and hold none of it while the peer is still there."""
        self.fail(error)
        self.release()

    def release(self) -> None:
        """The exchange is over: give back memory and disk. Reads fail from now on."""
        with self._ready:
            self._failure = self._failure or ContentInterrupted(OVER)
            self._ended = False
            if self._whole:
                self._budget.memory_held -= self._held
            self._whole = False
            self._pieces.clear()
            self._held = self._offset = 0
            file, self._file = self._file, None
            self._budget.spool_held -= self._spooled_bytes
            self._spooled_bytes = 0
            if file is not None and not self._spooling:
                _close(file)  # what a thread still writes to is closed by `_spooled`
            self._ready.notify_all()
        self._wake()

    def _hold(self, octets: int) -> None:
        budget = self._budget
        budget.memory_held += octets
        if self._held > budget.memory_per_request:
            self._spool()
        elif budget.memory_held > budget.memory_bytes:
            self.fail(ContentUnavailable("the server holds as much content as it may"))

    def _spool(self) -> None:
        """Move what is held to a temporary file, in a thread; the connection waits meanwhile."""
        if self._file is None:
            try:
                # Unlinked from the start where the system can, so that no exit path leaves it behind.
                self._file = tempfile.TemporaryFile(prefix="groundwire-")  # noqa: SIM115 - closed by release()
            except OSError as error:
                self._not_stored(error)
                return
        budget = self._budget
        with self._ready:
            piece = self._take(-1)
        budget.spool_held += len(piece)
        self._spooled_bytes += len(piece)
        if budget.spool_held > budget.spool_bytes:
            self.fail(ContentUnavailable("the server spools as much content as it may"))
            return
        self._spooling = True
        self._rewound = self._ended
        file = self._file

        def done(outcome: Outcome) -> None:
            self._spooled(outcome, file)

        if not self._source.pool.submit(Context(), _append, (file, piece, self._ended), done):
            done(Outcome(None, ContentUnavailable("no thread is free to spool content")))

    def _spooled(self, outcome: Outcome, file: IO[bytes]) -> None:
        self._spooling = False
        if self._file is not file:  # released meanwhile
            _close(file)
        if isinstance(outcome.error, ContentUnavailable):
            self.fail(outcome.error)
        elif outcome.error is not None:
            self._not_stored(outcome.error)
        elif self._ended and not self._rewound and self._file is not None:
            self._spool()
            return
        self._wake()
        self._source.pump_content()

    def _not_stored(self, error: BaseException) -> None:
        logger.error("content cannot be spooled: %s", error)
        self.fail(ContentNotStored(f"content cannot be spooled: {error}"))

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # The handler's side.

    @property
    def complete(self) -> bool:
        """Whether all of it is here, so that no read has to wait."""
        return self._ended and (self._file is None or (self._rewound and not self._spooling))

    def in_memory(self, owner: object) -> bytes | None:
        """Hand out complete content that never left memory, as one piece; None if it was spooled.

        It counts as held as long as `owner` lives, who keeps it.
        """
        if self._file is not None:
            return None
        if self._whole and self._held:
            self._budget.held_by(owner, self._held)
        self._whole = False
        return self._take(-1)

    def read(self, size: int = -1) -> bytes:
        """Return `size` octets, or all that is left; see `Content.read`."""
        self.wanted = True
        file = self._file
        if file is not None and self.complete:
            try:
                return file.read(size)
            except ValueError:  # closed meanwhile by `release`
                raise ContentInterrupted(OVER) from None
        taken: list[bytes] = []
        missing = size
        while True:
            with self._ready:
                if self.exceeded:
                    raise ContentLimitExceeded(f"content is larger than {self.limit_bytes} octets")
                if piece := self._take(missing):
                    taken.append(piece)
                    missing -= len(piece) if size >= 0 else 0
                if missing == 0 or (self._ended and not self._pieces):
                    break
                if self._failure is not None:
                    raise self._failure
            self._await_piece()
        self._ask_for_more()
        return b"".join(taken)

    def _take(self, size: int) -> bytes:
        """Remove up to `size` octets (all, when negative) from what is held. The lock is held by the caller."""
        pieces = self._pieces
        start = self._offset
        if size < 0 or size >= self._held:
            if start:
                pieces[0] = pieces[0][start:]
            piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            self._offset = 0
        elif len(pieces[0]) - start > size:
            # Only the offset moves: cutting the rest anew for each small read would cost its length each time.
            piece = pieces[0][start : start + size]
            self._offset = start + size
        else:
            piece = pieces.popleft()[start:]
            self._offset = 0
        self._held -= len(piece)
        if self._whole:
            self._budget.memory_held -= len(piece)
        return piece

    def _await_piece(self) -> None:
        """Wait, in a thread, until something changes."""
        if threading.get_ident() == self._loop_thread:
            self._request_pieces()
            if not (self._pieces or self._ended or self._failure is not None or self.exceeded):
                raise RuntimeError(
                    "The content of this request has not arrived, and waiting for it here would stop the event"
                    " loop. In an async view iterate over it (`async for chunk in request.stream`); in a hook,"
                    " make the hook a plain function, which runs in a thread."
                )
            return
        self._source.loop.call_soon_threadsafe(self._request_pieces)
        with self._ready:
            self._ready.wait_for(
                lambda: self._pieces or self._ended or self._failure is not None or self.exceeded
            )

    def _ask_for_more(self) -> None:
        """Give flow-control credit back once half of the window has been read."""
        if self._ended or self._held > WINDOW_BYTES // 2:
            return
        if threading.get_ident() == self._loop_thread:
            self._request_pieces()
        else:
            self._source.loop.call_soon_threadsafe(self._request_pieces)

    def _request_pieces(self) -> None:
        self.wanted = True
        self._source.pump_content()

    async def _change(self) -> None:
        """Wait, on the loop, until something changes."""
        waiter = self._source.loop.create_future()
        self._waiters.append(waiter)
        self._request_pieces()
        await waiter

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the content as it comes; see `Content.chunks`."""
        self.wanted = True
        if self._file is not None and self.complete:
            while piece := await self._source.pool.call(Context(), self._file.read, WINDOW_BYTES):
                yield piece
            return
        while True:
            if self.exceeded:
                raise ContentLimitExceeded(f"content is larger than {self.limit_bytes} octets")
            if self._pieces:
                with self._ready:
                    piece = self._take(-1)
                self._ask_for_more()
                yield piece
            elif self._ended:
                return
            elif self._failure is not None:
                raise self._failure
            else:
                await self._change()

    async def receive_whole(self) -> None:
        """Wait until `read` cannot wait; see `Content.receive_whole`."""
        self.collect()
        while not self.complete:
            if self.exceeded:
                raise ContentLimitExceeded(f"content is larger than {self.limit_bytes} octets")
            if self._failure is not None:
                raise self._failure
            await self._change()


def _close(file: IO[bytes]) -> None:
    # What a full disk did not take it is offered again, and then the file is closed all the same.
    with contextlib.suppress(OSError):
        file.close()


def _append(file: IO[bytes], piece: bytes, rewind: bool) -> None:
    file.write(piece)
    if rewind:
        file.flush()
        file.seek(0)
