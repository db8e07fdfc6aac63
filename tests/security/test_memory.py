"""Memory is bounded by what is open, not by what somebody asks for and does not take.

The server is a process of its own. Figures are of its resident memory, which counts whole pages; the bounds leave
room for that and for nothing more.
"""

import contextlib
import resource
import select
import socket
import time
from collections.abc import Iterator

import pytest

from security.processes import Process, running_process
from serving import SECONDS

pytestmark = pytest.mark.slow

MIB = 1 << 20
KIB = 1 << 10

BROWSER = (
    b"GET /hello HTTP/1.1\r\nHost: localhost:8000\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n"
    b'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\n'
    b"Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
    b" (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
    b"image/webp,*/*;q=0.8\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n"
    b"Sec-Fetch-Dest: document\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n"
)


@contextlib.contextmanager
def warm(*options: str) -> Iterator[tuple[Process, int]]:
    """A server that has done everything once, and the memory it then holds."""
    with running_process("measured.py", *options) as served:
        for target in ("hello", "gigabyte", "gigabyte-async"):
            for _ in range(30 if target == "hello" else 3):
                with socket.create_connection(served, timeout=SECONDS) as client:
                    client.sendall(f"GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                    read(client, MIB if target != "hello" else 10)
        time.sleep(0.3)
        yield served, served.resident_bytes


def read(client: socket.socket, octets: int) -> None:
    """Read at least so much."""
    while octets > 0:
        piece = client.recv(65536)
        assert piece
        octets -= len(piece)


def stalled(served: Process, target: str) -> socket.socket:
    """Ask for a gigabyte, take one megabyte of it, and stop reading."""
    client = socket.create_connection(served, timeout=SECONDS)
    client.sendall(f"GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    read(client, MIB)
    return client


@pytest.mark.parametrize("target", ["gigabyte", "gigabyte-async"])
def test_a_gigabyte_for_somebody_who_stopped_reading_is_not_made(target: str) -> None:
    with warm("--set", "send_stall_seconds=1") as (served, before):
        with stalled(served, target) as client:
            time.sleep(0.5)
            during = served.resident_bytes
            used = served.processor_seconds
            time.sleep(0.5)
            idle = served.processor_seconds - used
            assert until_reset(client, 15), "and not after half a minute, as without the option"
        after = served.settled_bytes(before + MIB // 2, 3)

    print(
        f"{target}: +{(during - before) / KIB:.0f} KiB during, +{(after - before) / KIB:.0f} after"
    )
    assert during - before <= MIB
    assert after - before <= MIB
    assert idle <= 0.1, "it waits, and does not ask again and again"


def until_reset(client: socket.socket, seconds: float) -> bool:
    """Wait, without reading, until the server gives the connection up."""
    poll = select.poll()
    poll.register(client, select.POLLERR | select.POLLHUP)
    return bool(poll.poll(seconds * 1000))


def test_a_hundred_of_them_are_bounded_too() -> None:
    with warm() as (served, before):
        clients = [
            stalled(served, target) for target in ("gigabyte", "gigabyte-async") for _ in range(50)
        ]
        time.sleep(1.0)
        during = served.resident_bytes
        for client in clients:
            client.close()
        after = served.settled_bytes(before + 8 * MIB, 5)

    print(
        f"100 stalled: +{(during - before) / MIB:.1f} MiB during, +{(after - before) / MIB:.1f} after"
    )
    assert during - before <= 64 * MIB
    assert after - before <= 32 * MIB


@pytest.mark.parametrize("path", ["never-reads", "never-reads-async"])
@pytest.mark.parametrize("framing", ["Content-Length: 1073741824", "Transfer-Encoding: chunked"])
def test_an_upload_that_nobody_reads_is_not_taken_in(path: str, framing: str) -> None:
    chunked = "chunked" in framing
    piece = (b"10000\r\n" + b"x" * 65536 + b"\r\n") if chunked else b"x" * 65536
    with warm() as (served, before), socket.create_connection(served, timeout=SECONDS) as client:
        client.setblocking(False)
        head = f"POST /{path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode()
        waiting = memoryview(head + piece)
        sent = 0
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and sent < 256 * MIB:
            if not select.select([], [client], [], 0.1)[1]:
                continue
            done = client.send(waiting)
            sent += done
            waiting = waiting[done:] or memoryview(piece)
        during = served.resident_bytes

    print(f"{path}: {sent / MIB:.1f} MiB left the client, +{(during - before) / KIB:.0f} KiB here")
    assert sent < 64 * MIB, "what the sockets of both sides hold, and no more"
    assert during - before <= MIB


def test_an_idle_connection_costs_little() -> None:
    number = 2000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * number
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{hard} descriptors are too few")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    clients: list[socket.socket] = []
    try:
        with warm("--max-connections", str(number + 100), "--keepalive", "120") as (served, before):
            for _ in range(number):
                client = socket.create_connection(served, timeout=SECONDS)
                client.sendall(BROWSER)
                clients.append(client)
            for client in clients:
                assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
            fresh = (served.resident_bytes - before) / number
            time.sleep(4)  # what was kept for the next request is dropped meanwhile
            idle = (served.resident_bytes - before) / number
            used = served.processor_seconds
            time.sleep(1)
            sweep = served.processor_seconds - used
            for client in clients:
                client.close()
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    print(
        f"{number} idle connections: {fresh / KIB:.2f} KiB each, {idle / KIB:.2f} KiB after 4 s,"
        f" {sweep * 1000:.0f} ms of processor time a second"
    )
    assert fresh <= 8 * KIB
    assert idle <= 8 * KIB
    assert sweep <= 0.1
