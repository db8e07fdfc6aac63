"""Finds secrets in contents: urlencoded, multipart, JSON, HTML and XML, and in what may be any of these.

Contents are looked at as they are: cut off, malformed, or of another type than they say. So these are no parsers of
their formats but searches for names, and for where the value of a name could at most end.
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from html import unescape
from typing import Final

from .text import (
    Secret,
    decoded_secret,
    in_authorities,
    in_credentials,
    in_cut_url,
    in_encoded,
    in_escaped_json,
    in_text,
    in_urls,
    is_secret_name,
    match_end,
    mentions_secret_name,
    shifted,
    unescaped,
)

_DEEPEST: Final = 4
_BINARY: Final = re.compile(
    r"(?:image|audio|video|font)/(?!svg)|application/(?:zip|gzip|pdf|wasm)\b", re.IGNORECASE
)
_CODE: Final = ("css", "javascript", "ecmascript")
"""What is assigned to names in these is code. Secrets in JSON within them are found."""

_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_TEXTS: Final = ("text/", "application/json", "application/x-www-form-urlencoded")


def in_content(content: bytes, media_type: str, *, asked: bool, depth: int = 0) -> Iterator[Secret]:
    """Find the secrets in a content that is not coded.

    Args:
        content: as much of it as is there.
        media_type: the value of Content-Type, or an empty string.
        asked: whether it is a request's, which the program may read as another type than it says.
        depth: within how many other contents this one is.
    """
    if not content or _BINARY.match(media_type):
        return
    if b"\0" in content[:4] or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        wide = list(_in_wide(content, media_type, asked=asked, depth=depth))
        yield from wide
        if wide:
            return
    kind = media_type.partition(";")[0].strip().lower()
    if kind.startswith("multipart/") or (asked and content.lstrip(b"\r\n").startswith(b"--")):
        yield from in_multipart(content, media_type, asked=asked, depth=depth)
        return
    yield from in_cut_url(content)
    if not mentions_secret_name(content):
        yield from in_credentials(content)
        yield from in_authorities(content)
        return
    if _CONTROLS.search(content, 0, 1024) and not kind.startswith(_TEXTS):
        # Made of fields in a way that is not known here: MessagePack, CBOR, Protocol Buffers.
        yield Secret(0, len(content))
        return
    if kind == "application/x-www-form-urlencoded":
        yield from in_form(content)
    elif "html" in kind:
        yield from _in_html(content)
    elif "xml" in kind or (not kind and content.lstrip().startswith(b"<")):
        yield from _in_xml(content)
    elif not kind.endswith("json") and (asked or not kind.endswith(_CODE)):
        yield from in_text(content)
        if asked and b"\n" not in content:
            yield from in_form(content)
    yield from in_urls(content)
    yield from in_json(content)
    yield from in_credentials(content)


def _in_wide(content: bytes, media_type: str, *, asked: bool, depth: int) -> Iterator[Secret]:
    """Find a secret in UTF-16 or UTF-32, in which JSON may come; then all is one."""
    little = content[:2] == b"\xff\xfe" or content[1:2] == b"\0"
    for encoding in ("utf-32-le", "utf-16-le") if little else ("utf-32-be", "utf-16-be"):
        text = content.decode(encoding, "ignore").lstrip("\ufeff").encode("utf-8", "ignore")
        if depth < _DEEPEST and b"\0" not in text[:4]:
            found = list(in_content(text, media_type, asked=asked, depth=depth + 1))
            if found:
                values = [text[secret.start : secret.end] for secret in found]
                wide = [value.decode("utf-8", "ignore").encode(encoding) for value in values]
                yield Secret(0, len(content), (*values, *wide))
                return


# application/x-www-form-urlencoded

_PAIR: Final = re.compile(rb"([^=&]++)=?([^&]*+)")


def in_form(content: bytes) -> Iterator[Secret]:
    """Find the values of secret names in an urlencoded form; a value goes to the next ``&``."""
    if b"=" not in content:
        return
    for found in _PAIR.finditer(content):
        name = found[1].rpartition(b";")[2] or found[1]
        if is_secret_name(found[1][-200:]) or is_secret_name(name[-200:]):
            yield decoded_secret(content, *found.span(2))
        else:
            yield from in_encoded(content, *found.span(2), 0)


# JSON

# Looked for at each quotation mark, so that one too many hides no name.
_MEMBER: Final = re.compile(
    rb'"(?=((?:[^"\\\n]++|\\.){1,256}+)"[ \t\r\n]{0,64}+:[ \t\r\n]{0,64}+)', re.DOTALL
)
_COLON: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_STRING: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^\s,\]}\"]+")
_TOKEN: Final = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|$)|[\[\]{}]', re.DOTALL)
_NAME_AND_VALUE: Final = re.compile(
    rb'"(?:name|key|id)"\s{0,16}:\s{0,16}"([^"\\]{1,128}+)"\s{0,16},\s{0,16}"(?:value|val|content)"\s{0,16}:\s{0,16}'
)
_LITERALS: Final = frozenset((b"true", b"false", b"null"))


def in_json(content: bytes) -> Iterator[Secret]:
    """Find the values of secret names in JSON; an array or object under such a name is one secret.

    What is no string is masked as one, so that JSON stays JSON. ``true``, ``false`` and ``null`` say nothing.
    """
    if b'"' not in content:
        return
    end = 0
    for found in _MEMBER.finditer(content):
        if found.start() < end or not is_secret_name(_member_name(found[1])):
            continue
        secret = _json_value(content, match_end(_COLON, content, found.end()))
        if secret is not None:
            end = secret.end
            yield secret
    for found in _NAME_AND_VALUE.finditer(content):
        secret = _json_value(content, found.end()) if is_secret_name(found[1]) else None
        if secret is not None:
            yield secret
    if b'\\"' in content:
        yield from in_escaped_json(content)


def _member_name(name: bytes) -> bytes:
    return unescaped(name) if b"\\" in name else name


def _json_value(content: bytes, start: int) -> Secret | None:
    """Return the value that begins at `start`, as a secret; None where there is none worth hiding."""
    first = content[start : start + 1]
    if first == b'"':
        end = match_end(_STRING, content, start + 1)
        return Secret(start + 1, end, (unescaped(content[start + 1 : end]),))
    if first in (b"[", b"{"):
        return _json_container(content, start)
    scalar = _SCALAR.match(content, start)
    if scalar is None or scalar[0] in _LITERALS:
        return None
    return Secret(start, scalar.end(), quoted=True)


def _json_container(content: bytes, start: int) -> Secret:
    depth = 0
    values: list[bytes] = []
    for found in _TOKEN.finditer(content, start):
        if found[1] is not None:
            values += (found[1], unescaped(found[1]))
        elif found[0] in b"[{":
            depth += 1
        else:
            depth -= 1
            if not depth:
                return Secret(start, found.end(), tuple(values), quoted=True)
    return Secret(start, len(content), tuple(values), quoted=True)


# multipart

_BOUNDARY: Final = re.compile(r"boundary\s*=\s*(?:\"([^\"]+)\"|([^\s;]+))", re.IGNORECASE)
_GUESSED: Final = re.compile(rb"\s{0,8}(--[^\r\n]{1,70})")
_DISPOSITION: Final = re.compile(rb"content-disposition[ \t]*:", re.IGNORECASE)
_PART_NAME: Final = re.compile(
    rb"(?:^|[;\s])name\*?[0-9]?\*?\s{0,8}=\s{0,8}(?:\"((?:[^\"\\]|\\.)*+)|([^;\r\n]*+))",
    re.IGNORECASE | re.DOTALL,
)
_PART_TYPE: Final = re.compile(rb"^content-type[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_END_OF_FIELDS: Final = re.compile(rb"\r?\n\r?\n")


def in_multipart(
    content: bytes, media_type: str, *, asked: bool, depth: int = 0
) -> Iterator[Secret]:
    """Find the contents of parts that are named like secrets, and secrets within other parts."""
    for start, fields_end, content_start, end in _parts(content, media_type):
        fields = content[start:fields_end]
        part = content[content_start:end]
        if any(map(is_secret_name, _part_names(fields))):
            yield Secret(content_start, end, _part_values(fields, part))
            continue
        yield from shifted(in_text(fields), start)
        if depth < _DEEPEST:
            found = _PART_TYPE.search(fields)
            kind = found[1].decode("latin-1").strip() if found is not None else ""
            within = in_content(part, kind, asked=asked, depth=depth + 1)
            yield from shifted(within, content_start)


def _parts(content: bytes, media_type: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield where each part begins, its fields end, its content begins and ends.

    A content of which the delimiter is not what it says is cut at what it begins with, if at all.
    """
    said = _BOUNDARY.search(media_type)
    delimiter = (
        b"--" + (said[1] or said[2]).encode("latin-1", "ignore") if said is not None else b""
    )
    if not delimiter or delimiter not in content:
        guessed = _GUESSED.match(content)
        delimiter = guessed[1].rstrip() if guessed is not None else b""
    start = content.find(delimiter) if delimiter else 0
    while start >= 0:
        following = content.find(b"\n" + delimiter, start) if delimiter else -1
        end = len(content) if following < 0 else following - (content[following - 1] == 0x0D)
        fields = _END_OF_FIELDS.search(content, start, end)
        if fields is not None:
            yield start, fields.start(), fields.end(), end
        else:
            yield start, end, end, end
        start = following + 1 or -1


def _part_names(fields: bytes) -> Iterator[bytes]:
    """Yield all that a reader could take for the name of a part."""
    for found in _PART_NAME.finditer(fields):
        name = found[1] if found[1] is not None else found[2]
        yield name[:1024]
        if b"\\" in name:
            yield re.sub(rb"\\(.)", rb"\1", name)
        if b"=?" in name:
            yield _decoded_word(name)


def _decoded_word(name: bytes) -> bytes:
    """Return a name that is written as an encoded word (RFC 2047), decoded."""
    try:
        pieces = decode_header(name.decode("latin-1"))
    except (HeaderParseError, ValueError, LookupError):
        return name
    return b"".join(
        piece.encode("utf-8", "ignore") if isinstance(piece, str) else piece for piece, _ in pieces
    )


def _part_values(fields: bytes, part: bytes) -> tuple[bytes, ...]:
    """Return the content of a part, also without its transfer encoding."""
    if b"base64" in fields.lower():
        try:
            return (part, binascii.a2b_base64(part))
        except binascii.Error:
            return (part,)
    if b"quoted-printable" in fields.lower():
        return (part, quopri.decodestring(part))
    return (part,)


# HTML and XML

_TAG: Final = re.compile(
    rb"<(?:input|meta|param|button|option|data)\b([^>]{0,4096}+)", re.IGNORECASE
)
_ATTRIBUTE: Final = re.compile(
    rb"(?<![\w:.-])([A-Za-z_][\w:.-]{0,127}+)\s{0,16}=\s{0,16}+(?:\"([^\"]*+)|'([^']*+)|([^\s>\"']++))"
)
_SHOWN: Final = frozenset((b"name", b"id", b"type", b"property", b"itemprop", b"key", b"class"))
_ELEMENT: Final = re.compile(rb"<([A-Za-z_][\w:.-]{0,127}+)([^<>]{0,4096}+)>")


def in_html_attributes(
    content: bytes, start: int, end: int, *, carry: frozenset[bytes]
) -> Iterator[Secret]:
    """Find secrets in the attributes of one tag: those with secret names, and values beside a secret name."""
    attributes = list(_ATTRIBUTE.finditer(content, start, end))
    named = any(
        found[1].lower() in _SHOWN and is_secret_name((found[found.lastindex or 1])[:200])
        for found in attributes
    )
    for found in attributes:
        name = found[1].lower()
        if (named and name in carry) or (name not in _SHOWN and is_secret_name(name)):
            span = found.span(found.lastindex or 1)
            yield Secret(*span, (_without_references(content[slice(*span)]),))


_CARRYING: Final = frozenset((b"value", b"content"))
_DATA_ATTRIBUTE: Final = re.compile(
    rb"\sdata-([\w:.-]{1,127}+)\s{0,16}=\s{0,16}(?:\"([^\"]*+)|'([^']*+))", re.IGNORECASE
)


def _in_html(content: bytes) -> Iterator[Secret]:
    for found in _TAG.finditer(content):
        yield from in_html_attributes(content, *found.span(1), carry=_CARRYING)
    for found in _DATA_ATTRIBUTE.finditer(content):
        if is_secret_name(found[1]):
            span = found.span(found.lastindex or 1)
            yield Secret(*span, (_without_references(content[slice(*span)]),))


def _in_xml(content: bytes) -> Iterator[Secret]:
    covered = 0
    for found in _ELEMENT.finditer(content):
        if found.start() < covered:
            continue
        yield from in_html_attributes(content, *found.span(2), carry=_CARRYING)
        local = found[1].rpartition(b":")[2]
        named = is_secret_name(local) or any(
            attribute[1].lower() in _SHOWN
            and is_secret_name(attribute[attribute.lastindex or 1][:200])
            for attribute in _ATTRIBUTE.finditer(found[2])
        )
        if named and not found[2].endswith(b"/"):
            end = content.find(b"</" + found[1], found.end())
            covered = len(content) if end < 0 else end
            text = _without_references(content[found.end() : covered])
            yield Secret(found.end(), covered, (text,))


def _without_references(text: bytes) -> bytes:
    """Return what character references such as ``&amp;`` and ``&#39;`` stand for."""
    if b"&" not in text:
        return text
    return unescape(text.decode("utf-8", "replace")).encode("utf-8", "replace")
