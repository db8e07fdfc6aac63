"""Made-up requests are those that Werkzeug's `EnvironBuilder` makes."""

import io
import sys
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote_to_bytes

import pytest
import werkzeug.test as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.authorization import Authorization
from groundwire.http.environ_builder import EnvironBuilder, create_environ
from groundwire.http.form_encoding import encode_multipart, stream_encode_multipart
from groundwire.http.headers import Headers
from groundwire.http.multidict import MultiDict
from groundwire.http.multipart import MultipartWriter
from groundwire.http.request import Request
from groundwire.http.uploads import FileMultiDict, FileStorage


def is_utf_8(path: str) -> bool:
    """Tell whether the octets of `path` are UTF-8: of others Werkzeug's builder makes U+FFFD, a server does not."""
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
PATHS = st.one_of(
    TEXT.map("/{}".format),
    st.sampled_from(["/a%20b", "/%C3%BC", "/a%2Fb", "/a//b", "", "*", "/a;b=c", "/?", "/%3F?x=1"]),
).filter(lambda path: not path.startswith("//") and not set(path) & set("#[") and is_utf_8(path))
FIELDS = st.dictionaries(TEXT, st.one_of(TEXT, st.lists(TEXT, max_size=3), st.integers()))
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8)


def comparable(environ: dict[str, Any]) -> dict[str, Any]:
    stream: IO[bytes] = environ.pop("wsgi.input")
    return {**environ, "content": stream.read()}


@settings(max_examples=300)
@given(
    path=PATHS,
    base_url=st.sampled_from(
        [
            None,
            "http://example.org",
            "https://é.example:8443/shop/",
            "http://h/a%20b",
        ]
    ),
    options=st.fixed_dictionaries(
        {},
        optional={
            "method": st.sampled_from(["GET", "POST", "PUT", "patch"]),
            "headers": st.lists(
                st.tuples(st.sampled_from(["X-A", "x-a", "Host", "Cookie"]), VALUES)
            ),
            "data": st.one_of(TEXT, st.binary(max_size=9), FIELDS),
            "content_type": st.sampled_from([None, "text/plain", "a/b; c=d"]),
            "content_length": st.sampled_from([None, 3]),
            "mimetype": st.sampled_from([None, "text/css", "application/x"]),
            "auth": st.tuples(VALUES.filter(lambda name: ":" not in name), VALUES),
            "environ_base": st.just({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_A": "base"}),
            "environ_overrides": st.just({"REQUEST_METHOD": "BREW", "x": 1}),
            "multithread": st.booleans(),
        },
    ),
    query=st.one_of(st.none(), TEXT, FIELDS),
)
def test_environ_is_werkzeugs(
    path: str, base_url: str | None, options: dict[str, Any], query: Any
) -> None:
    if "?" not in path:
        options = {**options, "query_string": query}

    expected = theirs.create_environ(path, base_url, **options)
    actual = create_environ(path, base_url, **options)

    assert comparable(expected) == comparable(actual)


@pytest.mark.parametrize("json", [{"a": 1, "b": [None, "é"]}, "text", [], 0])
def test_json_is_werkzeugs(json: Any) -> None:
    expected = theirs.create_environ("/", json=json, method="POST")
    actual = create_environ("/", json=json, method="POST")

    assert comparable(expected) == comparable(actual)
    assert "application/json" == actual["CONTENT_TYPE"]


@given(st.dictionaries(TEXT.filter(bool), st.one_of(st.binary(max_size=20), TEXT), max_size=4))
def test_a_form_with_files_is_read_back_by_werkzeug(fields: dict[str, Any]) -> None:
    data = {
        name: (io.BytesIO(value), f"{name}.bin", "x/y") if isinstance(value, bytes) else value
        for name, value in fields.items()
    }
    environ = create_environ("/", data=data, method="POST", content_type="multipart/form-data")

    from werkzeug.wrappers import Request as TheirRequest

    with TheirRequest(environ) as request:
        form = request.form.to_dict()
        found = {
            name: (file.filename, file.content_type, file.read())
            for name, file in request.files.items()
        }
    assert {n: v for n, v in fields.items() if isinstance(v, str)} == form
    assert {n: (f"{n}.bin", "x/y", v) for n, v in fields.items() if isinstance(v, bytes)} == found


def test_parts_can_be_changed_until_the_environ_is_made() -> None:
    builder = EnvironBuilder("/a", "http://example.org:81/root")

    assert ("example.org", 81, "http://example.org:81/root/") == (
        builder.server_name,
        builder.server_port,
        builder.base_url,
    )
    builder.base_url = "https://[::1]/x/"
    builder.path = "/b"
    builder.args["q"] = "1 2"
    builder.method = "POST"
    builder.form["f"] = "v"
    environ = builder.get_environ()

    assert {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/b",
        "SCRIPT_NAME": "/x",
        "QUERY_STRING": "q=1+2",
        "SERVER_NAME": "[::1]",
        "SERVER_PORT": "443",
        "HTTP_HOST": "[::1]",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": "3",
    }.items() <= environ.items()
    builder.query_string = "q=2"
    with pytest.raises(AttributeError, match="query_string"):
        _ = builder.args
    builder.args = MultiDict({"r": "3"})
    assert "r=3" == builder.query_string


def test_a_stream_and_a_form_take_each_others_place() -> None:
    builder = EnvironBuilder(data={"a": "1", "f": io.BytesIO(b"x")})

    assert "multipart/form-data" == builder.content_type
    builder.input_stream = io.BytesIO(b"octets")
    assert builder.content_type is None
    for name in ("form", "files"):
        with pytest.raises(AttributeError, match="input_stream"):
            getattr(builder, name)
    builder.files = FileMultiDict()
    builder.form = MultiDict({"a": "2"})
    assert builder.input_stream is None
    assert b"a=2" == builder.get_request().get_data()


def test_the_type_of_the_content_is_in_the_headers() -> None:
    builder = EnvironBuilder(content_type="text/x; a=1", content_length=4)

    assert ("text/x", {"a": "1"}, 4) == (
        builder.mimetype,
        builder.mimetype_params,
        builder.content_length,
    )
    builder.mimetype_params["b"] = "2"
    assert "text/x; a=1; b=2" == builder.headers["Content-Type"]
    builder.mimetype = "text/css"
    assert "text/css; charset=utf-8" == builder.content_type
    builder.content_type = builder.content_length = None
    assert [] == list(builder.headers)
    assert builder.mimetype is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"path": "/?a=1", "query_string": "b"}, ValueError),
        ({"base_url": "http://h/?a=1"}, ValueError),
        ({"base_url": "http://h/#a"}, ValueError),
        ({"data": "x", "json": 1}, TypeError),
        ({"data": "x", "input_stream": io.BytesIO()}, TypeError),
    ],
)
def test_contradictions_are_refused_as_by_werkzeug(
    options: dict[str, Any], error: type[Exception]
) -> None:
    for create in (theirs.create_environ, create_environ):
        with pytest.raises(error):
            create(**options)


def test_a_builder_of_an_environ_makes_it_again() -> None:
    environ = create_environ(
        "/ㄱ",
        "https://example.org:8443/base",
        query_string={"q": "é"},
        data={"foo": "ㄴ"},
        headers={"X-Foo": "ㄷ"},
        method="POST",
    )
    builder = EnvironBuilder.from_environ(environ)

    assert environ == builder.get_environ()
    assert "PUT" == EnvironBuilder.from_environ(environ, method="PUT").method


def test_credentials_may_be_an_object() -> None:
    environ = create_environ(auth=Authorization("bearer", token="abc"))

    assert "Bearer abc" == environ["HTTP_AUTHORIZATION"]


def test_headers_that_cannot_be_changed_are_copied() -> None:
    given = EnvironBuilder(headers={"X-A": "1"}).get_request().headers

    assert "1" == create_environ(headers=given, content_type="a/b")["HTTP_X_A"]


def test_headers_given_as_an_object_are_used_themselves() -> None:
    headers = Headers()
    builder = EnvironBuilder(headers=headers)
    builder.content_type = "a/b"

    assert "a/b" == headers["Content-Type"]


def test_an_environ_can_hold_fields_that_no_connection_would_carry() -> None:
    environ = create_environ(headers={"": "", "X-A": "ㄷ", "X-B": ["1", "2"]})

    assert {"HTTP_": "", "HTTP_X_A": "ㄷ", "HTTP_X_B": "1, 2"}.items() <= environ.items()
    with pytest.raises(ValueError, match="one line"):
        create_environ(headers={"X-A": "1\r\nX-B: 2"})


def test_octets_of_a_path_are_those_a_server_would_hand_over() -> None:
    assert "/\xff\xc3\xbc" == create_environ("/%ff%C3%BC")["PATH_INFO"]


def test_a_stream_that_cannot_seek_has_the_length_that_was_given() -> None:
    class Pipe(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b""

    environ = create_environ(input_stream=Pipe(), content_length=7)

    assert "7" == environ["CONTENT_LENGTH"]


def test_a_stream_is_sent_from_where_it_stands() -> None:
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    environ = create_environ(input_stream=stream)

    assert "6" == environ["CONTENT_LENGTH"]
    assert b"456789" == environ["wsgi.input"].read()


def test_text_files_are_read_as_utf_8() -> None:
    assert "é".encode() == create_environ(data=io.StringIO("é"))["wsgi.input"].read()


def test_requests_are_of_the_class_that_is_wanted() -> None:
    class Mine(Request):
        pass

    class Builder(EnvironBuilder):
        request_class = Mine

    assert Request is type(EnvironBuilder().get_request())
    assert Mine is type(Builder().get_request())
    assert Mine is type(EnvironBuilder().get_request(Mine))
    request = Mine.from_values("/x?a=1", method="PUT")
    assert (Mine, "PUT", "/x", "1") == (
        type(request),
        request.method,
        request.path,
        request.args["a"],
    )


def test_files_are_closed_with_the_builder(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    builder = EnvironBuilder()
    builder.files.add_file("path", str(path))
    builder.files.add_file("stream", io.BytesIO(b"b"), "b.png")
    builder.files.add_file("made", FileStorage(io.BytesIO(b"c"), "c"))
    files = list(builder.files.values())

    assert [("text/plain", str(path)), ("image/png", "b.png"), (None, "c")] == [
        (file.content_type, file.filename) for file in files
    ]
    builder.close()
    builder.close()
    assert [True] * 3 == [file.stream.closed for file in files]
    with pytest.raises(OSError):
        builder.files.add_file("missing", tmp_path / "missing")


def test_variables_that_no_test_gives_are_werkzeugs() -> None:
    errors = io.StringIO()

    assert sys.stderr is create_environ()["wsgi.errors"]
    assert errors is create_environ(errors_stream=errors)["wsgi.errors"]
    assert set(theirs.create_environ()) == set(create_environ())


# multipart/form-data


def test_a_long_form_goes_to_a_temporary_file() -> None:
    data = {"a": "x" * 100, "f": (FileStorage(io.BytesIO(b"y" * 100), "f"))}

    short, short_length, _ = stream_encode_multipart(data, boundary="b")
    data["f"].seek(0)
    long, long_length, boundary = stream_encode_multipart(data, threshold=120, boundary="b")

    assert isinstance(short, io.BytesIO)
    assert not isinstance(long, io.BytesIO)
    assert ("b", short_length) == (boundary, long_length)
    assert short_length == len(short.getvalue())
    assert short.read() == long.read()
    long.close()


def test_a_form_that_may_not_leave_memory_does_not() -> None:
    stream, _, _ = stream_encode_multipart({"a": "x" * 100}, use_tempfile=False, threshold=1)

    assert isinstance(stream, io.BytesIO)


@pytest.mark.parametrize(
    "values",
    [
        {"a": "1", "b": ["2", "3"], "c": 4, "d": None},
        MultiDict([("a", "1"), ("a", "é")]),
        {
            "f": FileStorage(io.BytesIO(b"x"), "é.txt"),
            "g": FileStorage(io.BytesIO(b"y"), content_type="a/b"),
        },
    ],
    ids=["mapping", "multidict", "files"],
)
def test_octets_of_a_form_are_werkzeugs(values: Any) -> None:
    _, expected = theirs.encode_multipart(_theirs(values), "boundary")
    _rewind(values)
    _, actual = encode_multipart(values, "boundary")

    # A preamble of CR LF, which is Werkzeug's, says nothing (RFC 2046 §5.1.1).
    assert expected.removeprefix(b"\r\n") == actual


def _theirs(values: Any) -> Any:
    from werkzeug.datastructures import FileStorage as TheirFile
    from werkzeug.datastructures import MultiDict as TheirDict

    if isinstance(values, MultiDict):
        return TheirDict(list(values.items(multi=True)))
    return {
        name: TheirFile(value.stream, value.filename, content_type=value.content_type)
        if isinstance(value, FileStorage)
        else value
        for name, value in values.items()
    }


def _rewind(values: Any) -> None:
    for value in values.values():
        if isinstance(value, FileStorage):
            value.seek(0)


def test_a_file_in_pieces_begins_as_a_part_does() -> None:
    whole = MultipartWriter("b").file("n", "f", b"content", [("X-A", "1")])

    assert whole == MultipartWriter("b").file_head("n", "f", [("X-A", "1")]) + b"content"
