import io
from typing import Any

import pytest
from werkzeug.datastructures import EnvironHeaders as WerkzeugEnvironHeaders
from werkzeug.test import run_wsgi_app as werkzeug_run_wsgi_app

from groundwire.http.environ import (
    ClosingIterator,
    EnvironHeaders,
    decode_wsgi,
    encode_wsgi,
    environ_from_head,
    run_wsgi_app,
    server_address,
    url_of_environ,
)
from groundwire.http.exchange import ContentLimitExceeded
from groundwire.http.headers import Headers
from groundwire.http.request_content import EnvironContent
from groundwire.protocol.head import RequestHead
from groundwire.protocol.http1.reader import RequestReader


class InMemoryExchange:
    tls = None
    root_path = ""
    route = ()
    scheme = "https"
    peer: Any = ("192.0.2.7", 5000)
    local: Any = ("192.0.2.1", 8443)


def environ_of(message: bytes, exchange: Any = None) -> dict[str, Any]:
    reader = RequestReader()
    reader.receive(message)
    head = reader.next_head()
    assert head is not None
    return environ_from_head(head, exchange or InMemoryExchange(), io.BytesIO(b""))


def test_a_message_becomes_the_variables_of_cgi() -> None:
    environ = environ_of(
        b"POST /caf%C3%A9?q=%20x HTTP/1.1\r\nHost: example.org:8443\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 3\r\nX-Custom: one\r\n\r\n"
    )
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/cafÃ©",
        "QUERY_STRING": "q=%20x",
        "REQUEST_URI": "/caf%C3%A9?q=%20x",
        "RAW_URI": "/caf%C3%A9?q=%20x",
        "SERVER_NAME": "192.0.2.1",
        "SERVER_PORT": "8443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "groundwire",
        "REMOTE_ADDR": "192.0.2.7",
        "REMOTE_PORT": "5000",
        "HTTP_HOST": "example.org:8443",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3",
        "HTTP_X_CUSTOM": "one",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    assert expected.items() <= environ.items()
    assert {"wsgi.input", "wsgi.errors"} == environ.keys() - expected.keys()


def test_names_with_an_underscore_and_proxy_never_reach_the_environ() -> None:
    environ = environ_of(
        b"GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\nContent_Length: 5\r\nProxy: http://evil\r\n\r\n"
    )
    assert (
        not {"HTTP_X_FORWARDED_FOR", "CONTENT_LENGTH", "HTTP_CONTENT_LENGTH", "HTTP_PROXY"}
        & environ.keys()
    )


def test_repeated_fields_are_joined() -> None:
    environ = environ_of(
        b"GET / HTTP/1.1\r\nHost: a\r\nAccept: x/y\r\naccept: z/z\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
    )
    assert environ["HTTP_ACCEPT"] == "x/y, z/z"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_a_unix_socket_has_a_name_and_a_port_all_the_same() -> None:
    class OverUnixSocket(InMemoryExchange):
        peer = ""
        local = "/run/app.sock"

    environ = environ_of(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", OverUnixSocket())
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("example.org", "443")
    assert environ["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in environ
    environ = environ_of(b"GET / HTTP/1.1\r\nHost: example.org:81\r\n\r\n", OverUnixSocket())
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("example.org", "81")
    environ = environ_of(b"GET / HTTP/1.0\r\n\r\n", OverUnixSocket())
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "443")
    assert "HTTP_HOST" not in environ


@pytest.mark.parametrize("text", ["plain", "café €", ""])
def test_text_in_an_environ_is_octets_in_disguise(text: str) -> None:
    assert text == decode_wsgi(encode_wsgi(text))
    assert encode_wsgi(text).encode("latin-1") == text.encode()


def test_the_url_of_an_environ_has_no_query() -> None:
    environ = {
        "wsgi.url_scheme": "https",
        "HTTP_HOST": "example.org:443",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/x",
        "QUERY_STRING": "a=b",
    }
    assert url_of_environ(environ) == "https://example.org/app/x"


def test_the_servers_address_may_lack_its_parts() -> None:
    assert server_address({}) is None
    assert server_address({"SERVER_NAME": "/run/app.sock", "SERVER_PORT": ""}) == (
        "/run/app.sock",
        None,
    )
    assert server_address({"SERVER_NAME": "a"}) == ("a", None)
    assert server_address({"SERVER_NAME": "a", "SERVER_PORT": "80"}) == ("a", 80)


# Fields seen through an environ.

FIELDS = {
    "HTTP_X_CUSTOM": "one",
    "HTTP_HOST": "localhost",
    "CONTENT_TYPE": "text/plain",
    "CONTENT_LENGTH": "",
    "HTTP_CONTENT_TYPE": "shadow",
    "REQUEST_METHOD": "GET",
}


def test_environ_headers_are_werkzeugs() -> None:
    ours, theirs = EnvironHeaders(FIELDS), WerkzeugEnvironHeaders(FIELDS)

    assert list(theirs) == list(ours)
    assert len(theirs) == len(ours)
    for name in ("X-Custom", "x-custom", "Content-Type", "Content-Length", "X-None", "host"):
        assert theirs.get(name) == ours.get(name), name
        assert (name in theirs) == (name in ours), name
    assert ours.getlist("x-custom") == ["one"]
    assert ours.getlist("x-none") == []
    assert ours.get(1) is None  # type: ignore[call-overload]


def test_environ_headers_change_with_the_environ_and_not_otherwise() -> None:
    environ = dict(FIELDS)
    headers = EnvironHeaders(environ)
    copy = headers.copy()
    environ["HTTP_X_CUSTOM"] = "two"

    assert headers["X-Custom"] == "two"
    assert copy["X-Custom"] == "one"
    assert type(copy) is Headers
    with pytest.raises(TypeError):
        headers["X-Custom"] = "three"
    assert headers == EnvironHeaders(environ)
    assert headers != EnvironHeaders(dict(environ))
    assert headers != 1


# Content from an environ.


def environ_content(data: bytes, length: int | None = None, **environ: Any) -> EnvironContent:
    return EnvironContent({"wsgi.input": io.BytesIO(data), **environ}, length)


def test_content_from_an_environ_ends_with_its_length() -> None:
    content = environ_content(b"octets and the next request", 6)
    assert content.complete
    assert (content.read(4), content.read(), content.read(1)) == (b"octe", b"ts", b"")


def test_content_without_length_is_read_only_where_the_input_has_an_end() -> None:
    assert environ_content(b"octets").read() == b""
    assert environ_content(b"octets", **{"wsgi.input_terminated": True}).read() == b"octets"


def test_content_over_its_limit_is_not_begun() -> None:
    content = environ_content(b"octets", 6)
    content.limit_bytes = 5
    with pytest.raises(ContentLimitExceeded):
        content.read(1)


# WSGI applications.


def test_closing_an_iterator_calls_everything_once() -> None:
    called: list[str] = []

    class Pieces:
        def __iter__(self) -> Any:
            return iter([b"a", b"b"])

        def close(self) -> None:
            called.append("own")

    iterator = ClosingIterator(
        Pieces(), [lambda: called.append("first"), lambda: called.append("second")]
    )
    assert list(iterator) == [b"a", b"b"]
    iterator.close()
    assert called == ["own", "first", "second"]
    assert list(ClosingIterator([b"a"])) == [b"a"]


def application(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    environ["changed"] = True
    return [b"a", b"b"]


def generator_application(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"a"
    yield b"b"


def late_application(environ: dict[str, Any], start_response: Any) -> Any:
    yield b""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"ab"


def writing_application(environ: dict[str, Any], start_response: Any) -> Any:
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"a")
    return [b"b"]


@pytest.mark.parametrize("buffered", [False, True])
@pytest.mark.parametrize(
    "app", [application, generator_application, late_application, writing_application]
)
def test_a_wsgi_application_is_called_as_werkzeug_calls_it(app: Any, buffered: bool) -> None:
    environ = {"REQUEST_METHOD": "GET"}
    theirs = werkzeug_run_wsgi_app(app, environ, buffered)
    pieces, status, headers = run_wsgi_app(app, environ, buffered)

    assert (theirs[1], list(theirs[2])) == (status, list(headers))
    assert b"".join(pieces) == b"ab"
    assert environ == {"REQUEST_METHOD": "GET"}


@pytest.mark.parametrize("buffered", [False, True])
def test_what_an_application_returned_is_closed(buffered: bool) -> None:
    closed: list[bool] = []

    def closing(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return ClosingIterator([b"a"], lambda: closed.append(True))

    pieces, _, _ = run_wsgi_app(closing, {}, buffered)
    if not buffered:
        assert closed == []
        pieces.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_an_application_that_starts_no_response_is_named() -> None:
    def silent(environ: Any, start_response: Any) -> list[bytes]:
        return [b"a"]

    with pytest.raises(AssertionError, match="did not call start_response"):
        run_wsgi_app(silent, {})


def test_an_application_may_start_again_until_something_is_sent() -> None:
    def failing(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        if environ["sent"]:
            write(b"x")
        error = ValueError("late")
        start_response("500 Oops", [], (ValueError, error, None))
        return [b"error"]

    def starting_twice(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with pytest.raises(AssertionError, match="twice"):
        run_wsgi_app(starting_twice, {})
    _, status, _ = run_wsgi_app(failing, {"sent": False})
    assert status == "500 Oops"
    with pytest.raises(ValueError, match="late"):
        run_wsgi_app(failing, {"sent": True})


def test_an_upgrade_offers_the_connection_if_it_can_be_given_away() -> None:
    class Giving(InMemoryExchange):
        def offer_socket(self, head: RequestHead) -> object:
            return ("the socket for", head.fields.upgrade)

    class Keeping(InMemoryExchange):
        def offer_socket(self, head: RequestHead) -> None:
            return None

    message = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"

    assert ("the socket for", b"websocket") == environ_of(message, Giving())["werkzeug.socket"]
    assert "werkzeug.socket" not in environ_of(message, Keeping())
    assert "werkzeug.socket" not in environ_of(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Keeping())
