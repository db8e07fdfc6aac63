"""What is kept of one exchange: the octets as they were, when what happened, and what was told of it meanwhile.

Little is made while the exchange goes on. What a request asked for, and what it was answered with, is read from the
kept octets when somebody looks; so it is masked as they are.
"""

import sys
import traceback
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, Literal, Protocol, cast

from ...http.tracing import KnownView
from ...protocol.errors import ProtocolError
from ...protocol.http1.explain import Element, explain_request
from ...protocol.http1.target import parse_target
from .facts import (
    FACTS,
    NOTES_MAX,
    TEXT_CHARACTERS,
    Note,
    emptied,
    masked_facts,
    packed,
    plain,
    shown,
    size_of,
    unpacked,
    with_texts,
)

Span = tuple[int, int]
Spans = tuple[Span, ...]
"""Where octets were masked: from, and up to, as offsets in what is kept."""

State = Literal[
    "receiving", "answering", "answered", "refused", "broken off", "client gone", "upgraded"
]
Place = Literal["", "inline", "thread", "loop"]

CONTENT_BYTES: Final = 65536
"""How much of a message is kept besides its head."""

LOGS_MAX: Final = 100
TOLD_OCTETS: Final = 512 * 1024
"""Beyond that no more is taken down of what is told of an exchange."""

TRACEBACK_CHARACTERS: Final = 32768

HEAD_OCTETS: Final = 4096
"""As much is looked at of a response whose head is not whole."""

EXPLAINED_BYTES: Final = 65536
"""As much of a message that was refused is searched for its request line."""

RECORD_OCTETS: Final = 1200
"""A record without what varies: the object, its numbers, and its places in the recorder's collections."""

NOTE_OCTETS: Final = 256
"""A note without texts that belong to it alone; what is longer is counted on top."""

LOG_OCTETS: Final = 640

NONE_YET: Final[Any] = ()
"""In place of a list that is made for the first thing in it."""


class Keeper(Protocol):
    """What keeps records (`groundwire.inspector.recording.recorder.Recorder`)."""

    worker: int

    def settle(self, record: "Record") -> None:
        """Count what has come to a record; on the loop's thread only."""
        ...

    def settle_late(self, record: "Record") -> None:
        """Have it counted soon."""
        ...

    def room(self, octets: int) -> int:
        """Return how many of so many more octets can be kept."""
        ...

    def mask_late(self, record: "Record", text: str) -> str:
        """Return without secrets a text that was said when the exchange was over."""
        ...


class Record:
    """One exchange, while it goes on and afterwards. It is the `groundwire.http.tracing.Trace` of its request.

    While it goes on it belongs to its connection; whoever looks gets a masked copy (`Recorder.get`).
    """

    __slots__ = (
        "accepted",
        "answered",
        "began_at",
        "connection",
        "content_complete",
        "counted",
        "ended",
        "error",
        "failure",
        "finished",
        "first_byte",
        "framing_octets",
        "head_complete",
        "head_octets",
        "head_sent",
        "keeper",
        "last_sent",
        "local_address",
        "logs",
        "named_endpoint",
        "named_status",
        "noted",
        "number",
        "parsed",
        "peer_address",
        "place",
        "request",
        "request_masked",
        "request_octets",
        "response",
        "response_masked",
        "response_octets",
        "scheme",
        "serial",
        "started",
        "state",
        "tells",
        "told_octets",
    )

    serial: int
    connection: int
    """The number of its connection, among those this recorder has seen."""

    number: int
    """Which exchange of its connection it is, from 1."""

    scheme: str
    request: bytes | bytearray
    """What is kept of the request, empty lines before it included: the octets, masked once it is finished."""

    request_octets: int
    """How many came."""

    request_masked: Spans
    response: bytes | bytearray
    """Likewise of all responses, the interim ones too."""

    response_octets: int
    response_masked: Spans
    head_octets: int
    framing_octets: int
    """As much more of a chunked message is kept: what frames content is none."""

    parsed: bool
    """Whether the head was a request's."""

    answered: bool
    """Whether the whole response has been sent, though content of the request may still come."""

    finished: bool
    state: State
    place: Place
    error: dict[str, Any] | None
    """Why it was refused: ``message``, ``section``, ``offset`` and ``status``."""

    failure: dict[str, Any] | None
    """What was raised: ``class``, ``message``, ``traceback`` (a text) and ``handled``."""

    noted: tuple[Note, ...]
    """What was noted, as it is kept; `notes` has it in full."""

    logs: list[dict[str, Any]]
    """``time_us`` (since the first byte), ``level``, ``logger``, ``message``, ``file``, ``line``."""

    # `perf_counter` seconds; 0.0: it has not happened.
    accepted: float
    first_byte: float
    head_complete: float
    content_complete: float
    started: float
    ended: float
    head_sent: float
    last_sent: float

    told_octets: int
    counted: int
    tells: bool
    """Whether notes hold what a program or a client has said."""

    keeper: Keeper
    peer_address: tuple[str, int] | str
    local_address: tuple[str, int] | str
    began_at: float
    """When its first byte was here, in seconds as `time.time` counts them."""

    named_endpoint: str
    named_status: int

    # What it is called.

    @property
    def id(self) -> str:
        """``WORKER-NUMBER``."""
        return f"{self.keeper.worker}-{self.serial}"

    @property
    def worker(self) -> int:
        """The number of the worker that answered."""
        return self.keeper.worker

    @property
    def peer(self) -> str:
        """The client's address."""
        return shown_address(self.peer_address)

    @property
    def local(self) -> str:
        """The server's."""
        return shown_address(self.local_address)

    @property
    def marks(self) -> list[tuple[str, float]]:
        """What happened when, in `time.perf_counter` seconds, in the order in which it did."""
        matched = next((facts.get("at") for kind, facts in self.notes if kind == "matched"), None)
        marks = (
            ("accepted", self.accepted),
            ("first byte", self.first_byte),
            ("head complete", self.head_complete),
            ("content complete", self.content_complete),
            ("matched", matched or 0.0),
            ("handler started", self.started),
            ("handler ended", self.ended),
            ("head sent", self.head_sent),
            ("last byte sent", self.last_sent),
        )
        return sorted((mark for mark in marks if mark[1]), key=lambda mark: mark[1])

    # What was asked, and answered.

    @property
    def method(self) -> str:
        """The method; empty where none could be read."""
        return self._request_line[0]

    @property
    def target(self) -> str:
        """The request target as it was sent, but for what is masked; empty where none could be read."""
        return self._request_line[1]

    @property
    def version(self) -> str:
        """``HTTP/1.1`` or ``HTTP/1.0``; empty where none could be read."""
        return self._request_line[2]

    @property
    def path(self) -> str:
        """The target's path, still percent-encoded; ``*`` in asterisk-form, empty in authority-form."""
        method, target, _ = self._request_line
        if target.startswith("/"):
            return target.partition("?")[0]
        try:
            return parse_target(method.encode("latin-1"), target.encode("latin-1"), 0).path.decode()
        except ProtocolError:
            return ""

    @property
    def status(self) -> int:
        """The status code of the final response; 0 while there is none."""
        return self.named_status or final_status(self.response)

    @property
    def endpoint(self) -> str:
        """The endpoint that answered; empty where none did."""
        for kind, facts in self.notes:
            if kind == "matched":
                return str(facts.get("endpoint") or "")
        return self.named_endpoint

    @property
    def duration_us(self) -> int:
        """From the first byte to the last one sent, so far."""
        return max(0, round((self.last_sent - self.first_byte) * 1e6)) if self.last_sent else 0

    @property
    def _request_line(self) -> tuple[str, str, str]:
        if self.parsed:
            line = bytes(self.request[: self.head_octets]).lstrip(b"\r\n").partition(b"\r\n")[0]
            method, _, rest = line.decode("latin-1").partition(" ")
            target, _, version = rest.rpartition(" ")
            return method, target, version
        found = {"method": "", "target": "", "version": ""}
        request = bytes(self.request[:EXPLAINED_BYTES])
        element: Element
        for element in explain_request(request).elements if request else ():
            if element.kind in found:
                found[element.kind] = request[element.start : element.end].decode("latin-1")
        return found["method"], found["target"], found["version"]

    # What its connection tells.

    def take_request(self, data: bytes | bytearray) -> None:
        """Count octets of the request that have come, and keep them as far as there is room."""
        self.request_octets += len(data)
        self.request = self._kept(self.request, data, self.head_octets + self.framing_octets)
        self.keeper.settle(self)

    def take_whole_request(self, message: bytes) -> None:
        """Keep a request that has come whole, of which the head is kept already. PERF: without a copy."""
        more = len(message) - self.head_octets
        if more > CONTENT_BYTES or self.keeper.room(more) < more:
            self.take_request(message[self.head_octets :])
            return
        self.request = message
        self.request_octets = len(message)
        self.keeper.settle(self)

    def take_response(self, data: bytes) -> None:
        """Count octets of the response that are sent, and keep them as far as there is room."""
        now = self.last_sent = perf_counter()
        if not self.head_sent and data[9:10] != b"1":
            self.head_sent = now
        self.response_octets += len(data)
        if not self.response and len(data) <= CONTENT_BYTES:
            self.response = data
            return
        head_octets = 0
        if len(self.response) + len(data) > CONTENT_BYTES:
            head_octets = end_of_heads(self.response or data)
        self.response = self._kept(self.response, data, head_octets)
        self.keeper.settle(self)

    def _kept(
        self, kept: bytes | bytearray, data: bytes | bytearray, besides: int
    ) -> bytes | bytearray:
        """Return what is kept and as much of `data` as belongs to it; `besides`: octets that are no content."""
        wanted = min(len(data), besides + CONTENT_BYTES - len(kept))
        if wanted <= 0:
            return kept
        more = self.keeper.room(wanted)
        if not isinstance(kept, bytearray):
            kept = bytearray(kept)
        kept += data if more == len(data) else data[:more]
        return kept

    def refuse(self, message: str, section: str, offset: int, status: int) -> None:
        """Take note of the rule that was broken, unless one is known."""
        if self.error is None:
            self.error = {
                "message": message[:TEXT_CHARACTERS],
                "section": section,
                "offset": offset,
                "status": status,
            }

    def set_client(self, peer: tuple[str, int] | str, scheme: str) -> None:
        """Name the client, which on the connection of a trusted proxy is another one with each request."""
        self.peer_address = peer
        self.scheme = scheme

    def set_endpoint(self, endpoint: str) -> None:
        """Name the endpoint, for handlers that note nothing."""
        self.named_endpoint = endpoint

    def set_status(self, status: int) -> None:
        """Name the status, where the response is not the server's to see."""
        self.named_status = status

    # What is told of it, from any thread.

    def note(self, kind: str, /, **facts: Any) -> None:
        """See `groundwire.http.tracing.Trace.note`."""
        if kind == "error":
            self.fail(facts.get("exception"), handled=bool(facts.get("handled")))
            return
        if len(self.noted) >= NOTES_MAX or self.told_octets > TOLD_OCTETS:
            return
        if tuple(facts) == FACTS.get(kind):
            if kind == "called":
                note = ("called", *facts.values())
            elif facts["view_args"]:
                note = self._told(kind, facts)
            else:
                note = ("matched", facts["endpoint"], facts["rule"], None, facts["at"])
        else:
            note = self._told(kind, facts)
        self.noted = (*self.noted, note)
        self.told_octets += NOTE_OCTETS
        if self.finished or self.told_octets > CONTENT_BYTES:
            self.keeper.settle_late(self)

    def viewed(
        self, view: KnownView, outcome: str, began: float, ended: float, before: tuple[Note, ...]
    ) -> None:
        """See `groundwire.http.tracing.Trace.viewed`."""
        noted = self.noted
        matched, called = ("matched", view, began), ("called", view, began, ended, outcome)
        if not noted:
            self.noted = (matched, called)
        elif len(noted) < NOTES_MAX and self.told_octets <= TOLD_OCTETS:
            self.noted = (*before, matched, *noted[len(before) :], called)
        else:
            return
        self.told_octets += 2 * NOTE_OCTETS
        if self.finished or self.told_octets > CONTENT_BYTES:
            self.keeper.settle_late(self)

    def _told(self, kind: str, facts: dict[str, Any]) -> Note:
        """Return a note of what a client or a program has said."""
        self.tells = True
        facts = plain(facts)
        size = size_of(facts)
        if size > CONTENT_BYTES:
            facts = emptied(facts)
            size = size_of(facts)
        self.told_octets += size
        if self.finished:
            facts = with_texts(facts, self._masked_late)
        return packed(kind, facts)

    @property
    def notes(self) -> list[tuple[str, dict[str, Any]]]:
        """What was noted, in its order; see `groundwire.http.tracing.Trace`."""
        return [(note[0], unpacked(note)) for note in self.noted]

    def log(
        self, level: str, logger: str, message: Callable[[], str], file: str, line: int
    ) -> None:
        """Keep a line of a log. `message` is called only if there is room for it."""
        if len(self.logs) >= LOGS_MAX or self.told_octets > TOLD_OCTETS:
            return
        try:
            text = message()
        except Exception as error:  # noqa: BLE001 - a log must not fail for who looks on
            text = f"(this message could not be made: {error!r})"
        text = text[:TEXT_CHARACTERS]
        self.tells = True
        told = {
            "time_us": round((perf_counter() - self.first_byte) * 1e6),
            "level": level,
            "logger": logger,
            "message": self._masked_late(text) if self.finished else text,
            "file": file,
            "line": line,
        }
        self.told_octets += LOG_OCTETS + sys.getsizeof(text)
        self.logs = [*self.logs, told]
        self.keeper.settle_late(self)

    def fail(self, error: Any, *, handled: bool) -> None:
        """Keep an exception, as text; the first that was not handled, otherwise the first that was."""
        if not isinstance(error, BaseException):
            return
        if self.failure is not None and (handled or not self.failure["handled"]):
            return
        text = "".join(traceback.format_exception(error))
        if len(text) > TRACEBACK_CHARACTERS:
            half = TRACEBACK_CHARACTERS // 2
            text = f"{text[:half]}\n… {len(text) - 2 * half} characters …\n{text[-half:]}"
        message = shown(error, str)
        if self.finished:
            text, message = self._masked_late(text), self._masked_late(message)
        kind = type(error)
        self.tells = True
        self.failure = {
            "class": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
            "message": message,
            "traceback": text,
            "handled": handled,
        }
        self.told_octets += size_of(self.failure)
        self.keeper.settle_late(self)

    def _masked_late(self, text: str) -> str:
        return self.keeper.mask_late(self, text)

    @property
    def view_args(self) -> dict[str, Any] | None:
        """What the view was given, by name; None if it was not noted."""
        if self.tells:
            for note in self.noted:
                if note[0] == "matched":
                    return cast("dict[str, Any] | None", unpacked(note).get("view_args"))
        return None

    def mask_what_was_said(
        self, masked: Callable[[str], str], masked_value: Callable[[str, Any], Any]
    ) -> None:
        """Mask logs, a traceback, and what notes hold of messages and of a program."""
        self.logs = [{**line, "message": masked(line["message"])} for line in self.logs]
        if self.failure is not None:
            texts = {name: masked(self.failure[name]) for name in ("message", "traceback")}
            self.failure = {**self.failure, **texts}
        self.noted = tuple(
            note
            if note[0] == "called"
            else packed(note[0], masked_facts(unpacked(note), masked, masked_value))
            for note in self.noted
        )

    def empty(self) -> None:
        """Keep nothing of what was said, on the wire or besides."""
        self.request = self.response = b""
        self.request_masked = self.response_masked = ()
        self.noted = ()
        self.logs = NONE_YET
        self.failure = None

    def octets(self) -> int:
        """Return what it takes in memory."""
        octets = RECORD_OCTETS + len(self.request) + len(self.response) + self.told_octets
        if self.finished:
            if not (self.request_masked or self.response_masked):
                return octets
            return octets + 120 * (len(self.request_masked) + len(self.response_masked))
        for growing in (self.request, self.response):
            if isinstance(growing, bytearray):  # it has more than it needs, to grow into
                octets += sys.getsizeof(growing) - len(growing)
        return octets

    def copy(self) -> "Record":
        """Return a record of its own with what is here now."""
        other = Record.__new__(Record)
        for name in Record.__slots__:
            setattr(other, name, getattr(self, name))
        other.request = bytes(self.request)
        other.response = bytes(self.response)
        other.logs = [dict(line) for line in self.logs]
        other.failure = None if self.failure is None else dict(self.failure)
        return other

    def copy_of_heads(self) -> "Record":
        """Return a record of its own without the content that is here, of which there may be much."""
        other = self.copy()
        if self.parsed:
            other.request = other.request[: self.head_octets]
        other.response = other.response[: end_of_heads(other.response) or HEAD_OCTETS]
        return other


def shown_address(address: tuple[str, int] | str) -> str:
    """Return an address as text, that of IPv6 in brackets."""
    if isinstance(address, str):
        return address
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def final_status(responses: bytes | bytearray) -> int:
    """Return the status code of the final response, or of the one that ends HTTP; 0 if it is not there."""
    position = 0
    while position >= 0 and responses[position : position + 5] == b"HTTP/":
        status = int(responses[position + 9 : position + 12] or 0)
        if status >= 200 or status == 101:
            return status
        position = responses.find(b"\r\n\r\n", position)
        position = position + 4 if position >= 0 else -1
    return 0


def end_of_heads(responses: bytes | bytearray) -> int:
    """Return where the final response's head ends; 0 if it is not there."""
    position = 0
    while True:
        end = responses.find(b"\r\n\r\n", position) + 4
        if end < 4 or responses[position + 9 : position + 10] != b"1":
            return max(end, 0) if end >= 4 else 0
        position = end
