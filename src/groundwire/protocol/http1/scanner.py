"""Goes through a head as it arrives and refuses it at the byte that decides.

A head that has come whole and is right never gets here: `RequestReader` matches it with two patterns. The scanner
reads the two others: heads in pieces, and heads with something wrong, so that there is one place where a refusal is
worded and one order in which rules are applied, the order of the bytes. What is refused, by which rule and at which
byte then depends on the bytes alone, never on how they were cut: every state moves on by the bytes of one kind and
keeps its place, so that a head in pieces of any size costs time in proportion to its length.

    EMPTY_LINES ─ METHOD ─ TARGET ─ VERSION ─┐ LINE_FEED
         ┌───────────────────────────────────┘
    LINE_START ─ NAME ─ VALUE ─┐ LINE_FEED          (once for each field line)
         │  └──────────────────┘
         └ CR ─ LAST_LINE_FEED ─ DONE

All positions are offsets in the message. `shift` is the index in the buffer of the message's first byte (negative when
that byte has been dropped), so offset + shift is an index.
"""

from typing import Final, Protocol

from ..errors import ProtocolError
from ..head import FieldSection
from ..limits import MessageLimits
from .grammar import (
    COLON,
    CR,
    FIELD_VALUE_RUN,
    HTAB,
    LF,
    NUMBER_SIGN,
    OTHER_VERSION,
    SP,
    TARGET_RUN,
    TOKEN_RUN,
    VERSION_NAME,
    VERSION_NUMBER_RUN,
    run_end,
)
from .octets import describe_octet
from .sections import HeaderRules
from .target import Target, parse_target

Buffer = bytes | bytearray

EMPTY_LINES: Final = "before the request line"
EMPTY_LINE_FEED: Final = "in the end of an empty line before the request line"
METHOD: Final = "in the method"
TARGET: Final = "in the request target"
VERSION: Final = "in the version"
LINE_FEED: Final = "in the end of a line"
LINE_START: Final = "at the start of a field line"
NAME: Final = "in a field name"
VALUE: Final = "in a field value"
LAST_LINE_FEED: Final = "in the end of a field section"
DONE: Final = "after a field section"

VERSION_BYTES: Final = 24
"""Longest version that gets an answer of its own; what is longer is no version."""

TLS_HANDSHAKE: Final = 0x16
"""First byte of a TLS ClientHello (RFC 8446 §5.1)."""


class LineRules(Protocol):
    """What a `SectionScanner` hands each whole field line to."""

    def take(self, name: bytes, value: bytes, offset: int, /) -> None:
        """Note one field line or raise ProtocolError."""


class SectionScanner:
    """Goes through a header or trailer section.

    Attributes:
        lines: the field lines that are whole.
        position: offset of the next byte to look at; after `scan` has returned True, that of the first byte behind
            the section.
        state: where in the grammar that byte is.
    """

    __slots__ = (
        "_colon",
        "_limits",
        "_line_start",
        "_rules",
        "_start",
        "lines",
        "position",
        "state",
    )

    def __init__(self, limits: MessageLimits, rules: LineRules, start: int) -> None:
        """Begin at the offset `start`, which is that of the first field line."""
        self.lines: list[tuple[bytes, bytes]] = []
        self.position = start
        self.state = LINE_START
        self._limits = limits
        self._rules = rules
        self._start = start
        self._line_start = start
        self._colon = start

    def scan(self, buffer: Buffer, shift: int) -> bool:
        """Go on to the end of the section or of `buffer`; True when the section is whole.

        The buffer must still hold the whole section.

        Raises:
            ProtocolError: the section cannot become right any more.
        """
        end = len(buffer)
        while (index := self.position + shift) < end:
            octet = buffer[index]
            state = self.state
            if state is LINE_START:
                self._begin_line(octet)
            elif state is NAME:
                self.position = run_end(TOKEN_RUN, buffer, index) - shift
                self._check_size()
                if self.position + shift < end:
                    self._end_name(buffer[self.position + shift])
            elif state is VALUE:
                self.position = run_end(FIELD_VALUE_RUN, buffer, index) - shift
                self._check_size()
                if self.position + shift < end:
                    self._end_value(buffer[self.position + shift])
            elif octet != LF:
                raise self._refusal(
                    "A carriage return is not followed by a line feed.", "RFC 9112 §2.2"
                )
            else:
                self.position += 1
                if state is LAST_LINE_FEED:
                    self.state = DONE
                    return True
                self._end_line(buffer, shift)
        return False

    def _begin_line(self, octet: int) -> None:
        if octet == CR:
            self.position += 1
            self.state = LAST_LINE_FEED
            return
        if octet in (SP, HTAB):
            raise self._refusal(
                f"Field line {len(self.lines) + 1} begins with white space"
                " (folded lines are obsolete and refused).",
                "RFC 9112 §5.2" if self.lines else "RFC 9112 §2.2",
            )
        if len(self.lines) == self._limits.field_lines:
            raise self._refusal(
                f"There are more than {self._limits.field_lines} field lines.",
                "RFC 6585 §5",
                status=431,
            )
        self.state = NAME
        self._line_start = self.position

    def _end_name(self, octet: int) -> None:
        number = len(self.lines) + 1
        if octet == COLON and self.position > self._line_start:
            self._colon = self.position
            self.position += 1
            self.state = VALUE
            self._check_size()
            return
        if octet == COLON:
            message = f"Field line {number} has no name before its colon."
        elif octet in (SP, HTAB):
            message = f"A space or tab stands in or after the name of field line {number}; the colon must follow it."
        elif octet == CR:
            message = f"Field line {number} has no colon."
        elif octet == LF:
            raise self._refusal(
                f"Field line {number} ends in a line feed without a carriage return.",
                "RFC 9112 §2.2",
            )
        else:
            message = f"The name of field line {number} contains {describe_octet(octet)}."
        raise self._refusal(message, "RFC 9112 §5.1")

    def _end_value(self, octet: int) -> None:
        number = len(self.lines) + 1
        if octet == CR:
            self.position += 1
            self.state = LINE_FEED
            return
        if octet == LF:
            raise self._refusal(
                f"Field line {number} ends in a line feed without a carriage return.",
                "RFC 9112 §2.2",
            )
        raise self._refusal(
            f"The value of field line {number} contains {describe_octet(octet)}.", "RFC 9110 §5.5"
        )

    def _end_line(self, buffer: Buffer, shift: int) -> None:
        limit = self._limits.field_section_bytes
        if self.position - self._start > limit:
            raise self._too_large(self._start + limit)
        name = bytes(buffer[self._line_start + shift : self._colon + shift])
        raw = bytes(buffer[self._colon + 1 + shift : self.position - 2 + shift])
        value = raw.lstrip(b" \t")
        value_offset = self._colon + 1 + len(raw) - len(value)
        value = value.rstrip(b" \t")
        self._rules.take(name, value, value_offset)
        self.lines.append((name, value))
        self.state = LINE_START

    def _check_size(self) -> None:
        """Refuse at the first byte of this line that is beyond the line's or the section's limit."""
        line_end = self._line_start + self._limits.field_line_bytes
        section_end = self._start + self._limits.field_section_bytes
        if self.position <= line_end and self.position <= section_end:
            return
        if section_end <= line_end:
            raise self._too_large(section_end)
        raise ProtocolError(
            f"Field line {len(self.lines) + 1} is longer than {self._limits.field_line_bytes} bytes.",
            section="RFC 6585 §5",
            offset=line_end,
            status=431,
        )

    def _too_large(self, offset: int) -> ProtocolError:
        return ProtocolError(
            f"The field lines are longer than {self._limits.field_section_bytes} bytes together.",
            section="RFC 6585 §5",
            offset=offset,
            status=431,
        )

    def _refusal(self, message: str, section: str, status: int = 400) -> ProtocolError:
        return ProtocolError(message, section=section, offset=self.position, status=status)


class HeadScanner:
    """Goes through a request's head.

    Attributes:
        method, target, minor: the request line, once it is whole (`minor` is ``b"0"`` or ``b"1"``).
        parts: the target taken apart.
        section_start: offset of the first field line, likewise.
        fields: the header section, once it is whole.
        position: as in `SectionScanner`, of the request line.
        state: likewise.
    """

    __slots__ = (
        "_empty_lines",
        "_limits",
        "_rules",
        "_section",
        "_token_start",
        "fields",
        "method",
        "minor",
        "parts",
        "position",
        "section_start",
        "state",
        "target",
    )

    method: bytes
    target: bytes
    minor: bytes
    parts: Target
    section_start: int
    fields: FieldSection

    def __init__(self, limits: MessageLimits) -> None:
        """Begin at offset 0, where empty lines may precede the request line."""
        self.position = 0
        self.state = EMPTY_LINES
        self._limits = limits
        self._empty_lines = 0
        self._token_start = 0
        self._section: SectionScanner | None = None
        self._rules: HeaderRules | None = None

    @property
    def begun(self) -> bool:
        """Whether anything but empty lines has come."""
        return self.state is not EMPTY_LINES and self.state is not EMPTY_LINE_FEED

    @property
    def looked_at(self) -> int:
        """Offset of the first byte that has not been looked at."""
        return self.position if self._section is None else self._section.position

    def scan(self, buffer: Buffer, shift: int) -> bool:
        """Go on to the end of the head or of `buffer`; True when the head is whole.

        The buffer must still hold the whole head.

        Raises:
            ProtocolError: the head cannot become right any more.
        """
        end = len(buffer)
        while self._section is None and (index := self.position + shift) < end:
            if self.state is METHOD:
                self._scan_method(buffer, index, shift)
            elif self.state is TARGET:
                self._scan_target(buffer, index, shift)
            elif self.state is VERSION:
                self._scan_version(buffer, index, shift)
            else:
                self._scan_line_end(buffer, index)
        if self._section is None or self._rules is None or not self._section.scan(buffer, shift):
            return False
        # The last two bytes are the empty line; its offset stands for the end of the section.
        self.fields = self._rules.finish(tuple(self._section.lines), self._section.position - 2)
        self.position = self._section.position
        self.state = DONE
        return True

    def _scan_line_end(self, buffer: Buffer, index: int) -> None:
        """The octets around a line: empty lines before the request line, and line feeds."""
        octet = buffer[index]
        if self.state is EMPTY_LINES:
            if octet != CR:
                self._begin_method(octet)
                return
            if self._empty_lines == self._limits.empty_lines:
                raise self._refusal(
                    f"More than {self._limits.empty_lines} empty lines precede the request line.",
                    "RFC 9112 §2.2",
                )
            self.state = EMPTY_LINE_FEED
        elif octet != LF:
            raise self._refusal(
                "A carriage return is not followed by a line feed.", "RFC 9112 §2.2"
            )
        elif self.state is EMPTY_LINE_FEED:
            self._empty_lines += 1
            self.state = EMPTY_LINES
        else:
            self._end_request_line(buffer, index)
        self.position += 1

    def _begin_method(self, octet: int) -> None:
        if octet == TLS_HANDSHAKE:
            raise self._refusal(
                "This looks like a TLS handshake, but the port speaks HTTP without TLS; use http:// here.",
                "RFC 9112 §3",
            )
        self.state = METHOD
        self._token_start = self.position

    def _scan_method(self, buffer: Buffer, index: int, shift: int) -> None:
        self.position = run_end(TOKEN_RUN, buffer, index) - shift
        limit = self._token_start + self._limits.method_bytes
        if self.position > limit:
            raise ProtocolError(
                f"The method is longer than {self._limits.method_bytes} bytes.",
                section="RFC 9112 §3",
                offset=limit,
                status=501,
            )
        if self.position + shift == len(buffer):
            return
        octet = buffer[self.position + shift]
        if octet != SP or self.position == self._token_start:
            raise self._method_refusal(octet)
        self.method = bytes(buffer[self._token_start + shift : self.position + shift])
        self.position += 1
        self._token_start = self.position
        self.state = TARGET

    def _method_refusal(self, octet: int) -> ProtocolError:
        if octet in (CR, LF) and self.position > self._token_start:
            return self._refusal("The request line ends after its first word.", "RFC 9112 §3")
        if octet == SP:
            return self._refusal("The request line begins with a space.", "RFC 9112 §3")
        return self._refusal(f"The method contains {describe_octet(octet)}.", "RFC 9112 §3.1")

    def _scan_target(self, buffer: Buffer, index: int, shift: int) -> None:
        self.position = run_end(TARGET_RUN, buffer, index) - shift
        limit = self._token_start + self._limits.target_bytes
        if self.position > limit:
            raise ProtocolError(
                f"The request target is longer than {self._limits.target_bytes} bytes.",
                section="RFC 9112 §3",
                offset=limit,
                status=414,
            )
        if self.position + shift == len(buffer):
            return
        octet = buffer[self.position + shift]
        if octet != SP or self.position == self._token_start:
            raise self._target_refusal(octet)
        self.target = bytes(buffer[self._token_start + shift : self.position + shift])
        self.position += 1
        self._token_start = self.position
        self.state = VERSION

    def _target_refusal(self, octet: int) -> ProtocolError:
        if octet == CR:
            return self._refusal(
                "The request line has two words; it needs method, target and HTTP version.",
                "RFC 9112 §3",
            )
        if octet == SP:
            return self._refusal(
                "Two spaces stand between the method and the target.", "RFC 9112 §3"
            )
        if octet == NUMBER_SIGN:
            return self._refusal(
                "The request target contains a number sign; a fragment is not for the server.",
                "RFC 9112 §3.2",
            )
        return self._refusal(
            f"The request target contains {describe_octet(octet)}, which must be percent-encoded.",
            "RFC 9112 §3.2",
        )

    def _scan_version(self, buffer: Buffer, index: int, shift: int) -> None:
        name_end = self._token_start + len(VERSION_NAME)
        if self.position < name_end:
            octet = buffer[index]
            if octet != VERSION_NAME[self.position - self._token_start]:
                raise self._version_refusal(octet)
            self.position += 1
            return
        self.position = run_end(VERSION_NUMBER_RUN, buffer, index) - shift
        limit = self._token_start + VERSION_BYTES
        if self.position > limit:
            self.position = limit
            raise self._refusal("The HTTP version is too long.", "RFC 9112 §2.3")
        if self.position + shift == len(buffer):
            return
        octet = buffer[self.position + shift]
        if octet != CR:
            raise self._version_refusal(octet)
        self.position += 1
        self.state = LINE_FEED

    def _version_refusal(self, octet: int) -> ProtocolError:
        if self.position == self._token_start and octet == SP:
            return self._refusal(
                "Two spaces stand between the target and the HTTP version.", "RFC 9112 §3"
            )
        if octet == SP:
            return self._refusal("A space follows the HTTP version.", "RFC 9112 §3")
        if octet == LF:
            return self._refusal(
                "The request line ends in a line feed without a carriage return.", "RFC 9112 §2.2"
            )
        return self._refusal(
            f"The request line does not end in HTTP/1.1 or HTTP/1.0: {describe_octet(octet)} stands there.",
            "RFC 9112 §2.3",
        )

    def _end_request_line(self, buffer: Buffer, index: int) -> None:
        """The line feed at `index` ends the request line: settle its version, then its target."""
        start = self._token_start
        version = bytes(buffer[index - 1 - (self.position - 1 - start) : index - 1])
        if version not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise self._unsupported_version(version)
        self.minor = version[-1:]
        self.section_start = self.position + 1
        self.parts = parse_target(self.method, self.target, start - 1 - len(self.target))
        self._rules = HeaderRules(self.minor)
        self._section = SectionScanner(self._limits, self._rules, self.section_start)

    def _unsupported_version(self, version: bytes) -> ProtocolError:
        section = "RFC 9110 §15.6.6"
        status = 505
        if (self.method, self.target, version) == (b"PRI", b"*", b"HTTP/2.0"):
            message = "This is an HTTP/2 connection preface, but the port speaks HTTP/1.1."
            section = "RFC 9113 §3.4"
        elif OTHER_VERSION.fullmatch(version) is not None:
            message = "The HTTP version is neither 1.0 nor 1.1."
        else:
            message = "The HTTP version is not two digits with a dot between them."
            section = "RFC 9112 §2.3"
            status = 400
        return ProtocolError(message, section=section, offset=self._token_start, status=status)

    def _refusal(self, message: str, section: str) -> ProtocolError:
        return ProtocolError(message, section=section, offset=self.position)
