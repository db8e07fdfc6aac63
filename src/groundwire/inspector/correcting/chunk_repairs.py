"""Repairs of content in chunks (RFC 9112 §7.1)."""

import re
from typing import Final

from ...protocol.errors import ProtocolError
from ...protocol.http1.elements import Element
from ...protocol.http1.explain import Explanation
from ...protocol.http1.grammar import CHUNK_SIZE_DIGITS, HEX_RUN, run_end
from .field_repairs import repair_line
from .repairs import Repair, next_request, replace, without_line

_CR: Final = 0x0D
_LF: Final = 0x0A
_WHITE_RUN: Final = re.compile(rb"[ \t]+")
_TO_LINE_END: Final = re.compile(rb"[^\r\n]*")
_NEXT_CHUNK: Final = re.compile(rb"\r?\n(?=[0-9A-Fa-f]{1,16}(?:;[^\r\n]*)?\r?\n)")
_SIGN: Final = re.compile(rb"[+\-]|0[xX]")


LONGEST_LINE_BYTES: Final = 64
"""What is longer is no line with a chunk's size in it, however wrong."""


def repair_chunks(data: bytes, explanation: Explanation, fault: ProtocolError) -> Repair | None:
    """Repair chunks, or the trailer section behind them, at the byte that was refused."""
    if fault.status == 431:
        return None
    chunks = [e for e in explanation.elements if e.kind in ("chunk", "last-chunk")]
    if chunks and chunks[-1].kind == "last-chunk":
        if fault.section == "RFC 9110 §6.5.1":
            name = re.match(rb"[^\n]*", data[data.rfind(b"\n", 0, fault.offset) + 1 :])
            written = name[0].partition(b":")[0].decode("latin-1") if name is not None else ""
            return Repair(
                without_line(data, fault.offset),
                f"The trailer {written} is gone: it has its place among the headers.",
            )
        return repair_line(data, fault, chunks[-1].end)
    start = fault.offset
    if chunks and chunks[-1].end >= fault.offset:
        start = chunks[-1].start
    if fault.section == "RFC 9112 §7.1.1":
        return _without_extensions(data, start, explanation.elements)
    if "not followed by a line feed" in fault.message:
        return _line_feed(data, fault.offset)
    if "does not end where" in fault.message:
        return _size_of_data(data, start, explanation.elements)
    if chunks and chunks[-1].end == fault.offset and data.endswith(b"\r\n", 0, fault.offset):
        start = fault.offset  # the chunk before is whole
    return _size(data, start, fault.offset)


def _without_extensions(data: bytes, start: int, elements: list[Element]) -> Repair:
    size_end = run_end(HEX_RUN, data, start)
    match = _TO_LINE_END.match(data, size_end)
    fixed = replace(data, size_end, match.end() if match is not None else size_end, b"")
    for element in reversed(elements):
        if element.kind == "chunk-extension" and element.end < start:
            fixed = replace(fixed, element.start, element.end, b"")
    return Repair(fixed, "What stood behind a chunk's size is gone: extensions are optional.")


def _line_feed(data: bytes, offset: int) -> Repair:
    if data[offset] == _CR:
        return Repair(replace(data, offset - 1, offset, b""), "A carriage return too many is gone.")
    return Repair(
        replace(data, offset, offset, b"\n"), "A line feed follows each carriage return now."
    )


def _size(data: bytes, start: int, offset: int) -> Repair:
    """A chunk's size is not hexadecimal digits alone."""
    end = run_end(HEX_RUN, data, start)
    digits = data[start:end].lstrip(b"0") or b"0"
    if end - start > CHUNK_SIZE_DIGITS and len(digits) <= CHUNK_SIZE_DIGITS:
        return Repair(replace(data, start, end, digits), "A chunk's size has no zeros before it.")
    octet = data[offset]
    if octet == _LF and end > start:
        return Repair(replace(data, offset, offset, b"\r"), "A chunk's size ends in CR LF now.")
    white = _WHITE_RUN.match(data, offset)
    if white is not None:
        return Repair(
            replace(data, offset, white.end(), b""), "No space stands around a chunk's size."
        )
    sign = _SIGN.match(data, start)
    if sign is not None and run_end(HEX_RUN, data, sign.end()) > sign.end():
        return Repair(
            replace(data, start, sign.end(), b""),
            "A chunk's size is hexadecimal digits, without a sign or 0x.",
        )
    if data.startswith(b"\r\n", start) and len(data) > start + 2:
        return Repair(replace(data, start, start + 2, b""), "An empty line between chunks is gone.")
    line_end = data.find(b"\r\n", start, start + LONGEST_LINE_BYTES)
    if line_end > start:
        return _with_size(data, start, line_end + 2) or _as_one_chunk(data, start, start)
    return _as_one_chunk(data, start, start)


def _size_of_data(data: bytes, start: int, elements: list[Element]) -> Repair:
    """A chunk's data ends elsewhere than its size says: find where, and say that."""
    data_start = next(
        (e.start for e in elements if e.kind == "chunk-data" and e.start > start), start
    )
    return _with_size(data, start, data_start) or _as_one_chunk(data, start, data_start)


def _with_size(data: bytes, start: int, data_start: int) -> Repair | None:
    """Give the chunk that begins at `start` the size of its data, if the next one can be told."""
    match = _NEXT_CHUNK.search(data, data_start)
    if match is None or match.start() == data_start:
        return None
    size = match.start() - data_start
    fixed = replace(data, match.start(), match.end(), b"\r\n")
    fixed = replace(fixed, start, data_start, b"%x\r\n" % size)
    return Repair(fixed, f"The chunk's size is {size:x} now: its data has {size} bytes.")


def _as_one_chunk(data: bytes, start: int, content_start: int) -> Repair:
    rest = data[content_start : next_request(data, content_start)]
    for end in (b"\r\n0\r\n\r\n", b"\n0\n\n", b"0\r\n\r\n"):
        rest = rest.removesuffix(end)
    chunk = b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b""
    return Repair(
        data[:start] + chunk + b"0\r\n\r\n",
        "What stood where a chunk belongs is one chunk now, with its size before it, and the last one follows.",
    )
