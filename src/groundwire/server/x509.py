"""The names in a certificate (RFC 5280 §4.2.1.6), read from its DER (ITU-T X.690).

The standard library decodes only the certificates of peers it has verified, and this server's own is none.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

_OCTET_STRING: Final = 0x04
_EXTENSIONS: Final = 0xA3
_DNS_NAME: Final = 0x82
_IP_ADDRESS: Final = 0x87
_SUBJECT_ALT_NAME: Final = bytes.fromhex("0603551d11")


def names_in(certificate: bytes) -> tuple[str, ...]:
    """Return the hosts that a certificate is for, names in lower case and addresses; none if it cannot be read."""
    try:
        return tuple(_names(certificate))
    except (IndexError, ValueError):
        return ()


def _names(certificate: bytes) -> Iterator[str]:
    [(_, signed)] = _elements(certificate)
    _, to_be_signed = next(_elements(signed))
    for tag, content in _elements(to_be_signed):
        if tag != _EXTENSIONS:
            continue
        [(_, extensions)] = _elements(content)
        for _tag, extension in _elements(extensions):
            if extension.startswith(_SUBJECT_ALT_NAME):
                yield from _alternative_names(extension)


def _alternative_names(extension: bytes) -> Iterator[str]:
    for tag, value in _elements(extension):
        if tag != _OCTET_STRING:  # the object identifier, and whether the extension is critical
            continue
        [(_, names)] = _elements(value)
        for kind, name in _elements(names):
            if kind == _DNS_NAME:
                yield name.decode("ascii").lower()
            elif kind == _IP_ADDRESS:
                yield str(ip_address(name))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, content) of each element that stands in `data` one after the other (X.690 §8.1)."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(data[at : at + octets])
            at += octets
        if at + length > len(data):
            raise ValueError("an element is longer than what holds it")
        yield tag, data[at : at + length]
        at += length
