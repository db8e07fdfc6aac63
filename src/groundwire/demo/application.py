"""Puts the demo together."""

import os

from groundwire import Groundwire, Response

from .database import Database
from .errors import errors
from .links import links
from .pages import pages
from .tweets import tweets
from .upstream import upstream

DEFAULT_DATABASE = "sqlite:///groundwire-demo.sqlite3"

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Pages are made of text and our own style: no scripts, nobody else's forms and frames."""


def create_app(database: str | None = None) -> Groundwire:
    """Make the demo.

    Args:
        database: SQLAlchemy URL; by default what the variable ``DATABASE_URL`` says, otherwise an SQLite file in the
            working directory.

    The page at /upstream calls the API that the variable ``UPSTREAM_URL`` names, by default the demo's own.

    Raises:
        CannotOpen: the database cannot be used.
    """
    app = Groundwire(__name__)
    app.config["SECURITY_PROFILE"] = "strict"
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024  # a tweet is less than 1 KiB
    app.config["UPSTREAM_URL"] = os.environ.get("UPSTREAM_URL")
    app.config["UPSTREAM_SECONDS"] = 3.0
    app.extensions["database"] = Database(
        database or os.environ.get("DATABASE_URL") or DEFAULT_DATABASE
    )
    for blueprint in (tweets, links, pages, upstream, errors):
        app.register_blueprint(blueprint)
    app.after_request(protect)
    return app


def protect(response: Response) -> Response:
    """Say what the pages are made of, so that the browser refuses anything else."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
