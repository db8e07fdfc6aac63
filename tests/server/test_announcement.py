"""How the start is told on a terminal."""

import io
import sys
from typing import Any

import pytest

from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.server.process import announce_on_stderr
from groundwire.server.server import Server
from groundwire.server.settings import ServerSettings

RED = "\x1b[1;97;41m"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Handler:
    request_class = Request
    debug = True

    def handle(self, request: Request) -> Response:
        return Response()


@pytest.mark.parametrize(
    ("stream", "no_color", "coloured"),
    [(Terminal(), "", True), (Terminal(), "1", False), (io.StringIO(), "", False)],
)
def test_debug_mode_is_warned_of_in_red_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys, "stderr", stream)
    server = Server(Handler(), ServerSettings(port=0, access_log="off"))  # type: ignore[arg-type]
    server.open()

    announce_on_stderr(server)

    server.close()
    told, warning, rest = stream.getvalue().split("\n")
    assert told.startswith("Groundwire ")
    assert "Debug mode: errors show source code on this machine." in warning
    assert warning.startswith(RED) == coloured
    assert rest == ""


class Watching:
    """An observer with something to say."""

    def connection_class(self, base: type[Any], /) -> type[Any]:
        return base

    def attached(self, server: Any, /) -> None:
        pass

    def announcement(self, server: Any, /) -> str:
        return f"Watched at {server.url}/watch"


def test_an_observer_says_a_line_behind_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(
        Handler(),  # type: ignore[arg-type]
        ServerSettings(port=0, access_log="off"),
        observer=Watching(),
    )
    server.open()
    try:
        announce_on_stderr(server, "shop")
    finally:
        server.close()

    first, second, *_ = capsys.readouterr().err.splitlines()
    assert f"serves shop on {server.url} " in first
    assert f"Watched at {server.url}/watch" == second
