"""JSON: what can be sent, in which bytes; the provider's settings; a provider of one's own."""

import dataclasses
import decimal
import uuid
from datetime import date, datetime, timedelta, timezone

from flask import Flask, Response, json, jsonify
from flask.json.provider import DefaultJSONProvider
from markupsafe import Markup

app = Flask(__name__)
app.logger.disabled = True


@dataclasses.dataclass
class Point:
    x: int
    y: list


class Html:
    def __html__(self):
        return "<b>html</b>"


class Unknown:
    pass


VALUES = {
    "date": date(2024, 5, 17),
    "datetime": datetime(2024, 5, 17, 12, 30, 1),
    "aware": datetime(2024, 5, 17, 12, 30, 1, tzinfo=timezone(timedelta(hours=2))),
    "decimal": decimal.Decimal("1.50"),
    "uuid": uuid.UUID(int=5),
    "dataclass": Point(1, [2]),
    "html": Html(),
    "markup": Markup("<i>"),
    "text": "\u00e9\u4e2d\U0001f600</script>&'\"\\\n",
    "numbers": [1, -1.5, 1e300, 10**20, True, None],
    "keys": {"b": 1, "a": {"d": 1, "c": 2}, "1": 3},
    "intkeys": {2: "b", 1: "a"},
    "tuple": (1, (2, 3)),
    "empty": [{}, [], ""],
    "unknown": Unknown(),
    "mixed": {1: 2, "a": 3},
}


@app.route("/value/<name>")
def value(name):
    return {"value": VALUES[name]}


@app.route("/jsonify/<name>")
def jsonified(name):
    return jsonify(VALUES[name])


@app.route("/dumps/<name>")
def dumps(name):
    return Response(json.dumps(VALUES[name], indent=1), mimetype="text/plain")


@app.route("/jsonify-args")
def arguments():
    return [
        jsonify().get_data(as_text=True),
        jsonify(1, 2).get_data(as_text=True),
        jsonify(None).get_data(as_text=True),
        json.loads('{"a": [1, 2.5]}'),
        json.htmlsafe_dumps("<'&>") if hasattr(json, "htmlsafe_dumps") else "none",
    ]


@app.route("/list")
def listed():
    return [VALUES["keys"]]


@app.route("/settings/<name>")
def settings(name):
    before = vars(app.json).copy()
    try:
        setattr(
            app.json,
            *{
                "unsorted": ("sort_keys", False),
                "utf8": ("ensure_ascii", False),
                "pretty": ("compact", False),
                "type": ("mimetype", "application/vnd.api+json"),
            }[name],
        )
        return jsonify(b="\u00e9", a=[1, 2])
    finally:
        vars(app.json).clear()
        vars(app.json).update(before)


@app.route("/both")
def both_arguments():
    return jsonify(1, a=2)


class Own(DefaultJSONProvider):
    @staticmethod
    def default(o):
        return "own" if isinstance(o, Unknown) else DefaultJSONProvider.default(o)


@app.route("/own")
def own():
    return Response(Own(app).dumps([Unknown(), VALUES["date"]]))


REQUESTS = [
    *(f"GET /value/{name}" for name in VALUES),
    *(f"GET /jsonify/{name}" for name in ("text", "numbers", "tuple", "markup")),
    *(f"GET /dumps/{name}" for name in ("text", "keys", "intkeys")),
    "GET /jsonify-args",
    "GET /list",
    *(f"GET /settings/{name}" for name in ("unsorted", "utf8", "pretty", "type")),
    "GET /both",
    "GET /own",
]
