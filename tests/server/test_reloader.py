"""A program that is started again when its files change: real processes, seen as a browser and a terminal see them."""

import contextlib
import errno
import http.client
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervising import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="there is no reloader on Windows"),
]

SOURCE = Path(__file__).parents[2] / "src"
SECONDS = 40

PROGRAM = """
    import helper
    from groundwire import Groundwire

    app = Groundwire(__name__, static_folder=None)

    @app.get("/")
    def index():
        return helper.TEXT

    @app.get("/path")
    def path():
        import os, sys
        return f"{__name__} {sys.argv} {os.path.basename(sys.path[0])}"

    if __name__ == "__main__":
        app.run(port=0, debug=True, reloader_interval=0.05)
"""


class Program:
    """A program in a folder, and the process that reloads it."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.folder = folder
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GROUNDWIRE_", "FLASK_", "WERKZEUG_"))
        }
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env={**kept, "PYTHONPATH": path, "GROUNDWIRE_RELOAD_INTERVAL": "0.05"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.port = 0

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self.process.stderr.close()
        self._lines.put("")

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)
        self._reading.join(SECONDS)

    def hears(self, words: str) -> str:
        """Wait for a line with these words."""
        while True:
            try:
                line = self._lines.get(timeout=SECONDS)
            except queue.Empty:
                line = ""
            self.said.append(line)
            if not line or words in line:
                assert line, f"{words!r} was not said, but:\n{''.join(self.said)}"
                return line

    def starts(self) -> None:
        line = self.hears("http://")
        found = re.search(r":(\d+) ", line)
        assert found is not None
        self.port = int(found[1])

    def writes(self, name: str, text: str) -> None:
        # At once, or the file could be looked at while it is empty.
        new = self.folder / f"{name}.new"
        new.write_text(textwrap.dedent(text))
        new.replace(self.folder / name)

    def get(self, path: str = "/", **fields: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=fields)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    (tmp_path / "helper.py").write_text('TEXT = "one"\n')
    return tmp_path


@contextlib.contextmanager
def started(folder: Path, *command: str) -> Iterator[Program]:
    program = Program(folder, *command)
    try:
        yield program
    finally:
        program.close()


RUN = ("-m", "groundwire", "run", "--reload", "--port", "0", "app.py")


@pytest.mark.parametrize(
    "command",
    [
        RUN,
        ("app.py",),
        ("-m", "groundwire", "run", "--as-flask", "--reload", "--port", "0", "app.py"),
        ("-m", "groundwire", "flask", "--app", "app", "run", "--debug", "--port", "0"),
    ],
    ids=["run", "app.run", "as-flask", "flask-run"],
)
def test_a_saved_change_is_served_an_error_shown_and_the_next_save_recovers(
    folder: Path, command: tuple[str, ...]
) -> None:
    with started(folder, *command) as program:
        program.starts()
        assert (200, "one") == program.get()

        program.writes("helper.py", 'TEXT = "two"\n')
        program.hears("helper.py changed, reloaded in")
        assert (200, "two") == program.get()

        program.writes("helper.py", 'TEXT = "two\n')
        program.hears("waiting for a change")
        status, page = program.get()
        assert 500 == status
        assert "<h1>SyntaxError</h1>" in page
        assert "unterminated string literal" in page
        assert "TEXT = &#34;two" in page

        program.writes("helper.py", 'TEXT = "three"\n')
        program.hears("helper.py changed, reloaded in")
        assert (200, "three") == program.get()
        assert 0 == program.end()


def test_requests_wait_for_the_new_code_and_none_fails(folder: Path) -> None:
    with started(folder, *RUN) as program:
        program.starts()
        answers: list[tuple[int, str]] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                answers.append(program.get())

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for text in ("two", "three"):
                program.writes("helper.py", f'TEXT = "{text}"\n')
                program.hears("reloaded in")
                number = len(answers)
                while len(answers) < number + 2:
                    assert asking.is_alive()
                    done.wait(0.01)
        finally:
            done.set()
            asking.join(SECONDS)

    assert {200} == {status for status, _text in answers}
    texts = [text for _status, text in answers]
    assert ["one", "two", "three"] == [
        text for index, text in enumerate(texts) if index == 0 or texts[index - 1] != text
    ]


def test_an_error_is_shown_on_this_machine_only(folder: Path) -> None:
    with started(folder, *RUN) as program:
        program.starts()
        program.writes("helper.py", 'secret = "hunter2"; 1 / 0\n')
        program.hears("waiting for a change")

        assert "ZeroDivisionError" in program.get()[1]
        for fields in ({"Host": "example.com"}, {"X-Forwarded-For": "192.0.2.1"}):
            status, text = program.get("/anything", **fields)
            assert 500 == status
            assert "The program cannot be started at the moment. The terminal" in text
            assert "hunter2" not in text


def test_a_program_that_cannot_be_imported_at_first_is_waited_for(folder: Path) -> None:
    (folder / "helper.py").unlink()
    with started(
        folder, "-m", "groundwire", "run", "--reload", "--unix", "a.sock", "app.py"
    ) as program:
        program.hears("No module named 'helper'")
        program.hears("waiting for a change")
        program.writes("helper.py", 'TEXT = "here"\n')
        program.hears("helper.py changed, reloaded in")
        assert 0 == program.end(signal.SIGINT)
        assert not (folder / "a.sock").exists()


def test_other_files_are_watched_where_that_is_said(folder: Path) -> None:
    (folder / "settings.toml").write_text("")
    with started(folder, *RUN, "--reload-include", "*.toml") as program:
        program.starts()
        program.writes("settings.toml", "x = 1\n")
        program.hears("settings.toml changed, reloaded in")


def test_a_program_that_dies_is_told_of_and_started_by_the_next_change(folder: Path) -> None:
    with started(folder, *RUN) as program:
        program.starts()
        program.writes("helper.py", "import os\nos._exit(7)\n")
        program.hears("waiting for a change")
        assert "The program ended with status 7" in program.get()[1]
        program.writes("helper.py", 'TEXT = "back"\n')
        program.hears("reloaded in")
        assert (200, "back") == program.get()


def test_a_program_that_hangs_while_it_starts_is_replaced(folder: Path) -> None:
    with started(folder, *RUN) as program:
        program.starts()
        program.writes(
            "helper.py", "import sys, time\nprint('in', file=sys.stderr)\ntime.sleep(60)\n"
        )
        program.hears("in\n")
        program.writes("helper.py", 'TEXT = "back"\n')
        program.hears("reloaded in")
        assert (200, "back") == program.get()


def test_a_file_runs_as_python_runs_it(folder: Path) -> None:
    (folder / "inner").mkdir()
    for name in ("app.py", "helper.py"):
        (folder / name).rename(folder / "inner" / name)
    with started(folder, "inner/app.py", "-v") as program:
        program.starts()
        status, text = program.get("/path")

    assert (200, f"__main__ ['{folder}/inner/app.py', '-v'] inner") == (status, text)


def is_refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_the_child_ends_when_the_parent_is_killed(folder: Path) -> None:
    with started(folder, *RUN) as program:
        program.starts()
        program.process.kill()
        program.process.wait(SECONDS)
        # Standard error is closed when the last process that has it ends.
        while program._lines.get(timeout=SECONDS):
            pass
        # The socket is closed after it.
        eventually(lambda: is_refused(program.port))


def test_without_a_reload_flag_a_program_that_fails_at_first_ends(folder: Path) -> None:
    (folder / "helper.py").write_text("1 / 0\n")
    with started(folder, "-m", "groundwire", "run", "--debug", "--port", "0", "app.py") as program:
        program.hears("ZeroDivisionError")
        assert 2 == program.process.wait(SECONDS)


def test_debug_mode_without_reloading(folder: Path) -> None:
    command = ("-m", "groundwire", "run", "--debug", "--no-reload", "--port", "0", "app.py")
    with started(folder, *command) as program:
        program.starts()
        program.writes("helper.py", 'TEXT = "two"\n')
        assert (200, "one") == program.get()
        assert 0 == program.end()


def test_two_workers_cannot_be_reloaded(folder: Path) -> None:
    with started(folder, *RUN, "--workers", "2") as program:
        program.hears("--workers cannot be where changes are looked for")
        assert 2 == program.process.wait(SECONDS)
