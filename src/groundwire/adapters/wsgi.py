"""A WSGI application (PEP 3333) as a handler."""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from ..http.environ import environ_from_request
from ..http.handler import DEFAULT_CONTENT_LIMIT_BYTES, ContentPolicy, InThread
from ..http.request import Request
from ..http.response import Response

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]
WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WSGIHandler:
    """Serves `application`, each request in a pool thread, its content as the application reads it.

    Args:
        application: a WSGI callable.
        max_content_length: limit of a request's content in octets; None for no limit.
    """

    request_class: type[Request] = Request

    def __init__(
        self,
        application: WSGIApplication,
        max_content_length: int | None = DEFAULT_CONTENT_LIMIT_BYTES,
    ) -> None:
        self._application = application
        self._policy = ContentPolicy(max_content_length, whole=False)

    def handle(self, request: Request) -> InThread:
        """Have the application called in a thread."""
        return InThread(self._call, request)

    def content_policy(self, request: Request) -> ContentPolicy:
        """Hand content over as it is read."""
        return self._policy

    def startup(self) -> None:
        """WSGI has no such thing."""

    def shutdown(self) -> None:
        """WSGI has no such thing."""

    def _call(self, request: Request) -> Response:
        start = StartResponse()
        result = self._application(environ_from_request(request), start)
        return start.response(result)


class StartResponse:
    """The `start_response` callable of one request."""

    def __init__(self) -> None:
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._written: list[bytes] = []

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExceptionInfo | None = None
    ) -> Callable[[bytes], None]:
        """Take the status and headers; a second call replaces them and needs `exc_info` (PEP 3333)."""
        if self._status and exc_info is None:
            raise AssertionError("start_response was called twice without exc_info")
        self._status = status
        self._headers = headers
        return self._written.append

    def response(self, result: Iterable[bytes]) -> Response:
        """Make the response of what the application returned.

        The status may come as late as with the first piece (an application may be a generator).

        Raises:
            AssertionError: the application never called `start_response`.
        """
        pieces = iter(result)
        first: list[bytes] = []
        while not self._status:
            try:
                first.append(next(pieces))
            except StopIteration:
                break
        if not self._status:
            raise AssertionError("the WSGI application did not call start_response")
        if isinstance(result, list | tuple):
            content: Any = b"".join([*self._written, *result])
        else:
            content = _Pieces([*self._written, *first], pieces, getattr(result, "close", None))
        return Response(content, status=self._status, headers=self._headers)


class _Pieces:
    """What a WSGI application returned, with the pieces that are known already before it."""

    def __init__(
        self, first: list[bytes], rest: Iterator[bytes], close: Callable[[], None] | None
    ) -> None:
        self._first = iter(first)
        self._rest = rest
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        for piece in self._first:
            return piece
        return next(self._rest)

    def close(self) -> None:
        """Close the application's iterable, once (PEP 3333)."""
        close, self._close = self._close, None
        if close is not None:
            close()
