"""Recorded requests, made ready to be sent again, and what is shown of each when it has been."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from ..inspector.keeping.har import Entry, open_har
from ..inspector.keeping.http_files import read_http_file
from ..inspector.keeping.saved import SavedError, Session, open_session
from ..inspector.masking.masker import Masker
from ..inspector.sending.difference import Answer, Difference, difference
from ..inspector.sending.outgoing import ReplayError
from ..inspector.sending.replay import Address, Outcome, send_and_wait
from ..inspector.sending.replaying import recorded_answer, recorded_request
from ..inspector.terminal.shown_difference import difference_lines
from ..inspector.terminal.shown_messages import Message, message_lines
from ..inspector.terminal.terminal import BOLD, FAINT, RED, YELLOW, Paint, printable

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of a file with requests."""

SHOWN_TARGET_CHARS: Final = 200

_HOST: Final = re.compile(rb"(?im)^(host[ \t]*:)[^\r\n]*")
_NAME_IN_BRACES: Final = re.compile(rb"(?:\{\{|%7B%7B)[A-Z][A-Z0-9_]*(?:\}\}|%7D%7D)")
_FIRST_LINE: Final = re.compile(rb"([!-~]{1,40}) +(\S+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """A request that is to be sent.

    Attributes:
        raw: its octets.
        name: what it was recorded as; empty if it was not.
        answered: makes what it was answered with then; None if that is not known. (Taken apart, the answers of a long
            session would not fit into memory.)
        masked: names of what was masked in it, and has not been filled in.
        hides: whether secrets are masked in the recorded answer.
        fault: why it cannot be sent; empty if it can be.
    """

    raw: bytes
    name: str = ""
    answered: Callable[[], Answer | None] | None = None
    masked: tuple[str, ...] = ()
    hides: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a request, and the lines that tell it."""

    outcome: Outcome
    lines: list[str]
    differs: bool


def plans_of(
    file: Path, address: Address, *, crlf: bool, host: str | None, fill: Mapping[str, str]
) -> tuple[list[Plan], list[str]]:
    """Read the requests of a file; return them, and what is to be known of the file.

    Args:
        file: a saved session, a HAR file, or one with requests; its name tells which.
        address: where they will be sent.
        crlf: whether what an editor has saved is to be completed.
        host: what the Host field says; None: what was recorded, but in HAR files where they will be sent.
        fill: values for what was masked, by name.

    Raises:
        SavedError: the file cannot be read, or holds no requests.
        ReplayError: a value was given for what is masked nowhere.
    """
    suffix = file.suffix.lower()
    notes: list[str] = []
    if suffix == ".wire":
        session = open_session(file)
        notes = session.notes
        plans = _plans_of_session(session, fill)
    elif suffix == ".har":
        host = host or address.authority
        plans = [
            Plan(entry.request, answered=partial(_answer_of, entry)) for entry in open_har(file)
        ]
        if any(_NAME_IN_BRACES.search(plan.raw) for plan in plans):
            notes = ["Names in {{braces}}, which stand for what was masked, are not filled in."]
    else:
        found = read_http_file(_octets(file), complete=crlf, authority=address.authority)
        notes = found.notes
        plans = [Plan(raw) for raw in found.requests]
    if fill and suffix != ".wire":
        raise ReplayError("Only in saved sessions something is masked that could be filled in.")
    if not plans:
        raise SavedError(f"There is no request in {file}.")
    if host is not None:
        plans = [_with_host(plan, host) for plan in plans]
    return plans, notes


class Sender:
    """Sends requests, and says what came of each.

    Args:
        address: where to.
        timeout_seconds: how long an answer may take.
        paint: what colours.
        diff_only: show only differences, and what was not answered.
    """

    def __init__(
        self, address: Address, timeout_seconds: float, paint: Paint, *, diff_only: bool
    ) -> None:
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._paint = paint
        self._diff_only = diff_only
        self._masker = Masker()

    def send(self, plan: Plan, number: int, count: int) -> Replayed:
        """Send a request, and return what came of it."""
        if plan.fault:
            outcome = Outcome(plan.raw, "no answer", f"It was not sent: {plan.fault}")
        else:
            outcome = send_and_wait(plan.raw, self._address, timeout_seconds=self._timeout_seconds)
        found: Difference | None = None
        recorded = None if plan.answered is None else plan.answered()
        if recorded is not None and outcome.responses:
            found = difference(recorded, self._answer(plan, outcome))
        differs = found is not None and not found["same"]
        title = self._title(plan, number, count)
        if not self._diff_only:
            lines = [title, *self._exchange(plan, outcome, found), ""]
        elif differs or outcome.state != "answered":
            lines = [title, *self._ending(outcome), *self._difference(found), ""]
        else:
            lines = []
        return Replayed(outcome, lines, differs)

    def _answer(self, plan: Plan, outcome: Outcome) -> Answer:
        raw, method = outcome.response, outcome.method
        if not plan.hides:
            return Answer(raw, method)
        _, spans = self._masker.mask_request(plan.raw)
        secrets = self._masker.secrets_in(plan.raw, spans)
        masked_raw, masked = self._masker.mask_response(raw, method, secrets)
        return Answer(masked_raw, method, masked)

    def _title(self, plan: Plan, number: int, count: int) -> str:
        match = _FIRST_LINE.match(plan.raw)
        words = "" if match is None else b" ".join(match.groups()).decode("latin-1")
        what = printable(words)[:SHOWN_TARGET_CHARS]
        recorded = f" (recorded as {printable(plan.name)})" if plan.name else ""
        return self._star(self._paint(f"{number} of {count}: {what}", BOLD) + recorded)

    def _exchange(self, plan: Plan, outcome: Outcome, found: Difference | None) -> Iterator[str]:
        if not plan.fault:
            yield from message_lines(Message(plan.raw, ">", len(plan.raw)), self._paint)
        if plan.masked:
            names = printable(", ".join(plan.masked))
            yield self._star(
                self._paint(f"sent with asterisks, since it was masked: {names}", YELLOW)
            )
        response = outcome.response
        if response:
            shown = Message(response, "<", len(response), method=outcome.method)
            yield from message_lines(shown, self._paint)
        yield from self._ending(outcome)
        yield from self._difference(found)

    def _ending(self, outcome: Outcome) -> Iterator[str]:
        took = f" ({outcome.seconds * 1000:.1f} ms)" if outcome.seconds else ""
        said = printable(outcome.said)
        if outcome.state != "answered":
            said = self._paint(said, RED)
        yield self._star(f"{said}{took}")
        if outcome.extra_octets:
            yield self._star(f"{outcome.extra_octets:,} octets came behind the answer")

    def _difference(self, found: Difference | None) -> Iterator[str]:
        if found is not None:
            for line in difference_lines(found, self._paint):
                yield self._star(line)

    def _star(self, line: str) -> str:
        return f"{self._paint('*', FAINT)} {line}"


def _plans_of_session(session: Session, fill: Mapping[str, str]) -> list[Plan]:
    plans: list[Plan] = []
    unused = set(fill)
    hides = not session.recorder.get("secrets", False)
    for document in session.documents():
        name = document["id"]
        try:
            raw, parts = recorded_request(document, {})
            names = dict.fromkeys(part.name for part in parts)
            values = {part: value for part, value in fill.items() if part in names}
            unused -= values.keys()
            raw, _ = recorded_request(document, values)
        except ReplayError as error:
            begun = base64.b64decode(document["request"]["raw"])
            plans.append(Plan(begun, name, hides=hides, fault=str(error)))
            continue
        left = tuple(part for part in names if part not in values)
        plans.append(Plan(raw, name, partial(_recorded_in, session, name), left, hides))
    if unused:
        raise ReplayError(f"Nothing of the name {min(unused)!r} was masked in these requests.")
    return plans


def _recorded_in(session: Session, name: str) -> Answer | None:
    document = session.document(name)
    return None if document is None else recorded_answer(document)


def _answer_of(entry: Entry) -> Answer | None:
    if entry.response is None:
        return None
    octets = entry.response_octets
    return Answer(entry.response, _method(entry.request), (), octets, decoded=True)


def _octets(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise SavedError(f"{file} is larger than {MAX_BYTES // 1024**2} MiB.")
        return file.read_bytes()
    except OSError as error:
        raise SavedError(f"{file} cannot be read: {error.strerror or error}.") from error


def _method(raw: bytes) -> str:
    return raw.partition(b" ")[0].decode("latin-1")


def _with_host(plan: Plan, host: str) -> Plan:
    """Return a request with another Host field, if it has one."""
    head, end, content = plan.raw.partition(b"\r\n\r\n")
    head = _HOST.sub(
        lambda match: match[1] + b" " + host.encode("latin-1", "replace"), head, count=1
    )
    return replace(plan, raw=head + end + content)
