"""Views that are classes."""

import asyncio
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

import flask
import flask.views
import pytest

from fetching import fetch, make_app, settle_inline
from groundwire import Blueprint, Groundwire, current_app, g, jsonify, request
from groundwire.app.views import MethodView, View, direct_view
from serving import running_server


@pytest.fixture
def app() -> Groundwire:
    return make_app()


class Hello(View):
    """Say hello."""

    methods = ["GET", "POST"]

    def __init__(self, greeting: str = "Hello", *, mark: str = "!") -> None:
        self.greeting = greeting
        self.mark = mark

    def dispatch_request(self, name: str = "World") -> str:
        return f"{self.greeting} {name}{self.mark} {request.method}"


def test_a_class_answers_with_its_arguments_and_the_rules_parameters(app: Groundwire) -> None:
    app.add_url_rule("/", view_func=Hello.as_view("hello", "Hi", mark="?"))
    app.add_url_rule("/<name>", view_func=Hello.as_view("named"))

    client = app.test_client()

    assert "Hi World? GET" == client.get("/").text
    assert "Hello Ann! POST" == client.post("/Ann").text
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(client.options("/").allow)
    assert 405 == client.put("/").status_code


def test_the_view_function_says_what_it_is_made_of() -> None:
    view: Any = Hello.as_view("hello")

    assert Hello is view.view_class
    assert "hello" == view.__name__
    assert "Say hello." == view.__doc__
    assert Hello.__module__ == view.__module__
    assert ["GET", "POST"] == view.methods
    assert view.provide_automatic_options is None


def test_another_class_may_take_its_place(app: Groundwire) -> None:
    class Other(Hello):
        def dispatch_request(self, name: str = "") -> str:
            return "other"

    view: Any = Hello.as_view("hello")
    app.add_url_rule("/", view_func=view)
    view.view_class = Other

    assert b"other" == fetch(app).content


@pytest.mark.parametrize(("every", "seen"), [(True, ["1", "1"]), (False, ["1", "2"])])
def test_each_request_has_an_instance_unless_one_is_for_all(
    app: Groundwire, every: bool, seen: list[str]
) -> None:
    class Counter(View):
        init_every_request = every

        def __init__(self) -> None:
            self.count = 0

        def dispatch_request(self) -> str:
            self.count += 1
            return str(self.count)

    app.add_url_rule("/", view_func=Counter.as_view("counter"))
    client = app.test_client()

    assert seen == [client.get("/").text for _ in range(2)]


def test_a_class_must_say_how_it_answers(app: Groundwire) -> None:
    app.testing = True
    app.add_url_rule("/", view_func=View.as_view("nothing"))

    with pytest.raises(NotImplementedError, match="View has no 'dispatch_request'"):
        app.test_client().get("/")


def shouting(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def shout(*args: Any, **kwargs: Any) -> str:
        return str(function(*args, **kwargs)).upper()

    return shout


def marking(function: Callable[..., Any]) -> Callable[..., Any]:
    def mark(*args: Any, **kwargs: Any) -> str:
        return f"{function(*args, **kwargs)} marked"

    return mark


def test_decorators_apply_to_the_view_function_the_first_innermost(app: Groundwire) -> None:
    class Decorated(View):
        """Be decorated."""

        decorators = [shouting, marking]

        def dispatch_request(self) -> str:
            return "low"

    view: Any = Decorated.as_view("decorated")
    app.add_url_rule("/", view_func=view)

    assert b"LOW marked" == fetch(app).content
    assert ("decorated", "Be decorated.", Decorated) == (
        view.__name__,
        view.__doc__,
        view.view_class,
    )


def test_decorators_around_a_coroutine_function_get_what_it_returns(app: Groundwire) -> None:
    """Flask's view functions of classes are plain: what they are wrapped in need not know of coroutines."""

    class Inside(View):
        decorators = [shouting]

        async def dispatch_request(self) -> str:
            await asyncio.sleep(0)
            return "inside"

    class Outside(MethodView):
        async def get(self) -> str:
            await asyncio.sleep(0)
            return "outside"

    app.add_url_rule("/inside", view_func=Inside.as_view("inside"))
    app.add_url_rule("/outside", view_func=shouting(Outside.as_view("outside")))

    assert b"INSIDE" == fetch(app, "/inside").content
    assert b"OUTSIDE" == fetch(app, "/outside").content


def test_the_class_says_whether_options_is_automatic(app: Groundwire) -> None:
    class Own(MethodView):
        provide_automatic_options = False

        def get(self) -> str:
            return "get"

        def options(self) -> str:
            return "own"

    class No(View):
        provide_automatic_options = False
        methods = ["GET"]

        def dispatch_request(self) -> str:
            return "no"

    app.add_url_rule("/own", view_func=Own.as_view("own"))
    app.add_url_rule("/no", view_func=No.as_view("no"))

    assert b"own" == fetch(app, "/own", "OPTIONS").content
    assert 405 == fetch(app, "/no", "OPTIONS").status


# --- MethodView


class Item(MethodView):
    def get(self, n: int) -> Any:
        return jsonify(n)

    def delete(self, n: int) -> str:
        return f"deleted {n}"


def test_the_methods_of_a_class_answer_those_of_http(app: Groundwire) -> None:
    app.add_url_rule("/<int:n>", view_func=Item.as_view("item"))
    client = app.test_client()

    assert {"GET", "DELETE"} == set(Item.methods or ())
    assert 3 == client.get("/3").json
    assert "deleted 3" == client.delete("/3").text
    assert 405 == client.post("/3").status_code
    head = client.head("/3")
    assert (200, "", "2") == (head.status_code, head.text, head.headers["Content-Length"])


def test_head_has_a_method_of_its_own_if_there_is_one(app: Groundwire) -> None:
    class Both(MethodView):
        def get(self) -> Any:
            return "", 200, {"X-Method": "GET"}

        def head(self) -> Any:
            return "", 200, {"X-Method": "HEAD"}

    app.add_url_rule("/", view_func=Both.as_view("both"))

    assert "HEAD" == app.test_client().head("/").headers["X-Method"]


def test_methods_are_inherited_and_added_to() -> None:
    class Base(MethodView):
        methods = {"PROPFIND", "GET"}

    class Reading(MethodView):
        def get(self) -> str:
            return ""

    class Writing(MethodView):
        def post(self) -> str:
            return ""

    class All(Reading, Writing, Base):
        def put(self) -> str:
            return ""

    class Same(Reading):
        pass

    class Fewer(All):
        methods = ["POST"]

    class Nothing(MethodView):
        pass

    assert {"GET", "POST", "PUT", "PROPFIND"} == set(All.methods or ())
    assert {"GET"} == set(Same.methods or ())
    assert ["POST"] == Fewer.methods
    assert Nothing.methods is None


def test_a_method_that_is_announced_and_missing_is_an_error(app: Groundwire) -> None:
    class Gap(MethodView):
        methods = ["GET", "PROPFIND"]

        def get(self) -> str:
            return ""

    app.testing = True
    app.add_url_rule("/", view_func=Gap.as_view("gap"))

    with pytest.raises(AssertionError, match="Unimplemented method 'PROPFIND'"):
        app.test_client().open("/", method="PROPFIND")


def test_dispatch_request_may_be_extended(app: Groundwire) -> None:
    class Logged(MethodView):
        def dispatch_request(self, **kwargs: Any) -> str:
            return f"<{super().dispatch_request(**kwargs)}>"

        def get(self) -> str:
            return "plain"

        async def post(self) -> str:
            await asyncio.sleep(0)
            return "async"

    app.add_url_rule("/", view_func=Logged.as_view("logged"))

    assert b"<plain>" == fetch(app).content
    assert b"<async>" == fetch(app, "/", "POST", content=b"").content


def test_classes_work_on_blueprints(app: Groundwire) -> None:
    blueprint = Blueprint("items", __name__, url_prefix="/items")
    blueprint.add_url_rule("/<int:n>", view_func=Item.as_view("item"))
    app.register_blueprint(blueprint)

    assert b"3\n" == fetch(app, "/items/3").content
    with app.test_request_context():
        assert "/items/4" == app.url_for("items.item", n=4)


# --- asynchronous


class Asynchronous(MethodView):
    init_every_request = False

    async def get(self) -> str:
        await asyncio.sleep(0)
        return f"{asyncio.current_task() is not None} {threading.current_thread().name}"

    async def post(self) -> str:
        await asyncio.sleep(0)
        return str(request.json)


class Mixed(MethodView):
    def get(self) -> str:
        return f"{current_app.name} {getattr(g, 'x', 1)}"

    async def post(self) -> str:
        await asyncio.sleep(0)
        return f"{request.json} {threading.current_thread().name}"


class AsynchronousDispatch(View):
    methods = ["GET", "POST"]

    async def dispatch_request(self, n: int) -> str:
        await asyncio.sleep(0)
        return f"{n} {threading.current_thread().name}"


JSON = {"content": b"[1]", "Content_Type": "application/json"}


def test_coroutine_methods_run_on_the_servers_loop(app: Groundwire) -> None:
    app.add_url_rule("/all", view_func=Asynchronous.as_view("all"))
    app.add_url_rule("/mixed", view_func=Mixed.as_view("mixed"))
    app.add_url_rule("/<int:n>", view_func=AsynchronousDispatch.as_view("dispatch"))
    here = threading.current_thread().name.encode()

    assert b"True " + here == fetch(app, "/all").content
    assert b"[1]" == fetch(app, "/all", "POST", **JSON).content  # type: ignore[arg-type]
    assert b"sample 1" == fetch(app, "/mixed").content
    assert b"[1] " + here == fetch(app, "/mixed", "POST", **JSON).content  # type: ignore[arg-type]
    assert b"3 " + here == fetch(app, "/3").content
    assert ["inline", "watch", "inline"] == [
        app.plans.executions[name].mode for name in ("all", "mixed", "dispatch")
    ]


@pytest.mark.parametrize("wire", [False, True], ids=["environ", "wire"])
def test_they_work_for_every_client(app: Groundwire, wire: bool) -> None:
    app.add_url_rule("/all", view_func=Asynchronous.as_view("all"))
    app.add_url_rule("/mixed", view_func=Mixed.as_view("mixed"))
    client = app.test_client(wire=wire)

    assert client.get("/all").text.startswith("True ")
    assert "[1]" == client.post("/all", json=[1]).text
    assert 200 == client.head("/all").status_code
    assert client.post("/mixed", json=[1]).text.startswith("[1] ")


def test_content_that_comes_late_is_there_before_a_coroutine_method_runs(app: Groundwire) -> None:
    app.add_url_rule("/", view_func=Mixed.as_view("mixed"), run="thread")

    with running_server(app) as served, served.connect() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3\r\n"
            b"Connection: close\r\n\r\n["
        )
        client.sendall(b"1]")
        answer = b""
        while piece := client.recv(65536):
            answer += piece

    assert b"[1] served" in answer


def test_a_plain_class_runs_on_the_loop_when_it_is_known_not_to_wait(app: Groundwire) -> None:
    app.add_url_rule("/", view_func=Mixed.as_view("mixed"))
    app.add_url_rule("/hello", view_func=Hello.as_view("hello"))

    settle_inline(app)
    settle_inline(app, "/hello")

    assert "inline" == app.plans.executions["mixed"].mode
    assert "inline" == app.plans.executions["hello"].mode


def test_an_ensure_sync_of_ones_own_is_used() -> None:
    seen: list[str] = []

    class Own(Groundwire):
        def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
            seen.append(func.__name__)
            return super().ensure_sync(func)

    app = Own("own", static_folder=None)
    app.add_url_rule("/", view_func=Asynchronous.as_view("all"))

    assert 200 == fetch(app).status
    assert {"all", "dispatch_request", "get"} == set(seen)


def test_a_wrapped_view_is_not_passed_over() -> None:
    view = Asynchronous.as_view("all")
    wrapped = shouting(view)

    assert asyncio.iscoroutinefunction(direct_view(view))
    assert wrapped is direct_view(wrapped)
    assert direct_view(None) is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PUT"])
def test_flask_answers_the_same(method: str) -> None:
    def program(framework: Any, method_view: Any) -> Any:
        made = framework(__name__, static_folder=None)

        class Thing(method_view):  # type: ignore[misc]
            def get(self) -> str:
                return "get"

            def post(self) -> tuple[str, int]:
                return "post", 201

        made.add_url_rule("/", view_func=Thing.as_view("thing"))
        return made.test_client().open("/", method=method)

    ours = program(Groundwire, MethodView)
    theirs = program(flask.Flask, flask.views.MethodView)

    assert (theirs.status, theirs.data, set(theirs.allow)) == (
        ours.status,
        ours.data,
        set(ours.allow),
    )
