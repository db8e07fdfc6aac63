"""The demo's data, and what is asked of it (SQLAlchemy Core, SQLite or PostgreSQL)."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from .schema import links, open_database, tweets

CODE_BYTES = 5

Record = sql.Row[Any]


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
        self.engine = open_database(url)

    def list_tweets(self, limit: int, before: int | None = None) -> Sequence[Record]:
        """Return the newest tweets, newest first; only those before a number where one is given."""
        listed = sql.select(tweets).order_by(tweets.c.id.desc()).limit(limit)
        if before is not None:
            listed = listed.where(tweets.c.id < before)
        with self.engine.connect() as connection:
            return connection.execute(listed).all()

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
