"""`groundwire routes`: what an application answers to."""

import os
import shutil
from typing import Any, NamedTuple

import click

from ..app.app_commands import domain_of, print_table, shown_methods
from ..http.defined import place_of
from .errors import CannotStart
from .target import Program


class Row(NamedTuple):
    """One rule, in words."""

    methods: str
    domain: str
    rule: str
    endpoint: str
    defined: str
    runs: str


@click.command(short_help="Show the routes of an application.")
@click.argument("target", required=False)
@click.option(
    "--sort",
    "-s",
    type=click.Choice(["match", "endpoint", "methods", "domain", "rule"]),
    default="match",
    show_default=True,
    help="In which order; match is the one in which they are tried.",
)
@click.option(
    "--all-methods", is_flag=True, help="Show the HEAD and OPTIONS that come by themselves too."
)
@click.pass_context
def routes(context: click.Context, target: str | None, sort: str, all_methods: bool) -> None:
    """Show the routes of the application in TARGET.

    For each: its methods, its rule, its endpoint, where its function is defined, and where that runs: on the event
    loop, or in a thread (and why). TARGET is as for `groundwire run`.
    """
    program = context.ensure_object(Program)
    program.choose(target)
    application = program.load_application()
    app = application.value
    if not hasattr(app, "url_map"):
        raise CannotStart(
            f"{application.name} is no application of Groundwire's: its routes are its own"
        )
    rows = [_row(app, rule, all_methods) for rule in app.url_map.iter_rules()]
    if sort != "match":
        rows.sort(key=lambda row: (getattr(row, sort), row.rule))
    if not rows:
        click.echo(f"{application.name} has no routes.")
        return
    titles = ["Methods", _domain_title(app), "Rule", "Endpoint", "Defined at", "Runs"]
    table = [titles, *(list(row) for row in rows)]
    if not any(row.domain for row in rows):
        table = [[*cells[:1], *cells[2:]] for cells in table]
    print_table(table, shutil.get_terminal_size((160, 24)).columns)


def _domain_title(app: Any) -> str:
    return "Host" if app.url_map.host_matching else "Subdomain"


def _row(app: Any, rule: Any, all_methods: bool) -> Row:
    # A rule for HEAD or OPTIONS alone has them for a reason.
    methods = shown_methods(rule, all_methods) or shown_methods(rule, all_methods=True)
    view = app.view_functions.get(rule.endpoint)
    return Row(
        ", ".join(methods) or "any",
        domain_of(app, rule),
        str(rule.rule),
        str(rule.endpoint),
        _where_defined(view),
        _where_it_runs(app, rule, view),
    )


def _where_defined(view: Any) -> str:
    """Return file and line of a view function, of what it wraps, or of its class."""
    if view is None:
        return "(no function)"
    place = place_of(getattr(view, "view_class", view))
    if not place.file:
        return "(built in)"
    relative = os.path.relpath(place.file)
    return f"{place.file if relative.startswith('..') else relative}:{place.line}"


def _where_it_runs(app: Any, rule: Any, view: Any) -> str:
    if view is None:
        return "-"
    plan = app.plans.of(app, rule)
    if plan.view_is_async:
        return "event loop: async def"
    execution = plan.execution
    where = {"watch": "thread, watched", "thread": "thread", "inline": "event loop"}[execution.mode]
    return f"{where}: {execution.reason}" if execution.reason else where
