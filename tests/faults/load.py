"""A client that checks every answer: load for a server that is being hurt meanwhile.

Each of its clients does one request after the other on a connection that it keeps, as long as the server does, and
never asks twice for the same. What comes back has to be what was asked for, octet by octet.
"""

import asyncio
import random
import statistics
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from uvloop import new_event_loop

Address = tuple[str, int]

PATIENCE_SECONDS = 30.0
SIZES = (0, 13, 1_000, 70_000)
AFTER_REFUSAL_SECONDS = 0.02


def content_for(seed: int, size: int) -> bytes:
    """What `program.py` answers: another content for each seed."""
    piece = b"%d\n" % seed
    return (piece * (size // len(piece) + 1))[:size]


class Failed(Exception):
    """An exchange without a whole answer; the message is what kind of failure that is."""


@dataclass(slots=True)
class Answer:
    """A response, whole."""

    status: int
    fields: dict[str, str]
    content: bytes
    seconds: float = 0.0

    @property
    def closes(self) -> bool:
        return "close" in self.fields.get("connection", "").lower()


@dataclass(slots=True)
class Asked:
    """A request on its way, and who has been asked."""

    at: float
    worker: str | None
    target: str
    began: float
    """When the client began, which has then connected, if it had not."""


@dataclass(slots=True)
class Failure:
    """What has become of a request that has not been answered as it should."""

    kind: str
    asked: Asked
    after_seconds: float


@dataclass
class Report:
    """What came of all requests."""

    answered: int = 0
    connections: int = 0
    seconds: list[float] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    workers: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def kinds(self) -> Counter[str]:
        return Counter(failure.kind for failure in self.failures)

    def percentile(self, percent: int) -> float:
        """How long the slowest answers took, but for the rest of 100 `percent`."""
        return statistics.quantiles(self.seconds, n=100)[percent - 1]

    def __str__(self) -> str:
        return f"{self.answered} answered on {self.connections} connections, failed: {dict(self.kinds)}"


class Connection(asyncio.Protocol):
    """A connection to the server: one exchange at a time."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.ended = False
        self.reset = False
        self.worker: str | None = None
        self._received = bytearray()
        self._wanted: asyncio.Future[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    def eof_received(self) -> None:
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.reset = self.reset or exc is not None
        self._wake()

    def close(self) -> None:
        self.transport.abort()

    async def exchange(self, request: bytes, seconds: float = PATIENCE_SECONDS) -> Answer:
        """Send a request and return its answer.

        Raises:
            Failed: there is none, or not all of one.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                self.transport.write(request)
                answer = await self._answer(has_content=not request.startswith(b"HEAD "))
        except TimeoutError:
            raise Failed("no answer in time") from None
        answer.seconds = time.monotonic() - began
        self.worker = answer.fields.get("x-worker", self.worker)
        return answer

    async def _answer(self, *, has_content: bool) -> Answer:
        head = await self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        if 100 <= status < 200:
            return await self._answer(has_content=has_content)
        content = b""
        if has_content and status not in (204, 304):
            if fields.get("transfer-encoding") == "chunked":
                content = await self._chunks()
            elif "content-length" in fields:
                content = await self._exactly(int(fields["content-length"]))
            else:
                content = await self._rest()
        return Answer(status, fields, content)

    async def _chunks(self) -> bytes:
        pieces = []
        while size := int(await self._until(b"\r\n"), 16):
            pieces.append(await self._exactly(size))
            await self._exactly(2)
        await self._until(b"\r\n")
        return b"".join(pieces)

    async def _until(self, mark: bytes) -> bytes:
        while (end := self._received.find(mark)) < 0:
            await self._more("in its head" if self._received else "without an answer")
        found = bytes(self._received[:end])
        del self._received[: end + len(mark)]
        return found

    async def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            await self._more("in its content")
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    async def _rest(self) -> bytes:
        while not self.ended:
            await self._more("")
        return bytes(self._received)

    async def _more(self, where: str) -> None:
        if self.ended:
            raise Failed(f"{'reset' if self.reset else 'closed'} {where}")
        self._wanted = asyncio.get_running_loop().create_future()
        await self._wanted

    def _wake(self) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)


async def connect(address: Address) -> Connection:
    """Connect.

    Raises:
        Failed: nobody listens.
    """
    try:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, *address)
    except OSError as error:
        raise Failed(f"not connected: {error.strerror or error}") from error
    return connection


def get(target: str, *lines: str) -> bytes:
    """Return a GET request as bytes."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


class Load:
    """Clients in a thread of their own, from the beginning of a ``with`` block to its end.

    What is on its way at the end is waited for.

    Args:
        address: whom to ask.
        clients: how many ask at a time.
        think_seconds: between what and what a client waits before it asks again.
        route: what to ask, before the seed and the size.
        keep_alive: whether clients ask more than once on a connection.
        may_close_idle: whether a server may close an idle connection without having said so.
        sizes: of which contents.
    """

    def __init__(
        self,
        address: Address,
        clients: int = 20,
        *,
        think_seconds: tuple[float, float] = (0.0, 0.0),
        route: str = "/answer",
        keep_alive: bool = True,
        may_close_idle: bool = False,
        sizes: tuple[int, ...] = SIZES,
        seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.report = Report()
        self.in_flight: dict[int, Asked] = {}
        self._address = address
        self._clients = clients
        self._think_seconds = think_seconds
        self._route = route
        self._keep_alive = keep_alive
        self._may_close_idle = may_close_idle
        self._sizes = sizes
        self._seconds = seconds
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="load")
        self._seeds: Iterator[int] = iter(range(1, 1 << 60))
        self._errors: list[BaseException] = []
        self._answered = threading.Condition()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> Report:
        """Let what is on its way be answered, and end."""
        self._stopping = True
        self._thread.join(self._seconds + 10)
        assert not self._thread.is_alive(), "the load does not end"
        if self._errors:
            raise self._errors[0]
        return self.report

    def wait_for(self, answers: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until so many more answers have come."""
        target = self.report.answered + answers
        self.wait_until(lambda: self.report.answered >= target, seconds)

    def wait_until(self, true: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something is true, looking after each answer."""
        with self._answered:
            assert self._answered.wait_for(true, seconds), f"not so: {self.report}"

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(self._ask_all())
        except BaseException as error:  # noqa: BLE001 - raised by `stop`
            self._errors.append(error)

    async def _ask_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self._clients):
                group.create_task(self._client(number))

    async def _client(self, number: int) -> None:
        connection: Connection | None = None
        rng = random.Random(number)
        await self._think(rng)
        while not self._stopping:
            began = time.monotonic()
            asked = Asked(began, None, "", began)
            try:
                if connection is None:
                    connection = await connect(self._address)
                    self.report.connections += 1
                connection = await self._ask(number, connection, asked, rng)
            except Failed as failure:
                self._failed(str(failure), asked)
                if connection is not None:
                    connection.close()
                    connection = None
                else:
                    await asyncio.sleep(AFTER_REFUSAL_SECONDS)
            await self._think(rng)
            if connection is not None and connection.ended:
                if not self._may_close_idle:
                    self._failed("closed while idle", asked)
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    async def _ask(
        self, number: int, connection: Connection, asked: Asked, rng: random.Random
    ) -> Connection | None:
        seed, size = next(self._seeds), rng.choice(self._sizes)
        asked.worker, asked.target = connection.worker, f"{self._route}/{seed}/{size}"
        asked.at = time.monotonic()
        self.in_flight[number] = asked
        try:
            request = get(asked.target, *(() if self._keep_alive else ("Connection: close",)))
            answer = await connection.exchange(request, self._seconds)
        finally:
            del self.in_flight[number]
        self._check(answer, content_for(seed, size))
        with self._answered:
            self.report.answered += 1
            self.report.seconds.append(answer.seconds)
            self.report.statuses[answer.status] += 1
            self.report.workers[connection.worker or ""] += 1
            self._answered.notify_all()
        if answer.closes:
            connection.close()
            return None
        return connection

    def _check(self, answer: Answer, expected: bytes) -> None:
        if answer.status != 200:
            raise Failed(f"status {answer.status}")
        if len(answer.content) != len(expected):
            raise Failed("content of another length")
        if int(answer.fields["x-checksum"]) != zlib.crc32(answer.content):
            raise Failed("content with another checksum")
        if answer.content != expected:
            raise Failed("content of another request")

    async def _think(self, rng: random.Random) -> None:
        until = time.monotonic() + rng.uniform(*self._think_seconds)
        while not self._stopping and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.1))

    def _failed(self, kind: str, asked: Asked) -> None:
        self.report.failures.append(Failure(kind, asked, time.monotonic() - asked.at))
