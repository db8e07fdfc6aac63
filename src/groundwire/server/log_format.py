"""The format of access log lines: one that has a name, or the operator's own, a text with named fields.

    {remote_addr} {method} {target} {status} {duration_ms} {request_id}

A text is read once, when the server starts, and what is wrong with it is said then.
"""

import string
from collections.abc import Mapping
from typing import Final

from .errors import StartError

NAMED_FORMATS: Final = ("common", "combined", "json")

FORMAT_CHARS: Final = 1000
"""The longest text."""

FIELDS: Final[Mapping[str, str]] = {
    "remote_addr": "address of the client; unix: where it came by a Unix socket",
    "remote_port": "its port",
    "time": "time of day as the Common Log Format has it",
    "time_utc": "the same in RFC 3339's form, in UTC",
    "method": "request method",
    "target": "request target, values of secret parameters masked",
    "path": "the target up to its question mark",
    "query": "the rest of it, masked likewise",
    "version": "HTTP/1.1 or HTTP/1.0",
    "scheme": "http or https",
    "host": "the host the request is for",
    "status": "status code of the answer",
    "octets": "octets of content that were sent",
    "duration_ms": "milliseconds from the request's last byte of head to the answer's last, with three decimals",
    "duration_us": "the same in whole microseconds",
    "referer": "Referer, masked as the target",
    "user_agent": "User-Agent",
    "request_id": "X-Request-ID, the client's or a new one",
    "endpoint": "the endpoint that answered",
    "pid": "number of the worker's process",
}
"""By name, what a field holds. What there is not, or is empty, becomes a dash."""

Piece = tuple[str, str]
"""A text as it is, and the name of the field behind it; the last may have an empty name."""


def is_own(line_format: str) -> bool:
    """Tell whether a format is a text with fields, not a name."""
    return "{" in line_format


def pieces_of(line_format: str) -> tuple[Piece, ...]:
    """Read a text with fields; ``{{`` and ``}}`` are braces.

    Raises:
        StartError: it is no such text, or names a field that there is not.
    """
    if len(line_format) > FORMAT_CHARS:
        raise StartError(f"--access-log-format has more than {FORMAT_CHARS} characters")
    if not (line_format.isascii() and line_format.replace("\t", "").isprintable()):
        raise StartError(
            f"--access-log-format {line_format!r}: use printable ASCII; each request is one line"
        )
    try:
        parsed = tuple(string.Formatter().parse(line_format))
    except ValueError as error:
        raise _wrong(line_format, f"{error}; write {{{{ and }}}} for braces") from error
    pieces: list[Piece] = []
    for literal, name, specification, conversion in parsed:
        if name is not None and name not in FIELDS:
            raise _wrong(line_format, f"there is no field {{{name}}}")
        if specification or conversion:
            raise _wrong(line_format, f"{{{name}}} stands alone, without : or ! behind the name")
        pieces.append((literal, name or ""))
    return tuple(pieces)


def check(line_format: str) -> None:
    """See that a format can be.

    Raises:
        StartError: it cannot.
    """
    if is_own(line_format):
        pieces_of(line_format)
    elif line_format not in NAMED_FORMATS:
        raise _wrong(line_format, "it has no field, and is not common, combined or json")


def _wrong(line_format: str, reason: str) -> StartError:
    fields = ", ".join(FIELDS)
    return StartError(f"--access-log-format {line_format!r}: {reason}; the fields are {fields}")
