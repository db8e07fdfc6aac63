"""The recorder: the exchanges of one process, the newest ones, within a bound on memory."""

from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import Any, Final, Literal, Protocol

from ..http.request import Request
from .records import Record, Spans

MESSAGES_MAX: Final = 10_000

Event = Literal["began", "finished", "cleared"]
Callback = Callable[[Record | None, Event], None]

_NOTHING: Final[frozenset[bytes]] = frozenset()


class Masker(Protocol):
    """Hides secrets; see `groundwire.inspector.masking`."""

    def mask_request(self, data: bytes, /) -> tuple[bytes, Spans]:
        """Return a request without secrets, of the same length, and where they were."""
        ...

    def mask_response(
        self, data: bytes, method: str, also: frozenset[bytes], /
    ) -> tuple[bytes, Spans]:
        """Return responses without secrets, of the same length, and where they were."""
        ...

    def mask_text(self, text: str, /) -> str:
        """Return a text without secrets."""
        ...


class Unmasked:
    """Hides nothing: ``--wire-secrets``."""

    def mask_request(self, data: bytes, /) -> tuple[bytes, Spans]:
        """Return the request as it is."""
        return data, ()

    def mask_response(
        self, data: bytes, method: str, also: frozenset[bytes], /
    ) -> tuple[bytes, Spans]:
        """Return the responses as they are."""
        return data, ()

    def mask_text(self, text: str, /) -> str:
        """Return the text as it is."""
        return text


class Recorder:
    """Keeps records, and forgets the oldest when they are too many.

    Records begin and finish on the loop's thread. What is told of one may come from any thread.

    Args:
        masker: what hides secrets before a record is kept.
        bound_octets: what all records may take in memory.
        bound_messages: how many there may be.
        worker: the number of this process among those that serve, which identifiers begin with.

    Attributes:
        dropped: how many have been forgotten, or were never kept, for want of room.
        connections: how many connections have been seen.
        secrets: whether secrets are kept.
        is_own: tells whether a request below ``/__wire__`` is for the inspector itself, and so is not recorded.
    """

    def __init__(
        self,
        masker: Masker | None = None,
        *,
        bound_octets: int = 8 * 1024 * 1024,
        bound_messages: int = MESSAGES_MAX,
        worker: int = 1,
    ) -> None:
        self.secrets = masker is None
        self.bound_octets = bound_octets
        self.bound_messages = bound_messages
        self.worker = worker
        self.dropped = 0
        self.connections = 0
        self.is_own: Callable[[Request], bool] | None = None
        self._masker: Masker = masker or Unmasked()
        self._lock = RLock()
        self._octets = 0
        self._last_serial = 0
        self._records: dict[int, Record] = {}
        self._finished: deque[int] = deque()
        self._callbacks: list[Callback] = []

    # For whoever looks.

    @property
    def octets(self) -> int:
        """What all records take in memory, those of exchanges that still go on included."""
        return self._octets

    def records(self) -> list[Record]:
        """Return all records, the newest last; those of exchanges that go on are masked copies."""
        with self._lock:
            records = list(self._records.values())
        return [record if record.finished else self._look_at(record) for record in records]

    def get(self, identifier: str) -> Record | None:
        """Return a record, or a masked copy of it while its exchange goes on; None if it is not here."""
        worker, _, serial = identifier.partition("-")
        if worker != str(self.worker) or not (serial.isascii() and serial.isdigit()):
            return None
        record = self._records.get(int(serial[:20]))
        return record if record is None or record.finished else self._look_at(record)

    def clear(self) -> None:
        """Forget all records but those of exchanges that go on."""
        with self._lock:
            while self._finished:
                self._forget(self._finished.popleft())
        self._tell(None, "cleared")

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback(record, event)`, on the loop's thread, until the function that is returned is called."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    # For connections.

    def begin(
        self,
        connection: int,
        number: int,
        peer: tuple[str, int] | str,
        local: tuple[str, int] | str,
        scheme: str,
        first_byte: float,
    ) -> Record | None:
        """Return a record for an exchange of which something has come; None if there is no room for one."""
        serial = self._last_serial + 1
        record = Record(self, serial, connection, number, peer, local, scheme, first_byte)
        octets = record.octets()
        if not self.room(octets):
            self.dropped += 1
            return None
        self._last_serial = serial
        self._records[serial] = record
        self.settle(record)
        if self._callbacks:
            self._tell(record, "began")
        return record

    def finish(self, record: Record) -> None:
        """Mask a record, and count it as one that can be forgotten."""
        self._mask(record)
        with self._lock:
            record.finished = True
            self._finished.append(record.serial)
            if len(self._records) > self.bound_messages:
                self._forget_oldest()
            self.settle(record)
        if self._callbacks:
            self._tell(record, "finished")

    def forget(self, record: Record) -> None:
        """Drop a record as if there had been no exchange."""
        with self._lock:
            if record.finished and record.serial in self._finished:
                self._finished.remove(record.serial)
            self._forget(record.serial)

    def settle(self, record: Record) -> None:
        """Count what has come to a record since, and forget the oldest while it is too much."""
        with self._lock:
            if record.serial not in self._records:
                return
            octets = record.octets()
            self._octets += octets - record.counted
            record.counted = octets
            while self._octets > self.bound_octets and self._finished:
                self._forget_oldest()

    def room(self, octets: int) -> int:
        """Return how many of so many more octets can be kept, having forgotten what can be."""
        free = self.bound_octets - self._octets
        if free >= octets:
            return octets
        with self._lock:
            while self.bound_octets - self._octets < octets and self._finished:
                self._forget_oldest()
            return max(0, min(octets, self.bound_octets - self._octets))

    def masked_text(self, record: Record, text: str) -> str:
        """Return a text without secrets."""
        return self._masker.mask_text(text)

    # Within.

    def _forget_oldest(self) -> None:
        if self._finished:
            self.dropped += 1
            self._forget(self._finished.popleft())

    def _forget(self, serial: int) -> None:
        record = self._records.pop(serial, None)
        if record is not None:
            self._octets -= record.counted

    def _look_at(self, record: Record) -> Record:
        copy = record.copy()
        self._mask(copy)
        return copy

    def _mask(self, record: Record) -> None:
        """Mask all of a record."""
        request, response = bytes(record.request), bytes(record.response)
        record.request, record.request_masked = self._masker.mask_request(request)
        spans = record.request_masked
        also = _NOTHING
        if spans:
            also = frozenset(request[start:end] for start, end in spans if end - start >= 4)
        method = record.method if also or len(response) > len(request) else ""
        record.response, record.response_masked = self._masker.mask_response(response, method, also)
        if record.logs or record.failure or record.notes:
            record.mask_what_was_said(self._masker.mask_text)

    def _tell(self, record: Record | None, event: Event) -> None:
        for callback in self._callbacks.copy():
            callback(record, event)


def masker_for(*, secrets: bool) -> Any:
    """Return what masks records; None where secrets are kept."""
    return None if secrets else Unmasked()
