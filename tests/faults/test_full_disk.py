"""A disk without room, for the access log and for content that is spooled: a small file system in memory."""

import contextlib
import os
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.load import Load, get
from faults.processes import SECONDS, Running, everything, open_files, running, until

DISK_BYTES = 4 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB. Only root can make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=SECONDS)


def fill(disk: Path) -> Path:
    """Take what is left of it."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


def post(server: Running, content: bytes, route: str = "/whole") -> bytes:
    with server.connect() as client:
        client.sendall(
            f"POST {route} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        )
        with contextlib.suppress(ConnectionError):
            client.sendall(content)
        return everything(client)


def test_a_full_disk_for_the_log_costs_its_lines_and_no_request(disk: Path) -> None:
    log = disk / "access.log"
    with running("--access-log", str(log)) as server:
        with Load(server.address, 5) as load:
            load.wait_for(100)
            filler = fill(disk)
            full_at = log.stat().st_size
            load.wait_for(2000)
            server.wait_for_line("lines of the access log .*dropped")
            filler.unlink()
            server.get("/version?after")
            until(lambda: log.stat().st_size > full_at + 4096, "the log goes on")
        assert load.report.failures == []
        server.get("/version?last")
        until(lambda: "/version?last" in log.read_text(), "the last line")
        # One line about it in a minute, not one for each that is lost.
        assert len([line for line in server.lines if "dropped" in line]) == 1
        for line in log.read_text().splitlines():
            assert line.startswith("127.0.0.1 - - [")
            assert line.endswith('"')
        assert "Traceback" not in server.log


def test_content_for_which_the_disk_has_no_room_is_refused(disk: Path) -> None:
    """Who sends it gets 507 (RFC 4918 §11.5), others are served, and nothing of it stays."""
    with running(TMPDIR=str(disk)) as server:
        worker = server.worker
        small = os.urandom(1_500_000)
        assert f'"checksum":{zlib.crc32(small)}' in post(server, small).decode().replace(" ", "")
        with Load(server.address, 5, think_seconds=(0, 0.02)) as load:
            for content in (bytes(8 << 20), bytes(6 << 20)):
                answer = post(server, content)
                assert answer.startswith(b"HTTP/1.1 507 "), answer[:200]
            load.wait_for(50)
        assert load.report.failures == []
        until(lambda: not any(str(disk) in name for name in open_files(worker)), "no file")
        assert os.statvfs(disk).f_bfree == os.statvfs(disk).f_blocks
        assert f'"checksum":{zlib.crc32(small)}' in post(server, small).decode().replace(" ", "")
        assert server.worker == worker
        server.wait_for_line("No space left")
        assert "Traceback" not in server.log


def test_a_form_for_which_the_disk_has_no_room_is_refused(disk: Path) -> None:
    with running(TMPDIR=str(disk)) as server:
        post(server, bytes(1_500_000))  # Python looks for a folder once
        fill(disk)
        part = (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
            + bytes(3 << 20)
            + b"\r\n--x--\r\n"
        )
        with server.connect() as client:
            client.sendall(
                b"POST /form HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n"
                b"Content-Length: %d\r\n\r\n" % len(part)
            )
            with contextlib.suppress(ConnectionError):
                client.sendall(part)
            answer = everything(client)
        assert answer[:13] in (b"HTTP/1.1 507 ", b"HTTP/1.1 500 "), answer[:200]
        assert server.get("/answer/1/10").startswith(b"HTTP/1.1 200 ")


def test_a_folder_for_content_that_has_gone_is_no_end() -> None:
    """Temporary folders are cleaned by others."""
    with running(TMPDIR="/nonexistent-folder") as server:
        assert server.get("/answer/1/10").startswith(b"HTTP/1.1 200 ")


def test_a_log_that_nobody_reads_stops_no_request() -> None:
    """A full pipe: lines are dropped and counted."""
    reading, writing = os.pipe()
    with running("--access-log", f"/proc/{os.getpid()}/fd/{writing}") as server:
        long = get("/version?" + 4000 * "x", "Connection: close")
        with Load(server.address, 5, think_seconds=(0, 0.02)) as load:
            for _ in range(400):
                assert server.exchange(long).startswith(b"HTTP/1.1 200 ")
            load.wait_for(100)
        assert load.report.failures == []
        assert (
            max(load.report.seconds) < 8
        )  # nobody reads, so who waited for the log would wait for ever
        server.wait_for_line("dropped")
        # Each line that is written takes with it what has waited: a mebibyte, of which the pipe takes a part at a time.
        os.set_blocking(reading, False)
        received = b""
        with Load(server.address, 2, think_seconds=(0, 0.02)):
            began = time.monotonic()
            while b"/version?last" not in received:
                assert time.monotonic() - began < SECONDS
                if time.monotonic() - began > 0.5:  # there is room by now
                    server.get("/version?last")
                with contextlib.suppress(BlockingIOError):
                    received = received[-100:] + os.read(reading, 1 << 20)
                time.sleep(0.001)
    os.close(reading)
    os.close(writing)
