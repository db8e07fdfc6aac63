"""Answers that are the server's own: to what is no request, and in the place of a handler that cannot give one."""

from typing import Protocol

from ..http.request import Request
from .delivery import Answering
from .request_ids import own_fields


class Asked(Protocol):
    """An answer that is being made, or content that is being received: what knows the request."""

    request: Request


def send_refusal(
    connection: Answering,
    exchange: Asked | None,
    status: int,
    text: str,
    fields: tuple[tuple[str, str], ...] = (),
    elapsed_seconds: float = 0.0,
) -> None:
    """Send an answer in plain text that is the connection's last, count it, and log it.

    Args:
        connection: where to.
        exchange: what has the request that is answered; None for a message that was refused before it was one.
        status: the status code.
        text: a line or more that say why.
        fields: more fields.
        elapsed_seconds: since the request came.
    """
    server = connection.server
    request = None if exchange is None else exchange.request
    content = f"{text}\n".encode()
    head = server.writer.head(
        status,
        (*own_fields(server.settings, exchange), *fields),
        content_length=len(content),
        connection="close",
    )
    if request is not None and request.method == "HEAD":
        content = b""  # RFC 9110 §9.3.2
    connection.send(head + content)
    server.counters.refused += 1
    if server.access_log is not None:
        server.access_log.record(connection.peer, request, status, len(content), elapsed_seconds)
