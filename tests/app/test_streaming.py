"""Contexts of requests that are streamed, and functions that run with a copy of one."""

import asyncio
import gc
import gzip
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from fetching import fetch, make_app
from groundwire import (
    Groundwire,
    Response,
    after_this_request,
    copy_current_request_context,
    current_app,
    g,
    has_request_context,
    request,
    session,
    stream_with_context,
)
from serving import running_server
from wire import Wire
from wire import request as message

WAIT_SECONDS = 20.0


class Log(list[Any]):
    """What happened, in order; threads write to it."""

    def wait_for(self, *expected: Any) -> None:
        """Wait until it is `expected`, which the end of an answer may come before."""
        end = time.monotonic() + WAIT_SECONDS
        while list(expected) != self and time.monotonic() < end:
            time.sleep(0.001)
        assert list(expected) == self


def raw_answer(app: Groundwire) -> bytes:
    """Return the bytes of an answer that breaks off."""
    with Wire(app) as wire:
        return wire.send(message("/")).until_idle().raw


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def app(log: Log) -> Groundwire:
    app = make_app()
    app.secret_key = "a key for tests that is long enough"

    @app.teardown_request
    def teardown_request(error: BaseException | None) -> None:
        log.append(("request", request.path, type(error).__name__))

    @app.teardown_appcontext
    def teardown_app(error: BaseException | None) -> None:
        log.append(("app", current_app.name, type(error).__name__))

    return app


OVER = (("request", "/", "NoneType"), ("app", "sample", "NoneType"))
CUT = (("request", "/", "GeneratorExit"), ("app", "sample", "GeneratorExit"))

both_ways = pytest.mark.parametrize("wire", [False, True], ids=["environ", "wire"])


@both_ways
def test_a_stream_sees_request_session_and_g_and_then_the_context_is_torn_down(
    app: Groundwire, log: Log, wire: bool
) -> None:
    @app.get("/")
    def view() -> Response:
        g.user = "ann"
        session["cart"] = 3

        def pieces() -> Iterator[str]:
            log.append("begin")
            yield request.args["name"]
            yield f" {g.user}"
            yield f" {session['cart']} {current_app.name}"
            log.append("end")

        log.append("view")
        return Response(stream_with_context(pieces()))

    answer = app.test_client(wire=wire).get("/?name=World")

    assert "World ann 3 sample" == answer.text
    log.wait_for("view", "begin", "end", *OVER)


@both_ways
def test_stream_with_context_is_a_decorator_too(app: Groundwire, log: Log, wire: bool) -> None:
    @app.get("/")
    def view() -> Iterator[str]:
        @stream_with_context
        def pieces(first: str, *, last: str) -> Iterator[str]:
            """Say who asks."""
            yield first
            yield request.path
            yield last

        assert "pieces" == pieces.__name__
        assert "Say who asks." == pieces.__doc__
        made: Iterator[str] = pieces("<", last=">")
        return made

    assert "</>" == app.test_client(wire=wire).get("/").text
    log.wait_for(*OVER)


@both_ways
def test_an_asynchronous_stream_has_its_context(app: Groundwire, log: Log, wire: bool) -> None:
    @app.get("/")
    async def view() -> Response:
        g.user = "ann"

        @stream_with_context
        async def pieces() -> AsyncIterator[str]:
            yield request.path
            await asyncio.sleep(0)
            yield g.user

        return Response(pieces())

    assert "/ann" == app.test_client(wire=wire).get("/").text
    log.wait_for(*OVER)


@both_ways
def test_an_asynchronous_view_may_stream_a_plain_generator(
    app: Groundwire, log: Log, wire: bool
) -> None:
    @app.get("/")
    async def view() -> Response:
        session["test"] = "kept"

        @stream_with_context
        def pieces() -> Iterator[str]:
            yield session["test"]

        return Response(pieces())

    client = app.test_client(wire=wire)

    client.get("/").close()  # by an environ it has taken its first piece, on the wire all of them
    log.wait_for(*(OVER if wire else CUT))
    assert "kept" == client.get("/").text
    log.wait_for(*(OVER if wire else CUT), *OVER)
    with client:
        client.get("/").close()


def test_asynchronous_teardown_functions_are_awaited_on_the_servers_loop() -> None:
    app = make_app()
    loops: list[Any] = []
    log = Log()

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        log.append(request.path)

    @app.get("/plain")
    async def plain() -> Response:
        loops.append(asyncio.get_running_loop())
        return Response(stream_with_context(iter(["plain"])))

    @app.get("/async")
    async def asynchronous() -> Response:
        async def pieces() -> AsyncIterator[str]:
            yield "async"

        loops.append(asyncio.get_running_loop())
        return Response(stream_with_context(pieces()))

    with running_server(app) as served:
        for path in (b"/plain", b"/async"):
            got = served.exchange(b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % path)
            assert path[1:] in got
        log.wait_for("/plain", "/async")

    assert 1 == len(set(loops))
    assert 4 == len(loops)


def test_whatever_has_close_is_closed_once(app: Groundwire, log: Log) -> None:
    class Rows:
        def __init__(self) -> None:
            self._rows = iter(["a", "b"])

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            return next(self._rows)

        def close(self) -> None:
            log.append(("closed", request.path))

    app.add_url_rule("/", "view", lambda: Response(stream_with_context(Rows())))

    assert "ab" == app.test_client().get("/").text
    assert [("closed", "/"), *OVER] == log


def test_a_list_can_be_streamed(app: Groundwire) -> None:
    app.add_url_rule("/", "view", lambda: stream_with_context(["a", "b"]))

    assert "ab" == app.test_client().get("/").text


@both_ways
def test_an_answer_to_head_tears_down_without_a_step(app: Groundwire, log: Log, wire: bool) -> None:
    @app.get("/")
    def view() -> Response:
        def pieces() -> Iterator[str]:
            log.append("begin")
            yield "a"

        return Response(stream_with_context(pieces()))

    app.test_client(wire=wire).head("/").close()

    log.wait_for(*OVER)


def test_an_asynchronous_stream_that_never_begins_lets_go_too(app: Groundwire, log: Log) -> None:
    @app.get("/")
    async def view() -> Response:
        async def pieces() -> AsyncIterator[str]:
            yield "never"

        return Response(stream_with_context(pieces()))

    assert b"" == fetch(app, "/", "HEAD").content
    log.wait_for(*OVER)


def test_a_stream_that_is_dropped_lets_go(app: Groundwire, log: Log) -> None:
    @app.get("/")
    def view() -> str:
        stream_with_context(iter(["never"]))
        return "other"

    assert b"other" == fetch(app).content
    gc.collect()
    log.wait_for(*OVER)


def test_an_error_of_the_view_tears_down_at_once_and_tells_it(app: Groundwire, log: Log) -> None:
    kept: list[Any] = []

    @app.get("/")
    def view() -> str:
        kept.append(stream_with_context(iter(["never"])))
        raise LookupError

    assert 500 == fetch(app).status
    log.wait_for(("request", "/", "LookupError"), ("app", "sample", "LookupError"))
    kept[0].close()
    assert 2 == len(log)


@both_ways
def test_teardown_functions_are_told_of_an_error_of_the_stream(
    app: Groundwire, log: Log, wire: bool
) -> None:
    @app.get("/")
    def view() -> Response:
        def pieces() -> Iterator[str]:
            yield "a"
            raise LookupError

        return Response(stream_with_context(pieces()))

    if wire:
        assert b"a" in raw_answer(app)
    else:
        with pytest.raises(LookupError):
            app.test_client().get("/").get_data()
    log.wait_for(("request", "/", "LookupError"), ("app", "sample", "LookupError"))


def test_an_error_of_an_asynchronous_stream_is_told_too(app: Groundwire, log: Log) -> None:
    @app.get("/")
    async def view() -> Response:
        async def pieces() -> AsyncIterator[str]:
            yield "a"
            raise LookupError

        return Response(stream_with_context(pieces()))

    assert b"a" in raw_answer(app)
    log.wait_for(("request", "/", "LookupError"), ("app", "sample", "LookupError"))


def test_two_streams_hold_the_context_until_both_are_over(app: Groundwire, log: Log) -> None:
    @app.get("/")
    def view() -> Response:
        inner = stream_with_context(iter(["a", "b"]))

        def pieces() -> Iterator[str]:
            yield from inner
            assert [] == log
            yield request.path

        return Response(stream_with_context(pieces()))

    assert "ab/" == app.test_client().get("/").text
    assert list(OVER) == log


def test_a_context_pushed_within_a_stream_stays_between_its_steps(app: Groundwire) -> None:
    other = make_app(import_name="other")

    @app.get("/")
    def view() -> Response:
        def pieces() -> Iterator[str]:
            with other.app_context():
                yield current_app.name
                yield current_app.name
            yield current_app.name

        return Response(stream_with_context(pieces()))

    stream = app.test_client().get("/")

    assert "otherothersample" == stream.text
    assert not has_request_context()


def test_a_context_that_a_client_keeps_is_torn_down_once(app: Groundwire, log: Log) -> None:
    app.add_url_rule("/", "view", lambda: stream_with_context(iter(["a"])))

    with app.test_client() as client:
        assert "a" == client.get("/").text
        assert [] == log
        assert "/" == request.path
    assert list(OVER) == log


def test_a_stream_in_a_made_up_request_ends_with_it(app: Groundwire, log: Log) -> None:
    with app.test_request_context("/"):
        stream = stream_with_context(request.path for _ in range(2))
        assert ["/", "/"] == list(stream)
        assert [] == log

        assert [] == list(stream)
        stream.close()
    assert list(OVER) == log


def test_a_stream_that_outlives_a_made_up_request_is_torn_down_when_closed(
    app: Groundwire, log: Log
) -> None:
    with app.test_request_context("/"):
        stream = stream_with_context(request.path for _ in range(3))

    assert "/" == next(stream)
    assert not has_request_context()
    assert [] == log
    stream.close()
    stream.close()
    assert list(CUT) == log


def test_without_a_request_there_is_no_context_to_keep(app: Groundwire) -> None:
    with pytest.raises(RuntimeError, match="'stream_with_context' can only be used when a request"):
        stream_with_context(iter([]))
    decorated = stream_with_context(lambda: iter([]))
    with app.app_context(), pytest.raises(RuntimeError, match="such as in a view function"):
        decorated()


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_client_that_goes_away_ends_the_stream_and_the_context_once(
    app: Groundwire, log: Log, kind: str
) -> None:
    @app.get("/")
    def plain() -> Response:
        def pieces() -> Iterator[str]:
            try:
                while True:
                    yield "x" * 65536
            finally:
                log.append("ended")

        return Response(stream_with_context(pieces()))

    @app.get("/async")
    async def asynchronous() -> Response:
        async def pieces() -> AsyncIterator[str]:
            try:
                while True:
                    yield "x" * 65536
                    await asyncio.sleep(0)
            finally:
                log.append("ended")

        return Response(stream_with_context(pieces()))

    target = "/" if kind == "plain" else "/async"
    with running_server(app) as served:
        with served.connect() as client:
            client.sendall(message(target))
            assert b"200 OK" in client.recv(65536)
        end = time.monotonic() + WAIT_SECONDS
        while len(log) < 3 and time.monotonic() < end:
            time.sleep(0.001)

    assert "ended" == log[0]
    assert ["request", "app"] == [entry[0] for entry in log[1:]]
    # A coroutine is cancelled where it waits; between its steps it is closed, as a generator.
    assert {entry[2] for entry in log[1:]} <= {"GeneratorExit", "CancelledError"}


def test_uploaded_content_is_there_for_the_stream(app: Groundwire, log: Log) -> None:
    @app.post("/")
    def view() -> Response:
        return Response(stream_with_context(request.form[name] for name in ("a", "b")))

    answer = fetch(
        app,
        "/",
        "POST",
        content=b"a=1&b=2",
        Content_Type="application/x-www-form-urlencoded",
    )

    assert b"12" == answer.content
    log.wait_for(*OVER)


def test_the_exchange_may_run_on_the_loop_and_its_stream_in_threads() -> None:
    app = make_app()

    @app.get("/", run="inline")
    def view() -> Response:
        g.n = 2

        def pieces() -> Iterator[str]:
            yield f"{g.n} {threading.current_thread() is threading.main_thread()}"

        return Response(stream_with_context(pieces()))

    assert b"2 False" == fetch(app).content


def test_after_this_request_comes_before_the_stream(app: Groundwire) -> None:
    @app.get("/")
    def view() -> Response:
        @after_this_request
        def add(response: Response) -> Response:
            response.headers["X-After"] = "1"
            return response

        return Response(stream_with_context(iter(["a"])))

    answer = app.test_client().get("/")

    assert ("a", "1") == (answer.text, answer.headers["X-After"])


# --- copy_current_request_context


def in_thread(function: Callable[[], Any]) -> Any:
    """Call a function in another thread, which has no context, and return what it returned."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_a_copied_context_works_in_threads(app: Groundwire, log: Log) -> None:
    @app.get("/")
    def view() -> str:
        session["fizz"] = "buzz"
        g.user = "ann"

        @copy_current_request_context
        def work(n: int = 1) -> str:
            """Work."""
            return f"{request.args['foo']} {session['fizz']} {current_app.name} {'user' in g} {n}"

        assert ("work", "Work.") == (work.__name__, work.__doc__)
        assert in_thread(has_request_context) is False
        return f"{in_thread(work)}, {in_thread(lambda: work(2))}"

    answer = app.test_client().get("/?foo=bar")

    assert "bar buzz sample False 1, bar buzz sample False 2" == answer.text
    assert [*OVER, *OVER, *OVER] == log


def test_several_threads_may_call_it_at_a_time() -> None:
    app = make_app()
    barrier = threading.Barrier(4)

    @app.get("/")
    def view() -> str:
        @copy_current_request_context
        def work() -> str:
            barrier.wait(WAIT_SECONDS)
            path = request.path
            barrier.wait(WAIT_SECONDS)
            return path

        results: list[str] = []
        threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ",".join(results)

    assert "/,/,/,/" == app.test_client().get("/").text


def test_a_copied_context_outlives_its_request(app: Groundwire, log: Log) -> None:
    kept: list[Callable[[], str]] = []

    @app.get("/")
    def view() -> str:
        kept.append(copy_current_request_context(lambda: request.path))
        return ""

    app.test_client().get("/")

    assert "/" == kept[0]()
    assert "/" == kept[0]()
    assert [*OVER] * 3 == log


@both_ways
def test_a_coroutine_function_runs_in_a_task_with_a_copied_context(
    app: Groundwire, log: Log, wire: bool
) -> None:
    @app.get("/")
    async def view() -> str:
        g.user = "ann"

        @copy_current_request_context
        async def work(n: int) -> str:
            await asyncio.sleep(0)
            return f"{request.path}{n}{g.user}"

        tasks: list[Any] = [asyncio.create_task(work(n)) for n in range(3)]
        return " ".join(await asyncio.gather(*tasks))

    assert "/0ann /1ann /2ann" == app.test_client(wire=wire).get("/").text
    # Tasks stand on the app's context of their request, so that is torn down once.
    log.wait_for(*[OVER[0]] * 4, OVER[1])


def test_its_teardown_is_awaited_and_told_of_an_error() -> None:
    app = make_app()
    log: list[Any] = []

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        log.append((type(error).__name__, request.path))

    async def fail() -> None:
        raise LookupError

    async def outside() -> None:
        with app.test_request_context("/"):
            work: Any = copy_current_request_context(fail)
        with pytest.raises(LookupError):
            await work()

    with app.test_request_context("/made"):
        pass
    log.clear()
    asyncio.run(outside())

    assert ("LookupError", "/") == log[-1]


def test_a_coroutine_function_is_waited_for_in_a_thread(app: Groundwire) -> None:
    @app.get("/")
    def view() -> str:
        @copy_current_request_context
        async def work() -> str:
            await asyncio.sleep(0)
            return request.path

        return str(in_thread(work))

    assert "/" == app.test_client().get("/").text


def test_there_is_no_context_to_copy_without_a_request(app: Groundwire) -> None:
    with (
        app.app_context(),
        pytest.raises(RuntimeError, match="'copy_current_request_context' can only be used when"),
    ):
        copy_current_request_context(lambda: None)


def test_a_stream_on_a_connection_in_memory_is_ended_when_that_is_lost(
    app: Groundwire, log: Log
) -> None:
    @app.get("/")
    def view() -> Response:
        return Response(stream_with_context("x" * 65536 for _ in range(10**6)))

    with Wire(app) as wire:
        wire.send(message("/")).until(lambda: len(wire.raw) > 65536)
        wire.connection.connection_lost(None)
        wire.until(lambda: len(log) == 2)

    assert list(CUT) == log


@pytest.mark.parametrize("run", ["inline", "thread"])
def test_an_uploaded_file_stays_open_for_the_stream(run: str) -> None:
    app = make_app()
    kept: list[Any] = []

    @app.post("/", run=run)
    def view() -> Response:
        file = request.files["file"]
        kept.append(file)
        return Response(stream_with_context(line.upper() for line in file.stream))

    content = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\none\ntwo\r\n--b--'
    answer = fetch(
        app, "/", "POST", content=content, Content_Type="multipart/form-data; boundary=b"
    )

    assert b"ONE\nTWO" == answer.content
    assert kept[0].stream.closed


def test_an_error_in_closing_a_stream_is_told_and_raised(app: Groundwire, log: Log) -> None:
    class Rows:
        def __iter__(self) -> Iterator[str]:
            return iter(self)

        def __next__(self) -> str:
            return "a"

        def close(self) -> None:
            raise LookupError

    class Iterating(Rows):
        def __iter__(self) -> Iterator[str]:
            return self

    with app.test_request_context("/"):
        stream = stream_with_context(Iterating())
    assert "a" == next(stream)

    with pytest.raises(LookupError):
        stream.close()
    assert [("request", "/", "LookupError"), ("app", "sample", "LookupError")] == log


class Letters:
    """An asynchronous stream that says when it is closed, and may fail then."""

    def __init__(self, log: Log, error: type[Exception] | None = None) -> None:
        self.log = log
        self.error = error

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        await asyncio.sleep(0)
        return request.path

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.log.append(("closed", request.path))
        if self.error is not None:
            raise self.error


def test_an_asynchronous_stream_is_closed_once_and_then_ended(app: Groundwire, log: Log) -> None:
    async def read() -> None:
        with app.test_request_context("/"):
            stream: Any = stream_with_context(Letters(log))
        assert "/" == await anext(stream)
        assert not has_request_context()
        await stream.aclose()
        await stream.aclose()
        stream.close()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(read())

    assert [("closed", "/"), *CUT] == log


def test_an_error_in_closing_an_asynchronous_stream_is_told(app: Groundwire, log: Log) -> None:
    with app.test_request_context("/"):
        stream: Any = stream_with_context(Letters(log, LookupError))
    assert "/" == next(stream)

    with pytest.raises(LookupError):
        stream.close()  # in a thread, which waits
    assert [
        ("closed", "/"),
        ("request", "/", "LookupError"),
        ("app", "sample", "LookupError"),
    ] == log


def test_an_asynchronous_stream_that_is_dropped_lets_go_too(app: Groundwire, log: Log) -> None:
    async def read() -> None:
        with app.test_request_context("/"):
            stream: Any = stream_with_context(Letters(log))
        assert "/" == await anext(stream)

    asyncio.run(read())
    gc.collect()

    assert list(OVER) == log


def test_an_asynchronous_iterator_need_not_be_closable(app: Groundwire, log: Log) -> None:
    class Endless:
        def __aiter__(self) -> AsyncIterator[str]:
            return self

        async def __anext__(self) -> str:
            return "a"

    with app.test_request_context("/"):
        stream: Any = stream_with_context(Endless())
    assert "a" == next(stream)
    stream.close()
    assert list(CUT) == log


def test_what_is_streamed_in_a_compressed_answer_ends_with_it(app: Groundwire, log: Log) -> None:
    app.add_url_rule("/", "view", lambda: stream_with_context(request.path for _ in range(1000)))

    answer = fetch(app, "/", Accept_Encoding="gzip")

    assert "gzip" == answer.headers["Content-Encoding"]
    assert b"/" * 1000 == gzip.decompress(answer.content)
    log.wait_for(*OVER)


def test_a_conditional_answer_that_leaves_the_stream_out_ends_it(app: Groundwire, log: Log) -> None:
    @app.get("/")
    def view() -> Response:
        response = Response(stream_with_context(iter(["never"])))
        response.set_etag("x")
        return response.make_conditional(request)

    assert 304 == fetch(app, "/", If_None_Match='"x"').status
    log.wait_for(*OVER)


def test_a_stream_that_an_after_request_function_replaces_is_ended(
    app: Groundwire, log: Log
) -> None:
    app.add_url_rule("/", "view", lambda: stream_with_context(iter(["never"])))
    app.after_request(lambda _: Response("other"))

    assert b"other" == fetch(app).content
    log.wait_for(*OVER)
