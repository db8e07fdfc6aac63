"""Streams that are nearly HTTP, sent to a live server: it refuses, closes, or answers; never 5xx.

The seed is fixed, so that what is found once is found again; FUZZ_SEED and FUZZ_SECONDS in the environment change
what is sent and for how long. Each failure shows the stream as Python writes it.
"""

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpora.runner import load_cases, raw_bytes
from fetching import make_app
from groundwire import Groundwire, Response, request, send_from_directory
from serving import Served, running_server

CORPORA = Path(__file__).parent.parent / "corpora"
SEED = int(os.environ.get("FUZZ_SEED", "20261120"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "10"))
AT_ONCE = 24
MOST_BYTES = 20_000

PIECES = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x1c", b"\x7f", b"\x80", b"\x85", b"\xa0",
    b"\xff", b":", b",", b";", b'"', b"\\", b"/", b"//", b"?", b"#", b"%", b"%00", b"%2e%2e%2f", b"..", b"*", b"=",
    b"0", b"1", b"5", b"a", b"f", b"-1", b"+1", b"0x1", b"1_0", b"2147483648", b"4294967301", b"9223372036854775808",
    b"18446744073709551621", b"99999999999999999999", b"GET ", b"POST ", b"HEAD ", b"OPTIONS * ", b"CONNECT a:1 ",
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"Host: a\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Upgrade: websocket\r\n", b"Range: bytes=0-1\r\n", b"Cookie: a=b\r\n", b"Accept-Encoding: gzip\r\n",
    b"Content-Type: multipart/form-data; boundary=b\r\n", b"Content-Type: application/json\r\n",
    b"Content-Type: application/x-www-form-urlencoded\r\n", b"If-None-Match: *\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n",
    b"--b\r\n", b"--b--\r\n", b"[" * 60, b"{}", b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /ok HTTP/1.1\r\nHost: a\r\n\r\n", b"x" * 300, b"chunked, ", b"\xe2\x84\xaa",
]  # fmt: skip

TARGETS = [b"/", b"/form", b"/json", b"/stream", b"/task", b"/redirect/", b"/redirect", b"/static/a.txt", b"/one/1",
           b"/everything", b"/late", b"http://a/"]  # fmt: skip


class Streams:
    """Mutations of the corpus, and messages put together from pieces."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        everything = load_cases(["static", "routes", "ws"]) + load_cases(
            ["static", "routes"], CORPORA / "more.json"
        )
        self.seeds = [data for case in everything if len(data := raw_bytes(case)) <= MOST_BYTES]

    def message(self) -> bytes:
        """A message that may well be right."""
        chance = self.random
        method = chance.choice(
            [b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"QUERY"]
        )
        head = (
            method
            + b" "
            + chance.choice(TARGETS)
            + b" HTTP/1."
            + chance.choice([b"1", b"1", b"1", b"0"])
            + b"\r\n"
        )
        fields = [
            piece
            for piece in PIECES
            if piece.endswith(b"\r\n") and b": " in piece and b"\r\n\r\n" not in piece
        ]
        lines = chance.sample(fields, chance.randrange(4))
        return (
            head
            + b"Host: a\r\n"
            + b"".join(lines)
            + b"\r\n"
            + chance.choice([b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n"])
        )

    def stream(self) -> bytes:
        chance = self.random
        data = bytearray(chance.choice(self.seeds) if chance.random() < 0.6 else self.message())
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3, 8])):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(7):
                case 0:  # put something in
                    data[at:at] = chance.choice(PIECES)
                case 1:  # take something out
                    del data[at : at + chance.randrange(1, 12)]
                case 2:  # put something in place of something
                    data[at : at + chance.randrange(1, 6)] = chance.choice(PIECES)
                case 3:  # change one octet
                    data[at : at + 1] = bytes([chance.randrange(256)])
                case 4:  # say something twice
                    data[at:at] = data[at : at + chance.randrange(1, 60)]
                case 5:  # cut it short
                    del data[at:]
                case _:  # follow with another message
                    data += chance.choice(self.seeds) if chance.random() < 0.5 else self.message()
        return bytes(data[:MOST_BYTES])


def fuzzed_app(folder: Path) -> Groundwire:
    """Routes that read requests in every way there is."""
    (folder / "static").mkdir()
    (folder / "static" / "a.txt").write_text("0123456789" * 100)
    app = make_app(root_path=str(folder))
    methods = ["GET", "POST", "PUT", "DELETE"]

    @app.before_request
    def look() -> None:
        repr(
            (
                request.cookies,
                request.args,
                request.range,
                request.accept_mimetypes,
                request.if_none_match,
                request.url,
            )
        )

    @app.route("/static/<path:name>")
    def file(name: str) -> Any:
        return send_from_directory(folder / "static", name)

    @app.route("/", defaults={"path": ""}, methods=methods)
    @app.route("/<path:path>", methods=methods)
    def everything(path: str) -> dict[str, Any]:
        return {
            "path": path,
            "headers": list(request.headers),
            "data": request.get_data().decode("latin-1"),
        }

    @app.route("/form", methods=methods)
    def form() -> str:
        return repr((request.form, [file.read() for file in request.files.values()]))

    @app.route("/json", methods=methods)
    def parsed() -> Any:
        return {"json": request.get_json()}

    @app.route("/stream", methods=methods, stream=True)
    def stream() -> Response:
        return Response(iter([request.stream.read(3), "x", request.stream.read()]))

    @app.route("/task", methods=methods)
    async def task() -> str:
        await asyncio.sleep(0)
        return str(len(request.get_data()))

    @app.route("/late", methods=methods)
    def late() -> Response:
        def pieces() -> Iterator[str]:
            yield from ["a", "", "b" * 3000]

        return Response(pieces())

    @app.route("/redirect/")
    def redirected() -> str:
        return "x"

    @app.route("/one/<int:number>")
    def one(number: int) -> str:
        return str(number)

    return app


async def send(served: Served, data: bytes, cuts: list[int], ended: bool) -> bytes:
    """Send a stream cut into pieces, and read until the server is silent or closes."""
    reader, writer = await asyncio.open_connection(*served)
    received = b""
    try:
        with contextlib.suppress(OSError):
            for start, end in itertools.pairwise([0, *cuts, len(data)]):
                writer.write(data[start:end])
                await writer.drain()
                if cuts:
                    await asyncio.sleep(0)
            if ended:
                writer.write_eof()
        with contextlib.suppress(OSError):
            while True:
                # Whatever half a message it waits for, it has answered what came before.
                piece = await asyncio.wait_for(reader.read(65536), 20 if ended else 0.15)
                if not piece:
                    return received
                received += piece
    except TimeoutError:
        assert not ended, f"no end came of {data!r}"
    finally:
        writer.transport.abort()
    return received


STATUS = re.compile(rb"(?:^|\n)HTTP/1\.1 (\d{3}) ")


async def fuzz(served: Served, seconds: float) -> tuple[int, dict[str, int], list[float]]:
    streams = Streams(SEED)
    chance = random.Random(SEED + 1)
    until = time.monotonic() + seconds
    statuses: dict[str, int] = {}
    canary: list[float] = []
    sent = 0

    async def client() -> None:
        nonlocal sent
        while time.monotonic() < until:
            data = streams.stream()
            cuts = sorted(
                chance.sample(range(len(data)), min(len(data), chance.choice([0, 0, 1, 3, 9])))
            )
            # Nearly all end their side: then the server has to come to an end as well, at once.
            answer = await send(served, data, cuts, chance.random() < 0.95)
            sent += 1
            for status in STATUS.findall(answer):
                statuses[status.decode()] = statuses.get(status.decode(), 0) + 1
                assert not status.startswith(b"5") or status in (b"501", b"505"), data

    async def watch() -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            answer = await send(
                served, b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", [], True
            )
            canary.append(time.monotonic() - began)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        for _ in range(AT_ONCE):
            group.create_task(client())
    return sent, statuses, canary


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_streams_that_are_nearly_http(
    loop: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "access.log"
    with (
        caplog.at_level(logging.WARNING),
        running_server(fuzzed_app(tmp_path), loop=loop, access_log=str(log)) as served,
    ):
        sent, statuses, canary = asyncio.run(fuzz(served, SECONDS))
        deadline = time.monotonic() + 20
        server = served.server
        while (server.connections or server.pool.pending) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not server.connections
        assert 0 == server.pool.pending
        budget = served.server.content_budget
        assert (0, 0) == (budget.memory_held, budget.spool_held)

    gc.collect()
    ordered = sorted(canary)
    print(
        f"{sent} streams, answers {dict(sorted(statuses.items()))}; canary {len(canary)} times,"
        f" median {ordered[len(ordered) // 2] * 1000:.0f} ms, longest {ordered[-1] * 1000:.0f} ms"
    )
    assert [] == [record.getMessage() for record in caplog.records]
    assert sent > 50 * SECONDS
    assert statuses.get("200", 0) > sent // 20, "streams that nothing is right about find nothing"
    assert statuses.get("400", 0) > sent // 20
    assert all(
        line.isascii() and line.decode().isprintable() for line in log.read_bytes().splitlines()
    )
