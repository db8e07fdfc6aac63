"""An inspector on a server: where it says it is, and what it stands in front of."""

import ssl
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from groundwire.app.applications import as_handler
from groundwire.app.serving import inspector_for
from groundwire.inspector.opening import ShownInspector, announcement, place_of
from groundwire.server.settings import ServerSettings
from inspecting import Client, Program, inspected
from serving import running_server

TO_NOBODY = "to nobody: 192.0.2.7 is no loopback address, and there is no --wire-token"


@pytest.mark.parametrize(
    ("settings", "url", "expected"),
    [
        ({}, "http://localhost:8000", "http://localhost:8000/__wire__/"),
        ({"host": "127.0.0.1"}, "http://127.0.0.1:8000", "http://127.0.0.1:8000/__wire__/"),
        ({"host": "::1"}, "http://[::1]:8000", "http://[::1]:8000/__wire__/"),
        (
            {"host": "0.0.0.0"},
            "http://127.0.0.1:80",
            "http://localhost:80/__wire__/ (to this machine only; --wire-token opens it to others)",
        ),
        (
            {"host": "::"},
            "https://[::1]:8443",
            "https://localhost:8443/__wire__/ (to this machine only; --wire-token opens it to others)",
        ),
        (
            {"host": "192.0.2.7"},
            "http://192.0.2.7:8000",
            f"http://192.0.2.7:8000/__wire__/ ({TO_NOBODY})",
        ),
        (
            {"host": "192.0.2.7", "wire_token": "t"},
            "http://192.0.2.7:8000",
            "http://192.0.2.7:8000/__wire__/ (to whoever has the token)",
        ),
        ({"unix": "/run/x"}, "unix:/run/x", "/__wire__/ on unix:/run/x"),
    ],
)
def test_the_line_at_the_start_says_where_and_to_whom(
    settings: dict[str, Any], url: str, expected: str
) -> None:
    assert f"The wire is shown at {expected}" == announcement(ServerSettings(**settings), url)


def test_the_line_never_has_the_token() -> None:
    line = announcement(ServerSettings(wire_token="correct-horse"), "http://localhost:1")

    assert "correct-horse" not in line


@pytest.mark.parametrize(
    ("debug", "wire", "is_on"),
    [
        (False, "auto", False),
        (True, "auto", True),
        (True, "off", False),
        (False, "on", True),
        (False, "console", True),
    ],
)
def test_it_is_off_outside_debug_mode_unless_asked_for(debug: bool, wire: Any, is_on: bool) -> None:
    app = Program().app
    app.debug = debug

    assert is_on is (inspector_for(app, ServerSettings(wire=wire)) is not None)


def test_the_test_client_never_meets_it() -> None:
    app = Program().app
    app.debug = True

    for wire in (False, True):
        client: Any = app.test_client(**({"wire": True} if wire else {}))
        answer = client.get("/hello")
        assert "X-Wire-Id" not in answer.headers
        assert 404 == client.get("/__wire__/").status_code


def test_an_application_of_wsgis_is_inspected_too() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
        return [b"plain"]

    with running_server(as_handler(application), observer=ShownInspector) as served:
        client = Client(served)
        answer = client.ask("/plain")
        shown = client.ask(answer.fields["Link"].partition(">")[0][1:]).json

        assert (b"plain", 200, "/plain") == (answer.content, shown["status"], shown["target"])
        assert "/__wire__/requests" not in client.listed()


def test_an_application_of_asgis_is_inspected_too() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"async"})

    with running_server(as_handler(application), observer=ShownInspector) as served:
        client = Client(served)
        assert b"async" == client.ask("/a").content
        (one,) = client.wire("requests").json["requests"]

        assert 200 == client.wire(f"requests/{one['id']}").status


def test_middleware_of_the_program_sees_nothing_of_it() -> None:
    program = Program()
    seen: list[str] = []
    inner = program.app.wsgi_app

    def middleware(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    program.app.wsgi_app = middleware  # type: ignore[method-assign]
    with inspected(program) as client:
        client.wire("requests")
        client.ask("/hello")

        assert ["/hello"] == seen
        assert ["/hello"] == client.listed()


def test_a_test_of_an_application_knows_where_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program()
    module = ModuleType("program")
    module.shop = program.app  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "program", module)
    with inspected(program) as client:
        id = client.ask("/hello").fields["X-Wire-Id"]

        assert (
            b"from program import shop\n" in client.wire(f"requests/{id}/export?as=pytest").content
        )

    assert "" == place_of(object())
    monkeypatch.delitem(sys.modules, "program")
    assert "" == place_of(program.app)


def test_on_one_connection_both_are_answered_in_their_order() -> None:
    with inspected() as client:
        answer = client.served.exchange(
            b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
            b"GET /__wire__/requests HTTP/1.1\r\nHost: localhost\r\n\r\n"
            b"GET /users/7 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            b"GET /__wire__/requests?text=7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )

        assert 4 == answer.count(b"HTTP/1.1 200 OK\r\n")
        assert 2 == answer.count(b"X-Wire-Id: ")
        assert ["/hello", "/users/7"] == client.listed()


def test_a_head_that_comes_in_pieces_leaves_no_record_of_its_own_requests() -> None:
    with inspected() as client, client.served.connect() as peer:
        for piece in (b"GET /__wi", b"re__/requests HTT", b"P/1.1\r\nHost: localhost\r\n", b"\r\n"):
            peer.sendall(piece)
            client.listed()
        assert peer.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")

        assert [] == client.listed()


def test_over_tls(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    path = tmp_path / "server.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(path)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with inspected(cert=(str(path),)) as client, client.served.connect() as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as peer:
            peer.sendall(
                b"GET /__wire__/requests HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            answer = b"".join(iter(lambda: peer.recv(65536), b""))

        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
