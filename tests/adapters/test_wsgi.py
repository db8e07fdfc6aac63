import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from groundwire.adapters.wsgi import WSGIHandler
from wire import Wire, chunked, request

StartResponse = Callable[..., Any]
Environ = dict[str, Any]


def test_a_wsgi_application_is_served_through_the_waist() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        content = environ["wsgi.input"].read()
        start_response(
            "201 Created", [("Content-Type", "text/plain"), ("X-Two", "1"), ("X-Two", "2")]
        )
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['QUERY_STRING']} {content!r}"
        return [line.encode()]

    with Wire(WSGIHandler(application)) as wire:
        (answer,) = wire.send(request("/caf%C3%A9?a=1", "POST", b"hello")).until_idle().answers()

    assert (201, "Created") == (answer.status, answer.reason)
    assert ["1", "2"] == answer.headers.get_all("X-Two")
    assert "POST /cafÃ© a=1 b'hello'".encode() == answer.content


def test_the_environ_is_what_pep_3333_asks_for() -> None:
    seen: Environ = {}

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b""]

    with Wire(WSGIHandler(application)) as wire:
        wire.send(
            request("/a", X_One="1", Cookie="a=1", Proxy="http://evil", **{"Remote-User": "x"})
        ).until_idle()

    assert ("GET", "/a", "", "HTTP/1.1") == tuple(
        seen[key] for key in ("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "SERVER_PROTOCOL")
    )
    assert ("1", "a=1") == (seen["HTTP_X_ONE"], seen["HTTP_COOKIE"])
    assert (1, 0) == seen["wsgi.version"]
    assert "http" == seen["wsgi.url_scheme"]
    assert "HTTP_PROXY" not in seen  # httpoxy, CVE-2016-5385
    assert "REMOTE_USER" not in seen


def test_fields_with_underscores_cannot_pass_for_others() -> None:
    seen: Environ = {}

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b""]

    with Wire(WSGIHandler(application)) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\n\r\n").until_idle()

    assert "HTTP_X_FORWARDED_FOR" not in seen


def test_a_generator_application_is_streamed_and_closed() -> None:
    closed = threading.Event()

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"one,", b"two"])

        def close(self) -> None:
            closed.set()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Body()

    with Wire(WSGIHandler(application)) as wire:
        (answer,) = wire.send(request()).until_idle().answers()
        wire.until(closed.is_set)

    assert (b"one,two", "chunked") == (answer.content, answer.headers["Transfer-Encoding"])


def test_an_application_that_is_a_generator_itself_starts_its_response_late() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written,")
        yield b"one,"
        yield b"two"

    with Wire(WSGIHandler(application)) as wire:
        (answer,) = wire.send(request()).until_idle().answers()

    assert b"written,one,two" == answer.content


def test_chunked_content_is_read_by_the_application() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["wsgi.input_terminated"]
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(4), b"|", environ["wsgi.input"].read()]

    message = request("/", "POST", Transfer_Encoding="chunked") + chunked(b"hel", b"lo", b" world")
    for cut in range(70, len(message), 3):
        with Wire(WSGIHandler(application)) as wire:
            (answer,) = wire.send(message[:cut], message[cut:]).until_idle().answers()
            assert b"hell|o world" == answer.content


@pytest.mark.parametrize("twice", [True, False])
def test_an_application_that_breaks_the_rules_gets_500(
    twice: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if twice:
            start_response("200 OK", [])
            start_response("200 OK", [])
        return []

    with Wire(WSGIHandler(application)) as wire:
        (answer,) = wire.send(request()).until_idle().answers()

    assert 500 == answer.status
    assert "start_response" in caplog.text
