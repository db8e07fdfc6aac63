"""What `handle` does with requests that are not simply answered by a view."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import copy_context
from http import HTTPStatus
from typing import Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from fetching import fetch, fetch_often, make_app
from groundwire import Groundwire, Response, abort, g, jsonify
from groundwire import request as current_request
from groundwire.app.globals import cv_app, cv_request
from groundwire.app.wrappers import Request
from groundwire.http.errors import HTTPException, NotFound
from groundwire.http.handler import ContentPolicy
from groundwire.protocol.http1.reader import RequestReader
from wire import Wire, chunked, request


class Peer:
    """The least of an exchange."""

    peer = ("127.0.0.1", 1)
    local = ("127.0.0.1", 80)
    scheme = "http"
    disconnected = False


def from_wire(app: Groundwire, message: bytes) -> Request:
    reader = RequestReader()
    reader.receive(message)
    return app.request_class.from_wire(reader.next_head(), Peer())  # type: ignore[no-any-return]


def policy(app: Groundwire, message: bytes) -> ContentPolicy:
    return app.content_policy(from_wire(app, message))


# --- methods and targets


def test_asterisk_asks_about_the_server_as_a_whole() -> None:
    app = make_app()
    seen: list[str] = []
    app.before_request(lambda: seen.append(current_request.path))
    app.add_url_rule("/", "view", lambda: "x", methods=["GET", "DELETE"])

    answer = fetch(app, "*", "OPTIONS")

    assert (200, b"", "DELETE, GET, HEAD, OPTIONS") == (
        *(answer.status, answer.content),
        answer.headers["Allow"],
    )
    assert ["*"] == seen


@pytest.mark.parametrize("method", ["TRACE", "TRACK"])
@pytest.mark.parametrize("path", ["/", "/all", "/missing"])
def test_trace_never_reaches_a_view_that_does_not_list_it(method: str, path: str) -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x")
    rule = app.url_rule_class("/all", endpoint="view")
    app.url_map.add(rule)
    assert rule.methods is None

    answer = fetch(app, path, method, Cookie="secret=1")

    assert 405 == answer.status
    assert b"secret" not in answer.content


def test_trace_reaches_a_view_that_lists_it() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "traced", methods=["TRACE"])

    assert b"traced" == fetch(app, "/", "TRACE").content


@pytest.mark.parametrize("method", ["__class__", "BREW"])
def test_unknown_method_is_405(method: str) -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x")

    answer = fetch(app, "/", method)

    assert (405, "GET, HEAD, OPTIONS") == (answer.status, answer.headers["Allow"])


def test_head_is_answered_like_get_without_content() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x" * 10)

    answer = fetch(app, "/", "HEAD")

    assert (200, b"", "10") == (answer.status, answer.content, answer.headers["Content-Length"])


def test_expectation_that_cannot_be_met_goes_through_the_error_handlers() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x", run="inline")
    fetch(app)
    app.error_handler_spec[None][417][HTTPException] = lambda error: ("mine", 417)

    assert [(417, b"mine"), (200, b"x")] == [
        (answer.status, answer.content)
        for answer in (fetch(app, Expect="magic"), fetch(app, Expect="100-continue"))
    ]


# --- errors


@pytest.mark.parametrize("run", ["inline", "thread"])
@pytest.mark.parametrize(
    "error",
    [
        *(ZeroDivisionError("no"), MemoryError(), RecursionError(), StopIteration(1)),
        *(SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_view_raises_is_500_and_logged_once(
    error: BaseException, run: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Groundwire("raising", static_folder=None, root_path="/")
    app.add_url_rule("/", "view", lambda: "x", run=run)
    app.add_url_rule("/raise", "raise", lambda: (_ for _ in ()).throw(error), run=run)

    def fail() -> str:
        raise error

    app.view_functions["raise"] = fail

    with caplog.at_level(logging.ERROR, "raising"), Wire(app) as wire:
        for path in ("/raise", "/raise", "/"):
            wire.send(request(path)).until_idle()
        answers = wire.answers()

    assert [500, 500, 200] == [answer.status for answer in answers]
    assert b"<h1>Internal Server Error</h1>" in answers[0].content
    assert b"no" not in answers[0].content.split(b"</h1>")[0]
    assert ["Exception on /raise [GET]"] * 2 == [record.message for record in caplog.records]
    assert all(record.exc_info is not None for record in caplog.records)


def test_whatever_a_coroutine_raises_is_500() -> None:
    app = make_app()

    @app.route("/<name>")
    async def view(name: str) -> str:
        await asyncio.sleep(0)
        raise {"exit": SystemExit(), "error": ValueError()}[name]

    assert [500, 500] == [fetch(app, path).status for path in ("/error", "/exit")]


def test_error_in_a_hook_on_the_loop_is_500() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x", run="inline")

    def fail(*args: Any) -> Any:
        raise SystemExit

    app.teardown_request(fail)

    assert [500] * 2 == [answer.status for answer in fetch_often(app, "/", 2)]


def test_error_while_a_response_is_made_is_the_views() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: object(), run="inline")
    app.register_error_handler(TypeError, lambda error: (str(error), 400))

    # As in Flask: what a view returned is looked at when its errors are no longer handled.
    assert 500 == fetch(app).status


def test_unhandled_error_stays_with_the_request_when_it_propagates() -> None:
    app = make_app()
    app.testing = True
    app.add_url_rule("/", "view", lambda: 1 // 0, run="inline")
    message = from_wire(app, request("/"))

    response: Any = copy_context().run(app.handle, message)

    assert 500 == response.status_code
    assert isinstance(message.unhandled_error, ZeroDivisionError)


@pytest.mark.parametrize("setting", ["TESTING", "DEBUG", "PROPAGATE_EXCEPTIONS"])
def test_unhandled_error_is_raised_to_a_wsgi_server_if_it_propagates(setting: str) -> None:
    app = make_app()
    app.config[setting] = True
    app.add_url_rule("/", "view", lambda: 1 // 0)
    calls: list[Any] = []
    app.teardown_request(calls.append)

    with pytest.raises(ZeroDivisionError):
        run_wsgi_app(app, create_environ("/"))
    assert [ZeroDivisionError] == [type(error) for error in calls]
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert "500" == run_wsgi_app(app, create_environ("/"))[1][:3]


def test_system_exit_passes_through_wsgi() -> None:
    app = make_app()
    calls: list[Any] = []
    app.teardown_request(calls.append)

    @app.route("/")
    def view() -> str:
        raise SystemExit

    with pytest.raises(SystemExit):
        run_wsgi_app(app, create_environ("/"))
    assert [SystemExit] == [type(error) for error in calls]


def test_context_can_be_kept_beyond_a_wsgi_request() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x")
    kept: list[Any] = []
    environ = create_environ("/")
    environ["werkzeug.debug.preserve_context"] = kept.append

    run_wsgi_app(app, environ)

    app_context, request_context = kept
    with request_context, app_context:
        assert "/" == current_request.path
        assert (app_context, request_context) == (cv_app.get(), cv_request.get())


def test_asynchronous_content_goes_through_wsgi_too() -> None:
    app = Groundwire(__name__)
    ended = []

    @app.route("/")
    async def numbers() -> AsyncIterator[str]:
        async def pieces() -> AsyncIterator[str]:
            try:
                yield "1"
                await asyncio.sleep(0)
                yield "2"
            finally:
                ended.append(True)

        return pieces()

    content, status, _ = run_wsgi_app(app, create_environ("/"))

    assert ("200 OK", [b"1", b"2"]) == (status, list(content))
    first, _, _ = run_wsgi_app(app, create_environ("/"))
    assert b"1" == next(iter(first))
    first.close()  # type: ignore[attr-defined]
    assert [True, True] == ended

    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner(environ, start)  # type: ignore[method-assign]
    assert "12" == app.test_client().get("/").text


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"TRAP_HTTP_EXCEPTIONS": True}, NotFound),
        ({"TRAP_BAD_REQUEST_ERRORS": True}, KeyError),
        ({"DEBUG": True}, KeyError),
    ],
)
def test_trapped_errors_are_raised(settings: dict[str, Any], error: type[Exception]) -> None:
    app = make_app()
    app.config.update(settings, PROPAGATE_EXCEPTIONS=True)
    app.add_url_rule("/", "view", lambda: current_request.args["x"])

    with pytest.raises(error):
        run_wsgi_app(app, create_environ("/" if error is KeyError else "/missing"))


def test_bad_request_is_trapped_only_if_asked_for() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: abort(400))

    assert 400 == fetch(app).status
    app.config["TRAP_BAD_REQUEST_ERRORS"] = True
    assert 500 == fetch(app).status


def test_error_handler_may_be_a_coroutine() -> None:
    app = make_app()

    @app.errorhandler(404)
    async def missing(error: Any) -> Any:
        await asyncio.sleep(0)
        return f"no {current_request.path}", 404

    @app.errorhandler(500)
    async def failed(error: Any) -> Any:
        await asyncio.sleep(0)
        return type(error.original_exception).__name__, 500

    app.add_url_rule("/boom", "boom", lambda: 1 // 0)

    assert [b"no /x", b"ZeroDivisionError"] == [
        fetch(app, path).content for path in ("/x", "/boom")
    ]


@pytest.mark.parametrize(
    ("accept", "content_type", "start"),
    [
        (None, "text/html; charset=utf-8", b"<!doctype html>"),
        ("*/*", "text/html; charset=utf-8", b"<!doctype html>"),
        ("text/html, application/json;q=0.5", "text/html; charset=utf-8", b"<!doctype html>"),
        ("application/json", "application/problem+json", b"{"),
        ("application/problem+json, text/html;q=0.9", "application/problem+json", b"{"),
    ],
)
def test_error_is_answered_in_the_form_the_client_wants(
    accept: str | None, content_type: str, start: bytes
) -> None:
    app = make_app()
    fields = {} if accept is None else {"Accept": accept}

    answer = fetch(app, "/missing", **fields)

    assert (404, content_type) == (answer.status, answer.headers["Content-Type"])
    assert answer.content.startswith(start)
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    if start == b"{":
        assert (404, "Not Found") == tuple(
            json.loads(answer.content)[key] for key in ("status", "title")
        )


def test_terminal_gets_plain_text_if_the_app_wants_that() -> None:
    app = make_app()
    app.config["ERROR_FORMAT"] = "negotiate"

    assert fetch(app, "/missing", Accept="*/*").content.startswith(b"404 Not Found\n")


def test_page_of_an_error_of_ones_own_is_its_own() -> None:
    class Sold(HTTPException):
        code = 410
        description = "sold"

        def get_body(self, environ: Any = None, scope: Any = None) -> str:
            return "<p>sold out</p>"

    class Elsewhere(HTTPException):
        code = 499

        def get_response(self, environ: Any = None, scope: Any = None) -> Any:
            return Response("elsewhere", 299)

    app = make_app()

    @app.route("/<name>")
    def view(name: str) -> str:
        raise Sold if name == "sold" else Elsewhere

    assert [(410, b"<p>sold out</p>"), (299, b"elsewhere")] == [
        (answer.status, answer.content) for answer in (fetch(app, "/sold"), fetch(app, "/else"))
    ]


# --- content


POST = request("/{}", "POST", b"x" * 10).decode()


def make_reading_app() -> Groundwire:
    app = make_app()
    app.add_url_rule("/thread", "thread", lambda: "x", methods=["POST"], run="thread")
    app.add_url_rule("/watched", "watched", lambda: "x", methods=["POST"])
    app.add_url_rule("/inline", "inline", lambda: "x", methods=["POST"], run="inline")
    app.add_url_rule("/stream", "stream", lambda: "x", methods=["POST"], stream=True, run="inline")
    app.add_url_rule(
        "/large", "large", lambda: "x", methods=["POST"], max_content_length=5_000_000_000
    )

    @app.post("/async")
    async def view() -> str:
        return "x"

    return app


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("thread", ContentPolicy(100, whole=False)),
        ("watched", ContentPolicy(100, whole=True)),
        ("inline", ContentPolicy(100, whole=True)),
        ("async", ContentPolicy(100, whole=True)),
        ("stream", ContentPolicy(100, whole=False)),
        ("large", ContentPolicy(5_000_000_000, whole=True)),
        ("missing", ContentPolicy(100, whole=False)),
    ],
)
def test_policy_says_how_content_is_received(path: str, expected: ContentPolicy) -> None:
    app = make_reading_app()
    app.config["MAX_CONTENT_LENGTH"] = 100

    assert expected == policy(app, POST.format(path).encode())


def test_policy_awaits_nothing_before_hooks() -> None:
    app = make_reading_app()
    app.before_request(lambda: None)
    app.config["MAX_CONTENT_LENGTH"] = None

    assert {ContentPolicy(None, whole=False)} == {
        policy(app, POST.format(path).encode()) for path in ("thread", "inline", "async")
    }


def test_policy_of_a_wrapped_app_leaves_content_to_the_wrapper() -> None:
    app = make_reading_app()
    app.wsgi_app = lambda environ, start: []  # type: ignore[method-assign]

    assert ContentPolicy(16 * 1024 * 1024, whole=False) == policy(
        app, POST.format("inline").encode()
    )


def test_request_is_matched_once_though_its_content_was_asked_about() -> None:
    app = make_app()
    matched: list[int] = []

    class Counting(app.url_map.converters["int"]):  # type: ignore[misc, name-defined]
        def to_python(self, value: str) -> Any:
            matched.append(g.setdefault("n", 1))
            return super().to_python(value)

    app.url_map.converters["counting"] = Counting
    app.add_url_rule("/<counting:n>", "view", lambda n: str(n + g.n), methods=["POST"])

    assert b"6" == fetch(app, "/5", "POST", content=b"x").content
    assert [1] == matched


def test_limit_of_a_route_goes_before_the_apps() -> None:
    app = make_app()
    app.config["MAX_CONTENT_LENGTH"] = 5

    def view() -> bytes:
        return current_request.get_data()

    app.add_url_rule("/app", "app", view, methods=["POST"])
    app.add_url_rule("/more", "more", view, methods=["POST"], max_content_length=10)

    @app.post("/set")
    def set_by_view() -> bytes:
        current_request.max_content_length = 10
        return current_request.get_data()

    assert [413, 200, 200, 413] == [
        fetch(app, path, "POST", content=b"x" * size).status
        for path, size in (("/app", 10), ("/more", 10), ("/set", 10), ("/set", 11))
    ]


def asynchronous_reader(name: str) -> Groundwire:
    app = make_app()

    @app.before_request
    async def before() -> None:
        await asyncio.sleep(0)
        if name == "hook":
            g.seen = current_request.get_data()
        elif name == "nested":
            g.seen = (lambda: current_request.get_json(force=True))()

    @app.post("/")
    async def view() -> Any:
        return jsonify([str(g.get("seen")), current_request.get_data(as_text=True)])

    return app


@pytest.mark.parametrize("name", ["hook", "nested", "view"])
def test_coroutines_find_content_that_came_in_pieces(name: str) -> None:
    app = asynchronous_reader(name)
    head = request("/", "POST", Transfer_Encoding="chunked")

    with Wire(app) as wire:
        wire.send(head).settle()
        for piece in (b"3\r\n[1,", b"\r\n2\r\n2]", b"\r\n0\r\n\r\n"):
            wire.send(piece).settle()
        (answer,) = wire.until_idle().answers("POST")

    assert (200, "[1,2]") == (answer.status, json.loads(answer.content)[1])


def test_content_too_large_for_a_coroutine_is_413() -> None:
    app = make_app()
    app.config["MAX_CONTENT_LENGTH"] = 5
    app.register_error_handler(413, lambda error: ("mine", 413))

    @app.post("/")
    async def view() -> bytes:
        return current_request.get_data()

    app.before_request_funcs[None] = []
    with Wire(app) as wire:
        head = request("/", "POST", Transfer_Encoding="chunked")
        wire.send(head + chunked(b"x" * 4, b"x" * 4)).until_idle()
        assert (413, b"mine") == (wire.answers("POST")[0].status, wire.answers("POST")[0].content)


def test_files_of_a_form_are_closed_when_the_request_is_over() -> None:
    app = make_app()
    files: list[Any] = []

    @app.post("/", run="inline")
    def view() -> str:
        files.append(current_request.files["file"])
        return files[-1].filename or ""

    content = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n--b--\r\n'
    answer = fetch(
        app, "/", "POST", content=content, Content_Type="multipart/form-data; boundary=b"
    )

    assert b"a.txt" == answer.content
    assert files[0].stream.closed


# --- compression


LARGE = "word " * 1000


@pytest.mark.parametrize("run", ["inline", "thread"])
def test_large_text_is_compressed_for_who_takes_it(run: str) -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: LARGE, run=run)

    coded = [fetch(app, Accept_Encoding="gzip") for _ in range(2)]
    plain = fetch(app)

    assert ["gzip"] * 2 == [answer.headers["Content-Encoding"] for answer in coded]
    assert all(len(answer.content) < 500 for answer in coded)
    assert (LARGE.encode(), "Accept-Encoding") == (plain.content, plain.headers["Vary"])


def test_compression_can_be_turned_off() -> None:
    app = make_app()
    app.config["COMPRESS"] = False
    app.add_url_rule("/", "view", lambda: LARGE)

    answer = fetch(app, Accept_Encoding="gzip")

    assert (LARGE.encode(), None) == (answer.content, answer.headers["Vary"])


# --- streams


@pytest.mark.parametrize("run", ["inline", "thread"])
def test_generator_sees_the_request_while_it_is_sent(run: str) -> None:
    app = make_app()

    def pieces() -> Iterator[str]:
        for number in range(3):
            yield f"{number}{current_request.path}"

    app.add_url_rule("/g", "view", lambda: pieces(), run=run)

    assert b"0/g1/g2/g" == fetch(app, "/g").content


def test_subclass_of_response_is_made_by_its_constructor() -> None:
    class Marked(Response):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.headers["X-Marked"] = "yes"

    app = make_app()
    app.response_class = Marked
    app.add_url_rule("/", "view", lambda: "x", run="inline")
    app.add_url_rule("/<int:n>", "value", lambda n: {"n": n}, run="inline")

    assert ["yes"] * 4 == [fetch(app, path).headers["X-Marked"] for path in ("/", "/", "/1", "/x")]


def test_subclass_of_request_is_used() -> None:
    class Marked(Request):
        @property
        def mark(self) -> str:
            return f"marked {self.path}"

    app = make_app()
    app.request_class = Marked
    app.add_url_rule("/", "view", lambda: current_request.mark)  # type: ignore[attr-defined]

    assert b"marked /" == fetch(app).content
    with app.test_request_context("/x"):
        assert "marked /x" == current_request.mark  # type: ignore[attr-defined]


def test_untrusted_host_is_400_for_any_path() -> None:
    app = make_app()
    app.config["TRUSTED_HOSTS"] = ["good.example"]
    app.add_url_rule("/", "view", lambda: "x")

    assert [400, 400] == [fetch(app, path).status for path in ("/", "/missing")]


def test_subdomains_are_matched_over_the_wire() -> None:
    app = make_app(subdomain_matching=True)
    app.config["SERVER_NAME"] = "com"
    app.add_url_rule("/", "view", lambda name: name, subdomain="<name>")

    assert b"example" == fetch(app).content


def test_views_of_every_kind_answer_the_same_in_a_thread_and_on_the_loop() -> None:
    views: dict[str, Callable[[], Any]] = {
        "str": lambda: "text",
        "large": lambda: LARGE,
        "bytes": lambda: b"octets",
        "dict": lambda: {"a": 1},
        "tuple": lambda: ("made", 201, {"X-One": "1"}),
        "response": lambda: Response("mine", 202),
        "generator": lambda: (letter for letter in "abc"),
        "abort": lambda: abort(409),
        "error": lambda: 1 // 0,
        "none": lambda: None,
    }
    app = make_app()
    for name, view in views.items():
        app.add_url_rule(f"/inline/{name}", f"inline.{name}", view, run="inline")
        app.add_url_rule(f"/thread/{name}", f"thread.{name}", view, run="thread")

    def answers(run: str) -> list[Any]:
        found = [fetch(app, f"/{run}/{name}") for name in views]
        return [
            (
                each.status,
                each.content,
                sorted(set(each.headers.items()) - {("Date", each.headers["Date"])}),
            )
            for each in found
        ]

    assert answers("thread") == answers("inline")


@pytest.mark.parametrize("code", ["404", "404 NOT FOUND", HTTPStatus(404)])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("wire", [False, True])
def test_a_status_code_may_be_set_to_text(code: Any, late: bool, wire: bool) -> None:
    app = make_app()
    seen: list[Any] = []

    @app.route("/")
    def view() -> Response:
        response = Response("x")
        response.status_code = code
        return response

    @app.after_request
    def after(response: Response) -> Response:
        seen.append(response.status_code)
        if late:
            response.status_code = code
        return response

    answer = app.test_client(wire=wire).get("/")

    assert (404, [404]) == (answer.status_code, seen)
    assert "404 NOT FOUND" == answer.status
