"""What other workers have recorded, asked for through the supervisor.

A worker that is asked for its page knows its own exchanges only. It asks the others by the channel that the supervisor
has to each (`groundwire.server.gathering`): 200 ms, and who has not answered by then is named.
"""

import json
import os
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from ...server.channel import ChildChannel

ROOM_BYTES: Final = 128 * 1024
"""What one worker says in a list. All answers come in one message, which has an end (16 MiB)."""

DOCUMENT_BYTES: Final = 12 * 1024 * 1024
"""The longest document that one worker fetches from another."""

ItemT = TypeVar("ItemT")


class Said(NamedTuple):
    """What the others have said."""

    values: dict[str, Any]
    """By process id, as JSON has keys."""

    missing: list[int]
    """Process ids of those who have not."""

    @property
    def found(self) -> Any:
        """What the one says who knows what was asked for; None if none does."""
        return next((value for value in self.values.values() if value is not None), None)


class Siblings:
    """The other workers.

    Args:
        channel: to the supervisor.
        answers: what this worker answers to the others, by what they ask.
    """

    def __init__(self, channel: ChildChannel, answers: dict[str, Callable[..., Any]]) -> None:
        self._channel = channel
        self._pid = os.getpid()
        channel.answers.update({_named(what): answer for what, answer in answers.items()})

    async def ask(self, what: str, **arguments: Any) -> Said:
        """Ask all others, and return what they say in time."""
        try:
            gathered = await self._channel.gather(_named(what), **arguments)
        except TimeoutError:
            return Said({}, [os.getppid()])  # the supervisor itself has not answered
        values: dict[str, Any] = {}
        missing: list[int] = list(gathered["missing"])
        for said in gathered["value"]:
            if said["pid"] == self._pid:
                continue
            if "value" in said:
                values[str(said["pid"])] = said["value"]
            else:  # it has no inspector yet, or failed, and has said so in its own log
                missing.append(said["pid"])
        return Said(values, missing)


def within(items: list[ItemT], room_bytes: int = ROOM_BYTES) -> list[ItemT]:
    """Return as many of `items`, from the first, as have room in a message."""
    for index, item in enumerate(items):
        room_bytes -= len(json.dumps(item)) + 1
        if room_bytes < 0:
            return items[:index]
    return items


def fits(document: dict[str, Any]) -> bool:
    """Tell whether a document can be sent to another worker."""
    return len(json.dumps(document)) <= DOCUMENT_BYTES


def _named(what: str) -> str:
    return f"wire {what}"
