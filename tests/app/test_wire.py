"""The same request, sent as an environ and as bytes, is the same request to an application."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetching import make_app
from groundwire import Groundwire, Response, request
from groundwire.app.testing import EnvironBuilder
from groundwire.app.wire import message_of, target_of
from groundwire.protocol.errors import ProtocolError

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SEGMENTS = st.one_of(TEXT, st.sampled_from(["a%20b", "%C3%BC", "%2F", "a;b=c", "%3F", "~", "%ff"]))
PATHS = st.builds("/{}/{}".format, SEGMENTS, SEGMENTS).filter(
    lambda path: not path.startswith("//") and not set(path) & set("#?[]\\") and ":" not in path
)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=8)
FIELDS = st.dictionaries(TEXT.filter(bool), st.one_of(TEXT, st.lists(TEXT, max_size=3)))


def echoing() -> Groundwire:
    app = make_app()

    def echo(**parameters: Any) -> dict[str, Any]:
        return {
            "method": request.method,
            "url": request.url,
            "path": request.path,
            "args": request.args.to_dict(flat=False),
            "form": request.form.to_dict(flat=False),
            "files": {
                name: [file.filename, file.content_type, file.read().decode("latin-1")]
                for name, file in request.files.items()
            },
            "data": request.get_data().decode("latin-1"),
            "type": request.mimetype,
            "fields": {
                name: ", ".join(request.headers.getlist(name))  # an environ has them joined
                for name in ("X-A", "X-B", "Cookie", "Host", "User-Agent")
            },
            "address": request.remote_addr,
            "secure": request.is_secure,
        }

    app.add_url_rule("/", "root", echo, methods=METHODS)
    app.add_url_rule("/<path:path>", "path", echo, methods=METHODS, merge_slashes=False)
    return app


APP = echoing()
BY_ENVIRON = APP.test_client()
ON_WIRE = APP.test_client(wire=True)


@settings(max_examples=200)
@given(
    path=PATHS,
    method=st.sampled_from(METHODS),
    options=st.fixed_dictionaries(
        {},
        optional={
            "base_url": st.sampled_from(
                ["https://example.org:8443", "http://[::1]:81/", "http://é"]
            ),
            "headers": st.lists(st.tuples(st.sampled_from(["X-A", "x-a", "X-B"]), VALUES)),
            "data": st.one_of(TEXT, st.binary(max_size=9), FIELDS),
            "content_type": st.sampled_from(["text/plain", "multipart/form-data"]),
            "query_string": st.one_of(TEXT, FIELDS),
            "environ_base": st.just({"REMOTE_ADDR": "192.0.2.7", "HTTP_X_B": "base"}),
        },
    ),
    cookies=st.dictionaries(st.sampled_from(["a", "b"]), TEXT),
)
def test_both_ways_say_the_same(
    path: str, method: str, options: dict[str, Any], cookies: dict[str, str]
) -> None:
    if options.get("content_type") == "multipart/form-data" and not isinstance(
        options.get("data"), dict
    ):
        del options["content_type"]
    answers = []
    for client in (BY_ENVIRON, ON_WIRE):
        for domain in ("localhost", "example.org"):
            for key in ("a", "b"):
                client.delete_cookie(key, domain=domain)
            for key, value in cookies.items():
                client.set_cookie(key, value, domain=domain)
        response = client.open(path, method=method, **options)
        answers.append((response.status, response.mimetype, response.json))

    assert answers[0] == answers[1]
    assert "200 OK" == answers[0][0]


@pytest.mark.parametrize("method", ["get", "post"])
def test_files_are_sent_alike(method: str) -> None:
    answers = [
        getattr(client, method)(
            "/x",
            data={"f": (io.BytesIO(b"octets\r\n--"), "é.txt"), "g": "field"},
        ).json
        for client in (BY_ENVIRON, ON_WIRE)
    ]

    assert answers[0] == answers[1]
    assert {"f": ["é.txt", "text/plain", "octets\r\n--"]} == answers[0]["files"]


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/a%2fb", {}, "/a%2fb"),
        ("", {}, "/"),
        ("?a=1", {}, "/?a=1"),
        ("/ü?ä=ö", {}, "/%C3%BC?%C3%A4=%C3%B6"),
        ("a", {}, "/a"),
        ("*", {}, "*"),
        ("/a", {"base_url": "http://h/é/"}, "/%C3%A9/a"),
        ("/a", {"environ_overrides": {"PATH_INFO": "/\xc3\xbc b"}}, "/%C3%BC%20b"),
        (
            "/a",
            {"environ_overrides": {"QUERY_STRING": 'a=\xc3\xbc #"%2F'}},
            '/a?a=%C3%BC%20%23"%2F',
        ),
    ],
)
def test_target_is_what_the_environ_says(path: str, options: Any, expected: str) -> None:
    assert expected == target_of(EnvironBuilder(APP, path, **options).get_environ())


def test_message_has_a_length_where_content_is_expected() -> None:
    def message(**options: Any) -> bytes:
        return message_of(EnvironBuilder(APP, **options).get_environ())

    assert b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" == message()
    assert message(method="POST").endswith(b"\r\nContent-Length: 0\r\n\r\n")
    assert message(data=b"x", method="GET").endswith(b"\r\nContent-Length: 1\r\n\r\nx")
    chunked = message(data=b"x", headers={"Transfer-Encoding": "chunked"})
    assert chunked.endswith(b"\r\n\r\n1\r\nx\r\n0\r\n\r\n")
    assert b"Content-Length" not in chunked


def test_an_answer_that_does_not_come_or_breaks_off_is_an_error() -> None:
    app = make_app()

    @app.get("/reset")
    async def reset() -> str:
        request.exchange.reset("a test")  # type: ignore[union-attr]
        return "never sent"

    @app.get("/half")
    def half() -> Response:
        def numbers() -> Iterator[str]:
            yield "1"
            raise LookupError

        return Response(numbers())

    client = app.test_client(wire=True)

    with pytest.raises(ConnectionResetError, match="without an answer"):
        client.get("/reset")
    with pytest.raises(ProtocolError, match="no last chunk"):
        client.get("/half")
