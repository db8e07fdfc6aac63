"""Request targets and the authority in them (RFC 9112 §3.2, RFC 3986 §3.2)."""

from typing import NamedTuple

from ..errors import ProtocolError
from ..head import TargetForm
from .grammar import (
    ABSOLUTE_TARGET,
    HEXTET,
    IP_LITERAL_AUTHORITY,
    IPV4,
    REG_NAME_AUTHORITY,
)

MAX_PORT = 65535


class Target(NamedTuple):
    """A request target taken apart. `authority` is None where the form has none of its own."""

    form: TargetForm
    path: bytes
    query: bytes
    authority: bytes | None


def is_ipv6_address(text: bytes) -> bool:
    """Tell whether `text` is an IPv6 address as RFC 3986 §3.2.2 writes it, without a zone."""
    groups_wanted = 8
    left, gap, right = text.partition(b"::")
    if gap and b"::" in right:
        return False
    groups = [group for side in (left, right) if side for group in side.split(b":")]
    if groups and b"." in groups[-1] and (right or not gap):
        if IPV4.fullmatch(groups.pop()) is None:
            return False
        groups_wanted = 6
    if any(HEXTET.fullmatch(group) is None for group in groups):
        return False
    # "::" stands for at least one group of zeros.
    return len(groups) < groups_wanted if gap else len(groups) == groups_wanted


def authority_fault(authority: bytes) -> str | None:
    """Say what is wrong with `authority` as ``uri-host [":" port]``, or None when it is valid."""
    if not authority or authority.startswith(b":"):
        return "names no host"
    if authority.startswith(b"["):
        match = IP_LITERAL_AUTHORITY.fullmatch(authority)
        if match is None or not is_ipv6_address(match[1]):
            return "is not an IPv6 address in brackets, with a port after a colon if any"
    else:
        match = REG_NAME_AUTHORITY.fullmatch(authority)
        if match is None:
            return "is not a host name or address, with a port after a colon if any"
    port = match[2]
    if port and int(port) > MAX_PORT:
        return f"has a port above {MAX_PORT}"
    return None


def parse_target(method: bytes, target: bytes, offset: int) -> Target:
    """Take a request target apart by the form its method and its beginning call for.

    Args:
        method: the method token as sent; CONNECT takes authority-form and nothing else.
        target: visible ASCII without ``#``.
        offset: where the target begins, for the error.

    Raises:
        ProtocolError: the target has none of the four forms, or not the one that its method needs.
    """
    if method == b"CONNECT":
        return _parse_authority_form(target, offset)
    if target.startswith(b"/"):
        path, _, query = target.partition(b"?")
        return Target("origin", path, query, None)
    if target == b"*":
        if method != b"OPTIONS":
            raise ProtocolError(
                "The request target is an asterisk, which only the method OPTIONS may use.",
                section="RFC 9112 §3.2.4",
                offset=offset,
            )
        return Target("asterisk", b"*", b"", None)
    return _parse_absolute_form(method, target, offset)


def _parse_authority_form(target: bytes, offset: int) -> Target:
    fault = authority_fault(target)
    if fault is None and (target.endswith(b":") or b":" not in target.rpartition(b"]")[2]):
        fault = "has no port"
    if fault is not None:
        raise ProtocolError(
            f"A CONNECT request's target must be host:port, but this one {fault}.",
            section="RFC 9112 §3.2.3",
            offset=offset,
        )
    return Target("authority", b"", b"", target)


def _parse_absolute_form(method: bytes, target: bytes, offset: int) -> Target:
    match = ABSOLUTE_TARGET.fullmatch(target)
    if match is None:
        raise ProtocolError(
            "The request target begins with neither a slash nor http:// or https://.",
            section="RFC 9112 §3.2",
            offset=offset,
        )
    authority, path, query = match.groups(b"")
    fault = authority_fault(authority)
    if fault is not None:
        raise ProtocolError(
            f"The host in the request target {fault}.",
            section="RFC 9112 §3.2.2",
            offset=offset + match.start(1),
        )
    if not path:
        # RFC 9112 §3.2.4: OPTIONS for a URI without path and query is about the server, as with `*`.
        path = b"*" if method == b"OPTIONS" and match[3] is None else b"/"
    return Target("absolute", path, query, authority)
