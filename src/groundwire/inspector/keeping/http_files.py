"""Files with requests as they go over the wire (``.http``), one or several.

Octets are sent as they stand in the file. Several requests follow each other as on a connection (pipelined), or are
separated by lines that begin with ``###``, as editors' REST clients have it. What editors save has lines that end in LF
alone, and leaves out what a client fills in; `completed` makes a request of it.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from ...protocol.errors import ProtocolError
from ...protocol.http1.reader import RequestReader

MAX_REQUESTS: Final = 10_000

_SEPARATOR_LINE: Final = re.compile(rb"(?m)^###[^\n]*(?:\n|\Z)")
_BETWEEN: Final = re.compile(rb"(?m)(?:^###[^\n]*(?:\n|\Z)|\r?\n)*+")
_COMMENTS: Final = re.compile(rb"(?:[ \t]*(?:#|//|@)[^\n]*\n|[ \t]*\r?\n)*")
_CONTINUED_TARGET: Final = re.compile(rb"\r?\n[ \t]+(?=[?&])")
_REQUEST_LINE: Final = re.compile(
    rb"(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]+)?(\S+)(?:[ \t]+(HTTP/\S+))?[ \t]*"
)
_LENGTH: Final = re.compile(rb"(?i)content-length[ \t]*:")
_CHUNKED: Final = re.compile(rb"(?i)transfer-encoding[ \t]*:")
_HOST: Final = re.compile(rb"(?i)host[ \t]*:")
_MULTIPART: Final = re.compile(rb"(?i)content-type[ \t]*:[ \t]*multipart/")
_VARIABLE: Final = re.compile(rb"\{\{[^{}\n]*\}\}")


@dataclass(slots=True)
class HttpFile:
    """The requests of a file."""

    requests: list[bytes] = field(default_factory=list[bytes])
    notes: list[str] = field(default_factory=list[str])
    """What is to be known of it, in sentences."""


def read_http_file(
    data: bytes, *, complete: bool = False, authority: str = "localhost"
) -> HttpFile:
    """Take the requests out of a file.

    Args:
        data: the file.
        complete: make requests of what an editor has saved; see `completed`.
        authority: what a Host field says that is filled in.
    """
    found = HttpFile()
    if complete:
        found.requests = [completed(piece, authority) for piece in _separated(data)]
    else:
        found.requests = _as_they_stand(data)
    if not complete and any(_ends_in_lf_alone(request) for request in found.requests):
        found.notes.append(
            "Lines end in LF alone, as editors save them; HTTP ends them with CR LF (RFC 9112 §2.2)."
            " They are sent as they are; --crlf makes a request of them."
        )
    if _VARIABLE.search(data):
        found.notes.append("Variables in {{braces}} are not filled in.")
    return found


def completed(piece: bytes, authority: str) -> bytes:
    """Make a request of what an editor has saved.

    Lines of the head end in CR LF, and those of a multipart content. What is left out is filled in: the method GET, the
    version, Host, and Content-Length, which is made right in any case unless the content is in chunks. Comments before
    the request line go, line ends behind the content too.
    """
    start = _COMMENTS.match(piece)
    text = _CONTINUED_TARGET.sub(b"", piece[start.end() if start else 0 :])
    head, content = _split(text)
    request_line, *lines = (line.strip() for line in head.split(b"\n"))
    match = _REQUEST_LINE.fullmatch(request_line)
    if match is not None:
        method, target, version = match[1] or b"GET", match[2], match[3] or b"HTTP/1.1"
        target, host = _origin_form(target, authority)
        request_line = b"%b %b %b" % (method, target, version)
        if not any(map(_HOST.match, lines)):
            lines.insert(0, b"Host: " + host)
    if any(map(_MULTIPART.match, lines)):
        content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
    if not any(map(_CHUNKED.match, lines)):
        lines = [line for line in lines if not _LENGTH.match(line)]
        if content or request_line.startswith((b"POST ", b"PUT ", b"PATCH ")):
            lines.append(b"Content-Length: %d" % len(content))
    return b"\r\n".join((request_line, *lines)) + b"\r\n\r\n" + content


def _as_they_stand(data: bytes) -> list[bytes]:
    """Cut a file into its requests. What looks like a separator within a content is none."""
    requests: list[bytes] = []
    position = _skip(data, 0)
    while position < len(data) and len(requests) < MAX_REQUESTS:
        end = _end_of_request(data, position)
        requests.append(data[position:end])
        position = _skip(data, end)
    return requests


def _skip(data: bytes, position: int) -> int:
    """Return the offset behind empty lines and separators."""
    match = _BETWEEN.match(data, position)
    return position if match is None else match.end()


def _end_of_request(data: bytes, start: int) -> int:
    """Return where the request ends that begins at `start`; what is none ends at the next separator."""
    reader = RequestReader()
    position, first = start, 0
    head = None
    while position < len(data):
        separator = _SEPARATOR_LINE.search(data, position + 1)
        end = separator.start() if separator else len(data)
        first = first or end
        reader.receive(data[position:end])
        position = end
        try:
            head = head or reader.next_head()
            while reader.next_content():
                pass
        except ProtocolError:
            return first
        if head is not None and reader.complete:
            return end - reader.buffered
    return first


def _separated(data: bytes) -> list[bytes]:
    """Cut a file at its separators."""
    return [piece for piece in _SEPARATOR_LINE.split(data, MAX_REQUESTS) if piece.strip()]


def _split(text: bytes) -> tuple[bytes, bytes]:
    """Split a request at its first empty line; return its head, and its content without the last line end."""
    match = re.search(rb"\r?\n[ \t]*\r?\n", text)
    if match is None:
        return text.strip(b"\r\n"), b""
    return text[: match.start()], text[match.end() :].rstrip(b"\r\n")


def _origin_form(target: bytes, authority: str) -> tuple[bytes, bytes]:
    """Return the path of a URL as it is asked for, and what its Host field says."""
    if not target.lower().startswith((b"http://", b"https://")):
        return target, authority.encode()
    try:
        parts = urlsplit(target.decode("latin-1"))
    except ValueError:
        return target, authority.encode()  # it is sent as it is, and refused
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return path.encode("latin-1"), parts.netloc.rpartition("@")[2].encode("latin-1")


def _ends_in_lf_alone(request: bytes) -> bool:
    line, end, _ = request.lstrip(b"\r\n").partition(b"\n")
    return bool(end) and not line.endswith(b"\r")
