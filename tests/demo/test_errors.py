import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.demo import create_app

HELLO = {"author": "ann", "text": "Hello"}
UNSAFE = [
    ("POST", "/tweets"),
    ("PUT", "/tweets/1"),
    ("PATCH", "/tweets/1"),
    ("DELETE", "/tweets/1"),
    ("POST", "/tweets/1/delete"),
    ("POST", "/shorten"),
]


# Errors


def test_a_program_gets_problem_details(client: Any) -> None:
    response = client.get("/nothing", headers={"Accept": "application/json"})

    assert (404, "application/problem+json") == (
        response.status_code,
        response.headers["Content-Type"],
    )
    assert ("about:blank", "Not Found", 404) == tuple(
        json.loads(response.data)[member] for member in ("type", "title", "status")
    )
    assert "Accept" in response.vary


def test_more_than_any_field_can_hold_is_refused(client: Any) -> None:
    response = client.post("/tweets", json=HELLO | {"text": "x" * 100_000})

    assert (413, "application/problem+json") == (
        response.status_code,
        response.headers["Content-Type"],
    )


def test_a_browser_gets_a_page(browser: Any) -> None:
    response = browser.get("/nothing")

    assert (404, "text/html; charset=utf-8") == (
        response.status_code,
        response.headers["Content-Type"],
    )
    assert "Not Found" in response.text


def test_an_error_of_the_demo_tells_nothing_of_its_insides(app: Groundwire, browser: Any) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret")

    response = browser.get("/broken")

    assert 500 == response.status_code
    assert "Internal Server Error" in response.text
    assert "secret" not in response.text


def test_a_debugger_shows_more(app: Groundwire, browser: Any) -> None:
    app.debug = True

    assert "/tweets" in browser.get("/nothing").text


# Other sites


@pytest.mark.parametrize(("method", "path"), UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:8001"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://[::1"},
    ],
    ids=repr,
)
def test_what_a_page_of_another_site_sends_is_refused(
    client: Any, method: str, path: str, headers: dict[str, str]
) -> None:
    client.post("/tweets", json=HELLO)
    before = client.get("/tweets").json

    response = client.open(path, method=method, data=HELLO, headers=headers)

    assert 403 == response.status_code
    assert before == client.get("/tweets").json


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
    ],
    ids=repr,
)
def test_what_a_page_of_this_site_sends_is_taken(client: Any, headers: dict[str, str]) -> None:
    assert 201 == client.post("/tweets", data=HELLO, headers=headers).status_code


def test_a_link_of_another_site_may_be_followed(client: Any) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}

    assert 200 == client.get("/tweets", headers=headers).status_code


def test_no_other_site_may_read_an_answer(client: Any) -> None:
    """A script's question whether it may (a CORS preflight) is answered without consent."""
    response = client.options(
        "/tweets",
        headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
    )

    assert not [name for name, _ in response.headers if name.lower().startswith("access-")]


# The database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An SQLite file with a tweet in it."""
    path = tmp_path / "other.sqlite3"
    app = create_app(f"sqlite:///{path}")
    app.test_client().post("/tweets", json=HELLO)
    app.extensions["database"].engine.dispose()
    return path


@pytest.mark.parametrize(("method", "target"), UNSAFE)
def test_a_database_that_stays_locked_is_503(path: Path, method: str, target: str) -> None:
    app = create_app(f"sqlite:///{path}?timeout=0.05")
    client = app.test_client()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    content = HELLO | {"url": "http://example.com/"}

    response = client.open(target, method=method, json=content)
    beside = client.get("/tweets")
    writer.execute("ROLLBACK")
    again = client.open(target, method=method, json=content)
    writer.close()
    app.extensions["database"].engine.dispose()

    assert (503, "application/problem+json") == (
        response.status_code,
        response.headers["Content-Type"],
    )
    assert "5" == response.headers["Retry-After"]
    assert "locked" not in response.text, "what the database says is for the log"
    assert 200 == beside.status_code, "readers go on beside a writer"
    assert again.status_code in (200, 201, 204, 303)


def test_a_database_that_may_only_be_read_is_read(path: Path) -> None:
    app = create_app(f"sqlite:///file:{path}?mode=ro&uri=true")
    client = app.test_client()

    assert "Hello" == client.get("/tweets/1").json["text"]
    assert [503] * len(UNSAFE) == [
        client.open(target, method=method, json=HELLO | {"url": "http://example.com/"}).status_code
        for method, target in UNSAFE
    ]
    app.extensions["database"].engine.dispose()


def test_a_database_whose_tables_are_gone_is_503(path: Path) -> None:
    app = create_app(f"sqlite:///{path}")
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE tweets")
    other.close()

    assert 503 == app.test_client().get("/tweets").status_code
    app.extensions["database"].engine.dispose()
