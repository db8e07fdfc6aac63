"""Which exchanges somebody wants to see."""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from ..recording.records import Record

LIMIT: Final = 200
LIMIT_MAX: Final = 1000

FILTERS: Final = ("after", "endpoint", "limit", "method", "status", "text")
"""Names of query parameters."""

_STATUS: Final = re.compile(r"[1-5](?:\d\d|xx)")


class UnknownFilter(ValueError):
    """A filter that cannot be; its text is a sentence for who has asked."""


class Wanted(NamedTuple):
    """A filter: what is empty lets everything pass."""

    text: str = ""
    """In lower case: in the target, the method, the endpoint, the client, the status or what was refused."""

    status: str = ""
    """A status code, or a class of them: ``4xx``."""

    method: str = ""
    endpoint: str = ""
    after: str = ""
    """An exchange's id: those that began later are wanted."""

    after_at: float = 0.0
    """When that one began, in seconds since 1970."""

    limit: int = LIMIT
    """How many are wanted, the newest."""

    def admits(self, record: Record) -> bool:
        """Tell whether an exchange is among those."""
        return (
            record.began_at > self.after_at
            and (not self.method or record.method == self.method)
            and (not self.endpoint or record.endpoint == self.endpoint)
            and (not self.status or self._has_status(record.status))
            and (not self.text or any(self.text in said.lower() for said in _texts(record)))
        )

    def _has_status(self, status: int) -> bool:
        said = str(status)
        return said[0] == self.status[0] if self.status.endswith("xx") else said == self.status


def read_wanted(pairs: Iterable[tuple[str, str]]) -> Wanted:
    """Return the filter that the fields of a query ask for; an empty value asks for nothing.

    Raises:
        UnknownFilter: it cannot be.
    """
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name not in FILTERS:
            raise UnknownFilter(
                f"There is no filter {name[:100]!r}; there are {', '.join(FILTERS)}."
            )
        if value:
            given[name] = value
    if "text" in given:
        given["text"] = given["text"].lower()
    if "method" in given:
        given["method"] = given["method"].upper()
    if "status" in given:
        given["status"] = given["status"].lower()
        if _STATUS.fullmatch(given["status"]) is None:
            raise UnknownFilter("A status is a number such as 404, or a class such as 4xx.")
    if "limit" in given:
        limit = given["limit"]
        if not (limit.isascii() and limit.isdecimal() and len(limit) < 10 and int(limit)):
            raise UnknownFilter(f"A limit is a number from 1 to {LIMIT_MAX}.")
        given["limit"] = min(int(limit), LIMIT_MAX)
    return Wanted(**given)


def _texts(record: Record) -> tuple[str, ...]:
    refusal = "" if record.error is None else record.error["message"]
    return (
        *(record.target, record.method, record.endpoint, record.id, record.peer),
        *(str(record.status), record.state, refusal),
    )
