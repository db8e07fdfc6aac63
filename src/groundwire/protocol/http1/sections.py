"""What the lines of a field section mean to the reader, beyond their grammar.

Both readers of a section, the one that matches it whole and the one that goes through it as it comes, hand each
line to the same rules, so that they cannot disagree.
"""

from collections.abc import Callable
from typing import Final

from ..errors import ProtocolError
from ..head import FieldSection
from .framing import RequestFraming
from .target import authority_fault

# RFC 9110 §6.5.1: fields for framing, routing, authentication, request modification and the content's format
# do not belong in a trailer section. They are refused: nobody sends them there for a good reason, and a program
# that merged them would be misled. (Digests do belong there: RFC 9530 §4.)
FORBIDDEN_TRAILERS: Final = frozenset(
    (
        b"authorization",
        b"cache-control",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"keep-alive",
        b"max-forwards",
        b"pragma",
        b"proxy-authorization",
        b"proxy-connection",
        b"range",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)


class HeaderRules:
    """Takes a request's header section line by line and refuses what breaks a rule."""

    __slots__ = (
        "_connection",
        "_credentials",
        "_expect",
        "_framing",
        "_host",
        "_minor",
        "_upgrade",
    )

    def __init__(self, minor: bytes) -> None:
        """Start an empty section of HTTP/1.`minor`."""
        self._minor = minor
        self._framing = RequestFraming(transfer_encoding_allowed=minor != b"0")
        self._host: bytes | None = None
        self._connection: list[bytes] = []
        self._expect: list[bytes] = []
        self._upgrade: list[bytes] = []
        self._credentials = False

    def take(self, name: bytes, value: bytes, offset: int) -> None:
        """Note one field line; `offset` is where its value begins.

        Raises:
            ProtocolError: the line, or its repetition, is not allowed.
        """
        taker = _TAKERS.get(name.lower())
        if taker is not None:
            taker(self, value, offset)

    def finish(self, lines: tuple[tuple[bytes, bytes], ...], offset: int) -> FieldSection:
        """Make the section of all its lines; `offset` is where it ends.

        Raises:
            ProtocolError: an HTTP/1.1 request has no Host.
        """
        if self._host is None and self._minor == b"1":
            raise ProtocolError(
                "An HTTP/1.1 request must have a Host field.",
                section="RFC 9112 §3.2",
                offset=offset,
            )
        fields = FieldSection()
        fields.lines = lines
        fields.host = self._host
        fields.content_length = self._framing.content_length
        fields.chunked = self._framing.chunked
        fields.connection_options = frozenset(
            option
            for value in self._connection
            for member in value.split(b",")
            if (option := member.strip(b" \t").lower())
        )
        # RFC 9110 §10.1.1: an HTTP/1.0 client's expectation is ignored.
        if self._minor == b"1":
            fields.expectation = b", ".join(self._expect).lower() or None
            # RFC 9110 §7.8: nor is its Upgrade heard, or one that Connection does not name.
            if self._upgrade and b"upgrade" in fields.connection_options:
                fields.upgrade = b", ".join(self._upgrade).lower()
        fields.asks_more = fields.expectation is not None or fields.upgrade is not None
        return fields

    def take_host(self, value: bytes, offset: int) -> None:
        """Note the host."""
        if self._host is not None:
            raise ProtocolError(
                "There are two Host fields.", section="RFC 9112 §3.2", offset=offset
            )
        fault = authority_fault(value)
        if fault is not None:
            raise ProtocolError(f"The Host field {fault}.", section="RFC 9112 §3.2", offset=offset)
        self._host = value

    def take_authorization(self, _value: bytes, offset: int) -> None:
        """Note credentials."""
        # RFC 9110 §5.3: not a list, so a second line is in error; which of two credentials counts must not be a
        # matter of taste.
        if self._credentials:
            raise ProtocolError(
                "There are two Authorization fields.", section="RFC 9110 §5.3", offset=offset
            )
        self._credentials = True

    def take_content_length(self, value: bytes, offset: int) -> None:
        """Note a length; see `RequestFraming`."""
        self._framing.take_content_length(value, offset)

    def take_transfer_encoding(self, value: bytes, offset: int) -> None:
        """Note codings; see `RequestFraming`."""
        self._framing.take_transfer_encoding(value, offset)

    def take_connection(self, value: bytes, _offset: int) -> None:
        """Note connection options."""
        self._connection.append(value)

    def take_expect(self, value: bytes, _offset: int) -> None:
        """Note expectations."""
        if value:
            self._expect.append(value)

    def take_upgrade(self, value: bytes, _offset: int) -> None:
        """Note protocols."""
        if value:
            self._upgrade.append(value)


# One table says which fields matter to the reader; `HeaderRules` is the only one to know what they mean.
_TAKERS: Final[dict[bytes, Callable[[HeaderRules, bytes, int], None]]] = {
    b"authorization": HeaderRules.take_authorization,
    b"connection": HeaderRules.take_connection,
    b"content-length": HeaderRules.take_content_length,
    b"expect": HeaderRules.take_expect,
    b"host": HeaderRules.take_host,
    b"transfer-encoding": HeaderRules.take_transfer_encoding,
    b"upgrade": HeaderRules.take_upgrade,
}

FIELDS_WITH_RULES: Final = frozenset(_TAKERS)
"""Names, in lower case, that `HeaderRules.take` does anything with."""


class TrailerRules:
    """Takes a trailer section line by line and refuses fields that have no place in one."""

    __slots__ = ()

    def take(self, name: bytes, _value: bytes, offset: int) -> None:
        """Note one field line.

        Raises:
            ProtocolError: the field would change how the message or its content is read.
        """
        lowered = name.lower()
        if lowered in FORBIDDEN_TRAILERS:
            raise ProtocolError(
                f"The field {lowered.decode('ascii')} is not allowed in a trailer section.",
                section="RFC 9110 §6.5.1",
                offset=offset,
            )
