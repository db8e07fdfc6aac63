"""The Nth system call fails, for every N: what a server meets in years, in a few seconds.

The server runs in a thread, on asyncio's own loop, whose calls go through `socket.socket` and `os`, where they can be
made to fail; those of this thread, the client's, are left alone.
"""

import contextlib
import errno
import http.client
import logging
import os
import socket
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.processes import until
from groundwire import Groundwire, Response, request, send_from_directory
from open_files import open_files
from serving import Served, running_server
from wire import request as written

ERRORS = (
    *(errno.EINTR, errno.EAGAIN, errno.ECONNRESET, errno.EPIPE),
    *(errno.ENOBUFS, errno.EMFILE, errno.ENOSPC, errno.EIO),
)
SOCKET_CALLS = ("accept", "recv", "recv_into", "send", "sendmsg", "setsockopt", "shutdown")
SYSTEM_CALLS = ("open", "stat", "fstat", "pread")
SIZE = 300_000
HANG_SECONDS = 20.0


class Faults:
    """Has one of the calls fail that other threads than this make of the operating system.

    Attributes:
        calls: how many there were since the last `arm`, by name.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._chosen = ("", 0)
        self._fail: Callable[[], int | None] = lambda: None
        self._own_thread = threading.get_ident()
        self._lock = threading.Lock()

    def arm(self, name: str, at: int, fail: Callable[[], int | None]) -> None:
        """Have the call of this name with this number, from 1, fail: `fail` raises, or says how little it may move."""
        with self._lock:
            self.calls.clear()
            self._chosen, self._fail = (name, at), fail

    def disarm(self) -> None:
        """Let all be as it is."""
        self._chosen = ("", 0)

    def count(self, name: str) -> int | None:
        """Take note of a call, and raise if it is to fail. Returns how many octets it may move; None: any number."""
        if threading.get_ident() == self._own_thread:
            return None
        with self._lock:
            self.calls[name] += 1
            if (name, self.calls[name]) != self._chosen:
                return None
        return self._fail()


def failing_with(number: int) -> Callable[[], int | None]:
    def fail() -> int | None:
        raise OSError(number, os.strerror(number))

    return fail


def short() -> int | None:
    """Have a call read or write one octet only."""
    return 1


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    faults = Faults()

    def in_front_of(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if owner is socket.socket and args[0].family == socket.AF_UNIX:
                return original(*args, **kwargs)  # the loop's own, by which threads wake it
            octets = faults.count(name)
            if octets is not None and name == "send":
                return original(args[0], memoryview(args[1])[:octets], *args[2:])
            if octets is not None and name == "recv":
                return original(args[0], octets)
            if octets is not None and name == "pread":
                return original(args[0], octets, *args[2:])
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    for name in SOCKET_CALLS:
        if hasattr(socket.socket, name):
            in_front_of(socket.socket, name)
    for name in SYSTEM_CALLS:
        in_front_of(os, name)
    in_front_of(tempfile, "TemporaryFile")
    yield faults
    faults.disarm()


@pytest.fixture
def served(faults: Faults, tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "file.bin").write_bytes(content_of(7, SIZE))
    app = Groundwire(__name__)

    @app.get("/hello", run="inline")
    def hello() -> str:
        return "Hello!"

    @app.get("/made/<int:seed>")
    def made(seed: int) -> Response:
        content = content_of(seed, SIZE)
        return Response(iter([content[: SIZE // 2], content[SIZE // 2 :]]))

    @app.post("/sum")
    def summed() -> str:
        return str(zlib.crc32(request.get_data()))

    @app.get("/file")
    def file() -> Response:
        return send_from_directory(tmp_path, "file.bin")

    logging.getLogger("groundwire").setLevel(logging.CRITICAL + 1)
    try:
        with running_server(app, loop="asyncio", content_memory_bytes=65536) as running:
            yield running
    finally:
        logging.getLogger("groundwire").setLevel(logging.NOTSET)


def content_of(seed: int, size: int) -> bytes:
    piece = b"%d\n" % seed
    return (piece * (size // len(piece) + 1))[:size]


UPLOAD = content_of(3, SIZE)

EXCHANGES: tuple[tuple[bytes, bytes], ...] = (
    (written("/hello"), b"Hello!"),
    (written("/sum", "POST", UPLOAD), str(zlib.crc32(UPLOAD)).encode()),
    (written("/made/5"), content_of(5, SIZE)),
    (written("/file"), content_of(7, SIZE)),
    (written("/hello", Connection="close"), b"Hello!"),
)
"""What is asked on one connection, and the only content that an answer with status 200 may have."""


def ask_all(address: Served) -> int:
    """Ask everything on one connection, and return how many were answered with 200.

    An answer that is whole and wrong is a failure, and so is a silence (`TimeoutError`).
    """
    good = 0
    with (
        contextlib.suppress(ConnectionError, http.client.IncompleteRead, http.client.BadStatusLine),
        socket.create_connection(address, timeout=HANG_SECONDS) as client,
    ):
        for message, expected in EXCHANGES:
            client.sendall(message)
            response = http.client.HTTPResponse(client)
            response.begin()
            content = response.read()
            if response.status == 200:
                assert content == expected, "a whole answer has the wrong content"
                good += 1
            else:
                assert response.status >= 400
            if response.will_close:
                break
    return good


def still_open() -> list[str]:
    """Return the file that is sent, and what content is spooled to, if they are open still."""
    return [path for path in open_files() if "file.bin" in path or "groundwire-" in path]


def each_call(served: Served, faults: Faults) -> list[tuple[str, int]]:
    """Return the calls that it takes to answer everything, by name and number; how content is cut is left to chance."""
    most: Counter[str] = Counter()
    for _ in range(3):
        faults.arm("", 0, short)
        assert ask_all(served) == len(EXCHANGES)
        most |= faults.calls
    # So that a server that makes its calls in another way is noticed.
    assert {"accept", "recv", "send", "open", "fstat", "pread", "TemporaryFile"} <= {*most}
    return [(name, number + 1) for name, count in most.items() for number in range(count)]


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.__getitem__)
def test_any_call_may_fail(served: Served, faults: Faults, number: int) -> None:
    for call in each_call(served, faults):
        faults.arm(*call, failing_with(number))
        ask_all(served)
        faults.disarm()
        assert ask_all(served) == len(EXCHANGES), f"after {call}"
    until(lambda: not still_open(), "what failed is closed")


def test_any_call_may_move_one_octet_only(served: Served, faults: Faults) -> None:
    for call in each_call(served, faults):
        faults.arm(*call, short)
        # Nothing is wrong then, so nothing may be lost either.
        assert ask_all(served) == len(EXCHANGES), str(call)
        faults.disarm()
