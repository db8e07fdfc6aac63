"""What a connection knows of the server it belongs to."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol

from ..http.handler import Handler, InThread
from ..http.request import Request
from ..http.response import Response
from ..protocol.http1.reader import RequestLines
from ..protocol.http1.writer import ResponseWriter
from .content import ContentBudget
from .hangs import Hangs
from .settings import ServerSettings
from .threads import ThreadPool

Answer = Response | Awaitable[Response] | InThread


@dataclass(slots=True)
class Counters:
    """What a server has done since its start."""

    connections: int = 0
    requests: int = 0
    refused: int = 0
    """Messages that broke the protocol, or that the server had no room or time for."""

    resets: int = 0
    timeouts: int = 0
    """Requests that had no answer within their time."""

    upgrades: int = 0
    """Connections that a program has taken over."""

    log_lines_dropped: int = 0


class RequestLog(Protocol):
    """Where a line for each answered request goes."""

    def record(
        self,
        peer: tuple[str, int] | str,
        request: Request | None,
        status: int,
        octets: int,
        duration_seconds: float,
    ) -> None:
        """Note one answer; `request` is None where it was refused before it could be read."""
        ...


class ServerState(Protocol):
    """A server, as its connections see it. All on the loop's thread."""

    handler: Handler
    handle: Callable[[Request], Answer]
    """The handler's method: the one callable through which the server calls up."""

    settings: ServerSettings
    writer: ResponseWriter
    request_lines: RequestLines
    """The request lines that are known by their bytes, for all connections together."""

    pool: ThreadPool
    loop: asyncio.AbstractEventLoop
    context: Context
    """What every exchange's context is a copy of."""

    content_budget: ContentBudget
    hangs: Hangs
    access_log: RequestLog | None
    counters: Counters
    delivery_class: Callable[..., Any]
    """What makes the `Delivery` of an answer that is not out at once."""

    now: int
    """Seconds, counted by the sweep: coarse, monotonic."""

    stopping: bool
    """Whether every answer from now on is its connection's last."""

    upgraded: int
    """Connections that a program has taken over and not given back."""

    lingering: int
    """Connections that were answered for the last time and wait for the peer to read it, as of the last sweep."""

    def connection_made(self, connection: Any) -> None:
        """Note a connection."""
        ...

    def connection_lost(self, connection: Any) -> None:
        """Forget a connection."""
        ...
