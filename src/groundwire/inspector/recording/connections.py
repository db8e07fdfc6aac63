"""Connections that record: what comes and goes, cut into exchanges where the reader cuts it.

The reader says what it has consumed, and `buffered` what it has not. So the octets that have come and are not
consumed are kept here, and at each step what has been consumed since belongs to the message that is open. What is
sent belongs to the exchange that is being answered: there is one at a time. Only answers on the straight line
(`Connection._serve`) wait for others to go out with, and so do their records.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

from ...http.errors import HTTPException
from ...http.handler import InThread
from ...http.request import Request
from ...http.response import Response
from ...http.tracing import tracing
from ...protocol.errors import ProtocolError
from ...server.connection import Connection
from ...server.delivery import Delivery
from ...server.endpoints import endpoint_of
from ...server.reception import Reception
from ...server.request_ids import IdentifiedDelivery
from ...server.sending import Framing, Progress
from ...server.server_state import Answer
from ...server.state import State
from ...server.takeover import Takeover
from .recorder import Recorder
from .records import CONTENT_BYTES, Record

PREFIX: Final = "/__wire__"
"""Where the inspector is. As it is written: an application may have ``/%5F_wire__`` for itself."""

AROUND_FAULT: Final = 1024
"""Octets that are kept behind the one for which a head was refused."""

READY = State.READY
LINGERING = State.LINGERING
CLOSED = State.CLOSED


class Recording(Connection):
    """What a connection does besides, so that its exchanges are recorded. `recording_class` makes classes of it.

    Attributes:
        record: the exchange that is going on; None between two, and for one that is not recorded.
    """

    recorder: Recorder
    _next_of_base: Callable[[list[bytes]], Request | None]
    """`_next_request` of the connections that are recorded. PERF: 0.1 µs less than by `super`."""

    record: Record | None
    pending: bytes | bytearray
    """Octets that have come, from where the open message begins or has been kept up to."""

    unsent: list[Record | None]
    """The exchanges whose answers wait to be sent together."""

    unseen: bool
    """Whether the exchange that is going on is not recorded."""

    came: float
    """When the first of the pending octets came."""

    latest: float
    """When the last of them came."""

    accepted: float
    place: int
    """Its number among the connections that the recorder has seen."""

    exchanges: int

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.accepted = perf_counter()
        self.came = self.latest = 0.0
        self.record = None
        self.pending = b""
        self.unsent = []
        self.unseen = False
        self.exchanges = 0
        self.recorder.connections += 1
        self.place = self.recorder.connections
        writer: Any = self.server.writer  # there is another one where plain HTTP is redirected
        writer.numbered = self.recorder.lines

    # What comes.

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer; answer what is complete."""
        state = self.state
        if state is READY and not self.pending:  # PERF: as Connection.data_received, without a call
            self.pending = data
            self.came = self.latest = perf_counter()
            self.reader.receive(data)
            self._serve()
        elif state is LINGERING or state is CLOSED:
            super().data_received(data)
            return
        else:
            self._take_more(data)
            super().data_received(data)
        if self.pending:
            self._keep_consumed()

    def _take_more(self, data: bytes) -> None:
        self.latest = perf_counter()
        if not self.pending:
            self.pending = data
            self.came = self.latest
            return
        if not isinstance(self.pending, bytearray):
            self.pending = bytearray(self.pending)
        self.pending += data

    def eof_received(self) -> bool:
        """Note that the peer will send nothing more."""
        goes_on = super().eof_received()
        self._keep_consumed()
        return goes_on

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and with it what was going on."""
        record = self.record
        super().connection_lost(exc)
        if record is not None and record is self.record:
            self._end("client gone")

    def _next_request(self, output: list[bytes]) -> Request | None:
        if self.record is not None or self.unseen:
            self._leave_previous(output)
        request = self._next_of_base(output)
        if request is None:
            if self.pending and self.record is None and self.reader.in_head and not self.unseen:
                self._begin(self.pending)
            return None
        record = self.record
        if not self.unseen and (record is None or not record.parsed):
            record = self._begin_request(request)
        writer: Any = self.server.writer
        writer.number = 0 if record is None else record.serial
        return request

    def _name(self, record: Record | None) -> None:
        """Have the next response that is written say where its record is."""
        writer: Any = self.server.writer
        writer.number = 0 if record is None else record.serial

    def _take_content(self, request: Request, output: list[bytes]) -> bool:
        came, reader = self.pending, self.reader
        record = self._begin_request(request)
        if record is not None and request.head is not None and request.head.chunked:
            record.framing_octets = self.server.settings.message_limits.chunk_overhead_bytes
        taken = super()._take_content(request, output)
        if record is not None and record is self.record:
            rest = len(self.pending)
            together = rest > 0 and record.request_octets + rest == len(came)
            if together and isinstance(came, bytes) and reader.complete and not reader.buffered:
                record.take_whole_request(came)
                record.content_complete = perf_counter()
                self.pending = b""
            else:
                self._keep_consumed()
        return taken

    def _collected(self, reception: Reception) -> bool:
        collected = super()._collected(reception)
        if collected:
            self._keep_consumed()
            self._name(self.record)
        return collected

    def _leave_previous(self, output: list[bytes]) -> None:
        """Let the message before the next one be over, if it is."""
        record = self.record
        if len(output) > len(self.unsent):
            self.unsent.append(record)
            self.record = None
        elif record is not None and record.answered:
            self._end()
        if self.unseen:
            self._keep_consumed()
            self.unseen = False

    def _begin(self, request: bytes | bytearray) -> Record | None:
        """Have a record for a message of which something has come."""
        self.exchanges = number = self.exchanges + 1
        record = self.record = self.recorder.begin(
            self.place, number, self.peer, self.local, self.scheme, self.came, request
        )
        if record is None:
            self.unseen = True
        elif number == 1:
            record.accepted = self.accepted
        return record

    def _begin_request(self, request: Request) -> Record | None:
        """Have a record for a request whose head is whole: what has been consumed by now."""
        if request.path.startswith(PREFIX) and self._is_own(request):
            return None
        reader, head = self.reader, self.pending
        if reader.buffered or type(head) is not bytes:
            head = self._cut_consumed()
        else:
            self.pending = b""
        record = self.record
        if record is None:
            # PERF: as `_begin`, without a call.
            self.exchanges = number = self.exchanges + 1
            record = self.record = self.recorder.begin(
                self.place, number, self.peer, self.local, self.scheme, self.came, head
            )
            if record is None:
                self.unseen = True
                return None
            if number == 1:
                record.accepted = self.accepted
        else:
            record.request = head
            record.request_octets = len(head)
            record.set_client(self.peer, self.scheme)
        record.head_octets = len(head)
        record.parsed = True
        record.head_complete = now = perf_counter()
        if reader.complete:
            # PERF: the handler is called next, within the microsecond.
            record.content_complete = record.started = now
        request.observed = record
        return record

    def _is_own(self, request: Request) -> bool:
        """Whether a request is for the inspector itself, so that there is to be no record of it."""
        if not self.recorder.is_own(request):
            return False
        if self.record is not None:
            self.recorder.forget(self.record)
            self.record = None
        self.unseen = True
        return True

    def _cut_consumed(self) -> bytes:
        """Return what has been consumed of what is pending, and keep the rest for what comes next."""
        pending = self.pending
        count = len(pending) - self.reader.buffered
        if count == len(pending):
            self.pending = b""
            return bytes(pending)
        self.pending = pending[count:]
        self.came = self.latest
        return bytes(pending[:count])

    def _keep_consumed(self) -> None:
        """Give what has been consumed since to the open message."""
        record = self.record
        if record is not None and not record.parsed:
            record.request = self.pending
            record.request_octets = len(self.pending)
            self.recorder.settle(record)
            return
        if len(self.pending) == self.reader.buffered:
            return
        if record is None:
            if self.unseen:
                self._cut_consumed()
            return  # empty lines before a request line belong to the request that follows
        record.take_request(self._cut_consumed())
        if self.reader.complete:
            record.content_complete = perf_counter()

    # What goes.

    def _flush(self, output: list[bytes]) -> None:
        if not output:
            return
        unsent = self.unsent
        if unsent or len(output) > 1:
            self._flush_many(output)
            return
        # PERF: one answer goes out, that of the exchange which is going on; as `Connection._flush`, without a call.
        answer = output.pop()
        self.octets_sent += len(answer)
        self.transport.write(answer)
        record = self.record
        if record is None:
            return
        self.record = None
        if not record.response_octets and len(answer) <= CONTENT_BYTES:
            record.head_sent = record.last_sent = perf_counter()
            record.response = answer
            record.response_octets = len(answer)
        else:
            record.take_response(answer)
        record.state = "answered"
        self.recorder.finish(record)

    def _flush_many(self, output: list[bytes]) -> None:
        answers = output.copy()
        super()._flush(output)
        unsent = self.unsent
        if len(answers) > len(unsent):
            unsent.append(self.record)
            self.record = None
        for record, answer in zip(unsent, answers, strict=False):
            if record is not None:
                record.take_response(answer)
                record.state = "answered"
                self.recorder.finish(record)
        unsent.clear()

    def send(self, data: bytes) -> None:
        """Hand bytes to the transport."""
        super().send(data)
        if self.record is not None:
            self.record.take_response(data)

    def answered(self, delivery: Delivery, persistent: bool) -> bool:
        """Take note that the answer is out. True: the next request may follow at once."""
        record = self.record
        if record is not None:
            record.answered = True
            record.state = "answered"
        goes_on = super().answered(delivery, persistent)
        if record is not None and record is self.record and self.state is not State.DRAINING:
            self._end()
        return goes_on

    def answer_last(self, status: int, text: str, *fields: tuple[str, str]) -> None:
        """Send the server's own answer, in plain text, and close."""
        if self.delivery is None or not self.delivery.streaming:
            record = self.record
            if record is None and not self.unseen:
                record = self._begin(self.pending)
            if record is not None:
                self._keep_consumed()
                record.refuse(text.partition("\n")[0], "", record.request_octets, status)
                record.state = "refused"
            self._name(record)
        super().answer_last(status, text, *fields)

    def reset(self, reason: str) -> None:
        """Give the connection up at once."""
        if self.record is not None and self.state is not CLOSED and not self.record.answered:
            self.record.state = "broken off"
        super().reset(reason)

    def left(self) -> None:
        """Note that a program has taken the connection over: what follows is not HTTP."""
        record, self.record = self.record, None
        self.unseen = True
        self.pending = b""
        if record is not None:
            record.set_status(101)
            record.state = "upgraded"
            self.recorder.finish(record)

    def _refuse(self, error: BaseException) -> None:
        record = self.record
        if record is None and not self.unseen:
            record = self._begin(self.pending)
        if record is not None:
            section = getattr(error, "section", None)
            if isinstance(error, ProtocolError):
                record.refuse(error.message, error.section, error.offset, error.status)
            elif isinstance(section, str):
                record.refuse(str(error), section, 0, 400)
            else:
                record.fail(error, handled=False)
        super()._refuse(error)

    def _linger(self) -> None:
        super()._linger()
        self._end()
        self.pending = b""

    def _end(self, state: Any = "answered") -> None:
        """Let the exchange be over, with what has come of it and will not be read."""
        record = self.record
        if record is None:
            return
        self._keep_consumed()
        if not record.parsed:
            # No head, so there is no telling what is content; but the byte that decided is there.
            decided_at = 0 if record.error is None else record.error["offset"]
            record.request_octets = len(self.pending)
            record.request = bytes(self.pending[: max(CONTENT_BYTES, decided_at + AROUND_FAULT)])
            self.pending = b""
        elif not self.reader.complete and self.pending:
            record.take_request(self.pending)
            self.pending = b""
        self.record = None
        if record.state in ("receiving", "answering"):
            record.state = state
        self.recorder.finish(record)


def recording_class(base: type[Any], recorder: Recorder) -> type[Any]:
    """Return a class of connections that do what those of `base` do, and record it."""
    members = {"recorder": recorder, "_next_of_base": base._next_request}
    return type(f"Recorded{base.__name__}", (Recording, base), members)


class RecordedDelivery(IdentifiedDelivery):
    """From what the handler returned to the last byte of the response, under the eyes of its record."""

    __slots__ = ("record",)

    def __init__(self, connection: Any, request: Request, *args: Any) -> None:
        super().__init__(connection, request, *args)
        self.record: Record | None = request.observed

    def _respond(self, response: Response) -> bool:
        record = self.record
        writer: Any = self._connection.server.writer
        if record is None:
            writer.number = 0
        else:
            writer.number = record.serial
            if not record.ended:
                record.ended = perf_counter()
            if not record.noted:
                record.set_endpoint(endpoint_of(self.request))
        return super()._respond(response)

    def _take(self, outcome: Any) -> bool:
        record = self.record
        if record is not None and not isinstance(outcome.error, HTTPException):
            record.fail(outcome.error, handled=False)
        return super()._take(outcome)

    async def _stream(self, response: Response, framing: Framing, progress: Progress) -> None:
        # A plain iterator's stream has a context of its own, and what is logged there is of this exchange too.
        tracing.set(self.record)
        await super()._stream(response, framing, progress)

    def leave(self, takeover: Takeover) -> None:
        """The thread that was to make the answer has taken the connection over."""
        super().leave(takeover)
        connection: Any = self._connection
        connection.left()


def recording_handle(
    handle: Callable[[Request], Answer], recorder: Recorder
) -> Callable[[Request], Answer]:
    """Return what calls `handle` in a context that knows the request's record, and notes when and where it ran.

    Requests that are the inspector's own, of which there is no record, are answered by the inspector.
    """

    def handle_recorded(request: Request) -> Answer:
        record: Record | None = request.observed
        if record is None:
            if recorder.answer_own is not None and recorder.is_own(request):
                return recorder.answer_own(request)
            return handle(request)
        tracing.set(record)
        record.state = "answering"
        if not record.started:
            record.started = perf_counter()
        answer = handle(request)
        if isinstance(answer, Response):
            record.ended = perf_counter()
            record.place = "inline"
            if not record.noted:
                record.set_endpoint(endpoint_of(request))
        elif isinstance(answer, InThread):
            record.place = "thread"
            record.started = 0.0
            return InThread(_timed, record, answer.function, *answer.args)
        else:
            record.place = "loop"
        return answer

    return handle_recorded


def _timed(record: Record, function: Callable[..., Any], *args: Any) -> Any:
    record.started = perf_counter()
    try:
        return function(*args)
    finally:
        record.ended = perf_counter()
