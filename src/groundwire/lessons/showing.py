r"""Bytes as lines that can be read: ``\r\n`` shown where it is, and nothing else changed."""

import re
from collections.abc import Iterable
from typing import Final

from ..protocol.http1.octets import escaped
from .asking import Piece

SIGNS: Final = {"sent": ">", "received": "<"}
CLOSED: Final = "* the program closes the connection"


def visible_lines(data: bytes) -> list[str]:
    r"""Return bytes as lines of ASCII, each with its line end written out.

    A backslash is two; what is neither a letter, a digit nor a sign is ``\xhh``.
    """
    lines = re.findall(rb"[^\n]*\n|[^\n]+", data)
    return [escaped(line) for line in lines]


def transcript(pieces: Iterable[Piece], marked: Piece | None = None, mark: int = 0) -> list[str]:
    """Return a conversation as lines: ``>`` is what was sent, ``<`` what came back.

    Args:
        pieces: the conversation.
        marked: one of the pieces, in which a byte is marked by a ``^`` below it.
        mark: which byte; the length of the piece is behind its last one.
    """
    lines: list[str] = []
    for piece in pieces:
        if piece.way == "closed":
            lines.append(CLOSED)
        elif piece is marked:
            lines += _with_mark(piece, mark)
        else:
            lines += [f"{SIGNS[piece.way]} {line}" for line in visible_lines(piece.data)]
    return lines


def _with_mark(piece: Piece, mark: int) -> list[str]:
    sign = SIGNS[piece.way]
    above, line_feed, beside = piece.data[:mark].rpartition(b"\n")
    column = len("".join(visible_lines(beside)))
    row = len(visible_lines(above + line_feed))
    lines = [f"{sign} {line}" for line in visible_lines(piece.data)]
    lines.insert(row + 1, f"  {' ' * column}^")
    return lines
