"""Everything that the documentation lists on `flask.Request`."""

from flask import Flask, request

app = Flask(__name__)


def attributes():
    return {
        "method": request.method,
        "path": request.path,
        "full_path": request.full_path,
        "script_root": request.script_root,
        "root_path": request.root_path,
        "url": request.url,
        "base_url": request.base_url,
        "url_root": request.url_root,
        "root_url": request.root_url,
        "host_url": request.host_url,
        "host": request.host,
        "scheme": request.scheme,
        "is_secure": request.is_secure,
        "query_string": request.query_string.decode(),
        "args": request.args.to_dict(flat=False),
        "form": request.form.to_dict(flat=False),
        "values": sorted(request.values.items(multi=True)),
        "files": sorted(request.files),
        "cookies": dict(request.cookies),
        "data": request.data.decode("latin-1"),
        "is_json": request.is_json,
        "json": request.get_json(silent=True),
        "mimetype": request.mimetype,
        "mimetype_params": request.mimetype_params,
        "content_type": request.content_type,
        "content_length": request.content_length,
        "content_encoding": request.content_encoding,
        "content_md5": request.content_md5,
        "endpoint": request.endpoint,
        "rule": str(request.url_rule),
        "view_args": request.view_args,
        "blueprint": request.blueprint,
        "blueprints": request.blueprints,
        "routing_exception": repr(request.routing_exception),
        "user_agent": request.user_agent.string,
        "referrer": request.referrer,
        "origin": request.origin,
        "access_route": list(request.access_route),
        "remote_addr": request.remote_addr,
        "remote_user": request.remote_user,
        "authorization": repr(request.authorization),
        "accept_mimetypes": str(request.accept_mimetypes),
        "best": request.accept_mimetypes.best_match(["text/html", "application/json"]),
        "accept_html": request.accept_mimetypes.accept_html,
        "accept_languages": request.accept_languages.best_match(["de", "en"]),
        "accept_encodings": str(request.accept_encodings),
        "accept_charsets": str(request.accept_charsets),
        "cache_control": str(request.cache_control),
        "no_cache": request.cache_control.no_cache,
        "if_match": str(request.if_match),
        "if_none_match": str(request.if_none_match),
        "if_modified_since": repr(request.if_modified_since),
        "if_unmodified_since": repr(request.if_unmodified_since),
        "if_range": str(request.if_range),
        "range": str(request.range),
        "max_forwards": request.max_forwards,
        "pragma": str(request.pragma),
        "date": repr(request.date),
        "access_control": [
            request.access_control_request_method,
            str(request.access_control_request_headers),
        ],
        "trusted_hosts": request.trusted_hosts,
        "header": [request.headers.get("X-One"), request.headers.getlist("X-One")],
    }


@app.route("/all/<name>", methods=["GET", "POST", "PUT"])
def everything(name):
    return attributes()


@app.route("/cookies")
def cookies():
    return request.cookies


@app.route("/authorization")
def authorization():
    auth = request.authorization
    if auth is None:
        return "none", 401, {"WWW-Authenticate": 'Basic realm="x"'}
    return [auth.type, auth.username, auth.password, auth.token, dict(auth.parameters or {})]


AGENT = {"User-Agent": "a test/1.0"}

REQUESTS = [
    ("GET /all/a%20b?x=1&x=2&y=%C3%A4&z=", {"headers": AGENT}),
    ("POST /all/form?x=1", {"data": {"a": "1", "b": ["2", "3"]}, "headers": AGENT}),
    ("POST /all/json", {"json": {"a": [1]}, "headers": AGENT}),
    (
        "PUT /all/raw",
        {
            "data": b"\x00\xff",
            "content_type": 'application/x-thing; a=b; c="d e"',
            "headers": AGENT,
        },
    ),
    (
        "GET /all/headers",
        {
            "headers": {
                **AGENT,
                "Accept": "text/html;q=0.8, application/json",
                "Accept-Language": "de-AT, en;q=0.7",
                "Accept-Charset": "utf-8",
                "Cache-Control": "no-cache, max-age=0",
                "If-None-Match": 'W/"a", "b"',
                "If-Match": "*",
                "If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT",
                "If-Unmodified-Since": "nonsense",
                "If-Range": '"e"',
                "Range": "bytes=0-10,20-",
                "Referer": "http://localhost/before",
                "Origin": "http://elsewhere",
                "Max-Forwards": "10",
                "Pragma": "no-cache",
                "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
                "X-Forwarded-For": "10.0.0.1, 10.0.0.2",
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "X-A, X-B",
                "X-One": "1",
            }
        },
    ),
    ("GET /cookies", {"headers": {"Cookie": "c=\u00c3\u00a9"}}),
    ("GET /cookies", {"headers": {"Cookie": 'a=1; b="unclosed; c=2'}}),
    "GET /authorization",
    ("GET /authorization", {"auth": ("ann", "p:w\u00e9")}),
    ("GET /authorization", {"headers": {"Authorization": "Bearer abc.def=="}}),
    (
        "GET /authorization",
        {"headers": {"Authorization": 'Digest username="u", realm="r", qop=auth'}},
    ),
    ("GET /authorization", {"headers": {"Authorization": "Basic !!!"}}),
]
