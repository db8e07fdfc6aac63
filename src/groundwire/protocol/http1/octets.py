"""How bytes are named in a message to a person."""

_NAMES = {
    0x00: "a NUL byte",
    0x09: "a tab",
    0x0A: "a line feed without a carriage return",
    0x0D: "a carriage return",
    0x20: "a space",
    0x22: "a double quote",
    0x23: "a number sign",
    0x3A: "a colon",
    0x7F: "a DEL byte",
}


def describe_octet(octet: int) -> str:
    """Name `octet` so that it can be told from every other one, whether or not it can be printed."""
    if octet in _NAMES:
        return _NAMES[octet]
    if 0x21 <= octet <= 0x7E:
        return f"the character {chr(octet)!r}"
    return f"the byte 0x{octet:02x}"


def escaped(octets: bytes) -> str:
    r"""Write octets as ASCII that can be read: a backslash as two, what is no letter, digit or sign as ``\xhh``."""
    return octets.decode("latin-1").encode("unicode_escape").decode("ascii")
