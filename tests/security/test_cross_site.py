"""Requests that pages of other sites have browsers send (CSRF)."""

from typing import Any

import pytest

from fetching import fetch
from groundwire import Groundwire, request

STRICT = {"SECURITY_PROFILE": "strict"}


def shop(**config: Any) -> Groundwire:
    app = Groundwire(__name__)
    app.config.update(STRICT | config)

    @app.route("/basket", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def basket() -> str:
        return request.method

    @app.post("/hook", cross_site=True)
    def hook() -> str:
        return "taken"

    @app.post("/articles/<int:number>")
    def article(number: int) -> str:
        return str(number)

    return app


def status(app: Groundwire, method: str = "POST", path: str = "/basket", **fields: str) -> int:
    return fetch(app, path, method, **fields).status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://example.com.evil.example"},
        {"Origin": "http://evil-example.com"},
        {"Origin": "http://example.com:444"},
        {"Origin": "example.com"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "same-origin, cross-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://example.com"},
    ],
    ids=str,
)
def test_another_sites_page_changes_nothing(method: str, fields: dict[str, str]) -> None:
    answer = fetch(shop(), "/basket", method, **fields)

    assert 403 == answer.status
    assert b"another site" in answer.content


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Origin": "http://example.com"},
        {"Origin": "HTTP://EXAMPLE.COM"},
        {"Origin": "https://example.com"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://example.com"},
    ],
    ids=str,
)
def test_this_sites_pages_and_programs_are_served(fields: dict[str, str]) -> None:
    app = shop()

    # Twice, because the second request finds its plan by its path alone.
    assert [200, 200] == [status(app, **fields), status(app, **fields)]


def test_the_second_request_is_looked_at_too() -> None:
    app = shop()

    assert 200 == status(app)
    assert 200 == status(app, "GET")
    assert 403 == status(app, Origin="https://evil.example")


def test_rules_with_parameters_are_looked_at() -> None:
    assert 403 == status(shop(), path="/articles/1", Origin="https://evil.example")
    assert 200 == status(shop(), path="/articles/1", Origin="http://example.com")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_links_from_elsewhere_work(method: str) -> None:
    assert 200 == status(shop(), method, Sec_Fetch_Site="cross-site", Origin="https://a.example")


def test_a_route_may_be_open_to_all() -> None:
    assert 200 == status(shop(), path="/hook", Origin="https://evil.example")


def test_trusted_origins_may_send_anything() -> None:
    app = shop(CSRF_TRUSTED_ORIGINS=["https://Accounts.example/"])

    assert 200 == status(app, Origin="https://accounts.example", Sec_Fetch_Site="cross-site")
    assert 403 == status(app, Origin="http://accounts.example", Sec_Fetch_Site="cross-site")


def test_trusted_origins_are_a_list() -> None:
    app = shop(CSRF_TRUSTED_ORIGINS="https://accounts.example")

    with pytest.raises(TypeError, match="make it a list"):
        app.test_client().post("/basket")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"SECURITY_PROFILE": "flask"}, 200),
        ({"SECURITY_PROFILE": "flask", "CSRF_PROTECTION": True}, 403),
        ({"CSRF_PROTECTION": False}, 200),
    ],
    ids=str,
)
def test_the_configuration_decides(config: dict[str, Any], expected: int) -> None:
    assert expected == status(shop(**config), Origin="https://evil.example")


def test_a_path_without_a_rule_is_not_found_as_ever() -> None:
    assert 404 == status(shop(), path="/nothing", Origin="https://evil.example")


def test_an_error_handler_may_word_it() -> None:
    app = shop()

    @app.errorhandler(403)
    def forbidden(error: Any) -> tuple[str, int]:
        return "Not from there.", 403

    assert b"Not from there." == fetch(app, "/basket", "POST", Origin="https://x.example").content


def test_a_websocket_of_another_sites_page_is_not_opened() -> None:
    app = shop()
    app.add_url_rule("/chat", "chat", lambda: "", websocket=True)
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    assert 403 == status(app, "GET", "/chat", Origin="https://evil.example", **handshake)
    assert 403 != status(app, "GET", "/chat", Origin="http://example.com", **handshake)
