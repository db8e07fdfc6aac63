from pathlib import Path
from typing import Any

import pytest

import groundwire.demo
from groundwire.inspector.explaining.notes import CUSTOM_FIELD, REQUEST_FIELDS

INDEX = Path(groundwire.demo.__file__).parent / "static" / "index.html"
PAGES = ["/", "/tweets", "/tweets/1", "/shorten", "/headers", "/nothing"]


# The file


def test_the_start_page_is_the_file(client: Any) -> None:
    response = client.get("/")

    assert (200, INDEX.read_bytes()) == (response.status_code, response.data)
    assert "text/html; charset=utf-8" == response.headers["Content-Type"]
    assert "bytes" == response.headers["Accept-Ranges"]
    assert {"ETag", "Last-Modified"} <= set(response.headers.keys())


@pytest.mark.parametrize(
    ("field", "of"), [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")]
)
def test_who_has_the_file_gets_304(client: Any, field: str, of: str) -> None:
    first = client.get("/")

    second = client.get("/", headers={field: first.headers[of]})

    assert (304, b"") == (second.status_code, second.data)
    assert first.headers["ETag"] == second.headers["ETag"]
    assert 200 == client.get("/", headers={"If-None-Match": '"other"'}).status_code


def test_a_part_of_the_file_can_be_had(client: Any) -> None:
    size = INDEX.stat().st_size

    part = client.get("/", headers={"Range": "bytes=0-14"})
    end = client.get("/", headers={"Range": "bytes=-8"})
    beyond = client.get("/", headers={"Range": f"bytes={size}-"})

    assert (206, b"<!doctype html>") == (part.status_code, part.data)
    assert f"bytes 0-14/{size}" == part.headers["Content-Range"]
    assert (206, b"</html>\n") == (end.status_code, end.data)
    assert (416, f"bytes */{size}") == (beyond.status_code, beyond.headers["Content-Range"])


def test_a_download_goes_on_only_while_the_file_is_the_same(client: Any) -> None:
    etag = client.get("/").headers["ETag"]

    same = client.get("/", headers={"Range": "bytes=15-", "If-Range": etag})
    other = client.get("/", headers={"Range": "bytes=15-", "If-Range": '"other"'})

    assert (206, INDEX.read_bytes()[15:]) == (same.status_code, same.data)
    assert (200, INDEX.read_bytes()) == (other.status_code, other.data)


def test_nothing_but_the_static_files_can_be_had(client: Any) -> None:
    assert 200 == client.get("/static/style.css").status_code
    for path in (
        "/static/../application.py",
        "/static/%2e%2e/application.py",
        "/static/..%2fapplication.py",
        "/static/nothing",
        "/static/",
    ):
        assert 404 == client.get(path).status_code


# The greeting


def test_hello(client: Any) -> None:
    response = client.get("/hello")

    assert (200, "Hello, World!") == (response.status_code, response.text)


# The headers


def test_every_header_is_shown_with_a_sentence(browser: Any) -> None:
    page = browser.get(
        "/headers?a=b",
        headers={"User-Agent": "test/1", "X-Custom": "<b>bold</b>", "Cookie": "secret=1"},
    ).text

    for shown in (
        "GET",
        "/headers?a=b",
        "HTTP/1.1",
        "User-Agent",
        "test/1",
        sentence(REQUEST_FIELDS["user-agent"].text),
        "X-Custom",
        "&lt;b&gt;bold&lt;/b&gt;",
        sentence(CUSTOM_FIELD.text).replace("'", "&#39;"),
        "Cookie",
        "secret=1",
        "Host",
        "Accept",
    ):
        assert shown in page
    assert "<b>" not in page


def sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}."


def test_headers_are_kept_by_nobody(client: Any) -> None:
    """Cookies and credentials are among them."""
    assert "no-store" == client.get("/headers").headers["Cache-Control"]


def test_a_header_may_have_any_octets(client: Any) -> None:
    response = client.get("/headers", headers={"X-Latin": "caf\xe9", "X-Empty": ""})

    assert 200 == response.status_code
    assert "caf\xe9" in response.text


# All pages


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_nobody_else_for_anything(browser: Any, path: str) -> None:
    browser.post("/tweets", data={"author": "ann", "text": "Hello"})
    page = browser.get(path)

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "nosniff" == page.headers["X-Content-Type-Options"]
    for outside in ('src="http', 'href="http', "<script", " style=", " onclick="):
        assert outside not in page.text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_its_language_and_title(browser: Any, path: str) -> None:
    browser.post("/tweets", data={"author": "ann", "text": "Hello"})
    page = browser.get(path).text

    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert page.count("<h1>") == page.count("<main>") == page.count("<title>") == 1
    for field in ("author", "text", "url"):
        assert (f'id="{field}"' in page) == (f'<label for="{field}">' in page)
