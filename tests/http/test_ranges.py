"""Range requests: what is asked for, what is sent, and how much it can cost."""

from datetime import UTC, datetime
from typing import Any

import pytest
import werkzeug.datastructures as oracle_structures
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import groundwire.http.ranges as ours
from groundwire.http.ranges import (
    MAX_RANGES,
    ContentRange,
    IfRange,
    Range,
    byteranges_end,
    byteranges_length,
    byteranges_part_head,
    is_byte_range_valid,
    make_boundary,
    parse_content_range_header,
    parse_if_range_header,
    parse_range_header,
)

HUGE = "9" * 5000


def parts(value: str, length: int) -> list[tuple[int, int]] | None:
    """Return what is sent of a representation of `length` octets; None when Range is ignored."""
    wanted = parse_range_header(value)
    return None if wanted is None else wanted.resolve(length)


@pytest.mark.parametrize(
    ("value", "length", "expected"),
    [
        ("bytes=0-0", 10, [(0, 1)]),
        ("bytes=0-9", 10, [(0, 10)]),
        ("bytes=0-99", 10, [(0, 10)]),
        ("bytes=5-", 10, [(5, 10)]),
        ("bytes=-3", 10, [(7, 10)]),
        ("bytes=-99", 10, [(0, 10)]),
        ("bytes=-0", 10, []),
        ("bytes=-00", 10, []),
        ("bytes=10-", 10, []),
        ("bytes=10-20", 10, []),
        ("bytes=0-", 0, []),
        ("bytes=-1", 0, []),
        ("bytes=0-0", 0, []),
        ("bytes=0-1,20-30", 10, [(0, 2)]),
        ("bytes=0-1, 4-5", 10, [(0, 2), (4, 6)]),
        ("bytes=4-5,0-1", 10, [(4, 6), (0, 2)]),
        ("bytes=0-5,3-8", 10, [(0, 9)]),
        ("bytes=0-1,2-3", 10, [(0, 4)]),
        ("bytes=8-9,0-3,2-5", 10, [(0, 6), (8, 10)]),
        ("bytes=0-,0-,-10", 10, [(0, 10)]),
        ("bytes=,,0-1,", 10, [(0, 2)]),
        ("BYTES = 0 - 1", 10, [(0, 2)]),
        (f"bytes=0-{HUGE}", 10, [(0, 10)]),
        (f"bytes={HUGE}-", 10, []),
        (f"bytes=-{HUGE}", 10, [(0, 10)]),
        (f"bytes={'0' * 5000}1-2", 10, [(1, 3)]),
        (f"bytes={'0' * 5000}-0", 10, [(0, 1)]),
    ],
)
def test_ranges_are_resolved_against_a_length(
    value: str, length: int, expected: list[tuple[int, int]]
) -> None:
    assert parts(value, length) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=1",
        "bytes=-",
        "bytes=2-1",
        "bytes=a-b",
        "bytes=1-b",
        "bytes=--1",
        "bytes=1--2",
        "bytes=+1-2",
        "bytes=1_0-2",
        "bytes=0x1-2",
        "bytes=0-1;",
        "bytes=0-1 2-3",
        "bytes=0-1,x",
        "bytes=١-٢",
        "bytes=¹-²",
        "bytes=\xa01-2",
        "by tes=0-1",
        "=0-1",
        "b\u212a=0-1",
        "bytes=" + ",".join("0-0" for _ in range(MAX_RANGES + 1)),
        "bytes=" + "," * 100 + "0-0",
    ],
)
def test_what_is_malformed_or_too_much_is_ignored(value: str | None) -> None:
    assert parse_range_header(value) is None


def test_sixteen_ranges_are_looked_at() -> None:
    wanted = parse_range_header("bytes=" + ",".join(f"{i * 3}-{i * 3}" for i in range(MAX_RANGES)))

    assert wanted is not None
    assert len(wanted.resolve(100)) == MAX_RANGES


def test_exclusive_last_positions_on_request() -> None:
    wanted = parse_range_header("x=1-2", make_inclusive=False)

    assert wanted == Range("x", [(1, 2)])
    assert parse_range_header("x=1-1", make_inclusive=False) is None


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda t: f"{t[0]}-{sum(t)}"),
            st.integers(0, 30).map(lambda first: f"{first}-"),
            st.integers(0, 30).map(lambda suffix: f"-{suffix}"),
        ),
        min_size=1,
        max_size=MAX_RANGES,
    ),
    st.integers(0, 25),
)
@settings(max_examples=300, deadline=None)
def test_what_is_sent_is_what_was_asked_for_and_never_more_than_all(
    specs: list[str], length: int
) -> None:
    wanted = parse_range_header("bytes=" + ",".join(specs))
    assert wanted is not None
    sent = wanted.resolve(length)

    octets = [position for start, stop in sent for position in range(start, stop)]
    asked: set[int] = set()
    for spec in specs:
        first, _, last = spec.partition("-")
        if first:
            asked.update(range(int(first), min(int(last), length - 1) + 1 if last else length))
        else:
            asked.update(range(max(0, length - int(last)), length))
    assert sorted(octets) == sorted(asked)
    assert parse_range_header(wanted.to_header()) == wanted


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_single_ranges_are_resolved_as_werkzeug_does(first: int, more: int, length: int) -> None:
    for value in (f"bytes={first}-{first + more}", f"bytes={first}-", f"bytes=-{first}"):
        mine: Any = parse_range_header(value)
        theirs = oracle.parse_range_header(value)
        if theirs is None or (value[6] == "-" and first > length):
            continue  # -0, and a suffix longer than all, are well formed in RFC 9110 §14.1.2
        assert mine.ranges == theirs.ranges
        assert mine.range_for_length(length) == theirs.range_for_length(length)
        assert mine.to_header() == theirs.to_header()
        assert mine.to_content_range_header(length) == theirs.to_content_range_header(length)


def test_one_satisfiable_range_of_bytes_gives_its_content_range() -> None:
    wanted = Range("bytes", [(5, None)])

    assert wanted.range_for_length(10) == (5, 10)
    assert wanted.range_for_length(None) is None
    assert wanted.range_for_length(5) is None
    assert wanted.make_content_range(5) is None
    assert wanted.to_content_range_header(10) == "bytes 5-9/10"
    assert wanted.to_content_range_header(5) is None
    assert Range("bytes", [(0, 1), (2, 3)]).range_for_length(10) is None
    assert Range("seconds", [(0, 1)]).range_for_length(10) is None


def test_range_is_written_and_compared() -> None:
    wanted = parse_range_header("bytes = 0-4, 7-, -3, -00")

    assert str(wanted) == "bytes=0-4,7-,-3,-0"
    assert repr(wanted) == "<Range 'bytes=0-4,7-,-3,-0'>"
    assert wanted != Range("bytes", [])
    assert wanted != 5


@pytest.mark.parametrize("pair", [(5, 2), (5, 5), (0, 0), (-5, 2), (None, 5), (None, None)])
def test_range_that_is_none_is_refused(pair: Any) -> None:
    with pytest.raises(ValueError, match="not a valid range"):
        Range("bytes", [pair])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes 0-1/2", ("bytes", 0, 2, 2)),
        ("bytes */2", ("bytes", None, None, 2)),
        ("bytes 0-1/*", ("bytes", 0, 2, None)),
        ("bytes */*", ("bytes", None, None, None)),
        ("bytes */0", ("bytes", None, None, 0)),
        (" x \t 0-0/1 ", ("x", 0, 1, 1)),
    ],
)
def test_content_range_is_read(value: str, expected: tuple[Any, ...]) -> None:
    content_range = parse_content_range_header(value)

    assert content_range is not None
    assert (
        content_range.units,
        content_range.start,
        content_range.stop,
        content_range.length,
    ) == expected


@pytest.mark.parametrize(
    "value",
    [None, "", "bytes", "bytes 5-1/9", "bytes 0-1", "bytes a-b/c", "bytes 0-1/2/3", "bytes 9-9/5",
     "bytes 0/5", "bytes -1/5", "bytes ٠-١/٢"],
)  # fmt: skip
def test_content_range_that_is_none_is_ignored(value: str | None) -> None:
    assert parse_content_range_header(value) is None


@given(st.sampled_from(["0-1/2", "*/2", "0-1/*", "*/*", "5-1/9", "0-9/5", "3-3/4", "x", "0-1"]))
@settings(max_examples=30, deadline=None)
def test_content_range_is_read_as_werkzeug_does(value: str) -> None:
    mine = parse_content_range_header(f"bytes {value}")
    theirs = oracle.parse_content_range_header(f"bytes {value}")

    assert (mine and mine.to_header()) == (theirs and theirs.to_header())


def test_content_range_tells_each_change() -> None:
    seen: list[str] = []
    content_range = ContentRange("bytes", 0, 5, 10, lambda changed: seen.append(str(changed)))

    content_range.length = None
    content_range.start = 2
    content_range.stop = 4
    content_range.units = "x"
    content_range.set(1, 2, 3)
    content_range.set(None, None, 3)
    content_range.unset()

    assert seen == [
        "bytes 0-4/*",
        "bytes 2-4/*",
        "bytes 2-3/*",
        "x 2-3/*",
        "bytes 1-1/3",
        "bytes */3",
        "",
    ]
    assert not content_range
    assert repr(content_range) == "<ContentRange ''>"
    assert ContentRange("bytes", 0, 1)
    with pytest.raises(ValueError, match="content range"):
        content_range.set(5, 2)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((None, None, None), True),
        ((None, None, 5), True),
        ((None, None, -5), False),
        ((None, 5, 5), False),
        ((5, None, 5), False),
        ((0, 1, None), True),
        ((0, 5, 5), True),
        ((5, 6, 5), False),
        ((2, 1, None), False),
        ((-1, 1, None), False),
    ],
)
def test_which_positions_make_a_content_range(arguments: Any, expected: bool) -> None:
    assert is_byte_range_valid(*arguments) is expected


@pytest.mark.parametrize(
    ("value", "etag", "weak", "written"),
    [
        (None, None, False, ""),
        ("", None, False, ""),
        ('"a"', "a", False, '"a"'),
        ('W/"a"', "a", True, '"a"'),
        ("a", "a", False, '"a"'),
        ('a"b', None, False, ""),
    ],
)
def test_if_range_with_a_tag(value: str | None, etag: str | None, weak: bool, written: str) -> None:
    if_range = parse_if_range_header(value)

    assert (if_range.etag, if_range.weak, if_range.date) == (etag, weak, None)
    assert str(if_range) == written
    assert repr(if_range) == f"<IfRange {written!r}>"


def test_if_range_with_a_date() -> None:
    if_range = parse_if_range_header("Sun, 06 Nov 1994 08:49:37 GMT")

    assert if_range.date == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert if_range.etag is None
    assert if_range.to_header() == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert IfRange("x").to_header() == '"x"'


def test_multipart_byteranges_is_framed_and_counted() -> None:
    ranges = [(0, 2), (5, 8)]
    content = b"0123456789"

    written = b"".join(
        byteranges_part_head("b", "text/plain", start, stop, 10) + content[start:stop]
        for start, stop in ranges
    ) + byteranges_end("b")

    assert written == (
        b"\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
        b"\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-7/10\r\n\r\n567"
        b"\r\n--b--\r\n"
    )
    assert byteranges_length("b", "text/plain", ranges, 10) == len(written)
    assert (
        byteranges_part_head("b", None, 0, 1, 1) == b"\r\n--b\r\nContent-Range: bytes 0-0/1\r\n\r\n"
    )


def test_boundaries_differ() -> None:
    assert make_boundary() != make_boundary()
    assert len(make_boundary()) == 32


@pytest.mark.parametrize("pump", ["0-0,", ",", "-", "0", " ", "0 -", "=", "\t,"])
def test_reading_costs_linear_time(pump: str) -> None:
    parse_range_header("bytes=" + pump * 30_000)
    parse_range_header(pump * 30_000)
    parse_content_range_header("bytes " + pump * 30_000)
    parse_content_range_header(pump * 30_000)


def test_every_public_name_of_werkzeugs_classes_is_there() -> None:
    for name in ("Range", "ContentRange", "IfRange"):
        theirs = getattr(oracle_structures, name)
        assert {each for each in dir(theirs) if not each.startswith("_")} <= set(
            dir(getattr(ours, name))
        )
