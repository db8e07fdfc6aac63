"""What a view may return, and what it may not; jsonify and redirect with whatever they are given."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from http import HTTPStatus
from uuid import UUID

from flask import Flask, Response, jsonify, make_response, redirect
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as PlainResponse

app = Flask(__name__)
app.logger.disabled = True

Point = namedtuple("Point", "x y")


class OwnResponse(Response):
    default_status = 202
    default_mimetype = "text/x-own"


class Marked:
    def __html__(self):
        return "<b>"


@dataclass
class Data:
    a: int
    b: str = "x"


class Color(Enum):
    RED = 1


class Number(IntEnum):
    ONE = 1


def application(environ, start_response):
    start_response("207 Multi", [("X-W", "1"), ("Content-Type", "text/x-w")])
    return [b"a", b"b"]


def generator():
    yield "a"
    yield "b"


def circle():
    items = []
    items.append(items)
    return jsonify(items)


MADE = {
    "text": lambda: "s",
    "octets": lambda: b"\xff",
    "view": lambda: memoryview(b"x"),
    "empty": lambda: "",
    "dict": lambda: OrderedDict(b=1, a=2),
    "list": list,
    "one": lambda: ("a",),
    "none-at-all": lambda: (),
    "four": lambda: ("a", 1, {}, 1),
    "list-status": lambda: ([1, 2], 201),
    "true": lambda: True,
    "int": lambda: 5,
    "set": lambda: {1},
    "none": lambda: None,
    "none-status": lambda: (None, 200),
    "generator": generator,
    "iterator": lambda: map(str, [1, 2]),
    "generator-status": lambda: (generator(), 201, {"X-G": "1"}),
    "wsgi": lambda: application,
    "wsgi-status": lambda: (application, 201, {"X-Y": "2"}),
    "plain-response": lambda: PlainResponse("w"),
    "own-response": lambda: OwnResponse("m"),
    "own-status": lambda: (OwnResponse("m"), 200),
    "empty-response": lambda: Response(),
    "response-list": lambda: Response(["a", "b"]),
    "reason": lambda: Response("x", "404 NOT HERE"),
    "digits": lambda: Response("x", "404"),
    "enum": lambda: Response("x", HTTPStatus.CREATED),
    "enum-tuple": lambda: ("x", HTTPStatus.CREATED),
    "digits-tuple": lambda: ("x", "201"),
    "reason-tuple": lambda: ("x", "201 Made It"),
    "empty-status": lambda: Response("x", ""),
    "204": lambda: ("x", 204),
    "304": lambda: ("x", 304),
    "fields": lambda: ("x", [("A", "1"), ("A", "2")]),
    "field-lists": lambda: ("x", {"A": ["1", "2"]}),
    "field-int": lambda: ("x", {"X-N": 5}),
    "field-none": lambda: ("x", {"X-N": None}),
    "field-type": lambda: ({"a": 1}, {"content-type": "text/x"}),
    "field-line-end": lambda: ("x", {"X-A": "a\nb"}),
    "none-fields": lambda: ("x", None, {"X-A": "1"}),
    "mimetypes": lambda: Response("x", mimetype="image/svg+xml"),
    "content-type": lambda: Response("x", content_type="text/plain"),
    "error": lambda: NotFound("not here"),
    "error-status": lambda: (NotFound(), 200),
    "made-of-nothing": lambda: make_response(),
    "made-of-two": lambda: make_response("a", 201),
    "made-of-three": lambda: make_response({"a": 1}, 201, {"X": "1"}),
    "made-of-none": lambda: make_response(None),
    "json-nothing": lambda: jsonify(),
    "json-two": lambda: jsonify(1, 2),
    "json-both": lambda: jsonify(1, a=2),
    "json-constants": lambda: jsonify(float("nan"), float("inf"), None, True),
    "json-numbers": lambda: jsonify(2**100, 1e-7, 0.1, 1.0, -0.0),
    "json-datetimes": lambda: jsonify(
        datetime(2020, 1, 2, 3, 4, 5, 6),
        datetime(2020, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        datetime(2020, 1, 2, tzinfo=UTC),
        date(2020, 1, 2),
    ),
    "json-time": lambda: jsonify(time(1, 2)),
    "json-delta": lambda: jsonify(timedelta(1)),
    "json-objects": lambda: jsonify(Decimal("1.10"), UUID(int=5), Data(1), Marked(), Point(1, 2)),
    "json-class": lambda: jsonify(Data),
    "json-enums": lambda: jsonify(Number.ONE),
    "json-enum": lambda: jsonify(Color.RED),
    "json-octets": lambda: jsonify(b"x"),
    "json-keys": lambda: jsonify({1: 1, 1.5: 4}),
    "json-mixed-keys": lambda: jsonify({1: 1, "a": 2}),
    "json-tuple-keys": lambda: jsonify({(1, 2): 3}),
    "json-text": lambda: jsonify("\u00e9\u4e2d\U0001f600\ud800\u2028</script>&'\x00"),
    "json-circle": circle,
    "dict-objects": lambda: {"d": datetime(2020, 1, 1), "u": UUID(int=1)},
}

LOCATIONS = [
    *("/x", "x", "../up", "?a=1", "#f", "", "//elsewhere", "http://a.b/\u00e9?q=\u00fc#f"),
    *("/\u00e9", "/a b<>\"'", "http://b\u00fccher.net/", "/%zz%20", "HTTP://A.B/C"),
]


@app.route("/made/<name>", methods=["GET", "POST"])
def made(name):
    return MADE[name]()


@app.route("/redirect/<int:number>")
def redirecting(number):
    return redirect(LOCATIONS[number])


@app.route("/code/<int:code>")
def coded(code):
    return redirect("/x", code)


# What Groundwire does otherwise.


@app.route("/reset")
def reset():
    return "x", 205


@app.route("/two-charsets")
def two_charsets():
    return Response("x", mimetype="text/html; charset=latin-1")


REQUESTS = [
    *(f"GET /made/{name}" for name in MADE),
    *(f"HEAD /made/{name}" for name in ("text", "generator", "204", "response-list", "none")),
    *(f"GET /redirect/{number}" for number in range(len(LOCATIONS))),
    *(f"GET /code/{code}" for code in (200, 301, 303, 304, 308)),
    *(f"{method} /made/text" for method in ("POST", "OPTIONS", "PUT", "PROPFIND", "TRACE")),
    "GET /reset",
    "GET /two-charsets",
]
