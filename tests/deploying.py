"""nginx and HAProxy for tests: the files below ``deploy/``, with ports and paths of the test's own.

Where one of them is not installed its tests are skipped with a line that says so; with `GROUNDWIRE_REQUIRE_PROXIES=1`
they fail instead.
"""

import contextlib
import functools
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from ports import free_ports
from supervising import SECONDS, Supervised, eventually, supervised

DEPLOY = Path(__file__).parents[1] / "deploy"

CLIENT = "127.0.0.2"
"""Whom a test's clients come from, who are not to be taken for the proxy at 127.0.0.1."""

HOST = "shop.example"

BEHIND = ("--trusted-proxies", "127.0.0.1", "--keepalive", "75")

PROGRAM = """
import groundwire.as_flask
import os
import threading
from flask import Flask, Response, request
from flask_sock import Sock

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1 << 30
app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 25}
sock = Sock(app)
events = {}

def event(name):
    return events.setdefault(name, threading.Event())

@app.get("/who")
def who():
    return {
        "client": request.remote_addr, "scheme": request.scheme, "host": request.host, "url": request.url,
        "route": list(request.access_route), "secure": request.is_secure,
        "fields": {name: request.headers.get(name) for name in ("Forwarded", "X-Forwarded-Host", "Connection")},
    }

@app.route("/echo", methods=["GET", "POST"])
def echo():
    return Response(request.get_data() or request.args.get("say", ""), headers={"X-Process": str(os.getpid())})

@app.get("/fields")
def fields():
    return {name.lower(): len(value) for name, value in request.headers}

@app.post("/upload")
def upload():
    size = 0
    while piece := request.stream.read(65536):
        size += len(piece)
        event("come").set()
    return {"bytes": size, "chunked": request.headers.get("Transfer-Encoding") == "chunked"}

@app.get("/download")
def download():
    def pieces():
        yield b"a" * 1000
        assert event("go").wait(60)
        for _ in range(64):
            yield b"b" * 65536
    return Response(pieces())

@app.get("/wait/<name>")
def wait(name):
    return str(event(name).wait(60))

@app.get("/set/<name>")
def set_event(name):
    event(name).set()
    return ""

@sock.route("/socket")
def socket(ws):
    ws.send(f"{request.remote_addr} {request.scheme}")
    while True:
        ws.send(ws.receive())
"""


def find_proxy(name: str) -> str:
    """Return where nginx or HAProxy is. Skips the test where it is not, or fails it where it is required."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is not None:
        return path
    if os.environ.get("GROUNDWIRE_REQUIRE_PROXIES", "0") not in ("", "0"):
        pytest.fail(
            f"GROUNDWIRE_REQUIRE_PROXIES is set, but {name} is not installed", pytrace=False
        )
    pytest.skip(f"{name} is not installed (apt-get install nginx-light haproxy)")


@functools.cache
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(context)
    return context


def write_certificate(folder: Path) -> None:
    """Write fullchain.pem, privkey.pem, and both as combined.pem."""
    certificate = authority().issue_cert(HOST, key_type=trustme.KeyType.ECDSA)
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    (folder / "fullchain.pem").write_bytes(chain)
    key = folder / "privkey.pem"
    key.write_bytes(certificate.private_key_pem.bytes())
    key.chmod(0o600)
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "combined.pem"))


def replaced(text: str, changes: dict[str, str]) -> str:
    """Change what a file of ours says; all of it has to be there."""
    for old, new in changes.items():
        assert old in text, f"the file does not say {old!r}"
        text = text.replace(old, new)
    return text


class Proxy:
    """A proxy that runs in front of a server.

    Attributes:
        server: the `groundwire run` behind it, a `Supervised`.
        plain: the port for http.
        secure: the port for https.
    """

    def __init__(self, server: Any, plain: int, secure: int) -> None:
        self.server = server
        self.plain = plain
        self.secure = secure

    def connect(self, *, secure: bool = True) -> http.client.HTTPConnection:
        """Return a connection of a client at `CLIENT`, which is opened by its first request."""
        connection = _Connection(HOST, self.secure if secure else self.plain, timeout=SECONDS)
        connection.context = client_context() if secure else None
        return connection

    def json(self, path: str, **fields: str) -> Any:
        with contextlib.closing(self.connect()) as connection:
            return json.loads(asked(connection, "GET", path, headers=fields)[1])


class _Connection(http.client.HTTPConnection):
    context: ssl.SSLContext | None

    def connect(self) -> None:
        sock = socket.create_connection(("127.0.0.1", self.port), self.timeout, (CLIENT, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        if self.context is not None:
            self.sock = self.context.wrap_socket(sock, server_hostname=self.host)


def asked(
    connection: http.client.HTTPConnection, method: str, path: str, **more: Any
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Ask on an open connection, and never again where that fails."""
    connection.request(method, path, **more)
    if connection.sock is not None:
        connection.auto_open = 0  # a client that opens another hides what became of the first
    response = connection.getresponse()
    return response.status, response.read(), response.headers


@contextlib.contextmanager
def process(folder: Path, command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a group of its own until the end of the ``with`` block, from when a port of it answers."""
    log = folder / "proxy.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    try:
        until = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(SECONDS)


@contextlib.contextmanager
def running_nginx(
    folder: Path, port: int, changes: dict[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """Run nginx by ``deploy/nginx/shop.conf`` in front of a port; yield its own for http and https."""
    path = find_proxy("nginx")
    write_certificate(folder)
    plain, secure = free_ports(2)
    site = replaced(
        (DEPLOY / "nginx/shop.conf").read_text(),
        {
            "127.0.0.1:8000": f"127.0.0.1:{port}",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
            "/etc/ssl/shop": str(folder),
        }
        | (changes or {}),
    )
    (folder / "shop.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""  # the test's folder is nobody else's
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} include {folder}/shop.conf; }}\n"
    )
    command = [path, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with process(folder, command, secure):
        yield plain, secure


@contextlib.contextmanager
def running_haproxy(
    folder: Path,
    port: int,
    changes: dict[str, str] | None = None,
    *,
    file: str = "haproxy.cfg",
    admin: int = 1,
) -> Iterator[tuple[int, int]]:
    """Run HAProxy by a file of ``deploy/haproxy/`` in front of a port; yield its own for http and https."""
    path = find_proxy("haproxy")
    write_certificate(folder)
    plain, secure = free_ports(2)
    text = (DEPLOY / "haproxy" / file).read_text()
    all_changes = {
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        "maxconn 10000": "maxconn 100",
        "bind :80": f"bind 127.0.0.1:{plain}",
        "bind :443": f"bind 127.0.0.1:{secure}",
        "port 9090\n": f"port {admin}\n",
        "/etc/ssl/shop": str(folder),
    }
    known = {old: new for old, new in all_changes.items() if old in text}
    assert len(known) >= 4
    (folder / "haproxy.cfg").write_text(replaced(text, known | (changes or {})))
    with process(folder, [path, "-db", "-f", str(folder / "haproxy.cfg")], secure):
        yield plain, secure


@contextlib.contextmanager
def nginx(
    folder: Path, *options: str, changes: dict[str, str] | None = None, workers: int = 1
) -> Iterator[Proxy]:
    """Run nginx in front of a server with `options`."""
    find_proxy("nginx")
    options = (*BEHIND, *options, "--workers", str(workers))
    with (
        behind(folder, *options) as server,
        running_nginx(folder, server.port, changes) as (plain, secure),
    ):
        yield Proxy(server, plain, secure)


@contextlib.contextmanager
def haproxy(
    folder: Path,
    *options: str,
    file: str = "haproxy.cfg",
    changes: dict[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Proxy]:
    """Run HAProxy in front of a server with `options`."""
    find_proxy("haproxy")
    (admin,) = free_ports(1)
    options = (*BEHIND, "--admin", str(admin), *options, "--workers", str(workers))
    with (
        behind(folder, *options) as server,
        running_haproxy(folder, server.port, changes, file=file, admin=admin) as (plain, secure),
    ):
        yield Proxy(server, plain, secure)


@contextlib.contextmanager
def behind(folder: Path, *options: str) -> Iterator[Supervised]:
    """Run `PROGRAM`, and wait until it serves."""
    with supervised(folder, *options, program=PROGRAM) as server:
        server.line_with(" serves ")
        yield server


def hammer(
    proxy: Proxy,
    clients: int,
    requests: int,
    between: Callable[[], object] | None = None,
    think: Callable[[int], object] = lambda _number: None,
) -> tuple[list[str], bool]:
    """Send requests from kept-alive clients that never try again.

    Args:
        proxy: to whom.
        clients: how many, each on a connection of its own.
        requests: how many each sends at least, by turns GET, POST, and POST in chunks.
        between: called once, when some have been answered; they go on until it has returned.
        think: called with the request's number before each.

    Returns:
        What went wrong, and whether processes have answered at last that did not before `between`.
    """
    wrong: list[str] = []
    processes: set[str] = set()
    over = threading.Event()

    def run(client: int) -> None:
        connection = proxy.connect()
        try:
            for number in itertools.count():
                if number >= requests and over.is_set():
                    break
                think(number)
                said = f"{client}-{number}".encode()
                if number % 3 == 0:
                    answer = asked(connection, "GET", f"/echo?say={said.decode()}")
                elif number % 3 == 1:
                    answer = asked(connection, "POST", "/echo", body=said)
                else:
                    pieces = iter([said[:1], said[1:]])
                    answer = asked(connection, "POST", "/echo", body=pieces, encode_chunked=True)
                status, content, fields = answer
                processes.add(fields.get("X-Process", ""))
                if (status, content) != (200, said):
                    wrong.append(f"{number}: {status} {content[:200]!r}")
                if fields.get("Connection") == "close":
                    connection.close()
                    connection = proxy.connect()
        except (OSError, http.client.HTTPException) as error:
            wrong.append(f"client {client}, request {number}: {error!r}")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    before = set()
    try:
        if between is not None:
            eventually(lambda: processes or wrong)
            before = set(processes)
            between()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return wrong, bool(processes - before)
