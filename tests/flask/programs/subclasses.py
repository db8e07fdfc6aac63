"""Flask's pattern "Subclassing Flask": request and response classes, steps of the app, g of one's own."""

from flask import Flask, Request, Response, g, request
from werkzeug.datastructures import ImmutableMultiDict


class Ordered(ImmutableMultiDict):
    """A dictionary of one's own."""


class MyRequest(Request):
    """Request subclass to override request parameter storage"""

    parameter_storage_class = Ordered

    @property
    def shouted(self):
        return self.path.upper()


class MyResponse(Response):
    default_mimetype = "text/x-mine"
    default_status = 202

    @classmethod
    def force_type(cls, response, environ=None):
        if isinstance(response, set):
            response = cls(", ".join(sorted(response)))
        return super().force_type(response, environ)


class Globals:
    def __init__(self):
        self.mine = "mine"


class MyFlask(Flask):
    request_class = MyRequest
    response_class = MyResponse
    app_ctx_globals_class = Globals

    def make_response(self, rv):
        if isinstance(rv, int):
            rv = f"number {rv}"
        return super().make_response(rv)

    def process_response(self, response):
        response.headers["X-Processed"] = "yes"
        return super().process_response(response)

    def handle_http_exception(self, e):
        return f"handled {e.code}", e.code or 500

    def preprocess_request(self):
        g.seen = "preprocessed"
        return super().preprocess_request()

    def dispatch_request(self):
        if request.args.get("short"):
            return "dispatched here"
        return super().dispatch_request()


app = MyFlask(__name__)


@app.route("/")
def index():
    return f"{g.mine} {g.seen} {request.shouted}"


@app.route("/form", methods=["POST"])
def form():
    return repr([type(request.form).__name__, *request.form.items(multi=True)])


@app.route("/set")
def as_set():
    return app.response_class.force_type({"b", "a"})


@app.route("/number")
def number():
    return 42


REQUESTS = [
    "GET /",
    ("POST /form", {"data": "b=1&a=2&b=3", "content_type": "application/x-www-form-urlencoded"}),
    "GET /number",
    "GET /?short=1",
    "GET /missing",
]
