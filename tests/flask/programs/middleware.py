"""WSGI middleware: Flask's patterns "Application Dispatching", "Adding HTTP Method Overrides", "Request Content
Checksums"; ProxyFix."""

import hashlib

from flask import Flask, request, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
backend = Flask("backend")


class HTTPMethodOverrideMiddleware:
    allowed_methods = frozenset(["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"])
    bodyless_methods = frozenset(["GET", "HEAD", "OPTIONS", "DELETE"])

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        if method in self.allowed_methods:
            environ["REQUEST_METHOD"] = method
        if method in self.bodyless_methods:
            environ["CONTENT_LENGTH"] = "0"
        return self.app(environ, start_response)


class ChecksumCalcStream:
    def __init__(self, stream):
        self._stream = stream
        self._hash = hashlib.sha1()

    def read(self, bytes):
        rv = self._stream.read(bytes)
        self._hash.update(rv)
        return rv

    def readline(self, size_hint):
        rv = self._stream.readline(size_hint)
        self._hash.update(rv)
        return rv


def generate_checksum(request):
    env = request.environ
    stream = ChecksumCalcStream(env["wsgi.input"])
    env["wsgi.input"] = stream
    return stream._hash


class AddHeader:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        def started(status, headers, exc_info=None):
            return start_response(
                status, [*headers, ("X-Middleware", environ["PATH_INFO"])], exc_info
            )

        return self.app(environ, started)


@app.route("/", methods=["GET", "PUT", "DELETE"])
def index():
    return f"{request.method} {url_for('index')} {request.environ.get('before', '-')}"


@app.route("/where")
def where():
    return [request.url, request.remote_addr, request.scheme, request.host, request.script_root]


@app.route("/special-api", methods=["POST"])
def special_api():
    hash = generate_checksum(request)
    files = request.files
    checksum = hash.hexdigest()
    return f"Hash was: {len(checksum)} {len(files)}"


@app.route("/form", methods=["POST"])
def form():
    return dict(request.form)


@backend.route("/")
def backend_index():
    return f"backend {request.script_root} {request.path} {url_for('backend_index')}"


@backend.route("/fails")
def backend_fails():
    return request.args["x"]


def plain(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"plain WSGI ", environ["SCRIPT_NAME"].encode(), b" ", environ["PATH_INFO"].encode()]


app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/backend": backend, "/plain": plain})
app.wsgi_app = AddHeader(HTTPMethodOverrideMiddleware(app.wsgi_app))
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)

PROXY = {
    "X-Forwarded-For": "9.9.9.9, 10.0.0.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "public.test",
    "X-Forwarded-Prefix": "/prefix",
}

REQUESTS = [
    "GET /",
    ("POST /", {"headers": {"X-HTTP-Method-Override": "DELETE"}}),
    ("POST /", {"headers": {"X-HTTP-Method-Override": "PUT"}, "data": "x"}),
    "POST /",
    ("GET /where", {"headers": PROXY}),
    ("POST /special-api", {"data": {"a": "1"}, "content_type": "multipart/form-data"}),
    ("POST /form", {"data": {"a": "1"}}),
    "GET /backend/",
    "GET /backend",
    "GET /backend/fails",
    "GET /backend/missing",
    "GET /plain/x/y",
]
