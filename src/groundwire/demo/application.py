"""Puts the demo together."""

import os

from groundwire import Groundwire, Response, request

from .database import DEFAULT_DATABASE, Database
from .links import links
from .pages import pages
from .tweets import tweets


def create_app(database: str | None = None) -> Groundwire:
    """Make the demo.

    Args:
        database: SQLAlchemy URL; by default what the variable ``DATABASE_URL`` says, otherwise an SQLite file in the
            working directory.

    The page at /upstream calls the API that ``UPSTREAM_URL`` names, by default the demo's own.
    """
    app = Groundwire(__name__)
    app.config["UPSTREAM_URL"] = os.environ.get("UPSTREAM_URL")
    app.config["UPSTREAM_TIMEOUT_SECONDS"] = 3.0
    app.extensions["database"] = Database(
        database or os.environ.get("DATABASE_URL") or DEFAULT_DATABASE
    )
    app.register_blueprint(tweets)
    app.register_blueprint(links)
    app.register_blueprint(pages)

    @app.context_processor
    def common() -> dict[str, object]:
        return {"here": request.path}

    @app.after_request
    def protect(response: Response) -> Response:
        """Keep pages to what they are made of: our own style, no scripts, nobody's frame."""
        response.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'",
        )
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    return app
