"""An exchange as a document: what the page shows and programs read (docs/reference/wire.md).

Made when it is looked at. What was recorded are octets, times and notes; where the elements of a message are, which
rules might have matched, and why each field is there, is found out here, by those who know.
"""

import base64
from datetime import UTC, datetime
from typing import Any, Final

from ...protocol.errors import ProtocolError
from ...protocol.http1.explain import explain_request
from ...protocol.http1.reader import DEFAULT_LIMITS
from ...protocol.limits import MessageLimits
from ..correcting.corrections import correct_or_advise
from ..recording.records import Record
from .decisions import decisions
from .message_view import describe_message
from .notes import rule_note, section_url
from .provenance import Facts, because

VERSION: Final = 1
"""Of the JSON. It grows when a key goes or means something else; new keys come without that."""

TARGET_CHARS: Final = 2048
"""Of a target in a summary; the document has all of it."""

UNDER_WAY: Final = frozenset({"receiving", "answering"})
"""States of exchanges that go on."""

_OF_LOG: Final = ("level", "logger", "message", "file", "line")

Summary = dict[str, Any]
Document = dict[str, Any]


def summary(record: Record) -> Summary:
    """Return an exchange in a line."""
    target = record.target
    return {
        "id": record.id,
        "worker": record.worker,
        "began": moment(record.began_at),
        "client": record.peer,
        "method": record.method,
        "target": target if len(target) <= TARGET_CHARS else target[: TARGET_CHARS - 1] + "…",
        "status": record.status,
        "octets": record.response_octets,
        "duration_us": _duration_us(record),
        "endpoint": record.endpoint,
        "state": record.state,
        "refusal": None if record.error is None else record.error["message"],
    }


def document(
    record: Record,
    routing: dict[str, Any] | None = None,
    limits: MessageLimits = DEFAULT_LIMITS,
) -> Document:
    """Return all that is known of an exchange. May be called in any thread, for a record that has ended, or a copy.

    PERF: 1 ms, but 300 for 11,000 chunks of one octet.

    Args:
        record: what was recorded.
        routing: see `routing_of`.
        limits: those that requests are read with.
    """
    raw = bytes(record.request)
    request = describe_message(
        raw,
        size=record.request_octets,
        masked=record.request_masked,
        direction="request",
        limits=limits,
    )
    response, decided = _response(record, request)
    return {
        "version": VERSION,
        **summary(record),
        "target": record.target,
        "connection": record.connection,
        "number": record.number,
        "server": record.local,
        "scheme": record.scheme,
        "path": record.path,
        "query": _element(raw, request, "query"),
        "http_version": record.version,
        "reason": "" if response is None else _element(record.response, response, "reason"),
        "request": request,
        "response": response,
        "refusal": _refusal(record, raw, limits),
        "routing": routing,
        "calls": _calls(record),
        "place": record.place,
        "place_reason": _place_reason(record, routing),
        "timeline": [{"event": event, "at_us": _at_us(record, at)} for event, at in record.marks],
        "logs": [
            {"at_us": line["time_us"], **{name: line[name] for name in _OF_LOG}}
            for line in record.logs
        ],
        "error": record.failure,
        "decisions": decided,
    }


def moment(seconds: float) -> str:
    """Return a time in seconds since 1970 as ISO 8601 has it, in UTC, with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _duration_us(record: Record) -> int | None:
    """From the first byte to the last one sent; None while the exchange goes on, and where nothing was sent."""
    return None if record.state in UNDER_WAY or not record.last_sent else record.duration_us


def _at_us(record: Record, seconds: float) -> int:
    return round((seconds - record.first_byte) * 1e6)


def _calls(record: Record) -> list[dict[str, Any]]:
    return [
        {
            **{name: facts.get(name) for name in ("role", "name", "file", "line")},
            "start_us": _at_us(record, facts["began"]),
            "end_us": _at_us(record, facts["ended"]),
            "outcome": facts.get("outcome", ""),
        }
        for kind, facts in record.notes
        if kind == "called"
    ]


def routing_of(
    record: Record, handler: Any, limits: MessageLimits = DEFAULT_LIMITS
) -> dict[str, Any] | None:
    """Ask a handler how it finds what answers a request, by what it is now; None if it cannot be asked.

    Where requests are handled: on the event loop.
    """
    describe = getattr(handler, "describe_routing", None)
    if describe is None or not record.parsed:
        return None
    head = explain_request(bytes(record.request[: record.head_octets]), limits).head
    if head is None:
        return None
    described: dict[str, Any] = describe(head)
    return described


def _place_reason(record: Record, routing: dict[str, Any] | None) -> str:
    """Return why the handler runs where it does, as far as it still does."""
    handler = None if routing is None else routing.get("handler")
    return str(handler["reason"]) if handler and handler.get("runs") == record.place else ""


def _response(
    record: Record, request: dict[str, Any]
) -> tuple[dict[str, Any] | None, list[dict[str, str]]]:
    """Return the response, each of its fields with why it is there, and what fields of the request did to it."""
    if not record.response:
        return None, []
    response = describe_message(
        bytes(record.response),
        size=record.response_octets,
        masked=record.response_masked,
        direction="response",
        method=record.method,
    )
    notes = record.notes
    fields = _pairs(response)
    facts = Facts(
        record.method,
        record.version or "HTTP/1.1",
        tuple(_pairs(request)),
        record.status,
        response["content"]["size"],
        refused=record.error is not None,
    )
    for field, reason in zip(response["fields"], because(fields, notes, facts), strict=True):
        field["because"] = reason
    return response, decisions(fields, notes, facts)


def _pairs(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(field["name"], field["value"]) for field in message["fields"]]


def _element(raw: bytes | bytearray, message: dict[str, Any], kind: str) -> str:
    """Return the text of the last element of a kind; of responses, that of the final one."""
    for element in reversed(message["elements"]):
        if element["kind"] == kind:
            return bytes(raw[element["start"] : element["end"]]).decode("latin-1")
    return ""


def _refusal(record: Record, raw: bytes, limits: MessageLimits) -> dict[str, Any] | None:
    """Return the rule that was broken, and what would have been right."""
    said = record.error
    if said is None:
        return None
    error = ProtocolError(**said)
    corrected = correct_or_advise(raw, error, limits, whole=len(raw) == record.request_octets)
    data = corrected.data
    return {
        **said,
        "url": section_url(error.section),
        "rule": rule_note(error.section),
        "corrected": None if data is None else base64.b64encode(data).decode(),
        "changes": corrected.changes,
    }
