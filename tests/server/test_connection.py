import asyncio
import contextvars
import inspect
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from groundwire.http.exchange import ContentError, ContentLimitExceeded
from groundwire.http.handler import HELD_LOOP_SECONDS, ContentPolicy, InThread
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.server.state import State
from serving import SECONDS
from wire import Wire, chunked, request

GET = request("/hello")


def text(value: str, **more: Any) -> Response:
    return Response(value, content_type="text/plain", **more)


def echo(request: Request) -> Response:
    content = request.content
    assert isinstance(content, bytes)
    return text(f"{request.method} {request.path} {content.decode()}")


class Streaming:
    """A handler whose content comes as it is read."""

    request_class = Request

    def __init__(self, answer: Any, limit: int | None = 1000) -> None:
        self.answer = answer
        self.limit = limit

    def handle(self, request: Request) -> Any:
        return self.answer(request)

    def content_policy(self, request: Request) -> ContentPolicy:
        return ContentPolicy(self.limit, whole=False)

    def startup(self) -> None: ...

    def shutdown(self) -> None: ...


# Requests without content


def test_a_request_is_answered() -> None:
    with Wire(echo) as wire:
        (answer,) = wire.send(GET).answers()

        assert (200, b"GET /hello ") == (answer.status, answer.content)
        assert "groundwire" == answer.headers["Server"]
        assert answer.headers["Date"].endswith(" GMT")
        assert not wire.closed


def test_pipelined_requests_are_answered_in_order() -> None:
    with Wire(echo) as wire:
        data = b"".join(request(f"/{n}") for n in range(100))

        answers = wire.send(data).until_idle().answers()

        assert [f"GET /{n} ".encode() for n in range(100)] == [answer.content for answer in answers]


def test_a_batch_of_pipelined_requests_ends_after_16_so_that_others_get_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It ends after a time as well, which a machine that does other things makes pass with fewer.
    monkeypatch.setattr("groundwire.server.connection.perf_counter", lambda: 0.0)
    with Wire(echo) as wire:
        wire.connection.data_received(GET * 40)

        assert 16 == wire.raw.count(b"HTTP/1.1 200")
        assert wire.connection.state is State.YIELDED
        assert 40 == len(wire.until_idle().answers())


def test_answers_in_order_when_the_first_takes_longest() -> None:
    gate = asyncio.Event()

    async def slow() -> Response:
        await gate.wait()
        return text("slow")

    def handle(request: Request) -> Any:
        return slow() if request.path == "/slow" else text("fast")

    with Wire(handle) as wire:
        wire.send(request("/slow") + request("/fast") * 20)
        assert b"" == wire.raw
        gate.set()

        answers = wire.until_idle().answers()

    assert [b"slow", *[b"fast"] * 20] == [answer.content for answer in answers]


@pytest.mark.parametrize("cut", range(1, len(GET)))
def test_a_request_cut_anywhere_is_answered_the_same(cut: int) -> None:
    with Wire(echo) as wire:
        (answer,) = wire.send(GET[:cut], GET[cut:]).answers()

        assert b"GET /hello " == answer.content


def test_head_gets_the_header_section_of_get_and_no_content() -> None:
    with Wire(echo) as wire:
        wire.send(request("/hello", "HEAD")).send(GET)
        head, get = wire.answers("HEAD", "GET")

    assert b"" == head.content
    assert sorted(get.headers.items())[1:] == sorted(head.headers.items())[1:]


@pytest.mark.parametrize("content", [b"reset", [b"re", b"set"], iter([b"reset"])])
@pytest.mark.parametrize("fields", [None, {"X-A": "b"}])
def test_reset_content_is_empty(content: Any, fields: dict[str, str] | None) -> None:
    with Wire(lambda _: Response(content, 205, fields)) as wire:
        (answer,) = wire.send(GET).until_idle().answers()

        assert (205, b"", "0") == (answer.status, answer.content, answer.headers["Content-Length"])
        assert not wire.closed


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_content_gets_none(status: int) -> None:
    with Wire(lambda _: Response("never sent", status)) as wire:
        (answer,) = wire.send(GET).answers()

        assert wire.raw.endswith(b"\r\n\r\n")
        assert answer.headers["Content-Length"] is None
        assert answer.headers["Transfer-Encoding"] is None


def test_http_1_0_ends_the_connection() -> None:
    with Wire(echo) as wire:
        (answer,) = wire.send(request("/", version="1.0") + GET).answers()

        assert "close" == answer.headers["Connection"]
        assert wire.closed


def test_http_1_0_with_keep_alive_goes_on() -> None:
    with Wire(echo) as wire:
        wire.send(request("/", version="1.0", Connection="keep-alive"), GET)
        first, second = wire.answers()

        assert "keep-alive" == first.headers["Connection"]
        assert 200 == second.status


def test_connection_close_is_the_last_answer() -> None:
    with Wire(echo) as wire:
        (answer,) = wire.send(request("/", Connection="Close") + request("/smuggled")).answers()

        assert "close" == answer.headers["Connection"]
        assert wire.closed


@pytest.mark.parametrize("value", ["close", "Upgrade, CLOSE"])
def test_a_response_may_ask_to_be_the_last(value: str) -> None:
    with Wire(lambda _: text("x", headers={"Connection": value})) as wire:
        wire.send(request("/a") + request("/b"))
        (answer,) = wire.answers()

        assert ("close", b"x") == (answer.headers["Connection"], answer.content)
        assert wire.closed


def test_the_last_of_the_allowed_requests_says_close() -> None:
    with Wire(echo, keepalive_requests=3) as wire:
        answers = wire.send(GET * 5).until_idle().answers()

        assert [None, None, "close"] == [answer.headers["Connection"] for answer in answers]
        assert wire.closed


# Refusals


def test_a_refusal_names_the_rule_and_the_byte_and_closes() -> None:
    with Wire(echo) as wire:
        (answer,) = wire.send(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + GET).answers()

        assert 400 == answer.status
        assert b"RFC 9112 \xc2\xa75.1, at byte 20 of the request." in answer.content
        assert "close" == answer.headers["Connection"]
        assert "nosniff" == answer.headers["X-Content-Type-Options"]
        assert wire.closed


def test_requests_before_a_refused_one_are_answered_first() -> None:
    with Wire(echo) as wire:
        answers = wire.send(GET + b"BAD\r\n\r\n" + GET).answers()

        assert [200, 400] == [answer.status for answer in answers]


def test_a_refusal_in_the_content_that_a_handler_reads_stops_the_handler() -> None:
    seen: list[object] = []

    async def read(request: Request) -> Response:
        try:
            async for piece in request.content.chunks():  # type: ignore[union-attr]
                seen.append(piece)  # noqa: PERF401 - what came before the error counts
        except ContentError as error:
            seen.append(type(error).__name__)
            raise
        return text("never")

    with Wire(Streaming(read)) as wire:
        wire.send(request("/", "POST", Transfer_Encoding="chunked") + b"3\r\nabc\r\n")
        wire.send(b"zz\r\n").settle()
        (answer,) = wire.answers()

    assert 400 == answer.status
    assert b"abc" == seen[0]


@pytest.mark.parametrize("cut", [3, 20, len(GET) - 1])
def test_eof_within_a_head_is_refused(cut: int) -> None:
    with Wire(echo) as wire:
        (answer,) = wire.send(GET[:cut]).eof().answers()

        assert 400 == answer.status
        assert wire.closed


def test_eof_after_a_request_closes_after_the_answer() -> None:
    gate = asyncio.Event()

    async def answer_later() -> Response:
        await gate.wait()
        return text("late")

    with Wire(lambda _: answer_later()) as wire:
        wire.send(GET).eof()
        assert not wire.closed
        gate.set()
        (answer,) = wire.settle().answers()

        assert (b"late", "close") == (answer.content, answer.headers["Connection"])
        assert wire.closed


def test_eof_within_content_is_refused_and_the_handler_not_called() -> None:
    with Wire(lambda _: pytest.fail("called")) as wire:
        (answer,) = wire.send(request("/", "POST", b"hello")[:-2]).eof().answers()

        assert 400 == answer.status


# Content that comes whole


@pytest.mark.parametrize(
    "message",
    [
        request("/", "POST", b"hello world"),
        request("/", "POST", Transfer_Encoding="chunked") + chunked(b"hello", b" world"),
    ],
)
def test_content_cut_anywhere_reaches_the_handler_whole(message: bytes) -> None:
    for cut in range(1, len(message)):
        with Wire(echo) as wire:
            (answer,) = wire.send(message[:cut], message[cut:]).answers()

            assert b"POST / hello world" == answer.content


def test_content_in_single_bytes_and_the_next_request_behind_it() -> None:
    message = request("/", "POST", Transfer_Encoding="chunked") + chunked(b"hello") + GET
    with Wire(echo) as wire:
        answers = wire.send(*[message[i : i + 1] for i in range(len(message))]).answers()

        assert [b"POST / hello", b"GET /hello "] == [answer.content for answer in answers]


def test_100_is_sent_when_content_is_awaited() -> None:
    message = request("/", "POST", b"hello", Expect="100-continue")
    with Wire(echo) as wire:
        wire.send(message[:-5])
        assert wire.raw.startswith(b"HTTP/1.1 100 Continue\r\n")
        (answer,) = wire.send(message[-5:]).answers()

        assert b"POST / hello" == answer.content
        assert 1 == wire.raw.count(b"100 Continue")


def test_100_is_not_sent_when_the_content_is_there_already() -> None:
    with Wire(echo) as wire:
        wire.send(request("/", "POST", b"hello", Expect="100-continue"))

        assert b"100 Continue" not in wire.raw
        assert not wire.closed


def test_content_beyond_the_limit_reaches_the_handler_unread() -> None:
    def handle(request: Request) -> Response:
        with pytest.raises(ContentLimitExceeded):
            request.content.read()  # type: ignore[union-attr]
        return text("too large", status=413)

    with Wire(handle) as wire:
        wire.send(request("/", "POST", Content_Length=str(17 * 1024 * 1024)))
        (answer,) = wire.answers()

        assert (413, "close") == (answer.status, answer.headers["Connection"])


def test_chunked_content_beyond_the_limit_reaches_the_handler_once_it_is_too_large() -> None:
    def handle(request: Request) -> Response:
        with pytest.raises(ContentLimitExceeded):
            request.content.read()  # type: ignore[union-attr]
        return text("too large", status=413)

    whole = Streaming(handle, limit=10)
    whole.content_policy = lambda request: ContentPolicy(10, whole=True)  # type: ignore[method-assign]
    with Wire(whole) as wire:
        message = request("/", "POST", Transfer_Encoding="chunked") + b"6\r\nabcdef\r\n"
        assert b"" == wire.send(message).raw
        wire.send(b"6\r\nghijkl\r\n")
        (answer,) = wire.answers()

        assert (413, "close") == (answer.status, answer.headers["Connection"])


@pytest.mark.parametrize("size", ["b", "10000000000", "f" * 16])
@pytest.mark.parametrize("whole", [True, False])
def test_a_chunk_that_announces_too_much_is_not_waited_for(size: str, whole: bool) -> None:
    def handle(request: Request) -> InThread:
        def read() -> Response:
            with pytest.raises(ContentLimitExceeded):
                request.content.read()  # type: ignore[union-attr]
            return text("too large", status=413)

        return InThread(read)

    handler = Streaming(handle, limit=10)
    handler.content_policy = lambda request: ContentPolicy(10, whole=whole)  # type: ignore[method-assign]
    with Wire(handler) as wire:
        wire.send(request("/", "POST", Transfer_Encoding="chunked") + f"{size}\r\nabc".encode())
        wire.until(lambda: b"HTTP/1.1 413 " in wire.raw)


def test_large_content_is_spooled_and_read_in_a_thread() -> None:
    content = bytes(range(256)) * 8192  # 2 MiB

    def count(request: Request) -> Response:
        assert not isinstance(request.content, bytes)
        read = request.content.read(1000) + request.content.read()
        return text(f"{len(read)} {read == content}")

    with Wire(lambda request: InThread(count, request)) as wire:
        pieces = request("/", "POST", content)
        wire.send(*[pieces[i : i + 65536] for i in range(0, len(pieces), 65536)])
        (answer,) = wire.until_idle().answers()

        assert f"{len(content)} True".encode() == answer.content
        budget = wire.server.content_budget
        assert (0, 0) == (budget.memory_held, budget.spool_held)


def test_content_that_the_server_cannot_hold_gets_503() -> None:
    with Wire(echo, worker_memory_bytes=1000) as wire:
        message = request("/", "POST", b"x" * 2000)
        (answer,) = wire.send(message[:1500], message[1500:]).answers()

        assert (503, "1") == (answer.status, answer.headers["Retry-After"])
        assert wire.closed


# Content that nobody read


@pytest.mark.parametrize(
    "message",
    [
        request("/", "POST", b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
        request("/", "POST", Transfer_Encoding="chunked")
        + chunked(b"GET /smuggled HTTP/1.1\r\n\r\n"),
    ],
)
def test_unread_content_is_discarded_and_never_taken_for_a_request(message: bytes) -> None:
    seen: list[str] = []

    def ignore(request: Request) -> Response:
        seen.append(request.path)
        return text("early", status=404 if request.method == "POST" else 200)

    for cut in range(1, len(message)):
        seen.clear()
        with Wire(Streaming(ignore)) as wire:
            answers = wire.send(message[:cut], message[cut:] + GET).until_idle().answers()

            assert [404, 200] == [answer.status for answer in answers]
            assert ["/", "/hello"] == seen


def test_many_pipelined_requests_with_unread_content_do_not_nest() -> None:
    with Wire(Streaming(lambda _: text("early"))) as wire:
        message = request("/", "POST", Transfer_Encoding="chunked") + chunked(b"x")
        answers = wire.send(message * 2000).until_idle().answers()

        assert 2000 == len(answers)


def test_unread_content_of_more_than_is_worth_reading_closes() -> None:
    with Wire(Streaming(lambda _: text("early"), limit=None)) as wire:
        (answer,) = wire.send(request("/", "POST", Content_Length="70000")).answers()

        assert "close" == answer.headers["Connection"]


def test_a_final_answer_instead_of_100_closes() -> None:
    with Wire(Streaming(lambda _: text("no", status=401))) as wire:
        message = request("/", "POST", b"hello", Expect="100-continue")
        (answer,) = wire.send(message[:-5]).answers()

        assert (401, "close") == (answer.status, answer.headers["Connection"])
        assert b"100 Continue" not in wire.raw


# Content as it comes


def test_content_read_in_a_thread_as_it_comes() -> None:
    def read(request: Request) -> Response:
        content = request.content
        assert not isinstance(content, bytes)
        return text(f"{content.read(3)!r} {content.read()!r}")

    with Wire(Streaming(lambda request: InThread(read, request))) as wire:
        message = request("/", "POST", b"hello world", Expect="100-continue")
        wire.send(message[:-11]).until(lambda: b"100 Continue" in wire.raw)
        wire.send(message[-11:-9], message[-9:]).until_idle()
        (answer,) = wire.answers()

        assert b"b'hel' b'lo world'" == answer.content


def test_reading_pauses_while_the_handler_does_not_read() -> None:
    gate = asyncio.Event()

    async def read_late(request: Request) -> Response:
        await gate.wait()
        size = 0
        async for piece in request.content.chunks():  # type: ignore[union-attr]
            size += len(piece)
        return text(str(size))

    content = b"x" * 1_000_000
    with Wire(Streaming(read_late, limit=None)) as wire:
        wire.send(request("/", "POST", content)[:200_000])
        assert not wire.transport.reading
        assert wire.connection.reader.buffered < 300_000
        gate.set()
        wire.until(lambda: wire.transport.reading)
        wire.send(request("/", "POST", content)[200_000:]).until_idle()
        (answer,) = wire.answers()

        assert b"1000000" == answer.content


def test_reading_missing_content_on_the_loop_is_an_error_that_says_what_to_do() -> None:
    def read(request: Request) -> Response:
        with pytest.raises(RuntimeError, match="would stop the event loop"):
            request.content.read()  # type: ignore[union-attr]
        return text("ok")

    with Wire(Streaming(read)) as wire:
        wire.send(request("/", "POST", b"hello")[:-1])

        assert b"ok" == wire.answers()[0].content


def test_content_of_a_finished_exchange_cannot_be_read_any_more() -> None:
    kept: list[Request] = []

    def keep(request: Request) -> Response:
        kept.append(request)
        return text("done")

    with Wire(Streaming(keep)) as wire:
        wire.send(request("/", "POST", b"hello")[:-1]).send(b"o" + GET)

        with pytest.raises(ContentError):
            kept[0].content.read()  # type: ignore[union-attr]


# Answers in pieces


def numbers() -> Iterator[str]:
    for number in range(5):
        yield f"{number},"


async def async_numbers() -> AsyncIterator[str]:
    for number in range(5):
        await asyncio.sleep(0)
        yield f"{number},"


@pytest.mark.parametrize("source", [numbers, async_numbers])
def test_an_iterator_is_sent_in_chunks(source: Any) -> None:
    with Wire(lambda _: text(source())) as wire:
        (answer,) = wire.send(GET).until_idle().answers()

        assert b"0,1,2,3,4," == answer.content
        assert "chunked" == answer.headers["Transfer-Encoding"]
        assert not wire.closed


@pytest.mark.parametrize("source", [numbers, async_numbers])
def test_an_iterator_is_sent_to_http_1_0_until_the_close(source: Any) -> None:
    with Wire(lambda _: text(source())) as wire:
        wire.send(request("/", version="1.0", Connection="keep-alive")).until(lambda: wire.closed)
        (answer,) = wire.answers()

        assert b"0,1,2,3,4," == answer.content
        assert ("close", None) == (
            answer.headers["Connection"],
            answer.headers["Transfer-Encoding"],
        )


def test_head_of_a_stream_says_what_get_would_and_closes_the_iterator() -> None:
    closed = threading.Event()

    class Source:
        def __iter__(self) -> Iterator[bytes]:
            pytest.fail("iterated")

        def close(self) -> None:
            closed.set()

    with Wire(lambda _: text(Source())) as wire:
        (answer,) = wire.send(request("/", "HEAD")).until(closed.is_set).answers("HEAD")

        assert "chunked" == answer.headers["Transfer-Encoding"]
        assert wire.raw.endswith(b"\r\n\r\n")


def failing() -> Iterator[bytes]:
    yield b"first"
    raise LookupError("no more")


@pytest.mark.parametrize(
    ("headers", "source", "logged"),
    [
        ({}, failing, "LookupError"),
        ({"Content-Length": "100"}, numbers, "ended after 10 of the 100"),
        ({"Content-Length": "5"}, numbers, "goes on after the 5 octets"),
    ],
)
def test_a_stream_that_breaks_off_is_never_ended_properly(
    headers: dict[str, str], source: Any, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(lambda _: Response(source(), headers=headers)) as wire:
        wire.send(GET).until(lambda: wire.closed)

        assert not wire.raw.endswith(b"0\r\n\r\n")
        assert logged in caplog.text
        assert 1 == wire.server.counters.resets


def test_a_generator_waits_until_the_client_has_taken_what_was_sent() -> None:
    produced: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1000):
            produced.append(number)
            yield b"x"

    with Wire(lambda _: text(endless())) as wire:
        wire.connection.pause_writing()
        wire.send(GET).settle()
        assert [0] == produced
        wire.connection.resume_writing()
        wire.until_idle()
        assert 1000 == len(produced)


def test_a_generator_is_closed_when_the_client_goes_away() -> None:
    events: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0.001)
        finally:
            events.append("closed")

    with Wire(lambda _: text(endless())) as wire:
        wire.send(GET).until(lambda: b"\r\nx\r\n" in wire.raw)
        wire.connection.connection_lost(ConnectionResetError())
        wire.until(lambda: bool(events))

    assert ["closed"] == events


def test_a_plain_generator_is_closed_in_a_thread_when_the_client_goes_away() -> None:
    closed = threading.Event()
    step = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
                step.wait(SECONDS)
        finally:
            closed.set()

    with Wire(lambda _: text(endless())) as wire:
        wire.send(GET).until(lambda: b"\r\nx\r\n" in wire.raw)
        wire.connection.connection_lost(ConnectionResetError())
        wire.settle()
        assert not closed.is_set()  # a step is running: closing now would be an error
        step.set()
        wire.until(closed.is_set)


def test_a_task_is_cancelled_when_the_client_goes_away() -> None:
    events: list[str] = []

    async def wait() -> Response:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise
        return text("never")

    with Wire(lambda _: wait()) as wire:
        wire.send(GET)
        wire.connection.connection_lost(None)
        wire.settle()

    assert ["cancelled"] == events


# Coroutines


def test_coroutines_that_never_wait_and_others_are_answered_in_order() -> None:
    async def answer(request: Request) -> Response:
        for _ in range(int(request.path[1:])):
            await asyncio.sleep(0)
        return text(request.path)

    with Wire(lambda request: answer(request)) as wire:
        messages = [request(f"/{number}") for number in (0, 3, 0, 0, 1, 0)]
        answers = wire.send(b"".join(messages)).until_idle().answers()

        assert [b"/0", b"/3", b"/0", b"/0", b"/1", b"/0"] == [each.content for each in answers]
        assert len(answers) == wire.server.counters.requests


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks start in the next turn there")
def test_a_coroutine_that_never_waits_is_answered_in_the_turn_its_request_came() -> None:
    async def answer() -> Response:
        return text("at once")

    with Wire(lambda _: answer()) as wire:

        async def receive() -> None:
            wire.connection.data_received(GET + GET)
            assert 2 == wire.raw.count(b"at once")

        wire.loop.run_until_complete(receive())


def test_many_pipelined_coroutines_that_never_wait_do_not_nest() -> None:
    depths = []

    async def answer() -> Response:
        depths.append(len(inspect.stack(0)))
        return text("done")

    with Wire(lambda _: answer()) as wire:
        answers = wire.send(GET * 300).until_idle().answers()

        assert 300 == len(answers)
        assert max(depths) <= min(depths) + 4  # in a turn of its own, or in that of the request


@pytest.mark.parametrize("turns", [0, 2])
def test_a_coroutine_runs_in_a_task_and_in_the_context_of_its_exchange(turns: int) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    tasks = []

    async def answer() -> Response:
        before = variable.get()
        tasks.append(asyncio.current_task())
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            for _ in range(turns):
                await asyncio.sleep(0)
            child = group.create_task(asyncio.sleep(0, variable.get()))
        assert asyncio.current_task() is tasks[-1]
        variable.set("leaked by a task")
        return text(f"{before} {child.result()}")

    def handle(request: Request) -> Any:
        assert "unset" == variable.get()
        variable.set(request.path)
        return answer()

    with Wire(handle) as wire:
        first, second = wire.send(request("/a") + request("/b")).until_idle().answers()

        assert [b"/a /a", b"/b /b"] == [first.content, second.content]
        assert None not in tasks
        assert tasks[0] is not tasks[1]
        assert "unset" == variable.get()


@pytest.mark.parametrize("turns", [0, 2])
def test_an_error_in_a_coroutine_gets_500_and_the_next_request_is_answered(
    turns: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(request: Request) -> Response:
        for _ in range(turns):
            await asyncio.sleep(0)
        if request.path == "/":
            raise ValueError("broken")
        return text("whole")

    with Wire(Streaming(answer)) as wire:
        answers = wire.send(request("/") + request("/2")).until_idle().answers()

        assert [500, 200] == [each.status for each in answers]
        assert "ValueError: broken" in caplog.text


@pytest.mark.parametrize("turns", [0, 2])
def test_a_coroutine_that_cancels_itself_resets_the_connection(turns: int) -> None:
    async def answer() -> Response:
        for _ in range(turns):
            await asyncio.sleep(0)
        raise asyncio.CancelledError

    with Wire(lambda _: answer()) as wire:
        wire.send(GET).until(lambda: wire.closed)

        assert b"" == wire.raw
        assert 1 == wire.server.counters.resets


def test_a_coroutine_can_cancel_its_task_and_clean_up() -> None:
    events = []

    async def answer() -> Response:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            await asyncio.sleep(60)
        finally:
            events.append("cleaned up")
        return text("never")

    with Wire(lambda _: answer()) as wire:
        wire.send(GET).until(lambda: wire.closed)

        assert ["cleaned up"] == events


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_handler_whose_coroutine_ends_the_program_gets_its_client_an_answer(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer() -> Response:
        raise error

    with Wire(lambda _: answer()) as wire:
        (refused,) = wire.send(GET).until_idle().answers()

        assert 500 == refused.status
        assert type(error).__name__ in caplog.text


def test_time_that_a_coroutine_took_is_not_laid_on_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = []
    now = 100.0
    monkeypatch.setattr("groundwire.server.connection.perf_counter", lambda: now)

    class Slow(Streaming):
        def held_loop(self, request: Request, seconds: float) -> None:
            told.append(request.path)

    async def slow(seconds: float) -> Response:
        nonlocal now
        now += seconds
        return text("slow")

    def answer(request: Request) -> Any:
        return slow(HELD_LOOP_SECONDS * 2) if request.path == "/slow" else text("quick")

    with Wire(Slow(answer)) as wire:
        answers = wire.send(request("/slow") + request("/quick")).until_idle().answers()

        assert [b"slow", b"quick"] == [each.content for each in answers]
        assert "/quick" not in told


def test_an_awaitable_that_is_no_coroutine_is_awaited_in_the_context_of_its_exchange() -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    class Later:
        def __await__(self) -> Iterator[Any]:
            yield from asyncio.sleep(0).__await__()
            return text(variable.get())

    def handle(_: Request) -> Any:
        variable.set("set by handle")
        return Later()

    with Wire(handle) as wire:
        (answer,) = wire.send(GET).until_idle().answers()

        assert b"set by handle" == answer.content


def test_a_future_is_awaited() -> None:
    with Wire(lambda _: wire.loop.create_task(later())) as wire:

        async def later() -> Response:
            await asyncio.sleep(0)
            return text("later")

        (answer,) = wire.send(GET).until_idle().answers()

        assert b"later" == answer.content


def test_a_program_s_own_task_factory_makes_the_tasks() -> None:
    made = []

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> Any:
        made.append(coroutine.__name__)
        return asyncio.Task(coroutine, loop=loop, **more)

    async def answer() -> Response:
        return text("done")

    with Wire(lambda _: answer()) as wire:
        wire.loop.set_task_factory(factory)
        (done,) = wire.send(GET).until_idle().answers()

        assert b"done" == done.content
        assert made


def test_a_coroutine_is_stopped_when_the_content_it_reads_first_is_refused() -> None:
    events = []

    async def answer(request: Request) -> Response:
        assert not isinstance(request.content, bytes)
        try:
            async for _ in request.content.chunks():
                pass
        except ContentError:
            events.append("refused")
        await asyncio.sleep(60)
        return text("never")

    with Wire(Streaming(answer)) as wire:
        head = request("/", "POST", Transfer_Encoding="chunked")
        (refused,) = wire.send(head + b"x\r\n").answers("POST")

        assert 400 == refused.status
        wire.settle()
        assert ["refused"] == events
        assert not asyncio.all_tasks(wire.loop)


def test_an_interim_response_of_a_coroutine_that_never_waits_is_sent_first() -> None:
    async def answer(request: Request) -> Response:
        assert request.exchange is not None
        request.exchange.inform(103, [("Link", "</style.css>; rel=preload")])
        return text("done")

    with Wire(lambda request: answer(request)) as wire:
        (done,) = wire.send(GET).until_idle().answers()

        assert b"done" == done.content
        assert wire.raw.startswith(b"HTTP/1.1 103 Early Hints\r\n")


# Threads


def test_a_call_in_a_thread_has_the_exchange_s_context() -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    def in_thread() -> Response:
        return text(f"{variable.get()} {threading.current_thread() is threading.main_thread()}")

    def handle(_: Request) -> InThread:
        variable.set("set by handle")
        return InThread(in_thread)

    with Wire(handle) as wire:
        (answer,) = wire.send(GET).until_idle().answers()

        assert b"set by handle False" == answer.content


def test_too_many_waiting_calls_are_answered_503_at_once() -> None:
    gate = threading.Event()

    def wait() -> Response:
        gate.wait(SECONDS)
        return text("done")

    with Wire(lambda _: InThread(wait), threads=1, thread_queue=0) as wire:
        wire.send(GET)
        other = Wire.__new__(Wire)
        other.__dict__.update(wire.__dict__)
        from groundwire.server.connection import Connection
        from groundwire.server.memory import MemoryTransport

        other.transport = MemoryTransport(("127.0.0.1", 50001), ("127.0.0.1", 80))
        other.connection = Connection(wire.server)
        other.connection.connection_made(other.transport)
        (refused,) = other.send(GET).answers()
        gate.set()
        (answer,) = wire.until_idle().answers()

    assert (503, "1") == (refused.status, refused.headers["Retry-After"])
    assert b"done" == answer.content


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt()])
def test_a_handler_that_fails_in_a_thread_gets_500(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Response:
        raise error

    with Wire(lambda _: InThread(fail)) as wire:
        answers = wire.send(GET, GET).until_idle().answers()

        assert [500, 500] == [answer.status for answer in answers]
        assert b"Internal Server Error\n" == answers[0].content
        assert type(error).__name__ in caplog.text


# Contexts


def test_no_variable_set_by_one_request_reaches_the_next() -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    def body() -> Iterator[str]:
        yield variable.get()
        variable.set("leaked by an iterator")

    async def in_task() -> Response:
        before = variable.get()
        variable.set("leaked by a task")
        return text(before)

    def in_thread() -> Response:
        before = variable.get()
        variable.set("leaked by a thread")
        return text(before)

    def handle(request: Request) -> Any:
        if request.path == "/inline":
            before = variable.get()
            variable.set("leaked inline")
            return text(before)
        return {
            "/task": in_task,
            "/thread": lambda: InThread(in_thread),
            "/body": lambda: text(body()),
        }[request.path]()

    with Wire(handle) as wire:
        paths = ["/inline", "/task", "/thread", "/body"] * 3
        answers = wire.send(*[request(path) for path in paths]).until_idle().answers()

    assert [b"unset"] * 12 == [answer.content for answer in answers]


# Misbehaving applications


@pytest.mark.parametrize(
    "response",
    [
        lambda: Response("x", 199),
        lambda: Response("x", 600),
    ],
)
def test_a_response_that_cannot_be_sent_becomes_500(
    response: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(lambda _: response()) as wire:
        (answer,) = wire.send(GET).answers()

        assert 500 == answer.status
        assert "cannot be sent" in caplog.text


def test_an_application_cannot_frame_its_response_itself() -> None:
    headers = [("Transfer-Encoding", "chunked"), ("Connection", "upgrade"), ("Content-Length", "3")]
    with Wire(lambda _: Response("hello", headers=headers)) as wire:
        (answer,) = wire.send(GET).answers()

        assert (b"hello", "5", None) == (
            answer.content,
            answer.headers["Content-Length"],
            answer.headers["Transfer-Encoding"],
        )


def test_closing_functions_run_after_the_answer_and_their_errors_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[str] = []

    def fail() -> None:
        calls.append("fail")
        raise ValueError("while closing")

    def handle(_: Request) -> Response:
        response = text("hello")
        response.call_on_close(lambda: calls.append("closed"))
        response.call_on_close(fail)
        return response

    with caplog.at_level(logging.ERROR), Wire(handle) as wire:
        wire.send(GET)

        assert ["closed", "fail"] == calls
        assert "closing a response failed" in caplog.text
        assert not wire.closed


# Stopping


def test_answers_of_a_stopping_server_say_close() -> None:
    with Wire(echo) as wire:
        wire.server.stopping = True
        wire.connection.stop()
        (answer,) = wire.send(GET).answers()

        assert "close" == answer.headers["Connection"]
        assert wire.closed


def test_interim_responses_are_sent_before_the_final_one() -> None:
    async def hints(request: Request) -> Response:
        assert request.exchange is not None
        request.exchange.inform(103, [("Link", "</style.css>; rel=preload")])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return text("done")

    with Wire(lambda request: hints(request)) as wire:
        wire.send(GET).until_idle()
        assert wire.raw.startswith(
            b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n"
        )
    with Wire(lambda request: hints(request)) as wire:
        wire.send(request("/", version="1.0")).until(lambda: wire.closed)
        assert b"103" not in wire.raw


def test_a_handler_that_answers_head_itself_may_say_how_long_get_would_be() -> None:
    def handle(_: Request) -> Response:
        response = Response(b"")
        response.headers["Content-Length"] = "1234"
        return response

    with Wire(handle) as wire:
        (answer,) = wire.send(request("/", "HEAD")).answers("HEAD")

        assert "1234" == answer.headers["Content-Length"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["inline", "task", "iterator", "async iterator"])
def test_no_handler_can_end_the_server(
    where: str, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def in_task() -> Response:
        raise error

    def iterator() -> Iterator[bytes]:
        yield b"x"
        raise error

    async def async_iterator() -> AsyncIterator[bytes]:
        yield b"x"
        raise error

    def handle(_: Request) -> Any:
        if where == "inline":
            raise error
        if where == "task":
            return in_task()
        return text(iterator() if where == "iterator" else async_iterator())

    with Wire(handle) as wire:
        wire.send(GET).until(lambda: wire.connection.is_idle or wire.closed)

        assert type(error).__name__ in caplog.text


def test_small_reads_of_large_content_cost_no_more_than_their_size() -> None:
    content = bytes(range(256)) * 250

    def read(request: Request) -> Response:
        assert not isinstance(request.content, bytes)
        pieces = []
        while piece := request.content.read(7):
            pieces.append(piece)
        return text(str(b"".join(pieces) == content))

    with Wire(Streaming(lambda request: InThread(read, request), limit=None)) as wire:
        (answer,) = wire.send(request("/", "POST", content)).until_idle().answers()

        assert b"True" == answer.content


def trailing(*pieces: bytes) -> bytes:
    message = request("/", "POST", Transfer_Encoding="chunked") + chunked(*pieces)
    return message[:-2] + b"X-Sum: 42\r\n\r\n"


@pytest.mark.parametrize("whole", [True, False])
def test_trailers_are_available_apart_once_content_is_read(whole: bool) -> None:
    def read(request: Request) -> Response:
        content = request.content
        read = content if isinstance(content, bytes) else content.read()
        return text(
            f"{read!r} {request.trailers.get('X-Sum')} {request.headers.get('X-Sum')} {request.host}"
        )

    handler = Streaming(lambda request: InThread(read, request))
    handler.content_policy = lambda request: ContentPolicy(1000, whole)  # type: ignore[method-assign]
    message = trailing(b"hello")
    for cut in (80, len(message) - 30, len(message) - 3):
        with Wire(handler) as wire:
            (answer,) = wire.send(message[:cut], message[cut:]).until_idle().answers()

            assert b"b'hello' 42 None example.com" == answer.content


@pytest.mark.parametrize(("busy", "seconds", "told"), [(0, 0.003, 1), (4, 0.003, 0), (4, 0.1, 1)])
def test_a_handler_is_told_that_it_held_the_loop_unless_threads_may_have(
    busy: int, seconds: float, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[float] = []

    class Handler(Streaming):
        def held_loop(self, request: Request, seconds: float) -> None:
            calls.append(seconds)

    monkeypatch.setattr("sys.getswitchinterval", lambda: 0.001)
    clock = iter((0.0, seconds, seconds))
    monkeypatch.setattr("groundwire.server.connection.perf_counter", lambda: next(clock))
    with Wire(Handler(lambda _: text("ok"))) as wire:
        monkeypatch.setattr(type(wire.connection.pool), "busy", busy)
        wire.send(GET)

    assert told == len(calls)


def fails_at_once() -> Iterator[bytes]:
    raise LookupError("nothing to send")
    yield b""


async def fails_at_once_too() -> AsyncIterator[bytes]:
    raise LookupError("nothing to send")
    yield b""


def loses_its_upstream(pieces: int) -> Iterator[bytes]:
    yield from [b"x"] * pieces
    raise ConnectionResetError("the database has gone")


async def loses_its_upstream_too(pieces: int) -> AsyncIterator[bytes]:
    for piece in [b"x"] * pieces:
        yield piece
    raise BrokenPipeError("the database has gone")


@pytest.mark.parametrize("source", [loses_its_upstream, loses_its_upstream_too])
def test_a_connection_that_a_stream_loses_is_not_taken_for_the_clients(
    source: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(lambda _: Response(source(0))) as wire:
        wire.send(GET).until_idle()
        assert [500] == [answer.status for answer in wire.answers()]
    with Wire(lambda _: Response(source(1))) as wire:
        wire.send(GET).until(lambda: wire.closed)
        assert 1 == wire.server.counters.resets
    assert 2 == sum("the database has gone" in str(record.exc_info) for record in caplog.records)


@pytest.mark.parametrize("source", [fails_at_once, fails_at_once_too])
def test_a_stream_that_fails_before_its_first_piece_is_answered_500(
    source: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(lambda request: text(source()) if request.path == "/" else text("ok")) as wire:
        wire.send(request("/") + request("/next")).until(lambda: wire.raw.endswith(b"ok"))

        assert [500, 200] == [answer.status for answer in wire.answers()]
        assert "LookupError" in caplog.text


def test_the_head_of_a_stream_goes_out_with_its_first_piece() -> None:
    gate = asyncio.Event()

    async def late() -> AsyncIterator[bytes]:
        await gate.wait()
        yield b"first"

    with Wire(lambda _: text(late())) as wire:
        wire.send(GET).settle()
        assert b"" == wire.raw
        gate.set()
        assert b"first" == wire.until_idle().answers()[0].content


def test_an_empty_stream_is_an_answer_without_content() -> None:
    with Wire(lambda _: text(iter(()))) as wire:
        (answer,) = wire.send(GET).until_idle().answers()

        assert (200, b"") == (answer.status, answer.content)
