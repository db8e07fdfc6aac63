"""Commands of apps and blueprints, and Flask's command line around them."""

import code
import os
import ssl
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from fetching import make_app
from groundwire import Blueprint, Groundwire, current_app
from groundwire.app import serving
from groundwire.app.app_commands import run_command
from groundwire.app.cli_runner import FlaskCliRunner
from groundwire.app.command_line import (
    FlaskGroup,
    cli,
    get_version,
    plugin_groups,
    show_server_banner,
)
from groundwire.app.commands import (
    AppGroup,
    ScriptInfo,
    pass_script_info,
    with_appcontext,
)
from groundwire.app.locating import NoAppException


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without variables of ours, given back afterwards, in an empty folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLASK_", "GROUNDWIRE_"))
    }
    monkeypatch.setattr(os, "environ", kept)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "app", None)  # this very folder, to pytest


def invoke(command: click.Command, *arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(command, arguments, **options)


def flask_of(app: Groundwire, **options: Any) -> FlaskGroup:
    return FlaskGroup(create_app=lambda: app, **options)


# Groups


def test_commands_of_a_group_run_within_the_apps_context() -> None:
    group = AppGroup("group")

    @group.command()
    def inside() -> None:
        click.echo(current_app.name)

    @group.command("outside", with_appcontext=False)
    def outside() -> None:
        click.echo(bool(current_app))

    @group.group()
    def below() -> None:
        pass

    @below.command()
    def deeper() -> None:
        click.echo(current_app.name)

    info = ScriptInfo(create_app=lambda: Groundwire("made"))

    assert "made\n" == invoke(group, "inside", obj=info).output
    assert "False\n" == invoke(group, "outside", obj=info).output
    assert "made\n" == invoke(group, "below", "deeper", obj=info).output


def test_any_command_can_be_given_the_context_and_the_script_info() -> None:
    @click.command()
    @pass_script_info
    @with_appcontext
    def command(info: ScriptInfo) -> None:
        click.echo(current_app._get_current_object() is info.load_app())  # type: ignore[attr-defined]

    assert "True\n" == invoke(command, obj=ScriptInfo(create_app=make_app)).output


def test_an_app_has_a_group_of_its_name_made_when_it_is_asked_for() -> None:
    app = Groundwire("shop")
    assert "cli" not in vars(app)

    assert "shop" == app.cli.name
    assert app.cli is app.cli


def test_the_group_can_be_another() -> None:
    app = make_app()
    app.cli = AppGroup("other")

    assert "other" == app.cli.name


# Blueprints


def blueprint(name: str, **options: Any) -> Blueprint:
    made = Blueprint(name, __name__, **options)

    @made.cli.command("greet")
    def greet() -> None:
        click.echo(f"{name} in {current_app.name}")

    return made


@pytest.mark.parametrize(
    ("options", "at_registration", "arguments"),
    [
        ({}, {}, ("pages", "greet")),
        ({"cli_group": "other"}, {}, ("other", "greet")),
        ({"cli_group": None}, {}, ("greet",)),
        ({"cli_group": "other"}, {"cli_group": "late"}, ("late", "greet")),
        ({"cli_group": "other"}, {"cli_group": None}, ("greet",)),
        ({}, {"name": "renamed"}, ("renamed", "greet")),
    ],
)
def test_commands_of_a_blueprint_join_the_apps(
    options: Any, at_registration: Any, arguments: tuple[str, ...]
) -> None:
    app = make_app()
    app.register_blueprint(blueprint("pages", **options), **at_registration)

    assert f"pages in {app.name}\n" == app.test_cli_runner().invoke(args=arguments).output


def test_nested_blueprints_bring_their_commands_by_their_whole_name() -> None:
    app = make_app()
    outer = Blueprint("outer", __name__)
    outer.register_blueprint(blueprint("inner"))
    app.register_blueprint(outer)

    assert ["outer.inner"] == list(app.cli.commands)


def test_a_blueprint_without_commands_adds_no_group() -> None:
    app = make_app()
    empty = Blueprint("empty", __name__)
    assert not empty.cli.commands
    app.register_blueprint(empty)
    app.register_blueprint(Blueprint("never_asked", __name__))

    assert {} == app.cli.commands


# The runner


def test_a_runner_knows_its_app() -> None:
    app = make_app()

    @app.cli.command()
    def name() -> None:
        click.echo(current_app.name)

    @click.command()
    @pass_script_info
    def other(info: ScriptInfo) -> None:
        click.echo(info.load_app().name)

    class Runner(FlaskCliRunner):
        pass

    app.test_cli_runner_class = Runner
    runner = app.test_cli_runner()

    assert isinstance(runner, Runner)
    assert f"{app.name}\n" == runner.invoke(args=["name"]).output
    assert f"{app.name}\n" == runner.invoke(other).output
    assert (
        "elsewhere\n"
        == runner.invoke(other, obj=ScriptInfo(create_app=lambda: Groundwire("elsewhere"))).output
    )


# Loading the app


def test_an_app_is_loaded_once_and_its_debug_mode_is_what_the_environment_says() -> None:
    app = make_app()
    app.debug = True
    info = ScriptInfo(create_app=lambda: app)

    assert info.load_app() is info.load_app() is app
    assert not app.debug


def test_debug_mode_can_be_left_to_the_app() -> None:
    app = make_app()
    app.debug = True

    assert ScriptInfo(create_app=lambda: app, set_debug_flag=False).load_app().debug


def test_an_app_is_found_by_its_path_or_in_wsgi_py_or_app_py(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "app")
    for name in ("wsgi", "app", "own_name"):
        (tmp_path / f"{name}.py").write_text(
            f"from groundwire import Groundwire\napi = Groundwire({name!r} + '_py')"
        )

    assert "own_name_py" == ScriptInfo(str(tmp_path / "own_name.py") + ":api").load_app().name
    assert "own_name_py" == ScriptInfo("own_name").load_app().name
    assert "wsgi_py" == ScriptInfo().load_app().name
    (tmp_path / "wsgi.py").unlink()
    del sys.modules["wsgi"]
    assert "app_py" == ScriptInfo().load_app().name


@pytest.fixture
def forget_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if not name.startswith("groundwire"):
            del sys.modules[name]


def test_without_an_app_it_says_how_to_name_one() -> None:
    with pytest.raises(NoAppException, match="'--app' or the variable 'FLASK_APP'"):
        ScriptInfo().load_app()


# The group around an app


def test_a_flask_group_has_its_own_commands_and_the_apps() -> None:
    app = make_app()
    seen: list[bool] = []

    def note(_context: Any, _parameter: Any, value: str) -> str:
        seen.append(current_app._get_current_object() is app)  # type: ignore[attr-defined]
        return value

    @app.cli.command("import")
    @click.option("--name", callback=note)
    def import_(name: str) -> None:
        """Import something."""
        click.echo(name)

    group = flask_of(app)

    assert "x\n" == invoke(group, "import", "--name", "x").output
    assert [True] == seen
    output = invoke(group, "--help").output
    for line in ("import  Import something.", "routes  ", "run     ", "shell   "):
        assert f"\n  {line}" in output


def test_the_default_commands_and_the_version_can_be_left_out() -> None:
    group = flask_of(make_app(), add_default_commands=False, add_version_option=False)

    assert [] == list(group.commands)
    assert "--version" not in invoke(group, "--help").output


def test_options_of_commands_come_from_variables() -> None:
    app = make_app()

    @app.cli.command()
    @click.option("--name")
    def greet(name: str) -> None:
        click.echo(name)

    assert "x\n" == invoke(flask_of(app), "greet", env={"FLASK_GREET_NAME": "x"}).output


def test_debug_mode_is_turned_on_and_off_before_the_command_or_behind_it() -> None:
    app = make_app()

    @app.cli.command()
    def show() -> None:
        click.echo(current_app.debug)

    group = flask_of(app)

    def shown(*arguments: str, **variables: str) -> str:
        return invoke(group, *arguments, env={"FLASK_DEBUG": None, **variables}).output

    assert "False\n" == shown("show")
    assert "True\n" == shown("--debug", "show")
    assert "True\n" == shown("show", FLASK_DEBUG="1")
    assert "False\n" == shown("--no-debug", "show", FLASK_DEBUG="1")


def test_help_comes_although_there_is_no_app_and_says_so() -> None:
    result = invoke(cli, "--help")

    assert 0 == result.exit_code
    assert "Usage: " in result.stdout
    assert "variable 'FLASK_APP'" in result.stderr


def test_help_comes_although_the_app_fails_and_shows_how() -> None:
    def create_app() -> Any:
        raise ValueError("oh no")

    result = invoke(FlaskGroup(create_app=create_app), "--help")

    assert 0 == result.exit_code
    assert "ValueError: oh no" in result.stderr
    assert "\n  run " in result.stdout


def test_a_command_that_nobody_has() -> None:
    assert 2 == invoke(flask_of(make_app()), "nothing").exit_code
    result = invoke(cli, "nothing")
    assert 2 == result.exit_code
    assert "FLASK_APP" in result.stderr


def test_the_group_works_within_another() -> None:
    outer = click.Group("outer")
    app = make_app()
    group = flask_of(app, name="flask")
    outer.add_command(group)

    @group.command()
    def name() -> None:
        click.echo(current_app.name)

    assert f"{app.name}\n" == invoke(outer, "flask", "name").output


def test_plugins_are_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "plug-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[groundwire.commands]\nplugged = plug:command\n")
    (tmp_path / "plug.py").write_text(
        "import click\n@click.command()\ndef command():\n    'Plugged in.'\n    click.echo('from plug')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    group = flask_of(make_app())

    assert "from plug\n" == invoke(group, "plugged").output
    assert "plugged  Plugged in." in invoke(group, "--help").output


def test_flasks_plugins_are_loaded_where_flask_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask", types.ModuleType("flask"))
    assert ["groundwire.commands"] == plugin_groups()
    monkeypatch.setitem(sys.modules, "flask", types.ModuleType("groundwire.flask"))
    assert ["groundwire.commands", "flask.commands"] == plugin_groups()


def test_the_versions_are_shown() -> None:
    output = invoke(cli, "--version").output

    assert output.startswith(f"Python {sys.version.split()[0]}\nGroundwire ")
    assert "\nFlask 3.1." in output
    assert "\nWerkzeug 3.1." in output
    assert get_version(click.Context(cli), None, False) is None  # type: ignore[func-returns-value]


def test_an_env_file_sets_variables_before_the_app_is_loaded(tmp_path: Path) -> None:
    pytest.importorskip("dotenv")
    (tmp_path / "own.env").write_text("SHOP_NAME=x\n")
    group = FlaskGroup(create_app=lambda: Groundwire(os.environ["SHOP_NAME"]))

    @group.command()
    def name() -> None:
        click.echo(current_app.name)

    assert "x\n" == invoke(group, "--env-file", "own.env", "name").output


def test_an_env_file_needs_python_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", None)
    (tmp_path / "own.env").write_text("")

    result = invoke(flask_of(make_app()), "--env-file", "own.env", "routes")

    assert 2 == result.exit_code
    assert "python-dotenv must be installed" in result.output


# run


def test_run_starts_the_server_as_its_options_say(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(serving, "run_simple", lambda *a, **k: calls.append((a, k)))
    app = make_app()

    def run(*arguments: str, **variables: str) -> dict[str, Any]:
        result = invoke(flask_of(app), "run", *arguments, env={"FLASK_DEBUG": None, **variables})
        assert 0 == result.exit_code, result.output
        (host, port, served), options = calls.pop()
        assert served is app
        return {"host": host, "port": port, **options}

    first = run()
    assert ("127.0.0.1", 5000, True, False) == tuple(
        first[name] for name in ("host", "port", "threaded", "use_reloader")
    )
    second = run("-h", "0.0.0.0", "--without-threads", "--debug", FLASK_RUN_PORT="8080")
    assert ("0.0.0.0", 8080, False, True) == tuple(
        second[name] for name in ("host", "port", "threaded", "use_reloader")
    )
    assert not run("--debug", "--no-reload")["use_reloader"]
    files = os.pathsep.join(["a", "b"])
    assert ["a", "b"] == run("--extra-files", files)["extra_files"]


def test_a_certificate_is_a_file_with_a_key_a_context_or_adhoc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def certificate(*arguments: str) -> Any:
        return run_command.make_context("run", list(arguments)).params["cert"]

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    monkeypatch.setitem(sys.modules, "own_context", context)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "cryptography", types.ModuleType("cryptography"))

    assert (__file__, __file__) == certificate("--key", __file__, "--cert", __file__)
    assert context is certificate("--cert", "own_context")
    assert "adhoc" == certificate("--cert", "adhoc")
    for wrong in (
        ["--cert", __file__],
        ["--key", __file__],
        ["--cert", "adhoc", "--key", __file__],
        ["--cert", "not_there"],
        ["--cert", "groundwire"],
    ):
        with pytest.raises(click.BadParameter):
            certificate(*wrong)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(click.BadParameter, match="cryptography"):
        certificate("--cert", "adhoc")
    monkeypatch.setitem(sys.modules, "ssl", None)
    with pytest.raises(click.BadParameter, match="no ssl module"):
        certificate("--cert", __file__)


# shell


def test_the_shell_has_the_names_of_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shells: list[Any] = []
    monkeypatch.setattr(code, "interact", lambda banner, local: shells.append((banner, local)))
    (tmp_path / "start.py").write_text("begun = True\n")
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "start.py"))
    app = make_app()

    @app.shell_context_processor
    def more() -> dict[str, Any]:
        return {"answer": 42}

    for hook in (None, lambda: None):
        monkeypatch.setattr(sys, "__interactivehook__", hook, raising=False)
        assert 0 == invoke(flask_of(app), "shell").exit_code

        banner, names = shells.pop()
        assert f"\nApp: {app.import_name}\nInstance: {app.instance_path}" in banner
        assert (42, True, app) == (names["answer"], names["begun"], names["app"])


# routes


def rows_of(app: Groundwire, *arguments: str) -> list[list[str]]:
    result = invoke(flask_of(app), "routes", *arguments)
    assert 0 == result.exit_code
    head, line, *rows = result.output.splitlines()
    assert {"-", " "} == set(line)
    return [head.split(), *([cell.strip() for cell in row.split("  ") if cell] for row in rows)]


def test_routes_are_shown_in_the_order_that_is_asked_for() -> None:
    app = Groundwire("routes", static_folder=None)
    app.add_url_rule("/b/<x>", "second", lambda: "", methods=["GET", "POST"])
    app.add_url_rule("/a", "third", lambda: "", methods=["POST"])
    app.add_url_rule("/c", "first", lambda: "")

    assert [
        ["Endpoint", "Methods", "Rule"],
        ["first", "GET", "/c"],
        ["second", "GET, POST", "/b/<x>"],
        ["third", "POST", "/a"],
    ] == rows_of(app)
    for sort, order in (
        ("rule", ["third", "second", "first"]),
        ("methods", ["first", "second", "third"]),
        ("match", [rule.endpoint for rule in app.url_map.iter_rules()]),
    ):
        assert order == [row[0] for row in rows_of(app, "--sort", sort)[1:]]
    assert "GET, HEAD, OPTIONS" in rows_of(app, "--all-methods")[1]


def test_routes_show_subdomains_and_hosts() -> None:
    app = Groundwire("routes", static_folder=None)
    app.add_url_rule("/", "a", lambda: "", subdomain="api")

    assert [["Endpoint", "Methods", "Subdomain", "Rule"], ["a", "GET", "api", "/"]] == rows_of(app)

    app = Groundwire("routes", static_folder=None, host_matching=True)
    app.add_url_rule("/", "a", lambda: "", host="example.org")

    assert ["Endpoint", "Methods", "Host", "Rule"] == rows_of(app, "-s", "domain")[0]


def test_an_app_without_routes_says_so() -> None:
    app = Groundwire("routes", static_folder=None)

    assert "No routes were registered.\n" == invoke(flask_of(app), "routes").output


# The banner


def test_the_banner_names_the_app_and_its_mode(capsys: pytest.CaptureFixture[str]) -> None:
    show_server_banner(True, "blog")
    show_server_banner(None, None)

    assert " * Serving app 'blog'\n * Debug mode: on\n" == capsys.readouterr().out


def test_a_reloaded_process_shows_no_banner(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")

    show_server_banner(False, "blog")

    assert "" == capsys.readouterr().out
