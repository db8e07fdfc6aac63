"""The figures of all workers, added up, such that what only grows never shrinks.

A worker that ends takes its counters along. Who adds up what is left would see the sums fall, and Prometheus would
take that for a new beginning at the lower sum. So the last word of each worker is kept.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from .channel import Message
from .metrics import Snapshot

ENDED_REMEMBERED: Final = 1000


@dataclass(slots=True)
class Sums:
    """The figures of all workers at one moment."""

    totals: Snapshot = field(default_factory=dict[str, Any])
    """What only grows, of workers that have ended too."""

    gauges: Snapshot = field(default_factory=dict[str, Any])
    """Of those that have answered."""

    processes: dict[int, Snapshot] = field(default_factory=dict[int, Any])
    """By the number of a worker's place: the figures of its process, added up where one is being replaced."""

    missing: int = 0
    """Workers that have not answered in time; what they said last is counted."""


class Ledger:
    """Adds up what workers say."""

    def __init__(self) -> None:
        self._last: dict[int, Snapshot] = {}
        """By process id."""

        self._gone: Snapshot = {}
        self._ended: deque[str] = deque(maxlen=ENDED_REMEMBERED)
        """Of those whose last word has been taken; it is told more than once."""

    def take(self, said: Iterable[Message], missing: Iterable[int]) -> Sums:
        """Take what was gathered (see `ChildChannel.gather`), and return the sums."""
        missing = set(missing)
        sums = Sums(missing=len(missing))
        answered: set[int] = set()
        for answer in said:
            snapshot: Any = answer.get("value")
            if not isinstance(snapshot, dict):  # it keeps no figures, or failed
                continue
            pid = answer["pid"]
            if answer.get("ended"):
                self._take_last(pid, cast("Snapshot", snapshot))
                continue
            answered.add(pid)
            self._take_one(pid, cast("Snapshot", snapshot))
            sums.gauges = added(sums.gauges, snapshot["gauges"])
            number = answer["number"]
            sums.processes[number] = added(sums.processes.get(number, {}), snapshot["process"])
        for pid in [pid for pid in self._last if pid not in answered | missing]:
            self._take_last(pid, self._last[pid])
        sums.totals = self._gone
        for snapshot in self._last.values():
            sums.totals = added(sums.totals, snapshot["totals"])
        return sums

    def _take_one(self, pid: int, snapshot: Snapshot) -> None:
        before = self._last.get(pid)
        if before is not None and before["born"] != snapshot["born"]:
            self._take_last(pid, before)  # the system has used the id again
        self._last[pid] = snapshot

    def _take_last(self, pid: int, snapshot: Snapshot) -> None:
        born = snapshot["born"]
        if pid in self._last and self._last[pid]["born"] == born:
            del self._last[pid]
        if born not in self._ended:
            self._ended.append(born)
            self._gone = added(self._gone, snapshot["totals"])


def added(one: Any, other: Any) -> Any:
    """Return the sum of two figures: numbers, or lists or objects of figures."""
    if _are(dict, one, other):
        both = {name: added(one[name], other[name]) for name in one if name in other}
        return {**one, **other, **both}
    if _are(list, one, other):
        return [added(first, second) for first, second in zip(one, other, strict=True)]
    return one + other


def _are(kind: type, *values: object) -> bool:
    return all(isinstance(value, kind) for value in values)
