"""The configuration keys of the session cookie."""

from flask import Flask, session

app = Flask(__name__)
app.config.update(
    SECRET_KEY="a key for the tests alone",
    SESSION_COOKIE_NAME="sid",
    SESSION_COOKIE_PATH="/app",
    SESSION_COOKIE_DOMAIN="localhost",
    SESSION_COOKIE_HTTPONLY=False,
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Strict",
    SESSION_REFRESH_EACH_REQUEST=False,
)


@app.route("/set")
def put():
    session["a"] = 1
    return "set"


@app.route("/untouched")
def untouched():
    return "untouched"


@app.route("/read")
def read():
    return repr(session.get("a"))


@app.route("/pop")
def pop():
    session.pop("a", None)
    return "popped"


@app.route("/fails")
def fails():
    session["a"] = 2
    return 1 // 0


REQUESTS = ["GET /untouched", "GET /read", "GET /set", "GET /read", "GET /pop", "GET /fails"]
