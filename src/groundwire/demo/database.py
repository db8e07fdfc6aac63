"""The demo's data: two tables, and what is asked of them (SQLAlchemy Core, SQLite or PostgreSQL)."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

DEFAULT_DATABASE = "sqlite:///groundwire-demo.sqlite3"
BUSY_SECONDS = 5
CODE_BYTES = 5

metadata = MetaData()

tweets = Table(
    "tweets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("author", String(50), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", DateTime, nullable=False),  # UTC
    sqlite_autoincrement=True,  # the number of a deleted tweet is not given to another
)

links = Table(
    "links",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("visits", Integer, nullable=False, default=0),
)

Record = Row[Any]


class Database:
    """What the demo asks of its database. Every method is a transaction of its own.

    Args:
        url: SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
        metadata.create_all(self.engine)

    def list_tweets(self, limit: int = 100) -> Sequence[Record]:
        """Return the newest tweets, newest first."""
        with self.engine.connect() as connection:
            return connection.execute(
                select(tweets).order_by(tweets.c.id.desc()).limit(limit)
            ).all()

    def find_tweet(self, tweet_id: int) -> Record | None:
        """Return a tweet, or None."""
        with self.engine.connect() as connection:
            return connection.execute(select(tweets).where(tweets.c.id == tweet_id)).first()

    def add_tweet(self, fields: dict[str, str]) -> Record:
        """Store a new tweet and return it."""
        values = {**fields, "created_at": datetime.now(UTC).replace(tzinfo=None)}
        with self.engine.begin() as connection:
            return connection.execute(insert(tweets).values(values).returning(tweets)).one()

    def change_tweet(self, tweet_id: int, fields: dict[str, str]) -> Record | None:
        """Change fields of a tweet and return it; None when there is none."""
        changed = update(tweets).where(tweets.c.id == tweet_id).values(fields).returning(tweets)
        with self.engine.begin() as connection:
            return connection.execute(changed).first()

    def remove_tweet(self, tweet_id: int) -> bool:
        """Delete a tweet; False when there is none."""
        with self.engine.begin() as connection:
            return connection.execute(delete(tweets).where(tweets.c.id == tweet_id)).rowcount > 0

    def shorten(self, url: str) -> str:
        """Return the code of a URL, the same each time."""
        while True:
            known = self._code_of(url)
            if known is not None:
                return known
            code = secrets.token_urlsafe(CODE_BYTES)
            try:
                with self.engine.begin() as connection:
                    connection.execute(insert(links).values(code=code, url=url, visits=0))
                return code
            except IntegrityError:  # another request was first with the URL, or the code is taken
                continue

    def _code_of(self, url: str) -> str | None:
        with self.engine.connect() as connection:
            return connection.execute(select(links.c.code).where(links.c.url == url)).scalar()

    def visit(self, code: str) -> str | None:
        """Count a visit and return where the code leads; None when it is unknown."""
        visited = (
            update(links)
            .where(links.c.code == code)
            .values(visits=links.c.visits + 1)
            .returning(links.c.url)
        )
        with self.engine.begin() as connection:
            return connection.execute(visited).scalar()

    def visits(self, code: str) -> int:
        """Return how often a code was visited."""
        with self.engine.connect() as connection:
            return (
                connection.execute(select(links.c.visits).where(links.c.code == code)).scalar() or 0
            )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let readers go on beside a writer, and writers wait for one another."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
