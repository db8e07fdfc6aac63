"""Requests that are to be sent: built from fields, or recorded ones with masked values filled in."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ...protocol.errors import ProtocolError
from ...protocol.http1.grammar import FIELD_NAME_TEXT, FIELD_VALUE_TEXT
from ...protocol.http1.reader import RequestReader

Spans = tuple[tuple[int, int], ...]

FRAMING_FIELDS: Final = frozenset(("content-length", "transfer-encoding"))
METHODS_WITH_CONTENT: Final = frozenset(("POST", "PUT", "PATCH"))
"""Those whose request says its length even where that is 0 (RFC 9110 §8.6)."""

_TARGET: Final = re.compile(r"[!-~\x80-\U0010ffff]+")
_CONTENT_LENGTH: Final = re.compile(rb"(?im)^(content-length:[ \t]*)([0-9]+)(?=[ \t]*\r?$)")
_CHUNKED: Final = re.compile(rb"(?im)^transfer-encoding:[^\r\n]*chunked")
_QUERY_NAME: Final = re.compile(rb"[?&;]([^=&;?# ]*)=[^&]*\Z")
_COOKIE_NAME: Final = re.compile(rb"(?:^|[;,])[ \t]*([^=;,]*)=[^;]*\Z")
_FORM_NAME: Final = re.compile(rb"(?:^|&)([^=&]*)=[^&]*\Z")
_JSON_NAME: Final = re.compile(rb'"([^"\\]{1,100})"\s*:\s*[^:]*\Z')
_PART_NAME: Final = re.compile(rb'(?i)content-disposition:[^\r\n]*[; ]name="?([^";\r\n]*)')

LOOKED_BACK_BYTES: Final = 4096
"""How far in front of a masked value its name is looked for."""


class ReplayError(ValueError):
    """A request that cannot be sent; its text says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class MaskedPart:
    """A value that was masked when the request was recorded."""

    name: str
    """What it is the value of: ``Authorization``, ``Cookie session``, ``query token``, ``form pin``, ``content``."""

    start: int
    end: int
    """Where it stands in the recorded octets, the end not included."""


def build_request(
    method: str, target: str, fields: Iterable[tuple[str, str]], content: bytes = b""
) -> bytes:
    """Build an HTTP/1.1 request whose framing is right.

    Content-Length says how long `content` is, whatever `fields` say of that; everything else is as given.

    Raises:
        ReplayError: a part would not stay in its place. What is wrong on purpose is sent as octets.
    """
    if FIELD_NAME_TEXT.fullmatch(method) is None:
        raise ReplayError(f"The method {method!r} is no token.")
    if _TARGET.fullmatch(target) is None:
        raise ReplayError(f"The target {target!r} is empty, or holds white space.")
    lines = [f"{method} {target} HTTP/1.1".encode()]
    length_told = False
    needs_length = bool(content) or method in METHODS_WITH_CONTENT
    for name, value in fields:
        if FIELD_NAME_TEXT.fullmatch(name) is None:
            raise ReplayError(f"The field name {name!r} is no token.")
        octets = field_octets(name, value)
        if name.lower() in FRAMING_FIELDS:
            if length_told or not needs_length:
                continue
            length_told = True
            octets = b"%d" % len(content)
            name = "Content-Length"
        lines.append(name.encode() + b": " + octets)
    if needs_length and not length_told:
        lines.append(b"Content-Length: %d" % len(content))
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def field_octets(name: str, value: str) -> bytes:
    """Return the octets of a field's value: Latin-1, as fields are read, or UTF-8 where that does not do.

    Raises:
        ReplayError: it holds control characters, which would end the line.
    """
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError:
        octets = value.encode(errors="surrogateescape")
    if FIELD_VALUE_TEXT.fullmatch(octets.decode("latin-1")) is None:
        raise ReplayError(f"The value of {name} holds a control character: {value!r}.")
    return octets


def methods_in(raw: bytes) -> tuple[list[str], str]:
    """Return the methods of the requests that octets hold, and what is wrong with the last: nothing if it is empty.

    As many answers are to be expected; what is no request is answered too. ``"incomplete"`` is what a server waits for
    more of, anything else is the reader's own verdict.
    """
    reader = RequestReader()
    reader.receive(raw)
    methods: list[str] = []
    in_content = False
    try:
        while (head := reader.next_head()) is not None:
            methods.append(head.method)
            in_content = True
            while reader.next_content():
                pass
            if not reader.complete:
                return methods, "incomplete"
            in_content = False
            if not head.persistent:
                return methods, ""
    except ProtocolError as error:
        if not in_content:
            # Who refuses what is no request does not know its method either, so that the answer has content.
            methods.append("GET")
        return methods, str(error)
    if reader.in_head or not methods:
        methods.append("GET")
        return methods, "incomplete"
    return methods, ""


def masked_parts(raw: bytes, spans: Iterable[Iterable[int]]) -> list[MaskedPart]:
    """Return what was masked in a recorded request, each part by its name.

    Args:
        raw: the recorded octets.
        spans: where they are masked.
    """
    head_end = raw.find(b"\r\n\r\n")
    head_end = len(raw) if head_end < 0 else head_end + 4
    return [MaskedPart(_name_of(raw, start, head_end), start, end) for start, end in spans]


def filled_in(raw: bytes, parts: Iterable[MaskedPart], values: Mapping[str, str]) -> bytes:
    """Return a request with values in place of what was masked; Content-Length says the new length.

    Args:
        raw: the recorded octets.
        parts: what is masked in them.
        values: by the parts' names, as a program will read them. Those that are not named stay masked.

    Raises:
        ReplayError: a value does not fit, or there is no such part.
    """
    parts = list(parts)
    unknown = values.keys() - {part.name for part in parts}
    if unknown:
        raise ReplayError(f"Nothing of the name {min(unknown)!r} was masked.")
    head_end = raw.find(b"\r\n\r\n") + 4
    grown = 0
    for part in sorted(parts, key=lambda part: part.start, reverse=True):
        value = values.get(part.name)
        if value is None:
            continue
        in_head = part.start < head_end or head_end < 4
        value = _escaped(part.name, value, raw[part.start : part.end])
        octets = field_octets(part.name, value) if in_head else value.encode()
        if not in_head:
            grown += len(octets) - (part.end - part.start)
        raw = raw[: part.start] + octets + raw[part.end :]
    return _with_length_changed(raw, grown) if grown else raw


def _escaped(name: str, value: str, masked: bytes) -> str:
    """Return a value as it is written where it goes, so that it stays one."""
    kind = name.partition(" ")[0]
    if kind in ("query", "form"):
        return quote(value, safe="")
    # What was no string in JSON is masked with its quotation marks, and is given as JSON.
    if kind == "JSON" and not masked.startswith(b'"'):
        return json.dumps(value, ensure_ascii=False)[1:-1]
    return value


def _with_length_changed(raw: bytes, octets: int) -> bytes:
    head, empty, content = raw.partition(b"\r\n\r\n")
    if _CHUNKED.search(head):
        raise ReplayError(
            "The content is in chunks, whose sizes would be wrong: fill in a value as long as the one that was masked."
        )
    head = _CONTENT_LENGTH.sub(lambda match: match[1] + b"%d" % (int(match[2]) + octets), head)
    return head + empty + content


def _name_of(raw: bytes, start: int, head_end: int) -> str:
    """Find what the octets at `start` are the value of."""
    if start >= head_end:
        return _name_in_content(raw, start, head_end)
    line_start = raw.rfind(b"\n", 0, start) + 1
    before = raw[line_start:start]
    name, colon, value = before.partition(b":")
    is_field = colon and b" " not in name and line_start > 0
    if not is_field:
        match = _QUERY_NAME.search(before)
        return f"query {_text(match[1])}" if match else "target"
    shown = _text(name)
    if name.lower() == b"cookie":
        match = _COOKIE_NAME.search(value)
        return f"{shown} {_text(match[1])}" if match else shown
    match = _QUERY_NAME.search(value) if name.lower() == b"referer" else None
    return f"{shown} {_text(match[1])}" if match else shown


def _name_in_content(raw: bytes, start: int, head_end: int) -> str:
    before = raw[max(head_end, start - LOOKED_BACK_BYTES) : start]
    head = raw[:head_end].lower()
    if b"multipart/" in head:
        names = _PART_NAME.findall(before)
        return f"part {_text(names[-1])}" if names else "content"
    pattern = _FORM_NAME if b"x-www-form-urlencoded" in head else _JSON_NAME
    match = pattern.search(before)
    kind = "form" if pattern is _FORM_NAME else "JSON"
    return f"{kind} {_text(match[1])}" if match else "content"


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace").strip()
