"""Repairs of header and trailer lines (RFC 9112 §5), and of what they say."""

import re
from typing import Final

from ...protocol.errors import ProtocolError
from ...protocol.http1.elements import CRLF_BYTES, Element
from ...protocol.http1.explain import Explanation
from ...protocol.http1.octets import escaped
from ...protocol.http1.target import authority_fault
from .repairs import (
    END_OF_HEAD,
    Repair,
    element_of,
    line_around,
    next_request,
    reads_as_chunks,
    replace,
    with_line_ends,
    without_line,
)

_CR: Final = 0x0D
_LF: Final = 0x0A
_FOLD: Final = re.compile(rb"\r\n[ \t]")
_WHITE_RUN: Final = re.compile(rb"[ \t]+")
_FIELD_LINE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]")
_NOT_IN_VALUE: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_CODING: Final = re.compile(rb"\b(gzip|deflate|br|compress|zstd)\b", re.IGNORECASE)


def repair_fields(data: bytes, explanation: Explanation, fault: ProtocolError) -> Repair | None:
    """Repair the header section at the byte that was refused; None: there is nothing like one."""
    version = element_of(explanation, "version")
    section_start = version.end + CRLF_BYTES if version is not None else 0
    at_a_rule = fault.section not in ("RFC 9110 §5.5", "RFC 9112 §2.2")
    for element in reversed(explanation.elements):
        # Faults of what a header says are at its value, which is written well.
        if element.kind == "field-value" and element.start == fault.offset and at_a_rule:
            _, line_end = line_around(data, element.start)
            if _FOLD.match(data, line_end) is not None:
                return _begins_with_white_space(data, line_end + CRLF_BYTES, section_start)
            fixed = _what_it_says(data, explanation, element, fault)
            if fixed is not None:
                return fixed
    if "must have a Host" in fault.message:
        authority = element_of(explanation, "authority")
        host = data[authority.start : authority.end] if authority is not None else b"localhost"
        return Repair(
            replace(data, section_start, section_start, b"Host: " + host + b"\r\n"),
            f"A Host header says which site is meant: {escaped(host)}.",
        )
    return repair_line(data, fault, section_start)


def repair_line(data: bytes, fault: ProtocolError, section_start: int) -> Repair | None:
    """Repair how a line is written, of the section of headers or trailers that begins at `section_start`."""
    offset = fault.offset
    if offset >= len(data):
        return None
    octet = data[offset]
    start, end = line_around(data, offset)
    if octet == _LF:
        return with_line_ends(data, section_start)
    if "not followed by a line feed" in fault.message:
        return _bare_carriage_return(data, offset)
    if "white space" in fault.message and offset == start:
        return _begins_with_white_space(data, offset, section_start)
    if fault.section == "RFC 9110 §5.5":
        value = _NOT_IN_VALUE.sub(b" ", data[offset:end])
        return Repair(
            replace(data, offset, end, value),
            "A control character in a header's value is a space now.",
        )
    if "no name" in fault.message:
        return Repair(without_line(data, offset), "The header without a name is gone.")
    return _in_the_name(data, start, offset, end)


def _in_the_name(data: bytes, start: int, offset: int, end: int) -> Repair:
    name = escaped(data[start:offset])
    octet = data[offset]
    white = _WHITE_RUN.match(data, offset)
    if white is not None and data.startswith(b":", white.end()):
        return Repair(
            replace(data, offset, white.end(), b""),
            f"The colon stands right behind the name {name} now.",
        )
    if white is not None and b":" in data[offset:end]:
        return Repair(replace(data, offset, white.end(), b"-"), "A header's name is one word now.")
    if white is not None:
        return Repair(
            replace(data, offset, white.end(), b": "), f"A colon stands behind the name {name} now."
        )
    if octet == _CR and data.startswith(b"\n", offset + 1):
        return Repair(
            replace(data, offset, offset, b":"), f"A colon stands behind the name {name} now."
        )
    return Repair(
        replace(data, offset, offset + 1, b""),
        "A character that has no place in a header's name is gone.",
    )


def _bare_carriage_return(data: bytes, offset: int) -> Repair:
    """There is a carriage return before `offset`, and no line feed at it."""
    if data[offset] == _CR or data[offset - 2 : offset - 1] == b"\n":
        return Repair(replace(data, offset - 1, offset, b""), "A carriage return too many is gone.")
    if _FIELD_LINE.match(data, offset) is not None:
        return Repair(
            replace(data, offset, offset, b"\n"), "Every line ends in CR LF now, not in CR alone."
        )
    # RFC 9112 §2.2: a recipient may take it for a space.
    return Repair(
        replace(data, offset - 1, offset, b" "),
        "A carriage return in a header's value is a space now.",
    )


def _begins_with_white_space(data: bytes, offset: int, section_start: int) -> Repair:
    white = _WHITE_RUN.match(data, offset)
    end = white.end() if white is not None else offset
    if offset == section_start:
        return Repair(replace(data, offset, end, b""), "The first header begins its line now.")
    before = offset - 2 if data.startswith(b"\r\n", offset - 2) else offset - 1
    return Repair(
        replace(data, before, end, b" "),
        "The header that went on in the next line is one line now.",
    )


def _what_it_says(
    data: bytes, explanation: Explanation, value: Element, fault: ProtocolError
) -> Repair | None:
    name = value.name.lower()
    before = [
        element
        for element in explanation.elements
        if element.kind == "field-line"
        and element.end < value.start
        and element.name.lower() == name
    ]
    if before and "two" in fault.message:
        return Repair(without_line(data, value.start), f"The second {value.name} header is gone.")
    if name == "host":
        host = _host_in(data[value.start : value.end]) or b"localhost"
        return Repair(
            replace(data, value.start, value.end, host), f"Host names one host: {escaped(host)}."
        )
    if name == "content-length":
        return _content_length(data, explanation, value, fault)
    if name == "transfer-encoding":
        return _transfer_encoding(data, explanation, value, fault)
    return None


def _content_length(
    data: bytes, explanation: Explanation, value: Element, fault: ProtocolError
) -> Repair:
    if "both" in fault.message:
        return _one_framing(data, explanation)
    length = len(_content_in(data))
    text = data[value.start : value.end]
    numbers = {int(number[:20]) for number in re.findall(rb"\d+", text)}
    if len(numbers) == 1 and max(numbers) <= length and re.search(rb"[A-Za-z]", text) is None:
        length = numbers.pop()
    change = f"Content-Length is one number now: {length}."
    return Repair(replace(data, value.start, value.end, str(length).encode()), change)


def _transfer_encoding(
    data: bytes, explanation: Explanation, value: Element, fault: ProtocolError
) -> Repair:
    if "both" in fault.message:
        return _one_framing(data, explanation)
    chunked = reads_as_chunks(_content_in(data))
    version = element_of(explanation, "version")
    if "HTTP/1.0" in fault.message and chunked and version is not None:
        return Repair(
            replace(data, version.start, version.end, b"HTTP/1.1"),
            "The version is HTTP/1.1 now, which has chunks.",
        )
    written = data[value.start : value.end]
    coding = _CODING.search(written)
    if "HTTP/1.0" not in fault.message and chunked:
        fixed = replace(data, value.start, value.end, b"chunked")
        change = "Transfer-Encoding is chunked, and nothing else."
        if coding is not None:
            _, end = line_around(fixed, value.start)
            line = b"\r\nContent-Encoding: " + coding[1].lower()
            fixed = replace(fixed, end, end, line)
            change += " That the content is compressed is for Content-Encoding to say."
        return Repair(fixed, change)
    start, end = line_around(data, value.start)
    length = len(_content_in(data))
    line = b"Content-Length: %d" % length if length else b""
    return Repair(
        replace(data, start, end, line) if line else without_line(data, value.start),
        "Content-Length says how long the content is, in place of Transfer-Encoding."
        if line
        else "Transfer-Encoding is gone, since no chunks follow.",
    )


def _one_framing(data: bytes, explanation: Explanation) -> Repair:
    """Of Content-Length and Transfer-Encoding take away the one that the content does not follow."""
    gone = "content-length" if reads_as_chunks(_content_in(data)) else "transfer-encoding"
    kept = "Transfer-Encoding" if gone == "content-length" else "Content-Length"
    for element in explanation.elements:
        if element.kind == "field-value" and element.name.lower() == gone:
            change = f"Only {kept} says where the content ends: {element.name} is gone."
            return Repair(without_line(data, element.start), change)
    raise AssertionError("the fault names a header that is not there")


def _content_in(data: bytes) -> bytes:
    """What came behind the head, up to where another request seems to begin."""
    data = data.lstrip(b"\r\n")
    match = END_OF_HEAD.search(data)
    return data[match.end() : next_request(data, match.end())] if match is not None else b""


def _host_in(value: bytes) -> bytes:
    """Return what was probably meant by something like a host; empty when it cannot be known."""
    text = re.sub(rb"^[A-Za-z]+://", b"", value)
    text = re.split(rb"[/?#, \t]", text)[0].rpartition(b"@")[2]
    for candidate in (text.rstrip(b":"), text.rpartition(b":")[0]):
        if candidate and authority_fault(candidate) is None:
            return candidate
    return b""
