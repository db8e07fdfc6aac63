"""Which names below the static folder lead to a file, from an app and from blueprints."""

import os
import tempfile
from pathlib import Path

from flask import Blueprint, Flask, request, url_for

FOLDER = Path(tempfile.mkdtemp())
(FOLDER / "sub").mkdir()
(FOLDER / ".hidden").mkdir()
FILES = ("a.txt", "a b+c%.txt", "m \u00e9.txt", "sub/index.html", ".dot", ".hidden/f.txt")
for name in FILES:
    (FOLDER / name).write_text("content")
    os.utime(FOLDER / name, (1_700_000_000, 1_700_000_000))

app = Flask(__name__, static_folder=FOLDER, static_url_path="/static")
below = Blueprint("below", __name__, static_folder=FOLDER, static_url_path="/files")
beside = Blueprint("beside", __name__, static_folder=FOLDER, static_url_path="/beside")
app.register_blueprint(below, url_prefix="/below")
app.register_blueprint(beside)


@app.route("/urls")
def urls():
    return [
        url_for("static", filename="a b+c%.txt"),
        url_for("below.static", filename="sub/index.html"),
        url_for("beside.static", filename="\u00e9"),
    ]


@app.after_request
def say_who_answered(response):
    response.headers["X-Endpoint"] = str(request.endpoint)
    return response


REQUESTS = [
    *(f"GET /static/{name}" for name in ("a.txt", "sub/index.html", "a%20b+c%25.txt")),
    *(f"GET /static/{name}" for name in ("a%20b%2Bc%25.txt", "m%20%C3%A9.txt", "a.txt?v=1")),
    *(f"GET /static/{name}" for name in ("sub", "sub/", "A.TXT", "a.txt%20", "a.txt;x", "%FF")),
    *(f"GET /static/{name}" for name in ("%2e%2e/x", "..%2fx", "a%00.txt", "%5Ca.txt", "nul")),
    *(f"GET /{name}" for name in ("static", "below/files/a.txt", "below/files/b", "beside/a.txt")),
    *(f"{method} /static/a.txt" for method in ("HEAD", "OPTIONS", "POST")),
    "OPTIONS /static/missing",
    "GET /urls",
    # What Groundwire does not send.
    "GET /static/.dot",
    "GET /static/.hidden/f.txt",
    "GET /static/a.txt/",
    "GET /static/sub//index.html",
    "GET /static/sub/%2e%2e/a.txt",
]
