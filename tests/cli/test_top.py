"""`groundwire top`: what it works out, how it looks, and that it can be left."""

import contextlib
import dataclasses
import http.client
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundwire.cli import top as command
from groundwire.cli.command import groundwire
from groundwire.cli.top import CLEAR_BELOW, NoAnswer, Source, by_admin, by_control
from groundwire.cli.top_figures import Sample, Traffic, quantile, subtracted, view_of
from groundwire.cli.top_screen import printable, screen, shown_bytes, shown_seconds, shown_span
from groundwire.server.metrics import DURATION_BOUNDS
from supervising import SECONDS, SOURCE, Supervised, eventually, supervised


def snapshot(requests: int, errors: int = 0, born: str = "a", cpu: float = 1.0) -> dict[str, Any]:
    buckets = [0] * (len(DURATION_BOUNDS) + 1)
    buckets[5] = requests  # 10 to 25 ms
    return {
        "born": born,
        "totals": {
            "endpoints": {
                "hello": {
                    "classes": [0, requests - errors, 0, 0, errors],
                    "octets": 0,
                    "durations": {"buckets": buckets, "seconds": 0.0},
                },
                "quiet": {
                    "classes": [0, 1, 0, 0, 0],
                    "octets": 0,
                    "durations": {"buckets": [0] * len(buckets), "seconds": 0.0},
                },
            },
            "octets": {"in": 10 * requests, "out": 100 * requests},
        },
        "gauges": {
            "connections": {"idle": 3, "answering": 1},
            "threads_busy": 2,
            "threads_max": 32,
            "calls_waiting": 0,
        },
        "process": {"rss_bytes": 34_000_000, "cpu_seconds": cpu, "lag_seconds": 0.25},
    }


def state(*workers: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "pid": 7,
        "name": "shop:app",
        "url": "http://localhost:8000",
        "age_seconds": 3661.0,
        "stopping": False,
        "reloading": False,
        "generation": 1,
        "restarts": 2,
        "wanted": 2,
        "workers": list(workers),
        **other,
    }


def worker(pid: int, **other: Any) -> dict[str, Any]:
    return {
        "number": pid - 10,
        "pid": pid,
        "state": "serving",
        "age_seconds": 60.0,
        "silent_seconds": 0.5,
        "rss_bytes": 5,
        "connections": 6,
        "threads_busy": 7,
        **other,
    }


BEFORE = Sample(100.0, state(worker(11)), {11: snapshot(100)})
NOW = Sample(102.0, state(worker(11)), {11: snapshot(300, errors=20, cpu=1.5)})


def test_rates_are_what_changed_between_two_moments() -> None:
    view = view_of(BEFORE, NOW)

    assert 100.0 == view.traffic.requests_per_second
    assert 10.0 == view.traffic.server_errors_per_second
    assert (1000.0, 10000.0) == (view.received_bytes_per_second, view.sent_bytes_per_second)
    (row,) = view.workers
    assert 0.25 == row.cpu_share
    assert 100.0 == row.traffic.requests_per_second
    assert (4, 2, 32, 0) == (row.connections, row.threads_busy, row.threads_max, row.calls_waiting)
    assert ["hello"] == list(view.endpoints)


def test_quantiles_are_of_what_was_answered_since() -> None:
    traffic = view_of(BEFORE, NOW).traffic

    assert traffic.p50_seconds == pytest.approx(0.0175)
    assert traffic.p99_seconds == pytest.approx(0.02485)


def test_at_first_there_are_no_rates() -> None:
    view = view_of(None, NOW)

    assert Traffic() == view.traffic
    assert view.workers[0].cpu_share is None
    assert 34_000_000 == view.workers[0].rss_bytes
    assert {} == view.endpoints


def test_a_replacement_with_the_same_process_id_begins_anew() -> None:
    now = dataclasses.replace(NOW, figures={11: snapshot(5, born="b")})

    assert Traffic() == view_of(BEFORE, now).traffic


def test_a_worker_that_says_nothing_is_shown_by_its_last_beat() -> None:
    now = dataclasses.replace(NOW, state=state(worker(11, silent_seconds=9.0)), figures={})

    (row,) = view_of(BEFORE, now).workers

    assert row.silent
    assert (5, 6, 7) == (row.rss_bytes, row.connections, row.threads_busy)
    assert Traffic() == row.traffic


@pytest.mark.parametrize(
    ("share", "buckets", "expected"),
    [
        (0.5, [0, 0, 0], None),
        (0.5, [10, 0, 0], 0.5),
        (0.99, [10, 0, 0], 0.99),
        (0.5, [0, 10, 0], 1.5),
        (0.5, [5, 5, 0], 1.0),
        (0.99, [5, 0, 5], 2.0),
        (1.0, [0, 0, 1], 2.0),
    ],
)
def test_a_quantile_lies_within_its_bucket(
    share: float, buckets: list[int], expected: float | None
) -> None:
    found = quantile(share, buckets, (1.0, 2.0))

    assert expected == (found if found is None else pytest.approx(found))


def test_what_is_new_counts_whole() -> None:
    assert {"a": 1, "b": [2], "new": 5} == subtracted(
        {"a": 3, "b": [3], "new": 5}, {"a": 2, "b": [1]}
    )


# How it looks.


def test_the_screen_is_a_table_of_workers_and_one_of_endpoints() -> None:
    lines = screen(view_of(BEFORE, NOW))

    assert "groundwire 1.0  shop:app  http://localhost:8000  up 1:01:01" == lines[0]
    assert lines[1].startswith(
        "1 of 2 workers serve   100 requests/s   p50 18ms   p99 25ms   10.0 errors/s"
    )
    assert ["#", "PID", "STATE"] == lines[3].split()[:3]
    assert [
        "1",
        "11",
        "serving",
        "0:01:00",
        "32M",
        "25%",
        "4",
        "100",
        "18ms",
        "25ms",
        "2/32",
        "0",
        "250ms",
    ] == lines[4].split()
    assert ["hello", "100", "18ms", "25ms", "0.0", "10.0"] == lines[7].split()


@pytest.mark.parametrize("width", [1, 20, 60, 200])
def test_no_line_is_wider_than_the_terminal_and_none_is_too_many(width: int) -> None:
    view = view_of(BEFORE, NOW)
    plain = screen(view, width, 5, note="q quits")
    coloured = screen(view, width, 5, colours=True, note="q quits")

    assert 5 == len(plain) == len(coloured)
    assert all(len(line) <= width for line in plain)
    assert plain == [without_colours(line).rstrip() for line in coloured]


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_trouble_is_red() -> None:
    lines = screen(view_of(BEFORE, NOW), colours=True)

    assert "\x1b[31m1 of 2 workers serve\x1b[0m" in lines[1]
    assert "\x1b[31m  250ms\x1b[0m" in lines[4]


def test_nothing_that_a_program_names_can_steer_the_terminal() -> None:
    now = dataclasses.replace(NOW, state=state(worker(11), name="\x1b[2Jshop\x07\n"))

    assert "\x1b" not in "".join(screen(view_of(BEFORE, now)))
    assert "?[2Jshop??" == printable("\x1b[2Jshop\x07\n")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (shown_span(59.9), "0:00:59"),
        (shown_span(200_000), "2d 7:33:20"),
        (shown_seconds(None), "-"),
        (shown_seconds(0.0004), "0.4ms"),
        (shown_seconds(0.25), "250ms"),
        (shown_seconds(1.25), "1.2s"),
        (shown_seconds(60), "60s"),
        (shown_bytes(None), "-"),
        (shown_bytes(999), "999"),
        (shown_bytes(1500), "1.5K"),
        (shown_bytes(34 << 20), "34M"),
        (shown_bytes(2 << 40), "2.0T"),
        (shown_bytes(3 << 60), "3072P"),
    ],
)
def test_figures_are_short(shown: str, expected: str) -> None:
    assert expected == shown


# The command.


def run(*arguments: str) -> Result:
    return CliRunner().invoke(groundwire, ["top", *arguments])


def test_without_a_server_it_says_how_to_name_one() -> None:
    result = run()

    assert 2 == result.exit_code
    assert "say --control PATH or --admin HOST:PORT" in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--control", "/nowhere/ctl"), "there is no control socket"),
        (("--admin", "nonsense"), "is no HOST:PORT, PORT or path"),
        (("--admin", "/nowhere/admin"), "does not answer on /nowhere/admin: No such file"),
        (("--admin", "127.0.0.1:1"), "does not answer on 127.0.0.1:1"),
    ],
)
def test_a_server_that_is_not_there_is_told(arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments)

    assert 2 == result.exit_code
    assert reason in result.output


def test_views_are_a_line_of_json_each(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = iter([BEFORE, NOW])
    monkeypatch.setattr(command, "by_control", lambda _path: lambda: next(samples))

    result = run("--control", "x", "--json", "--once", "--interval", "0.1")

    assert 0 == result.exit_code, result.output
    view = json.loads(result.output)
    assert 100.0 == view["traffic"]["requests_per_second"]
    assert 11 == view["workers"][0]["pid"]


# A real server, and a real terminal.

if hasattr(os, "fork"):
    import fcntl
    import pty
    import termios

needs_processes = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is one process")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Supervised]:
    arguments = ("--workers", "2", "--admin", str(tmp_path / "admin"))
    with supervised(tmp_path, *arguments) as server:
        server.wait_for_workers(2)
        server.line_with("the admin address is")
        yield server


@needs_processes
@pytest.mark.slow
def test_both_ways_to_ask_say_the_same(server: Supervised) -> None:
    server.get("/pid")
    pids = set(server.pids())

    def of_all(ask: Source) -> Sample | None:
        """On a machine that is busy a worker may not answer in time."""
        sample = ask()
        return sample if len(sample.figures) == len(pids) else None

    control, admin = (
        eventually(lambda ask=ask: of_all(ask))
        for ask in (by_control(server.control), by_admin(str(server.folder / "admin")))
    )

    assert pids == set(control.figures) == set(admin.figures)
    assert [row["pid"] for row in control.state["workers"]] == [
        row["pid"] for row in admin.state["workers"]
    ]


@needs_processes
@pytest.mark.slow
def test_without_a_terminal_it_shows_once(server: Supervised) -> None:
    result = run("--control", server.control, "--interval", "0.1")

    assert 0 == result.exit_code, result.output
    assert "2 of 2 workers serve" in result.output
    assert "\x1b" not in result.output


@contextlib.contextmanager
def on_a_terminal(server: Supervised, no_color: str = "") -> Iterator[tuple[Any, int, int]]:
    """Start it on a terminal of its own; yields the process and both ends of the terminal."""
    ours, theirs = pty.openpty()
    set_size(theirs, 20, 100)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "groundwire",
            "top",
            "--control",
            server.control,
            "--interval",
            "60",
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if name not in ("COLUMNS", "LINES")
            },
            "PYTHONPATH": str(SOURCE),
            "NO_COLOR": no_color,
        },
    )
    try:
        yield process, ours, theirs
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def set_size(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@needs_processes
@pytest.mark.slow
@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_it_is_live_until_q(server: Supervised, no_color: str) -> None:
    with on_a_terminal(server, no_color) as (process, ours, theirs):
        before = termios.tcgetattr(theirs)
        shown = until(ours, b"q quits", FRAME_END)
        assert b"\x1b[?1049h" in shown
        assert bool(no_color) != (b"\x1b[1m" in shown)

        set_size(theirs, 20, 30)
        os.kill(process.pid, signal.SIGWINCH)
        resized = until(ours, FRAME_END)
        text = without_colours(resized.decode().rpartition("\x1b[H")[2].replace("\x1b[K", ""))
        assert max(len(line.rstrip("\r\n\x1b[J")) for line in text.splitlines()) <= 30

        os.write(ours, b"q")
        left = until(ours, b"\x1b[?1049l")
        assert 0 == process.wait(SECONDS)
        assert b"\x1b[?25h" in left
        assert before == termios.tcgetattr(theirs)


@needs_processes
@pytest.mark.slow
def test_a_signal_gives_the_terminal_back(server: Supervised) -> None:
    with on_a_terminal(server) as (process, ours, theirs):
        before = termios.tcgetattr(theirs)
        until(ours, b"q quits", FRAME_END)

        process.terminate()

        assert b"\x1b[?25h" in until(ours, b"\x1b[?1049l")
        assert 128 + signal.SIGTERM == process.wait(SECONDS)
        assert before == termios.tcgetattr(theirs)


FRAME_END = CLEAR_BELOW.encode()


def until(descriptor: int, *texts: bytes) -> bytes:
    """Read from a terminal until it has shown texts, one after the other."""
    shown, at = b"", 0
    deadline = time.monotonic() + SECONDS
    for text in texts:
        while (found := shown.find(text, at)) < 0:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, (text, shown)
            shown += os.read(descriptor, 65536)
        at = found + len(text)
    return shown


def test_an_answer_that_makes_no_sense_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nonsense:
        def request(self, *_: str) -> None:
            raise http.client.BadStatusLine("nonsense")

        def close(self) -> None:
            pass

    monkeypatch.setattr(command, "_connection", lambda _address: Nonsense())

    with pytest.raises(NoAnswer, match="does not answer on 9090: nonsense"):
        by_admin("9090")()
