"""What probes that came through a proxy tell of it: what is wrong, and which settings make it right."""

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from ..http.forwarded import (
    FIELDS,
    UNIX,
    Forwarding,
    MalformedForwarding,
    TrustedProxies,
    parse_forwarded,
    parse_node,
)
from ..protocol.head import FieldSection
from ..protocol.http1.target import authority_fault
from ..server.settings import ServerSettings
from .probing import (
    SPOOFED_ADDRESS,
    SPOOFED_HOST,
    SPOOFED_PORT,
    SPOOFED_PREFIX,
    Address,
    Arrival,
    Prober,
    shown,
    spoofed_scheme,
)

ABOUT_CLIENTS: Final = (
    *("Host", "Forwarded"),
    *(f"X-Forwarded-{name.title()}" for name in FIELDS),
    *("X-Real-IP", "Via", "Connection"),
)
"""Fields that are shown of what arrived."""

STRANGER: Final = "198.51.100.66"
"""The address of a client that is no proxy (RFC 5737)."""

_X_FOR: Final = "X-Forwarded-For"
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_IN_WORDS: Final = {
    "for": "the address",
    "proto": "the scheme",
    "host": "the host",
    "port": "the port",
    "prefix": "the prefix of the path",
}
EMPTY: Final = '""'
_NGINX: Final = {_X_FOR: "$proxy_add_x_forwarded_for", "X-Forwarded-Proto": "$scheme"}


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and how to change it: lines by the program they are for."""

    text: str
    remedies: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What an application sees of a request; `refused` says why it sees none."""

    client: str = ""
    scheme: str = ""
    host: str = ""
    root_path: str = ""
    refused: str = ""


def see(settings: ServerSettings, arrival: Arrival) -> Seen:
    """Return what the application would see with these settings: what the server does, on what has arrived."""
    upstream, head = arrival.upstream, arrival.head
    trusted = TrustedProxies(settings.trusted_proxies)
    peer = upstream.peer
    introduced = settings.proxy_protocol == "required" and trusted.has_peer(peer)
    if introduced and upstream.introduction is None:
        return Seen(refused="closed: no header of the PROXY protocol comes first")
    if upstream.introduction is not None:
        if not introduced:
            return Seen(refused="400: a header of the PROXY protocol is no request")
        peer = upstream.introduction.source or peer
    client, scheme, host, root_path = _host_of(peer), "http", head.authority, ""
    if trusted.has_peer(peer):
        rules = Forwarding(
            trusted, settings.forwarded_headers, frozenset(settings.forwarded_fields)
        )
        try:
            said = rules.read(head.fields.lines)
        except MalformedForwarding as error:
            return Seen(refused=f"400: {error}")
        client = said.client[0] if said.client else client
        scheme = said.scheme or scheme
        host, root_path = said.authority(host), said.root_path
    return Seen(client, scheme, without_default_port(host, scheme), root_path)


def _host_of(peer: Address) -> str:
    return peer[0] if isinstance(peer, tuple) else "(a Unix socket)"


def without_default_port(authority: str, scheme: str) -> str:
    """Return host and port, the port left out where it is the scheme's own."""
    return authority.lower().removesuffix(f":{_DEFAULT_PORTS.get(scheme, '')}")


def as_stranger(arrival: Arrival, own: str) -> Arrival:
    """Return an arrival as that of a client that is nobody's proxy.

    The doctor often runs where the proxy runs, and then it is trusted itself: what it forges would be believed.
    """
    fields = FieldSection()
    pieces = [*_pieces(arrival.values(_X_FOR))]
    start = len(pieces) - pieces[::-1].index(SPOOFED_ADDRESS) if SPOOFED_ADDRESS in pieces else 0
    if start < len(pieces):
        pieces[start] = STRANGER
    own_node = re.compile(rf'for="?\[?{re.escape(own)}\]?(?::\d+)?"?(?=[;, \t]|$)', re.IGNORECASE)
    lines: list[tuple[bytes, bytes]] = []
    for name, value in arrival.head.fields.lines:
        if name.lower() == b"forwarded" and own:
            value = own_node.sub(f"for={STRANGER}", value.decode("latin-1")).encode("latin-1")
        if name.lower() != _X_FOR.lower().encode():
            lines.append((name, value))
    if pieces:
        lines.append((_X_FOR.encode(), ", ".join(pieces).encode("latin-1")))
    fields.lines = tuple(lines)
    head = arrival.head.addressed_to(arrival.head.authority)
    head.fields = fields
    upstream = arrival.upstream
    if upstream.introduction is not None and isinstance(upstream.introduction.source, tuple):
        introduction = dataclasses.replace(upstream.introduction, source=(STRANGER, 1))
        upstream = dataclasses.replace(upstream, introduction=introduction)
    return Arrival(head, upstream)


class Diagnosis:
    """Compares what was sent with what arrived.

    Args:
        prober: what was sent, and what the proxy answered.
        plain: the probe as any client sends it.
        forged: the same with forged fields; what arrives of them is the client's word and not the proxy's.
        settings: the server's, as they are.
    """

    def __init__(
        self, prober: Prober, plain: Arrival, forged: Arrival | None, settings: ServerSettings
    ) -> None:
        self.prober = prober
        self.plain = plain
        self.forged = forged or plain
        hops = self._hops()
        self.strange = as_stranger(self.forged, hops[0] if hops else "")
        """The forged probe, as if it were somebody else's."""

        self.settings = settings
        self.problems: list[Problem] = []
        self.advice: dict[str, str] = {}
        """The settings that make it right, by flag; empty where they are right."""

        self.now = see(settings, plain)
        self.recommended = self._recommend()
        self.then = see(self.recommended, self.strange)
        self._look_at_trust()
        self._look_at_fields()
        self._look_at_prefix()
        self._look_at_connections()

    # What the proxy has written.

    def written(self, name: str) -> list[str]:
        """Return the values of a field that the proxy has written: nobody else can have."""
        return [*_pieces(self.plain.values(name))]

    def hands_on(self, name: str) -> bool:
        """Whether the client's own word is what counts of an X-Forwarded field: ``for``, ``proto`` and so on."""
        field = f"X-Forwarded-{name}"
        pieces = [*_pieces(self.forged.values(field))]
        if pieces == self.written(field):
            return False  # whatever the client sends
        forged = {
            "for": SPOOFED_ADDRESS,
            "proto": spoofed_scheme(self.prober.scheme),
            "host": SPOOFED_HOST,
            "port": SPOOFED_PORT,
            "prefix": SPOOFED_PREFIX,
        }[name]
        if name == "proto":  # two that differ are an error
            return forged in pieces
        return bool(pieces) and pieces[-1] == forged

    def _hops(self) -> list[str]:
        """Return the addresses that proxies have written, the client's first."""
        if self.written("X-Forwarded-For"):
            addresses = [*_pieces(self.forged.values("X-Forwarded-For"))]
        else:
            addresses = [*_forwarded_addresses(self.forged.values("Forwarded"))]
        while SPOOFED_ADDRESS in addresses:
            del addresses[: addresses.index(SPOOFED_ADDRESS) + 1]
        found: list[str] = []
        for text in addresses:
            try:
                node = parse_node(f"[{text}]" if text.count(":") > 1 and "[" not in text else text)
            except ValueError:
                continue
            if node.address is not None:
                found.append(str(node.address))
        return found

    # What would be right.

    def _recommend(self) -> ServerSettings:
        settings = self.settings
        introduction = self.plain.upstream.introduction
        by_x = any(self.written(f"X-Forwarded-{name}") for name in ("for", "proto", "host"))
        by_standard = bool(self.written("Forwarded"))
        if not (by_x or by_standard or introduction):
            return settings
        changes: dict[str, object] = {}
        trusted = TrustedProxies(settings.trusted_proxies)
        missing = [one for one in self._proxies() if not trusted.has_peer(_as_peer(one))]
        if missing:
            changes["trusted_proxies"] = (*settings.trusted_proxies, *missing)
        required = "required" if introduction else "off"
        if required != settings.proxy_protocol:
            changes["proxy_protocol"] = required
        x_arrives = any(self.forged.values(f"X-Forwarded-{name}") for name in FIELDS[:-1])
        both = x_arrives and bool(self.forged.values("Forwarded"))
        family = ("x-forwarded" if by_x else "forwarded") if both else "auto"
        if (by_x or by_standard) and settings.forwarded_headers not in (
            family,
            "x-forwarded" if by_x else "forwarded",
        ):
            changes["forwarded_headers"] = family
        handed_on = {name for name in (FIELDS if by_x else ("prefix",)) if self.hands_on(name)}
        fields = tuple(name for name in settings.forwarded_fields if name not in handed_on)
        if (by_x or by_standard) and fields != settings.forwarded_fields:
            changes["forwarded_fields"] = fields
        for name, value in changes.items():
            text = ",".join(value) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            self.advice[f"--{name.replace('_', '-')}"] = text
        return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]

    def _proxies(self) -> list[str]:
        """Return the proxies on the way, as the setting names them: who connects, and those before it."""
        found: dict[str, None] = {}
        for answer in self.prober.answers.values():
            if answer.arrival is not None:
                peer = answer.arrival.upstream.peer
                found[peer[0] if isinstance(peer, tuple) else UNIX] = None
        hops = self._hops()
        if not self.plain.upstream.introduction:
            found.update(dict.fromkeys(reversed(hops[1:])))
        return list(found)

    # What is wrong.

    def _look_at_trust(self) -> None:
        peer = self.plain.upstream.peer
        trusted = ", ".join(self.settings.trusted_proxies) or "none"
        if "--trusted-proxies" in self.advice:
            self.problems.append(
                Problem(
                    f"The proxy connects from {_host_of(peer)}, and not all on the way are among trusted-proxies"
                    f" ({trusted}): what it says of clients has no effect."
                )
            )
        elif not (self._says_something() or self.plain.upstream.introduction):
            self.problems.append(
                Problem(
                    "The proxy says nothing about clients: all have its own address.",
                    (
                        ("nginx", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"),
                        ("nginx", "proxy_set_header X-Forwarded-Proto $scheme;"),
                        ("haproxy", "option forwardfor"),
                        (
                            "haproxy",
                            "http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]",
                        ),
                    ),
                )
            )
        if self.now.refused:
            self.problems.append(Problem(f"As it is, requests are refused. {self.now.refused}."))
        spoofed = see(self.settings, self.strange)
        if not self.now.refused and spoofed.refused:
            self.problems.append(
                Problem(
                    "As it is, requests of clients that send such fields themselves are refused."
                    f" {spoofed.refused}.",
                    (
                        ("nginx", 'proxy_set_header Forwarded "";'),
                        ("haproxy", "http-request del-header Forwarded"),
                        ("groundwire", "--forwarded-headers x-forwarded"),
                    )
                    if "--forwarded-headers" in self.advice
                    else (),
                )
            )
        self._look_at_forgeries(spoofed)

    def _says_something(self) -> bool:
        return any(self.written(f"X-Forwarded-{name}") for name in FIELDS) or bool(
            self.written("Forwarded")
        )

    def _look_at_forgeries(self, spoofed: Seen) -> None:
        believed = {
            "for": spoofed.client == SPOOFED_ADDRESS,
            "proto": spoofed.scheme != self.now.scheme,
            "host": SPOOFED_HOST in spoofed.host,
            "port": spoofed.host.endswith(f":{SPOOFED_PORT}"),
            "prefix": spoofed.root_path == SPOOFED_PREFIX,
        }
        if spoofed.refused or self.now.refused:
            believed = {}
        certain = [name for name in FIELDS if believed.get(name)]
        changed = "--forwarded-fields" in self.advice
        possible = [
            name
            for name in FIELDS
            if changed
            and name in self.settings.forwarded_fields
            and name not in certain
            and self.hands_on(name)
        ]
        for names, who in (
            (certain, "Anybody can choose"),
            (possible, "Once it is trusted, anybody could choose"),
        ):
            if not names:
                continue
            fields = [f"X-Forwarded-{name.title()}" for name in names]
            what = _listed([_IN_WORDS[name] for name in names])
            nginx = [f"proxy_set_header {field} {_NGINX.get(field, EMPTY)};" for field in fields]
            haproxy = [f"http-request del-header {field}" for field in fields]
            self.problems.append(
                Problem(
                    f"{who} {what}: the proxy hands {_listed(fields)} on as the client has sent it.",
                    (
                        *(("nginx", line) for line in nginx),
                        *(("haproxy", line) for line in haproxy),
                        (
                            "groundwire",
                            f"or do not believe it: --forwarded-fields {self._fields()}",
                        ),
                    ),
                )
            )

    def _fields(self) -> str:
        return ",".join(self.recommended.forwarded_fields)

    def _look_at_fields(self) -> None:
        then = self.then
        if then.refused or not (self._says_something() or self.plain.upstream.introduction):
            return
        scheme, asked = self.prober.scheme, self.prober.authority
        if then.client == _host_of(self.plain.upstream.peer) and not self._hops():
            self.problems.append(
                Problem(
                    "The proxy does not say who the client is: X-Forwarded-For is missing.",
                    (
                        ("nginx", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"),
                        ("haproxy", "option forwardfor"),
                    ),
                )
            )
        if then.scheme != scheme:
            self.problems.append(
                Problem(
                    f"Clients use {scheme}, and the application sees {then.scheme}: X-Forwarded-Proto is missing."
                    " Its URLs and redirects lead astray, and its cookies are not Secure.",
                    (
                        ("nginx", "proxy_set_header X-Forwarded-Proto $scheme;"),
                        (
                            "haproxy",
                            "http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]",
                        ),
                    ),
                )
            )
        if then.host != without_default_port(asked, scheme):
            fault = authority_fault(then.host.encode("latin-1", "replace"))
            self.problems.append(
                Problem(
                    f"Clients ask for {asked}, and the application sees {then.host or 'no host'}"
                    f"{' (' + fault + ')' if fault else ''}: Host is not handed on.",
                    (
                        ("nginx", "proxy_set_header Host $http_host;"),
                        ("haproxy", "leave Host as it is (no http-request set-header Host)"),
                    ),
                )
            )

    def _look_at_prefix(self) -> None:
        asked, arrived = unquote(self.prober.path), unquote(self.plain.head.path)
        if asked == arrived or self.then.root_path == SPOOFED_PREFIX:
            return
        if not asked.endswith(arrived.rstrip("/")) or self.then.root_path:
            return
        prefix = asked.removesuffix(arrived) if asked.endswith(arrived) else asked.rstrip("/")
        self.problems.append(
            Problem(
                f"The proxy cuts {prefix} off the path and does not say so: links and redirects lead astray.",
                (
                    ("nginx", f"proxy_set_header X-Forwarded-Prefix {prefix};"),
                    ("haproxy", f"http-request set-header X-Forwarded-Prefix {prefix}"),
                ),
            )
        )

    def _look_at_connections(self) -> None:
        head = self.plain.head
        if head.version == "HTTP/1.0" or not head.persistent:
            how = "speaks HTTP/1.0" if head.version == "HTTP/1.0" else "says Connection: close"
            self.problems.append(
                Problem(
                    f"The proxy {how}: each request costs a connection of its own, and no upgrade gets through.",
                    (
                        ("nginx", 'proxy_http_version 1.1; proxy_set_header Connection "";'),
                        ("nginx", "and in the upstream block: keepalive 32;"),
                    ),
                )
            )

    def look_at_streams(self, streamed: dict[str, bool]) -> None:
        """Judge whether the beginning of an answer got through before its end was sent."""
        if streamed.get("stream", True):
            return
        if streamed.get("stream-unbuffered"):
            text = (
                "The proxy keeps streamed answers back until they are whole (events and progress come late), but for"
                " those that say X-Accel-Buffering: no."
            )
        else:
            text = "The proxy keeps streamed answers back until they are whole: events and progress come late."
        self.problems.append(Problem(text, (("nginx", "proxy_buffering off;"),)))

    def look_at_keepalive(self, closed_by_proxy: bool) -> None:
        """Judge who ends an idle connection first: it has to be the proxy."""
        seconds = self.settings.keepalive_seconds
        if closed_by_proxy:
            return
        if seconds < 75:
            self.advice["--keepalive"] = "75"
        self.problems.append(
            Problem(
                f"The proxy keeps idle connections longer than this server does (keepalive, {seconds} s): now and then"
                " a request meets a connection that has just been closed, and the client gets 502.",
                (
                    ("groundwire", "--keepalive 75, or above the proxy's own figure"),
                    ("nginx", "keepalive_timeout 20s; in the upstream"),
                    ("haproxy", "http-reuse never (shared connections it keeps for ever)"),
                ),
            )
        )


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _as_peer(text: str) -> object:
    return "" if text == UNIX else (text, 0)


def _pieces(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (piece.strip(" \t") for piece in value.split(",") if piece.strip(" \t"))


def _forwarded_addresses(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        try:
            yield from (element["for"] for element in parse_forwarded(value) if "for" in element)
        except ValueError:
            continue


def described(arrival: Arrival) -> list[str]:
    """Return what arrived, line by line."""
    upstream, head = arrival.upstream, arrival.head
    lines = [f"from {shown(upstream.peer)} at {shown(upstream.local)}, {head.version}"]
    if upstream.introduction is not None:
        source = upstream.introduction.source
        whom = "its own health check" if source is None else shown(source)
        lines.append(f"PROXY protocol: {whom}")
    lines.append(f"path {head.path}")
    for name in ABOUT_CLIENTS:
        lines += [f"{name}: {value[:200]}" for value in arrival.values(name)]
    return lines
