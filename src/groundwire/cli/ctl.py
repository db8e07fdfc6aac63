"""`groundwire ctl`: ask a running server, and tell it what to do."""

import json
from typing import Any, Final

import click

from .errors import CannotStart
from .options import control_option

RELOAD_SECONDS: Final = 600.0
"""A reload is answered when it has ended; each worker may take its time to load."""


@click.group(short_help="Ask or command a running server.")
@control_option
@click.pass_context
def ctl(context: click.Context, control: str | None) -> None:
    """Ask or command a server that was started with --control PATH."""
    if control is None and not context.resilient_parsing:
        raise CannotStart("no server is named; say --control PATH, as the server was started with")
    context.obj = control


@ctl.command()
@click.pass_obj
def state(control: str) -> None:
    """Show what there is, as JSON."""
    click.echo(json.dumps(_ask(control, "state")["value"], indent=2))


@ctl.command()
@click.argument("number", metavar="N|+N|-N")
@click.pass_obj
def scale(control: str, number: str) -> None:
    """Have N workers, or N more or fewer.

    Before a number with a minus sign write two dashes: groundwire ctl scale -- -1
    """
    try:
        wanted = int(number)
    except ValueError as error:
        raise click.BadParameter(f"{number!r} is no number") from error
    said = {"by": wanted} if number[0] in "+-" else {"workers": wanted}
    click.echo(f"{_ask(control, 'scale', **said)['value']} workers are to serve.")


@ctl.command()
@click.pass_obj
def reload(control: str) -> None:
    """Load the application anew, and wait until it serves; status 1 if it cannot, and the old one goes on."""
    _ask(control, "reload", RELOAD_SECONDS)
    click.echo("The new version serves.")


@ctl.command()
@click.pass_obj
def reopen(control: str) -> None:
    """Open log files anew, after they were renamed."""
    _ask(control, "reopen")


@ctl.command()
@click.pass_obj
def stacks(control: str) -> None:
    """Show where each thread and task of each worker is, and the request it works on."""
    from ..server.stacks import text_of_all

    answer = _ask(control, "gather", what="stacks")
    for said in answer["value"]:
        click.echo(f"Worker {said['number']} (process {said['pid']})\n")
        click.echo(text_of_all(said.get("value", [])) or said.get("error", ""))
        click.echo()
    for pid in answer["missing"]:
        click.echo(f"The worker with process id {pid} does not answer.", err=True)


@ctl.command()
@click.option("--at-once", is_flag=True, help="Wait for nothing.")
@click.pass_obj
def stop(control: str, at_once: bool) -> None:
    """Stop the server gracefully."""
    _ask(control, "stop", at_once=at_once)


def _ask(control: str, type: str, timeout_seconds: float = 5.0, **fields: Any) -> dict[str, Any]:
    from ..server.control import ask_supervisor
    from ..server.errors import StartError

    try:
        answer = ask_supervisor(control, type, timeout_seconds, **fields)
    except StartError as error:
        raise CannotStart(str(error)) from error
    if "error" in answer:
        raise click.ClickException(str(answer["error"]))
    return answer
