import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundwire.cli import main
from groundwire.cli.command import groundwire
from groundwire.cli.settings_options import SettingOption
from supervising import SECONDS

SOURCE = Path(__file__).parents[2] / "src"
COMMAND = [sys.executable, "-m", "groundwire"]

HELLO = """
    from groundwire import Groundwire

    app = Groundwire(__name__, static_folder=None)

    @app.route("/hello")
    def hello():
        return "Hello, World!"

    @app.post("/slow/<int:seconds>")
    async def slow(seconds):
        return str(seconds)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder with hello.py in it."""
    (tmp_path / "hello.py").write_text(textwrap.dedent(HELLO))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    environment = dict(os.environ)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if not name.startswith("groundwire"):
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(environment)


def ended(*arguments: str) -> tuple[int, str]:
    """The exit status of a command that ends by itself, and what it wrote to standard error."""
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env=environment(), timeout=SECONDS
    )
    return done.returncode, done.stderr


def invoke(*arguments: str) -> Result:
    """What comes of a command in this process, which has too many threads for a supervisor."""
    return CliRunner().invoke(groundwire, arguments)


# Without a server.


def test_help_names_the_commands() -> None:
    result = invoke("--help")

    assert 0 == result.exit_code
    for name in ("demo", "listen", "routes", "run"):
        assert f"\n  {name}" in result.output


@pytest.mark.parametrize("command", ["demo", "listen", "routes", "run"])
def test_each_command_has_help(command: str) -> None:
    result = invoke(command, "--help")

    assert 0 == result.exit_code
    assert f"Usage: groundwire {command}" in result.output


def test_the_version_is_shown() -> None:
    assert invoke("--version").output.startswith("Groundwire ")


def test_commands_load_neither_server_nor_adapters_for_help() -> None:
    program = """
        import sys
        before = set(sys.modules)
        import groundwire.cli
        loaded = set(sys.modules) - before
        groundwire.cli.command.groundwire.main(["--help"], standalone_mode=False)
        loaded = set(sys.modules) - before
        for name in ("uvloop", "groundwire.server.process", "groundwire.adapters.wsgi"):
            assert name not in loaded, name
    """
    # The package itself brings the framework, which is not the commands' doing.
    program = "import groundwire\n" + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=SECONDS,
    )
    assert "" == done.stderr


def test_routes_are_shown_with_their_place_and_where_they_run(folder: Path) -> None:
    result = invoke("routes", "hello.py")

    assert 0 == result.exit_code
    lines = result.output.splitlines()
    assert ["Methods", "Rule", "Endpoint", "Defined", "at", "Runs"] == lines[0].split()
    assert ["GET", "/hello", "hello", "hello.py:6", "thread,", "watched:"] == lines[2].split()[:6]
    assert ["POST", "/slow/<int:seconds>", "slow", "hello.py:10"] == lines[3].split()[:4]
    assert "event loop: async def" in lines[3]


def test_routes_can_be_sorted_and_shown_with_all_methods(folder: Path) -> None:
    lines = invoke("routes", "hello", "--sort", "methods", "--all-methods").output.splitlines()

    assert lines[2].startswith("GET, HEAD, OPTIONS")
    assert lines[3].startswith("OPTIONS, POST")


def test_an_application_without_routes_says_so(folder: Path) -> None:
    (folder / "bare.py").write_text(
        "import groundwire\napp = groundwire.Groundwire(__name__, static_folder=None)"
    )

    assert "bare:app has no routes.\n" == invoke("routes", "bare.py").output


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "routes"])
def test_a_target_that_is_not_there_ends_with_one_line_and_status_2(
    folder: Path, command: str
) -> None:
    assert (
        2,
        f"groundwire: there is no file 'none.py' in {folder.resolve()}; name one that is\n",
    ) == ended(command, "none.py")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["--debug", "--no-debug"])
def test_an_error_in_the_program_is_shown_below_the_line(folder: Path, mode: str) -> None:
    (folder / "broken.py").write_text("1 / 0\n")

    status, told = ended("run", mode, "broken.py")

    assert 2 == status
    assert (
        "groundwire: broken.py cannot be imported: ZeroDivisionError: division by zero\n"
        "  broken.py, line 1, in <module>\n"
        "    1 / 0\n" == told
    )


# Commands of the application.


WITH_COMMAND = (
    HELLO
    + """
    import click

    @app.cli.command()
    @click.option("--name", default="you")
    def greet(name):
        "Greet somebody."
        click.echo(f"hello {name} from {app.import_name}, debug={app.debug}")

    @app.shell_context_processor
    def more():
        return {"answer": 42}
"""
)


@pytest.fixture
def greeting(folder: Path) -> Path:
    """The folder, where hello.py has a command."""
    (folder / "hello.py").write_text(textwrap.dedent(WITH_COMMAND))
    return folder


def test_commands_of_the_app_are_shown_apart_and_run(greeting: Path) -> None:
    output = invoke("--app", "hello", "--help").output

    assert "\n\nCommands of hello:app:\n  greet  Greet somebody.\n" in output
    assert "hello you from hello, debug=False\n" == invoke("-A", "hello:app", "greet").output
    # hello.py is what is looked at where nothing is named.
    assert "hello you from hello, debug=False\n" == invoke("greet").output


@pytest.mark.parametrize("prefix", ["GROUNDWIRE_", "FLASK_"])
def test_variables_may_have_either_prefix(
    greeting: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    (greeting / "hello.py").rename(greeting / "other.py")
    for name, value in (("APP", "other"), ("GREET_NAME", "her"), ("DEBUG", "1")):
        monkeypatch.setenv(prefix + name, value)

    assert "hello her from other, debug=True\n" == invoke("greet").output


def test_env_files_are_read(greeting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dotenv")
    (greeting / "hello.py").rename(greeting / "other.py")
    (greeting / ".flaskenv").write_text("FLASK_APP=other\nFLASK_GREET_NAME=him\n")
    (greeting / "own.env").write_text("GROUNDWIRE_GREET_NAME=her\n")

    assert "hello him from other, debug=False\n" == invoke("greet").output
    for name in ("FLASK_GREET_NAME", "GROUNDWIRE_GREET_NAME"):
        os.environ.pop(name, None)
    assert "hello her from other, debug=False\n" == invoke("-e", "own.env", "greet").output


def test_debug_mode_of_the_program_stays_unless_something_is_said(greeting: Path) -> None:
    with (greeting / "hello.py").open("a") as file:
        file.write("\napp.debug = True\n")

    assert "debug=True\n" in invoke("greet").output
    assert "debug=False\n" in invoke("--no-debug", "greet").output


def test_help_comes_although_the_program_fails_and_says_how(folder: Path) -> None:
    (folder / "broken.py").write_text("1 / 0\n")

    result = invoke("--app", "broken.py", "--help")

    assert 0 == result.exit_code
    assert "groundwire: broken.py cannot be imported: ZeroDivisionError" in result.stderr
    assert "  broken.py, line 1, in <module>" in result.stderr
    assert "\n  run  " in result.stdout
    # A command that only the program can know is another matter.
    result = invoke("--app", "broken.py", "greet")
    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("groundwire: broken.py cannot be imported")
    assert "No such command" not in result.stderr


def test_where_nothing_is_named_help_complains_of_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "hello.py").unlink()

    result = invoke("--help")

    assert (0, "") == (result.exit_code, result.stderr)
    assert (
        "there is no command 'greet'; if an application has it: --app TARGET greet"
        in invoke("greet").stderr
    )


def test_a_file_in_the_place_of_a_command_is_told_how_it_is_served(folder: Path) -> None:
    assert (
        "'hello.py' is no command; to serve it: groundwire run hello.py"
        in invoke("hello.py").stderr
    )


def test_a_command_nobody_has(folder: Path) -> None:
    assert "No such command 'nothing'" in invoke("nothing").stderr


@pytest.mark.parametrize("arguments", [("shell", "hello.py"), ("--app", "hello", "shell")])
def test_the_shell_has_the_names_of_the_app(
    greeting: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(groundwire, arguments, input="print(answer, app.name)\n")

    assert 0 == result.exit_code
    assert "42 hello\n" in result.output


def test_the_shell_of_no_application_says_why(folder: Path) -> None:
    (folder / "legacy.py").write_text("def app(environ, start_response): ...")

    result = invoke("shell", "legacy.py")

    assert 2 == result.exit_code
    assert "groundwire: legacy:app is no application of Groundwire's\n" == result.output


def test_a_program_of_flask_itself_runs_as_wsgi_and_is_told_of_as_flask(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "of_flask.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    monkeypatch.setattr("groundwire.cli.run.serve_application", lambda *_, **__: None)

    result = invoke("run", "--debug", "of_flask.py")

    assert "of_flask:app is made with Flask itself, and runs as a WSGI application" in result.stderr
    assert "--as-flask" in result.stderr
    assert "" == invoke("run", "--debug", "hello.py").stderr


def test_a_missing_flask_is_told_of_as_flask(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask", None)
    (folder / "of_flask.py").write_text("from flask import Flask\n")

    assert "(run --as-flask gives it Groundwire in place of flask)" in (
        invoke("run", "--debug", "of_flask.py").output
    )


def test_a_real_flask_that_is_there_already_keeps_as_flask_from_starting(folder: Path) -> None:
    import flask  # noqa: F401

    result = invoke("run", "--as-flask", "hello.py")

    assert 2 == result.exit_code
    assert "groundwire: the real flask (" in result.output


def test_listen_on_a_port_in_use_ends_with_one_line_and_status_2(folder: Path) -> None:
    with running(folder, "hello.py") as port:
        result = invoke("listen", "--port", str(port))

    assert 2 == result.exit_code
    assert f"groundwire: port {port} on localhost is in use" in result.output


# With one.


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[int]:
    """Run an application; yield its port."""
    with started(folder, "run", *arguments, "--port", "0") as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("Groundwire "), line
        yield int(line.partition("localhost:")[2].split()[0])


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.slow
def test_run_serves_until_it_is_interrupted(folder: Path) -> None:
    with started(
        folder, "run", "hello.py", "--port", "0", "--access-log-format", "json"
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        name, _, rest = line.partition(" serves ")
        assert name.startswith("Groundwire ")
        assert rest.startswith("hello:app on http://localhost:")
        assert rest.endswith(" (Ctrl+C stops)\n")
        port = int(rest.partition("localhost:")[2].split()[0])

        assert (200, b"Hello, World!") == get(port, "/hello")
        assert "/hello" == json.loads(process.stderr.readline())["target"]
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(SECONDS)


@pytest.mark.slow
def test_options_may_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDWIRE_RUN_HOST", "0.0.0.0")
    monkeypatch.setenv("GROUNDWIRE_APP", "hello")
    with started(folder, "run", "--port", "0") as process:
        assert process.stderr is not None
        line = process.stderr.readline()

    assert "serves hello:app on every address of this machine, here http://localhost:" in line


@pytest.mark.slow
def test_a_wsgi_application_is_run(folder: Path) -> None:
    (folder / "legacy.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [environ['PATH_INFO'].encode()]\n"
    )
    with running(folder, "legacy.py", "--access-log", "off") as port:
        assert (200, b"/x") == get(port, "/x")


@pytest.mark.slow
def test_a_program_that_calls_run_itself_is_run_once(folder: Path) -> None:
    (folder / "eager.py").write_text(textwrap.dedent(HELLO) + "\napp.run()\n")

    with started(folder, "run", "eager.py", "--port", "0") as process:
        assert process.stderr is not None
        assert "app.run() was passed over" in process.stderr.readline()
        assert process.stderr.readline().startswith("Groundwire ")


@pytest.mark.slow
def test_debug_mode_is_said_in_so_many_words(folder: Path) -> None:
    with started(folder, "run", "hello.py", "--port", "0", "--debug") as process:
        assert process.stderr is not None
        process.stderr.readline()
        assert process.stderr.readline().startswith("The wire is shown at http://localhost:")
        assert "Never use it in production" in process.stderr.readline()


@pytest.mark.slow
def test_listen_shows_the_first_request_and_ends(folder: Path) -> None:
    with started(folder, "listen", "--port", "0", "--once") as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().partition("localhost:")[2].split()[0])
        assert 200 == get(port, "/hello")[0]
        output, errors = process.communicate(timeout=SECONDS)

    assert "" == errors
    assert "    GET /hello HTTP/1.1\\r\\n\n" in output
    assert "\x1b" not in output  # no colour where there is no terminal
    assert 0 == process.returncode


@pytest.mark.slow
def test_listen_ends_quietly_when_interrupted(folder: Path) -> None:
    with started(folder, "listen", "--port", "0") as process:
        assert process.stdout is not None
        process.stdout.readline()  # from then on, and be it in the middle of what follows
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)

    assert ("", 0) == (errors, process.returncode)


def test_no_color_is_respected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, coloured in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", value)
        result = CliRunner().invoke(groundwire, ["routes", "hello.py"], color=True)
        assert coloured == ("\x1b[" in result.output)


def test_main_is_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert 0 == caught.value.code
    assert capsys.readouterr().out.startswith("Groundwire ")


def test_the_reference_names_every_option() -> None:
    page = (SOURCE.parent / "docs" / "reference" / "command-line.md").read_text()
    for name, command in groundwire.commands.items():
        assert f"## `groundwire {name}" in page
        for parameter in command.params:
            if isinstance(parameter, SettingOption):
                continue  # limits.md names those
            for option in parameter.opts:
                assert not option.startswith("-") or option in page, f"{name} {option}"
