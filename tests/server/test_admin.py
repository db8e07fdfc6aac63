"""The admin address: what it answers, and from real processes."""

import contextlib
import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from groundwire.cli.command import groundwire
from groundwire.cli.top import UnixConnection
from groundwire.server.admin import AdminHandler, SupervisorGone, keeps_metrics, open_admin
from groundwire.server.errors import StartError
from groundwire.server.ledger import Sums
from groundwire.server.process_settings import ProcessSettings
from serving import Served, running_server
from supervising import PROGRAM, SECONDS, Supervised, eventually, supervised


class Inquired:
    """A supervisor that says what it is told to."""

    def __init__(self) -> None:
        self.gone = False
        self.stopping = False
        self.workers = [{"number": 1, "pid": 7, "state": "serving", "silent_seconds": 0.3}]

    async def state(self) -> dict[str, Any]:
        if self.gone:
            raise SupervisorGone
        return {
            "version": "1.0",
            "workers": self.workers,
            "stopping": self.stopping,
            "wanted": 1,
            "restarts": 0,
            "generation": 0,
        }

    async def sums(self) -> Sums:
        if self.gone:
            raise SupervisorGone
        return Sums()

    async def gathered(self) -> dict[str, Any]:
        return {"value": [], "missing": [7]}


@pytest.fixture
def inquired() -> Inquired:
    return Inquired()


@pytest.fixture
def served(inquired: Inquired) -> Iterator[Served]:
    with running_server(AdminHandler(inquired)) as served:  # type: ignore[arg-type]
        yield served


def ask(served: Served, path: str, method: str = "GET") -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(*served, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers


def test_a_server_with_a_worker_that_beats_is_healthy_and_ready(served: Served) -> None:
    status, text, fields = ask(served, "/-/health")

    assert (200, {"status": "ok", "workers": 1}) == (status, json.loads(text))
    assert "no-store" == fields["Cache-Control"]
    assert (200, {"status": "ready", "workers": 1}) == (
        (answer := ask(served, "/-/ready"))[0],
        json.loads(answer[1]),
    )


@pytest.mark.parametrize(
    ("worker", "health", "ready"),
    [
        ({"state": "serving", "silent_seconds": 4.9}, 200, 200),
        ({"state": "serving", "silent_seconds": 5.1}, 503, 503),
        ({"state": "starting", "silent_seconds": None}, 503, 503),
        ({"state": "retiring", "silent_seconds": 0.1}, 200, 503),
    ],
)
def test_health_and_readiness_follow_the_workers(
    inquired: Inquired, served: Served, worker: dict[str, Any], health: int, ready: int
) -> None:
    inquired.workers = [worker]

    assert health == ask(served, "/-/health")[0]
    assert ready == ask(served, "/-/ready")[0]


def test_a_server_that_stops_is_healthy_and_not_ready(inquired: Inquired, served: Served) -> None:
    inquired.stopping = True

    assert 200 == ask(served, "/-/health")[0]
    status, text, _ = ask(served, "/-/ready")
    assert (503, "stopping") == (status, json.loads(text)["reason"])


@pytest.mark.parametrize("path", ["/-/health", "/-/ready", "/-/metrics"])
def test_without_a_supervisor_all_fails(inquired: Inquired, served: Served, path: str) -> None:
    inquired.gone = True

    status, text, _ = ask(served, path)

    assert (503, "failing") == (status, json.loads(text)["status"])


def test_metrics_are_of_the_type_that_prometheus_asks_for(served: Served) -> None:
    status, text, fields = ask(served, "/-/metrics")

    assert 200 == status
    assert "text/plain; version=0.0.4; charset=utf-8" == fields["Content-Type"]
    assert 'groundwire_info{version="1.0"} 1\n' in text


@pytest.mark.parametrize("path", ["/metrics", "/-/", "/-/x", "//-/metrics/", "/x/-/metrics"])
def test_other_paths_are_not_there(served: Served, path: str) -> None:
    status, text, _ = ask(served, path)

    assert 404 == status
    assert "/-/metrics\n" in text


def test_the_root_says_what_there_is(served: Served) -> None:
    assert 200 == ask(served, "/")[0]


def test_only_reading_is_possible(served: Served) -> None:
    status, _, fields = ask(served, "/-/health", "POST")

    assert (405, "GET, HEAD") == (status, fields["Allow"])
    assert (200, "") == ask(served, "/-/health", "HEAD")[:2]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "is no HOST:PORT, PORT or path"),
        ("localhost:", "is no HOST:PORT"),
        ("localhost:99999", "port 99999 does not exist"),
        ("no.such.host.invalid:0", "no.such.host.invalid"),
        ("/nowhere/at/all/admin", "--admin"),
    ],
)
def test_an_address_that_cannot_be_is_told(address: str, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        open_admin(address)


def test_an_address_in_use_names_the_option() -> None:
    listening = open_admin("127.0.0.1:0")
    with contextlib.closing(listening), pytest.raises(StartError, match="--admin"):
        open_admin(f"127.0.0.1:{listening.port}")


def test_a_port_alone_is_one_of_loopback() -> None:
    listening = open_admin("0")
    with contextlib.closing(listening):
        addresses = {sock.getsockname()[0] for sock in listening.sockets}

    assert addresses <= {"127.0.0.1", "::1"}


def test_figures_are_kept_where_somebody_can_ask_for_them() -> None:
    assert not keeps_metrics(ProcessSettings())
    assert keeps_metrics(ProcessSettings(admin="9090"))
    assert keeps_metrics(ProcessSettings(control="ctl"))


# Real processes.

needs_processes = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is one process")

OWN_ROUTE = (
    PROGRAM
    + """
@app.route("/-/metrics")
def metrics():
    return "the application's own"
"""
)

WAITING = (
    PROGRAM
    + """
@app.route("/wait/<name>", run="thread")
def wait(name):
    while not os.path.exists(name):
        time.sleep(0.01)
    return "waited"
"""
)


def read(server: Supervised, path: str) -> tuple[int, str]:
    connection = UnixConnection(str(server.folder / "admin"), SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def figure(server: Supervised, name: str, **labels: str) -> float:
    status, text = read(server, "/-/metrics")
    assert 200 == status, text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def requests(server: Supervised, endpoint: str) -> float:
    return figure(server, "groundwire_requests_total", endpoint=endpoint)


@contextlib.contextmanager
def administered(folder: Path, program: str = PROGRAM) -> Iterator[Supervised]:
    arguments = ("--workers", "2", "--admin", str(folder / "admin"))
    with supervised(folder, *arguments, program=program) as server:
        server.wait_for_workers(2)
        server.line_with("the admin address is")
        yield server


@needs_processes
@pytest.mark.slow
def test_figures_of_all_workers_are_summed_and_survive_them(tmp_path: Path) -> None:
    with administered(tmp_path, OWN_ROUTE) as server:
        pids = {server.get("/pid") for _ in range(40)}
        # Who does not answer the question within 200 ms counts with what it has said before.
        eventually(lambda: 40 == requests(server, "pid"))
        assert "the application's own" == server.get("/-/metrics")
        assert 2 == figure(server, "groundwire_workers", state="serving")

        os.kill(int(pids.pop()), signal.SIGKILL)
        eventually(lambda: server.state()["restarts"])
        server.wait_for_workers(2)
        server.get("/pid")

        eventually(lambda: 41 == requests(server, "pid"))
        assert 1 == figure(server, "groundwire_worker_restarts_total")

        server.signal(signal.SIGHUP)
        server.line_with("reloaded: the new version serves")
        eventually(lambda: requests(server, "pid") == 41)
        assert 1 == figure(server, "groundwire_reloads_total")


@needs_processes
@pytest.mark.slow
def test_a_worker_that_hangs_is_missing_and_does_not_hold_the_answer_up(tmp_path: Path) -> None:
    with administered(tmp_path) as server:
        for _ in range(10):
            server.get("/pid")
        eventually(lambda: 10 == requests(server, "pid"))
        stopped, _ = server.pids()
        os.kill(stopped, signal.SIGSTOP)
        try:
            eventually(lambda: 1 == figure(server, "groundwire_workers_missing"))
            assert 10 == requests(server, "pid")
            assert 200 == read(server, "/-/health")[0]
        finally:
            os.kill(stopped, signal.SIGCONT)


@needs_processes
@pytest.mark.slow
def test_readiness_ends_with_the_stop_and_health_with_the_server(tmp_path: Path) -> None:
    with administered(tmp_path, WAITING) as server:
        assert 200 == read(server, "/-/ready")[0]
        thread = threading.Thread(target=lambda: server.get("/wait/go"))
        thread.start()
        try:
            eventually(lambda: figure(server, "groundwire_threads_busy"))

            os.killpg(server.process.pid, signal.SIGTERM)

            eventually(lambda: read(server, "/-/ready")[0] == 503)
            assert 200 == read(server, "/-/health")[0]
        finally:
            (tmp_path / "go").touch()
            thread.join()
        assert 0 == server.ended()
    assert not (tmp_path / "admin").exists()


@needs_processes
@pytest.mark.slow
def test_an_admin_process_that_dies_is_started_again(tmp_path: Path) -> None:
    with administered(tmp_path) as server:
        server.get("/pid")
        line = server.line_with("the admin address is")

        os.kill(int(line[1:].partition("]")[0]), signal.SIGKILL)

        server.line_with("the admin address (process")
        assert eventually(lambda: requests(server, "pid") == 1)


@needs_processes
@pytest.mark.slow
def test_an_admin_address_that_cannot_be_keeps_the_server_from_starting(tmp_path: Path) -> None:
    with supervised(tmp_path, "--admin", "nonsense") as server:
        assert 2 == server.ended()

    assert "is no HOST:PORT" in "".join(server.lines)


@mock.patch.dict("os.environ")  # where the command says that it is in debug mode
def test_where_one_process_serves_there_is_no_admin_address(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(PROGRAM)

    result = CliRunner().invoke(
        groundwire, ["run", str(tmp_path / "shop.py"), "--debug", "--no-reload", "--admin", "0"]
    )

    assert 2 == result.exit_code
    assert "--admin cannot be in debug mode" in result.output
