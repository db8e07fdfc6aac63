"""Prints each exchange as curl would (``--wire=console``): ``>`` is asked, ``<`` is answered, ``*`` is the rest.

An exchange is one write, when it has ended; so several workers do not mix their lines. Nothing waits for the terminal:
exchanges that it is too slow for are left out, and counted where they would have been.

PERF: an exchange takes 0.17 ms.
"""

import logging
import sys
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from ...protocol.errors import ProtocolError
from ...server.server import Server
from ...server.sink import Sink
from ..correcting.corrections import correct_or_advise
from ..recording.recorder import Recorder
from ..recording.records import Record
from ..sending.outgoing import masked_parts
from .shown_messages import Message, message_lines
from .terminal import BOLD, FAINT, RED, YELLOW, Paint, has_colours, printable

logger = logging.getLogger("groundwire.wire")

WAITING: Final = 32
"""Exchanges that wait for the terminal. More are left out."""

RETRY_SECONDS: Final = 0.02
SHOWN_LOGS: Final = 10
SHOWN_CALLS: Final = 12

_STANDARD_OUTPUT: Final = 1
_TOGETHER: Final = {
    "head complete and content complete": "request complete",
    "head sent and last byte sent": "response sent",
}


class Timer(Protocol):
    """What calls a function later: an event loop."""

    def call_later(self, delay: float, callback: Any, /) -> Any:
        """Call `callback` after so many seconds."""
        ...


def print_exchanges(server: Server, recorder: Recorder) -> "Console":
    """Print the exchanges of a server on standard output from now on. Called when it has its loop."""
    lock = Lock(_STANDARD_OUTPUT)
    sink = Sink(_STANDARD_OUTPUT, owned=False)
    console = Console(sink, lock, server.loop, Paint(colours=has_colours(sys.stdout)))
    recorder.subscribe(console.heard)
    return console


class Lock:
    """Lets one process at a time write to a terminal or pipe that several have.

    A lock on the file itself, which ends with the process. Where there is none, several may mix what they write.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def acquire(self) -> bool:
        """Take the lock if nobody has it."""
        return self._set(True)

    def release(self) -> None:
        """Let others have it."""
        self._set(False)

    def _set(self, wanted: bool) -> bool:
        try:
            import fcntl
        except ImportError:  # Windows, where there are no workers either
            return True
        try:
            fcntl.lockf(
                self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if wanted else fcntl.LOCK_UN
            )
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file without locks
        return True


class Console:
    """Writes exchanges to a terminal, or to whatever standard output is.

    Args:
        sink: where to; it never waits.
        lock: who else writes there has it while it does.
        timer: the event loop.
        paint: what colours.

    Attributes:
        left_out: how many exchanges have been, since the last that was printed.
    """

    def __init__(self, sink: Sink, lock: Lock, timer: Timer, paint: Paint) -> None:
        self.left_out = 0
        self._sink = sink
        self._lock = lock
        self._timer = timer
        self._paint = paint
        self._waiting: deque[Record] = deque()
        self._locked = False
        self._retrying = False

    def heard(self, record: Record | None, event: str) -> None:
        """Print an exchange that has ended; see `Recorder.subscribe`."""
        if record is not None and event == "finished":
            self.show(record)

    def show(self, record: Record) -> None:
        """Print an exchange now or when there is room; leave it out if too many wait."""
        if len(self._waiting) >= WAITING:
            self.left_out += 1
            return
        self._waiting.append(record)
        if not self._retrying:
            self._write()

    def _write(self) -> None:
        """Write what waits, as far as it goes without waiting."""
        self._retrying = False
        while True:
            self._sink.drain()
            if self._sink.waiting:
                break
            if not self._waiting:
                self._unlock()
                return
            if not self._locked and not self._lock.acquire():
                break
            self._locked = True
            self._sink.write(self._next())
        self._retrying = True
        self._timer.call_later(RETRY_SECONDS, self._write)

    def _unlock(self) -> None:
        if self._locked:
            self._lock.release()
            self._locked = False

    def _next(self) -> bytes:
        record = self._waiting.popleft()
        try:
            lines = list(exchange_lines(record, self._paint))
        except Exception as error:
            # This is called from a connection, which goes on whatever fails here.
            logger.error("an exchange could not be printed", exc_info=error)
            lines = [f"* {record.id} could not be printed"]
        if self.left_out and not self._waiting:
            count, self.left_out = self.left_out, 0
            lines.append(
                self._paint(f"* {count:,} exchanges were left out: this output is too slow", YELLOW)
            )
        return "\n".join((*lines, "", "")).encode("utf-8", "backslashreplace")


def exchange_lines(record: Record, paint: Paint) -> Iterator[str]:
    """Yield the lines that tell of an exchange."""
    star = paint("*", FAINT)
    began = datetime.fromtimestamp(record.began_at, UTC).astimezone()
    peer = printable(record.peer) or "a local socket"
    yield (
        f"{star} {paint(record.id, BOLD)} at {began.strftime('%H:%M:%S.%f')[:-3]}, {record.scheme} from {peer},"
        f" request {record.number} on connection {record.connection}"
    )
    error = record.error
    offset = None if error is None else error["offset"]
    method = record.method
    request = Message(
        bytes(record.request), ">", record.request_octets, record.request_masked, offset
    )
    yield from message_lines(request, paint)
    names = {part.name: None for part in masked_parts(bytes(record.request), record.request_masked)}
    if names:
        masked = printable(f"masked: {', '.join(names)}")
        yield f"{star} {paint(masked, YELLOW)}"
    if error is not None:
        refusal = f"refused: {error['message']} ({error['section']}, byte {error['offset']})"
        yield f"{star} {paint(printable(refusal), RED)}"
        raw = bytes(record.request)
        whole = len(raw) == record.request_octets
        correction = correct_or_advise(raw, ProtocolError(**error), whole=whole)
        label = "corrected" if correction.data is not None else "instead"
        for change in correction.changes:
            yield f"{star} {label}: {printable(change)}"
    for line in _what_happened(record):
        yield f"{star} {line}"
    if record.response:
        response = Message(
            bytes(record.response),
            "<",
            record.response_octets,
            record.response_masked,
            method=method,
        )
        yield from message_lines(response, paint)
    if record.failure is not None and not record.failure["handled"]:
        raised = f"raised {record.failure['class']}: {record.failure['message']}"
        yield f"{star} {paint(printable(raised), RED)}"
    yield f"{star} {_ending(record)}"


def _what_happened(record: Record) -> Iterator[str]:
    """Yield what matched, what ran, and what was logged."""
    calls = 0
    for kind, facts in record.notes:
        if kind == "matched":
            yield f"matched {printable(str(facts.get('rule') or facts.get('endpoint')))}"
        elif kind == "called":
            calls += 1
            if calls <= SHOWN_CALLS:
                took = _shown_us((facts["ended"] - facts["began"]) * 1e6)
                where = f" ({facts['file']}:{facts['line']})" if facts.get("file") else ""
                yield printable(
                    f"{facts['role']} {facts['name']}{where}, {took}: {facts.get('outcome', '')}"
                )
    if calls > SHOWN_CALLS:
        yield f"… and {calls - SHOWN_CALLS} calls more"
    for line in record.logs[:SHOWN_LOGS]:
        yield printable(f"log {line['level']} {line['logger']}: {line['message']}")
    if len(record.logs) > SHOWN_LOGS:
        yield f"… and {len(record.logs) - SHOWN_LOGS} lines of the log more"


def _ending(record: Record) -> str:
    """Say how it ended, where it ran, and when what happened."""
    place = {"inline": ", inline", "thread": ", in a thread", "loop": ", on the loop"}.get(
        record.place, ""
    )
    told: dict[float, str] = {}
    for event, at in record.marks:
        if event not in ("accepted", "first byte"):
            told[at] = f"{told[at]} and {event}" if at in told else event
    marks = ", ".join(
        f"{_TOGETHER.get(events, events)} {_shown_us((at - record.first_byte) * 1e6)}"
        for at, events in told.items()
    )
    took = f" in {_shown_us(record.duration_us)}" if record.last_sent else ""
    ended = f"{record.state}{took}{place}"
    return f"{ended}: {marks}" if marks else ended


def _shown_us(microseconds: float) -> str:
    """Return a time as a person reads it."""
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds / 1_000_000:.1f} s"
