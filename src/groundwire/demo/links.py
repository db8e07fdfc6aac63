"""The URL shortener."""

from typing import Any
from urllib.parse import urlsplit

from groundwire import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    url_for,
)

from .forms import database, invalid, sent_fields, wants_json

URL_LENGTH = 2000

links = Blueprint("links", __name__)


def wrong_with(url: Any) -> str | None:
    """Say what is wrong with a URL to be shortened."""
    if url is None:
        return "is missing"
    if not isinstance(url, str) or not url.strip():
        return "must not be empty"
    if len(url) > URL_LENGTH:
        return f"has {len(url)} characters; at most {URL_LENGTH} are allowed"
    if not url.isprintable() or " " in url or "\\" in url:
        return "has characters that do not belong in a URL"
    try:
        parts = urlsplit(url)
        well_formed = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
        )
    except ValueError:
        well_formed = False
    return None if well_formed else "must be a whole URL that begins with http:// or https://"


@links.get("/shorten")
def form() -> str:
    """Show the form."""
    return render_template("shorten.html", url="", error=None)


@links.post("/shorten")
def shorten() -> Response:
    """Give a URL a short one; the same each time."""
    fields = sent_fields()
    url = fields.get("url")
    error = wrong_with(url)
    if error is not None:
        if wants_json():
            return invalid({"url": error})
        return make_response(render_template("shorten.html", url=url or "", error=error), 400)
    code = database().shorten(str(url))
    short_url = url_for("links.follow", code=code, _external=True)
    if wants_json():
        response = jsonify(short_url=short_url)
    else:
        visits = database().visits(code)
        response = make_response(
            render_template("shorten.html", url=url, error=None, short_url=short_url, visits=visits)
        )
    response.status_code = 201
    response.headers["Location"] = short_url
    return response


@links.get("/r/<code>")
def follow(code: str) -> Any:
    """Go where a short URL leads."""
    url = database().visit(code) or abort(404)
    response = redirect(url, code=301)
    # A browser keeps a 301 for good; without this only its first visit would be counted.
    response.headers["Cache-Control"] = "no-store"
    return response
