"""What proxies say of the request they hand on: Forwarded (RFC 7239), and the fields that begin with X-Forwarded.

Anybody can send these fields, so they are read only where the peer is a proxy that is trusted, and then from the right,
where the nearest proxy has written, to the first address that is none of the trusted proxies'. What stands further left
is hearsay.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import unquote

from ..protocol.http1.target import authority_fault
from .field_values import OWS, TOKEN_CHARACTERS

FIELDS: Final = ("for", "proto", "host", "port", "prefix")
"""What can be believed: the client's address, the scheme, host and port it asked for, and where we are mounted."""

UNIX: Final = "unix"
"""Stands among trusted proxies for every peer on a Unix socket."""

SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""What may be said of the scheme. Some proxies name WebSocket's, for the request that asks for one."""

_FORWARDED: Final = b"forwarded"
_X: Final = {
    **{f"x-forwarded-{name}".encode(): name for name in FIELDS},
}
_PORTS_OF_SCHEMES: Final = (80, 443)
_CACHED: Final = 1024

# RFC 7239 §4, and taken besides: `:`, `[` and `]` outside quotes, which some proxies forget; nothing else can be meant.
_PAIR: Final = re.compile(
    rf'([{TOKEN_CHARACTERS}]++)=(?:([{TOKEN_CHARACTERS}:\[\]]++)|"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\.)*+)")'
)
_QUOTED_PAIR: Final = re.compile(r"\\(.)")
# RFC 7239 §6: a name that hides the address, and as port the like.
_HIDDEN: Final = r"_[A-Za-z0-9._\-]+"
_NODE: Final = re.compile(
    rf"(?:([0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}})|\[([0-9A-Fa-f:.]+)\]|(?:unknown|{_HIDDEN}))(?::([0-9]{{1,5}}|{_HIDDEN}))?",
    re.IGNORECASE,
)
_PREFIX: Final = re.compile(r"[!$-.0->@-~/]*+")
_PLAIN_PATH: Final = re.compile(r"/|(?:/[^/\\\x00-\x1f\x7f]++)*+/?")

IPAddress = IPv4Address | IPv6Address


class MalformedForwarding(ValueError):
    """A trusted proxy has sent what cannot be read, or says two things at once.

    Attributes:
        section: where the rule stands that it breaks; empty for fields that no standard knows.
    """

    def __init__(self, message: str, section: str = "") -> None:
        super().__init__(message)
        self.section = section


class TrustedProxies:
    """The peers that are believed.

    Args:
        texts: addresses, networks (``10.0.0.0/8``), and ``unix`` for all peers on Unix sockets.

    Raises:
        ValueError: one of them is none of these.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        networks: list[IPv4Network | IPv6Network] = []
        self._unix = False
        for text in texts:
            if text == UNIX:
                self._unix = True
            else:
                networks.append(_network(text))
        self._networks = tuple(networks)

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def __contains__(self, address: IPAddress) -> bool:
        return any(address in network for network in self._networks)

    def has_peer(self, peer: object) -> bool:
        """Whether a peer is one of them: an address as a socket names it, a text for a Unix socket's."""
        if not isinstance(peer, tuple):
            return self._unix
        host = str(peer[0]).partition("%")[0]  # pyright: ignore[reportUnknownArgumentType]
        try:
            return _plain(ip_address(host)) in self
        except ValueError:
            return False


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no address and no network; trusted proxies are written like 10.0.0.5, 10.0.0.0/8,"
            f" 2001:db8::/32 or {UNIX}"
        ) from error
    raise ValueError(f"{text!r} names a host and a network; write {meant}, or the address alone")


def _plain(address: IPAddress) -> IPAddress:
    """Return an IPv4 address that is written as IPv6 (RFC 4291 §2.5.5.2) as what it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What is believed of a request; None, or empty, where nothing is said.

    Attributes:
        client: the client's address, and its port, 0 where that is not said.
        scheme: ``http`` or ``https``.
        host: the host, with its port if that was said with it.
        port: the port, if it was said on its own.
        root_path: where the application is mounted for the client, without a slash at the end.
        route: the addresses the request has come by, the client's first, the peer's own not among them.
    """

    client: tuple[str, int] | None = None
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    root_path: str = ""
    route: tuple[str, ...] = ()

    def authority(self, asked: str) -> str:
        """Return the host and port of the client's request, where the one we got was for `asked`.

        A port on its own counts where the host has none, and is no scheme's own: a proxy behind another that ends TLS
        says 80, because that is the port it was itself reached at.
        """
        host = self.host or asked
        port = self.port
        if not host or port is None or port in _PORTS_OF_SCHEMES or _has_port(host):
            return host
        return f"{host}:{port}"


NOTHING: Final = Forwarded()


def _has_port(host: str) -> bool:
    return ":" in host and not host.endswith("]")


@dataclass(frozen=True, slots=True)
class Node:
    """Where a request came from, as one proxy says it (RFC 7239 §6).

    Attributes:
        address: None where the proxy does not know it, or hides it.
        port: 0 where it is not said.
    """

    address: IPAddress | None
    port: int = 0


def parse_node(text: str) -> Node:
    """Read a node: an address, IPv6 in brackets, ``unknown``, or a name of ``_`` and more; each may have a port.

    Raises:
        ValueError: it is none.
    """
    match = _NODE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r:.100} is no address")
    ipv4, ipv6, port = match.groups()
    number = int(port) if port and port.isdigit() else 0
    if number > 65535:
        raise ValueError(f"{text!r} has a port above 65535")
    if ipv4:
        return Node(IPv4Address(ipv4), number)
    return Node(_plain(IPv6Address(ipv6)) if ipv6 else None, number)


def parse_forwarded(value: str) -> list[dict[str, str]]:
    """Return the elements of one Forwarded field line, each by the names of its parameters in lower case.

    Raises:
        ValueError: the line is not as RFC 7239 §4 has it.
    """
    elements: list[dict[str, str]] = []
    element: dict[str, str] = {}
    index, end = 0, len(value)
    while True:
        index = _skip_white_space(value, index)
        if index < end and value[index] not in ",;":
            match = _PAIR.match(value, index)
            if match is None:
                raise ValueError(f"no parameter can be read at {value[index : index + 40]!r}")
            name = match[1].lower()
            if name in element:
                raise ValueError(f"an element has two parameters {name!r:.40}")
            quoted = match[3]
            element[name] = match[2] if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
            index = _skip_white_space(value, match.end())
        if index < end and value[index] not in ",;":
            raise ValueError(f"a parameter is followed by {value[index : index + 40]!r}")
        if element and (index == end or value[index] == ","):
            elements.append(element)
            element = {}
        if index == end:
            return elements
        index += 1


def _skip_white_space(value: str, index: int) -> int:
    while index < len(value) and value[index] in OWS:
        index += 1
    return index


Said = tuple[tuple[bytes, bytes], ...]
"""The field lines that count, their names in lower case."""


@dataclass(slots=True)
class Forwarding:
    """Reads the fields of trusted proxies by an operator's rules.

    Attributes:
        trusted: whose addresses are passed over.
        headers: ``forwarded``, ``x-forwarded``, or ``auto`` for whichever there is.
        fields: what is believed, of `FIELDS`.
    """

    trusted: TrustedProxies
    headers: str = "auto"
    fields: frozenset[str] = frozenset(FIELDS)
    _known: dict[Said, Forwarded] = field(default_factory=dict[Said, Forwarded], repr=False)

    def read(self, lines: Iterable[tuple[bytes, bytes]]) -> Forwarded:
        """Return what a trusted peer says by the field lines of its request.

        Raises:
            MalformedForwarding: what has to be read cannot be, or contradicts itself.
        """
        said = _said(lines)
        if not said:
            return NOTHING
        known = self._known.get(said)
        if known is None:
            known = self._read(said)
            if len(self._known) >= _CACHED:
                self._known.clear()
            self._known[said] = known
        return known

    def _read(self, said: Said) -> Forwarded:
        values: dict[str, list[str]] = {}
        elements: list[str] = []
        for name, value in said:
            text = value.decode("latin-1")
            if name == _FORWARDED:
                elements.append(text)
            elif _X[name] in self.fields:
                pieces = (piece.strip(OWS) for piece in text.split(","))
                values.setdefault(_X[name], []).extend(filter(None, pieces))
        prefix = _prefix(values.pop("prefix", []))
        use_x = bool(values) and self.headers != "forwarded"
        use_forwarded = bool(elements) and self.headers != "x-forwarded"
        found = NOTHING
        if use_x:
            found = self._read_x(values)
        if use_forwarded:
            by_standard = self._read_forwarded(elements)
            if use_x and not _agree(found, by_standard):
                raise MalformedForwarding(
                    "Forwarded and the fields that begin with X-Forwarded do not say the same; set forwarded-headers"
                    " to the one of both that the proxy writes"
                )
            if not use_x:
                found = by_standard
        if not prefix:
            return found
        return Forwarded(found.client, found.scheme, found.host, found.port, prefix, found.route)

    def _read_x(self, values: dict[str, list[str]]) -> Forwarded:
        try:
            hops = list(self._walk(map(_parse_x_node, reversed(values.get("for", [])))))
            number = max(1, len(hops))
            return _forwarded(
                hops,
                _same(values.get("proto", [])),
                _of_hop(values.get("host", []), number),
                _port(_of_hop(values.get("port", []), number)),
            )
        except ValueError as error:
            raise MalformedForwarding(
                f"A field that begins with X-Forwarded is wrong: {error}"
            ) from error

    def _read_forwarded(self, lines: list[str]) -> Forwarded:
        try:
            elements = [element for line in lines for element in parse_forwarded(line)]
            if not elements:
                return NOTHING
            elements.reverse()
            nodes = (parse_node(element.get("for", "unknown")) for element in elements)
            hops = list(self._walk(nodes))
            # What the proxy has written that saw the client; others know of other proxies only.
            element = elements[len(hops) - 1]
            said = {name: value for name, value in element.items() if name in self.fields}
            return _forwarded(
                hops if "for" in self.fields else [], said.get("proto"), said.get("host"), None
            )
        except ValueError as error:
            raise MalformedForwarding(
                f"The Forwarded field is wrong: {error}", "RFC 7239 §4"
            ) from error

    def _walk(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """Give the nodes, the nearest first, up to the one that is no trusted proxy."""
        for node in nodes:
            yield node
            if node.address is None or node.address not in self.trusted:
                return


def _said(lines: Iterable[tuple[bytes, bytes]]) -> Said:
    # PERF: most names are neither, which their length and first letter tell without a call of theirs.
    return tuple(
        (lower, value)
        for name, value in lines
        if len(name) >= 9
        and name[0] in b"XxFf"
        and ((lower := name.lower()) in _X or lower == _FORWARDED)
    )


def _forwarded(
    hops: list[Node], scheme: str | None, host: str | None, port: int | None
) -> Forwarded:
    if scheme is not None:
        known = SCHEMES.get(scheme.lower())
        if known is None:
            raise ValueError(f"{scheme!r:.100} is no scheme that this server knows")
        scheme = known
    if host is not None and (fault := authority_fault(host.encode("latin-1"))) is not None:
        raise ValueError(f"{host!r:.100} {fault}")
    # A node without an address is the end of what is known: then the proxy that says so is as far as we see.
    known_hops = [node for node in hops if node.address is not None]
    client = (str(known_hops[-1].address), known_hops[-1].port) if known_hops else None
    route = tuple(str(node.address) for node in reversed(known_hops))
    return Forwarded(client, scheme, host, port, "", route)


def _parse_x_node(text: str) -> Node:
    """Read an item of X-Forwarded-For: a node, where IPv6 may come without brackets, and in quotes."""
    if len(text) > 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if text.count(":") > 1 and "[" not in text:
        text = f"[{text}]"
    return parse_node(text)


def _same(values: list[str]) -> str | None:
    """Return the one value, however often it is said."""
    different = {value.lower() for value in values}
    if len(different) > 1:
        raise ValueError("X-Forwarded-Proto has several values that differ")
    return different.pop() if different else None


def _of_hop(values: list[str], number: int) -> str | None:
    """Return the value of the proxy that saw the client, `number` hops away; fewer proxies may have written one."""
    return values[-min(number, len(values))] if values else None


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 5 and 0 < int(text) <= 65535):
        raise ValueError(f"{text!r:.100} is no port")
    return int(text)


def _prefix(values: list[str]) -> str:
    if not values:
        return ""
    text = values[-1]
    decoded = unquote(text)
    # A second slash, or a backslash, would make a host of it in a redirect.
    if (
        _PREFIX.fullmatch(text) is None
        or _PLAIN_PATH.fullmatch(decoded) is None
        or "/../" in f"{decoded}/"
    ):
        raise MalformedForwarding(f"X-Forwarded-Prefix is no plain path: {text!r:.100}")
    return decoded.rstrip("/")


def _agree(one: Forwarded, other: Forwarded) -> bool:
    addresses = [found.client[0] if found.client else None for found in (one, other)]
    return addresses[0] == addresses[1] and (one.scheme, one.host) == (other.scheme, other.host)
