"""An inspector that shows what it records: the one way to make it, for whoever starts a server."""

from typing import Any

from ..http.handler import ContentPolicy
from ..http.request import Request
from ..server.channel import ChildChannel
from ..server.server import Server
from ..server.server_state import Answer, Counters, RequestLog
from ..server.settings import ServerSettings
from .access import Access
from .inspector import Inspector
from .live import Live
from .pages import Pages

CONTENT_BYTES = 24 * 1024 * 1024
"""Of a request to the inspector: the largest message that a server takes by default, in base64."""

ANSWERED = "wire_answered"
"""In the ``__dict__`` of the inspector's own requests: it was not refused before."""


def is_on(settings: ServerSettings, *, debug: bool) -> bool:
    """Tell whether exchanges are to be recorded and shown."""
    return debug if settings.wire == "auto" else settings.wire != "off"


def open_inspector(
    settings: ServerSettings, *, worker: int = 1, channel: ChildChannel | None = None
) -> Inspector:
    """Return an inspector for a server with these settings, which shows below ``/__wire__`` what it records.

    Args:
        settings: the server's.
        worker: the number of this process among those that serve.
        channel: to the supervisor, where there is one: the other workers are asked through it.
    """
    inspector = Inspector(settings, worker=worker)

    def show(server: Server) -> None:
        put_around(server, inspector, channel)

    inspector.on_attached.append(show)
    return inspector


def put_around(server: Server, inspector: Inspector, channel: ChildChannel | None = None) -> None:
    """Have the inspector answer what is its own, before anybody else hears of it.

    It stands in front of figures, identifiers, content limits, the recording, the application and its hooks.
    """
    access = Access(server.settings.wire_token, _proxied(server.settings))
    is_own = access.is_own
    live = Live(inspector.recorder, server.handler, channel)
    pages = Pages(live, access)
    handle = server.handle

    def handle_own(request: Request) -> Answer:
        if not is_own(request):
            return handle(request)
        request.__dict__[ANSWERED] = True
        return pages.answer(request)

    def end_when_stopping() -> None:
        if server.stopping:  # a stream that never ends would hold a stop to its last second
            live.close()

    inspector.recorder.is_own = is_own
    given: Any = InFront(server.handler, access)
    server.handler = given
    server.handle = handle_own
    server.access_log = WithoutOwn(server.access_log, server.counters, access)
    server.each_second.append(end_when_stopping)


class InFront:
    """The application's handler, but for how content is received that is not the application's."""

    def __init__(self, handler: Any, access: Access) -> None:
        self._handler = handler
        self._is_own = access.is_own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    @property
    def request_class(self) -> Any:
        """The application's."""
        return self._handler.request_class

    def content_policy(self, request: Request) -> ContentPolicy:
        """Say how content is received; see `groundwire.http.handler.Handler.content_policy`."""
        if self._is_own(request):
            return ContentPolicy(limit_bytes=CONTENT_BYTES, whole=True)
        policy: ContentPolicy = self._handler.content_policy(request)
        return policy


class WithoutOwn:
    """The log of answers, and with it the figures, without the inspector's own."""

    def __init__(self, log: RequestLog | None, counters: Counters, access: Access) -> None:
        self._log = log
        self._counters = counters
        self._is_own = access.is_own

    def record(
        self,
        peer: tuple[str, int] | str,
        request: Request | None,
        status: int,
        octets: int,
        duration_seconds: float,
    ) -> None:
        """Note one answer of the application's."""
        if request is not None and self._is_own(request):
            if ANSWERED in request.__dict__:
                self._counters.requests -= 1
            else:
                self._counters.refused -= 1
        elif self._log is not None:
            self._log.record(peer, request, status, octets, duration_seconds)


def _proxied(settings: ServerSettings) -> tuple[type[Any], ...]:
    """Return the classes of exchanges that belong to a proxy's connection."""
    if not settings.trusted_proxies:
        return ()
    from ..server.proxies import ForwardedExchange, ProxiedConnection

    return ForwardedExchange, ProxiedConnection
