"""The wire of several workers, gathered by whichever is asked."""

import contextlib
import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire.inspector.serving.gathered import ROOM_BYTES, fits, within
from supervising import SECONDS, Supervised, eventually, supervised

pytestmark = pytest.mark.slow

WORKERS = 2


class Worker:
    """A kept-alive connection: all that is asked on it, one worker answers."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            self.pid = self.ask("/pid")[1].decode()
        except BaseException:
            self.close()
            raise

    def ask(self, target: str, method: str = "GET", **fields: str) -> tuple[str, bytes]:
        """Ask; return X-Wire-Id and the content."""
        lines = {name.replace("_", "-"): value for name, value in fields.items()}
        self._connection.request(method, target, headers=lines)
        response = self._connection.getresponse()
        content = response.read()
        return response.headers.get("X-Wire-Id", ""), content

    def wire(self, place: str, method: str = "GET") -> Any:
        fields = {} if method == "GET" else {"Content_Type": "application/json"}
        return json.loads(self.ask(f"/__wire__/{place}", method, **fields)[1])

    def whole(self, place: str, method: str = "GET") -> Any:
        """What all workers say: on a machine that is busy one may not do so in time."""

        def asked() -> Any:
            said = self.wire(place, method)
            return None if said["partial"] else said

        return eventually(asked)

    def known(self, id: str) -> Any:
        """An exchange; None where another worker may have it that has not answered in time."""
        said = self.wire(f"requests/{id}")
        return None if "not every worker has answered" in (said.get("error") or "") else said

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def workers(port: int) -> Iterator[list[Worker]]:
    """One connection to each worker."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Worker] = {}
        deadline = time.monotonic() + SECONDS
        while len(found) < WORKERS:
            assert time.monotonic() < deadline, f"only {list(found)} answer"
            worker = Worker(port)
            stack.callback(worker.close)
            found.setdefault(worker.pid, worker)
        yield list(found.values())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    folder: Path = tmp_path_factory.mktemp("workers")
    with supervised(folder, "--workers", str(WORKERS), "--wire") as running:
        running.wait_for_workers(WORKERS)
        yield running


def test_the_operator_is_told_once_where_the_wire_is_shown(running: Supervised) -> None:
    line = running.line_with("The wire is shown at ")

    assert f"The wire is shown at http://localhost:{running.port}/__wire__/\n" == line
    assert 1 == running.lines.count(line)


def test_each_worker_shows_what_all_have_recorded(running: Supervised) -> None:
    with workers(running.port) as both:
        first, second = both
        first.whole("requests", "DELETE")
        ids = [worker.ask("/version")[0] for worker in both]
        assert len({id.partition("-")[0] for id in ids}) == WORKERS

        for worker in both:
            listed = worker.whole("requests?text=version")
            assert [ids[1], ids[0]] == [one["id"] for one in listed["requests"]]
            assert WORKERS * 8 * 1024 * 1024 == listed["recorder"]["bound_octets"]
            for id in ids:
                shown = eventually(lambda worker=worker, id=id: worker.known(id))
                assert (id, "/version", "version") == (
                    shown["id"],
                    shown["target"],
                    shown["endpoint"],
                )
        later = first.whole(f"requests?text=version&after={ids[0]}")
        assert [ids[1]] == [one["id"] for one in later["requests"]]

        def saved() -> list[Any]:
            """What has been asked for twice, unless a worker of a busy machine has not answered."""
            lines = second.ask("/__wire__/session")[1].splitlines()
            found = [line for line in map(json.loads, lines) if line.get("target") == "/version"]
            return found if len(found) >= 2 else []

        assert 2 == len(eventually(saved))


def test_clearing_is_for_all(running: Supervised) -> None:
    with workers(running.port) as (first, second):
        second.ask("/version")

        first.whole("requests", "DELETE")

        assert [] == second.whole("requests")["requests"]


def test_what_nobody_knows_is_not_found(running: Supervised) -> None:
    with workers(running.port) as (first, _):
        told = ""

        def whole() -> bool:
            nonlocal told
            told = first.wire("requests/2-99999")["error"]
            return "not every worker has answered" not in told

        eventually(whole)
        assert "may have been dropped" in told


def test_the_exchanges_of_other_workers_are_told_live(running: Supervised) -> None:
    with workers(running.port) as (first, second):
        stream = first._connection
        stream.request("GET", "/__wire__/events")
        response = stream.getresponse()
        text = b""

        def read_until(wanted: bytes) -> None:
            nonlocal text
            while wanted not in text:
                text += response.read1()

        read_until(b"retry")
        id = second.ask("/version?live")[0]
        read_until(f'"{id}"'.encode())
        second.wire("requests", "DELETE")
        read_until(b"event: cleared")
        response.close()


def test_a_worker_that_does_not_answer_is_named(running: Supervised) -> None:
    with workers(running.port) as (first, second):
        os.kill(int(second.pid), signal.SIGSTOP)
        try:
            listed = first.wire("requests")
            missing = first.wire("requests/9-1")["error"]
        finally:
            os.kill(int(second.pid), signal.SIGCONT)

        assert [int(second.pid)] == listed["partial"]
        assert f"({second.pid})" in missing
        first.whole("requests")


def test_what_one_worker_says_has_room_in_a_message() -> None:
    summaries = [{"target": "/" * 2000} for _ in range(500)]

    kept = within(summaries)

    assert kept == summaries[: len(kept)]
    assert ROOM_BYTES - 3000 < len(json.dumps(kept)) < ROOM_BYTES
    assert fits({"text": "x" * 1000})
    assert not fits({"text": "x" * (16 * 1024 * 1024)})
