import contextlib
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest

from groundwire import Groundwire, Response
from groundwire.demo.upstream import MAX_BYTES
from serving import Served, running_server

SOON = 0.3


@pytest.fixture
def other() -> Groundwire:
    """An API that is not ours, and not always what it should be."""
    other = Groundwire("other")

    @other.get("/status/<int:status>")
    def status(status: int) -> Any:
        return "{}", status, {"Location": "/json"}

    @other.get("/json")
    def json() -> Any:
        return {"a": ["<b>", "\ud800", "é"]}

    @other.get("/bytes/<name>")
    def content(name: str) -> Any:
        return Response(CONTENTS[name], content_type="application/json")

    @other.get("/huge")
    def huge() -> Any:
        return Response((b" " * 65536 for _ in range(MAX_BYTES)), content_type="application/json")

    @other.get("/slow")
    def slow() -> str:
        released.wait(5)
        return "{}"

    @other.get("/drip")
    def drip() -> Any:
        def pieces() -> Iterator[bytes]:
            while not released.wait(0.02):
                yield b" "

        return Response(pieces(), content_type="application/json")

    @other.get("/coded")
    def coded() -> Any:
        return Response(b"\x1f\x8b not gzip", headers={"Content-Encoding": "gzip"})

    released = threading.Event()
    other.extensions["release"] = released.set
    return other


CONTENTS = {
    "text": b"Hello",
    "nothing": b"",
    "html": b"<p>Hello</p>",
    "half": b'{"a": ',
    "no-utf-8": b'"\xff"',
    "deep": b"[" * 100_000,
    "digits": b"9" * 5000,
    "binary": bytes(range(256)),
}


@pytest.fixture
def upstream(other: Groundwire) -> Iterator[str]:
    with running_server(other) as served:
        yield served.url
        other.extensions["release"]()


def ask(app: Groundwire, client: Any, url: str, seconds: float = 10.0) -> Any:
    app.config["UPSTREAM_URL"] = url
    app.config["UPSTREAM_SECONDS"] = seconds
    return client.get("/upstream")


def test_the_page_shows_the_other_api_s_answer(app: Groundwire, client: Any, upstream: str) -> None:
    response = ask(app, client, f"{upstream}/json")

    assert 200 == response.status_code
    assert f"GET {upstream}/json" in response.text
    for shown in ("&lt;b&gt;", "?", "é"):
        assert f"&#34;{shown}&#34;" in response.text


@pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 404, 500, 503])
def test_another_status_is_502(app: Groundwire, client: Any, upstream: str, status: int) -> None:
    response = ask(app, client, f"{upstream}/status/{status}")

    assert 502 == response.status_code
    assert str(status) in response.json["detail"]


@pytest.mark.parametrize("name", CONTENTS)
def test_content_that_is_no_json_is_502(
    app: Groundwire, client: Any, upstream: str, name: str
) -> None:
    response = ask(app, client, f"{upstream}/bytes/{name}")

    assert (502, "The other API did not answer with JSON.") == (
        response.status_code,
        response.json["detail"],
    )


def test_content_in_a_coding_that_was_not_asked_for_is_502(
    app: Groundwire, client: Any, upstream: str
) -> None:
    assert 502 == ask(app, client, f"{upstream}/coded").status_code


def test_too_much_content_is_502(app: Groundwire, client: Any, upstream: str) -> None:
    response = ask(app, client, f"{upstream}/huge")

    assert 502 == response.status_code
    assert str(MAX_BYTES) in response.json["detail"]


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_a_slow_api_is_504(app: Groundwire, client: Any, upstream: str, path: str) -> None:
    response = ask(app, client, f"{upstream}{path}", SOON)

    assert (504, f"The other API did not answer within {SOON} seconds.") == (
        response.status_code,
        response.json["detail"],
    )


def test_a_slow_api_holds_nobody_up(app: Groundwire, served: Served, upstream: str) -> None:
    app.config["UPSTREAM_URL"] = f"{upstream}/slow"
    app.config["UPSTREAM_SECONDS"] = 10.0
    waiting = HTTPConnection(*served)
    waiting.request("GET", "/upstream")

    assert "Hello, World!" == httpx.get(f"{served.url}/hello", trust_env=False).text

    waiting.close()


def test_a_refused_connection_is_502(app: Groundwire, client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert 502 == ask(app, client, f"http://127.0.0.1:{port}/").status_code


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_server_that_speaks_no_http_is_502(app: Groundwire, client: Any, said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        response = ask(app, client, f"http://127.0.0.1:{listening.getsockname()[1]}/")
        thread.join()

    assert 502 == response.status_code


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "127.0.0.1",
        "/tweets",
        "http://",
        "http://[::1",
        "http://a:b/",
        "http://\0/",
    ],
)
def test_a_url_that_is_none_is_502(app: Groundwire, client: Any, url: str) -> None:
    assert 502 == ask(app, client, url).status_code


def test_a_browser_gets_a_page_that_says_so(app: Groundwire, browser: Any) -> None:
    response = ask(app, browser, "ftp://127.0.0.1/")

    assert (502, "text/html; charset=utf-8") == (
        response.status_code,
        response.headers["Content-Type"],
    )
    assert "The other API could not be asked" in response.text


# Its own


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_without_another_the_demo_asks_itself(app: Groundwire, host: str) -> None:
    app.extensions["database"].add_tweet({"author": "ann", "text": "Hello"})
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no ::1")
    with running_server(app, host=host) as served:
        connection = HTTPConnection(host, served.port)
        # Whatever Host says: that is written by the client.
        connection.request("GET", "/upstream", headers={"Host": "127.0.0.1:1"})
        response = connection.getresponse()
        page = response.read().decode()
        connection.close()

    assert 200 == response.status
    assert f":{served.port}/tweets</code> answered <code>200</code> with 1 entry:" in page


def test_on_a_unix_socket_it_asks_for_another(app: Groundwire, tmp_path: Path) -> None:
    path = str(tmp_path / "demo.sock")
    with running_server(app, unix=path):
        transport = httpx.HTTPTransport(uds=path)
        with httpx.Client(transport=transport, trust_env=False) as client:
            response = client.get("http://127.0.0.1:1/upstream")
            hello = client.get("http://localhost/hello")

    assert (502, True) == (response.status_code, "UPSTREAM_URL" in response.json()["detail"])
    assert "Hello, World!" == hello.text


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False
