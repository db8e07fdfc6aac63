"""What cannot be started: it ends at once, says why in words that name the place, and leaves nothing running."""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.processes import PROGRAM

MOST_SECONDS = 3.0
"""Of a processor's time, which hardly depends on what else the machine does. On an ordinary one it is 0.5 s, most of it
Python's own start; who starts again and again is over this soon."""


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def started(*arguments: str) -> tuple[int, str, float]:
    """Run ``groundwire run`` until it ends; return its status, what it said, and what it took of a processor."""
    before = processor_seconds()
    process = subprocess.Popen(
        [sys.executable, "-m", "groundwire", "run", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        pytest.fail(f"it did not end, and said:\n{said}")
    seconds = processor_seconds() - before
    with pytest.raises(ProcessLookupError):  # nothing is left of its group
        os.killpg(process.pid, 0)
    return process.returncode, said, seconds


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def check(arguments: tuple[str, ...], *words: str, most_lines: int = 3) -> str:
    status, said, seconds = started(*arguments)
    assert status not in (0, None), said
    assert status > 0, f"it was killed by signal {-status}"
    for word in words:
        assert word in said
    assert len(said.splitlines()) <= most_lines, said
    assert seconds < MOST_SECONDS
    return said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken(workers: str, taken_port: int) -> None:
    program = str(PROGRAM)
    check(
        (program, "--workers", workers, "--host", "127.0.0.1", "-p", str(taken_port)),
        str(taken_port),
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "nobody.invalid"), ("nobody.invalid",)),
        (("--host", "192.0.2.1"), ("192.0.2.1",)),
        (("--access-log", "/nonexistent/access.log"), ("/nonexistent/access.log",)),
        (("--cert", "/nonexistent.pem"), ("/nonexistent.pem",)),
        (("--unix", "/nonexistent/socket"), ("/nonexistent/socket",)),
        (("--user", "nobody-of-this-name"), ("nobody-of-this-name",)),
        (("--pid", "/nonexistent/pid"), ("/nonexistent/pid",)),
        (("--trusted-proxies", "10.0.0.0/99"), ("10.0.0.0/99",)),
        (("--fd", "99"), ("99",)),
        (("--control", "/nonexistent/control"), ("/nonexistent/control",)),
        (("--admin", "127.0.0.1:99999"), ("99999",)),
    ],
    ids=lambda value: value[0].lstrip("-") if isinstance(value, tuple) else None,
)
def test_a_setting_that_cannot_be(options: tuple[str, ...], words: tuple[str, ...]) -> None:
    check((str(PROGRAM), "--port", "0", "--workers", "2", *options), *words)


def test_a_program_that_is_not_there() -> None:
    check(("nowhere.py", "--port", "0", "--workers", "2"), "nowhere.py", most_lines=8)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import nothing_of_this_name\n", "nothing_of_this_name"),
        ("raise SystemExit(3)\n", "broken.py"),
        ("import os\nos._exit(0)\n", "before it served"),
        ("import ctypes\nctypes.string_at(0)\n", "SIGSEGV"),
    ],
)
def test_a_program_that_cannot_be_imported(code: str, word: str, tmp_path: Path) -> None:
    program = tmp_path / "broken.py"
    program.write_text(code)
    check((str(program), "--port", "0", "--workers", "2"), word, most_lines=30)
