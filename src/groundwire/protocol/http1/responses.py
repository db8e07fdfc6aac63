"""Reads whole responses, as a client does: for the test client, and for whoever looks at what was sent."""

from typing import Final, NamedTuple

from groundwire.protocol.errors import ProtocolError

CRLF: Final = b"\r\n"


class ReceivedResponse(NamedTuple):
    """One response, interim (1xx) or final."""

    version: str
    status: int
    reason: str
    fields: list[tuple[str, str]]
    content: bytes
    trailers: list[tuple[str, str]]


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
    return responses


def _read(data: bytes, start: int, method: str) -> tuple[ReceivedResponse, int]:
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        raise _broken("The header section has no end.", "RFC 9112 §2.1", len(data))
    status_line, *lines = data[start:end].decode("latin-1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or not (
        len(code) == 3 and code.isascii() and code.isdigit()
    ):
        raise _broken(f"{status_line!r} is not a status line.", "RFC 9112 §4", start)
    status = int(code)
    fields = _split(lines)
    by_name = {name.lower(): value for name, value in fields}
    position = end + 4
    content, trailers = b"", list[tuple[str, str]]()
    if method == "HEAD" or status < 200 or status in (204, 304):
        pass
    elif by_name.get("transfer-encoding") == "chunked":
        content, trailers, position = _read_chunks(data, position)
    elif "content-length" in by_name:
        length = int(by_name["content-length"])
        content = data[position : position + length]
        position += length
        if position > len(data):
            message = f"Of {length} octets of content only {len(content)} have come."
            raise _broken(message, "RFC 9112 §6.3", len(data))
    else:
        content, position = data[position:], len(data)
    return ReceivedResponse(version, status, reason, fields, content, trailers), position


def _read_chunks(data: bytes, position: int) -> tuple[bytes, list[tuple[str, str]], int]:
    pieces: list[bytes] = []
    while True:
        line_end = data.find(CRLF, position)
        if line_end < 0:
            raise _broken("The content has no last chunk.", "RFC 9112 §7.1", len(data))
        size = int(data[position:line_end], 16)
        position = line_end + 2
        if size == 0:
            break
        pieces.append(data[position : position + size])
        position += size + 2
        if data[position - 2 : position] != CRLF:
            raise _broken("A chunk is not whole.", "RFC 9112 §7.1", min(position, len(data)))
    if data.startswith(CRLF, position):
        return b"".join(pieces), [], position + 2
    end = data.find(b"\r\n\r\n", position)
    if end < 0:
        raise _broken("The trailer section has no end.", "RFC 9112 §7.1.2", len(data))
    return b"".join(pieces), _split(data[position:end].decode("latin-1").split("\r\n")), end + 4


def _split(lines: list[str]) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        fields.append((name, value.strip(" \t")))
    return fields


def _broken(message: str, section: str, offset: int) -> ProtocolError:
    return ProtocolError(message, section=section, offset=offset)
