"""Masking recorded messages."""

import pytest

from groundwire.inspector.masking import Masker

SECRET = b"S3CR3T"


def asked(data: bytes) -> bytes:
    """Return a request as it is recorded."""
    masked, spans = Masker().mask_request(data)
    assert len(masked) == len(data)
    assert outside(data, spans) == outside(masked, spans)
    return masked


def outside(data: bytes, spans: tuple[tuple[int, int], ...]) -> list[bytes]:
    """Return what lies between spans."""
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(data)]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def request(*lines: str, content: str = "", target: str = "/") -> bytes:
    """Return the octets of a request."""
    method = "POST" if content else "GET"
    length = [f"Content-Length: {len(content.encode())}"] if content else []
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", *lines, *length]
    return "\r\n".join([*head, "", content]).encode()


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("Authorization: Bearer S3CR3T", "Authorization: Bearer ******"),
        ("Authorization: S3CR3T", "Authorization: ******"),
        ("Proxy-Authorization: Basic dTpTM0NSM1Q=", "Proxy-Authorization: Basic ************"),
        ("cookie: a=S3CR3T; b=xyz", "cookie: a=******; b=***"),
        ("X-Api-Key:S3CR3T", "X-Api-Key:******"),
        ("X-Auth-Token: a S3CR3T", "X-Auth-Token: * ******"),
        ("Referer: http://u:S3CR3T@h/", "Referer: http://********@h/"),
        ("Referer: /?a=1&token=S3CR3T&b=2", "Referer: /?a=1&token=******&b=2"),
    ],
)
def test_field_values_are_masked(line: str, masked: str) -> None:
    assert asked(request(line)) == request(masked)
