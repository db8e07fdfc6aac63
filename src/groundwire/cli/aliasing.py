"""`--as-flask`: a program that imports `flask` gets Groundwire."""

import importlib

import click

from .errors import CannotStart

AS_FLASK = "groundwire.as_flask"
"""Imported by name: it is an entrance for programs, above everything else."""


def alias_flask() -> None:
    """Make `flask` and `werkzeug` Groundwire's for this process.

    Raises:
        CannotStart: a real one has been imported already.
    """
    try:
        importlib.import_module(AS_FLASK)
    except ImportError as error:
        raise CannotStart(str(error)) from error


def _alias_if(_context: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    if value:
        alias_flask()
    return value


as_flask_option = click.Option(
    ["--as-flask"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_alias_if,
    help="Have programs and plugins that import flask and werkzeug get Groundwire.",
)
