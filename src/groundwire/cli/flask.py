"""`groundwire flask`: Flask's command line, with Groundwire in Flask's place."""

import click

from ..app.commands import ScriptInfo
from .aliasing import alias_flask
from .target import Program


@click.command(
    "flask",
    short_help="Flask's own commands: flask run, flask db upgrade …",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def flask(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Do what `flask ARGUMENTS` does, with `flask` and `werkzeug` being Groundwire's."""
    alias_flask()
    from ..app.command_line import cli

    program = context.ensure_object(Program)
    # `.env` has been read by now, and what would be said of it.
    info = ScriptInfo(app_import_path=program.app_import_path, load_dotenv_defaults=False)
    cli.main(list(arguments), prog_name="groundwire flask", obj=info, color=context.color)
