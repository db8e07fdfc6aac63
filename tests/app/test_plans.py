"""Plans are dropped when anything they were made from changes, and overridden steps are called."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from fetching import fetch, fetch_often, make_app
from groundwire import Blueprint, Config, Groundwire, Response, abort, g
from groundwire import request as current_request
from groundwire.app import signals
from groundwire.app.plans import STEPS
from groundwire.app.routing import Map, Rule
from groundwire.http.errors import NotFound


async def awaited() -> str:
    return "awaited"


def make_inline_app() -> Groundwire:
    app = make_app()
    # On a busy machine any run may seem to hold the loop; that is not what is tested here.
    app.plans.overran = lambda *args: None  # type: ignore[method-assign]
    app.add_url_rule("/", "view", lambda: "first", run="inline")
    app.add_url_rule("/<int:n>", "value", lambda n: f"value {n}", run="inline")
    app.add_url_rule("/boom", "boom", lambda: 1 // 0, run="inline")
    app.add_url_rule("/async", "awaited", awaited)
    assert b"first" == fetch(app).content
    assert b"value 1" == fetch(app, "/1").content
    assert ("GET", "/") in app.plans.literal
    return app


def test_short_path_sets_what_a_view_may_ask_for() -> None:
    app = make_app()

    @app.route("/where", run="inline")
    def view() -> dict[str, Any]:
        request = current_request
        return {
            "seen": [request.endpoint, str(request.url_rule), request.view_args, request.blueprint],
            "g": sorted(g),
        }

    expected = b'{"g":[],"seen":["view","/where",{},null]}\n'
    assert [expected] * 3 == [each.content for each in fetch_often(app, "/where", 3)]


def test_g_is_new_for_each_request() -> None:
    app = make_app()
    app.add_url_rule(
        "/", "view", lambda: str(g.setdefault("n", id(current_request)) and len(vars(g)))
    )
    app.add_url_rule(
        "/kept",
        "kept",
        lambda: str(g.pop("kept", "none")) + str(g.setdefault("kept", 1)),
        run="inline",
    )

    assert {b"none1"} == {each.content for each in fetch_often(app, "/kept", 4)}


# --- what is changed after the first request counts


def change_view(app: Groundwire) -> None:
    app.view_functions["view"] = lambda: "changed"


def update_views(app: Groundwire) -> None:
    app.view_functions.update(view=lambda: "changed")


def or_views(app: Groundwire) -> None:
    app.view_functions |= {"view": lambda: "changed"}


def add_before(app: Groundwire) -> None:
    app.before_request_funcs.setdefault(None, []).append(lambda: "changed")


def set_before(app: Groundwire) -> None:
    app.before_request_funcs = {None: [lambda: "changed"]}  # type: ignore[assignment]


def set_and_change_before(app: Groundwire) -> None:
    app.before_request_funcs = {}  # type: ignore[assignment]
    assert b"first" == fetch(app).content
    app.before_request_funcs.setdefault(None, []).append(lambda: "changed")


def replace_the_map(app: Groundwire) -> None:
    app.url_map = Map()
    assert 404 == fetch(app).status
    app.view_functions["new"] = lambda: "changed"
    app.url_map.add(Rule("/", endpoint="new"))


def assign_before(app: Groundwire) -> None:
    app.before_request_funcs[None] = [lambda: "changed"]


def add_after(app: Groundwire) -> None:
    app.after_request_funcs[None].append(lambda response: Response("changed"))


def extend_after(app: Groundwire) -> None:
    app.after_request_funcs[None] += [lambda response: Response("changed")]


def preprocess(app: Groundwire) -> None:
    app.url_value_preprocessors[None].append(lambda endpoint, values: abort(Response("changed")))


def replace_view_through_response_class(app: Groundwire) -> None:
    class Changed(Response):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__("changed")

    app.response_class = Changed


def add_rule_before(app: Groundwire) -> None:
    app.view_functions["new"] = lambda: "changed"
    app.url_map.add(Rule("/", endpoint="new", methods=["GET"]))
    next(app.url_map.iter_rules("view")).methods = {"PUT"}


@pytest.mark.parametrize(
    "change",
    [
        *(change_view, update_views, or_views, add_before, set_before, assign_before, add_after),
        *(
            set_and_change_before,
            replace_the_map,
            extend_after,
            preprocess,
            replace_view_through_response_class,
            add_rule_before,
        ),
    ],
)
def test_change_after_the_first_request_counts(change: Callable[[Groundwire], None]) -> None:
    app = make_inline_app()

    change(app)

    assert b"changed" == fetch(app).content


def test_removed_hook_is_called_no_more() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "view", run="inline")
    app.before_request(lambda: "hook")
    assert b"hook" == fetch(app).content

    app.before_request_funcs[None].clear()
    assert b"view" == fetch(app).content
    app.before_request_funcs[None] = [lambda: "hook"]
    assert b"hook" == fetch(app).content
    del app.before_request_funcs[None]
    assert b"view" == fetch(app).content


def test_error_handler_added_later_is_called() -> None:
    app = make_inline_app()
    assert 500 == fetch(app, "/boom").status

    app.error_handler_spec[None][None][ZeroDivisionError] = lambda error: "handled"
    assert b"handled" == fetch(app, "/boom").content
    app.error_handler_spec[None][404][NotFound] = lambda error: ("none", 404)
    assert b"none" == fetch(app, "/missing").content


def test_teardown_added_later_is_called() -> None:
    app = make_inline_app()
    calls: list[str] = []

    app.teardown_appcontext_funcs.append(lambda error: calls.append("app"))
    app.teardown_request_funcs.setdefault(None, []).append(lambda error: calls.append("request"))
    fetch(app)
    fetch(app, "/1")

    assert ["request", "app"] * 2 == calls


def test_trusted_hosts_set_later_count() -> None:
    app = make_inline_app()

    app.config["TRUSTED_HOSTS"] = ["other.example"]

    assert 400 == fetch(app).status


def test_configuration_put_in_the_place_of_the_first_counts() -> None:
    app = make_inline_app()

    app.config = Config("/", app.config)
    fetch(app)
    app.config["TRUSTED_HOSTS"] = ["other.example"]

    assert 400 == fetch(app).status


def test_blueprint_hooks_belong_to_its_endpoints_only() -> None:
    app = make_app()
    part = Blueprint("part", __name__)
    part.before_request(lambda: "part")
    part.add_url_rule("/part", "view", lambda: "view", run="inline")
    app.register_blueprint(part)
    app.add_url_rule("/", "view", lambda: "view", run="inline")

    assert (b"view", b"part") == (fetch(app).content, fetch(app, "/part").content)


def test_signal_receivers_are_called_while_there_are_any() -> None:
    app = make_inline_app()
    seen: list[Any] = []
    other = make_app()

    def started(sender: Any) -> None:
        seen.append(("started", sender))

    async def finished(sender: Any, response: Any) -> None:
        await asyncio.sleep(0)
        seen.append(("finished", response.status_code))

    def raised(sender: Any, exception: BaseException) -> None:
        seen.append(("raised", type(exception)))

    def torn_down(sender: Any, exc: BaseException | None) -> None:
        seen.append(("torn down", exc))

    with (
        signals.request_started.connected_to(started, app),
        signals.request_finished.connected_to(finished, app),
        signals.got_request_exception.connected_to(raised, app),
        signals.appcontext_tearing_down.connected_to(torn_down, app),
        signals.request_started.connected_to(lambda sender: seen.append("other"), other),
    ):
        fetch(app)
        assert [("started", app), ("finished", 200), ("torn down", None)] == seen
        seen.clear()
        fetch(app, "/boom")
        assert ["started", "raised", "finished", "torn down"] == [kind for kind, _ in seen]
        seen.clear()
        with signals.request_started.muted():
            fetch(app)
        assert ["finished", "torn down"] == [kind for kind, _ in seen]
        seen.clear()
    fetch(app)

    assert [] == seen
    assert ("GET", "/") in app.plans.literal


# --- every step that is overridden is called


def override(app: Groundwire, name: str, calls: list[str]) -> None:
    original = getattr(app, name)

    def overriding(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(*args, **kwargs)

    setattr(app, name, overriding)


REQUESTS = {
    "handle_http_exception": ("/missing", "GET", 404),
    "handle_user_exception": ("/missing", "GET", 404),
    "raise_routing_exception": ("/missing", "GET", 404),
    "make_default_options_response": ("/", "OPTIONS", 200),
    "handle_exception": ("/boom", "GET", 500),
    "log_exception": ("/boom", "GET", 500),
    "async_to_sync": ("/async", "GET", 200),
}


# Python looks for `__call__` in the class alone.
@pytest.mark.parametrize("name", [name for name in STEPS if name != "__call__"])
@pytest.mark.parametrize("inline", [True, False])
def test_step_overridden_after_the_first_request_is_called(name: str, inline: bool) -> None:
    app = make_inline_app()
    if not inline:
        app.config["INLINE"] = "never"
    calls: list[str] = []
    path, method, status = REQUESTS.get(name, ("/", "GET", 200))

    override(app, name, calls)

    assert status == fetch(app, path, method).status
    assert {name} == set(calls)
    calls.clear()
    delattr(app, name)
    assert status == fetch(app, path, method).status
    assert [] == calls


@pytest.mark.parametrize("name", STEPS)
def test_step_overridden_in_a_subclass_is_called(name: str) -> None:
    calls: list[str] = []
    original = getattr(Groundwire, name)

    def overriding(self: Groundwire, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(self, *args, **kwargs)

    app = type("App", (Groundwire,), {name: overriding})(__name__, static_folder=None)
    app.logger.disabled = True
    app.add_url_rule("/", "view", lambda: "view", methods=["GET"], run="inline")
    app.add_url_rule("/boom", "boom", lambda: 1 // 0, run="inline")
    app.add_url_rule("/async", "awaited", awaited)
    path, method, status = REQUESTS.get(name, ("/", "GET", 200))

    assert [status] * 2 == [fetch(app, path, method).status for _ in range(2)]
    assert {name} == set(calls)


@pytest.mark.parametrize("wire", [True, False])
@pytest.mark.parametrize("name", ["make_response", "__call__", "dispatch_request", "wsgi_app"])
def test_step_patched_on_the_class_after_the_first_request_is_called(
    name: str, wire: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    original = getattr(Groundwire, name)

    def patched(self: Groundwire, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(self, *args, **kwargs)

    client = make_inline_app().test_client(wire=wire)
    assert "first" == client.get("/").text
    with monkeypatch.context() as patches:
        patches.setattr(Groundwire, name, patched)
        assert "first" == client.get("/").text
        assert {name} == set(calls)
        calls.clear()
    assert ("first", []) == (client.get("/").text, calls)


def test_overridden_step_works_around_a_coroutine() -> None:
    class App(Groundwire):
        def dispatch_request(self) -> Any:
            return f"[{super().dispatch_request()}]"

        async def preprocess_request(self) -> Any:  # type: ignore[override]
            await asyncio.sleep(0)
            g.seen = "seen"

    app = App(__name__, static_folder=None)

    @app.route("/")
    async def view() -> str:
        await asyncio.sleep(0)
        return str(g.seen)

    assert b"[seen]" == fetch(app).content


def test_a_request_through_middleware_has_one_context_of_its_own() -> None:
    app = make_app()
    inner = app.wsgi_app
    app.wsgi_app = lambda *args: inner(*args)  # type: ignore[method-assign]
    ended: list[str] = []
    app.teardown_request(lambda error: ended.append("request"))
    app.teardown_appcontext(lambda error: ended.append("app"))
    app.add_url_rule("/", "view", lambda: str(g.setdefault("n", len(vars(g)))))

    assert [b"0", b"0"] == [each.content for each in fetch_often(app, "/", 2)]
    assert ["request", "app"] * 2 == ended


def test_wsgi_middleware_sees_every_request_of_the_server() -> None:
    app = make_inline_app()
    inner = app.wsgi_app

    def middleware(environ: Any, start_response: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/mounted")

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*headers, ("X-Middleware", environ["REQUEST_METHOD"])])

        return inner(environ, start)

    app.wsgi_app = middleware  # type: ignore[method-assign]
    app.add_url_rule = app.add_url_rule  # type: ignore[method-assign]

    answer = fetch(app, "/mounted/7")
    assert (200, b"value 7", "GET") == (
        answer.status,
        answer.content,
        answer.headers["X-Middleware"],
    )
    missing = fetch(app, "/mounted/none", "POST", content=b"x" * 3)
    assert (404, "POST") == (missing.status, missing.headers["X-Middleware"])


def test_wsgi_middleware_that_raises_is_500() -> None:
    app = make_inline_app()

    def broken(environ: Any, start_response: Any) -> Any:
        raise LookupError

    app.wsgi_app = broken  # type: ignore[method-assign]

    assert 500 == fetch(app).status


def test_what_passes_through_wsgi_middleware_is_compressed() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x" * 501)
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner(environ, start)  # type: ignore[method-assign]

    answer = fetch(app, Accept_Encoding="gzip")

    assert ("gzip", "Accept-Encoding") == (
        answer.headers["Content-Encoding"],
        answer.headers["Vary"],
    )
    assert b"x" * 501 == gzip.decompress(answer.content)


def test_content_passes_through_wsgi_middleware() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: current_request.get_data(), methods=["POST"])
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner(environ, start)  # type: ignore[method-assign]

    assert b"0123" == fetch(app, "/", "POST", content=b"0123").content
