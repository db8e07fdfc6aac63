import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Request as WerkzeugRequest
from werkzeug.exceptions import SecurityError as WerkzeugSecurityError
from werkzeug.test import EnvironBuilder

from groundwire.http.errors import (
    BadRequest,
    ClientDisconnected,
    NotFound,
    RequestEntityTooLarge,
    SecurityError,
    ServiceUnavailable,
    UnsupportedMediaType,
)
from groundwire.http.exchange import ContentInterrupted, ContentLimitExceeded, ContentUnavailable
from groundwire.http.form_data_parser import FormDataParser
from groundwire.http.json_limits import JSONLimits
from groundwire.http.multidict import MultiDict
from groundwire.http.request import Request
from groundwire.http.request_fields import UserAgent
from groundwire.http.response import Response
from groundwire.protocol.head import RequestHead
from groundwire.protocol.http1.reader import RequestReader

JSON = ("Content-Type", "application/json")


class InMemoryExchange:
    """An exchange without a server behind it."""

    tls = None
    root_path = ""
    route = ()

    def __init__(self, scheme: str = "http", peer: Any = ("192.0.2.7", 5000)) -> None:
        self.scheme = scheme
        self.peer = peer
        self.local: Any = ("192.0.2.1", 8000)
        self.disconnected = False
        self.taken_over = False

    def offer_socket(self, head: RequestHead) -> None:
        """It has none."""

    def content(self) -> Any:
        raise AssertionError("read through the request")

    def inform(self, status: int, fields: Iterable[tuple[str, str]]) -> None:
        raise AssertionError("nothing to say")

    def reset(self, reason: str) -> None:
        raise AssertionError("nothing to give up")


class ArrivingContent:
    """Content in pieces, as a server holds it out (`Content`)."""

    def __init__(self, data: bytes, failure: Exception | None = None) -> None:
        self.limit_bytes: int | None = None
        self.data = io.BytesIO(data)
        self.failure = failure
        self.size = len(data)
        self.complete = False

    def read(self, size: int = -1) -> bytes:
        if self.limit_bytes is not None and self.size > self.limit_bytes:
            raise ContentLimitExceeded
        data = self.data.read(size)
        if self.failure is not None and (size < 0 or len(data) < size):
            raise self.failure
        return data

    async def chunks(self) -> AsyncIterator[bytes]:
        while piece := self.read(3):
            yield piece

    async def receive_whole(self) -> None:
        self.read(0)
        if self.failure is not None:
            raise self.failure
        self.complete = True


def head_of(
    target: str = "/",
    fields: Iterable[tuple[str, str]] = (),
    method: str = "GET",
    content: bytes = b"",
    version: str = "HTTP/1.1",
) -> RequestHead:
    lines = [f"{name}: {value}" for name, value in fields]
    names = {name.lower() for name, _ in fields}
    if "host" not in names:
        lines.insert(0, "Host: localhost")
    if content and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(content)}")
    reader = RequestReader()
    reader.receive("\r\n".join([f"{method} {target} {version}", *lines, "", ""]).encode("latin-1"))
    head = reader.next_head()
    assert head is not None
    return head


def wire_request(
    target: str = "/",
    fields: Iterable[tuple[str, str]] = (),
    method: str = "GET",
    content: Any = b"",
    exchange: InMemoryExchange | None = None,
    cls: type[Request] = Request,
) -> Request:
    fields = list(fields)
    octets = content if isinstance(content, bytes) else b"x" * getattr(content, "size", 0)
    request = cls.from_wire(head_of(target, fields, method, octets), exchange or InMemoryExchange())
    request.content = content
    return request


def environ_of(
    target: str = "/",
    fields: Iterable[tuple[str, str]] = (),
    method: str = "GET",
    content: bytes = b"",
    scheme: str = "http",
) -> dict[str, Any]:
    """What a WSGI server hands over, made by Werkzeug's own test tools."""
    path, _, query = target.partition("?")
    fields = list(fields)
    host = {name.lower(): value for name, value in fields}.get("host", "localhost")
    builder = EnvironBuilder(
        path="/",
        base_url=f"{scheme}://{host}/",
        method=method,
        headers=[field for field in fields if field[0].lower() != "host"],
        input_stream=io.BytesIO(content),
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
        multithread=True,
    )
    environ = builder.get_environ()
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    environ["QUERY_STRING"] = query
    environ["HTTP_HOST"] = host
    environ["SERVER_NAME"] = "192.0.2.1"
    environ["SERVER_PORT"] = "8000"
    environ.pop("CONTENT_LENGTH", None)
    if content or method in ("POST", "PUT"):
        environ["CONTENT_LENGTH"] = str(len(content))
    return environ


def three_forms(*args: Any, **kwargs: Any) -> tuple[WerkzeugRequest, Request, Request]:
    """Return the same request as Werkzeug's, as ours from an environ, and as ours from the wire."""
    exchange = InMemoryExchange(kwargs.get("scheme", "http"))
    on_wire = {name: value for name, value in kwargs.items() if name != "scheme"}
    return (
        WerkzeugRequest(environ_of(*args, **kwargs)),
        Request(environ_of(*args, **kwargs)),
        wire_request(*args, **on_wire, exchange=exchange),
    )


def plain(value: Any) -> Any:
    """Return what can be compared of a value, whichever library it is of."""
    if hasattr(value, "items") and hasattr(value, "getlist"):
        return list(value.items(multi=True))
    if hasattr(value, "to_header"):
        return value.to_header()
    return value


COMPARED = [
    "method",
    "path",
    "full_path",
    "url",
    "base_url",
    "url_root",
    "root_url",
    "host_url",
    "host",
    "scheme",
    "is_secure",
    "root_path",
    "script_root",
    "query_string",
    "args",
    "cookies",
    "remote_addr",
    "access_route",
    "remote_user",
    "content_type",
    "mimetype",
    "mimetype_params",
    "content_length",
    "content_encoding",
    "content_md5",
    "is_json",
    "accept_mimetypes",
    "accept_charsets",
    "accept_encodings",
    "accept_languages",
    "if_match",
    "if_none_match",
    "if_modified_since",
    "if_unmodified_since",
    "if_range",
    "range",
    "cache_control",
    "pragma",
    "date",
    "max_forwards",
    "referrer",
    "origin",
    "access_control_request_headers",
    "access_control_request_method",
    "want_form_data_parsed",
    "data",
    "form",
    "files",
    "values",
    "is_multithread",
    "is_run_once",
]

CASES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "path and query": {"target": "/a%20b/c?x=1&y=2&x=3&empty=&alone"},
    "UTF-8 in path and query": {"target": f"/{quote('für')}/%E2%82%AC?q={quote('naïve €')}"},
    "octets that are no UTF-8": {"target": "/%ff%fe/x?a=%ff&b=%C3"},
    "leading slashes": {"target": "//evil.example//a//b"},
    "encoded slashes": {"target": "/%2Fevil/%2e%2e/x"},
    "plus and encoded plus": {"target": "/a+b?c=a+b&d=a%2Bb"},
    "delimiters in the path": {"target": "/a%3Fb%23c%26d;e=f,g"},
    "port": {"fields": [("Host", "example.org:8080")]},
    "default port": {"fields": [("Host", "example.org:80")]},
    "default port of TLS": {"fields": [("Host", "example.org:443")], "scheme": "https"},
    "IPv6": {"fields": [("Host", "[::1]:5000")]},
    "browser": {
        "fields": [
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
            (
                "Accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            ),
            ("Accept-Language", "de-DE,de;q=0.9,en;q=0.5"),
            ("Accept-Encoding", "gzip, deflate, br;q=0.8, zstd"),
            ("Accept-Charset", "utf-8, iso-8859-1;q=0.5"),
            ("Referer", "http://localhost/before"),
            ("Cookie", 'a=1; b="x y"; a=2; empty='),
            ("Cache-Control", "max-age=0, no-cache"),
            ("Pragma", "no-cache"),
            ("Origin", "http://localhost"),
        ]
    },
    "conditions": {
        "fields": [
            ("If-Match", '"a", W/"b"'),
            ("If-None-Match", "*"),
            ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("If-Unmodified-Since", "nonsense"),
            ("If-Range", '"a"'),
            ("Range", "bytes=0-4,-5"),
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Max-Forwards", "10"),
        ]
    },
    "conditions nobody can read": {
        "fields": [
            ("If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Range", "bytes"),
            ("Date", "yesterday"),
            ("Max-Forwards", "many"),
            ("If-Modified-Since", ""),
        ]
    },
    "preflight": {
        "method": "OPTIONS",
        "fields": [
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "X-A, X-B"),
        ],
    },
    "forwarded": {"fields": [("X-Forwarded-For", "10.0.0.1, 10.0.0.2")]},
    "JSON": {"method": "POST", "content": b'{"a": [1, 2]}', "fields": [JSON]},
    "JSON suffix": {
        "method": "POST",
        "content": b"[]",
        "fields": [("Content-Type", "Application/Problem+JSON; charset=utf-8")],
    },
    "form": {
        "method": "POST",
        "target": "/?x=query",
        "content": urlencode([("x", "1"), ("y", "ü €"), ("x", "2")]).encode(),
        "fields": [("Content-Type", "application/x-www-form-urlencoded")],
    },
    "form in DELETE": {
        "method": "DELETE",
        "content": b"a=1",
        "fields": [("Content-Type", "application/x-www-form-urlencoded")],
    },
    "content without a type": {"method": "PUT", "content": b"octets"},
    "content in a coding": {
        "method": "PUT",
        "content": b"octets",
        "fields": [
            ("Content-Encoding", "gzip"),
            ("Content-MD5", "abc"),
            ("Content-Type", "text/plain"),
        ],
    },
    "empty content": {"method": "POST", "fields": [("Content-Length", "0"), JSON]},
}


@pytest.mark.parametrize("name", CASES)
def test_every_attribute_is_werkzeugs_in_both_forms(name: str) -> None:
    theirs, from_environ, from_wire = three_forms(**CASES[name])

    for attribute in COMPARED:
        expected = plain(getattr(theirs, attribute))
        assert expected == plain(getattr(from_environ, attribute)), attribute
        assert expected == plain(getattr(from_wire, attribute)), attribute
    assert theirs.user_agent.string == from_environ.user_agent.string == from_wire.user_agent.string


@pytest.mark.parametrize("name", CASES)
def test_headers_answer_alike_in_both_forms(name: str) -> None:
    theirs, from_environ, from_wire = three_forms(**CASES[name])

    for request in (from_environ, from_wire):
        for field in ("Host", "accept", "COOKIE", "Content-Type", "X-None", "if-range"):
            assert theirs.headers.get(field) == request.headers.get(field)
            assert (field in theirs.headers) == (field in request.headers)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(text, st.lists(st.tuples(text, text), max_size=4))
def test_what_is_percent_encoded_comes_back(path: str, query: list[tuple[str, str]]) -> None:
    target = "/" + quote(path, safe="")
    if query:
        target += "?" + urlencode(query)
    theirs, from_environ, from_wire = three_forms(target)

    assert "/" + path.lstrip("/") == from_wire.path == from_environ.path == theirs.path
    assert MultiDict(query) == from_wire.args == from_environ.args


@given(st.lists(st.tuples(text, text), max_size=6))
def test_urlencoded_forms_come_back(fields: list[tuple[str, str]]) -> None:
    content = urlencode(fields).encode()
    kind = [("Content-Type", "application/x-www-form-urlencoded")]
    theirs, from_environ, from_wire = three_forms("/", kind, "POST", content)

    assert MultiDict(fields) == from_wire.form == from_environ.form
    assert list(theirs.form.items(multi=True)) == list(from_wire.form.items(multi=True))


# Control data.


def test_from_wire_sets_four_attributes_and_nothing_more() -> None:
    head = head_of("/a%20b")
    exchange = InMemoryExchange()
    request = Request.from_wire(head, exchange)

    assert {"head": head, "exchange": exchange, "method": "GET", "path": "/a b"} == vars(request)


def test_a_subclass_with_a_constructor_of_its_own_is_constructed() -> None:
    class Timed(Request):
        def __init__(self, environ: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            super().__init__(environ, *args, **kwargs)
            self.began = environ["REMOTE_ADDR"]

    class Inherited(Timed):
        pass

    class Own(Timed):
        @classmethod
        def from_wire(cls, head: RequestHead, exchange: Any) -> Any:
            return "own"

    request = wire_request("//a", method="get", content=b"octets", cls=Inherited)
    assert isinstance(request, Inherited)
    assert (request.began, request.method, request.path) == ("192.0.2.7", "get", "/a")
    assert request.get_data() == b"octets"
    assert Own.from_wire(head_of(), InMemoryExchange()) == "own"


def test_asterisk_and_authority_form_have_no_decoded_path() -> None:
    assert wire_request("*", method="OPTIONS").path == "*"
    connect = wire_request("example.org:443", [("Host", "example.org:443")], method="CONNECT")
    assert connect.path == ""


def test_absolute_form_goes_before_host() -> None:
    request = wire_request("http://target.example/x?y=1", [("Host", "host.example")])

    assert request.url == "http://target.example/x?y=1"
    assert request.host == "target.example"
    assert request.environ["HTTP_HOST"] == "target.example"


def test_a_method_in_lower_case_is_another_method_on_the_wire() -> None:
    assert wire_request(method="get").method == "get"


def test_without_a_host_the_listeners_address_is_the_host() -> None:
    reader = RequestReader()
    reader.receive(b"GET / HTTP/1.0\r\n\r\n")
    head = reader.next_head()
    assert head is not None
    exchange = InMemoryExchange()

    assert Request.from_wire(head, exchange).url == "http://192.0.2.1:8000/"
    exchange.local = ("::1", 8000)
    assert Request.from_wire(head, exchange).url == "http://[::1]:8000/"
    exchange.local = "/run/app.sock"
    assert Request.from_wire(head, exchange).server == ("/run/app.sock", None)
    assert Request.from_wire(head, exchange).host == ""


def test_a_host_that_is_not_trusted_is_refused() -> None:
    for request in three_forms(fields=[("Host", "evil.example")]):
        request.trusted_hosts = ["localhost", ".example.org"]
        with pytest.raises((SecurityError, WerkzeugSecurityError)):
            _ = request.host
    for request in three_forms(fields=[("Host", "www.example.org:5000")]):
        request.trusted_hosts = ["localhost", ".example.org"]
        assert request.host == "www.example.org:5000"


def test_repr_shows_url_and_method() -> None:
    assert repr(wire_request("/x?a=b")) == "<Request 'http://localhost/x?a=b' [GET]>"
    request = wire_request("/x", [("Host", "evil.example")])
    request.trusted_hosts = ["localhost"]
    assert repr(request) == "<Request (invalid URL: Host 'evil.example' is not trusted.) [GET]>"


def test_attributes_can_be_set_and_deleted() -> None:
    request = wire_request("/?a=1")
    request.args = MultiDict({"a": "2"})
    assert request.args["a"] == "2"
    del request.args
    assert request.args["a"] == "1"
    request.note = "mine"  # type: ignore[attr-defined]
    assert request.note == "mine"  # type: ignore[attr-defined]


def test_fields_are_read_only() -> None:
    request = wire_request(fields=[("Referer", "/x")])
    with pytest.raises(AttributeError):
        request.referrer = "/y"
    with pytest.raises(AttributeError):
        del request.referrer
    with pytest.raises(TypeError):
        request.headers["X"] = "y"


def test_headers_are_made_once_for_a_field_section() -> None:
    head = head_of("/")
    first = Request.from_wire(head, InMemoryExchange())
    second = Request.from_wire(head, InMemoryExchange())

    assert first.headers is second.headers


def test_a_request_made_by_hand_says_what_it_lacks() -> None:
    request = Request.__new__(Request)
    with pytest.raises(RuntimeError, match="from_wire"):
        _ = request.environ


def test_the_peer_of_a_unix_socket_has_an_empty_address() -> None:
    request = wire_request(exchange=InMemoryExchange(peer=""))
    assert request.remote_addr == ""
    assert Request(request.environ).remote_addr == ""
    assert Request({}).remote_addr is None
    assert Request({}).access_route == []


def test_remote_user_is_the_environs() -> None:
    request = wire_request()
    assert request.remote_user is None
    request.environ["REMOTE_USER"] = "ada"
    assert request.remote_user == "ada"


def test_subclasses_choose_the_classes_of_parameters() -> None:
    class Agent(UserAgent):
        browser = "firefox"
        version = "128"

    class Mutable(Request):
        parameter_storage_class = MultiDict
        dict_storage_class = MultiDict
        list_storage_class = list
        user_agent_class = Agent

    request = wire_request("/?a=1", [("Cookie", "c=2"), ("User-Agent", "x")], cls=Mutable)
    request.args["a"] = "3"
    request.cookies["c"] = "4"
    request.access_route.append("more")
    assert request.args["a"] == "3"
    assert request.form.copy() == MultiDict()
    assert bool(request.user_agent)
    assert repr(request.user_agent) == "<Agent firefox/128>"
    assert str(request.user_agent) == request.user_agent.to_header() == "x"


def test_values_take_plain_dicts_for_parameters() -> None:
    class Plain(Request):
        parameter_storage_class = dict  # type: ignore[assignment]

    assert wire_request("/?a=1", cls=Plain).values["a"] == "1"


def test_authorization_is_read() -> None:
    for request in three_forms(fields=[("Authorization", "Basic YWRhOmxvdmVsYWNl")]):
        assert request.authorization is not None
        assert request.authorization.username == "ada"
        assert request.authorization.password == "lovelace"
    assert wire_request().authorization is None


def test_content_length_is_digits_or_nothing() -> None:
    for value in ("1x", "-1", "", "١", "9" * 20):
        assert Request({"CONTENT_LENGTH": value}).content_length is None
    assert (
        Request({"CONTENT_LENGTH": "7", "HTTP_TRANSFER_ENCODING": "chunked"}).content_length is None
    )


def test_a_list_that_a_proxy_split_is_read_whole() -> None:
    request = wire_request(fields=[("If-None-Match", '"a"'), ("If-None-Match", '"b"')])
    assert request.if_none_match.contains("a")
    assert request.if_none_match.contains("b")


# Content.


def both_forms(content: bytes, *fields: tuple[str, str], method: str = "POST") -> list[Request]:
    return [
        wire_request("/", fields, method, content),
        wire_request("/", fields, method, ArrivingContent(content)),
        Request(environ_of("/", fields, method, content)),
    ]


@pytest.mark.parametrize("form", [0, 1, 2])
def test_data_is_kept_and_then_the_stream_is_empty(form: int) -> None:
    request = both_forms(b"octets")[form]
    assert request.get_data() == b"octets"
    assert request.get_data(as_text=True) == "octets"
    assert request.data == b"octets"
    assert request.stream.read() == b""
    assert request.environ["wsgi.input"].read() == b""


@pytest.mark.parametrize("form", [0, 1, 2])
def test_data_that_is_not_kept_is_there_once(form: int) -> None:
    request = both_forms(b"octets")[form]
    assert request.get_data(cache=False) == b"octets"
    assert request.get_data() == b""


@pytest.mark.parametrize("form", [0, 1, 2])
def test_a_form_leaves_no_data(form: int) -> None:
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    request = both_forms(b"a=1&b=2", kind)[form]
    assert request.data == b""
    assert request.form["a"] == "1"
    assert request.get_data() == b""

    request = both_forms(b"a=1&b=2", kind)[form]
    assert request.get_data() == b"a=1&b=2"
    assert request.form["b"] == "2"


@pytest.mark.parametrize("form", [0, 1, 2])
def test_the_stream_is_a_binary_file(form: int) -> None:
    content = b"one\ntwo\n\nlast"

    def stream() -> Any:
        return both_forms(content)[form].stream

    assert [b"one\n", b"two\n", b"\n", b"last"] == list(stream())
    assert stream().readlines() == content.splitlines(keepends=True)
    opened = stream()
    assert opened.readable()
    assert (b"on", b"e\n", b"two", b"") == (
        opened.readline(2),
        opened.readline(10),
        opened.read(3),
        opened.readline(0),
    )
    assert opened.tell() == 7
    assert opened.read(None) == b"\n\nlast"
    assert opened.read() == opened.readline() == b""
    assert stream().readall() == content
    assert io.TextIOWrapper(io.BufferedReader(stream())).read() == content.decode()
    closed = stream()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        closed.read()


@given(
    st.binary(max_size=60),
    st.lists(st.tuples(st.sampled_from(["read", "readline"]), st.integers(-1, 9)), max_size=12),
)
def test_the_stream_reads_as_a_file_of_the_same_octets_would(
    content: bytes, calls: list[tuple[str, int]]
) -> None:
    model = io.BytesIO(content)
    streams = [request.stream for request in both_forms(content)]
    for method, size in calls:
        expected = getattr(model, method)(size)
        for stream in streams:
            assert expected == getattr(stream, method)(size)
            assert stream.tell() == model.tell()


def collect(stream: Any) -> list[bytes]:
    async def main() -> list[bytes]:
        return [chunk async for chunk in stream]

    return asyncio.run(main())


@pytest.mark.parametrize("form", [0, 1, 2])
def test_the_stream_can_be_awaited_piece_by_piece(form: int) -> None:
    request = both_forms(b"octets")[form]
    assert request.stream.read(1) == b"o"
    assert b"".join(collect(request.stream)) == b"ctets"
    assert collect(request.stream) == []
    assert request.stream.tell() == 6  # type: ignore[attr-defined]


def test_an_awaited_stream_begins_with_what_was_read_ahead() -> None:
    request = wire_request("/", (), "POST", ArrivingContent(b"a\nbcdef"))
    assert request.stream.readline() == b"a\n"
    assert collect(request.stream) == [b"bcdef"]


@pytest.mark.parametrize("form", [0, 1, 2])
def test_content_over_the_limit_is_refused_wherever_it_is_read(form: int) -> None:
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    readers = [
        lambda request: request.get_data(),
        lambda request: request.stream,
        lambda request: request.form,
        lambda request: request.files,
        lambda request: request.get_json(force=True, silent=True),
        lambda request: request.environ["wsgi.input"].read() if form < 2 else request.stream,
    ]
    for read in readers:
        request = both_forms(b"a=1&b=2", kind)[form]
        request.max_content_length = 6
        with pytest.raises(RequestEntityTooLarge):
            read(request)
        request = both_forms(b"a=1&b=2", kind)[form]
        request.max_content_length = 7
        read(request)


def test_the_limit_may_be_raised_until_content_is_read() -> None:
    request = wire_request("/", (), "POST", ArrivingContent(b"octets"))
    assert not isinstance(request.content, bytes)
    request.content.limit_bytes = 3
    stream = request.environ["wsgi.input"]
    request.max_content_length = 6
    assert stream.read() == b"octets"


def chunked(content: Any) -> Request:
    request = Request.from_wire(
        head_of("/", [("Transfer-Encoding", "chunked")], "POST"), InMemoryExchange()
    )
    request.content = content
    return request


def test_chunked_content_over_the_limit_is_refused_when_it_is_read() -> None:
    request = chunked(ArrivingContent(b"octets"))
    request.max_content_length = 5
    stream = request.stream
    with pytest.raises(RequestEntityTooLarge):
        stream.read()
    whole = chunked(b"octets")
    whole.max_content_length = 5
    with pytest.raises(RequestEntityTooLarge):
        whole.get_data()


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (ContentInterrupted("gone"), ClientDisconnected),
        (ContentUnavailable("full"), ServiceUnavailable),
        (ContentLimitExceeded("large"), RequestEntityTooLarge),
    ],
)
def test_content_that_never_comes_whole_is_an_http_error(
    failure: Exception, error: type[Exception]
) -> None:
    with pytest.raises(error):
        wire_request("/", (), "POST", ArrivingContent(b"a", failure)).get_data()
    with pytest.raises(error):
        collect(wire_request("/", (), "POST", ArrivingContent(b"a", failure)).stream)
    with pytest.raises(error):
        asyncio.run(wire_request("/", (), "POST", ArrivingContent(b"a", failure)).receive())


def test_content_can_be_awaited_whole() -> None:
    content = ArrivingContent(b"octets")
    request = wire_request("/", (), "POST", content)
    request.max_content_length = 10

    asyncio.run(request.receive())

    assert content.complete
    assert content.limit_bytes == 10
    assert request.get_data() == b"octets"
    asyncio.run(wire_request("/", (), "POST", b"whole").receive())


def test_a_shallow_request_refuses_to_read() -> None:
    environ = environ_of("/", (), "POST", b"octets")
    request = Request(environ, shallow=True)
    assert "werkzeug.request" not in environ
    with pytest.raises(RuntimeError, match="shallow"):
        request.get_data()
    with pytest.raises(RuntimeError, match="shallow"):
        _ = request.stream


def test_the_environ_holds_the_request() -> None:
    environ = environ_of()
    assert Request(environ) is environ["werkzeug.request"]
    request = wire_request()
    assert request is request.environ["werkzeug.request"]
    assert "werkzeug.request" not in Request(environ_of(), populate_request=False).environ


def test_a_stream_put_into_the_environ_is_the_one_that_is_read() -> None:
    class Counting:
        def __init__(self, stream: Any) -> None:
            self.stream = stream
            self.count = 0

        def read(self, size: int) -> bytes:
            data: bytes = self.stream.read(size)
            self.count += len(data)
            return data

    kind = ("Content-Type", "application/x-www-form-urlencoded")
    for request in both_forms(b"a=1", kind):
        counting = request.environ["wsgi.input"] = Counting(request.environ["wsgi.input"])
        assert request.form["a"] == "1"
        assert counting.count == 3


def test_stream_and_environ_share_how_far_they_have_read() -> None:
    request = wire_request("/", (), "POST", b"octets")
    assert request.environ["wsgi.input"].read(3) == b"oct"
    assert request.input_stream is request.environ["wsgi.input"]
    assert request.stream.read() == b"ets"


def test_chunks_of_an_environs_content_are_read_where_they_are_asked_for() -> None:
    request = Request(environ_of("/", (), "POST", b"octets"))
    asyncio.run(request.receive())
    assert b"".join(collect(request.stream)) == b"octets"


def test_an_environs_content_that_ends_early_or_goes_on_is_an_error() -> None:
    environ = environ_of("/", (), "POST", b"octets") | {"CONTENT_LENGTH": "9"}
    with pytest.raises(ClientDisconnected):
        Request(environ).get_data()
    environ = environ_of("/", (), "POST", b"octets") | {"wsgi.input_terminated": True}
    del environ["CONTENT_LENGTH"]
    request = Request(environ)
    request.max_content_length = 5
    with pytest.raises(RequestEntityTooLarge):
        request.get_data()


def test_a_limit_holds_for_content_that_is_read_through_the_environ() -> None:
    request = wire_request("/", (), "POST", b"octets")
    request.max_content_length = 5
    stream = request.environ["wsgi.input"]
    with pytest.raises(RequestEntityTooLarge):
        stream.read()
    with pytest.raises(RequestEntityTooLarge):
        stream.readinto(bytearray(3))


def test_a_stream_fills_a_buffer() -> None:
    buffer = bytearray(4)
    stream: Any = wire_request("/", (), "POST", b"octets").stream
    assert (stream.readinto(buffer), bytes(buffer)) == (4, b"octe")
    assert (stream.readinto(buffer), bytes(buffer)) == (2, b"tste")


# Forms.

MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\nfile\r\n--b--\r\n'
)
MULTIPART_TYPE = ("Content-Type", "multipart/form-data; boundary=b")


@pytest.mark.parametrize("form", [0, 1, 2])
def test_multipart_gives_fields_and_files_and_closes_them(form: int) -> None:
    with both_forms(MULTIPART, MULTIPART_TYPE)[form] as request:
        file = request.files["f"]
        assert request.form["a"] == "1"
        assert (file.filename, file.read()) == ("f.txt", b"file")
        assert request.values["a"] == "1"
    assert file.stream.closed


def test_closing_a_request_without_a_form_reads_nothing() -> None:
    content = ArrivingContent(MULTIPART)
    wire_request("/", [MULTIPART_TYPE], "POST", content).close()
    assert content.data.tell() == 0


@pytest.mark.parametrize("limit", ["max_form_memory_size", "max_form_parts"])
def test_a_form_over_its_limits_is_too_large(limit: str) -> None:
    for request in both_forms(MULTIPART, MULTIPART_TYPE):
        setattr(request, limit, 0)
        with pytest.raises(RequestEntityTooLarge):
            _ = request.form


def test_a_malformed_form_is_a_bad_request_that_says_why() -> None:
    for request in both_forms(b"no boundary here", MULTIPART_TYPE):
        with pytest.raises(BadRequest, match="form cannot be read"):
            _ = request.form


def test_a_silent_parser_answers_an_empty_form_for_a_malformed_one() -> None:
    stream = io.BytesIO(b"nonsense")
    parser = FormDataParser()
    parsed = parser.parse(stream, "multipart/form-data", 8, {"boundary": "b"})
    assert (stream, {}, {}) == parsed
    with pytest.raises(RequestEntityTooLarge):
        FormDataParser(max_content_length=7).parse(stream, "text/plain", 8)
    fields = FormDataParser(cls=MultiDict).parse(
        io.BytesIO(b"a=1"), "application/x-www-form-urlencoded", None
    )[1]
    assert type(fields) is MultiDict


def test_files_go_where_the_subclass_puts_them() -> None:
    made: list[Any] = []

    class Own(Request):
        def _get_file_stream(
            self,
            total_content_length: Any,
            content_type: Any,
            filename: Any = None,
            content_length: Any = None,
        ) -> Any:
            made.append((total_content_length, content_type, filename))
            return super()._get_file_stream(
                total_content_length, content_type, filename, content_length
            )

    request = wire_request("/", [MULTIPART_TYPE], "POST", MULTIPART, cls=Own)
    assert type(request.files["f"].stream) is io.BytesIO
    assert [(len(MULTIPART), None, "f.txt")] == made


def test_a_subclass_may_bring_its_own_parser() -> None:
    class Lines:
        def __init__(self, **kwargs: Any) -> None:
            self.kwargs = kwargs

        def parse(self, stream: Any, mimetype: str, length: Any, options: Any) -> Any:
            return (
                stream,
                MultiDict(line.split(":") for line in stream.read().decode().split()),
                MultiDict(),
            )

    class Own(Request):
        form_data_parser_class = Lines  # type: ignore[assignment]

    request = wire_request("/", [("Content-Type", "text/lines")], "POST", b"a:1\nb:2", cls=Own)
    assert request.form == MultiDict({"a": "1", "b": "2"})


# JSON (RFC 8259).


@pytest.mark.parametrize("form", [0, 1, 2])
def test_json_is_decoded_once_and_kept(form: int) -> None:
    request = both_forms(b'{"a": [1, null, "\\u00e9"]}', JSON)[form]
    assert request.json == {"a": [1, None, "é"]}
    assert request.get_json() is request.json
    assert request.get_json(silent=True) is request.json


def test_json_that_is_not_kept_takes_the_content() -> None:
    request = wire_request("/", [JSON], "POST", b"[1]")
    assert request.get_json(cache=False) == [1]
    assert request.get_data() == b""


def test_content_of_another_type_is_not_taken_for_json() -> None:
    for request in both_forms(b"[1]", ("Content-Type", "text/plain")):
        assert request.get_json(silent=True) is None
        with pytest.raises(UnsupportedMediaType):
            _ = request.json
        assert request.get_json(force=True) == [1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"a": 01}',
        b"\xff",
        b"[" * 101 + b"]" * 101,
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 1_000_000,
    ],
    ids=lambda content: content[:6],
)
def test_what_is_not_json_or_beyond_its_limits_is_a_bad_request(content: bytes) -> None:
    request = wire_request("/", [JSON], "POST", content)
    with pytest.raises(BadRequest, match="Failed to decode JSON object"):
        _ = request.json
    assert request.get_json(silent=True) is None
    with pytest.raises(BadRequest):
        _ = request.json


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[" * 100 + b"]" * 100, json.loads("[" * 100 + "]" * 100)),
        (b'"\\ud800"', "\ud800"),
        (b"1e999", float("inf")),
        (b'"' + b"[" * 500 + b'"', "[" * 500),
        (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
        ("[1]".encode("utf-16"), [1]),
        (json.dumps(["ü" + "[" * 200]).encode("utf-32"), ["ü" + "[" * 200]),
    ],
)
def test_odd_but_sound_json_is_decoded(content: bytes, value: Any) -> None:
    assert wire_request("/", [JSON], "POST", content).json == value


def test_constants_that_are_no_json_can_be_refused() -> None:
    class Strict(Request):
        json_limits = JSONLimits(constants=False)

    for content in (b"NaN", b"[Infinity]", b'{"a": -Infinity}'):
        with pytest.raises(BadRequest, match="not JSON"):
            _ = wire_request("/", [JSON], "POST", content, cls=Strict).json
        _ = wire_request("/", [JSON], "POST", content).json
    assert (
        wire_request("/", [JSON], "POST", b'"NaN \\" Infinity"', cls=Strict).json
        == 'NaN " Infinity'
    )


def test_a_decoder_out_of_stack_is_a_bad_request() -> None:
    class Deep:
        @staticmethod
        def loads(data: bytes) -> Any:
            raise RecursionError

    request = wire_request("/", [JSON], "POST", b"[]")
    request.json_module = Deep
    with pytest.raises(BadRequest):
        _ = request.json


def test_a_subclass_may_answer_in_the_place_of_bad_json() -> None:
    class Lenient(Request):
        def on_json_loading_failed(self, e: ValueError | None) -> Any:
            return {"error": e is not None}

    request = wire_request("/", [JSON], "POST", b"{", cls=Lenient)
    assert request.json == {"error": True}
    assert request.get_json(silent=True) is None
    assert wire_request(cls=Lenient).json == {"error": False}


@given(st.recursive(st.none() | st.booleans() | st.integers() | text, st.lists, max_leaves=20))
def test_json_comes_back(value: Any) -> None:
    assert wire_request("/", [JSON], "POST", json.dumps(value).encode()).json == value


# As a WSGI application.


def test_a_function_of_a_request_can_be_a_wsgi_application() -> None:
    class Site:
        @Request.application
        def hello(self, request: Request) -> Response:
            return Response(f"{type(self).__name__} {request.path}")

    @Request.application
    def lost(request: Request) -> Response:
        raise NotFound

    response = Response.from_app(Site().hello, environ_of("/x"))
    assert response.get_data() == b"Site /x"
    assert Response.from_app(lost, environ_of()).status_code == 404
    assert lost.__name__ == "lost"


FIELD_NAMES = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "Cookie",
    "Date",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Max-Forwards",
    "Pragma",
    "Range",
    "X-Forwarded-For",
]
field_values = st.text(
    st.sampled_from('\tabcq=0159.,;:"\\*/-_ W()<>@\x80\xe9\xff')
    | st.characters(min_codepoint=0x21, max_codepoint=0x7E),
    max_size=30,
).map(lambda value: value.strip(" \t"))


@given(st.dictionaries(st.sampled_from(FIELD_NAMES), field_values, max_size=4))
def test_whatever_a_client_writes_into_fields_both_forms_read_the_same(
    fields: dict[str, str],
) -> None:
    from_wire = wire_request("/", fields.items())
    from_environ = Request(from_wire.environ)

    for attribute in COMPARED:
        expected = plain(getattr(from_wire, attribute))
        assert expected == plain(getattr(from_environ, attribute)), attribute
    assert str(from_wire.authorization) == str(from_environ.authorization)


def test_host_of_a_request_in_absolute_form_is_the_target_s() -> None:
    request = wire_request("http://b.example/x", [("Accept", "*/*"), ("hOST", "a")])

    assert ["b.example"] == request.headers.getlist("Host")
    assert "*/*" == request.headers["Accept"]
    assert "b.example" == request.host
    assert [(b"Accept", b"*/*"), (b"hOST", b"a")] == list(request.head.fields.lines)
