"""What is at ``/__wire__/``: the page, its files, and the JSON (docs/reference/wire.md).

All of it runs on the event loop, so that it answers while every thread is busy.
"""

import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol, cast

from ...http.exchange import ContentError
from ...http.json_limits import JSONLimits, check_json
from ...http.request import Request
from ...http.response import Response
from ...http.urls import FieldLimitExceeded, parse_query
from ...protocol.head import RequestHead
from ..explaining.document import Document
from ..files import File
from ..recording.connections import PREFIX
from .access import Access, objection, values_of, without_token
from .answers import (
    EVENTS_TYPE,
    Refused,
    redirect,
    respond,
    respond_file,
    respond_json,
    respond_static,
)
from .events import FOLLOWERS, Events
from .live import NotKept
from .wanted import UnknownFilter, Wanted, read_wanted

logger = logging.getLogger("groundwire.wire")

PAGE: Final = "index.html"
QUERY_FIELDS: Final = 20

Answer = Response | Coroutine[Any, Any, Response]


class Source(Protocol):
    """Where exchanges come from: a server that runs, or a file."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be forgotten."""
        ...

    @property
    def events(self) -> Events | None:
        """What happens; None where nothing does any more."""
        ...

    async def requests(self, wanted: Wanted) -> dict[str, Any]:
        """Return ``requests`` (summaries, newest first), ``partial`` and ``recorder``."""
        ...

    async def document(self, id: str) -> Document:
        """Return an exchange, or raise `NotKept`."""
        ...

    def documents(self) -> AsyncIterator[Document]:
        """Iterate over all exchanges, oldest first."""
        ...

    async def clear(self) -> list[int]:
        """Forget all exchanges; return the process ids of workers that may not have."""
        ...


Export = Callable[[Document, str, str], File]
"""Makes something of an exchange that can be copied: of what kind, and for the server at which URL.

Raises ValueError with a sentence: there is no such kind, or it cannot be made of this exchange.
"""

Session = Callable[[AsyncIterator[Document]], File]
"""Makes a file of exchanges."""

Replay = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Sends a request as asked, and tells what came of it.

Raises ValueError with a sentence: it cannot be sent; or `NotKept`.
"""


class Pages:
    """Answers requests below `PREFIX`, by whoever may see the wire.

    Args:
        source: the exchanges.
        access: what knows those who have shown a token; None where nobody is asked for one.
        export: see `Export`; None: it cannot be done, and likewise what follows.
        session: see `Session`.
        replay: see `Replay`.
    """

    def __init__(
        self,
        source: Source,
        access: Access | None = None,
        *,
        export: Export | None = None,
        session: Session | None = None,
        replay: Replay | None = None,
    ) -> None:
        self._source = source
        self._access = access
        self._export = export
        self._session = session
        self._replay = replay

    def answer(self, request: Request) -> Answer:
        """Answer a request. Never raises."""
        try:
            answer = self._answer(request)
        except Exception as error:  # noqa: BLE001 - whatever fails here, the application is served on
            return _failed(error)
        return answer if isinstance(answer, Response) else _contained(answer)

    def _answer(self, request: Request) -> Answer:
        head = _head(request)
        if self._access is not None and self._access.shows_token_in_query(head):
            cookie = self._access.set_cookie(request.scheme)
            return redirect(303, without_token(head), ("Set-Cookie", cookie))
        place = head.path.removeprefix(PREFIX)
        if not place:
            return redirect(308, f"{PREFIX}/{'?' if head.query else ''}{head.query}")
        methods, name = _find(place)
        page = methods.get("GET" if head.method == "HEAD" else head.method)
        if page is None:
            allow = ", ".join([*methods, *(("HEAD",) if "GET" in methods else ()), "OPTIONS"])
            if head.method == "OPTIONS":
                return respond(204, None, None, ("Allow", allow))
            raise Refused(405, f"{head.method[:40]!r} cannot be done here.", ("Allow", allow))
        objected = objection(head)
        if objected is not None:
            raise Refused(objected.status, objected.text)
        return page(self, request, name)

    # What is at which place. Each takes the request, and the part of the path that is a name.

    def show_page(self, _request: Request, _: str) -> Answer:
        """The page."""
        return respond_static(PAGE)

    def show_static(self, _request: Request, name: str) -> Answer:
        """A file of the page's."""
        return respond_static(name)

    async def list_requests(self, request: Request, _: str) -> Response:
        """Summaries, by a filter."""
        try:
            wanted = read_wanted(_query(request))
        except UnknownFilter as error:
            raise Refused(400, str(error)) from error
        return respond_json(200, await self._source.requests(wanted))

    async def clear_requests(self, _request: Request, _: str) -> Response:
        """Forget everything."""
        if self._source.read_only:
            raise Refused(403, "What is shown here is a file, which stays as it is.")
        return respond_json(200, {"partial": await self._source.clear()})

    async def show_request(self, _request: Request, id: str) -> Response:
        """One exchange."""
        return respond_json(200, await self._source.document(id))

    async def export_request(self, request: Request, id: str) -> Response:
        """One exchange as something to be copied."""
        if self._export is None:
            raise Refused(404, "Nothing can be copied here.")
        kinds = [value for name, value in _query(request) if name == "as"]
        if len(kinds) != 1:
            raise Refused(400, "Say once as what it is wanted: ?as=curl.")
        document = await self._source.document(id)
        target = f"{request.scheme}://{_head(request).authority}"
        try:
            return respond_file(self._export(document, kinds[0], target))
        except ValueError as error:
            raise Refused(400, str(error)) from error

    def follow_events(self, request: Request, _: str) -> Answer:
        """What happens, as it happens."""
        events, head = self._source.events, _head(request)
        if events is None:
            raise Refused(404, "What is shown here is a file: nothing happens any more.")
        if events.followers >= FOLLOWERS:
            retry = ("Retry-After", "10")
            raise Refused(503, f"{FOLLOWERS} follow already; close a window of theirs.", retry)
        last = values_of(head, b"last-event-id")
        exchange = request.exchange

        def has_gone() -> bool:
            # Nobody who reads events to their end ends sending before.
            return bool(getattr(exchange, "eof", False))

        content = events.follow(last[0] if len(last) == 1 else "", has_gone)
        return respond(200, None if head.method == "HEAD" else content, EVENTS_TYPE)

    def save_session(self, request: Request, _: str) -> Answer:
        """All exchanges, as a file."""
        if self._session is None:
            raise Refused(404, "What is shown here is a file already.")
        if request.method == "HEAD":
            return respond(200, None, None)
        return respond_file(self._session(self._source.documents()))

    async def send_again(self, request: Request, _: str) -> Response:
        """Send a request, a recorded one or another."""
        if self._replay is None:
            raise Refused(403, "There is no server here to send requests to.")
        asked = _json_content(request)
        try:
            return respond_json(200, await self._replay(asked))
        except ValueError as error:
            raise Refused(400, str(error)) from error


Page = Callable[[Pages, Request, str], Answer]

_PLACES: Final[tuple[tuple[re.Pattern[str], dict[str, Page]], ...]] = (
    (re.compile("/()"), {"GET": Pages.show_page}),
    (re.compile(r"/static/([A-Za-z0-9_][A-Za-z0-9_.-]*)"), {"GET": Pages.show_static}),
    (re.compile("/requests()"), {"GET": Pages.list_requests, "DELETE": Pages.clear_requests}),
    (re.compile(r"/requests/([^/]+)"), {"GET": Pages.show_request}),
    (re.compile(r"/requests/([^/]+)/export"), {"GET": Pages.export_request}),
    (re.compile("/events()"), {"GET": Pages.follow_events}),
    (re.compile("/session()"), {"GET": Pages.save_session}),
    (re.compile("/replay()"), {"POST": Pages.send_again}),
)


def _find(place: str) -> tuple[dict[str, Page], str]:
    for pattern, methods in _PLACES:
        match = pattern.fullmatch(place)
        if match is not None:
            return methods, match[1]
    raise Refused(404, f"There is nothing at {PREFIX + place[:200]!r}; the page is at {PREFIX}/.")


def _head(request: Request) -> RequestHead:
    head = request.head
    assert head is not None  # the inspector's own requests come over the wire
    return head


def _query(request: Request) -> list[tuple[str, str]]:
    try:
        return parse_query(_head(request).query, QUERY_FIELDS)
    except FieldLimitExceeded as error:
        raise Refused(400, f"The query has {error}.") from error


def _json_content(request: Request) -> dict[str, Any]:
    """Read an object from the content, past the application's own ideas of how to read JSON."""
    content = request.content
    try:
        data = content if isinstance(content, bytes) else content.read()
        check_json(data, JSONLimits())
        value: Any = json.loads(data)
    except ContentError as error:
        raise Refused(413, f"The content could not be read: {error}.") from error
    except ValueError as error:
        raise Refused(400, f"The content is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Refused(400, "The content is no object in JSON.")
    return cast("dict[str, Any]", value)


async def _contained(answer: Coroutine[Any, Any, Response]) -> Response:
    try:
        return await answer
    except Exception as error:  # noqa: BLE001 - as in `Pages.answer`
        return _failed(error)


def _failed(error: Exception) -> Response:
    if isinstance(error, Refused):
        return respond_json(error.status, {"error": str(error)}, *error.fields)
    if isinstance(error, NotKept):
        return respond_json(404, {"error": str(error)})
    logger.error("the inspector failed", exc_info=error)
    return respond_json(500, {"error": f"The inspector itself has failed: {error!r}"})
