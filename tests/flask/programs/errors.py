"""Flask's pages "Handling Application Errors" and "Custom Error Pages"."""

from flask import Blueprint, Flask, abort, json, jsonify, redirect, request
from werkzeug.exceptions import (
    BadGateway,
    BadRequest,
    Conflict,
    Gone,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestedRangeNotSatisfiable,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)

app = Flask(__name__)
app.logger.disabled = True


class InsufficientStorage(HTTPException):
    code = 507
    description = "Not enough storage space."


class InvalidAPIUsage(Exception):
    status_code = 400

    def __init__(self, message, status_code=None, payload=None):
        super().__init__()
        self.message = message
        if status_code is not None:
            self.status_code = status_code
        self.payload = payload

    def to_dict(self):
        return {**(self.payload or ()), "message": self.message}


@app.errorhandler(InvalidAPIUsage)
def invalid_api_usage(e):
    return jsonify(e.to_dict()), e.status_code


@app.errorhandler(BadRequest)
def handle_bad_request(e):
    return f"bad request! {e.description}", 400


app.register_error_handler(InsufficientStorage, lambda e: (f"handled {e}", 507))


@app.errorhandler(Conflict)
def as_json(e):
    response = e.get_response()
    response.data = json.dumps({"code": e.code, "name": e.name, "description": e.description})
    response.content_type = "application/json"
    return response


@app.errorhandler(ZeroDivisionError)
def division(e):
    return f"division: {type(e).__name__}", 500


@app.errorhandler(LookupError)
def lookup(e):
    return f"lookup: {e!r}", 400


@app.errorhandler(InternalServerError)
def internal(e):
    original = getattr(e, "original_exception", None)
    return f"500 page, {original!r}", 500


@app.route("/abort/<int:code>")
def aborting(code):
    abort(code)


@app.route("/described/<int:code>")
def described(code):
    abort(code, description="a <b>reason</b>")


@app.route("/response")
def responding():
    abort(jsonify(stopped=True))


@app.route("/raise/<name>")
def raising(name):
    raise {
        "gone": Gone("it <went>"),
        "unauthorized": Unauthorized(www_authenticate=None),
        "method": MethodNotAllowed(["GET", "PUT"]),
        "range": RequestedRangeNotSatisfiable(100),
        "later": ServiceUnavailable(retry_after=120),
        "often": TooManyRequests(retry_after=1),
        "gateway": BadGateway(),
        "media": UnsupportedMediaType(),
        "storage": InsufficientStorage(),
        "usage": InvalidAPIUsage("No user id provided!", 422, {"user": None}),
        "zero": ZeroDivisionError("no"),
        "key": KeyError("k"),
        "index": IndexError("i"),
        "value": ValueError("v"),
        "notfound": NotFound(response=app.response_class("made by hand", 404)),
    }[name]


@app.route("/form", methods=["POST"])
def form():
    return request.form["missing"]


@app.route("/json", methods=["POST"])
def body():
    return jsonify(request.json)


@app.route("/silent", methods=["POST"])
def silent():
    return repr((request.get_json(silent=True), request.is_json))


@app.route("/force", methods=["POST"])
def force():
    return repr(request.get_json(force=True))


api = Blueprint("api", __name__, url_prefix="/api")


@api.errorhandler(404)
def api_not_found(e):
    return {"error": "not found in api"}, 404


@api.errorhandler(ZeroDivisionError)
def api_division(e):
    return {"error": "division in api"}, 500


@api.route("/abort/<int:code>")
def api_abort(code):
    abort(code)


@api.route("/zero")
def api_zero():
    return 1 // 0


@api.route("/redirecting")
def api_redirect():
    abort(redirect("/elsewhere", 303))


app.register_blueprint(api)

REQUESTS = [
    *(
        f"GET /abort/{code}"
        for code in (
            400,
            401,
            403,
            404,
            405,
            406,
            408,
            409,
            410,
            411,
            412,
            413,
            414,
            415,
            416,
            417,
            418,
        )
    ),
    *(
        f"GET /abort/{code}"
        for code in (421, 422, 423, 424, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505)
    ),
    "GET /abort/999",
    "GET /described/404",
    "GET /described/409",
    "GET /described/400",
    "GET /response",
    *(
        f"GET /raise/{name}"
        for name in (
            "gone",
            "unauthorized",
            "method",
            "range",
            "later",
            "often",
            "gateway",
            "media",
        )
    ),
    *(
        f"GET /raise/{name}"
        for name in ("storage", "usage", "zero", "key", "index", "value", "notfound")
    ),
    "POST /form",
    ("POST /json", {"json": {"a": [1, 2, {"b": None}]}}),
    ("POST /json", {"data": "{broken", "content_type": "application/json"}),
    ("POST /json", {"data": "", "content_type": "application/json"}),
    ("POST /json", {"data": "{}", "content_type": "text/plain"}),
    ("POST /json", {"data": b'"\xff"', "content_type": "application/json"}),
    ("POST /silent", {"data": "{broken", "content_type": "application/json"}),
    ("POST /silent", {"data": "{}", "content_type": "application/vnd.api+json"}),
    ("POST /force", {"data": "[1]", "content_type": "text/plain"}),
    "GET /api/abort/404",
    "GET /api/abort/403",
    "GET /api/zero",
    "GET /api/missing",
    "GET /api/redirecting",
]
