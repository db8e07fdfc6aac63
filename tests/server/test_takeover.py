"""Connections that a program takes over: what it reads and sends, and that nothing is left of them."""

import copy
import errno
import io
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire import Groundwire, request
from groundwire.adapters.wsgi import WSGIHandler
from serving import SECONDS, Served, everything, running_server
from wire import Wire
from wire import request as message

Environ = dict[str, Any]

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def echo(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer in capital letters until the client has nothing more to say."""
    if "werkzeug.socket" in environ:
        taken = environ["werkzeug.socket"]
        taken.sendall(SWITCHING)
        while data := taken.recv(4096):
            taken.sendall(data.upper())
        taken.close()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"plain"]


def exactly(client: socket.socket, octets: int) -> bytes:
    data = b""
    while len(data) < octets:
        piece = client.recv(octets - len(data))
        assert piece, f"closed after {data!r}"
        data += piece
    return data


def upgraded(served: Served, more: bytes = b"") -> socket.socket:
    client = served.connect()
    client.sendall(UPGRADE + more)
    assert SWITCHING == exactly(client, len(SWITCHING))
    return client


def until(true: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def nothing_is_left(served: Served) -> bool:
    server = served.server
    return not server.connections and not server.upgraded and not server.pool.pending


# What the program gets.


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_a_program_reads_and_sends_on_the_socket_it_took(loop: str) -> None:
    with running_server(WSGIHandler(echo), loop=loop) as served:
        with upgraded(served) as client:
            client.sendall(b"hello")
            assert b"HELLO" == exactly(client, 5)
            client.shutdown(socket.SHUT_WR)
            assert b"" == everything(client)
        until(lambda: nothing_is_left(served))
        assert (1, 1) == (served.server.counters.upgrades, served.server.counters.requests)


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_bytes_behind_the_head_belong_to_the_new_protocol(loop: str) -> None:
    more = b"get /smuggled http/1.1\r\nhost: a\r\n\r\n"
    with (
        running_server(WSGIHandler(echo), loop=loop) as served,
        upgraded(served, more) as client,
    ):
        assert more.upper() == exactly(client, len(more))
        client.sendall(b"later")
        assert b"LATER" == exactly(client, 5)


def test_every_way_to_read_begins_with_the_bytes_that_were_here() -> None:
    seen: list[Any] = []

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        seen.append(taken.recv(3, socket.MSG_PEEK))
        seen.append(taken.recv(3))
        room = bytearray(3)
        seen.append((taken.recv_into(room, 2), bytes(room)))
        with taken.makefile("rb") as file:
            seen.append(file.readline())
        taken.sendall(b"done")
        return []

    with running_server(WSGIHandler(application)) as served, served.connect() as client:
        client.sendall(UPGRADE + b"onetwothree\n")
        assert b"done" == everything(client)

    assert [b"one", b"one", (2, b"tw\0"), b"othree\n"] == seen


def test_answers_to_earlier_requests_go_out_first() -> None:
    big = b"x" * 5_000_000

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "werkzeug.socket" in environ:
            return echo(environ, start_response)
        start_response("200 OK", [("Content-Length", str(len(big)))])
        return [big]

    with running_server(WSGIHandler(application)) as served, served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + UPGRADE)
        time.sleep(0.2)
        client.shutdown(socket.SHUT_WR)
        head, _, rest = everything(client).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 ")
    assert big + SWITCHING == rest


def test_the_socket_is_a_socket_for_those_who_select() -> None:
    import selectors

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        with selectors.DefaultSelector() as selector:
            selector.register(taken, selectors.EVENT_READ)
            taken.sendall(SWITCHING)
            assert selector.select(SECONDS)
            taken.sendall(taken.recv(100))
        return []

    with running_server(WSGIHandler(application)) as served, upgraded(served) as client:
        client.sendall(b"hello")
        assert b"hello" == everything(client)


# When it is offered.


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade:\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 1\r\n",
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n"
            b"Transfer-Encoding: chunked\r\n"
        ),
    ],
    ids=["plain", "no option", "no field", "empty", "HTTP/1.0", "content", "chunked"],
)
def test_a_connection_is_offered_for_upgrades_without_content_only(head: bytes) -> None:
    content = {b"Conte": b"x", b"Trans": b"1\r\nx\r\n0\r\n\r\n"}.get(
        head.split(b"\r\n")[-2][:5], b""
    )
    with running_server(WSGIHandler(echo)) as served, served.connect() as client:
        client.sendall(head + b"\r\n" + content)
        client.shutdown(socket.SHUT_WR)
        answer = everything(client)

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_connection_in_memory_cannot_be_taken() -> None:
    with Wire(WSGIHandler(echo)) as wire:
        (answer,) = (
            wire.send(message("/", Connection="upgrade", Upgrade="echo")).until_idle().answers()
        )

    assert b"plain" == answer.content


def test_looking_at_the_offer_takes_nothing_and_http_goes_on() -> None:
    seen: list[Any] = []

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        offered = environ.get("werkzeug.socket")
        seen.append((repr(offered), copy.copy(environ) == environ, bool(offered)))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    with running_server(WSGIHandler(application)) as served:
        answers = served.exchange(UPGRADE + GET)

    assert ("<OfferedSocket not taken>", True, True) == seen[0]
    assert 2 == answers.count(b"HTTP/1.1 200 ")


# When it is refused.


def test_it_cannot_be_taken_when_the_answer_has_begun_or_is_out() -> None:
    kept: list[Any] = []
    errors: list[BaseException] = []

    def attempt(offered: Any) -> None:
        try:
            offered.recv(1)
        except RuntimeError as error:
            errors.append(error)

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterator[bytes]:
        kept.append(environ["werkzeug.socket"])
        start_response("200 OK", [("Content-Length", "4")])

        def content() -> Iterator[bytes]:
            yield b"ab"
            attempt(environ["werkzeug.socket"])
            yield b"cd"

        return content()

    with running_server(WSGIHandler(application)) as served, served.connect() as client:
        client.sendall(UPGRADE)
        data = client.recv(4096)
        while not data.endswith(b"cd"):
            data += client.recv(4096)
        attempt(kept[0])

    assert data.endswith(b"\r\n\r\nabcd")
    assert 2 == len(errors)
    assert "cannot be taken over" in str(errors[0])


def test_only_the_thread_that_answers_can_take_it() -> None:
    errors: list[BaseException] = []

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        def attempt() -> None:
            try:
                environ["werkzeug.socket"].recv(1)
            except RuntimeError as error:
                errors.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        start_response("200 OK", [("Connection", "close")])
        return [b"ok"]

    with running_server(WSGIHandler(application)) as served:
        assert served.exchange(UPGRADE).endswith(b"\r\n\r\nok")

    assert 1 == len(errors)


def test_a_coroutine_is_told_to_be_a_function() -> None:
    app = Groundwire(__name__)
    errors: list[str] = []

    @app.route("/")
    async def index() -> str:
        try:
            request.environ["werkzeug.socket"].recv(1)
        except RuntimeError as error:
            errors.append(str(error))
        return "ok"

    with running_server(app) as served, served.connect() as client:
        client.sendall(UPGRADE)
        assert client.recv(4096).endswith(b"ok")

    assert "in a thread only" in errors[0]


def test_more_than_may_be_are_answered_503() -> None:
    app = Groundwire(__name__)

    @app.route("/")
    def index() -> str:
        echo(request.environ, lambda *_: None)
        return ""

    with (
        running_server(app, max_upgraded=1) as served,
        upgraded(served) as first,
        served.connect() as second,
    ):
        second.sendall(UPGRADE)
        refusal = second.recv(4096)
        first.sendall(b"still")
        assert b"STILL" == exactly(first, 5)

        first.close()
        until(lambda: not served.server.upgraded)
        upgraded(served).close()

    assert refusal.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in refusal


# What the server still sees to.


def test_a_hundred_take_no_thread_of_the_pool_and_leave_nothing() -> None:
    with running_server(WSGIHandler(echo), threads=2) as served:
        served.exchange(GET)
        files = len(os.listdir("/proc/self/fd"))
        threads = threading.active_count()

        clients = [upgraded(served) for _ in range(100)]
        assert 100 == served.server.upgraded
        assert 0 == served.server.pool.pending
        for number, client in enumerate(clients):
            client.sendall(b"hello %d" % number)
        for number, client in enumerate(clients):
            assert b"HELLO %d" % number == exactly(client, len(b"hello %d" % number))
        assert served.exchange(GET).endswith(b"plain")

        for client in clients:
            client.close()
        until(lambda: nothing_is_left(served))
        until(lambda: threading.active_count() <= threads + 1)
        until(lambda: len(os.listdir("/proc/self/fd")) <= files + 2)


def test_a_client_that_resets_ends_the_thread() -> None:
    ended = threading.Event()

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return echo(environ, start_response)
        finally:
            ended.set()

    with running_server(WSGIHandler(application)) as served:
        client = upgraded(served)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()

        assert ended.wait(SECONDS)
        until(lambda: nothing_is_left(served))


@pytest.mark.slow
def test_no_deadline_of_http_applies() -> None:
    settings = {"keepalive_seconds": 1, "first_byte_seconds": 1, "send_stall_seconds": 1}
    with running_server(WSGIHandler(echo), **settings) as served, upgraded(served) as client:
        time.sleep(3.2)
        client.sendall(b"hello")
        assert b"HELLO" == exactly(client, 5)


@pytest.mark.slow
def test_a_client_that_takes_nothing_does_not_hold_its_thread() -> None:
    errors: list[BaseException] = []
    ended = threading.Event()

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        taken.send(SWITCHING)
        try:
            while True:
                getattr(taken, environ["HTTP_X_BY"])(b"x" * 1_000_000)
        except TimeoutError as error:
            errors.append(error)
        ended.set()
        return []

    with running_server(WSGIHandler(application), send_stall_seconds=1) as served:
        for method in (b"send", b"sendall"):
            ended.clear()
            with served.connect() as client:
                client.sendall(UPGRADE[:-2] + b"X-By: " + method + b"\r\n\r\n")
                assert ended.wait(SECONDS)
        until(lambda: nothing_is_left(served))

    assert 2 == len(errors)


@pytest.mark.slow
def test_what_the_view_leaves_open_is_closed() -> None:
    kept: list[Any] = []

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        taken.sendall(SWITCHING)
        kept.append(taken)
        return []

    with running_server(WSGIHandler(application)) as served, upgraded(served) as client:
        assert b"" == client.recv(1)  # its end comes at once, though the client has not closed
        until(lambda: nothing_is_left(served))
        assert -1 == kept[0].fileno()


@pytest.mark.slow
def test_another_thread_may_end_the_protocol_after_the_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """simple-websocket's thread reads the client's Close frame when the view has long returned."""
    # A machine may stand still for longer than a thread has for its last word.
    monkeypatch.setattr("groundwire.server.takeover.CLOSING_SECONDS", 2.5)
    monkeypatch.setattr("groundwire.server.takeover.LINGER_SECONDS", SECONDS)
    read: list[bytes] = []

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        taken.sendall(SWITCHING)

        def finish() -> None:
            time.sleep(0.05)
            taken.sendall(b"good-bye")
            read.append(taken.recv(100))
            taken.close()

        threading.Thread(target=finish).start()
        return []

    with running_server(WSGIHandler(application)) as served, upgraded(served) as client:
        assert b"good-bye" == exactly(client, 8)
        assert b"" == client.recv(1)  # the server has said the end
        client.sendall(b"you too")
        until(lambda: nothing_is_left(served))

    assert [b"you too"] == read


@pytest.mark.slow
def test_nothing_that_the_view_returns_or_raises_is_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Groundwire(__name__)
    app.config["SECRET_KEY"] = "a key for this test only"
    closed: list[str] = []

    @app.route("/")
    def index() -> Any:
        request.environ["werkzeug.socket"].sendall(SWITCHING)
        response = app.response_class("not sent")
        response.call_on_close(lambda: closed.append("response"))
        return response

    @app.route("/raises")
    def raises() -> str:
        request.environ["werkzeug.socket"].sendall(SWITCHING)
        raise LookupError("told in the log")

    @app.teardown_request
    def teardown(_error: BaseException | None) -> None:
        closed.append("request")

    with running_server(app) as served:
        with upgraded(served) as client:
            assert b"" == everything(client)
        with served.connect() as client:
            client.sendall(UPGRADE.replace(b"GET / ", b"GET /raises "))
            assert SWITCHING == everything(client)
        until(lambda: nothing_is_left(served))

    assert ["request", "response", "request"] == closed
    assert [LookupError] == [record.exc_info[0] for record in caplog.records if record.exc_info]


def test_middleware_that_took_it_may_end_with_a_connection_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Groundwire(__name__)

    def middleware(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ = environ.copy()
        environ["werkzeug.socket"].sendall(SWITCHING)
        raise ConnectionError  # as Engine.IO's does: so Werkzeug's server knows that it is over

    app.wsgi_app = middleware  # type: ignore[method-assign]
    with running_server(app) as served:
        with upgraded(served) as client:
            assert b"" == everything(client)
        until(lambda: nothing_is_left(served))

    assert [] == [record for record in caplog.records if record.exc_info]


@pytest.mark.slow
def test_a_stop_lets_the_program_say_good_bye() -> None:
    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        taken.sendall(SWITCHING)
        while data := taken.recv(100):
            taken.sendall(data)
        taken.sendall(b"good-bye")
        return []

    with (
        running_server(WSGIHandler(application), graceful_seconds=30) as served,
        upgraded(served) as client,
    ):
        served.server.request_stop()
        assert b"good-bye" == everything(client)
        client.close()
        served.thread.join(SECONDS)  # and not half a minute
        assert not served.thread.is_alive()


def test_a_stop_cuts_what_does_not_end() -> None:
    ended = threading.Event()

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        taken.sendall(SWITCHING)
        try:
            while True:
                taken.sendall(b"x" * 65536)
        except OSError:
            ended.set()
        return []

    with running_server(WSGIHandler(application)) as served, upgraded(served):
        served.stop()
        assert ended.wait(SECONDS)
        assert not served.server.connections


def test_the_access_log_tells_of_the_switch_when_it_is_over(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_server(WSGIHandler(echo), access_log=str(log)) as served:
        client = upgraded(served)
        assert "" == log.read_text()
        client.close()
        until(lambda: bool(log.read_text()))

    assert re.search(r'"GET / HTTP/1.1" 101 0 ', log.read_text())


def test_a_buffered_file_over_it_reads_on(tmp_path: Path) -> None:
    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        taken = environ["werkzeug.socket"]
        with taken.makefile("rwb") as file:
            assert isinstance(file, io.BufferedRWPair)
            for line in file:
                file.write(line.upper())
                file.flush()
        return []

    with running_server(WSGIHandler(application)) as served, served.connect() as client:
        client.sendall(UPGRADE + b"one\n")
        assert b"ONE\n" == exactly(client, 4)
        client.sendall(b"two\n")
        assert b"TWO\n" == exactly(client, 4)


def test_a_with_block_closes_it() -> None:
    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        with environ["werkzeug.socket"] as taken:
            taken.sendall(SWITCHING)
        return []

    with running_server(WSGIHandler(application)) as served:
        with upgraded(served) as client:
            assert b"" == client.recv(1)
        until(lambda: nothing_is_left(served))


@pytest.mark.parametrize(("error", "logged"), [(LookupError, 1), (BrokenPipeError, 0), (None, 0)])
def test_a_program_that_fails_with_it_is_in_the_log(
    error: type[Exception] | None, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["werkzeug.socket"].sendall(SWITCHING)
        if error is not None:
            raise error
        return []

    with running_server(WSGIHandler(application)) as served:
        with upgraded(served) as client:
            assert b"" == client.recv(1)
        until(lambda: nothing_is_left(served))

    assert logged == sum(record.exc_info is not None for record in caplog.records)


def test_without_a_descriptor_left_it_is_refused_and_http_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left(_descriptor: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("groundwire.server.takeover.os.dup", none_left)
    app = Groundwire(__name__)

    @app.route("/")
    def index() -> str:
        if "werkzeug.socket" in request.environ:
            request.environ["werkzeug.socket"].recv(1)
        return "plain"

    with running_server(app) as served:
        answers = served.exchange(UPGRADE + GET)

    assert answers.startswith(b"HTTP/1.1 503 ")
    assert answers.endswith(b"plain")


def test_a_client_that_has_gone_leaves_nothing_to_take() -> None:
    errors: list[BaseException] = []

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        until(lambda: bool(environ["werkzeug.request"].disconnected))
        try:
            return echo(environ, start_response)
        except ConnectionError as error:
            errors.append(error)
            raise

    with running_server(WSGIHandler(application)) as served:
        client = served.connect()
        client.sendall(UPGRADE)
        until(lambda: served.server.pool.pending == 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        until(lambda: bool(errors) and nothing_is_left(served))


def test_it_cannot_be_taken_while_earlier_answers_do_not_go_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("groundwire.server.takeover.HAND_OVER_SECONDS", 0.2)
    big = b"x" * 20_000_000
    given_up = threading.Event()

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "werkzeug.socket" not in environ:
            start_response("200 OK", [("Content-Length", str(len(big)))])
            return [big]
        try:
            return echo(environ, start_response)
        except TimeoutError:
            given_up.set()
            start_response("504 Too Slow", [("Content-Length", "0")])
            return []

    with running_server(WSGIHandler(application)) as served, served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + UPGRADE)
        assert given_up.wait(SECONDS)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answers = everything(client)

    assert 2 == answers.count(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1 504 Too Slow" in answers
    assert 0 == served.server.counters.upgrades
