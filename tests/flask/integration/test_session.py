"""Flask-Session: sessions kept in files, the cookie holding no more than which one."""

from pathlib import Path
from typing import Any

import pytest
from cachelib.file import FileSystemCache
from flask import Flask, flash, get_flashed_messages, session
from flask_session import Session


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = Flask(__name__)
    app.config.update(
        TESTING=True,
        SECRET_KEY="a key of the tests' own",
        SESSION_TYPE="cachelib",
        SESSION_CACHELIB=FileSystemCache(str(tmp_path / "sessions")),
        SESSION_SERIALIZATION_FORMAT="json",
        SESSION_PERMANENT=False,
    )
    Session(app)

    @app.get("/count")
    def count() -> dict[str, int]:
        session["count"] = session.get("count", 0) + 1
        return {"count": session["count"]}

    @app.post("/login/<name>")
    def login(name: str) -> str:
        session["user"] = name
        app.session_interface.regenerate(session)  # type: ignore[attr-defined]
        flash(f"Hello {name}")
        return "in"

    @app.post("/logout")
    def logout() -> str:
        session.clear()
        return "out"

    @app.get("/me")
    def me() -> dict[str, Any]:
        return {"user": session.get("user"), "messages": get_flashed_messages()}

    @app.get("/plain")
    def plain() -> str:
        return "no session"

    return app


def test_a_session_lasts_from_request_to_request(app: Flask) -> None:
    client, other = app.test_client(), app.test_client()

    assert [1, 2, 3] == [client.get("/count").get_json()["count"] for _ in range(3)]
    assert {"count": 1} == other.get("/count").json


def test_the_cookie_holds_an_identifier_and_nothing_else(app: Flask, tmp_path: Path) -> None:
    client = app.test_client()

    answer = client.post("/login/ada")

    cookie = client.get_cookie("session")
    assert cookie is not None
    assert "ada" not in cookie.value
    assert "." not in cookie.value
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert list((tmp_path / "sessions").iterdir())


def test_a_new_identifier_keeps_what_the_session_holds(app: Flask) -> None:
    client = app.test_client()
    client.get("/count")
    before = client.get_cookie("session")
    client.post("/login/ada")
    after = client.get_cookie("session")

    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert {"count": 2} == client.get("/count").json


def test_messages_are_flashed_once(app: Flask) -> None:
    client = app.test_client()
    client.post("/login/ada")

    assert {"user": "ada", "messages": ["Hello ada"]} == client.get("/me").json
    assert {"user": "ada", "messages": []} == client.get("/me").json


def test_a_cleared_session_is_deleted_with_its_cookie(app: Flask) -> None:
    client = app.test_client()
    client.post("/login/ada")

    answer = client.post("/logout")

    assert "session=;" in answer.headers["Set-Cookie"]
    assert client.get_cookie("session") is None
    assert {"user": None, "messages": []} == client.get("/me").json


def test_no_cookie_without_use(app: Flask) -> None:
    answer = app.test_client().get("/plain")

    assert "Set-Cookie" not in answer.headers


def test_a_made_up_identifier_is_an_empty_session(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("session", "made-up")

    assert {"user": None, "messages": []} == client.get("/me").json


def test_a_test_can_open_the_session(app: Flask) -> None:
    client = app.test_client()
    with client.session_transaction() as opened:
        opened["user"] = "grace"

    answer = client.get("/me")

    assert answer.json is not None
    assert "grace" == answer.json["user"]
