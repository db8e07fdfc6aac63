"""What one worker gathers from the others, without processes: each has its recorder, and a channel to all."""

import asyncio
import inspect
import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from groundwire.inspector.recording.recorder import Recorder
from groundwire.inspector.serving import gathered, live
from groundwire.inspector.serving.live import Live, NotKept
from groundwire.inspector.serving.wanted import Wanted


class Supervisor:
    """Carries questions from each worker to all, as JSON."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self.silent: set[int] = set()
        self.silent_times = 1 << 30
        """How often those are silent; then they answer."""

        self.is_silent = False
        self.asked: list[str] = []

    async def gather(self, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(what)
        if self.is_silent:
            raise TimeoutError
        self.silent_times -= 1
        silent = self.silent if self.silent_times >= 0 else set()
        said: list[dict[str, Any]] = []
        for worker in self.workers:
            answer = worker.channel.answers.get(what)
            if worker.pid in silent:
                continue
            if answer is None:
                said.append({"pid": worker.pid, "error": "nothing is known"})
                continue
            value = answer(**json.loads(json.dumps(arguments)))
            if inspect.isawaitable(value):
                value = await value
            said.append({"pid": worker.pid, "value": json.loads(json.dumps(value))})
        return {"value": said, "missing": sorted(silent)}


class Channel:
    def __init__(self, supervisor: Supervisor) -> None:
        self.answers: dict[str, Callable[..., Any]] = {}
        self._supervisor = supervisor

    async def gather(self, what: str, **arguments: Any) -> dict[str, Any]:
        return await self._supervisor.gather(what, arguments)


class Worker:
    def __init__(
        self, supervisor: Supervisor, number: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.pid = 1000 + number
        self.recorder = Recorder(worker=number)
        self.channel: Any = Channel(supervisor)
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: self.pid)
            self.live = Live(self.recorder, None, self.channel)
        supervisor.workers.append(self)

    def exchange(self, target: str = "/") -> str:
        raw = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        peer = ("127.0.0.1", 1)
        record = self.recorder.begin(1, 1, peer, peer, "http", time.perf_counter(), raw)
        assert record is not None
        record.parsed = True
        record.head_octets = record.request_octets = len(raw)
        record.state = "answered"
        self.recorder.finish(record)
        return record.id


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor()


@pytest.fixture
def workers(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    return [Worker(supervisor, number, monkeypatch) for number in (1, 2, 3)]


def test_lists_are_merged_by_time(workers: list[Worker]) -> None:
    ids = [worker.exchange() for worker in (*workers, workers[0])]

    listed = asyncio.run(workers[1].live.requests(Wanted()))

    assert ids[::-1] == [one["id"] for one in listed["requests"]]
    assert (4, []) == (listed["recorder"]["messages"], listed["partial"])
    limited = asyncio.run(workers[1].live.requests(Wanted(limit=2)))
    assert ids[:1:-1] == [one["id"] for one in limited["requests"]]


def test_what_came_after_an_exchange_of_another_worker(workers: list[Worker]) -> None:
    ids = [worker.exchange() for worker in workers]

    listed = asyncio.run(workers[2].live.requests(Wanted(after=ids[0])))

    assert [ids[2], ids[1]] == [one["id"] for one in listed["requests"]]


def test_what_came_after_an_exchange_is_right_although_its_worker_is_busy(
    workers: list[Worker], supervisor: Supervisor
) -> None:
    ids = [worker.exchange() for worker in workers]
    supervisor.silent, supervisor.silent_times = {workers[0].pid}, 1

    listed = asyncio.run(workers[2].live.requests(Wanted(after=ids[0])))

    assert [ids[2], ids[1]] == [one["id"] for one in listed["requests"]]
    assert [] == listed["partial"]
    # Where it stays silent, who asks is told that more is listed than was asked for.
    supervisor.silent_times = live.ASKED_AGAIN
    listed = asyncio.run(workers[2].live.requests(Wanted(after=ids[0])))
    assert [workers[0].pid] == listed["partial"]


def test_a_session_has_the_exchanges_of_a_worker_that_is_busy(
    workers: list[Worker], supervisor: Supervisor
) -> None:
    ids = [worker.exchange() for worker in workers]
    supervisor.silent, supervisor.silent_times = {workers[0].pid}, live.ASKED_AGAIN - 1

    assert ids == asyncio.run(all_documents(workers[2]))


def test_an_exchange_is_had_of_the_worker_that_has_it(
    workers: list[Worker], supervisor: Supervisor
) -> None:
    ids = [worker.exchange(f"/{worker.pid}") for worker in workers]

    for id, target in zip(ids, ("/1001", "/1002", "/1003"), strict=True):
        assert target == asyncio.run(workers[0].live.document(id))["target"]

    assert 2 == supervisor.asked.count("wire document")  # one's own is asked of nobody


def test_who_does_not_answer_is_named_and_asked_again(
    workers: list[Worker], supervisor: Supervisor
) -> None:
    id = workers[1].exchange()
    supervisor.silent = {workers[1].pid}

    with pytest.raises(NotKept, match=r"not every worker has answered \(1002\); ask again"):
        asyncio.run(workers[0].live.document(id))

    assert live.ASKED_AGAIN == supervisor.asked.count("wire document")
    assert [1002] == asyncio.run(workers[0].live.requests(Wanted()))["partial"]
    assert [1002] == asyncio.run(workers[0].live.clear())


def test_a_supervisor_that_does_not_answer_is_named(
    workers: list[Worker], supervisor: Supervisor
) -> None:
    supervisor.is_silent = True

    assert [os.getppid()] == asyncio.run(workers[0].live.requests(Wanted()))["partial"]


def test_a_worker_without_an_inspector_counts_as_missing(
    workers: list[Worker], supervisor: Supervisor
) -> None:
    workers[2].channel.answers.clear()

    assert [1003] == asyncio.run(workers[0].live.requests(Wanted()))["partial"]


def test_what_is_too_large_for_a_message_says_so(
    workers: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    id = workers[1].exchange()
    monkeypatch.setattr(gathered, "DOCUMENT_BYTES", 100)

    with pytest.raises(NotKept, match="too large"):
        asyncio.run(workers[0].live.document(id))
    assert id == asyncio.run(workers[1].live.document(id))["id"]


async def all_documents(worker: Worker) -> list[str]:
    return [found["id"] async for found in worker.live.documents()]


@pytest.mark.parametrize("room_bytes", [1, 10_000, 10_000_000])
def test_a_session_has_the_exchanges_of_all_in_their_order(
    workers: list[Worker],
    supervisor: Supervisor,
    monkeypatch: pytest.MonkeyPatch,
    room_bytes: int,
) -> None:
    monkeypatch.setattr(live, "ROOM_BYTES", room_bytes)
    monkeypatch.setattr(live, "AT_ONCE_SECONDS", 60.0)  # room decides, however slow the machine is
    ids = [worker.exchange() for _ in range(10) for worker in workers]

    assert ids == asyncio.run(all_documents(workers[1]))

    batches = supervisor.asked.count("wire documents")
    assert batches == 1 if room_bytes > 1_000_000 else batches > 1


def test_a_session_passes_over_what_is_forgotten_meanwhile(
    workers: list[Worker], supervisor: Supervisor
) -> None:
    ids = [worker.exchange() for worker in workers]

    async def look() -> list[str]:
        found: list[str] = []
        async for document in workers[0].live.documents():
            found.append(document["id"])
            workers[1].recorder.clear()
        return found

    assert [ids[0], ids[2]] == asyncio.run(look())


def test_clearing_is_for_all(workers: list[Worker]) -> None:
    for worker in workers:
        worker.exchange()

    assert [] == asyncio.run(workers[0].live.clear())

    assert [0, 0, 0] == [len(worker.recorder.records()) for worker in workers]


def test_what_is_large_is_made_in_a_thread(
    workers: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    made_in: list[str] = []
    document = live.document

    def noted(*args: Any) -> Any:
        made_in.append(threading.current_thread().name)
        return document(*args)

    monkeypatch.setattr(live, "document", noted)
    small, large = workers[0].exchange("/"), workers[0].exchange("/" + "x" * 9000)
    for id in (small, large):
        asyncio.run(workers[0].live.document(id))

    assert "MainThread" == made_in[0]
    assert "MainThread" != made_in[1]


def test_of_another_worker_as_many_as_have_room_are_listed(workers: list[Worker]) -> None:
    for _ in range(150):
        workers[1].exchange("/" + "x" * 2000)

    listed = asyncio.run(workers[0].live.requests(Wanted()))

    assert 40 < len(listed["requests"]) < 70
    assert 150 == listed["recorder"]["messages"]


def test_of_the_worker_that_is_asked_all_are_listed(workers: list[Worker]) -> None:
    ids = [workers[0].exchange("/" + "x" * 2000) for _ in range(150)]

    listed = asyncio.run(workers[0].live.requests(Wanted()))

    assert ids[::-1] == [one["id"] for one in listed["requests"]]
