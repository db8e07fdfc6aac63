"""An error page tells a stranger nothing, and runs nothing of his."""

import re

import pytest

from fetching import make_app
from groundwire import Groundwire, abort, request
from serving import running_server

SCRIPT = "<script>alert(1)</script>"
SECRET = "S3CR3T"


def failing_app(**config: object) -> Groundwire:
    app = make_app()
    app.config.update(config)

    @app.route("/fail")
    def fail() -> str:
        password, harmless = SECRET, SCRIPT
        raise RuntimeError(f"{harmless} failed in a place with a password" if password else "")

    @app.route("/fail/<path:rest>")
    def fail_there(rest: str) -> str:
        raise ValueError(f"{rest} {request.host} {request.user_agent.string}")

    @app.route("/deep")
    def deep() -> str:
        return str({}[SCRIPT])

    @app.route("/abort")
    def stop() -> str:
        abort(400, SCRIPT)

    @app.route("/only", methods=["PUT"])
    def only() -> str:
        return ""

    return app


def page(
    app: Groundwire, target: str, *fields: str, host: str = "localhost", method: str = "GET"
) -> bytes:
    with running_server(app) as served:
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {host}",
            *fields,
            "Connection: close",
            "",
            "",
        ]
        return served.exchange("\r\n".join(lines).encode("latin-1"))


def test_production_tells_nothing_of_an_exception() -> None:
    raw = page(failing_app(), "/fail")

    head, _, content = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"Internal Server Error" in content
    for told in (
        b"Traceback",
        b"RuntimeError",
        b".py",
        b"/home",
        b"site-packages",
        b"script",
        SECRET.encode(),
        b"line ",
    ):
        assert told not in raw


@pytest.mark.parametrize("target", ["/", "/fail", "/none", "/only", "/abort", "bad target"])
@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_no_answer_carries_a_version(target: str, accept: str) -> None:
    raw = page(failing_app(), target, f"Accept: {accept}")

    assert re.findall(rb"(?i)\r\nserver: ([^\r]*)", raw) == [b"groundwire"]
    assert not re.search(rb"(?i)python|0\.1\.0|cpython|uvloop|x-powered-by|werkzeug", raw)


def test_without_debug_a_404_lists_no_routes() -> None:
    raw = page(failing_app(), "/none")

    for told in (b"/fail", b"/deep", b"/only", b"<path:", b"PUT"):
        assert told not in raw


def test_what_a_program_says_of_an_error_is_escaped() -> None:
    raw = page(failing_app(), "/abort")

    assert raw.startswith(b"HTTP/1.1 400 ")
    assert b"<script" not in raw
    assert b"&lt;script&gt;" in raw


def test_pages_say_what_they_are() -> None:
    """A browser must not guess: what is text might else be a page."""
    for target in ("/fail", "/none", "/abort", "/only", "bad target"):
        raw = page(failing_app(), target)
        assert b"\r\nX-Content-Type-Options: nosniff\r\n" in raw, target


def test_errors_for_programs_are_problem_documents() -> None:
    for target in ("/fail", "/none", "/abort"):
        raw = page(failing_app(), target, "Accept: application/json")
        head, _, content = raw.partition(b"\r\n\r\n")
        assert b"Content-Type: application/problem+json" in head
        assert b"nosniff" in head
        assert b"<script" not in content or b'"' in content


def test_a_refusal_says_nothing_that_was_sent() -> None:
    raw = page(failing_app(), f"/{SCRIPT} x")

    assert raw.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Type: text/plain" in raw
    assert b"<script" not in raw


# Debug mode.


def debugged(app: Groundwire) -> Groundwire:
    app.debug = True
    return app


HOSTILE = [
    ("/fail", ()),
    ("/deep", ()),
    ("/fail/%3csvg%20onload=1%3e", ()),
    ("/%3csvg%20onload=1%3e", ()),
    ("/none?q=%3cscript%3ealert(1)%3c/script%3e", ()),
    ("/none?<script>", (f"User-Agent: {SCRIPT}", f"X-Evil: {SCRIPT}", f"Referer: {SCRIPT}")),
    ("/fail/x", (f"User-Agent: {SCRIPT}", 'X-Quote: " onmouseover="alert(1)')),
]


@pytest.mark.parametrize(("target", "fields"), HOSTILE)
def test_a_debug_page_escapes_everything(target: str, fields: tuple[str, ...]) -> None:
    raw = page(debugged(failing_app()), target, *fields)

    head, _, content = raw.partition(b"\r\n\r\n")
    assert head[9:12] in (b"500", b"404", b"400")
    assert not re.search(rb"(?i)<script|<svg|<img|<iframe|javascript:", content)
    assert not re.search(rb"(?i)<[^>]*\son\w+=", content)
    if b"<style>" in content:
        assert b"\r\nContent-Security-Policy: default-src 'none'" in head
        assert b"\r\nX-Content-Type-Options: nosniff" in head


def test_a_debug_page_shows_the_place_but_no_values() -> None:
    raw = page(
        debugged(failing_app()),
        "/fail?token=" + SECRET,
        f"Authorization: {SECRET}",
        f"Cookie: a={SECRET}",
    )

    assert b"RuntimeError" in raw
    assert b"fail" in raw
    assert SECRET.encode() not in raw


@pytest.mark.parametrize(
    "host", ["evil.example", "192.0.2.1", "localhost.evil.example", "127.0.0.1.nip.example"]
)
def test_a_debug_page_is_not_shown_under_another_name(host: str) -> None:
    """A page of another site, whose name was made to lead here, must not read it."""
    raw = page(debugged(failing_app()), "/fail", host=host)

    assert b"Traceback" not in raw
    assert b"RuntimeError" not in raw
    assert b".py" not in raw


def test_a_debug_page_is_not_shown_through_a_proxy() -> None:
    raw = page(debugged(failing_app()), "/fail", "X-Forwarded-For: 192.0.2.1")

    assert b"RuntimeError" not in raw


def test_there_is_nothing_to_talk_to() -> None:
    raw = page(debugged(failing_app()), "/fail?__debugger__=yes&cmd=1%2b1&frm=0&s=x")

    assert not re.search(rb"(?i)<form|<input|<button|console|eval\(", raw)
