import asyncio
import contextlib
import contextvars
import http.client
import json
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire.http.handler import ContentPolicy, InThread
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.server import connection
from groundwire.server.addresses import open_sockets
from groundwire.server.connection import Connection
from groundwire.server.errors import StartError
from groundwire.server.process import DiagnosticsHandler, announce_on_stderr, loop_factory, run
from groundwire.server.server import Server
from groundwire.server.settings import ServerSettings
from groundwire.server.sink import Sink
from serving import SECONDS, Served, everything, running_server
from supervising import eventually

GET = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_GET = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def hello(request: Request) -> Response:
    return Response.of_text("Hello, World!")


def answer_of(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    response = http.client.HTTPResponse(client)
    response.begin()
    return (
        response.status,
        {name.lower(): value for name, value in response.getheaders()},
        response.read(),
    )


# Serving.


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_a_bare_callable_is_served(loop: str) -> None:
    with running_server(hello, loop=loop) as address, address.connect() as client:
        for _ in range(3):
            client.sendall(GET)
            status, fields, content = answer_of(client)
            assert (200, b"Hello, World!") == (status, content)
            assert "groundwire" == fields["server"]


def test_a_unix_socket_is_served(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with running_server(hello, unix=path), socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(LAST_GET)
        assert everything(client).endswith(b"Hello, World!")
    assert not os.path.exists(path)


def test_counters_tell_what_was_done() -> None:
    with running_server(hello) as address:
        address.exchange(LAST_GET)
        address.exchange(b"GET  / HTTP/1.1\r\n\r\n")
        counters = address.server.counters

    assert (2, 1, 1) == (counters.connections, counters.requests, counters.refused)


def test_a_handler_is_started_before_the_first_request_and_shut_down_after_the_last() -> None:
    events: list[str] = []

    class Told:
        request_class = Request

        async def startup(self) -> None:
            events.append("startup")

        def handle(self, request: Request) -> Response:
            events.append("handle")
            return Response.of_text("")

        def content_policy(self, request: Request) -> ContentPolicy:
            return ContentPolicy()

        async def shutdown(self) -> None:
            events.append("shutdown")

    with running_server(Told()) as address:
        address.exchange(LAST_GET)

    assert ["startup", "handle", "shutdown"] == events


def test_a_startup_that_fails_is_raised_and_leaves_nothing_open(tmp_path: Path) -> None:
    class Failing:
        request_class = Request
        handle = staticmethod(hello)

        def startup(self) -> None:
            raise LookupError("no database")

    path = tmp_path / "s"
    with pytest.raises(LookupError, match="no database"), running_server(Failing(), unix=str(path)):
        pass
    assert not path.exists()


def test_context_variables_do_not_leak_between_exchanges() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    def inline(request: Request) -> Response:
        seen = variable.get()
        variable.set("leaked")
        return Response.of_text(seen)

    def handle(request: Request) -> Any:
        if request.path == "/thread":
            return InThread(inline, request)
        if request.path == "/async":

            async def later() -> Response:
                await asyncio.sleep(0)
                return inline(request)

            return later()
        return inline(request)

    with running_server(handle) as address, address.connect() as client:
        for path in (b"/inline", b"/thread", b"/async") * 2:
            client.sendall(GET.replace(b"/hello", path))
            assert b"unset" == answer_of(client)[2]


@pytest.mark.slow
def test_the_date_is_renewed_every_second() -> None:
    with running_server(hello) as address, address.connect() as client:

        def date() -> str:
            client.sendall(GET)
            return answer_of(client)[1]["date"]

        first = date()
        eventually(lambda: date() != first)


@pytest.mark.slow
def test_deadlines_count_sweeps_and_not_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time
    with running_server(hello, head_seconds=10) as address, address.connect() as client:
        client.sendall(b"GET /hel")
        monkeypatch.setattr(time, "time", lambda: now() + 86400.0)
        swept = address.server.now
        eventually(lambda: address.server.now >= swept + 2)
        client.sendall(b"lo HTTP/1.1\r\nHost: a\r\n\r\n")
        assert 200 == answer_of(client)[0]


@pytest.mark.slow
def test_a_head_that_does_not_come_is_answered_408() -> None:
    with running_server(hello, head_seconds=1) as address:
        began = time.monotonic()
        answer = address.exchange(b"GET /hello HTTP/1.1\r\nHost: a\r\n")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 1.0 <= time.monotonic() - began < 8  # and not 10, which is its figure in production


@pytest.mark.slow
def test_a_connection_whose_deadlines_cannot_be_enforced_is_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Connection):
        @property
        def is_new(self) -> bool:
            raise LookupError("a defect")

    with running_server(hello, connection_class=Broken) as address, address.connect() as client:
        client.sendall(GET)
        assert 200 == answer_of(client)[0]
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert address.exchange(LAST_GET).endswith(b"Hello, World!")
    assert "a connection's deadlines could not be enforced" in caplog.messages


def test_connections_beyond_the_cap_wait() -> None:
    with running_server(hello, max_connections=2) as address:
        clients = [address.connect() for _ in range(3)]
        for client in clients:
            client.sendall(GET)
        assert 200 == answer_of(clients[0])[0]
        assert 200 == answer_of(clients[1])[0]
        clients[2].settimeout(0.05)
        with pytest.raises(TimeoutError):
            clients[2].recv(1)
        clients[2].settimeout(SECONDS)
        clients[0].close()
        assert 200 == answer_of(clients[2])[0]
        for client in clients:
            client.close()


def test_clients_that_leave_anywhere_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    messages = (
        b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n" + b"x" * 50 + GET * 10
    )
    reset = b"\1\0\0\0\0\0\0\0"
    with running_server(hello) as address:
        for number in range(300):
            with address.connect() as client:
                client.sendall(messages[: number * 7 % len(messages)])
                if number % 2:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                elif number % 3:
                    client.shutdown(socket.SHUT_WR)
        assert address.exchange(LAST_GET).endswith(b"Hello, World!")
        eventually(lambda: not address.server.connections)
        assert 301 == address.server.counters.connections

    assert [] == [record for record in caplog.records if record.levelno > logging.DEBUG]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_two_hundred_clients_are_served_with_64_descriptors(process: type["Process"]) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
    served = process(before=limited)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(200)]
        for client in clients:
            client.sendall(GET)
        for client in clients:
            assert (200, b"Hello, World!") == answer_of(client)[::2]
            client.close()
    served.popen.send_signal(signal.SIGTERM)
    exit_status, errors = served.end()

    assert 0 == exit_status
    full, stopping = errors.splitlines()  # said once, however often it happened
    assert "connections are open: accepting no more until one closes" in full
    assert "stopping gracefully" in stopping


# Stopping.


class Gate:
    """A handler whose answers wait until they are let go."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.waiting = 0

    def __call__(self, request: Request) -> Any:
        if request.path == "/hello":
            return hello(request)
        return self._wait()

    async def _wait(self) -> Response:
        self.waiting += 1
        await self.open.wait()
        return Response.of_text("at last")

    def let_go(self, address: Served) -> None:
        address.server.loop.call_soon_threadsafe(self.open.set)

    def await_waiting(self, number: int) -> None:
        eventually(lambda: self.waiting >= number)


WAIT = b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_a_stop_finishes_what_is_being_answered() -> None:
    gate = Gate()
    with running_server(gate, graceful_seconds=60) as address, address.connect() as client:
        client.sendall(WAIT)
        gate.await_waiting(1)
        address.server.request_stop()
        eventually(lambda: is_refused(address))
        gate.let_go(address)
        status, fields, content = answer_of(client)

    assert (200, "close", b"at last") == (status, fields["connection"], content)


def is_refused(address: Served) -> bool:
    try:
        address.connect().close()
    except ConnectionError:  # refused, or it waited in the queue that is gone
        return True
    return False


@pytest.mark.slow
def test_an_idle_connection_has_a_while_for_one_more_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 1.0 == connection.STOP_IDLE_SECONDS
    monkeypatch.setattr(
        connection, "STOP_IDLE_SECONDS", 3.0
    )  # a machine may stand still for a second
    with (
        running_server(hello, graceful_seconds=60) as address,
        address.connect() as quick,
        address.connect() as silent,
    ):
        for client in (quick, silent):
            client.sendall(GET)
            answer_of(client)
        began = time.monotonic()
        address.server.request_stop()
        eventually(lambda: address.server.stopping)
        quick.sendall(GET)
        assert "close" == answer_of(quick)[1]["connection"]
        quick.close()
        assert b"" == silent.recv(1)
        assert (
            3.0 <= time.monotonic() - began < SECONDS
        )  # which is far from all that a stop may take


@pytest.mark.slow
def test_a_stop_does_not_wait_for_who_was_being_answered_when_it_came() -> None:
    go_on = threading.Event()

    async def stream() -> AsyncIterator[bytes]:
        yield b"one"
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        yield b"two"

    with (
        running_server(lambda _: Response(stream()), graceful_seconds=120) as address,
        address.connect() as client,
    ):
        client.sendall(GET)
        client.recv(65536)  # its head says nothing of a stop
        address.server.request_stop()
        eventually(lambda: address.server.stopping)
        time.sleep(1.1)  # it is looked at each second whether there is still something to wait for
        go_on.set()
        address.stop()


def test_what_has_not_ended_in_time_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with (
        caplog.at_level(logging.WARNING, "groundwire"),
        running_server(gate, graceful_seconds=0.1) as address,
    ):
        clients = [address.connect() for _ in range(3)]
        for client in clients:
            client.sendall(WAIT)
        gate.await_waiting(3)
        address.stop()
        for client in clients:
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            client.close()

    assert "3 connections were cut, because they had not ended within 0.1 s" in caplog.messages


def test_a_second_request_to_stop_does_not_wait(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with running_server(gate, graceful_seconds=60) as address, address.connect() as client:
        client.sendall(WAIT)
        gate.await_waiting(1)
        address.server.request_stop()
        address.server.request_stop()
        address.thread.join(SECONDS)
        assert not address.thread.is_alive()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert "1 connections were cut by a second request to stop" in caplog.messages


def test_a_shutdown_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        request_class = Request
        handle = staticmethod(hello)

        def startup(self) -> None:
            pass

        def shutdown(self) -> None:
            raise LookupError("it is gone")

    with running_server(Failing()):
        pass

    assert "the application's shutdown failed" in caplog.messages


# One process.

PROGRAM = """
    import asyncio, sys
    from groundwire.http.response import Response
    from groundwire.server.process import run
    from groundwire.server.settings import ServerSettings

    serving = None

    async def until_the_stop():
        print("waits", flush=True)
        while not serving.stopping:
            await asyncio.sleep(0.01)
        return Response.of_text("at last")

    def handle(request):
        if request.path == "/for-ever":
            print("waits", flush=True)
            return asyncio.sleep(600)
        return until_the_stop() if request.path == "/wait" else Response.of_text("Hello, World!")

    def announce(server):
        global serving
        serving = server
        print(server.port, flush=True)

    settings = ServerSettings(host="127.0.0.1", watchdog=False, port=0, {settings})
    sys.exit(run(handle, settings, announce=announce))
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}


class Process:
    """A server in a process of its own."""

    def __init__(
        self, settings: str = "access_log='off'", *, before: str = "", **options: Any
    ) -> None:
        self.popen = subprocess.Popen(
            [
                *(sys.executable, "-c"),
                before + textwrap.dedent(PROGRAM).replace("{settings}", settings),
            ],
            stdout=subprocess.PIPE,
            env=environment(),
            **{"stderr": subprocess.PIPE, **options},
        )
        self.address = ("127.0.0.1", 0)

    def serves(self) -> None:
        """Wait until it does."""
        self.address = ("127.0.0.1", int(self.said()))

    def said(self) -> bytes:
        """The next line of its standard output."""
        assert self.popen.stdout is not None
        line: bytes = self.popen.stdout.readline()
        assert line, "it has ended"
        return line

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=SECONDS)

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what was written to stderr."""
        _, errors = self.popen.communicate(timeout=SECONDS)
        return self.popen.returncode, (errors or b"").decode()


@pytest.fixture
def process() -> Iterator[type[Process]]:
    made: list[Process] = []

    class Made(Process):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)
            self.serves()

    yield Made
    for one in made:
        one.popen.kill()
        one.popen.communicate()


posix = pytest.mark.skipif(sys.platform == "win32", reason="signals there are not these")


@posix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_gracefully(process: type[Process], number: signal.Signals) -> None:
    served = process()
    with served.connect() as client:
        client.sendall(WAIT)
        assert b"waits\n" == served.said()
        served.popen.send_signal(number)
        status, fields, content = answer_of(client)

    assert (200, "close", b"at last") == (status, fields["connection"], content)
    exit_status, errors = served.end()
    assert 0 == exit_status
    assert errors.startswith("INFO groundwire: stopping gracefully")


@posix
@pytest.mark.slow
def test_fifty_in_flight_and_fifty_in_the_queue_are_all_answered(process: type[Process]) -> None:
    served = process("access_log='off', max_connections=50")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(100)]
        for client in clients:
            client.sendall(WAIT)
        assert [b"waits\n"] * 50 == [served.said() for _ in range(50)]
        served.popen.send_signal(signal.SIGTERM)

        answers = [answer_of(client) for client in clients]

    assert [(200, b"at last")] * 100 == [(status, content) for status, _, content in answers]
    assert 0 == served.end()[0]


@posix
@pytest.mark.slow
def test_a_second_signal_stops_at_once(process: type[Process]) -> None:
    served = process("access_log='off', graceful_seconds=60")
    with served.connect() as client:
        client.sendall(WAIT.replace(b"/wait", b"/for-ever"))
        assert b"waits\n" == served.said()
        assert served.popen.stderr is not None
        served.popen.send_signal(signal.SIGTERM)
        assert b"stopping gracefully" in served.popen.stderr.readline()
        served.popen.send_signal(signal.SIGTERM)
        exit_status, errors = served.end()  # in less than a minute

    assert 128 + signal.SIGTERM == exit_status
    assert "1 connections were cut by a second request to stop" in errors


@posix
@pytest.mark.slow
def test_a_log_whose_reader_sleeps_does_not_hold_the_server(process: type[Process]) -> None:
    reader, writer = os.pipe()
    served = process("access_log='-', keepalive_requests=100_000", stderr=writer)
    os.close(writer)
    with served.connect() as client:
        for _ in range(150):
            client.sendall(GET.replace(b"/hello", b"/" + b"x" * 4000) * 100)
            received = 0
            while received < 100:
                received += client.recv(65536).count(b"Hello, World!")
        client.sendall(LAST_GET)
        assert everything(client).endswith(b"Hello, World!")
    served.popen.send_signal(signal.SIGTERM)
    assert 0 == served.end()[0]
    os.close(reader)


@pytest.mark.slow
def test_a_port_in_use_ends_with_one_line_and_status_2() -> None:
    with running_server(hello) as address:
        program = textwrap.dedent(PROGRAM).replace("port=0, {settings}", f"port={address.port}")
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=environment(),
        )

    assert (2, "") == (done.returncode, done.stdout)
    assert (
        f"groundwire: port {address.port} on 127.0.0.1 is in use by another program; "
        "stop that one, or choose another port with --port\n" == done.stderr
    )


def test_run_outside_the_main_thread_ends_when_it_is_asked_to() -> None:
    started: list[Server] = []
    statuses: list[int] = []
    settings = ServerSettings(host="127.0.0.1", port=0, access_log="off")
    ready = threading.Event()

    def announce(server: Server) -> None:
        started.append(server)
        ready.set()

    thread = threading.Thread(
        target=lambda: statuses.append(run(hello, settings, announce=announce))
    )
    thread.start()
    assert ready.wait(SECONDS)
    started[0].request_stop()
    thread.join(SECONDS)

    assert [0] == statuses


@pytest.mark.parametrize(
    ("host", "name", "debug", "words"),
    [
        (
            "127.0.0.1",
            "hello:app",
            False,
            "serves hello:app on http://127.0.0.1:{port} (Ctrl+C stops)\n",
        ),
        ("127.0.0.1", "", False, "serves its name on http://127.0.0.1:{port} (Ctrl+C stops)\n"),
        (
            "0.0.0.0",
            "x",
            False,
            "on every address of this machine, here http://localhost:{port} (Ctrl",
        ),
        ("127.0.0.1", "x", True, "Debug mode: errors show source code on this machine."),
    ],
)
def test_the_start_is_announced(
    capsys: pytest.CaptureFixture[str], host: str, name: str, debug: bool, words: str
) -> None:
    class Named:
        request_class = Request
        name = "its name"
        handle = staticmethod(hello)

    handler = Named()
    handler.debug = debug  # type: ignore[attr-defined]
    server = Server(handler, ServerSettings(host=host, port=0, access_log="off"))  # type: ignore[arg-type]
    server.open()

    announce_on_stderr(server, name)

    text = capsys.readouterr().err
    assert text.startswith("Groundwire ")
    assert words.format(port=server.port) in text
    server.close()


def test_a_log_file_that_cannot_be_opened_ends_with_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = ServerSettings(host="127.0.0.1", port=0, access_log=str(tmp_path))

    assert 2 == run(hello, settings)
    assert capsys.readouterr().err.startswith("groundwire: cannot write to the log file")


def test_an_application_that_cannot_start_ends_with_status_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Failing:
        request_class = Request
        handle = staticmethod(hello)

        def startup(self) -> None:
            raise LookupError("no database")

    settings = ServerSettings(host="127.0.0.1", port=0, access_log="off")

    assert 2 == run(Failing(), settings)  # type: ignore[arg-type]
    text = capsys.readouterr().err
    assert text.startswith("groundwire: the application could not start:\n")
    assert text.endswith("LookupError: no database\n")


def test_an_unknown_event_loop_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(hello, ServerSettings(port=0), loop="trio")  # type: ignore[arg-type]
    assert (
        "groundwire: there is no event loop 'trio'; choose auto, uvloop or asyncio\n"
        == capsys.readouterr().err
    )


def test_uvloop_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)

    with pytest.raises(StartError, match="uvloop is not installed"):
        loop_factory("uvloop")
    assert asyncio.new_event_loop is loop_factory("auto")


def test_the_same_message_is_written_ten_times_a_second_at_most(tmp_path: Path) -> None:
    path = tmp_path / "log"
    handler = DiagnosticsHandler(Sink.to_file(str(path)))
    logger = logging.getLogger("groundwire.test")
    logger.propagate = False
    logger.addHandler(handler)

    for number in range(30):
        logger.warning("trouble %d", number)
    logger.warning("other trouble from %s", "\x1b[2J\r\u2028")
    logger.removeHandler(handler)
    handler.close()

    lines = path.read_text().splitlines()
    # The thirty may fall into two seconds.
    assert sum("groundwire.test: trouble" in line for line in lines) in range(10, 21)
    assert r"WARNING groundwire.test: other trouble from \x1b[2J\x0d\u2028" in lines


def test_access_log_lines_that_were_dropped_are_counted_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    with running_server(hello, access_log="/dev/full") as address:
        # In one turn of the loop: between two, a sweep might tell of the first.
        address.exchange(GET + LAST_GET)
        done = threading.Event()

        def sweep() -> None:
            address.server._sweep()
            done.set()

        address.server.loop.call_soon_threadsafe(sweep)
        assert done.wait(SECONDS)
        counters = address.server.counters

    assert 2 == counters.log_lines_dropped
    assert "2 lines of the access log could not be written and were dropped" in caplog.messages


def test_the_access_log_names_each_request(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with running_server(hello, access_log=str(path), access_log_format="json") as address:
        address.exchange(GET + GET + LAST_GET)

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [("/hello", 200, 13)] * 3 == [
        (line["target"], line["status"], line["octets"]) for line in lines
    ]


def test_the_access_log_names_an_answer_that_broke_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def breaking(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"12345"
            raise RuntimeError("broken")

        return Response(pieces())

    path = tmp_path / "log"
    with (
        running_server(breaking, access_log=str(path), access_log_format="json") as address,
        pytest.raises(ConnectionResetError),
    ):
        address.exchange(LAST_GET)

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [("/hello", 200, 5)] == [
        (line["target"], line["status"], line["octets"]) for line in lines
    ]
    assert "broke off" in caplog.text


def test_the_access_log_names_a_request_whose_client_went_away(tmp_path: Path) -> None:
    entered = threading.Event()
    gone = threading.Event()

    def slow(request: Request) -> InThread:
        def answer() -> Response:
            entered.set()
            gone.wait(SECONDS)
            return Response("late")

        return InThread(answer)

    path = tmp_path / "log"
    with running_server(slow, access_log=str(path), access_log_format="json") as address:
        with address.connect() as client:
            client.sendall(GET)
            assert entered.wait(SECONDS)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: path.exists() and path.read_text())
        gone.set()

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [("/hello", 499, 0)] == [
        (line["target"], line["status"], line["octets"]) for line in lines
    ]


def test_sockets_that_were_opened_before_have_their_log_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    settings = ServerSettings(host="127.0.0.1", port=0, access_log=str(log))
    listening = open_sockets(settings)
    server = Server(hello, settings, listening=listening)

    server.open()

    assert log.exists()
    assert listening.url == server.url
    server.close()
