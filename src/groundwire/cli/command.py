"""The command `groundwire`."""

import os
import sys

import click

from .demo import demo
from .listen import listen
from .routes import routes
from .run import run


def _show_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from ..server.version import version

        python = ".".join(map(str, sys.version_info[:3]))
        click.echo(f"Groundwire {version()} on Python {python}")
        context.exit()


@click.group(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "GROUNDWIRE",
        "max_content_width": 100,
    },
    epilog="Start with: groundwire run hello.py",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def groundwire(context: click.Context) -> None:
    """Groundwire: a web framework, from the TCP socket to your function."""
    # https://no-color.org: present and not empty. Where there is no terminal click leaves colour out by itself.
    if os.environ.get("NO_COLOR"):
        context.color = False


groundwire.add_command(run)
groundwire.add_command(routes)
groundwire.add_command(listen)
groundwire.add_command(demo)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process; status 2 means that it could not start, and stderr says why."""
    groundwire.main(arguments, prog_name="groundwire")
