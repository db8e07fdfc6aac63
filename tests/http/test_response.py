import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Response as WerkzeugResponse
from werkzeug.datastructures import ContentRange as WerkzeugContentRange
from werkzeug.datastructures import WWWAuthenticate as WerkzeugWWWAuthenticate
from werkzeug.http import COEP as WERKZEUG_COEP
from werkzeug.http import COOP as WERKZEUG_COOP

from groundwire.http.authorization import WWWAuthenticate
from groundwire.http.errors import RequestedRangeNotSatisfiable, Unauthorized, abort
from groundwire.http.files import FileSlice, open_trusted
from groundwire.http.headers import Headers
from groundwire.http.ranges import ContentRange
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.http.response_fields import COEP, COOP
from groundwire.http.status import parse_status

GET = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_HOST": "localhost"}
HEAD = GET | {"REQUEST_METHOD": "HEAD"}

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


def both(*args: Any, **kwargs: Any) -> tuple[WerkzeugResponse, Response]:
    return WerkzeugResponse(*args, **kwargs), Response(*args, **kwargs)


def written(response: Any, environ: dict[str, Any]) -> tuple[bytes, str, list[tuple[str, str]]]:
    pieces, status, headers = response.get_wsgi_response(environ)
    return b"".join(pieces), status, [(name, value) for name, value in headers if name != "Date"]


def numbers() -> Iterator[str]:
    yield "one "
    yield "two"


async def numbers_later() -> AsyncIterator[str]:
    yield "one"


CONSTRUCTED: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    (("text",), {}),
    ((b"octets",), {}),
    ((bytearray(b"octets"),), {}),
    (("für €",), {}),
    (("",), {}),
    ((["a", b"b"],), {}),
    ((("a", "b"),), {}),
    (("x", 404), {}),
    (("x", "404"), {}),
    (("x", "404 Gone Fishing"), {}),
    (("x", "200 OK"), {}),
    (("x", HTTPStatus.CREATED), {}),
    (("x", 799), {}),
    (("x", "wrong"), {}),
    (("x",), {"mimetype": "text/plain"}),
    (("x",), {"mimetype": "application/xml"}),
    (("x",), {"mimetype": "application/json"}),
    (("x",), {"mimetype": "image/svg+xml"}),
    (("x",), {"content_type": "text/plain; charset=latin-1"}),
    (("x",), {"content_type": "image/png", "mimetype": "text/plain"}),
    (("x",), {"headers": {"X-A": "1", "X-B": ["2", "3"]}}),
    (("x",), {"headers": [("X-A", "1"), ("X-A", "2")]}),
    (("x",), {"headers": {"Content-Type": "text/csv"}}),
    (("x",), {"headers": {"Content-Type": "text/csv"}, "mimetype": "text/plain"}),
    (("x",), {"headers": {"Content-Length": "99"}}),
    (("x",), {"headers": {}}),
    (("x", 204), {}),
    (("x", 304), {"headers": {"ETag": '"a"', "Last-Modified": "x", "Content-Language": "de"}}),
    (("x", 302), {"headers": {"Location": "/a b"}}),
    ((None, 201), {"headers": {"Location": "http://localhost/ü"}}),
]


@pytest.mark.parametrize(("args", "kwargs"), CONSTRUCTED)
def test_the_constructor_is_werkzeugs(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    theirs, ours = both(*args, **kwargs)

    assert theirs.status == ours.status
    assert theirs.status_code == ours.status_code
    assert sorted(theirs.headers) == sorted(ours.headers)
    assert theirs.mimetype == ours.mimetype
    assert theirs.content_type == ours.content_type
    assert theirs.get_data() == ours.get_data() == ours.data
    assert theirs.is_sequence == ours.is_sequence
    assert theirs.is_streamed == ours.is_streamed
    assert theirs.calculate_content_length() == ours.calculate_content_length()
    assert repr(ours) == repr(theirs).replace("WerkzeugResponse", "Response")
    for environ in (GET, HEAD):
        theirs, ours = both(*args, **kwargs)
        their_content, their_status, their_headers = written(theirs, environ)
        content, status, headers = written(ours, environ)
        assert (their_content, their_status) == (content, status)
        assert sorted(their_headers) == sorted(headers)


def test_the_class_says_the_defaults() -> None:
    class Teapot(Response):
        default_status = "418 Short And Stout"
        default_mimetype = "application/tea"

    for response in (Teapot("x"), Teapot.of_text("x")):
        assert response.status == "418 Short And Stout"
        assert response.field_lines() == [("Content-Type", "application/tea")]
        response.status_code = 200
        assert response.status == "200 OK"
    assert Teapot("x", 201, mimetype="text/plain").status == "201 CREATED"


def test_a_class_without_a_type_sends_none() -> None:
    class Untyped(Response):
        default_mimetype = None

    for response in (Untyped("x"), Untyped.of_text("x")):
        assert response.field_lines() == []
        assert response.mimetype is None
        assert response.plain_type is None


# What the server reads.


def test_text_makes_the_least_response() -> None:
    response = Response.of_text("für")

    assert {"content": "für".encode()} == vars(response)
    assert (response.status_code, response.plain_type) == (200, "text/plain; charset=utf-8")
    assert response.field_lines() == [("Content-Type", "text/plain; charset=utf-8")]


def test_text_goes_through_an_overridden_constructor() -> None:
    class Marked(Response):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.headers["X-Marked"] = "yes"

    class Inherited(Marked):
        pass

    assert Inherited.of_text("x").headers["X-Marked"] == "yes"


def test_a_type_stays_plain_until_somebody_looks_at_the_headers() -> None:
    response = Response("{}", 201, mimetype="application/json")
    assert response.plain_type == "application/json"
    assert (response.mimetype, response.is_json, response.content_length) == (
        "application/json",
        True,
        2,
    )
    assert response.plain_type is None
    assert response.field_lines() == [("Content-Type", "application/json")]


def test_headers_may_be_set_to_a_dictionary() -> None:
    response = Response("x")
    response.headers = {"X-A": "1", "Content-Type": "text/csv"}

    assert isinstance(response.headers, Headers)
    assert [("X-A", "1"), ("Content-Type", "text/csv")] == list(response.headers)


def test_headers_that_are_given_are_used_themselves() -> None:
    headers = Headers({"X-A": "1"})
    response = Response("x", headers=headers)
    assert headers is response.headers
    replaced = Headers({"X-B": "2"})
    response.headers = replaced
    assert response.plain_type is None
    assert response.field_lines() == [("X-B", "2")]


def test_framing_fields_are_left_to_the_server() -> None:
    response = Response("x")
    for name in ("Transfer-Encoding", "Connection", "Keep-Alive"):
        response.headers[name] = "chunked"
    assert response.field_lines() == [("Content-Type", "text/plain; charset=utf-8")]


@pytest.mark.parametrize("length", ["1", "6"])
def test_a_content_length_that_is_not_the_contents_is_refused_before_anything_is_sent(
    length: str,
) -> None:
    response = Response("12345")
    response.headers["Content-Length"] = length
    with pytest.raises(ValueError, match="Content-Length was set to"):
        response.settle(None)
    with pytest.raises(ValueError, match="Content-Length was set to"):
        response.field_lines()
    response.status_code = 304
    response.settle(None)
    assert response.field_lines() == []


def test_a_content_length_may_stand_for_content_that_is_not_sent() -> None:
    response = Response(headers={"Content-Length": "5"})
    response.headers["Content-Length"] = "5"
    assert response.field_lines() == [("Content-Type", "text/plain; charset=utf-8")]
    streamed = Response(numbers(), headers={"Content-Length": "7"})
    assert streamed.content is None
    assert streamed.content_length == 7


def test_a_sequence_is_one_piece_when_it_is_sent() -> None:
    response = Response(["a", b"b"])
    assert (response.content, response.source) == (None, ["a", b"b"])
    response.settle(None)
    assert (response.content, response.source) == (b"ab", None)
    streamed = Response(numbers())
    streamed.settle(None)
    assert streamed.content is None


def test_a_list_of_content_may_be_changed_in_place() -> None:
    response = Response("a")
    response.response.append(b"b")
    assert response.get_data() == b"ab"
    response.settle(None)
    assert response.content == b"ab"
    assert Response().response == []


def test_overridden_steps_are_what_is_sent() -> None:
    class Shouting(Response):
        def iter_encoded(self) -> Iterator[bytes]:
            return iter([piece.upper() for piece in super().iter_encoded()])

        def get_wsgi_headers(self, environ: Any) -> Headers:
            headers = super().get_wsgi_headers(environ)
            headers["X-Path"] = environ["PATH_INFO"]
            return headers

    request = Request(HEAD | {"PATH_INFO": "/x"})
    response = Shouting.of_text("loud")
    assert response.plain_type is None
    for _ in range(2):
        response.settle(request)
    assert response.content == b"LOUD"
    assert response.headers.getlist("X-Path") == ["/x"]
    streamed = Shouting(numbers())
    closed: list[bool] = []
    streamed.call_on_close(lambda: closed.append(True))
    streamed.settle(request)
    assert b"".join(streamed.source) == b"ONE TWO"
    streamed.close()
    assert closed == [True]
    converted = Shouting.force_type(Response("quiet"))
    assert converted.plain_type is None
    assert written(converted, GET | {"PATH_INFO": "/y"})[0] == b"QUIET"


def test_location_becomes_absolute_where_a_class_wants_that() -> None:
    class Absolute(Response):
        autocorrect_location_header = True

    response = Absolute("x", 302, {"Location": "y?z=1"})
    response.settle(Request(GET | {"PATH_INFO": "/a/b", "SCRIPT_NAME": "/app"}))
    assert response.headers["Location"] == "http://localhost/app/a/y?z=1"
    plain = Absolute("x")
    plain.settle(None)
    assert plain.plain_type == "text/plain; charset=utf-8"


def test_locations_are_uris_when_they_are_sent() -> None:
    response = Response("x", headers={"Location": "/a b", "Content-Location": "/ü"})
    lines = dict(response.field_lines())
    assert (lines["Location"], lines["Content-Location"]) == ("/a%20b", "/%C3%BC")


# Control data.


@pytest.mark.parametrize(
    "status",
    [200, 404, 599, "404", "404 NOT FOUND", "200 Fine", "  201 Made It ", "wat", HTTPStatus.OK],
)
def test_status_is_werkzeugs(status: Any) -> None:
    theirs, ours = both("x")
    theirs.status = ours.status = status
    assert theirs.status == ours.status
    assert theirs.status_code == ours.status_code


def test_a_status_that_is_nothing_is_refused() -> None:
    for status in ("", "   "):
        with pytest.raises(ValueError, match="Empty status"):
            Response("x", status)
    with pytest.raises(TypeError):
        Response("x").status = 2.5  # type: ignore[assignment]


def test_a_reason_phrase_goes_with_its_code_only() -> None:
    response = Response("x", "404 Gone Fishing")
    assert parse_status("404 Gone Fishing") == (404, "Gone Fishing")
    assert response.reason == "Gone Fishing"
    response.status_code = 200
    response.field_lines()
    assert response.reason is None
    assert response.status == "200 OK"


PAYLOADS = [
    "a\r\nX-Inj: 1",
    "a\nX-Inj: 1",
    "a\rX-Inj: 1",
    "a\r\n\r\n<html>",
    "\r\nX-Inj: 1",
    "a\x00b",
    "a\x0bX-Inj: 1",
    "a\x0cX-Inj: 1",
    "a\x7fb",
    "a\x1bb",
    "a\r\n X-Inj: 1",
    "a\u560a\u560dX-Inj: 1",
]
"""The last one turns into CR and LF where characters are cut to octets."""

PLACES: dict[str, Callable[[Response, str], object]] = {
    "name": lambda response, text: response.headers.add(text, "x"),
    "value": lambda response, text: response.headers.add("X-A", text),
    "set": lambda response, text: response.headers.set("X-A", text),
    "constructor": lambda response, text: Response("x", headers={"X-A": text}),
    "cookie name": lambda response, text: response.set_cookie(text, "x"),
    "reason": lambda response, text: setattr(response, "status", f"200 {text}"),
    "status": lambda response, text: Response("x", text),
    "content type": lambda response, text: Response("x", content_type=text),
    "media type": lambda response, text: Response("x", mimetype=text),
    "content type set": lambda response, text: setattr(response, "content_type", text),
    "entity tag": lambda response, text: response.set_etag(text),
    "vary": lambda response, text: setattr(response, "vary", text),
    "allow": lambda response, text: setattr(response, "allow", [text]),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_can_split_a_response(place: str, payload: str) -> None:
    response = Response("x")
    with pytest.raises(ValueError):
        PLACES[place](response, payload)
    assert len(list(response.headers)) <= 2


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_quoted_or_encoded_cannot_split_a_response_either(payload: str) -> None:
    response = Response("x")
    places: list[Callable[[], object]] = [
        lambda: response.set_cookie("a", payload),
        lambda: response.set_cookie("a", "x", path=payload),
        lambda: response.set_cookie("a", "x", domain=payload),
        lambda: setattr(response, "location", payload),
        lambda: response.headers.add("Content-Disposition", "attachment", filename=payload),
    ]
    for place in places:
        try:
            place()
        except ValueError:
            continue
    for _, value in response.field_lines():
        assert not set(value) & set("\r\n\0\x0b\x0c\x1b\x7f")


# Content.


def test_streamed_content_is_read_whole_when_somebody_asks() -> None:
    theirs, ours = WerkzeugResponse(numbers()), Response(numbers())
    assert repr(ours) == "<Response streamed [200 OK]>"
    assert ours.is_streamed
    assert not ours.is_sequence
    assert theirs.get_data() == ours.get_data() == b"one two"
    assert ours.is_sequence
    assert ours.get_data(as_text=True) == "one two"
    ours.make_sequence()
    assert ours.response == [b"one ", b"two"]


def test_reading_a_stream_can_be_forbidden() -> None:
    response = Response(numbers())
    response.implicit_sequence_conversion = False
    with pytest.raises(RuntimeError, match="make_sequence"):
        response.get_data()
    assert response.calculate_content_length() is None
    passed = Response(numbers(), direct_passthrough=True)
    with pytest.raises(RuntimeError, match="direct_passthrough"):
        passed.get_data()
    assert list(passed.get_app_iter(GET)) == ["one ", "two"]


def test_asynchronous_content_is_the_servers_to_read() -> None:
    source = numbers_later()
    response = Response(source)
    with pytest.raises(RuntimeError, match="asynchronous"):
        response.get_data()
    assert response.source is source
    asyncio.run(source.aclose())  # type: ignore[attr-defined]


def test_content_can_be_set() -> None:
    theirs, ours = both("x")
    theirs.data = ours.data = "für"
    assert theirs.headers["Content-Length"] == ours.headers["Content-Length"] == "4"
    ours.data = b"octets"
    assert ours.headers["Content-Length"] == "6"
    ours.response = "text"
    assert ours.get_data() == b"text"
    ours.response = ["a", "b"]
    assert ours.get_data() == b"ab"


@pytest.mark.parametrize("value", [5, None, ["a"]])
def test_data_is_text_or_octets(value: Any) -> None:
    with pytest.raises(TypeError):
        Response("x").data = value


def test_data_may_be_any_octets() -> None:
    response = Response("x")
    response.data = bytearray(b"octets")

    assert b"octets" == response.data
    assert 6 == response.content_length


def test_content_length_is_not_set_where_that_is_off() -> None:
    class Unmeasured(Response):
        automatically_set_content_length = False

    assert "Content-Length" not in Unmeasured("x").headers
    response = Unmeasured("x", headers={"X-A": "1"})
    response.data = "y"
    assert "Content-Length" not in response.get_wsgi_headers(GET)


def test_a_frozen_response_is_whole_and_tagged() -> None:
    theirs, ours = WerkzeugResponse(numbers()), Response(numbers())
    theirs.freeze()
    ours.freeze()
    assert theirs.response == ours.response
    assert theirs.get_data() == ours.get_data()
    assert theirs.headers["Content-Length"] == ours.headers["Content-Length"]
    assert ours.get_etag()[0]


def test_the_stream_writes_at_the_end_of_the_content() -> None:
    theirs, ours = WerkzeugResponse(["a"]), Response(["a"])
    for response in (theirs, ours):
        stream = response.stream
        assert stream.tell() == 1
        stream.write(b"b")
        stream.writelines([b"c", b"d"])
        stream.flush()
        assert not stream.isatty()
        assert stream.encoding == "utf-8"
        assert not stream.closed
        stream.close()
        with pytest.raises(ValueError, match="closed"):
            stream.write(b"e")
        with pytest.raises(ValueError, match="closed"):
            stream.flush()
        with pytest.raises(ValueError, match="closed"):
            stream.isatty()
        assert response.get_data() == b"abcd"
    assert theirs.response == ours.response
    assert "Content-Length" not in ours.headers
    whole = Response("a")
    whole.stream.write("b")
    assert written(whole, GET)[0] == b"ab"
    assert dict(written(whole, GET)[2])["Content-Length"] == "2"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.binary(), max_size=5))
def test_pieces_give_the_same_octets_however_they_are_given(pieces: list[Any]) -> None:
    expected = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    for source in (pieces, tuple(pieces), iter(pieces)):
        assert expected == Response(source).get_data()
    assert expected == b"".join(Response(iter(pieces))(GET, lambda *_: None))


# JSON.


def test_json_content_is_decoded() -> None:
    response = Response('{"a": 1}', mimetype="application/vnd.api+json")
    assert response.json == {"a": 1}
    assert Response("[]").get_json() is None
    assert Response("[]").get_json(force=True) == []
    assert Response("{", mimetype="application/json").get_json(silent=True) is None
    with pytest.raises(ValueError, match="Expecting"):
        _ = Response("{", mimetype="application/json").json


# The end.


def test_closing_calls_everything_once() -> None:
    called: list[str] = []

    class Source:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a"])

        def close(self) -> None:
            called.append("source")

    with Response(Source()) as response:

        @response.call_on_close
        def note() -> None:
            called.append("function")

    response.close()
    assert called.count("function") == 1
    assert called[0] == "source"
    assert note in vars(response).values() or callable(note)


def test_closing_goes_on_after_a_failure_and_raises_it() -> None:
    called: list[str] = []
    response = Response("x")
    response.call_on_close(lambda: 1 / 0)
    response.call_on_close(lambda: called.append("second"))
    with pytest.raises(ZeroDivisionError):
        response.close()
    assert called == ["second"]


def test_a_sequence_made_of_a_stream_closes_the_stream() -> None:
    closed: list[bool] = []

    def source() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    response = Response(source())
    response.make_sequence()
    response.close()
    assert closed == [True]
    Response([]).make_sequence()


# As a WSGI application.


def call(response: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = []
    pieces = response(environ, lambda status, headers: started.extend((status, headers)))
    content = b"".join(pieces)
    if hasattr(pieces, "close"):
        pieces.close()
    return started[0], started[1], content


def test_a_response_is_a_wsgi_application() -> None:
    closed: list[bool] = []
    response = Response("x", 201)
    response.call_on_close(lambda: closed.append(True))
    status, headers, content = call(response, GET)
    assert (status, content, closed) == ("201 CREATED", b"x", [True])
    assert ("Content-Length", "1") in headers


def test_a_wsgi_application_becomes_a_response() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("202 Fine", [("X-A", "1")])
        return [b"a", b"b"]

    response = Response.force_type(application, GET)
    assert (response.status, response.get_data(), response.headers["X-A"]) == (
        "202 Fine",
        b"ab",
        "1",
    )
    assert Response.from_app(application, GET, buffered=True).response == [b"a", b"b"]
    with pytest.raises(TypeError, match="environ"):
        Response.force_type(application)
    with pytest.raises(TypeError, match="neither"):
        Response.force_type(5, GET)


def test_seen_from_the_class_fields_describe_themselves() -> None:
    assert "RFC 9110" in Response.vary.__doc__
    assert "RFC 9110" in str(Response.location.__doc__)


def test_a_response_changes_its_class_and_stays_the_object_it_is() -> None:
    class Own(Response):
        pass

    response = Response("x")
    converted = Own.force_type(response)
    assert converted is response
    assert type(converted) is Own
    assert Own.force_type(converted) is converted


def test_errors_answer_with_responses() -> None:
    response = Unauthorized(
        www_authenticate=WWWAuthenticate("basic", {"realm": "x"})
    ).get_response()
    assert isinstance(response, Response)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="x"'
    with pytest.raises(Exception) as caught:
        abort(Response("x", 299))
    assert caught.value.get_response().status_code == 299  # type: ignore[attr-defined]


# Fields as attributes.

SET: list[tuple[str, Any]] = [
    ("age", timedelta(seconds=5)),
    ("age", 5),
    ("location", "/x"),
    ("content_type", "text/x"),
    ("mimetype", "text/x"),
    ("mimetype", "image/x"),
    ("content_length", 5),
    ("content_location", "/x"),
    ("content_encoding", "gzip"),
    ("content_md5", "x"),
    ("date", NOW),
    ("expires", NOW),
    ("last_modified", NOW),
    ("retry_after", NOW),
    ("vary", ["Cookie", "Accept"]),
    ("vary", "Cookie, Accept"),
    ("content_language", ["de", "en"]),
    ("allow", ["GET", "HEAD"]),
    ("accept_ranges", "bytes"),
    ("content_range", "bytes 0-4/10"),
    ("content_security_policy", "default-src 'self'; img-src *"),
    ("content_security_policy_report_only", "default-src 'self'"),
    ("access_control_allow_credentials", True),
    ("access_control_allow_headers", ["X-A", "X-B"]),
    ("access_control_allow_methods", ["GET", "PUT"]),
    ("access_control_allow_origin", "http://a"),
    ("access_control_expose_headers", ["X-A"]),
    ("access_control_max_age", 5),
]


def comparable(value: Any) -> Any:
    return value.to_header() if hasattr(value, "to_header") else value


@pytest.mark.parametrize(("name", "value"), SET)
def test_fields_are_set_and_read_as_werkzeugs(name: str, value: Any) -> None:
    theirs, ours = both("x")
    setattr(theirs, name, value)
    setattr(ours, name, value)

    assert sorted(theirs.headers.items(lower=True)) == sorted(ours.headers.items(lower=True))
    assert comparable(getattr(theirs, name)) == comparable(getattr(ours, name))


@pytest.mark.parametrize("name", sorted({name for name, _ in SET} - {"mimetype", "content_type"}))
def test_fields_are_removed_by_none(name: str) -> None:
    value = next(value for other, value in SET if other == name)
    response = Response()
    before = list(response.headers)
    setattr(response, name, value)
    setattr(response, name, None)
    assert before == list(response.headers)


def test_fields_that_are_missing_or_unreadable_are_none() -> None:
    response = Response("x")
    for name in ("age", "date", "expires", "last_modified", "retry_after", "location"):
        assert getattr(response, name) is None
        response.headers[name.replace("_", "-")] = "nonsense" if name != "location" else ""
        assert not getattr(response, name)
    response.headers["Content-Length"] = "many"
    assert response.content_length is None
    del response.location
    assert "Location" not in response.headers


def test_sets_and_dictionaries_write_back() -> None:
    response = Response("x")
    response.vary.add("Cookie")
    response.vary.update(["Accept"])
    response.allow.add("GET")
    response.cache_control.max_age = 5
    response.cache_control.public = True
    response.mimetype_params["charset"] = "latin-1"
    response.content_range.set(0, 5, 10)
    response.content_security_policy.default_src = "'self'"
    response.www_authenticate.parameters["realm"] = "x"
    expected = {
        "Content-Type": "text/plain; charset=latin-1",
        "Content-Length": "1",
        "Vary": "Cookie, Accept",
        "Allow": "GET",
        "Cache-Control": "max-age=5, public",
        "Content-Range": "bytes 0-4/10",
        "Content-Security-Policy": "default-src 'self'",
        "WWW-Authenticate": 'Basic realm="x"',
    }
    assert expected == dict(response.headers)
    response.vary.clear()
    response.cache_control.clear()
    assert not {"Vary", "Cache-Control"} & set(response.headers.keys())


def test_values_made_by_hand_are_taken() -> None:
    theirs, ours = both("x")
    theirs.content_range = WerkzeugContentRange("bytes", 0, 5, 10)
    ours.content_range = ContentRange("bytes", 0, 5, 10)
    theirs.www_authenticate = WerkzeugWWWAuthenticate("digest", {"realm": "x", "nonce": "y"})
    challenge = WWWAuthenticate("digest", {"realm": "x", "nonce": "y"})
    ours.www_authenticate = challenge
    assert theirs.headers["Content-Range"] == ours.headers["Content-Range"]
    assert theirs.headers["WWW-Authenticate"] == ours.headers["WWW-Authenticate"]
    challenge.parameters["realm"] = "z"
    assert 'realm="z"' in ours.headers["WWW-Authenticate"]
    ours.www_authenticate = [WWWAuthenticate("basic"), WWWAuthenticate("bearer")]  # type: ignore[assignment]
    assert len(ours.headers.getlist("WWW-Authenticate")) == 2
    ours.www_authenticate = None  # type: ignore[assignment]
    assert "WWW-Authenticate" not in ours.headers


def test_retry_after_takes_seconds() -> None:
    response = Response("x")
    response.retry_after = 60  # type: ignore[assignment]
    assert response.headers["Retry-After"] == "60"
    assert response.retry_after is not None
    assert abs(response.retry_after - datetime.now(UTC) - timedelta(seconds=60)) < timedelta(
        seconds=5
    )
    response.retry_after = "120"  # type: ignore[assignment]
    assert response.headers["Retry-After"] == "120"


def test_cross_origin_policies_are_enumerations() -> None:
    theirs, ours = both("x")
    assert ours.cross_origin_opener_policy is COOP.UNSAFE_NONE
    assert ours.cross_origin_embedder_policy is COEP.UNSAFE_NONE
    theirs.cross_origin_opener_policy = WERKZEUG_COOP.SAME_ORIGIN
    ours.cross_origin_opener_policy = COOP.SAME_ORIGIN
    theirs.cross_origin_embedder_policy = WERKZEUG_COEP.REQUIRE_CORP
    ours.cross_origin_embedder_policy = COEP.REQUIRE_CORP
    assert sorted(theirs.headers) == sorted(ours.headers)
    assert ours.cross_origin_opener_policy is COOP.SAME_ORIGIN
    assert {p.name: p.value for p in WERKZEUG_COOP} == {p.name: p.value for p in COOP}
    assert {p.name: p.value for p in WERKZEUG_COEP} == {p.name: p.value for p in COEP}


def test_entity_tags_are_set_and_made() -> None:
    theirs, ours = both("content")
    assert ours.get_etag() == theirs.get_etag() == (None, None)
    ours.add_etag()
    theirs.add_etag()
    assert ours.get_etag() == theirs.get_etag()
    ours.set_etag("x", weak=True)
    ours.add_etag()
    assert ours.get_etag() == ("x", True)
    ours.add_etag(overwrite=True)
    assert ours.get_etag() == theirs.get_etag()


COOKIES: list[dict[str, Any]] = [
    {"key": "a", "value": "b"},
    {"key": "a", "value": 'für "€"; x', "max_age": 5, "secure": True, "httponly": True},
    {"key": "a", "expires": NOW, "path": "/x", "domain": "example.org", "samesite": "Lax"},
    {"key": "a", "max_age": timedelta(hours=1), "path": None, "partitioned": True, "secure": True},
]


@pytest.mark.parametrize("cookie", COOKIES)
def test_cookies_are_werkzeugs(cookie: dict[str, Any]) -> None:
    def parts(response: Any) -> list[set[str]]:
        return [
            {
                part
                for part in line.split("; ")
                if not (part.startswith("Expires") and "max_age" in cookie)
            }
            for line in response.headers.getlist("Set-Cookie")
        ]

    theirs, ours = both("x")
    theirs.set_cookie(**cookie)
    ours.set_cookie(**cookie)
    theirs.delete_cookie("gone", path="/x")
    ours.delete_cookie("gone", path="/x")
    assert parts(theirs) == parts(ours)


# Conditions and ranges (RFC 9110 §13, §14).

CONDITIONS: list[dict[str, str]] = [
    {},
    {"HTTP_IF_NONE_MATCH": '"a"'},
    {"HTTP_IF_NONE_MATCH": 'W/"a", "b"'},
    {"HTTP_IF_NONE_MATCH": "*"},
    {"HTTP_IF_NONE_MATCH": '"b"'},
    {"HTTP_IF_MATCH": '"b"'},
    {"HTTP_IF_MATCH": '"a"'},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:37 GMT"},
    {"HTTP_IF_MODIFIED_SINCE": "Sat, 05 Nov 1994 08:49:37 GMT"},
    {"HTTP_RANGE": "bytes=0-3"},
    {"HTTP_RANGE": "bytes=3-"},
    {"HTTP_RANGE": "bytes=-3"},
    {"HTTP_RANGE": "bytes=0-100"},
    {"HTTP_RANGE": "bytes=0-3", "HTTP_IF_RANGE": '"b"'},
    {"HTTP_RANGE": "bytes=0-3", "HTTP_IF_RANGE": '"a"'},
]


def conditional(response: Any) -> Any:
    response.set_etag("a")
    response.last_modified = NOW
    response.date = NOW
    return response


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("conditions", CONDITIONS, ids=str)
def test_conditions_and_ranges_are_answered_as_werkzeug_does(
    conditions: dict[str, str], streamed: bool, method: str
) -> None:
    environ = GET | {"REQUEST_METHOD": method} | conditions
    answers: list[Any] = []
    for make in (WerkzeugResponse, Response):
        response: Any = conditional(
            make(iter([b"01", b"234", b"56789"]) if streamed else "0123456789")
        )
        answers.append(response.make_conditional(environ, accept_ranges=True, complete_length=10))
    theirs, ours = answers

    assert theirs.status == ours.status
    if ours.status_code == 206:
        assert theirs.headers["Content-Range"] == ours.headers["Content-Range"]
        assert theirs.headers["Content-Length"] == ours.headers["Content-Length"]
    their_content, _, _ = written(theirs, environ)
    content, _, _ = written(ours, environ)
    assert their_content == content


def test_a_request_can_stand_for_its_environ() -> None:
    response = conditional(Response("x"))
    response.make_conditional(Request(GET | {"HTTP_IF_NONE_MATCH": '"a"'}))
    assert response.status_code == 304


def test_conditions_do_not_count_for_what_is_not_there() -> None:
    response = Response("lost", 404).make_conditional(GET | {"HTTP_IF_NONE_MATCH": "*"})
    assert response.status_code == 404


def test_a_range_outside_the_representation_is_refused() -> None:
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        Response("0123456789").make_conditional(GET | {"HTTP_RANGE": "bytes=10-"}, True, 10)
    assert caught.value.length == 10


@pytest.mark.parametrize(
    "value", ["nonsense", "lines=1-2", "bytes=a-b", "bytes=" + "0-1," * 17 + "0-1"]
)
def test_a_range_that_cannot_be_read_is_ignored(value: str) -> None:
    response = Response("0123456789").make_conditional(GET | {"HTTP_RANGE": value}, True, 10)
    assert (response.status_code, response.get_data()) == (200, b"0123456789")
    assert response.headers["Accept-Ranges"] == "bytes"


def test_ranges_are_not_answered_unless_they_are_accepted() -> None:
    environ = GET | {"HTTP_RANGE": "bytes=0-1"}
    assert Response("0123456789").make_conditional(environ).status_code == 200
    assert Response("0123456789").make_conditional(environ, "none", 10).status_code == 200
    assert Response("0123456789").make_conditional(environ, True).status_code == 200


def test_several_ranges_come_in_one_message() -> None:
    response = Response("0123456789", mimetype="text/plain")
    response.make_conditional(GET | {"HTTP_RANGE": "bytes=0-1,5-6"}, True, 10)
    assert response.status_code == 206
    assert response.mimetype == "multipart/byteranges"
    boundary = response.mimetype_params["boundary"]
    parts = response.get_data().decode().split(f"\r\n--{boundary}")
    assert parts[1:] == [
        "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01",
        "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 5-6/10\r\n\r\n56",
        "--\r\n",
    ]
    streamed = Response(iter([b"0123456789"]))
    streamed.make_conditional(GET, True, 10)
    assert streamed.is_streamed
    assert "Content-Length" not in streamed.headers
    streamed.make_conditional(GET | {"HTTP_RANGE": "bytes=0-1,5-6"}, True, 10)
    assert streamed.status_code == 200


@given(st.lists(st.binary(max_size=6), max_size=6), st.integers(0, 20), st.integers(1, 20))
def test_a_part_of_a_stream_is_the_same_part_of_its_octets(
    pieces: list[bytes], first: int, count: int
) -> None:
    whole = b"".join(pieces)
    environ = GET | {"HTTP_RANGE": f"bytes={first}-{first + count - 1}"}
    closed: list[bool] = []

    def source() -> Iterator[bytes]:
        try:
            yield from pieces
        finally:
            closed.append(True)

    response = Response(source())
    try:
        response.make_conditional(environ, True, len(whole))
    except RequestedRangeNotSatisfiable:
        assert first >= len(whole)
        return
    content, _, _ = written(response, environ)
    assert content == (whole[first : first + count] if whole else b"")
    response.close()


def test_a_part_of_a_file_is_read_from_there(tmp_path: Path) -> None:
    path = tmp_path / "digits"
    path.write_bytes(b"0123456789")
    response = Response(FileSlice(open_trusted(path)))
    response.make_conditional(GET | {"HTTP_RANGE": "bytes=2-4"}, True, 10)
    assert isinstance(response.source, FileSlice)
    assert (response.source.offset, response.source.length) == (2, 3)
    assert b"".join(response.iter_encoded()) == b"234"
    response.close()
    several = Response(FileSlice(open_trusted(path)), mimetype="text/plain")
    several.make_conditional(GET | {"HTTP_RANGE": "bytes=0-1,5-6"}, True, 10)
    assert several.mimetype == "multipart/byteranges"
    assert several.content_length == len(b"".join(several.iter_encoded()))
    several.close()
