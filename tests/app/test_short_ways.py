"""What is answered in fewer steps is answered as by all of them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from fetching import fetch, fetch_often, make_app
from groundwire import Groundwire, Response, abort, after_this_request, request
from groundwire.app.json_provider import DefaultJSONProvider
from wire import Wire

BIG = {"text": "x" * 2000}


def make(**config: Any) -> Groundwire:
    app = Groundwire(__name__, static_folder=None)
    app.config.update(INLINE="always", **config)

    @app.post("/echo")
    def echo() -> Any:
        return request.get_json(force=True)

    @app.post("/small", endpoint="small", max_content_length=4)
    def small() -> str:
        return request.get_data(as_text=True)

    @app.post("/narrow")
    def narrow() -> str:
        request.max_content_length = 4
        return request.get_data(as_text=True)

    @app.get("/dict")
    def dictionary() -> dict[str, Any]:
        return {"b": 1, "a": [None, "ä"]}

    @app.get("/list")
    def listed() -> list[int]:
        return [1, 2]

    @app.get("/big")
    def big() -> dict[str, str]:
        return BIG

    @app.get("/users/<int(max=5):user_id>")
    def user(user_id: int) -> str:
        return f"user {user_id}"

    return app


def ask(app: Any, target: str, content: bytes | None = None, *lines: str) -> Any:
    """Send one request on a connection of its own, all at once; return its answer."""
    with Wire(app) as wire:
        method = "GET" if content is None else "POST"
        length = () if content is None else (f"Content-Length: {len(content)}",)
        head = "\r\n".join(
            [f"{method} {target} HTTP/1.1", "Host: localhost", *length, *lines, "", ""]
        )
        wire.send(head.encode() + (content or b"")).until_idle()
        return wire.answers(method)[-1]


# Content for a path that is known


def test_content_for_a_known_path_is_read_as_the_first_time() -> None:
    app = make()

    assert [ask(app, "/echo", b"[1]").content for _ in range(3)] == [b"[1]\n"] * 3
    assert ("POST", "/echo") in app.plans.literal


@pytest.mark.parametrize("path", ["/small", "/narrow"])
def test_limits_of_the_route_and_of_the_view_hold_each_time(path: str) -> None:
    app = make()

    assert [ask(app, path, b"1234").status for _ in range(3)] == [200] * 3
    assert [ask(app, path, b"12345").status for _ in range(3)] == [413] * 3


def test_a_changed_limit_holds_at_once() -> None:
    app = make()
    ask(app, "/echo", b"[1]")
    app.config["MAX_CONTENT_LENGTH"] = 2
    assert ask(app, "/echo", b"[1]").status == 413
    app.config["MAX_CONTENT_LENGTH"] = None
    assert ask(app, "/echo", b"[1]").status == 200


def test_expectations_are_looked_at_each_time() -> None:
    app = make()
    ask(app, "/echo", b"[1]")

    assert ask(app, "/echo", b"[1]", "Expect: 100-continue").status == 200
    with Wire(app) as wire:
        head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: %s\r\n\r\n"
        wire.send(head % b"100-continue").settle()
        assert wire.raw.startswith(b"HTTP/1.1 100 Continue\r\n")
        wire.send(b"[1]").until_idle()
        assert wire.raw.endswith(b"\r\n\r\n[1]\n")


def test_hooks_that_come_later_are_called() -> None:
    app = make()
    ask(app, "/echo", b"[1]")
    app._got_first_request = False
    app.before_request(lambda: ("no", 403))

    answer = ask(app, "/echo", b"[1]")
    assert (answer.status, answer.content) == (403, b"no")


def test_content_in_pieces_is_as_content_whole() -> None:
    app = make()
    for _ in range(2):
        with Wire(app) as wire:
            wire.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n[")
            wire.send(b"1]").until_idle()
            assert wire.answers("POST")[0].content == b"[1]\n"


# What a view returns


@pytest.mark.parametrize(
    ("target", "content"),
    [("/dict", b'{"a":[null,"\\u00e4"],"b":1}\n'), ("/list", b"[1,2]\n")],
)
def test_dicts_and_lists_are_json(target: str, content: bytes) -> None:
    app = make()

    for _ in range(2):
        answer = ask(app, target)
        assert answer.content == content
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Content-Length"] == str(len(content))


def test_json_is_compressed_where_it_is_worth_it() -> None:
    app = make()

    for _ in range(2):
        answer = ask(app, "/big", None, "Accept-Encoding: gzip")
        assert answer.headers["Content-Encoding"] == "gzip"
        assert json.loads(ask(app, "/big").content) == BIG


def test_functions_for_this_request_are_called() -> None:
    app = make()

    def later() -> dict[str, int]:
        @after_this_request
        def add(response: Any) -> Any:
            response.headers["X-Added"] = "1"
            return response

        return {"a": 1}

    app.view_functions["dictionary"] = later

    assert [ask(app, "/dict").headers["X-Added"] for _ in range(2)] == ["1"] * 2


def test_a_response_class_with_a_constructor_of_its_own_has_it_called() -> None:
    class Own(Response):
        default_mimetype = None

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.headers["X-Own"] = "1"

    app = make()
    app.response_class = Own

    for target in ("/dict", "/users/1"):
        answers = [ask(app, target) for _ in range(2)]
        assert [answer.headers["X-Own"] for answer in answers] == ["1"] * 2
    assert ask(app, "/dict").headers["Content-Type"] == "application/json"


def test_a_default_status_is_that_of_json_too() -> None:
    class Teapot(Response):
        default_status = 418

    app = make()
    app.response_class = Teapot

    assert [ask(app, "/dict").status for _ in range(2)] == [418] * 2


def test_a_provider_of_json_is_asked_each_time() -> None:
    class Own(DefaultJSONProvider):
        mimetype = "application/vnd.own+json"

        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return "own"

    app = make()
    ask(app, "/dict")
    app.json = Own(app)

    answer = ask(app, "/dict")
    assert answer.content == b"own\n"
    assert answer.headers["Content-Type"] == "application/vnd.own+json"


def test_in_debug_mode_json_is_indented() -> None:
    app = make(DEBUG=True)

    assert ask(app, "/list").content == b"[\n  1,\n  2\n]\n"
    app.json.compact = True
    assert ask(app, "/list").content == b"[1,2]\n"


def test_what_cannot_be_json_is_an_error() -> None:
    app = make(PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True
    app.view_functions["dictionary"] = lambda: {"a": object()}

    assert [ask(app, "/dict").status for _ in range(2)] == [500] * 2


# Parameters


def test_a_parameter_that_its_converter_refuses_is_not_found() -> None:
    app = make()

    assert [ask(app, f"/users/{number}").status for number in (5, 6, 5, 6)] == [200, 404, 200, 404]


def test_of_two_rules_the_literal_one_goes_first() -> None:
    app = make()
    app.add_url_rule("/users/<name>", "named", lambda name: f"named {name}")
    app.add_url_rule("/users/me", "me", lambda: "me")

    for _ in range(2):
        assert ask(app, "/users/me").content == b"me"
        assert ask(app, "/users/ann").content == b"named ann"
        assert ask(app, "/users/4").content == b"user 4"


# --- coroutines without hooks


WAITS = pytest.mark.parametrize("turns", [0, 1], ids=["at once", "later"])


def coroutine_app(turns: int, answer: Callable[[], Any], **config: Any) -> Groundwire:
    app = make_app(**config)

    @app.route("/")
    async def view() -> Any:
        for _ in range(turns):
            await asyncio.sleep(0)
        return answer()

    return app


@WAITS
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", (200, b"text")),
        ({"a": 1}, (200, b'{"a":1}\n')),
        (("made", 201), (201, b"made")),
        (b"bytes", (200, b"bytes")),
    ],
)
def test_coroutine_view_answers_as_a_plain_one(turns: int, value: Any, expected: Any) -> None:
    app = coroutine_app(turns, lambda: value)

    answers = fetch_often(app, "/", 3)

    assert [expected] * 3 == [(answer.status, answer.content) for answer in answers]


@WAITS
def test_coroutine_view_that_raises_is_answered_as_a_plain_one(turns: int) -> None:
    missing = coroutine_app(turns, lambda: abort(404))
    broken = coroutine_app(turns, lambda: 1 / 0)
    handled = coroutine_app(turns, lambda: 1 / 0)

    @handled.errorhandler(ZeroDivisionError)
    async def sorry(_: ZeroDivisionError) -> tuple[str, int]:
        await asyncio.sleep(0)
        return "sorry", 418

    assert [404, 500, 418] == [fetch(app).status for app in (missing, broken, handled)]


@WAITS
def test_coroutine_view_that_returns_nothing_or_a_coroutine_is_refused(turns: int) -> None:
    async def another() -> str:
        return "another"

    coroutine = another()
    for value in (None, coroutine):
        assert 500 == fetch(coroutine_app(turns, lambda value=value: value)).status
    coroutine.close()


@WAITS
def test_what_a_coroutine_view_asked_for_runs_after_it(turns: int) -> None:
    async def mark(response: Response) -> Response:
        await asyncio.sleep(0)
        response.headers["X-Marked"] = "yes"
        return response

    def answer() -> str:
        after_this_request(mark)
        return "marked"

    response = fetch(coroutine_app(turns, answer))

    assert (b"marked", "yes") == (response.content, response.headers["X-Marked"])


def test_coroutine_view_is_cancelled_when_the_client_goes_away() -> None:
    app = make_app()
    events: list[str] = []

    @app.route("/")
    async def view() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            events.append("ended")
        return "never"

    with Wire(app) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.connection.connection_lost(None)
        wire.settle()

        assert ["ended"] == events
