"""What strangers send as files: bounded, gone when it is over, and never written where they say."""

import os
import random
import socket
import stat
import struct
import tempfile
import time
from pathlib import Path

import pytest

from fetching import fetch, make_app
from groundwire import Groundwire, request
from groundwire.http.uploads import FileStorage
from serving import SECONDS, Served, running_server

BOUNDARY = "frontier"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, content: bytes, filename: str | None = None, more: str = "") -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{more}\r\n'
    return head.encode("latin-1") + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def upload_app() -> Groundwire:
    app = make_app()

    @app.route("/", methods=["POST"])
    def view() -> str:
        sizes = [len(file.read()) for file in request.files.values()]
        return f"{len(request.form)} {sizes}"

    @app.route("/stream", methods=["POST"])
    def stream() -> str:
        return str(len(request.stream.read()))

    @app.route("/unread", methods=["POST"])
    def unread() -> str:
        return "did not look"

    @app.route("/task", methods=["POST"])
    async def task() -> str:
        return str(len(request.files))

    @app.route("/ok")
    def ok() -> str:
        return "ok"

    return app


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def settles(served: Served, descriptors: int) -> bool:
    """Wait until no connection is open and no descriptor is left over."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not served.server.connections and open_files() <= descriptors + 2:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_a_thousand_aborted_uploads_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    where = random.Random(1)
    content = part("field", b"v") + part("file", b"x" * 60_000, "a.bin") + END
    app = upload_app()
    with running_server(app, content_memory_bytes=4096) as served:
        served.exchange(b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        before = open_files()
        for number in range(1000):
            path = ("/", "/stream", "/unread", "/task")[number % 4]
            message = (
                f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {TYPE}\r\n"
                f"Content-Length: {len(content)}\r\n\r\n"
            ).encode() + content
            with served.connect() as client:
                if number % 2:  # a reset instead of an orderly end
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(message[: where.randrange(50, len(message) - 1)])
        assert settles(served, before)
        budget = served.server.content_budget
        assert (0, 0) == (budget.memory_held, budget.spool_held)
        assert b"ok" in served.exchange(b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert [] == list(tmp_path.iterdir())


def test_a_whole_upload_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    content = part("file", b"x" * 3_000_000, "a.bin") + END
    with running_server(upload_app()) as served:
        before = open_files()
        for path in ("/", "/stream", "/unread", "/task"):
            head = (
                f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {TYPE}\r\nConnection: close\r\n"
                f"Content-Length: {len(content)}\r\n\r\n"
            )
            answer = served.exchange(head.encode() + content)
            assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
        assert settles(served, before)
    assert [] == list(tmp_path.iterdir())


def posted(content: bytes, content_type: str = TYPE, **config: object) -> tuple[int, bytes, float]:
    app = upload_app()
    app.config.update(config)
    began = time.process_time()
    answer = fetch(app, "/", "POST", content=content, Content_Type=content_type)
    return answer.status, answer.content, time.process_time() - began


BOMBS = {
    "1,001 parts": b"".join(part(f"f{i}", b"") for i in range(1001)) + END,
    "100,000 parts": b"".join(part("f", b"") for _ in range(100_000)) + END,
    "600 KiB of fields": b"".join(part(f"f{i}", b"x" * 10_240) for i in range(60)) + END,
    "one field of 600 KiB": part("f", b"x" * 614_400) + END,
    "a part with 200 lines": part("f", b"", more="X-A: b\r\n" * 200) + END,
    "a part line of 1 MiB": part("f", b"", more="X-A: " + "b" * 1_048_576 + "\r\n") + END,
    "a name of 1 MiB": part("f" * 1_048_576, b"") + END,
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_more_than_the_limits_is_refused(content: bytes) -> None:
    status, _, took = posted(content)

    assert status in (400, 413)
    assert took < 1.0


ODD = {
    "no boundary": (b"x" * 100, "multipart/form-data"),
    "an empty boundary": (b"----\r\n", "multipart/form-data; boundary="),
    "a long boundary": (b"x", "multipart/form-data; boundary=" + "b" * 10_000),
    "a preamble of 1 MiB": (b"\r\n" * 524_288 + part("f", b"v") + END, TYPE),
    "an epilogue of 1 MiB": (part("f", b"v") + END + b"\r\n" * 524_288, TYPE),
    "almost boundaries": (part("f", f"\r\n--{BOUNDARY[:-1]}".encode() * 20_000, "a") + END, TYPE),
    "only CR": (part("f", b"\r" * 1_000_000, "a") + END, TYPE),
    "only LF": (part("f", b"\n" * 1_000_000, "a") + END, TYPE),
    "only dashes": (part("f", b"-" * 1_000_000, "a") + END, TYPE),
    "no end": (part("f", b"v"), TYPE),
    "no header section": (f"--{BOUNDARY}\r\n\r\nv\r\n".encode() + END, TYPE),
    "a header without a colon": (f"--{BOUNDARY}\r\nabc\r\n\r\nv\r\n".encode() + END, TYPE),
    "nested": (part("f", part("g", b"v") + END), TYPE + "; boundary=other"),
    "quotes": (part('f"; filename="x', b"v") + END, TYPE),
    "not UTF-8": (part("\xff\xfe", b"\xff\xfe", "\xff") + END, TYPE),
    "a charset that is none": (
        part("f", b"v", more="Content-Type: text/plain; charset=zlib\r\n") + END,
        TYPE,
    ),
}


@pytest.mark.parametrize(("content", "content_type"), ODD.values(), ids=ODD)
def test_what_is_odd_is_read_or_refused_in_linear_time(content: bytes, content_type: str) -> None:
    status, _, took = posted(content, content_type)

    assert status in (200, 400, 413)
    assert took < 1.0


# Where a file is written (UP1).


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "..\\evil.txt",
        "../../../../tmp/evil.txt",
        "/etc/evil.txt",
        "\\\\host\\share\\evil.txt",
        "C:\\evil.txt",
        "c:evil.txt",
        "a/../../evil.txt",
        "evil.txt\0.png",
        "..",
        "a\\..\\..\\evil.txt",
    ],
)
def test_the_name_a_client_sent_leads_nowhere(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    file = FileStorage(filename=name)
    file.stream.write(b"x")
    file.stream.seek(0)

    with pytest.raises((ValueError, OSError)):
        file.save(f"{folder}/{name}")

    assert [folder] == list(tmp_path.iterdir())
    assert [] == list(folder.iterdir())


def test_a_saved_file_is_the_servers_own(tmp_path: Path) -> None:
    file = FileStorage(filename="a.txt")

    file.save(tmp_path / "a.txt")

    assert 0o600 == stat.S_IMODE((tmp_path / "a.txt").stat().st_mode)
