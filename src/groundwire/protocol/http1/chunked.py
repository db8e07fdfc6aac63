"""Takes the chunked transfer coding off a message's content (RFC 9112 §7.1).

    SIZE ─┬───────────────────────────────────────┬─ LINE_FEED ─┬─ DATA ─ DATA_CR ─ DATA_LF ─ SIZE
          └ EXTENSION ─ NAME ─ EQUALS ─ VALUE ────┘             └─ TRAILERS ─ DONE         (after size 0)
                                      └ QUOTED …

What is framing is consumed as it comes, so nothing is looked at twice, however it was cut; only a trailer section is
kept until it is whole. Where the grammar of RFC 9112 lets white space stand ("bad" white space, around ``;`` and
``=``) it is refused: no client sends it, and those who read chunk lines loosely have been fooled with it.
"""

from re import Pattern
from typing import Final, NamedTuple

from ..errors import ProtocolError
from ..limits import MessageLimits
from .grammar import (
    CHUNK_SIZE_DIGITS,
    CHUNK_SIZE_LINE,
    CR,
    HEX_RUN,
    LF,
    NOTHING,
    QUOTED_RUN,
    TOKEN_RUN,
    run_end,
)
from .octets import describe_octet
from .scanner import Buffer, SectionScanner
from .sections import TrailerRules

SIZE: Final = "in a chunk size"
EXTENSION: Final = "where the name of a chunk extension begins"
EXTENSION_NAME: Final = "in the name of a chunk extension"
EXTENSION_VALUE: Final = "where the value of a chunk extension begins"
EXTENSION_TOKEN: Final = "in the value of a chunk extension"
QUOTED: Final = "in a quoted value of a chunk extension"
QUOTED_PAIR: Final = "after a backslash in a chunk extension"
QUOTED_END: Final = "after a quoted value of a chunk extension"
LINE_FEED: Final = "after the carriage return of a chunk line"
DATA: Final = "in a chunk's data"
DATA_CR: Final = "after a chunk's data"
DATA_LF: Final = "after the carriage return behind a chunk's data"
TRAILERS: Final = "in the trailer section"


class _Step(NamedTuple):
    run: Pattern[bytes]
    """Octets that leave the state as it is."""
    moves: dict[int, str]
    """The octets that lead to another state."""
    first: str | None = None
    """The state for any octet of `run`, for states that must see at least one."""


# RFC 9112 §7.1.1: chunk-ext = *( ";" chunk-ext-name [ "=" chunk-ext-val ] )
EXTENSION_STEPS: Final[dict[str, _Step]] = {
    EXTENSION: _Step(TOKEN_RUN, {}, EXTENSION_NAME),
    EXTENSION_NAME: _Step(
        TOKEN_RUN, {ord("="): EXTENSION_VALUE, ord(";"): EXTENSION, CR: LINE_FEED}
    ),
    EXTENSION_VALUE: _Step(TOKEN_RUN, {ord('"'): QUOTED}, EXTENSION_TOKEN),
    EXTENSION_TOKEN: _Step(TOKEN_RUN, {ord(";"): EXTENSION, CR: LINE_FEED}),
    QUOTED: _Step(QUOTED_RUN, {ord("\\"): QUOTED_PAIR, ord('"'): QUOTED_END}),
    QUOTED_PAIR: _Step(
        NOTHING, dict.fromkeys((0x09, *range(0x20, 0x7F), *range(0x80, 0x100)), QUOTED)
    ),
    QUOTED_END: _Step(NOTHING, {ord(";"): EXTENSION, CR: LINE_FEED}),
}


class ChunkedContent:
    """The content of one chunked message, as it comes.

    Attributes:
        position: offset in the message of the next byte to look at; all before it has been consumed, except in a
            trailer section, which the caller keeps until `trailers` are there.
        complete: whether the message has ended.
        trailers: its trailer section, once it has.
    """

    __slots__ = (
        "_digits",
        "_extension_bytes",
        "_limits",
        "_line_start",
        "_remaining",
        "_state",
        "_trailers",
        "complete",
        "position",
        "trailers",
    )

    def __init__(self, limits: MessageLimits, position: int) -> None:
        """Begin at the offset `position`, right behind the head."""
        self.position: int = position
        self.complete = False
        self.trailers: tuple[tuple[bytes, bytes], ...] = ()
        self._limits = limits
        self._state = SIZE
        self._remaining: int = 0
        self._digits = 0
        self._extension_bytes = 0
        self._line_start: int = position
        self._trailers: SectionScanner | None = None

    @property
    def looked_at(self) -> int:
        """Offset of the first byte that has not been looked at."""
        return self.position if self._trailers is None else self._trailers.position

    @property
    def announced(self) -> int:
        """Octets of the open chunk that have not been read yet."""
        return self._remaining if self._state is DATA else 0

    def read(self, buffer: Buffer, shift: int, max_bytes: int, content: list[Buffer]) -> None:
        """Append to `content` the octets that `buffer` holds, `max_bytes` at most.

        Args:
            buffer: bytes of the message from `position` or earlier.
            shift: what to add to an offset in the message to get an index in `buffer`.
            max_bytes: how many octets to append at most.
            content: gets pieces of content, also when an error follows.

        Raises:
            ProtocolError: the framing is wrong, or over a limit.
        """
        end = len(buffer)
        while (index := self.position + shift) < end:
            state = self._state
            if state is DATA:
                if max_bytes <= 0:
                    return
                piece = buffer[index : index + min(self._remaining, max_bytes)]
                content.append(piece)
                max_bytes -= len(piece)
                self.position += len(piece)
                self._remaining -= len(piece)
                if not self._remaining:
                    self._state = DATA_CR
            elif state is SIZE and not self._digits and CHUNK_SIZE_LINE.match(buffer, index):
                max_bytes = self._read_whole_chunks(buffer, shift, max_bytes, content)
            elif state is SIZE:
                self._read_size(buffer, index)
            elif state is TRAILERS:
                self._read_trailers(buffer, shift)
                return
            elif state in EXTENSION_STEPS:
                self._read_extension(buffer, index)
            else:
                self._read_line_end(buffer[index])

    def _read_whole_chunks(
        self, buffer: Buffer, shift: int, max_bytes: int, content: list[Buffer]
    ) -> int:
        """Take chunks that have come whole and have no extensions; returns what is left of `max_bytes`.

        PERF: 0.6 µs a chunk; state by state it is 2.5, and content can be all chunks of one octet.
        """
        index = self.position + shift
        while (line := CHUNK_SIZE_LINE.match(buffer, index)) is not None:
            size = int(line[1], 16)
            start = line.end()
            stop = start + size
            if not 0 < size <= max_bytes or not buffer.startswith(b"\r\n", stop):
                self.position = start - shift
                self._begin_chunk(size)
                return max_bytes
            content.append(buffer[start:stop])
            max_bytes -= size
            index = stop + 2
        self.position = self._line_start = index - shift
        return max_bytes

    def _begin_line(self) -> None:
        self._line_start = self.position
        self._digits = 0
        self._remaining = 0
        self._state = SIZE

    def _read_size(self, buffer: Buffer, index: int) -> None:
        stop = run_end(HEX_RUN, buffer, index)
        allowed = CHUNK_SIZE_DIGITS - self._digits
        if stop - index > allowed:
            self.position += allowed
            raise self._refusal(f"A chunk size has more than {CHUNK_SIZE_DIGITS} digits.")
        if stop > index:
            self._remaining = self._remaining << 4 * (stop - index) | int(
                bytes(buffer[index:stop]), 16
            )
            self._digits += stop - index
            self.position += stop - index
        if stop == len(buffer):
            return
        octet = buffer[stop]
        if self._digits and octet == CR:
            self._state = LINE_FEED
        elif self._digits and octet == ord(";"):
            self._spend(1)
            self._state = EXTENSION
            return
        else:
            raise self._refusal(
                f"A chunk size must be hexadecimal digits alone, but {describe_octet(octet)} stands there."
            )
        self.position += 1

    def _read_extension(self, buffer: Buffer, index: int) -> None:
        state = self._state
        run, moves, first = EXTENSION_STEPS[state]
        length = run_end(run, buffer, index) - index
        if length:
            self._spend(length)
            if first is not None:
                self._state = first
            return
        octet = buffer[index]
        move = moves.get(octet)
        if move is None:
            raise ProtocolError(
                f"Not allowed {state}: {describe_octet(octet)}.",
                section="RFC 9112 §7.1.1",
                offset=self.position,
            )
        if move is LINE_FEED:
            self.position += 1
        else:
            self._spend(1)
        self._state = move

    def _spend(self, length: int) -> None:
        """Go on by `length` bytes of extensions, as far as the limits allow."""
        line_allowed = self._line_start + self._limits.chunk_line_bytes - self.position
        message_allowed = self._limits.chunk_overhead_bytes - self._extension_bytes
        if length > min(line_allowed, message_allowed):
            if line_allowed <= message_allowed:
                message = f"A chunk line is longer than {self._limits.chunk_line_bytes} bytes."
            else:
                message = (
                    f"The chunk extensions exceed {self._limits.chunk_overhead_bytes} bytes in all."
                )
            self.position += min(line_allowed, message_allowed)
            raise ProtocolError(message, section="RFC 9112 §7.1.1", offset=self.position)
        self._extension_bytes += length
        self.position += length

    def _read_line_end(self, octet: int) -> None:
        state = self._state
        if state is DATA_CR:
            if octet != CR:
                raise self._refusal("A chunk's data does not end where its size says.")
            self._state = DATA_LF
            self.position += 1
            return
        if octet != LF:
            raise self._refusal(
                "A carriage return is not followed by a line feed.", "RFC 9112 §2.2"
            )
        self.position += 1
        if state is DATA_LF:
            self._begin_line()
        else:
            self._begin_chunk(self._remaining)

    def _begin_chunk(self, size: int) -> None:
        self._remaining = size
        if size:
            self._state = DATA
            return
        self._trailers = SectionScanner(self._limits, TrailerRules(), self.position)
        self._state = TRAILERS

    def _read_trailers(self, buffer: Buffer, shift: int) -> None:
        scanner = self._trailers
        if scanner is not None and scanner.scan(buffer, shift):
            self.trailers = tuple(scanner.lines)
            self.position = scanner.position
            self.complete = True

    def _refusal(self, message: str, section: str = "RFC 9112 §7.1") -> ProtocolError:
        return ProtocolError(message, section=section, offset=self.position)
