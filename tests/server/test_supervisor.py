"""Real processes: what a supervisor promises those who run it."""

import contextlib
import http.client
import os
import signal
import socket
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from groundwire.server.children import fork
from groundwire.server.control import ask_supervisor
from serving import everything
from supervising import PROGRAM, SECONDS, eventually, supervised

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is one process without fork()"),
]

SECOND_VERSION = PROGRAM.replace('"one"', '"two"')
BROKEN = PROGRAM + "\nthis is no Python\n"


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def kept_alive(stack: contextlib.ExitStack, port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    stack.callback(connection.close)
    connection.request("GET", "/pid")
    connection.getresponse().read()
    return connection


def test_workers_serve_and_the_start_is_told_once(tmp_path: Path) -> None:
    # On a machine that tests are run on, anything may hold a loop, and would be told too.
    with supervised(tmp_path, "--workers", "2", "--no-watchdog") as server:
        pids = server.wait_for_workers(2)

        assert int(server.get("/pid")) in pids
        assert server.process.pid not in pids
        server.signal(signal.SIGTERM)
        assert 0 == server.ended()
    told, *rest = server.lines
    assert "serves shop:app on http://localhost:" in told
    assert told.endswith(" with 2 workers (Ctrl+C stops)\n")
    assert [] == [line for line in rest if "stopping gracefully" not in line]


def test_a_worker_that_is_killed_is_replaced_within_a_second(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "1") as server:
        (first,) = server.wait_for_workers(1)

        os.kill(first, signal.SIGKILL)
        killed = time.monotonic()
        # Nothing listens but in the queue that both share.
        second = int(server.get("/pid"))

        assert second != first
        # 0.1 s, a fork and the import of the program; the rest is for a machine that has other things to do.
        # Whom nobody had noticed to be gone would be missed after 30 s.
        assert time.monotonic() - killed < 10
        assert "was killed by SIGKILL" in server.line_with(f"(process {first})")


def test_a_reload_serves_the_new_version_and_ends_no_connection(tmp_path: Path) -> None:
    with (
        supervised(tmp_path, "--workers", "2", "--keepalive", "60") as server,
        contextlib.ExitStack() as stack,
    ):
        server.wait_for_workers(2)
        idle = [kept_alive(stack, server.port) for _ in range(4)]
        (tmp_path / "shop.py").write_text(SECOND_VERSION)

        server.signal(signal.SIGHUP)
        server.line_with("reloaded: the new version serves")

        assert "two" == server.get("/version")
        for connection in idle:
            # The old worker answers, as itself, and then no more.
            connection.request("GET", "/version")
            response = connection.getresponse()
            assert ("one", "close") == (response.read().decode(), response.headers["Connection"])
        eventually(lambda: len(server.state()["workers"]) == 2)


def test_a_broken_version_leaves_the_old_one_serving(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "2") as server:
        pids = server.wait_for_workers(2)
        (tmp_path / "shop.py").write_text(BROKEN)

        answer = ask_supervisor(server.control, "reload", 20)

        assert "SyntaxError" in answer["error"]
        assert "SyntaxError" in server.line_with("the old version goes on serving")
        assert "one" == server.get("/version")
        assert pids == server.pids()


def test_all_who_wait_at_a_stop_are_answered(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "2", "--threads", "4") as server:
        pids = server.wait_for_workers(2)
        port = server.port
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        with contextlib.ExitStack() as stack:
            waiting = []
            for _ in range(50):
                client = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
                waiting.append(stack.enter_context(client))
                client.sendall(b"GET /slow/0.01 HTTP/1.1\r\nHost: localhost\r\n\r\n")

            server.signal(signal.SIGTERM)
            server.line_with("stopping gracefully")
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

            answers = [everything(client) for client in waiting]
        assert 0 == server.ended()
    assert [b"HTTP/1.1 200 OK"] * 50 == [answer.partition(b"\r\n")[0] for answer in answers]


def test_a_second_signal_cuts_and_says_what(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "1") as server:
        client = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        client.sendall(b"GET /slow/60.0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: server.state()["workers"][0].get("threads_busy"))

        server.signal(signal.SIGTERM)
        server.line_with("stopping gracefully")
        server.signal(signal.SIGTERM)

        assert 128 + signal.SIGTERM == server.ended()
        client.close()
    server.line_with("1 connections were cut by a second request to stop")
    server.line_with('  "GET /slow/60.0 HTTP/1.1" (endpoint slow)')


def test_the_graceful_timeout_bounds_a_stop(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "1", "--graceful-timeout", "0.3") as server:
        client = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        client.sendall(b"GET /slow/60.0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: server.state()["workers"][0].get("threads_busy"))

        server.signal(signal.SIGTERM)

        assert 0 == server.ended()
        client.close()
    server.line_with("had not ended within 0.3 s")


def test_sigquit_waits_for_nobody(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "1") as server:
        pids = server.wait_for_workers(1)

        server.signal(signal.SIGQUIT)

        assert 128 + signal.SIGQUIT == server.ended()
        eventually(lambda: all(map(is_gone, pids)))


def test_signals_and_commands_have_more_and_fewer_serve(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "1") as server:
        server.wait_for_workers(1)

        server.signal(signal.SIGTTIN)
        server.wait_for_workers(2)
        server.signal(signal.SIGTTOU)
        server.wait_for_workers(1)
        assert 2 == ask_supervisor(server.control, "scale", by=1)["value"]
        server.wait_for_workers(2)
        assert "error" in ask_supervisor(server.control, "scale", workers="many")
        assert "there is no command 'dance'" == ask_supervisor(server.control, "dance")["error"]
        server.signal(signal.SIGUSR2)
        assert '"wanted": 2' in server.line_with("state: {")


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "2") as server:
        pids = server.wait_for_workers(2)

        os.kill(server.process.pid, signal.SIGKILL)

        eventually(lambda: all(map(is_gone, pids)))
        server.line_with("the supervisor has gone")


def test_not_even_a_worker_that_hangs_outlives_its_supervisor(tmp_path: Path) -> None:
    with supervised(tmp_path, "--graceful-timeout", "0.1") as server:
        pids = server.wait_for_workers(1)
        client = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        client.sendall(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.line_with("the event loop is held")

        os.kill(server.process.pid, signal.SIGKILL)

        eventually(lambda: all(map(is_gone, pids)))
        client.close()


def test_a_worker_that_hangs_is_named_killed_and_replaced(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "1", "--heartbeat-timeout", "4") as server:
        (first,) = server.wait_for_workers(1)
        client = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        client.sendall(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")

        server.line_with(f"(process {first}) has not turned its event loop for")

        assert int(server.get("/pid")) != first
        client.close()
    (place,) = [number for number, line in enumerate(server.lines) if "and is killed" in line]
    assert any("shop.py" in line and " in hang" in line for line in server.lines[place:])


def test_a_worker_that_has_answered_enough_is_replaced(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "1", "--max-requests", "10") as server:
        (first,) = server.wait_for_workers(1)

        for _ in range(12):
            server.get("/pid")

        server.line_with(f"(process {first}) is replaced after")
        eventually(lambda: int(server.get("/pid")) != first)


def test_a_program_that_ends_itself_at_its_start_is_told(tmp_path: Path) -> None:
    with supervised(tmp_path, "--workers", "2", program="import os\nos._exit(3)\n") as server:
        assert 2 == server.ended()

    assert ["groundwire: the first worker ended with status 3 before it served\n"] == server.lines


def test_a_pid_file_is_one_servers(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("999999\n")
    with supervised(tmp_path, "--pid", str(path)) as server:
        server.wait_for_workers(1)
        assert f"{server.process.pid}\n" == path.read_text()
        server.line_with("was left by process 999999, which has gone")

        (tmp_path / "other").mkdir()
        with supervised(tmp_path / "other", "--pid", str(path)) as second:
            assert 2 == second.ended()
        assert f"runs already, as process {server.process.pid}" in second.lines[0]

        server.signal(signal.SIGTERM)
        assert 0 == server.ended()
    assert not path.exists()


def test_what_is_no_pid_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_text("dear reader\n")

    with supervised(tmp_path, "--pid", str(path)) as server:
        assert 2 == server.ended()

    assert "is no pid file" in server.lines[0]
    assert "dear reader\n" == path.read_text()


def test_an_inherited_descriptor_is_served_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor = listening.fileno()
        with supervised(
            tmp_path, "--fd", str(descriptor), "--workers", "2", pass_fds=[descriptor]
        ) as server:
            assert listening.getsockname()[1] == server.port
            assert "one" == server.get("/version")


LISTEN = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "groundwire", *sys.argv[2:]])
"""


def test_a_socket_of_systemds_is_served_on_and_systemd_is_told(tmp_path: Path) -> None:
    import subprocess

    from supervising import SOURCE

    (tmp_path / "shop.py").write_text(PROGRAM)
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(str(tmp_path / "notify"))
    notified.settimeout(SECONDS)
    listening = socket.create_server(("127.0.0.1", 0))
    environment = {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        # Rarely: a queue of datagrams is short, and a full one loses what is said.
        "WATCHDOG_USEC": "2000000",
    }
    arguments = ["run", "shop.py", "--access-log", "off"]
    with notified, listening:
        process = subprocess.Popen(
            [sys.executable, "-c", LISTEN, str(listening.fileno()), *arguments],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.DEVNULL,
            pass_fds=[listening.fileno()],
        )

        def told(first: str) -> list[str]:
            while (lines := notified.recv(4096).decode().split("\n"))[0] != first:
                pass
            return lines

        try:
            _ready, status, pid = told("READY=1")
            assert f"MAINPID={process.pid}" == pid
            port = listening.getsockname()[1]
            assert f"STATUS=shop:app on http://localhost:{port}, 1 worker" == status
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client:
                client.sendall(b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert everything(client).endswith(b"\r\n\r\none")
            told("WATCHDOG=1")
            process.send_signal(signal.SIGHUP)
            assert told("RELOADING=1")[1].startswith("MONOTONIC_USEC=")
            told("READY=1")
            process.send_signal(signal.SIGTERM)
            told("STOPPING=1")
            assert 0 == process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()


def test_a_unix_socket_has_the_mode_it_was_given_and_goes_with_the_supervisor(
    tmp_path: Path,
) -> None:
    path = tmp_path / "http"
    with supervised(
        tmp_path, "--unix", str(path), "--unix-mode", "600", "--workers", "2"
    ) as server:
        server.line_with(" serves ")
        server.wait_for_workers(2)
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert 0o600 == stat.S_IMODE(Path(server.control).stat().st_mode)
        os.kill(server.pids()[0], signal.SIGTERM)
        server.line_with("was told to stop")
        eventually(lambda: len(server.state()["workers"]) == 2)
        # One worker's end is not the end of the socket.
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert everything(client).endswith(b"one")
        server.signal(signal.SIGTERM)
        assert 0 == server.ended()
    assert not path.exists()
    assert not Path(server.control).exists()


def test_one_log_is_written_by_all_and_opened_anew(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with supervised(tmp_path, "--workers", "2", "--access-log", str(log)) as server:
        server.wait_for_workers(2)
        server.get("/version?first")
        eventually(lambda: "?first" in log.read_text())
        old = tmp_path / "old.log"
        log.rename(old)

        server.signal(signal.SIGUSR1)
        # The file is there as soon as one of them has opened it.
        eventually(lambda: not any(str(old) in files_of(pid) for pid in server.pids()))
        for number in range(8):
            server.get(f"/version?{number}")

        eventually(lambda: 8 == len(log.read_text().splitlines()))
    assert 1 == len(old.read_text().splitlines())


def files_of(pid: int) -> list[str]:
    folder = Path(f"/proc/{pid}/fd")
    found = []
    for descriptor in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has been closed
            found.append(os.readlink(descriptor))
    return found


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can")
def test_workers_are_who_they_are_told_to_be() -> None:
    program = PROGRAM + (
        "\n@app.route('/who')\ndef who():\n"
        "    return f'{os.getresuid()} {os.getresgid()} {os.getgroups()}'\n"
    )
    # Nobody but root may look into those of pytest's.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        log = folder / "access.log"
        arguments = ("--user", "65534", "--group", "65533", "--access-log", str(log))
        with supervised(folder, *arguments, program=program) as server:
            who = server.get("/who")
        owner = log.stat().st_uid, log.stat().st_gid

    groups = os.getgrouplist("nobody", 65533) if "nobody" in Path("/etc/passwd").read_text() else []
    assert f"(65534, 65534, 65534) (65533, 65533, 65533) {groups or [65533]}" == who
    assert (65534, 65533) == owner


@pytest.mark.parametrize("option", ["--user", "--group"])
def test_a_user_or_group_that_is_not_there_is_told(tmp_path: Path, option: str) -> None:
    with supervised(tmp_path, option, "nobody-has-this-name") as server:
        assert 2 == server.ended()

    (line,) = server.lines
    assert f"there is no {option[2:]} 'nobody-has-this-name' here" in line


def test_nothing_is_forked_beside_another_thread() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="threads; it must have one when it forks"):
            fork(lambda: None, lambda: 0)
    finally:
        done.set()
        thread.join()
