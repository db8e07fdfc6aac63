"""Puts the demo together."""

import os

from groundwire import Groundwire, Response, abort, request

from .database import Database
from .errors import errors
from .links import links
from .pages import pages
from .tweets import tweets
from .upstream import upstream

DEFAULT_DATABASE = "sqlite:///groundwire-demo.sqlite3"

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

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
    app.before_request(refuse_other_sites)
    app.after_request(protect)
    return app


def refuse_other_sites() -> None:
    """Refuse what a page of another site has a visitor's browser send to change something here.

    Browsers say in Sec-Fetch-Site where a request comes from; older ones, and all of them without https, in Origin.
    Who sends neither is no browser: nobody's visit can be abused.
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    if site is None and origin is not None:
        site = "same-origin" if origin.partition("://")[2] == request.host else "cross-site"
    if site not in (None, "same-origin", "none"):
        abort(403, "Another site may not change anything here.")


def protect(response: Response) -> Response:
    """Say what the pages are made of, so that the browser refuses anything else."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
