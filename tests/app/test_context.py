"""Contexts: what `current_app`, `g` and `request` stand for, and for how long."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import create_environ

import groundwire
from fetching import fetch, make_app
from groundwire import current_app, g, has_app_context, has_request_context, request
from groundwire.app import signals
from groundwire.app.context import RequestContext
from groundwire.app.globals import app_ctx, cv_app, cv_request, request_ctx
from groundwire.app.local import LocalProxy


def test_nothing_is_bound_outside_of_a_context() -> None:
    assert not has_app_context()
    assert not has_request_context()
    assert not current_app
    assert not request
    for use in (lambda: current_app.name, lambda: g.x, lambda: app_ctx.app):
        with pytest.raises(RuntimeError, match=r"^Working outside of application context\.\n\n"):
            use()
    for use in (lambda: request.path, lambda: request_ctx.request):
        with pytest.raises(RuntimeError, match=r"^Working outside of request context\.\n\n"):
            use()


def test_app_context_binds_app_and_g() -> None:
    app = make_app()

    with app.app_context() as context:
        assert current_app._get_current_object() is app  # type: ignore[attr-defined]
        assert app_ctx._get_current_object() is context  # type: ignore[attr-defined]
        assert has_app_context()
        assert not has_request_context()
        g.x = 1
        with pytest.raises(RuntimeError, match="Working outside of request context"):
            request.path  # noqa: B018
        with pytest.raises(RuntimeError, match="request context"):
            app.full_dispatch_request()
    assert not has_app_context()


def test_test_request_context_binds_the_request() -> None:
    app = make_app()
    app.add_url_rule("/<name>", "view", lambda name: name)

    with app.test_request_context("/x?a=1", method="POST") as context:
        assert ("/x", "POST", "1") == (request.path, request.method, request.args["a"])
        assert request_ctx._get_current_object() is context  # type: ignore[attr-defined]
        assert has_request_context()
        assert "<RequestContext 'http://localhost/x?a=1' [POST] of sample>" == repr(context)
    with app.test_request_context("/x"):
        assert ("view", {"name": "x"}) == (request.endpoint, request.view_args)
        assert "x" == app.full_dispatch_request().get_data(as_text=True)
        assert "x" == app.dispatch_request()
        assert app.preprocess_request() is None


def test_g_is_a_namespace() -> None:
    app = make_app()

    assert repr(app.app_ctx_globals_class()).startswith("<groundwire.")
    with app.app_context():
        g.x = 1
        assert ("x" in g, "y" in g, ["x"]) == (True, False, list(g))
        assert (1, None, 2) == (g.get("x"), g.get("y"), g.get("y", 2))
        assert (1, 3) == (g.setdefault("x", 2), g.setdefault("z", 3))
        assert (1, 5) == (g.pop("x"), g.pop("x", 5))
        assert "<flask.g of 'sample'>" == repr(g)
        with pytest.raises(KeyError):
            g.pop("x")
        with pytest.raises(AttributeError):
            g.x  # noqa: B018
        with pytest.raises(AttributeError):
            del g.x
        del g.z
        assert [] == list(g)


def test_contexts_nest() -> None:
    app, other = make_app(), make_app(import_name="other")

    with app.app_context():
        g.x = "outer"
        with other.app_context():
            assert ("other", None) == (current_app.name, g.get("x"))
        assert ("sample", "outer") == (current_app.name, g.x)


def test_request_context_shares_the_g_of_an_app_context_of_its_app() -> None:
    app, other = make_app(), make_app(import_name="other")

    with app.app_context():
        g.x = "app's"
        with app.test_request_context():
            assert "app's" == g.x
        with other.test_request_context():
            assert "x" not in g


def test_app_context_within_a_request_keeps_the_request() -> None:
    app = make_app()

    with app.test_request_context("/inner"):
        g.x = 1
        with app.app_context():
            assert ("/inner", False) == (request.path, "x" in g)
            assert "/inner" == request_ctx.request.path


def test_teardown_functions_run_when_a_context_is_popped() -> None:
    app = make_app()
    calls: list[str] = []
    app.teardown_request(lambda error: calls.append(f"request {error!r}"))
    app.teardown_appcontext(lambda error: calls.append(f"app {error!r}"))

    with app.app_context():
        calls.append("in app")
    with app.test_request_context():
        calls.append("in request")
    with app.app_context(), app.test_request_context():
        calls.append("shared")
    with pytest.raises(KeyError), app.test_request_context():
        raise KeyError("x")
    try:
        raise LookupError("handled")
    except LookupError:
        context = app.app_context()
        context.push()
        context.pop()

    assert [
        *("in app", "app None"),
        *("in request", "request None", "app None"),
        *("shared", "request None", "app None"),
        *("request KeyError('x')", "app KeyError('x')"),
        "app LookupError('handled')",
    ] == calls


def test_context_may_be_pushed_twice() -> None:
    app = make_app()
    calls: list[str] = []
    app.teardown_appcontext(lambda error: calls.append("app"))
    for context in (app.app_context(), app.test_request_context()):
        with context:
            with context:
                assert current_app.name == "sample"
            assert [] == calls
        assert ["app"] == calls
        calls.clear()


def test_popping_out_of_order_is_an_error() -> None:
    app = make_app()
    first, second = app.app_context(), app.app_context()
    first.push()
    second.push()

    with pytest.raises(AssertionError, match=r"^Popped wrong app context\. \(.* instead of "):
        first.pop()
    assert not has_app_context()


def test_popping_requests_out_of_order_is_an_error() -> None:
    app = make_app()
    first, second = app.test_request_context("/1"), app.test_request_context("/2")
    first.push()
    second.push()

    with pytest.raises(AssertionError, match=r"^Popped wrong request context\. \(.*/2.*/1"):
        first.pop()
    assert not has_app_context()


def test_an_app_context_may_be_popped_before_the_request_on_top_of_it() -> None:
    """Flask has a variable for each of the two, so their order is free."""
    app = make_app()
    calls: list[str] = []
    app.teardown_request(lambda error: calls.append("request"))
    app.teardown_appcontext(lambda error: calls.append("app"))
    lower, upper = app.app_context(), app.test_request_context("/upper")
    lower.push()
    upper.push()

    lower.pop()
    assert ("/upper", ["app"]) == (request.path, calls)
    upper.pop()

    assert ["app", "request"] == calls
    assert not has_app_context()
    assert not has_request_context()


def test_app_context_pushed_again_within_a_request_knows_that_request_only_there() -> None:
    app = make_app()

    with app.app_context() as lower:
        with app.test_request_context("/x"):
            assert app_ctx._get_current_object() is lower  # type: ignore[attr-defined]
            with lower:
                assert "/x" == request.path
                assert app_ctx._get_current_object() is lower  # type: ignore[attr-defined]
            assert "/x" == request.path
        assert not has_request_context()
        assert not request


def test_request_context_pushed_anew_has_a_g_of_its_own() -> None:
    app = make_app()
    context = app.test_request_context()

    with context:
        g.x = 1
    with context:
        assert "x" not in g


def test_request_context_is_made_of_an_environ_or_a_request() -> None:
    app = make_app()
    environ = create_environ("/made")
    made = RequestContext(app, environ)
    again = RequestContext(app, environ, made.request, {"of": "session"})

    assert environ["werkzeug.request"] is made.request
    assert ("/made", True) == (again.request.path, again.request is made.request)
    with again:
        assert "/made" == request.path
        assert environ["werkzeug.request"] is made.request
    assert environ["werkzeug.request"] is None


def test_functions_for_after_the_request_have_flasks_name_too() -> None:
    app = make_app()

    with app.test_request_context():
        assert [] == request_ctx._after_request_functions
        groundwire.after_this_request(lambda response: response)
        assert 1 == len(request_ctx._after_request_functions)


def test_url_adapters_may_be_replaced() -> None:
    app = make_app()
    app.add_url_rule("/x", "x", lambda: "")

    for context in (app.app_context(), app.test_request_context()):
        with context:
            context.url_adapter = app.url_map.bind("replaced.example")
            assert "http://replaced.example/x" == groundwire.url_for("x", _external=True)


def test_context_variables_of_flask_show_the_one_there_is() -> None:
    app = make_app()

    assert cv_app.get(None) is None
    assert cv_request.get("default") == "default"
    for variable in (cv_app, cv_request):
        with pytest.raises(LookupError):
            variable.get()
        with pytest.raises(RuntimeError, match=r"^Working outside of"):
            LocalProxy(variable)._get_current_object()
    assert "<ContextView 'flask.app_ctx'>" == repr(cv_app)
    with app.app_context() as lower:
        assert cv_app.get() is lower
        assert cv_request.get(None) is None
        with app.test_request_context() as upper:
            assert (True, True) == (cv_app.get() is lower, cv_request.get() is upper)
            assert LocalProxy(cv_request, "request").path == "/"


def test_context_variables_of_flask_can_be_set_and_reset() -> None:
    app = make_app()
    context = app.test_request_context("/set")

    token = cv_request.set(context)
    assert ("/set", app) == (request.path, cv_app.get().app)
    inner = cv_app.set(app.app_context())
    assert "/set" == request.path
    cv_app.reset(inner)
    assert cv_request.get() is context
    cv_request.reset(token)
    assert not has_app_context()


def test_context_signals_are_sent() -> None:
    app = make_app()
    seen: list[str] = []

    def receiver(name: str) -> Callable[..., None]:
        return lambda sender, **values: seen.append(name)

    pushed, popped = receiver("pushed"), receiver("popped")
    with (
        signals.appcontext_pushed.connected_to(pushed, app),
        signals.appcontext_popped.connected_to(popped, app),
    ):
        with app.app_context():
            assert ["pushed"] == seen
        with app.test_request_context():
            assert ["pushed", "popped", "pushed"] == seen
        fetch(app)

    assert ["pushed", "popped"] * 3 == seen


def test_context_can_be_copied_to_another_thread() -> None:
    app = make_app()
    seen: list[str] = []

    with app.test_request_context("/copied") as context:
        copied = context.copy()

        def run() -> None:
            with copied:
                seen.append(request.path)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    assert ["/copied"] == seen


def test_after_this_request_needs_a_request() -> None:
    with pytest.raises(RuntimeError, match="after_this_request"):
        groundwire.after_this_request(lambda response: response)
    with make_app().app_context(), pytest.raises(RuntimeError, match="after_this_request"):
        groundwire.after_this_request(lambda response: response)


def test_after_this_request_counts_on_the_short_path() -> None:
    app = make_app()

    @app.route("/", run="inline")
    def view() -> str:
        @groundwire.after_this_request
        def first(response: Any) -> Any:
            response.headers["X-Order"] = "1"
            return response

        @groundwire.after_this_request
        def second(response: Any) -> Any:
            response.headers["X-Order"] += "2"
            return response

        return "x"

    assert ["12"] * 3 == [fetch(app).headers["X-Order"] for _ in range(3)]


def test_url_adapter_of_a_context_is_made_once() -> None:
    app = make_app()
    app.config["SERVER_NAME"] = "example.org"

    with app.app_context() as context:
        assert context.url_adapter is context.url_adapter
    with app.test_request_context() as context:
        assert isinstance(context, RequestContext)
        assert context.url_adapter is context.url_adapter
        context.match_request()
        assert 404 == context.request.routing_exception.code  # type: ignore[union-attr]


@pytest.mark.parametrize("run", ["inline", "thread"])
def test_context_of_an_exchange_may_be_pushed_by_its_view(run: str) -> None:
    app = make_app()
    calls: list[str] = []
    app.add_url_rule("/plain", "plain", lambda: pushed(), run=run)

    def pushed() -> str:
        g.x = "kept"
        with request_ctx:  # type: ignore[attr-defined]
            calls.append("pushed")
        calls.append("popped")
        return f"{g.x} {request.path}"

    assert b"kept /plain" == fetch(app, "/plain").content
    app.teardown_request_funcs[None].append(lambda error: calls.append("teardown"))
    assert b"kept /plain" == fetch(app, "/plain").content
    assert ["pushed", "popped", "pushed", "popped", "teardown"] == calls
