"""What a task's check is written with: it asks the learner's program, and says to the byte what is not as wanted."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..protocol.http1.elements import Element
from .asking import Asked, Conversation, Piece, as_request
from .showing import visible_lines

SHOWN_OCTETS: Final = 40
CLOSE_SECONDS: Final = 1.0
KEPT_SECONDS: Final = 0.05
"""How long a connection that is to stay open is looked at: nothing more is asked on it."""


class Unmet(Exception):
    """Something is not as the task wants it; the message says where and what came instead.

    Args:
        message: what it says.
        raw: the answer that it is about; empty if it is about none.
        offset: the byte of the answer.
    """

    def __init__(self, message: str, raw: bytes = b"", offset: int = 0) -> None:
        super().__init__(message)
        self.raw = raw
        self.offset = offset


class Verdict(NamedTuple):
    """What came of a check."""

    passed: bool
    steps: list[str]
    """What was found to be as wanted, in order."""

    failed: str
    """The step that was not; empty if all were."""

    message: str
    """What was expected and what came; empty if all is well."""

    bytes: list[str]
    """The conversation that was looked at last, as lines, the byte marked that is not as wanted."""

    output: str
    """What the program printed."""


class Task:
    """A program under examination.

    Args:
        port: where it listens.

    Attributes:
        steps: the promises that were looked at, the last one maybe not yet kept.
        pieces: the last conversation.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.steps: list[str] = []
        self.pieces: list[Piece] = []

    def step(self, promise: str) -> None:
        """Begin to look at a promise, which is a sentence."""
        self.steps.append(promise)

    def ask(self, text: str) -> "Answer":
        """Send one request on a connection of its own.

        Raises:
            Unmet: nothing comes, or no HTTP.
        """
        return self.converse([text])[0]

    def converse(
        self, texts: Sequence[str], *, at_once: bool = False, closes: bool | None = None
    ) -> list["Answer"]:
        """Send requests on one connection, each after the answer before it or all `at_once`.

        Args:
            texts: the requests.
            at_once: whether none waits for an answer.
            closes: whether the program has to close the connection after the last one, or to keep it; None: either.

        Raises:
            Unmet: an answer does not come, or is no HTTP, or the connection is closed when it should not be.
        """
        requests = [as_request(text) for text in texts]
        try:
            conversation = Conversation(self._port)
        except OSError as error:
            raise Unmet(f"The program does not take connections any more ({error}).") from error
        with conversation:
            self.pieces = conversation.pieces
            answers: list[Answer] = []
            if at_once:
                asked = conversation.ask_at_once(requests)
                answers = [Answer(one, conversation.closed) for one in asked]
            else:
                for request in requests:
                    answers.append(Answer(conversation.ask(request), conversation.closed))
            if closes is None:
                return answers
            closed = conversation.is_closed_by_program(CLOSE_SECONDS if closes else KEPT_SECONDS)
            if closed != closes:
                raise Unmet(
                    "The task wants the connection closed after this answer, and it is still open."
                    if closes
                    else "The task wants the connection kept after this answer, and it was closed."
                )
        return answers


class Answer:
    """What a program has answered, looked at byte by byte.

    Raises:
        Unmet: it is none.
    """

    def __init__(self, asked: Asked, closed: bool) -> None:
        self.raw = asked.raw
        self._answer = asked.answer
        self._request_line = asked.request.partition(b"\r\n")[0].decode("latin-1")
        if not asked.raw:
            how = "the program closed the connection" if closed else "nothing came for five seconds"
            raise Unmet(f"There is no answer to {self._request_line}: {how}.")
        error = asked.answer.error
        if error is not None:
            there = shown(asked.raw[error.offset :])
            what = f"{error.message} ({error.section}) The bytes there: {there}"
            raise self._unmet(error.offset, what)
        if asked.missing:
            raise self._unmet(len(asked.raw), f"the answer ends there, but {asked.missing}.")

    @property
    def content(self) -> bytes:
        """The content, taken out of its chunks."""
        return self._answer.content

    def field(self, name: str) -> str | None:
        """Return the value of a field, several lines joined; None if it is not there."""
        values = [value for other, value in self._answer.fields if other.lower() == name.lower()]
        return ", ".join(values) if values else None

    def wants_status(self, *wanted: int) -> None:
        """Require one of these statuses.

        Raises:
            Unmet: it has another.
        """
        if self._answer.status not in wanted:
            names = " or ".join(map(str, wanted))
            raise self._unmet(
                self._first("status").start,
                f"the status line says {self._answer.status}, the task wants {names}",
            )

    def wants_field(self, name: str, wanted: str) -> None:
        """Require a field with this value.

        Raises:
            Unmet: it is not there, or has another value.
        """
        self.wants_some(name, f"{name}: {wanted}")
        if self.field(name) != wanted:
            says = f"{name} says {self.field(name)!r}, the task wants {wanted!r}"
            raise self._unmet(self._value_of(name), says)

    def wants_member(self, name: str, wanted: str) -> None:
        """Require a field that is a list with this member, in capital or small letters, maybe with parameters.

        Raises:
            Unmet: it is not there, or has no such member.
        """
        self.wants_some(name, f"{name}: {wanted}")
        members = (self.field(name) or "").lower().split(",")
        if wanted.lower() not in (member.partition(";")[0].strip() for member in members):
            says = f"{name} says {self.field(name)!r}, the task wants {wanted!r} in it"
            raise self._unmet(self._value_of(name), says)

    def wants_some(self, name: str, example: str = "") -> str:
        """Require that there is a field, and return its value.

        Raises:
            Unmet: it is not there.
        """
        value = self.field(name)
        if value is None:
            raise self._unmet(
                self._first("end-of-head").start,
                f"the header section ends without {name}; the task wants {example or 'it'}",
            )
        return value

    def wants_no(self, name: str) -> None:
        """Require that a field is not there.

        Raises:
            Unmet: it is.
        """
        if self.field(name) is not None:
            place = next(e for e in self._elements("field-line") if e.name.lower() == name.lower())
            there_is = f"there is {name}: {self.field(name)}; the task wants none"
            raise self._unmet(place.start, there_is)

    def wants_content(self, wanted: bytes) -> None:
        """Require this content.

        Raises:
            Unmet: it is another.
        """
        came = self.content
        if came == wanted:
            return
        pairs = zip(came, wanted, strict=False)
        same = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(came), len(wanted)))
        place = self._place_of_content(same)
        if same == len(wanted):
            more = f"the content goes on with {shown(came[same:])}; the task wants it to end there"
            raise self._unmet(place, more)
        says = f"says {shown(came[same:])}" if came[same:] else f"ends after {len(came)} bytes"
        raise self._unmet(place, f"the content {says}, the task wants {shown(wanted[same:])}")

    def wants_in_content(self, wanted: str, *, without: str = "") -> None:
        """Require that the content has a text in it, and does not have another.

        Raises:
            Unmet: it is not so.
        """
        if without and without.encode() in self.content:
            place = self._place_of_content(self.content.index(without.encode()))
            has, wants = shown(without.encode()), shown(wanted.encode())
            raise self._unmet(place, f"the content has {has}, the task wants {wants}")
        if wanted.encode() not in self.content:
            place = self._place_of_content(0)
            is_now, wants = shown(self.content), shown(wanted.encode())
            raise self._unmet(place, f"the content is {is_now}, the task wants {wants} in it")

    def wants_chunks(self, wanted: Sequence[bytes]) -> None:
        """Require that the content came in these chunks.

        Raises:
            Unmet: it came in others.
        """
        came = [self.raw[place.start : place.end] for place in self._elements("chunk-data")]
        if came != list(wanted):
            are, should_be = (
                f"{len(chunks)} ({', '.join(str(len(chunk)) for chunk in chunks)} bytes)"
                for chunks in (came, wanted)
            )
            start = self._first("end-of-head").end
            raise self._unmet(start, f"the chunks there are {are}, the task wants {should_be}")

    def _unmet(self, offset: int, what: str) -> Unmet:
        return Unmet(f"byte {offset}: {what}", self.raw, offset)

    def _elements(self, kind: str) -> list[Element]:
        """Elements of the final response."""
        start = self._answer.start
        return [e for e in self._answer.elements if e.kind == kind and e.start >= start]

    def _first(self, kind: str) -> Element:
        return self._elements(kind)[0]

    def _value_of(self, name: str) -> int:
        values = self._elements("field-value")
        return next(value.start for value in values if value.name.lower() == name.lower())

    def _place_of_content(self, offset: int) -> int:
        """Return where the byte `offset` of the content is in the answer, as it was sent."""
        for piece in self._elements("content") + self._elements("chunk-data"):
            if offset < piece.end - piece.start:
                return piece.start + offset
            offset -= piece.end - piece.start
        return len(self.raw)


def shown(data: bytes) -> str:
    """Return bytes in quotation marks, those that are too many left out."""
    text = "".join(visible_lines(data[:SHOWN_OCTETS]))
    return f'"{text}"' + (" …" if len(data) > SHOWN_OCTETS else "")
