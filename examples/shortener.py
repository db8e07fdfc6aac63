"""A URL shortener: a form, a permanent redirect, and SQLite.

groundwire run examples/shortener.py
curl -i http://localhost:8000/ -d url=https://www.rfc-editor.org/rfc/rfc9110.html
"""

import hashlib
import sqlite3

from groundwire import Groundwire, abort, g, redirect, request, url_for

app = Groundwire(__name__)
app.config["DATABASE"] = "shortener.sqlite3"

FORM = """<!doctype html>
<title>Shortener</title>
<h1>Shorten a URL</h1>
<form method="post">
  <input name="url" type="url" required placeholder="https://" size="60">
  <button>Shorten</button>
</form>
"""


def database():
    """This request's connection to the database."""
    if "database" not in g:
        g.database = sqlite3.connect(app.config["DATABASE"])
        g.database.execute(
            "CREATE TABLE IF NOT EXISTS links (code TEXT PRIMARY KEY, url TEXT, visits INTEGER DEFAULT 0)"
        )
    return g.database


@app.teardown_request
def close_database(error):
    if "database" in g:
        g.database.close()


@app.get("/")
def form():
    return FORM


@app.post("/")
def shorten():
    url = request.form["url"]
    if not url.startswith(("http://", "https://")):
        abort(400, "url has to begin with http:// or https://")
    # The same URL gives the same code.
    code = hashlib.sha256(url.encode()).hexdigest()[:8]
    with database() as connection:
        connection.execute("INSERT OR IGNORE INTO links (code, url) VALUES (?, ?)", (code, url))
    return {"short_url": url_for("follow", code=code, _external=True)}, 201


@app.get("/<code>")
def follow(code):
    with database() as connection:
        changed = connection.execute("UPDATE links SET visits = visits + 1 WHERE code = ?", (code,))
        if not changed.rowcount:
            abort(404)
        (url,) = connection.execute("SELECT url FROM links WHERE code = ?", (code,)).fetchone()
    return redirect(url, code=301)
