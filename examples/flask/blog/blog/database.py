"""SQLite: one connection for each request or command, and the command that makes the tables."""

import sqlite3

import click
from flask import current_app, g
from flask.cli import with_appcontext


def connection():
    """This context's connection."""
    if "connection" not in g:
        g.connection = sqlite3.connect(current_app.config["DATABASE"])
        g.connection.row_factory = sqlite3.Row
    return g.connection


def close(error=None):
    """Close the connection, if there is one."""
    open_connection = g.pop("connection", None)
    if open_connection is not None:
        open_connection.close()


def make_tables():
    """Make the tables anew; what was in them is lost."""
    with current_app.open_resource("schema.sql") as schema:
        connection().executescript(schema.read().decode())


@click.command("init-db")
@with_appcontext
def init_db():
    """Delete all posts and accounts, and make new tables."""
    make_tables()
    click.echo("The tables are made.")


def init_app(app):
    """Have `app` close connections, and know the command."""
    app.teardown_appcontext(close)
    app.cli.add_command(init_db)
