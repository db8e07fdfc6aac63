"""The header of the PROXY protocol: who a proxy's client is, said once, before the client's own first byte.

Versions 1 (a line of text) and 2 (binary), after HAProxy's "The PROXY protocol". A proxy that only hands bytes on
speaks it, because it cannot write fields into what may be encrypted.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
"""What a header of version 2 begins with: no request of any protocol does."""

MAX_LINE_BYTES: Final = 107
"""The longest line of version 1 that can be, its line end included (§2.1)."""

MAX_BINARY_BYTES: Final = 4096
"""The longest header of version 2 that is taken. Addresses need 232 octets at most, the rest are extensions."""

_WORD: Final = b"PROXY "
_FIXED_BYTES: Final = 16
_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_NO_ADDRESSES: Final = 0x00
_TCP4: Final = 0x11
_TCP6: Final = 0x21
_UNIX: Final = 0x31
_ADDRESS_BYTES: Final = {_TCP4: 12, _TCP6: 36, _UNIX: 216}
_LINE: Final = re.compile(
    r"PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n"
)

Address = tuple[str, int] | str
"""Host and port, or the path (which may be empty) of a Unix socket."""


class ProxyHeaderError(ValueError):
    """What a connection begins with is no header of the PROXY protocol, nor can it become one."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What a header says.

    Attributes:
        size: octets of the header; what follows is the client's.
        source: the client's address; None where the header leaves it open, as for the proxy's own health checks: then
            the connection's own addresses count.
        destination: the address the client connected to; None like `source`.
    """

    size: int
    source: Address | None = None
    destination: Address | None = None


def parse_proxy_header(data: bytes) -> ProxyHeader | None:
    """Read the header that `data` begins with; None when it is not whole yet.

    Raises:
        ProxyHeaderError: it does not begin with one.
    """
    if data.startswith(SIGNATURE):
        return _parse_binary(data)
    if data.startswith(_WORD):
        return _parse_line(data)
    if SIGNATURE.startswith(data) or _WORD.startswith(data):
        return None
    raise ProxyHeaderError("the connection does not begin with a header of the PROXY protocol")


def _parse_line(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\n", 0, MAX_LINE_BYTES) + 1
    if not end:
        if len(data) >= MAX_LINE_BYTES:
            raise ProxyHeaderError(f"the line is longer than {MAX_LINE_BYTES} bytes")
        return None
    line = data[:end].decode("latin-1")
    if not line.endswith("\r\n"):
        raise ProxyHeaderError("the line does not end in CRLF")
    if line == "PROXY UNKNOWN\r\n" or line.startswith("PROXY UNKNOWN "):
        return ProxyHeader(end)  # §2.1: whatever follows the word is to be ignored
    match = _LINE.fullmatch(line)
    if match is None:
        raise ProxyHeaderError("the line is not: PROXY TCP4|TCP6 address address port port")
    kind = IPv4Address if match[1] == "4" else IPv6Address
    ports = int(match[4]), int(match[5])
    if max(ports) > 65535:
        raise ProxyHeaderError("a port is above 65535")
    try:
        source, destination = str(kind(match[2])), str(kind(match[3]))
    except ValueError as error:
        raise ProxyHeaderError(f"an address is not one of TCP{match[1]}") from error
    return ProxyHeader(end, (source, ports[0]), (destination, ports[1]))


def _parse_binary(data: bytes) -> ProxyHeader | None:
    # As much is judged as is here, so that what cannot become a header is not waited for.
    if len(data) > 12 and data[12] not in (_LOCAL, _PROXY):
        raise ProxyHeaderError("neither LOCAL nor PROXY of version 2")
    if len(data) > 13 and data[12] == _PROXY and data[13] not in (_NO_ADDRESSES, *_ADDRESS_BYTES):
        raise ProxyHeaderError("the addresses are not of TCP over IPv4 or IPv6, nor of a stream")
    if len(data) < _FIXED_BYTES:
        return None
    size = _FIXED_BYTES + int.from_bytes(data[14:16])
    if size > MAX_BINARY_BYTES:
        raise ProxyHeaderError(f"the header is longer than {MAX_BINARY_BYTES} bytes")
    has_addresses = data[12] == _PROXY and data[13] != _NO_ADDRESSES
    if has_addresses and size < _FIXED_BYTES + _ADDRESS_BYTES[data[13]]:
        raise ProxyHeaderError("the header is too short for its addresses")
    if len(data) < size:
        return None
    if not has_addresses:
        return ProxyHeader(size)
    addresses = data[_FIXED_BYTES : _FIXED_BYTES + _ADDRESS_BYTES[data[13]]]
    _check_extensions(data[_FIXED_BYTES + len(addresses) : size])
    if data[13] == _UNIX:
        return ProxyHeader(size, _path(addresses[:108]), _path(addresses[108:]))
    half = (len(addresses) - 4) // 2
    kind = IPv4Address if half == 4 else IPv6Address
    ports = int.from_bytes(addresses[-4:-2]), int.from_bytes(addresses[-2:])
    source, destination = str(kind(addresses[:half])), str(kind(addresses[half : 2 * half]))
    return ProxyHeader(size, (source, ports[0]), (destination, ports[1]))


def _check_extensions(data: bytes) -> None:
    """Pass over the extensions (§2.2.2: a type, a length of two octets, a value): none is of use here."""
    index = 0
    while index < len(data):
        index += 3 + int.from_bytes(data[index + 1 : index + 3])
    if index != len(data):
        raise ProxyHeaderError("the last extension is longer than the header")


def _path(octets: bytes) -> str:
    return octets.rstrip(b"\x00").decode("utf-8", "backslashreplace")
