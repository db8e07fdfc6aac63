"""multipart/form-data: octets to parts and back (RFC 7578, RFC 2046 §5.1).

`MultipartReader` is given octets cut anywhere and hands out events; it never reads, writes or waits:

    File(name, filename, headers) | Field(name, headers)   one part begins
    Data(data, more)                                       its content; `more` is False on the last one
    End()                                                  the closing delimiter has come

Every delimiter is the octets CR LF ``--boundary``. The reader acts as if CR LF stood before the first octet, so
that the first delimiter looks like all the others, and it keeps the CR LF of the empty line that ends a part's
field section, because by the grammar that same CR LF may begin the next delimiter: a part without content.

What cannot be part of a delimiter is handed out at once. No more than one delimiter's length is kept back, so
an octet is looked at a bounded number of times, however the octets are cut (CVE-2023-25577, CVE-2023-46136).

Line ends are CR LF only, fields are never folded, and what two readers could read in two ways is refused:
a file name is where an attacker would like a firewall and an application to disagree.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

from .field_values import decode_extended_value
from .headers import Headers


class MultipartError(ValueError):
    """The octets are not multipart/form-data, or more of it than is allowed.

    Attributes:
        message: what is wrong, in one sentence; the peer's own octets only `repr`-escaped.
        status: the status code to answer with: 400 for malformed, 413 for too large.
    """

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class MultipartLimits:
    """How much of one multipart message is read before it is refused. None means no limit."""

    parts: int | None = 1000
    """Parts, fields and files together (CVE-2023-25577). Beyond: 413."""

    header_lines: int = 100
    """Field lines in one part. Beyond: 413."""

    header_line_bytes: int = 8192
    """One field line of a part. Beyond: 413."""

    all_header_lines: int = 10_000
    """Field lines of all parts together: ten for each part. Browsers send one or two. Beyond: 413."""

    all_header_bytes: int = 512 * 1024
    """The field lines of all parts together, since names and file names stay in memory. Beyond: 413."""


@dataclass(slots=True)
class Field:
    """A part begins that is not a file."""

    name: str
    headers: Headers


@dataclass(slots=True)
class File:
    """A part begins that is a file. `filename` is what the client says: never a path to use as it is."""

    name: str
    filename: str
    headers: Headers


@dataclass(slots=True)
class Data:
    """Content of the part that began last."""

    data: bytes
    more: bool
    """False on the last piece of this part."""


@dataclass(slots=True)
class End:
    """The closing delimiter has come. What follows it is the epilogue, which is ignored (RFC 2046 §5.1.1)."""


Event = Field | File | Data | End

# RFC 2046 §5.1.1 allows fewer characters; any visible one is as unambiguous, and some clients use them.
BOUNDARY = re.compile(rb"[\x21-\x7e](?:[\x20-\x7e]{0,68}[\x21-\x7e])?")

MAX_PADDING_BYTES = 128
"""White space after a boundary (transport padding, RFC 2046 §5.1.1) before it is refused."""

# White space around the value is stripped afterwards: two quantifiers side by side would backtrack quadratically.
FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")

# One parameter of Content-Disposition. The quoted form cannot backtrack: its two alternatives begin differently.
PARAMETER = re.compile(
    r"[ \t]*;[ \t]*"
    r"(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*"
    r'(?:"((?:[^"\\]|\\.)*)"|([^\s";,]+)))?'
)
DISPOSITION = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
QUOTED_PAIR = re.compile(r'\\(["\\])')

PREAMBLE: Final = 0
DELIMITER: Final = 1
FIELDS: Final = 2
CONTENT: Final = 3
EPILOGUE: Final = 4


class MultipartReader:
    """Turns the octets of one multipart/form-data message into events.

    Call `receive` with octets as they come, `next_event` until it returns None, and `receive_eof` at the end.

    Args:
        boundary: the ``boundary`` parameter of the message's Content-Type.
        limits: how much is read before the message is refused.

    Raises:
        MultipartError: the boundary is no boundary (RFC 2046 §5.1.1).
    """

    __slots__ = (
        "_buffer",
        "_delimiter",
        "_error",
        "_header_bytes",
        "_header_lines",
        "_lines",
        "_parts",
        "_scanned",
        "_skip",
        "_state",
        "limits",
    )

    def __init__(self, boundary: bytes, limits: MultipartLimits | None = None) -> None:
        if BOUNDARY.fullmatch(boundary) is None:
            raise MultipartError(f"{boundary[:80]!r} is not a boundary (RFC 2046 §5.1.1)")
        self.limits = limits or MultipartLimits()
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")
        self._state = PREAMBLE
        self._scanned = 0
        self._skip = 0
        self._parts = 0
        self._header_bytes = 0
        self._header_lines = 0
        self._lines: list[tuple[str, str]] = []
        self._error: MultipartError | None = None

    @property
    def complete(self) -> bool:
        """Whether the closing delimiter has come."""
        return self._state == EPILOGUE

    @property
    def buffered(self) -> int:
        """Octets received and not yet handed out."""
        return len(self._buffer)

    def receive(self, data: bytes) -> None:
        """Take the next octets, cut anywhere."""
        if self._state != EPILOGUE:
            self._buffer += data

    def receive_eof(self) -> None:
        """Say that no more octets come.

        Raises:
            MultipartError: the closing delimiter has not come.
        """
        if self._error is not None:
            raise self._error
        if self._state != EPILOGUE:
            self._fail("the message ends before its closing delimiter (RFC 2046 §5.1.1)")

    def next_event(self) -> Event | None:
        """Return the next event, or None when more octets have to come first.

        Raises:
            MultipartError: the octets are malformed or beyond a limit. The reader stays so: every later call
                raises the same error.
        """
        if self._error is not None:
            raise self._error
        event: Event | None = None
        # Each step either returns an event, or moves on to another state, or needs more octets.
        while True:
            state = self._state
            if state == CONTENT:
                return self._read_content()
            if state == PREAMBLE:
                self._read_preamble()
            elif state == DELIMITER:
                event = self._read_delimiter()
            elif state == FIELDS:
                event = self._read_fields()
            if event is not None or self._state == state:
                return event

    def _fail(self, message: str, status: int = 400) -> NoReturn:
        self._error = MultipartError(message, status=status)
        self._buffer.clear()
        raise self._error

    def _read_preamble(self) -> None:
        at = self._buffer.find(self._delimiter)
        if at >= 0:
            del self._buffer[: at + len(self._delimiter)]
            self._state = DELIMITER
        else:
            del self._buffer[: self._undecided()]

    def _undecided(self) -> int:
        """Return where the octets begin that could still be the beginning of a delimiter."""
        buffer = self._buffer
        # CR stands nowhere in a delimiter but at its beginning, so only the last one can begin a cut-off one.
        at = buffer.rfind(b"\r", max(len(buffer) - len(self._delimiter) + 1, 0))
        if at >= 0 and self._delimiter.startswith(buffer[at:]):
            return at
        return len(buffer)

    def _read_delimiter(self) -> End | None:
        """Read what follows a boundary: ``--``, or white space and CR LF."""
        buffer = self._buffer
        if buffer.startswith(b"--"):
            self._state = EPILOGUE
            buffer.clear()
            return End()
        if buffer == b"-":
            return None
        line = buffer[: MAX_PADDING_BYTES + 2]
        rest = line.lstrip(b" \t")
        if len(line) - len(rest) > MAX_PADDING_BYTES:
            self._fail(f"more than {MAX_PADDING_BYTES} octets of white space after a boundary")
        if rest.startswith(b"\r\n"):
            del buffer[: len(line) - len(rest) + 2]
            self._begin_part()
        elif rest and rest != b"\r":
            # RFC 2046 §5.1.1: whatever begins like the boundary is a delimiter. Some readers take it for
            # content, so the message is ambiguous.
            self._fail("a boundary is followed by something else than a line end (RFC 2046 §5.1.1)")
        return None

    def _begin_part(self) -> None:
        self._parts += 1
        limit = self.limits.parts
        if limit is not None and self._parts > limit:
            self._fail(f"more than {limit} parts", 413)
        self._state = FIELDS
        self._scanned = 0
        self._lines = []

    def _read_fields(self) -> Field | File | None:
        buffer = self._buffer
        limits = self.limits
        while True:
            at = buffer.find(b"\r\n", self._scanned)
            length = at if at >= 0 else len(buffer)
            if length > limits.header_line_bytes:
                self._fail(
                    f"a field line of a part has more than {limits.header_line_bytes} octets", 413
                )
            if at < 0:
                self._scanned = max(len(buffer) - 1, 0)
                return None
            if at == 0:
                event = self._part()
                # The CR LF of the empty line stays: it may be the one that begins the next delimiter.
                self._skip = 2
                self._state = CONTENT
                return event
            self._header_bytes += at
            if len(self._lines) == limits.header_lines:
                self._fail(f"a part has more than {limits.header_lines} field lines", 413)
            if self._header_bytes > limits.all_header_bytes:
                self._fail(
                    f"the parts have more than {limits.all_header_bytes} octets of field lines", 413
                )
            self._header_lines += 1
            if self._header_lines > limits.all_header_lines:
                self._fail(f"the parts have more than {limits.all_header_lines} field lines", 413)
            self._lines.append(self._field_line(bytes(buffer[:at])))
            del buffer[: at + 2]
            self._scanned = 0

    def _field_line(self, line: bytes) -> tuple[str, str]:
        match = FIELD_LINE.fullmatch(line)
        if match is None:
            self._fail(f"a part has a malformed field line: {line[:80]!r} (RFC 5322 §2.2)")
        return match[1].decode("ascii"), match[2].strip(b" \t").decode("latin-1")

    def _part(self) -> Field | File:
        """Make the event that says which part begins."""
        dispositions = [
            value for name, value in self._lines if name.lower() == "content-disposition"
        ]
        if len(dispositions) != 1:
            self._fail("a part has no Content-Disposition, or several (RFC 7578 §4.2)")
        # RFC 7578 §5.1: names are UTF-8, as the form was. Headers keep the octets, as all our field values do.
        text = dispositions[0].encode("latin-1").decode("utf-8", "replace")
        parameters = parse_disposition(text)
        if parameters is None:
            self._fail(f"a part has a malformed Content-Disposition: {text[:80]!r} (RFC 7578 §4.2)")
        name = parameters.get("name")
        if name is None:
            self._fail("the Content-Disposition of a part has no name (RFC 7578 §4.2)")
        headers = Headers(self._lines)
        filename = parameters.get("filename")
        if filename is None:
            return Field(name, headers)
        return File(name, filename, headers)

    def _read_content(self) -> Data | None:
        buffer = self._buffer
        at = buffer.find(self._delimiter)
        if at >= 0:
            data = bytes(buffer[self._skip : at])
            del buffer[: at + len(self._delimiter)]
            self._state = DELIMITER
            return Data(data, more=False)
        end = self._undecided()
        if end <= self._skip:
            return None
        data = bytes(buffer[self._skip : end])
        del buffer[:end]
        self._skip = 0
        return Data(data, more=True)


def parse_disposition(value: str) -> dict[str, str] | None:
    """Return the parameters of a part's Content-Disposition, names in lower case; None when it is malformed.

    ``%22`` in a quoted value stands for a quotation mark, as browsers write it (HTML Standard,
    "multipart/form-data encoding algorithm"). ``filename*`` must not be used (RFC 7578 §4.2), yet some clients
    send it, alone or beside ``filename``, and then mean it (RFC 6266 §4.3). The disposition type is not looked
    at: clients differ in it, and nothing depends on it.
    """
    match = DISPOSITION.match(value)
    if match is None:
        return None
    parameters: dict[str, str] = {}
    at = match.end()
    while at < len(value):
        match = PARAMETER.match(value, at)
        if match is None:
            return None
        at = match.end()
        if match[1] is None:
            continue
        key = match[1].lower()
        if key in parameters:
            return None
        if match[3] is not None:
            parameters[key] = match[3]
        else:
            parameters[key] = QUOTED_PAIR.sub(r"\1", match[2]).replace("%22", '"')
    for key in ("name", "filename"):
        extended = parameters.get(key + "*")
        if extended is not None:
            decoded = decode_extended_value(extended)
            if decoded is None:
                return None
            parameters[key] = decoded
    return parameters


def new_boundary() -> str:
    """Return a boundary that no content contains (128 random bits)."""
    return "----GroundwireBoundary" + os.urandom(16).hex()


class MultipartWriter:
    """Encodes parts of one multipart/form-data message, each call returning octets to be sent in order.

    Args:
        boundary: what separates the parts; by default a new random one.

    Raises:
        ValueError: `boundary` is no boundary (RFC 2046 §5.1.1).
    """

    __slots__ = ("_delimiter", "_started", "boundary")

    def __init__(self, boundary: str | None = None) -> None:
        self.boundary = new_boundary() if boundary is None else boundary
        octets = self.boundary.encode("latin-1", "replace")
        if BOUNDARY.fullmatch(octets) is None:
            raise ValueError(f"{self.boundary!r} is not a boundary (RFC 2046 §5.1.1)")
        self._delimiter = b"\r\n--" + octets
        self._started = False

    @property
    def content_type(self) -> str:
        """The Content-Type of the message."""
        if re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", self.boundary):
            return f"multipart/form-data; boundary={self.boundary}"
        quoted = self.boundary.replace("\\", "\\\\").replace('"', '\\"')
        return f'multipart/form-data; boundary="{quoted}"'

    def field(self, name: str, value: str | bytes) -> bytes:
        """Encode a part that is not a file.

        Raises:
            ValueError: `name` has a control character, or `value` contains the delimiter.
        """
        content = value.encode() if isinstance(value, str) else value
        return self._part(f'form-data; name="{escape_name(name)}"', (), content)

    def file(
        self,
        name: str,
        filename: str,
        content: bytes,
        headers: Iterable[tuple[str, str]] = (("Content-Type", "application/octet-stream"),),
    ) -> bytes:
        """Encode a part that is a file.

        Raises:
            ValueError: a name or a header value has a control character, or `content` contains the delimiter.
        """
        disposition = f'form-data; name="{escape_name(name)}"; filename="{escape_name(filename)}"'
        return self._part(disposition, headers, content)

    def end(self) -> bytes:
        """Encode the closing delimiter."""
        closing = self._delimiter + b"--\r\n"
        return closing if self._started else closing[2:]

    def file_head(
        self, name: str, filename: str | None, headers: Iterable[tuple[str, str]] = ()
    ) -> bytes:
        """Encode a part up to its content, for content that is too long to be held.

        It cannot be looked for the delimiter in that: use this with a boundary made at random only.

        Raises:
            ValueError: a name or a header value has a control character.
        """
        disposition = f'form-data; name="{escape_name(name)}"'
        if filename is not None:
            disposition += f'; filename="{escape_name(filename)}"'
        return self._head(disposition, headers)

    def _part(self, disposition: str, headers: Iterable[tuple[str, str]], content: bytes) -> bytes:
        if self._delimiter in b"\r\n" + content:
            raise ValueError(
                "the content of a part contains the delimiter: choose another boundary"
            )
        return self._head(disposition, headers) + content

    def _head(self, disposition: str, headers: Iterable[tuple[str, str]]) -> bytes:
        lines = [b"Content-Disposition: " + disposition.encode()]
        for name, value in headers:
            line = f"{name}: {value}".encode("latin-1")
            if FIELD_LINE.fullmatch(line) is None:
                raise ValueError(f"{name!r}: {value!r} is not a field line")
            if name.lower() != "content-disposition":
                lines.append(line)
        delimiter = self._delimiter if self._started else self._delimiter[2:]
        self._started = True
        return b"\r\n".join([delimiter, *lines, b"", b""])


def escape_name(name: str) -> str:
    """Escape a name for a quoted parameter as browsers do (HTML Standard, "multipart form data").

    Raises:
        ValueError: it has a control character other than CR and LF.
    """
    escaped = (
        name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    )
    if any(char < " " or char == "\x7f" for char in escaped):
        raise ValueError(f"the name {name!r} has a control character")
    return escaped
