"""TRUSTED_HOSTS."""

from flask import Flask, request

app = Flask(__name__)
app.config["TRUSTED_HOSTS"] = ["localhost", ".example.test"]


@app.route("/")
def index():
    return request.host


REQUESTS = [
    "GET /",
    ("GET /", {"headers": {"Host": "example.test"}}),
    ("GET /", {"headers": {"Host": "www.example.test:80"}}),
    ("GET /", {"headers": {"Host": "evil.test"}}),
    ("GET /missing", {"headers": {"Host": "evil.test"}}),
]
