"""What SECURITY_PROFILE asks for, and what Flask's own profile leaves alone."""

import warnings
from typing import Any

import pytest

from groundwire import Groundwire, Response, redirect, request
from groundwire.app.security import leads_away, weakness_of_keys
from groundwire.app.start import SetupWarning
from groundwire.server.errors import StartError
from groundwire.server.process import run as serve
from groundwire.server.settings import ServerSettings

GOOD_KEY = "5f352379324c22463451387a0aec5d2f"


def make(profile: str = "strict", **config: Any) -> Groundwire:
    app = Groundwire(__name__)
    app.config.update(SECURITY_PROFILE=profile, **config)

    @app.get("/cookie")
    def cookie() -> Response:
        response = Response("made")
        response.set_cookie("a", "1")
        response.set_cookie("b", "1", secure=False, httponly=False, samesite=None)
        response.set_cookie("c", "1", secure=True, httponly=True, samesite="Strict")
        response.delete_cookie("d")
        return response

    @app.get("/to")
    def to() -> Any:
        return redirect(request.args["url"], allow_external="external" in request.args)

    @app.get("/to/as")
    def to_as() -> Any:
        return redirect(request.args["url"], 302, Response)

    @app.post("/json")
    def decode() -> str:
        return repr(request.get_json())

    return app


# Cookies


@pytest.mark.parametrize(
    ("profile", "base_url", "first"),
    [
        ("flask", "http://localhost", "a=1; Path=/"),
        ("flask", "https://localhost", "a=1; Path=/"),
        ("strict", "http://localhost", "a=1; HttpOnly; Path=/; SameSite=Lax"),
        ("strict", "https://localhost", "a=1; Secure; HttpOnly; Path=/; SameSite=Lax"),
    ],
)
def test_what_a_cookie_is_by_itself(
    profile: str, base_url: str, first: str, kind: dict[str, Any]
) -> None:
    answer = make(profile).test_client(**kind).get("/cookie", base_url=base_url)

    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies[:3] == [first, "b=1; Path=/", "c=1; Secure; HttpOnly; Path=/; SameSite=Strict"]
    assert cookies[3].startswith("d=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/")


def test_a_strict_response_with_a_cookie_is_not_for_caches() -> None:
    assert "Cache-Control" not in make("flask").test_client().get("/cookie").headers
    assert make().test_client().get("/cookie").headers["Cache-Control"] == "no-store"
    with make().app_context():
        response = Response(headers={"Cache-Control": "private, max-age=60"})
        response.set_cookie("a", "1")
    assert response.headers["Cache-Control"] == "private, max-age=60"


def test_outside_of_an_app_a_cookie_is_as_it_was_said() -> None:
    response = Response()
    response.set_cookie("a", "1")

    assert response.headers["Set-Cookie"] == "a=1; Path=/"


def test_a_cookie_set_outside_of_a_request_is_not_secure() -> None:
    with make().app_context():
        response = Response()
        response.set_cookie("a", "1")

    assert response.headers["Set-Cookie"] == "a=1; HttpOnly; Path=/; SameSite=Lax"


# JSON


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_constants_that_are_no_json(text: str, kind: dict[str, Any]) -> None:
    post = {"data": text, "content_type": "application/json"}

    assert make("flask").test_client(**kind).post("/json", **post).status_code == 200
    assert make("strict").test_client(**kind).post("/json", **post).status_code == 400


def test_json_that_is_json_is_read_in_both(kind: dict[str, Any]) -> None:
    for profile in ("flask", "strict"):
        answer = make(profile).test_client(**kind).post("/json", json={"NaN": ["Infinity", 1.5]})
        assert answer.text == "{'NaN': ['Infinity', 1.5]}"


def test_limits_of_a_request_class_stay(kind: dict[str, Any]) -> None:
    from groundwire.app.wrappers import Request
    from groundwire.http.json_limits import JSONLimits

    class Narrow(Request):
        json_limits = JSONLimits(1, constants=False)

    app = make("flask")
    app.request_class = Narrow

    for text in ("[[1]]", "NaN"):
        answer = app.test_client(**kind).post("/json", data=text, content_type="application/json")
        assert answer.status_code == 400


# Redirects


@pytest.mark.parametrize(
    "location",
    [
        "//evil",
        "///evil",
        "/\\evil",
        "\\\\evil",
        "\t//evil",
        "/\t/evil",
        " //evil",
        "\x00//evil",
        "https:evil",
        "http:evil",
        "http:/evil",
        "http:///evil",
        "HTTP://evil",
        "https://evil/x",
        "http://localhost@evil",
        "http://localhost:80@evil/",
        "http://localhost.evil",
        "http://localhost:81",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:ann@example.org",
    ],
)
def test_these_lead_away(location: str) -> None:
    assert leads_away(location, "http", "localhost")


@pytest.mark.parametrize(
    "location",
    [
        *(
            "",
            "/",
            "/a",
            "a",
            "?a=//b",
            "#//b",
            "/a//b",
            "./a:b",
            "/%09/evil",
            "/a?next=https://evil",
        ),
        *(
            "//localhost",
            "//localhost:80/x",
            "http://localhost/",
            "HTTP://LOCALHOST",
            "https://localhost/",
        ),
        *("http://localhost:80#x", "https://localhost:443/"),
    ],
)
def test_these_stay(location: str) -> None:
    assert not leads_away(location, "http", "localhost")


def test_the_way_back_from_https_leads_away() -> None:
    assert leads_away("http://localhost/", "https", "localhost")
    assert not leads_away("https://localhost:8443/", "https", "localhost:8443")


def test_without_a_host_every_absolute_url_leads_away() -> None:
    assert leads_away("http:///x", "http", "")


@pytest.mark.parametrize("path", ["/to", "/to/as"])
def test_a_redirect_to_another_site_is_refused(path: str, kind: dict[str, Any]) -> None:
    app = make("strict", PROPAGATE_EXCEPTIONS=True)
    client = app.test_client(**kind)

    with pytest.raises(ValueError, match="allow_external=True"):
        client.get(path, query_string={"url": "//evil"})
    assert client.get(path, query_string={"url": "/a"}).headers["Location"] == "/a"
    own = {"url": "http://localhost/a"}
    assert client.get(path, query_string=own).headers["Location"] == "http://localhost/a"


def test_a_redirect_to_another_site_may_be_allowed(kind: dict[str, Any]) -> None:
    answer = (
        make().test_client(**kind).get("/to", query_string={"url": "https://e.org/", "external": 1})
    )

    assert answer.headers["Location"] == "https://e.org/"


@pytest.mark.parametrize("path", ["/to", "/to/as"])
def test_in_flasks_profile_a_redirect_leads_anywhere(path: str, kind: dict[str, Any]) -> None:
    answer = make("flask").test_client(**kind).get(path, query_string={"url": "//evil"})

    assert answer.headers["Location"] == "//evil"


def test_a_redirect_outside_of_a_request() -> None:
    assert redirect("https://example.org").headers["Location"] == "https://example.org"
    with make().app_context():
        assert redirect("/a").headers["Location"] == "/a"
        with pytest.raises(ValueError, match="another site"):
            redirect("http://localhost/")


# Keys


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("dev", "documentation"),
        (b"Secret!", "documentation"),
        ("change-me", "documentation"),
        ("192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf", "documentation"),
        ("0123456789abcde", "only 15 bytes"),
        ("x" * 32, "one character repeated"),
    ],
)
def test_weak_keys(key: str | bytes, words: str) -> None:
    weakness = weakness_of_keys([GOOD_KEY, key])

    assert weakness is not None
    assert words in weakness


def test_other_keys_will_do() -> None:
    assert weakness_of_keys([GOOD_KEY, GOOD_KEY.encode(), None, "", "ä" * 8 + "b"]) is None


def test_a_weak_key_keeps_a_strict_app_from_starting(capsys: pytest.CaptureFixture[str]) -> None:
    app = make("strict", SECRET_KEY="dev")

    status = serve(app, ServerSettings(port=0, access_log="off"))

    error = capsys.readouterr().err
    assert status == 2
    assert error.startswith("groundwire: SECRET_KEY stands in documentation")
    assert error.count("\n") == 1


def test_an_old_key_counts_too() -> None:
    with pytest.raises(StartError, match="one of SECRET_KEY_FALLBACKS has only 5 bytes"):
        make("strict", SECRET_KEY=GOOD_KEY, SECRET_KEY_FALLBACKS=["short"]).startup()


@pytest.mark.parametrize("config", [{"DEBUG": True}, {"TESTING": True}, {"SECRET_KEY": GOOD_KEY}])
def test_it_starts_where_that_does_not_matter(config: dict[str, Any]) -> None:
    make("strict", **{"SECRET_KEY": "dev", **config}).startup()


def test_in_flasks_profile_a_weak_key_is_a_warning() -> None:
    with pytest.warns(SetupWarning, match="SECRET_KEY"):
        make("flask", SECRET_KEY="dev").startup()


def test_without_a_key_nothing_is_said() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make("flask").startup()
        make("strict").startup()


def test_another_profile_is_refused() -> None:
    with pytest.raises(StartError, match="'strickt'; choose 'flask' or 'strict'"):
        make("strickt").startup()


# Error pages


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_error_pages_are_not_to_be_sniffed(accept: str, kind: dict[str, Any]) -> None:
    app = make("strict")
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    app.logger.disabled = True
    client = app.test_client(**kind)

    for path in ("/nothing", "/fail", "/json"):
        answer = client.get(path, headers={"Accept": accept})
        assert answer.status_code >= 400
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
