"""What the app adds to requests and responses."""

from typing import Any

import pytest
from werkzeug.test import create_environ

from fetching import fetch, make_app
from groundwire import Request, Response, request
from groundwire.app.wrappers import scopes_of
from groundwire.http.errors import BadRequest


def test_limits_come_from_the_configuration_and_can_be_set() -> None:
    app = make_app()
    app.config.update(MAX_CONTENT_LENGTH=1, MAX_FORM_MEMORY_SIZE=2, MAX_FORM_PARTS=3)

    with app.test_request_context():
        assert (1, 2, 3) == (
            *(request.max_content_length, request.max_form_memory_size, request.max_form_parts),
        )
        request.max_content_length = 4
        request.max_form_memory_size = 5
        request.max_form_parts = 6
        assert (4, 5, 6) == (
            *(request.max_content_length, request.max_form_memory_size, request.max_form_parts),
        )


def test_limits_without_an_app_are_those_of_a_message() -> None:
    alone = Request(create_environ("/"))

    assert (None, 500_000, 1000) == (
        *(alone.max_content_length, alone.max_form_memory_size, alone.max_form_parts),
    )
    assert 4093 == Response().max_cookie_size


def test_cookie_size_comes_from_the_configuration() -> None:
    app = make_app()
    app.config["MAX_COOKIE_SIZE"] = 10

    with app.app_context():
        assert 10 == Response().max_cookie_size


@pytest.mark.parametrize(
    ("endpoint", "blueprint", "blueprints"),
    [
        (None, None, []),
        ("view", None, []),
        ("shop.view", "shop", ["shop"]),
        ("a.b.c.view", "a.b.c", ["a.b.c", "a.b", "a"]),
    ],
)
def test_blueprints_of_a_request(
    endpoint: str | None, blueprint: str | None, blueprints: list[str]
) -> None:
    alone = Request(create_environ("/"))
    if endpoint is not None:
        alone.url_rule = type("Rule", (), {"endpoint": endpoint})()

    assert (endpoint, blueprint, blueprints) == (
        *(alone.endpoint, alone.blueprint, alone.blueprints),
    )


def test_scopes_are_innermost_first() -> None:
    assert ["a.b", "a"] == scopes_of("a.b")


@pytest.mark.parametrize(("debug", "shown"), [(True, True), (False, False)])
def test_reason_of_bad_json_is_shown_in_debug_mode_only(debug: bool, shown: bool) -> None:
    app = make_app()
    app.debug = debug
    reasons: list[Any] = []

    @app.post("/")
    def view() -> str:
        try:
            request.get_json()
        except BadRequest as error:
            reasons.append(error.description)
            raise
        return "x"

    assert 400 == fetch(app, "/", "POST", content=b"{", Content_Type="application/json").status
    assert shown is ("Failed to decode JSON object" in reasons[0])


def test_other_content_is_415_also_outside_of_debug_mode() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: request.get_json(), methods=["POST"])

    assert 415 == fetch(app, "/", "POST", content=b"{}").status
