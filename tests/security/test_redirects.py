"""Where a redirect leads is the program's choice, never a stranger's (CWE-601)."""

import http.client
from urllib.parse import urljoin, urlsplit

import pytest

from fetching import fetch, make_app
from groundwire import Groundwire, redirect, request
from groundwire.http.urls import safe_next
from serving import SECONDS, running_server

ELSEWHERE = [
    "//evil.example",
    "//evil.example/",
    "//evil.example/%2e%2e",
    "//evil.example/..",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/%0a/evil.example",
    "/%0d/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    ".evil.example",
    "/\x00/evil.example",
    "/\u2028/evil.example",
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_safe_next_refuses_what_some_browser_takes_for_another_origin(target: str) -> None:
    chosen = safe_next(target, "/fallback")

    if chosen != "/fallback":  # then it is a path, however it is read
        assert urlsplit(urljoin("http://site.example/login", chosen)).netloc == "site.example"
        assert chosen.startswith("/")
        assert not chosen.startswith(("//", "/\\"))
    assert "evil" not in urlsplit(urljoin("http://site.example/", chosen.replace("\\", "/"))).netloc


@pytest.mark.parametrize("target", ELSEWHERE[:11] + ELSEWHERE[12:22])
def test_safe_next_falls_back(target: str) -> None:
    assert "/fallback" == safe_next(target, "/fallback")


@pytest.mark.parametrize("target", ["/", "/account", "/a/b?c=d&e=//f#g", "/search?q=https://x/"])
def test_safe_next_keeps_paths_of_this_site(target: str) -> None:
    assert target == safe_next(target)


def branching_app() -> Groundwire:
    app = make_app()

    @app.route("/folder/")
    def folder() -> str:
        return "folder"

    @app.route("/<name>/")
    def anything(name: str) -> str:
        return name

    @app.route("/<path:rest>/end/")
    def deep(rest: str) -> str:
        return rest

    @app.route("/go")
    def go() -> object:
        return redirect(request.args["to"])

    return app


TARGETS = [
    "//evil.example",
    "//evil.example/",
    "///evil.example",
    "//evil.example/x/end",
    "/\\evil.example",
    "/%5cevil.example",
    "/%2fevil.example",
    "/%2f%2fevil.example",
    "/%09/evil.example/end",
    "/%0d%0aX-Inj:%201",
    "/%0d%0a%0d%0a%3cscript%3e",
    "/%e2%80%a8evil",
    "//evil.example//x//end",
    "/folder//",
    "//folder",
    "/.//evil.example/end",
    "/..//evil.example/end",
    "/%2e%2e//evil.example/end",
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("host", ["site.example", "site.example:8000"])
def test_the_slash_redirect_stays_on_this_site(target: str, host: str) -> None:
    with running_server(branching_app()) as served:
        raw = served.exchange(
            f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )

    assert b"\r\nX-Inj" not in raw
    head = raw.partition(b"\r\n\r\n")[0].decode("latin-1")
    for line in head.split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "location":
            assert urlsplit(urljoin(f"http://{host}/", value)).netloc == host
            assert not value.startswith(("//", "/\\"))
            assert value.isascii()
            assert value.isprintable()


def test_the_slash_redirect_keeps_the_query_and_escapes_it() -> None:
    answer = fetch(branching_app(), "/folder?a=%0d%0aX-Inj:1&b=//evil.example")

    assert 308 == answer.status
    assert "/folder/?a=%0d%0aX-Inj:1&b=//evil.example" in answer.headers["Location"].replace(
        "%0D%0A", "%0d%0a"
    )


@pytest.mark.parametrize(
    "to", ["/here%0d%0aX-Inj:%201", "/here%0aX-Inj:%201", "%0d%0a%0d%0a<script>", "/a%00b"]
)
def test_a_redirect_to_a_parameter_splits_nothing(to: str) -> None:
    answer = fetch(branching_app(), f"/go?to={to}")

    assert "X-Inj" not in answer.headers
    if answer.status == 302:
        assert answer.headers["Location"].isprintable()


def test_the_page_of_a_redirect_is_escaped() -> None:
    answer = fetch(branching_app(), '/go?to=/"><script>alert(1)</script>')

    assert b"<script" not in answer.content


def test_a_client_that_follows_ends_on_this_site() -> None:
    with running_server(branching_app()) as served:
        connection = http.client.HTTPConnection(*served, timeout=SECONDS)
        connection.request("GET", "//evil.example")
        response = connection.getresponse()
        response.read()
        location = response.headers["Location"]
        assert urlsplit(urljoin(served.url, location)).netloc == f"{served.host}:{served.port}"
        connection.request("GET", urlsplit(location).path)
        assert 200 == connection.getresponse().status
        connection.close()
