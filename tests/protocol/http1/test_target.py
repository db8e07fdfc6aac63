"""Targets and authorities, beyond the corpora."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.protocol.errors import ProtocolError
from groundwire.protocol.http1.target import authority_fault, is_ipv6_address, parse_target


def is_one_to_the_standard_library(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


@given(st.ip_addresses(v=6))
def test_every_address_is_one(address: ipaddress.IPv6Address) -> None:
    for text in (str(address), address.exploded, str(address).upper()):
        assert is_ipv6_address(text.encode())


@given(
    st.text("0123456789abcdefABCDEF:.g%", max_size=20)
    | st.from_regex(r"([0-9a-f]{0,4}:){2,8}[0-9a-f]{0,4}", fullmatch=True)
)
def test_what_is_an_address_is_as_the_standard_library_sees_it(text: str) -> None:
    assert is_one_to_the_standard_library(text) == is_ipv6_address(text.encode())


@given(st.from_regex(r"(::|([0-9a-f]{1,4}:){1,6}:?)[0-9]{1,3}(\.[0-9]{1,3}){2,4}", fullmatch=True))
def test_an_address_with_an_ipv4_end_is_as_the_standard_library_sees_it(text: str) -> None:
    assert is_one_to_the_standard_library(text) == is_ipv6_address(text.encode())


@given(st.binary(max_size=30))
def test_any_bytes_have_a_verdict_as_authority(data: bytes) -> None:
    fault = authority_fault(data)

    assert fault is None or fault.isprintable()


@given(
    st.sampled_from([b"GET", b"OPTIONS", b"CONNECT"]),
    st.from_regex(rb"[!-\"$-~]{1,30}", fullmatch=True),
)
def test_any_visible_target_is_taken_apart_or_refused(method: bytes, target: bytes) -> None:
    try:
        parts = parse_target(method, target, 0)
    except ProtocolError:
        return

    if parts.form == "origin":
        assert target in (parts.path, parts.path + b"?" + parts.query)
    assert (parts.authority is None) == (parts.form in ("origin", "asterisk"))
    assert parts.path or parts.form == "authority"


@pytest.mark.parametrize(
    ("target", "offset"), [(b"http://u@h/", 7), (b"HTTPS://:1/", 8), (b"x", 0)]
)
def test_fault_is_placed_where_it_begins(target: bytes, offset: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_target(b"GET", target, 100)

    assert 100 + offset == refused.value.offset
