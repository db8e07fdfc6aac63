"""Cookies: reading Cookie and writing Set-Cookie (RFC 6265, with the additions of its revision 6265bis)."""

import re
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from .dates import http_date
from .field_values import OWS, is_token
from .multidict import MultiDict

_is_plain_value = re.compile(r"[!#-+\--:<-\[\]-~]*").fullmatch
"""Matches what RFC 6265 §4.1.1 lets stand without quotes: printable ASCII but space, ``"``, ``,``, ``;`` and ``\\``."""

_TO_ESCAPE = re.compile(rb'[\x00-\x1f",;\\\x7f-\xff]')
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)
_is_attribute_value = re.compile(r"[\x20-:<-~]*").fullmatch
_has_control = re.compile(r"[\x00-\x1f\x7f]").search
_is_domain = re.compile(r"[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\]").fullmatch
_PATH_SAFE = "%!$&'()*+,/:=@"
_SAME_SITE = frozenset({"Strict", "Lax", "None"})

MAX_COOKIE_BYTES = 4093
"""What every browser stores of one cookie with its attributes; larger ones may vanish silently."""


def parse_cookie(
    header: Mapping[str, Any] | str | None,
    cls: type[MultiDict[str, str]] | None = None,
) -> MultiDict[str, str]:
    """Return the cookies of a Cookie field value, or of a WSGI environ, in order; of two alike the first counts.

    Names and values are UTF-8 (malformed sequences become U+FFFD); quoted values are unquoted. A piece without ``=`` is
    a name with an empty value, a piece without a name is left out. Takes time linear in the length.

    A semicolon ends a cookie within quotes too, as in browsers (RFC 6265bis §5.6): else a page that can set one cookie
    can have a quote of it swallow the cookies after it, and read back what scripts must not see.
    """
    text: str | None = header.get("HTTP_COOKIE") if isinstance(header, Mapping) else header
    pairs: list[tuple[str, str]] = []
    for piece in _as_utf8(text).split(";") if text else ():
        name, _, value = piece.partition("=")
        name = name.strip(OWS)
        if name:
            pairs.append((name, _unquote(value.strip(OWS))))
    return (MultiDict if cls is None else cls)(pairs)


def _as_utf8(header: str) -> str:
    """Read text that was decoded as ISO-8859-1, as fields are, as the UTF-8 it is in."""
    if header.isascii():
        return header
    try:
        return header.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return header


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    value = value[1:-1]
    if "\\" not in value:
        return value
    return _ESCAPE.sub(_unescape, value.encode()).decode("utf-8", "replace")


def _unescape(match: re.Match[bytes]) -> bytes:
    escaped = match[1]
    return bytes((int(escaped, 8),)) if len(escaped) == 3 else escaped


def _quote(value: str) -> str:
    """Write a value that is not plain: quoted, with octal escapes, which `http.cookies` and every Flask understands."""
    if _is_plain_value(value):
        return value
    return f'"{_TO_ESCAPE.sub(_escape, value.encode()).decode("ascii")}"'


def _escape(match: re.Match[bytes]) -> bytes:
    octet = match[0]
    return b"\\" + octet if octet in b'"\\' else b"\\%03o" % octet[0]


def dump_cookie(
    key: str,
    value: str = "",
    max_age: timedelta | int | None = None,
    expires: str | datetime | float | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    sync_expires: bool = True,
    max_size: int = MAX_COOKIE_BYTES,
    samesite: str | None = None,
    partitioned: bool = False,
) -> str:
    """Return a Set-Cookie field value. Warns when it is longer than browsers keep.

    Args:
        key: the name, a token.
        value: any text; what cannot stand as it is gets quoted and escaped.
        max_age: how long the cookie lives, in seconds. Without it, until the browser is closed.
        expires: when it ends; a number counts seconds since 1970.
        path: where it is sent to, and below; None for the directory of the request.
        domain: the host, and those below, it is sent to; None for the very host it came from.
        secure: sent by HTTPS only.
        httponly: hidden from scripts.
        sync_expires: with `max_age`, say the same in `expires` too.
        max_size: warn beyond this many octets; 0 never.
        samesite: ``Strict``, ``Lax`` or ``None``, in any case.
        partitioned: kept apart for each top-level site; implies `secure`.

    Raises:
        ValueError: the name is no token; path, domain or expires have characters that would end the attribute or the
            line; `samesite` is none of the three; or a name that starts with ``__Secure-`` or ``__Host-`` lacks what
            browsers then insist on (RFC 6265bis §4.1.3).
    """
    if is_token(key) is None:
        raise ValueError(f"not a cookie name (RFC 6265 §4.1.1 wants a token): {key[:100]!r}")
    secure = secure or partitioned
    domain = _domain(domain) if domain else None
    if path is not None:
        if _has_control(path):
            raise ValueError(f"cookie {key!r}: control character in the path {path[:100]!r}")
        path = quote(path, safe=_PATH_SAFE)
    if samesite is not None:
        samesite = samesite.title()
        if samesite not in _SAME_SITE:
            raise ValueError("SameSite must be 'Strict', 'Lax', or 'None'.")
    _check_prefix(key, secure=secure, domain=domain, path=path)
    if isinstance(max_age, timedelta):
        max_age = int(max_age.total_seconds())
    attributes: list[tuple[str, object]] = [
        ("Domain", domain),
        ("Expires", _expires(key, expires, max_age if sync_expires else None)),
        ("Max-Age", max_age),
        ("Secure", secure),
        ("HttpOnly", httponly),
        ("Path", path),
        ("SameSite", samesite),
        ("Partitioned", partitioned),
    ]
    parts = [f"{key}={_quote(value)}"]
    for name, content in attributes:
        if content is True:
            parts.append(name)
        elif content is not None and content is not False:
            parts.append(f"{name}={content}")
    field_value = "; ".join(parts)
    if max_size and len(field_value) > max_size:
        warnings.warn(
            f"The {key!r} cookie is too large: it has {len(field_value)} bytes, {len(value)} of them its value, and"
            f" the limit is {max_size} bytes. Browsers may silently ignore larger ones.",
            stacklevel=2,
        )
    return field_value


def _domain(domain: str) -> str:
    """Return a domain attribute in IDNA, without port and leading dots (which RFC 6265 §5.2.3 has ignored)."""
    name = domain.partition(":")[0].lstrip(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError(f"not a cookie domain: {domain[:100]!r}") from error
    if _is_domain(name) is None:
        raise ValueError(f"not a cookie domain: {domain[:100]!r}")
    return name


def _expires(key: str, expires: str | datetime | float | None, max_age: int | None) -> str | None:
    if isinstance(expires, str):
        if _is_attribute_value(expires) is None:
            raise ValueError(f"cookie {key!r}: {expires[:100]!r} cannot be sent as Expires")
        return expires
    if expires is not None:
        return http_date(expires)
    if max_age is None:
        return None
    try:
        return http_date(datetime.now(UTC) + timedelta(seconds=max_age))
    except OverflowError:
        # A lifetime beyond the year 9999: Max-Age says it alone.
        return None


def _check_prefix(key: str, *, secure: bool, domain: str | None, path: str | None) -> None:
    prefix = key[:9].lower()
    if not prefix.startswith(("__secure-", "__host-")):
        return
    if not secure:
        raise ValueError(f"cookie {key!r}: its prefix demands secure=True (RFC 6265bis §4.1.3)")
    if prefix.startswith("__host-") and (domain is not None or path != "/"):
        raise ValueError(
            f"cookie {key!r}: __Host- demands path='/' and no domain (RFC 6265bis §4.1.3.2)"
        )
