"""`groundwire routes`: what an application answers to."""

import inspect
import os
import shutil
from typing import Any, NamedTuple

import click

from ..app.locating import NoAppException
from .errors import CannotStart
from .target import load_application

_AUTOMATIC_METHODS = frozenset(("HEAD", "OPTIONS"))


class Row(NamedTuple):
    """One rule, in words."""

    methods: str
    rule: str
    endpoint: str
    defined: str
    runs: str


@click.command(short_help="Show the routes of an application.")
@click.argument("target", required=False)
@click.option(
    "--sort",
    type=click.Choice(["rule", "endpoint", "methods", "added"]),
    default="added",
    show_default=True,
    help="In which order.",
)
@click.option(
    "--all-methods", is_flag=True, help="Show the HEAD and OPTIONS that come by themselves too."
)
def routes(target: str | None, sort: str, all_methods: bool) -> None:
    """Show the routes of the application in TARGET.

    For each: its methods, its rule, its endpoint, where its function is defined, and where that runs: on the event
    loop, or in a thread (and why). TARGET is as for `groundwire run`.
    """
    os.environ["FLASK_RUN_FROM_CLI"] = "true"
    try:
        application = load_application(target)
    except NoAppException as error:
        raise CannotStart(str(error), error.details) from error
    app = application.value
    if not hasattr(app, "url_map"):
        raise CannotStart(
            f"{application.name} is no application of Groundwire's: its routes are its own"
        )
    rows = [_row(app, rule, all_methods) for rule in app.url_map.iter_rules()]
    if sort != "added":
        rows.sort(key=lambda row: (getattr(row, sort), row.rule))
    if not rows:
        click.echo(f"{application.name} has no routes.")
        return
    _print_table(rows)


def _row(app: Any, rule: Any, all_methods: bool) -> Row:
    methods = set(rule.methods or ())
    if not all_methods and methods - _AUTOMATIC_METHODS:
        methods -= _AUTOMATIC_METHODS
    view = app.view_functions.get(rule.endpoint)
    return Row(
        ", ".join(sorted(methods)) or "any",
        str(rule.rule),
        str(rule.endpoint),
        _where_defined(view),
        _where_it_runs(app, rule, view),
    )


def _where_defined(view: Any) -> str:
    """Return file and line of a view function, of what it wraps, or of its class."""
    if view is None:
        return "(no function)"
    function = inspect.unwrap(getattr(view, "view_class", view))
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    try:
        filename = inspect.getsourcefile(function) or "?"
        line = inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        return "(built in)"
    relative = os.path.relpath(filename)
    return f"{filename if relative.startswith('..') else relative}:{line}"


def _where_it_runs(app: Any, rule: Any, view: Any) -> str:
    if view is None:
        return "-"
    plan = app.plans.of(app, rule)
    if plan.view_is_async:
        return "event loop: async def"
    execution = plan.execution
    where = {"watch": "thread, watched", "thread": "thread", "inline": "event loop"}[execution.mode]
    return f"{where}: {execution.reason}" if execution.reason else where


def _print_table(rows: list[Row]) -> None:
    table = [Row("Methods", "Rule", "Endpoint", "Defined at", "Runs"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(Row._fields))]
    room = shutil.get_terminal_size((160, 24)).columns
    for index, row in enumerate(table):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        click.secho(line, bold=True) if index == 0 else click.echo(line)
        if index == 0:
            click.echo("-" * min(room, sum(widths) + 2 * (len(widths) - 1)))
