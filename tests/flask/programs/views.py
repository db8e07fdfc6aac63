"""Flask's page "Class-based Views"."""

from functools import wraps

from flask import Flask, jsonify, redirect, request, url_for
from flask.views import MethodView, View

app = Flask(__name__)


class ListView(View):
    init_every_request = False

    def __init__(self, model, template):
        self.model = model
        self.template = template
        self.seen = 0

    def dispatch_request(self):
        self.seen += 1
        return f"{self.template}: {', '.join(self.model)} ({self.seen})"


class Counter(View):
    methods = ["GET", "POST"]

    def __init__(self):
        self.seen = 0

    def dispatch_request(self, number=1):
        self.seen += number
        return f"{request.method} {self.seen}"


def shouting(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return app.make_response(function(*args, **kwargs)).get_data(as_text=True).upper()

    return wrapper


def marked(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return f"marked {function(*args, **kwargs)}"

    return wrapper


class Decorated(View):
    decorators = [marked, shouting]

    def dispatch_request(self):
        return "decorated"


class ItemAPI(MethodView):
    init_every_request = False

    def __init__(self, items):
        self.items = items

    def get(self, id):
        return jsonify(self.items.get(id))

    def patch(self, id):
        self.items[id] = request.json
        return jsonify(self.items[id])

    def delete(self, id):
        self.items.pop(id, None)
        return "", 204


class GroupAPI(MethodView):
    def __init__(self, items):
        self.items = items

    def get(self):
        return jsonify(sorted(self.items))

    def post(self):
        self.items[len(self.items) + 1] = request.json
        return redirect(url_for("item", id=len(self.items)), 303)


class Base(MethodView):
    def get(self):
        return "base get"


class Extended(Base):
    def put(self):
        return "extended put"


class NoOptions(MethodView):
    provide_automatic_options = False

    def get(self):
        return "get"


class OwnOptions(MethodView):
    def get(self):
        return "get"

    def options(self):
        return "own options"

    def head(self):
        return "", 200, {"X-Head": "own"}


class Asynchronous(MethodView):
    async def get(self):
        return "async get"


items = {1: "one"}
app.add_url_rule("/users/", view_func=ListView.as_view("user_list", ["ann", "bob"], "users.html"))
app.add_url_rule("/count", view_func=Counter.as_view("count"))
app.add_url_rule("/count/<int:number>", view_func=Counter.as_view("count_by"))
app.add_url_rule("/decorated", view_func=Decorated.as_view("decorated"))
app.add_url_rule("/items/<int:id>", view_func=ItemAPI.as_view("item", items))
app.add_url_rule("/items/", view_func=GroupAPI.as_view("group", items))
app.add_url_rule("/extended", view_func=Extended.as_view("extended"))
app.add_url_rule("/no-options", view_func=NoOptions.as_view("no_options"))
app.add_url_rule("/own-options", view_func=OwnOptions.as_view("own_options"))
app.add_url_rule("/async", view_func=Asynchronous.as_view("asynchronous"))


@app.route("/attributes")
def attributes():
    view = app.view_functions["item"]
    return [view.__name__, view.view_class.__name__, sorted(view.methods), view.__module__]


REQUESTS = [
    "GET /users/",
    "GET /users/",
    "POST /users/",
    "POST /count",
    "GET /count/5",
    "GET /decorated",
    "GET /items/1",
    ("PATCH /items/1", {"json": {"name": "uno"}}),
    "GET /items/1",
    ("POST /items/", {"json": "two"}),
    "GET /items/",
    "DELETE /items/1",
    "PUT /items/1",
    "OPTIONS /items/1",
    "HEAD /items/",
    "GET /extended",
    "PUT /extended",
    "POST /extended",
    "OPTIONS /no-options",
    "OPTIONS /own-options",
    "HEAD /own-options",
    "GET /async",
    "HEAD /async",
    "GET /attributes",
]
