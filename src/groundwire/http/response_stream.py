"""A response's content as a file that is written to."""

from collections.abc import Iterable
from typing import Any


class ResponseStream:
    """A binary file whose octets come after those the response has already.

    Args:
        response: the response; the first write makes its content a list.

    (Werkzeug: ``ResponseStream``.)
    """

    mode = "wb+"
    encoding = "utf-8"

    def __init__(self, response: Any) -> None:
        self.response = response
        self.closed = False

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def write(self, value: bytes | str) -> int:
        """Add `value` to the content and return its length."""
        self._require_open()
        self.response.ensure_sequence(mutable=True)
        self.response.response.append(value)
        self.response.headers.remove("Content-Length")
        return len(value)

    def writelines(self, seq: Iterable[bytes | str]) -> None:
        """Add each of `seq`."""
        for value in seq:
            self.write(value)

    def close(self) -> None:
        """Refuse to write from now on."""
        self.closed = True

    def flush(self) -> None:
        """Do nothing: content is sent when the response is."""
        self._require_open()

    def isatty(self) -> bool:
        """Answer False."""
        self._require_open()
        return False

    def tell(self) -> int:
        """Return how many octets the content has."""
        self.response.ensure_sequence()
        return sum(len(piece) for piece in self.response.iter_encoded())
