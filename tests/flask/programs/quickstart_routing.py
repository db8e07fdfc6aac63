"""Flask's quickstart: routes, variable rules, unique URLs, methods, escaping."""

from flask import Flask, request, url_for
from markupsafe import escape

app = Flask(__name__)


@app.route("/")
def index():
    return "Index Page"


@app.route("/hello")
def hello():
    return f"Hello, {escape(request.args.get('name', 'World'))}!"


@app.route("/user/<username>")
def show_user_profile(username):
    return f"User {escape(username)}"


@app.route("/post/<int:post_id>")
def show_post(post_id):
    return f"Post {post_id + 1}"


@app.route("/path/<path:subpath>")
def show_subpath(subpath):
    return f"Subpath {escape(subpath)}"


@app.route("/weight/<float:kilograms>")
def weight(kilograms):
    return f"{kilograms * 2}"


@app.route("/thing/<uuid:thing>")
def thing(thing):
    return f"{type(thing).__name__} {thing}"


@app.route("/kind/<any(book, film):kind>")
def kind(kind):
    return kind


@app.route("/projects/")
def projects():
    return "The project page"


@app.route("/about")
def about():
    return "The about page"


@app.get("/login")
def login_get():
    return "a form"


@app.post("/login")
def login_post():
    return "a login"


@app.route("/both", methods=["GET", "POST"])
def both():
    return request.method


@app.route("/urls")
def urls():
    return [
        url_for("index"),
        url_for("show_user_profile", username="John Doe"),
        url_for("hello", next="/"),
        url_for("show_post", post_id=3, _anchor="x y"),
        url_for("about", _external=True),
        url_for("about", _external=True, _scheme="https"),
        url_for("both", _method="POST"),
        url_for("static", filename="style.css"),
    ]


REQUESTS = [
    "GET /",
    "GET /hello",
    "GET /hello?name=%3Cb%3E",
    "HEAD /hello",
    "GET /user/J%C3%BCrgen%20X",
    "GET /user/a/b",
    "GET /post/41",
    "GET /post/-1",
    "GET /post/x",
    "GET /path/a/b/c",
    "GET /weight/1.5",
    "GET /weight/1",
    "GET /thing/1f0b1c5a-16ae-4b3d-9c1f-3f1d9e9a2b11",
    "GET /thing/1",
    "GET /kind/book",
    "GET /kind/song",
    "GET /projects",
    "GET /projects?a=b&c=%20",
    "GET /projects/",
    "POST /projects",
    "GET /about/",
    "GET /login",
    "POST /login",
    "PUT /login",
    "OPTIONS /login",
    "POST /both",
    "DELETE /both",
    "OPTIONS /both",
    "GET /urls",
    "GET /nowhere",
]
