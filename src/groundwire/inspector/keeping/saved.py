"""Exchanges in a file: JSON lines, which can be written as they come, and read by anything.

    {"format": "groundwire wire session", "version": 1, "saved": "2026-11-20T17:00:00Z", "by": "groundwire 0.1.0",
     "recorder": {"secrets": false, …}}
    {"version": 1, "id": "1-1", …}          an exchange, as ``GET /__wire__/requests/1-1`` gives it; the oldest first
    …
    {"end": 2}                              how many there are: without this line the file was cut off

What was masked when it was recorded is masked here. A file may come from anybody, so everything that a page or a
terminal is going to show is looked at before.
"""

import base64
import binascii
import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from ...http.json_limits import JSONLimits, check_json
from ...server.version import version
from ..explaining.document import TARGET_CHARS, Document, Summary
from ..files import File
from ..shapes import is_list, is_number, is_object, is_pair

FORMAT: Final = "groundwire wire session"
VERSION: Final = 1
MEDIA_TYPE: Final = "application/x-ndjson"

MAX_FILE_BYTES: Final = 1024 * 1024 * 1024
"""A worker's recording of 8 MiB makes 90 at most; lines are read from the file again when they are looked at."""

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
MAX_EXCHANGES: Final = 100_000

NESTED: Final = 200
"""How deep a document may be: the JSON of a content, 100 deep at most, is within."""

_TEXTS: Final = (
    *("id", "began", "client", "server", "scheme", "state", "method", "target", "path", "query"),
    *("http_version", "reason", "endpoint", "place", "place_reason"),
)
_NUMBERS: Final = ("worker", "connection", "number", "status")
_LISTS: Final = ("calls", "timeline", "logs", "decisions")
_OPTIONAL_OBJECTS: Final = ("refusal", "routing", "error")


class SavedError(ValueError):
    """A file that cannot be opened; its text says why, in a sentence."""


@dataclass(slots=True)
class Session:
    """The exchanges of an opened file."""

    recorder: dict[str, Any] = field(default_factory=dict[str, Any])
    """What is to be known of the recording, as the list of exchanges has it."""

    saved: str = ""
    """When, in ISO 8601; empty if the file does not say."""

    by: str = ""
    """What program wrote it."""

    notes: list[str] = field(default_factory=list[str])
    """What is to be known of the file, in sentences."""

    summaries: list[Summary] = field(default_factory=list[Summary])
    """The exchanges in a line each, oldest first."""

    _path: Path | None = None
    """The file; None: what was read is kept in memory."""

    _places: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Where the line of an exchange is in the file, and how long."""

    _lines: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def __len__(self) -> int:
        return len(self.summaries)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._places or identifier in self._lines

    def document(self, identifier: str) -> Document | None:
        """Return an exchange; None if there is no such one.

        Raises:
            SavedError: the file has been changed or removed since it was opened.
        """
        place = self._places.get(identifier)
        line = self._lines.get(identifier) if place is None else self._read(*place)
        if line is None:
            return None
        try:
            document: Document = json.loads(line)
        except ValueError:
            document = {}
        if document.get("id") != identifier or fault_of(document):
            raise SavedError("the file has been changed since it was opened.")
        return document

    def documents(self) -> Iterator[Document]:
        """Iterate over all exchanges, oldest first; see `document`."""
        for summary in self.summaries:
            document = self.document(summary["id"])
            if document is not None:
                yield document

    def add(self, document: Document, line: bytes = b"", offset: int = 0) -> None:
        """Take an exchange that has been found to be right, and the line that it stands in."""
        identifier = document["id"]
        if self._path is None or not line:
            self._lines[identifier] = line or json.dumps(document).encode()
        else:
            self._places[identifier] = (offset, len(line))
        self.summaries.append(summary_of(document))

    def keep_in(self, path: Path) -> None:
        """Leave exchanges that are added from now on in the file that they are read from."""
        self._path = path

    def _read(self, offset: int, octets: int) -> bytes:
        assert self._path is not None
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                return file.read(octets)
        except OSError as error:
            raise SavedError(f"the file cannot be read any more: {error.strerror}.") from error


def session_lines(documents: Iterable[Document], recorder: dict[str, Any]) -> Iterator[bytes]:
    """Yield the lines of a file with exchanges, oldest first.

    Args:
        documents: the exchanges.
        recorder: what is to be known of the recording.
    """
    count = 0
    yield _heading(recorder)
    for document in documents:
        count += 1
        yield _line(document)
    yield _line({"end": count})


def session_file(documents: AsyncIterable[Document], recorder: dict[str, Any]) -> File:
    """Return the answer that has all exchanges, as a file to be kept; see `session_lines`."""

    async def lines() -> AsyncIterator[bytes]:
        count = 0
        yield _heading(recorder)
        async for document in documents:
            count += 1
            yield _line(document)
        yield _line({"end": count})

    return File(lines(), MEDIA_TYPE, "session.wire")


def open_session(path: Path) -> Session:
    """Open a file that `session_lines` was written to.

    Raises:
        SavedError: it cannot be read, is no such file, of a newer version, or damaged.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SavedError(f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MiB.")
        with path.open("rb") as file:
            return read_session(file, path)
    except OSError as error:
        raise SavedError(f"{path} cannot be read: {error.strerror or error}.") from error
    except SavedError as error:
        raise SavedError(f"{path}: {error}") from error


def read_session(file: IO[bytes], path: Path | None = None) -> Session:
    """Read the lines of a file; see `open_session`.

    Args:
        file: the file.
        path: where it is, to look up exchanges in it later; None: they are kept in memory.

    Raises:
        SavedError: it is no such file, of a newer version, or damaged.
    """
    heading = file.readline(MAX_LINE_BYTES)
    session = _read_heading(heading)
    if path is not None:
        session.keep_in(path)
    number, offset = 1, len(heading)
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        start, offset = offset, offset + len(line)
        if len(line) > MAX_LINE_BYTES:
            raise SavedError(f"line {number} is longer than {MAX_LINE_BYTES // 1024**2} MiB.")
        if not line.endswith(b"\n"):
            break  # the end of the file is in the middle of a line
        if not line.strip():
            continue
        value = _parsed(line, number)
        if "end" in value:
            if value["end"] != len(session):
                raise SavedError(
                    f"line {number} is damaged: it counts {value['end']!r} exchanges, but there are {len(session)}."
                )
            return session
        if len(session) == MAX_EXCHANGES:
            raise SavedError(f"there are more than {MAX_EXCHANGES:,} exchanges.")
        fault = fault_of(value)
        if not fault and value["id"] in session:
            fault = f"there is another exchange {value['id']!r}"
        if fault:
            raise SavedError(f"line {number} is damaged: {fault}.")
        session.add(value, line, start)
    session.notes.append(
        f"The file has no end: it was cut off behind {len(session)} exchanges, which can be seen."
    )
    return session


def summary_of(document: Document) -> Summary:
    """Return a document in a line, as lists have it."""
    target = document["target"]
    response = document["response"]
    names = ("id", "worker", "began", "client", "method", "status", "duration_us")
    return {
        **{name: document[name] for name in (*names, "endpoint", "state")},
        "target": target if len(target) <= TARGET_CHARS else target[: TARGET_CHARS - 1] + "…",
        "octets": 0 if response is None else response["size"],
        "refusal": None if document["refusal"] is None else document["refusal"]["message"],
    }


def _heading(recorder: dict[str, Any]) -> bytes:
    return _line(
        {
            "format": FORMAT,
            "version": VERSION,
            "saved": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "by": f"groundwire {version()}",
            "recorder": recorder,
        }
    )


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _read_heading(line: bytes) -> Session:
    try:
        heading = _parsed(line, 1)
    except SavedError as error:
        raise SavedError("this is no file of recorded exchanges.") from error
    if heading.get("format") != FORMAT:
        raise SavedError("this is no file of recorded exchanges.")
    found = heading.get("version")
    if not is_number(found) or found < 1:
        raise SavedError("line 1 is damaged: it says no version.")
    by = str(heading.get("by", ""))[:100]
    if found > VERSION:
        raise SavedError(
            f"this is version {found} of the format, written by {by!r}; version {VERSION} can be read here."
            " A newer Groundwire can open it."
        )
    recorder = heading.get("recorder")
    return Session(recorder if is_object(recorder) else {}, str(heading.get("saved", ""))[:100], by)


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        check_json(line, JSONLimits(max_depth=NESTED))
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SavedError(f"line {number} is damaged: it is no JSON.") from error
    if not is_object(value):
        raise SavedError(f"line {number} is damaged: it is no object.")
    return value


def fault_of(document: dict[str, Any]) -> str:
    """Return what is wrong with a document; empty if it can be shown."""
    for name in _TEXTS:
        if not isinstance(document.get(name), str):
            return f"{name!r} is no text"
    for name in _NUMBERS:
        if not is_number(document.get(name)):
            return f"{name!r} is no number"
    duration = document.get("duration_us")
    if duration is not None and not is_number(duration):
        return "'duration_us' is no number"
    for name in _LISTS:
        listed: object = document.get(name)
        if not is_list(listed) or not all(map(is_object, listed)):
            return f"{name!r} is no list of objects"
    for name in _OPTIONAL_OBJECTS:
        value: object = document.get(name)
        if value is not None and not is_object(value):
            return f"{name!r} is no object"
    refusal: object = document["refusal"]
    if is_object(refusal):
        if not isinstance(refusal.get("message"), str):
            return "the refusal has no message"
        if not _is_link(refusal.get("url", "")):
            return "the refusal leads elsewhere than to https"
    fault = _fault_of_message(document.get("request"))
    if fault:
        return f"the request {fault}"
    fault = "" if document.get("response") is None else _fault_of_message(document["response"])
    return f"the response {fault}" if fault else ""


def _fault_of_message(message: object) -> str:
    if not is_object(message):
        return "is missing"
    size, kept, raw = message.get("size"), message.get("kept"), message.get("raw")
    if not is_number(size) or not is_number(kept) or not isinstance(message.get("cut"), bool):
        return "does not say its size"
    try:
        octets = base64.b64decode(raw if isinstance(raw, str) else "*", validate=True)
    except (binascii.Error, ValueError):
        return "has octets that are not in base64"
    if len(octets) != kept:
        return f"has {len(octets)} octets where {kept} are said to be kept"
    masked: object = message.get("masked")
    if not is_list(masked) or not all(_is_span(each, kept) for each in masked):
        return "has masks that are not within its octets"
    elements: object = message.get("elements")
    if not is_list(elements) or not all(_is_element(each, kept) for each in elements):
        return "has elements that are not within its octets"
    fields: object = message.get("fields")
    if not is_list(fields) or not all(_is_field(each, kept) for each in fields):
        return "has fields that are none"
    for name in ("query", "cookies"):
        pairs: object = message.get(name)
        if not is_list(pairs) or not all(map(is_pair, pairs)):
            return f"has no {name} that could be read"
    return "" if _is_content(message.get("content")) else "has content of no kind"


def _is_span(value: object, kept: int) -> bool:
    return is_list(value) and len(value) == 2 and _is_within(value[0], value[1], kept)


def _is_element(value: object, kept: int) -> bool:
    return (
        is_object(value)
        and isinstance(value.get("kind"), str)
        and isinstance(value.get("name", ""), str)
        and _is_within(value.get("start"), value.get("end"), kept)
    )


def _is_field(value: object, kept: int) -> bool:
    return (
        is_object(value)
        and all(isinstance(value.get(name), str) for name in ("name", "value", "note"))
        # A link that is followed by a click: nothing that runs in the page.
        and _is_link(value.get("url"))
        and _is_within(value.get("start"), value.get("end"), kept)
        and (value.get("because") is None or is_object(value["because"]))
    )


def _is_content(value: object) -> bool:
    return (
        is_object(value)
        and all(isinstance(value.get(name), str) for name in ("type", "kind"))
        and is_number(value.get("size"))
        and isinstance(value.get("text", ""), str)
    )


def _is_link(value: object) -> bool:
    return isinstance(value, str) and (not value or value.startswith("https://"))


def _is_within(start: object, end: object, kept: int) -> bool:
    return is_number(start) and is_number(end) and start <= end <= kept
