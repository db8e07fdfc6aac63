"""A recorded exchange taken apart for whoever makes a command or a program of it.

What was masked becomes a variable: a name that says what belongs there, never asterisks that would be sent by mistake.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, NamedTuple

from ...protocol.head import RequestHead
from ...protocol.http1.explain import Element, explain_request, explain_response
from ...protocol.limits import MessageLimits
from ..shapes import is_list, is_object

LIMITS: Final = MessageLimits(
    target_bytes=1 << 40,
    field_section_bytes=1 << 40,
    field_line_bytes=1 << 40,
    field_lines=1 << 40,
    chunk_line_bytes=1 << 40,
    chunk_overhead_bytes=1 << 40,
)
"""What has been recorded was within the server's limits, or was refused for another reason that is still there."""


class Variable(NamedTuple):
    """Something that was masked."""

    name: str
    """In capital letters, digits and low lines, as an environment variable has it."""
    about: str
    """What it is, in a few words of printable ASCII."""


class Text(tuple["bytes | Variable", ...]):
    """Octets with variables among them; no two pieces of octets follow each other."""

    __slots__ = ()

    @property
    def octets(self) -> bytes | None:
        """The octets, or None if there is a variable among them."""
        if any(isinstance(piece, Variable) for piece in self):
            return None
        return b"".join(piece for piece in self if isinstance(piece, bytes))

    @property
    def size(self) -> int:
        """How many octets there are, without those that were masked."""
        return sum(len(piece) for piece in self if isinstance(piece, bytes))

    def after(self, octets: bytes) -> "Text":
        """Return this with octets before it."""
        first = self[0] if self else b""
        if isinstance(first, Variable):
            return Text([octets, *self])
        return Text([octets + first, *self[1:]])

    def with_names(self, template: str = "{{%s}}") -> bytes:
        """Return the octets, with the names of variables in braces among them."""
        return b"".join(
            template.replace("%s", piece.name).encode() if isinstance(piece, Variable) else piece
            for piece in self
        )


@dataclass(slots=True)
class Message:
    """A request, or a final response."""

    fields: list[tuple[str, Text]] = field(default_factory=list[tuple[str, Text]])
    content: Text = field(default_factory=Text)
    chunked: bool = False
    coding: str = ""
    """The value of Content-Encoding."""

    cut: bool = False
    """Whether not all of the content was kept."""

    size: int = 0
    """Octets on the wire."""

    def values(self, name: str) -> list[Text]:
        """Return the values of the fields with a name, which is in lower case."""
        return [value for own, value in self.fields if own.lower() == name]

    def value(self, name: str) -> Text | None:
        """Return the value of the only field with a name, which is in lower case."""
        values = self.values(name)
        return values[0] if len(values) == 1 else None


@dataclass(slots=True)
class Exchange:
    """A recorded exchange.

    Attributes:
        raw: the request as it was recorded, in one piece with its variables.
        method, target, version: of the request line; empty where it was refused before it was whole.
        head: None where the request was refused, or did not come whole.
        why_none: then why, in a sentence.
        request, response: the messages; the request's is empty without `head`.
        variables: all that are in the request, in order.
    """

    id: str
    began: str
    server: str
    """``scheme://authority`` of the server to send it to."""

    state: str = ""
    """What has come of it, as its document says."""

    raw: Text = field(default_factory=Text)
    method: str = ""
    target: Text = field(default_factory=Text)
    version: str = ""
    head: RequestHead | None = None
    why_none: str = ""
    request: Message = field(default_factory=Message)
    status: int = 0
    reason: str = ""
    response_version: str = ""
    response: Message = field(default_factory=Message)
    variables: list[Variable] = field(default_factory=list[Variable])

    @property
    def title(self) -> str:
        """The method and the target, in printable ASCII."""
        target = self.target.with_names("<%s>").decode("latin-1")
        return printable(f"{self.method} {target}" if self.method else "a request")


def take_apart(document: dict[str, Any], server: str) -> Exchange:
    """Take the document of an exchange apart (docs/reference/wire.md).

    Args:
        document: as ``GET /__wire__/requests/<id>`` gives it, or a saved session holds it.
        server: ``scheme://authority`` of the server that programs are to ask.

    Raises:
        ValueError: it is no such document.
    """
    raw, spans = _octets_of(document.get("request"))
    if raw is None:
        raise ValueError("There are no octets of a request in it.")
    names = _Names()
    explanation = explain_request(raw, LIMITS)
    whole = _Masked(raw, spans, explanation.elements, names)
    exchange = Exchange(
        printable(str(document.get("id", ""))),
        printable(str(document.get("began", ""))),
        server.rstrip("/"),
        str(document.get("state", "")),
        head=explanation.head,
    )
    if explanation.head is None:
        refusal = document.get("refusal")
        reason = refusal.get("message") if is_object(refusal) else None
        reason = reason or explanation.error or "Its head did not come whole."
        exchange.why_none = printable(str(reason))
    else:
        head = explanation.head
        exchange.method, exchange.version = head.method, head.version
        exchange.target = whole.first("target")
        exchange.request = whole.message(document["request"])
        exchange.variables = list(names.variables)
    exchange.raw = whole.text(0, len(raw))
    exchange.variables = exchange.variables or list(names.variables)
    _add_response(exchange, document)
    return exchange


def _add_response(exchange: Exchange, document: dict[str, Any]) -> None:
    raw, spans = _octets_of(document.get("response"))
    if raw is None:
        return
    explanation = explain_response(raw, exchange.method)
    elements = [element for element in explanation.elements if element.start >= explanation.start]
    exchange.status = explanation.status
    exchange.reason = printable(explanation.reason)
    exchange.response_version = explanation.version
    masked = _Masked(raw, spans, elements, _Names())
    exchange.response = masked.message(document["response"])


def _octets_of(message: Any) -> tuple[bytes | None, list[tuple[int, int]]]:
    if not is_object(message) or not isinstance(message.get("raw"), str):
        return None, []
    try:
        raw = base64.b64decode(message["raw"], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("Its octets are not base64.") from None
    spans: list[tuple[int, int]] = []
    masked = message.get("masked")
    for span in masked if is_list(masked) else []:
        if not (is_list(span) and len(span) == 2 and all(isinstance(end, int) for end in span)):
            raise ValueError("What was masked in it is not told in pairs of numbers.")
        start, end = span
        if (spans and start < spans[-1][1]) or not 0 <= start < end <= len(raw):
            raise ValueError("What was masked in it is not where it says.")
        spans.append((start, end))
    return raw, spans


class _Masked:
    """A message, and what was masked in it."""

    def __init__(
        self,
        raw: bytes,
        spans: list[tuple[int, int]],
        elements: list[Element],
        names: "_Names",
    ) -> None:
        self.raw = raw
        self.spans = spans
        self.elements = elements
        self.names = names

    def text(self, start: int, end: int, name: str = "") -> Text:
        """Return what is between two offsets."""
        return self._text(self.raw[start:end], _within(self.spans, start, end), start, name)

    def first(self, kind: str) -> Text:
        """Return the first element of a kind."""
        for element in self.elements:
            if element.kind == kind:
                return self.text(element.start, element.end, kind)
        return Text()

    def message(self, described: dict[str, Any]) -> Message:
        """Return fields and content."""
        message = Message(cut=bool(described.get("cut")), size=_number(described.get("size")))
        pieces: list[tuple[int, int]] = []
        for element in self.elements:
            if element.kind == "field-value":
                value = self.text(element.start, element.end, element.name)
                message.fields.append((element.name, value))
            elif element.kind in ("content", "chunk-data"):
                pieces.append((element.start, element.end))
                message.chunked = message.chunked or element.kind == "chunk-data"
            elif element.kind == "last-chunk":
                message.chunked = True
        coding = message.value("content-encoding")
        message.coding = (coding.octets or b"").decode("latin-1") if coding is not None else ""
        message.content = self._content(pieces, coded=bool(message.coding))
        return message

    def _content(self, pieces: list[tuple[int, int]], *, coded: bool) -> Text:
        content = b"".join(self.raw[start:end] for start, end in pieces)
        spans: list[tuple[int, int]] = []
        befores = accumulate((end - start for start, end in pieces), initial=0)
        for (start, end), before in zip(pieces, befores, strict=False):
            for first, last in _within(self.spans, start, end):
                if spans and spans[-1][1] == first + before:
                    first = spans.pop()[0] - before
                spans.append((first + before, last + before))
        if coded and spans:  # what is in a coding is masked whole
            return Text([self.names.variable("CONTENT_FILE", -1 - len(content), "content")])
        return self._text(content, spans, None, "content")

    def _text(
        self, octets: bytes, spans: list[tuple[int, int]], offset: int | None, name: str
    ) -> Text:
        """Return octets with variables for spans; those with nothing but white space between are one."""
        result: list[bytes | Variable] = []
        end = 0
        joined: list[tuple[int, int]] = []
        for start, last in spans:
            if joined and not octets[joined[-1][1] : start].strip():
                start = joined.pop()[0]
            joined.append((start, last))
        for start, last in joined:
            if start > end:
                result.append(octets[end:start])
            found = _KEY.search(octets, max(0, start - 80), start)
            if found is None and name == "content":
                found = _PART_KEY.search(octets, max(0, start - 600), start)
            key = found[1].decode("latin-1") if found is not None else ""
            # The same place in the message and among its fields is the same variable.
            place = len(self.raw) + start if offset is None else offset + start
            line = _LINE_NAME.match(octets, octets.rfind(b"\n", 0, start) + 1)
            of = name or (line[1].decode() if line is not None and offset == 0 else "")
            result.append(self.names.variable(key or of, place, of))
            end = last
        if octets[end:]:
            result.append(octets[end:])
        return Text(result)


_KEY: Final = re.compile(rb"([A-Za-z_][A-Za-z0-9_.\[\]-]{0,39})\"?'?\s?[=:]\s?[\"']?$")
_PART_KEY: Final = re.compile(
    rb"name=\"?([A-Za-z_][\w.\[\]-]{0,39})\"?[^\n]{0,200}\n(?:[^\r\n][^\n]{0,200}\n){0,4}\r?\n$"
)
_LINE_NAME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*:")


def _within(spans: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Return the parts of spans between two offsets, counted from the first."""
    return [
        (max(first, start) - start, min(last, end) - start)
        for first, last in spans
        if first < end and last > start
    ]


_TAKEN: Final = frozenset(
    [
        "HOME",
        "PATH",
        "PWD",
        "OLDPWD",
        "USER",
        "LOGNAME",
        "SHELL",
        "TERM",
        "IFS",
        "LANG",
        "MAIL",
        "PS1",
        "PS2",
        "EDITOR",
        "PAGER",
        "UID",
    ]
)
"""Names that something else goes by in every environment."""


class _Names:
    """Gives names to what was masked, each once."""

    def __init__(self) -> None:
        self._by_place: dict[int, Variable] = {}
        self._names: set[str] = set()

    @property
    def variables(self) -> Iterator[Variable]:
        """All of them, in the order of their places."""
        return (variable for _, variable in sorted(self._by_place.items()))

    def variable(self, key: str, place: int, field_name: str) -> Variable:
        """Return the variable for what was masked at a place.

        Args:
            key: what it goes by there.
            place: the offset.
            field_name: of the field that it is in; or ``target`` or ``content``; empty where that is not known.
        """
        known = self._by_place.get(place)
        if known is not None:
            return known
        name = re.sub(r"[^A-Z0-9]+", "_", key.upper()).strip("_")[:40] or "SECRET"
        if name in _TAKEN or name[0].isdigit():
            name = f"SECRET_{name}"
        number = 1
        unique = name
        while unique in self._names:
            number += 1
            unique = f"{name}_{number}"
        self._names.add(unique)
        place_name = f"the {field_name}" if field_name in ("target", "content") else field_name
        if field_name and key != field_name:
            about = f"{key} in {place_name}"
        else:
            about = place_name or key or "a secret"
        variable = self._by_place[place] = Variable(unique, printable(about))
        return variable


def printable(text: str) -> str:
    """Return text on one line of printable ASCII, as it may stand in a comment of any language."""
    return "".join(
        character if " " <= character <= "~" else " " if character.isspace() else "?"
        for character in text
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


PLAIN_TARGET: Final = re.compile(
    rb"/(?:[A-Za-z0-9_~!$&'()*+,;=:@?/-]|%[0-9A-Fa-f]{2}|\.(?![./?]|$))*"
)


def is_plain(target: Text) -> bool:
    """Tell whether a target is a path and query that no client changes when it is part of a URL."""
    text = target.with_names("%s")
    return PLAIN_TARGET.fullmatch(text) is not None and not text.startswith(b"//")
