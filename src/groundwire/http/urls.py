"""Paths, queries, hosts and URLs: percent-encoding and its undoing (RFC 3986, RFC 3987, WHATWG URL).

Every function here takes time linear in the length of what it is given.
"""

import codecs
import re
from binascii import a2b_qp
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes, urlsplit, urlunsplit

from .multidict import iterate_pairs

QUERY_FIELDS_LIMIT = 1000
"""Fields of one query or urlencoded form. Django and PHP allow 1,000."""

# RFC 3986 §2.2 and §2.3: what a URI may hold, so that only the rest is encoded. "%" stays: it is an encoding already.
_PATH_SAFE = "%!#$&'()*+,/:;=@"
_QUERY_SAFE = "%!#$&'()*+,/:;=?@"
_QUERY_ITEM_SAFE = "!$'()*,/:;?@"
_USER_SAFE = "%!$&'()*+,;="


class FieldLimitExceeded(ValueError):
    """A query or form has more fields than allowed."""


class UntrustedHost(ValueError):
    """The host of a request is malformed, or none of those that are trusted."""


def _keep_encoded(error: UnicodeError) -> tuple[str, int]:
    """Write octets that are no UTF-8 as ``%XX``, as they came: nothing is lost, and two names do not become one."""
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    return "".join(f"%{octet:02X}" for octet in bad), error.end


KEEP_ENCODED = "groundwire.keep_encoded"
"""Error handler for `bytes.decode`: octets that are no UTF-8 stay percent-encoded, as Flask leaves them."""

codecs.register_error(KEEP_ENCODED, _keep_encoded)


def percent_decode(text: str) -> bytes:
    """Return the octets that percent-encoded text stands for; a ``%`` without two hex digits stays.

    PERF: quoted-printable (RFC 2045 §6.7) differs only in its escape character, and is decoded in C: 512 KiB of ``%41``
    take 8 ms where `urllib.parse.unquote_to_bytes` takes 70, and a short name 0.7 µs instead of 1.
    """
    if "%" not in text:
        return text.encode()
    escaped = _STRAY_PERCENT.sub(b"%25", text.encode())
    return a2b_qp(escaped.replace(b"=", b"=3D").replace(b"%", b"="))


_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def percent_encode(data: bytes | str, safe: str = "") -> str:
    """Percent-encode everything but letters, digits, ``-._~`` and the ASCII characters of `safe`."""
    return quote(data, safe=safe)


def decode_path(path: str) -> str:
    """Decode the path of a request target: percent-encoding once, then UTF-8, malformed sequences as U+FFFD.

    Octets above 127 that came unencoded, read as ISO-8859-1, are taken for UTF-8 too; so is text that no octets gave.
    """
    if "%" not in path and path.isascii():
        return path
    try:
        octets = path.encode("latin-1")
    except UnicodeEncodeError:
        octets = path.encode("utf-8", "replace")
    return unquote_to_bytes(octets).decode("utf-8", "replace")


def parse_query(query: str, limit: int = QUERY_FIELDS_LIMIT) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of a query or urlencoded form, in order (WHATWG URL §5.1).

    ``+`` is a space; a name without ``=`` has an empty value; empty pieces between two ``&`` are passed over. Octets
    that are no UTF-8 stay percent-encoded (as in Flask since 2.3).

    Raises:
        FieldLimitExceeded: there are more than `limit` fields.
    """
    if not query:
        return []
    if query.count("&") >= limit and sum(1 for piece in query.split("&") if piece) > limit:
        raise FieldLimitExceeded(f"more than {limit} fields")
    encoded = "%" in query or "+" in query
    pairs: list[tuple[str, str]] = []
    for piece in query.split("&"):
        if piece:
            name, _, value = piece.partition("=")
            pairs.append((_decode_field(name), _decode_field(value)) if encoded else (name, value))
    return pairs


def _decode_field(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    octets = percent_decode(text)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        # As with KEEP_ENCODED, which would call back for each octet: 0.2 s for a hostile form of 512 KiB.
        return octets.decode("utf-8", "surrogateescape").translate(_ESCAPED_OCTETS)


_ESCAPED_OCTETS = {0xDC00 + octet: f"%{octet:02X}" for octet in range(0x80, 0x100)}


def build_query(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    """Return the query of (name, value) pairs. A list as value stands for several fields; None leaves a field out."""
    return "&".join(
        f"{quote_plus(str(name), safe=_QUERY_ITEM_SAFE)}={quote_plus(_text(value), safe=_QUERY_ITEM_SAFE)}"
        for name, value in iterate_pairs(fields)
        if value is not None
    )


def _text(value: Any) -> str | bytes:
    return value if isinstance(value, (str, bytes)) else str(value)


# IRI and URI


def iri_to_uri(iri: str) -> str:
    """Return the URI of an IRI (RFC 3987 §3.1): the host in IDNA, the rest in percent-encoded UTF-8.

    What is encoded already stays as it is, so that this may be applied twice. Scheme and host, which have no case, are
    written small (RFC 3986 §6.2.2.1).
    """
    if _only_uri_characters(iri) is not None and _has_capitals(iri) is None:
        return iri
    parts = urlsplit(_CONTROLS.sub(lambda match: f"%{ord(match[0]):02X}", iri))
    uri = urlunsplit(
        (
            parts.scheme,
            _encode_authority(parts.netloc),
            quote(parts.path, safe=_PATH_SAFE),
            quote(parts.query, safe=_QUERY_SAFE),
            quote(parts.fragment, safe=_QUERY_SAFE),
        )
    )
    # urlunsplit drops an authority that is there but empty ("file:///…" keeps it, "itms-services://?…" does not).
    prefix = f"{parts.scheme}://"
    if parts.scheme and iri.startswith(prefix) and not uri.startswith(prefix):
        uri = uri.replace(":", "://", 1)
    return uri


# Encoded before anything else: urlsplit() drops them, which would join what they keep apart.
_CONTROLS = re.compile(r"[\x00-\x20\x7f]")
_has_capitals = re.compile(
    r"[a-z0-9+.\-]*[A-Z][A-Za-z0-9+.\-]*: | (?:[A-Za-z][A-Za-z0-9+.\-]*:)?//(?:[^/?\#@]*@)?[^/?\#]*[A-Z]",
    re.VERBOSE,
).match
_only_uri_characters = re.compile(r"[A-Za-z0-9\-._~%!#$&'()*+,/:;=?@]*").fullmatch


def _encode_authority(netloc: str) -> str:
    user, at, host_port = netloc.rpartition("@")
    host, port = split_host(host_port)
    host = host.lower()
    encoded = host if host.isascii() else _idna_or_quoted(host)
    if at:
        name, colon, password = user.partition(":")
        user = quote(name, safe=_USER_SAFE) + colon + quote(password, safe=_USER_SAFE)
    return user + at + encoded + (f":{port}" if port else "")


def _idna_or_quoted(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return quote(host)


def uri_to_iri(uri: str) -> str:
    """Return the IRI of a URI (RFC 3987 §3.2), for people to read.

    Percent-encoded UTF-8 is decoded unless it stands for a character that would be read as a delimiter, is a control
    character or white space, or is no UTF-8.
    """
    # Nothing encoded, and no label of IDNA: it reads as it is.
    if "%" not in uri and "--" not in uri and _has_capitals(uri) is None:
        return uri
    parts = urlsplit(uri)
    user, at, host_port = parts.netloc.rpartition("@")
    host, port = split_host(host_port)
    authority = _read_user(user) + at + _from_idna(host.lower()) + (f":{port}" if port else "")
    return urlunsplit(
        (
            parts.scheme,
            authority,
            _read_path(parts.path),
            _read_query(parts.query),
            _read_fragment(parts.fragment),
        )
    )


def _from_idna(host: str) -> str:
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        return host


def _readable(delimiters: bytes) -> Callable[[str], str]:
    """Return a function that decodes all but control characters, space, ``%``, and what delimits that component."""
    kept = {*range(0x21), 0x7F, *b"%", *delimiters}
    octets = "|".join(f"{octet:02X}" for octet in range(256) if octet not in kept)
    runs = re.compile(f"(?:%(?:{octets}))+", re.IGNORECASE)

    def decode(text: str) -> str:
        return runs.sub(
            lambda match: unquote_to_bytes(match[0]).decode("utf-8", KEEP_ENCODED), text
        )

    return decode


_read_user = _readable(b"#/:?@")
_read_path = _readable(b"#/?")
_read_query = _readable(b"#&+=")
_read_fragment = _readable(b"")


# Hosts

_HOST = re.compile(
    r"""(?: (?P<name>[A-Za-z0-9\-._~%!$&'()*+,;=]+) | \[(?P<literal>[0-9A-Fa-f:.]+)\] ) (?: :(?P<port>[0-9]{0,5}) )?""",
    re.VERBOSE,
)
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


def split_host(host: str) -> tuple[str, str]:
    """Split ``host:port`` into the two, the port empty without one; an IPv6 literal keeps its brackets."""
    if host.startswith("["):
        literal, _, port = host.partition("]")
        return f"{literal}]", port.removeprefix(":")
    name, _, port = host.rpartition(":") if host.count(":") == 1 else (host, "", "")
    return name, port


def get_host(
    scheme: str,
    host_header: str | None,
    server: tuple[str, int | None] | None = None,
    trusted_hosts: Iterable[str] | None = None,
) -> str:
    """Return the host a request is for, with its port unless that is the default of `scheme`; empty if malformed.

    Args:
        scheme: ``http``, ``https``, ``ws`` or ``wss``.
        host_header: the value of Host, or the authority of the request target.
        server: (address, port) of the listener, used when there is no `host_header`; (path, None) of a Unix socket,
            which names no host.
        trusted_hosts: names that the host has to be one of (see `host_is_trusted`).

    Raises:
        UntrustedHost: it is none of `trusted_hosts`.
    """
    if host_header is not None:
        host = host_header
    elif server is not None and server[1] is not None:
        host = f"[{server[0]}]" if ":" in server[0] and server[0][0] != "[" else server[0]
        host = f"{host}:{server[1]}"
    else:
        host = ""
    if _HOST.fullmatch(host) is None:
        host = ""
    name, port = split_host(host)
    if not port or port == _DEFAULT_PORTS.get(scheme):
        host = name
    if trusted_hosts is not None and not host_is_trusted(host, trusted_hosts):
        raise UntrustedHost(f"Host {host[:100]!r} is not trusted.")
    return host


def host_is_trusted(hostname: str | None, trusted_list: Iterable[str]) -> bool:
    """Whether a host is in a list; an entry that starts with a dot stands for a name and everything below it.

    Ports are ignored, names compared in IDNA without case. (Werkzeug: ``host_is_trusted``.)
    """
    if not hostname:
        return False
    name = _comparable_host(hostname)
    if name is None or name.startswith(".") or ".." in name:
        return False
    for entry in [trusted_list] if isinstance(trusted_list, str) else trusted_list:
        below = entry.startswith(".")
        trusted = _comparable_host(entry[1:] if below else entry)
        if trusted is None:
            continue
        if name == trusted or (below and name.endswith(f".{trusted}")):
            return True
    return False


def _comparable_host(host: str) -> str | None:
    if host.isascii():
        if _HOST.fullmatch(host) is None:
            return None
        return split_host(host)[0].lower()
    try:
        return split_host(host)[0].encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None


def get_current_url(
    scheme: str,
    host: str,
    root_path: str | None = None,
    path: str | None = None,
    query_string: bytes | None = None,
) -> str:
    """Return the URL of a request from its parts, as an IRI to read (Flask's ``request.url`` and its like).

    Without `path` it is the root URL, without `root_path` the host's; both end in a slash. `root_path` and `path` are
    decoded, `query_string` is as it came.
    """
    url = f"{scheme}://{host}"
    if root_path is None:
        return uri_to_iri(f"{url}/")
    url += f"{quote(root_path.rstrip('/'), safe=_DECODED_PATH_SAFE)}/"
    if path is None:
        return uri_to_iri(url)
    url += quote(path.lstrip("/"), safe=_DECODED_PATH_SAFE)
    if query_string:
        url += "?" + quote(query_string, safe=_QUERY_SAFE.replace("#", ""))
    return uri_to_iri(url)


_DECODED_PATH_SAFE = "!$&'()*+,/:;=@%"


def safe_next(target: str | None, fallback: str = "/") -> str:
    r"""Return `target` if it is a path on this site, otherwise `fallback`: for ``?next=`` after a login.

    Refused is all that some browser takes for another origin: a scheme, ``//host``, ``/\host``, and any control
    character or white space, which browsers drop before they look.
    """
    if (
        not target
        or target[0] != "/"
        or "\\" in target
        or any(c <= " " or "\x7f" <= c <= "\xa0" for c in target)
    ):
        return fallback
    decoded = decode_path(target[:64])
    rest = "".join(c for c in decoded[1:] if c > " ")
    return fallback if rest.startswith(("/", "\\")) else target
