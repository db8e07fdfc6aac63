"""`groundwire shell`: Python, with the application at hand."""

import click

from ..app.app_commands import shell_command
from .target import Program


@click.command(short_help="Open a Python shell with an application.")
@click.argument("target", required=False)
@click.pass_context
def shell(context: click.Context, target: str | None) -> None:
    """Open a Python shell within the context of the application in TARGET.

    `app`, `g` and what its shell context processors add are names there. TARGET is as for `groundwire run`.
    """
    program = context.ensure_object(Program)
    program.choose(target)
    program.load_app()
    context.invoke(shell_command)
