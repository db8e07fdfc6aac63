"""A request leaves nothing to the garbage collector, whatever became of it: its memory is free when it is over.

A circle of references keeps a request, and all that came with it, until the collector happens to look.
"""

import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from fetching import make_app
from groundwire import (
    Groundwire,
    Response,
    abort,
    flash,
    get_flashed_messages,
    redirect,
    request,
    session,
)
from groundwire.app.sessions import SecureCookieSessionInterface
from wire import Wire
from wire import request as wire_request

REQUESTS = 20


def app() -> Groundwire:
    app = make_app()

    @app.route("/text")
    def text() -> str:
        return "x"

    @app.route("/one/<int:number>")
    def one(number: int) -> str:
        return str(number)

    @app.route("/abort")
    def stop() -> str:
        try:
            raise KeyError("first")
        except KeyError:
            abort(404)

    @app.route("/json", methods=["POST"])
    def parsed() -> Any:
        return {"json": request.get_json()}

    @app.route("/form", methods=["POST"])
    def form() -> str:
        return str(request.form)

    @app.route("/data", methods=["POST"])
    def data() -> str:
        return str(len(request.get_data()))

    @app.route("/pieces")
    def pieces() -> Response:
        return Response(iter(["a", "b"]))

    @app.route("/generator")
    def generator() -> Response:
        def made() -> Iterator[str]:
            yield "a"
            yield "b"

        return Response(made())

    @app.route("/task")
    async def task() -> str:
        return "x"

    @app.route("/fields")
    def fields() -> Response:
        repr(
            (
                request.cookies,
                request.args,
                request.accept_mimetypes,
                request.range,
                request.if_none_match,
            )
        )
        response = Response("x")
        response.set_cookie("a", "b")
        return response

    @app.route("/redirect")
    def elsewhere() -> Any:
        return redirect("/text")

    app.secret_key = "a key of these tests alone"

    @app.route("/session")
    def remembered() -> str:
        session["count"] = session.get("count", 0) + 1
        session.permanent = True
        flash("counted")
        return str(get_flashed_messages())

    return app


with app().app_context() as context:
    SESSION = (
        SecureCookieSessionInterface()
        .get_signing_serializer(context.app)
        .dumps(  # type: ignore[union-attr]
            {"_permanent": True}
        )
    )
JSON = {"Content_Type": "application/json"}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
CHUNKED = b"3\r\na=b\r\n0\r\n\r\n"

MESSAGES = {
    "a text": wire_request("/text"),
    "a parameter": wire_request("/one/1"),
    "not found": wire_request("/none"),
    "not a number": wire_request("/one/x"),
    "not with this method": wire_request("/form"),
    "aborted": wire_request("/abort"),
    "options": wire_request("/text", "OPTIONS"),
    "head": wire_request("/text", "HEAD"),
    "JSON": wire_request("/json", "POST", b"[1]", **JSON),
    "bad JSON": wire_request("/json", "POST", b"[", **JSON),
    "a form": wire_request("/form", "POST", b"a=b", **FORM),
    "data": wire_request("/data", "POST", b"a=b"),
    "chunks": wire_request("/data", "POST", None, Transfer_Encoding="chunked") + CHUNKED,
    "pieces": wire_request("/pieces"),
    "a generator": wire_request("/generator"),
    "a task": wire_request("/task"),
    "fields": wire_request("/fields", Cookie="a=b"),
    "a redirect": wire_request("/redirect"),
    "a session": wire_request("/session"),
    "a forged session": wire_request("/session", Cookie="session=eyJfcGVybWFuZW50Ijp0cnVlfQ.a.b"),
    "a session refreshed": wire_request("/text", Cookie=f"session={SESSION}"),
}


IN_THREADS = ("a text", "data", "a generator", "a session")


@pytest.mark.parametrize("name", IN_THREADS)
def test_a_request_in_a_thread_leaves_no_circle(name: str) -> None:
    leave_no_circle(MESSAGES[name], inline="never")


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_request_leaves_no_circle(message: bytes) -> None:
    leave_no_circle(message)


def leave_no_circle(message: bytes, inline: str = "watch") -> None:
    handler = app()
    handler.config["INLINE"] = inline
    with Wire(handler) as wire:
        for _ in range(60):  # until its endpoint runs where it will
            wire.send(message).until_idle()
        gc.collect()
        gc.disable()
        try:
            for _ in range(REQUESTS):
                wire.send(message).until_idle()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            left = Counter(type(thing).__name__ for thing in gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()

    # Fewer than one for each request: what a thread or the loop leaves now and then is not the request's.
    assert {name: number for name, number in left.items() if number >= REQUESTS} == {}
