"""`groundwire replay` sends what was recorded, and says what has changed."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundwire.cli.command import groundwire
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.inspector.keeping.har import Entry
from groundwire.inspector.keeping.saved import session_lines
from groundwire.inspector.serving.opened import session_of_har
from serving import Served, running_server

REQUEST = b"GET /price HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer ****\r\n\r\n"
PRICES = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"price": 1}'
)
SAME = PRICES.replace(b"OK\r\n", b"OK\r\nServer: groundwire\r\nDate: x\r\n").replace(
    b": 1}", b": 2}"
)


def answer(request: Request) -> Response:
    if request.path == "/echo":
        said = f"{request.method} {request.headers.get('Authorization', '')} {request.host}"
        return Response(f"{said} {request.get_data(as_text=True)}\n", content_type="text/plain")
    return Response('{"price": 2}', content_type="application/json")


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with running_server(answer) as served:
        yield served


def replay(served: Served, file: Path, *options: str) -> Result:
    return CliRunner().invoke(groundwire, ["replay", str(file), "--target", served.url, *options])


def session(folder: Path, *exchanges: tuple[bytes, bytes | None], masked: bool = True) -> Path:
    """Write a session in which the value of Authorization is masked."""
    entries = [
        Entry("http://shop/", request, response, len(response or b""), "", 0, "", "shop")
        for request, response in exchanges
    ]
    documents = list(session_of_har(entries).documents())
    for document, (request, _) in zip(documents, exchanges, strict=True):
        start = request.find(b"****")
        if masked and start >= 0:
            document["request"]["masked"] = [[start, start + 4]]
    path = folder / "s.wire"
    path.write_bytes(b"".join(session_lines(documents, {"secrets": not masked})))
    return path


def http_file(folder: Path, data: bytes) -> Path:
    path = folder / "a.http"
    path.write_bytes(data)
    return path


def test_an_answer_that_has_changed_is_told(server: Served, tmp_path: Path) -> None:
    result = replay(server, session(tmp_path, (REQUEST, PRICES)))

    assert 0 == result.exit_code
    for line in (
        "* 1 of 1: GET /price (recorded as 1-1)",
        "> Authorization: Bearer ****",
        "* sent with asterisks, since it was masked: Authorization",
        '< {"price": 2}',
        "*   $.price",
        "*   - 1",
        "*   + 2",
    ):
        assert f"{line}\n" in result.stdout
    assert "* 1 request was sent, 1 answer differs.\n" == result.stderr


def test_only_differences_are_shown_where_that_is_asked_for(server: Served, tmp_path: Path) -> None:
    file = session(tmp_path, (REQUEST, SAME), (REQUEST, PRICES))

    result = replay(server, file, "--diff-only")

    assert "1 of 2" not in result.stdout
    assert "* 2 of 2: GET /price" in result.stdout
    assert "> GET" not in result.stdout
    assert "*   + 2\n" in result.stdout


@pytest.mark.parametrize(("recorded", "status"), [(SAME, 0), (PRICES, 1), (None, 0)])
def test_a_difference_is_a_failure_where_that_is_asked_for(
    server: Served, tmp_path: Path, recorded: bytes | None, status: int
) -> None:
    file = session(tmp_path, (REQUEST, recorded))

    assert status == replay(server, file, "--fail-on-difference").exit_code


def test_what_was_masked_is_filled_in(server: Served, tmp_path: Path) -> None:
    file = session(tmp_path, (REQUEST.replace(b"/price", b"/echo"), None))

    result = replay(server, file, "--fill", "Authorization=S3=CR3T")

    assert "< GET Bearer S3=CR3T shop \n" in result.stdout.replace("shop\n", "shop \n")
    assert "asterisks" not in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fill", "Cookie=a"), "Nothing of the name 'Cookie' was masked"),
        (("--fill", "Cookie"), "say --fill NAME=VALUE"),
    ],
)
def test_what_cannot_be_filled_in_is_told(
    server: Served, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    result = replay(server, session(tmp_path, (REQUEST, None)), *options)

    assert 2 == result.exit_code
    assert said in result.stderr


def test_a_request_that_was_not_kept_whole_is_not_sent(server: Served, tmp_path: Path) -> None:
    long = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n" + b"a" * 99_999

    result = replay(server, session(tmp_path, (long, None)), "--fail-on-difference")

    assert 1 == result.exit_code
    assert "* 1 of 1: POST /echo (recorded as 1-1)\n" in result.stdout
    assert "It was not sent: Of this request" in result.stdout
    assert "* 0 of 1 request was sent.\n" == result.stderr


def test_requests_go_out_as_they_stand_in_a_file(server: Served, tmp_path: Path) -> None:
    result = replay(
        server, http_file(tmp_path, b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\nGET  / HTTP/1.1\r\n\r\n")
    )

    assert "< GET  a " in result.stdout
    assert "< HTTP/1.1 400 Bad Request\n" in result.stdout
    assert "* 2 requests were sent.\n" == result.stderr


def test_an_editors_file_is_told_and_completed(server: Served, tmp_path: Path) -> None:
    file = http_file(tmp_path, b"### a\nPOST /echo\n\nhello\n### b\nGET /price\n")

    as_it_is = replay(server, file)
    completed = replay(server, file, "--crlf")

    assert "--crlf makes a request of them" in as_it_is.stderr
    assert r"> POST /echo\n" in as_it_is.stdout
    assert f"< POST  {server.host}:{server.port} hello\n" in completed.stdout
    assert '< {"price": 2}\n' in completed.stdout


def har(folder: Path) -> Path:
    entry: dict[str, Any] = {
        "request": {"method": "GET", "url": "https://shop.example/echo", "headers": []},
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "text/plain"}],
            "content": {"text": "GET  shop.example \n"},
        },
    }
    path = folder / "a.har"
    path.write_text(json.dumps({"log": {"entries": [entry]}}))
    return path


def test_a_har_file_is_sent_to_another_host(server: Served, tmp_path: Path) -> None:
    result = replay(server, har(tmp_path), "--diff-only")

    assert f"*   +GET  {server.host}:{server.port} \n" in result.stdout


def test_of_a_har_file_it_is_said_that_names_are_not_filled_in(
    server: Served, tmp_path: Path
) -> None:
    file = har(tmp_path)
    file.write_text(file.read_text().replace("/echo", "/echo?token={{TOKEN}}"))

    assert "stand for what was masked, are not filled in" in replay(server, file).stderr


def test_the_host_can_be_told(server: Served, tmp_path: Path) -> None:
    result = replay(server, har(tmp_path), "--host", "shop.example")

    assert "> Host: shop.example\n" in result.stdout
    assert "answer differs" not in result.stderr or "Server" in result.stdout


def test_nothing_that_was_received_steers_the_terminal(server: Served, tmp_path: Path) -> None:
    file = http_file(tmp_path, b"GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n")

    assert "\x1b" not in replay(server, file).output


def test_a_session_that_goes_while_it_is_sent_is_told(tmp_path: Path) -> None:
    file = session(tmp_path, (REQUEST, PRICES))

    def remove(_request: Request) -> Response:
        file.unlink()
        return Response("")

    with running_server(remove) as served:
        result = replay(served, file)

    assert 2 == result.exit_code
    assert "the file cannot be read any more" in result.stderr


def test_a_rate_is_kept(server: Served, tmp_path: Path) -> None:
    file = http_file(tmp_path, b"GET /price HTTP/1.1\r\nHost: a\r\n\r\n" * 3)

    began = time.monotonic()
    result = replay(server, file, "--rate", "20")

    assert 0 == result.exit_code
    assert time.monotonic() - began >= 0.1


def test_no_answer_is_a_failure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        file = http_file(tmp_path, b"GET / HTTP/1.0\r\n\r\n")
        command = ["replay", str(file), "--target", url, "--timeout", "0.1"]
        result = CliRunner().invoke(groundwire, [*command, "--fail-on-difference"])

    assert 1 == result.exit_code
    assert "* No answer came in 0.1 s." in result.stdout
    assert "1 had no whole answer" in result.stderr


@pytest.mark.parametrize(
    ("name", "data", "target", "said"),
    [
        ("a.http", b"", "http://a", "There is no request in"),
        ("a.wire", b"x", "http://a", "this is no file of recorded exchanges"),
        ("a.har", b"x", "http://a", "this is no HAR file"),
        ("a.http", b"x", "nowhere", "is no URL to send to"),
        ("a.http", None, "http://a", "cannot be read"),
        ("a.http", b"GET / HTTP/1.0\r\n\r\n", "http://127.0.0.1:1", "Nobody listens on"),
    ],
)
def test_what_cannot_be_is_told(
    tmp_path: Path, name: str, data: bytes | None, target: str, said: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)

    result = CliRunner().invoke(groundwire, ["replay", str(path), "--target", target])

    assert 2 == result.exit_code
    assert said in result.stderr


def test_only_sessions_have_something_to_fill_in(server: Served, tmp_path: Path) -> None:
    result = replay(server, http_file(tmp_path, REQUEST), "--fill", "a=b")

    assert 2 == result.exit_code
    assert "Only in saved sessions" in result.stderr
