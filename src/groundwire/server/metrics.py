"""Figures that one worker keeps of what it does, for `/-/metrics` and ``groundwire top``.

All of them are written and read on the event loop's thread only, so that counting takes no lock. A server that keeps
none has another log and another reader of requests; it pays nothing.
"""

import asyncio
import os
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, Protocol

from ..http.handler import InThread
from ..http.request import Request
from ..http.response import Response
from ..protocol.http1.reader import RequestLines, RequestReader
from ..protocol.limits import MessageLimits
from .connection import Connection
from .endpoints import endpoint_of
from .process_figures import collections, process_figures
from .server_state import Answer, Counters, RequestLog
from .settings import ServerSettings
from .state import State
from .threads import ThreadPool

DURATION_BOUNDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Seconds that requests are sorted by. Prometheus' own, with finer ones for what is answered at once."""

LAG_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds that the event loop was late."""

LAG_SAMPLE_SECONDS: Final = 0.2
LAG_SAMPLES: Final = 5
"""Of which the worst is shown as the loop's lag: one second."""

ENDPOINTS_MAX: Final = 1000
"""Endpoints that are told apart; the rest is counted together. Prometheus keeps a series for each, for years."""

OTHER_ENDPOINTS: Final = "(others)"

SWITCHED: Final = 101

Snapshot = dict[str, Any]
"""The figures of one worker at one moment, as JSON can hold them: ``totals``, which only grow, ``gauges``, ``process``,
and ``born``, which no other process's has."""


class Histogram:
    """How many values were up to each bound, and their sum."""

    __slots__ = ("_bounds", "buckets", "seconds")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        """How many were in each, not added up; the last has no bound."""

        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count a value."""
        self.buckets[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds

    def snapshot(self) -> Snapshot:
        """Return it as JSON can hold it."""
        return {"buckets": self.buckets.copy(), "seconds": self.seconds}


class EndpointFigures:
    """What became of the requests for one endpoint."""

    __slots__ = ("classes", "durations", "octets")

    def __init__(self) -> None:
        self.classes = [0, 0, 0, 0, 0]
        """By the first digit of the status code, 1 to 5."""

        self.durations = Histogram(DURATION_BOUNDS)
        self.octets = 0

    def snapshot(self) -> Snapshot:
        """Return it as JSON can hold it."""
        return {
            "classes": self.classes.copy(),
            "octets": self.octets,
            "durations": self.durations.snapshot(),
        }


class Measured(Protocol):
    """The server, as its figures see it."""

    settings: ServerSettings
    loop: asyncio.AbstractEventLoop
    pool: ThreadPool
    request_lines: RequestLines
    counters: Counters
    connections: set[Connection]
    upgraded: int
    handle: Callable[[Request], Answer]


class Metrics:
    """The figures of one server; also the log that is told of each answered request, in front of the real one.

    Args:
        server: what is measured, attached to its loop.
        log: the access log, if there is one.
    """

    def __init__(self, server: Measured, log: RequestLog | None) -> None:
        self.octets_in = 0
        self.octets_out = 0
        """Of connections that have ended; the others know their own."""

        self.endpoints: dict[str, EndpointFigures] = {}
        self.lag = Histogram(LAG_BOUNDS)
        self._server = server
        self._log = log
        self._born = os.urandom(8).hex()
        self._inline = self._in_thread = self._in_task = 0
        self._recent_lag = [0.0] * LAG_SAMPLES
        self._sample_due = 0.0
        self._sampler: asyncio.TimerHandle | None = None
        self._handle = server.handle

    # What the server calls.

    def start(self) -> None:
        """Begin to look how late the event loop is."""
        # Not the loop's own clock, which stands still within a turn.
        self._sample_due = time.monotonic() + LAG_SAMPLE_SECONDS
        self._sampler = self._server.loop.call_later(LAG_SAMPLE_SECONDS, self._sample)

    def stop(self) -> None:
        """Look no more."""
        if self._sampler is not None:
            self._sampler.cancel()

    def handle(self, request: Request) -> Answer:
        """Have the request handled, and note where."""
        answer = self._handle(request)
        if isinstance(answer, Response):
            self._inline += 1
        elif isinstance(answer, InThread):
            self._in_thread += 1
        else:
            self._in_task += 1
        return answer

    def record(
        self,
        peer: tuple[str, int] | str,
        request: Request | None,
        status: int,
        octets: int,
        duration_seconds: float,
    ) -> None:
        """Note one answer. PERF: 0.7 µs."""
        endpoint = "" if request is None else endpoint_of(request)
        figures = self.endpoints.get(endpoint)
        if figures is None:
            figures = self._figures_of(endpoint)
        figures.classes[status // 100 - 1] += 1
        figures.octets += octets
        if request is not None and status != SWITCHED:  # which would be the life of a WebSocket
            figures.durations.observe(duration_seconds)
        if self._log is not None:
            self._log.record(peer, request, status, octets, duration_seconds)

    def connection_made(self, connection: Connection) -> None:
        """Have what is received on a connection counted."""
        server = self._server
        connection.reader = CountingReader(
            server.settings.message_limits, server.request_lines, self
        )

    def connection_lost(self, connection: Connection) -> None:
        """Keep what a connection knows."""
        self.octets_out += connection.octets_sent

    # What is asked for.

    def snapshot(self) -> Snapshot:
        """Return all figures."""
        server = self._server
        states = Counter(map(shown_state, server.connections))
        sent = self.octets_out + sum(connection.octets_sent for connection in server.connections)
        pool = server.pool
        return {
            "born": self._born,
            "totals": {
                "endpoints": {name: figures.snapshot() for name, figures in self.endpoints.items()},
                "counters": asdict(server.counters),
                "runs": {
                    "inline": self._inline,
                    "thread": self._in_thread,
                    "async": self._in_task,
                },
                "octets": {"in": self.octets_in, "out": sent},
                "lag": self.lag.snapshot(),
                "collections": collections(),
            },
            "gauges": {
                "connections": dict(states),
                "upgraded": server.upgraded,
                "threads_busy": pool.busy,
                "threads_max": pool.threads_max,
                "calls_waiting": max(0, pool.pending - pool.busy),
            },
            "process": {**process_figures(), "lag_seconds": max(self._recent_lag)},
        }

    def _figures_of(self, endpoint: str) -> EndpointFigures:
        if len(self.endpoints) >= ENDPOINTS_MAX:
            endpoint = OTHER_ENDPOINTS
        return self.endpoints.setdefault(endpoint, EndpointFigures())

    def _sample(self) -> None:
        late = max(0.0, time.monotonic() - self._sample_due)
        self.lag.observe(late)
        self._recent_lag = [*self._recent_lag[1:], late]
        self.start()


def shown_state(connection: Connection) -> str:
    """Return in one word what a connection is doing."""
    if connection.is_idle:
        return "new" if connection.is_new else "idle"
    return _STATES.get(connection.state, "other")


_STATES: Final = {
    State.HANDSHAKING: "handshaking",
    State.READY: "reading",
    State.YIELDED: "answering",
    State.COLLECTING: "reading",
    State.ANSWERING: "answering",
    State.DRAINING: "draining",
    State.LINGERING: "lingering",
    State.TAKEN: "upgraded",
}

STATES: Final = (
    *("handshaking", "new", "idle", "reading", "answering"),
    *("draining", "lingering", "upgraded"),
)
"""What `shown_state` returns, but for rare others."""


class CountingReader(RequestReader):
    """Counts what is received."""

    def __init__(self, limits: MessageLimits, lines: RequestLines, metrics: Metrics) -> None:
        super().__init__(limits, lines)
        self._metrics = metrics

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._metrics.octets_in += len(data)
        super().receive(data)
