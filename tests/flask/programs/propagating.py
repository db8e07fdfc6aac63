"""Under TESTING, errors reach the test."""

from flask import Flask, abort, g, request

app = Flask(__name__)
app.testing = True


class Own(Exception):
    pass


@app.errorhandler(Own)
def own(error):
    return f"handled {error}"


@app.route("/<name>")
def raising(name):
    raise {"zero": ZeroDivisionError("z"), "own": Own("o"), "key": KeyError("k")}[name]


@app.route("/abort")
def aborting():
    abort(409)


@app.route("/form", methods=["POST"])
def form():
    return request.form["missing"]


@app.route("/g")
def unset():
    return g.nothing


@app.route("/none")
def none():
    return None


@app.route("/odd")
def odd():
    return (1, 2, 3, 4)


@app.route("/number")
def number():
    return 3.5


REQUESTS = ["GET /own", "GET /abort", "POST /form", "GET /missing/path"]
