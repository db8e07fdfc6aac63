"""A session without a secret key."""

from flask import Flask, flash, session

app = Flask(__name__)
app.testing = True


@app.route("/read")
def read():
    return repr(session.get("a"))


@app.route("/write")
def write():
    session["a"] = 1
    return "written"


@app.route("/flash")
def flashed():
    flash("hello")
    return "flashed"


REQUESTS = ["GET /read"]
