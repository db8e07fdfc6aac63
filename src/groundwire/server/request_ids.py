"""Answers that say what their request is called: `--request-id`.

Without it the server has another class of deliveries and calls the handler itself; it pays nothing.
"""

from collections.abc import Callable
from typing import Any

from ..http.request import Request
from ..http.request_ids import FIELD, is_fit
from ..http.response import Response
from .delivery import Delivery
from .server_state import Answer
from .settings import ServerSettings


class IdentifiedDelivery(Delivery):
    """Sends an answer with X-Request-ID, unless the program has set another."""

    __slots__ = ()

    def _respond(self, response: Response) -> bool:
        for name, value in identifying_fields(self.request):
            response.headers.setdefault(name, value)
        return super()._respond(response)


def identifying_fields(request: Request) -> tuple[tuple[str, str], ...]:
    """Return the field that tells what a request is called; none where a program has called it what no field can be."""
    identifier = request.id
    return ((FIELD, identifier),) if is_fit(identifier) else ()


def identifying(handle: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """Return what calls `handle` with requests that have their identifier, and leaves no answer to the short path."""

    def handle_identified(request: Request) -> Answer:
        _ = request.id  # before a program runs, in whichever thread, so that all see the same
        answer = handle(request)
        if isinstance(answer, Response):
            _ = answer.headers  # so that it goes out by a delivery, which adds the field
        return answer

    return handle_identified


def own_fields(settings: ServerSettings, *exchanges: Any) -> list[tuple[str, str]]:
    """Return the fields of an answer in plain text that is the server's own.

    Args:
        settings: the server's.
        exchanges: what has the `request` that is answered, or is None; the first counts.
    """
    fields = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if settings.request_id:
        for exchange in exchanges:
            if exchange is not None:
                return [*fields, *identifying_fields(exchange.request)]
    return fields
