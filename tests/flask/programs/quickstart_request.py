"""Flask's quickstart: the request object, file uploads, cookies, redirects and errors, about responses."""

import io

from flask import (
    Flask,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.utils import secure_filename

app = Flask(__name__)


def valid_login(name, password):
    return name == "ann" and password == "secret"


@app.route("/login", methods=["POST", "GET"])
def login():
    error = None
    if request.method == "POST":
        if valid_login(request.form["username"], request.form["password"]):
            return f"logged in as {request.form['username']}"
        error = "Invalid username/password"
    return render_template("login.html", error=error)


@app.route("/search")
def search():
    return repr(
        (request.args.get("key", ""), request.args.getlist("t"), request.args.get("n", 7, type=int))
    )


@app.route("/upload", methods=["GET", "POST"])
def upload_file():
    if request.method == "POST":
        file = request.files["the_file"]
        content = file.read()
        return {
            "name": file.filename,
            "secure": secure_filename(file.filename),
            "type": file.mimetype,
            "size": len(content),
            "field": request.form.get("note"),
        }
    return "send me a file"


@app.route("/cookies")
def cookies():
    response = make_response(f"username={request.cookies.get('username')!r}")
    response.set_cookie("username", "the username")
    return response


@app.route("/forget")
def forget():
    response = make_response("gone")
    response.delete_cookie("username")
    return response


@app.route("/")
def index():
    return redirect(url_for("secret"))


@app.route("/secret")
def secret():
    abort(401)


@app.errorhandler(404)
def page_not_found(error):
    return render_template("not_found.html", error=error), 404


@app.errorhandler(404)
def not_found(error):
    response = make_response(f"no such page: {error.description}", 404)
    response.headers["X-Something"] = "A value"
    return response


@app.route("/me")
def me_api():
    return {"username": "ann", "theme": "light", "image": url_for("search", key="ann.png")}


@app.route("/users")
def users_api():
    return [{"name": "ann"}, {"name": "bob"}]


@app.route("/jsonify")
def jsonified():
    return jsonify(b=1, a=[1.5, None, True, "\u00e9"])


@app.route("/tuple/<int:kind>")
def tuples(kind):
    return [
        ("text", 201),
        ("text", {"X-A": "1"}),
        ("text", 202, {"X-A": "1", "Content-Type": "text/plain"}),
        ("text", "299 Strange", [("X-A", "1"), ("X-A", "2")]),
        ({"a": 1}, 418),
        (b"bytes", 200),
        (make_response("made", 203), {"X-B": "2"}),
        (make_response("made", 203), 204),
    ][kind]


@app.route("/nothing")
def nothing():
    return None


@app.route("/unlike")
def unlike():
    return 42


REQUESTS = [
    "GET /login",
    ("POST /login", {"data": {"username": "ann", "password": "secret"}}),
    ("POST /login", {"data": {"username": "ann", "password": "wrong"}}),
    ("POST /login", {"data": {"username": "ann"}}),
    ("POST /login", {"data": {"username": "<b>", "password": "x"}}),
    "GET /search",
    "GET /search?key=a+b&t=1&t=2&n=3",
    "GET /search?key=%C3%A9&n=x",
    "GET /upload",
    ("POST /upload", {"data": {}}),
    ("POST /upload", {"data": {"the_file": (io.BytesIO(b"12345"), "my file.txt"), "note": "n"}}),
    "GET /cookies",
    "GET /cookies",
    "GET /forget",
    "GET /cookies",
    "GET /",
    ("GET /", {"follow_redirects": True}),
    "GET /secret",
    "GET /missing",
    "GET /me",
    "GET /users",
    "GET /jsonify",
    *(f"GET /tuple/{kind}" for kind in range(8)),
    "GET /nothing",
    "GET /unlike",
]
