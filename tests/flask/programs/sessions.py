"""Flask's quickstart: sessions and message flashing; all that the documentation says of the session object."""

from flask import (
    Flask,
    flash,
    get_flashed_messages,
    redirect,
    render_template_string,
    request,
    session,
    url_for,
)

app = Flask(__name__)
app.secret_key = "a key for the tests alone"


@app.route("/")
def index():
    if "username" in session:
        return f"Logged in as {session['username']}"
    return "You are not logged in"


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        session["username"] = request.form["username"]
        flash("You were logged in")
        flash("Twice", "warning")
        return redirect(url_for("index"))
    return "a form"


@app.route("/logout")
def logout():
    session.pop("username", None)
    return redirect(url_for("index"))


@app.route("/messages")
def messages():
    return render_template_string(
        "{% for category, message in get_flashed_messages(with_categories=true) %}[{{ category }}: {{ message }}]"
        "{% endfor %}"
    )


@app.route("/warnings")
def warnings():
    return get_flashed_messages(category_filter=["warning"])


@app.route("/set/<kind>")
def put(kind):
    session[kind] = {
        "tuple": (1, "a"),
        "bytes": b"\x00\xff",
        "nested": {"a": [1, (2,)]},
        "text": "\u00e9\u4e2d",
        "none": None,
    }[kind]
    return repr(session[kind])


@app.route("/get/<kind>")
def get(kind):
    return repr(session.get(kind))


@app.route("/all")
def everything():
    return repr(sorted(session))


@app.route("/nested/<int:mark>")
def nested(mark):
    session.setdefault("list", []).append(mark)
    session.modified = bool(mark % 2)
    return repr(session["list"])


@app.route("/attributes")
def attributes():
    return repr((session.new, session.modified, session.accessed, session.permanent))


@app.route("/clear")
def clear():
    session.clear()
    return "cleared"


REQUESTS = [
    "GET /",
    "GET /attributes",
    ("POST /login", {"data": {"username": "ann"}}),
    "GET /",
    "GET /attributes",
    "GET /messages",
    "GET /messages",
    ("POST /login", {"data": {"username": "bob"}, "follow_redirects": True}),
    "GET /warnings",
    "GET /logout",
    "GET /",
    *(f"GET /set/{kind}" for kind in ("tuple", "bytes", "nested", "text", "none")),
    *(f"GET /get/{kind}" for kind in ("tuple", "bytes", "nested", "text", "none")),
    "GET /nested/1",
    "GET /nested/2",
    "GET /nested/3",
    "GET /all",
    ("GET /", {"headers": {"Cookie": "session=forged.aaaaaa.bbbbbbbb"}}),
    "GET /clear",
    "GET /clear",
    "GET /attributes",
]
