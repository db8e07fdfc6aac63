"""The order of hooks, of the app, of blueprints and nested blueprints; `g`; after_this_request; teardown."""

from flask import Blueprint, Flask, after_this_request, g, request

app = Flask(__name__)
torn_down = []


@app.before_request
def first():
    g.order = ["app before"]


@app.before_request
def maybe_answer():
    if request.args.get("stop") == "app":
        return "stopped by the app", 202
    return None


@app.after_request
def after_first(response):
    response.headers["X-Order"] = ", ".join([*g.get("order", ()), "app after 1"])
    return response


@app.after_request
def after_second(response):
    g.order.append("app after 2")
    return response


@app.teardown_request
def torn(error):
    torn_down.append(f"request {request.path} {error!r}")


@app.teardown_appcontext
def context_torn(error):
    torn_down.append(f"context {error!r}")


outer = Blueprint("outer", __name__, url_prefix="/outer")
inner = Blueprint("inner", __name__, url_prefix="/inner")


@outer.before_request
def outer_before():
    g.order.append("outer before")


@outer.before_app_request
def outer_before_app():
    g.order.append("outer before app")


@outer.after_request
def outer_after(response):
    g.order.append("outer after")
    return response


@outer.teardown_request
def outer_torn(error):
    torn_down.append("outer")


@inner.before_request
def inner_before():
    g.order.append("inner before")
    if request.args.get("stop") == "inner":
        return "stopped by inner"
    return None


@inner.after_request
def inner_after(response):
    g.order.append("inner after")
    return response


@inner.after_app_request
def inner_after_app(response):
    g.order.append("inner after app")
    return response


@inner.route("/")
def inner_index():
    g.order.append("view")
    return "/".join(request.blueprints) + f" {request.endpoint} {request.blueprint}"


@outer.route("/")
def outer_index():
    return "/".join(request.blueprints) + f" {request.endpoint} {request.blueprint}"


outer.register_blueprint(inner)
app.register_blueprint(outer)


@app.route("/")
def index():
    @after_this_request
    def once(response):
        g.order.append("this request")
        response.set_cookie("once", "1")
        return response

    return "index"


@app.route("/fails")
def fails():
    return 1 // 0


@app.route("/torn")
def told():
    told = list(torn_down)
    torn_down.clear()
    return told


app.logger.disabled = True

REQUESTS = [
    "GET /",
    "GET /torn",
    "GET /?stop=app",
    "GET /outer/",
    "GET /outer/inner/",
    "GET /torn",
    "GET /outer/inner/?stop=inner",
    "GET /outer/missing",
    "GET /missing",
    "GET /fails",
    "GET /torn",
]
