"""Reads whole responses, as a client does: for the test client, and for whoever looks at what was sent.

As strict as the reader of requests, on the same grammar: what we send must stand it.
"""

from typing import Final, NamedTuple

from ..errors import ProtocolError
from .grammar import (
    CHUNK_SIZE_LINE,
    CONTENT_LENGTH,
    FIELD_SECTION,
    STATUS_LINE,
)

Fields = list[tuple[str, str]]

CHUNKED: Final = -1
TO_THE_END: Final = -2
"""What `content_framing` says in place of a length: in chunks, and all until the connection ends."""


class ResponseHead(NamedTuple):
    """The status line and header section of a response, and where they end."""

    version: str
    status: int
    reason: str
    fields: Fields
    end: int
    """Offset behind the empty line."""


class ReceivedResponse(NamedTuple):
    """One response, interim (1xx) or final."""

    version: str
    status: int
    reason: str
    fields: Fields
    content: bytes
    trailers: Fields


def read_responses(data: bytes, method: str = "GET") -> list[ReceivedResponse]:
    """Read all that a server sent in answer to one request, interim responses first.

    Args:
        data: everything up to the end of the final response, or of the connection.
        method: the request's method; an answer to HEAD has no content (RFC 9112 §6.3).

    Raises:
        ProtocolError: a response is malformed, or ends before it is whole.
    """
    responses: list[ReceivedResponse] = []
    position = 0
    while position < len(data):
        response, position = _read(data, position, method)
        responses.append(response)
        if response.status == 101:
            # What follows is another protocol's.
            break
    return responses


def read_head(data: bytes | bytearray, start: int) -> ResponseHead:
    """Read the head of a response at the offset `start`.

    Raises:
        ProtocolError: it is malformed, or not whole.
    """
    match = STATUS_LINE.match(data, start)
    if match is None:
        raise _broken("This is not a status line.", "RFC 9112 §4", start)
    version, code, reason = (part.decode("latin-1") for part in match.groups())
    fields, end = _read_fields(data, match.end())
    return ResponseHead(version, int(code), reason, fields, end)


def content_framing(head: ResponseHead, method: str, start: int) -> int:
    """Return how many octets of content follow a head, or `CHUNKED`, or `TO_THE_END` (RFC 9112 §6.3).

    Args:
        head: the response's.
        method: the request's.
        start: the offset of the response, for what is raised.

    Raises:
        ProtocolError: its fields do not tell.
    """
    status = head.status
    if method == "HEAD" or status < 200 or status in (204, 304):
        return 0
    if method == "CONNECT" and status < 300:
        return 0
    by_name = {name.lower(): value for name, value in head.fields}
    if "transfer-encoding" in by_name:
        if by_name["transfer-encoding"].lower() != "chunked":
            raise _broken("The transfer coding is not chunked.", "RFC 9112 §6.1", start)
        return CHUNKED
    if "content-length" in by_name:
        text = by_name["content-length"]
        if CONTENT_LENGTH.fullmatch(text.encode("latin-1")) is None:
            raise _broken("Content-Length is not a number.", "RFC 9112 §6.3", head.end)
        return int(text)
    return TO_THE_END


def _read(data: bytes, start: int, method: str) -> tuple[ReceivedResponse, int]:
    head = read_head(data, start)
    version, status, reason, fields, position = head
    content, trailers = b"", Fields()
    length = content_framing(head, method, start)
    if length == CHUNKED:
        content, position = _read_chunks(data, position)
        trailers, position = _read_fields(data, position)
    elif length == TO_THE_END:
        content, position = data[position:], len(data)
    else:
        content = _read_exactly(data, position, length)
        position += length
    return ReceivedResponse(version, status, reason, fields, content, trailers), position


def _read_exactly(data: bytes, position: int, length: int) -> bytes:
    content = data[position : position + length]
    if len(content) < length:
        message = f"Of {length} octets of content only {len(content)} have come."
        raise _broken(message, "RFC 9112 §6.3", len(data))
    return content


def _read_chunks(data: bytes, position: int) -> tuple[bytes, int]:
    pieces: list[bytes] = []
    while (match := CHUNK_SIZE_LINE.match(data, position)) is not None:
        size = int(match[1], 16)
        position = match.end()
        if size == 0:
            return b"".join(pieces), position
        pieces.append(data[position : position + size])
        position += size
        if not data.startswith(b"\r\n", position):
            raise _broken("A chunk is not whole.", "RFC 9112 §7.1", min(position, len(data)))
        position += 2
    raise _broken("The content has no last chunk.", "RFC 9112 §7.1", position)


def _read_fields(data: bytes | bytearray, start: int) -> tuple[Fields, int]:
    """Read field lines and the empty line behind them."""
    match = FIELD_SECTION.match(data, start)
    end = match.end() if match is not None else start
    if not data.startswith(b"\r\n", end):
        raise _broken("The field lines do not end in an empty line.", "RFC 9112 §2.1", end)
    fields = Fields()
    for line in data[start:end].decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        fields.append((name, value.strip(" \t")))
    return fields, end + 2


def _broken(message: str, section: str, offset: int) -> ProtocolError:
    return ProtocolError(message, section=section, offset=offset)
