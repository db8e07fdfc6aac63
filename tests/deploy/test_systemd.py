"""The units, and a server that is started as systemd starts it by them."""

import configparser
import contextlib
import http.client
import os
import queue
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploying import DEPLOY, Proxy, hammer, running_nginx
from deploying import PROGRAM as ECHOING
from groundwire.cli.run import run
from ports import free_ports
from supervising import PROGRAM, SECONDS, SOURCE, eventually

pytestmark = pytest.mark.slow

UNITS = DEPLOY / "systemd"
BINARY = "/srv/shop/venv/bin/groundwire"


class Unit(configparser.RawConfigParser):
    """A unit's file. Where a setting is repeated the last one is kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, comment_prefixes=("#",), delimiters=("=",))
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read_string(path.read_text().replace("\\\n", " "))


def seconds(options: list[str], name: str) -> float:
    return float(options[options.index(name) + 1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All units, with a program in place that is installed here."""
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace(BINARY, "/bin/true"))
    return tmp_path


def analyzed(*arguments: str) -> str:
    path = shutil.which("systemd-analyze")
    if path is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        [path, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("tls", [False, True])
def test_systemd_understands_the_units(folder: Path, tls: bool) -> None:
    if tls:
        for drop_in in (folder / "tls").iterdir():
            shutil.copytree(drop_in, folder / drop_in.name)

    said = analyzed("verify", str(folder / "shop.service"), str(folder / "shop.socket"))

    assert [] == [line for line in said.splitlines() if "shop" in line]


def test_the_service_may_do_little(folder: Path) -> None:
    arguments = ("--offline=true", "--threshold=20")  # of 100; a service without any of it has 96

    analyzed("security", *arguments, str(folder / "shop.service"))


@pytest.mark.parametrize("file", ["shop.service", "tls/shop.service.d/tls.conf"])
def test_the_service_says_options_that_there_are(file: str) -> None:
    program, command, *arguments = shlex.split(Unit(UNITS / file)["Service"]["ExecStart"])

    assert (BINARY, "run") == (program, command)
    run.make_context(command, arguments)  # raises at what it does not know


def test_systemd_waits_longer_than_the_server_does() -> None:
    service = Unit(UNITS / "shop.service")["Service"]
    options = shlex.split(service["ExecStart"])

    assert int(service["TimeoutStopSec"]) > seconds(options, "--graceful-timeout") + 5
    assert int(service["TimeoutStartSec"]) > 60  # --start-timeout
    assert "mixed" == service["KillMode"]


START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="shop.socket",
                  WATCHDOG_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "groundwire", *sys.argv[2:]])
"""


class Manager:
    """What systemd does with the service: its socket, its environment, its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listening.getsockname()[1]
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(folder / "notify"))
        self.notifications: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self.reading = threading.Thread(target=self.read)
        self.reading.start()
        (self.admin,) = free_ports(1)
        self.service = Unit(UNITS / "shop.service")["Service"]
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "1000000",
            # systemd starts a service in an environment of its own.
            "HOME": "/nonexistent",
        }

    def arguments(self, setting: str) -> list[str]:
        command = self.service[setting].replace("/run/shop", str(self.folder))
        return shlex.split(command.replace("localhost:9090", str(self.admin)))[1:]

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-c", START, str(self.listening.fileno())),
                *self.arguments("ExecStart"),
                *("--access-log", "off"),
            ],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.DEVNULL,
            pass_fds=[self.listening.fileno()],
            start_new_session=True,
        )

    def reload(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "groundwire", *self.arguments("ExecReload")],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def read(self) -> None:
        """Take notifications at once, as systemd does: the socket holds ten, and drops the others."""
        while data := self.notified.recv(4096):
            self.notifications.put(data.decode().split("\n"))

    def told(self, first: str) -> list[str]:
        """Wait for a notification."""
        passed_over: list[list[str]] = []
        while True:
            try:
                lines = self.notifications.get(timeout=SECONDS)
            except queue.Empty:
                pytest.fail(f"{first} was not told, but {passed_over}")
            if lines[0] == first:
                return lines
            passed_over.append(lines)

    def close(self) -> None:
        self.notified.shutdown(socket.SHUT_RDWR)
        self.reading.join(SECONDS)
        self.notified.close()
        self.listening.close()

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    (tmp_path / "shop.py").write_text(PROGRAM)
    manager = Manager(tmp_path)
    with contextlib.closing(manager):
        yield manager


@contextlib.contextmanager
def started(manager: Manager) -> Iterator["subprocess.Popen[bytes]"]:
    process = manager.start()
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)


def test_the_service_serves_on_the_socket_and_tells(manager: Manager) -> None:
    with started(manager) as process:
        _ready, status, main = manager.told("READY=1")
        assert f"MAINPID={process.pid}" == main
        assert f"http://localhost:{manager.port}" in status

        assert (200, "one") == manager.get("/version")
        eventually(lambda: 200 == manager.get("/-/ready", manager.admin)[0])
        assert 200 == manager.get("/-/health", manager.admin)[0]
        manager.told("WATCHDOG=1")

        process.send_signal(signal.SIGTERM)
        manager.told("STOPPING=1")
        assert 0 == process.wait(SECONDS)


def test_a_reload_waits_for_the_new_version_and_fails_if_there_is_none(manager: Manager) -> None:
    program = manager.folder / "shop.py"
    with started(manager):
        manager.told("READY=1")
        program.write_text(PROGRAM.replace('"one"', '"two"'))

        good = manager.reload()

        assert 0 == good.returncode, good.stderr
        assert (200, "two") == manager.get("/version")
        manager.told("RELOADING=1")
        manager.told("READY=1")
        program.write_text(PROGRAM + "\nthis is no Python\n")

        bad = manager.reload()

        assert 1 == bad.returncode
        assert "SyntaxError" in bad.stderr
        manager.told("RELOADING=1")
        manager.told("READY=1")
        assert (200, "two") == manager.get("/version")


def test_who_connects_while_the_service_starts_anew_is_answered(manager: Manager) -> None:
    with started(manager) as process:
        manager.told("READY=1")
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(SECONDS)

    # systemd holds the socket: this one waits.
    with socket.create_connection(("127.0.0.1", manager.port), SECONDS) as client:
        client.sendall(b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        with started(manager):
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_the_service_starts_anew_behind_nginx_and_no_request_fails(manager: Manager) -> None:
    (manager.folder / "shop.py").write_text(ECHOING)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(started(manager))
        manager.told("READY=1")
        _plain, secure = stack.enter_context(running_nginx(manager.folder, manager.port))

        def restart() -> None:
            first.send_signal(signal.SIGTERM)
            assert 0 == first.wait(SECONDS)
            stack.enter_context(started(manager))
            manager.told("READY=1")

        wrong, anew = hammer(Proxy(None, 0, secure), 4, 500, restart)

    assert [] == wrong
    assert anew
