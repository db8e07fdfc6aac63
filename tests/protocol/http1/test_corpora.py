"""Every case of the text corpora, whole, cut in two at every byte, and byte by byte."""

from collections.abc import Iterable

import pytest

from corpora.cases import Case, Expected, load_all
from corpora.reading import Message, Reading, bytewise, read

CASES = load_all("http1")

EVERY_CUT_BYTES = 1500
"""Longer messages are cut near their ends and at some places between them."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place} {case.title}")
def test_case(case: Case) -> None:
    data = case.data
    whole = read([data], case.limits, eof=case.eof)

    assert_as_expected(case, whole)
    assert whole == read(bytewise(data), case.limits, eof=case.eof)
    for place in cuts(len(data)):
        assert whole == read([data[:place], data[place:]], case.limits, eof=case.eof), place


def cuts(length: int) -> Iterable[int]:
    if length <= EVERY_CUT_BYTES:
        return range(1, length)
    return {*range(1, 40), *range(40, length, length // 20), *range(length - 20, length)}


def test_titles_are_unique() -> None:
    titles = [(case.place.partition(":")[0], case.title) for case in CASES]

    assert len(titles) == len(set(titles))


def assert_as_expected(case: Case, reading: Reading) -> None:
    refusal = reading.refusal
    if case.status is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert (case.status, case.section) == (refusal.status, refusal.section), refusal
        if case.mark is not None:
            assert case.mark == refusal.offset, refusal
        assert case.says in refusal.message
    assert [expected.request_line for expected in case.messages] == [
        f"{message.method} {message.target} {message.version}" for message in reading.messages
    ]
    for expected, message in zip(case.messages, reading.messages, strict=True):
        assert_message(expected, message)
    assert (case.waits == "head") == reading.in_head
    assert (case.waits == "content") == (
        refusal is None and any(not message.complete for message in reading.messages)
    )


def assert_message(expected: Expected, message: Message) -> None:
    for name in ("form", "path", "query", "authority"):
        wanted = getattr(expected, name)
        assert wanted is None or wanted == getattr(message, name), name
    if expected.length is not None:
        assert expected.length == ("chunked" if message.chunked else str(message.content_length))
    if expected.persistent is not None:
        assert (expected.persistent == "yes") == message.persistent
    if expected.expects is not None:
        assert expected.expects == (message.expectation or b"").decode("latin-1")
    if expected.fields:
        assert expected.fields == as_written(message.lines)
    assert expected.trailers == as_written(message.trailers)
    assert expected.content == message.content
    assert expected.finished == message.complete


def as_written(lines: tuple[tuple[bytes, bytes], ...]) -> list[bytes]:
    return [name + (b": " + value if value else b":") for name, value in lines]
