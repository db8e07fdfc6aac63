"""Programs written for Flask, run by `groundwire run --as-flask` and `groundwire flask`."""

import contextlib
import http.client
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervising import SECONDS

SOURCE = Path(__file__).parents[2] / "src"

pytestmark = pytest.mark.slow

PROGRAM = """
    import sys

    from flask import Flask, request
    from werkzeug.exceptions import NotFound

    import extension

    app = Flask(__name__)

    @app.route("/")
    def index():
        return f"{__name__} {type(app).__name__} {app.debug} {sys.argv[0]}"

    @app.cli.command("greet")
    def greet():
        print("hello from", app.name, type(app).__name__)
"""

RUNS_ITSELF = """
    if __name__ == "__main__":
        app.run(port=1, debug=True)
        print("it goes on")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an extension of Flask, and three programs that import it."""
    (tmp_path / "extension.py").write_text("from flask import current_app\nimport werkzeug.urls\n")
    for name, text in (
        ("shop", PROGRAM),
        ("main", PROGRAM + RUNS_ITSELF),
        ("ending", 'if __name__ == "__main__":\n    raise SystemExit(3)'),
        ("failing", "from flask import Flask\n1 / 0"),
        ("empty", "import flask"),
    ):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    return tmp_path


def environment(**variables: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLASK_", "GROUNDWIRE_"))
    }
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **variables}


def command(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "groundwire", *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@contextlib.contextmanager
def served(folder: Path, *arguments: str, **variables: str) -> Iterator[tuple[str, str]]:
    """Start a server; yield what it answers to `/`, and what it said before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "groundwire", *arguments],
        cwd=folder,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if " serves " in line:
                break
        assert " serves " in said, said
        place = said.rpartition("http://")[2].split()[0]
        address = place.replace("localhost", "127.0.0.1")
        connection = http.client.HTTPConnection(address, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            yield connection.getresponse().read().decode(), said
    finally:
        process.kill()
        process.communicate()


def test_a_file_runs_as_main_and_its_own_run_serves(folder: Path) -> None:
    with served(folder, "run", "--as-flask", "main.py", "--port", "0") as (answer, said):
        assert "__main__ Groundwire True main.py" == answer
        assert "serves main on " in said


def test_options_win_over_what_the_program_says(folder: Path) -> None:
    arguments = ("run", "--as-flask", "main.py", "--port", "0", "--no-debug", "--host", "127.0.0.1")
    with served(folder, *arguments) as (answer, said):
        assert "__main__ Groundwire False main.py" == answer
        assert "http://127.0.0.1:" in said
        assert "Debug mode" not in said


def test_a_file_that_does_not_serve_by_itself_is_served(folder: Path) -> None:
    with served(folder, "run", "--as-flask", "shop.py", "--port", "0") as (answer, _said):
        assert "__main__ Groundwire False shop.py" == answer


@pytest.mark.parametrize("target", ["main", "main:app", "main.py:app"])
def test_a_module_is_imported(folder: Path, target: str) -> None:
    variables = {"GROUNDWIRE_AS_FLASK": "1", "FLASK_RUN_PORT": "0"}
    with served(folder, "run", target, **variables) as (answer, said):
        assert answer.startswith("main Groundwire False ")
        assert "serves main:app on " in said


def test_flasks_own_run(folder: Path) -> None:
    with served(folder, "flask", "--app", "main", "run", "--port", "0") as (answer, _said):
        assert answer.startswith("main Groundwire False ")


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("flask", "--app", "shop", "greet"), {}),
        (("flask", "greet"), {"FLASK_APP": "shop"}),
        (("flask", "greet"), {"GROUNDWIRE_APP": "shop", "FLASK_APP": "other"}),
        (("--app", "shop", "flask", "greet"), {}),
        (("--as-flask", "--app", "shop", "greet"), {}),
        (("--app", "shop", "greet"), {"GROUNDWIRE_AS_FLASK": "1"}),
    ],
)
def test_commands_of_a_program_for_flask(
    folder: Path, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    done = command(folder, *arguments, **variables)

    assert ("hello from shop Groundwire\n", 0) == (done.stdout, done.returncode), done.stderr


def test_plugins_of_flask_are_there(folder: Path) -> None:
    info = folder / "plug-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[flask.commands]\nplugged = plug:command\n")
    (folder / "plug.py").write_text(
        "import click\nfrom flask.cli import with_appcontext\nfrom flask import current_app\n"
        "@click.command()\n@with_appcontext\n"
        "def command():\n    'Plugged in.'\n    click.echo(current_app.name)\n"
    )

    done = command(folder, "flask", "--app", "shop", "plugged")
    assert "shop\n" == done.stdout, done.stderr
    assert "  plugged  Plugged in.\n" in command(folder, "--as-flask", "--help").stdout
    assert "plugged" not in command(folder, "--help").stdout


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("ending.py", 3, ""),
        ("failing.py", 2, "groundwire: failing.py failed: ZeroDivisionError: division by zero\n"),
        ("empty.py", 2, "groundwire: empty.py has no application"),
        ("not_there.py", 2, "groundwire: there is no file 'not_there.py'"),
        ("not_there", 2, "groundwire: there is no module 'not_there'"),
    ],
)
def test_a_file_that_cannot_be_served(folder: Path, target: str, status: int, said: str) -> None:
    done = command(folder, "run", "--as-flask", target)

    assert status == done.returncode
    assert said in done.stderr
