import gc
import json
import logging
import tracemalloc
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.http.response import Response
from groundwire.http.tracing import tracing
from groundwire.inspector import Inspector, Recorder
from groundwire.inspector.masking.masker import Masker
from groundwire.inspector.recording.facts import NOTES_MAX, TEXT_CHARACTERS, TOO_MUCH, plain
from groundwire.inspector.recording.records import (
    CONTENT_BYTES,
    LOGS_MAX,
    TOLD_OCTETS,
    TRACEBACK_CHARACTERS,
    Record,
    end_of_heads,
    final_status,
    shown_address,
)
from groundwire.protocol.http1.explain import explain_request
from groundwire.server.settings import ServerSettings
from recorded_wire import RecordedWire
from wire import chunked
from wire import request as message

GET = message("/hello")
MIB = 1024 * 1024


def hello(_: Any) -> Response:
    return Response("Hello", mimetype="text/plain")


def record_in(recorder: Recorder, request: bytes = GET, response: bytes = b"") -> Record:
    record = recorder.begin(1, 1, ("127.0.0.1", 5), ("127.0.0.1", 80), "http", 1.0, request)
    assert record is not None
    record.head_octets = len(request)
    record.parsed = True
    if response:
        record.take_response(response)
    return record


def answer(content: bytes = b"Hello", *lines: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", *lines, b"Content-Length: %d" % len(content)]
    return b"\r\n".join([*head, b"", content])


# The ring


def test_the_oldest_are_forgotten_when_there_are_too_many() -> None:
    recorder = Recorder(bound_messages=10)
    for _ in range(12):
        recorder.finish(record_in(recorder))

    assert len(recorder.records()) <= 10
    assert "1-12" == recorder.records()[-1].id
    assert recorder.get("1-1") is None
    assert recorder.dropped == 12 - len(recorder.records())


def test_the_oldest_are_forgotten_when_they_take_too_much() -> None:
    recorder = Recorder(bound_octets=MIB)
    for _ in range(100):
        recorder.finish(record_in(recorder, GET + b"x" * 50_000))
        assert recorder.octets <= MIB

    assert recorder.dropped > 70
    assert recorder.octets == sum(record.octets() for record in recorder.records())


def test_an_exchange_that_goes_on_is_not_forgotten() -> None:
    recorder = Recorder(bound_messages=5)
    first = record_in(recorder)
    for _ in range(20):
        recorder.finish(record_in(recorder))

    assert recorder.get(first.id) is not None
    assert recorder.records()[0].id == first.id


def test_what_goes_on_may_not_take_more_than_there_is_either() -> None:
    recorder = Recorder(bound_octets=200_000)
    records = [record_in(recorder) for _ in range(20)]
    for record in records:
        record.take_request(b"x" * CONTENT_BYTES)

    assert recorder.octets <= 200_000 + CONTENT_BYTES
    assert {CONTENT_BYTES + len(GET)} == {record.request_octets for record in records}
    assert len(records[-1].request) < CONTENT_BYTES
    with_room = [recorder.begin(1, 1, "", "", "http", 1.0, b"") for _ in range(200)]
    assert with_room[-1] is None
    assert recorder.dropped > 0


def test_an_exchange_for_which_there_is_no_room_is_answered_all_the_same() -> None:
    with RecordedWire(hello, wire_bytes=100) as wire:
        wire.send(GET + GET[:9], GET[9:] + message("/", "POST", b"12")).until_idle()
        wire.send(b"GET /\r\n").until_idle()

        assert [200, 200, 200, 400] == [one.status for one in wire.answers()]
        assert "X-Wire-Id" not in wire.answers()[0].headers
        assert [] == wire.records
        assert wire.inspector.recorder.dropped >= 4


def test_clearing_leaves_what_goes_on() -> None:
    recorder = Recorder()
    heard: list[Any] = []
    stop = recorder.subscribe(lambda record, event: heard.append((record and record.id, event)))
    for _ in range(3):
        recorder.finish(record_in(recorder, GET, answer()))
    going_on = record_in(recorder)
    recorder.clear()

    assert [going_on.id] == [record.id for record in recorder.records()]
    assert recorder.octets == going_on.octets()
    stop()
    recorder.finish(going_on)
    assert [
        ("1-1", "finished"),
        ("1-2", "finished"),
        ("1-3", "finished"),
        (None, "cleared"),
    ] == heard


def test_a_record_that_is_forgotten_was_never_there() -> None:
    recorder = Recorder()
    gone, finished = record_in(recorder), record_in(recorder)
    recorder.finish(finished)
    recorder.forget(gone)
    recorder.forget(finished)
    gone.log("INFO", "x", lambda: "late", "", 1)

    assert ([], 0) == (recorder.records(), recorder.octets)


@pytest.mark.parametrize("identifier", ["1-2", "2-1", "1", "1-", "1-x", "1-١", "1-" + "9" * 5000])
def test_an_identifier_that_is_none_finds_nothing(identifier: str) -> None:
    recorder = Recorder()
    recorder.finish(record_in(recorder))

    assert recorder.get(identifier) is None
    assert "1-1" == (recorder.get("1-1") or recorder.records()[0]).id


def lines_of(recorder: Recorder, record: Record) -> bytes:
    return recorder.lines % (record.serial, record.serial)


def test_identifiers_carry_the_number_of_the_worker() -> None:
    inspector = Inspector(ServerSettings(), worker=3)
    record = record_in(inspector.recorder)

    assert ("3-1", 3) == (record.id, record.worker)
    assert lines_of(inspector.recorder, record).startswith(b"X-Wire-Id: 3-1\r\n")


def test_the_list_has_heads_of_what_goes_on_and_a_look_has_all() -> None:
    head = message("/up", "POST", Content_Length="20", Cookie="a=S3CR3T")
    recorder = Recorder(Masker())
    record = record_in(recorder, head)
    record.take_request(b"x" * 15)
    record.take_response(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"abc"))
    [listed] = recorder.records()
    looked_at = recorder.get("1-1")

    assert looked_at is not None
    assert (len(head), len(head) + 15) == (len(listed.request), len(looked_at.request))
    assert ("/up", 200, len(head) + 15) == (listed.target, listed.status, listed.request_octets)
    assert (b"S3CR3T" in record.request, b"S3CR3T" in listed.request) == (True, False)
    assert not listed.response.endswith(b"abc")
    assert looked_at.response.endswith(b"abc")


def test_times_tell_what_goes_on() -> None:
    recorder = Recorder()
    recorder.finish(record_in(recorder))
    going_on = record_in(recorder)

    assert (2, ["1-1", "1-2"]) == (recorder.messages, [name for _, name in recorder.times()])
    assert [(going_on.began_at, "1-2")] == recorder.times(under_way=True)


# The bound, honestly


def test_octets_are_no_less_than_what_python_says_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    # What pytest keeps of the log is not the recorder's.
    monkeypatch.setattr(logging.getLogger("test_recorder"), "propagate", False)
    app = Groundwire("app")

    @app.route("/users/<name>")
    def user(name: str) -> str:
        logging.getLogger("test_recorder").warning("who is %s?", name)
        return name * 20

    with RecordedWire(app, wire_secrets=False) as wire:
        for number in range(30):
            wire.send(message(f"/users/somebody-{number}")).until_idle()
        wire.inspector.recorder.clear()
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for number in range(100):
                wire.send(message(f"/users/somebody-{number}", X_Padding="x" * number)).until_idle()
            wire.transport.written.clear()
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        recorder = wire.inspector.recorder

        assert 100 == len(recorder.records())
        assert after - before <= recorder.octets
        assert recorder.octets <= 2 * (after - before)


@pytest.mark.slow
def test_large_contents_stay_within_the_bound() -> None:
    """A hundred and fifty of a megabyte each, both ways: all of them would be 300 MB."""
    asked = message("/", "POST", b"x" * MIB)
    content = "y" * MIB

    def large(_: Any) -> Response:
        return Response(content, mimetype="text/plain")

    with RecordedWire(large, wire_secrets=False) as wire:
        recorder = wire.inspector.recorder
        most = 0
        tracemalloc.start()
        try:
            for number in range(150):
                wire.send(*(asked[at : at + 262144] for at in range(0, len(asked), 262144)))
                wire.until_idle()
                wire.transport.written.clear()
                most = max(most, recorder.octets)
                if number == 80:
                    full, _ = tracemalloc.get_traced_memory()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert most <= recorder.bound_octets
        assert after - full <= MIB
        assert after <= recorder.bound_octets + 4 * MIB
        last = wire.records[-1]
        assert (len(asked), CONTENT_BYTES + last.head_octets) == (
            *(last.request_octets, len(last.request)),
        )
        assert last.response_octets > MIB
        assert len(last.response) == CONTENT_BYTES + end_of_heads(last.response)
        assert len(recorder.records()) + recorder.dropped == 150


def test_a_chunked_message_keeps_its_framing_besides() -> None:
    limits = ServerSettings().message_limits
    pieces = [b"x" * 100] * 700
    asked = message("/", "POST", b"", Transfer_Encoding="chunked") + chunked(*pieces)
    with RecordedWire(hello) as wire:
        wire.send(asked).until_idle()

        assert len(asked) > CONTENT_BYTES + 2000
        assert asked == wire.record.request
        assert limits.chunk_overhead_bytes == wire.record.framing_octets


def test_of_a_head_without_end_the_octet_that_decided_is_kept() -> None:
    asked = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 50_000
    with RecordedWire(hello) as wire:
        wire.send(asked).until_idle()
        record = wire.record

        assert (431, len(asked), CONTENT_BYTES) == (
            *(record.status, record.request_octets, len(record.request)),
        )
        assert record.error["offset"] < CONTENT_BYTES


def test_what_is_told_of_an_exchange_has_a_bound() -> None:
    recorder = Recorder()
    talkative, verbose = record_in(recorder), record_in(recorder)
    for number in range(1000):
        talkative.note("decision", about="Accept", said="x", did="y")
        talkative.log("INFO", "app", lambda: "z", "app.py", number)
        verbose.note("decision", about="Accept", said="x" * 100_000, did="y" * 100_000)
        verbose.log("INFO", "app", lambda: "z" * 100_000, "app.py", number)
    verbose.fail(ValueError("v" * 1_000_000), handled=False)
    recorder.settle(verbose)

    assert (NOTES_MAX, LOGS_MAX) == (len(talkative.notes), len(talkative.logs))
    assert TEXT_CHARACTERS == len(verbose.notes[0][1]["said"]) == len(verbose.logs[0]["message"])
    assert TRACEBACK_CHARACTERS <= len(verbose.failure["traceback"]) <= TRACEBACK_CHARACTERS + 50
    assert TOLD_OCTETS <= verbose.octets() <= TOLD_OCTETS + 3 * TRACEBACK_CHARACTERS
    assert recorder.octets == verbose.octets() + talkative.octets()


def test_what_threads_tell_is_counted_before_anybody_asks() -> None:
    recorder = Recorder()
    record = record_in(recorder)
    before = recorder.octets
    record.log("INFO", "app", lambda: "z" * 1000, "app.py", 1)

    assert recorder.octets >= before + 1000
    recorder.finish(record)
    record.log("INFO", "app", lambda: "z" * 1000, "app.py", 1)
    assert recorder.octets == record.octets() >= before + 2000


def test_what_was_told_of_what_is_forgotten_is_forgotten_too() -> None:
    recorder = Recorder(bound_messages=2)
    for _ in range(20):
        record = record_in(recorder)
        record.log("INFO", "app", lambda: "here", "app.py", 1)
        recorder.finish(record)
        record.log("INFO", "app", lambda: "late", "app.py", 1)

    assert len(recorder._late) <= 1
    assert recorder.octets == sum(record.octets() for record in recorder.records())


def test_a_note_cannot_be_larger_than_a_message() -> None:
    record = record_in(Recorder())
    for _ in range(20):
        record.note("fields", by="x", added=[("X", "y" * 2000)] * 200, removed=[])

    assert {"by": "x", "added": [], "removed": []} == record.notes[0][1]
    many = {str(number): "x" * 2000 for number in range(100)}
    record.note("matched", endpoint="e", rule="/" * 300, view_args=many, at=2.5)
    assert {"endpoint": "e", "rule": TOO_MUCH, "view_args": {}, "at": 2.5} == record.notes[-1][1]
    assert record.octets() < 200_000


# Secrets


def test_secrets_are_masked_before_a_record_is_kept() -> None:
    recorder = Recorder(Masker())
    request = message("/?token=S3CR3T1", Cookie="session=S3CR3T2", Authorization="Bearer S3CR3T3")
    record = record_in(recorder, request)
    record.take_response(answer(b"you said S3CR3T3", b"Set-Cookie: session=S3CR3T4"))
    record.note("matched", endpoint="x", rule="/<token>", view_args={"token": "S3CR3T5"}, at=2.0)
    record.note("fields", by="the session", added=[("Set-Cookie", "session=S3CR3T4")], removed=[])
    record.note("decision", about="Authorization", said="Bearer S3CR3T3", did="nothing")
    record.log("INFO", "app", lambda: "it was S3CR3T3 and S3CR3T5", "app.py", 1)
    try:
        raise ValueError("S3CR3T2 is wrong")
    except ValueError as error:
        record.note("error", exception=error, handled=False)
    looked_at = recorder.get(record.id)
    recorder.finish(record)

    for one in (looked_at, record):
        assert one is not None
        told = json.dumps([one.notes, one.logs, one.failure], default=repr)
        assert "S3CR3T" not in told
        assert b"S3CR3T" not in one.request + one.response
        assert (len(request), one.request_octets) == (len(one.request), len(request))
        assert "/?token=*******" == one.target
        assert one.request_masked
        assert one.response_masked
        assert explain_request(bytes(one.request)).error is None


def test_what_is_told_when_all_is_over_is_masked_too() -> None:
    recorder = Recorder(Masker())
    plain_one, secretive = record_in(recorder), record_in(recorder, message("/", Cookie="a=S3CR3T"))
    for record in (plain_one, secretive):
        recorder.finish(record)
        record.log("INFO", "app", lambda: "password=S3CR3T", "app.py", 1)
        record.log("INFO", "app", lambda: "S3CR3T", "app.py", 1)
        record.note("decision", about="x", said="S3CR3T", did="password=S3CR3T")

    assert "S3CR3T" in plain_one.logs[1]["message"]  # nobody can know
    assert "S3CR3T" not in plain_one.logs[0]["message"]
    assert "S3CR3T" not in json.dumps([secretive.logs, secretive.notes])


def test_what_cannot_be_masked_is_answered_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Masker, "mask_request", fail)
    with RecordedWire(hello, wire_secrets=False) as wire:
        wire.inspector.recorder.subscribe(fail)
        wire.send(GET, GET).until_idle()

        assert [200, 200] == [one.status for one in wire.answers()]
        assert [b"", b""] == [record.request + record.response for record in wire.records]
        assert ["answered", "answered"] == [record.state for record in wire.records]
    assert "the exchange 1-1 could not be masked: it is not kept" in caplog.text
    assert "who looks on failed at the exchange 1-2" in caplog.text


def test_octets_without_secrets_are_not_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    mask_request = Masker.mask_request

    def mask(self: Masker, data: bytes, *more: Any) -> Any:
        looked.append(data)
        return mask_request(self, data, *more)

    monkeypatch.setattr(Masker, "mask_request", mask)
    other = message("/", Cookie="a=S3CR3T")
    with RecordedWire(hello, wire_secrets=False) as wire:
        wire.server.writer.set_date(b"Sun, 06 Nov 1994 08:49:37 GMT")
        wire.send(GET, GET, message("/other"), other, other, GET).until_idle()
        wire.send(message("/?token=S3CR3T"), message("/;token=S3CR3T")).until_idle()

        assert [GET, other, other, message("/?token=S3CR3T"), message("/;token=S3CR3T")] == looked
        assert [0, 0, 0, 1, 1, 0, 1, 1] == [len(record.request_masked) for record in wire.records]


def test_an_answer_to_a_known_content_is_not_looked_at_twice_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = []
    mask_response = Masker.mask_response

    def mask(self: Masker, data: bytes, *more: Any) -> Any:
        looked.append(data)
        return mask_response(self, data, *more)

    monkeypatch.setattr(Masker, "mask_response", mask)
    known, secretive = (
        message("/", "POST", content, Content_Type="application/json")
        for content in (b'{"a": 1}', b'{"password": "S3CR3T"}')
    )
    with RecordedWire(hello, wire_secrets=False) as wire:
        wire.server.writer.set_date(b"Sun, 06 Nov 1994 08:49:37 GMT")
        wire.send(known, known, secretive, known, secretive).until_idle()

        assert [wire.records[number].response for number in (0, 2, 4)] == looked
        wire.send(known[:-3], known[-3:] + known + GET).until_idle()
        records = wire.records
        assert [0, 0, 1, 0, 1, 0, 0, 0] == [len(record.request_masked) for record in records]
        assert [known, known, known, GET] == [
            *(records[number].request for number in (0, 1, 6)),
            records[-1].request,
        ]
        assert all(len(record.request) == record.request_octets for record in records)


def test_an_interim_response_before_a_known_one_is_looked_at() -> None:
    recorder = Recorder(Masker())
    for _ in range(3):
        record = record_in(recorder)
        record.take_response(answer(b"Hello", lines_of(recorder, record)[:-2]))
        recorder.finish(record)
    early = record_in(recorder)
    early.take_response(b"HTTP/1.1 103 Early Hints\r\nX-Api-Key: S3CR3T\r\n\r\n")
    early.take_response(answer(b"Hello", lines_of(recorder, early)[:-2]))
    recorder.finish(early)

    assert b"S3CR3T" not in early.response
    assert record.response.endswith(early.response[-30:])


def test_secrets_are_kept_where_that_is_wanted() -> None:
    with RecordedWire(hello, wire_secrets=True) as wire:
        wire.send(message("/", Cookie="a=S3CR3T")).until_idle()

        assert wire.inspector.recorder.secrets
        assert b"S3CR3T" in wire.record.request


# What is read of a record


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        (b"", 0),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n", 404),
        (b"HTTP/1.1 101 Switching Protocols\r\n", 101),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x", 0),
    ],
)
def test_the_status_is_that_of_the_final_response(responses: bytes, status: int) -> None:
    assert status == final_status(responses)


def test_the_end_of_heads_is_where_content_begins() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"

    assert 0 == end_of_heads(b"HTTP/1.1 200 OK\r\n")
    assert 19 == end_of_heads(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert len(interim) + 19 == end_of_heads(interim + b"HTTP/1.1 200 OK\r\n\r\nabc")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"GET /a%20b?c HTTP/1.1", "/a%20b"),
        (b"GET http://example.com/x?y HTTP/1.1", "/x"),
        (b"OPTIONS * HTTP/1.1", "*"),
        (b"CONNECT example.com:80 HTTP/1.1", ""),
    ],
)
def test_the_path_is_that_of_the_target(line: bytes, path: str) -> None:
    record = record_in(Recorder(), line + b"\r\nHost: example.com\r\n\r\n")

    assert (path, line.split(b" ")[1].decode()) == (record.path, record.target)


def test_what_can_be_read_of_a_refused_request_line_is_shown() -> None:
    record = record_in(Recorder(), b"GET /a?b=1 HTTP/1.1\r\nHost : a\r\n\r\n")
    record.parsed = False

    assert ("GET", "/a?b=1", "/a", "HTTP/1.1") == (
        *(record.method, record.target, record.path, record.version),
    )
    nothing = record_in(Recorder(), b"\x16\x03\x01")
    nothing.parsed = False
    assert ("", "", "", "") == (nothing.method, nothing.target, nothing.path, nothing.version)


def test_addresses_are_shown_as_in_a_url() -> None:
    assert ["127.0.0.1:80", "[::1]:80", "/run/x.sock"] == [
        shown_address(address) for address in (("127.0.0.1", 80), ("::1", 80), "/run/x.sock")
    ]


def test_notes_hold_nothing_alive() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    nested: Any = [[[[[["deep"]]]]]]

    assert [1, "x", (None, 2.5), {"1": True}] == plain([1, "x", (None, 2.5), {1: True}])
    assert isinstance(plain({"a": object()})["a"], str)
    assert "name" == plain(type("Name", (str,), {})("name"))
    assert "<" in plain(Odd())
    assert "deep" in json.dumps(plain(nested))


def test_an_error_that_was_not_handled_counts_before_one_that_was() -> None:
    record = record_in(Recorder())
    record.note("error", exception=KeyError("first"), handled=True)
    record.note("error", exception=KeyError("second"), handled=True)
    assert record.failure["message"] == "'first'"
    record.note("error", exception=ValueError("third"), handled=False)
    record.note("error", exception=ValueError("fourth"), handled=False)
    record.note("error", exception="no exception", handled=False)
    odd = type("Odd", (Exception,), {"__str__": lambda _: 1})()
    record_in(Recorder()).note("error", exception=odd, handled=False)

    assert ("ValueError", "third", False) == (
        *(record.failure["class"], record.failure["message"], record.failure["handled"]),
    )


# Logs


def test_nobody_notices_that_logs_are_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = Inspector(ServerSettings())
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(logging.root, "handlers", [])
    with RecordedWire(hello):
        assert [] == logging.root.handlers
        again = logging.getLogRecordFactory()
        with RecordedWire(hello):
            assert again is logging.getLogRecordFactory()
    logging.setLogRecordFactory(factory)
    assert inspector.recorder.records() == []


def test_a_message_that_cannot_be_made_is_said_to_be_so() -> None:
    recorder = Recorder()
    record = record_in(recorder)
    token = tracing.set(record)
    try:
        with RecordedWire(hello):
            made = logging.getLogRecordFactory()("x", 20, "f.py", 1, "%d", ("no number",), None)
            logging.getLogRecordFactory()(None, None, "", 0, "", (), None, None)
    finally:
        tracing.reset(token)

    assert ("%d", 1) == (made.msg, len(record.logs))
    assert "could not be made" in record.logs[0]["message"]


def test_a_logged_exception_is_the_error_where_none_was_told() -> None:
    record = record_in(Recorder())
    token = tracing.set(record)
    try:
        with RecordedWire(hello):
            try:
                raise LookupError("lost")
            except LookupError:
                logging.getLogger("test_recorder").exception("found nothing")
    finally:
        tracing.reset(token)

    assert ("LookupError", True) == (record.failure["class"], record.failure["handled"])
    assert ["found nothing"] == [line["message"] for line in record.logs]
