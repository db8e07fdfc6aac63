"""Finds secrets in text of any kind: in URLs, in ``name=value`` and ``name: value``, and by how they look.

What is text here is bytes, in an encoding of which ASCII is a part. Everything takes time linear in the length of what
is looked at, raises nothing, and would rather hide too much than too little.
"""

import base64
import binascii
import html
import json
import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from ...http.secrets import SECRET_FIELDS, is_secret, mentions_secret
from ...http.urls import percent_decode


class Secret(NamedTuple):
    """Where a secret is, and what it is.

    Offsets are in what was looked at, the end exclusive.
    """

    start: int
    end: int
    values: tuple[bytes, ...] = ()
    """What to look for elsewhere besides the octets themselves: the same, decoded, or its parts."""
    quoted: bool = False
    """Whether it is masked as a string in quotation marks, so that the JSON around it stays JSON."""


SHORTEST_VALUE_BYTES: Final = 4
"""Shorter values are masked where they are, and not looked for elsewhere: they are in everything."""

LONGEST_VALUE_BYTES: Final = 8192

MOST_VALUES: Final = 100
"""Of one message: more are masked where they are, and not looked for elsewhere, which would take too long."""

_ORDINARY: Final = frozenset(
    b"true false null none undefined auto dark light http https html json text utf-8 localhost keep-alive".split()
)
"""Values that say nothing wherever they are; some cookies have them."""

_DEEPEST: Final = 3
"""How often something encoded within something encoded is looked into."""

# Names

_NO_NAME_OCTETS: Final = bytes(range(0x21)) + b":\x7f"


@lru_cache(maxsize=2048)
def is_secret_name(name: bytes) -> bool:
    """Tell whether a name as it is on the wire, maybe percent-encoded, is secret.

    White space, control characters and colons do not count: a fault may have put them there.

    PERF: 0.1 µs for a name that was asked about before.
    """
    text = name.translate(None, _NO_NAME_OCTETS).decode("utf-8", "replace")
    return is_secret(unquote_plus(text) if "%" in text or "+" in text else text)


def mentions_secret_name(data: bytes) -> bool:
    """Tell whether there could be a secret name in a text, maybe percent-encoded or with the escapes of JSON."""
    if mentions_secret(data.lower()) or b"\\u00" in data:
        return True
    return b"%" in data and mentions_secret(percent_decode(data.decode("latin-1")).lower())


# URLs

# The name of a parameter; its value is looked at only if the name is secret, or it is encoded.
_PARAMETER: Final = re.compile(rb"[?&;#]([^?&;#=\s\"'<>]{1,200}+)=")
_PARAMETER_VALUE: Final = re.compile(rb"[^&#\s\"'<>]*")
_ENCODED_VALUE: Final = re.compile(rb"[^?&;#\s\"'<>]*")
# Slashes may be escaped (JSON). PERF: two patterns, because one that begins with a choice takes ten times as long.
_AUTHORITIES: Final = (
    re.compile(rb"//([^\s/?#\"'<>\\]{1,4096}+)"),
    re.compile(rb"\\/\\/([^\s/?#\"'<>\\]{1,4096}+)"),
)
# A password with a slash, a question mark or a number sign in it: what stands there is no port.
_ODD_PASSWORD: Final = re.compile(
    rb"//([^\s/?#:@\[\"'<>]{0,200}:(?![0-9]{0,5}(?:[/?#\s\"'<>]|$))[^\s@\"'<>]{1,400}+)@"
)
# One that is cut off before its "@", at the end of what is there.
_CUT_PASSWORD: Final = re.compile(
    rb"//([^\s/?#:@\[\"'<>]{0,200}:(?![0-9]{0,5}\Z)[^\s/@\"'<>]{1,400}+)\Z"
)
_LONGEST_CUT_BYTES: Final = 600


def in_urls(data: bytes, depth: int = 0) -> Iterator[Secret]:
    """Find userinfo, and the values of secret parameters, in URLs and other text."""
    yield from in_authorities(data)
    if b"=" not in data:
        return
    for found in _PARAMETER.finditer(data):
        start = found.end()
        if is_secret_name(found[1]):
            yield decoded_secret(data, start, match_end(_PARAMETER_VALUE, data, start))
        else:
            yield from in_encoded(data, start, match_end(_ENCODED_VALUE, data, start), depth)


def in_authorities(data: bytes) -> Iterator[Secret]:
    """Find userinfo in URLs."""
    if b"@" not in data:
        return
    for authority in _AUTHORITIES:
        for found in authority.finditer(data):
            at = found[1].rfind(b"@")
            if at > 0:
                yield userinfo(data, found.start(1), found.start(1) + at)
    for found in _ODD_PASSWORD.finditer(data):
        yield userinfo(data, *found.span(1))


def in_cut_url(data: bytes) -> Iterator[Secret]:
    """Find a password that is cut off at the end of what is there."""
    start = data.rfind(b"//", max(len(data) - _LONGEST_CUT_BYTES, 0))
    found = _CUT_PASSWORD.match(data, start) if start >= 0 else None
    if found is not None:
        yield userinfo(data, *found.span(1))


def userinfo(data: bytes, start: int, end: int) -> Secret:
    """Return ``user:password`` of a URL as a secret; the password alone is one too."""
    password = data[start:end].partition(b":")[2]
    return Secret(start, end, (password, unquote_to_bytes(password)) if password else ())


def userinfo_start(data: bytes, start: int, at: int) -> int:
    """Return where the userinfo begins that ends at an ``@``, not before `start`."""
    for offset in range(at - 1, max(start, at - 1024) - 1, -1):
        if data[offset] in b" \t\r\n/?#":
            return offset + 1
    return max(start, at - 1024)


def decoded_secret(data: bytes, start: int, end: int) -> Secret:
    """Return a value of a query or an urlencoded form as a secret."""
    value = data[start:end]
    if b"%" in value or b"+" in value:
        return Secret(start, end, (unquote_to_bytes(value.replace(b"+", b" ")),))
    return Secret(start, end)


def in_encoded(data: bytes, start: int, end: int, depth: int) -> Iterator[Secret]:
    """Find a value that holds a secret when it is percent-decoded, such as a URL in a parameter: it is one whole."""
    value = data[start:end]
    if b"%" not in value or depth >= _DEEPEST:
        return
    within = unquote_to_bytes(value.replace(b"+", b" "))
    found = list(in_text(within, depth + 1))
    if found:
        yield Secret(start, end, values_of(within, found))


# Names and values in text

_ASSIGNED: Final = re.compile(
    rb"(?<![A-Za-z0-9_.%\[\]-])([A-Za-z_%][\w.%\[\]+-]{0,127}+)[ \t]{0,8}=[ \t]{0,8}+(?!=)"
)
_NAMED: Final = re.compile(rb"(?<![A-Za-z0-9_-])([A-Za-z][\w-]{0,63}+):[ \t]{1,8}+")
_QUOTED_NAME: Final = re.compile(rb"(?<!\\)(['\"])([\w.%\[\]+ -]{1,128}+)\1\s{0,8}[:=,]\s{0,8}+")
# JSON within a string of JSON, however deep: the name is between quotation marks with as many backslashes.
_ESCAPED_NAME: Final = re.compile(
    rb"(?<!\\)(\\{1,15}+)\"([^\"\\]{1,128}+)\1\"\s{0,8}:\s{0,8}+(\1\")?"
)
# An argument in a string of JSON, as GraphQL has them.
_ESCAPED_ARGUMENT: Final = re.compile(
    rb"(?<![\w-])([A-Za-z_][\w-]{0,63}+)\s{0,8}[:=]\s{0,8}(\\{1,15}+\")"
)
_ESCAPED_SCALAR: Final = re.compile(rb"[^,\"\\}\]]*")
_EXCEPTION: Final = re.compile(rb"(?:Error|Exception|Warning)$")
_WORD: Final = re.compile(rb"[^\s&\"'<>]+")
_ITEM: Final = re.compile(rb"[^\s,\]})&\"'<>]+")
_STRING_START: Final = re.compile(rb"[bBrRuUfF]{0,2}([\"'])")
_STRING_ENDS: Final = {
    b'"': re.compile(rb'[^"\\\n]*+(?:\\.[^"\\\n]*+)*+', re.DOTALL),
    b"'": re.compile(rb"[^'\\\n]*+(?:\\.[^'\\\n]*+)*+", re.DOTALL),
}
_BRACKETS: Final = {b"[": b"]", b"{": b"}", b"(": b")"}
# What Python shows of a file in a traceback: code, in which a name that is assigned to is no secret yet.
_SOURCE_LINE: Final = re.compile(
    rb'^  File "[^"\n]*", line [0-9]+[^\n]*\n(    [^\n]*)', re.MULTILINE
)


def in_text(data: bytes, depth: int = 0) -> Iterator[Secret]:
    """Find secrets in text of which nothing is known: a log record, a traceback, content without a type."""
    yield from in_credentials(data)
    yield from in_cut_url(data)
    if not mentions_secret_name(data):
        yield from in_authorities(data)
        return
    yield from in_urls(data, depth)
    code = [found.span(1) for found in _SOURCE_LINE.finditer(data)] if b"  File" in data else []
    if b"=" in data:
        for found in _ASSIGNED.finditer(data):
            if is_secret_name(found[1]):
                yield from _value_at(data, found.end(), code)
    if b":" in data:
        for found in _NAMED.finditer(data):
            if is_secret_name(found[1]) and not _EXCEPTION.search(found[1]):
                whole = b"-" in found[1] or found[1].decode().lower() in SECRET_FIELDS
                yield from _value_at(data, found.end(), code, whole_line=whole)
    for found in _QUOTED_NAME.finditer(data):
        if is_secret_name(found[2]):
            yield from _value_at(
                data, found.end(), code, string_only=data[found.end(2) + 1] == 0x2C
            )
    if b'\\"' in data:
        yield from in_escaped_json(data)


def in_escaped_json(data: bytes) -> Iterator[Secret]:
    """Find members with secret names in JSON that is a string of other JSON."""
    for found in _ESCAPED_NAME.finditer(data):
        if is_secret_name(found[2]):
            start = found.end()
            if found[3]:
                end = data.find(found[3], start)
            else:
                end = match_end(_ESCAPED_SCALAR, data, start)
                if data[start : start + 1] in _BRACKETS:  # to the end of the string that it is in
                    end = data.find(b'"', start)
            yield Secret(start, len(data) if end < 0 else end)
    for found in _ESCAPED_ARGUMENT.finditer(data):
        if is_secret_name(found[1]):
            end = data.find(found[2], found.end())
            yield Secret(found.end(), len(data) if end < 0 else end)


def _value_at(
    data: bytes,
    start: int,
    code: list[tuple[int, int]],
    *,
    whole_line: bool = False,
    string_only: bool = False,
    closed: bool = False,
) -> Iterator[Secret]:
    """Find the value that begins at `start`: a string, something in brackets, or a word.

    Args:
        data: the text.
        start: where the value begins.
        code: where in the text is source code, of which only strings are secret.
        whole_line: whether a value that is no string goes to the end of its line.
        string_only: whether nothing else than a string is taken for a value.
        closed: whether a comma or a closing bracket ends it.
    """
    string = _STRING_START.match(data, start)
    if string is not None:
        inner = string.end()
        end = match_end(_STRING_ENDS[string[1]], data, inner)
        yield Secret(inner, end, (unescaped(data[inner:end]),))
        return
    if string_only or any(first <= start < last for first, last in code):
        return
    if whole_line:
        end = data.find(b"\n", start)
        yield Secret(start, len(data) if end < 0 else end)
    elif data[start : start + 1] in _BRACKETS:
        end = data.find(_BRACKETS[data[start : start + 1]], start)
        yield Secret(start + 1, len(data) if end < 0 else end)
    else:
        word = (_ITEM if closed else _WORD).match(data, start)
        if word is not None:
            yield Secret(start, word.end())


# What is secret by its looks

_SCHEMES: Final = (b"basic", b"bearer", b"digest", b"negotiate", b"token")
_CREDENTIALS: Final = re.compile(
    rb"\b(?:basic|bearer|digest|negotiate|token)[ \t]{1,8}+(?=[^\s\"'<>]{0,64}[0-9=._])"
    rb"([A-Za-z0-9._~+/=-]{6,}+)",
    re.IGNORECASE,
)
_JSON_WEB_TOKEN: Final = re.compile(rb"\beyJ[\w-]{6,}+\.[\w-]++(?:\.[\w-]*+){0,3}")
_PRIVATE_KEY: Final = re.compile(
    rb"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY-----([^-]*+)(?:-----END|$)"
)


def in_credentials(data: bytes) -> Iterator[Secret]:
    """Find credentials after their scheme's name, JSON Web Tokens, and private keys in PEM."""
    lower = data.lower()
    if any(scheme in lower for scheme in _SCHEMES):
        for found in _CREDENTIALS.finditer(data):
            yield Secret(*found.span(1), basic_values(found[1]))
    if b"eyJ" in data:
        for found in _JSON_WEB_TOKEN.finditer(data):
            yield Secret(*found.span())
    if b"PRIVATE KEY-----" in data:
        for found in _PRIVATE_KEY.finditer(data):
            yield Secret(*found.span(1))


def basic_values(credentials: bytes) -> tuple[bytes, ...]:
    """Return what to look for elsewhere of the credentials of the Basic scheme: the password, and both with a colon."""
    try:
        pair = base64.b64decode(credentials + b"==")
    except (binascii.Error, ValueError):
        return ()
    password = pair.partition(b":")[2]
    return (pair, password) if password else ()


# Values, wherever they turn up again

_ESCAPE: Final = re.compile(rb"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def unescaped(text: bytes) -> bytes:
    """Return what a string of JSON or Python stands for, as UTF-8; what is no escape stays."""
    if b"\\" not in text:
        return text
    try:
        return str(json.loads(b'"' + text + b'"', strict=False)).encode("utf-8", "replace")
    except ValueError:
        return _ESCAPE.sub(_unescape, text)


def _unescape(found: re.Match[bytes]) -> bytes:
    escape = found[1]
    if len(escape) > 1:
        return chr(int(escape[1:], 16)).encode("utf-8", "replace")
    return _ESCAPED.get(escape, escape)


def values_of(data: bytes, secrets: list[Secret]) -> tuple[bytes, ...]:
    """Return the values of what was found in `data`, as they are and decoded."""
    return tuple(
        value for secret in secrets for value in (data[secret.start : secret.end], *secret.values)
    )


def forms_of(values: Iterable[bytes]) -> frozenset[bytes]:
    """Return values, and how they look percent-encoded, in HTML, in JSON, in a `repr`, in base64 and in hexadecimal.

    Values of less than `SHORTEST_VALUE_BYTES` are left out, and those behind the first `MOST_VALUES`.
    """
    forms: set[bytes] = set()
    for value in islice(values, MOST_VALUES):
        bare = value.strip(b" \t\r\n\"'")
        if (
            SHORTEST_VALUE_BYTES <= len(bare) <= LONGEST_VALUE_BYTES
            and bare.lower() not in _ORDINARY
        ):
            forms.update(_forms(bare))
    return frozenset(forms)


_THE_SAME_EVERYWHERE: Final = re.compile(rb"[0-9A-Za-z_.~-]*")
"""What URLs, HTML, JSON and Python write as it is."""

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def _forms(value: bytes) -> Iterator[bytes]:
    yield value
    if not _THE_SAME_EVERYWHERE.fullmatch(value):
        text = value.decode("utf-8", "replace")
        quoted = quote(value, safe="")
        for form in (
            quoted,
            quoted.replace("%20", "+"),
            quote(value),
            html.escape(text),
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            repr(text)[1:-1],
            repr(value)[2:-1],
        ):
            encoded = form.encode("utf-8", "surrogatepass")
            if len(encoded) >= SHORTEST_VALUE_BYTES:
                yield encoded
        lower = re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
        yield lower.encode()
    # What base64 makes of octets depends on where among three they are, and at both ends on their neighbours.
    for before, mixed in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(value)) * 8 // 6
        aligned = base64.b64encode(bytes(before) + value)[mixed:whole]
        if len(aligned) >= SHORTEST_VALUE_BYTES:
            yield aligned
            yield aligned.translate(_URL_SAFE)
    yield value.hex().encode()


def begun_in(data: bytes, forms: Collection[bytes]) -> list[bytes]:
    """Return those of `forms` of which `repeated` could find something in a part of `data`. PERF: 0.1 µs for each."""
    return [form for form in forms if form[:SHORTEST_VALUE_BYTES] in data]


def repeated(data: bytes, forms: Collection[bytes]) -> Iterator[Secret]:
    """Find all places where one of `forms` is, at the end of the octets also its beginning.

    PERF: 10 µs for 64 KiB and one form.
    """
    for form in forms:
        start = data.find(form)
        while start >= 0:
            yield Secret(start, start + len(form))
            start = data.find(form, start + len(form))
        # What is kept may end within it.
        start = data.find(form[:SHORTEST_VALUE_BYTES], max(len(data) - len(form) + 1, 0))
        while start >= 0 and not form.startswith(data[start:]):
            start = data.find(form[:SHORTEST_VALUE_BYTES], start + 1)
        if start >= 0:
            yield Secret(start, len(data))


def shifted(secrets: Iterable[Secret], by: int) -> Iterator[Secret]:
    """Move secrets: what was found in a part, as it is in the whole."""
    for secret in secrets:
        yield secret._replace(start=secret.start + by, end=secret.end + by)


def match_end(pattern: re.Pattern[bytes], data: bytes, start: int) -> int:
    """Return where the match of `pattern` at `start` ends; `start` without one."""
    found = pattern.match(data, start)
    return start if found is None else found.end()
