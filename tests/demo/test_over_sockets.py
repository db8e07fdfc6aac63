"""The demo as three clients use it that know nothing of us: Python's own, httpx, and curl."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

import groundwire.demo
from serving import Served

INDEX = Path(groundwire.demo.__file__).parent / "static" / "index.html"
CURL = shutil.which("curl")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


Send = Callable[..., Answer]


def with_http_client(served: Served) -> Iterator[Send]:
    """On one connection, kept open for all requests."""
    connection = HTTPConnection(*served, timeout=5)

    def send(method: str, path: str, headers: dict[str, str], content: bytes | None) -> Answer:
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        return Answer(response.status, lowered(response.getheaders()), response.read())

    yield send
    connection.close()


def with_httpx(served: Served) -> Iterator[Send]:
    with httpx.Client(base_url=served.url, trust_env=False) as client:

        def send(method: str, path: str, headers: dict[str, str], content: bytes | None) -> Answer:
            response = client.request(method, path, headers=headers, content=content)
            return Answer(response.status_code, lowered(response.headers.items()), response.content)

        yield send


def with_curl(served: Served) -> Iterator[Send]:
    def send(method: str, path: str, headers: dict[str, str], content: bytes | None) -> Answer:
        command = [str(CURL), "--silent", "--show-error", "--include", "--max-time", "5"]
        command += ["--noproxy", "*"]
        command += ["--head"] if method == "HEAD" else ["--request", method]
        for name, value in headers.items():
            command += ["--header", f"{name}: {value}"]
        if content is not None:
            command += ["--data-binary", "@-"]
        done = subprocess.run(
            [*command, served.url + path], input=content, capture_output=True, timeout=10
        )
        assert (0, b"") == (done.returncode, done.stderr)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = [tuple(line.split(": ", 1)) for line in lines[1:]]
        return Answer(int(lines[0].split()[1]), lowered(pairs), rest)

    yield send


def lowered(pairs: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs}


@pytest.fixture(params=[with_http_client, with_httpx, with_curl], ids=lambda way: way.__name__[5:])
def send(request: pytest.FixtureRequest, served: Served) -> Iterator[Send]:
    if request.param is with_curl and CURL is None:
        pytest.skip("no curl on this machine")
    ways = request.param(served)
    plain = next(ways)

    def send(method: str, path: str, /, content: Any = None, **headers: str) -> Answer:
        if isinstance(content, dict):
            content = json.dumps(content).encode()
            headers.setdefault("Content_Type", "application/json")
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return plain(method, path, headers, content)

    yield send
    next(ways, None)


def test_the_life_of_a_tweet(send: Send) -> None:
    created = send("POST", "/tweets", {"author": "ann", "text": "Hello"})
    path = created.headers["location"]
    refused = send("POST", "/tweets", {"author": "ann", "text": "x" * 141})
    by_form = send(
        "POST",
        "/tweets",
        b"author=bob&text=caf%C3%A9+%26+more",
        Content_Type="application/x-www-form-urlencoded",
    )

    assert (201, "/tweets/1", "Hello") == (created.status, path, created.json["text"])
    assert (400, ["text"]) == (refused.status, list(refused.json["errors"]))
    assert "application/problem+json" == refused.headers["content-type"]
    assert (201, "café & more") == (by_form.status, by_form.json["text"])
    assert ["bob", "ann"] == [tweet["author"] for tweet in send("GET", "/tweets").json]
    page = send("GET", "/tweets", Accept="text/html")
    assert "text/html; charset=utf-8" == page.headers["content-type"]
    assert "café &amp; more" in page.content.decode()

    head = send("HEAD", path)
    assert (200, str(len(created.content)), b"") == (
        head.status,
        head.headers["content-length"],
        head.content,
    )
    assert "DELETE, GET, HEAD, OPTIONS, PATCH, PUT" == send("OPTIONS", path).headers["allow"]
    assert "Changed" == send("PATCH", path, {"text": "Changed"}).json["text"]
    assert 400 == send("PUT", path, {"text": "Replaced"}).status
    assert "eve" == send("PUT", path, {"author": "eve", "text": "Replaced"}).json["author"]
    deleted = send("DELETE", path)
    assert (204, b"", None) == (
        deleted.status,
        deleted.content,
        deleted.headers.get("content-length"),
    )
    assert [404, 404, 404, 404] == [
        send("GET", path).status,
        send("DELETE", path).status,
        send("PATCH", path, {"text": "Changed"}).status,
        send("GET", "/tweets/99999999999999999999").status,
    ]


def test_the_life_of_a_short_url(send: Send, served: Served) -> None:
    url = f"{served.url}/hello"
    created = send("POST", "/shorten", {"url": url})
    again = send(
        "POST",
        "/shorten",
        f"url={url}".encode(),
        Content_Type="application/x-www-form-urlencoded",
    )

    short_url = created.json["short_url"]
    path = short_url.removeprefix(served.url)
    assert path.startswith("/r/")
    assert (201, short_url) == (created.status, created.headers["location"])
    assert short_url == again.json["short_url"]
    followed = send("GET", path)
    assert (301, url) == (followed.status, followed.headers["location"])
    assert 404 == send("GET", "/r/nothing").status
    assert 400 == send("POST", "/shorten", {"url": "ftp://example.com/"}).status


def test_the_file_is_sent_whole_in_part_or_not_again(send: Send) -> None:
    whole = send("GET", "/")
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]

    assert (200, INDEX.read_bytes()) == (whole.status, whole.content)
    for headers in ({"If_None_Match": etag}, {"If_Modified_Since": modified}):
        unchanged = send("GET", "/", **headers)
        assert (304, b"") == (unchanged.status, unchanged.content)
    part = send("GET", "/", Range="bytes=10-19", Accept_Encoding="identity")
    assert (206, INDEX.read_bytes()[10:20]) == (part.status, part.content)
    assert f"bytes 10-19/{INDEX.stat().st_size}" == part.headers["content-range"]
    assert 416 == send("GET", "/", Range="bytes=1000000-").status


def test_the_other_pages(send: Send) -> None:
    assert b"Hello, World!" == send("GET", "/hello").content
    headers = send("GET", "/headers", Accept="text/html", X_Mine="<value>")
    assert "&lt;value&gt;" in headers.content.decode()
    assert 200 == send("GET", "/upstream", Accept="text/html").status
