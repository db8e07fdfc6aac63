"""Finds secrets in heads and trailers, line by line.

This parses nothing: a message that was refused has no fields, and its secrets are no less secret. Lines end where a
line feed is, a name ends at a colon if there is one, and where a line is broken the rest of it is hidden when anything
before says that it might be secret.
"""

import re
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from ..http.secrets import is_secret_field
from .secret_text import (
    Secret,
    basic_values,
    decoded_secret,
    in_credentials,
    in_encoded,
    in_text,
    in_urls,
    is_secret_name,
    userinfo,
)


class Line(NamedTuple):
    """A line of a head with those that are folded onto it; offsets count from the first byte looked at."""

    start: int
    name_end: int
    """Where the colon is; the same as `start` when there is none."""
    end: int
    """Where the CR LF, or the LF, begins."""


_LINE: Final = re.compile(rb"([^\n]*+)(?:\n|$)")
_SPECIAL: Final = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FIRST_WORD: Final = re.compile(rb"[^A-Za-z0-9]*+([A-Za-z0-9_-]{2,64}+)[^A-Za-z0-9_\-]")


def lines_of(data: bytes, start: int, end: int) -> list[Line]:
    """Take the lines between two offsets apart; a line that begins with white space belongs to the one before.

    An empty line ends nothing here: it is left out.
    """
    lines: list[Line] = []
    for found in _LINE.finditer(data, start, end):
        first, last = found.span(1)
        if last > first and data[last - 1] == 0x0D:
            last -= 1
        if last == first:
            continue
        if data[first] in b" \t" and lines:
            lines[-1] = lines[-1]._replace(end=last)
            continue
        colon = data.find(b":", first, last)
        lines.append(Line(first, max(colon, first), last))
    return lines


def in_lines(data: bytes, start: int, end: int) -> Iterator[Secret]:
    """Find the secrets in all field lines between two offsets."""
    before = b""  # lines without a colon: a name may have been cut in two
    hidden = (
        False  # whether the line before was secret: what has no colon may be the rest of its value
    )
    for line in lines_of(data, start, end):
        if line.name_end == line.start:
            hidden = yield from _in_broken_line(data, line, hidden=hidden)
            before = data[line.start : line.end][-64:] if not hidden else b""
            continue
        name = _SPECIAL.sub(b"", data[line.start : line.name_end])
        if not is_secret_line(name) and before and is_secret_line(_SPECIAL.sub(b"", before + name)):
            name = b"authorization"
        before = b""
        hidden = is_secret_line(name)
        yield from in_field(name, data, line.name_end + 1, line.end)
        if not hidden and _SPECIAL.search(data, line.start, line.name_end):
            # Not a name that a field can have: what looks like one may be anything.
            yield from _shifted(in_text(data[line.start : line.end]), line.start)


def is_secret_line(name: bytes) -> bool:
    """Tell whether the value of a field with this name is secret."""
    return is_secret_name(name) or is_secret_field(name.decode("latin-1"))


def _in_broken_line(data: bytes, line: Line, *, hidden: bool) -> Generator[Secret, None, bool]:
    """Find what may be secret in a line without a colon; return whether all of it may."""
    text = data[line.start : line.end]
    word = _FIRST_WORD.match(text)
    if word is not None and is_secret_line(word[1]):
        yield from in_field(b"authorization", data, line.start + word.end(), line.end)
        return True
    if hidden:
        yield Secret(line.start, line.end)
        return True
    yield from _shifted(in_text(text), line.start)
    return is_secret_line(_SPECIAL.sub(b"", text)[-64:])


def _shifted(secrets: Iterator[Secret], by: int) -> Iterator[Secret]:
    for secret in secrets:
        yield secret._replace(start=secret.start + by, end=secret.end + by)


# Values of fields

_SCHEME: Final = re.compile(
    rb"[ \t]*(?:aws4-hmac-sha256|basic|bearer|digest|dpop|gnap|hawk|hoba|mutual|negotiate|ntlm|scram-sha-[0-9]+|token"
    rb"|vapid)[ \t]+",
    re.IGNORECASE,
)
_AT: Final = re.compile(rb"([^\s/?#@]{1,1024}+)@")
# Lists of names, which are no secrets, and policies, which name features.
_NAMES_ONLY: Final = frozenset(
    b"permissions-policy feature-policy content-security-policy vary www-authenticate proxy-authenticate".split()
)


def in_field(name: bytes, data: bytes, start: int, end: int) -> Iterator[Secret]:
    """Find the secrets in a field value, which is between two offsets."""
    lower = name.lower()
    if lower in (b"cookie", b"set-cookie", b"cookie2", b"set-cookie2"):
        yield from _in_cookies(data, start, end, answered=lower.startswith(b"set-"))
    elif is_secret_line(lower):
        scheme = _SCHEME.match(data, start, end)
        first = start if scheme is None else scheme.end()
        value = data[first:end].strip()
        basic = scheme is not None and scheme[0].strip().lower() == b"basic"
        yield Secret(first, end, (value, *(basic_values(value) if basic else ())))
    else:
        value = data[start:end]
        if lower in (b"host", b"x-forwarded-host", b"forwarded", b"via") and b"@" in value:
            for found in _AT.finditer(value):
                yield userinfo(data, start + found.start(), start + found.end(1))
        if lower == b"sec-websocket-protocol" and any(map(is_secret_name, value.split(b","))):
            yield Secret(start, end, tuple(map(bytes.strip, value.split(b","))))
        elif lower in _NAMES_ONLY:
            yield from _shifted(in_urls(value), start)
        elif b"=" in value or b"@" in value or b"eyJ" in value or b" " in value.strip():
            yield from _shifted(in_text(value), start)
        elif value.count(b".") > 1 or b":" in value:
            yield from _shifted(in_credentials(value), start)


_COOKIE: Final = re.compile(rb"[^;]+")
# RFC 6265 §4.1.1, RFC 6265bis, CHIPS; a value in which another cookie could be hidden is not let through.
_ATTRIBUTE: Final = re.compile(
    rb"\s*(?:expires|max-age|domain|path|samesite|priority|secure|httponly|partitioned|version)\s*(?:=[^=]*)?",
    re.IGNORECASE,
)


def _in_cookies(data: bytes, start: int, end: int, *, answered: bool) -> Iterator[Secret]:
    """Find the values of cookies; names stay, and in Set-Cookie what says how long and where one is good."""
    for number, found in enumerate(_COOKIE.finditer(data, start, end)):
        if answered and number and _ATTRIBUTE.fullmatch(found[0]):
            continue
        equals = data.find(b"=", *found.span())
        # A cookie without a name is all value.
        first = found.start() if equals < 0 else equals + 1
        value = data[first : found.end()].strip()
        if value:
            bare = value.strip(b'"')
            secret = decoded_secret(bare, 0, len(bare))
            yield Secret(first, found.end(), (bare, *secret.values))


# Request lines and status lines

_STATUS_LINE: Final = re.compile(rb"HTTP/[0-9.]+ [0-9]{3}")
_SECRET_WORD: Final = re.compile(rb"[?&;#]([^?&;#=]{1,200}+)=")
_BARE_AUTHORITY: Final = re.compile(rb"[^\s/?#]*@")  # tried at one place only


def in_request_line(data: bytes, start: int, end: int) -> Iterator[Secret]:
    """Find the secrets in the target of a request line, also of one that is broken.

    The value of a secret parameter goes to the next ``&``, whatever is in it.
    """
    version = data.rfind(b" HTTP/", start, end)
    last = end if version < 0 else version
    target = data.find(b" ", start, last) + 1 or start
    if b"@" in data[target:last]:
        bare = _BARE_AUTHORITY.match(data, target, last)
        if bare is not None and b"//" not in bare[0]:  # CONNECT
            yield userinfo(data, target, bare.end() - 1)
    yield from _shifted(in_urls(data[start:last]), start)
    for found in _SECRET_WORD.finditer(data, target, last):
        value_end = data.find(b"&", found.end(), last)
        value_end = last if value_end < 0 else value_end
        if is_secret_name(found[1]):
            yield decoded_secret(data, found.end(), value_end)
        else:
            yield from in_encoded(data, found.end(), value_end, 0)


def path_of(data: bytes, start: int, end: int) -> int:
    """Return where the path of the target in a request line begins; `end` where there is none."""
    target = data.find(b" ", start, end) + 1 or start
    scheme = data.find(b"//", target, end)
    slash = data.find(b"/", target if scheme < 0 or scheme == target else scheme + 2, end)
    return end if slash < 0 else slash


def reason_of(data: bytes, start: int, end: int) -> int:
    """Return where the reason phrase of a status line begins, or `start` if it is no status line."""
    found = _STATUS_LINE.match(data, start, end)
    return start if found is None else found.end()
