import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from cost import processor_seconds
from groundwire import Groundwire
from groundwire.http.handler import ContentPolicy, InThread
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.protocol.http1.reader import RequestReader
from groundwire.server import metrics
from groundwire.server.connection import Connection
from groundwire.server.delivery import Delivery
from groundwire.server.exposition import escaped_label, exposition, family
from groundwire.server.ledger import Ledger, Sums, added
from groundwire.server.metrics import DURATION_BOUNDS, Histogram, Metrics, Snapshot
from groundwire.server.server import Answer
from serving import SECONDS, Served, everything, running_server
from supervising import eventually


class Program:
    """Answers inline, in a thread and in a task; the endpoint is the path's first segment."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.leave = threading.Event()

        class Routed(Request):
            @property
            def endpoint(self) -> str | None:
                return None if self.path == "/nowhere" else self.path.split("/")[1]

        self.request_class = Routed

    def handle(self, request: Request) -> Answer:
        if request.path == "/thread":
            return InThread(self.wait)
        if request.path == "/task":
            return self.later()
        if request.path == "/hold":
            time.sleep(0.3)
        if request.path == "/nowhere":
            return Response("there is nothing", 404)
        return Response.of_text("Hello")

    def wait(self) -> Response:
        self.entered.set()
        self.leave.wait(SECONDS)
        return Response("done")

    async def later(self) -> Response:
        await asyncio.sleep(0)
        return Response("later", 503)

    def content_policy(self, request: Request) -> ContentPolicy:
        return ContentPolicy()

    def startup(self) -> Awaitable[None] | None:
        return None

    def shutdown(self) -> Awaitable[None] | None:
        return None


class Measured:
    def __init__(self, served: Served, program: Program) -> None:
        self.served = served
        self.program = program

    def get(self, path: str) -> bytes:
        return self.served.exchange(
            f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        )

    def snapshot(self) -> Snapshot:
        """What a worker would answer, as it arrives elsewhere."""
        kept = self.served.server.metrics
        assert kept is not None
        return json.loads(json.dumps(self.on_loop(kept.snapshot)))  # type: ignore[no-any-return]

    def on_loop(self, function: Callable[[], Any]) -> Any:
        async def call() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.served.server.loop).result(SECONDS)


@pytest.fixture
def measured() -> Iterator[Measured]:
    program = Program()
    with running_server(program, metrics=True) as served:
        yield Measured(served, program)


def test_requests_are_counted_by_endpoint_and_class(measured: Measured) -> None:
    for path in ("/hello", "/hello", "/task", "/nowhere"):
        measured.get(path)

    endpoints = measured.snapshot()["totals"]["endpoints"]

    assert [0, 2, 0, 0, 0] == endpoints["hello"]["classes"]
    assert [0, 0, 0, 0, 1] == endpoints["task"]["classes"]
    assert [0, 0, 0, 1, 0] == endpoints[""]["classes"]
    assert 10 == endpoints["hello"]["octets"]
    assert 2 == sum(endpoints["hello"]["durations"]["buckets"])
    assert 0 < endpoints["hello"]["durations"]["seconds"] < SECONDS


def test_runs_are_counted_by_where_they_were(measured: Measured) -> None:
    measured.program.leave.set()
    for path in ("/hello", "/hello", "/hello", "/thread", "/thread", "/task"):
        measured.get(path)

    assert {"inline": 3, "thread": 2, "async": 1} == measured.snapshot()["totals"]["runs"]


def test_octets_of_open_and_closed_connections_are_counted(measured: Measured) -> None:
    message = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    closed = measured.get("/hello")
    with measured.served.connect() as client:
        client.sendall(message)
        answer = client.recv(65536)

        octets = measured.snapshot()["totals"]["octets"]

    assert len(closed) + len(answer) == octets["out"]
    assert (
        len(message) + len(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        == octets["in"]
    )


def test_connections_and_threads_are_told_by_what_they_do(measured: Measured) -> None:
    measured.get("/hello")
    with (
        measured.served.connect() as idle,
        measured.served.connect() as reading,
        measured.served.connect() as answering,
        measured.served.connect(),
    ):
        idle.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        idle.recv(65536)
        reading.sendall(b"GET /hel")
        answering.sendall(b"GET /thread HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert measured.program.entered.wait(SECONDS)
        deadline = time.monotonic() + SECONDS
        expected = {"new": 1, "idle": 1, "reading": 1, "answering": 1}
        while (gauges := measured.snapshot()["gauges"])["connections"] != expected:
            assert time.monotonic() < deadline, gauges
        measured.program.leave.set()
        everything(answering)

    assert 1 == gauges["threads_busy"]
    assert 32 == gauges["threads_max"]
    assert 0 == gauges["calls_waiting"]


def test_calls_that_wait_for_a_thread_are_told() -> None:
    program = Program()
    with running_server(program, metrics=True, threads=1) as served:
        measured = Measured(served, program)
        clients = [served.connect() for _ in range(3)]
        for client in clients:
            client.sendall(b"GET /thread HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        deadline = time.monotonic() + SECONDS
        while (gauges := measured.snapshot()["gauges"])["calls_waiting"] != 2:
            assert time.monotonic() < deadline, gauges
        program.leave.set()
        for client in clients:
            everything(client)
            client.close()

    assert 1 == gauges["threads_busy"]


def test_a_refused_message_is_counted_without_a_duration(measured: Measured) -> None:
    measured.served.exchange(b"nonsense\r\n\r\n")

    totals = measured.snapshot()["totals"]

    assert 1 == totals["counters"]["refused"]
    assert [0, 0, 0, 1, 0] == totals["endpoints"][""]["classes"]
    assert 0 == sum(totals["endpoints"][""]["durations"]["buckets"])


@pytest.mark.slow
def test_a_held_loop_is_late(measured: Measured) -> None:
    def held_and_seen() -> Snapshot | None:
        measured.get("/hold")
        # It is the worst of the last second, which may have passed before it is looked at.
        until = time.monotonic() + 1
        while time.monotonic() < until:
            if (snapshot := measured.snapshot())["process"]["lag_seconds"] >= 0.05:
                return snapshot
        return None

    snapshot = eventually(held_and_seen)

    assert sum(snapshot["totals"]["lag"]["buckets"][6:]) >= 1


def test_the_process_is_told(measured: Measured) -> None:
    process = measured.snapshot()["process"]

    assert process["rss_bytes"] > 1_000_000
    assert process["open_fds"] > 3
    assert process["cpu_seconds"] > 0


def test_the_access_log_is_told_too(tmp_path: Any) -> None:
    path = tmp_path / "log"
    with running_server(Program(), metrics=True, access_log=str(path)) as served:
        served.exchange(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert '"GET /hello HTTP/1.1" 200 5' in path.read_text()


def test_no_more_endpoints_are_told_apart_than_may_be(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "ENDPOINTS_MAX", 2)
    for path in ("/a", "/b", "/c", "/d", "/a"):
        measured.get(path)

    endpoints = measured.snapshot()["totals"]["endpoints"]

    assert {"a": 2, "b": 1, "(others)": 2} == {
        name: sum(figures["classes"]) for name, figures in endpoints.items()
    }


def test_endpoints_are_known_behind_wsgi_middleware_too(tmp_path: Any) -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/hello", "greeting", lambda: "Hello")
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner(environ, start)  # type: ignore[method-assign]
    path = tmp_path / "log"
    with running_server(
        app, metrics=True, access_log=str(path), access_log_format="{path} {endpoint}"
    ) as served:
        measured = Measured(served, Program())
        measured.get("/hello")
        measured.get("/nowhere")
        endpoints = measured.snapshot()["totals"]["endpoints"]

    assert {"greeting": 1, "": 1} == {
        name: sum(figures["classes"]) for name, figures in endpoints.items()
    }
    assert "/hello greeting\n/nowhere -\n" == path.read_text()


def test_a_server_without_figures_has_nothing_of_them() -> None:
    program = Program()
    with running_server(program) as served:
        measured = Measured(served, program)
        with served.connect() as client:
            client.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            client.recv(65536)
            (connection,) = measured.on_loop(lambda: set(served.server.connections))

    assert served.server.metrics is None
    assert served.server.access_log is None
    assert served.server.handle == program.handle
    assert served.server.delivery_class is Delivery
    assert type(connection) is Connection
    assert type(connection.reader) is RequestReader


def test_values_lie_in_the_bucket_of_the_first_bound_they_do_not_exceed() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.0, 1.0, 1.5, 2.0, 2.1, 100.0):
        histogram.observe(value)

    assert {"buckets": [2, 2, 2], "seconds": 106.6} == histogram.snapshot()


# Sums over workers.


def said(pid: int, born: str, requests: int, number: int = 1) -> dict[str, Any]:
    value = {
        "born": born,
        "totals": {"counters": {"requests": requests}},
        "gauges": {"connections": {"idle": 1}},
        "process": {"rss_bytes": 100},
    }
    return {"number": number, "pid": pid, "value": value}


def requests_in(sums: Sums) -> int:
    return sums.totals["counters"]["requests"]  # type: ignore[no-any-return]


def test_workers_are_added_up() -> None:
    sums = Ledger().take([said(1, "a", 5), said(2, "b", 7, number=2)], [])

    assert 12 == requests_in(sums)
    assert {"connections": {"idle": 2}} == sums.gauges
    assert {1: {"rss_bytes": 100}, 2: {"rss_bytes": 100}} == sums.processes


def test_what_a_worker_that_ended_had_counted_stays() -> None:
    ledger = Ledger()
    ledger.take([said(1, "a", 5), said(2, "b", 7)], [])

    sums = ledger.take([said(2, "b", 8), said(3, "c", 1)], [])

    assert 5 + 8 + 1 == requests_in(sums)
    assert {"connections": {"idle": 2}} == sums.gauges


def test_a_worker_that_does_not_answer_counts_with_what_it_said_last() -> None:
    ledger = Ledger()
    ledger.take([said(1, "a", 5), said(2, "b", 7)], [])

    silent = ledger.take([said(2, "b", 8)], [1])
    again = ledger.take([said(1, "a", 6), said(2, "b", 8)], [])

    assert (13, 1) == (requests_in(silent), silent.missing)
    assert (14, 0) == (requests_in(again), again.missing)


def test_a_process_id_may_come_back() -> None:
    ledger = Ledger()
    ledger.take([said(1, "a", 5)], [])

    assert 5 + 2 == requests_in(ledger.take([said(1, "b", 2)], []))


def test_the_last_word_of_a_worker_counts_once() -> None:
    ledger = Ledger()
    ledger.take([said(1, "a", 5), said(2, "b", 7)], [])
    last = {**said(1, "a", 9), "ended": True}

    for _ in range(3):
        sums = ledger.take([said(2, "b", 7), last], [])

        assert 9 + 7 == requests_in(sums)
        assert {"connections": {"idle": 1}} == sums.gauges


def test_a_worker_may_end_before_anybody_has_asked_it() -> None:
    ledger = Ledger()

    assert 3 == requests_in(ledger.take([{**said(1, "a", 3), "ended": True}], []))
    assert 3 == requests_in(ledger.take([], []))


def test_who_keeps_no_figures_is_left_out() -> None:
    sums = Ledger().take([{"number": 1, "pid": 1, "error": "nothing is known"}], [])

    assert {} == sums.totals


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(0, 9)), max_size=30))
def test_sums_never_fall(steps: list[tuple[int, bool, int]]) -> None:
    """Whatever workers are replaced, and whenever figures are gathered."""
    ledger = Ledger()
    counts = {1: 0, 2: 0, 3: 0}
    births = {1: 0, 2: 0, 3: 0}
    before = 0
    for place, dies, more in steps:
        if dies:
            births[place] += 1
            counts[place] = 0
        counts[place] += more
        sums = ledger.take(
            [
                said(10 * births[number] + number, f"{number}.{births[number]}", counts[number])
                for number in counts
            ],
            [],
        )
        assert requests_in(sums) >= before
        before = requests_in(sums)
    assert before == sum(more for _, _, more in steps)


def test_figures_of_any_form_are_added() -> None:
    assert {"a": 3, "b": [4, 6], "c": {"x": 1}, "d": 1.5} == added(
        {"a": 1, "b": [1, 2], "c": {"x": 1}}, {"a": 2, "b": [3, 4], "d": 1.5}
    )


# The text format, as Prometheus' own client reads it.


def read_back(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_what_is_exposed_can_be_read_back(measured: Measured) -> None:
    measured.program.leave.set()
    for path in ("/hello", "/hello", "/thread", "/nowhere"):
        measured.get(path)
    gathered = {"number": 1, "pid": 1, "value": measured.snapshot()}
    state = {
        "version": '1"0',
        "workers": [{"state": "serving"}, {"state": "starting"}],
        "wanted": 2,
        "restarts": 3,
        "generation": 1,
    }

    text = exposition(Ledger().take([gathered], [7]), state)

    families = read_back(text)
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for found in families.values()
        for sample in found.samples
    }
    assert 2 == samples["groundwire_requests_total", (("endpoint", "hello"), ("status", "2xx"))]
    assert 1 == samples["groundwire_requests_total", (("endpoint", ""), ("status", "4xx"))]
    assert 2 == samples["groundwire_request_duration_seconds_count", (("endpoint", "hello"),)]
    infinite = (("endpoint", "hello"), ("le", "+Inf"))
    assert 2 == samples["groundwire_request_duration_seconds_bucket", infinite]
    assert 1 == samples["groundwire_handler_runs_total", (("where", "thread"),)]
    assert 1 == samples["groundwire_workers", (("state", "starting"),)]
    assert 3 == samples["groundwire_worker_restarts_total", ()]
    assert 1 == samples["groundwire_workers_missing", ()]
    assert 1 == samples["groundwire_info", (("version", '1"0'),)]
    assert "histogram" == families["groundwire_request_duration_seconds"].type
    assert "histogram" == families["groundwire_loop_lag_seconds"].type
    assert "counter" == families["groundwire_received_bytes"].type
    assert all(found.documentation for found in families.values())
    bucket = "groundwire_request_duration_seconds_bucket"
    counts = [
        value
        for (name, labels), value in samples.items()
        if name == bucket and labels[0][1] == "hello"
    ]
    assert len(DURATION_BOUNDS) + 1 == len(counts)
    assert sorted(counts) == counts


def test_what_cannot_be_asked_is_left_out() -> None:
    families = read_back(exposition(Sums(missing=1), None))

    assert "groundwire_workers_missing" in families
    assert "groundwire_info" not in families
    assert "groundwire_request_duration_seconds" not in families


@given(st.text(max_size=30))
def test_labels_are_read_back_as_they_were(value: str) -> None:
    text = family("a", "gauge", "A\nb\\c.", [("", (("x", value), ("y", "z")), 1)])

    (found,) = text_string_to_metric_families(text)
    (sample,) = found.samples
    shown = value.encode("utf-8", "replace").decode()
    # The parser splits lines at all that Python takes for the end of one; the format knows the line feed only.
    if len(shown.splitlines()) <= 1:
        assert {"x": shown, "y": "z"} == sample.labels
    assert "A\nb\\c." == found.documentation


def test_half_characters_do_not_break_the_text() -> None:
    assert "?" == escaped_label("\ud800")


def test_a_record_costs_little() -> None:
    """The budget is 1 µs; the bound here is what a slow machine may make of it."""

    class Server:
        handle = None

    kept = Metrics(Server(), None)  # type: ignore[arg-type]
    request = Program().request_class.__new__(Program().request_class)
    request.path = "/hello"

    def record_many() -> None:
        for _ in range(1000):
            kept.record("", request, 200, 5, 0.0001)

    assert processor_seconds(record_many, 5) < 10e-3
