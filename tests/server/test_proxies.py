"""Requests that come through proxies, over real sockets."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from groundwire import Groundwire, Response, redirect, request, url_for
from groundwire.adapters.asgi import ASGIHandler
from groundwire.adapters.proxy_fix import ProxyFix
from groundwire.http.request import Request
from groundwire.protocol.proxy_header import SIGNATURE
from groundwire.server.errors import StartError
from groundwire.server.proxies import ProxiedConnection, Proxies
from groundwire.server.settings import ServerSettings
from serving import Served, everything, running_server

LOOPBACK = ("127.0.0.0/8",)


def seen(request: Request) -> dict[str, Any]:
    return {
        "remote_addr": request.remote_addr,
        "scheme": request.scheme,
        "secure": request.is_secure,
        "host": request.host,
        "host_field": request.headers.get("Host"),
        "root_path": request.root_path,
        "script_root": request.script_root,
        "url": request.url,
        "access_route": list(request.access_route),
        "environ": {
            name: request.environ.get(name)
            for name in (
                *("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME"),
                *("PATH_INFO", "SERVER_NAME", "SERVER_PORT", "HTTP_X_FORWARDED_FOR"),
            )
        },
    }


def show(request: Request) -> Response:
    return Response(json.dumps(seen(request)), content_type="application/json")


def message(*fields: str, target: str = "/a/b?c=d", close: bool = True) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: inner.example", *fields]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def answer(data: bytes) -> Any:
    head, _, content = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), data
    return json.loads(content)


ALL_FIELDS = (
    "X-Forwarded-For: 6.6.6.6, 198.51.100.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: shop.example",
    "X-Forwarded-Port: 8443",
    "X-Forwarded-Prefix: /shop",
)


def test_everything_a_trusted_proxy_says_holds_for_the_request() -> None:
    with running_server(show, trusted_proxies=LOOPBACK) as served:
        found = answer(served.exchange(message(*ALL_FIELDS)))
    assert found == {
        "remote_addr": "198.51.100.7",
        "scheme": "https",
        "secure": True,
        "host": "shop.example:8443",
        "host_field": "shop.example:8443",
        "root_path": "/shop",
        "script_root": "/shop",
        "url": "https://shop.example:8443/shop/a/b?c=d",
        "access_route": ["198.51.100.7"],
        "environ": {
            "REMOTE_ADDR": "198.51.100.7",
            "REMOTE_PORT": None,
            "wsgi.url_scheme": "https",
            "HTTP_HOST": "shop.example:8443",
            "SCRIPT_NAME": "/shop",
            "PATH_INFO": "/a/b",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(served.port),
            "HTTP_X_FORWARDED_FOR": "6.6.6.6, 198.51.100.7",
        },
    }


@pytest.mark.parametrize("trusted", [(), ("192.0.2.1",), ("unix",)])
@pytest.mark.parametrize(
    "fields", [ALL_FIELDS, ("Forwarded: for=6.6.6.6;proto=https;host=evil", "X-Real-IP: 6.6.6.6")]
)
def test_nothing_anybody_else_says_has_any_effect(
    trusted: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    with running_server(show, trusted_proxies=trusted) as served:
        found = answer(served.exchange(message(*fields)))
    assert (found["remote_addr"], found["scheme"], found["host"], found["root_path"]) == (
        *("127.0.0.1", "http", "inner.example", ""),
    )
    assert found["environ"]["REMOTE_ADDR"] == "127.0.0.1"
    assert found["environ"]["SCRIPT_NAME"] == ""


def test_forwarded_is_believed_too() -> None:
    field = 'Forwarded: for="[2001:db8::7]:4711";proto=https;host=shop.example;by=_me'
    with running_server(show, trusted_proxies=LOOPBACK) as served:
        found = answer(served.exchange(message(field)))
    assert found["remote_addr"] == "2001:db8::7"
    assert found["url"] == "https://shop.example/a/b?c=d"
    assert found["environ"]["REMOTE_PORT"] == "4711"


def test_each_request_on_a_proxys_connection_may_be_another_clients() -> None:
    data = b"".join(
        [
            message("X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", close=False),
            message("X-Forwarded-For: 2.2.2.2", "X-Forwarded-Prefix: /x", close=False),
            message(),
        ]
    )
    with running_server(show, trusted_proxies=LOOPBACK) as served:
        answers = served.exchange(data)
    found = [
        json.loads(part.partition(b"\r\n\r\n")[2]) for part in answers.split(b"HTTP/1.1 200 OK")[1:]
    ]
    assert [(one["remote_addr"], one["scheme"], one["root_path"]) for one in found] == [
        ("1.1.1.1", "https", ""),
        ("2.2.2.2", "http", "/x"),
        ("127.0.0.1", "http", ""),
    ]


def test_who_the_client_was_is_still_known_when_the_next_one_is_served() -> None:
    kept: list[Request] = []

    def keep(request: Request) -> Response:
        kept.append(request)
        return Response("")

    with running_server(keep, trusted_proxies=LOOPBACK) as served:
        served.exchange(
            message("X-Forwarded-For: 1.1.1.1", close=False), message("X-Forwarded-For: 2.2.2.2")
        )
    assert [request.remote_addr for request in kept] == ["1.1.1.1", "2.2.2.2"]


@pytest.mark.parametrize(
    "fields",
    [
        ("X-Forwarded-Proto: http", "X-Forwarded-Proto: https"),
        ("X-Forwarded-For: 1.1.1.1, <b>",),
        ("Forwarded: for=1.1.1.1", "X-Forwarded-For: 2.2.2.2"),
    ],
)
def test_what_contradicts_itself_is_refused_without_being_repeated(fields: tuple[str, ...]) -> None:
    with running_server(show, trusted_proxies=LOOPBACK) as served:
        data = served.exchange(message(*fields, close=False))
    assert data.startswith(b"HTTP/1.1 400 ")
    assert b"cannot be read, or contradicts itself" in data
    assert b"<b>" not in data
    assert b"1.1.1.1" not in data


def test_peer_on_a_unix_socket_may_be_trusted(tmp_path: Any) -> None:
    path = str(tmp_path / "socket")
    with (
        running_server(show, unix=path, trusted_proxies=("unix",)),
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client,
    ):
        client.connect(path)
        client.sendall(message("X-Forwarded-For: 1.1.1.1"))
        assert answer(everything(client))["remote_addr"] == "1.1.1.1"


def test_content_is_received_from_a_proxy_as_from_anybody() -> None:
    def count(request: Request) -> Response:
        return Response(f"{request.remote_addr} {len(request.get_data())}")

    content = b"x" * 100_000
    head = message("X-Forwarded-For: 1.1.1.1", f"Content-Length: {len(content)}")
    with running_server(count, trusted_proxies=LOOPBACK) as served:
        assert served.exchange(head.replace(b"GET", b"POST"), content).endswith(b"1.1.1.1 100000")


def test_exchange_is_the_connections_in_all_but_who_the_client_is() -> None:
    async def tell(request: Request) -> Response:
        exchange = request.exchange
        assert exchange is not None
        exchange.inform(103, [("Link", "</a.css>")])
        return Response(f"{exchange.disconnected} {exchange.taken_over} {exchange.tls}")

    async def cut(request: Request) -> Response:
        assert request.exchange is not None
        assert request.head is not None
        assert request.exchange.offer_socket(request.head) is not None
        request.exchange.reset("enough")
        return Response("not sent")

    with running_server(tell, trusted_proxies=LOOPBACK) as served:
        data = served.exchange(message("X-Forwarded-For: 1.1.1.1"))
    assert data.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n")
    assert data.endswith(b"False False None")
    with running_server(cut, trusted_proxies=LOOPBACK) as served:
        with contextlib.suppress(ConnectionResetError):
            assert served.exchange(message("X-Forwarded-For: 1.1.1.1")) == b""
        assert served.server.counters.resets == 1


def test_message_that_breaks_the_protocol_is_refused_as_anybodys() -> None:
    with running_server(show, trusted_proxies=LOOPBACK) as served:
        assert b"Rule: RFC" in served.exchange(b"GET  / HTTP/1.1\r\n\r\n")


# In applications.


@pytest.fixture
def app() -> Groundwire:
    app = Groundwire(__name__)
    app.secret_key = "a key for tests: 0123456789abcdef"

    @app.get("/url")
    def url() -> str:
        return url_for("url", _external=True)

    @app.get("/slash/")
    def slash() -> str:
        return request.remote_addr

    @app.get("/away")
    def away() -> Any:
        return redirect(url_for("url"))

    @app.get("/environ")
    def environ() -> str:
        return f"{request.environ['REMOTE_ADDR']} {request.environ['SCRIPT_NAME']}"

    return app


def test_urls_of_an_application_are_those_of_the_proxy(app: Groundwire) -> None:
    with running_server(app, trusted_proxies=LOOPBACK) as served:
        url = served.exchange(message(*ALL_FIELDS, target="/url"))
        slash = served.exchange(message(*ALL_FIELDS, target="/slash"))
        away = served.exchange(message(*ALL_FIELDS, target="/away"))
    assert url.endswith(b"\r\n\r\nhttps://shop.example:8443/shop/url")
    assert b"\r\nLocation: https://shop.example:8443/shop/slash/\r\n" in slash
    assert b"\r\nLocation: /shop/url\r\n" in away


def test_proxy_fix_around_the_application_does_not_count_twice(app: Groundwire) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1, x_port=1, x_prefix=1)  # type: ignore[method-assign, assignment]
    with running_server(app, trusted_proxies=LOOPBACK) as served:
        environ = served.exchange(message(*ALL_FIELDS, target="/environ"))
        url = served.exchange(message(*ALL_FIELDS, target="/url"))
    assert environ.endswith(b"\r\n\r\n198.51.100.7 /shop")
    assert url.endswith(b"\r\n\r\nhttps://shop.example:8443/shop/url")


def test_way_of_a_request_is_the_same_behind_wsgi_middleware(app: Groundwire) -> None:
    fields = ("X-Forwarded-For: 6.6.6.6, 198.51.100.7, 127.0.0.2", "X-Forwarded-Proto: https")
    app.add_url_rule("/way", view_func=lambda: list(request.access_route))
    with running_server(app, trusted_proxies=LOOPBACK) as served:
        direct = answer(served.exchange(message(*fields, target="/way")))
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: inner(environ, start_response)  # type: ignore[method-assign]
    with running_server(app, trusted_proxies=LOOPBACK) as served:
        through = answer(served.exchange(message(*fields, target="/way")))
    assert direct == through == ["198.51.100.7", "127.0.0.2"]


def test_request_class_that_reads_the_environ_finds_it_right(app: Groundwire) -> None:
    class Reading(app.request_class):  # type: ignore[misc, name-defined]
        def __init__(self, environ: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            super().__init__(environ, *args, **kwargs)
            self.read = environ["REMOTE_ADDR"], environ["SCRIPT_NAME"], environ["HTTP_HOST"]

    app.request_class = Reading
    app.add_url_rule("/read", view_func=lambda: list(request.read))  # type: ignore[attr-defined]
    with running_server(app, trusted_proxies=LOOPBACK) as served:
        found = answer(served.exchange(message(*ALL_FIELDS, target="/read")))
    assert found == ["198.51.100.7", "/shop", "shop.example:8443"]


def test_asgi_applications_are_told_the_same() -> None:
    scopes: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scopes.append(scope)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    with running_server(ASGIHandler(application), trusted_proxies=LOOPBACK) as served:
        served.exchange(message(*ALL_FIELDS))
    scope = scopes[0]
    assert scope["client"] == ("198.51.100.7", 0)
    assert scope["server"] == tuple(served)
    assert (scope["scheme"], scope["root_path"], scope["path"]) == ("https", "/shop", "/shop/a/b")
    assert (b"host", b"shop.example:8443") in scope["headers"]


def test_access_log_names_the_client(tmp_path: Any) -> None:
    log = tmp_path / "log"
    with running_server(show, trusted_proxies=LOOPBACK, access_log=str(log)) as served:
        served.exchange(message("X-Forwarded-For: 198.51.100.7", close=False), message())
    assert [line.split()[0] for line in log.read_text().splitlines()] == [
        "198.51.100.7",
        "127.0.0.1",
    ]


# Connections.


def test_connections_of_others_are_of_the_plain_class() -> None:
    with running_server(show, trusted_proxies=("127.0.0.2",)) as served, served.connect() as client:
        client.sendall(message(close=False))
        client.recv(10)
        assert not any(isinstance(one, ProxiedConnection) for one in served.server.connections)


def test_trusted_proxy_may_have_any_number_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwire.server.listener._network", lambda address: b"one")
    settings: Any = {"max_connections_per_address": 1}
    with (
        running_server(show, **settings, trusted_proxies=LOOPBACK) as served,
        served.connect(),
        served.connect(),
    ):
        assert answer(served.exchange(message()))["remote_addr"] == "127.0.0.1"
    with running_server(show, **settings) as served, served.connect() as first:
        first.sendall(message(close=False))
        first.recv(10)
        with pytest.raises(OSError), served.connect() as second:
            second.sendall(message())
            assert not everything(second)
            raise ConnectionResetError


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"trusted_proxies": ("proxy",)}, "trusted-proxies: 'proxy' is no address"),
        (
            {"forwarded_fields": ("for", "user"), "trusted_proxies": LOOPBACK},
            "user cannot be believed; there are for, proto",
        ),
        ({"proxy_protocol": "required"}, "name them with trusted-proxies"),
    ],
)
def test_settings_that_cannot_be_are_told_of(settings: Any, told: str) -> None:
    with pytest.raises(StartError, match=told):
        Proxies(ServerSettings(**settings))
    with pytest.raises(StartError), running_server(show, **settings):
        pass


# The PROXY protocol.


@pytest.fixture(params=["uvloop", "asyncio"])
def introduced(request: pytest.FixtureRequest) -> Iterator[Served]:
    with running_server(
        show, loop=request.param, trusted_proxies=LOOPBACK, proxy_protocol="required"
    ) as served:
        yield served


LINE = b"PROXY TCP4 198.51.100.7 203.0.113.1 4711 8080\r\n"
BINARY = (
    SIGNATURE + b"\x21\x11\x00\x10" + bytes((198, 51, 100, 7, 203, 0, 113, 1)) + b"\x12\x67\x1f\x90"
    b"\x04\x00\x01x"
)


@pytest.mark.parametrize("header", [LINE, BINARY])
def test_header_says_who_the_client_is(introduced: Served, header: bytes) -> None:
    found = answer(introduced.exchange(header + message(*ALL_FIELDS)))
    assert found["remote_addr"] == "198.51.100.7"
    assert found["access_route"] == ["6.6.6.6", "198.51.100.7"]  # what the client itself has sent
    assert (found["scheme"], found["host"], found["root_path"]) == ("http", "inner.example", "")
    assert found["environ"]["REMOTE_PORT"] == "4711"
    assert found["environ"]["SERVER_PORT"] == "8080"


@pytest.mark.parametrize("header", [LINE, BINARY])
def test_header_may_come_in_any_pieces(introduced: Served, header: bytes) -> None:
    data = header + message()
    with introduced.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(len(header) + 3):
            client.sendall(data[index : index + 1])
        client.sendall(data[len(header) + 3 :])
        assert answer(everything(client))["remote_addr"] == "198.51.100.7"


def test_header_counts_for_all_requests_of_the_connection(introduced: Served) -> None:
    data = introduced.exchange(LINE + message(close=False) + message())
    assert data.count(b'"remote_addr": "198.51.100.7"') == 2


def test_client_in_the_header_that_is_a_proxy_itself_is_believed(introduced: Served) -> None:
    header = b"PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\n"
    found = answer(introduced.exchange(header + message("X-Forwarded-For: 198.51.100.8")))
    assert found["remote_addr"] == "198.51.100.8"


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\x00\x00\x00"])
def test_health_checks_of_the_proxy_come_from_itself(introduced: Served, header: bytes) -> None:
    assert answer(introduced.exchange(header + message()))["remote_addr"] == "127.0.0.1"


@pytest.mark.parametrize(
    "data",
    [
        message(),
        b"PROXY TCP4 1.2.3.4\r\n",
        b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
        SIGNATURE + b"\x99",
    ],
)
def test_connection_without_a_right_header_is_closed_without_an_answer(
    introduced: Served, data: bytes
) -> None:
    with introduced.connect() as client:
        client.sendall(data)
        with pytest.raises(ConnectionResetError):
            assert everything(client) == b""
            raise ConnectionResetError


def test_peer_that_goes_in_the_middle_of_the_header_is_let_go(introduced: Served) -> None:
    with introduced.connect() as client:
        client.sendall(LINE[:10])
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b""
    assert answer(introduced.exchange(LINE + message()))["remote_addr"] == "198.51.100.7"


def test_header_of_anybody_else_is_no_request() -> None:
    with running_server(show, trusted_proxies=("127.0.0.2",), proxy_protocol="required") as served:
        assert served.exchange(LINE + message()).startswith(b"HTTP/1.1 400 ")
        assert answer(served.exchange(message()))["remote_addr"] == "127.0.0.1"


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("header", [LINE, BINARY])
def test_header_comes_before_the_handshake_of_tls(header: bytes, loop: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    path = tmp_path / "cert.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(path))
    path.chmod(0o600)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    settings: Any = {"trusted_proxies": LOOPBACK, "proxy_protocol": "required"}
    with (
        running_server(show, loop=loop, cert=(str(path),), **settings) as served,
        served.connect() as plain,
    ):
        plain.sendall(header)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
            client.sendall(message(*ALL_FIELDS))
            found = answer(everything(client))
    assert (found["remote_addr"], found["scheme"]) == ("198.51.100.7", "https")


@pytest.mark.slow
def test_header_that_does_not_come_is_not_waited_for_longer_than_a_first_byte() -> None:
    settings: Any = {"first_byte_seconds": 1, "proxy_protocol": "required"}
    with (
        running_server(show, trusted_proxies=LOOPBACK, **settings) as served,
        served.connect() as client,
    ):
        stop = threading.Event()
        began = time.monotonic()

        def drip() -> None:
            with contextlib.suppress(OSError):
                for octet in LINE[:-5]:
                    client.sendall(bytes((octet,)))
                    if stop.wait(0.1):
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
        stop.set()
        dripping.join()
        assert time.monotonic() - began < 15  # and not 30, which is a first byte's own figure
