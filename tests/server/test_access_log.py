import errno
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost import processor_seconds
from groundwire.http.request import Request
from groundwire.protocol.head import FieldSection, RequestHead
from groundwire.server.access_log import LINE_BYTES, AccessLog, FormattedLog, escaped, masked
from groundwire.server.clock import common_log_stamp, date_field, utc_stamp
from groundwire.server.errors import StartError
from groundwire.server.log_format import FIELDS, is_own
from groundwire.server.settings import ServerSettings
from groundwire.server.sink import Sink

MOMENT = 784111777.25  # Sun, 06 Nov 1994 08:49:37 GMT


class Turns:
    """As much of an event loop as a log needs: what is to be called in the next turn."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def call_soon(self, function: Callable[[], None]) -> None:
        self.calls.append(function)

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Log:
    """A log in a file, with the time standing still."""

    def __init__(self, path: Path, line_format: str = "combined") -> None:
        self.path = path
        self.turns = Turns()
        self.now = MOMENT
        sink = Sink.to_file(str(path))
        log = FormattedLog if is_own(line_format) else AccessLog
        self.log = log(self.turns, sink, line_format, lambda: self.now)  # type: ignore[arg-type]

    def record(self, **request: object) -> None:
        self.log.record(("192.0.2.7", 5000), asked(**request), 200, 13, 0.0125)  # type: ignore[arg-type]

    def text(self) -> str:
        self.turns.turn()
        return self.path.read_text(encoding="ascii")


def asked(**said: object) -> Request:
    return Request.from_wire(head(**said), None)  # type: ignore[arg-type]


def head(
    target: str = "/hello", referer: bytes | None = None, user_agent: bytes | None = None
) -> RequestHead:
    request = RequestHead()
    request.method = "GET"
    request.target = target
    request.path, _, request.query = target.partition("?")
    request.form = "origin"
    request.authority = "localhost"
    request.version = "HTTP/1.1"
    request.fields = FieldSection()
    lines = [
        (b"Host", b"localhost"),
        (b"Authorization", b"Basic UzNDUjNU"),
        (b"Cookie", b"session=S3CR3T"),
    ]
    if referer is not None:
        lines.append((b"Referer", referer))
    if user_agent is not None:
        lines.append((b"USER-agent", user_agent))
    request.fields.lines = tuple(lines)
    return request


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# The clock's texts.


def test_date_is_imf_fixdate() -> None:
    assert b"Sun, 06 Nov 1994 08:49:37 GMT" == date_field(MOMENT)


def test_the_common_log_stamp_is_local_time_with_its_distance_from_utc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamps = []
    for zone in ("UTC", "XXX-5:30", "YYY+3:30"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        stamps.append(common_log_stamp(MOMENT))
    monkeypatch.undo()
    time.tzset()

    assert [
        "06/Nov/1994:08:49:37 +0000",
        "06/Nov/1994:14:19:37 +0530",
        "06/Nov/1994:05:19:37 -0330",
    ] == stamps


def test_the_json_stamp_is_utc() -> None:
    assert "1994-11-06T08:49:37Z" == utc_stamp(MOMENT)


# Formats.


@pytest.mark.usefixtures("utc")
def test_a_common_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "common")

    log.record()

    assert '192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "GET /hello HTTP/1.1" 200 13\n' == log.text()


@pytest.mark.usefixtures("utc")
def test_a_combined_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "combined")

    log.record(referer=b"http://localhost/", user_agent=b"curl/8.5.0")
    log.record()

    stamp = "[06/Nov/1994:08:49:37 +0000]"
    assert (
        f'192.0.2.7 - - {stamp} "GET /hello HTTP/1.1" 200 13 "http://localhost/" "curl/8.5.0"\n'
        f'192.0.2.7 - - {stamp} "GET /hello HTTP/1.1" 200 13 "-" "-"\n' == log.text()
    )


def test_a_json_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "json")

    log.record(user_agent=b"curl/8.5.0")

    assert {
        "time": "1994-11-06T08:49:37Z",
        "remote_addr": "192.0.2.7",
        "method": "GET",
        "target": "/hello",
        "version": "HTTP/1.1",
        "status": 200,
        "octets": 13,
        "duration_ms": 12.5,
        "referer": "",
        "user_agent": "curl/8.5.0",
    } == json.loads(log.text())


@pytest.mark.usefixtures("utc")
def test_a_refused_message_is_one_line_too(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")

    log.log.record(("192.0.2.7", 5000), None, 408, 20, 0.0)
    log.log.record_refused("", b'GET  /"x\x1b[2J HTTP/1.1\r\nHost: a\r\n', 400, 20)

    stamp = "[06/Nov/1994:08:49:37 +0000]"
    assert (
        f'192.0.2.7 - - {stamp} "-" 408 20 "-" "-"\n'
        rf'unix: - - {stamp} "GET  /\x22x\x1b[2J HTTP/1.1" 400 20 "-" "-"' + "\n" == log.text()
    )


def test_a_refused_message_in_json(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "json")

    log.log.record_refused(("::1", 1), b"G\x00T /?token=S3CR3T HTTP/1.1\r\n", 400, 20)

    assert {
        "time": "1994-11-06T08:49:37Z",
        "remote_addr": "::1",
        "refused": "G\0T /?token=***",
        "status": 400,
        "octets": 20,
    } == json.loads(log.text())


def test_the_time_is_taken_at_each_refresh(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "json")

    log.record()
    log.now += 3600
    log.record()
    log.log.refresh()
    log.record()

    stamps = [json.loads(line)["time"] for line in log.text().splitlines()]
    assert ["1994-11-06T08:49:37Z", "1994-11-06T08:49:37Z", "1994-11-06T09:49:37Z"] == stamps


def test_all_lines_of_a_turn_are_written_together(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")

    for _ in range(3):
        log.record()

    assert 1 == len(log.turns.calls)
    assert 3 == log.text().count("\n")
    log.record()
    assert 1 == len(log.turns.calls)


def test_closing_writes_what_is_left(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.record()

    log.log.close()

    assert 1 == log.path.read_text().count("\n")


# The operator's own format.


def test_a_line_of_the_operators_own(tmp_path: Path) -> None:
    log = Log(
        tmp_path / "log", "{{{method}}} 100% {path}?{query} {status} {octets}o {duration_ms} ms"
    )

    log.record(target="/a?b=1&token=S3CR3T")

    assert "{GET} 100% /a?b=1&token=*** 200 13o 12.500 ms\n" == log.text()


def test_every_field_is_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"

    documented = re.findall(r"`\{(\w+)\}`", page.read_text(encoding="utf-8"))

    assert set(FIELDS) == set(documented)


@pytest.mark.usefixtures("utc")
def test_every_field_has_a_value(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "|".join(f"{{{name}}}" for name in FIELDS))

    log.record(referer=b"http://localhost/", user_agent=b"curl/8.5.0")

    values = dict(zip(FIELDS, log.text().rstrip("\n").split("|"), strict=True))
    assert 32 == len(values.pop("request_id"))
    assert {
        "remote_addr": "192.0.2.7",
        "remote_port": "5000",
        "time": "06/Nov/1994:08:49:37 +0000",
        "time_utc": "1994-11-06T08:49:37Z",
        "method": "GET",
        "target": "/hello",
        "path": "/hello",
        "query": "-",
        "version": "HTTP/1.1",
        "scheme": "-",
        "host": "localhost",
        "status": "200",
        "octets": "13",
        "duration_ms": "12.500",
        "duration_us": "12500",
        "referer": "http://localhost/",
        "user_agent": "curl/8.5.0",
        "endpoint": "-",
        "pid": str(os.getpid()),
    } == values


def test_a_refused_message_has_its_first_line_for_a_target(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "{remote_addr} {method} {target} {status} {request_id}")

    log.log.record_refused("", b'GET  /"x\x1b HTTP/1.1\r\nHost: a\r\n', 400, 20)
    log.log.record(("192.0.2.7", 5000), None, 408, 20, 0.0)

    assert r"unix: - GET  /\x22x\x1b HTTP/1.1 400 -" + "\n192.0.2.7 - - 408 -\n" == log.text()


@pytest.mark.parametrize(
    ("line_format", "reason"),
    [
        ("{method} {statu}", r"there is no field \{statu\}; the fields are remote_addr, .*pid$"),
        ("{method} {}", r"there is no field \{\}"),
        ("{method.__class__}", r"there is no field"),
        ("{status:>5}", r"\{status\} stands alone"),
        ("{status!r}", r"\{status\} stands alone"),
        ("{status", r"expected '}'"),
        ("{status}\n", r"printable ASCII"),
        ("{status}\x1b[0m", r"printable ASCII"),
        ("{status}" + "x" * 1000, r"more than 1000"),
        ("combind", r"is not common, combined or json; the fields are"),
    ],
)
def test_a_format_that_cannot_be_is_told_at_start(line_format: str, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        ServerSettings(access_log_format=line_format)


def test_json_has_the_identifier_where_answers_have_it(tmp_path: Path) -> None:
    sink = Sink.to_file(str(tmp_path / "log"))
    turns = Turns()
    log = AccessLog(turns, sink, "json", request_id=True)  # type: ignore[arg-type]
    request = asked()
    request.id = 'set "by" a program'

    log.record("", request, 200, 13, 0.1)
    turns.turn()

    assert 'set "by" a program' == json.loads((tmp_path / "log").read_text())["request_id"]


# What a peer sent.

HOSTILE = 'a"b\\c\nd\re\x1b[31m\x7f\x85\x9f\xad\u2028\U0001f600%s%n{0}'


def test_what_could_forge_a_line_or_reach_a_terminal_is_escaped() -> None:
    assert r"a\x22b\x5cc\x0ad\x0de\x1b[31m\x7f\x85\x9f\xad\u2028\ud83d\ude00%s%n{0}" == escaped(
        HOSTILE, 500
    )


def test_json_reads_back_what_was_escaped() -> None:
    assert HOSTILE == json.loads(f'"{escaped(HOSTILE, 500, json=True)}"')


@given(st.text(max_size=60), st.integers(10, 70), st.booleans())
def test_escaped_text_is_printable_ascii_within_its_limit(
    text: str, limit_chars: int, as_json: bool
) -> None:
    result = escaped(text, limit_chars, json=as_json)

    assert len(result) <= limit_chars
    assert result.isascii()
    assert result == "" or result.isprintable()
    assert '"' not in result
    if as_json:
        kept = json.loads(f'"{result}"')
        assert kept == text or (kept.endswith("...") and text.startswith(kept[:-4]))


@pytest.mark.parametrize(
    "line_format", ["common", "combined", "json", "{target} {referer} {user_agent} {path} {query}"]
)
@pytest.mark.parametrize("hostile", ["\n", '"', "\\", "\x1b", "\xff", "a"])
def test_no_line_is_longer_than_8_kib(tmp_path: Path, line_format: str, hostile: str) -> None:
    log = Log(tmp_path / "log", line_format)
    long = hostile.encode("latin-1") * 65536

    log.record(target="/" + hostile * 8191, referer=long, user_agent=long)
    log.log.record_refused(("192.0.2.7", 1), long, 431, 100)

    lines = log.text().split("\n")
    assert 3 == len(lines)  # two lines, and nothing after the last line feed
    assert all(len(line) < LINE_BYTES for line in lines)
    if line_format == "json":
        assert json.loads(lines[0])["target"].endswith("...")


def test_a_target_with_quotation_marks_does_not_end_its_field(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "common")

    log.record(target='/x" 200 1 "')

    assert r'"GET /x\x22 200 1 \x22 HTTP/1.1" 200 13' in log.text()


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/?page=2&q=a%20b", "/?page=2&q=a%20b"),
        ("/?token=S3CR3T&page=2", "/?token=***&page=2"),
        ("/?page=2&API_KEY=S3CR3T", "/?page=2&API_KEY=***"),
        ("/?%74oken=S3CR3T", "/?%74oken=***"),
        ("/?password=", "/?password="),
        ("/?password", "/?password"),
        ("/token?x=%20", "/token?x=%20"),
        ("http://user:S3CR3T@example.com/x@y", "http://example.com/x@y"),
        ("http://a@b:S3CR3T@example.com/", "http://example.com/"),
        ("/path@with?x=1", "/path@with?x=1"),
        ("http://example.com/?csrf=S3CR3T#top", "http://example.com/?csrf=***#top"),
    ],
)
def test_secrets_in_urls_are_masked(target: str, shown: str) -> None:
    assert shown == masked(target)


def test_no_secret_reaches_the_log(tmp_path: Path) -> None:
    every = "|".join(f"{{{name}}}" for name in FIELDS)
    for line_format in ("common", "combined", "json", every):
        log = Log(tmp_path / line_format[:8], line_format)
        log.record(
            target="http://me:S3CR3T@localhost/?session=S3CR3T",
            referer=b"http://me:S3CR3T@localhost/?auth=S3CR3T",
        )
        text = log.text()
        assert "S3CR3T" not in text
        assert "UzNDUjNU" not in text


def test_masking_takes_linear_time() -> None:
    for piece in ("pass", "&", "token=", "%", "@", "//"):
        target = "/?" + piece * (8000 // len(piece))
        assert processor_seconds(lambda target=target: masked(target)) < 0.05  # type: ignore[misc]


# Where lines go.


def test_a_new_log_file_is_not_for_everybody(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        Sink.to_file(str(tmp_path / "log")).close()
    finally:
        os.umask(previous)

    assert 0o640 == stat.S_IMODE((tmp_path / "log").stat().st_mode)


def test_a_log_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")

    sink = Sink.to_file(str(path))
    sink.write(b"after\n")
    sink.close()

    assert "before\nafter\n" == path.read_text()


def test_a_log_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot write to the log file .*choose another"):
        Sink.to_file(str(tmp_path))


def full_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    return reader, writer


@pytest.mark.parametrize("reopen", [True, False])
def test_a_full_pipe_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, reopen: bool) -> None:
    reader, writer = full_pipe()
    if not reopen:
        opened = os.open

        def refuse(path: str, *args: int) -> int:
            if path.startswith("/dev/fd/"):
                raise PermissionError
            return opened(path, *args)

        monkeypatch.setattr(os, "open", refuse)
    sink = Sink(writer, owned=False, queue_bytes=100)
    lines = [f"line {number:04}\n".encode() for number in range(20)]

    for line in lines:
        sink.write(line)

    assert sink.waiting
    assert 10 == sink.dropped
    while os.read(reader, 65536).endswith(b"x"):
        sink.drain()
        if not sink.waiting:
            break
    assert not sink.waiting
    assert b"".join(lines[:10]) == os.read(reader, 65536)[-100:]
    assert os.get_blocking(writer)  # as others who write there know it
    sink.close()
    os.close(reader)
    os.close(writer)


def test_a_line_half_written_is_ended_before_the_next(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    sink = Sink(writer, owned=False, queue_bytes=1_000_000)
    long = b"a" * 100_000 + b"\n"

    sink.write(long)
    sink.write(b"b\n")
    received = b""
    while len(received) < len(long) + 2:
        received += os.read(reader, 65536)
        sink.drain()

    assert long + b"b\n" == received
    assert 0 == sink.dropped
    sink.close()
    os.close(reader)
    os.close(writer)


def test_a_socket_whose_reader_sleeps_is_not_waited_for() -> None:
    import socket

    ours, theirs = socket.socketpair()
    sink = Sink(ours.fileno(), owned=False, queue_bytes=10_000)

    for _ in range(2000):
        sink.write(b"x" * 999 + b"\n")

    assert sink.dropped > 0
    assert ours.getblocking()
    sink.close()
    ours.close()
    theirs.close()


def test_a_line_that_a_full_disk_has_cut_is_ended_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    room = 5
    write = os.write

    def write_as_far_as_there_is_room(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, data[:room])
        room -= written
        return written

    sink = Sink.to_file(str(path))
    monkeypatch.setattr(os, "write", write_as_far_as_there_is_room)
    sink.write(b"line 1\nline 2\n", 2)
    sink.write(b"line 3\n")
    assert 2 == sink.dropped
    room = 1000
    sink.write(b"line 4\n")
    sink.close()

    assert b"line 1\nline 4\n" == path.read_bytes()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_drops_and_counts() -> None:
    sink = Sink.to_file("/dev/full")

    sink.write(b"one\ntwo\n", 2)
    sink.write(b"three\n")

    assert 3 == sink.dropped
    assert not sink.waiting
    sink.close()


def test_a_reader_that_has_gone_drops_and_counts() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    sink = Sink(writer, owned=True)

    sink.write(b"one\n")

    assert 1 == sink.dropped
    sink.close()


def test_a_line_costs_little(tmp_path: Path) -> None:
    """The budget is 1.2 µs; the bound here is what a slow machine may make of it."""
    turns = Turns()
    sink = Sink.to_file(os.devnull)
    log = AccessLog(turns, sink)  # type: ignore[arg-type]
    request = asked(user_agent=b"curl/8.5.0")

    def record_many() -> None:
        for _ in range(1000):
            log.record(("127.0.0.1", 5000), request, 200, 13, 0.0001)
        turns.turn()

    assert processor_seconds(record_many, 5) < 6e-3
    log.close()
