"""What a WSGI application raises is shown on this machine, and to nobody else."""

import logging
from typing import Any

import pytest

from groundwire.app.debugged_application import DebuggedApplication

SECRET = "hunter2"[::-1]

HERE = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/x",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "8000",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "localhost:8000",
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_AUTHORIZATION": "Bearer " + SECRET,
}


def failing(environ: dict[str, Any], start_response: Any) -> Any:
    raise KeyError("what went wrong")


def called(application: Any, environ: dict[str, str]) -> tuple[str, dict[str, str], str]:
    heads: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        heads.append((status, dict(headers)))

    content = b"".join(DebuggedApplication(application, evalex=True)(environ, start_response))
    return *heads[-1], content.decode()


def test_an_error_is_shown_here(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "werkzeug"):
        status, fields, page = called(failing, HERE)

    assert "500 INTERNAL SERVER ERROR" == status
    assert "text/html; charset=utf-8" == fields["Content-Type"]
    assert "what went wrong" in page
    assert SECRET not in page
    assert "no-store" == fields["Cache-Control"]
    assert "what went wrong" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_HOST": "example.org"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    ],
)
def test_clients_elsewhere_get_the_usual_page(change: dict[str, str]) -> None:
    status, _, page = called(failing, HERE | change)

    assert "500 INTERNAL SERVER ERROR" == status
    assert "<h1>Internal Server Error</h1>" in page
    assert "what went wrong" not in page


def test_an_error_while_content_is_made_is_shown_and_content_closed() -> None:
    closed: list[bool] = []

    class Content:
        def __iter__(self) -> Any:
            yield b""
            raise ValueError("half way")

        def close(self) -> None:
            closed.append(True)

    _, _, page = called(lambda environ, start_response: Content(), HERE)

    assert "half way" in page
    assert [True] == closed


def test_content_without_an_error_passes() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"a", b"b"]

    assert ("200 OK", {"Content-Type": "text/plain"}, "ab") == called(application, HERE)


def test_once_the_head_is_out_the_error_passes_to_the_server() -> None:
    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        if exc_info is not None:
            raise exc_info[1]

    with pytest.raises(KeyError, match="what went wrong"):
        list(DebuggedApplication(failing)(HERE, start_response))
