"""Each exchange is printed as curl would, whole, and nothing ever waits for the terminal."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.inspector.masking.masker import Masker
from groundwire.inspector.opening import ShownInspector
from groundwire.inspector.recording.recorder import Recorder
from groundwire.inspector.recording.records import Record
from groundwire.inspector.terminal.console import WAITING, Console, Lock, exchange_lines
from groundwire.inspector.terminal.terminal import Paint
from groundwire.server.settings import ServerSettings
from groundwire.server.sink import Sink
from serving import SECONDS, running_server

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Timer:
    """Calls when it is told that time has passed."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def call_later(self, _delay: float, callback: Callable[[], None]) -> None:
        self.calls.append(callback)

    def pass_time(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Pipe:
    """A pipe that is read when a test says so, and what writes to it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.sink = Sink(self.writing, owned=False)
        self.timer = Timer()
        self.console = Console(self.sink, Lock(self.writing), self.timer, Paint(colours=False))

    def read(self) -> str:
        pieces = []
        try:
            while piece := os.read(self.reading, 1 << 20):
                pieces.append(piece)
        except BlockingIOError:
            pass
        return b"".join(pieces).decode()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.sink.close()
    os.close(made.reading)
    os.close(made.writing)


def recorded(
    request: bytes = GET, response: bytes = OK, *, finish: bool = True, **facts: Any
) -> Record:
    recorder = Recorder(Masker())
    here = ("127.0.0.1", 80)
    record = recorder.begin(3, 2, ("127.0.0.1", 5000), here, "http", 1.0, b"")
    assert record is not None
    record.parsed = True
    record.head_octets = len(request)
    record.take_request(request)
    if response:
        record.take_response(response)
    record.state = "answered"
    for name, value in facts.items():
        setattr(record, name, value)
    if finish:
        recorder.finish(record)
    return record


def printed(record: Record) -> list[str]:
    return list(exchange_lines(record, Paint(colours=False)))


def test_an_exchange_is_printed_as_curl_would() -> None:
    first, *middle, last = printed(recorded(head_complete=1.000_25, content_complete=1.000_25))

    assert first.startswith("* 1-1 at ")
    assert first.endswith(", http from 127.0.0.1:5000, request 2 on connection 3")
    assert [
        *("> GET /a HTTP/1.1", "> Host: a", ">"),
        *("< HTTP/1.1 200 OK", "< Content-Type: text/plain", "< Content-Length: 2", "<", "< ok"),
    ] == middle
    assert last.startswith("* answered in ")
    assert "request complete 250 µs" in last


def test_a_refusal_has_its_rule_and_the_byte_is_marked() -> None:
    error = {"message": "No Host.", "section": "RFC 9112 §3.2", "offset": 16, "status": 400}

    lines = printed(recorded(b"GET / HTTP/1.1\r\n\r\n", b"", error=error, state="refused"))

    assert [
        "> GET / HTTP/1.1",
        r"> \r\n",
        "  ^",
        "* refused: No Host. (RFC 9112 §3.2, byte 16)",
        "* corrected: A Host header says which site is meant: localhost.",
    ] == lines[1:-1]
    assert "* refused" == lines[-1], "nothing was sent here"


def test_of_a_refusal_that_was_not_kept_whole_it_is_said_what_to_do() -> None:
    error = {"message": "Too long.", "section": "RFC 9112 §3", "offset": 8196, "status": 414}
    refused = b"GET /" + b"a" * 100_000

    lines = printed(recorded(refused, b"", parsed=False, error=error, state="refused"))

    instead = "* instead: Put what makes the target long into the content of a POST"
    assert [True] == [line.startswith(instead) for line in lines if ": Put what" in line]


def test_where_nothing_was_sent_no_time_is_told() -> None:
    assert "* client gone" == printed(recorded(GET, b"", state="client gone"))[-1]


def test_what_is_masked_is_said_to_be() -> None:
    record = recorded(b"GET /?token=S3CR3T HTTP/1.1\r\nHost: a\r\nCookie: sid=S3CR3T\r\n\r\n")

    lines = printed(record)

    assert "S3CR3T" not in "".join(lines)
    assert "> Cookie: sid=******" in lines
    assert "* masked: query token, Cookie sid" in lines


def test_what_ran_and_what_was_logged_is_told() -> None:
    record = recorded(finish=False, place="thread")
    record.note("matched", endpoint="a", rule="/<name>", at=1.0)
    called = {"role": "view", "name": "a", "file": "a.py", "line": 3}
    for _ in range(15):
        record.note("called", **called, began=1.0, ended=2.5, outcome="returned a str")
    for _ in range(12):
        record.log("WARNING", "shop", lambda: "a\x1b[2J\nb", "a.py", 4)
    record.fail(ValueError("wrong\x07"), handled=False)

    text = "\n".join(printed(record))

    assert "* matched /<name>\n* view a (a.py:3), 1.5 s: returned a str\n" in text
    assert "* … and 3 calls more" in text
    assert r"* log WARNING shop: a\x1b[2J\nb" in text
    assert "* … and 2 lines of the log more" in text
    assert r"* raised ValueError: wrong\x07" in text
    assert ", in a thread" in text


def test_exchanges_go_out_one_write_each(pipe: Pipe) -> None:
    pipe.console.heard(recorded(), "finished")
    pipe.console.heard(recorded(), "began")
    pipe.console.heard(None, "cleared")

    text = pipe.read()
    assert 1 == text.count("> GET /a")
    assert text.endswith("\n\n")
    assert [] == pipe.timer.calls


def test_what_cannot_be_printed_fails_nobody(pipe: Pipe, caplog: pytest.LogCaptureFixture) -> None:
    record = recorded(error={"message": "half a note"})

    pipe.console.show(record)

    assert "* 1-1 could not be printed\n\n" == pipe.read()
    assert "an exchange could not be printed" in caplog.text


def test_a_slow_terminal_is_not_waited_for(pipe: Pipe) -> None:
    """What does not fit is left out and counted; when there is room again it goes on."""
    record = recorded(GET[:-2] + b"X-Long: " + b"a" * 8000 + b"\r\n\r\n")
    count = 100

    for _ in range(count):
        pipe.console.show(record)
    left_out = pipe.console.left_out
    text = ""
    while pipe.timer.calls:
        text += pipe.read()
        pipe.timer.pass_time()
    text += pipe.read()

    exchanges = text.count("> GET /a")
    assert left_out > 0
    assert WAITING <= exchanges == count - left_out
    assert f"* {left_out:,} exchanges were left out: this output is too slow\n" in text
    assert 0 == pipe.console.left_out
    pipe.console.show(record)
    assert 1 == pipe.read().count("> GET /a")


OTHER_PROCESS = """
import sys
from groundwire.inspector.terminal.console import Lock
assert Lock(1).acquire()
sys.stderr.write("x")
sys.stderr.flush()
sys.stdin.read(1)
"""


@pytest.mark.slow
def test_exchanges_of_several_processes_are_not_mixed(pipe: Pipe) -> None:
    """While another process has the lock, this one waits for it, and the loop goes on."""
    command = [sys.executable, "-c", OTHER_PROCESS]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=pipe.writing, stderr=subprocess.PIPE
    ) as other:
        assert other.stderr is not None
        assert b"x" == other.stderr.read(1)
        pipe.console.show(recorded())
        before = pipe.read()
        other.communicate(b"x", timeout=SECONDS)
    pipe.timer.pass_time()

    assert "" == before
    assert 1 == pipe.read().count("> GET /a")


def test_a_file_without_locks_is_written_to_all_the_same() -> None:
    closed = os.dup(0)
    os.close(closed)

    assert Lock(closed).acquire()


def test_a_server_prints_its_exchanges(capfd: pytest.CaptureFixture[str]) -> None:
    def answer(request: Request) -> Response:
        return Response(f"hello {request.path}\n", content_type="text/plain")

    def observer(settings: ServerSettings) -> ShownInspector:
        return ShownInspector(settings)

    with running_server(answer, observer=observer, wire="console") as served:
        served.exchange(b"GET /you HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        served.exchange(b"GET / HTTP/1.1\r\n\r\n")

    text = capfd.readouterr().out
    assert "> GET /you HTTP/1.1\n" in text
    assert "< hello /you\n* answered in " in text
    assert "* refused: An HTTP/1.1 request must have a Host field." in text
    assert "\x1b" not in text
