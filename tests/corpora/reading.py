"""Drives a `RequestReader` over a byte stream and writes down everything that can be observed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from groundwire.protocol.errors import ProtocolError
from groundwire.protocol.head import RequestHead
from groundwire.protocol.http1 import RequestReader
from groundwire.protocol.limits import MessageLimits

Line = tuple[bytes, bytes]


@dataclass
class Message:
    """One request as it was read."""

    method: str
    target: str
    form: str
    path: str
    query: str
    version: str
    authority: str
    host: bytes | None
    lines: tuple[Line, ...]
    content_length: int | None
    chunked: bool
    persistent: bool
    expectation: bytes | None
    connection_options: frozenset[bytes]
    content: bytearray = field(default_factory=bytearray)
    trailers: tuple[Line, ...] = ()
    complete: bool = False

    @classmethod
    def begin(cls, head: RequestHead) -> "Message":
        return cls(
            method=head.method,
            target=head.target,
            form=head.form,
            path=head.path,
            query=head.query,
            version=head.version,
            authority=head.authority,
            host=head.fields.host,
            lines=head.fields.lines,
            content_length=head.content_length,
            chunked=head.chunked,
            persistent=head.persistent,
            expectation=head.expectation,
            connection_options=head.fields.connection_options,
        )


@dataclass
class Refusal:
    """How a message was refused."""

    status: int
    section: str
    offset: int
    message: str

    @classmethod
    def of(cls, error: ProtocolError) -> "Refusal":
        return cls(error.status, error.section, error.offset, error.message)


@dataclass
class Reading:
    """What came of a byte stream: whole messages, and how it ended."""

    messages: list[Message] = field(default_factory=list)
    refusal: Refusal | None = None
    in_head: bool = False


def read(
    pieces: Iterable[bytes],
    limits: MessageLimits | None = None,
    *,
    eof: bool = False,
    max_bytes: int = 65536,
    count: int | None = None,
) -> Reading:
    """Give the pieces to a reader, one after the other, and take all that can be taken after each.

    Args:
        pieces: the stream as it is received.
        limits: other limits than the default ones.
        eof: whether the stream ends behind the last piece.
        max_bytes: for `RequestReader.next_content`.
        count: stop after so many messages.
    """
    reader = RequestReader(limits or MessageLimits())
    reading = Reading()
    try:
        for piece in pieces:
            reader.receive(piece)
            _take(reader, reading, max_bytes, count)
        if eof:
            reader.receive_eof()
            _take(reader, reading, max_bytes, count)
    except ProtocolError as error:
        reading.refusal = Refusal.of(error)
    reading.in_head = reader.in_head
    return reading


def _take(reader: RequestReader, reading: Reading, max_bytes: int, count: int | None) -> None:
    while True:
        if not reader.complete:
            message = reading.messages[-1]
            content = reader.next_content(max_bytes)
            message.content += content
            if reader.complete:
                message.complete = True
                message.trailers = reader.trailers
            elif not content:
                return
            continue
        if len(reading.messages) == count:
            return
        head = reader.next_head()
        if head is None:
            return
        reading.messages.append(Message.begin(head))
        reading.messages[-1].complete = reader.complete


def bytewise(data: bytes) -> Iterator[bytes]:
    """Cut `data` into single bytes."""
    for index in range(len(data)):
        yield data[index : index + 1]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut `data` at each of `places`."""
    ends = [*sorted({place % (len(data) + 1) for place in places}), len(data)]
    starts = [0, *ends[:-1]]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]
