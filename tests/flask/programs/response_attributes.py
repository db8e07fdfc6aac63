"""What the documentation lists on `flask.Response`, and the ways to make one."""

from datetime import UTC, datetime, timedelta

from flask import Flask, Response, jsonify, make_response, redirect, request

app = Flask(__name__)
WHEN = datetime(2024, 5, 17, 12, 30, tzinfo=UTC)


@app.route("/cookie/<kind>")
def cookie(kind):
    response = make_response("cookie")
    arguments = {
        "plain": {"value": "v"},
        "age": {"value": "v", "max_age": 60, "expires": WHEN},
        "delta": {"value": "v", "max_age": timedelta(hours=1), "expires": WHEN},
        "all": {
            "value": "v",
            "path": "/p",
            "domain": "example.com",
            "secure": True,
            "httponly": True,
            "samesite": "lax",
            "expires": 0,
        },
        "quoted": {"value": 'a b;c,"d"\\\u00e9'},
        "partitioned": {"value": "v", "partitioned": True, "secure": True},
        "none": {"value": "v", "path": None, "samesite": "None"},
    }[kind]
    response.set_cookie("name", **arguments)
    return response


@app.route("/headers")
def headers():
    response = Response("headers", 201, {"X-One": "1"}, mimetype="text/css")
    response.headers.add("X-Two", "a")
    response.headers.add("X-Two", "b")
    response.headers.add("Content-Disposition", "attachment", filename="f\u00e4.txt")
    response.last_modified = WHEN
    response.expires = WHEN
    response.date = WHEN
    response.age = timedelta(seconds=3)
    response.retry_after = 7
    response.location = "/a b?\u00e9"
    response.content_language.add("de")
    response.content_location = "/there"
    response.vary.update(["Cookie", "Accept"])
    response.allow.add("GET")
    response.cache_control.max_age = 60
    response.cache_control.public = True
    response.cache_control.must_revalidate = True
    response.set_etag("tag", weak=True)
    response.content_security_policy.default_src = "'self'"
    response.access_control_allow_origin = "*"
    response.access_control_allow_methods = ["GET", "PUT"]
    response.access_control_max_age = 5
    response.www_authenticate = None
    response.accept_ranges = "bytes"
    response.cross_origin_opener_policy = response.cross_origin_opener_policy
    return response


@app.route("/conditional")
def conditional():
    response = make_response("conditional content")
    response.add_etag()
    response.last_modified = WHEN
    return response.make_conditional(request)


@app.route("/ranged")
def ranged():
    response = make_response("0123456789")
    return response.make_conditional(request, accept_ranges=True, complete_length=10)


@app.route("/redirect/<int:code>")
def redirecting(code):
    return redirect("/to?a=b&c=<d>", code)


@app.route("/mimetype/<kind>")
def mimetype(kind):
    response = {
        "text": lambda: Response("t", mimetype="text/plain"),
        "json": lambda: Response("{}", mimetype="application/json"),
        "xml": lambda: Response("<a/>", mimetype="application/xml"),
        "full": lambda: Response("t", content_type="text/x; charset=latin-1"),
        "status": lambda: Response("s", status="404 Gone Fishing"),
        "set": lambda: Response("s"),
    }[kind]()
    if kind == "set":
        response.mimetype = "text/markdown"
        response.status_code = 299
        response.data = "changed \u00e9"
    return response


@app.route("/statuses")
def statuses():
    return [
        Response(status=code).status
        for code in (*range(200, 209), *range(300, 309), *range(400, 452), 500, 511)
    ]


@app.route("/told")
def told():
    response = Response(["a", "b"], 404, {"X-A": "1"})
    return jsonify(
        status=response.status,
        code=response.status_code,
        data=response.get_data(as_text=True),
        length=response.content_length,
        calculated=response.calculate_content_length(),
        json=response.is_json,
        sequence=response.is_sequence,
        streamed=response.is_streamed,
        mimetype=response.mimetype,
        params=response.mimetype_params,
        text=repr(response),
        headers=sorted(response.headers),
    )


ETAG = '"7ae0b26d9af0d43a3f13c2e8a7c0e3f4b5c0a7f0"'

REQUESTS = [
    *(
        f"GET /cookie/{kind}"
        for kind in ("plain", "age", "delta", "all", "quoted", "partitioned", "none")
    ),
    "GET /headers",
    "HEAD /headers",
    "GET /conditional",
    ("GET /conditional", {"headers": {"If-None-Match": ETAG}}),
    ("GET /conditional", {"headers": {"If-None-Match": "*"}}),
    ("GET /conditional", {"headers": {"If-Modified-Since": "Fri, 17 May 2024 12:30:00 GMT"}}),
    ("GET /conditional", {"headers": {"If-Modified-Since": "Fri, 17 May 2019 12:30:00 GMT"}}),
    ("GET /conditional", {"headers": {"If-Match": '"other"'}}),
    ("GET /ranged", {"headers": {"Range": "bytes=2-4"}}),
    ("GET /ranged", {"headers": {"Range": "bytes=-3"}}),
    ("GET /ranged", {"headers": {"Range": "bytes=20-"}}),
    *(f"GET /redirect/{code}" for code in (301, 302, 303, 305, 307, 308)),
    *(f"GET /mimetype/{kind}" for kind in ("text", "json", "xml", "full", "status", "set")),
    "GET /told",
    "GET /statuses",
]
