"""SERVER_NAME, subdomains, APPLICATION_ROOT, PREFERRED_URL_SCHEME."""

from flask import Blueprint, Flask, request, url_for

app = Flask(__name__, subdomain_matching=True)
app.config.update(SERVER_NAME="example.test", PREFERRED_URL_SCHEME="https")


@app.route("/")
def index():
    return f"index of {request.host}"


@app.route("/", subdomain="api")
def api():
    return f"api of {request.host}"


@app.route("/", subdomain="<user>")
def user(user):
    return f"user {user}"


blueprint = Blueprint("docs", __name__, subdomain="docs")


@blueprint.route("/page")
def page():
    return [
        url_for("docs.page"),
        url_for("index"),
        url_for("user", user="ann"),
        url_for("api", x=1),
    ]


app.register_blueprint(blueprint)


def host(name):
    return {"headers": {"Host": name}}


REQUESTS = [
    ("GET /", host("example.test")),
    ("GET /", host("api.example.test")),
    ("GET /", host("ann.example.test")),
    ("GET /", host("ANN.Example.test")),
    ("GET /page", host("docs.example.test")),
    ("GET /page", host("example.test")),
]
