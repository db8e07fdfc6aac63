"""An application on other people's WSGI servers, unchanged; and on ours, with WSGI middleware in front of it."""

import contextlib
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ports import free_ports

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).parent / "programs"
START_SECONDS = 20.0

SERVERS: dict[str, list[str]] = {
    "gunicorn sync": ["gunicorn", "--worker-class=sync", "--bind=127.0.0.1:{port}"],
    "gunicorn gthread": [
        *("gunicorn", "--worker-class=gthread", "--threads=4", "--keep-alive=5"),
        "--bind=127.0.0.1:{port}",
    ],
    "waitress": ["waitress", "--listen=127.0.0.1:{port}", "--threads=4"],
    "groundwire": ["groundwire", "run", "--host=127.0.0.1", "--port={port}"],
}


class Running:
    """A server that runs, and a client of it.

    Attributes:
        log: what it has written.
    """

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self.log = log

    def ask(
        self, target: str, method: str = "GET", content: Any = None, **fields: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send one request on a connection of its own; a field's underscores stand for hyphens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        with contextlib.closing(connection):
            headers = {name.replace("_", "-"): value for name, value in fields.items()}
            chunked = content is not None and not isinstance(content, bytes)
            connection.request(method, target, content, headers, encode_chunked=chunked)
            response = connection.getresponse()
            return response, response.read()

    def events(self, path: str, count: int) -> list[str]:
        """Return what the program has noted: `count` things at least, which may take a moment.

        Requests for another path than `path` may be torn down only now, when their answers are long out.
        """
        noted: list[str] = []
        end = time.monotonic() + START_SECONDS
        while True:
            told = json.loads(self.ask("/events")[1])
            noted += [one for one in told if not one.startswith("teardown ") or path in one.split()]
            if len(noted) >= count or time.monotonic() > end:
                return noted
            time.sleep(0.05)


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("server")
    log = folder / "log"
    command = [argument.format(port=port) for argument in SERVERS[request.param]]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "wsgi_program:app"],
            cwd=PROGRAMS,
            # gunicorn leaves a socket in the home folder.
            env={
                **os.environ,
                "HOME": str(folder),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield Running(request.param, port, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def _nothing_noted_yet(server: Running) -> None:
    server.events("", 0)


def test_hello(server: Running) -> None:
    response, content = server.ask("/hello")

    assert (200, b"Hello, World!") == (response.status, content)
    assert "text/html; charset=utf-8" == response.headers["Content-Type"]
    assert "13" == response.headers["Content-Length"]


def test_head_has_the_fields_of_get_and_no_content(server: Running) -> None:
    response, content = server.ask("/hello", "HEAD")

    assert (200, b"", "13") == (response.status, content, response.headers["Content-Length"])


def test_middleware_speaks_with_the_application_and_adds_to_its_answers(server: Running) -> None:
    response, content = server.ask("/environ")

    assert "was here" == response.headers["X-Middleware"]
    assert "by the middleware" == json.loads(content)["program.said"]


def test_a_response_is_a_wsgi_application(server: Running) -> None:
    response, content = server.ask("/outside")

    assert (203, b"made outside") == (response.status, content)
    assert ("1", None) == (response.headers["X-Own"], response.headers["X-Middleware"])


def test_the_environ_says_what_was_asked(server: Running) -> None:
    target = f"/environ?a={quote('ü')}&b=%26"
    seen = json.loads(server.ask(target, X_One="1", X_Twice="a")[1])

    assert {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/environ",
        "QUERY_STRING": "a=%C3%BC&b=%26",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_TWICE": "a",
        "HTTP_HOST": f"127.0.0.1:{server.port}",
        "wsgi.url_scheme": "http",
        "program.said": "by the middleware",
        "url": f"http://127.0.0.1:{server.port}/environ?a=ü&b=%26",
        "args": {"a": "ü", "b": "&"},
        "x": "1",
    } == seen


def test_a_form_is_read(server: Running) -> None:
    _, content = server.ask(
        "/form", "POST", b"a=1&b=%C3%BC", Content_Type="application/x-www-form-urlencoded"
    )

    assert {"fields": {"a": "1", "b": "ü"}, "files": {}} == json.loads(content)


def test_an_upload_is_read(server: Running) -> None:
    data = random.Random(1).randbytes(600_000)
    message = (
        b'--cut\r\nContent-Disposition: form-data; name="t"\r\n\r\ntext\r\n'
        b'--cut\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
        + data
        + b"\r\n--cut--\r\n"
    )

    _, content = server.ask(
        "/form", "POST", message, Content_Type="multipart/form-data; boundary=cut"
    )

    assert {
        "fields": {"t": "text"},
        "files": {"f": ["a.bin", hashlib.sha256(data).hexdigest()]},
    } == json.loads(content)


def test_chunked_content_is_read(server: Running) -> None:
    pieces = [random.Random(n).randbytes(n * 1000) for n in (1, 50, 7)]
    data = b"".join(pieces)

    response, content = server.ask("/raw", "POST", iter(pieces))

    assert 200 == response.status
    assert {
        "length": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    } == json.loads(content)


def test_too_much_content_is_refused(server: Running) -> None:
    response, _ = server.ask("/raw", "POST", b"x" * 1_000_001)

    assert 413 == response.status


@pytest.mark.parametrize("target", ["/stream", "/stream-async"])
def test_a_stream_is_sent(server: Running, target: str) -> None:
    assert b"one,two,three" == server.ask(target)[1]


def test_a_coroutine_answers(server: Running) -> None:
    assert b"awaited /async" == server.ask("/async")[1]


def test_an_error_is_a_page_and_in_the_log(server: Running) -> None:
    response, content = server.ask("/error")

    assert 500 == response.status
    assert b"<h1>Internal Server Error</h1>" in content
    assert b"what went wrong" not in content
    assert ["teardown /error LookupError"] == server.events("/error", 1)
    assert "LookupError: what went wrong is for the log" in server.log.read_text()


def test_what_matches_no_rule_is_a_page(server: Running) -> None:
    assert 404 == server.ask("/nowhere")[0].status
    response, _ = server.ask("/hello", "DELETE")
    assert (405, "GET, HEAD, OPTIONS") == (
        response.status,
        ", ".join(sorted(response.headers["Allow"].split(", "))),
    )


def test_a_redirect_is_relative(server: Running) -> None:
    response, _ = server.ask("/redirect")

    assert (302, "/hello?x=%C3%BC") == (response.status, response.headers["Location"])


def test_cookies_come_and_go(server: Running) -> None:
    response, content = server.ask("/cookie", Cookie="a=b; seen=once")

    assert b"once" == content
    assert ["seen=before; HttpOnly; Path=/", "other=2; Path=/"] == response.headers.get_all(
        "Set-Cookie"
    )


def test_a_request_is_torn_down_and_its_response_closed_once(server: Running) -> None:
    server.ask("/closing")
    time.sleep(0.1)

    assert ["response closed", "teardown /closing NoneType"] == sorted(server.events("/closing", 2))


def test_a_generator_is_closed_when_the_client_goes_away(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), START_SECONDS) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        received = 0
        while received < 200_000:
            received += len(client.recv(65536))

    noted = server.events("/endless", 3)

    assert ["generator closed", "response closed", "teardown /endless NoneType"] == sorted(noted)


@pytest.mark.parametrize("target", ["/file", "/file-in-memory"])
def test_a_file_is_sent(server: Running, target: str) -> None:
    whole = (PROGRAMS / "wsgi_program.py").read_bytes() if target == "/file" else b"0123456789"

    response, content = server.ask(target)
    part, some = server.ask(target, Range="bytes=2-4")

    assert (200, whole) == (response.status, content)
    assert str(len(whole)) == response.headers["Content-Length"]
    assert (206, whole[2:5]) == (part.status, some)


def test_a_file_goes_out_by_the_servers_own_wrapper(server: Running) -> None:
    whole = (PROGRAMS / "wsgi_program.py").read_bytes()

    response, content = server.ask("/file-wrapped")

    assert (200, whole) == (response.status, content)
    wrapper = "our own" if server.name == "groundwire" else "wsgi.file_wrapper"
    assert wrapper in server.events("/file-wrapped", 2)


def test_requests_follow_each_other_on_one_connection(server: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        for target, expected in (("/hello", b"Hello, World!"), ("/async", b"awaited /async")):
            connection.request("GET", target)
            assert expected == connection.getresponse().read()
