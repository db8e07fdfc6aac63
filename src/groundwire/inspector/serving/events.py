"""What happens to exchanges, as it happens: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

There is one list of what has happened, of a bounded length, for all who follow it. A follower is a place in that list:
one that reads slowly holds nothing, and when the list has gone on without it, it is told to look at the whole anew.
"""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NamedTuple

from ..explaining.document import Summary, summary
from ..recording.recorder import Recorder
from ..recording.records import Record
from .gathered import within

LOG_EVENTS: Final = 2048
"""Events that are remembered for those who are slow, or come back."""

FOLLOWERS: Final = 32
"""Beyond: 503. Each is a connection that stays."""

BATCH_EVENTS: Final = 200
"""Sent at a time. PERF: 15 µs each."""

PAUSE_SECONDS: Final = 0.1
"""Between two batches, so that a busy server is not busy with telling."""

HEARTBEAT_SECONDS: Final = 10.0
"""A comment is sent after so long without an event: proxies and browsers give up what is silent."""

LOOK_SECONDS: Final = 0.5
"""How often other workers are asked, and exchanges that go on looked at."""

REST_SECONDS: Final = 30.0
"""For so long note is taken for who may come back. PERF: 1.5 µs for each exchange."""

LONG_SECONDS: Final = 0.5
"""An exchange that takes longer is told of before its end."""

OVERLAP_US: Final = 2_000_000
"""Who comes back is told again of what happened so long before: other workers' events come late. Telling twice does
no harm, for an exchange has its name."""

ASKED: Final = "asked"
"""Why a list was cleared: somebody wanted it so. Otherwise events were missed, and the list is to be fetched anew."""

EXCHANGE: Final = "exchange"
CLEARED: Final = "cleared"
MISSED: Final = "missed"

Told = tuple[int, str, dict[str, Any]]
"""An event as it is sent: when (microseconds since 1970), what, and its data."""


class Event(NamedTuple):
    """One thing that has happened."""

    at_us: int
    """Microseconds since 1970."""

    kind: str
    """``exchange``, ``cleared``, or ``missed``: that some are not told of."""

    id: str = ""
    """The exchange's; of what was cleared, what `clear` was told."""

    told: Summary | None = None
    """What another worker says of its exchange; None for this worker's own, which are looked up."""


class Events:
    """What has happened in this worker, and what others say.

    Note is taken while somebody follows, and for a while afterwards: until then exchanges do not pay for it.

    Args:
        recorder: whose exchanges these are.
        ask_others: asks the other workers what has happened there since the times given by their numbers; called
            while somebody follows, twice a second. Takes a time for those that are not among them.
        time_us: the time of day in microseconds.
    """

    def __init__(
        self,
        recorder: Recorder,
        ask_others: Callable[[dict[str, int], int], Any] | None = None,
        time_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.followers = 0
        self._recorder = recorder
        self._ask_others = ask_others
        self._time_us = time_us
        self._events: deque[Event] = deque(maxlen=LOG_EVENTS)
        self._count = 0
        """How many there have been; the place behind the last."""

        self._began_us = 0
        """Since when note is taken."""

        self._forgotten_us = 0
        """When the last happened that is not in the list any more."""

        self._unsubscribe: Callable[[], None] | None = None
        self._rest_at = 0.0

        self._told_long: set[str] = set()
        self._cleared = ""
        self._waiting: set[asyncio.Future[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._others: dict[str, int] = {}
        self._ended = False

    def close(self) -> None:
        """Have all who follow end."""
        self._ended = True
        self._wake()

    def listen(self) -> None:
        """Take note of what happens from now on, until `rest` finds that nobody wants to know."""
        self._rest_at = time.monotonic() + REST_SECONDS
        if self._unsubscribe is None:
            self._began_us = self._time_us()
            self._unsubscribe = self._recorder.subscribe(self._happened)

    def rest(self) -> None:
        """Take note of nothing any more, if nobody has wanted to know for a while. To be called once a second."""
        if self._unsubscribe is None or self.followers or time.monotonic() < self._rest_at:
            return
        self._unsubscribe()
        self._unsubscribe = None
        self._events.clear()

    def clear(self, id: str) -> None:
        """Take note that everything was cleared; of several with the same `id` the first counts."""
        if id != self._cleared:
            self._cleared = id
            if self._unsubscribe is not None:
                self._add(Event(self._time_us(), CLEARED, id))

    def since(self, at_us: int) -> dict[str, Any]:
        """Return what has happened in this worker after a time, for another one.

        Returns:
            ``events``: lists of a time, an id, and a summary, or None for what was cleared; ``until``: what to ask
            for the next time; ``missed``: whether there was more.
        """
        self.listen()
        self._look_for_long()
        own = [
            event
            for event in self._events
            if event.at_us > at_us and event.told is None and event.kind != MISSED
        ]
        last = {event.id: event for event in own}
        told: list[tuple[int, str, Summary | None]] = []
        for event in list(last.values())[-BATCH_EVENTS:]:
            if event.kind == CLEARED:
                told.append((event.at_us, event.id, None))
            elif (record := self._recorder.get(event.id)) is not None:
                told.append((event.at_us, event.id, summary(record)))
        kept = within(told)
        return {
            "events": kept,
            "until": own[-1].at_us if own else at_us,
            "missed": len(last) > BATCH_EVENTS
            or len(kept) < len(told)
            or at_us < max(self._began_us, self._forgotten_us),
        }

    async def follow(
        self, last_id: str = "", has_gone: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[str]:
        """Yield what happens from now on, or has happened since the event with `last_id`, as an event stream.

        Ends when the server stops, or when `has_gone` says that who follows has; `followers` counts those who are at
        it.
        """
        self.listen()
        self.followers += 1
        try:
            if self._looking is None:
                self._others = {}
                self._looking = asyncio.get_running_loop().create_task(self._look())
            position = self._count
            # Before the first octet, at which a list is fetched: what is not in that has to be told.
            await self._ask(self._time_us())
            yield "retry: 1000\n\n"
            if last_id.isascii() and last_id.isdecimal() and len(last_id) < 20:
                yield await self._resumed(int(last_id))
            beaten = time.monotonic()
            while not self._ended and not has_gone():
                events, position = self.taken(position), self._count
                if events:
                    yield "".join(map(_text, events))
                    beaten = time.monotonic()
                    await asyncio.sleep(PAUSE_SECONDS)
                elif time.monotonic() - beaten >= HEARTBEAT_SECONDS:
                    yield ":\n\n"
                    beaten = time.monotonic()
                else:
                    await self._changed(min(HEARTBEAT_SECONDS, LOOK_SECONDS))
        finally:
            self.followers -= 1
            self.listen()  # who comes back soon has missed nothing
            if not self.followers and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def taken(self, position: int) -> list[Told]:
        """Return what stands in the list behind a place, of each exchange the last."""
        new = self._count - position
        if new > min(BATCH_EVENTS, len(self._events)):
            return [self._missed()]
        found: dict[str, Told] = {}
        for event in itertools.islice(self._events, len(self._events) - new, None):
            found.pop(event.id, None)  # so that it stands where its last event does
            if event.kind != EXCHANGE:
                reason = MISSED if event.kind == MISSED else ASKED
                found[event.id] = (event.at_us, CLEARED, {"reason": reason})
                continue
            told = event.told
            if told is None and (record := self._recorder.get(event.id)) is not None:
                told = summary(record)
            if told is not None:
                found[event.id] = (event.at_us, EXCHANGE, told)
        return list(found.values())

    async def _resumed(self, last_us: int) -> str:
        """Return what somebody has missed who comes back."""
        if not self._began_us <= last_us <= self._time_us():
            return _text(self._missed())
        after_us = max(last_us - OVERLAP_US, self._began_us)
        parts = [self.since(after_us)]
        if self._ask_others is not None:
            parts += (await self._ask_others({}, after_us)).values()
        if any(part["missed"] for part in parts):
            return _text(self._missed())
        return "".join(
            _text((at_us, EXCHANGE, told))
            if told is not None
            else _text((at_us, CLEARED, {"reason": ASKED}))
            for at_us, _, told in sorted(
                (event for part in parts for event in part["events"]), key=lambda event: event[0]
            )
        )

    def _missed(self) -> Told:
        return (self._time_us(), CLEARED, {"reason": MISSED})

    def _happened(self, record: Record | None, event: str) -> None:
        """Take what the recorder tells."""
        if record is not None and event == "finished":
            self._told_long.discard(record.id)
            self._add(Event(self._time_us(), EXCHANGE, record.id))

    def _add(self, event: Event) -> None:
        if len(self._events) == LOG_EVENTS:
            self._forgotten_us = self._events[0].at_us
        self._events.append(event)
        self._count += 1
        self._wake()

    def _wake(self) -> None:
        for waiting in self._waiting:
            _end(waiting)

    async def _changed(self, seconds: float) -> None:
        """Wait until something has happened, but no longer than these seconds."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.add(future)
        timer = loop.call_later(seconds, _end, future)
        try:
            await future
        finally:
            timer.cancel()
            self._waiting.discard(future)

    async def _look(self) -> None:
        """Look twice a second for what does not tell of itself, while somebody follows."""
        began_us = self._time_us()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._look_for_long()
            await self._ask(began_us)

    async def _ask(self, began_us: int) -> None:
        """Ask the other workers; those that are asked for the first time, since when they have been taking note."""
        if self._ask_others is None:
            return
        for pid, said in (await self._ask_others(self._others, began_us)).items():
            if said["missed"] and pid in self._others:
                self._add(Event(self._time_us(), MISSED))
            self._others[pid] = said["until"]
            for at_us, id, told in said["events"]:
                if told is None:
                    self.clear(id)
                else:
                    self._add(Event(at_us, EXCHANGE, id, told))

    def _look_for_long(self) -> None:
        begun_before = self._time_us() / 1e6 - LONG_SECONDS
        under_way = {id: at for at, id in self._recorder.times(under_way=True)}
        self._told_long &= under_way.keys()
        for id, began_at in under_way.items():
            if began_at < begun_before and id not in self._told_long:
                self._told_long.add(id)
                self._add(Event(self._time_us(), EXCHANGE, id))


def _end(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _text(event: Told) -> str:
    at_us, kind, data = event
    return f"id: {at_us}\nevent: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
