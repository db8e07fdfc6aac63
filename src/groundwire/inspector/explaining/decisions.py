"""What fields of a request did to its answer: content coding, conditions, ranges.

The application notes what only it can know. The rest is seen from the two messages, whoever has answered: which
condition decided, and which field was passed over because another goes before it (RFC 9110 §13.2.2).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from ...http.codings import MIN_BYTES
from ...http.dates import parse_date
from ...http.etags import parse_etags, unquote_etag
from ...http.headers import Headers
from .provenance import Facts, Field, Notes

Decision = dict[str, str]

NO_CONTENT: Final = frozenset({204, 205, 304})


def decisions(fields: Iterable[Field], notes: Notes, facts: Facts) -> list[Decision]:
    """Return ``{"about": …, "said": …, "did": …}`` for each field of the request that was weighed.

    Args:
        fields: the response's, as they were sent.
        notes: what was noted while it was made.
        facts: what else is known.
    """
    noted = {
        str(each.get("about", "")): {
            name: str(each.get(name, "")) for name in ("about", "said", "did")
        }
        for kind, each in notes
        if kind == "decision"
    }
    if facts.refused:
        return list(noted.values())
    weighing = _Weighing(Headers(_readable(facts.fields)), Headers(_readable(fields)), facts)
    found = dict(noted)
    for name, weigh in WEIGHED.items():
        said = weighing.asked.combined(name)
        if said is not None and name not in noted:
            found[name] = {"about": name, "said": said, "did": weigh(weighing, said)}
    return list(found.values())


def _readable(fields: Iterable[Field]) -> list[Field]:
    """Return the fields that can be those of a message: what was recorded may be cut or masked."""
    readable: list[Field] = []
    for name, value in fields:
        try:
            Headers([(name, value)])
        except ValueError:
            continue
        readable.append((name, value))
    return readable


class _Weighing:
    """What the fields of one request came to."""

    def __init__(self, asked: Headers, answered: Headers, facts: Facts) -> None:
        self.asked = asked
        self.answered = answered
        self.facts = facts
        self.status = facts.status
        self.retrieval = facts.method in ("GET", "HEAD")
        self.etag = answered.get("ETag")
        self.modified: datetime | None = parse_date(answered.get("Last-Modified"))

    def coding(self, said: str) -> str:
        """Say what Accept-Encoding did."""
        coding = self.answered.get("Content-Encoding")
        if coding is not None:
            return f"{coding}: the application has coded it"
        if self.status in NO_CONTENT:
            return f"not coded: {self.status} has no content"
        size = self.facts.size
        if size is not None and size <= MIN_BYTES and self.facts.method != "HEAD":
            return f"not coded: {size} octets, and up to {MIN_BYTES} are not worth it"
        return "not coded: the application sends it as it is"

    def if_none_match(self, said: str) -> str:
        """Say what If-None-Match did."""
        if self.status == 304:
            return "304: the ETag is the same, so nothing is sent again"
        if self.status == 412:
            return "412: it exists already, so nothing was changed"
        if not 200 <= self.status < 300:
            return self._no_success()
        if self.etag is None:
            return "passed over: the answer has no ETag to compare with"
        tags, (opaque, _) = parse_etags(said), unquote_etag(self.etag)
        if tags.star_tag or (opaque is not None and tags.contains_weak(opaque)):
            return "passed over: the ETag is the same, and the application did not look (make_conditional)"
        return "the ETag is another one, so all of it is sent"

    def if_modified_since(self, said: str) -> str:
        """Say what If-Modified-Since did."""
        if not self.retrieval:
            return "passed over: it is for GET and HEAD only"
        if "If-None-Match" in self.asked:
            return "passed over: If-None-Match goes before it, being more exact"
        if self.status == 304:
            return "304: it was not modified since, so nothing is sent again"
        return self._since(said, "it was modified since, so all of it is sent")

    def _since(self, said: str, modified: str) -> str:
        if not 200 <= self.status < 300:
            return self._no_success()
        when = self._when(said)
        if isinstance(when, str):
            return when
        if when > 0:
            return modified
        return "passed over: it was not modified since, and the application did not look (make_conditional)"

    def _when(self, said: str) -> float | str:
        """Return by how many seconds the content was modified later than `said`, or why that cannot be told."""
        date = parse_date(said)
        if date is None:
            return "passed over: that is no date"
        if self.modified is None:
            return "passed over: the answer has no Last-Modified to compare with"
        return (self.modified - date).total_seconds()

    def if_match(self, said: str) -> str:
        """Say what If-Match did."""
        if self.status == 412:
            return "412: it is not that version any more, so nothing was done"
        if not 200 <= self.status < 300:
            return self._no_success()
        opaque, weak = unquote_etag(self.etag)
        tags = parse_etags(said)
        if tags.star_tag or (opaque is not None and not weak and tags.is_strong(opaque)):
            return "it is that version, so the request was carried out"
        return "passed over: the application did not look"

    def if_unmodified_since(self, said: str) -> str:
        """Say what If-Unmodified-Since did."""
        if "If-Match" in self.asked:
            return "passed over: If-Match goes before it, being more exact"
        if self.status == 412:
            return "412: it was modified since, so nothing was done"
        if not 200 <= self.status < 300:
            return self._no_success()
        when = self._when(said)
        if isinstance(when, str):
            return when
        if when <= 0:
            return "it was not modified since, so the request was carried out"
        return "passed over: it was modified since, and the application did not look"

    def range(self, said: str) -> str:
        """Say what Range did."""
        part = self.answered.get("Content-Range")
        if self.status == 206:
            return f"206: {part}" if part else "206: several parts, each with its Content-Range"
        if self.status == 416:
            return f"416: nothing of it exists ({part})" if part else "416: nothing of it exists"
        if self.status == 304:
            return "passed over: the client has all of it"
        if self.facts.method != "GET":
            return "passed over: it is for GET only"
        if not 200 <= self.status < 300:
            return self._no_success()
        if self.answered.get("Accept-Ranges") in (None, "none"):
            return "passed over: there are no parts of this (no Accept-Ranges)"
        if "If-Range" in self.asked:
            return "passed over: it is another version now (If-Range), so all of it is sent"
        return "passed over: all of it is sent"

    def if_range(self, said: str) -> str:
        """Say what If-Range did."""
        if "Range" not in self.asked:
            return "passed over: there is no Range"
        if self.status in (206, 416):
            return "it is the same version, so a part is enough"
        if self.status == 200 and self.answered.get("Accept-Ranges") not in (None, "none"):
            return "it is another version now, so all of it is sent"
        return "passed over: no part is sent anyway"

    def _no_success(self) -> str:
        return f"passed over: conditions are those of a success, and this is {self.status}"


WEIGHED: Final[Mapping[str, Callable[[_Weighing, str], str]]] = {
    "If-Match": _Weighing.if_match,
    "If-Unmodified-Since": _Weighing.if_unmodified_since,
    "If-None-Match": _Weighing.if_none_match,
    "If-Modified-Since": _Weighing.if_modified_since,
    "If-Range": _Weighing.if_range,
    "Range": _Weighing.range,
    "Accept-Encoding": _Weighing.coding,
}
"""In the order in which they are weighed (RFC 9110 §13.2.2)."""
