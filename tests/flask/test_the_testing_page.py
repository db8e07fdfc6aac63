"""What Flask's page on testing shows holds on Flask, and here on both ways of the client.

(https://flask.palletsprojects.com/testing/)
"""

import importlib
import io
from pathlib import Path
from typing import Any

import click
import pytest


@pytest.fixture(params=["flask", "groundwire.flask", "wire"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def flask(way: str) -> Any:
    return importlib.import_module("flask" if way == "flask" else "groundwire.flask")


@pytest.fixture
def app(flask: Any) -> Any:
    """A small shop, made by a factory as the page advises."""
    app = flask.Flask("shop", static_folder=None)
    app.config.update(TESTING=True, SECRET_KEY="k" * 32)
    bp = flask.Blueprint("user", "shop", url_prefix="/user")

    @app.before_request
    def load_user() -> None:
        flask.g.user = flask.session.get("user_id")

    @app.route("/posts")
    def posts() -> str:
        return f"<h1>{flask.request.args.get('tag', 'all')}</h1> {flask.request.headers.get('X-A')}"

    @bp.route("/<int:id>/edit", methods=["POST"])
    def edit(id: int) -> Any:
        name = flask.request.form["name"]
        if not name:
            raise ValueError("no name")
        picture = flask.request.files.get("picture")
        content = picture and [picture.filename, picture.mimetype, picture.read().decode()]
        return {
            "id": id,
            "name": name,
            "theme": flask.request.form.get("theme"),
            "picture": content,
        }

    @app.post("/graphql")
    def graphql() -> Any:
        given = flask.request.json
        return flask.jsonify(data={"user": given["variables"]["id"]}, query=given["query"])

    @app.get("/logout")
    def logout() -> Any:
        flask.session.clear()
        return flask.redirect("/index", 303)

    @app.get("/index")
    def index() -> str:
        return f"index for {flask.g.user}"

    @bp.post("/login")
    def login() -> str:
        flask.session["user_id"] = flask.request.form["id"]
        return "logged in"

    @app.cli.command("hello")
    @click.option("--name", default="World")
    def hello(name: str) -> None:
        click.echo(f"Hello, {name}! {flask.current_app.name}")

    app.register_blueprint(bp)
    return app


@pytest.fixture
def client(app: Any, way: str) -> Any:
    return app.test_client(wire=True) if way == "wire" else app.test_client()


def test_requests_have_a_path_a_query_and_headers(client: Any) -> None:
    assert b"<h1>all</h1> None" == client.get("/posts").data
    response = client.get("/posts?tag=a", headers={"X-A": "1"})
    assert "<h1>a</h1> 1" == response.text
    assert b"<h1>b c</h1>" in client.get("/posts", query_string={"tag": "b c"}).data
    assert ("200 OK", "text/html") == (response.status, response.mimetype)


def test_form_data_and_files_are_sent(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"png")
    with path.open("rb") as picture:
        response = client.post(
            "/user/2/edit",
            data={"name": "Flask", "theme": "dark", "picture": (picture, "me.png")},
        )

    assert 200 == response.status_code
    assert {
        "id": 2,
        "name": "Flask",
        "theme": "dark",
        "picture": ["me.png", "image/png", "png"],
    } == response.json
    described = (io.BytesIO(b"x"), "me.xyz", "a/b")
    sent = client.post("/user/2/edit", data={"name": "n", "picture": described}).json
    assert ["me.xyz", "a/b", "x"] == sent["picture"]


def test_json_is_sent_and_read(client: Any) -> None:
    response = client.post("/graphql", json={"query": "query User", "variables": {"id": 2}})

    assert {"user": 2} == response.json["data"]
    assert response.is_json


def test_redirects_are_followed(client: Any) -> None:
    assert (303, "/index") == (client.get("/logout").status_code, client.get("/logout").location)
    response = client.get("/logout", follow_redirects=True)

    assert 1 == len(response.history)
    assert "/index" == response.request.path
    assert "index for None" == response.text


def test_the_session_can_be_read_in_a_block(client: Any, flask: Any) -> None:
    with client:
        client.post("/user/login", data={"id": "7"})
        assert "7" == flask.session["user_id"]
        client.get("/index")
        assert "7" == flask.g.user
    with pytest.raises(RuntimeError, match=r"^Working outside of request context"):
        flask.session.get("user_id")


def test_the_session_can_be_set_before(client: Any) -> None:
    with client.session_transaction() as session:
        session["user_id"] = 1

    assert "index for 1" == client.get("/index").text


def test_errors_reach_the_test(client: Any, app: Any) -> None:
    with pytest.raises(ValueError, match="no name"):
        client.post("/user/2/edit", data={"name": ""})
    app.testing = False
    assert 500 == client.post("/user/2/edit", data={"name": ""}).status_code
    assert 400 == client.post("/user/2/edit").status_code


def test_commands_are_run(app: Any) -> None:
    runner = app.test_cli_runner()

    assert "Hello, World! shop\n" == runner.invoke(args="hello").output
    assert "Hello, Flask! shop\n" == runner.invoke(args=["hello", "--name", "Flask"]).output
    result = runner.invoke(app.cli.commands["hello"], ["--nom"])
    assert (2, True) == (result.exit_code, "No such option" in result.output)


def test_code_that_needs_a_context_gets_one(app: Any, flask: Any) -> None:
    with app.test_request_context("/user/2/edit?a=1", method="POST", data={"name": ""}):
        assert ("/user/2/edit", "1", "user.edit") == (
            flask.request.path,
            flask.request.args["a"],
            flask.request.endpoint,
        )
        assert "/posts?tag=x" == flask.url_for("posts", tag="x")
        with pytest.raises(ValueError, match="no name"):
            app.dispatch_request()
        assert app.preprocess_request() is None
        assert flask.g.user is None
    with app.app_context():
        assert "shop" == flask.current_app.name


def test_classes_of_the_program_s_own_are_used(app: Any, flask: Any, way: str) -> None:
    testing = importlib.import_module(f"{flask.__name__}.testing")

    class Client(testing.FlaskClient):  # type: ignore[misc, name-defined]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.tag = kwargs.pop("tag")
            super().__init__(*args, **kwargs)

        def open(self, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("query_string", {"tag": self.tag})
            return super().open(*args, **kwargs)

    class Runner(testing.FlaskCliRunner):  # type: ignore[misc, name-defined]
        def invoke(self, *args: Any, **kwargs: Any) -> Any:
            return super().invoke(*args, args=["hello"], **kwargs)

    app.test_client_class = Client
    app.test_cli_runner_class = Runner
    client = app.test_client(tag="own", **({"wire": True} if way == "wire" else {}))

    assert "<h1>own</h1> None" == client.get("/posts").text
    assert "Hello, World! shop\n" == app.test_cli_runner().invoke().output


def test_a_block_is_not_entered_twice(client: Any) -> None:
    with (
        client,
        pytest.raises(RuntimeError, match="Cannot nest client invocations"),
        client,
    ):
        pass


def test_the_client_s_address_can_be_chosen(app: Any, client: Any, flask: Any) -> None:
    app.add_url_rule("/address", "address", lambda: flask.request.remote_addr)

    assert "127.0.0.1" == client.get("/address").text
    client.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    assert "192.0.2.1" == client.get("/address").text
    environ = {"REMOTE_ADDR": "192.0.2.2"}
    assert "192.0.2.2" == client.get("/address", environ_base=environ).text
    assert "192.0.2.2" == client.get("/address", environ_overrides=environ).text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "https://example.org/root/"),
        ({"path": "/a", "url_scheme": "http"}, "http://example.org/root/a"),
        ({"path": "/a", "subdomain": "b"}, "https://b.example.org/root/a"),
        ({"path": "/a", "base_url": "http://other/x"}, "http://other/x/a"),
        ({"path": "http://other/a?b=c"}, "http://other/root/a?b=c"),
        ({"path": "//other/a"}, "https://other/root/a"),
    ],
)
def test_a_request_is_for_what_the_configuration_says(
    app: Any, arguments: dict[str, Any], expected: str
) -> None:
    app.config.update(
        SERVER_NAME="example.org", APPLICATION_ROOT="/root", PREFERRED_URL_SCHEME="https"
    )

    assert expected == app.test_request_context(**arguments).request.url
