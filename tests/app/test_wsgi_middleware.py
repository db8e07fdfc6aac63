"""WSGI middleware in front of an application, on our own server: what it is told, and what it may change."""

import asyncio
import io
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import pytest

from fetching import make_app
from groundwire import (
    Groundwire,
    Response,
    current_app,
    g,
    has_app_context,
    has_request_context,
    redirect,
    request,
    url_for,
)
from groundwire.adapters.dispatcher import DispatcherMiddleware
from groundwire.adapters.proxy_fix import ProxyFix
from serving import SECONDS, everything, running_server
from wire import Answer, Wire, chunked
from wire import request as message

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGI = Callable[[Environ, StartResponse], Iterable[bytes]]


def put_in_front(app: Groundwire, middleware: Callable[[WSGI], WSGI]) -> None:
    app.wsgi_app = middleware(app.wsgi_app)  # type: ignore[method-assign]


def answer(app: Any, sent: bytes) -> Answer:
    with Wire(app) as wire:
        (found,) = wire.send(sent).until_idle().answers(sent.split(b" ")[0].decode())
        return found


def test_coroutines_behind_middleware_run_on_the_servers_loop() -> None:
    app = make_app()

    @app.before_request
    async def hook() -> None:
        g.loop = asyncio.get_running_loop()

    @app.route("/")
    async def view() -> str:
        await asyncio.sleep(0)
        assert asyncio.get_running_loop() is g.loop
        return str(id(g.loop))

    with Wire(app) as wire:
        wire.send(message("/")).until_idle()
        put_in_front(app, lambda inner: lambda *args: inner(*args))
        wire.send(message("/")).until_idle()
        first, second = wire.answers()

    assert (200, first.content) == (second.status, second.content)


def in_chunks(target: str, *pieces: bytes) -> bytes:
    return message(target, "POST", Transfer_Encoding="chunked") + chunked(*pieces)


# What middleware and application tell each other.


def test_what_middleware_changes_in_the_environ_is_what_the_view_sees() -> None:
    app = make_app()

    @app.route("/moved/<name>")
    def view(name: str) -> list[Any]:
        return [
            name,
            request.method,
            request.headers["X-Added"],
            request.remote_user,
            request.environ["own"],
            request.args["q"],
            request.url,
        ]

    def changing(inner: WSGI) -> WSGI:
        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            environ["PATH_INFO"] = "/moved/there"
            environ["REQUEST_METHOD"] = "GET"
            environ["HTTP_X_ADDED"] = "yes"
            environ["REMOTE_USER"] = "ada"
            environ["QUERY_STRING"] = "q=1"
            environ["own"] = ["any", "object"]
            return inner(environ, start_response)

        return application

    put_in_front(app, changing)

    assert [
        *("there", "GET", "yes", "ada", ["any", "object"], "1"),
        "http://example.com/moved/there?q=1",
    ] == __import__("json").loads(answer(app, message("/here", "POST", b"x")).content)


def test_what_the_view_puts_into_the_environ_reaches_the_middleware() -> None:
    app = make_app()
    seen: list[Any] = []

    @app.route("/")
    def view() -> str:
        request.environ["from.view"] = request.path
        return ""

    def looking(inner: WSGI) -> WSGI:
        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            result = inner(environ, start_response)
            seen.append(environ.get("from.view"))
            return result

        return application

    put_in_front(app, looking)
    answer(app, message("/"))

    assert ["/"] == seen


def test_middleware_changes_status_fields_and_content() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "content")

    def changing(inner: WSGI) -> WSGI:
        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            def start(status: str, fields: list[tuple[str, str]], *error: Any) -> Any:
                fields = [field for field in fields if field[0] != "Content-Length"]
                return start_response("299 As It Likes", [*fields, ("X-Two", "2")], *error)

            return [piece.upper() for piece in inner(environ, start)]

        return application

    put_in_front(app, changing)
    found = answer(app, message("/"))

    assert (299, "As It Likes", b"CONTENT", "2") == (
        *(found.status, found.reason, found.content),
        found.headers["X-Two"],
    )


def test_middleware_answers_itself() -> None:
    app = make_app()
    called: list[Any] = []
    app.before_request(lambda: called.append(True))
    put_in_front(app, lambda inner: Response("closed today", 503, {"Retry-After": "9"}))

    found = answer(app, message("/"))

    assert (503, b"closed today", "9") == (
        *(found.status, found.content),
        found.headers["Retry-After"],
    )
    assert [] == called


def test_contexts_are_there_in_the_application_only() -> None:
    app = make_app()
    seen: list[Any] = []

    @app.route("/")
    def view() -> str:
        seen.append((has_request_context(), has_app_context(), current_app == app, "x" in g))
        g.x = 1
        return ""

    app.teardown_request(lambda error: seen.append("request"))
    app.teardown_appcontext(lambda error: seen.append("app"))

    def looking(inner: WSGI) -> WSGI:
        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            seen.append((has_request_context(), has_app_context()))
            result = inner(environ, start_response)
            seen.append((has_request_context(), has_app_context()))
            return result

        return application

    put_in_front(app, looking)
    answer(app, message("/"))
    outside, inside = (False, False), (True, True, True, False)

    assert [outside, inside, "request", "app", outside] == seen


# Content of requests.


@pytest.mark.parametrize("form", ["length", "chunked"])
def test_middleware_reads_content_before_the_application(form: str) -> None:
    app = make_app()
    seen: list[bytes] = []
    app.add_url_rule("/", "view", lambda: request.get_data() or b"nothing", methods=["POST"])

    def reading(inner: WSGI) -> WSGI:
        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            seen.append(environ["wsgi.input"].read())
            if environ["QUERY_STRING"] == "back":
                environ["wsgi.input"] = io.BytesIO(seen[-1])
                environ["CONTENT_LENGTH"] = str(len(seen[-1]))
            return inner(environ, start_response)

        return application

    put_in_front(app, reading)
    for target, expected in (("/", b"nothing"), ("/?back", b"content")):
        sent = (
            message(target, "POST", b"content")
            if form == "length"
            else in_chunks(target, b"con", b"tent")
        )
        assert expected == answer(app, sent).content
    assert [b"content", b"content"] == seen


def test_middleware_may_read_lines_and_parts_and_the_application_the_rest() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: request.stream.read(), methods=["POST"])
    seen: list[Any] = []

    def reading(inner: WSGI) -> WSGI:
        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            stream = environ["wsgi.input"]
            seen.extend([stream.readline(), stream.read(2), next(iter(stream))])
            return inner(environ, start_response)

        return application

    put_in_front(app, reading)
    found = answer(app, message("/", "POST", b"one\ntwo\nthree\nfour"))

    assert [b"one\n", b"tw", b"o\n"] == seen
    assert b"three\nfour" == found.content


def test_content_that_nobody_reads_leaves_the_connection_in_order() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "unread", methods=["GET", "POST"])
    put_in_front(app, lambda inner: inner)

    with Wire(app) as wire:
        answers = wire.send(message("/", "POST", b"x" * 5000), message("/")).until_idle().answers()

    assert [b"unread", b"unread"] == [found.content for found in answers]


def test_too_much_content_is_413_below_middleware() -> None:
    app = make_app()
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.add_url_rule("/", "view", lambda: request.get_data(), methods=["POST"])
    put_in_front(app, lambda inner: inner)

    assert 413 == answer(app, message("/", "POST", b"x" * 11)).status
    assert 413 == answer(app, in_chunks("/", b"x" * 6, b"x" * 6)).status


# The ways of WSGI.


def test_write_comes_before_what_is_returned() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"one,")
        write(b"two,")
        return [b"three"]

    app = make_app()
    put_in_front(app, lambda inner: application)

    assert b"one,two,three" == answer(app, message("/")).content


def test_write_within_a_generator_keeps_its_place() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"1")
        yield b"2"
        write(b"3")
        yield b"4"
        write(b"5")

    app = make_app()
    put_in_front(app, lambda inner: application)

    assert b"12345" == answer(app, message("/")).content


def test_an_error_before_any_content_replaces_what_was_started() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("X-First", "1")])
        try:
            raise LookupError("before the first byte")
        except LookupError:
            start_response("502 Replaced", [("X-Second", "2")], sys.exc_info())
        return [b"instead"]

    app = make_app()
    put_in_front(app, lambda inner: application)
    found = answer(app, message("/"))

    assert (502, "Replaced", b"instead") == (found.status, found.reason, found.content)
    assert ("2", None) == (found.headers["X-Second"], found.headers["X-First"])


def test_an_error_after_content_breaks_the_answer_off() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"sent"
        try:
            raise LookupError("too late to replace anything")
        except LookupError:
            start_response("500 Too Late", [], sys.exc_info())
        yield b"never sent"

    app = make_app()
    put_in_front(app, lambda inner: application)
    with running_server(app) as served, served.connect() as client:
        client.sendall(message("/"))
        data = b""
        with pytest.raises(ConnectionResetError):
            while piece := client.recv(4096):
                data += piece

    assert b"\r\n\r\n4\r\nsent\r\n" in data
    assert not data.endswith(b"\r\n0\r\n\r\n")
    assert b"never" not in data


@pytest.mark.parametrize("fault", ["twice", "never", "status", "field", "raised"])
def test_a_wsgi_application_in_error_is_answered_500(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if fault == "raised":
            raise LookupError
        if fault != "never":
            start_response(
                "not a status" if fault == "status" else "200 OK",
                [("X-Split", "a\r\nX-Injected: 1")] if fault == "field" else [],
            )
        if fault == "twice":
            start_response("200 OK", [])
        return [b"x"]

    app = make_app()
    app.logger.disabled = False
    put_in_front(app, lambda inner: application)
    found = answer(app, message("/"))

    assert 500 == found.status
    assert "X-Injected" not in found.headers
    assert any(record.exc_info for record in caplog.records)


def test_fields_are_sent_as_they_were_given() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("X-A", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [b"no type"]

    app = make_app()
    put_in_front(app, lambda inner: application)
    found = answer(app, message("/"))

    assert ["a=1", "b=2"] == found.headers.get_all("Set-Cookie")
    assert "Content-Type" not in found.headers
    assert "7" == found.headers["Content-Length"]


def test_the_iterable_is_closed_once_after_its_end() -> None:
    calls: list[str] = []

    class Content:
        def __iter__(self) -> Iterator[bytes]:
            yield b"a"
            yield b"b"

        def close(self) -> None:
            calls.append("closed")

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Content()

    app = make_app()
    put_in_front(app, lambda inner: application)

    assert b"ab" == answer(app, message("/")).content
    assert b"" == answer(app, message("/", "HEAD")).content
    # In a thread, which may come to it when the answer is out.
    deadline = time.monotonic() + SECONDS
    while len(calls) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert ["closed", "closed"] == calls


def test_head_and_conditions_work_below_middleware() -> None:
    app = make_app()

    @app.route("/")
    def view() -> Response:
        response = app.response_class("content")
        response.set_etag("1")
        return response.make_conditional(request)

    put_in_front(app, lambda inner: inner)

    head = answer(app, message("/", "HEAD"))
    assert (200, b"", "7") == (head.status, head.content, head.headers["Content-Length"])
    unchanged = answer(app, message("/", **{"If-None-Match": '"1"'}))
    assert (304, b"", None) == (
        *(unchanged.status, unchanged.content),
        unchanged.headers["Content-Type"],
    )


# Streams and coroutines below it.


def test_a_stream_below_middleware_is_not_gathered() -> None:
    app = make_app()
    go_on = threading.Event()

    @app.route("/")
    def view() -> Iterator[str]:
        yield "first"
        assert go_on.wait(SECONDS)
        yield "second"

    put_in_front(app, lambda inner: lambda environ, start: inner(environ, start))
    with running_server(app) as served, served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        data = b""
        while b"first" not in data:
            data += client.recv(4096)
        go_on.set()
        data += everything(client)

    assert data.endswith(b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")


def test_nothing_is_asked_of_a_generator_before_what_it_gave_is_sent() -> None:
    """Programs do slow work behind their last piece, also where its length tells that it is the last."""
    go_on = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        yield b"whole"
        assert go_on.wait(SECONDS)

    app = make_app()
    put_in_front(app, lambda inner: application)
    with running_server(app) as served, served.connect() as client:
        client.sendall(message("/"))
        data = b""
        while not data.endswith(b"whole"):
            data += client.recv(4096)
        go_on.set()


@pytest.mark.parametrize("content", [[b"1234"], [b"123456"], (b"12", b"34"), iter([b"123456"])])
def test_a_wrong_length_is_not_repaired(content: Iterable[bytes]) -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return content

    app = make_app()
    put_in_front(app, lambda inner: application)
    with running_server(app) as served, served.connect() as client:
        client.sendall(message("/"))
        data = b""
        with pytest.raises(ConnectionResetError):
            while piece := client.recv(4096):
                data += piece

    assert data.partition(b"\r\n\r\n")[2] in (b"1234", b"12345")


def test_a_short_answer_below_middleware_comes_whole_and_is_closed_after() -> None:
    app = make_app()
    closed = threading.Event()

    @app.route("/")
    def view() -> Response:
        response = app.response_class("short")
        response.call_on_close(closed.set)
        return response

    put_in_front(app, lambda inner: lambda environ, start: inner(environ, start))
    with Wire(app) as wire:
        (found,) = wire.send(message("/")).until_idle().answers()
        assert ("5", b"short") == (found.headers["Content-Length"], found.content)
        assert closed.wait(SECONDS)


def test_a_stream_below_middleware_is_closed_when_the_client_goes() -> None:
    app = make_app()
    ended = threading.Event()

    @app.route("/")
    def view() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
                time.sleep(0.005)
        finally:
            ended.set()

    put_in_front(app, lambda inner: lambda environ, start: inner(environ, start))
    with running_server(app) as served:
        with served.connect() as client:
            client.sendall(message("/"))
            client.recv(4096)
        assert ended.wait(SECONDS)


def test_coroutines_and_their_streams_work_below_middleware() -> None:
    import asyncio

    app = make_app()

    @app.before_request
    async def before() -> None:
        await asyncio.sleep(0)
        g.before = "before,"

    @app.route("/")
    async def view() -> str:
        async with asyncio.timeout(SECONDS):
            await asyncio.sleep(0)
        return f"{g.before}{request.path}"

    @app.route("/stream")
    async def stream() -> AsyncIterator[str]:
        async def pieces() -> AsyncIterator[str]:
            yield "a"
            await asyncio.sleep(0)
            yield "b"

        return pieces()

    @app.post("/read")
    async def read() -> str:
        return request.get_data().decode()

    put_in_front(app, lambda inner: lambda environ, start: inner(environ, start))

    assert b"before,/" == answer(app, message("/")).content
    assert b"ab" == answer(app, message("/stream")).content
    assert b"content" == answer(app, message("/read", "POST", b"content")).content


# The ones Werkzeug brings.


def test_proxy_fix_believes_the_number_of_proxies_it_was_told() -> None:
    app = make_app()

    @app.route("/")
    def view() -> list[Any]:
        return [request.remote_addr, request.scheme, request.host, url_for("view", _external=True)]

    forwarded = {
        "X-Forwarded-For": "6.6.6.6, 192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "example.net",
        "X-Forwarded-Prefix": "/app",
    }
    assert (
        b'["127.0.0.1","http","example.com","http://example.com/"]\n'
        == answer(app, message("/", **forwarded)).content
    )

    put_in_front(app, lambda inner: ProxyFix(inner, x_for=1, x_proto=1, x_host=1, x_prefix=1))
    assert (
        b'["192.0.2.1","https","example.net","https://example.net/app/"]\n'
        == answer(app, message("/", **forwarded)).content
    )


def test_a_dispatcher_mounts_other_applications() -> None:
    app = make_app()
    other = Groundwire("other")
    app.add_url_rule("/", "view", lambda: f"main {request.root_path!r} {request.path}")

    @other.route("/<name>")
    def named(name: str) -> str:
        assert current_app == other
        return f"other {request.root_path!r} {request.path} {url_for('named', name='x')}"

    @other.route("/away")
    def away() -> Any:
        return redirect(url_for("named", name="ü"))

    def foreign(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"foreign {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    put_in_front(app, lambda inner: DispatcherMiddleware(inner, {"/other": other, "/a/b": foreign}))

    assert b"main '' /" == answer(app, message("/")).content
    assert b"other '/other' /n /other/x" == answer(app, message("/other/n")).content
    assert "/other/%C3%BC" == answer(app, message("/other/away")).headers["Location"]
    assert b"foreign /a/b /c" == answer(app, message("/a/b/c")).content
    assert 404 == answer(app, message("/otherwise")).status


def test_an_app_that_is_mounted_into_a_foreign_one_is_served_by_the_adapter() -> None:
    from groundwire.adapters.wsgi import WSGIHandler

    app = make_app()
    app.add_url_rule("/", "view", lambda: f"{request.root_path} {request.path}")

    def nothing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("404 Not Here", [])
        return []

    handler = WSGIHandler(DispatcherMiddleware(nothing, {"/app": app}))

    assert b"/app /" == answer(handler, message("/app/")).content
    assert (404, "Not Here") == (
        (found := answer(handler, message("/"))).status,
        found.reason,
    )
