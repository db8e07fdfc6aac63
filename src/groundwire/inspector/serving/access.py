"""Who may see the wire: whoever sits at this machine, or has the token.

What is not let in here reaches the application as if there were no inspector, so that nobody learns of it by asking.
What is let in may still not be done: a page of another site can have this browser send requests, though it could not
read the answers. `objection` is about those.
"""

import hashlib
import hmac
import ipaddress
from typing import Any, Final, NamedTuple

from ...http.cookies import dump_cookie, parse_cookie
from ...http.exchange import Exchange
from ...http.request import Request
from ...http.urls import parse_query
from ...protocol.head import RequestHead
from ..recording.connections import PREFIX

COOKIE: Final = "groundwire-wire"
"""Whoever has shown the token once is known by it."""

SHOWN_AS: Final = "token"
"""The query parameter that has the token, once."""

FORWARDING_FIELDS: Final = frozenset(
    {
        *(b"forwarded", b"via", b"client-ip", b"true-client-ip", b"fastly-client-ip"),
        *(
            b"cf-connecting-ip",
            b"cf-connecting-ipv6",
            b"x-real-ip",
            b"x-client-ip",
            b"x-cluster-client-ip",
        ),
        *(b"x-proxyuser-ip", b"x-envoy-external-address", b"x-original-host", b"x-azure-clientip"),
        *(b"x-original-forwarded-for", b"fly-client-ip", b"x-appengine-user-ip"),
    }
)
"""Fields, in lower case, by which proxies say for whom they speak; also all that begin with X-Forwarded."""

JSON_TYPE: Final = "application/json"

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_KEPT: Final = "wire_own"


class Objection(NamedTuple):
    """Why a request by somebody who may see the wire is not answered all the same."""

    status: int
    text: str


class Access:
    """Decides whose requests the inspector answers.

    Args:
        token: what has to be shown; empty: this machine's own requests are answered, and no others.
        proxied: classes of exchanges that a trusted proxy stands behind.
    """

    def __init__(self, token: str = "", proxied: tuple[type[Any], ...] = ()) -> None:
        self._token = token.encode()
        self._cookie = hmac.digest(self._token, b"the cookie of the wire", hashlib.sha256).hex()
        self._proxied = proxied

    def is_own(self, request: Request) -> bool:
        """Tell whether the inspector answers this request, and nobody else hears of it.

        Decided once: a request is asked about wherever something is counted, logged or recorded.
        """
        head = request.head
        if head is None or not head.path.startswith(PREFIX):
            return False
        own = request.__dict__.get(_KEPT)
        if own is None:
            exchange = request.exchange
            own = (
                is_below_prefix(head.path) and exchange is not None and self.admits(head, exchange)
            )
            request.__dict__[_KEPT] = own
        return bool(own)

    def admits(self, head: RequestHead, exchange: Exchange) -> bool:
        """Tell whether who sends this may see the wire."""
        if self._token:
            return self._shows_token(head)
        host = head.fields.host
        return (
            head.version == "HTTP/1.1"  # a proxy that says nothing of its clients speaks 1.0
            and host is not None
            and is_loopback_authority(host.decode("latin-1"))
            and is_loopback_authority(head.authority)  # in absolute-form it is another one
            and is_on_this_machine(exchange)
            and not isinstance(exchange, self._proxied)
            and not is_forwarded(head)
        )

    def shows_token_in_query(self, head: RequestHead) -> bool:
        """Tell whether the right token is in the query, where it should not stay."""
        return bool(self._token) and any(
            self._is_token(value) for name, value in _fields_of_query(head) if name == SHOWN_AS
        )

    def set_cookie(self, scheme: str) -> str:
        """Return a value of Set-Cookie by which who has shown the token is known from now on."""
        return dump_cookie(
            COOKIE,
            self._cookie,
            path=PREFIX,
            httponly=True,
            samesite="Strict",
            secure=scheme == "https",
        )

    def _shows_token(self, head: RequestHead) -> bool:
        for name, value in head.fields.lines:
            lower = name.lower()
            if lower == b"authorization":
                scheme, _, credentials = value.partition(b" ")
                is_token = hmac.compare_digest(credentials.strip(), self._token)
                if scheme.lower() == b"bearer" and is_token:
                    return True
            elif lower == b"cookie":
                cookies = parse_cookie(value.decode("latin-1"))
                if any(
                    hmac.compare_digest(given.encode(), self._cookie.encode())
                    for given in cookies.getlist(COOKIE)
                ):
                    return True
        return self.shows_token_in_query(head)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self._token)


def objection(head: RequestHead) -> Objection | None:
    """Say why a request that is the inspector's must not be done; None: it may be.

    A page of another site can have a browser send a request with this host's cookies. It can neither choose any type
    of content but a form's, nor hide where it comes from, without being asked first whether it may (by OPTIONS, which
    is never answered with a yes here).
    """
    changes = head.method not in SAFE_METHODS
    allowed = {"same-origin"} if changes else {"same-origin", "none"}
    if not allowed.issuperset(values_of(head, b"sec-fetch-site")) and not _follows_link(head):
        return Objection(403, "Other sites may not use the inspector.")
    if not all(is_same_origin(origin, head.authority) for origin in values_of(head, b"origin")):
        return Objection(403, "Pages of other origins may not use the inspector.")
    if changes and _media_type(head) != JSON_TYPE:
        return Objection(
            415,
            f"What changes something has to say Content-Type: {JSON_TYPE}, without content too.",
        )
    return None


def values_of(head: RequestHead, name: bytes) -> list[str]:
    """Return the values of all field lines of a name, which is given in lower case."""
    return [value.decode("latin-1") for line, value in head.fields.lines if line.lower() == name]


def _follows_link(head: RequestHead) -> bool:
    """Tell whether a person has followed a link to the page, which nobody can read but that person."""
    return (
        head.method == "GET"
        and head.path.rstrip("/") == PREFIX
        and values_of(head, b"sec-fetch-mode") == ["navigate"]
        and values_of(head, b"sec-fetch-dest") == ["document"]
    )


def _media_type(head: RequestHead) -> str:
    values = values_of(head, b"content-type")
    return values[0].partition(";")[0].strip().lower() if len(values) == 1 else ""


def is_same_origin(origin: str, authority: str) -> bool:
    """Tell whether a value of Origin names this host and port.

    The scheme is left out: behind a proxy that speaks TLS the browser has another one.
    """
    scheme, separator, rest = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and rest.lower() == authority.lower()


def is_below_prefix(path: str) -> bool:
    """Tell whether a path, as it was sent, is the inspector's."""
    return path == PREFIX or path.startswith(PREFIX + "/")


def is_on_this_machine(exchange: Exchange) -> bool:
    """Tell whether the socket's other end is on this machine."""
    peer = exchange.peer
    if isinstance(peer, tuple):
        return is_loopback_address(peer[0])
    # A Unix socket has a path of its own. Of a TCP peer that has gone nothing is known: it has no address any more.
    return isinstance(exchange.local, str) and bool(exchange.local)


def is_loopback_address(text: str) -> bool:
    """Tell whether this is an address that a machine has for itself."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_loopback_authority(authority: str) -> bool:
    """Tell whether host[:port] is a name that no other machine can have.

    By another name that leads here a page could read what is here, as if it were its own (DNS rebinding). Browsers
    look ``localhost``, and what ends in it, up nowhere (RFC 6761 §6.3).
    """
    host = authority.lower()
    name, colon, port = host.rpartition(":")
    if colon and (port.isascii() and port.isdecimal()) and (":" not in name or name.endswith("]")):
        host = name
    if host.startswith("[") and host.endswith("]"):
        return ":" in host and is_loopback_address(host[1:-1])
    host = host.removesuffix(".")
    return (
        host == "localhost"
        or (host.endswith(".localhost") and ":" not in host)
        or (":" not in host and is_loopback_address(host))
    )


def is_forwarded(head: RequestHead) -> bool:
    """Tell whether a proxy has handed this request on, as far as it says so."""
    for name, _ in head.fields.lines:
        lower = name.lower()
        if lower in FORWARDING_FIELDS or lower.startswith(b"x-forwarded"):
            return True
    return False


def without_token(head: RequestHead) -> str:
    """Return path and query without the token, for a redirect."""
    kept = [
        piece
        for piece in head.query.split("&")
        if piece and all(name != SHOWN_AS for name, _ in parse_query(piece, len(piece) + 1))
    ]
    return f"{head.path}?{'&'.join(kept)}" if kept else head.path


def _fields_of_query(head: RequestHead) -> list[tuple[str, str]]:
    return list(parse_query(head.query, len(head.query) + 1)) if head.query else []
