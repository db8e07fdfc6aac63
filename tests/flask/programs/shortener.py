"""The URL shortener that web courses teach with."""

from flask import Flask, redirect, request

app = Flask(__name__)
links = {}


@app.route("/shorten", methods=["POST"])
def shorten():
    url = (request.json or {}).get("url")
    if not url:
        return "Missing URL Parameter", 400
    short = f"{len(links) + 1:x}"
    links[short] = url
    return {"short": short}


@app.route("/<short>")
def follow(short):
    if short not in links:
        return "No such link", 404
    return redirect(links[short], code=301)


REQUESTS = [
    ("POST /shorten", {"json": {"url": "https://example.com/a?b=c&d=\u00e9"}}),
    ("POST /shorten", {"json": {}}),
    ("POST /shorten", {"data": "url=x"}),
    "POST /shorten",
    "GET /1",
    "HEAD /1",
    "GET /2",
    "GET /shorten",
]
