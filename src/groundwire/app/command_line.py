"""Flask's command line: a group that has the application's commands beside its own.

(Flask: https://flask.palletsprojects.com/en/stable/cli/)
"""

import os
import platform
import sys
import traceback
from collections.abc import Callable
from importlib import metadata
from typing import Any

import click

from ..server.version import version
from . import environment
from .api_versions import API_VERSIONS
from .app_commands import routes_command, run_command, shell_command
from .commands import AppGroup, ScriptInfo, debug_option
from .current import current
from .locating import NoAppException
from .serving import is_running_from_reloader


def show_server_banner(debug: bool | None, app_import_path: str | None) -> None:
    """Say which app is served and whether in debug mode: for commands of the program's own that start a server.

    A reloader's child process says nothing, because its parent has.
    """
    if is_running_from_reloader():
        return
    if app_import_path is not None:
        click.echo(f" * Serving app {app_import_path!r}")
    if debug is not None:
        click.echo(f" * Debug mode: {'on' if debug else 'off'}")


def get_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Show the versions, and end: the callback of an eager option."""
    if not value or ctx.resilient_parsing:
        return
    lines = [f"Python {platform.python_version()}", f"Groundwire {version()}, which has the API of"]
    lines += [f"{name.capitalize()} {number}" for name, number in API_VERSIONS.items()]
    click.echo("\n".join(lines), color=ctx.color)
    ctx.exit()


version_option = click.Option(
    ["--version"],
    help="Show the versions and exit.",
    expose_value=False,
    callback=get_version,
    is_flag=True,
    is_eager=True,
)


def _set_app(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        context.ensure_object(ScriptInfo).app_import_path = value
    return value


# Eager, so that `--help`, which is eager too and stands behind it, knows the app's commands.
app_option = click.Option(
    ["-A", "--app"],
    metavar="TARGET",
    help=(
        "The application: a file or module, and after a colon the name of the application in it or a call that"
        " returns one. Without a name it is app, application, the only one there, create_app() or make_app()."
    ),
    is_eager=True,
    expose_value=False,
    callback=_set_app,
)


def _read_env_file(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None:
        try:
            __import__("dotenv")
        except ImportError as error:
            raise click.BadParameter(
                "python-dotenv must be installed to load an env file: pip install python-dotenv",
                ctx=context,
                param=parameter,
            ) from error
    defaults = context.ensure_object(ScriptInfo).load_dotenv_defaults
    if value is not None or defaults:
        environment.load_dotenv(value, load_defaults=defaults)
    return value


# Eager and first, so that every other option finds the variables it sets.
env_file_option = click.Option(
    ["-e", "--env-file"],
    type=click.Path(exists=True, dir_okay=False),
    help=(
        "Set environment variables from this file, before those of '.env' and '.flaskenv'. What is set stays as it"
        " is. Needs python-dotenv."
    ),
    is_eager=True,
    expose_value=False,
    callback=_read_env_file,
)


def plugin_groups() -> list[str]:
    """Return the entry-point groups that commands are loaded from.

    Flask's is one of them where `flask` is Groundwire's: elsewhere those commands would bring the real one.
    """
    flask = getattr(sys.modules.get("flask"), "__name__", "")
    return ["groundwire.commands", *(["flask.commands"] if flask.startswith("groundwire.") else [])]


class FlaskGroup(AppGroup):
    """A group that has, beside its own commands, those of plugins and those of the application it is about.

    Plugins are entry points of the group ``groundwire.commands``, and of ``flask.commands`` where `flask` is aliased.

    Args:
        add_default_commands: whether `run`, `shell` and `routes` are added.
        create_app: called for the application, in place of what ``--app`` names.
        add_version_option: whether there is an option ``--version``.
        load_dotenv: whether `.env` and `.flaskenv` are read first.
        set_debug_flag: whether the app's debug mode becomes what the environment says.
        extra: arguments of `click.Group`.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: Callable[..., Any] | None = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: Any,
    ) -> None:
        options = [env_file_option, app_option, debug_option]
        if add_version_option:
            options.append(version_option)
        settings: dict[str, Any] = {"auto_envvar_prefix": "FLASK"}
        settings.update(extra.pop("context_settings", None) or {})
        super().__init__(
            params=[*(extra.pop("params", None) or ()), *options],
            context_settings=settings,
            **extra,
        )
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        if add_default_commands:
            for command in (run_command, shell_command, routes_command):
                self.add_command(command)
        self._plugins_loaded = False

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command: its own, a plugin's, or the app's, whose context is then entered."""
        self._load_plugin_commands()
        command = super().get_command(ctx, cmd_name)
        if command is not None:  # works also where the app does not
            return command
        app = self.find_app(ctx)
        if app is None:
            return None
        context = current.get(None)
        if context is None or context.app is not app:
            # So that its options' callbacks have it too.
            ctx.with_resource(app.app_context())
        found: click.Command | None = app.cli.get_command(ctx, cmd_name)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of its own commands, the plugins' and the app's."""
        return sorted({*self.list_own_commands(ctx), *self.list_app_commands(ctx)})

    def list_own_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of its own commands and the plugins'."""
        self._load_plugin_commands()
        return super().list_commands(ctx)

    def find_app(self, ctx: click.Context) -> Any:
        """Return the app; None if there is none, of which it says why."""
        try:
            return self.script_info(ctx).load_app()
        except NoAppException as error:
            click.secho(f"Error: {error.format_message()}\n", err=True, fg="red")
            return None

    def list_app_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the app's commands. Why it could not be loaded is shown, and ends nothing."""
        try:
            app = self.find_app(ctx)
            names: list[str] = [] if app is None else app.cli.list_commands(ctx)
        except Exception:  # noqa: BLE001 - whatever the program raises, help has to come
            click.secho(f"{traceback.format_exc()}\n", err=True, fg="red")
            return []
        return names

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Make the context of a command line. From now on `app.run()` of a program does nothing."""
        os.environ[environment.RUN_FROM_CLI] = "true"
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = self.make_script_info()
        return super().make_context(info_name, args, parent=parent, **extra)

    def make_script_info(self) -> ScriptInfo:
        """Make the object of a command line."""
        return ScriptInfo(
            create_app=self.create_app,
            set_debug_flag=self.set_debug_flag,
            load_dotenv_defaults=self.load_dotenv,
        )

    def script_info(self, ctx: click.Context) -> ScriptInfo:
        """Return the object of the command line `ctx` belongs to."""
        return ctx.ensure_object(ScriptInfo)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; for help alone, variables and app are looked at all the same."""
        asks_for_help = len(args) == 1 and args[0] in self.get_help_option_names(ctx)
        if asks_for_help or (not args and self.no_args_is_help):
            env_file_option.handle_parse_result(ctx, {}, [])
            app_option.handle_parse_result(ctx, {}, [])
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.Exit:
            ctx.close()  # click before 8.2 leaves open what help has entered: the app's context
            raise

    def _load_plugin_commands(self) -> None:
        if self._plugins_loaded:
            return
        self._plugins_loaded = True
        for group in plugin_groups():
            for entry_point in metadata.entry_points(group=group):
                self.add_command(entry_point.load(), entry_point.name)


cli = FlaskGroup(
    name="flask",
    help="""\
Flask's commands, carried out by Groundwire.

The application is named by the option '--app' or the variable 'FLASK_APP' (or 'GROUNDWIRE_APP'); otherwise it is in
a file 'wsgi.py' or 'app.py' in the current folder.
""",
)


def main() -> None:
    """Run Flask's command line and end the process."""
    cli.main()
