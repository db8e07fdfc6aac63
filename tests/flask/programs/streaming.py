"""Flask's pattern "Streaming Contents"."""

import time

from flask import (
    Flask,
    Response,
    request,
    session,
    stream_template,
    stream_with_context,
)

app = Flask(__name__)
app.secret_key = "a key for the tests alone"
closed = []


@app.route("/large.csv")
def generate_large_csv():
    def generate():
        for row in (("a", "b"), ("c", "\u00e9")):
            yield f"{','.join(row)}\n"

    return generate(), {"Content-Type": "text/csv"}


@app.route("/timeline")
def timeline():
    return stream_template("page.html", title="timeline", items=["x"])


@app.route("/stream")
def streamed_response():
    def generate():
        yield "<p>Hello "
        yield request.args["name"]
        yield "!</p>"

    return stream_with_context(generate())


@app.route("/decorated")
def decorated():
    @stream_with_context
    def generate(greeting):
        yield greeting
        yield request.args.get("name", "nobody")

    return Response(generate("hello "), mimetype="text/plain")


@app.route("/session")
def of_session():
    session["seen"] = session.get("seen", 0) + 1

    def generate():
        yield str(session["seen"])

    return app.response_class(stream_with_context(generate()))


@app.route("/without")
def without():
    def generate():
        yield "content"

    response = Response(generate(), content_type="application/octet-stream")
    response.call_on_close(lambda: closed.append("closed"))
    return response


@app.route("/bytes")
def as_bytes():
    return iter([b"\x00", b"\xff"])


@app.route("/empty")
def empty():
    return Response(iter(()))


@app.route("/closed")
def told():
    # A server closes a response when it has been sent, which a client may have noticed before.
    for _ in range(200):
        if closed:
            break
        time.sleep(0.01)
    return closed


@app.route("/echo", methods=["POST"])
def echo():
    def generate():
        while piece := request.stream.read(3):
            yield piece + b"|"

    return Response(stream_with_context(generate()))


@app.route("/length")
def length():
    return Response(iter([b"12345"]), headers={"Content-Length": "5"})


REQUESTS = [
    "GET /large.csv",
    "HEAD /large.csv",
    "GET /timeline",
    "GET /stream?name=ann",
    "GET /decorated?name=bob",
    "GET /decorated",
    "GET /session",
    "GET /session",
    "GET /without",
    "GET /closed",
    "GET /bytes",
    "GET /empty",
    ("POST /echo", {"data": b"12345678"}),
    "GET /length",
]
