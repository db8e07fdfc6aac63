"""More connections than usual, and more than there are descriptors for."""

import resource
import select
import socket
import time
from collections import Counter

import pytest

from faults.load import Load, get
from faults.processes import (
    open_files,
    processor_seconds,
    rss_bytes,
    running,
    until,
)

MANY = 10_000
SPARE = 500
"""Descriptors that this process has open besides."""

MOST_BYTES_EACH = 6 * 1024
ROUNDS = 4

BROWSER = get(
    "/answer/1/13",
    'sec-ch-ua: "Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "Cookie: _ga=GA1.1.1234567890.1700000000; theme=dark; visitor={number}",
)


def readable(client: socket.socket) -> bool:
    poll = select.poll()
    poll.register(client, select.POLLIN)
    return bool(poll.poll(0))


def descriptors_for(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        if hard != resource.RLIM_INFINITY and hard < number:
            pytest.skip(f"{number} descriptors are needed, and {hard} are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def test_ten_thousand_idle_connections_are_kept_and_cost_little() -> None:
    descriptors_for(MANY + SPARE)
    with running("--max-connections", "12000", "--keepalive", "120", descriptors=20_000) as server:
        worker = server.worker
        with Load(server.address, 5, think_seconds=(0, 0.02)) as quiet:
            quiet.wait_for(200)
        before = rss_bytes(worker)
        began = time.monotonic()
        clients: list[socket.socket] = []
        for number in range(MANY):
            client = server.connect()
            client.sendall(BROWSER.replace(b"{number}", b"%d" % number))
            clients.append(client)
            if number % 100 == 99:  # no more at a time than the backlog holds
                for one in clients[-100:]:
                    assert one.recv(2000).startswith(b"HTTP/1.1 200 ")
        seconds = time.monotonic() - began
        each = (rss_bytes(worker) - before) / MANY
        print(f"{each:.0f} octets each; {MANY / seconds:.0f} connected and asked a second")
        assert each < MOST_BYTES_EACH

        # A machine that does other things can only make it worse, so the best of some rounds counts.
        normal = quiet.report.percentile(99)
        for _ in range(ROUNDS):
            with Load(server.address, 5, think_seconds=(0, 0.02)) as beside:
                beside.wait_for(500)
            assert beside.report.failures == []
            meanwhile = beside.report.percentile(99)
            print(f"p99 {1000 * normal:.1f} ms, beside {1000 * meanwhile:.1f} ms")
            if meanwhile <= max(0.05, 2 * normal):
                break
        else:
            pytest.fail("who asks beside them notices them")

        poll = select.poll()
        for client in clients:
            poll.register(client, select.POLLIN | select.POLLHUP)
        assert poll.poll(0) == []  # none was closed
        for client in clients[:: MANY // 50]:
            client.sendall(BROWSER)
            assert client.recv(2000).startswith(b"HTTP/1.1 200 ")
        for client in clients:
            client.close()
        until(lambda: len(open_files(worker)) < 50, "descriptors given back")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_with_64_descriptors_serves_two_hundred_clients(workers: int) -> None:
    with running("--workers", str(workers), descriptors=64) as server:
        pids = server.serving(workers)
        baseline = {pid: len(open_files(pid)) for pid in pids}
        clients = [server.connect() for _ in range(200)]
        for client in clients:
            client.sendall(get("/answer/1/10"))
        until(lambda: sum(map(readable, clients)) >= 20 * workers, "as many as may be are answered")
        time.sleep(1)
        answered = [client for client in clients if readable(client)]
        assert 20 * workers <= len(answered) <= 64 * workers
        for client in answered:
            client.sendall(get("/answer/1/10"))  # who is in is served
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")

        before = sum(map(processor_seconds, pids))
        time.sleep(2)
        assert sum(map(processor_seconds, pids)) - before <= 0.1 * 2 * workers  # no busy loop

        left = time.monotonic()
        for client in answered:
            client.close()
        waiting = [client for client in clients if client not in answered]
        for client in waiting:
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
            client.close()
        assert (
            time.monotonic() - left < 15
        )  # one after the other, a second each, it would be two minutes
        with Load(server.address, 10) as load:
            load.wait_for(200)
        assert load.report.failures == []
        assert sorted(server.workers()) == sorted(pids)
        for pid in pids:
            until(lambda pid=pid: len(open_files(pid)) <= baseline[pid] + 2, "descriptors")  # type: ignore[misc]
        assert "Traceback" not in server.log


def test_a_program_that_takes_all_descriptors_stops_accepting_and_recovers() -> None:
    """EMFILE itself: the bound on connections cannot know what the program opens."""
    with running(descriptors=64) as server, server.connect() as inside:
        worker = server.worker
        server.get("/answer/1/10")
        inside.sendall(get("/take-descriptors"))
        assert inside.recv(1000).startswith(b"HTTP/1.1 200 ")
        clients = [server.connect() for _ in range(50)]
        for client in clients:
            client.sendall(get("/answer/1/10", "Connection: close"))

        said = server.wait_for_line(r"(?i)descriptors|too many open files")[0]
        before = processor_seconds(worker)
        time.sleep(2)
        assert processor_seconds(worker) - before <= 0.2  # no busy loop
        assert len([line for line in server.lines if said in line]) <= 1
        inside.sendall(get("/answer/1/10"))
        assert inside.recv(1000).startswith(b"HTTP/1.1 200 ")

        inside.sendall(get("/give-descriptors"))
        began = time.monotonic()
        statuses = Counter(client.recv(1000)[9:12] for client in clients)
        for client in clients:
            client.close()
        # Who has waited for a second is told to come again, rather than left without an answer.
        assert set(statuses) <= {b"200", b"503"}
        assert time.monotonic() - began < 15
        assert server.get("/answer/1/10").startswith(b"HTTP/1.1 200 ")
        assert server.worker == worker
