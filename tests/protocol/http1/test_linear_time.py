"""What a peer can send costs time in proportion to its length, however it is cut.

Each family is pumped to a size and to twice that size. Something quadratic takes four times as long for the second;
the bound is three, on processor time, the best of several tries, so that a busy machine does not matter.
"""

from collections.abc import Callable, Iterable, Iterator

import pytest

from corpora.reading import bytewise, read
from cost import processor_seconds
from groundwire.protocol.limits import MessageLimits

WIDE = MessageLimits(
    target_bytes=1 << 30,
    method_bytes=1 << 30,
    empty_lines=1 << 30,
    field_section_bytes=1 << 30,
    field_line_bytes=1 << 30,
    field_lines=1 << 30,
    chunk_line_bytes=1 << 30,
    chunk_overhead_bytes=1 << 30,
)
"""Without limits, so that what is quadratic shows; the limits would only hide it."""

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

Family = Callable[[int], Iterable[bytes]]


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


FAMILIES: dict[str, tuple[int, Family]] = {
    "a long field value, byte by byte": (8_000, lambda n: bytewise(GET + b"X: " + b"a" * n)),
    "a long field name, byte by byte": (8_000, lambda n: bytewise(GET + b"X" * n)),
    "a long target, byte by byte": (8_000, lambda n: bytewise(b"GET /" + b"a" * n)),
    "a long method, byte by byte": (8_000, lambda n: bytewise(b"G" * n)),
    "many field lines, byte by byte": (2_000, lambda n: bytewise(GET + b"a:b\r\n" * n + b"\r\n")),
    "many field lines at once": (8_000, lambda n: [GET + b"a:b\r\n" * n + b"\r\n"]),
    "many field lines, wrong at the end": (
        8_000,
        lambda n: [GET + b"a:b\r\n" * n + b"a b\r\n\r\n"],
    ),
    "many connection options": (
        20_000,
        lambda n: [GET + b"Connection: " + b"a," * n + b"\r\n\r\n"],
    ),
    "much white space in a value": (
        100_000,
        lambda n: [GET + b"X: a" + b" " * n + b"a" + b" " * n + b"\r\n\r\n"],
    ),
    "many codings": (
        20_000,
        lambda n: [GET + b"Transfer-Encoding: " + b"a;b=c," * n + b"chunked\r\n\r\n"],
    ),
    "many colons in an address": (
        20_000,
        lambda n: [b"GET / HTTP/1.1\r\nHost: [" + b"1:" * n + b"]\r\n"],
    ),
    "many empty lines": (20_000, lambda n: [b"\r\n" * n]),
    "many requests at once": (3_000, lambda n: [(GET + b"\r\n") * n]),
    "many requests with alternating fields": (
        1_000,
        lambda n: [(GET + b"\r\n" + GET + b"X-A: b\r\n\r\n") * n],
    ),
    "many requests in odd pieces": (2_000, lambda n: in_pieces((GET + b"\r\n") * n, 7)),
    "content, byte by byte": (
        8_000,
        lambda n: bytewise(GET + b"Content-Length: %d\r\n\r\n" % n + b"a" * n),
    ),
    "one large chunk in pieces": (
        4 << 20,
        lambda n: in_pieces(CHUNKED + b"%x\r\n" % n + b"a" * n + b"\r\n0\r\n\r\n", 16384),
    ),
    "one large chunk, byte by byte": (
        8_000,
        lambda n: bytewise(CHUNKED + b"%x\r\n" % n + b"a" * n + b"\r\n0\r\n\r\n"),
    ),
    "many small chunks at once": (6_000, lambda n: [CHUNKED + b"1\r\na\r\n" * n + b"0\r\n\r\n"]),
    "many small chunks, byte by byte": (1_500, lambda n: bytewise(CHUNKED + b"1\r\na\r\n" * n)),
    "a long chunk extension, byte by byte": (8_000, lambda n: bytewise(CHUNKED + b"1;" + b"a" * n)),
    "a chunk extension of escapes": (8_000, lambda n: [CHUNKED + b'1;a="' + b"\\a" * n]),
    "many chunk extensions": (8_000, lambda n: [CHUNKED + b"1" + b";a" * n]),
    "many trailers, byte by byte": (2_000, lambda n: bytewise(CHUNKED + b"0\r\n" + b"a:b\r\n" * n)),
    "a long trailer, byte by byte": (8_000, lambda n: bytewise(CHUNKED + b"0\r\na:" + b"b" * n)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_twice_as_much_takes_at_most_three_times_as_long(name: str) -> None:
    size, family = FAMILIES[name]
    for _ in range(4):
        ratio = best_seconds(family, 2 * size) / best_seconds(family, size)
        if ratio <= 3:
            return
    pytest.fail(f"twice as much takes {ratio:.1f} times as long")


def best_seconds(family: Family, size: int) -> float:
    pieces = list(family(size))
    return processor_seconds(lambda: read(pieces, WIDE))


def test_largest_head_in_single_bytes_is_read() -> None:
    line = b"X-%03d: " + b"v" * 330 + b"\r\n"
    head = GET + b"".join(line % number for number in range(95)) + b"\r\n"

    assert len(head) > 31_000
    assert 1 == len(read(bytewise(head)).messages)


def test_large_chunked_content_is_read_in_any_pieces() -> None:
    content = b"0123456789abcdef" * 65_536
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in in_pieces(content, 1000))
    data = CHUNKED + body + b"0\r\n\r\n"
    for size in (len(data), 65_536, 1001, 999):
        (message,) = read(in_pieces(data, size)).messages

        assert content == message.content
        assert message.complete
