"""However a stream is cut, the same comes of it: messages, verdict, rule and byte."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpora.reading import bytewise, cut, read
from corpora.streams import SMALL, limits, mutated, odd
from groundwire.protocol.limits import MessageLimits


@settings(max_examples=400, deadline=None)
@given(mutated(), st.lists(st.integers(0, 400), max_size=6), limits, st.booleans())
def test_any_cut_gives_the_same_reading(
    data: bytes, places: list[int], limits: MessageLimits, eof: bool
) -> None:
    whole = read([data], limits, eof=eof)

    assert whole == read(cut(data, places), limits, eof=eof)
    assert whole == read(bytewise(data), limits, eof=eof)


@settings(max_examples=60, deadline=None)
@given(mutated(), limits)
@example(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", SMALL)
def test_every_cut_in_two_gives_the_same_reading(data: bytes, limits: MessageLimits) -> None:
    data = data[:300]
    whole = read([data], limits)

    for place in range(len(data)):
        assert whole == read([data[:place], data[place:]], limits)


@settings(max_examples=150, deadline=None)
@given(mutated(), st.integers(1, 7), limits)
def test_content_taken_in_small_measure_is_the_same(
    data: bytes, max_bytes: int, limits: MessageLimits
) -> None:
    assert read([data], limits) == read([data], limits, max_bytes=max_bytes)


@settings(max_examples=150, deadline=None)
@given(mutated(), odd, limits)
def test_what_follows_a_refusal_changes_nothing(
    data: bytes, more: bytes, limits: MessageLimits
) -> None:
    reading = read([data], limits)
    if reading.refusal is None:
        return

    assert reading == read([data + more], limits)
    assert reading == read([data, more], limits)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), limits)
def test_no_bytes_raise_anything_but_a_protocol_error(data: bytes, limits: MessageLimits) -> None:
    read([data], limits, eof=True)
    read(bytewise(data), limits, eof=True)


@pytest.mark.parametrize("small", [False, True])
def test_a_pipeline_with_remembered_fields_reads_as_one_without(small: bool) -> None:
    request = b"GET /p?q HTTP/1.1\r\nHost: a\r\nX-A: v\r\n\r\n"
    limits = SMALL if small else MessageLimits()
    (once,) = read([request], limits).messages

    assert [once] * 5 == read([request * 5], limits).messages
    assert [once] * 5 == read(bytewise(request * 5), limits).messages
