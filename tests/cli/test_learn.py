import contextlib
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundwire.cli import learn as learn_module
from groundwire.cli.command import groundwire
from groundwire.lessons.course import lessons
from supervising import SECONDS

SOLUTIONS = Path(__file__).parents[1] / "lessons" / "solutions"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def learn(*arguments: str) -> Result:
    return CliRunner().invoke(groundwire, ["learn", *arguments])


def test_the_list_names_all_lessons_and_those_that_are_done(folder: Path) -> None:
    (folder / "groundwire-lessons.json").write_text('{"done": [8]}')

    lines = learn("--list").output.splitlines()

    assert " 1        The raw request" == lines[0]
    assert " 8  done  The 301 of a URL shortener" == lines[7]
    assert "14        Kept-alive connections" == lines[13]


def test_a_starter_is_written_once(folder: Path) -> None:
    first = learn("8", "--start")
    (folder / "my_shortener.py").write_text("mine")
    second = learn("8", "--start")

    assert (0, "my_shortener.py is yours. The task stands in its first lines.\n") == (
        first.exit_code,
        first.output,
    )
    assert 2 == second.exit_code
    assert "groundwire: my_shortener.py is here already, and is left as it is" in second.output
    assert "mine" == (folder / "my_shortener.py").read_text()


def test_every_starter_is_written_as_it_is(folder: Path) -> None:
    for lesson in lessons():
        assert 0 == learn(str(lesson.number), "--start").exit_code
        assert lesson.starter.read_bytes() == (folder / lesson.starter.name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["15"], "there is no lesson '15'; they go from 1 to 14: groundwire learn --list"),
        (["0", "--start"], "there is no lesson '0'"),
        (["one"], "there is no lesson 'one'"),
        (["--start"], "of which lesson? name its number, for example: groundwire learn 8"),
        (["--check", "x.py"], "of which lesson?"),
        (["8", "--check", "none.py"], "there is no file 'none.py'; groundwire learn 8 --start"),
        (["8", "--check", "."], "there is no file '.'"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(arguments: list[str], said: str) -> None:
    result = learn(*arguments)

    assert 2 == result.exit_code
    assert f"groundwire: {said}" in result.output
    assert 1 == result.output.count("\n")


def test_a_folder_that_cannot_be_written_to_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "cwd", lambda: folder / "gone")

    result = learn("1", "--start")

    assert 2 == result.exit_code
    assert "my_raw_request.py cannot be written: No such file or directory" in result.output


@pytest.mark.slow
def test_a_check_says_what_is_wrong_to_the_byte_and_ends_with_1() -> None:
    learn("3", "--start")

    result = learn("3", "--check", "my_registry.py")

    assert 1 == result.exit_code
    assert result.output.startswith(
        "ok   GET /hello is answered as before.\n"
        "no   POST /hello is answered with 405, and Allow names GET.\n"
        "     byte 9: the status line says 200, the task wants 405\n"
        "\nThe bytes:\n\n"
        "  > POST /hello HTTP/1.1\\r\\n\n"
    )


@pytest.mark.slow
def test_a_check_that_finds_nothing_ends_with_0_and_is_kept() -> None:
    result = learn("3", "--check", str(SOLUTIONS / "my_registry.py"))

    assert 0 == result.exit_code
    assert result.output.endswith("Lesson 3 is done.\n")
    assert " 3  done  " in learn("--list").output


@pytest.mark.slow
def test_a_check_shows_the_error_of_a_program_that_does_not_start(folder: Path) -> None:
    (folder / "broken.py").write_text("print('so far')\nimport nowhere\n")

    result = learn("1", "--check", "broken.py")

    assert 1 == result.exit_code
    assert "no   The program starts.\n     broken.py ended before it listened.\n" in result.output
    assert "     ModuleNotFoundError: No module named 'nowhere'\n" in result.output
    assert "     so far\n" in result.output


@pytest.mark.parametrize("arguments", [[], ["8"], ["8", "--port", "0"]])
def test_the_pages_are_served_on_this_machine(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr(
        learn_module, "serve_application", lambda app, options: served.append((app, options))
    )

    assert 0 == learn(*arguments).exit_code

    ((application, options),) = served
    assert "localhost" == options["host"]
    assert (0 if "--port" in arguments else 8080) == options["port"]
    assert ("lesson 8, The 301 " in application.name) == bool(arguments)


@pytest.mark.slow
def test_programs_end_with_the_command(folder: Path) -> None:
    command = [sys.executable, "-m", "groundwire", "learn", "1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder) as learning:
        assert learning.stderr is not None
        try:
            line = learning.stderr.readline()
            found = re.search(r"http://localhost:\d+", line)
            assert found is not None, line
            asking = urllib.request.Request(
                f"{found[0]}/lessons/1/send",
                b'{"exchange": 0}',
                {"Content-Type": "application/json"},
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(asking, timeout=SECONDS) as answer:
                sent = SimpleNamespace(**__import__("json").load(answer))
            with opener.open(f"{sent.url}hello", timeout=SECONDS) as hello:
                assert 200 == hello.status
        finally:
            learning.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                learning.wait(SECONDS)
            learning.kill()

    assert 0 == learning.returncode
    with pytest.raises(OSError, match="refused"):
        opener.open(sent.url, timeout=SECONDS)
