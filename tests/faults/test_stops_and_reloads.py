"""Workers that are killed, stopped and reloaded while clients ask."""

import errno
import os
import shutil
import signal
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faults.load import Load, content_for, get
from faults.processes import (
    PROGRAM,
    SECONDS,
    Running,
    accept_queue,
    everything,
    is_alive,
    running,
    until,
)


def both_serve(server: Running, load: Load) -> None:
    load.wait_until(lambda: set(map(str, server.workers())) <= set(load.report.workers))


def check_whole(response: bytes, seed: int, size: int) -> None:
    head, _, content = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert content == content_for(seed, size)
    assert b"X-Checksum: %d\r\n" % zlib.crc32(content) in head + b"\r\n"


def waiting_clients(server: Running, number: int, target: str) -> list[socket.socket]:
    """Connect and ask, without waiting for answers."""
    clients = []
    for seed in range(number):
        client = server.connect()
        client.sendall(get(target.format(seed=seed), "Connection: close"))
        clients.append(client)
    return clients


def answers(clients: list[socket.socket]) -> list[bytes]:
    """What each client gets, all read at a time."""
    with ThreadPoolExecutor(len(clients)) as pool:
        found = list(pool.map(everything, clients))
    for client in clients:
        client.close()
    return found


# A worker dies.


def test_killing_a_worker_loses_only_what_was_on_its_way_on_it() -> None:
    with running("--workers", "2") as server:
        server.serving(2)
        with (
            Load(server.address, 10, may_close_idle=True) as kept,
            Load(server.address, 10, keep_alive=False) as fresh,
        ):
            kills = []
            for victim in server.workers():
                both_serve(server, fresh)
                known = set(fresh.report.workers)
                began = time.monotonic()
                os.kill(victim, signal.SIGKILL)
                until(lambda victim=victim: not is_alive(victim), "killed")  # type: ignore[misc]
                kills.append((str(victim), time.monotonic()))
                fresh.wait_until(lambda known=known: set(fresh.report.workers) > known)  # type: ignore[misc]
                seconds = time.monotonic() - began
                print(f"a replacement answered after {seconds:.2f} s")
                # A fork and an import on a machine that does other things; unnoticed it would be missed after 30 s.
                assert seconds < 10
                kept.wait_for(200)
        lost = kept.report.failures + fresh.report.failures
        for failure in lost:
            assert failure.kind.startswith(("closed", "reset")), failure
            # On a connection to it, whose end the client may not have seen yet; or on one of which nobody has said
            # whose it is, and which was there before the end.
            assert any(
                failure.asked.worker == victim
                or (failure.asked.worker is None and failure.asked.began < killed)
                for victim, killed in kills
            ), failure
        assert len(lost) <= 20 * len(kills)
        print(f"{len(lost)} of {kept.report.answered + fresh.report.answered} requests failed")
        for victim, _ in kills:
            server.wait_for_line(rf"{victim}.*(SIGKILL|signal 9)")


def test_killing_the_only_worker_loses_nothing_in_the_accept_queue() -> None:
    with running("--workers", "1") as server:
        victim = server.worker
        os.kill(victim, signal.SIGSTOP)
        clients = waiting_clients(server, 50, "/answer/{seed}/1000")
        until(lambda: accept_queue(server.address) == 50, "50 in the queue")

        os.kill(victim, signal.SIGKILL)

        began = time.monotonic()
        for seed, response in enumerate(answers(clients)):
            check_whole(response, seed, 1000)
        seconds = time.monotonic() - began
        print(f"50 in the queue were answered within {seconds:.2f} s")
        assert seconds < 10


@pytest.mark.parametrize("how", ["/segfault", "/exit/3", "/exit/0"])
def test_a_worker_that_ends_by_itself_is_replaced(how: str) -> None:
    with running("--workers", "2") as server:
        first = server.serving(2)
        assert server.get(how) == b""
        until(lambda: len(server.workers()) == 2 and server.workers() != first, "a replacement")
        gone = (set(first) - set(server.workers())).pop()
        server.wait_for_line(str(gone))
        server.serving(2)


def test_a_program_that_crashes_again_and_again_is_not_started_without_pause() -> None:
    """One worker serves all the time, while the other's place is filled ever more slowly."""
    with running("--workers", "1") as server:
        began = time.monotonic()
        seen = set()
        while time.monotonic() - began < 6:
            worker = server.workers()[0]
            if worker != server.pid and worker not in seen:
                seen.add(worker)
                os.kill(worker, signal.SIGKILL)
            time.sleep(0.01)
        assert 3 <= len(seen) <= 12
        assert server.process.poll() is None


def test_workers_end_when_the_supervisor_is_killed() -> None:
    with running("--workers", "2") as server:
        workers = server.serving(2)
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait(SECONDS)
        until(lambda: not any(map(is_alive, workers)), "no orphans")
        with socket.socket() as client:
            assert client.connect_ex(server.address) == errno.ECONNREFUSED


# Reloads.


def test_ten_reloads_under_load_lose_nothing() -> None:
    """Clients keep their connections, think for up to 5 s, and never ask twice."""
    with running("--workers", "2") as server:
        server.serving(2)
        with (
            Load(server.address, 40, think_seconds=(0, 5)) as thinking,
            Load(server.address, 4, think_seconds=(0, 0.05)) as busy,
        ):
            for _ in range(10):
                said = len(server.lines)
                before = server.workers()
                next_at = time.monotonic() + 1
                server.signal(signal.SIGHUP)
                server.wait_for_line("reloaded", after=said)
                assert set(server.workers()) - set(before)
                time.sleep(max(0.0, next_at - time.monotonic()))
            # Each thinking client has asked once more by now, whichever worker it was with.
            time.sleep(5)
        print(f"thinking: {thinking.report}; busy: {busy.report}")
        assert thinking.report.failures == []
        assert busy.report.failures == []
        assert thinking.report.answered > 160
        assert len(set(busy.report.workers)) >= 10
        assert server.stop() == 0


def test_a_reload_that_cannot_be_keeps_the_old_version(tmp_path: Path) -> None:
    program = tmp_path / "served.py"
    shutil.copy(PROGRAM, program)
    with running("--workers", "2", target=program) as server:
        workers = server.serving(2)
        with Load(server.address, 10) as load:
            program.write_text(PROGRAM.read_text() + "\ndef broken(:\n")
            server.signal(signal.SIGHUP)
            server.wait_for_line("(?i)reload failed")
            server.wait_for_line("SyntaxError")
            server.wait_for_line(r"served\.py")
            load.wait_for(200)
            assert sorted(server.workers()) == sorted(workers)
            assert server.json("/version")["version"] == "1"

            new = PROGRAM.read_text().replace('"PROGRAM_VERSION", "1"', '"PROGRAM_VERSION", "2"')
            program.write_text(new)
            server.signal(signal.SIGHUP)
            server.wait_for_line("reloaded")
            assert server.json("/version")["version"] == "2"
        assert load.report.failures == []


def test_what_takes_longer_than_a_reload_is_finished_by_the_old_worker() -> None:
    """A download and an upload that go on all the while."""
    with running("--workers", "2") as server:
        server.serving(2)
        before = server.workers()
        download = server.connect(receive_bytes=65536)
        download.sendall(get("/async-stream/8"))
        upload = server.connect()
        upload.sendall(b"POST /upload/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n")
        received = len(download.recv(65536))

        server.signal(signal.SIGHUP)
        server.wait_for_line("reloaded")
        for _ in range(4):
            upload.sendall(bytes(100_000))
            received += len(download.recv(65536))
            time.sleep(0.3)

        assert any(map(is_alive, before))
        answer = everything(upload)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer.lower()
        last = b""
        while not last.endswith(b"\r\n0\r\n\r\n"):
            piece = download.recv(65536)
            received += len(piece)
            last = (last + piece)[-7:]
        assert received > 8 << 20
        # Its connection is not closed under a client that may be about to ask: the next answer says so.
        download.sendall(get("/version"))
        assert b"connection: close" in everything(download).lower()
        upload.close()
        download.close()
        until(lambda: not any(map(is_alive, before)), "the old ones have ended")


def test_a_new_worker_that_is_killed_during_a_reload_leaves_the_old_ones() -> None:
    with running("--workers", "2") as server, Load(server.address, 5) as load:
        before = server.serving(2)
        server.signal(signal.SIGHUP)
        until(lambda: len(set(server.workers()) - set(before)) > 0, "the new one")
        victim = (set(server.workers()) - set(before)).pop()
        os.kill(victim, signal.SIGKILL)
        server.wait_for_line("(?i)reload")
        load.wait_for(100)
        until(lambda: len(server.workers()) == 2, "two workers")
        said = len(server.lines)
        server.signal(signal.SIGHUP)
        server.wait_for_line("reloaded", after=said)
        load.stop()
        # It may have begun to serve before it was killed.
        lost = [failure for failure in load.report.failures if failure.asked.worker]
        assert [failure for failure in lost if failure.asked.worker != str(victim)] == []


def test_a_worker_that_is_told_to_end_is_replaced_before_it_is_missed() -> None:
    """SIGTERM sent to a worker, not to the supervisor, as ``pkill`` does."""
    with (
        running("--workers", "2") as server,
        Load(server.address, 10, think_seconds=(0, 0.05)) as load,
    ):
        for worker in server.serving(2):
            os.kill(worker, signal.SIGTERM)
            until(lambda worker=worker: not is_alive(worker), "ended")  # type: ignore[misc]
            server.serving(2)
        load.stop()
        # Idle connections are given a second, and then closed.
        assert {*load.report.kinds} <= {"closed while idle"}


def test_a_worker_that_stands_still_is_replaced() -> None:
    with running("--workers", "2", "--heartbeat-timeout", "4") as server:
        first = server.serving(2)
        os.kill(first[0], signal.SIGSTOP)
        until(
            lambda: not is_alive(first[0]), "killed", 15
        )  # and not after 30 s, as without the option
        assert first[1] in server.serving(2)


def test_workers_that_hold_too_much_are_replaced_without_a_loss() -> None:
    with (
        running("--workers", "1", "--max-rss", "120M") as server,
        Load(server.address, 10, think_seconds=(0, 0.05)) as load,
    ):
        first = server.worker
        server.get("/keep/100")
        until(lambda: first not in server.workers(), "a new worker in its place")
        load.wait_for(100)
    assert load.report.failures == []


def test_workers_that_have_served_enough_are_replaced_without_a_loss() -> None:
    with (
        running("--workers", "2", "--max-requests", "500") as server,
        Load(server.address, 10, think_seconds=(0, 0.02)) as load,
    ):
        first = server.serving(2)
        until(lambda: not set(first) & set(server.workers()), "new workers", 60)
        load.wait_for(100)
    assert load.report.failures == []


# Stops.


def test_a_stop_answers_everything_accepted_and_everything_in_the_queue() -> None:
    with running("--workers", "2", "--threads", "64") as server:
        workers = server.serving(2)
        in_flight = waiting_clients(server, 50, "/thread/2000/{seed}/1000")
        until(lambda: accept_queue(server.address) == 0, "all accepted")
        time.sleep(0.2)  # their requests have been read too
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        queued = waiting_clients(server, 50, "/thread/100/{seed}/70000")
        until(lambda: accept_queue(server.address) == 50, "50 in the queue")

        began = time.monotonic()
        server.signal(signal.SIGTERM)
        for worker in workers:
            os.kill(worker, signal.SIGCONT)

        found = answers(in_flight + queued)
        assert server.wait() == 0
        seconds = time.monotonic() - began
        print(f"100 answered, the last of them after 2 s, and ended after {seconds:.2f} s")
        assert seconds < 15  # and not half a minute, which is what a stop may take
        for seed, response in enumerate(found[:50]):
            check_whole(response, seed, 1000)
        for seed, response in enumerate(found[50:]):
            check_whole(response, seed, 70000)


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_stop_under_load_answers_whoever_was_connected(*, keep_alive: bool) -> None:
    with running("--workers", "2") as server:
        server.serving(2)
        load = Load(server.address, 50, think_seconds=(0, 0.02), keep_alive=keep_alive)
        load.__enter__()
        both_serve(server, load)
        signalled = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        load.stop()
        lost = [
            failure
            for failure in load.report.failures
            if failure.asked.at < signalled and not failure.kind.startswith("not connected")
        ]
        assert lost == []


def test_a_second_signal_cuts_and_says_so() -> None:
    with running("--workers", "2") as server:
        server.serving(2)
        clients = waiting_clients(server, 4, "/thread/20000/{seed}/10")
        time.sleep(0.2)
        server.signal(signal.SIGINT)
        server.wait_for_line("stopping")
        server.signal(signal.SIGINT)
        assert server.wait(15) == 128 + signal.SIGINT  # and not after 20 s, when all are answered
        server.wait_for_line("cut")
        for client in clients:
            client.close()


def test_a_stop_that_takes_too_long_is_cut_at_its_bound_and_says_so() -> None:
    with running("--workers", "2", "--graceful-timeout", "1") as server:
        server.serving(2)
        clients = waiting_clients(server, 4, "/thread/20000/{seed}/10")
        time.sleep(0.2)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait(15) == 0  # and not after 20 s, when all are answered
        assert 1.0 <= time.monotonic() - began
        server.wait_for_line("cut")
        for client in clients:
            client.close()


def test_signals_in_any_order_leave_no_process_behind() -> None:
    """Reload, stop and stop again, from several at a time."""
    for numbers in (
        (signal.SIGHUP, signal.SIGTERM),
        (signal.SIGTERM, signal.SIGHUP),
        (signal.SIGHUP, signal.SIGHUP, signal.SIGINT),
        (signal.SIGINT, signal.SIGTERM, signal.SIGINT),
    ):
        with running("--workers", "2", "--graceful-timeout", "2") as server:
            workers = server.serving(2)
            threads = [threading.Thread(target=server.signal, args=(number,)) for number in numbers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            status = server.wait(20)
            assert status in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM), (numbers, status)
            assert not any(map(is_alive, workers))
