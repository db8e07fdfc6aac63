"""How the bytes of a request were cut never changes an answer, a hook, or a line of the log."""

from typing import Any, NamedTuple

import pytest

from groundwire import Groundwire, abort
from groundwire import request as current_request
from wire import Wire, chunked, request

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
LATER = request("/later")


class Seen(NamedTuple):
    """All that may depend on the request, and must not depend on its cuts."""

    answers: list[tuple[int, bytes, str | None]]
    hooks: list[str]
    log: list[tuple[str, int, int]]
    closed: bool


class Log:
    """An access log that keeps what can be compared."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, int]] = []

    def record(
        self, peer: Any, request: Any, status: int, octets: int, duration_seconds: float
    ) -> None:
        self.lines.append(("-" if request is None else request.head.target, status, octets))


def make_app(mode: str, hooked: bool) -> tuple[Groundwire, list[str]]:
    app = Groundwire("cuts")
    calls: list[str] = []
    app.config["MAX_CONTENT_LENGTH"] = 50
    options: dict[str, Any] = {} if mode == "async" else {"run": mode}

    def read() -> bytes:
        return current_request.get_data() + current_request.args.get("q", "").encode()

    if mode == "async":

        @app.post("/read")
        async def view() -> bytes:
            return read()

    else:

        @app.post("/read", **options)
        def view() -> bytes:
            return read()

    @app.post("/ignore", **options)
    def ignore() -> str:
        return "ignored"

    @app.get("/later", **options)
    def later() -> str:
        return "later"

    if hooked:

        @app.before_request
        def check() -> None:
            calls.append(f"before {current_request.path}")
            if "X-Refuse" in current_request.headers:
                abort(401)

        @app.after_request
        def after(response: Any) -> Any:
            calls.append(f"after {response.status_code}")
            return response

        @app.teardown_request
        def teardown(error: BaseException | None) -> None:
            calls.append(f"teardown {error!r}")

    return app, calls


CASES = {
    "ok": request("/read?q=1", "POST", b"a=1&b=2", **FORM),
    "ok chunked": request("/read", "POST", Transfer_Encoding="chunked") + chunked(b"a=1", b"&b=2"),
    "ok expect": request("/read", "POST", b"a=1", Expect="100-continue"),
    "unread": request("/ignore", "POST", b"a=1&b=2"),
    "404": request("/nowhere", "POST", b"a=1&b=2"),
    "404 chunked": request("/nowhere", "POST", Transfer_Encoding="chunked") + chunked(b"a=1"),
    "404 expect": request("/nowhere", "POST", b"a=1", Expect="100-continue"),
    "405": request("/read", "PUT", b"a=1&b=2"),
    "401 by hook": request("/read", "POST", b"a=1&b=2", X_Refuse="1"),
    "413": request("/read", "POST", b"x" * 60),
    "413 chunked": request("/read", "POST", Transfer_Encoding="chunked")
    + chunked(b"x" * 30, b"y" * 30),
    "417": request("/read", "POST", b"a=1", Expect="something"),
    "308": request("/read//", "POST", b"a=1"),
}


def seen(message: bytes, cut: int, made: tuple[Groundwire, list[str]]) -> Seen:
    app, calls = made
    calls.clear()
    with Wire(app) as wire:
        log = Log()
        wire.server.access_log = log  # type: ignore[assignment]
        pieces = [message[:cut], message[cut:] + LATER] if cut else [message + LATER]
        for piece in pieces:
            wire.send(piece)
            if not wire.closed:
                wire.settle()
        wire.until_idle()
        answers = [
            (answer.status, answer.content, answer.headers["Connection"])
            for answer in wire.answers()
        ]
        return Seen(answers, calls.copy(), log.lines, wire.closed)


@pytest.mark.parametrize("hooked", [False, True], ids=["plain", "hooked"])
@pytest.mark.parametrize("mode", ["inline", "thread", "async"])
@pytest.mark.parametrize("name", CASES)
def test_the_cuts_of_a_request_change_nothing(name: str, mode: str, hooked: bool) -> None:
    message = CASES[name]
    made = make_app(mode, hooked)
    whole = seen(message, 0, made)

    assert whole.answers
    for cut in range(1, len(message)):
        assert whole == seen(message, cut, made), f"cut at byte {cut}"


@pytest.mark.parametrize(
    ("name", "status"),
    [("ok", 200), ("404", 404), ("405", 405), ("413", 413), ("413 chunked", 413), ("417", 417)],
)
def test_the_cases_are_what_they_are_called(name: str, status: int) -> None:
    assert status == seen(CASES[name], 0, make_app("thread", hooked=True)).answers[0][0]


def test_the_hook_refuses() -> None:
    outcome = seen(CASES["401 by hook"], 0, make_app("thread", hooked=True))

    assert (401, 200) == (outcome.answers[0][0], outcome.answers[1][0])
    assert "before /read" == outcome.hooks[0]
