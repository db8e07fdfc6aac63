"""What a cookie says of itself, and what no cookie does to the parser."""

import re

import pytest

from cost import processor_seconds
from fetching import fetch, make_app
from groundwire import Groundwire, Response, request
from groundwire.http.cookies import parse_cookie


def app_that_sets(profile: str, key: str = "name", **options: object) -> Groundwire:
    app = make_app()
    app.config["SECURITY_PROFILE"] = profile

    @app.route("/")
    def view() -> Response:
        response = Response("x")
        response.set_cookie(key, "v", **options)  # type: ignore[arg-type]
        return response

    @app.route("/cookies")
    def cookies() -> dict[str, list[str]]:
        return {name: request.cookies.getlist(name) for name in request.cookies}

    return app


def test_a_strict_cookie_is_kept_from_scripts_and_other_sites() -> None:
    cookie = fetch(app_that_sets("strict"), "/").headers["Set-Cookie"]

    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # it came over http


def test_flags_that_are_said_are_the_programs() -> None:
    app = app_that_sets("strict", httponly=False, samesite="Strict", path="/a")

    cookie = fetch(app, "/").headers["Set-Cookie"]

    assert {"SameSite=Strict", "Path=/a"} <= set(cookie.split("; "))
    assert "HttpOnly" not in cookie


def test_without_the_profile_a_cookie_is_as_in_flask() -> None:
    assert "name=v; Path=/" == fetch(app_that_sets("flask"), "/").headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("__Host-s", {"secure": True, "domain": "a.example"}),
        ("__Host-s", {"secure": True, "path": "/a"}),
        ("__Host-s", {}),
        ("__Secure-s", {}),
        ("__host-s", {"domain": "a.example"}),
        ("__SECURE-s", {}),
    ],
)
def test_prefixes_keep_their_promise(key: str, options: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Response("x").set_cookie(key, "v", **options)  # type: ignore[arg-type]


def test_a_cookie_with_a_prefix_that_keeps_it() -> None:
    response = Response("x")
    response.set_cookie("__Host-s", "v", secure=True)

    assert "__Host-s=v; Secure; Path=/" == response.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "text",
    [
        "a=1; a=2",
        'a="\\"; b=2',
        'a="' + "\\" * 5000,
        ";" * 8000,
        "=" * 8000,
        "a=b,c=d; e",
        'a="b; c="d"',
        "a" * 8000,
        "a=\xff\xfe; b=1",
        "$Version=1; a=b; $Path=/",
        "\x22" * 8000,
        ", ".join(f"a{i}=b" for i in range(900)),
    ],
)
def test_any_cookie_field_is_read_in_linear_time(text: str) -> None:
    assert processor_seconds(lambda: parse_cookie(text)) < 0.02
    assert 200 == fetch(app_that_sets("flask"), "/cookies", Cookie=text).status


def test_a_cookie_is_one_cookie() -> None:
    """A quoted value may hold what separates others; it must not become several."""
    answer = fetch(app_that_sets("flask"), "/cookies", Cookie='a="x; admin=1"; b=2')

    assert not re.search(rb'"b": *\["1', answer.content)
    assert b'"b"' in answer.content


@pytest.mark.parametrize(
    "text", ["=__Host-s=bad", "==__Host-s=bad", "a=b; =__Host-s=bad", " = __Host-s=bad"]
)
def test_a_value_without_a_name_is_no_cookie_of_another_name(text: str) -> None:
    """CVE-2023-23934: a browser may send what another host has set as ``=__Host-s=bad``."""
    assert "__Host-s" not in parse_cookie(text)
