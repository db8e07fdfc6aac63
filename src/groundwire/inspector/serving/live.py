"""What a running server has recorded, its other workers included."""

import asyncio
import contextlib
import itertools
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, Final

from ...protocol.http1.reader import DEFAULT_LIMITS
from ...protocol.limits import MessageLimits
from ...server.channel import ChildChannel
from ..explaining.document import Document, Summary, document, routing_of, summary
from ..recording.recorder import Recorder
from .events import Events
from .gathered import ROOM_BYTES, Said, Siblings, fits, within
from .wanted import Wanted

AT_ONCE_BYTES: Final = 8192
"""An exchange of more octets is made a document in a thread, so that nobody waits for it."""

TOO_LARGE: Final[Document] = {}
"""In place of a document that has no room in a message."""

ASKED_AGAIN: Final = 3
"""Another worker that does not answer in time is asked so often."""

ASKED_AT_ONCE: Final = 50
AT_ONCE_SECONDS: Final = 0.05
"""How long another worker makes documents before it sends what there is."""

KEPT_SECONDS: Final = 5.0

LOOKED_AT_ONCE: Final = 500
"""Records that are looked at before others have their turn. PERF: 10 µs each, where a text is looked for."""

IDS_MAX: Final = 5000
"""Exchanges of another worker that come into a session: as with all it says, so many have room in a message."""


class NotKept(LookupError):
    """An exchange that is not known, or not any more. Its text is a sentence for who has asked."""


class Live:
    """The exchanges of a server that runs.

    Args:
        recorder: this process's.
        handler: the application's, which knows its routes.
        channel: to the supervisor; None where there is none, nor another worker.
        limits: those that requests are read with.

    Attributes:
        events: what happens.
    """

    read_only = False
    """See `groundwire.inspector.serving.pages.Source`."""

    def __init__(
        self,
        recorder: Recorder,
        handler: Any,
        channel: ChildChannel | None = None,
        limits: MessageLimits = DEFAULT_LIMITS,
    ) -> None:
        self._recorder = recorder
        self._handler = handler
        self._limits = limits
        self._making: dict[str, asyncio.Task[Document | None]] = {}
        self._siblings: Siblings | None = None
        if channel is None:
            self.events = Events(recorder)
            return
        self.events = Events(recorder, self._others_events)
        self._siblings = Siblings(
            channel,
            {
                "requests": self._requests_for_others,
                "ids": lambda: self._own_ids()[-IDS_MAX:],
                "document": self._document_for_others,
                "documents": self._documents_for_others,
                "began": self._own_beginning,
                "clear": self._clear_own,
                "events": self._own_events,
            },
        )

    async def requests(self, wanted: Wanted) -> dict[str, Any]:
        """Return the summaries of those that are wanted, newest first, and what is to be known of the recording."""
        missing: list[int] = []
        if wanted.after:
            after_at, missing = await self._beginning(wanted.after)
            wanted = wanted._replace(after_at=after_at)
        said = await self._ask("requests", wanted=list(wanted))
        own = await self._own_requests(wanted)
        parts = [own, *said.values.values()]
        found: list[Summary] = [one for part in parts for one in part["requests"]]
        found.sort(key=lambda one: one["began"], reverse=True)
        recorders = [part["recorder"] for part in parts]
        facts = {
            name: sum(each[name] for each in recorders)
            for name in ("octets", "bound_octets", "messages", "dropped")
        }
        return {
            "requests": found[: wanted.limit],
            "partial": sorted({*missing, *said.missing}),
            "recorder": {**facts, "secrets": self._recorder.secrets},
        }

    async def document(self, id: str) -> Document:
        """Return one exchange.

        Raises:
            NotKept: it is not known.
        """
        own = await self._own_document(id)
        if own is not None:
            return own
        said = await self._ask_patiently("document", of_one=True, id=id)
        found: Document | None = said.found
        if found == TOO_LARGE:
            raise NotKept(f"The exchange {id[:100]!r} is too large to be had of its worker.")
        if found is not None:
            return found
        if said.missing:
            pids = ", ".join(map(str, said.missing))
            raise NotKept(
                f"There is no exchange {id[:100]!r} here, and not every worker has answered ({pids}); ask again."
            )
        raise NotKept(
            f"There is no exchange {id[:100]!r}: it may have been dropped,"
            " since the newest take the place of the oldest."
        )

    async def documents(self) -> AsyncIterator[Document]:
        """Iterate over all exchanges, oldest first, as far as they are still known when their turn comes."""
        said = await self._ask_patiently("ids")
        begun = [(at, id) for part in (self._own_ids(), *said.values.values()) for at, id in part]
        ids = [id for _, id in sorted(begun)]
        fetched: dict[str, Document] = {}
        for place, id in enumerate(ids):
            found = await self._own_document(id) or fetched.pop(id, None)
            if found is None and self._siblings is not None:
                fetched = await self._fetched(ids[place:])
                found = fetched.pop(id, None)
                if found is None:  # too much for one message, or forgotten
                    with contextlib.suppress(NotKept):
                        found = await self.document(id)
            if found is not None:
                yield found
            await asyncio.sleep(0)  # others have their turn between two

    async def clear(self) -> list[int]:
        """Forget all exchanges; return the process ids of those workers that may not have."""
        id = uuid.uuid4().hex
        self._clear_own(id)
        return (await self._ask("clear", id=id)).missing

    def facts(self) -> dict[str, Any]:
        """Return what is to be known of this process's recording."""
        recorder = self._recorder
        return {
            "octets": recorder.octets,
            "bound_octets": recorder.bound_octets,
            "messages": recorder.messages,
            "dropped": recorder.dropped,
            "secrets": recorder.secrets,
        }

    def each_second(self) -> None:
        """Do what time brings."""
        self.events.rest()

    def close(self) -> None:
        """End the streams of those who follow."""
        self.events.close()

    async def _fetched(self, ids: list[str]) -> dict[str, Document]:
        """Have the other workers make documents of the first of these that are theirs."""
        theirs = itertools.islice(
            (id for id in ids if self._recorder.get(id) is None), ASKED_AT_ONCE
        )
        said = await self._ask("documents", ids=list(theirs))
        return {id: found for part in said.values.values() for id, found in part.items()}

    async def _beginning(self, id: str) -> tuple[float, list[int]]:
        """Return when an exchange began, 0 where nobody knows it, and who may know it and has not answered."""
        own = self._own_beginning(id)
        if own is not None:
            return own, []
        said = await self._ask_patiently("began", of_one=True, id=id)
        return (0.0, said.missing) if said.found is None else (said.found, [])

    async def _ask(self, what: str, **arguments: Any) -> Said:
        if self._siblings is None:
            return Said({}, [])
        return await self._siblings.ask(what, **arguments)

    async def _ask_patiently(self, what: str, *, of_one: bool = False, **arguments: Any) -> Said:
        """Ask until all have answered, or one has whose answer is all there is to know; but not for ever."""
        said = Said({}, [])
        for _ in range(ASKED_AGAIN):
            said = await self._ask(what, **arguments)
            if not said.missing or (of_one and said.found is not None):
                break
        return said

    async def _others_events(self, after_us: dict[str, int], otherwise_us: int) -> dict[str, Any]:
        said = await self._ask("events", after_us=after_us, otherwise_us=otherwise_us)
        return said.values

    # What other workers ask.

    async def _requests_for_others(self, wanted: list[Any]) -> dict[str, Any]:
        own = await self._own_requests(Wanted(*wanted))
        return {**own, "requests": within(own["requests"])}

    async def _own_requests(self, wanted: Wanted) -> dict[str, Any]:
        records = self._recorder.records()
        found: list[Summary] = []
        for looked_at, record in enumerate(reversed(records), 1):
            if wanted.admits(record):
                found.append(summary(record))
                if len(found) == wanted.limit:
                    break
            if looked_at % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return {"requests": found, "recorder": self.facts()}

    def _own_ids(self) -> list[tuple[float, str]]:
        return self._recorder.times()

    async def _own_document(self, id: str) -> Document | None:
        record = self._recorder.get(id)
        if record is None:
            return None
        routing = routing_of(record, self._handler, self._limits)
        if len(record.request) + len(record.response) <= AT_ONCE_BYTES:
            return document(record, routing, self._limits)
        # Not in the pool's threads: the program may have filled them.
        return await asyncio.to_thread(document, record, routing, self._limits)

    async def _document_for_others(self, id: str) -> Document | None:
        """Make a document; who asks does not wait for long, but asks again, and has it then."""
        making = self._making.get(id)
        if making is None:
            loop = asyncio.get_running_loop()
            making = self._making[id] = loop.create_task(self._own_document(id))
            loop.call_later(KEPT_SECONDS, self._making.pop, id, None)
        made = await asyncio.shield(making)
        return made if made is None or fits(made) else TOO_LARGE

    async def _documents_for_others(self, ids: list[str]) -> dict[str, Document]:
        """Make as many of these documents as can be made at once, but one in any case."""
        until = time.monotonic() + AT_ONCE_SECONDS
        room_bytes = ROOM_BYTES
        found: dict[str, Document] = {}
        for id in ids:
            made = await self._own_document(id)
            if made is not None:
                room_bytes -= len(json.dumps(made))
                if found and room_bytes < 0:
                    break
                found[id] = made
                if time.monotonic() > until:
                    break
                await asyncio.sleep(0)
        return found

    def _own_beginning(self, id: str) -> float | None:
        record = self._recorder.get(id)
        return None if record is None else record.began_at

    def _clear_own(self, id: str) -> None:
        self._recorder.clear()
        self.events.clear(id)

    def _own_events(self, after_us: dict[str, int], otherwise_us: int) -> dict[str, Any]:
        return self.events.since(after_us.get(str(os.getpid()), otherwise_us))
