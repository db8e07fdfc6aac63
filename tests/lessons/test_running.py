"""Programs run in processes of their own, on free ports of loopback, and end with whoever started them."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from groundwire.lessons import running as running_module
from groundwire.lessons.course import PROGRAMS
from groundwire.lessons.running import CHILD, DoesNotRun, Running
from serving import SECONDS

pytestmark = pytest.mark.slow

LISTENING = """
import socket
print("ready", flush=True)
with socket.create_server(("0.0.0.0", 8000)) as server:
    while True:
        client, address = server.accept()
        client.close()
"""


@pytest.fixture
def listening(tmp_path: Path) -> Path:
    file = tmp_path / "listening.py"
    file.write_text(LISTENING)
    return file


def takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def until(condition: object, seconds: float = SECONDS) -> bool:
    assert callable(condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_program_listens_on_loopback_whatever_it_says(listening: Path) -> None:
    with Running(listening, seconds=60) as first, Running(listening, seconds=60) as second:
        assert first.port != second.port
        assert takes_connections(first.port)
        assert takes_connections(second.port)
        assert until(lambda: first.output == "ready\n")

    assert first.has_ended
    assert not takes_connections(first.port)


def test_what_was_printed_before_something_else_is_there_when_that_is(
    listening: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown beside the answer, though the thread that reads it may not have had its turn."""
    monkeypatch.setattr(Running, "_keep_output", lambda *_: None)

    with Running(listening, seconds=60) as running:
        assert "ready\n" == running.output


def test_an_application_is_served(tmp_path: Path) -> None:
    with Running(PROGRAMS / "hello.py", seconds=30, folder=tmp_path) as running:
        assert takes_connections(running.port)
        assert "" == running.output  # where it is is not the program's to tell


def test_an_application_that_serves_itself_is_left_to_it(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text((PROGRAMS / "hello.py").read_text() + "\napp.run(port=8000)\n")

    with Running(file, seconds=60) as running:
        assert takes_connections(running.port)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere", "No module named 'nowhere'"),
        ("raise SystemExit('I would rather not')", "I would rather not"),
        ("x = ", "SyntaxError"),
        ("x = 1", "neither listens nor has an application that can be served"),
    ],
)
def test_a_program_that_ends_is_told_with_what_it_printed(
    tmp_path: Path, source: str, said: str
) -> None:
    file = tmp_path / "ending.py"
    file.write_text(source + "\n")

    with pytest.raises(DoesNotRun) as caught:
        Running(file, seconds=60).start()

    assert str(caught.value).startswith("ending.py ended before it listened.\n")
    assert said in str(caught.value)


def test_a_program_that_never_listens_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "START_SECONDS", 0.2)
    monkeypatch.setattr(running_module, "END_SECONDS", 0.1)
    file = tmp_path / "idle.py"
    file.write_text("import time\ntime.sleep(60)\n")
    running = Running(file, seconds=60)

    with pytest.raises(DoesNotRun, match="does not listen after"):
        running.start()

    assert running.has_ended


def test_a_program_ends_after_its_time(listening: Path) -> None:
    for seconds in (0.5, 5.0, 30.0):
        try:
            with Running(listening, seconds=seconds) as running:
                assert until(lambda: running.has_ended, 2 * SECONDS)
                break
        except DoesNotRun:
            continue  # on a machine that is busy it has not listened until then
    else:
        pytest.fail("it does not listen in half a minute")


def test_what_a_program_has_started_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "parent.py"
    start = "import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    file.write_text(start + "print(child.pid, flush=True)\n" + LISTENING)

    with Running(file, seconds=60) as running:
        assert until(lambda: running.output.endswith("ready\n"))
        pid = int(running.output.split()[0])

    def has_ended() -> bool:
        try:
            return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True

    assert until(has_ended)


def test_a_program_ends_with_the_process_that_started_it(listening: Path) -> None:
    """Though that was killed, and could end nothing."""
    reading, writing = os.pipe()
    with (
        os.fdopen(reading),
        subprocess.Popen(
            [sys.executable, str(CHILD), "30", str(listening)],
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as child,
    ):
        assert child.stdout is not None
        assert int(child.stdout.readline())
        assert child.poll() is None
        os.close(writing)  # as the end of the process that has it would

        assert 0 == child.wait(SECONDS)


def test_no_more_than_the_latest_output_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "KEPT_OUTPUT", 1000)
    file = tmp_path / "talkative.py"
    file.write_text("print('x' * 100_000)\n" + LISTENING)

    with Running(file, seconds=60) as running:
        assert until(lambda: running.output.endswith("ready\n"))
        assert 1000 == len(running.output)
