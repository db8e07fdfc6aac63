"""Flask's pages on the two contexts: what is where, and what is new in which."""

from flask import (
    Flask,
    copy_current_request_context,
    current_app,
    g,
    has_app_context,
    has_request_context,
    request,
    session,
    url_for,
)

app = Flask(__name__)
app.secret_key = "a key for the tests alone"
app.config["SERVER_NAME"] = "localhost"


def outside(function):
    try:
        return str(function())
    except RuntimeError as error:
        return str(error).splitlines()[0]


@app.route("/")
def index():
    g.mark = "request"
    with app.app_context():
        inner = [g.get("mark"), has_request_context(), request.path, url_for("index")]
    with app.test_request_context("/other?x=1", method="POST", data={"a": "b"}):
        other = [
            request.path,
            request.args["x"],
            request.form["a"],
            g.get("mark"),
            session.get("n"),
        ]
    return [inner, other, g.mark, request.path, current_app.name == app.name]


@app.route("/thread")
def thread():
    import threading

    found = []

    @copy_current_request_context
    def work():
        found.append([request.path, session.get("n"), has_request_context()])

    def bare():
        found.append([has_request_context(), has_app_context()])

    for function in (work, bare):
        runner = threading.Thread(target=function)
        runner.start()
        runner.join()
    return found


@app.route("/g")
def namespace():
    g.a = 1
    g.setdefault("b", []).append(2)
    return [
        sorted(g),
        "a" in g,
        g.get("c", "default"),
        g.pop("a"),
        g.pop("a", None),
        hasattr(g, "a"),
        g.b,
    ]


REQUESTS = ["GET /", "GET /thread", "GET /g"]
with app.app_context():
    outside_of_request = (
        outside(lambda: request.path),
        url_for("index"),
        url_for("thread", _external=False),
    )
outside_of_all = (
    outside(lambda: current_app.name),
    outside(lambda: g.x),
    outside(lambda: session["x"]),
)


@app.route("/outside")
def told():
    return [outside_of_request, outside_of_all, bool(current_app), bool(request)]


REQUESTS.append("GET /outside")
