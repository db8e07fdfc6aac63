"""A request, as the handler sees it (RFC 9110 §3.4), made from a message or from a WSGI environ."""

from typing import Any, Self
from urllib.parse import unquote

from ..protocol.head import RequestHead
from .exchange import Content, Exchange


class Request:
    """One request. Nothing is decoded before somebody asks for it."""

    head: RequestHead | None = None
    """What was parsed from the wire; None for a request made from an environ."""

    exchange: Exchange | None = None
    """What stands behind a request from the wire; None for a request made from an environ."""

    method: str
    path: str
    content: bytes | Content = b""
    """The content: bytes when it came whole in memory, otherwise what it can be read from."""

    @classmethod
    def from_wire(cls, head: RequestHead, exchange: Exchange) -> Self:
        """Make the request that `head` begins; everything not said by its first line is made when asked for."""
        request = cls.__new__(cls)
        request.head = head
        request.exchange = exchange
        request.method = head.method
        path = head.path
        if "%" in path or "//" in path:
            path = unquote(path, errors="replace")
            if path.startswith("//"):
                path = "/" + path.lstrip("/")
        request.path = path
        return request

    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> Any:
        """Return the content whole."""
        content = self.content if isinstance(self.content, bytes) else self.content.read()
        return content.decode(errors="replace") if as_text else content
