"""How an app says that it understood a request."""

import json
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest

from fetching import fetch, make_app, settle_inline
from groundwire import Blueprint, Groundwire
from groundwire.app.describing import CANDIDATES
from groundwire.app.routing import ValidationError
from groundwire.app.routing.converters import BaseConverter
from groundwire.app.views import MethodView, View
from groundwire.http.defined import SOURCE_LINES, place_of, source_of
from groundwire.protocol.http1.reader import RequestReader
from wire import request as message

HERE = __file__


def head(target: str, method: str = "GET", **options: Any) -> Any:
    reader = RequestReader()
    reader.receive(message(target, method, **options))
    return reader.next_head()


def described(app: Groundwire, target: str, method: str = "GET", **options: Any) -> dict[str, Any]:
    found = app.describe_routing(head(target, method, **options))
    assert found == json.loads(json.dumps(found))
    return found


@pytest.fixture
def app() -> Groundwire:
    app = make_app()

    @app.get("/users/<int:id>")
    def user(id: int) -> str:
        return str(id)

    @app.post("/users")
    def users() -> str:
        return "made"

    return app


def test_a_match_is_told_with_its_arguments_and_function(app: Groundwire) -> None:
    found = described(app, "/users/7?q=1")

    assert {
        "result": "matched",
        "status": 0,
        "why": "'/users/<int:id>' takes the path",
        "location": "",
    } == (found["verdict"])
    assert ("/users/<int:id>", "user") == (found["rule"], found["endpoint"])
    assert [{"name": "id", "value": 7}] == found["arguments"]
    assert ["GET", "HEAD", "OPTIONS"] == found["methods_here"]
    handler = found["handler"]
    assert ("user", HERE) == (handler["name"], handler["file"])
    assert [
        '    @app.get("/users/<int:id>")',
        "    def user(id: int) -> str:",
        "        return str(id)",
    ] == (handler["source"])
    lines = Path(HERE).read_text().splitlines()
    assert lines[handler["line"] - 1] == handler["source"][0]


def test_a_candidate_tells_all_of_its_rule(app: Groundwire) -> None:
    [first, second] = described(app, "/users/abc")["candidates"]

    assert {
        "rule": "/users/<int:id>",
        "endpoint": "user",
        "methods": ["GET", "HEAD", "OPTIONS"],
        "host": "",
        "result": "converter refused",
        "why": "segment 2 'abc' is not a whole number",
        "converters": [
            {"name": "id", "converter": "<int:id>", "text": "abc", "value": None, "refused": True}
        ],
    } == first
    assert ("/users", "path differs") == (second["rule"], second["result"])


@pytest.mark.parametrize(
    ("target", "method", "result", "status"),
    [
        ("/nowhere", "GET", "not found", 404),
        ("/users", "GET", "wrong method", 405),
        ("/users/7", "POST", "wrong method", 405),
        ("/users/7", "TRACE", "wrong method", 405),
        ("//users/7", "GET", "matched", 0),
        ("/users//7", "GET", "redirect", 308),
        ("*", "OPTIONS", "refused", 200),
    ],
)
def test_what_keeps_a_request_from_its_function_is_told(
    app: Groundwire, target: str, method: str, result: str, status: int
) -> None:
    verdict = described(app, target, method)["verdict"]

    assert (result, status) == (verdict["result"], verdict["status"])


@pytest.mark.parametrize("subdomains", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE"])
@pytest.mark.parametrize(
    "target",
    [
        *("/", "/users", "/users/", "/users/7", "/users/7/", "/users/x", "//users/7", "/users//7"),
        *("/static/a", "/static/", "/static//a", "/branch", "/branch/", "/old", "/socket"),
        *("/%75sers/7", "/users/7?x=/users/8", "/Users/7"),
    ],
)
def test_what_is_described_is_what_is_answered(
    target: str, method: str, subdomains: bool, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("a")
    app = Groundwire(
        "sample",
        static_folder=str(tmp_path),
        static_url_path="/static",
        subdomain_matching=subdomains,
    )
    app.config["SERVER_NAME"] = "example.com" if subdomains else None
    seen: list[tuple[Any, Any]] = []

    def view(**values: Any) -> str:
        from groundwire import request

        seen.append((request.endpoint, values))
        return ""

    app.add_url_rule("/users/<int:id>", "user", view)
    app.add_url_rule("/users", "users", view, methods=["POST"])
    app.add_url_rule("/branch/", "branch", view)
    app.add_url_rule("/old", "branch", view, alias=True)
    app.add_url_rule("/socket", "socket", view, websocket=True)
    app.add_url_rule("/<word>", "word", view, subdomain="api" if subdomains else None)

    found = described(app, target, method)
    status = fetch(app, target, method).status

    assert status == (found["verdict"]["status"] or 200)
    if seen:
        assert [
            (found["endpoint"], {each["name"]: each["value"] for each in found["arguments"]})
        ] == seen


def test_a_redirect_says_where_to(app: Groundwire) -> None:
    assert "http://example.com/users/7" == described(app, "/users//7")["verdict"]["location"]


def test_methods_that_are_allowed_are_told_of_a_wrong_one(app: Groundwire) -> None:
    found = described(app, "/users", "GET")

    assert ["OPTIONS", "POST"] == found["methods_here"]
    assert "POST is allowed here." == found["hint"]
    assert found["handler"] is None


def test_a_host_that_is_not_trusted_is_the_reason(app: Groundwire) -> None:
    app.config["TRUSTED_HOSTS"] = ["other.example"]

    found = described(app, "/users/7")

    assert ("refused", 400) == (found["verdict"]["result"], found["verdict"]["status"])
    assert [] == found["candidates"]


def test_a_path_that_names_no_static_file_is_refused_by_more_than_the_table(tmp_path: Path) -> None:
    app = Groundwire("sample", static_folder=str(tmp_path), static_url_path="/static")
    app.add_url_rule("/<path:anything>", "anything", lambda anything: anything)

    found = described(app, "/static/")

    results = {each["rule"]: each["result"] for each in found["candidates"]}
    assert "not found" == found["verdict"]["result"]
    assert "refused" == results["/<path:anything>"]


def test_a_converter_that_fails_is_the_reason(app: Groundwire) -> None:
    class Failing(BaseConverter):
        def to_python(self, value: str) -> Any:
            raise RuntimeError("no database")

    app.url_map.converters["failing"] = Failing
    app.add_url_rule("/x/<failing:x>", "x", lambda x: x)

    assert (
        "a converter raised RuntimeError('no database')" == described(app, "/x/1")["verdict"]["why"]
    )


def test_a_converter_may_look_at_the_app(app: Groundwire) -> None:
    from groundwire import current_app

    class Known(BaseConverter):
        def to_python(self, value: str) -> Any:
            if value not in current_app.config["KNOWN"]:
                raise ValidationError
            return {value}

    app.config["KNOWN"] = ["one"]
    app.url_map.converters["known"] = Known
    app.add_url_rule("/x/<known:x>", "x", lambda x: x)

    assert [{"name": "x", "value": "{'one'}"}] == described(app, "/x/one")["arguments"]
    assert "not found" == described(app, "/x/two")["verdict"]["result"]


def test_more_rules_than_can_be_read_are_counted() -> None:
    app = make_app()
    for number in range(CANDIDATES + 7):
        app.add_url_rule(f"/rule{number}", f"rule{number}", lambda: "")

    found = described(app, "/rule")

    assert (CANDIDATES, 7) == (len(found["candidates"]), found["left_out"])


def test_a_request_that_was_answered_is_left_as_it_is(app: Groundwire) -> None:
    with app.test_request_context("/users/7"):
        from groundwire import request

        rule, values = request.url_rule, request.view_args
        found = app.describe_routing(request._get_current_object())

        assert request.url_rule is rule
        assert request.view_args is values
    assert "user" == found["endpoint"]


# Where it runs


def test_where_a_function_runs_and_why_is_told(app: Groundwire) -> None:
    @app.get("/loop")
    async def loop() -> str:
        return ""

    @app.get("/thread", run="thread")
    def thread() -> str:
        return ""

    @app.get("/inline", run="inline")
    def inline() -> str:
        return ""

    @app.get("/watched")
    def watched() -> str:
        return ""

    told = {
        name: (found["runs"], found["reason"])
        for name in ("loop", "thread", "inline", "watched")
        if (found := described(app, f"/{name}")["handler"])
    }

    assert {
        "loop": ("loop", "async def"),
        "thread": ("thread", 'the route says run="thread"'),
        "inline": ("inline", 'the route says run="inline"'),
        "watched": ("thread", "its first runs are being watched"),
    } == told


def test_where_it_was_found_out_by_watching_the_reason_is_told(app: Groundwire) -> None:
    app.add_url_rule("/hello", "hello", lambda: "Hello")
    settle_inline(app, "/hello")

    handler = described(app, "/hello")["handler"]

    assert ("inline", "20 runs called nothing that can wait") == (
        handler["runs"],
        handler["reason"],
    )


def test_options_are_answered_without_the_function(app: Groundwire) -> None:
    handler = described(app, "/users/7", "OPTIONS")["handler"]

    assert "OPTIONS is answered without calling it" == handler["reason"]


# Where it is written


def plain() -> str:
    return ""


def decorated(function: Any) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@decorated
def wrapped() -> str:
    return ""


class Callable:
    def __call__(self) -> str:
        return ""

    def method(self) -> str:
        return ""


class Users(MethodView):
    decorators = [decorated]

    def get(self) -> str:
        return ""

    def post(self) -> str:
        return ""


class One(View):
    def dispatch_request(self) -> str:
        return ""


def line_of(text: str) -> int:
    return Path(HERE).read_text().splitlines().index(text) + 1


@pytest.mark.parametrize(
    ("function", "name", "first_line"),
    [
        (plain, "plain", "def plain() -> str:"),
        (wrapped, "wrapped", "@decorated"),
        (partial(partial(plain)), "plain", "def plain() -> str:"),
        (Callable(), "Callable.__call__", "    def __call__(self) -> str:"),
        (Callable().method, "Callable.method", "    def method(self) -> str:"),
        (Users.as_view("users"), "Users.get", "    def get(self) -> str:"),
        (One.as_view("one"), "View.dispatch_request", None),
        (Callable, "Callable", "class Callable:"),
    ],
)
def test_a_function_is_found_behind_what_wraps_it(
    function: Any, name: str, first_line: str | None
) -> None:
    place = place_of(function)

    if first_line is None:
        assert "One.dispatch_request" == place.name
        return
    assert (name, HERE, line_of(first_line)) == (place.name, place.file, place.line)
    assert first_line == source_of(function)[0][0]


def test_a_view_that_is_a_class_answers_by_method() -> None:
    view = Users.as_view("users")

    assert "Users.post" == place_of(view, "POST").name
    assert "Users.get" == place_of(view, "HEAD").name
    assert "MethodView.dispatch_request" == place_of(view, "DELETE").name


def test_what_is_not_written_in_python_has_a_name_only() -> None:
    assert ("len", "", 0) == tuple(place_of(len))
    assert ([], 0) == source_of(len)


def test_a_function_of_a_blueprint_goes_by_its_name(app: Groundwire) -> None:
    blueprint = Blueprint("admin", __name__, url_prefix="/admin")
    blueprint.add_url_rule("/", "index", plain)
    app.register_blueprint(blueprint)

    found = described(app, "/admin/")

    assert ("admin.index", "plain") == (found["endpoint"], found["handler"]["name"])


def test_a_long_function_is_cut_and_the_rest_counted(tmp_path: Path) -> None:
    file = tmp_path / "long_function.py"
    body = "".join(f"    x{number} = {number}\n" for number in range(SOURCE_LINES + 4))
    file.write_text(f"def long() -> None:\n{body}")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)

    lines, more = source_of(names["long"])

    assert (SOURCE_LINES, 5) == (len(lines), more)
