"""An inspector that shows what it records: the one way to make it, for whoever starts a server."""

import sys
from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from typing import Any, Final

from ..http.handler import ContentPolicy
from ..http.request import Request
from ..server.channel import ChildChannel
from ..server.server import Server
from ..server.server_state import Answer, Counters, RequestLog
from ..server.settings import ServerSettings
from .explaining.document import Document
from .files import File
from .inspector import Inspector
from .keeping.saved import session_file
from .masking.masker import Masker
from .recording.connections import PREFIX
from .recording.recorder import Recorder
from .sending.replaying import Replayer
from .serving.access import Access, is_loopback_authority
from .serving.live import Live
from .serving.pages import Pages
from .terminal.console import print_exchanges

CONTENT_BYTES: Final = 24 * 1024 * 1024
"""Of a request to the inspector: the largest message that a server takes by default, in base64."""

ANSWERED: Final = "wire_answered"
"""In the ``__dict__`` of the inspector's own requests: it was not refused before."""


ANY_ADDRESS: Final = frozenset({"", "*", "0.0.0.0", "::"})
"""Hosts to listen on that mean every address of the machine."""


class ShownInspector(Inspector):
    """Shows below ``/__wire__`` what it records.

    Args:
        settings: the server's.
        worker: the number of this process among those that serve.
        channel: to the supervisor, where there is one: the other workers are asked through it.
    """

    def __init__(
        self,
        settings: ServerSettings | None = None,
        *,
        worker: int = 1,
        channel: ChildChannel | None = None,
    ) -> None:
        super().__init__(settings, worker=worker)
        self._channel = channel

    def attached(self, server: Server, /) -> None:
        """Record, and answer what is the inspector's own."""
        super().attached(server)
        put_around(server, self.recorder, self._channel, masker=self.masker)
        if server.settings.wire == "console":
            print_exchanges(server, self.recorder)

    def announcement(self, server: Server, /) -> str:
        """Return a line that says where to look."""
        return announcement(server.settings, server.url)


def announcement(settings: ServerSettings, url: str) -> str:
    """Say where the wire is shown, and to whom.

    Args:
        settings: the server's.
        url: where clients find it.
    """
    place = f"{url}{PREFIX}/"
    to_whom = ""
    if settings.unix is not None or url.startswith("unix:"):
        place = f"{PREFIX}/ on {url}"
    elif settings.host in ANY_ADDRESS:
        scheme, _, rest = url.partition("://")
        place = f"{scheme}://localhost:{rest.rpartition(':')[2]}{PREFIX}/"
        to_whom = "to this machine only; --wire-token opens it to others"
    elif not is_loopback_authority(
        settings.host if ":" not in settings.host else f"[{settings.host}]"
    ):
        to_whom = f"to nobody: {settings.host} is no loopback address, and there is no --wire-token"
    if settings.wire_token:
        to_whom = "to whoever has the token"
    return f"The wire is shown at {place}{f' ({to_whom})' if to_whom else ''}"


def put_around(
    server: Server,
    recorder: Recorder,
    channel: ChildChannel | None = None,
    *,
    masker: Masker | None = None,
) -> None:
    """Have the inspector answer what is its own, before anybody else hears of it.

    It stands in front of figures, identifiers, content limits, the recording, the application and its hooks.
    """
    access = Access(server.settings.wire_token, _proxied(server.settings))
    live = Live(recorder, server.handler, channel, server.settings.message_limits)

    def session(documents: AsyncIterator[Document]) -> File:
        return session_file(documents, live.facts())

    application = server.handler

    def export_one(document: Document, kind: str, url: str) -> File:
        # PERF: a quarter of the time that an inspector takes to be imported, at each reload.
        from .exporting.exports import export

        return export(document, kind, url, place_of(application))

    replay = Replayer(server, live.document, masker)
    pages = Pages(live, access, export=export_one, session=session, replay=replay)

    def answer_own(request: Request) -> Answer:
        request.__dict__[ANSWERED] = True
        return pages.answer(request)

    def look_around() -> None:
        live.each_second()
        if server.stopping:  # a stream that never ends would hold a stop to its last second
            live.close()

    recorder.is_own = access.is_own
    recorder.answer_own = answer_own
    given: Any = InFront(server.handler, access)
    server.handler = given
    server.access_log = WithoutOwn(server.access_log, server.counters, access)
    server.each_second.append(look_around)
    server.hangs.limit_of = timed(server.hangs.limit_of, access)


def place_of(application: Any) -> str:
    """Return where an application is found, as ``module:name``; empty where that is not known."""
    name = getattr(application, "import_name", "")
    module = sys.modules.get(name)
    if module is None or name == "__main__":
        return ""
    found = (each for each, value in tuple(vars(module).items()) if value is application)
    return next((f"{name}:{each}" for each in found), "")


def timed(
    limit_of: Callable[[Request], float | None] | None, access: Access
) -> Callable[[Request], float | None]:
    """Return what asks a handler for the time limit of an answer; the inspector's own need none."""

    def limit(request: Request) -> float | None:
        if access.is_own(request):
            return 0
        return None if limit_of is None else limit_of(request)

    return limit


class InFront:
    """The application's handler, but for how content is received that is not the application's."""

    def __init__(self, handler: Any, access: Access) -> None:
        self._handler = handler
        self._is_own = access.is_own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    request_class = property(attrgetter("_handler.request_class"))
    """The application's. PERF: without a call."""

    def content_policy(self, request: Request) -> ContentPolicy:
        """Say how content is received; see `groundwire.http.handler.Handler.content_policy`."""
        if request.observed is None and self._is_own(request):
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
        # PERF: what is recorded is not the inspector's own, which is asked at no cost.
        if request is not None and request.observed is None and self._is_own(request):
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
