"""Flask's patterns "Application Factories" and "Using SQLite 3": configuration, extensions, a database."""

import sqlite3

from flask import Blueprint, Flask, abort, current_app, g, request


class Extension:
    def init_app(self, app):
        app.extensions["extension"] = self
        app.teardown_appcontext(self.teardown)
        app.config.setdefault("EXTENSION_NAME", "by default")

    def teardown(self, exception):
        g.pop("extension_value", None)

    @property
    def value(self):
        if "extension_value" not in g:
            g.extension_value = f"made for {current_app.config['EXTENSION_NAME']}"
        return g.extension_value


extension = Extension()
bp = Blueprint("tweets", __name__, url_prefix="/tweets")
keeper = sqlite3.connect("file:program?mode=memory&cache=shared", uri=True, check_same_thread=False)
keeper.executescript(
    "drop table if exists tweet; create table tweet (id integer primary key, text text not null)"
)


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"], uri=True)
        g.db.row_factory = sqlite3.Row
    return g.db


def close_connection(exception):
    db = g.pop("db", None)
    if db is not None:
        db.close()


def query_db(query, args=(), one=False):
    rows = get_db().execute(query, args).fetchall()
    return (rows[0] if rows else None) if one else rows


@bp.get("/")
def listed():
    return [dict(row) for row in query_db("select * from tweet order by id")]


@bp.post("/")
def create():
    data = request.get_json()
    text = data.get("text")
    if not text:
        abort(400, "Missing data: text")
    if len(text) > 140:
        return {"error": "more than 140 characters"}, 400
    db = get_db()
    cursor = db.execute("insert into tweet (text) values (?)", [text])
    db.commit()
    return {"id": cursor.lastrowid}, 201, {"Location": f"/tweets/{cursor.lastrowid}"}


@bp.get("/<int:id>")
def one(id):
    row = query_db("select * from tweet where id = ?", [id], one=True)
    if row is None:
        abort(404, f"no tweet {id}")
    return dict(row)


@bp.delete("/<int:id>")
def delete(id):
    get_db().execute("delete from tweet where id = ?", [id])
    get_db().commit()
    return "", 204


def create_app(name):
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(DATABASE="file:program?mode=memory&cache=shared", EXTENSION_NAME=name)
    app.config.from_object({"not": "an object with capitals"})
    app.config.from_pyfile("missing.cfg", silent=True)
    app.config.from_file("missing.json", load=lambda f: {}, silent=True)
    extension.init_app(app)
    app.teardown_appcontext(close_connection)
    app.register_blueprint(bp)

    @app.route("/")
    def index():
        return [extension.value, extension.value, current_app.config.get_namespace("EXTENSION_")]

    return app


app = create_app("one")

REQUESTS = [
    "GET /",
    "GET /tweets/",
    ("POST /tweets/", {"json": {"text": "hello"}}),
    ("POST /tweets/", {"json": {"text": "caf\u00e9"}}),
    ("POST /tweets/", {"json": {}}),
    ("POST /tweets/", {"json": {"text": "x" * 140}}),
    ("POST /tweets/", {"json": {"text": "x" * 141}}),
    ("POST /tweets/", {"data": "text=hello"}),
    "GET /tweets/",
    "GET /tweets/2",
    "GET /tweets/9",
    "DELETE /tweets/1",
    "GET /tweets/1",
    "PUT /tweets/1",
]
