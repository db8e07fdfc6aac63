"""The objects that parse forms for programs that hold an environ, or a stream."""

import io
from typing import IO, Any

import pytest
from werkzeug import formparser as theirs

from groundwire.http.errors import BadRequest, RequestEntityTooLarge
from groundwire.http.form_data_parser import (
    FormDataParser,
    MultiPartParser,
    default_stream_factory,
    parse_form_data,
)
from groundwire.http.multidict import ImmutableMultiDict, MultiDict

FORM = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\ncontent\r\n--x--\r\n"
)


def environ_of(content: bytes, content_type: str, **more: Any) -> dict[str, Any]:
    length = {"CONTENT_LENGTH": str(len(content))}
    return {"wsgi.input": io.BytesIO(content), "CONTENT_TYPE": content_type} | length | more


def summary(parsed: tuple[Any, Any, Any]) -> tuple[list[Any], list[Any], bytes]:
    stream, form, files = parsed
    of_files = [(name, file.filename, file.mimetype, file.read()) for name, file in files.items()]
    for file in files.values():
        file.close()
    return list(form.items(multi=True)), of_files, stream.read()


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"a=1&b=%C3%BC&a=2", "application/x-www-form-urlencoded"),
        (FORM, "multipart/form-data; boundary=x"),
        (b"no form", "text/plain"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_forms_of_an_environ_are_werkzeugs(content: bytes, content_type: str) -> None:
    their_form = summary(theirs.parse_form_data(environ_of(content, content_type)))

    assert their_form == summary(parse_form_data(environ_of(content, content_type)))


def test_both_results_are_of_the_class_asked_for() -> None:
    environ = environ_of(FORM, "multipart/form-data; boundary=x")

    _, form, files = parse_form_data(environ, cls=MultiDict)

    assert (MultiDict, MultiDict) == (type(form), type(files))
    assert type(FormDataParser().parse(io.BytesIO(), "text/plain", 0)[1]) is ImmutableMultiDict
    files["f"].close()


@pytest.mark.parametrize(
    "limits",
    [
        {"max_content_length": 3},
        {"max_form_memory_size": 0},
        {"max_form_parts": 1},
    ],
)
def test_forms_beyond_a_limit_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(RequestEntityTooLarge):
        parse_form_data(environ_of(FORM, "multipart/form-data; boundary=x"), **limits)


def test_content_of_unknown_length_is_read_to_its_limit_only() -> None:
    environ = environ_of(b"a=1", "application/x-www-form-urlencoded")
    environ |= {"wsgi.input_terminated": True}
    del environ["CONTENT_LENGTH"]

    with pytest.raises(RequestEntityTooLarge):
        parse_form_data(environ, max_content_length=2)


def test_a_malformed_form_is_empty_or_an_error() -> None:
    content_type = "multipart/form-data; boundary=x"

    assert ([], [], b"") == summary(parse_form_data(environ_of(b"--y", content_type)))
    with pytest.raises(BadRequest):
        parse_form_data(environ_of(b"--y", content_type), silent=False)


def test_multipart_content_is_parsed_by_its_boundary() -> None:
    calls: list[tuple[Any, ...]] = []

    def factory(*args: Any) -> IO[bytes]:
        calls.append(args)
        return default_stream_factory(*args)

    form, files = MultiPartParser(factory, buffer_size=5).parse(io.BytesIO(FORM), b"x", len(FORM))

    assert (MultiDict, "1", b"content") == (type(form), form["a"], files["f"].read())
    assert [(len(FORM), "text/plain", "f.txt", 0)] == calls
    files["f"].close()


def test_multipart_content_that_is_cut_off_or_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before its closing delimiter"):
        MultiPartParser().parse(io.BytesIO(FORM[:-8]), b"x", None)
    with pytest.raises(RequestEntityTooLarge):
        MultiPartParser(max_form_parts=1).parse(io.BytesIO(FORM), b"x", None)


def test_a_form_longer_than_it_may_be_is_refused_before_it_is_read() -> None:
    parser = FormDataParser(max_content_length=2)
    stream = io.BytesIO(b"a=1")

    with pytest.raises(RequestEntityTooLarge):
        parser.parse(stream, "application/x-www-form-urlencoded", 3)
    assert 0 == stream.tell()
