"""`wsgi.input` is read no further than it may be, as by Werkzeug."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import exceptions, wsgi
from werkzeug.sansio.utils import get_content_length as their_content_length

from groundwire.http.errors import ClientDisconnected, RequestEntityTooLarge
from groundwire.http.limited_stream import (
    LimitedStream,
    content_length,
    get_content_length,
    get_input_stream,
)


class OnlyRead:
    """What PEP 3333 asks of ``wsgi.input``, and nothing more."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


class Failing(io.RawIOBase):
    def readinto(self, buffer: Any) -> int:
        raise OSError("reset by peer")


@pytest.mark.parametrize("kind", [io.BytesIO, OnlyRead])
def test_it_ends_at_its_limit(kind: Any) -> None:
    stream = LimitedStream(kind(b"123456789"), 6)

    assert (b"12", 2) == (stream.read(2), stream.tell())
    assert stream.readable()
    assert not stream.is_exhausted
    assert (b"3456", b"", b"") == (stream.read(), stream.read(), stream.exhaust())
    assert stream.is_exhausted


def test_lines_end_at_its_limit() -> None:
    stream = LimitedStream(io.BytesIO(b"a\nb\nc\nd"), 5)

    assert [b"a\n", b"b\n", b"c"] == list(stream)


def test_beyond_a_maximum_content_is_refused() -> None:
    stream = LimitedStream(io.BytesIO(b"123"), 2, is_max=True)

    assert b"12" == stream.exhaust()
    for read in (stream.read, stream.readall, lambda: stream.read(1)):
        with pytest.raises(RequestEntityTooLarge):
            read()


def test_content_may_end_before_a_maximum() -> None:
    assert b"12" == LimitedStream(io.BytesIO(b"12"), 5, is_max=True).read()


def test_content_that_ends_before_its_length_was_cut_off() -> None:
    stream = LimitedStream(io.BytesIO(b"12"), 5)

    assert b"12" == stream.read(2)
    with pytest.raises(ClientDisconnected):
        stream.read(1)


@pytest.mark.parametrize("is_max", [True, False])
def test_a_stream_that_fails_was_cut_off(is_max: bool) -> None:
    with pytest.raises(ClientDisconnected):
        LimitedStream(Failing(), 5, is_max).read(1)


def test_a_subclass_may_take_both_ends_calmly() -> None:
    class Calm(LimitedStream):
        def on_exhausted(self) -> None:
            pass

        def on_disconnect(self, error: Exception | None = None) -> None:
            pass

    assert b"" == Calm(Failing(), 5).read(3)
    assert b"12" == Calm(io.BytesIO(b"12"), 5).read()
    assert b"" == Calm(io.BytesIO(b"12"), 0, is_max=True).read(1)


LENGTHS = st.sampled_from([None, "", "0", "7", " 7 ", "-7", "+7", "7.0", "１", "x"])
CODINGS = st.sampled_from([None, "", "chunked", "gzip, Chunked", "gzip"])


@given(LENGTHS, CODINGS)
def test_lengths_are_werkzeugs(length: str | None, coding: str | None) -> None:
    assert their_content_length(length, coding) == content_length(length, coding)
    given = {"CONTENT_LENGTH": length, "HTTP_TRANSFER_ENCODING": coding}
    environ = {key: value for key, value in given.items() if value is not None}
    assert wsgi.get_content_length(environ) == get_content_length(environ)


def outcome(function: Any, refusals: Any, environ: dict[str, Any], *args: Any) -> Any:
    stream = io.BytesIO(b"1234")
    try:
        got = function(environ | {"wsgi.input": stream}, *args)
        return got is stream, got.read()
    except refusals as error:
        return type(error).__name__


@given(
    LENGTHS.filter(lambda length: length != ""),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 2, 4, 9]),
)
def test_input_is_limited_as_werkzeugs(
    length: str | None, terminated: bool, fallback: bool, maximum: int | None
) -> None:
    environ: dict[str, Any] = {} if length is None else {"CONTENT_LENGTH": length}
    if terminated:
        environ["wsgi.input_terminated"] = True
    theirs = outcome(wsgi.get_input_stream, exceptions.HTTPException, environ, fallback, maximum)

    ours = outcome(
        get_input_stream, (ClientDisconnected, RequestEntityTooLarge), environ, fallback, maximum
    )

    assert theirs == ours
