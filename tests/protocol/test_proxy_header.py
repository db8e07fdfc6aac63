"""The header of the PROXY protocol."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groundwire.protocol.proxy_header import (
    MAX_BINARY_BYTES,
    SIGNATURE,
    ProxyHeader,
    ProxyHeaderError,
    parse_proxy_header,
)


def binary(command: int, family: int, content: bytes) -> bytes:
    return SIGNATURE + bytes((command, family)) + len(content).to_bytes(2) + content


PORTS = st.integers(0, 65535)
IPV4 = st.ip_addresses(v=4)
IPV6 = st.ip_addresses(v=6)
EXTENSIONS = st.lists(
    st.tuples(st.integers(0, 255), st.binary(max_size=40)).map(
        lambda pair: bytes((pair[0],)) + len(pair[1]).to_bytes(2) + pair[1]
    ),
    max_size=4,
).map(b"".join)


@st.composite
def headers(draw: st.DrawFn) -> tuple[bytes, object, object]:
    """A header that is right, and the addresses it says."""
    version = draw(st.sampled_from((1, 2)))
    addresses = draw(st.sampled_from((IPV4, IPV6)))
    source, destination = draw(addresses), draw(addresses)
    ports = draw(PORTS), draw(PORTS)
    said = (str(source), ports[0]), (str(destination), ports[1])
    if version == 1:
        line = f"PROXY TCP{source.version} {source} {destination} {ports[0]} {ports[1]}\r\n"
        return line.encode(), *said
    octets = source.packed + destination.packed + b"".join(port.to_bytes(2) for port in ports)
    return binary(0x21, 0x11 if source.version == 4 else 0x21, octets + draw(EXTENSIONS)), *said


@given(headers(), st.binary(max_size=20))
def test_header_says_who_the_client_is_and_where_its_bytes_begin(
    header: tuple[bytes, object, object], rest: bytes
) -> None:
    data, source, destination = header
    assert parse_proxy_header(data + rest) == ProxyHeader(len(data), source, destination)  # type: ignore[arg-type]


@given(headers())
def test_every_beginning_of_a_header_is_waited_for(header: tuple[bytes, object, object]) -> None:
    data, _, _ = header
    assert [parse_proxy_header(data[:end]) for end in range(len(data))] == [None] * len(data)


def outcome(data: bytes) -> object:
    try:
        return parse_proxy_header(data)
    except ProxyHeaderError:
        return ProxyHeaderError


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(SIGNATURE.__add__),
        st.binary(max_size=120).map(b"PROXY TCP4 ".__add__),
        st.tuples(st.sampled_from((0x20, 0x21)), st.integers(0, 0x40), st.binary(max_size=260)).map(
            lambda parts: binary(*parts)
        ),
    )
)
@example(b"")
def test_whatever_comes_is_a_header_a_beginning_or_refused_and_more_does_not_change_that(
    data: bytes,
) -> None:
    verdict = outcome(data)
    if verdict is None:
        assert len(data) < MAX_BINARY_BYTES
    elif isinstance(verdict, ProxyHeader):
        assert 0 < verdict.size <= len(data)
        assert outcome(data[: verdict.size]) == verdict
    assert verdict is None or outcome(data + b"\x00GET") == verdict


@given(headers(), st.data())
def test_one_changed_octet_never_does_more_than_refuse_or_say_something_else(
    header: tuple[bytes, object, object], data: st.DataObject
) -> None:
    changed = bytearray(header[0])
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    verdict = outcome(bytes(changed))
    if isinstance(verdict, ProxyHeader) and isinstance(verdict.source, tuple):
        host = verdict.source[0]
        assert str((IPv6Address if ":" in host else IPv4Address)(host)) == host


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
        b"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
        b"PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        b"PROXY TCP6 fe80::1%lo ::1 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        b"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
        b"PROXY UNKNOWNX\r\n",
        b"PROXY UNKNOWN\n",
        b"PROXY \xc2\xb9\r\n",
        b"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_line_that_is_not_as_it_must_be_is_refused(line: bytes) -> None:
    assert outcome(line) is ProxyHeaderError


def test_line_of_107_bytes_is_taken_and_one_of_108_is_refused() -> None:
    longest = b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n"
    assert len(longest) == 107
    assert outcome(longest) == ProxyHeader(107)
    assert outcome(longest[:-2] + b"xx") is ProxyHeaderError
    assert outcome(longest[:-2] + b"x\r\n") is ProxyHeaderError


@pytest.mark.parametrize(
    "data",
    [
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN ffff:f...f:ffff ::1 1 2\r\n",
        binary(0x20, 0x00, b""),
        binary(0x20, 0x11, bytes(12)),
        binary(0x20, 0xFF, b"\x01\xff\xff whatever"),
        binary(0x21, 0x00, b"\x01\xff\xff whatever"),
    ],
)
def test_header_may_leave_the_client_open(data: bytes) -> None:
    assert outcome(data + b"GET") == ProxyHeader(len(data))


def test_client_may_be_on_a_unix_socket() -> None:
    data = binary(0x21, 0x31, b"/run/client".ljust(108, b"\0") + b"/run/proxy".ljust(108, b"\0"))
    assert outcome(data) == ProxyHeader(len(data), "/run/client", "/run/proxy")


@pytest.mark.parametrize(
    "data",
    [
        SIGNATURE + b"\x11",
        SIGNATURE + b"\x22",
        SIGNATURE + b"\x21\x12",
        SIGNATURE + b"\x21\x41",
        SIGNATURE + b"\x21\x11\x00\x0b",
        SIGNATURE + b"\x21\x21\x00\x23",
        SIGNATURE + b"\x21\x11\x10\x00",
        binary(0x21, 0x11, bytes(12) + b"\x01\x00\x02x"),
        binary(0x21, 0x11, bytes(12) + b"\x01\x00"),
        SIGNATURE[:-1] + b"\r",
    ],
)
def test_binary_header_that_cannot_be_is_refused_as_soon_as_that_is_seen(data: bytes) -> None:
    assert outcome(data) is ProxyHeaderError


def test_ipv4_address_within_ipv6_is_written_as_such() -> None:
    data = b"PROXY TCP6 ::ffff:192.0.2.1 ::1 80 81\r\n"
    header = parse_proxy_header(data)
    assert header is not None
    assert header.source == (str(IPv6Address("::ffff:192.0.2.1")), 80)
