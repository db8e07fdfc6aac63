"""Says what the bytes of a request are, element by element, and where it is wrong if it is.

The verdict is the reader's: `RequestReader` reads the bytes. The places are noted by the reader's own scanners
(`elements`), which go over the same bytes once more; so this costs what reading costs, twice, and only when somebody
looks.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from ..errors import ProtocolError
from ..head import RequestHead
from ..limits import MessageLimits
from .elements import Element, NotedHead, chunk_elements
from .explain_response import ResponseExplanation, explain_response
from .reader import DEFAULT_LIMITS, RequestReader
from .sections import TrailerRules

__all__ = ["Element", "Explanation", "ResponseExplanation", "explain_request", "explain_response"]


@dataclass(slots=True)
class Explanation:
    """What a request was found to be.

    All offsets count from 0 at the first byte that was given. What is not whole is there as far as it has come: the
    last element is then cut.
    """

    elements: list[Element] = field(default_factory=list[Element])
    """In the order of their first bytes, an outer one before those within it."""

    head: RequestHead | None = None
    """The head, or None while it is not whole, and when it was refused."""

    error: ProtocolError | None = None
    """The rule that was broken, or None."""

    complete: bool = False
    """Whether the whole message is there."""

    end: int = 0
    """Offset of the first byte behind the message: where the next one of a pipeline begins. All that was given, when
    the message is not complete."""

    content: bytes = b""
    """The content that is there, taken out of its chunks."""

    trailers: tuple[tuple[bytes, bytes], ...] = ()
    """The trailer section of a complete message in chunks."""


def explain_request(data: bytes, limits: MessageLimits = DEFAULT_LIMITS) -> Explanation:
    """Explain the request that `data` begins with; what comes behind it is left alone.

    It may be incomplete, and it may be wrong: this raises nothing.

    Args:
        data: bytes of a connection from the beginning of a message on.
        limits: those it is, or was, read with.
    """
    explanation = Explanation(end=len(data))
    reader = RequestReader(limits)
    reader.receive(data)
    head_end = len(data)
    try:
        explanation.head = reader.next_head()
        head_end -= reader.buffered
        if explanation.head is not None:
            _read_content(reader, explanation)
    except ProtocolError as error:
        explanation.error = error
    if explanation.complete:
        explanation.end = len(data) - reader.buffered
    noted = NotedHead(limits)
    with suppress(ProtocolError):  # the reader has said so
        noted.scan(data, 0)
    explanation.elements = noted.elements(data)
    head = explanation.head
    if head is not None:
        if head.chunked:
            explanation.elements += chunk_elements(data, head_end, limits, TrailerRules())
        elif explanation.content:
            end = head_end + len(explanation.content)
            explanation.elements.append(Element("content", head_end, end))
    return explanation


def _read_content(reader: RequestReader, explanation: Explanation) -> None:
    pieces: list[bytes] = []
    try:
        while piece := reader.next_content():
            pieces.append(piece)
    finally:
        explanation.content = b"".join(pieces)
    explanation.complete = reader.complete
    explanation.trailers = reader.trailers
