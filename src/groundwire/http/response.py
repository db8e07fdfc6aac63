"""A response, as the application makes it and the server sends it (RFC 9110 §3.4)."""

from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, Self


class Response:
    """One response."""

    content: bytes | None = b""
    """The content when it is whole; None when it is streamed from `source`."""

    source: Iterable[bytes | str] | AsyncIterable[bytes | str] | None = None
    plain_type: str | None = "text/html; charset=utf-8"
    """The content type while it is the only field; None once `headers` exists."""

    status_code: int = 200
    reason: str | None = None
    trailers: Any = None
    takeover: Any = None
    on_close: list[Callable[[], Any]] | None = None

    def __init__(
        self, response: str | bytes = b"", status: int = 200, *, content_type: str | None = None
    ) -> None:
        self.content = response.encode() if isinstance(response, str) else response
        self.status_code = status
        if content_type is not None:
            self.plain_type = content_type

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Make the answer of a view that returned `text`."""
        response = cls.__new__(cls)
        response.content = text.encode()
        return response

    @property
    def content_length(self) -> int | None:
        """Octets of content, when known."""
        return None if self.content is None else len(self.content)

    def field_lines(self) -> list[tuple[str, str]]:
        """Return the field lines that the server sends, without those that frame the content."""
        return [] if self.plain_type is None else [("Content-Type", self.plain_type)]

    def call_on_close(self, function: Callable[[], Any]) -> Callable[[], Any]:
        """Have `function` called when the response is over."""
        if self.on_close is None:
            self.on_close = []
        self.on_close.append(function)
        return function

    def close(self) -> None:
        """Call what `call_on_close` was given."""
        for function in self.on_close or ():
            function()
