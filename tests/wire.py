"""A connection in memory for tests: bytes in, messages out, cut wherever a test wants."""

import asyncio
import http.client
import io
from collections.abc import Callable, Iterable
from typing import Any

from groundwire.server.connection import Connection
from groundwire.server.memory import MemoryTransport
from groundwire.server.server import Server
from groundwire.server.settings import ServerSettings


class Answer:
    """One response as a client read it."""

    def __init__(self, response: http.client.HTTPResponse, content: bytes) -> None:
        self.version = response.version
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.content = content

    def __repr__(self) -> str:
        return f"<{self.status} {self.content!r}>"


class Wire:
    """One connection to `handler`, without a socket, on a loop that runs only inside these methods."""

    def __init__(self, handler: Any, **settings: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = Server(handler, ServerSettings(**settings))
        self.server.attach(self.loop)
        self.transport = MemoryTransport(("127.0.0.1", 50000), ("127.0.0.1", 80))
        self.connection = Connection(self.server)
        self.connection.connection_made(self.transport)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.connection_lost(None)
        self.settle()
        self.server.pool.close()
        pending = asyncio.all_tasks(self.loop)
        for task in pending:
            task.cancel()
        if pending:
            self.loop.run_until_complete(asyncio.wait(pending))
        self.loop.close()

    def send(self, *pieces: bytes) -> "Wire":
        """Let pieces arrive, one after the other, each in a turn of its own, as far as they are wanted."""

        async def receive() -> None:
            for piece in pieces:
                if self.transport.is_closing():
                    break
                self.connection.data_received(piece)
                await asyncio.sleep(0)

        self.loop.run_until_complete(receive())
        return self

    def eof(self) -> "Wire":
        """Let the peer end its side."""
        self.connection.eof_received()
        return self.settle()

    def settle(self, turns: int = 20) -> "Wire":
        """Run the loop for some turns."""

        async def turn() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())
        return self

    def until(self, condition: Callable[[], bool], timeout_seconds: float = 20.0) -> "Wire":
        """Run the loop until `condition()` holds, which threads may bring about."""

        async def wait() -> None:
            async with asyncio.timeout(timeout_seconds):
                while not condition():
                    await asyncio.sleep(0.001)

        try:
            self.loop.run_until_complete(wait())
        except TimeoutError as error:
            error.add_note(f"Until then came {self.raw[-1000:]!r}.")
            raise
        return self

    def until_idle(self) -> "Wire":
        """Run the loop until everything is answered or the connection is closed."""
        return self.until(lambda: self.connection.is_idle or self.closed)

    @property
    def closed(self) -> bool:
        return self.transport.is_closing()

    @property
    def raw(self) -> bytes:
        return bytes(self.transport.written)

    def answers(self, *methods: str) -> list[Answer]:
        """Return what came back, read by the standard library's client; `methods` default to GET."""
        return read_answers(self.raw, methods)


def read_answers(raw: bytes, methods: Iterable[str] = ()) -> list[Answer]:
    """Read all responses in `raw`, interim ones too."""
    file = io.BytesIO(raw)
    file.close = lambda: None  # type: ignore[method-assign] - the client closes it after each response
    answers = []
    wanted = list(methods)
    while file.tell() < len(raw):
        method = wanted[0] if wanted else "GET"
        start = file.tell()
        version, status, _ = raw[start:].split(b"\r\n", 1)[0].decode().split(" ", 2)
        if status.startswith("1") and status != "101":  # http.client skips these silently
            file.seek(raw.index(b"\r\n\r\n", start) + 4)
            continue
        response = http.client.HTTPResponse(_Socket(file), method=method)  # type: ignore[arg-type]
        response.begin()
        answers.append(Answer(response, response.read()))
        if wanted:
            wanted.pop(0)
        del version
    return answers


class _Socket:
    def __init__(self, file: io.BytesIO) -> None:
        self._file = file

    def makefile(self, _mode: str) -> io.BytesIO:
        return self._file


def request(
    target: str = "/",
    method: str = "GET",
    content: bytes | None = None,
    version: str = "1.1",
    **fields: str,
) -> bytes:
    """Write a request; underscores in field names become hyphens."""
    lines = [f"{method} {target} HTTP/{version}", "Host: example.com"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    if content is not None and "Transfer_Encoding" not in fields:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (content or b"")


def chunked(*pieces: bytes) -> bytes:
    """Write pieces in the chunked coding."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
