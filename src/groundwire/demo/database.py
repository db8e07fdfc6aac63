"""The demo's data: two tables, and what is asked of them (SQLAlchemy Core, SQLite or PostgreSQL)."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateTable

DEFAULT_DATABASE = "sqlite:///groundwire-demo.sqlite3"
MAX_ID = 2**31 - 1
"""The greatest number an INTEGER has in every database."""

CODE_BYTES = 5

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

Record = sql.Row[Any]


class CannotOpen(Exception):
    """The database that was named cannot be used; the message is a line that says why."""


class Database:
    """What the demo asks of its database. Every method is a transaction of its own, and may be called in any thread.

    Raises `sqlalchemy.exc.OperationalError` when it cannot be used, for example because another program has held an
    SQLite file for 5 seconds (``?timeout=`` in the URL says how long to wait).

    Args:
        url: SQLAlchemy URL.

    Raises:
        CannotOpen: it is no such URL, or the database cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            self.engine = _open(url)
        except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise CannotOpen(
                f"the database {_without_password(url)!r} cannot be used: {_first_line(reason)}"
            ) from error

    def list_tweets(self, limit: int) -> Sequence[Record]:
        """Return the newest tweets, newest first."""
        with self.engine.connect() as connection:
            return connection.execute(
                sql.select(tweets).order_by(tweets.c.id.desc()).limit(limit)
            ).all()

    def find_tweet(self, tweet_id: int) -> Record | None:
        """Return a tweet, or None."""
        with self.engine.connect() as connection:
            return connection.execute(sql.select(tweets).where(tweets.c.id == tweet_id)).first()

    def add_tweet(self, fields: dict[str, str]) -> Record:
        """Store a new tweet and return it."""
        values = {**fields, "created_at": datetime.now(UTC).replace(tzinfo=None)}
        with self.engine.begin() as connection:
            return connection.execute(sql.insert(tweets).values(values).returning(tweets)).one()

    def change_tweet(self, tweet_id: int, fields: dict[str, str]) -> Record | None:
        """Change fields of a tweet and return it; None when there is none."""
        change = sql.update(tweets).where(tweets.c.id == tweet_id).values(fields).returning(tweets)
        with self.engine.begin() as connection:
            return connection.execute(change).first()

    def remove_tweet(self, tweet_id: int) -> bool:
        """Delete a tweet; False when there is none."""
        with self.engine.begin() as connection:
            return (
                connection.execute(sql.delete(tweets).where(tweets.c.id == tweet_id)).rowcount > 0
            )

    def shorten(self, url: str) -> Record:
        """Return the link for a URL, the same each time, with its code and how often it was visited."""
        known = sql.select(links).where(links.c.url == url)
        while True:
            with self.engine.connect() as connection:
                link = connection.execute(known).first()
            if link is not None:
                return link
            new = {"code": secrets.token_urlsafe(CODE_BYTES), "url": url, "visits": 0}
            # Two requests for one URL may both come here. The second finds that the URL is unique, and looks again.
            with suppress(IntegrityError), self.engine.begin() as connection:
                connection.execute(sql.insert(links).values(new))

    def visit(self, code: str) -> str | None:
        """Count a visit and return where the code leads; None when it is unknown."""
        count = (
            sql.update(links)
            .where(links.c.code == code)
            .values(visits=links.c.visits + 1)
            .returning(links.c.url)
        )
        with self.engine.begin() as connection:
            return connection.execute(count).scalar()


def _open(url: str) -> sql.Engine:
    """Connect, and make the tables that are not there yet."""
    is_sqlite = sql.make_url(url).get_backend_name() == "sqlite"
    options: dict[str, Any] = {"pool_pre_ping": True}
    if is_sqlite and sql.make_url(url).database in (None, "", ":memory:"):
        # In memory each connection has a database of its own: all threads take turns with a single one.
        options |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
        options["connect_args"] = {"check_same_thread": False}
    engine = sql.create_engine(url, **options)
    if is_sqlite:
        # Readers go on beside a writer. A file that may not be written is read as it is.
        with suppress(OperationalError), engine.connect() as connection:
            connection.execute(sql.text("PRAGMA journal_mode = WAL"))
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
    return engine


def _without_password(url: str) -> str:
    try:
        return sql.make_url(url).render_as_string()
    except (SQLAlchemyError, ValueError):
        return url.rpartition("@")[2]


def _first_line(error: object) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
