"""No text of a program, wherever it puts it, ends a field line of a response or begins another (CWE-113).

Twelve payloads in each place that reaches the header section or what frames a message. Each is refused where it is
set (ValueError) or answered 500; what is on the wire never holds a line that the program did not write.
"""

import contextlib
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from fetching import make_app
from groundwire import Groundwire, Response, redirect, request
from groundwire.http.headers import Headers
from serving import running_server
from wire import Wire
from wire import request as wire_request

PAYLOADS = {
    "crlf": "a\r\nX-Inj: 1",
    "two responses": "a\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Inj: 1",
    "lf": "a\nX-Inj: 1",
    "cr": "a\rX-Inj: 1",
    "nul": "a\0X-Inj: 1",
    "folded": "a\r\n X-Inj: 1",
    "at the start": "\r\nX-Inj: 1",
    "at the end": "a\r\n",
    "vertical tab": "a\x0bX-Inj: 1",
    "delete": "a\x7fX-Inj: 1",
    "wide, whose low bytes are CR LF": "a\u560d\u560aX-Inj: 1",
    "unicode line ends": "a\u2028X-Inj\u0085: 1",
}

Place = Callable[[Response, str], Any]


def field_name(response: Response, text: str) -> None:
    response.headers[text] = "v"


def field_value(response: Response, text: str) -> None:
    response.headers["X-A"] = text


def field_value_added(response: Response, text: str) -> None:
    response.headers.add("X-A", text)


def field_parameter(response: Response, text: str) -> None:
    response.headers.add("Content-Disposition", "attachment", filename=text)


def several_fields(response: Response, text: str) -> None:
    response.headers.extend([("X-A", text)])


def cookie_name(response: Response, text: str) -> None:
    response.set_cookie(text, "v")


def cookie_value(response: Response, text: str) -> None:
    response.set_cookie("name", text)


def cookie_domain(response: Response, text: str) -> None:
    response.set_cookie("name", "v", domain=text)


def cookie_path(response: Response, text: str) -> None:
    response.set_cookie("name", "v", path=text)


def cookie_expires(response: Response, text: str) -> None:
    response.set_cookie("name", "v", expires=text)


def location(response: Response, text: str) -> Response:
    return redirect(text)


def location_set(response: Response, text: str) -> None:
    response.status_code = 302
    response.location = text


def reason(response: Response, text: str) -> None:
    response.status = f"200 {text}"


def content_type(response: Response, text: str) -> None:
    response.content_type = text


def mimetype(response: Response, text: str) -> None:
    response.mimetype = text


def type_argument(response: Response, text: str) -> Response:
    return Response("x", content_type=text)


def status_argument(response: Response, text: str) -> Response:
    return Response("x", status=f"200 {text}")


def headers_argument(response: Response, text: str) -> Response:
    return Response("x", headers={"X-A": text})


def etag(response: Response, text: str) -> None:
    response.set_etag(text)


def allowed(response: Response, text: str) -> None:
    response.allow.add(text)


def varying(response: Response, text: str) -> None:
    response.vary.add(text)


def cache_policy(response: Response, text: str) -> None:
    response.cache_control.private = text


def trailer_name(response: Response, text: str) -> None:
    response.response = iter(["x"])
    response.trailers = Headers([(text, "v")])


def trailer_value(response: Response, text: str) -> None:
    response.response = iter(["x"])
    response.trailers = Headers([("X-T", text)])


def early_hint(response: Response, text: str) -> None:
    request.exchange.inform(103, [("Link", text)])


def early_hint_name(response: Response, text: str) -> None:
    request.exchange.inform(103, [(text, "v")])


PLACES: list[Place] = [
    field_name,
    field_value,
    field_value_added,
    field_parameter,
    several_fields,
    cookie_name,
    cookie_value,
    cookie_domain,
    cookie_path,
    cookie_expires,
    location,
    location_set,
    reason,
    content_type,
    mimetype,
    type_argument,
    status_argument,
    headers_argument,
    etag,
    allowed,
    varying,
    cache_policy,
    trailer_name,
    trailer_value,
    early_hint,
    early_hint_name,
]


def app_that_puts(place: Place, text: str) -> Groundwire:
    app = make_app()

    @app.route("/")
    def view() -> Response:
        response = Response("x")
        return place(response, text) or response

    @app.route("/tuple")
    def in_a_tuple() -> Any:
        return "x", 200, [("X-A", text)]

    return app


def until_gone(client: socket.socket) -> bytes:
    """Read until the server ends the connection, orderly or by a reset."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received


INJECTED = re.compile(rb"[\r\n\0]\s*X-Inj", re.IGNORECASE)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_nothing_is_injected(place: Place, payload: str) -> None:
    with Wire(app_that_puts(place, payload)) as wire:
        wire.send(wire_request("/", TE="trailers")).until_idle()
        raw = wire.raw

    assert not INJECTED.search(raw)
    starts = re.findall(rb"(?:^|\n)HTTP/1\.1 (\d)", raw)
    assert len(starts) == 1 + starts.count(b"1")
    heads, _, _ = raw.rpartition(b"\r\n\r\n")
    # Every CR and LF of the head belongs to a CRLF, and nothing in it is a control character.
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", heads)
    assert heads.count(b"\r") == heads.count(b"\n") == heads.count(b"\r\n")


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_tuple_is_no_way_around(payload: str) -> None:
    with Wire(app_that_puts(field_value, payload)) as wire:
        raw = wire.send(wire_request("/tuple")).until_idle().raw

    assert not INJECTED.search(raw)
    assert raw.startswith(b"HTTP/1.1 500 ") or b"\r\nX-A: " in raw


@pytest.mark.parametrize(
    "place", [field_name, field_value, field_value_added, several_fields, content_type, reason]
)
@pytest.mark.parametrize("payload", ["a\r\nX-Inj: 1", "a\nX-Inj: 1", "a\rX-Inj: 1", "a\0b"])
def test_it_is_refused_where_it_is_set(place: Place, payload: str) -> None:
    response = Response("x")
    before = list(response.headers)

    with pytest.raises(ValueError):
        place(response, payload)

    assert before == list(response.headers)


def test_an_interim_response_is_written_whole_or_not_at_all() -> None:
    app = make_app()

    @app.route("/")
    async def view() -> str:
        request.exchange.inform(103, [("Link", "</a.css>; rel=preload")])
        with pytest.raises(ValueError):
            request.exchange.inform(103, [("Link", "a\r\nX-Inj: 1")])
        with pytest.raises(ValueError):
            request.exchange.inform(101, [])
        return "x"

    with running_server(app) as served:
        raw = served.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert raw.count(b"HTTP/1.1 103 ") == 1
    assert b"X-Inj" not in raw


@pytest.mark.parametrize("status", ["99 Low", "1000 High", "-1 Less", "0x200 Hex", "２００ Wide"])
def test_a_status_is_three_digits(status: str) -> None:
    app = make_app()

    @app.route("/")
    def view() -> Response:
        return Response("x", status=status)

    with Wire(app) as wire:
        raw = wire.send(wire_request("/")).until_idle().raw

    assert re.match(rb"HTTP/1\.1 [2-5]\d\d ", raw)


# What a program says of the framing, which is not its business.


def answer_with(fields: dict[str, str], content: Any, method: str = "GET") -> bytes:
    app = make_app()

    @app.route("/", methods=["GET", "POST"])
    def view() -> Response:
        return Response(content, headers=fields)

    with running_server(app) as served:
        head = f"{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        return served.exchange(head.encode())


@pytest.mark.parametrize("value", ["chunked", "gzip, chunked", "identity"])
def test_transfer_encoding_of_a_program_is_not_sent(value: str) -> None:
    raw = answer_with({"Transfer-Encoding": value}, "hello")

    assert b"transfer-encoding" not in raw.lower()
    assert raw.endswith(b"\r\n\r\nhello") or raw.startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("value", ["keep-alive", "upgrade", "close, x"])
def test_connection_of_a_program_is_not_sent(value: str) -> None:
    raw = answer_with({"Connection": value, "Keep-Alive": "timeout=5"}, "hello")

    assert raw.lower().count(b"\r\nconnection: close\r\n") == 1
    assert raw.lower().count(b"\r\nconnection:") == 1


@pytest.mark.parametrize("stated", ["5", "15", "-1", "x", "10, 10"])
def test_whole_content_is_sent_with_its_own_length_or_not_at_all(stated: str) -> None:
    app = make_app()

    @app.route("/")
    def view() -> Response:
        response = Response("0123456789")
        response.headers["Content-Length"] = stated
        return response

    with running_server(app) as served:
        raw = served.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    head, _, content = raw.partition(b"\r\n\r\n")
    assert head.lower().count(b"content-length: %d" % len(content)) == 1
    assert head.lower().count(b"content-length:") == 1
    assert head.startswith(b"HTTP/1.1 500 ") or content == b"0123456789"


def test_streamed_content_that_is_longer_than_its_length_is_cut() -> None:
    app = make_app()

    @app.route("/")
    def view() -> Response:
        return Response(iter(["0123", "456789"]), headers={"Content-Length": "5"})

    with running_server(app) as served, served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        received = until_gone(client)

    head, _, content = received.partition(b"\r\n\r\n")
    assert b"Content-Length: 5" in head
    assert b"01234".startswith(content)


def test_streamed_content_that_is_shorter_than_its_length_closes_short() -> None:
    app = make_app()

    @app.route("/")
    def view() -> Response:
        return Response(iter(["01", "234"]), headers={"Content-Length": "10"})

    with running_server(app) as served, served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        received = until_gone(client)

    assert b"01234".startswith(received.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("status", [204, 304])
def test_content_is_dropped_where_there_can_be_none(status: int) -> None:
    app = make_app()

    @app.route("/")
    def view() -> Any:
        return "HTTP/1.1 200 OK\r\nX-Inj: 1\r\n\r\n", status

    with running_server(app) as served:
        raw = served.exchange(
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )

    assert raw.count(b"HTTP/1.1 ") == 2
    assert b"X-Inj" not in raw


def test_content_is_dropped_for_head() -> None:
    raw = answer_with({}, "HTTP/1.1 200 OK\r\n\r\n", "HEAD")

    assert raw.endswith(b"\r\n\r\n")
    assert raw.count(b"HTTP/1.1 ") == 1
