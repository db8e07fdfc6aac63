"""Flask's patterns: view decorators, caching, deferred callbacks, lazy loading, single page, JavaScript."""

from functools import wraps

from flask import (
    Blueprint,
    Flask,
    after_this_request,
    g,
    jsonify,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
    url_for,
)
from werkzeug.utils import cached_property, import_string

app = Flask(__name__)
app.secret_key = "a key for the tests alone"


def login_required(f):
    @wraps(f)
    def decorated_function(*args, **kwargs):
        if g.user is None:
            return redirect(url_for("login", next=request.url))
        return f(*args, **kwargs)

    return decorated_function


def templated(template=None):
    def decorator(f):
        @wraps(f)
        def decorated_function(*args, **kwargs):
            name = template or f"{request.endpoint.replace('.', '/')}.html"
            context = f(*args, **kwargs)
            if context is None:
                context = {}
            elif not isinstance(context, dict):
                return context
            return render_template(name, **context)

        return decorated_function

    return decorator


cache = {}


def cached(key="view/{}"):
    def decorator(f):
        @wraps(f)
        def decorated_function(*args, **kwargs):
            cache_key = key.format(request.path)
            if cache_key not in cache:
                cache[cache_key] = f(*args, **kwargs)
                return f"new {cache[cache_key]}"
            return f"kept {cache[cache_key]}"

        return decorated_function

    return decorator


@app.before_request
def load_user():
    g.user = session.get("user")


@app.before_request
def detect_user_language():
    language = request.cookies.get("user_lang")
    if language is None:
        language = request.accept_languages.best_match(["de", "en"]) or "en"

        @after_this_request
        def remember_language(response):
            response.set_cookie("user_lang", language)
            return response

    g.language = language


@app.route("/secret")
@login_required
def secret_page():
    return f"for {g.user}"


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        session["user"] = request.form["user"]
        return redirect(request.args.get("next") or "/")
    return "login"


@app.route("/page")
@templated()
def page():
    return {"title": "templated", "items": [1]}


@app.route("/cached")
@cached()
def cached_view():
    return f"{g.language}"


class LazyView:
    def __init__(self, import_name):
        self.__module__, self.__name__ = import_name.rsplit(".", 1)
        self.import_name = import_name

    @cached_property
    def view(self):
        return import_string(self.import_name)

    def __call__(self, *args, **kwargs):
        return self.view(*args, **kwargs)


app.add_url_rule("/lazy", view_func=LazyView("platform.python_implementation"))


@app.route("/add", methods=["POST"])
def add():
    a = request.form.get("a", 0, type=float)
    b = request.form.get("b", 0, type=float)
    return jsonify(result=a + b)


@app.route("/echo", methods=["POST"])
def echo():
    return jsonify(request.get_json())


spa = Blueprint("spa", __name__, static_folder="static", static_url_path="/spa-files")


@spa.route("/spa/", defaults={"path": ""})
@spa.route("/spa/<path:path>")
def catch_all(path):
    if path.endswith(".css"):
        response = send_from_directory(spa.static_folder, path)
        del response.headers["ETag"], response.headers["Last-Modified"]
        return response
    return f"the page, for {path!r}"


app.register_blueprint(spa)

REQUESTS = [
    "GET /secret",
    ("POST /login?next=/secret", {"data": {"user": "ann"}}),
    "GET /secret",
    "GET /page",
    ("GET /cached", {"headers": {"Accept-Language": "de"}}),
    "GET /cached",
    "GET /lazy",
    ("POST /add", {"data": {"a": "1.5", "b": "2"}}),
    ("POST /add", {"data": {"a": "x"}}),
    ("POST /echo", {"json": [1, {"a": None}]}),
    "GET /spa/",
    "GET /spa/some/where",
    "GET /spa/style.css",
    "GET /spa/missing.css",
]
