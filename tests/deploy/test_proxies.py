"""The real nginx and HAProxy, by the files that are to be copied, in front of a real server."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect as websocket

from deploying import (
    CLIENT,
    HOST,
    Proxy,
    asked,
    behind,
    client_context,
    hammer,
    haproxy,
    nginx,
    running_haproxy,
    running_nginx,
    write_certificate,
)
from ports import free_ports
from supervising import SECONDS, SOURCE, eventually

pytestmark = pytest.mark.slow

Running = Callable[..., AbstractContextManager[Proxy]]

FORGED = {
    "X-Forwarded-For": "9.9.9.9",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=9.9.9.9;host=evil.example",
}


@pytest.fixture(scope="module", params=[nginx, haproxy], ids=lambda run: run.__name__)
def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with request.param(tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.fixture(params=[nginx, haproxy], ids=lambda run: run.__name__)
def run(request: pytest.FixtureRequest) -> Running:
    chosen: Running = request.param
    return chosen


# Who the client is.


def test_the_client_and_what_it_asked_for_arrive(proxy: Proxy) -> None:
    said = proxy.json("/who?a=1")

    assert (CLIENT, "https", HOST) == (said["client"], said["scheme"], said["host"].split(":")[0])
    assert said["secure"]
    assert f"https://{said['host']}/who?a=1" == said["url"]
    assert [CLIENT] == said["route"]


def test_what_a_client_says_of_itself_is_not_believed(proxy: Proxy) -> None:
    plain = proxy.json("/who")

    forged = proxy.json("/who", **FORGED)

    assert plain == forged


def test_plain_http_leads_to_https(proxy: Proxy) -> None:
    with contextlib.closing(proxy.connect(secure=False)) as connection:
        status, _content, fields = asked(connection, "GET", "/who?a=1", headers={"Host": HOST})

    assert (308, f"https://{HOST}/who?a=1") == (status, fields["Location"])


def test_hsts_is_sent(proxy: Proxy) -> None:
    with contextlib.closing(proxy.connect()) as connection:
        fields = asked(connection, "GET", "/echo")[2]

    assert "max-age=3600" == fields["Strict-Transport-Security"]


def test_forwarded_in_place_of_x_forwarded_from_nginx(tmp_path: Path) -> None:
    changes = {
        'proxy_set_header Forwarded "";': "proxy_set_header Forwarded"
        ' "for=$remote_addr;proto=$scheme;host=\\"$http_host\\"";',
        "X-Forwarded-For $proxy_add_x_forwarded_for": 'X-Forwarded-For ""',
        "X-Forwarded-Proto $scheme": 'X-Forwarded-Proto ""',
    }
    with nginx(tmp_path, "--forwarded-headers", "forwarded", changes=changes) as proxy:
        said = proxy.json("/who", **FORGED)

    assert (CLIENT, "https", True) == (said["client"], said["scheme"], HOST in said["host"])


@pytest.mark.parametrize("version", [1, 2])
def test_the_proxy_protocol_tells_who_the_client_is(tmp_path: Path, version: int) -> None:
    write_certificate(tmp_path)
    changes = {"send-proxy-v2": "send-proxy"} if version == 1 else {}
    # TLS is from the client to the server; HAProxy hands it on.
    options = (
        *("--cert", str(tmp_path / "fullchain.pem"), "--key", str(tmp_path / "privkey.pem")),
        *("--proxy-protocol", "required"),
    )
    with haproxy(tmp_path, *options, file="haproxy-tcp.cfg", changes=changes) as proxy:
        said = proxy.json("/who", **FORGED)

    assert (CLIENT, "https") == (said["client"], said["scheme"])


# What goes through.


def test_an_upload_arrives_while_it_is_sent(proxy: Proxy) -> None:
    size = 4 << 20
    with contextlib.closing(proxy.connect()) as connection:
        connection.putrequest("POST", "/upload")
        connection.putheader("Content-Length", str(size))
        connection.endheaders(bytes(65536))
        with contextlib.closing(proxy.connect()) as other:
            assert b"True" == asked(other, "GET", "/wait/come")[1]
        connection.send(bytes(size - 65536))
        response = connection.getresponse()

        assert {"bytes": size, "chunked": False} == json.loads(response.read())


def test_an_upload_may_be_chunked(proxy: Proxy) -> None:
    with contextlib.closing(proxy.connect()) as connection:
        pieces = (bytes(10_000) for _ in range(100))
        status, content, _fields = asked(connection, "POST", "/upload", body=pieces)

    assert (200, {"bytes": 1_000_000, "chunked": True}) == (status, json.loads(content))


def test_a_download_is_handed_on_while_it_is_made(proxy: Proxy) -> None:
    with contextlib.closing(proxy.connect()) as connection:
        connection.request("GET", "/download")
        response = connection.getresponse()
        assert b"a" * 1000 == response.read(1000)
        # Only now does the program go on.
        with contextlib.closing(proxy.connect()) as other:
            asked(other, "GET", "/set/go")

        assert 64 * 65536 == len(response.read())
        assert "chunked" == response.headers["Transfer-Encoding"]


def test_a_head_is_taken_as_large_as_the_server_does(proxy: Proxy) -> None:
    fields = {f"x-large-{number}": "v" * 8000 for number in range(3)} | {"x-one": "v" * 15_000}
    del fields["x-large-2"]

    said = proxy.json("/fields", **fields)

    assert {name: len(value) for name, value in fields.items()}.items() <= said.items()


def test_a_head_that_is_too_large_is_refused(proxy: Proxy) -> None:
    with contextlib.closing(proxy.connect()) as connection:
        fields = {f"x-large-{number}": "v" * 8000 for number in range(9)}
        try:
            status = asked(connection, "GET", "/fields", headers=fields)[0]
        except (ConnectionError, ssl.SSLEOFError):
            status = 400  # HAProxy closes without reading on, and a reset may overtake its answer

    assert status in (400, 431)


def test_a_websocket_goes_through(proxy: Proxy) -> None:
    sock = socket.create_connection(("127.0.0.1", proxy.secure), SECONDS, (CLIENT, 0))
    with websocket(
        f"wss://{HOST}/socket", sock=sock, ssl=client_context(), server_hostname=HOST
    ) as client:
        assert f"{CLIENT} https" == client.recv(timeout=SECONDS)
        for said in ("hello", "x" * 100_000):
            client.send(said)
            assert said == client.recv(timeout=SECONDS)


# Connections to the server.


def test_connections_to_the_server_are_kept(proxy: Proxy) -> None:
    def accepted() -> int:
        workers = proxy.server.state()["workers"]
        return sum(worker["counters"]["connections"] for worker in workers)

    def wait_for_beats() -> None:
        """What workers have told until now is older than that; the second from now is not."""
        for _ in range(2):
            began = time.monotonic()

            def is_told_anew(began: float = began) -> bool:
                asked = time.monotonic()
                workers = proxy.server.state()["workers"]
                return all(asked - worker["silent_seconds"] > began for worker in workers)

            eventually(is_told_anew)

    with contextlib.closing(proxy.connect()) as connection:
        asked(connection, "GET", "/echo")
        wait_for_beats()
        before = accepted()
        for _ in range(50):
            asked(connection, "POST", "/echo", body=b"a")
        wait_for_beats()

    assert accepted() - before <= 2  # not 50


def test_reloads_under_load_fail_no_request(tmp_path: Path, run: Running) -> None:
    with run(tmp_path, workers=2) as proxy:
        server = proxy.server

        def reload_twice() -> None:
            for number in (1, 2):
                server.signal(signal.SIGHUP)
                eventually(
                    lambda number=number: (
                        sum("reloaded: the new" in line for line in server.lines) >= number
                    )
                )

        wrong, anew = hammer(proxy, 4, 500, reload_twice)

    assert [] == wrong
    assert anew


def test_the_proxy_ends_idle_connections_before_the_server_does(tmp_path: Path) -> None:
    """Requests that come just as idle connections end, the server's deadline being later by as little as may be."""
    changes = {"keepalive_timeout 20s;": "keepalive_timeout 1s;"}
    with nginx(tmp_path, "--keepalive", "2", changes=changes) as proxy:
        moments = [0.98, 0.99, 1.0, 1.01, 1.02]

        for _ in range(3):
            with standing_still() as paused:
                wrong, _anew = hammer(
                    proxy, 10, 5, think=lambda number: time.sleep(moments[number % 5])
                )
            if not wrong or paused.seconds < 0.3:
                break  # otherwise the machine stood still, while which the server's deadline may pass too

    assert [] == wrong


class Pause:
    """The longest time for which this process did nothing although it wanted to."""

    seconds = 0.0


@contextlib.contextmanager
def standing_still() -> Iterator[Pause]:
    paused = Pause()
    over = threading.Event()

    def look() -> None:
        before = time.monotonic()
        while not over.wait(0.01):
            before, last = time.monotonic(), before
            paused.seconds = max(paused.seconds, before - last)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield paused
    finally:
        over.set()
        looking.join()


def test_haproxy_sends_nothing_to_a_server_that_is_not_ready(tmp_path: Path) -> None:
    with haproxy(tmp_path, changes={"inter 2s": "inter 100ms"}) as proxy:
        assert 200 == _status(proxy)

        proxy.server.signal(signal.SIGTERM)
        assert 0 == proxy.server.ended()

        log = tmp_path / "proxy.log"
        eventually(lambda: "is DOWN" in log.read_text())
        assert 503 == _status(proxy)


def _status(proxy: Proxy) -> int:
    with contextlib.closing(proxy.connect()) as connection:
        return asked(connection, "GET", "/echo")[0]


@pytest.mark.parametrize(
    ("run", "changes"),
    [
        (running_nginx, {"keepalive_timeout 20s": "keepalive_timeout 1s"}),
        # Nobody answers at the admin address while the doctor is in the application's place.
        (running_haproxy, {"http-keep-alive 20s": "http-keep-alive 1s", "server check": "server"}),
    ],
    ids=["nginx", "haproxy"],
)
def test_the_doctor_finds_nothing(tmp_path: Path, run: Any, changes: dict[str, str]) -> None:
    (port,) = free_ports(1)
    with run(tmp_path, port, changes) as (_plain, secure):
        command = (
            *(sys.executable, "-m", "groundwire", "doctor", "--insecure"),
            *("--proxy", f"https://127.0.0.1:{secure}/", "--listen", f"127.0.0.1:{port}"),
            *("--trusted-proxies", "127.0.0.1", "--keepalive", "4"),
        )
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert 0 == done.returncode, done.stdout + done.stderr


# Nobody in front.


def test_the_server_alone_does_the_same(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    (plain,) = free_ports(1)
    options = (
        *("--cert", str(tmp_path / "fullchain.pem"), "--key", str(tmp_path / "privkey.pem")),
        *("--redirect-http", f"127.0.0.1:{plain}", "--hsts", "3600"),
    )
    with behind(tmp_path, *options) as server:
        port = int(server.line_with(" serves ").partition("localhost:")[2].split()[0])
        alone = Proxy(server, plain, port)
        with contextlib.closing(alone.connect()) as connection:
            status, content, fields = asked(connection, "GET", "/who")
        with contextlib.closing(alone.connect(secure=False)) as connection:
            redirect = asked(connection, "GET", "/who", headers={"Host": HOST})

    said = json.loads(content)
    assert (200, CLIENT, "https") == (status, said["client"], said["scheme"])
    assert "max-age=3600" == fields["Strict-Transport-Security"]
    assert 308 == redirect[0]
    assert redirect[2]["Location"].startswith(f"https://{HOST}")
