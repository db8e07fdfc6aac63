"""Flask's page "Using async and await": views, hooks, error handlers and teardown may all be coroutine functions."""

import asyncio

from flask import Blueprint, Flask, abort, g, request, session

app = Flask(__name__)
app.secret_key = "a key for the tests alone"
app.logger.disabled = True
torn_down = []


@app.before_request
async def before():
    await asyncio.sleep(0)
    g.value = "from before"


@app.after_request
async def after(response):
    await asyncio.sleep(0)
    response.headers["X-After"] = g.value
    return response


@app.teardown_request
async def torn(error):
    await asyncio.sleep(0)
    torn_down.append(repr(error))


@app.errorhandler(404)
async def missing(error):
    await asyncio.sleep(0)
    return f"async {error.code}", 404


@app.errorhandler(KeyError)
async def key_error(error):
    return f"async {error!r}", 400


@app.route("/")
async def index():
    await asyncio.sleep(0)
    return f"{g.value} {request.args.get('x')}"


@app.route("/session")
async def counted():
    session["seen"] = session.get("seen", 0) + 1
    await asyncio.sleep(0)
    return str(session["seen"])


@app.route("/form", methods=["POST"])
async def form():
    return dict(request.form)


@app.route("/abort")
async def aborting():
    await asyncio.sleep(0)
    abort(403, "not here")


@app.route("/key")
async def key():
    raise KeyError("k")


@app.route("/fails")
async def fails():
    await asyncio.sleep(0)
    return 1 // 0


@app.route("/torn")
def told():
    found = list(torn_down)
    torn_down.clear()
    return found


@app.route("/sync")
def sync():
    return app.ensure_sync(index)()


blueprint = Blueprint("bp", __name__, url_prefix="/bp")


@blueprint.before_request
async def of_blueprint():
    await asyncio.sleep(0)
    return "from the blueprint's hook" if "stop" in request.args else None


@blueprint.route("/")
async def in_blueprint():
    return "in the blueprint"


app.register_blueprint(blueprint)

REQUESTS = [
    "GET /?x=1",
    "GET /session",
    "GET /session",
    ("POST /form", {"data": {"a": "1", "b": "2"}}),
    "GET /abort",
    "GET /missing",
    "GET /key",
    "GET /torn",
    "GET /fails",
    "GET /torn",
    "GET /sync",
    "GET /bp/",
    "GET /bp/?stop",
]
