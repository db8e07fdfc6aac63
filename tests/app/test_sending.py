"""Files are sent without an app as with one."""

import io
from pathlib import Path
from typing import Any

import pytest
from werkzeug import utils as theirs
from werkzeug.exceptions import HTTPException as TheirError

from groundwire.app.sending import send_file, send_from_directory
from groundwire.http.errors import NotFound, RequestedRangeNotSatisfiable
from groundwire.http.response import Response

GET: dict[str, Any] = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_HOST": "a"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hello.txt").write_bytes(b"hello, world")
    (tmp_path / "page.html").write_bytes(b"<p>")
    return tmp_path


def answered(response: Any) -> tuple[int, dict[str, str], bytes]:
    response.direct_passthrough = False
    fields = {name: value for name, value in response.headers if name not in ("Date", "ETag")}
    data = response.get_data()
    response.close()
    return response.status_code, fields, data


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"as_attachment": True},
        {"download_name": "für.txt"},
        {"mimetype": "text/x-own", "max_age": 5},
        {"etag": "own", "last_modified": 0},
        {"max_age": lambda path: 7 if path.endswith(".txt") else 8, "conditional": False},
    ],
)
def test_files_are_sent_as_by_werkzeug(folder: Path, arguments: dict[str, Any]) -> None:
    path = folder / "hello.txt"

    status, fields, data = answered(send_file(path, GET, **arguments))

    their_status, their_fields, their_data = answered(theirs.send_file(path, GET, **arguments))
    # Both count from now; the second may have turned between them.
    assert ("Expires" in fields) == ("Expires" in their_fields)
    fields.pop("Expires", None)
    their_fields.pop("Expires", None)
    assert (their_status, their_fields, their_data) == (status, fields, data)


def test_a_part_is_sent_where_it_is_asked_for(folder: Path) -> None:
    environ = GET | {"HTTP_RANGE": "bytes=0-4"}

    status, fields, data = answered(send_file("hello.txt", environ, _root_path=folder))

    assert (206, "bytes 0-4/12", b"hello") == (status, fields["Content-Range"], data)
    with pytest.raises(RequestedRangeNotSatisfiable):
        send_file(folder / "hello.txt", GET | {"HTTP_RANGE": "bytes=99-"})


def test_a_stream_is_sent_and_needs_a_type() -> None:
    response = send_file(io.BytesIO(b"x"), GET, download_name="x.json")

    assert ("application/json", b"x") == (response.mimetype, response.get_data())
    with pytest.raises(TypeError, match="detect the MIME type"):
        send_file(io.BytesIO(b"x"), GET)


def test_a_server_in_front_may_read_the_file(folder: Path) -> None:
    class Own(Response):
        pass

    path = folder / "hello.txt"

    response = send_file(path, GET, use_x_sendfile=True, response_class=Own)

    assert isinstance(response, Own)
    assert (str(path), b"") == (response.headers["X-Sendfile"], response.get_data())


def test_what_is_no_file_is_an_error(folder: Path) -> None:
    with pytest.raises(OSError, match="cannot send"):
        send_file(folder, GET)


def test_files_in_a_folder_are_sent(folder: Path) -> None:
    ours = answered(send_from_directory(folder, "page.html", GET))

    assert answered(theirs.send_from_directory(folder, "page.html", GET)) == ours
    parent, name = folder.parent, folder.name
    own = send_from_directory(name, "page.html", GET, _root_path=parent, use_x_sendfile=True)
    assert "X-Sendfile" in own.headers


@pytest.mark.parametrize("path", ["nothing.txt", "../outside", "/etc/passwd"])
def test_files_outside_the_folder_are_not_found(folder: Path, path: str) -> None:
    with pytest.raises(NotFound):
        send_from_directory(folder, path, GET)
    with pytest.raises(TheirError):
        theirs.send_from_directory(folder, path, GET)
