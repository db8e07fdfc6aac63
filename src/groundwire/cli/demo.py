"""`groundwire demo`: the tweet service, the URL shortener and the static site, served by Groundwire itself."""

import importlib
from typing import Any

import click

from .errors import CannotStart
from .options import port_option
from .run import serve_application
from .target import Application

DEMO_PACKAGE = "groundwire.demo"
"""Imported by name when the command runs: the demo is an application, and nothing is built on it."""


@click.command(short_help="Serve the demo.")
@click.option(
    "--host", default="localhost", show_default=True, help="Name or address to listen on."
)
@port_option
@click.option(
    "--database",
    metavar="URL",
    help="SQLAlchemy URL of the database; by default an SQLite file. PostgreSQL: postgresql+psycopg://…",
)
@click.option("--debug/--no-debug", default=None, help="Show errors with their source.")
@click.option("--wire", is_flag=True, help="Show each request at /__wire__/, octet for octet.")
@click.option("--access-log", metavar="PATH", default="-", show_default=True, help="As for run.")
def demo(database: str | None, debug: bool | None, wire: bool, **options: Any) -> None:
    """Serve the demo: tweets, short URLs, static pages, on a real database.

    Open the address it prints: the first page leads to all the others.
    """
    try:
        package = importlib.import_module(DEMO_PACKAGE)
    except ModuleNotFoundError as error:
        raise CannotStart(
            f"the demo needs {error.name}, which is not installed; pip install 'groundwire[demo]'"
        ) from error
    try:
        app = package.create_app(database) if database else package.create_app()
    except package.CannotOpen as error:
        raise CannotStart(str(error)) from error
    if wire:
        options["wire"] = "on"
    serve_application(Application(app, app, "its demo"), options, debug=debug)
