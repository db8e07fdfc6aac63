"""What debug mode shows, to whom, and that nobody is shown anything otherwise."""

import json
import linecache
import logging
from pathlib import Path
from typing import Any

import pytest

from groundwire import Groundwire, abort
from groundwire.app import debug_pages, debug_traceback
from groundwire.app.debug_traceback import MAX_ERRORS, MAX_FRAMES, frames_of, is_of_program, related
from groundwire.app.masking import masked_field, masked_passwords, masked_query
from wire import Wire

SECRET = "S3CR3T"
SCRIPT = "<script>alert(1)</script>"


class Failure(Exception):
    """Something of the program's own."""


@pytest.fixture
def app(caplog: pytest.LogCaptureFixture) -> Groundwire:
    caplog.set_level(logging.CRITICAL)
    app = Groundwire(__name__)
    app.debug = True
    app.config["INLINE"] = "always"

    @app.get("/fail")
    def fail() -> str:
        raise Failure(f"it failed {SCRIPT}")

    @app.get("/users/<int:user_id>")
    def user(user_id: int) -> str:
        return str(user_id)

    @app.post("/tweets")
    def tweets() -> str:
        return "made"

    @app.get("/none")
    def none() -> str:
        abort(404)

    return app


def ask(
    app: Any, target: str = "/fail", *lines: str, host: str = "localhost:8000", method: str = "GET"
) -> Any:
    """Send one request over a connection in memory, and return its answer."""
    with Wire(app) as wire:
        head = "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", ""])
        wire.send(head.encode("latin-1")).until_idle()
        return wire.answers(method)[0]


# Who is shown them


def test_an_error_is_shown_with_its_source(app: Groundwire) -> None:
    answer = ask(app)

    page = answer.content.decode()
    assert answer.status == 500
    assert "test_debug_pages.Failure</h1>" in page
    assert "raise Failure(" in page
    assert "<b>app.&lt;locals&gt;.fail</b>" in page


def test_the_page_may_load_nothing_and_run_nothing(app: Groundwire) -> None:
    headers = ask(app).headers

    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("target", ["/fail", "/nothing", "/users/x"])
def test_outside_debug_mode_nothing_of_it_is_shown(app: Groundwire, target: str) -> None:
    app.debug = False
    for accept in ("text/html", "application/json"):
        text = ask(app, target, f"Accept: {accept}").content.decode()
        for word in (
            "Failure",
            "it failed",
            "fail",
            "users",
            "tweets",
            ".py",
            "Traceback",
            "debug",
        ):
            assert word not in text


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "app.localhost", "127.0.0.1", "127.8.8.8:80", "[::1]:80"],
)
def test_names_of_this_machine_are_shown_it(app: Groundwire, host: str) -> None:
    assert b"Failure" in ask(app, host=host).content


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.1",
        "[2001:db8::1]",
    ],
)
def test_a_name_that_was_made_to_resolve_to_this_machine_is_not(app: Groundwire, host: str) -> None:
    for target in ("/fail", "/nothing"):
        for accept in ("text/html", "application/json"):
            answer = ask(app, target, f"Accept: {accept}", host=host)
            assert b"Failure" not in answer.content
            assert b"tweets" not in answer.content


@pytest.mark.parametrize("end", ["local", "peer"])
def test_another_address_than_loopback_is_not(app: Groundwire, end: str) -> None:
    with Wire(app) as wire:
        setattr(wire.connection, end, ("192.0.2.1", 8000))
        wire.send(b"GET /fail HTTP/1.1\r\nHost: localhost\r\n\r\n").until_idle()
        assert wire.answers()[0].status == 500
        assert b"Failure" not in wire.raw


@pytest.mark.parametrize("address", [("::1", 1), ("::ffff:127.0.0.1", 1), ""])
def test_other_forms_of_loopback_are(app: Groundwire, address: Any) -> None:
    with Wire(app) as wire:
        wire.connection.peer = wire.connection.local = address
        wire.send(b"GET /fail HTTP/1.1\r\nHost: localhost\r\n\r\n").until_idle()
        assert b"Failure" in wire.raw


def test_a_name_in_the_place_of_an_address_is_not(app: Groundwire) -> None:
    with Wire(app) as wire:
        wire.connection.local = ("not an address", 80)
        wire.send(b"GET /fail HTTP/1.1\r\nHost: localhost\r\n\r\n").until_idle()
        assert b"Failure" not in wire.raw


@pytest.mark.parametrize(
    "line",
    ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 proxy", "X-Real-IP: x"],
)
def test_clients_of_a_proxy_are_not(app: Groundwire, line: str) -> None:
    assert b"Failure" not in ask(app, "/fail", line).content


def test_wsgi_servers_have_a_debugger_of_their_own(app: Groundwire) -> None:
    with app.test_request_context("/fail") as context:
        assert not debug_pages.is_shown_to(context.request)
    with pytest.raises(Failure):
        app({**app.test_request_context("/fail").request.environ}, lambda *_: None)  # type: ignore[arg-type]


# Errors


def test_what_prefers_json_gets_a_problem_that_names_the_error(app: Groundwire) -> None:
    answer = ask(app, "/fail", "Accept: application/json")

    problem = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert problem["detail"].endswith(f"Failure: it failed {SCRIPT}")
    assert problem["status"] == answer.status == 500


def test_a_handler_of_the_class_goes_before_the_page(app: Groundwire) -> None:
    app.register_error_handler(Failure, lambda error: ("mine", 500))

    assert ask(app).content == b"mine"


def test_where_exceptions_are_not_propagated_a_handler_of_500_goes_before_it(
    app: Groundwire,
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert b"Failure" in ask(app).content

    app._got_first_request = False
    app.register_error_handler(500, lambda error: ("mine", 500))
    assert ask(app).content == b"mine"


def test_the_page_is_for_what_was_raised_not_for_a_500_that_was_meant(app: Groundwire) -> None:
    app.view_functions["fail"] = lambda: abort(500)

    assert b"<h1>Internal Server Error</h1>" in ask(app).content


def test_a_view_in_a_thread_and_a_coroutine_are_shown_too(app: Groundwire) -> None:
    async def fail() -> str:
        raise Failure("later")

    app.view_functions["fail"] = fail
    assert b"later" in ask(app).content
    app.config["INLINE"] = "never"
    app.view_functions["fail"] = lambda: 1 / 0
    assert b"<h1>ZeroDivisionError</h1>" in ask(app).content


def test_a_page_that_cannot_be_made_leaves_the_usual_one(
    app: Groundwire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("no page")

    monkeypatch.setattr(debug_pages, "traceback_page", fail)

    assert b"<h1>Internal Server Error</h1>" in ask(app).content


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ("/fail?<svg onload=1>".replace(" ", "%20"), ()),
        ("/fail", (f"X-Odd: {SCRIPT}",)),
        ("/fail", ("X-'Odd&: 1",)),
        ("/fail", (f"User-Agent: {SCRIPT}",)),
    ],
)
def test_everything_from_outside_is_escaped(
    app: Groundwire, target: str, lines: tuple[str, ...]
) -> None:
    page = ask(app, target, *lines).content

    assert b"<script" not in page
    assert b"<svg" not in page
    assert b"X-'Odd&:" not in page


def test_secrets_are_hidden_by_their_names(app: Groundwire) -> None:
    answer = ask(
        app,
        f"/fail?token={SECRET}&page=2&pass%77ord={SECRET}",
        f"Authorization: Basic {SECRET}",
        f"Cookie: session={SECRET}",
        f"Proxy-Authorization: {SECRET}",
        f"X-Api-Key: {SECRET}",
        f"X-CSRF-Token: {SECRET}",
        f"Referer: http://localhost/?api_key={SECRET}&page=3",
    )

    page = answer.content.decode()
    assert [line for line in page.splitlines() if SECRET in line] == []
    assert "page=2" in page
    assert "page=3" in page


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("/?a=1&token=x", "/?a=1&token=(hidden)"),
        ("token=x", "token=(hidden)"),
        ("/?author=x&keyword=y&q", "/?author=x&keyword=y&q"),
        ("/?%74oken=x#card=1", "/?%74oken=(hidden)#card=1"),
        ("?" + "a" * 100_000, "?" + "a" * 100_000),
    ],
)
def test_queries_are_masked(text: str, masked: str) -> None:
    assert masked_query(text) == masked


def test_passwords_of_urls_are_masked() -> None:
    text = "cannot reach postgresql://ann:pw@db:5432/x, nor http://db:80/@home"

    assert masked_passwords(text) == text.replace(":pw@", ":(hidden)@")


def test_fields_are_masked_by_name_and_value() -> None:
    assert masked_field("X-Auth", "x") == "(hidden)"
    assert masked_field("Referer", "http://a/?otp=1") == "http://a/?otp=(hidden)"


# What the page tells


def raised(function: Any) -> Exception:
    """Return what `function` raises."""
    try:
        function()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("it raised nothing")


def test_what_led_to_an_error_follows_it() -> None:
    def fail() -> None:
        try:
            try:
                {}["a"]
            except KeyError:
                raise ValueError("second")  # noqa: B904
        except ValueError as error:
            raise Failure("third") from error

    told = [(how, type(error)) for how, error in related(raised(fail))]

    assert told == [
        ("Where it was raised", Failure),
        ("Caused by", ValueError),
        ("Raised while this was being handled", KeyError),
    ]


def test_what_is_suppressed_is_left_out_and_a_circle_ends() -> None:
    def fail() -> None:
        try:
            {}["a"]
        except KeyError:
            raise Failure("alone") from None

    assert len([*related(raised(fail))]) == 1
    one, two = ValueError("1"), ValueError("2")
    one.__cause__, two.__cause__ = two, one
    assert [error for _, error in related(one)] == [one, two]


def test_the_errors_of_a_group_follow_in_order() -> None:
    inner = [ValueError("a"), ExceptionGroup("inner", [KeyError("b")])]

    told = [f"{how}: {error}" for how, error in related(ExceptionGroup("outer", inner))]

    assert told == [
        "Where it was raised: outer (2 sub-exceptions)",
        "In the group: 1 of 2: a",
        "In the group: 2 of 2: inner (1 sub-exception)",
        "In the group: 1 of 1: 'b'",
    ]
    many = ExceptionGroup("many", [ValueError(str(number)) for number in range(100)])
    assert str(debug_traceback.sections(many)).count("<section>") == MAX_ERRORS


def test_endless_recursion_is_cut() -> None:
    def fail() -> None:
        fail()

    page = str(debug_traceback.sections(raised(fail)))

    assert page.count("<details class=frame") == MAX_FRAMES
    assert "frames more" in page


def test_the_failing_line_and_what_was_run_of_it_are_marked() -> None:
    def fail() -> int:
        text = "ä"
        return len(text) + int(text)

    page = str(debug_traceback.sections(raised(fail)))

    assert "return len(text) + <u>int(text)</u>" in page
    assert page.count("<mark>") == 2


def test_what_is_run_over_several_lines_has_its_first_line_marked() -> None:
    def fail() -> int:
        return int("no")

    page = str(debug_traceback.sections(raised(fail)))

    assert "<u>int(</u>" not in page
    assert "return int(" in page.split("<mark>")[1]


def test_code_without_columns_or_source_is_shown_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = raised(lambda: exec("1/0"))
    assert "Its source is not at hand." in debug_traceback.sections(error)
    monkeypatch.setattr(linecache, "getline", lambda file, line: "x" * 1000 + "\n")
    assert "… (600 characters more)" in debug_traceback.sections(error)


def test_an_instruction_without_columns_has_none() -> None:
    code = (lambda: 1).__code__

    assert debug_traceback._columns(code, -1) is None
    assert debug_traceback._columns(code, 10_000) is None
    assert debug_traceback._columns(code.replace(co_linetable=b""), 0) is None


def test_a_file_that_cannot_be_compiled_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text("a = 1\nb = = 2\n")

    frames = frames_of(raised(lambda: compile(path.read_text(), str(path), "exec")))

    assert frames[0][:3] == (str(path), 2, "(not run)")


def test_frames_of_templates_show_the_template(app: Groundwire, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{% block main %}\n<p>{{ user.name }}</p>\n{% endblock %}")
    app.jinja_loader = None
    app.template_folder = str(tmp_path)
    app.view_functions["fail"] = lambda: __import__("groundwire").render_template("page.html")
    del app.jinja_loader

    page = ask(app).content.decode()

    assert "page.html:2" in page
    assert "<i>    2</i>  &lt;p&gt;{{ user.name }}&lt;/p&gt;" in page
    assert "<b>block &#39;main&#39;</b>" in page


def test_frames_of_libraries_are_folded() -> None:
    import groundwire.demo.tweets

    assert is_of_program(__file__)
    assert is_of_program(str(groundwire.demo.tweets.__file__))
    assert not is_of_program(debug_pages.__file__)
    assert not is_of_program(json.__file__)
    assert not is_of_program(pytest.__file__)
    assert not is_of_program("/srv/venv/lib/python3.11/site-packages/x.py")
    assert not is_of_program("<frozen importlib._bootstrap>")
    page = str(debug_traceback.sections(raised(lambda: json.loads("x"))))
    assert "frames of libraries</summary>" in page
    assert page.count("class=frame open") == 3


def test_messages_are_cut_and_may_fail() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise KeyError("no")

        __repr__ = __str__

    assert debug_traceback.message_of(Failure()) == "(no message)"
    assert debug_traceback.message_of(Odd()) == "(its message cannot be shown: KeyError)"
    assert debug_traceback.message_of(Failure("x" * 5000)).endswith("x… (1,000 characters more)")
    noted = Failure("said")
    noted.add_note("more")
    assert debug_traceback.message_of(noted) == "said\nmore"


def test_a_traceback_that_cannot_be_written_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(debug_traceback.traceback, "format_exception", fail)

    assert debug_traceback.text_of(Failure()) == "(the traceback cannot be shown: RuntimeError)"


def test_paths_below_the_working_directory_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debug_traceback.os, "getcwd", lambda: "/srv/app")
    assert debug_traceback.shown_path("/srv/app/hello.py") == "hello.py"
    assert debug_traceback.shown_path("/srv/other.py") == "/srv/other.py"

    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(debug_traceback.os, "getcwd", gone)
    assert debug_traceback.shown_path("/srv/app/hello.py") == "/srv/app/hello.py"


# Routes


def test_a_route_that_is_not_there_lists_those_that_are(app: Groundwire) -> None:
    answer = ask(app, "/users/x")

    page = answer.content.decode()
    assert answer.status == 404
    assert answer.headers["Content-Security-Policy"] == debug_pages.POLICY
    assert "/users/&lt;int:user_id&gt;" in page
    assert "segment 2 &#39;x&#39; is not a whole number" in page
    assert page.index("/users/") < page.index("/tweets<td>")


def test_another_method_says_which_there_are(app: Groundwire) -> None:
    answer = ask(app, "/tweets", method="DELETE")

    assert answer.status == 405
    assert answer.headers["Allow"] == "OPTIONS, POST"
    assert b"method DELETE is not one of OPTIONS, POST" in answer.content


def test_a_path_is_escaped_in_it(app: Groundwire) -> None:
    page = ask(app, "/%3Csvg%20onload=1%3E?a=<b>").content

    assert b"<svg" not in page
    assert b"<b>?" not in page
    assert b"&lt;svg onload=1&gt;" in page


@pytest.mark.parametrize("accept", ["application/json", "application/problem+json"])
def test_what_prefers_json_gets_the_usual_problem(app: Groundwire, accept: str) -> None:
    problem = json.loads(ask(app, "/nothing", f"Accept: {accept}").content)

    assert problem["title"] == "Not Found"
    assert "routes" not in problem


def test_a_404_of_a_view_and_of_a_handler_are_the_programs_own(app: Groundwire) -> None:
    assert b"<h1>Not Found</h1>" in ask(app, "/none").content
    app._got_first_request = False
    app.register_error_handler(404, lambda error: ("mine", 404))
    assert ask(app, "/nothing").content == b"mine"


def test_of_very_many_routes_the_nearest_are_listed(app: Groundwire) -> None:
    for number in range(300):
        app.add_url_rule(f"/n/{number}", f"n{number}", lambda: "")

    page = ask(app, "/n/x").content.decode()

    assert page.count("<tr><td>") == debug_pages.MAX_ROUTES
    assert "<p class=quiet>105 routes more</p>" in page
