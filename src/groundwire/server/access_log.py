"""One line for each exchange: Common Log Format, Combined, JSON, or the operator's own format.

What a peer sent is escaped, so that one exchange is one line of printable ASCII whatever it holds: no control
character reaches a terminal, no line feed starts a forged entry, no quotation mark ends a field early. Passwords in
URLs and the values of query parameters that are named like secrets are masked; Authorization and cookies are never
written at all.
"""

import asyncio
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote_plus

from ..http.request import Request
from ..http.request_ids import ID_CHARS
from ..http.secrets import is_secret
from ..protocol.head import FieldSection
from . import log_format
from .clock import common_log_stamp, utc_stamp
from .endpoints import endpoint_of
from .sink import Sink

LINE_BYTES: Final = 8192
"""The longest line, its line feed included. Longer targets and fields are cut and marked ``...``."""

_TARGET_CHARS: Final = 4096
_FIELD_CHARS: Final = 1500
_REMEMBERED_SECTIONS: Final = 512

_SPECIAL: Final = re.compile(r"[^ !#-\[\]-~]")
_USERINFO: Final = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@")
_MASK: Final = "***"

Peer = tuple[str, int] | str


class AccessLog:
    """Formats a line when an exchange ends, and writes all lines of a loop turn together.

    Used on the loop's thread only. `refresh` has to be called once a second.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
        line_format: str = "combined",
        time_of_day: Callable[[], float] = time.time,
        *,
        request_id: bool = False,
    ) -> None:
        self._loop = loop
        self._sink = sink
        self._time_of_day = time_of_day
        self._lines: list[str] = []
        self._json = line_format == "json"
        self._request_id = request_id
        self._ending = _ENDINGS.get(line_format, _common_ending)
        # What depends on the header section alone, which a client repeats, is made once and forgotten every second.
        self._endings: dict[FieldSection, str] = {}
        self._stamp = ""
        self.refresh()

    @property
    def dropped(self) -> int:
        """How many lines were dropped, because who reads them does not keep up or the disk is full."""
        return self._sink.dropped

    def refresh(self) -> None:
        """Take the time of day, and try again to write what waits."""
        self._stamp = (utc_stamp if self._json else common_log_stamp)(self._time_of_day())
        self._endings.clear()
        self._sink.drain()

    def record(
        self,
        peer: Peer,
        request: Request | None,
        status: int,
        octets: int,
        duration_seconds: float,
    ) -> None:
        """Note one exchange.

        Args:
            peer: who asked.
            request: what was asked; None for a message that was refused before it was a request.
            status: the status code of the final response.
            octets: how many octets of content were sent.
            duration_seconds: from the head's last byte to the response's last.
        """
        if request is None or (head := request.head) is None:
            self.record_refused(peer, b"", status, octets)
            return
        target = head.target
        if "?" in target or "@" in target:
            target = masked(target)
        if (
            len(target) > _TARGET_CHARS
            or not (target.isascii() and target.isprintable())
            or '"' in target
            or "\\" in target
        ):
            target = escaped(target, _TARGET_CHARS, json=self._json)
        fields = head.fields
        ending = self._endings.get(fields)
        if ending is None:
            ending = self._remember(fields)
        # PERF: 0.6 µs for `GET /hello` of a client that repeats its header section, its share of
        # `_flush` included; 0.9 for a query, 2 for a header section not seen in this second.
        host = peer[0] if peer.__class__ is tuple else "unix:"
        if self._json:
            if self._request_id:
                ending = f',"request_id":"{_request_id(request, json=True)}"{ending}'
            line = (
                f'{{"time":"{self._stamp}","remote_addr":"{host}","method":"{head.method}","target":"{target}",'
                f'"version":"{head.version}","status":{status},"octets":{octets},'
                f'"duration_ms":{duration_seconds * 1000:.3f}{ending}'
            )
        else:
            line = (
                f'{host} - - [{self._stamp}] "{head.method} {target} {head.version}" '
                f"{status} {octets}{ending}"
            )
        lines = self._lines
        if not lines:
            self._loop.call_soon(self._flush)
        lines.append(line)

    def _add(self, line: str) -> None:
        if not self._lines:
            self._loop.call_soon(self._flush)
        self._lines.append(line)

    def record_refused(self, peer: Peer, received: bytes, status: int, octets: int) -> None:
        """Note a message that was refused before it was a request.

        Args:
            peer: who sent it.
            received: its first bytes; the log shows them up to the end of the first line.
            status: the status code of the answer; 408 when the message did not come in time.
            octets: how many octets of content were sent.
        """
        first_line = received[:LINE_BYTES].partition(b"\n")[0].removesuffix(b"\r")
        method, space, rest = first_line.decode("latin-1").partition(" ")
        shown = escaped(method + space + masked(rest), _TARGET_CHARS, json=self._json) or "-"
        host = peer[0] if isinstance(peer, tuple) else "unix:"
        if self._json:
            line = (
                f'{{"time":"{self._stamp}","remote_addr":"{host}","refused":"{shown}",'
                f'"status":{status},"octets":{octets}}}\n'
            )
        else:
            line = (
                f'{host} - - [{self._stamp}] "{shown}" {status} {octets}{self._ending(_NO_FIELDS)}'
            )
        self._add(line)

    def note(self, text: str) -> None:
        """Write a line of the server's own among the others, where nothing better than the log can be told."""
        self._sink.write(text.encode("ascii", "backslashreplace") + b"\n")

    def close(self) -> None:
        """Write what is left, as far as it can be written without waiting, and close."""
        self._flush()
        self._sink.close()

    def _remember(self, fields: FieldSection) -> str:
        if len(self._endings) >= _REMEMBERED_SECTIONS:
            self._endings.clear()
        ending = self._endings[fields] = self._ending(fields)
        return ending

    def _flush(self) -> None:
        lines = self._lines
        if lines:
            self._lines = []
            self._sink.write("".join(lines).encode("ascii", "backslashreplace"), len(lines))


class Entry:
    """What a line of the operator's own format is made of."""

    __slots__ = ("duration_seconds", "log", "octets", "peer", "request", "shown", "status")

    def __init__(
        self,
        log: "FormattedLog",
        peer: Peer,
        request: Request | None,
        status: int,
        octets: int,
        duration_seconds: float,
        shown: str = "",
    ) -> None:
        self.log = log
        self.peer = peer
        self.request = request
        self.status = status
        self.octets = octets
        self.duration_seconds = duration_seconds
        self.shown = shown
        """The first line of a message that was no request."""


class FormattedLog(AccessLog):
    """Writes lines of the operator's own format (`groundwire.server.log_format`).

    PERF: a line of eight fields takes 4 µs.

    Raises:
        StartError: the format cannot be.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
        line_format: str,
        time_of_day: Callable[[], float] = time.time,
    ) -> None:
        pieces = log_format.pieces_of(line_format)
        self._values = tuple(_VALUES[name] for _, name in pieces if name)
        # The literal texts, with room for the values.
        self._template = "".join(
            literal.replace("%", "%%") + ("%s" if name else "") for literal, name in pieces
        )
        self.stamp_utc = ""
        super().__init__(loop, sink, "common", time_of_day)

    @property
    def stamp(self) -> str:
        """The time of day in the Common Log Format."""
        return self._stamp

    def refresh(self) -> None:
        """Take the time of day, and try again to write what waits."""
        super().refresh()
        self.stamp_utc = utc_stamp(self._time_of_day())

    def record(
        self,
        peer: Peer,
        request: Request | None,
        status: int,
        octets: int,
        duration_seconds: float,
    ) -> None:
        """Note one exchange; see `AccessLog.record`."""
        if request is None or request.head is None:
            self.record_refused(peer, b"", status, octets)
        else:
            self._write(Entry(self, peer, request, status, octets, duration_seconds))

    def record_refused(self, peer: Peer, received: bytes, status: int, octets: int) -> None:
        """Note a message that was refused before it was a request: its first line is the target."""
        first_line = received[:LINE_BYTES].partition(b"\n")[0].removesuffix(b"\r")
        method, space, rest = first_line.decode("latin-1").partition(" ")
        self._write(Entry(self, peer, None, status, octets, 0.0, method + space + masked(rest)))

    def _write(self, entry: Entry) -> None:
        line = self._template % tuple([value(entry) or "-" for value in self._values])
        if len(line) >= LINE_BYTES:
            line = line[: LINE_BYTES - 4] + "..."
        self._add(line + "\n")


def make_access_log(
    loop: asyncio.AbstractEventLoop, sink: Sink, line_format: str, *, request_id: bool = False
) -> AccessLog:
    """Return the log for a format; lines in JSON have the request's id where answers have it."""
    if log_format.is_own(line_format):
        return FormattedLog(loop, sink, line_format)
    return AccessLog(loop, sink, line_format, request_id=request_id)


def escaped(text: str, limit_chars: int, *, json: bool = False) -> str:
    r"""Return `text` as printable ASCII without quotation marks and backslashes of its own.

    Anything else becomes ``\xhh`` or ``\uhhhh`` (always the latter for `json`, which reads it back). The result
    has at most `limit_chars` characters and ends in ``...`` where more was cut.
    """
    # No more characters than the limit can remain, so no more are looked at.
    result = _SPECIAL.sub(_json_escape if json else _text_escape, text[: limit_chars + 1])
    if len(result) <= limit_chars:
        return result
    end = limit_chars - 3
    # An escape is not cut in two; the longest has six characters.
    escape = result.rfind("\\", end - 5, end)
    return result[: end if escape < 0 else escape] + "..."


def _text_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else _json_escape(match)


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:  # as JSON has it: a surrogate pair
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def masked(target: str) -> str:
    """Return a request target or URL without userinfo, and with the values of secret query parameters masked."""
    if "@" in target:
        target = _USERINFO.sub(lambda found: found[0][: found[0].index("//") + 2], target, count=1)
    path, question, query = target.partition("?")
    if not question:
        return target
    query, hash_sign, fragment = query.partition("#")
    # The names may be percent-encoded; the cheap look first, because most queries hold no secret.
    if "%" not in query and not is_secret(query):
        return target
    pairs = [_masked_pair(pair) for pair in query.split("&")]
    return f"{path}?{'&'.join(pairs)}{hash_sign}{fragment}"


def _masked_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    secret = value and is_secret(unquote_plus(name) if "%" in name else name)
    return f"{name}{equals}{_MASK}" if secret else pair


def _value(fields: FieldSection, name: bytes) -> str:
    for line_name, value in fields.lines:
        if len(line_name) == len(name) and line_name.lower() == name:
            return value.decode("latin-1")
    return ""


def _common_ending(fields: FieldSection) -> str:
    return "\n"


def _combined_ending(fields: FieldSection) -> str:
    referer = escaped(masked(_value(fields, b"referer")), _FIELD_CHARS) or "-"
    user_agent = escaped(_value(fields, b"user-agent"), _FIELD_CHARS) or "-"
    return f' "{referer}" "{user_agent}"\n'


def _json_ending(fields: FieldSection) -> str:
    referer = escaped(masked(_value(fields, b"referer")), _FIELD_CHARS, json=True)
    user_agent = escaped(_value(fields, b"user-agent"), _FIELD_CHARS, json=True)
    return f',"referer":"{referer}","user_agent":"{user_agent}"}}\n'


_NO_FIELDS: Final = FieldSection()
_ENDINGS: Final[dict[str, Callable[[FieldSection], str]]] = {
    "common": _common_ending,
    "combined": _combined_ending,
    "json": _json_ending,
}


# The fields of the operator's own format.


def _request_id(request: Request, *, json: bool = False) -> str:
    return escaped(str(request.id), ID_CHARS, json=json)  # which a program may have set


def _target(entry: Entry) -> str:
    request = entry.request
    if request is None or request.head is None:
        return escaped(entry.shown, _TARGET_CHARS)
    return escaped(masked(request.head.target), _TARGET_CHARS)


def _query(entry: Entry) -> str:
    return _target(entry).partition("?")[2]


def _field(entry: Entry, name: bytes) -> str:
    request = entry.request
    return "" if request is None or request.head is None else _value(request.head.fields, name)


def _of_head(name: str) -> Callable[[Entry], str]:
    def value(entry: Entry) -> str:
        request = entry.request
        return "" if request is None else escaped(getattr(request.head, name), _FIELD_CHARS)

    return value


def _scheme(entry: Entry) -> str:
    request = entry.request
    return "" if request is None or request.exchange is None else request.exchange.scheme


def _endpoint(entry: Entry) -> str:
    return "" if entry.request is None else escaped(endpoint_of(entry.request), _FIELD_CHARS)


_VALUES: Final[Mapping[str, Callable[[Entry], object]]] = {
    "remote_addr": lambda entry: entry.peer[0] if isinstance(entry.peer, tuple) else "unix:",
    "remote_port": lambda entry: entry.peer[1] if isinstance(entry.peer, tuple) else "",
    "time": lambda entry: entry.log.stamp,
    "time_utc": lambda entry: entry.log.stamp_utc,
    "method": _of_head("method"),
    "target": _target,
    "path": lambda entry: _target(entry).partition("?")[0],
    "query": _query,
    "version": _of_head("version"),
    "scheme": _scheme,
    "host": _of_head("authority"),
    "status": lambda entry: entry.status,
    "octets": lambda entry: str(entry.octets),
    "duration_ms": lambda entry: f"{entry.duration_seconds * 1000:.3f}",
    "duration_us": lambda entry: f"{entry.duration_seconds * 1e6:.0f}",
    "referer": lambda entry: escaped(masked(_field(entry, b"referer")), _FIELD_CHARS),
    "user_agent": lambda entry: escaped(_field(entry, b"user-agent"), _FIELD_CHARS),
    "request_id": lambda entry: "" if entry.request is None else _request_id(entry.request),
    "endpoint": _endpoint,
    "pid": lambda _entry: os.getpid(),
}
