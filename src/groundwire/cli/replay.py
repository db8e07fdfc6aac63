"""`groundwire replay`: send recorded requests again, and see what has changed."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from .errors import CannotStart

if TYPE_CHECKING:
    from .replaying import Plan

DIFFERENT: Final = 1
"""Exit status where an answer differs, or did not come, and that was asked for."""


@click.command(short_help="Send recorded requests to a server, and compare the answers.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--target",
    metavar="URL",
    required=True,
    help="Where to send them: http://HOST:PORT, https://…, or unix: and a path.",
)
@click.option("--diff-only", is_flag=True, help="Show only what differs from what was recorded.")
@click.option(
    "--fail-on-difference",
    is_flag=True,
    help="Exit status 1 if an answer differs from what was recorded, or does not come.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="At most N requests a second; otherwise each is sent when the one before is answered.",
)
@click.option("--crlf", is_flag=True, help="Complete a .http file that an editor has saved.")
@click.option("--host", help="What the Host field says, in place of what was recorded.")
@click.option(
    "--fill",
    "filled",
    metavar="NAME=VALUE",
    multiple=True,
    help="A value in place of one that was masked, such as 'Cookie session=…'. May be repeated.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option("--insecure", is_flag=True, help="Go on though the certificate is not good.")
@click.pass_context
def replay(
    context: click.Context,
    file: Path,
    target: str,
    diff_only: bool,
    fail_on_difference: bool,
    rate: float | None,
    crlf: bool,
    host: str | None,
    filled: tuple[str, ...],
    timeout_seconds: float,
    insecure: bool,
) -> None:
    """Send the requests in FILE to a server, one after the other, and show what is answered.

    \b
    FILE may be
      session.wire   a saved session of the inspector
      page.har       a HAR file, as browsers save it
      any.http       requests as they go over the wire, one after the other or
                     separated by lines that begin with ###; broken ones too

    Answers are compared with those that were recorded, but for what differs every time, such as Date. Each request has
    a connection of its own.
    """  # noqa: D301 - click wants the control character itself
    from ..inspector.keeping.saved import SavedError
    from ..inspector.sending.outgoing import ReplayError
    from ..inspector.sending.replay import parse_target
    from ..inspector.terminal.terminal import Paint, has_colours, printable
    from .replaying import Sender, plans_of

    try:
        address = parse_target(target, verify=not insecure)
        fill = dict(_pair(text) for text in filled)
        plans, notes = plans_of(file, address, crlf=crlf, host=host, fill=fill)
    except (ReplayError, SavedError) as error:
        raise CannotStart(printable(str(error))) from error
    # As `click.echo` has it, which would take the colours out again.
    colours = context.color is not False and has_colours(sys.stdout)
    sender = Sender(address, timeout_seconds, Paint(colours=colours), diff_only=diff_only)
    for note in notes:
        click.echo(f"* {note}", err=True)
    differing = unanswered = unsent = 0
    for number, plan in enumerate(_paced(plans, rate), 1):
        try:
            done = sender.send(plan, number, len(plans))
        except SavedError as error:
            raise CannotStart(f"{printable(str(file))}: {error}") from error
        if done.outcome.state == "not reached":
            raise CannotStart(printable(done.outcome.said))
        for line in done.lines:
            click.echo(line, color=colours)
        differing += done.differs
        unanswered += done.outcome.state != "answered"
        unsent += bool(plan.fault)
    _conclude(len(plans), differing, unanswered, unsent)
    if fail_on_difference and (differing or unanswered):
        context.exit(DIFFERENT)


def _paced(plans: list["Plan"], rate: float | None) -> Iterator["Plan"]:
    """Yield what is to be sent, not sooner than it may be."""
    next_at = time.monotonic()
    for plan in plans:
        if rate is not None:
            time.sleep(max(0.0, next_at - time.monotonic()))
            next_at = max(next_at, time.monotonic() - 1 / rate) + 1 / rate
        yield plan


def _conclude(count: int, differing: int, unanswered: int, unsent: int) -> None:
    of = f"{count - unsent} of " if unsent else ""
    said = [f"{of}{count} {'request was' if count == 1 else 'requests were'} sent"]
    if unanswered > unsent:
        said.append(f"{unanswered - unsent} had no whole answer")
    if differing:
        said.append(f"{differing} {'answer differs' if differing == 1 else 'answers differ'}")
    click.echo(f"* {', '.join(said)}.", err=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CannotStart(f"{text!r} fills in nothing; say --fill NAME=VALUE")
    return name, value
