"""Byte streams that are nearly HTTP: a grammar with the dangerous words in it, and a few bytes changed.

Random bytes do not find what separates one parser from another; what does is a valid message with one thing in it that
some reader would forgive.
"""

from hypothesis import strategies as st

from groundwire.protocol.limits import MessageLimits

SMALL = MessageLimits(
    target_bytes=24,
    method_bytes=8,
    empty_lines=2,
    field_section_bytes=96,
    field_line_bytes=40,
    field_lines=5,
    chunk_line_bytes=24,
    chunk_overhead_bytes=32,
)

ODD_OCTETS = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\x85",
    b"\xa0",
    b"\xff",
    b":",
    b",",
    b";",
    b'"',
    b"\\",
    b"#",
    b"=",
    b"*",
    b"/",
]
ODD_WORDS = [
    b"+5",
    b"-1",
    b"0x5",
    b"0_5",
    b"5 ",
    "٥".encode(),
    "²".encode("latin-1"),
    b"2147483648",
    b"4294967301",
    b"9223372036854775808",
    b"18446744073709551616",
    b"10000000000000005",
    b"FFFFFFFFFFFFFFFF",
    b"HTTP/2.0",
    b"HTTP/1.10",
    b"http/1.1",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"xchunked",
    b"chunked, chunked",
    b"gzip, chunked",
    b"chun\xe2\x84\xaaed",
    b"close",
    b"100-continue",
    b"[::1]",
    b"a@b",
    b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    b"x" * 50,
]
NAMES = [
    b"Content-Length",
    b"content-length",
    b"Content_Length",
    b"Content-Length ",
    b"Transfer-Encoding",
    b"TRANSFER-ENCODING",
    b"Transfer-Encoding\t",
    b"Host",
    b"Connection",
    b"Expect",
    b"Upgrade",
    b"Trailer",
    b"X-A",
    b"Authorization",
]
VALUES = [
    b"",
    b"0",
    b"5",
    b"05",
    b"a",
    b"a:80",
    b"chunked",
    b"Chunked",
    b"close",
    b"Keep-Alive, CLOSE",
    b"100-Continue",
    b"\t v \t",
    b"x" * 30,
]

odd = st.sampled_from(ODD_OCTETS + ODD_WORDS)


def mostly(*strategies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """One of `strategies`, and now and then something that does not belong there."""
    return st.one_of(*strategies, *strategies, odd) if strategies else odd


request_lines = st.builds(
    lambda method, first, target, second, version, end: (
        method + first + target + second + version + end
    ),
    mostly(st.sampled_from([b"GET", b"POST", b"get", b"OPTIONS", b"CONNECT", b"PRI"])),
    mostly(st.just(b" ")),
    mostly(
        st.sampled_from(
            [b"/", b"/p?q=1", b"//x", b"*", b"http://h/x", b"http://h", b"a:443", b"/" + b"x" * 30]
        )
    ),
    mostly(st.just(b" ")),
    mostly(st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"])),
    mostly(st.just(b"\r\n")),
)
field_lines = st.builds(
    lambda name, colon, value, end: name + colon + value + end,
    mostly(st.sampled_from(NAMES)),
    mostly(st.sampled_from([b": ", b":"])),
    mostly(st.sampled_from(VALUES)),
    mostly(st.just(b"\r\n"), st.just(b"\r\n"), st.just(b"\r\n")),
)
chunks = st.builds(
    lambda size, extension, end, data, after: size + extension + end + data + after,
    mostly(st.sampled_from([b"5", b"5", b"0005", b"A"])),
    mostly(
        st.just(b""),
        st.just(b""),
        st.sampled_from([b";a", b";a=b", b';a="x; \\"y\\""', b";a=b;c"]),
    ),
    mostly(st.just(b"\r\n"), st.just(b"\r\n")),
    st.sampled_from([b"hello", b"hello", b"hell", b"0123456789"]),
    mostly(st.just(b"\r\n"), st.just(b"\r\n")),
)
contents = st.one_of(
    st.just(b""),
    st.just(b"hello"),
    st.builds(
        lambda parts, last, trailers, end: b"".join(parts) + last + b"".join(trailers) + end,
        st.lists(chunks, max_size=3),
        mostly(st.just(b"0\r\n")),
        st.lists(field_lines, max_size=2),
        mostly(st.just(b"\r\n")),
    ),
)
messages = st.builds(
    lambda empty, line, host, lines, end, content: (
        empty + line + host + b"".join(lines) + end + content
    ),
    st.sampled_from([b"", b"", b"", b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n"]),
    request_lines,
    st.sampled_from([b"Host: a\r\n", b"Host: a\r\n", b""]),
    st.lists(field_lines, max_size=4),
    mostly(st.just(b"\r\n"), st.just(b"\r\n")),
    contents,
)
# What is whole and right down to the framing, so that the chunks are reached.
chunked_messages = st.builds(
    lambda parts, last, trailers, end: (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(parts)
        + last
        + b"".join(trailers)
        + end
    ),
    st.lists(chunks, max_size=4),
    mostly(st.just(b"0\r\n")),
    st.lists(field_lines, max_size=3),
    mostly(st.just(b"\r\n")),
)
streams = st.lists(messages | chunked_messages, min_size=1, max_size=3).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A stream with a few bytes deleted, doubled or put in."""
    data = draw(streams)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data)))
        data = draw(
            st.sampled_from(
                [
                    data[:place] + data[place + 1 :],
                    data[:place] + data[place : place + 3] + data[place:],
                    data[:place],
                ]
            )
            | odd.map(lambda token, place=place, data=data: data[:place] + token + data[place:])
        )
    return data


limits = st.sampled_from([MessageLimits(), SMALL])
