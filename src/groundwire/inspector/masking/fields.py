"""Finds secrets in the parts of a head: in field values, cookies, URLs, and request lines."""

import re
from collections.abc import Iterator
from typing import Final

from ...http.secrets import is_secret_field
from .text import (
    Secret,
    basic_values,
    decoded_secret,
    in_credentials,
    in_encoded,
    in_text,
    in_urls,
    is_secret_name,
    match_end,
    shifted,
    userinfo,
    userinfo_start,
)


def is_secret_field_name(name: bytes) -> bool:
    """Tell whether the value of a field with this name is secret."""
    return is_secret_name(name) or is_secret_field(name.decode("latin-1"))


# Values of fields

_SCHEME: Final = re.compile(
    rb"[ \t]*(?:aws4-hmac-sha256|basic|bearer|digest|dpop|gnap|hawk|hoba|mutual|negotiate|ntlm|scram-sha-[0-9]+|token"
    rb"|vapid)[ \t]+",
    re.IGNORECASE,
)
# What credentials with parameters prove something by: Digest, OAuth 1, Hawk, AWS.
_PROOF: Final = re.compile(
    rb"(?:response|mac|token|signature|credential)=(?:\"([^\"]*)|([^\s,\"]+))", re.IGNORECASE
)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BROKEN: Final = re.compile(rb"[\x00-\x20\x7f]")
_HOSTS: Final = frozenset(b"host x-forwarded-host forwarded via".split())
_URLS: Final = frozenset(
    b"referer referrer location content-location refresh destination x-original-url x-rewrite-url origin".split()
)
"""Fields that are a URL from their beginning, or from somewhere, to their end."""
# Lists of names, which are no secrets, and policies, which name features.
_NAMES_ONLY: Final = frozenset(
    b"permissions-policy feature-policy content-security-policy vary www-authenticate proxy-authenticate".split()
)


def in_field(name: bytes, data: bytes, start: int, end: int) -> Iterator[Secret]:
    """Find the secrets in a field value, which is between two offsets."""
    lower = name.lower()
    if lower in (b"cookie", b"set-cookie", b"cookie2", b"set-cookie2"):
        yield from _in_cookies(data, start, end, answered=lower.startswith(b"set-"))
    elif is_secret_field_name(lower):
        scheme = _SCHEME.match(data, start, end)
        first = start if scheme is None else scheme.end()
        value = data[first:end].strip()
        values = [found[1] or found[2] for found in _PROOF.finditer(value)]
        if scheme is not None and scheme[0].strip().lower() == b"basic":
            values += basic_values(value)
        yield Secret(first, end, (value, *values))
    else:
        value = data[start:end]
        if lower in _URLS:
            yield from in_url(data, start, end)
        at = value.rfind(b"@")
        if at > 0 and (lower in _HOSTS or _CONTROL.search(value)):
            yield userinfo(data, userinfo_start(data, start, start + at), start + at)
        if lower == b"sec-websocket-protocol" and any(map(is_secret_name, value.split(b","))):
            yield Secret(start, end, tuple(map(bytes.strip, value.split(b","))))
        elif lower in _NAMES_ONLY:
            yield from shifted(in_urls(value), start)
        elif b"=" in value or b"@" in value or b"eyJ" in value or b" " in value.strip():
            yield from shifted(in_text(value), start)
        elif value.count(b".") > 1 or b":" in value:
            yield from shifted(in_credentials(value), start)


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


# URLs that are all there is, request lines and status lines

_STATUS_LINE: Final = re.compile(rb"HTTP/[0-9.]+ [0-9]{3}")
_VALUE_NAME: Final = re.compile(rb"[?&;#]([^?&;#=]{1,200}+)=")
_BROKEN_PAIR: Final = re.compile(
    rb"[?&;#]([^?&;#=:\x00-\x20\x7f-\xff]{1,200}+)[:\x00-\x20\x7f-\xff]"
)
_TO_AMPERSAND: Final = re.compile(rb"[^&]*")
_NO_NAME: Final = re.compile(rb"[\x00-\x20\x7f-\xff]")
_AUTHORITY_END: Final = re.compile(rb"[/?#]")
_BARE_AUTHORITY: Final = re.compile(rb"[^\s/?#]*@")  # tried at one place only
_CUT_PASSWORD: Final = re.compile(rb"[^:@\[]*:(?![0-9]{0,5}$)")
_VERSION_NAME: Final = b"HTTP/1.1"
_VERSION: Final = re.compile(rb" HTTP/[0-9.]*")


def in_url(data: bytes, start: int, end: int) -> Iterator[Secret]:
    """Find userinfo and the values of secret parameters where nothing but a URL is, also one that is broken.

    White space and quotation marks end nothing here: userinfo goes to the last ``@`` of the authority, and a value to
    the next ``&``. A name with octets that no URL has is taken for secret, for it may have been one.
    """
    slashes = data.find(b"//", start, end)
    if slashes >= 0:
        authority = slashes + 2
        found = _AUTHORITY_END.search(data, authority, end)
        authority_end = end if found is None else found.start()
        at = data.rfind(b"@", authority, authority_end)
        text = data[authority:authority_end]
        if at > 0:
            yield userinfo(data, authority, at)
        elif _CUT_PASSWORD.match(text) and (authority_end == end or _BROKEN.search(text.strip())):
            yield userinfo(data, authority, authority_end)
    elif _BROKEN.search(data[start:end].strip()) or data[start:end].lstrip()[:1] != b"/":
        at = data.rfind(b"@", start, end)
        if at >= 0:
            yield userinfo(data, data.find(b":", start, at) + 1 or start, at)
    for found in _BROKEN_PAIR.finditer(data, start, end):
        if is_secret_name(found[1]):
            yield Secret(found.end(), match_end(_TO_AMPERSAND, data[:end], found.end()))
    for found in _VALUE_NAME.finditer(data, start, end):
        value_end = data.find(b"&", found.end(), end)
        value_end = end if value_end < 0 else value_end
        if _NO_NAME.search(found[1].lstrip()) or is_secret_name(found[1]):
            yield decoded_secret(data, found.end(), value_end)
        else:
            question_mark = data.find(b"?", found.end(), value_end)
            encoded_end = value_end if question_mark < 0 else question_mark
            yield from in_encoded(data, found.end(), encoded_end, 0)


def in_request_line(data: bytes, start: int, end: int) -> Iterator[Secret]:
    """Find the secrets in the target of a request line, also of one that is broken; the version stays."""
    target = data.find(b" ", start, end) + 1 or start
    last, behind = _version_of(data, target, end)
    if b"@" in data[target:last]:
        bare = _BARE_AUTHORITY.match(data, target, last)
        if bare is not None and b"//" not in bare[0]:  # CONNECT
            yield userinfo(data, target, bare.end() - 1)
    elif last == len(data) and _CUT_PASSWORD.match(data[target:last]) and b"/" not in data[target:]:
        yield userinfo(data, target, last)
    yield from shifted(in_credentials(data[target:last]), target)
    url_end = last if behind == end or _VERSION.fullmatch(data, last, end) else end
    for secret in (*shifted(in_urls(data[start:last]), start), *in_url(data, target, url_end)):
        yield secret._replace(end=min(secret.end, last))
        if secret.end > behind:
            yield Secret(behind, secret.end)


def _version_of(data: bytes, target: int, end: int) -> tuple[int, int]:
    """Return where the white space before the HTTP version begins, and where ends what is right of it."""
    space = data.rfind(b" HTTP/", target, end)
    if space < 0:
        space = data.rfind(b" H", target, end)
    if space < 0:
        return end, end
    behind = space + 1
    for octet in _VERSION_NAME:
        if behind == end or data[behind] != octet:
            break
        behind += 1
    return space, behind


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


def match_start(pattern: re.Pattern[bytes], data: bytes, start: int, end: int) -> int:
    """Return where the first match of `pattern` between two offsets begins; `end` without one."""
    found = pattern.search(data, start, end)
    return end if found is None else found.start()
