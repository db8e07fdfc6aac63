"""Asking all workers, and waiting no longer than is worth it."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, Final

from .channel import Message
from .children import WorkerProcess
from .timers import Timer, Timers

GATHER_SECONDS: Final = 0.2
"""Who has not answered by then is left out, and named."""

LAST_WORDS_SECONDS: Final = 10.0
"""How long what a worker said at its end is told to who gathers: longer than anybody waits between two gatherings who
wants sums that are right."""

Gathered = Callable[[list[Message], list[int]], None]
"""Called with what each worker said, and the process ids of those who said nothing."""


class _Gathering:
    __slots__ = ("answers", "done", "timer", "waiting")

    def __init__(self, done: Gathered) -> None:
        self.answers: list[Message] = []
        self.waiting: dict[int, WorkerProcess] = {}
        self.done = done
        self.timer: Timer | None = None


class Gatherings:
    """Questions to all workers that are under way."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._ids = itertools.count(1)
        self._open: dict[int, _Gathering] = {}
        self._last_words: list[Message] = []

    def ask(
        self, workers: Iterable[WorkerProcess], what: str, arguments: Any, done: Gathered
    ) -> None:
        """Ask each worker that serves, or has and is about to end."""
        id = next(self._ids)
        gathering = self._open[id] = _Gathering(done)
        gathering.answers += [said for said in self._last_words if said["what"] == what]
        for worker in workers:
            if worker.state != "starting":
                gathering.waiting[worker.pid] = worker
                worker.channel.send("ask", id=id, what=what, arguments=arguments)
        gathering.timer = self._timers.call_in(
            GATHER_SECONDS if gathering.waiting else 0.0, lambda: self._end(id)
        )

    def answered(self, worker: WorkerProcess, message: Message) -> None:
        """Take an answer."""
        gathering = self._open.get(message.get("id", 0))
        if gathering is None or gathering.waiting.pop(worker.pid, None) is None:
            return
        said: Message = {name: message[name] for name in ("value", "error") if name in message}
        gathering.answers.append({"number": worker.number, "pid": worker.pid, **said})
        if not gathering.waiting:
            self._end(message["id"])

    def said_last(self, worker: WorkerProcess, message: Message) -> None:
        """Keep what a worker says at its end, to a question that nobody has asked it yet."""
        said = {
            "number": worker.number,
            "pid": worker.pid,
            "what": message["what"],
            "value": message["value"],
            "ended": True,
        }
        self._last_words.append(said)
        self._timers.call_in(LAST_WORDS_SECONDS, lambda: self._last_words.remove(said))

    def ended(self, worker: WorkerProcess) -> None:
        """Wait no longer for a worker that has ended."""
        for id, gathering in tuple(self._open.items()):
            if gathering.waiting.pop(worker.pid, None) is not None and not gathering.waiting:
                self._end(id)

    def _end(self, id: int) -> None:
        gathering = self._open.pop(id)
        if gathering.timer is not None:
            gathering.timer.cancel()
        gathering.answers.sort(key=lambda answer: answer["number"])
        gathering.done(gathering.answers, list(gathering.waiting))
