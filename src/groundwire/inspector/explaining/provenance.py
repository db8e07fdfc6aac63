"""Why each field of a response is there: who wrote it, and for what, in a sentence.

What the application noted while it answered (`groundwire.http.tracing`) says who set a field and who changed it. What
nobody noted is the server's, or was in the answer of an application that notes nothing; then the name says enough.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

Field = tuple[str, str]
Notes = Iterable[tuple[str, Mapping[str, Any]]]
Reason = dict[str, str]

APPLICATION: Final = "the application"
FRAMEWORK: Final = "the framework"
NEGOTIATION: Final = "content negotiation"
CONDITION: Final = "conditional request"
RANGE: Final = "range request"
SESSION: Final = "the session"
ERROR_PAGE: Final = "the error page"
SERVER: Final = "the server"
INSPECTOR: Final = "the inspector"


class Facts(NamedTuple):
    """What is known of an exchange besides notes."""

    method: str
    """The request's; empty where it could not be read."""

    version: str = "HTTP/1.1"
    """The request's, such as ``HTTP/1.0``."""

    fields: tuple[Field, ...] = ()
    """The request's."""

    status: int = 200
    """The response's."""

    size: int | None = None
    """Octets of content that were sent; None where that is not known."""

    refused: bool = False
    """Whether the server itself answered, because the request broke a rule, before any code of a program ran."""


class Setting(NamedTuple):
    """A field that somebody set, by the notes."""

    name: str
    value: str
    by: str


def because(fields: Iterable[Field], notes: Notes, facts: Facts) -> list[Reason]:
    """Return for each field of a response ``{"who": …, "why": …}``.

    Args:
        fields: the response's, as they were sent, in their order.
        notes: what was noted while it was made, in order: kinds and their facts.
        facts: what else is known.
    """
    sent = list(fields)
    taken = list(notes)
    history = settings_of(taken)
    telling = _Telling(sent, taken, history, facts)
    left = _still_set(history, taken)
    reasons: list[Reason] = []
    for name, value in sent:
        who, why = telling.reason(name, value, _take(left, name, value))
        reasons.append({"who": who, "why": why})
    return reasons


def settings_of(notes: Notes) -> list[Setting]:
    """Return what was set, in order, also where it was changed later."""
    return [
        Setting(str(name), str(value), str(facts.get("by", "")))
        for kind, facts in notes
        if kind == "fields"
        for name, value in facts.get("added") or ()
    ]


def _still_set(history: Iterable[Setting], notes: Notes) -> list[Setting]:
    """Return what was not taken away or replaced later."""
    left = list(history)
    for kind, facts in notes:
        if kind == "fields":
            for name, value in facts.get("removed") or ():
                gone = next(
                    (each for each in left if (each.name, each.value) == (name, value)), None
                )
                if gone is not None:
                    left.remove(gone)
    return left


def _take(left: list[Setting], name: str, value: str) -> Setting | None:
    """Return, and take out, who set a field. A value may have been masked, or written otherwise, since it was noted."""
    named = [each for each in left if each.name.lower() == name.lower()]
    exact = [each for each in named if each.value == value]
    found = next(iter(exact or named), None)
    if found is not None:
        left.remove(found)
    return found


class _Telling:
    """The sentences for one response."""

    def __init__(
        self,
        fields: list[Field],
        notes: list[tuple[str, Mapping[str, Any]]],
        history: list[Setting],
        facts: Facts,
    ) -> None:
        self.fields = {name.lower(): value for name, value in fields}
        self.history = history
        self.facts = facts
        self.calls = [each for kind, each in notes if kind == "called"]
        self.decisions = {
            str(each.get("about")): str(each.get("did", ""))
            for kind, each in notes
            if kind == "decision"
        }
        self.view = next((each for each in self.calls if each.get("role") == "view"), None)

    def reason(self, name: str, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return who set a field, and why."""
        lowered = name.lower()
        servers = SERVERS.get(lowered)
        if servers is not None and setting is None:
            return servers(self, value)
        if lowered == "link" and "/__wire__/" in value and setting is None:
            return INSPECTOR, "The inspector is on: there is all about this exchange."
        if self.facts.refused:
            return SERVER, "The request was refused, and the server says why in plain text."
        if lowered == "vary":
            return self.vary(value, setting)
        if lowered == "content-type":
            return self.content_type(value, setting)
        meant = MEANT.get(lowered)
        if meant is not None:
            return meant(self, value, setting)
        return self.setter(setting)

    # Who

    def setter(self, setting: Setting | None, why: str = "") -> tuple[str, str]:
        """Return who set a field, where its name says no more."""
        if setting is None:
            if not self.calls:
                return APPLICATION, why or "The application has set it."
            return APPLICATION, why or "It came with what the application answered."
        by, _, name = setting.by.partition(" ")
        if setting.by == "the view":
            return APPLICATION, f"The view{self._named_view()} set it. {why}".rstrip()
        if setting.by == "the session":
            return SESSION, why or "The session was saved."
        if setting.by == "content coding":
            return NEGOTIATION, why or "The content was coded."
        if setting.by == "error page" and self._is_about_the_server():
            return FRAMEWORK, why or "The framework has answered without the application."
        if setting.by == "error page":
            return ERROR_PAGE, why or "The framework's answer to an error has it."
        if setting.by == "redirect":
            return FRAMEWORK, why or "The path has another form, and the client is sent there."
        if setting.by == "automatic OPTIONS":
            return FRAMEWORK, why or "OPTIONS is answered with what the path allows."
        if by in ROLES:
            return APPLICATION, f"The {by} function {name} set it. {why}".rstrip()
        if setting.by.startswith("error handler "):
            handler = setting.by.removeprefix("error handler ")
            return APPLICATION, f"The error handler {handler} set it. {why}".rstrip()
        return APPLICATION, why or f"It was set by {setting.by}."

    def _is_about_the_server(self) -> bool:
        """Tell whether this answers ``OPTIONS *``, which the framework does as it answers errors."""
        return self.facts.method == "OPTIONS" and 200 <= self.facts.status < 300

    def _named_view(self) -> str:
        return f" {self.view['name']}" if self.view is not None and self.view.get("name") else ""

    # Fields of which there is more to say

    def vary(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why caches must look at fields of the request."""
        named = [each.strip().lower() for each in value.split(",")]
        reasons = [VARYING[each] for each in named if each in VARYING]
        if not reasons:
            return self.setter(setting)
        who = NEGOTIATION if "cookie" not in named else SESSION
        if setting is not None and setting.by in ("the view", "") and len(named) == 1:
            who = self.setter(setting)[0]
        return who, f"For caches: {'; '.join(reasons)}."

    def content_type(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why the content is said to be of this type."""
        if value.startswith("multipart/byteranges"):
            return RANGE, "Several parts were asked for, and each says which it is."
        if setting is not None:
            if setting.by == "error page" and not self._is_about_the_server():
                told = self.decisions.get("Accept")
                if told:
                    return NEGOTIATION, f"By Accept, {told}."
                return ERROR_PAGE, "The framework has made the page for this error."
            return self.setter(setting)
        outcome = str(self.answering().get("outcome", ""))
        kind = outcome.removeprefix("returned a ").removeprefix("returned an ")
        if kind in ("dict", "list"):
            return FRAMEWORK, f"A {kind} was returned, which becomes JSON."
        if kind in ("str", "bytes", "generator", "tuple"):
            return FRAMEWORK, (
                f"A {kind} was returned, without a word on its type; then it is the default, HTML."
                if value.startswith("text/html")
                else f"A {kind} was returned, and the type is its default."
            )
        return self.setter(None)

    def answering(self) -> Mapping[str, Any]:
        """Return the call whose outcome became the answer: the last of those that can."""
        answers = [
            each
            for each in self.calls
            if each.get("role") in ("view", "error_handler", "before_request")
            and str(each.get("outcome", "")).startswith("returned ")
            and each.get("outcome") != "returned None"
        ]
        return answers[-1] if answers else {}

    def coding(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why the content is coded."""
        if setting is not None and setting.by == "content coding":
            did = self.decisions.get("Accept-Encoding", "")
            _, _, how = did.partition(": ")
            return (
                NEGOTIATION,
                f"The client takes {value} (Accept-Encoding){f': {how}' if how else ''}.",
            )
        return self.setter(setting, "The content was coded before.")

    def etag(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return who names this version of the resource."""
        if setting is not None and setting.by == "content coding" and value.startswith("W/"):
            return NEGOTIATION, (
                "Made weak, as the coded content means the same in other octets (RFC 9110 §8.8.1)."
            )
        why = "By it the client can ask whether it has this version already (If-None-Match)."
        if self.facts.status == 304:
            return CONDITION, "304 says which version it is that the client has."
        return self.setter(setting, why)

    def last_modified(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why the date of the last change is told."""
        return self.setter(
            setting, "By it the client can ask whether it changed since (If-Modified-Since)."
        )

    def content_range(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return which part was sent."""
        if self.facts.status == 416:
            return RANGE, "No octet that was asked for exists; this says how many there are."
        return RANGE, "Range asked for a part, and this is the one that was sent."

    def accept_ranges(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why the client is told that it may ask for parts."""
        return RANGE, "Parts of it can be asked for (Range)."

    def allow(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why the methods are told."""
        if self.facts.status == 405:
            return (
                ERROR_PAGE,
                "405 has to name the methods that the path is answered for (RFC 9110 §15.5.6).",
            )
        return self.setter(setting, "It names the methods that the path is answered for.")

    def location(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return where a client is sent, and by whom."""
        who, why = self.setter(setting)
        if self.facts.status == 201:
            return who, f"{why} It is where the new resource is."
        return who, f"{why} The client is to go on there ({self.facts.status})."

    def cookie(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why a cookie is set."""
        if setting is not None and setting.by == "the session":
            return SESSION, (
                "The session was changed, or is kept fresh; the client keeps it, signed, and sends it back."
            )
        return self.setter(setting, "The client keeps it, and sends it with later requests.")

    def no_sniffing(self, value: str, setting: Setting | None) -> tuple[str, str]:
        """Return why browsers are told to believe Content-Type."""
        return self.setter(setting, "No browser is to take the content for anything else.")

    # The server's own

    def date(self, value: str) -> tuple[str, str]:
        """Return why there is a date."""
        return SERVER, "It says when the answer was made; the server writes it into every one."

    def name(self, value: str) -> tuple[str, str]:
        """Return why the server says its name."""
        return SERVER, "It says which software answered; the server writes it into every answer."

    def length(self, value: str) -> tuple[str, str]:
        """Return why the length is told."""
        if self.facts.method == "HEAD":
            return SERVER, "HEAD has no content; GET would have so many octets."
        if self.facts.status == 205:
            return SERVER, "205 has no content, and has to say so."
        return (
            SERVER,
            "The content was whole, so its length is known, and says where the answer ends.",
        )

    def chunks(self, value: str) -> tuple[str, str]:
        """Return why the content comes in chunks."""
        return SERVER, (
            "The content is made while it is sent, so its length is not known; each chunk has its own."
        )

    def connection(self, value: str) -> tuple[str, str]:
        """Return why the connection is closed, or kept."""
        if value.lower() == "keep-alive":
            return SERVER, "An HTTP/1.0 client asked to keep the connection, and it is kept."
        if self.facts.refused:
            return SERVER, "After a refusal nothing more can be read on this connection."
        asked = [value.lower() for name, value in self.facts.fields if name.lower() == "connection"]
        if any("close" in each for each in asked):
            return SERVER, "The client asked for it."
        if self.facts.version == "HTTP/1.0":
            return SERVER, "So it is with HTTP/1.0, unless the client asks for something else."
        return SERVER, (
            "The connection cannot go on: the server stops, the application wants it,"
            " or part of the request was not read."
        )

    def request_id(self, value: str) -> tuple[str, str]:
        """Return why the request has a name."""
        for name, sent in self.facts.fields:
            if name.lower() == "x-request-id" and sent == value:
                return SERVER, "The client called its request so; log lines have the same."
        return SERVER, "The server called the request so, and so do log lines (--request-id)."

    def wire_id(self, value: str) -> tuple[str, str]:
        """Return why the exchange has a name."""
        return INSPECTOR, "The inspector is on; it has this exchange under this name."


ROLES: Final = frozenset({"after_request", "after_this_request", "before_request"})

VARYING: Final[Mapping[str, str]] = {
    "accept-encoding": "the content may be coded otherwise for another Accept-Encoding",
    "accept": "another form is sent for another Accept",
    "accept-language": "another language is sent for another Accept-Language",
    "cookie": "the answer depends on the cookies, because the session was looked at",
    "origin": "the answer depends on which site asks",
    "*": "the answer depends on more than the request",
}

SERVERS: Final[Mapping[str, Callable[[_Telling, str], tuple[str, str]]]] = {
    "date": _Telling.date,
    "server": _Telling.name,
    "content-length": _Telling.length,
    "transfer-encoding": _Telling.chunks,
    "connection": _Telling.connection,
    "x-request-id": _Telling.request_id,
    "x-wire-id": _Telling.wire_id,
}
"""Fields that the server writes, unless a program was seen to."""

MEANT: Final[Mapping[str, Callable[[_Telling, str, Setting | None], tuple[str, str]]]] = {
    "content-encoding": _Telling.coding,
    "etag": _Telling.etag,
    "last-modified": _Telling.last_modified,
    "content-range": _Telling.content_range,
    "accept-ranges": _Telling.accept_ranges,
    "allow": _Telling.allow,
    "location": _Telling.location,
    "set-cookie": _Telling.cookie,
    "x-content-type-options": _Telling.no_sniffing,
}
