"""Flask-DebugToolbar: a page in debug mode carries the toolbar, everything else stays as it is."""

import re

import pytest
from flask import Flask, redirect, render_template_string, url_for
from flask.typing import ResponseReturnValue
from flask_debugtoolbar import DebugToolbarExtension

PAGE = (
    "<!doctype html><html><head><title>{{ title }}</title></head><body><p>Hello</p></body></html>"
)


def make_app(*, debug: bool) -> Flask:
    app = Flask(__name__)
    app.debug = debug
    app.config.update(SECRET_KEY="a key of the tests' own", DEBUG_TB_INTERCEPT_REDIRECTS=True)
    DebugToolbarExtension(app)

    @app.get("/")
    def page() -> str:
        app.logger.warning("seen by the toolbar")
        return render_template_string(PAGE, title="A page")

    @app.get("/data")
    def data() -> dict[str, int]:
        return {"answer": 42}

    @app.get("/away")
    def away() -> ResponseReturnValue:
        return redirect(url_for("page"))

    return app


@pytest.fixture
def app() -> Flask:
    return make_app(debug=True)


def test_a_page_carries_the_toolbar(app: Flask) -> None:
    answer = app.test_client().get("/")

    assert answer.status_code == 200
    assert "<p>Hello</p>" in answer.text
    assert 'id="flDebug"' in answer.text
    assert answer.content_length == len(answer.data)
    for panel in ("Versions", "Time", "HTTP Headers", "Request Vars", "Templates", "Logging"):
        assert panel in answer.text


def test_panels_show_the_request(app: Flask) -> None:
    answer = app.test_client().get("/?colour=green")

    assert "colour" in answer.text
    assert "green" in answer.text
    assert "seen by the toolbar" in answer.text


def test_the_toolbars_own_files_are_served(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/").text

    files = re.findall(r'(?:src|href)="(/_debug_toolbar/static/[^"]+)"', page)

    assert files
    for file in files:
        assert client.get(file).status_code == 200


def test_json_carries_none(app: Flask) -> None:
    answer = app.test_client().get("/data")

    assert {"answer": 42} == answer.json


def test_a_redirect_is_shown_before_it_is_followed(app: Flask) -> None:
    answer = app.test_client().get("/away")

    assert answer.status_code == 200
    assert 'href="/"' in answer.text


def test_nothing_of_it_without_debug_mode() -> None:
    client = make_app(debug=False).test_client()

    assert "flDebug" not in client.get("/").text
    assert client.get("/away").status_code == 302
