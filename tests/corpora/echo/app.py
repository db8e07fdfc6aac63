"""The application the corpus is about: it says of each request what it was given.

    groundwire run tests/corpora/echo/app.py
    python tests/corpora/runner.py 127.0.0.1 8000 --have static,routes

`static/link_out` leads out of the static folder, to a file that must never be served.
"""

import time
from typing import Any

from groundwire import Groundwire, abort, redirect, request

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

app = Groundwire(__name__)


@app.route("/", defaults={"path": ""}, methods=METHODS)
@app.route("/<path:path>", methods=METHODS)
def echo(path: str) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query_string.decode("latin-1"),
        "host": request.host,
        "headers": list(request.headers),
        "body": request.get_data().decode("latin-1"),
        "remote_addr": request.remote_addr,
    }


@app.route("/slow", methods=METHODS)
def slow() -> dict[str, Any]:
    time.sleep(0.3)
    return echo("slow")


@app.route("/redirect", methods=METHODS)
def to_elsewhere() -> Any:
    return redirect("/elsewhere")


@app.route("/error", methods=METHODS)
def error() -> None:
    raise RuntimeError("as it was asked to")


@app.get("/get-only")
def get_only() -> dict[str, Any]:
    return echo("get-only")


@app.route("/no-such", methods=METHODS)
def no_such() -> None:
    abort(404)
