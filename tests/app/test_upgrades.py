"""Requests that ask for another protocol: which rules they are for, where they run, and that HTTP goes on."""

import threading

import pytest

from fetching import fetch, make_app
from groundwire import Groundwire, request
from wire import Wire, chunked
from wire import request as message

WEBSOCKET = {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"}
H2C = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}


def both_kinds() -> Groundwire:
    app = make_app()
    app.config["INLINE"] = "always"
    app.add_url_rule("/", "page", lambda: "page")
    app.add_url_rule("/", "socket", lambda: "socket", websocket=True)
    app.add_url_rule("/page", "page")
    app.add_url_rule("/socket", "socket", websocket=True)
    app.add_url_rule("/socket/<name>", "named", lambda name: f"socket {name}", websocket=True)
    return app


@pytest.mark.parametrize(
    ("target", "fields", "status", "content"),
    [
        ("/", {}, 200, b"page"),
        ("/", WEBSOCKET, 200, b"socket"),
        ("/page", {}, 200, b"page"),
        ("/page", WEBSOCKET, 400, None),
        ("/socket", {}, 400, None),
        ("/socket", WEBSOCKET, 200, b"socket"),
        ("/socket/x", {}, 400, None),
        ("/socket/x", WEBSOCKET, 200, b"socket x"),
        ("/", H2C, 200, b"page"),
        ("/page", {"Upgrade": "websocket"}, 200, b"page"),
        ("/nowhere", WEBSOCKET, 404, None),
    ],
)
def test_rules_for_websockets_are_for_nothing_else(
    target: str, fields: dict[str, str], status: int, content: bytes | None
) -> None:
    app = both_kinds()
    for _ in range(3):  # the first finds the plan, the others may take the short way
        found = fetch(app, target, **fields)
        assert status == found.status
        assert content in (None, found.content)


def test_the_same_is_found_below_middleware() -> None:
    app = both_kinds()
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner(environ, start)  # type: ignore[method-assign]

    assert [b"page", b"socket"] == [fetch(app).content, fetch(app, **WEBSOCKET).content]
    assert 400 == fetch(app, "/page", **WEBSOCKET).status


def test_an_upgrade_that_nobody_takes_up_leaves_http_as_it_is() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: request.get_data() or "none", methods=["GET", "POST"])

    with Wire(app) as wire:
        wire.send(
            message("/", **H2C)
            + message("/", "POST", b"content", **H2C)
            + message("/", "POST", Transfer_Encoding="chunked", **H2C)
            + chunked(b"chunks")
            + message("/")
        )
        answers = wire.until_idle().answers()

    assert [b"none", b"content", b"chunks", b"none"] == [found.content for found in answers]


def test_what_asks_for_an_upgrade_runs_in_a_thread_that_could_take_it_up() -> None:
    app = make_app()
    app.config["INLINE"] = "always"
    app.add_url_rule("/", "view", lambda: threading.current_thread().name)

    @app.route("/async")
    async def in_a_coroutine() -> str:
        return threading.current_thread().name

    here = threading.current_thread().name.encode()
    assert here == fetch(app).content == fetch(app, "/async").content
    assert fetch(app, **H2C).content.startswith(b"groundwire-")
    assert here == fetch(app, "/async", **H2C).content == fetch(app).content


def test_rules_for_websockets_always_run_in_threads_unwatched() -> None:
    app = make_app()
    app.add_url_rule("/", "socket", lambda: "", websocket=True)

    fetch(app, **WEBSOCKET)

    execution = app.plans.executions["socket"]
    assert ("thread", "it serves WebSockets") == (execution.mode, execution.reason)


def test_a_url_for_a_websocket_has_its_scheme() -> None:
    app = both_kinds()
    seen: list[str] = []
    app.before_request(lambda: seen.append(app.url_for("socket", _external=True)))

    fetch(app, "/socket", **WEBSOCKET)

    assert ["ws://example.com/"] == seen
