"""The demo's tables, and how a database is opened that has them or is to have them."""

from contextlib import suppress
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateTable

MAX_ID = 2**31 - 1
"""The greatest number an INTEGER has in every database."""

metadata = sql.MetaData()

tweets = sql.Table(
    "tweets",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("author", sql.Text, nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("created_at", sql.DateTime, nullable=False),  # UTC
    sqlite_autoincrement=True,  # the number of a deleted tweet is not given to another
)

links = sql.Table(
    "links",
    metadata,
    sql.Column("code", sql.Text, primary_key=True),
    sql.Column("url", sql.Text, nullable=False, unique=True),
    sql.Column("visits", sql.Integer, nullable=False),
)


class CannotOpen(Exception):
    """The database that was named cannot be used; the message is a line that says why."""


def open_database(url: str) -> sql.Engine:
    """Connect, and make the tables that are not there yet.

    Args:
        url: SQLAlchemy URL.

    Raises:
        CannotOpen: it is no such URL, or the database cannot be used.
    """
    try:
        engine = _engine(url)
        try:
            _prepare(engine)
        except BaseException:
            engine.dispose()
            raise
    except ImportError as error:
        reason = f"{error}; for PostgreSQL, pip install 'groundwire[postgresql]'"
        raise CannotOpen(f"the database {_shown(url)} cannot be used: {reason}") from error
    except (SQLAlchemyError, ValueError, TypeError) as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error)
        reason = said.partition("\n")[0]
        raise CannotOpen(f"the database {_shown(url)} cannot be used: {reason}") from error
    return engine


def _engine(url: str) -> sql.Engine:
    at = sql.make_url(url)
    options: dict[str, Any] = {"pool_pre_ping": True}
    if at.get_backend_name() == "sqlite" and at.database in (None, "", ":memory:"):
        # In memory each connection has a database of its own: all threads take turns with a single one.
        options |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
        options["connect_args"] = {"check_same_thread": False}
    return sql.create_engine(url, **options)


def _prepare(engine: sql.Engine) -> None:
    if engine.dialect.name == "sqlite":
        # Readers go on beside a writer. A file that may not be written is read as it is.
        with suppress(OperationalError), engine.connect() as connection:
            connection.execute(sql.text("PRAGMA journal_mode = WAL"))
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))


def _shown(url: str) -> str:
    """Return a URL as a message shows it, without its password."""
    try:
        return repr(sql.make_url(url).render_as_string())
    except (SQLAlchemyError, ValueError):
        return repr(url.rpartition("@")[2])
