"""A file of exchanges, shown on the page of the inspector as those of a running server are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...http.handler import ContentPolicy
from ...http.request import Request
from ...protocol.http1.explain import explain_request, explain_response
from ..explaining.document import Document
from ..explaining.message_view import describe_message
from ..exporting.exports import export
from ..files import File
from ..keeping.har import Entry, open_har
from ..keeping.saved import SavedError, Session, open_session
from ..recording.connections import PREFIX
from .access import Access
from .answers import redirect, respond
from .live import NotKept
from .pages import Answer, Export, Pages
from .wanted import Wanted

HAR_SUFFIX: Final = ".har"
NO_TIME: Final = "1970-01-01T00:00:00.000000Z"
KEPT_CONTENT_BYTES: Final = 65_536
"""Of a message in a HAR file, as of one that is recorded: a page is to show it."""


def open_file(path: Path) -> Session:
    """Open a saved session, or a HAR file, which its name tells.

    Raises:
        SavedError: it cannot be opened; the text says why.
    """
    if path.suffix.lower() != HAR_SUFFIX:
        return open_session(path)
    return session_of_har(open_har(path))


def session_of_har(entries: list[Entry]) -> Session:
    """Return the exchanges of a HAR file, as far as it tells of them."""
    session = Session(
        {"secrets": True},
        notes=[
            "This was a HAR file: the octets are built from what it says, and no others are known."
        ],
    )
    for number, entry in enumerate(entries, 1):
        session.add(_document(entry, number))
    return session


@dataclass(slots=True)
class _Row:
    """What a filter asks of an exchange."""

    id: str
    began_at: float
    method: str
    endpoint: str
    status: int
    target: str
    peer: str
    state: str
    error: dict[str, Any] | None


class Opened:
    """The exchanges of a file, for the page (`groundwire.inspector.serving.pages.Source`).

    Args:
        session: the opened file.
        name: what the file is called.
    """

    read_only = True
    """See `groundwire.inspector.serving.pages.Source`."""

    events = None
    """Nothing happens any more."""

    def __init__(self, session: Session, name: str = "") -> None:
        self._session = session
        self._name = name
        self._order = {each["id"]: at for at, each in enumerate(session.summaries)}

    async def requests(self, wanted: Wanted) -> dict[str, Any]:
        """Return the summaries of those that are wanted, newest first, and what is to be known of the file."""
        summaries = self._session.summaries
        first = self._order.get(wanted.after, -1) + 1
        # The place in the file stands for the time.
        wanted = wanted._replace(after_at=-1.0)
        found: list[Document] = []
        for summary in reversed(summaries[first:]):
            if wanted.admits(_row(summary)):
                found.append(summary)
                if len(found) == wanted.limit:
                    break
        return {
            "requests": found,
            "partial": [],
            "recorder": {
                "octets": 0,
                "bound_octets": 0,
                "dropped": 0,
                "secrets": False,
                **{
                    name: value
                    for name, value in self._session.recorder.items()
                    if _is_plain(value)
                },
                "messages": len(summaries),
                "read_only": True,
                "file": self._name,
                "saved": self._session.saved,
                "notes": self._session.notes,
            },
        }

    async def document(self, id: str) -> Document:
        """Return one exchange.

        Raises:
            NotKept: it is not in the file.
        """
        try:
            found = self._session.document(id)
        except SavedError as error:
            raise NotKept(f"The exchange {id[:100]!r} cannot be shown: {error}") from error
        if found is None:
            raise NotKept(f"There is no exchange {id[:100]!r} in this file.")
        return found

    async def documents(self) -> AsyncIterator[Document]:
        """Iterate over all exchanges, oldest first."""
        for document in self._session.documents():
            yield document

    async def clear(self) -> list[int]:
        """Forget nothing: the page does not offer it for what can only be read."""
        return []


def export_for_its_server(document: Document, kind: str, url: str) -> File:
    """Export an exchange for the server that it was recorded on; see `groundwire.inspector.serving.pages.Export`."""
    server = document["server"]
    return export(
        document,
        kind,
        f"{document['scheme']}://{server}" if server and not server.startswith("/") else url,
    )


class OpenedHandler:
    """Answers with the page and its JSON, to this machine only, and leads everybody to it.

    Args:
        source: the exchanges.
        exporter: makes what can be copied of one.
    """

    request_class: type[Request] = Request

    def __init__(self, source: Opened, exporter: Export | None = None) -> None:
        self._access = Access()
        self._pages = Pages(source, export=exporter)

    def handle(self, request: Request) -> Answer:
        """Answer a request."""
        if self._access.is_own(request):
            return self._pages.answer(request)
        if request.path == "/":
            return redirect(307, f"{PREFIX}/")
        return respond(404, f"The page is at {PREFIX}/, for this machine only.\n", "text/plain")

    def content_policy(self, request: Request) -> ContentPolicy:
        """Take hardly any content: nothing can be sent anywhere from here."""
        return ContentPolicy(limit_bytes=65_536, whole=True)

    def startup(self) -> None:
        """Nothing has to be made ready."""

    def shutdown(self) -> None:
        """Nothing has to be given back."""


def _row(summary: Document) -> Any:
    refusal = summary["refusal"]
    return _Row(
        summary["id"],
        0.0,
        summary["method"],
        summary["endpoint"],
        summary["status"],
        summary["target"],
        summary["client"],
        summary["state"],
        None if refusal is None else {"message": refusal},
    )


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | str)


def _document(entry: Entry, number: int) -> Document:
    request = entry.request
    explained = explain_request(request)
    head = explained.head
    method = "GET" if head is None else head.method
    response = entry.response
    answer = explain_response(response or b"", method)
    return {
        "version": 1,
        "id": f"1-{number}",
        "worker": 1,
        "connection": number,
        "number": 1,
        "began": entry.began or NO_TIME,
        "client": entry.client,
        "server": entry.server,
        "scheme": entry.url.partition(":")[0],
        "state": "client gone" if response is None else "answered",
        "method": method,
        "target": "" if head is None else head.target,
        "path": "" if head is None else head.path,
        "query": "" if head is None else head.query,
        "http_version": "HTTP/1.1",
        "status": answer.status,
        "reason": answer.reason,
        "endpoint": "",
        "duration_us": entry.duration_us,
        "request": describe_message(_cut(request), size=len(request), direction="request"),
        "response": None
        if response is None
        else describe_message(
            _cut(response), size=entry.response_octets, direction="response", method=method
        ),
        "refusal": None,
        "routing": None,
        "calls": [],
        "place": "",
        "place_reason": "",
        "timeline": [],
        "logs": [],
        "error": None,
        "decisions": [],
    }


def _cut(message: bytes) -> bytes:
    return message[: message.find(b"\r\n\r\n") + 4 + KEPT_CONTENT_BYTES]
