"""Multipart messages as events that carry their own end, for programs that do the reading and writing themselves.

`MultipartDecoder` is `MultipartReader`, which is as strict here as for forms, in Werkzeug's terms.
(Werkzeug: ``werkzeug.sansio.multipart``.)
"""

from dataclasses import dataclass
from enum import Enum, auto

from . import multipart
from .errors import RequestEntityTooLarge
from .headers import Headers
from .multipart import MultipartError, MultipartLimits, MultipartReader, escape_name


class Event:
    """Base of them all."""


@dataclass(frozen=True)
class Preamble(Event):
    """What stands before the first part; always empty when it is read."""

    data: bytes


@dataclass(frozen=True)
class Field(Event):
    """A part begins that is not a file."""

    name: str
    headers: Headers


@dataclass(frozen=True)
class File(Event):
    """A part begins that is a file."""

    name: str
    filename: str
    headers: Headers


@dataclass(frozen=True)
class Data(Event):
    """Octets of the part that began last."""

    data: bytes
    more_data: bool
    """Whether more of them follow."""


@dataclass(frozen=True)
class Epilogue(Event):
    """What stands after the last part; always empty when it is read."""

    data: bytes


class NeedData(Event):
    """More octets have to come first."""


NEED_DATA = NeedData()


class State(Enum):
    """Where a decoder or encoder stands."""

    PREAMBLE = auto()
    PART = auto()
    DATA = auto()
    DATA_START = auto()
    EPILOGUE = auto()
    COMPLETE = auto()


class MultipartDecoder:
    """Turns octets into events.

    Args:
        boundary: the ``boundary`` parameter of the message's Content-Type.
        max_form_memory_size: octets that may wait to be handed out. Beyond: 413.
        max_parts: parts the message may have. Beyond: 413.

    Raises:
        ValueError: the boundary is no boundary.
    """

    def __init__(
        self,
        boundary: bytes,
        max_form_memory_size: int | None = None,
        *,
        max_parts: int | None = None,
    ) -> None:
        self.boundary = boundary
        self.max_form_memory_size = max_form_memory_size
        self.max_parts = max_parts
        self.complete = False
        self.state = State.PREAMBLE
        self._reader = MultipartReader(boundary, MultipartLimits(parts=max_parts))
        self._waiting: multipart.Event | None = None

    def receive_data(self, data: bytes | None) -> None:
        """Take the next octets, cut anywhere; None says that there are no more.

        Raises:
            RequestEntityTooLarge: too many wait to be handed out.
        """
        if data is None:
            self.complete = True
            return
        limit = self.max_form_memory_size
        if limit is not None and self._reader.buffered + len(data) > limit:
            raise RequestEntityTooLarge
        self._reader.receive(data)

    def next_event(self) -> Event:
        """Return the next event, `NEED_DATA` when more octets have to come first.

        Raises:
            RequestEntityTooLarge: the message has too many parts.
            ValueError: it is malformed, or has ended too early.
        """
        try:
            event = self._waiting or self._reader.next_event()
            if event is None and self.complete and self.state is not State.COMPLETE:
                self._reader.receive_eof()
        except MultipartError as error:
            if error.status == RequestEntityTooLarge.code:
                raise RequestEntityTooLarge(error.message) from error
            raise
        self._waiting = None
        if event is None:
            return NEED_DATA
        if self.state is State.PREAMBLE:
            self._waiting = event
            self.state = State.PART
            return Preamble(b"")
        return self._translate(event)

    def _translate(self, event: multipart.Event) -> Event:
        if isinstance(event, multipart.Data):
            self.state = State.DATA if event.more else State.PART
            return Data(event.data, event.more)
        if isinstance(event, multipart.End):
            # The end of the octets decides: something may follow the last delimiter.
            self.state = State.EPILOGUE
            if not self.complete:
                self._waiting = event
                return NEED_DATA
            self.state = State.COMPLETE
            return Epilogue(b"")
        self.state = State.DATA_START
        if isinstance(event, multipart.File):
            return File(event.name, event.filename, event.headers)
        return Field(event.name, event.headers)


class MultipartEncoder:
    """Turns events into octets, one message. For tests: nobody looks whether the boundary is in the content.

    Args:
        boundary: what the parts are told apart by.
    """

    def __init__(self, boundary: bytes) -> None:
        self.boundary = boundary
        self.state = State.PREAMBLE

    def send_event(self, event: Event) -> bytes:
        """Return the octets of an event.

        Raises:
            ValueError: it cannot come here.
        """
        before = self.state
        if isinstance(event, Preamble) and before is State.PREAMBLE:
            self.state = State.PART
            return event.data
        if isinstance(event, Field | File) and before in _BETWEEN_PARTS:
            self.state = State.DATA_START
            return self._head(event)
        if isinstance(event, Data) and before in _IN_PART:
            self.state = State.DATA
            return b"\r\n" + event.data if before is State.DATA_START else event.data
        if isinstance(event, Epilogue):
            self.state = State.COMPLETE
            return b"\r\n--" + self.boundary + b"--\r\n" + event.data
        raise ValueError(f"{event!r:.100} cannot come in the state {before.name}")

    def _head(self, event: Field | File) -> bytes:
        disposition = f'Content-Disposition: form-data; name="{escape_name(event.name)}"'
        if isinstance(event, File):
            disposition += f'; filename="{escape_name(event.filename)}"'
        lines = [disposition]
        lines += [
            f"{name}: {value}"
            for name, value in event.headers
            if name.lower() != "content-disposition"
        ]
        return (
            b"\r\n--" + self.boundary + "".join(f"\r\n{line}" for line in lines).encode() + b"\r\n"
        )


_BETWEEN_PARTS = frozenset({State.PREAMBLE, State.PART, State.DATA})
_IN_PART = frozenset({State.DATA_START, State.DATA})
