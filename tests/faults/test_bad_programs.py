"""Views that never return, end the process, or raise what nobody expects."""

import re
import select
import signal
import socket
import time

import pytest

from faults.load import Load, get
from faults.processes import Running, everything, processor_seconds, running, until


def asked(server: Running, target: str) -> socket.socket:
    client = server.connect()
    client.sendall(get(target))
    return client


@pytest.mark.parametrize(
    ("route", "function"),
    [
        ("/hang/thread", "loop_in_thread"),
        ("/hang/deadlock", "deadlock"),
        ("/hang/async", "wait_for_ever"),
    ],
)
def test_a_view_that_never_returns_is_answered_and_named(route: str, function: str) -> None:
    with running("--request-timeout", "1") as server:
        with Load(server.address, 5, think_seconds=(0, 0.02)) as quiet:
            quiet.wait_for(200)
        with Load(server.address, 5, think_seconds=(0, 0.02)) as load:
            client = asked(server, route)
            began = time.monotonic()
            answer = everything(client)
            seconds = time.monotonic() - began
            client.close()
            load.wait_for(50)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"connection: close" in answer.lower()
        assert 1 <= seconds < 10  # and not 60, as without the option
        server.wait_for_line(rf"GET {route}.*503")
        server.wait_for_line(rf"program\.py.*in {function}")
        assert load.report.failures == []
        # A thread that computes takes the interpreter from the loop for a switch interval now and then.
        # Nine of ten, for a machine that stands still for a moment makes all who ask then wait.
        assert load.report.percentile(90) <= max(0.1, 3 * quiet.report.percentile(90))


def test_all_threads_hang_and_the_rest_is_served_or_refused_at_once() -> None:
    with running("--request-timeout", "8", "--threads", "4", "--thread-queue", "4") as server:
        before = server.json("/seen")["threads"]
        hanging = [asked(server, "/hang/deadlock") for _ in range(4)]
        until(lambda: server.json("/seen")["threads"] >= before + 4, "four threads hang")
        queued = [asked(server, "/thread/1/1/10") for _ in range(4)]
        time.sleep(0.3)
        began = time.monotonic()
        refused = server.get("/thread/1/1/10")
        assert time.monotonic() - began < 4  # and not 8, when its time is over
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after:" in refused.lower()
        assert server.get("/answer/1/10").startswith(b"HTTP/1.1 200 ")
        for client in hanging + queued:
            assert everything(client).startswith(b"HTTP/1.1 503 ")
            client.close()
        server.wait_for_line("thread")


def test_a_view_that_holds_the_event_loop_is_named_while_it_does() -> None:
    with running() as server:
        client = asked(server, "/hold/5000")
        server.wait_for_line(r"program\.py.*in hold")
        assert select.select([client], [], [], 0)[0] == []
        assert everything_of_one(client).endswith(b"held")
        client.close()


def everything_of_one(client: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"held"):
        received += client.recv(1000)
    return received


def test_a_worker_whose_loop_never_turns_is_named_killed_and_replaced() -> None:
    with running("--workers", "2", "--heartbeat-timeout", "4") as server:
        first = server.serving(2)
        client = asked(server, "/hang/inline")
        with Load(server.address, 5, keep_alive=False) as load:
            # And not after 30 s, as without the option.
            until(lambda: len(set(first) - set(server.workers())) == 1, "killed", 15)
            killed_at = time.monotonic()
            load.wait_until(lambda: len(load.report.workers) == 2)
        assert everything(client) == b""
        client.close()
        server.wait_for_line(r"has not turned its event loop")
        server.wait_for_line(r"program\.py.*in loop_inline")
        # Only what the held worker had accepted itself is lost with it.
        held = (set(first) - set(server.workers())).pop()
        for failure in load.report.failures:
            assert failure.asked.worker in (None, str(held))
            assert failure.asked.began < killed_at
        server.serving(2)


def test_a_worker_without_a_thread_left_says_so() -> None:
    with running("--request-timeout", "1", "--threads", "2") as server:
        clients = [asked(server, "/hang/thread") for _ in range(2)]
        for client in clients:
            assert everything(client).startswith(b"HTTP/1.1 503 ")
            client.close()
        server.wait_for_line("every thread")
        assert server.get("/answer/1/10").startswith(b"HTTP/1.1 200 ")
        server.signal(signal.SIGTERM)
        assert (
            server.wait(20) == 0
        )  # although its threads never end, and before the half minute that a stop may take


RAISED = (
    "SystemExit",
    "KeyboardInterrupt",
    "MemoryError",
    "RecursionError",
    "GeneratorExit",
    "BaseException",
)


@pytest.mark.parametrize("where", ["thread", "inline", "async"])
def test_whatever_a_view_raises_is_answered_with_500_and_named(where: str) -> None:
    with running("--workers", "2") as server:
        workers = server.serving(2)
        for name in RAISED:
            said = len(server.lines)
            answer = server.get(f"/raise/{where}/{name}")
            assert answer.startswith(b"HTTP/1.1 500 "), (name, answer)
            server.wait_for_line(name, after=said)
        assert server.workers() == workers
        with Load(server.address, 5) as load:
            load.wait_for(50)
        assert load.report.failures == []


def test_whatever_a_stream_raises_cuts_the_response() -> None:
    """A client must be able to tell that it has not got all."""
    with running() as server:
        worker = server.worker
        for name in (*RAISED, "ValueError"):
            said = len(server.lines)
            answer = server.get(f"/raise/stream/{name}")
            assert answer == b"" or b"begun" in answer
            assert not answer.endswith(b"0\r\n\r\n")
            server.wait_for_line(name, after=said)
        assert server.worker == worker


def test_a_worker_that_the_system_kills_for_its_memory_is_replaced() -> None:
    with running("--workers", "1") as server:
        first = server.worker
        assert server.get("/exit/137") == b""
        until(lambda: server.workers() not in ([first], [server.pid]), "a replacement")
        assert server.get("/answer/1/10").startswith(b"HTTP/1.1 200 ")
        assert any(re.search(str(first), line) for line in server.lines)


def test_an_idle_server_costs_nothing() -> None:
    with running("--workers", "2") as server:
        workers = server.serving(2)
        before = sum(map(processor_seconds, [server.pid, *workers]))
        time.sleep(3)
        # The watchdogs and the sweeps take a hundredth of that; who looks again and again takes all of it.
        assert sum(map(processor_seconds, [server.pid, *workers])) - before <= 0.15
