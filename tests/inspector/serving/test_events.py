"""What happens to exchanges, told live."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from groundwire.inspector.recording.recorder import Recorder
from groundwire.inspector.recording.records import Record
from groundwire.inspector.serving import events as module
from groundwire.inspector.serving.events import BATCH_EVENTS, FOLLOWERS, LOG_EVENTS, Events
from inspecting import Client, Program, inspected
from serving import SECONDS

REQUEST = b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_800_000_000_000_000

    def __call__(self) -> int:
        self.now_us += 1
        return self.now_us


class Recording:
    """A recorder that a test fills."""

    def __init__(self, **options: Any) -> None:
        self.recorder = Recorder(**options)
        self.clock = Clock()
        self.events = Events(self.recorder, time_us=self.clock)
        self.events.listen()

    def begin(self, number: int = 0) -> Record:
        began = self.recorder.begin(
            1, 1, ("127.0.0.1", 1), ("127.0.0.1", 2), "http", time.perf_counter(), REQUEST % number
        )
        assert began is not None
        began.parsed = True
        began.head_octets = len(began.request)
        return began

    def finish(self, record: Record) -> None:
        record.state = "answered"
        self.recorder.finish(record)

    def exchange(self, number: int = 0) -> str:
        record = self.begin(number)
        self.finish(record)
        return record.id


def parsed(text: str) -> list[tuple[str, Any]]:
    """The events of a stream: kinds and data."""
    found: list[tuple[str, Any]] = []
    for block in text.split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines() if line != ":")
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def last_id(text: str) -> str:
    return [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")][-1]


class Follower:
    """Reads a stream piece by piece."""

    def __init__(self, stream: AsyncIterator[str]) -> None:
        self._stream = stream

    async def next(self) -> str:
        return await asyncio.wait_for(anext(self._stream), 5)

    async def close(self) -> None:
        await self._stream.aclose()  # type: ignore[attr-defined]


def follow(recording: Recording, id: str = "") -> Follower:
    return Follower(recording.events.follow(id))


def run(test: Callable[[], Any]) -> None:
    asyncio.run(test())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


def test_an_exchange_that_has_ended_is_told_once_with_its_summary() -> None:
    async def test() -> None:
        recording = Recording()
        follower = follow(recording)
        assert "retry: 1000\n\n" == await follower.next()

        id = recording.exchange(7)
        ((kind, told),) = parsed(await follower.next())

        assert ("exchange", id, "/7") == (kind, told["id"], told["target"])
        await follower.close()
        assert 0 == recording.events.followers

    run(test)


def test_several_that_have_ended_are_told_in_one_piece_in_their_order() -> None:
    async def test() -> None:
        recording = Recording()
        follower = follow(recording)
        await follower.next()

        ids = [recording.exchange(number) for number in range(5)]

        assert ids == [told["id"] for _, told in parsed(await follower.next())]
        await follower.close()

    run(test)


def test_an_exchange_that_takes_long_is_told_of_before_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        monkeypatch.setattr(module, "LONG_SECONDS", -1e9)  # by the clock of the test
        recording = Recording()
        follower = follow(recording)
        await follower.next()

        record = recording.begin(1)
        ((_, told),) = parsed(await follower.next())
        assert ("receiving", None) == (told["state"], told["duration_us"])

        recording.finish(record)
        ((_, told),) = parsed(await follower.next())
        assert ("answered", record.id) == (told["state"], told["id"])
        await follower.close()

    run(test)


def test_what_is_silent_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.001)
        follower = follow(Recording())
        await follower.next()

        assert [":\n\n", ":\n\n"] == [await follower.next(), await follower.next()]
        await follower.close()

    run(test)


def test_that_all_was_cleared_is_told_once() -> None:
    async def test() -> None:
        recording = Recording()
        follower = follow(recording)
        await follower.next()

        recording.events.clear("a")
        recording.events.clear("a")

        assert [("cleared", {"reason": "asked"})] == parsed(await follower.next())
        await follower.close()

    run(test)


def test_who_is_slow_is_told_that_something_was_missed_and_nothing_piles_up() -> None:
    async def test() -> None:
        recording = Recording()
        slow = follow(recording)
        await slow.next()

        for number in range(LOG_EVENTS + 100):
            recording.exchange(number)

        assert [("cleared", {"reason": "missed"})] == parsed(await slow.next())
        id = recording.exchange(1)
        assert [id] == [told["id"] for _, told in parsed(await slow.next())]
        await slow.close()

    run(test)


def test_what_has_been_forgotten_meanwhile_is_not_told() -> None:
    async def test() -> None:
        recording = Recording(bound_messages=1)
        follower = follow(recording)
        await follower.next()

        ids = [recording.exchange(number) for number in range(3)]

        assert ids[-1:] == [told["id"] for _, told in parsed(await follower.next())]
        await follower.close()

    run(test)


def test_who_comes_back_is_told_what_has_happened_meanwhile() -> None:
    async def test() -> None:
        recording = Recording()
        first = follow(recording)
        await first.next()
        recording.exchange(1)
        seen = last_id(await first.next())
        await first.close()

        recording.clock.now_us += module.OVERLAP_US + 10
        meanwhile = [recording.exchange(2), recording.exchange(3)]
        back = follow(recording, seen)
        await back.next()
        told = [data["id"] for _, data in parsed(await back.next())]

        assert meanwhile == told[-2:]  # and perhaps what was told shortly before
        afterwards = recording.exchange(4)
        assert [afterwards] == [data["id"] for _, data in parsed(await back.next())]
        await back.close()

    run(test)


@pytest.mark.parametrize("id", ["1", "1700000000000000", "9" * 19, "1900000000000000"])
def test_who_comes_back_from_another_time_is_told_to_look_anew(id: str) -> None:
    async def test() -> None:
        recording = Recording()
        follower = follow(recording, id)
        await follower.next()

        assert [("cleared", {"reason": "missed"})] == parsed(await follower.next())
        await follower.close()

    run(test)


@pytest.mark.parametrize("id", ["x", "-1", "1.5", "9" * 50, "\xb2", "1-7"])
def test_an_id_that_is_none_of_ours_means_nothing(id: str) -> None:
    async def test() -> None:
        recording = Recording()
        follower = follow(recording, id)
        await follower.next()
        recording.exchange(5)

        assert ["/5"] == [told["target"] for _, told in parsed(await follower.next())]
        await follower.close()

    run(test)


def test_who_missed_more_than_is_remembered_is_told_to_look_anew() -> None:
    async def test() -> None:
        recording = Recording()
        recording.exchange()
        at_us = str(recording.clock.now_us)
        for number in range(LOG_EVENTS + 1):
            recording.exchange(number)
        recording.clock.now_us += module.OVERLAP_US
        follower = follow(recording, at_us)
        await follower.next()

        assert [("cleared", {"reason": "missed"})] == parsed(await follower.next())
        await follower.close()

    run(test)


def test_when_the_server_stops_so_do_those_who_follow() -> None:
    async def test() -> None:
        recording = Recording()
        follower = follow(recording)
        await follower.next()
        waiting = asyncio.create_task(follower.next())
        await asyncio.sleep(0)

        recording.events.close()

        with pytest.raises(StopAsyncIteration):
            await waiting

    run(test)


# What one worker tells another.


def test_another_worker_is_told_of_each_exchange_once_and_of_no_third_ones() -> None:
    recording = Recording()
    recording.exchange(1)
    began_us = recording.clock.now_us
    ids = [recording.exchange(number) for number in (2, 3)]

    said = recording.events.since(began_us)

    assert ids == [id for _, id, _ in said["events"]]
    assert said["missed"] is False
    assert {"events": [], "until": said["until"], "missed": False} == recording.events.since(
        said["until"]
    )


def test_another_worker_is_told_when_there_is_more_than_is_told_at_once() -> None:
    recording = Recording()
    began_us = recording.clock.now_us
    for number in range(BATCH_EVENTS + 1):
        recording.exchange(number)

    said = recording.events.since(began_us)

    assert (BATCH_EVENTS, True) == (len(said["events"]), said["missed"])


def test_note_is_taken_only_while_somebody_wants_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording()
    events = recording.events
    recording.exchange(1)
    events.rest()
    assert 1 == len(events.taken(0))  # somebody might come back

    monkeypatch.setattr(module, "REST_SECONDS", -1.0)
    events.listen()
    events.rest()
    recording.exchange(2)
    assert not recording.recorder._callbacks
    assert [] == events.since(recording.clock.now_us)["events"]

    recording.exchange(3)
    assert 1 == len(events.since(events._began_us)["events"])


def test_what_other_workers_say_is_told_as_ones_own() -> None:
    async def test() -> None:
        other = Recording(worker=2)
        recording = Recording()

        async def ask(after: dict[str, int], otherwise: int) -> dict[str, Any]:
            said = other.events.since(after.get("2", otherwise))
            return {"2": json.loads(json.dumps(said))}

        recording.events = Events(recording.recorder, ask, other.clock)
        follower = follow(recording)
        await follower.next()
        theirs = other.exchange(1)
        assert [theirs] == [told["id"] for _, told in parsed(await follower.next())]
        ours = recording.exchange(2)
        assert [ours] == [told["id"] for _, told in parsed(await follower.next())]

        other.events.clear("x")
        recording.events.clear("x")
        told = parsed(await follower.next())
        theirs = other.exchange(3)
        told += parsed(await follower.next())

        assert ["cleared", "exchange"] == [kind for kind, _ in told]
        await follower.close()

    run(test)


# Over real sockets.


class Stream:
    """Reads an event stream from a socket."""

    def __init__(self, client: Client, *fields: str) -> None:
        self.socket = client.served.connect()
        lines = ["GET /__wire__/events HTTP/1.1", "Host: localhost", *fields]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.text = ""
        self.read_until("\r\n\r\n")
        self.head = self.text

    def read_until(self, text: str) -> str:
        while text not in self.text:
            piece = self.socket.recv(65536)
            assert piece, f"{text!r} did not come, but {self.text!r}"
            self.text += piece.decode()
        return self.text

    def events(self) -> list[tuple[str, Any]]:
        # Without the sizes of chunks, each on a line of its own.
        return parsed("\n".join(line for line in self.text.split("\r\n") if ":" in line))

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


@pytest.fixture
def client() -> Iterator[Client]:
    with inspected() as client:
        yield client


def test_exchanges_are_streamed_as_they_end(client: Client) -> None:
    with Stream(client) as stream:
        assert stream.head.startswith("HTTP/1.1 200 OK\r\n")
        assert "\r\nContent-Type: text/event-stream\r\n" in stream.head
        stream.read_until("retry")

        client.ask("/hello")
        stream.read_until('"/hello"')
        client.served.exchange(b"BROKEN\r\n\r\n")
        stream.read_until('"refused"')

    assert ["/hello", ""] == [
        told["target"] for kind, told in stream.events() if kind == "exchange"
    ]


def test_those_who_follow_are_bounded(client: Client) -> None:
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(client)) for _ in range(FOLLOWERS)]
        for stream in streams:
            stream.read_until("retry")

        refused = client.wire("events")

        assert (503, "10") == (refused.status, refused.fields["Retry-After"])
        streams[0].socket.close()
        while True:
            with Stream(client) as again:
                if again.head.startswith("HTTP/1.1 200 "):
                    break


def test_who_goes_away_follows_no_more(client: Client) -> None:
    for _ in range(FOLLOWERS * 2):
        with Stream(client) as stream:
            if "200 OK" in stream.head:
                stream.read_until("retry")
            # A reset: nothing more can be written to it.
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert 200 == client.ask("/hello").status


@pytest.mark.slow
def test_a_stop_does_not_wait_for_those_who_follow() -> None:
    with inspected(graceful_seconds=10 * SECONDS) as client, Stream(client) as stream:
        stream.read_until("retry")
        began = time.monotonic()
        client.served.stop()

        assert time.monotonic() - began < 8


@pytest.mark.slow
def test_an_exchange_that_goes_on_is_streamed() -> None:
    program = Program()
    with inspected(program) as client, Stream(client) as stream:
        stream.read_until("retry")
        with client.served.connect() as waiting:
            waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
            stream.read_until('"answering"')
            program.go_on.set()
            stream.read_until('"answered"')
