"""`send_file` and `send_from_directory`: Flask's behaviour, held to Flask's own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import flask
import pytest
from werkzeug.test import Client

from groundwire import Groundwire
from groundwire.app.static import disposition, send_file, send_from_directory, send_static
from groundwire.http.files import FileSlice
from open_files import open_files

LARGE = bytes(range(256)) * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_bytes(b"0123456789")
    (tmp_path / "files" / "größe.html").write_bytes(b"<p>")
    (tmp_path / "files" / "large.bin").write_bytes(LARGE)
    (tmp_path / "files" / "archive.tar.gz").write_bytes(b"gz")
    (tmp_path / "files" / "a.js").write_bytes(b"js")
    (tmp_path / "files" / "unknown.nothing").write_bytes(b"?")
    (tmp_path / "files" / ".hidden").write_bytes(b"SECRET")
    (tmp_path / "files" / "empty.txt").write_bytes(b"")
    (tmp_path / "canary.txt").write_bytes(b"CANARY")
    (tmp_path / "files" / "out").symlink_to("../canary.txt")
    return tmp_path


@pytest.fixture(autouse=True)
def no_file_stays_open() -> Iterator[None]:
    before = open_files()
    yield
    assert before == open_files()


Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def both(folder: Path) -> Callable[..., tuple[Answer, Answer]]:
    """Answer one request by Groundwire and by Flask."""

    def run(app: Any, view: Callable[[Any], Any], module: Any, options: dict[str, Any]) -> Answer:
        app.config["PROPAGATE_EXCEPTIONS"] = True
        app.add_url_rule(
            "/", endpoint="view", view_func=lambda: view(module), methods=["GET", "POST"]
        )
        response = Client(app).open("/", **options)
        content = response.get_data()
        response.close()
        headers = {name: value for name, value in response.headers if name not in ("Date", "ETag")}
        return response.status_code, headers, content

    def both(view: Callable[[Any], Any], **options: Any) -> tuple[Answer, Answer]:
        ours = run(
            Groundwire("sends_files", root_path=str(folder), static_folder=None),
            view,
            OURS,
            options,
        )
        theirs = run(
            flask.Flask("sends_files", root_path=str(folder), static_folder=None),
            view,
            flask,
            options,
        )
        return ours, theirs

    return both


class OURS:
    """Stands for the module `flask`."""

    send_file = staticmethod(send_file)
    send_from_directory = staticmethod(send_from_directory)


VIEWS: dict[str, Callable[[Any], Any]] = {
    "path": lambda f: f.send_file("files/a.txt"),
    "path object": lambda f: f.send_file(Path("files/a.txt")),
    "large": lambda f: f.send_file("files/large.bin"),
    "empty": lambda f: f.send_file("files/empty.txt"),
    "javascript": lambda f: f.send_file("files/a.js"),
    "unknown type": lambda f: f.send_file("files/unknown.nothing"),
    "type": lambda f: f.send_file("files/a.txt", mimetype="application/x-own"),
    "textual type": lambda f: f.send_file("files/a.txt", mimetype="application/xml"),
    "attachment": lambda f: f.send_file("files/a.txt", as_attachment=True),
    "attachment by name": lambda f: f.send_file(
        "files/a.txt", as_attachment=True, download_name='a "b" c.html'
    ),
    "inline by name": lambda f: f.send_file("files/a.txt", download_name="b.html"),
    "archive": lambda f: f.send_file("files/archive.tar.gz"),
    "archive attached": lambda f: f.send_file("files/archive.tar.gz", as_attachment=True),
    "octets": lambda f: f.send_file(BytesIO(b"content"), mimetype="text/plain"),
    "octets by name": lambda f: f.send_file(BytesIO(b"content"), download_name="a.html"),
    "octets with tag": lambda f: f.send_file(BytesIO(b"content"), "text/plain", etag="tag"),
    "unconditional": lambda f: f.send_file("files/a.txt", conditional=False, etag=False),
    "max age": lambda f: f.send_file("files/a.txt", max_age=0),
    "date": lambda f: f.send_file(
        "files/a.txt", last_modified=datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    ),
    "naive date": lambda f: f.send_file("files/a.txt", last_modified=datetime(1994, 11, 6, 8, 49)),
    "timestamp": lambda f: f.send_file("files/a.txt", last_modified=784111777),
    "directory": lambda f: f.send_from_directory("files", "a.txt"),
    "directory attached": lambda f: f.send_from_directory("files", "a.txt", as_attachment=True),
    "directory path": lambda f: f.send_from_directory(Path("files"), Path("a.txt")),
    "directory nothing": lambda f: f.send_from_directory("files", "nothing"),
    "directory outside": lambda f: f.send_from_directory("files", "../canary.txt"),
    "directory NUL": lambda f: f.send_from_directory("files", "a\0.txt"),
    "directory absolute": lambda f: f.send_from_directory("files", "/etc/passwd"),
    "directory folder": lambda f: f.send_from_directory(".", "files"),
    "directory backslash": lambda f: f.send_from_directory("files", "..\\canary.txt"),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_answer_is_flasks(
    both: Callable[..., tuple[Answer, Answer]], view: Callable[[Any], Any], method: str
) -> None:
    ours, theirs = both(view, method=method)

    if theirs[0] == 404:
        assert 404 == ours[0]
    else:
        assert theirs[0] == ours[0]
        if theirs[2] or method == "HEAD":
            # Flask offers ranges of an empty file too; there are none.
            ours[1].setdefault("Accept-Ranges", theirs[1].get("Accept-Ranges", ""))
            theirs[1].setdefault("Accept-Ranges", ours[1]["Accept-Ranges"])
            assert theirs[1] == ours[1]
        assert theirs[2] == ours[2]


CONDITIONS = [
    {"Range": "bytes=0-3"},
    {"Range": "bytes=-3"},
    {"Range": "bytes=5-"},
    {"Range": "bytes=20-"},
    {"Range": "bytes=0-3", "If-Range": "Sun, 06 Nov 1994 08:49:37 GMT"},
    {"Range": "bytes=0-3", "If-Range": '"other"'},
    {"If-None-Match": "*"},
    {"If-None-Match": '"other"'},
    {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"},
    {"If-Modified-Since": "Sun, 06 Nov 2094 08:49:37 GMT"},
]


@pytest.mark.parametrize("headers", CONDITIONS, ids=str)
@pytest.mark.parametrize("name", ["path", "octets"])
def test_conditions_are_answered_as_by_flask(
    both: Callable[..., tuple[Answer, Answer]], headers: dict[str, str], name: str
) -> None:
    ours, theirs = both(VIEWS[name], headers=headers)

    if name == "octets" and headers == {"If-None-Match": "*"}:
        # RFC 9110 §13.1.2: any current representation matches, whether it has a tag or not.
        assert (200, 304) == (theirs[0], ours[0])
        return
    assert theirs[0] == ours[0]
    if theirs[0] == 200:
        assert theirs[1] == ours[1]
    for field in ("Content-Range", "Content-Length", "Last-Modified"):
        if theirs[0] != 416 or field == "Content-Range":
            assert theirs[1].get(field) == ours[1].get(field)
    if theirs[0] != 416:
        assert theirs[2] == ours[2]


def test_range_that_cannot_be_read_is_ignored(both: Callable[..., tuple[Answer, Answer]]) -> None:
    """RFC 9110 §14.2. Flask answers 416."""
    ours, theirs = both(VIEWS["path"], headers={"Range": "x"})

    assert (416, 200) == (theirs[0], ours[0])


@pytest.mark.parametrize(
    ("view", "error"),
    [
        (lambda f: f.send_file("files/nothing"), FileNotFoundError),
        (lambda f: f.send_file("files"), OSError),
        (lambda f: f.send_file(BytesIO(b"x")), TypeError),
        (lambda f: f.send_file(BytesIO(b"x"), mimetype="a/b", as_attachment=True), TypeError),
        (lambda f: f.send_file(StringIO("x"), mimetype="a/b"), ValueError),
        (lambda f: f.send_file("files/a.txt", download_name="a\r\nX-Injected: y"), ValueError),
        (lambda f: f.send_file("files/a.txt", mimetype="a/b\r\nX-Injected: y"), ValueError),
        (lambda f: f.send_file("files/a.txt", etag='a"b'), ValueError),
    ],
)
def test_what_cannot_be_sent_is_an_error_as_in_flask(
    both: Callable[..., tuple[Answer, Answer]], view: Callable[[Any], Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        both(view)


@pytest.fixture
def context(folder: Path) -> Iterator[Callable[..., Any]]:
    app = Groundwire("sends_files", root_path=str(folder))
    with app.test_request_context():
        yield app.test_request_context


def sent(response: Any) -> bytes:
    content = b"".join(response.iter_encoded())
    response.close()
    return content


def test_small_file_is_whole_and_large_one_a_slice(context: object) -> None:
    small, large = send_file("files/a.txt"), send_file("files/large.bin")

    assert b"0123456789" == small.content
    assert isinstance(large.source, FileSlice)
    assert large.direct_passthrough
    assert LARGE == sent(large)


def test_stream_without_length_is_sent_in_pieces_and_closed(context: object, folder: Path) -> None:
    stream = (folder / "files" / "large.bin").open("rb")
    response = send_file(stream, mimetype="text/plain")

    assert "Content-Length" not in response.headers
    assert "Last-Modified" not in response.headers
    assert LARGE == sent(response)
    assert stream.closed


def test_stream_in_memory_is_sent_from_where_it_stands_and_closed(context: object) -> None:
    stream = BytesIO(b"0123456789")
    stream.read(4)
    response = send_file(stream, mimetype="text/plain")

    assert b"456789" == sent(response)
    assert stream.closed


def test_several_ranges_of_a_file_are_answered(context: Any) -> None:
    with context(headers={"Range": "bytes=0-1,-1"}):
        for name in ("files/a.txt", "files/large.bin"):
            response = send_file(name)
            assert 206 == response.status_code
            assert response.headers["Content-Type"].startswith("multipart/byteranges")
            assert int(response.headers["Content-Length"]) == len(sent(response))


def test_max_age_may_depend_on_the_path(context: object, folder: Path) -> None:
    asked: list[str | None] = []

    def max_age(path: str | None) -> int:
        asked.append(path)
        return 60

    assert (
        "public, max-age=60" == send_file("files/a.txt", max_age=max_age).headers["Cache-Control"]
    )
    send_file(BytesIO(), mimetype="a/b", max_age=max_age).close()
    assert [str(folder / "files" / "a.txt"), None] == asked


def test_tag_of_a_file_changes_with_it(context: object, folder: Path) -> None:
    first = send_file("files/a.txt").headers["ETag"]
    (folder / "files" / "a.txt").write_bytes(b"changed")

    assert first != send_file("files/a.txt").headers["ETag"]
    assert "ETag" not in send_file("files/a.txt", etag=False).headers


@pytest.mark.parametrize("name", [".hidden", "out", "CON", "a.txt:x", "sub/../a.txt", ""])
def test_more_than_flask_refuses_is_refused(
    both: Callable[..., tuple[Answer, Answer]], name: str
) -> None:
    ours, _ = both(lambda f: f.send_from_directory("files", name))

    assert 404 == ours[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "attachment; filename=a.txt"),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('a"b\\.txt', 'attachment; filename="a\\"b\\\\.txt"'),
        ("größe.txt", "attachment; filename=groe.txt; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt"),
        ("日本", "attachment; filename=\"\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC"),
        ("\udcff€", "attachment; filename=\"\"; filename*=UTF-8''%3F%E2%82%AC"),
        (
            "ä;\"'%.txt",
            "attachment; filename=\"a;\\\"'%.txt\"; filename*=UTF-8''%C3%A4%3B%22%27%25.txt",
        ),
    ],
)
def test_name_of_an_attachment_comes_in_a_form_for_each_client(name: str, expected: str) -> None:
    assert expected == disposition(name, as_attachment=True)


def test_name_outside_ascii_is_said_as_by_flask(both: Callable[..., tuple[Answer, Answer]]) -> None:
    ours, theirs = both(lambda f: f.send_file("files/größe.html", as_attachment=True))

    assert theirs[1]["Content-Disposition"] == ours[1]["Content-Disposition"]


def test_server_may_be_told_to_send_the_file(context: Any, folder: Path) -> None:
    with context() as current:
        current.app.config["USE_X_SENDFILE"] = True
        response = send_file("files/large.bin")
        assert str(folder / "files" / "large.bin") == response.headers["X-Sendfile"]
        assert b"" == response.content
    with context(headers={"If-None-Match": response.headers["ETag"]}) as current:
        current.app.config["USE_X_SENDFILE"] = True
        response = send_file("files/large.bin")
        assert 304 == response.status_code
        assert "X-Sendfile" not in response.headers


def test_static_file_is_sent_for_the_current_request(context: object, folder: Path) -> None:
    assert b"0123456789" == send_static(str(folder / "files"), "a.txt").content
    response = send_static(str(folder / "files"), "a.txt", max_age=5)
    assert "public, max-age=5" == response.headers["Cache-Control"]


def test_files_are_sent_in_requests_only(folder: Path) -> None:
    for call in (
        lambda: send_file("files/a.txt"),
        lambda: send_from_directory("files", "a.txt"),
        lambda: send_static("files", "a.txt"),
    ):
        with pytest.raises(RuntimeError, match="context"):
            call()
