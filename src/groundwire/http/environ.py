"""To and from the environ of WSGI (PEP 3333), which is CGI's set of variables (RFC 3875) and a few objects.

A request that came over the wire has one made only when somebody asks for it; a request that a WSGI server hands over
is read from its own.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from ..protocol.head import RequestHead
from .exchange import Exchange
from .headers import Headers, ImmutableHeadersMixin
from .tls import tls_variables
from .urls import get_current_url, get_host

Environ = dict[str, Any]

UNPREFIXED = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}
"""Fields whose variables have no ``HTTP_`` before their names (RFC 3875 §4.1)."""

ROUTE = "groundwire.route"
"""Where an environ has `Exchange.route`, so that requests which WSGI applications make of it know it too."""

DEFAULT_PORTS = {"http": "80", "https": "443"}

ENDPOINTS = "groundwire.endpoints"
"""Variable with a list in which an application behind WSGI middleware, which may copy the environ, leaves the endpoint
that answered, for logs and figures."""


def decode_wsgi(value: str) -> str:
    """Return the text that a variable of an environ stands for: its characters are octets (PEP 3333)."""
    return value if value.isascii() else value.encode("latin-1").decode(errors="replace")


def encode_wsgi(value: str) -> str:
    """Return text as an environ holds it, each character an octet of its UTF-8."""
    return value if value.isascii() else value.encode().decode("latin-1")


# To an environ.


def environ_from_head(head: RequestHead, exchange: Exchange, content: Any) -> Environ:
    """Make the environ of a request that came over the wire.

    Args:
        head: the request's control data and header section.
        exchange: says who the peers are.
        content: becomes ``wsgi.input``; it has an end of its own (``wsgi.input_terminated``).
    """
    scheme = exchange.scheme
    server_name, server_port = _server_address(head, exchange)
    environ: Environ = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": encode_wsgi(exchange.root_path),
        "PATH_INFO": unquote_to_bytes(head.path).decode("latin-1"),
        "QUERY_STRING": head.query,
        "REQUEST_URI": head.target,
        "RAW_URI": head.target,
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": head.version,
        "SERVER_SOFTWARE": "groundwire",
        "REMOTE_ADDR": peer_address(exchange),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": content,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        # Any number of workers may serve the same application; it cannot tell, so it is told so always.
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if isinstance(exchange.peer, tuple) and exchange.peer[1]:  # a proxy may not have said it
        environ["REMOTE_PORT"] = str(exchange.peer[1])
    if exchange.tls is not None:
        environ.update(tls_variables(exchange.tls))
    if exchange.route:
        environ[ROUTE] = exchange.route
    environ.update(_field_variables(head.fields.lines))
    if head.fields.upgrade is not None:
        offered = exchange.offer_socket(head)
        if offered is not None:
            # The name by which WebSocket servers for WSGI look for it.
            environ["werkzeug.socket"] = offered
    if head.authority:
        # RFC 9112 §3.2.2: in absolute-form the target's authority counts, whatever Host says.
        environ["HTTP_HOST"] = head.authority
    return environ


def _field_variables(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for raw_name, raw_value in lines:
        # SECURITY: `X_Forwarded_For` and `X-Forwarded-For` would become the same variable, and whoever vouches for
        # the one need not have seen the other. And HTTP_PROXY is a setting of HTTP clients (httpoxy).
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name == "PROXY":
            continue
        variable = name if name in UNPREFIXED else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if variable in variables:
            # RFC 9110 §5.3, and for cookies RFC 9113 §8.2.3.
            value = f"{variables[variable]}{'; ' if name == 'COOKIE' else ', '}{value}"
        variables[variable] = value
    return variables


def peer_address(exchange: Exchange) -> str:
    """Return the client's address; empty where the peer is a Unix socket."""
    peer = exchange.peer
    return peer[0] if isinstance(peer, tuple) else ""


def _server_address(head: RequestHead, exchange: Exchange) -> tuple[str, str]:
    local = exchange.local
    if isinstance(local, tuple):
        return local[0], str(local[1])
    # A Unix socket has neither name nor port, but both variables must have a value (PEP 3333).
    name, _, port = head.authority.rpartition(":")
    if not port.isdigit():
        name, port = head.authority, ""
    return name or "localhost", port or DEFAULT_PORTS.get(exchange.scheme, "80")


# From an environ.


class EnvironHeaders(ImmutableHeadersMixin, Headers):
    """The header section in an environ: a view that cannot be changed itself, but changes with the environ.

    The names' case is lost there, and of names that differ in ``-`` and ``_`` only one is left.
    (Werkzeug: ``EnvironHeaders``.)
    """

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self.environ = environ

    @property
    def _list(self) -> list[tuple[str, str]]:  # type: ignore[override]
        lines: list[tuple[str, str]] = []
        for variable, value in self.environ.items():
            if variable.startswith("HTTP_"):
                if variable[5:] not in UNPREFIXED:
                    lines.append((variable[5:].replace("_", "-").title(), str(value)))
            elif variable in UNPREFIXED and value:
                lines.append((UNPREFIXED[variable], str(value)))
        return lines

    def _first(self, name: object) -> str | None:
        if not isinstance(name, str):
            return None
        variable = name.upper().replace("-", "_")
        value = self.environ.get(variable if variable in UNPREFIXED else f"HTTP_{variable}")
        return None if value is None else str(value)

    def _values(self, name: object) -> list[str]:
        value = self._first(name)
        return [] if value is None else [value]

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EnvironHeaders):
            return NotImplemented
        return self.environ is other.environ

    __hash__ = None

    def copy(self) -> Headers:  # type: ignore[override]
        """Return `Headers` of the same lines, which can be changed."""
        return Headers(self._list)


def server_address(environ: Mapping[str, Any]) -> tuple[str, int | None] | None:
    """Return the (name, port) the server is known by, None where the environ has no name."""
    name = environ.get("SERVER_NAME")
    if name is None:
        return None
    try:
        port = int(environ["SERVER_PORT"])
    except (KeyError, TypeError, ValueError):
        return name, None
    return name, port


def url_of_environ(environ: Mapping[str, Any]) -> str:
    """Return the URL of the request an environ describes, without its query, as an IRI."""
    scheme = environ.get("wsgi.url_scheme", "http")
    host = get_host(scheme, environ.get("HTTP_HOST"), server_address(environ))
    return get_current_url(
        scheme,
        host,
        decode_wsgi(environ.get("SCRIPT_NAME", "")),
        decode_wsgi(environ.get("PATH_INFO", "")),
    )


# Calling WSGI applications.


class ClosingIterator:
    """An iterator, with what is to be called when it is closed.

    (Werkzeug: ``werkzeug.wsgi.ClosingIterator``.)
    """

    whole = False
    """Whether all that it gives is here, so that no step waits for anything."""

    def __init__(
        self,
        iterable: Iterable[bytes],
        callbacks: Iterable[Callable[[], Any]] | Callable[[], Any] | None = None,
    ) -> None:
        self._iterator = iter(iterable)
        self._callbacks: list[Callable[[], Any]] = []
        own = getattr(iterable, "close", None)
        if own is not None:
            self._callbacks.append(own)
        if callbacks is None:
            return
        if callable(callbacks):
            self._callbacks.append(callbacks)
        else:
            self._callbacks.extend(callbacks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._iterator)

    def close(self) -> None:
        """Call them all; not again when it is closed once more (PEP 3333 lets a server close once)."""
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


class NotStarted(AssertionError):
    """A WSGI application returned and had never called ``start_response``."""

    def __init__(self, app: object) -> None:
        super().__init__(f"the WSGI application {app!r:.100} did not call start_response")


ENDS_OF_TAKEOVER = (ConnectionError, NotStarted)
"""What WSGI code that has taken the connection over (`Exchange.offer_socket`) may end with and mean no harm."""


def run_wsgi_app(
    app: Callable[..., Any], environ: Mapping[str, Any], buffered: bool = False
) -> tuple[Iterable[bytes], str, Headers]:
    """Call a WSGI application and return its content, status and header section.

    Args:
        app: the application.
        environ: the environ; the application gets a copy.
        buffered: read the content whole and close it before returning.

    Raises:
        NotStarted: the application never called ``start_response``.
        Exception: what the application raised, or gave ``start_response`` as `exc_info`.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []
    handed_out = False

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None:
            try:
                if handed_out or written:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # the traceback refers to this frame
        elif started:
            raise AssertionError("start_response was called twice without exc_info")
        started[:] = [(status, headers)]
        return written.append

    result: Iterable[bytes] = app(dict(environ), start_response)
    close = getattr(result, "close", None)
    pieces: Iterable[bytes]
    if buffered:
        try:
            pieces = list(result)
        finally:
            if close is not None:
                close()
        pieces = [*written, *pieces]
    elif started and isinstance(result, list | tuple):
        pieces = [*written, *result]
    else:
        # An application may call `start_response` only when its first piece is asked for; and what fails before that
        # has failed before there is a response.
        ahead: list[bytes] = []
        try:
            iterator = iter(result)
            for piece in iterator:
                ahead.append(piece)
                if started:
                    break
            else:
                iterator = iter(())  # which, unlike this one, may be asked again
            if not started:
                raise NotStarted(app)
        except BaseException:
            if close is not None:
                close()
            raise
        pieces = _in_order(written, ahead, iterator)
        if close is not None:
            pieces = ClosingIterator(pieces, close)
            pieces.whole = getattr(result, "whole", False)
    if not started:
        raise NotStarted(app)
    handed_out = True
    status, headers = started[0]
    return pieces, status, Headers(cast("list[tuple[str, Any]]", headers))


def _in_order(
    written: list[bytes], ahead: list[bytes], iterator: Iterator[bytes]
) -> Iterator[bytes]:
    """Iterate over content and what is given to `write` meanwhile, each in its place."""
    for piece in chain(ahead, iterator):
        yield from written
        written.clear()
        yield piece
    yield from written
