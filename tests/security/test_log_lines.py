"""Nothing a peer sends becomes a line of its own in a log, nor a secret readable there."""

import json
import logging
from pathlib import Path

import pytest

from fetching import make_app
from groundwire import Groundwire, request
from groundwire.server.access_log import LINE_BYTES
from serving import running_server

SECRET = "S3CR3T"


def app() -> Groundwire:
    app = make_app()
    app.logger.disabled = False

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def view(path: str) -> str:
        if "fail" in path:
            raise RuntimeError("as asked")
        return request.method

    return app


HOSTILE = {
    "crlf in the path": b"GET /a%0d%0a127.0.0.1%20-%20-%20forged HTTP/1.1\r\nHost: a\r\n\r\n",
    "escape in the path": b"GET /%1b[31mred%1b]0;title%07 HTTP/1.1\r\nHost: a\r\n\r\n",
    "line separator": b"GET /%e2%80%a8%c2%85 HTTP/1.1\r\nHost: a\r\n\r\n",
    "quotation mark": b'GET /" HTTP/1.1\r\nHost: a\r\n\r\n',
    "escape in the user agent": b'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \xc2\x9b31m\xff"\\\r\n\r\n',
    "quotes in the user agent": b'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x" 200 5 "-" "y\r\n\r\n',
    "format strings": b"GET /%25s%25n%7b0%7d%7brequest%7d HTTP/1.1\r\nHost: a\r\n"
    b"User-Agent: %s%n%(x)s{0}{x.__class__}\r\nReferer: %d{}\r\n\r\n",
    "long user agent": b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b"u" * 15000 + b"\r\n\r\n",
    "long escapes": b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b"\xff" * 15000 + b"\r\n\r\n",
    "long target": b"GET /" + b"%ff" * 2600 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "64 KiB user agent": b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b"u" * 65536 + b"\r\n\r\n",
    "refused: control characters": b"GET /\x1b[2J\x07 HTTP/1.1\r\nHost: a\r\n\r\n",
    "refused: lines": b"GET /\nforged - - HTTP/1.1\r\nHost: a\r\n\r\n",
    "refused: binary": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "refused: format strings": b"%s%n{0} %d HTTP/9.9\r\n\r\n",
    "a view that fails": b"GET /fail%0dERROR%20forged%1b[31m%e2%80%a8?a=%0aforged HTTP/1.1\r\nHost: a\r\n\r\n",
}


def log_of(message: bytes, log: Path, log_format: str) -> tuple[list[bytes], bytes]:
    with running_server(app(), access_log=str(log), access_log_format=log_format) as served:
        with served.connect() as client:
            client.sendall(message)
            answer = client.recv(65536)
        served.exchange(b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return log.read_bytes().splitlines(keepends=True), answer


@pytest.mark.parametrize("log_format", ["combined", "common", "json"])
@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_one_request_is_one_line(message: bytes, log_format: str, tmp_path: Path) -> None:
    lines, answer = log_of(message, tmp_path / "access.log", log_format)

    assert len(lines) == 2, "one line for it, one for the last request"
    assert b"/last" in lines[1]
    assert answer[9:12].decode() in lines[0].decode("ascii")
    for line in lines:
        text = line.decode("ascii")
        assert text.endswith("\n")
        assert text[:-1].isprintable()
        assert len(line) <= LINE_BYTES
        if log_format == "json":
            entry = json.loads(text)
            assert entry["remote_addr"] == "127.0.0.1"
        else:
            assert text.startswith("127.0.0.1 - - [")


def test_format_strings_are_text(tmp_path: Path) -> None:
    lines, _ = log_of(HOSTILE["format strings"], tmp_path / "access.log", "combined")

    assert b'"%d{}" "%s%n%(x)s{0}{x.__class__}"' in lines[0]
    assert b"/%25s%25n%7b0%7d%7brequest%7d" in lines[0]


def test_quotation_marks_end_no_field(tmp_path: Path) -> None:
    lines, _ = log_of(HOSTILE["quotes in the user agent"], tmp_path / "access.log", "combined")

    assert lines[0].count(b'"') == 6


def test_the_log_of_the_program_has_no_forged_lines(caplog: pytest.LogCaptureFixture) -> None:
    """An exception is told of with the request it came with, escaped."""
    with running_server(app()) as served, caplog.at_level(logging.DEBUG):
        served.exchange(
            HOSTILE["a view that fails"].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )

    told = [record.getMessage() for record in caplog.records if record.exc_info]
    assert 1 == len(told)
    assert told[0].isprintable()
    assert "\x1b" not in caplog.text
    assert not [
        line for line in caplog.text.splitlines() if line.startswith(("ERROR forged", "forged"))
    ]


FIELDS = (
    f"Authorization: Bearer {SECRET}\r\nProxy-Authorization: Basic {SECRET}\r\nX-Api-Key: {SECRET}\r\n"
    f"Cookie: session={SECRET}; csrf={SECRET}\r\nX-Auth-Token: {SECRET}\r\n"
    f"Referer: http://u:{SECRET}@a/?token={SECRET}&auth_code={SECRET}\r\n"
)
QUERY = "&".join(
    f"{name}={SECRET}"
    for name in (
        "password",
        "token",
        "api_key",
        "secret",
        "csrf_token",
        "session",
        "card",
        "auth",
        "%70assword",
    )
)


@pytest.mark.parametrize("log_format", ["combined", "common", "json"])
@pytest.mark.parametrize("path", ["/", "/fail"])
def test_no_secret_is_in_any_log_or_answer(
    path: str, log_format: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "access.log"
    form = f"password={SECRET}&token={SECRET}".encode()
    document = json.dumps({"password": SECRET, "api_key": SECRET}).encode()
    with running_server(app(), access_log=str(log), access_log_format=log_format) as served:
        with caplog.at_level(logging.DEBUG):
            answers = served.exchange(
                *(
                    f"POST {path}?{QUERY} HTTP/1.1\r\nHost: a\r\n{FIELDS}Content-Type: {kind}\r\n"
                    f"Content-Length: {len(content)}\r\n{end}\r\n".encode()
                    + content
                    for kind, content, end in [
                        ("application/x-www-form-urlencoded", form, ""),
                        ("application/json", document, "Connection: close\r\n"),
                    ]
                )
            )
        answers += served.exchange(  # one that is refused
            f"GET {path}?{QUERY} HTTP/1.1\r\nHost : a\r\n{FIELDS}\r\n".encode()
        )

    assert 3 == len(log.read_bytes().splitlines())
    assert SECRET.encode() not in log.read_bytes()
    assert SECRET not in caplog.text
    assert SECRET.encode() not in answers
