from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import sqlalchemy as sql

from groundwire.demo.schema import links
from serving import Served

URL = "https://example.com/a/b?c=d#e"


def shorten(client: Any, url: str = URL) -> str:
    response = client.post("/shorten", json={"url": url})
    assert 201 == response.status_code
    return response.json["short_url"]


@pytest.mark.parametrize("way", ["json", "data"])
def test_a_url_gets_a_short_one(client: Any, way: str) -> None:
    response = client.post("/shorten", **{way: {"url": URL}})

    assert 201 == response.status_code
    assert ["short_url"] == list(response.json)
    assert response.json["short_url"].startswith("http://localhost/r/")
    assert response.json["short_url"] == response.headers["Location"]


def test_the_short_url_leads_to_the_long_one(client: Any) -> None:
    response = client.get(shorten(client))

    assert (301, URL) == (response.status_code, response.headers["Location"])
    assert "no-store" == response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://example.com", "http://example.com"),
        ("HTTP://EXAMPLE.COM/A", "HTTP://EXAMPLE.COM/A"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("http://a:b@example.com/", "http://a:b@example.com/"),
        ("  https://example.com/\n", "https://example.com/"),
        ("https://example.com/%2e%2e/%", "https://example.com/%2e%2e/%"),
        ("https://example.com/ü?q=ü", "https://example.com/%C3%BC?q=%C3%BC"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.com/" + "x" * 1980, "https://example.com/" + "x" * 1980),
    ],
)
def test_a_location_is_a_url_whatever_was_given(client: Any, url: str, location: str) -> None:
    assert location.lower() == client.get(shorten(client, url)).headers["Location"].lower()


def test_the_same_url_has_the_same_code(client: Any) -> None:
    assert shorten(client) == shorten(client)
    assert shorten(client) != shorten(client, f"{URL}f")


def test_the_same_url_has_the_same_code_for_all_who_ask_at_once(served: Served) -> None:
    def ask(number: int) -> tuple[str, str]:
        url = f"http://example.com/{number % 4}"
        answer = httpx.post(f"{served.url}/shorten", json={"url": url}, trust_env=False)
        assert 201 == answer.status_code, answer.text
        return url, answer.json()["short_url"]

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(32)))

    assert 4 == len(answers)


def test_another_request_that_stores_the_url_first_gives_its_code(
    app: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL is looked for, another request stores it, and then this one tries to."""
    codes = iter(["taken", "mine"])
    database = app.extensions["database"]

    def code(_bytes: int) -> str:
        with database.engine.begin() as connection:
            if (chosen := next(codes)) == "taken":
                connection.execute(
                    sql.insert(links).values(code="theirs", url=URL, visits=0),
                )
        return chosen

    monkeypatch.setattr("groundwire.demo.database.secrets.token_urlsafe", code)

    assert "http://localhost/r/theirs" == shorten(client)


def test_a_code_that_is_taken_is_not_given_again(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["same", "same", "other"])
    monkeypatch.setattr(
        "groundwire.demo.database.secrets.token_urlsafe", lambda _bytes: next(codes)
    )

    assert [f"http://localhost/r/{code}" for code in ("same", "other")] == [
        shorten(client, url) for url in ("http://a.example/", "http://b.example/")
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "is missing"),
        ({"url": None}, "is missing"),
        ({"url": ""}, "must not be empty"),
        ({"url": "  "}, "must not be empty"),
        ({"url": 1}, "must be text"),
        ({"url": ["http://example.com/"]}, "must be text"),
        ({"url": "example.com"}, "must be a whole URL that begins with http:// or https://"),
        ({"url": "ftp://example.com/"}, "must be a whole URL that begins with http:// or https://"),
        ({"url": "javascript:alert(1)"}, "must be a whole URL"),
        ({"url": "data:text/html,x"}, "must be a whole URL"),
        ({"url": "//example.com/"}, "must be a whole URL"),
        ({"url": "http://"}, "must be a whole URL"),
        ({"url": "http:///path"}, "must be a whole URL"),
        ({"url": "http://[::1"}, "must be a whole URL"),
        ({"url": "http://example.com:99999/"}, "must be a whole URL"),
        ({"url": "http://example.com:x/"}, "must be a whole URL"),
        ({"url": "http://example.com/\r\nSet-Cookie: a=b"}, "do not belong in a URL"),
        ({"url": "http://exa\tmple.com/"}, "do not belong in a URL"),
        ({"url": "http://example.com\\@evil.example/"}, "do not belong in a URL"),
        ({"url": "http://example.com/\u202e"}, "do not belong in a URL"),
        ({"url": "http://example.com/\ud800"}, "cannot be stored"),
        ({"url": "http://example.com/" + "x" * 2000}, "at most 2000 are allowed"),
        ({"url": "http://example.com/" + "中" * 1000}, "at most 2500 are allowed"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_url_is_refused(client: Any, fields: dict[str, Any], message: str) -> None:
    response = client.post("/shorten", json=fields)

    assert (400, "application/problem+json") == (
        response.status_code,
        response.headers["Content-Type"],
    )
    assert ["url"] == list(response.json["errors"])
    assert message in response.json["errors"]["url"]


@pytest.mark.parametrize(
    "path", ["/r/nothing", "/r/", "/r/a/b", "/r/%00", "/r/%ff", "/r/%E2%80%AE"]
)
def test_an_unknown_code_is_not_found(client: Any, path: str) -> None:
    assert 404 == client.get(path).status_code


def test_visits_are_counted(app: Any, client: Any, browser: Any) -> None:
    short_url = shorten(client)
    for _ in range(3):
        client.get(short_url)

    assert "followed 3 times" in browser.post("/shorten", data={"url": URL}).text


def test_no_visit_is_lost_when_many_come_at_once(served: Served, app: Any) -> None:
    code = app.extensions["database"].shorten(URL).code

    def follow(_number: int) -> int:
        return httpx.get(f"{served.url}/r/{code}", trust_env=False).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(follow, range(24)))

    assert [301] * 24 == statuses
    assert 24 == app.extensions["database"].shorten(URL).visits


def test_a_browser_gets_a_page_with_the_short_url(browser: Any) -> None:
    response = browser.post("/shorten", data={"url": "https://example.com/?<b>=1&c=2"})

    short_url = response.headers["Location"]
    assert 201 == response.status_code
    assert f'<a href="{short_url}">' in response.text
    assert "https://example.com/?&lt;b&gt;=1&amp;c=2" in response.text


def test_a_browser_gets_the_form_again_with_the_message_and_what_was_written(browser: Any) -> None:
    response = browser.post("/shorten", data={"url": 'ftp://"x"'})

    assert 400 == response.status_code
    assert 'value="ftp://&#34;x&#34;"' in response.text
    assert "must be a whole URL" in response.text


def test_the_form_is_at_the_same_url(browser: Any) -> None:
    assert '<form class="panel" method="post" action="/shorten"' in browser.get("/shorten").text
