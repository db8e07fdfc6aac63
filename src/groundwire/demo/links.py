"""The URL shortener."""

from typing import Any
from urllib.parse import urlsplit

from groundwire import (
    Blueprint,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    url_for,
)

from .forms import database, invalid, sent_fields, wants_json, wrong_with

URL_LENGTH = 2000
URL_BYTES = 2500
"""PostgreSQL's index of the URLs takes no longer ones."""

links = Blueprint("links", __name__)


def wrong_with_url(url: object) -> str | None:
    """Say what is wrong with a URL to be shortened; None: nothing."""
    if not isinstance(url, str):
        return "is missing" if url is None else "must be text"
    if (error := wrong_with(url, URL_LENGTH)) is not None:
        return error
    if not url.isprintable() or " " in url or "\\" in url:
        return "has characters that do not belong in a URL"
    if len(url.encode()) > URL_BYTES:
        return f"has {len(url.encode())} bytes; at most {URL_BYTES} are allowed"
    try:
        parts = urlsplit(url)
        _ = parts.port  # a ValueError when it is none
        is_whole = parts.scheme in ("http", "https") and parts.hostname is not None
    except ValueError:
        is_whole = False
    return None if is_whole else "must be a whole URL that begins with http:// or https://"


@links.get("/shorten")
def form() -> str:
    """Show the form."""
    return render_template("shorten.html", url="", error=None)


@links.post("/shorten")
def shorten() -> Any:
    """Give a URL a short one; the same each time."""
    url = sent_fields().get("url")
    if isinstance(url, str):
        url = url.strip()
    if (error := wrong_with_url(url)) is not None:
        if wants_json():
            return invalid({"url": error})
        return make_response(render_template("shorten.html", url=url, error=error), 400)
    link = database().shorten(str(url))
    short_url = url_for("links.follow", code=link.code, _external=True)
    if wants_json():
        response = jsonify(short_url=short_url)
    else:
        page = render_template("shorten.html", url="", error=None, link=link, short_url=short_url)
        response = make_response(page)
    response.status_code = 201
    response.headers["Location"] = short_url
    return response


@links.get("/r/<code>")
def follow(code: str) -> Any:
    """Go where a short URL leads."""
    url = database().visit(code) if code.isprintable() else None
    if url is None:
        abort(404)
    response = redirect(url, code=301, allow_external=True)
    # A browser keeps a 301 for good; without this only its first visit would be counted.
    response.headers["Cache-Control"] = "no-store"
    return response
