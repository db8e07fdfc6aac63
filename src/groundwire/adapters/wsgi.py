"""A WSGI application (PEP 3333) as a handler."""

from collections.abc import Callable, Iterable
from typing import Any

from ..http.handler import DEFAULT_CONTENT_LIMIT_BYTES, ContentPolicy, InThread
from ..http.request import Request
from ..http.response import Response
from ..http.wsgi_answers import response_of
from .following import describe_routing, followed

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
        self._answer: Callable[[WSGIApplication, dict[str, Any]], Response] = response_of

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

    def begin_tracing(self) -> None:
        """Tell of each call of the application when somebody takes notes (`groundwire.http.tracing`)."""
        self._answer = followed_answer

    def describe_routing(self, request_or_head: Any) -> dict[str, Any]:
        """Return what is known of how the application answers: which function it is, and where it runs."""
        return describe_routing(self._application, "thread", "WSGI applications may wait")

    def _call(self, request: Request) -> Response:
        return self._answer(self._application, request.environ)


def followed_answer(application: WSGIApplication, environ: dict[str, Any]) -> Response:
    """Return the answer of `application`, and tell of the call."""
    with followed(application):
        return response_of(application, environ)
