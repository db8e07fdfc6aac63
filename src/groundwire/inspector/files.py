"""What the inspector gives away: something to be copied, or kept."""

from collections.abc import AsyncIterator
from typing import NamedTuple


class File(NamedTuple):
    """Something to be copied or kept."""

    content: bytes | str | AsyncIterator[bytes]
    type: str
    """Its media type."""

    name: str = ""
    """What to call it; empty: it is for a clipboard."""
