"""Plain HTTP that leads to https: a second address, where every answer says where to go (RFC 9110 §15.4.9)."""

from typing import Any, Protocol

from ..http.handler import ContentPolicy
from ..http.request import Request
from ..http.response import Response
from ..protocol.http1.writer import ResponseWriter
from .addresses import scheme_of, url_for_address
from .certificates import Certificates
from .request_ids import IdentifyingWriter
from .settings import ServerSettings

REMEMBERED_SECONDS = 3600
"""How long a client may go on without asking. By itself a 308 is for ever, also on a machine where one tries things."""


class Located(Protocol):
    """The server whose clients are sent to it."""

    port: int | None
    writer: ResponseWriter


class RedirectingHandler:
    """Answers every request with the same address in https, if this server has a certificate for the host.

    (A Host that somebody else has made up would have the answer, and a cache that keeps it, lead elsewhere.)
    """

    request_class: type[Request] = Request

    def __init__(self, certificates: Certificates, port: int) -> None:
        self._certificates = certificates
        self._port = port

    def handle(self, request: Request) -> Response:
        """Answer 308, 400 to a request that is for no page of a host, or 421 for a host that is not ours."""
        head = request.head
        assert head is not None
        host = _host_in(head.authority)
        if not host or head.form not in ("origin", "absolute"):
            return _text(
                400, "This address only leads to https, and this request names no host and page."
            )
        if not self._certificates.covers(host):
            return _text(421, "This server has no certificate for the host of this request.")
        target = head.target
        if head.form == "absolute":
            target = f"{head.path}?{head.query}" if head.query else head.path
        location = url_for_address(host, self._port, "https") + target
        response = _text(308, f"This page is at {location}")
        response.headers["Location"] = location
        response.headers["Cache-Control"] = f"max-age={REMEMBERED_SECONDS}"
        return response

    def content_policy(self, request: Request) -> ContentPolicy:
        """Read no content."""
        return ContentPolicy(limit_bytes=0, whole=False)

    def startup(self) -> None:
        """Nothing has to be made ready."""

    def shutdown(self) -> None:
        """Nothing has to be given back."""


class RedirectingState:
    """A server as those of its connections see it that come in plain HTTP: all is the server's, but for who answers.

    A `ServerState`.
    """

    def __init__(self, server: Located, certificates: Certificates) -> None:
        self._server = server
        self.handler = RedirectingHandler(certificates, server.port or 443)
        self.handle = self.handler.handle
        # RFC 6797 §7.2: Strict-Transport-Security is not said in plain HTTP.
        self.writer = type(server.writer)()
        self.writer.set_date(server.writer.date)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


def writer_for(settings: ServerSettings, *, identifies: bool = False) -> ResponseWriter:
    """Return what writes the responses of a server; with `identifies`, it can say what one is called in any case."""
    make = IdentifyingWriter if settings.request_id or identifies else ResponseWriter
    if settings.hsts_seconds and scheme_of(settings) == "https":
        return make(Strict_Transport_Security=f"max-age={settings.hsts_seconds}")
    return make()


def _host_in(authority: str) -> str:
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def _text(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
