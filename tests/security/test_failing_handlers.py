"""However a view fails, its client learns that it did, everybody else is served, and nothing stays open."""

import asyncio
import http.client
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from fetching import make_app
from groundwire import Groundwire, Response, abort, after_this_request
from groundwire.http.errors import HTTPException
from serving import SECONDS, Served, running_server


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class BrokenAnswer(HTTPException):
    code = 418

    def get_response(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("not even this")


class Ending(BaseException):
    pass


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


def raising(error: BaseException | type[BaseException]) -> Callable[[], Any]:
    def view() -> Any:
        raise error

    return view


def exhausted() -> Any:
    return next(iter(()))


def out_of_memory() -> Any:
    return bytearray(1 << 62)


def unsupported() -> Any:
    return object()


def nothing() -> Any:
    return None


def bad_tuple() -> Any:
    return "x", 200, "not headers", "too long"


def bad_status() -> Any:
    return "x", 99_999


def bad_json() -> Any:
    return {"key": object()}


def failing_after() -> Any:
    @after_this_request
    def fail(response: Response) -> Response:
        raise RuntimeError("after the view")

    return "x"


BEFORE: dict[str, Callable[[], Any]] = {
    "exception": raising(RuntimeError("asked")),
    "exception without words": raising(Unprintable),
    "an answer that fails": raising(BrokenAnswer()),
    "base exception": raising(Ending),
    "system exit": raising(SystemExit(3)),
    "keyboard interrupt": raising(KeyboardInterrupt),
    "generator exit": raising(GeneratorExit),
    "recursion": recurse,
    "memory": out_of_memory,
    "stop iteration": exhausted,
    "group": raising(ExceptionGroup("two", [ValueError("1"), KeyError("2")])),
    "nothing returned": nothing,
    "an object returned": unsupported,
    "a bad tuple": bad_tuple,
    "a bad status": bad_status,
    "bad JSON": bad_json,
    "after the view": failing_after,
}


class Watched:
    """An iterator that notes whether it was closed, and fails at its third step."""

    closed: list[str] = []

    def __init__(self, error: type[BaseException]) -> None:
        self.steps = 0
        self.error = error

    def __iter__(self) -> "Watched":
        return self

    def __next__(self) -> str:
        self.steps += 1
        if self.steps == 3:
            raise self.error
        return "piece"

    def close(self) -> None:
        self.closed.append(self.error.__name__)


def app() -> Groundwire:
    app = make_app()

    for number, view in enumerate(BEFORE.values()):
        app.add_url_rule(f"/thread/{number}", f"t{number}", view, run="thread")
        app.add_url_rule(f"/inline/{number}", f"i{number}", view, run="inline")

        def task(view: Callable[[], Any] = view) -> Callable[[], Any]:
            async def coroutine() -> Any:
                await asyncio.sleep(0)
                return view()

            return coroutine

        app.add_url_rule(f"/task/{number}", f"a{number}", task())

    @app.route("/ok")
    def ok() -> str:
        return "ok"

    @app.route("/generator/<name>")
    def generator(name: str) -> Response:
        def pieces() -> Iterator[str]:
            try:
                yield "piece"
                yield "piece"
                raise ERRORS[name]
            finally:
                Watched.closed.append(name)

        return Response(pieces())

    @app.route("/async-generator/<name>")
    async def async_generator(name: str) -> Response:
        async def pieces() -> AsyncIterator[str]:
            try:
                yield "piece"
                await asyncio.sleep(0)
                yield "piece"
                raise ERRORS[name]
            finally:
                Watched.closed.append(name)

        return Response(pieces())

    @app.route("/iterator/<name>")
    def iterator(name: str) -> Response:
        response = Response(Watched(ERRORS[name]))
        response.call_on_close(lambda: Watched.closed.append("response"))
        return response

    @app.route("/length/<name>")
    def with_length(name: str) -> Response:
        return Response(Watched(ERRORS[name]), headers={"Content-Length": "100"})

    @app.route("/odd")
    def odd() -> Response:
        return Response(iter(["piece", "piece", 5]))  # type: ignore[list-item]

    return app


ERRORS: dict[str, type[BaseException]] = {
    error.__name__: error
    for error in (
        RuntimeError,
        Ending,
        SystemExit,
        KeyboardInterrupt,
        RecursionError,
        MemoryError,
        GeneratorExit,
        Unprintable,
    )
}


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def served(request: Any) -> Iterator[Served]:
    with running_server(app(), loop=request.param) as served:
        yield served


@pytest.fixture(autouse=True)
def everybody_else_is_served(served: Served) -> Iterator[None]:
    yield
    assert served.exchange(b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").endswith(
        b"\r\n\r\nok"
    )
    assert served.thread.is_alive()


@pytest.mark.parametrize("where", ["thread", "inline", "task"])
@pytest.mark.parametrize("number", range(len(BEFORE)), ids=BEFORE)
def test_a_view_that_fails_is_answered_500(served: Served, where: str, number: int) -> None:
    connection = http.client.HTTPConnection(*served, timeout=SECONDS)
    for _ in range(2):  # twice: the connection goes on, or a new one is made
        connection.request("GET", f"/{where}/{number}")
        response = connection.getresponse()
        content = response.read()
        assert 500 == response.status
        assert b"Traceback" not in content
    connection.close()


def broken_off(served: Served, target: str, version: str = "1.1") -> bytes:
    """Return what came until the connection was cut; the server must not have ended it in an orderly way."""
    received = b""
    with served.connect() as client:
        client.sendall(f"GET {target} HTTP/{version}\r\nHost: a\r\n\r\n".encode())
        try:
            while piece := client.recv(65536):
                received += piece
        except ConnectionResetError:
            return received
    if b"chunked" in received:
        assert not received.endswith(b"0\r\n\r\n"), "ended as if it were whole"
    return received


@pytest.mark.parametrize("kind", ["generator", "async-generator", "iterator", "length"])
@pytest.mark.parametrize("name", ERRORS)
def test_a_response_that_breaks_off_is_not_ended_as_if_it_were_whole(
    served: Served, kind: str, name: str
) -> None:
    Watched.closed.clear()

    received = broken_off(served, f"/{kind}/{name}")

    assert received.startswith(b"HTTP/1.1 200 ") or not received
    assert b"\r\n0\r\n\r\n" not in received
    assert received.count(b"HTTP/1.1 ") <= 1
    deadline = time.monotonic() + SECONDS
    while name not in Watched.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert name in Watched.closed
    if kind == "iterator":
        while "response" not in Watched.closed and time.monotonic() < deadline:
            time.sleep(0.01)
        assert 1 == Watched.closed.count("response")


def test_a_piece_that_cannot_be_sent_breaks_off(served: Served) -> None:
    received = broken_off(served, "/odd")

    assert b"\r\n0\r\n\r\n" not in received


def test_hooks_and_handlers_that_fail_are_answered_500() -> None:
    app = make_app()
    failing: set[str] = set()

    def maybe(name: str) -> None:
        if name in failing:
            raise RuntimeError(name)

    @app.before_request
    def before() -> None:
        maybe("before")

    @app.after_request
    def after(response: Response) -> Response:
        maybe("after")
        return response

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        maybe("teardown")

    @app.errorhandler(404)
    def missing(error: Exception) -> str:
        maybe("handler")
        return "missing"

    @app.errorhandler(500)
    def failed(error: Exception) -> Any:
        maybe("handler of 500")
        return "failed", 500

    @app.route("/")
    def view() -> str:
        maybe("view")
        return "fine"

    @app.route("/abort")
    def stop() -> str:
        abort(404)

    with running_server(app) as served:
        for names, target in [
            (("before",), "/"),
            (("after",), "/"),
            (("view",), "/"),
            (("handler",), "/abort"),
            (("view", "handler of 500"), "/"),
            (("view", "after"), "/"),
            (("before", "after", "handler of 500"), "/none"),
        ]:
            failing.clear()
            failing.update(names)
            connection = http.client.HTTPConnection(*served, timeout=SECONDS)
            connection.request("GET", target)
            assert 500 == connection.getresponse().status, names
            connection.close()
        failing.clear()
        connection = http.client.HTTPConnection(*served, timeout=SECONDS)
        connection.request("GET", "/")
        assert b"fine" == connection.getresponse().read()
        connection.close()


def test_no_thread_is_left_over() -> None:
    before = threading.active_count()
    with running_server(app()) as served:
        for number in range(len(BEFORE)):
            served.exchange(
                f"GET /thread/{number} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
            )
    deadline = time.monotonic() + SECONDS
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)

    assert threading.active_count() <= before
