"""Conditional and range requests for a file, in every form; the types files are sent as."""

import gzip
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, send_file, send_from_directory

app = Flask(__name__)
app.logger.disabled = True
FOLDER = Path(tempfile.mkdtemp())
WHEN = datetime(2024, 5, 17, tzinfo=UTC).timestamp()
TYPED = [
    "a.txt",
    "b.html",
    "c.json",
    "e.bin",
    "f",
    "i.svg",
    "r.csv",
    "g.tar.gz",
    "n.txt.gz",
    "o.HTML",
]

for name in TYPED:
    content = gzip.compress(b"hello", mtime=0) if name.endswith(".gz") else b"hello"
    (FOLDER / name).write_bytes(content)
    os.utime(FOLDER / name, (WHEN, WHEN))


@app.route("/file", methods=["GET", "POST"])
def file():
    return send_file(FOLDER / "a.txt", etag="abc")


@app.route("/plain")
def plain():
    return send_file(FOLDER / "a.txt", etag="abc", conditional=False)


@app.route("/from/<path:name>")
def from_folder(name):
    return send_from_directory(FOLDER, name, etag=False)


@app.route("/attached/<path:name>")
def attached(name):
    return send_from_directory(FOLDER, name, etag=False, as_attachment=True)


@app.route("/named")
def named():
    return send_file(FOLDER / "a.txt", etag=False, download_name='x y;"\u00e9.pdf')


def asked(**fields):
    return {"headers": {name.replace("_", "-"): value for name, value in fields.items()}}


THEN, BEFORE = "Fri, 17 May 2024 00:00:00 GMT", "Thu, 16 May 2024 23:59:59 GMT"

REQUESTS = [
    *(f"GET /from/{name}" for name in TYPED),
    *(f"GET /attached/{name}" for name in ("a.txt", "f", "g.tar.gz")),
    "GET /named",
    *(
        ("GET /file", asked(Range=f"bytes={range}"))
        for range in ("0-1", "1-", "-2", "4-4", "9-", "0-99")
    ),
    ("GET /plain", asked(Range="bytes=0-1")),
    ("GET /file", asked(Range="bytes=0-1", If_Range=THEN)),
    ("GET /file", asked(Range="bytes=0-1", If_Range=BEFORE)),
    ("GET /file", asked(Range="bytes=0-1", If_Range='"abc"')),
    ("GET /file", asked(Range="bytes=0-1", If_Range='"other"')),
    *(("GET /file", asked(If_Modified_Since=moment)) for moment in (THEN, BEFORE, "junk")),
    *(("GET /file", asked(If_None_Match=tags)) for tags in ('W/"abc"', '"x", "abc"', '"x"', "*")),
    ("GET /file", asked(If_Match='"abc"')),
    ("GET /file", asked(If_Unmodified_Since=THEN)),
    ("HEAD /file", asked(If_None_Match='"abc"')),
    ("POST /file", asked(If_None_Match='"abc"')),
    # What Groundwire does otherwise.
    ("GET /file", asked(Range="bytes=2-1")),
    ("GET /file", asked(Range="items=0-1")),
    ("GET /file", asked(Range="bytes=-99")),
    ("GET /file", asked(Range="bytes=0-0,1-1")),
    ("HEAD /file", asked(Range="bytes=0-1")),
    ("GET /file", asked(If_Match="*")),
    ("GET /file", asked(If_Match='"x"')),
    ("GET /file", asked(If_Unmodified_Since=BEFORE)),
]
