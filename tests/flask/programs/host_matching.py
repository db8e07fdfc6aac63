"""Rules that say for which host they are."""

from flask import Flask, request, url_for

app = Flask(__name__, host_matching=True, static_host="static.test")


@app.route("/", host="a.test")
def a():
    return f"a {url_for('a')} {url_for('b', name='x')}"


@app.route("/", host="<name>.b.test:8080")
def b(name):
    return f"b {name} {url_for('static', filename='style.css')}"


@app.route("/", host="localhost")
def local():
    return request.url


REQUESTS = [
    ("GET /", {"headers": {"Host": "a.test"}}),
    ("GET /", {"headers": {"Host": "x.b.test:8080"}}),
    ("GET /", {"headers": {"Host": "x.b.test"}}),
    ("GET /", {"headers": {"Host": "localhost"}}),
    ("GET /static/style.css", {"headers": {"Host": "a.test"}}),
]
