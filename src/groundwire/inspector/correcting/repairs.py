"""What repairs of every part of a message have in common."""

import re
from typing import Final, NamedTuple

from ...protocol.errors import ProtocolError
from ...protocol.http1.chunked import ChunkedContent
from ...protocol.http1.elements import Element
from ...protocol.http1.explain import Explanation
from ...protocol.limits import MessageLimits


class Repair(NamedTuple):
    """One step towards a correct message."""

    data: bytes
    """The whole message, with one fault less."""

    change: str
    """A sentence on what has been changed."""


END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
REQUEST_LINE: Final = re.compile(rb"[A-Z]+ [/*h][!-~]* HTTP/1\.[01]\r\n")
LINE_END: Final = re.compile(rb"\r?\n")


def line_around(data: bytes, offset: int) -> tuple[int, int]:
    """Return where the line at `offset` begins, and where its line end does, or all that has come."""
    start = data.rfind(b"\n", 0, offset) + 1
    match = LINE_END.search(data, max(start, offset - 1))
    return start, match.start() if match is not None else len(data)


def without_line(data: bytes, offset: int) -> bytes:
    """Return a message without the line at `offset`."""
    start, end = line_around(data, offset)
    match = LINE_END.match(data, end)
    return data[:start] + data[match.end() if match is not None else end :]


def with_line_ends(data: bytes, start: int = 0) -> Repair:
    """End every line of a section that begins at `start` in CR LF."""
    match = LINE_END.match(data, start) or END_OF_HEAD.search(data, start)
    end = match.end() if match is not None else len(data)
    section, count = BARE_LINE_FEED.subn(b"\\r\\n", data[start:end])
    lines = "one line" if count == 1 else f"{count} lines"
    change = f"Every line ends in CR LF now: {lines} ended in a line feed alone."
    return Repair(data[:start] + section + data[end:], change)


def replace(data: bytes, start: int, end: int, text: bytes) -> bytes:
    """Return a message with `text` in place of what is between two offsets."""
    return data[:start] + text + data[end:]


def element_of(explanation: Explanation, kind: str) -> Element | None:
    """Return the first element of a kind."""
    return next((element for element in explanation.elements if element.kind == kind), None)


def reads_as_chunks(content: bytes) -> bool:
    """Tell whether content follows the rules of chunks, as far as it goes."""
    chunks = ChunkedContent(MessageLimits(), 0)
    try:
        chunks.read(content, 0, len(content), [])
    except ProtocolError:
        return False
    return bool(content)


def next_request(data: bytes, start: int) -> int:
    """Return where behind `start` another request seems to begin, or the end of what has come."""
    match = REQUEST_LINE.search(data, start)
    return match.start() if match is not None else len(data)
