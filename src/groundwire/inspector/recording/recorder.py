"""The recorder: the exchanges of one process, the newest ones, within a bound on memory."""

import logging
import re
import sys
from collections import deque
from collections.abc import Callable
from time import time
from typing import Any, Final, Literal

from ...http.request import Request
from ...server.server_state import Answer
from ..masking.masker import NOTHING, Forms, Masker, Spans, secret_arguments
from .records import NONE_YET, RECORD_OCTETS, Record

__all__ = ["Callback", "Event", "Masker", "Recorder", "Unmasked"]

logger = logging.getLogger("groundwire.inspector")

new_object = object.__new__

MESSAGES_MAX: Final = 10_000

REMEMBERED: Final = 64
REMEMBERED_BYTES: Final = 2048
"""So many requests and responses, of up to this length, are known by their bytes to hold no secret."""

OWN_DIFFERS: Final = 32
"""By so many octets at most do the beginnings of two answers differ that have the same status and no more lines."""

SLACK: Final = 64
"""Room is made for more than one record at a time: for one part in so many of all."""

Event = Literal["finished", "cleared"]
Callback = Callable[[Record | None, Event], None]

_NOTHING_YET: Final = (b"", b"", -1)

_PLAIN_LINE: Final = re.compile(rb"[A-Z]+ /[\w/.~-]*+ HTTP/1\.[01]\r\n")
"""A request line in which there is no room for a name and its value."""

INTERIM: Final = b"HTTP/1.1 1"
"""So begin answers of which the first is an interim one: what that says comes before what is known."""

_LINK_END: Final = b'rel="describedby"\r\n'
_SAID_LATE: Final = "(said when the exchange was over; not kept, because there were secrets in it)"


class Unmasked(Masker):
    """Hides nothing: ``--wire-secrets``."""

    def mask_request(self, data: bytes, also: Forms = NOTHING) -> tuple[bytes, Spans]:
        """Return the request as it is."""
        return data, ()

    def mask_response(self, data: bytes, method: str, also: Forms = NOTHING) -> tuple[bytes, Spans]:
        """Return the responses as they are."""
        return data, ()

    def mask_text(self, text: str, also: Forms = NOTHING) -> str:
        """Return the text as it is."""
        return text

    def mask_value(self, name: str, value: Any, also: Forms = NOTHING) -> Any:
        """Return the value as it is."""
        return value


def _never_own(_request: Request) -> bool:
    """Take no request for the inspector's own: where there is no page, there is none."""
    return False


class Recorder:
    """Keeps records, and forgets the oldest when they are too many.

    Records begin, grow and finish on the loop's thread. What a program tells of one may come from any thread.

    Args:
        masker: what hides secrets before a record is kept; None: they are kept.
        bound_octets: what all records may take in memory.
        bound_messages: how many there may be.
        worker: the number of this process among those that serve, which identifiers begin with.

    Attributes:
        lines: the field lines by which an answer tells where its record is, with two places for the record's number.
        dropped: how many have been forgotten, or were never kept, for want of room.
        connections: how many connections have been seen.
        secrets: whether secrets are kept.
        is_own: tells whether a request below ``/__wire__`` is for the inspector itself, and so is not recorded.
        answer_own: answers such a request.
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
        self.lines = (
            b'X-Wire-Id: %d-%%d\r\nLink: </__wire__/requests/%d-%%d>; rel="describedby"\r\n'
        ) % (worker, worker)
        self.dropped = 0
        self.connections = 0
        self.is_own: Callable[[Request], bool] = _never_own
        self.answer_own: Callable[[Request], Answer] | None = None
        self._masker = masker or Unmasked()
        self._octets = 0
        self._last_serial = 0
        self._records: dict[int, Record] = {}
        self._finished: deque[int] = deque()
        self._late: deque[Record] = deque()
        self._clean: set[bytes] = set()
        self._last = _NOTHING_YET
        self._callbacks: tuple[Callback, ...] = ()

    # For whoever looks.

    @property
    def octets(self) -> int:
        """What all records take in memory, those of exchanges that still go on included."""
        late = {record.serial: record for record in tuple(self._late)}
        more = sum(
            record.octets() - record.counted
            for serial, record in late.items()
            if serial in self._records
        )
        return self._octets + more

    @property
    def messages(self) -> int:
        """How many records there are."""
        return len(self._records)

    def times(self, *, under_way: bool = False) -> list[tuple[float, str]]:
        """Return when each exchange began and what it is called, the newest last; or only of those that go on.

        PERF: nothing is masked for it, so it may be asked often.
        """
        records = list(self._records.values())
        return [(one.began_at, one.id) for one in records if not (under_way and one.finished)]

    def records(self) -> list[Record]:
        """Return all records, the newest last; of exchanges that go on, masked copies of heads and facts.

        (To mask what has come of a hundred uploads, each time that somebody looks at the list, would hold the loop.)
        """
        records = list(self._records.values())
        return [
            record if record.finished else self._look_at(record, content=False)
            for record in records
        ]

    def get(self, identifier: str) -> Record | None:
        """Return a record, or a masked copy of it while its exchange goes on; None if it is not here."""
        worker, _, serial = identifier.partition("-")
        if worker != str(self.worker) or not (serial.isascii() and serial.isdigit()):
            return None
        record = self._records.get(int(serial[:20]))
        return record if record is None or record.finished else self._look_at(record)

    def clear(self) -> None:
        """Forget all records but those of exchanges that go on."""
        while self._finished:
            self._forget(self._finished.popleft())
        self._forget_clean()
        for callback in self._callbacks:
            callback(None, "cleared")

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback(record, event)`, on the loop's thread, until the function that is returned is called."""
        self._callbacks = (*self._callbacks, callback)

        def unsubscribe() -> None:
            self._callbacks = tuple(one for one in self._callbacks if one is not callback)

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
        request: bytes | bytearray,
    ) -> Record | None:
        """Return a record for an exchange of which something has come; None if there is no room for one."""
        if request == self._last[0]:
            request = self._last[0]  # PERF: nothing more to be kept of it, nor to be compared
        octets = RECORD_OCTETS + len(request)
        if self._octets + octets > self.bound_octets and self.room(octets) < octets:
            self.dropped += 1
            return None
        serial = self._last_serial = self._last_serial + 1
        # PERF: 0.15 µs less than a call of the class.
        record = self._records[serial] = new_object(Record)
        record.keeper = self
        record.serial = serial
        record.connection = connection
        record.number = number
        record.peer_address = peer
        record.local_address = local
        record.scheme = scheme
        record.began_at = time()
        record.first_byte = first_byte
        record.request = request
        record.request_octets = len(request)
        record.counted = octets
        record.response = b""
        record.response_octets = record.head_octets = record.framing_octets = 0
        record.told_octets = record.named_status = 0
        record.request_masked = record.response_masked = record.noted = ()
        record.logs = NONE_YET
        record.error = record.failure = None
        record.parsed = record.answered = record.finished = record.tells = False
        record.state = "receiving"
        record.place = record.named_endpoint = ""
        record.accepted = record.head_complete = record.content_complete = 0.0
        record.started = record.ended = record.head_sent = record.last_sent = 0.0
        self._octets += octets
        return record

    def finish(self, record: Record) -> None:
        """Mask a record, and count it as one that can be forgotten. PERF: 0.4 µs where nothing is to be masked."""
        request, response = record.request, record.response
        known_request, known_rest, bound = self._last
        if (
            # PERF: the octets of the exchange before, in which there was no secret.
            (request is known_request or (type(request) is bytes and request == known_request))
            and response.endswith(known_rest)
            and len(response) < bound
            and not response.startswith(INTERIM)
            and not record.tells
        ):
            record.finished = True
            octets = RECORD_OCTETS + len(request) + len(response) + record.told_octets
        else:
            self._mask_unless_clean(record)
            record.finished = True
            octets = record.octets()
        self._finished.append(record.serial)
        self._octets += octets - record.counted
        record.counted = octets
        if self._late:
            self._settle_late()
        if self._octets > self.bound_octets or len(self._records) > self.bound_messages:
            self._make_room()
        for callback in self._callbacks:
            try:
                callback(record, "finished")
            except Exception:
                logger.exception("who looks on failed at the exchange %s", record.id)

    def _mask_unless_clean(self, record: Record) -> None:
        if record.tells or not self._is_clean(record.request, record.response):
            try:
                self._mask(record)
            except Exception:
                # The answer is out, and what looks on must not make a second one of it.
                logger.exception("the exchange %s could not be masked: it is not kept", record.id)
                record.empty()

    def forget(self, record: Record) -> None:
        """Drop a record as if there had been no exchange."""
        if record.finished and record.serial in self._finished:
            self._finished.remove(record.serial)
        self._forget(record.serial)

    def settle(self, record: Record) -> None:
        """Count what has come to a record since."""
        if record.serial not in self._records:
            return
        octets = record.octets()
        self._octets += octets - record.counted
        record.counted = octets
        if self._octets > self.bound_octets:
            self._make_room()

    def settle_late(self, record: Record) -> None:
        """Take note, in any thread, that something was said of a record that is not counted yet."""
        self._late.append(record)

    def room(self, octets: int) -> int:
        """Return how many of so many more octets can be kept, having forgotten what can be."""
        if self.bound_octets - self._octets < octets:
            self._make_room(octets)
        return max(0, min(octets, self.bound_octets - self._octets))

    def mask_late(self, record: Record, text: str) -> str:
        """Return a text without secrets that was said when the exchange was over, and its secrets are not known."""
        return _SAID_LATE if record.request_masked else self._masker.mask_text(text)

    # Within.

    def _make_room(self, octets: int = 0) -> None:
        """Forget the oldest until there is room, and some more: one at a time would be one with each request."""
        if self._late:
            self._settle_late()
        bound = self.bound_octets - max(octets, self.bound_octets // SLACK)
        messages = self.bound_messages - self.bound_messages // SLACK
        finished, records = self._finished, self._records
        while finished and (self._octets > bound or len(records) > messages):
            self.dropped += 1
            self._octets -= records.pop(finished.popleft()).counted

    def _settle_late(self) -> None:
        while self._late:
            record = self._late.popleft()
            if record.serial in self._records:
                octets = record.octets()
                self._octets += octets - record.counted
                record.counted = octets

    def _forget(self, serial: int) -> None:
        record = self._records.pop(serial, None)
        if record is not None:
            self._octets -= record.counted

    def _forget_clean(self) -> None:
        self._octets -= sum(map(sys.getsizeof, self._clean))
        self._clean.clear()
        self._last = _NOTHING_YET

    def _look_at(self, record: Record, *, content: bool = True) -> Record:
        copy = record.copy() if content else record.copy_of_heads()
        self._mask(copy)
        return copy

    def _mask(self, record: Record) -> None:
        """Mask all of a record."""
        request, response = bytes(record.request), bytes(record.response)
        record.request, record.response = request, response
        masker = self._masker
        arguments = None if self.secrets else record.view_args
        also = secret_arguments(arguments) if arguments else NOTHING
        if also or not self._is_clean_request(request):
            record.request, record.request_masked = masker.mask_request(request, also)
            if record.request_masked:
                also |= masker.secrets_in(request, record.request_masked)
        # PERF: to find the method of a refused request takes as long as to read it.
        method = record.method if record.parsed else ""
        if also or _without_own(response) not in self._clean:
            record.response, record.response_masked = masker.mask_response(response, method, also)
            if record.response_masked:
                also |= masker.secrets_in(response, record.response_masked)
        if record.tells:
            record.mask_what_was_said(
                lambda text: masker.mask_text(text, also),
                lambda name, value: masker.mask_value(name, value, also),
            )
        if not (also or record.request_masked or record.response_masked):
            self._remember(request, response)

    def _is_clean(self, request: bytes | bytearray, response: bytes | bytearray) -> bool:
        """Tell whether it is known that these octets hold no secret."""
        if type(request) is not bytes or type(response) is not bytes:
            return False
        rest = _without_own(response)
        if rest not in self._clean or not self._is_clean_request(request):
            return False
        if len(request) + len(rest) <= REMEMBERED_BYTES:
            self._last = (request, rest, len(response) + OWN_DIFFERS)
        return True

    def _is_clean_request(self, request: bytes) -> bool:
        return _without_line(request) in self._clean

    def _remember(self, request: bytes, response: bytes) -> None:
        """Remember octets that hold no secret: the same few come again and again."""
        rest = _without_own(response)
        if not rest:
            return
        for part in (_without_line(request), rest):
            if len(part) <= REMEMBERED_BYTES and part not in self._clean:
                if len(self._clean) >= REMEMBERED:
                    self._forget_clean()
                self._clean.add(part)
                self._octets += sys.getsizeof(part)


def _without_line(request: bytes) -> bytes:
    """Return what comes behind the request line, where that has no room for a secret; otherwise all of it."""
    line = _PLAIN_LINE.match(request)
    return request if line is None else request[line.end() :]


def _without_own(response: bytes) -> bytes:
    """Return what comes behind that which each answer has of its own; nothing where that is not at the beginning."""
    place = -1 if response.startswith(INTERIM) else response.find(_LINK_END)
    return b"" if place < 0 else response[place:]
