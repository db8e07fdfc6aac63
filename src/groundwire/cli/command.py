"""The command `groundwire`."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from ..app.command_line import FlaskGroup
from ..app.environment import share_variables
from .aliasing import as_flask_option
from .ctl import ctl
from .demo import demo
from .doctor import doctor
from .errors import CannotStart
from .explain import explain
from .flask import flask
from .learn import learn
from .listen import listen
from .replay import replay
from .routes import routes
from .run import run
from .shell import shell
from .target import Program, is_file_name
from .top import top
from .wire import wire


def _show_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from ..server.version import version

        python = ".".join(map(str, sys.version_info[:3]))
        click.echo(f"Groundwire {version()} on Python {python}")
        context.exit()


version_option = click.Option(
    ["--version"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)


class GroundwireGroup(FlaskGroup):
    """The commands of Groundwire, of plugins and of the application, if one is named or lies in the current folder."""

    def make_script_info(self) -> Program:
        """Make what knows the application."""
        return Program()

    def script_info(self, ctx: click.Context) -> Program:
        """Return what knows the application."""
        return ctx.ensure_object(Program)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Make the context of a command line, for which a variable may have Flask's prefix too."""
        share_variables()
        # https://no-color.org: present and not empty. Where there is no terminal click leaves colour out by itself.
        if os.environ.get("NO_COLOR"):
            extra.setdefault("color", False)
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options that come before the command."""
        if not args or args[0] in self.get_help_option_names(ctx):
            as_flask_option.handle_parse_result(ctx, {}, [])
        rest = super().parse_args(ctx, args)
        share_variables()  # those of `.env` have come
        return rest

    def find_app(self, ctx: click.Context) -> Any:
        """Return the app; None if none was named, or if there is none, of which it says why."""
        program = self.script_info(ctx)
        if program.is_unnamed():
            return None
        try:
            return program.load_app()
        except CannotStart as error:
            click.secho(f"groundwire: {error.format_message()}\n", err=True, fg="red")
            return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named.

        Raises:
            UsageError: there is none.
            CannotStart: there is no such command of Groundwire's, and the application cannot be asked.
        """
        name = args[0]
        if name not in self.list_own_commands(ctx):
            if is_file_name(name):
                ctx.fail(f"{name!r} is no command; to serve it: groundwire run {name}")
            program = self.script_info(ctx)
            if program.is_unnamed():
                ctx.fail(
                    f"there is no command {name!r}; if an application has it: --app TARGET {name}"
                )
            program.load_app()
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, the app's apart."""
        of_app = self.list_app_commands(ctx)
        names = [name for name in self.list_own_commands(ctx) if name not in of_app]
        self._write(ctx, formatter, "Commands", names)
        if of_app:
            self._write(ctx, formatter, f"Commands of {self.script_info(ctx).name}", of_app)

    def _write(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
        title: str,
        names: Sequence[str],
    ) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in names]
        shown = [(name, command) for name, command in commands if command and not command.hidden]
        if shown:
            room = formatter.width - 6 - max(len(name) for name, _ in shown)
            with formatter.section(title):
                formatter.write_dl(
                    [(name, command.get_short_help_str(room)) for name, command in shown]
                )


groundwire = GroundwireGroup(
    name="groundwire",
    help="Groundwire: a web framework, from the TCP socket to your function.",
    epilog="Start with: groundwire run hello.py",
    add_default_commands=False,
    add_version_option=False,
    params=[version_option],
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "GROUNDWIRE",
        "max_content_width": 100,
    },
)
# Behind those a FlaskGroup has, since `.env` may ask for it.
groundwire.params.append(as_flask_option)

for command in (
    *(run, ctl, top, shell, routes),
    *(listen, explain, wire, replay, learn, doctor, demo, flask),
):
    groundwire.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process; status 2 means that it could not start, and stderr says why."""
    groundwire.main(arguments, prog_name="groundwire")
