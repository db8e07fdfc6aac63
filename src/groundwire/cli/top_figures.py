"""What `groundwire top` shows, worked out from what a server said at two moments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from ..server.ledger import added
from ..server.metrics import DURATION_BOUNDS

Figures = dict[str, Any]

SILENT_SECONDS: Final = 3.0
"""A worker says once a second that its event loop turns."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a server said at one moment."""

    at: float
    """On a monotonic clock, in seconds."""

    state: Figures
    """The supervisor's."""

    figures: dict[int, Figures]
    """By process id: what the worker's `Metrics.snapshot` was."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was answered between two moments. None stands for what cannot be told."""

    requests_per_second: float | None = None
    p50_seconds: float | None = None
    p99_seconds: float | None = None
    client_errors_per_second: float | None = None
    server_errors_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker."""

    number: int
    pid: int
    state: str
    uptime_seconds: float
    silent: bool
    """Whether its event loop has not turned for a while."""

    traffic: Traffic
    rss_bytes: int | None = None
    cpu_share: float | None = None
    """Of one processor."""

    connections: int | None = None
    threads_busy: int | None = None
    threads_max: int | None = None
    calls_waiting: int | None = None
    lag_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown."""

    version: str
    name: str
    url: str
    pid: int
    uptime_seconds: float
    stopping: bool
    reloading: bool
    workers_wanted: int
    restarts: int
    reloads: int
    traffic: Traffic
    received_bytes_per_second: float | None
    sent_bytes_per_second: float | None
    workers: list[WorkerRow] = field(default_factory=list[WorkerRow])
    endpoints: dict[str, Traffic] = field(default_factory=dict[str, Traffic])
    """Those with traffic, most first."""


def view_of(before: Sample | None, now: Sample) -> View:
    """Return what is to be shown.

    Args:
        before: what the server said earlier; without it there are no rates.
        now: what it said last.
    """
    changes: dict[int, Figures] = {}
    seconds = 0.0
    if before is not None:
        seconds = max(1e-6, now.at - before.at)
        for pid, figures in now.figures.items():
            earlier = before.figures.get(pid)
            if earlier is not None and earlier["born"] == figures["born"]:
                changes[pid] = subtracted(figures["totals"], earlier["totals"])
    total: Figures = {}
    for change in changes.values():
        total = added(total, change)
    endpoints = {
        name: _traffic([figures], seconds) for name, figures in total.get("endpoints", {}).items()
    }
    state = now.state
    octets = total.get("octets")
    return View(
        version=str(state["version"]),
        name=str(state["name"]),
        url=str(state["url"]),
        pid=int(state["pid"]),
        uptime_seconds=float(state["age_seconds"]),
        stopping=bool(state["stopping"]),
        reloading=bool(state["reloading"]),
        workers_wanted=int(state["wanted"]),
        restarts=int(state["restarts"]),
        reloads=int(state["generation"]),
        traffic=_traffic(total["endpoints"].values(), seconds) if total else Traffic(),
        received_bytes_per_second=octets["in"] / seconds if octets else None,
        sent_bytes_per_second=octets["out"] / seconds if octets else None,
        workers=[
            _worker(worker, before, now, changes.get(worker["pid"]), seconds)
            for worker in state["workers"]
        ],
        endpoints=dict(
            sorted(
                ((name, traffic) for name, traffic in endpoints.items() if _is_busy(traffic)),
                key=lambda item: -(item[1].requests_per_second or 0),
            )
        ),
    )


def _worker(
    worker: Figures, before: Sample | None, now: Sample, change: Figures | None, seconds: float
) -> WorkerRow:
    pid = worker["pid"]
    silent_seconds = worker.get("silent_seconds")
    known: Figures = {
        "number": worker["number"],
        "pid": pid,
        "state": str(worker["state"]),
        "uptime_seconds": float(worker["age_seconds"]),
        "silent": silent_seconds is not None and silent_seconds > SILENT_SECONDS,
    }
    figures = now.figures.get(pid)
    if figures is None:
        return WorkerRow(
            **known,
            traffic=Traffic(),
            rss_bytes=worker.get("rss_bytes"),
            connections=worker.get("connections"),
            threads_busy=worker.get("threads_busy"),
        )
    process, gauges = figures["process"], figures["gauges"]
    cpu_share = None
    if change is not None and before is not None:
        cpu = process["cpu_seconds"] - before.figures[pid]["process"]["cpu_seconds"]
        cpu_share = max(0.0, cpu / seconds)
    return WorkerRow(
        **known,
        traffic=Traffic() if change is None else _traffic(change["endpoints"].values(), seconds),
        rss_bytes=process["rss_bytes"],
        cpu_share=cpu_share,
        connections=sum(gauges["connections"].values()),
        threads_busy=gauges["threads_busy"],
        threads_max=gauges["threads_max"],
        calls_waiting=gauges["calls_waiting"],
        lag_seconds=process["lag_seconds"],
    )


def _traffic(endpoints: Any, seconds: float) -> Traffic:
    total: Figures = {}
    for figures in endpoints:
        total = added(total, figures)
    if not total:
        return Traffic(0.0, None, None, 0.0, 0.0)
    classes, buckets = total["classes"], total["durations"]["buckets"]
    return Traffic(
        requests_per_second=sum(classes) / seconds,
        p50_seconds=quantile(0.5, buckets, DURATION_BOUNDS),
        p99_seconds=quantile(0.99, buckets, DURATION_BOUNDS),
        client_errors_per_second=classes[3] / seconds,
        server_errors_per_second=classes[4] / seconds,
    )


def _is_busy(traffic: Traffic) -> bool:
    return bool(traffic.requests_per_second)


def quantile(share: float, buckets: Sequence[int], bounds: Sequence[float]) -> float | None:
    """Return the value that `share` of those in a histogram do not exceed, as well as its buckets tell.

    Within a bucket they are taken to lie evenly; those beyond the last bound, to lie on it.
    """
    total = sum(buckets)
    if not total:
        return None
    rank = share * total
    for index, count in enumerate(accumulate(buckets)):
        if count >= rank and buckets[index]:
            if index == len(bounds):
                break
            lower = bounds[index - 1] if index else 0.0
            within = (rank - (count - buckets[index])) / buckets[index]
            return lower + (bounds[index] - lower) * within
    return bounds[-1]


def subtracted(now: Any, before: Any) -> Any:
    """Return how much figures have grown: numbers, or lists or objects of figures."""
    if _is(dict, now):
        return {
            name: subtracted(value, before[name]) if name in before else value
            for name, value in now.items()
        }
    if _is(list, now):
        return [subtracted(later, earlier) for later, earlier in zip(now, before, strict=True)]
    return now - before


def _is(kind: type, value: object) -> bool:
    return isinstance(value, kind)
