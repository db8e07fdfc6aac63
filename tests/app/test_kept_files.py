"""Static files in memory are answered on the event loop, and answered as in a thread."""

import os
from pathlib import Path
from typing import Any

import pytest

from groundwire import Blueprint, Groundwire, Response
from wire import Answer, Wire

STYLE = b"p { color: red }\n" * 100


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "style.css").write_bytes(STYLE)
    (tmp_path / "small.txt").write_bytes(b"small")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "other.css").write_bytes(STYLE)
    (tmp_path / "other.css.br").write_bytes(b"not looked into")
    (tmp_path / "photo.png").write_bytes(os.urandom(1000))
    (tmp_path / "page.tar.gz").write_bytes(b"gzip")
    (tmp_path / "large.css").write_bytes(STYLE * 50)
    return tmp_path


class Counting(Groundwire):
    """Counts what goes to a thread."""

    def __init__(self, root: Path, **options: Any) -> None:
        super().__init__(__name__, static_folder=root, static_url_path="/static", **options)
        object.__setattr__(self, "in_threads", 0)

    def answer_in_thread(self, context: Any, plan: Any) -> Any:
        object.__setattr__(self, "in_threads", self.in_threads + 1)  # type: ignore[attr-defined]
        return super().answer_in_thread(context, plan)


def ask(app: Any, target: str, *lines: str, method: str = "GET") -> tuple[Answer, bool]:
    """Send one request; return its answer, and whether it took a thread."""
    before = app.in_threads
    with Wire(app) as wire:
        head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *lines, "", ""])
        wire.send(head.encode("latin-1")).until_idle()
        return wire.answers(method)[0], app.in_threads > before


def told(answer: Answer) -> str:
    """Return an answer without what differs each time: the date, and the boundary of several ranges."""
    fields = [(name, value) for name, value in answer.headers.items() if name != "Date"]
    _, _, boundary = answer.headers.get("Content-Type", "").partition("boundary=")
    text = repr((answer.status, sorted(fields), answer.content))
    return text.replace(boundary, "…") if boundary else text


NAMES = ("style.css", "small.txt", "empty.txt", "other.css", "photo.png", "page.tar.gz")
FIELDS = (
    (),
    ("Accept-Encoding: gzip",),
    ("Accept-Encoding: br",),
    ("Accept-Encoding: identity;q=0, *;q=0",),
    ("Range: bytes=1-3",),
    ("Range: bytes=1-2,4-", "Accept-Encoding: gzip"),
    ("If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",),
    ("If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", "Accept-Encoding: gzip"),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_second_answer_is_as_the_first_and_takes_no_thread(
    root: Path, name: str, fields: tuple[str, ...], method: str
) -> None:
    app = Counting(root)

    first, first_in_thread = ask(app, f"/static/{name}", *fields, method=method)
    second, second_in_thread = ask(app, f"/static/{name}", *fields, method=method)

    assert first_in_thread
    # An error is for the error handlers, which may be anything.
    assert second_in_thread == (first.status >= 400)
    assert told(second) == told(first)


def test_a_client_that_has_it_is_told_without_a_thread(root: Path) -> None:
    app = Counting(root)
    etag = ask(app, "/static/style.css", "Accept-Encoding: gzip")[0].headers["ETag"]

    answer, in_thread = ask(
        app, "/static/style.css", "Accept-Encoding: gzip", f"If-None-Match: {etag}"
    )

    assert (answer.status, in_thread) == (304, False)
    assert answer.headers["ETag"] == etag
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_changed_and_a_removed_file_are_seen_at_once(root: Path) -> None:
    app = Counting(root)
    ask(app, "/static/small.txt")
    (root / "small.txt").write_bytes(b"another")
    assert ask(app, "/static/small.txt")[0].content == b"another"
    (root / "small.txt").unlink()
    answer, in_thread = ask(app, "/static/small.txt")
    assert (answer.status, in_thread) == (404, True)


def test_a_large_file_takes_a_thread_each_time(root: Path) -> None:
    app = Counting(root)

    assert [ask(app, "/static/large.css")[1] for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("name", [".env", "../x", "link", "missing", "sub/"])
def test_what_is_not_served_is_never_served(root: Path, name: str) -> None:
    (root / ".env").write_bytes(b"SECRET")
    (root / "sub").mkdir()
    (root / "link").symlink_to("/etc/hostname")
    app = Counting(root)

    assert [ask(app, f"/static/{name}")[0].status for _ in range(3)] == [404] * 3


def test_options_and_other_methods_are_answered_as_ever(root: Path) -> None:
    app = Counting(root)
    ask(app, "/static/small.txt")

    assert (
        ask(app, "/static/small.txt", method="OPTIONS")[0].headers["Allow"] == "GET, HEAD, OPTIONS"
    )
    assert ask(app, "/static/small.txt", method="DELETE")[0].status == 405


def test_error_handlers_are_called(root: Path) -> None:
    app = Counting(root)
    app.register_error_handler(416, lambda error: ("mine", 416))
    ask(app, "/static/small.txt")

    assert ask(app, "/static/small.txt", "Range: bytes=99-")[0].content == b"mine"


@pytest.mark.parametrize("hook", ["before_request", "after_request", "teardown_request"])
def test_where_there_are_hooks_all_runs_in_a_thread(root: Path, hook: str) -> None:
    app = Counting(root)
    called: list[object] = []

    def note(value: Any = None) -> Any:
        called.append(value)
        return value

    getattr(app, hook)(note)

    assert [ask(app, "/static/small.txt")[1] for _ in range(3)] == [True] * 3
    assert len(called) == 3


def test_a_method_of_the_programs_own_is_called_in_a_thread(root: Path) -> None:
    class Own(Counting):
        def send_static_file(self, filename: str) -> Any:
            return Response(f"mine: {filename}")

    class OwnAge(Counting):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 60

    for app in (Own(root), OwnAge(root)):
        assert [ask(app, "/static/small.txt")[1] for _ in range(3)] == [True] * 3
    assert ask(Own(root), "/static/small.txt")[0].content == b"mine: small.txt"
    assert (
        ask(OwnAge(root), "/static/small.txt")[0].headers["Cache-Control"] == "public, max-age=60"
    )


def test_how_long_it_may_be_kept_is_said(root: Path) -> None:
    app = Counting(root)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600

    first, second = ask(app, "/static/small.txt")[0], ask(app, "/static/small.txt")[0]

    for answer in (first, second):
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers["Expires"].endswith("GMT")
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = None
    assert ask(app, "/static/small.txt")[0].headers["Cache-Control"] == "no-cache"


def test_a_blueprints_files_are_kept_too(root: Path) -> None:
    app = Counting(root)
    pages = Blueprint("pages", __name__, static_folder=str(root), static_url_path="/files")
    app.register_blueprint(pages, url_prefix="/pages")

    assert [ask(app, "/pages/files/small.txt")[1] for _ in range(2)] == [True, False]


def test_a_route_of_ones_own_to_a_static_file_is_watched_like_any(root: Path) -> None:
    app = Counting(root)
    app.add_url_rule("/icon", "icon", lambda: app.send_static_file("small.txt"))

    assert [ask(app, "/icon")[1] for _ in range(2)] == [True, True]
    assert ask(app, "/icon")[0].content == b"small"


def test_a_prefetch_in_a_thread_stays_what_it_was(root: Path) -> None:
    """A file that could not be answered from memory is read by the very same request, in a thread."""
    app = Counting(root)
    ask(app, "/static/small.txt")

    answer, in_thread = ask(app, "/static/style.css")

    assert (answer.content, in_thread) == (STYLE, True)
