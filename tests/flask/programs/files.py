"""send_file, send_from_directory, static files: types, names, conditions, ranges."""

import io
import os
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, request, send_file, send_from_directory, url_for

app = Flask(__name__)
HERE = Path(__file__).parent
app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60
WHEN = datetime(2024, 5, 17, tzinfo=UTC)

# The same times for both, and on every machine.
for name in ("static/style.css", "templates/plain.txt"):
    os.utime(HERE / name, (WHEN.timestamp(), WHEN.timestamp()))


@app.route("/file")
def file():
    return send_file("templates/plain.txt")


@app.route("/attachment")
def attachment():
    return send_file(HERE / "templates/plain.txt", as_attachment=True)


@app.route("/named")
def named():
    return send_file("templates/plain.txt", as_attachment=True, download_name='na\u00efve "x".txt')


@app.route("/memory")
def memory():
    return send_file(
        io.BytesIO(b"in memory"), mimetype="text/plain", download_name="m.txt", last_modified=WHEN
    )


@app.route("/guessed")
def guessed():
    return send_file(io.BytesIO(b"\x89PNG"), download_name="image.png", max_age=5, etag="fixed")


@app.route("/unnamed")
def unnamed():
    return send_file(io.BytesIO(b"?"))


@app.route("/plain")
def plain():
    return send_file("templates/plain.txt", conditional=False, etag=False, max_age=lambda path: 7)


@app.route("/from/<path:name>")
def from_directory(name):
    return send_from_directory(HERE / "static", name)


@app.route("/favicon.ico")
def favicon():
    return send_from_directory(app.static_folder, "style.css", mimetype="image/vnd.microsoft.icon")


@app.route("/urls")
def urls():
    return [url_for("static", filename="a b.css"), app.static_url_path, request.endpoint]


REQUESTS = [
    *(
        f"GET /{name}"
        for name in ("file", "attachment", "named", "memory", "guessed", "unnamed", "plain")
    ),
    "HEAD /file",
    ("GET /file", {"headers": {"If-Modified-Since": "Fri, 17 May 2024 00:00:00 GMT"}}),
    ("GET /file", {"headers": {"If-Modified-Since": "Fri, 17 May 2019 00:00:00 GMT"}}),
    ("GET /file", {"headers": {"If-Unmodified-Since": "Fri, 17 May 2019 00:00:00 GMT"}}),
    ("GET /file", {"headers": {"Range": "bytes=0-4"}}),
    ("GET /file", {"headers": {"Range": "bytes=5-"}}),
    ("GET /file", {"headers": {"Range": "bytes=-2"}}),
    ("GET /file", {"headers": {"Range": "bytes=100-"}}),
    ("GET /file", {"headers": {"Range": "bytes=0-4", "If-Range": '"other"'}}),
    ("GET /guessed", {"headers": {"If-None-Match": '"fixed"'}}),
    ("GET /memory", {"headers": {"Range": "bytes=3-"}}),
    "GET /from/style.css",
    "GET /from/missing.css",
    "GET /from/../program.py",
    "GET /from/..%2f..%2fprogram.py",
    "GET /favicon.ico",
    "GET /static/style.css",
    "HEAD /static/style.css",
    "GET /static/missing.css",
    "GET /static/",
    "POST /static/style.css",
    "GET /urls",
]
