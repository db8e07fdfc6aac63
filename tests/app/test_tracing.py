"""What an app tells of a request, and that it answers the same whether it does or not."""

import asyncio
import contextvars
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from fetching import fetch, fetch_often, make_app, settle_inline
from groundwire import (
    Groundwire,
    Response,
    abort,
    after_this_request,
    flash,
    jsonify,
    redirect,
    render_template_string,
    request,
    session,
    stream_with_context,
)
from groundwire.app import signals
from groundwire.app.routing.converters import BaseConverter
from groundwire.http.errors import InternalServerError
from groundwire.protocol.http1.reader import RequestReader
from notetaking import Followed, Notes, follow
from wire import Wire, chunked
from wire import request as message

HERE = __file__
LONG = "a long text " * 100
SHUFFLED = random.Random(1).randbytes(600)


class Overriding(Response):
    """Sent in a way of its own."""

    def get_wsgi_headers(self, environ: Any) -> Any:
        return super().get_wsgi_headers(environ)


@pytest.fixture
def app() -> Groundwire:
    app = make_app()
    app.add_url_rule("/hello", "hello", lambda: "Hello, World!")
    return app


# What is told


def test_the_rule_that_matched_is_told_before_its_function(app: Groundwire) -> None:
    @app.get("/users/<int:id>")
    def user(id: int) -> str:
        return str(id)

    before = perf_counter()
    _, notes = follow(app, "/users/7")

    assert ["matched", "called"] == [kind for kind, _ in notes.all]
    [matched] = notes.of("matched")
    assert ("user", "/users/<int:id>", {"id": 7}) == (
        matched["endpoint"],
        matched["rule"],
        matched["view_args"],
    )
    [view] = notes.of("called")
    assert before < matched["at"] <= view["began"] <= view["ended"] < perf_counter()
    assert ("view", "user", HERE) == (view["role"], view["name"], view["file"])
    assert (
        '    @app.get("/users/<int:id>")' == Path(HERE).read_text().splitlines()[view["line"] - 1]
    )
    assert "returned a str" == view["outcome"]


def test_the_shortest_way_is_told_of_too(app: Groundwire) -> None:
    settle_inline(app, "/hello")
    watched = Followed(app)
    settle_inline(app, "/hello")
    with Wire(watched) as wire:
        for _ in range(3):
            wire.send(message("/hello")).until_idle()

    assert "inline" == app.plans.executions["hello"].mode
    assert ("GET", "/hello") in app.plans.literal
    for notes in watched.notes[-2:]:
        assert ["matched", "called"] == [kind for kind, _ in notes.all]
        assert {} == notes.of("matched")[0]["view_args"]


def test_all_that_is_called_is_told_in_order() -> None:
    app = make_app()
    heard = []

    def listener(sender: Any, **_: Any) -> None:
        heard.append(sender)

    def note_values(endpoint: Any, values: Any) -> None: ...
    def before() -> None: ...
    def after(response: Any) -> Any:
        return response

    def after_this(response: Any) -> Any:
        return response

    def teardown(error: Any) -> None: ...
    def app_teardown(error: Any) -> None: ...
    def add_values() -> dict[str, Any]:
        return {"x": 1}

    def view() -> str:
        after_this_request(after_this)
        return render_template_string("{{ x }}")

    app.url_value_preprocessor(note_values)
    app.before_request(before)
    app.after_request(after)
    app.teardown_request(teardown)
    app.teardown_appcontext(app_teardown)
    app.context_processor(add_values)
    app.add_url_rule("/", "index", view)
    with signals.request_started.connected_to(listener, app):
        answer, notes = follow(app, "/")

    assert b"1" == answer.content
    assert [app] == heard
    assert [
        ("signal", "listener (request-started)", "returned"),
        ("url_value_preprocessor", "note_values", "returned None"),
        ("before_request", "before", "returned None"),
        ("context_processor", "add_values", "returned a dict"),
        ("view", "view", "returned a str"),
        ("after_this_request", "after_this", "returned a Response with status 200"),
        ("after_request", "after", "returned a Response with status 200"),
        ("teardown_request", "teardown", "returned None"),
        ("teardown_appcontext", "app_teardown", "returned None"),
    ] == notes.calls
    assert 1 == len(notes.of("matched"))


async def give_later() -> str:
    await asyncio.sleep(0)
    return "later"


async def fail_later() -> str:
    await asyncio.sleep(0)
    raise LookupError


@pytest.mark.parametrize(
    ("view", "outcome"),
    [
        (lambda: "x", "returned a str"),
        (lambda: {"x": 1}, "returned a dict"),
        (lambda: ["x"], "returned a list"),
        (lambda: ("x", 201), "returned a tuple"),
        (lambda: Response("x", 202), "returned a Response with status 202"),
        (lambda: (each for each in "ab"), "returned a generator"),
        (lambda: None, "returned None"),
        (lambda: 1, "returned an int"),
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (lambda: abort(403), "raised Forbidden"),
        (give_later, "returned a str"),
        (fail_later, "raised LookupError"),
        (lambda: give_later(), "returned a str"),
    ],
)
@pytest.mark.parametrize("run", ["inline", "thread"])
def test_what_came_of_a_view_is_told(
    app: Groundwire, view: Callable[[], Any], outcome: str, run: str
) -> None:
    app.add_url_rule("/view", "view", view, run=run)

    _, notes = follow(app, "/view")

    assert [outcome] == [told for role, _, told in notes.calls if role == "view"]


def test_a_function_that_fails_is_told_of(app: Groundwire) -> None:
    @app.before_request
    def fail() -> None:
        raise LookupError

    _, notes = follow(app, "/hello")

    assert [("before_request", "fail", "raised LookupError")] == notes.calls
    assert [False] == [each["handled"] for each in notes.of("error")]


def test_an_asynchronous_hook_takes_as_long_as_it_is_awaited(app: Groundwire) -> None:
    @app.before_request
    async def wait() -> None:
        await asyncio.sleep(0.01)

    _, notes = follow(app, "/hello")

    hook = notes.of("called")[0]
    assert "wait" == hook["name"]
    assert hook["ended"] - hook["began"] >= 0.009


def test_a_request_with_content_has_its_rule_told_once(app: Groundwire) -> None:
    app.add_url_rule("/form", "form", lambda: request.get_data(as_text=True), methods=["POST"])

    answer, notes = follow(app, "/form", "POST", content=b"x=1")

    assert b"x=1" == answer.content
    assert 1 == len(notes.of("matched"))


def test_a_stream_is_torn_down_late_and_told_of(app: Groundwire) -> None:
    @app.teardown_request
    def teardown(error: Any) -> None: ...

    @app.get("/stream")
    def stream() -> Any:
        def pieces() -> Iterator[str]:
            yield "a"
            yield request.path

        return stream_with_context(pieces())

    answer, notes = follow(app, "/stream")

    assert b"a/stream" == answer.content
    assert ("teardown_request", "teardown", "returned None") == notes.calls[-1]


def test_a_receiver_that_fails_is_told_of(app: Groundwire) -> None:
    def listener(sender: Any, **_: Any) -> None:
        raise LookupError

    with signals.request_started.connected_to(listener, app):
        _, notes = follow(app, "/hello")

    assert ("signal", "listener (request-started)", "raised LookupError") == notes.calls[0]


def test_a_receiver_of_flashed_messages_is_told_of(app: Groundwire) -> None:
    app.secret_key = "key"
    app.add_url_rule("/flash", "flash", lambda: flash("well done") or "")

    def listener(sender: Any, **_: Any) -> None: ...

    with signals.message_flashed.connected_to(listener, app):
        _, notes = follow(app, "/flash")

    assert ("signal", "listener (message-flashed)", "returned") == notes.calls[0]


def test_a_view_that_is_cancelled_is_told_of(app: Groundwire) -> None:
    async def wait() -> str:
        raise asyncio.CancelledError

    app.add_url_rule("/wait", "wait", wait)
    watched = Followed(app)
    with Wire(watched) as wire:
        wire.send(message("/wait"))

    assert [("view", "wait", "was cancelled")] == watched.notes[0].calls


# Errors


def test_an_error_that_a_handler_took_is_told_with_its_traceback(app: Groundwire) -> None:
    @app.get("/fail")
    def fail() -> str:
        raise LookupError("no such thing")

    @app.errorhandler(LookupError)
    def missing(error: LookupError) -> Any:
        return {"missing": True}, 404, {"X-Missing": "1"}

    answer, notes = follow(app, "/fail")

    assert 404 == answer.status
    [error] = notes.of("error")
    assert error["handled"]
    assert "LookupError: no such thing" in error["traceback"]
    assert 'raise LookupError("no such thing")' in error["traceback"]
    assert ("error_handler", "missing", "returned a tuple") in notes.calls
    assert {"error handler missing": [("X-Missing", "1")]} == notes.fields


def test_an_error_that_nobody_took_is_told_once(app: Groundwire) -> None:
    for run in ("inline", "thread"):
        app.add_url_rule(f"/{run}", run, lambda: {}["x"], run=run)

    for run in ("inline", "thread"):
        answer, notes = follow(app, f"/{run}")
        assert 500 == answer.status
        assert [False] == [each["handled"] for each in notes.of("error")]


def test_an_error_that_a_handler_of_500_took_is_told_as_handled(app: Groundwire) -> None:
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    app.register_error_handler(InternalServerError, lambda error: ("sorry", 500))

    answer, notes = follow(app, "/fail")

    assert b"sorry" == answer.content
    assert [True] == [each["handled"] for each in notes.of("error")]


def test_an_error_that_is_raised_on_is_told(app: Groundwire) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)

    _, notes = follow(app, "/fail")

    assert [False] == [each["handled"] for each in notes.of("error")]


def test_an_error_that_leaves_the_steps_is_told(app: Groundwire) -> None:
    def leave() -> str:
        raise SystemExit

    app.add_url_rule("/leave", "leave", leave)

    answer, notes = follow(app, "/leave")

    assert 500 == answer.status
    assert [False] == [each["handled"] for each in notes.of("error")]


def test_an_exception_that_is_an_answer_is_told(app: Groundwire) -> None:
    app.add_url_rule("/deny", "deny", lambda: abort(403))

    _, notes = follow(app, "/deny")

    assert [True] == [each["handled"] for each in notes.of("error")]


def test_a_path_that_no_rule_takes_is_no_error(app: Groundwire) -> None:
    answer, notes = follow(app, "/nowhere")

    assert 404 == answer.status
    assert [] == notes.of("error") == notes.of("matched")


# Fields


def test_what_each_stage_did_to_the_fields_is_told() -> None:
    app = make_app()
    app.secret_key = "key"

    @app.get("/")
    def index() -> Any:
        session["seen"] = True
        return LONG, {"X-View": "1", "ETag": '"a"', "X-Gone": "1"}

    @app.after_request
    def change(response: Any) -> Any:
        response.headers["X-After"] = "1"
        del response.headers["X-Gone"]
        return response

    answer, notes = follow(app, "/", Accept_Encoding="gzip")

    assert "gzip" == answer.headers["Content-Encoding"]
    assert ["the view", "after_request change", "the session", "content coding"] == list(
        notes.fields
    )
    assert [("X-View", "1"), ("ETag", '"a"'), ("X-Gone", "1")] == notes.fields["the view"]
    after = notes.of("fields")[1]
    assert ([("X-After", "1")], [("X-Gone", "1")]) == (after["added"], after["removed"])
    assert ["Vary", "Set-Cookie"] == [name for name, _ in notes.fields["the session"]]
    coded = dict(notes.fields["content coding"])
    assert ("gzip", 'W/"a"', "Cookie, Accept-Encoding") == (
        coded["Content-Encoding"],
        coded["ETag"],
        coded["Vary"],
    )


def test_the_fields_of_a_response_that_a_hook_gave_are_told(app: Groundwire) -> None:
    app.before_request(lambda: redirect("/login"))

    _, notes = follow(app, "/hello")

    [(by, added)] = notes.fields.items()
    assert by.startswith("before_request <lambda>") or "lambda" in by
    assert ("Location", "/login") in added


def test_fields_that_the_framework_sets_are_told(app: Groundwire) -> None:
    app.add_url_rule("/users/", "users", lambda: "")

    _, page = follow(app, "/nowhere")
    _, options = follow(app, "/hello", "OPTIONS")
    _, moved = follow(app, "/users")

    assert "Content-Type" in dict(page.fields["error page"])
    assert "GET, HEAD, OPTIONS" == dict(options.fields["automatic OPTIONS"])["Allow"]
    assert "http://example.com/users/" == dict(moved.fields["redirect"])["Location"]


# Decisions


@pytest.mark.parametrize(
    ("view", "accepted", "did"),
    [
        (lambda: LONG, "gzip", r"gzip: 1,200 octets became \d+"),
        (lambda: LONG, "zz", r"not coded: the client takes none of .*gzip.*"),
        (
            lambda: Response("x", 201),
            "gzip",
            r"not coded: 1 octets, and up to 500 are not worth it",
        ),
        (lambda: Response(status=204), "gzip", r"not coded: 204 has no content"),
        (
            lambda: Response(bytes(600), mimetype="image/png"),
            "gzip",
            r"not coded: image/png does not get smaller by it, or must not wait",
        ),
        (
            lambda: Response(LONG, headers={"Cache-Control": "no-transform"}),
            "gzip",
            r"not coded: Cache-Control forbids it: no-transform",
        ),
        (
            lambda: Response(LONG, headers={"Content-MD5": "x"}),
            "gzip",
            r"not coded: a digest of these very octets is sent with it",
        ),
        (
            lambda: Response(LONG, headers={"Content-Encoding": "own"}),
            "gzip",
            r"own: the program has coded it",
        ),
        (
            lambda: Response(SHUFFLED, mimetype="text/plain"),
            "gzip",
            r"not coded: it would not have become smaller",
        ),
        (
            lambda: Overriding(LONG),
            "gzip",
            r"not coded: its class changes how it is sent",
        ),
        (
            lambda: (LONG, 200, [("X-A",)]),
            "gzip",
            r"not coded: .* octets, and up to 500 are not worth it",
        ),
        (
            lambda: Response(iter([LONG])),
            "gzip",
            r"gzip: coded piece by piece, as it is streamed",
        ),
        (
            lambda: Response(LONG, 206, {"Content-Range": "bytes 0-1199/2000"}),
            "gzip",
            r"not coded: the octets of a part are counted in what is not coded",
        ),
    ],
)
def test_what_accept_encoding_did_is_told(
    app: Groundwire, view: Callable[[], Any], accepted: str, did: str
) -> None:
    app.add_url_rule("/view", "view", view)

    _, notes = follow(app, "/view", Accept_Encoding=accepted)

    assert re.fullmatch(did, notes.decisions["Accept-Encoding"])


def test_compression_that_is_off_is_the_reason(app: Groundwire) -> None:
    app.config["COMPRESS"] = False
    app.add_url_rule("/view", "view", lambda: LONG)

    _, notes = follow(app, "/view", Accept_Encoding="gzip")

    assert "not coded: COMPRESS is off" == notes.decisions["Accept-Encoding"]


def test_the_form_of_an_error_is_told(app: Groundwire) -> None:
    _, notes = follow(app, "/nowhere", Accept="application/json")

    assert "the error is told as application/problem+json" == notes.decisions["Accept"]


def test_a_kept_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(LONG)
    app = Groundwire("sample", static_folder=str(tmp_path), static_url_path="/static")
    app.logger.disabled = True
    watched = Followed(app)
    with Wire(watched) as wire:
        for _ in range(3):
            wire.send(message("/static/a.txt", Accept_Encoding="gzip")).until_idle()

    for notes in watched.notes:
        assert 1 == len(notes.of("matched"))
        assert ["view"] == [role for role, _, _ in notes.calls]
        assert [] == notes.of("error")


# The same answers


def sample() -> Groundwire:
    app = make_app()
    app.secret_key = "key"

    @app.before_request
    def before() -> Any:
        return "denied" if request.args.get("deny") else None

    @app.after_request
    def after(response: Any) -> Any:
        response.headers["X-After"] = "1"
        return response

    @app.errorhandler(LookupError)
    def missing(error: LookupError) -> Any:
        return "missing", 404

    def stream() -> Any:
        return Response(stream_with_context(iter(["a", LONG, "b"])))

    async def later() -> Any:
        await asyncio.sleep(0)
        return {"later": request.method}

    def remember() -> str:
        session["x"] = 1
        return "kept"

    def conditional() -> Any:
        return Response(LONG, headers={"ETag": '"a"'}).make_conditional(request)

    views: dict[str, Callable[[], Any]] = {
        "text": lambda: "text",
        "long": lambda: LONG,
        "json": lambda: jsonify(a=1),
        "dict": lambda: {"a": 1},
        "tuple": lambda: ("x", 201, {"X-A": "1"}),
        "none": lambda: None,
        "fail": lambda: 1 / 0,
        "lookup": lambda: {}["x"],
        "deny": lambda: abort(403),
        "redirect": lambda: redirect("/text"),
        "stream": stream,
        "later": later,
        "remember": remember,
        "conditional": conditional,
        "content": lambda: request.get_data(),
    }
    for name, view in views.items():
        for run in (None, "inline", "thread"):
            app.add_url_rule(
                f"/{name}/{run}", f"{name}_{run}", view, methods=["GET", "POST"], run=run
            )
    app.add_url_rule("/users/<int:id>/", "users", lambda id: str(id))
    return app


TARGETS = [
    *[
        message(f"/{name}/{run}", Accept_Encoding="gzip")
        for name in ("text", "long", "json", "dict", "tuple", "none", "fail", "lookup", "deny")
        for run in (None, "inline", "thread")
    ],
    *[
        message(f"/{name}/{run}")
        for name in ("redirect", "stream", "later", "remember", "conditional")
        for run in (None, "inline", "thread")
    ],
    message("/conditional/None", If_None_Match='"a"'),
    message("/text/None?deny=1"),
    message("/text/None", "HEAD"),
    message("/text/None", "OPTIONS"),
    message("/text/None", "DELETE"),
    message("/users/7"),
    message("/users/7/"),
    message("/users/x/", Accept="application/json"),
    message("*", "OPTIONS"),
    message("/content/None", "POST", b"some content"),
    message("/content/thread", "POST", b"some content"),
    message("/content/inline", "POST", chunked(b"a", b"b"), Transfer_Encoding="chunked"),
]


def answered(handler: Any, data: bytes) -> bytes:
    with Wire(handler) as wire:
        raw = wire.send(data).until_idle().raw
    return re.sub(rb"(?m)^(Date|Set-Cookie): .*\r$", b"", raw)


def test_the_answers_are_the_same_with_notes_and_without() -> None:
    plain, watched = sample(), Followed(sample())

    for data in TARGETS:
        assert answered(plain, data) == answered(watched, data), data

    assert len(TARGETS) == len(watched.notes)


def debugged() -> Groundwire:
    app = make_app()
    app.debug = True

    class Failing(BaseConverter):
        def to_python(self, value: str) -> Any:
            raise LookupError("no such thing")

    def fail(*_: Any, **__: Any) -> Any:
        raise LookupError("no such thing")

    async def fail_later() -> Any:
        await asyncio.sleep(0)
        raise LookupError("no such thing")

    app.url_map.converters["failing"] = Failing
    for run in ("inline", "thread"):
        app.add_url_rule(f"/fail/{run}", f"fail_{run}", fail, run=run)
        app.add_url_rule(f"/none/{run}", f"none_{run}", lambda: None, run=run)
    # Inline, for a thread that waits for a coroutine may find it ready or not, at another line.
    app.add_url_rule("/later", "later", fail_later, run="inline")
    app.add_url_rule("/plain", "plain", lambda: fail_later(), run="inline")
    app.add_url_rule("/after", "after", lambda: after_this_request(fail) and "")
    app.add_url_rule("/convert/<failing:x>", "convert", fail)
    return app


@pytest.mark.parametrize("hook", [None, "before_request", "after_request"])
def test_tracebacks_are_the_same_with_notes_and_without(hook: str | None) -> None:
    def fail(*_: Any) -> Any:
        raise LookupError("no such thing")

    plain, followed_app = debugged(), debugged()
    for app in (plain, followed_app):
        if hook is not None:
            getattr(app, hook)(fail)
    watched = Followed(followed_app)
    targets = ["fail/inline", "fail/thread", "none/inline", "none/thread", "later", "plain"]

    for target in [*targets, "after", "convert/1"]:
        data = message(f"/{target}").replace(b"example.com", b"localhost")
        page = answered(plain, data)
        assert page == answered(watched, data), target
        assert b"500 Internal" in page
        assert b"LookupError" in page or b"TypeError" in page or b"ValueError" in page
        assert [False] == [each["handled"] for each in watched.notes[-1].of("error")]


def test_an_app_that_is_followed_answers_who_takes_no_notes(app: Groundwire) -> None:
    app.add_url_rule("/later", "later", give_later)
    app.begin_tracing()
    app.begin_tracing()

    assert b"later" == fetch(app, "/later").content
    assert b"Hello, World!" == fetch(app, "/hello").content
    assert "Hello, World!" == app.test_client().get("/hello").text


def test_watching_finds_out_the_same(app: Groundwire) -> None:
    """Notes may take locks and read files; an endpoint must not go to threads for that."""

    class Waiting(Notes):
        def note(self, kind: str, /, **facts: Any) -> None:
            with open(HERE, "rb") as file:
                file.read(1)
            super().note(kind, **facts)

    app.add_url_rule("/missing", "missing", lambda: abort(404))
    app.add_url_rule("/waits", "waits", lambda: open(HERE, "rb").close() or "")
    watched = Followed(app, Waiting)

    for target in ("/hello", "/missing", "/waits"):
        fetch_often(watched, target, 40)

    reasons = {name: each.reason for name, each in app.plans.executions.items()}
    assert "it called io.open" == reasons["waits"]
    assert "it called" not in reasons["hello"] + reasons["missing"]


# An app that is not followed


def opcodes_of(call: Callable[[], Any]) -> int:
    """Count the instructions of Groundwire's own code that `call` runs."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        if "groundwire" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
        return trace

    before = sys.gettrace()
    context = contextvars.copy_context()
    sys.settrace(trace)
    try:
        context.run(call)
    finally:
        sys.settrace(before)
    return count


def test_an_app_that_is_not_followed_runs_not_one_instruction_more() -> None:
    app, other = make_app(), make_app()

    def hello() -> str:
        return "Hello"

    for each in (app, other):
        each.add_url_rule("/hello", "hello", hello, run="inline")
        fetch_often(each, "/hello", 2)
    reader = RequestReader()
    reader.receive(message("/hello"))
    request = app.request_class.from_wire(reader.next_head(), None)
    handle = type(app).handle
    before = opcodes_of(lambda: handle(app, request))

    other.begin_tracing()

    assert before == opcodes_of(lambda: handle(app, request)) > 0
    assert app.plans.literal["GET", "/hello"].view is hello
    assert "match" not in vars(app)
    assert app.plans.ways is type(app.plans).ways
    assert other.plans.ways is not type(app.plans).ways
