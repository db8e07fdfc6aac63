"""A million requests of all kinds, and what they leave in memory."""

import asyncio
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from corpora.runner import load_cases, run_all
from faults.processes import open_files, rss_bytes, running, until

TESTS = Path(__file__).parents[1]

CLIENTS = 4
A_FEW = 15_000
A_MILLION = 1_000_000

MEBIBYTE = 1 << 20


def threads(pid: int) -> int:
    found = re.search(r"Threads:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


class Asking:
    """One process that asks."""

    def __init__(self, port: int, number: int, seed: int) -> None:
        self.done = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faults.soaking", str(port), str(number), str(seed)],
            cwd=TESTS,
            stdout=subprocess.PIPE,
        )
        self.thread = threading.Thread(target=self._count)
        self.thread.start()

    def _count(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.done = int(line)


def test_requests_of_all_kinds_leave_nothing_behind(request: pytest.FixtureRequest) -> None:
    number = A_MILLION if request.config.getoption("--soak") else A_FEW
    with running() as server:
        worker = server.worker
        asking = [Asking(server.address[1], number // CLIENTS, seed) for seed in range(CLIENTS)]
        measured: list[tuple[int, int, int, int]] = []
        began = time.monotonic()
        while any(one.process.poll() is None for one in asking):
            time.sleep(0.25)
            done = sum(one.done for one in asking)
            measured.append((done, rss_bytes(worker), len(open_files(worker)), threads(worker)))
        seconds = time.monotonic() - began
        assert [one.process.wait() for one in asking] == [0] * CLIENTS
        for one in asking:
            one.thread.join()
        assert server.worker == worker

    steady = [each for each in measured if each[0] >= number // 5]
    slope = statistics.linear_regression(
        [done for done, *_ in steady], [rss for _, rss, *_ in steady]
    ).slope
    measured.append((number, *measured[-1][1:]))
    tenths = [
        next(rss for done, rss, *_ in measured if done >= number * tenth // 10)
        for tenth in range(1, 11)
    ]
    print(
        f"{number} requests in {seconds:.0f} s; memory {measured[0][1] / MEBIBYTE:.1f} MiB at first,"
        f" {steady[0][1] / MEBIBYTE:.2f} after a fifth, {steady[-1][1] / MEBIBYTE:.2f} at the end:"
        f" {slope * A_MILLION / MEBIBYTE:.2f} MiB for a million;"
        f" at each tenth: {', '.join(f'{rss / MEBIBYTE:.2f}' for rss in tenths)}"
    )
    if number == A_MILLION:
        assert slope * A_MILLION < MEBIBYTE
    else:
        assert steady[-1][1] - steady[0][1] < MEBIBYTE
    assert max(files for _, _, files, _ in steady) <= min(files for _, _, files, _ in steady) + 10
    assert len({count for *_, count in steady}) <= 3


def test_the_corpus_of_requests_ends_no_worker() -> None:
    """Hostile ones most of all. That each is answered as it must be, `test_corpus.py` shows."""
    cases = load_cases(("static", "routes")) + load_cases(
        ("static", "routes"), TESTS / "corpora" / "more.json"
    )
    with running("--workers", "2", target=TESTS / "corpora" / "echo" / "app.py") as server:
        until(lambda: len(server.workers()) == 2, "two workers")
        workers = server.workers()
        failed = asyncio.run(run_all(cases, *server.address, 16))
        again = [case for case in cases if case["id"] in failed]
        assert asyncio.run(run_all(again, *server.address, 1)) == {}
        assert server.workers() == workers
        assert server.stop() == 0
