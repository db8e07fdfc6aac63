import asyncio
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from fetching import make_app, settle_inline
from groundwire import Groundwire, Response, request
from groundwire.http.handler import ContentPolicy, InThread
from groundwire.http.request import Request
from groundwire.inspector import Inspector
from groundwire.server.deadlines import enforce
from groundwire.server.settings import ServerSettings
from recorded_wire import RecordedWire
from serving import SECONDS, everything, running_server
from wire import chunked
from wire import request as message

GET = message("/hello")

MAX_CALLS = 20
"""Python-level calls of a recorded `GET /hello`: there are 18, and 11 where nothing is recorded."""


def hello(_: Any) -> Response:
    return Response("Hello", mimetype="text/plain")


class Reading:
    """A handler that is called at once and answers what it has read of the content, or nothing of it."""

    def __init__(self, reads: bool) -> None:
        self._reads = reads

    request_class = Request

    def handle(self, asked: Any) -> Any:
        return self._answer(asked)

    async def _answer(self, asked: Any) -> Response:
        octets = 0
        if self._reads and not isinstance(asked.content, bytes):
            async for piece in asked.content.chunks():
                octets += len(piece)
        return Response(f"{octets}", mimetype="text/plain")

    def content_policy(self, _: Any) -> ContentPolicy:
        return ContentPolicy(whole=False)

    def startup(self) -> None: ...

    def shutdown(self) -> None: ...


def marks(record: Any) -> list[str]:
    return [name for name, _ in record.marks]


# What it costs


def test_a_recorded_request_takes_few_calls() -> None:
    """Whatever the machine does meanwhile: steps can be counted."""
    app = make_app()
    app.add_url_rule("/hello", "hello", lambda: "Hello, World!")
    settle_inline(app, "/hello")
    calls: list[str] = []

    def note(frame: Any, event: str, _: Any) -> None:
        calls.append(frame.f_code.co_qualname)

    with RecordedWire(app, wire_secrets=False) as wire:
        wire.send(GET, GET, GET).until_idle()

        async def receive() -> None:
            sys.settrace(note)  # what a profiler is set for is noted in another way
            try:
                wire.connection.data_received(GET)
            finally:
                sys.settrace(None)

        wire.loop.run_until_complete(receive())

        assert ["matched", "called"] == [kind for kind, _ in wire.records[-1].notes]
    ours = [call for call in calls if not call.startswith(("MemoryTransport", "Event"))]
    assert len(ours) <= MAX_CALLS, ours


# Where exchanges are cut


def test_each_of_several_pipelined_requests_has_its_own_octets_and_answer() -> None:
    asked = [message(f"/{number}") for number in range(40)]
    with RecordedWire(hello) as wire:
        wire.send(b"".join(asked)).until_idle()

        assert asked == [record.request for record in wire.records]
        assert wire.raw == b"".join(record.response for record in wire.records)
        assert list(range(1, 41)) == [record.number for record in wire.records]
        assert {"answered"} == {record.state for record in wire.records}
        assert {200} == {record.status for record in wire.records}


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_octets_are_the_same_however_they_are_cut(size: int) -> None:
    parts = [GET, b"\r\n" + message("/", "POST", b"12345"), GET]
    parts.append(message("/", "POST", b"", Transfer_Encoding="chunked") + chunked(b"ab", b"cde"))
    sent = b"".join(parts)
    with RecordedWire(hello) as wire:
        wire.send(*(sent[at : at + size] for at in range(0, len(sent), size))).until_idle()

        assert parts == [record.request for record in wire.records]
        assert wire.raw == b"".join(record.response for record in wire.records)


def test_empty_lines_before_a_request_belong_to_it() -> None:
    with RecordedWire(hello) as wire:
        wire.send(GET, b"\r\n", b"\r\n", GET).until_idle()

        assert [GET, b"\r\n\r\n" + GET] == [record.request for record in wire.records]
        assert ["/hello", "/hello"] == [record.target for record in wire.records]


def test_interim_responses_are_part_of_the_answer() -> None:
    asked = message("/", "POST", b"12345", Expect="100-continue")
    with RecordedWire(hello) as wire:
        wire.send(asked[:-5]).settle().send(asked[-5:]).until_idle()

        assert asked == wire.record.request
        assert wire.raw == wire.record.response
        assert wire.raw.startswith(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Wire-Id: 1-1\r\n"
        )
        assert 200 == wire.record.status


def test_content_that_is_read_while_the_answer_is_made_is_kept() -> None:
    asked = message("/", "POST", b"x" * 3000)
    with RecordedWire(Reading(True)) as wire:
        wire.send(asked[:500], asked[500:2000], asked[2000:] + GET).until_idle()

        assert [asked, GET] == [record.request for record in wire.records]
        assert "content complete" in marks(wire.records[0])


def test_content_that_nobody_reads_belongs_to_its_request() -> None:
    asked = message("/", "POST", b"x" * 3000)
    with RecordedWire(Reading(False)) as wire:
        wire.send(asked[:500]).settle()
        assert "answered" == wire.record.state
        wire.send(asked[500:2000], asked[2000:] + GET).until_idle()

        assert [asked, GET] == [record.request for record in wire.records]
        assert ["answered", "answered"] == [record.state for record in wire.records]


def test_a_request_is_seen_while_it_comes() -> None:
    with RecordedWire(hello) as wire:
        wire.send(GET[:10])
        seen = wire.record

        assert ("receiving", GET[:10], 10, "", 0) == (
            *(seen.state, seen.request, seen.request_octets, seen.version, seen.status),
        )
        wire.send(GET[10:20], GET[20:25])
        assert (GET[:25], 25) == (wire.record.request, wire.record.request_octets)
        wire.send(GET[25:]).until_idle()
        assert ("answered", GET) == (wire.record.state, wire.record.request)
        assert GET[:10] == seen.request


def test_nothing_is_recorded_of_a_connection_without_a_request() -> None:
    with RecordedWire(hello) as wire:
        wire.send(b"\r\n").lose()

        assert [] == wire.records
        assert 1 == wire.inspector.recorder.connections


# What does not end well


def test_a_refused_request_names_rule_and_byte_though_no_code_ran() -> None:
    with RecordedWire(hello) as wire:
        wire.send(GET + b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n").until_idle()
        good, refused = wire.records

        assert "answered" == good.state
        assert "refused" == refused.state
        assert b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n" == refused.request
        assert ("RFC 9112 §2.3", 400) == (refused.error["section"], refused.error["status"])
        assert refused.error["offset"] in range(len(refused.request))
        assert wire.raw == good.response + refused.response
        assert b"\r\nX-Wire-Id: 1-2\r\n" in refused.response
        assert 400 == refused.status


def test_content_that_breaks_a_rule_is_refused_in_its_record() -> None:
    asked = message("/", "POST", b"", Transfer_Encoding="chunked") + b"3\r\nabcZ"
    with RecordedWire(hello) as wire:
        wire.send(asked[:-2], asked[-2:]).until_idle()
        record = wire.record

        assert ("refused", "POST", "/", asked) == (
            *(record.state, record.method, record.target, record.request),
        )
        assert "RFC 9112 §7.1" == record.error["section"]
        assert b"Z"[0] == record.request[record.error["offset"]]


def test_a_request_that_is_cut_off_is_refused() -> None:
    with RecordedWire(hello) as wire:
        wire.send(GET[:20]).eof()

        assert ("refused", 400, GET[:20]) == (
            *(wire.record.state, wire.record.status, wire.record.request),
        )
        assert ("RFC 9112 §8", 20) == (wire.record.error["section"], wire.record.error["offset"])


def test_a_head_that_is_too_large_is_refused_with_its_rule() -> None:
    with RecordedWire(hello) as wire:
        wire.send(message("/", X_Large="x" * 20000)).until_idle()

        assert (431, "refused") == (wire.record.status, wire.record.state)
        assert 431 == wire.record.error["status"]


def test_a_deadline_refuses_what_has_come() -> None:
    with RecordedWire(hello) as wire:
        wire.send(GET[:20])
        enforce(wire.connection, wire.connection.since + 11)

        record = wire.record
        assert ("refused", 408, GET[:20], 20) == (
            *(record.state, record.status, record.request, record.error["offset"]),
        )
        assert "The head of the request did not come whole within 10 s." == record.error["message"]


@pytest.mark.parametrize("sent", [GET[:20], message("/", "POST", b"12345")[:-2]])
def test_a_client_that_vanishes_before_its_answer_is_gone(sent: bytes) -> None:
    with RecordedWire(hello) as wire:
        wire.send(sent).lose()

        assert ("client gone", sent, b"", 0) == (
            *(wire.record.state, wire.record.request, wire.record.response, wire.record.status),
        )


def test_a_client_that_vanishes_while_the_answer_is_made_is_gone() -> None:
    async def never(_: Any) -> Response:
        await asyncio.get_running_loop().create_future()
        return hello(None)

    with RecordedWire(never) as wire:
        wire.send(GET)
        assert "answering" == wire.record.state
        wire.lose()

        assert ("client gone", "loop") == (wire.record.state, wire.record.place)


def test_a_stream_that_fails_is_broken_off_with_its_error() -> None:
    def pieces() -> Iterator[str]:
        yield "one"
        raise LookupError("two is missing")

    with RecordedWire(lambda _: Response(pieces(), mimetype="text/plain")) as wire:
        wire.send(GET).until(lambda: wire.closed).connection.connection_lost(None)
        record = wire.record

        assert ("broken off", 200) == (record.state, record.status)
        assert wire.raw == record.response
        assert ("LookupError", "two is missing", False) == (
            *(record.failure["class"], record.failure["message"], record.failure["handled"]),
        )


def test_a_function_that_raises_is_answered_by_the_server() -> None:
    def fail(_: Any) -> Response:
        raise KeyError("no such thing")

    with RecordedWire(fail) as wire:
        wire.send(GET).until_idle()

        assert ("refused", 500, "KeyError") == (
            *(wire.record.state, wire.record.status, wire.record.failure["class"]),
        )
        assert "no such thing" in wire.record.failure["traceback"]


def test_an_exception_in_a_thread_or_a_task_is_kept() -> None:
    def fail() -> Response:
        raise KeyError("in a thread")

    async def fail_later() -> Response:
        raise KeyError("in a task")

    for answer, place in ((lambda _: InThread(fail), "thread"), (lambda _: fail_later(), "loop")):
        with RecordedWire(answer) as wire:
            wire.send(GET).until_idle()

            assert ("answered", 500, place) == (
                *(wire.record.state, wire.record.status, wire.record.place),
            )
            assert wire.record.failure["message"] in ("'in a thread'", "'in a task'")


# When and where


def test_the_timeline_is_that_of_an_answer_given_at_once() -> None:
    with RecordedWire(hello) as wire:
        wire.send(GET, GET).until_idle()
        first, second = wire.records

        assert [
            *("accepted", "first byte", "head complete", "content complete", "handler started"),
            *("handler ended", "head sent", "last byte sent"),
        ] == marks(first)
        assert marks(first)[1:] == marks(second)
        assert ["inline", "inline"] == [first.place, second.place]
        times = [at for _, at in first.marks]
        assert sorted(times) == times
        assert 0 < first.duration_us < 5e6


def test_a_thread_has_the_times_of_its_own() -> None:
    def slow() -> Response:
        time.sleep(0.02)
        return hello(None)

    with RecordedWire(lambda _: InThread(slow)) as wire:
        wire.send(GET).until_idle()
        times = dict(wire.record.marks)

        assert "thread" == wire.record.place
        assert times["handler ended"] - times["handler started"] >= 0.02
        assert times["head complete"] <= times["handler started"] <= times["head sent"]


def test_a_coroutine_runs_on_the_loop() -> None:
    async def later(_: Any) -> Response:
        await asyncio.sleep(0)
        return hello(None)

    with RecordedWire(later) as wire:
        wire.send(GET).until_idle()

        assert ("loop", 200) == (wire.record.place, wire.record.status)
        assert {"handler started", "handler ended"} <= set(marks(wire.record))


def test_a_stream_has_a_first_and_a_last_byte() -> None:
    async def pieces() -> Any:
        yield "one"
        await asyncio.sleep(0.01)
        yield "two"

    with RecordedWire(lambda _: Response(pieces(), mimetype="text/plain")) as wire:
        wire.send(GET).until_idle()
        times = dict(wire.record.marks)

        assert wire.raw == wire.record.response
        assert wire.raw.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        assert times["last byte sent"] - times["head sent"] >= 0.01


# Where a record is found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET, 200),
        (message("/", "HEAD"), 200),
        (message("/missing"), 404),
        (message("/stream"), 200),
        (message("/fails"), 500),
        (message("/cached", If_None_Match='"x"'), 304),
        (message("/hello", "POST"), 405),
        (message("/hello", "OPTIONS"), 200),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (message("/hello", Expect="42"), 417),
    ],
)
def test_every_answer_says_where_its_record_is(sent: bytes, status: int) -> None:
    app = Groundwire("app")

    @app.route("/")
    @app.route("/hello")
    def index() -> str:
        return "Hello"

    @app.route("/stream")
    def stream() -> Response:
        return Response(iter(["one", "two"]))

    @app.route("/fails")
    def fails() -> str:
        raise LookupError

    @app.route("/cached")
    def cached() -> Response:
        answer = Response("x")
        answer.set_etag("x")
        return answer.make_conditional(request)

    with RecordedWire(app) as wire:
        wire.send(sent).until_idle()
        head = wire.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")

        assert status == wire.record.status
        assert [b"X-Wire-Id: 1-1", b'Link: </__wire__/requests/1-1>; rel="describedby"'] == head[
            1:3
        ]
        assert wire.raw == wire.record.response


def test_requests_have_their_identifiers_besides() -> None:
    with RecordedWire(hello, request_id=True) as wire:
        wire.send(message("/", X_Request_ID="mine"), b"GET /\r\n").until_idle()
        first, second = wire.answers()

        assert ("mine", "1-1") == (first.headers["X-Request-ID"], first.headers["X-Wire-Id"])
        assert (None, "1-2") == (second.headers["X-Request-ID"], second.headers["X-Wire-Id"])


def test_identifiers_of_requests_are_not_invented() -> None:
    async def later(_: Any) -> Response:
        return hello(None)

    with RecordedWire(later) as wire:
        wire.send(GET).until_idle()

        assert "X-Request-ID" not in wire.answers()[0].headers


def test_what_is_the_inspectors_own_is_not_recorded() -> None:
    with RecordedWire(hello) as wire:
        wire.inspector.recorder.is_own = lambda asked: asked.path == "/__wire__/"
        own = message("/__wire__/")
        other = message("/__wire__/other")
        wire.send(own + GET + own + other + GET + own[:9], own[9:] + GET).until_idle()

        assert [GET, other, GET, GET] == [record.request for record in wire.records]
        answers = wire.answers()
        assert [None, "1-1", None, "1-2", "1-3", None, "1-5"] == [
            answer.headers["X-Wire-Id"] for answer in answers
        ]


def test_an_app_names_the_endpoint_and_where_it_ran() -> None:
    app = Groundwire("app")

    @app.route("/users/<int:number>")
    async def user(number: int) -> str:
        return f"{number}"

    with RecordedWire(app) as wire:
        wire.send(message("/users/5?full=1")).until_idle()
        record = wire.record

        assert ("GET", "/users/5?full=1", "/users/5", "HTTP/1.1") == (
            *(record.method, record.target, record.path, record.version),
        )
        assert ("user", "loop", "127.0.0.1:50000", "127.0.0.1:80", "http") == (
            *(record.endpoint, record.place, record.peer, record.local, record.scheme),
        )
        assert {"number": 5} == record.view_args
        assert "matched" in marks(record)


# Whose times and logs


def test_log_records_belong_to_their_exchange_in_threads_and_tasks() -> None:
    logger = logging.getLogger("test_recording")

    def in_thread(said: str) -> Response:
        logger.warning("said %s", said)
        return hello(None)

    async def in_task(said: str) -> Response:
        await asyncio.sleep(0)
        await asyncio.create_task(asyncio.to_thread(logger.warning, "said %s", said))
        return hello(None)

    def answer(asked: Any) -> Any:
        if asked.path == "/inline":
            logger.warning("said %s", asked.path)
            return hello(None)
        return InThread(in_thread, asked.path) if asked.path == "/thread" else in_task(asked.path)

    with RecordedWire(answer) as wire:
        wire.send(message("/inline") + message("/thread") + message("/task")).until_idle()
        logger.warning("said by nobody")

        assert [["said /inline"], ["said /thread"], ["said /task"]] == [
            [line["message"] for line in record.logs] for record in wire.records
        ]
        line = wire.records[0].logs[0]
        assert ("WARNING", "test_recording", __file__) == (
            line["level"],
            line["logger"],
            line["file"],
        )
        assert line["line"] > 0
        assert 0 <= line["time_us"] < 5e6


def test_two_exchanges_at_the_same_time_do_not_mix() -> None:
    logger = logging.getLogger("test_recording")
    both = threading.Barrier(2)

    def answer(said: str) -> Response:
        both.wait(SECONDS)
        logger.warning("said %s", said)
        both.wait(SECONDS)
        return hello(None)

    with RecordedWire(lambda asked: InThread(answer, asked.path)) as wire:
        wire.send(message("/one"))
        one = wire.transport
        wire.connect().send(message("/two")).until(lambda: bool(one.written) and bool(wire.raw))

        assert [("/one", ["said /one"]), ("/two", ["said /two"])] == [
            (record.target, [line["message"] for line in record.logs]) for record in wire.records
        ]
        assert [1, 2] == [record.connection for record in wire.records]


# Servers


def test_another_server_without_an_observer_has_nothing_of_it() -> None:
    with RecordedWire(hello) as watched, RecordedWire(hello) as other:
        watched.send(GET).until_idle()

        assert ([1], []) == ([record.serial for record in watched.records], other.records)


def test_a_takeover_is_an_upgrade() -> None:
    inspector = Inspector(ServerSettings(wire_secrets=True))

    def take(asked: Any) -> Response:
        with asked.environ["werkzeug.socket"] as taken:
            taken.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + taken.recv(100))
        return Response("")

    sent = message("/ws", Connection="Upgrade", Upgrade="other")
    with running_server(
        lambda asked: InThread(take, asked), observer=lambda _: inspector
    ) as served:
        got = served.exchange(sent, b"not HTTP")
    [record] = inspector.recorder.records()

    assert got.endswith(b"not HTTP")
    assert ("upgraded", 101, sent, b"") == (
        *(record.state, record.status, record.request, record.response),
    )


def test_a_server_without_a_free_thread_says_so_in_the_record() -> None:
    free = threading.Event()

    def wait() -> Response:
        free.wait(60)
        return hello(None)

    with RecordedWire(lambda _: InThread(wait), threads=1, thread_queue=0) as wire:
        wire.send(GET)
        wire.connect().send(GET).until_idle()
        free.set()

        assert ("answered", 503, "thread") == (
            *(wire.records[1].state, wire.records[1].status, wire.records[1].place),
        )


def test_an_answer_that_takes_too_long_is_refused_in_its_record() -> None:
    async def never(_: Any) -> Response:
        await asyncio.get_running_loop().create_future()
        return hello(None)

    with RecordedWire(never, request_timeout_seconds=1) as wire:
        wire.send(GET)
        for second in range(3):
            enforce(wire.connection, second)
        wire.settle()

        assert ("refused", 503, GET, "loop") == (
            *(wire.record.state, wire.record.status, wire.record.request, wire.record.place),
        )
        assert "This request could not be answered within 1 s." == wire.record.error["message"]


def test_a_connection_that_the_server_resets_is_broken_off() -> None:
    async def never(_: Any) -> Response:
        await asyncio.get_running_loop().create_future()
        return hello(None)

    inspector = Inspector(ServerSettings())
    with (
        running_server(never, observer=lambda _: inspector, graceful_seconds=0.05) as served,
        served.connect() as client,
    ):
        client.sendall(GET)
        while not inspector.recorder.records():
            time.sleep(0.001)
        served.stop()

    assert ["broken off"] == [record.state for record in inspector.recorder.records()]


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_tls_is_taken_off_before_octets_are_recorded(tmp_path: Path, loop: str) -> None:
    authority = trustme.CA()
    certificate = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    certificate.chmod(0o600)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    inspector = Inspector(ServerSettings(wire_secrets=True))
    last = message("/", Connection="close")
    with running_server(
        hello,
        observer=lambda _: inspector,
        loop=loop,
        cert=(str(certificate),),
        redirect_http="127.0.0.1:0",
    ) as served:
        with context.wrap_socket(served.connect(), server_hostname="127.0.0.1") as client:
            client.sendall(GET + last)
            got = everything(client)
        with socket.create_connection(("127.0.0.1", served.server.redirecting_port or 0)) as plain:
            plain.sendall(message("/x", Connection="close").replace(b"example.com", b"127.0.0.1"))
            redirected = everything(plain)
    first, second, third = inspector.recorder.records()

    assert [GET, last] == [first.request, second.request]
    assert got == first.response + second.response
    assert ["https", "https", "http"] == [first.scheme, second.scheme, third.scheme]
    assert (308, redirected) == (third.status, third.response)
    assert b"\r\nX-Wire-Id: 1-3\r\n" in redirected


def test_clients_of_a_trusted_proxy_are_named() -> None:
    inspector = Inspector(ServerSettings(wire_secrets=True))
    sent = message("/", X_Forwarded_For="203.0.113.7", X_Forwarded_Proto="https")
    last = message("/", Connection="close", X_Forwarded_For="2001:db8::1")
    with running_server(
        hello, observer=lambda _: inspector, trusted_proxies=("127.0.0.1",)
    ) as served:
        got = served.exchange(sent + last)
    first, second = inspector.recorder.records()

    assert [sent, last] == [first.request, second.request]
    assert got == first.response + second.response
    assert (["203.0.113.7:0", "[2001:db8::1]:0"], ["https", "http"]) == (
        [first.peer, second.peer],
        [first.scheme, second.scheme],
    )


def test_fields_of_a_proxy_that_contradict_each_other_are_refused_in_the_record() -> None:
    inspector = Inspector(ServerSettings(wire_secrets=True))
    sent = message("/", X_Forwarded_For="203.0.113.7", Forwarded="for=203.0.113.8")
    with running_server(
        hello, observer=lambda _: inspector, trusted_proxies=("127.0.0.1",)
    ) as served:
        got = served.exchange(sent)
    [record] = inspector.recorder.records()

    assert ("refused", 400, sent, got) == (
        *(record.state, record.status, record.request, record.response),
    )
    assert record.error["message"]
