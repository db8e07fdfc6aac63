"""The clock on the wall is set while the server runs, as NTP or a person does.

A clock is set for the whole machine, so it is told to this one program only: a module that Python imports at its start
(`sitecustomize`) puts another `time.time` in place, which adds what a file says.
"""

import datetime
import email.utils
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.load import Load, get
from faults.processes import Running, everything, running

HOUR = 3600
DAY = 24 * HOUR
TO_2038 = 2_147_483_640 - int(time.time())
"""Eight seconds before 32 bits of seconds are full."""

SHIFTED = """
import time, datetime

real = time.time

def shift():
    try:
        with open({path!r}) as file:
            return float(file.read() or 0)
    except OSError:
        return 0.0

time.time = lambda: real() + shift()
time.time_ns = lambda: int(time.time() * 1e9)
plain_gmtime, plain_localtime = time.gmtime, time.localtime
time.gmtime = lambda seconds=None: plain_gmtime(time.time() if seconds is None else seconds)
time.localtime = lambda seconds=None: plain_localtime(time.time() if seconds is None else seconds)
"""


@contextmanager
def with_clock(tmp_path: Path, *options: str) -> Iterator[tuple[Running, Callable[[float], None]]]:
    """Run a server whose clock on the wall can be set."""
    path = tmp_path / "shift"
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(path=str(path)))

    def set_clock(seconds: float) -> None:
        aside = tmp_path / "aside"
        aside.write_text(str(seconds))
        aside.replace(path)

    with running(*options, PYTHONPATH=str(tmp_path) + python_path()) as server:
        yield server, set_clock


def python_path() -> str:
    import os

    before = os.environ.get("PYTHONPATH")
    return f":{before}" if before else ""


def date_of(server: Running) -> datetime.datetime:
    head = server.get("/answer/1/10").partition(b"\r\n\r\n")[0].decode()
    (line,) = [line for line in head.split("\r\n") if line.lower().startswith("date:")]
    return email.utils.parsedate_to_datetime(line.partition(":")[2].strip())


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, DAY, -DAY, TO_2038])
def test_the_date_follows_the_clock_and_nothing_else_does(seconds: int, tmp_path: Path) -> None:
    options = ("--workers", "2", "--heartbeat-timeout", "3", "--keepalive", "20")
    with with_clock(tmp_path, *options) as (server, set_clock):
        workers = server.serving(2)
        idle = server.connect()
        idle.sendall(get("/answer/1/10"))
        assert idle.recv(1000).startswith(b"HTTP/1.1 200 ")
        with Load(server.address, 5, think_seconds=(0, 0.2)) as load:
            waiting = server.connect()
            waiting.sendall(get("/thread/4500/1/10", "Connection: close"))
            set_clock(seconds)
            time.sleep(2.2)
            shift = datetime.timedelta(seconds=seconds)
            asked = datetime.datetime.now(datetime.UTC) + shift
            date = date_of(server)
            answered = datetime.datetime.now(datetime.UTC) + shift
            late = datetime.timedelta(
                seconds=10
            )  # of a sweep, on a machine that does other things too
            assert asked - late <= date <= answered + late
            time.sleep(1.5)  # longer than a heartbeat may fail to come
            set_clock(0)
            assert everything(waiting).startswith(b"HTTP/1.1 200 ")
            waiting.close()
        assert load.report.failures == []
        assert server.workers() == workers
        idle.sendall(get("/answer/1/10"))
        assert idle.recv(1000).startswith(b"HTTP/1.1 200 ")
        idle.close()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_deadlines_come_when_they_would_have(seconds: int, tmp_path: Path) -> None:
    options = ("--head-timeout", "2", "--request-timeout", "2", "--keepalive", "3")
    with with_clock(tmp_path, *options) as (server, set_clock):
        slow, hanging, idle = (server.connect() for _ in range(3))
        began = time.monotonic()
        slow.sendall(b"GET / HTTP/1.1\r\n")
        hanging.sendall(get("/hang/async"))
        idle.sendall(get("/answer/1/10"))
        time.sleep(0.5)
        set_clock(seconds)
        assert everything(slow).startswith(b"HTTP/1.1 408 ")
        # Long before their figures without the options: 10, 60 and 15 s.
        assert 2 <= time.monotonic() - began < 8
        assert everything(hanging).startswith(b"HTTP/1.1 503 ")
        assert time.monotonic() - began < 10
        assert everything(idle).startswith(b"HTTP/1.1 200 ")
        assert 3 <= time.monotonic() - began < 12
        for client in (slow, hanging, idle):
            client.close()


def test_a_stop_keeps_its_bound(tmp_path: Path) -> None:
    with with_clock(tmp_path, "--graceful-timeout", "2") as (server, set_clock):
        client = server.connect()
        client.sendall(get("/thread/20000/1/10"))
        time.sleep(0.2)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        set_clock(-DAY)
        assert server.wait(20) == 0  # and not half a minute, as without the option
        assert 2 <= time.monotonic() - began
        client.close()
