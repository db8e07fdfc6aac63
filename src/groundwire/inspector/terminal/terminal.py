"""What is written to a terminal: in colours where it has them, and never a command to it."""

import os
from typing import IO, Any, Final

from ..shapes import is_utf8

RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"
BLUE: Final = "34"
CYAN: Final = "36"
FAINT: Final = "2"
BOLD: Final = "1"


class Paint:
    """Colours text, or leaves it as it is."""

    def __init__(self, *, colours: bool) -> None:
        self.colours = colours

    def __call__(self, text: str, *codes: str) -> str:
        """Return text in the colours that have these codes (ECMA-48 §8.3.117)."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colours and text else text

    def faint(self, text: str) -> str:
        """Return text that is less important."""
        return self(text, FAINT)


def has_colours(stream: IO[Any]) -> bool:
    """Tell whether colours may be written to a stream: to a terminal, unless NO_COLOR says no.

    (https://no-color.org: present and not empty.)
    """
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def printable(text: str) -> str:
    r"""Return text without anything that steers a terminal: such characters as ``\xhh``, ``\uhhhh``.

    PERF: 0.1 µs for text that holds none.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def printable_octets(octets: bytes) -> str:
    r"""Return octets as text, UTF-8 where they are that, anything else and what steers a terminal as ``\xhh``."""
    return (
        printable(octets.decode("utf-8", "surrogateescape"))
        if is_utf8(octets)
        else _escaped(octets)
    )


def _escaped(octets: bytes) -> str:
    return "".join(chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}" for octet in octets)
