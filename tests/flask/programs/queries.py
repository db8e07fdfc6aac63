"""Queries, urlencoded forms and paths as browsers and others write them: escapes, repetitions, what is left out."""

from flask import Flask, request

app = Flask(__name__)


@app.route("/", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
def index():
    return {
        "args": request.args.to_dict(flat=False),
        "query": request.query_string.decode("latin-1"),
        "form": request.form.to_dict(flat=False),
        "values": sorted(request.values.items(multi=True)),
        "full_path": request.full_path,
        "url": request.url,
        "data": request.get_data().decode("latin-1"),
    }


@app.route("/path/<path:rest>")
def path(rest):
    return {"rest": rest, "path": request.path, "url": request.url}


@app.route("/segment/<name>")
def segment(name):
    return {"name": name, "path": request.path}


@app.route("/typed")
def typed():
    return repr(
        [
            request.args.get("n", type=int),
            request.args.get("n", 5, int),
            request.args.getlist("n", int),
            request.args.get("f", type=float),
            request.args.get("missing", "d"),
            list(request.args.lists()),
        ]
    )


@app.route("/missing/<where>")
def missing(where):
    return {"args": request.args, "form": request.form, "cookies": request.cookies}[where]["x"]


def form(content, content_type="application/x-www-form-urlencoded", method="POST"):
    return (f"{method} /", {"data": content, "content_type": content_type})


REQUESTS = [
    *(f"GET /?{query}" for query in ("a", "a=", "=b", "&&a=1&", "a=1;b=2", "a=b=c", "a[]=1&a[]=2")),
    *(f"GET /?{query}" for query in ("%41=%42", "a=%zz", "a=%", "a=+%20+", "a=%2B", "a=%ff")),
    *(f"GET /?{query}" for query in ("a=%C3%A4&a=2", "?", "a=1?b=2", "a=%00", "a=%26", "a=1&A=2")),
    *map(form, ("a=1&b=2", "a", "a=", "=b", "a=+", "a=%2B", "a=%ff", b"a=\xc3\xa4", "", "&&")),
    *map(form, ("a=1;b=2", "a=%0d%0a", "a=1\r\nb=2", "a=1&a=2", "a=1 2")),
    form(b"a=\xff"),
    form("a=1", "application/x-www-form-urlencoded; charset=latin-1"),
    form("a=1", "APPLICATION/X-WWW-FORM-URLENCODED"),
    form("a=1", "text/plain"),
    *(form("a=1", method=method) for method in ("PUT", "DELETE", "PATCH")),
    *(f"GET /path/{rest}" for rest in ("a/b", "a%2Fb", "a//b", "", "%2e%2e/x", "a%3Fb", "a%23b")),
    *(f"GET /path/{rest}" for rest in ("%25", "%ff", "%E4%B8%AD", "a;b=c", "a+b", "%0a", "a%5Cb")),
    "GET /path/:@!$&'()*,=~-._",
    *(f"GET /segment/{name}" for name in ("a%2Fb", "", "a/", "%00")),
    "GET /typed?n=1&n=x&f=1.5",
    "GET /typed?n=%D9%A1",
    "GET /typed?n=1_0&f=nan",
    "GET /missing/args",
    "GET /missing/form",
    "GET /missing/cookies",
]
