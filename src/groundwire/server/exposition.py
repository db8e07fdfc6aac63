"""Figures in the text format of Prometheus, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

from .ledger import Sums
from .metrics import DURATION_BOUNDS, LAG_BOUNDS, STATES

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Labels, float]
"""What stands behind the family's name, the labels, and the value."""

_COUNTERS: Final = (
    ("connections", "connections_accepted_total", "Connections that were accepted."),
    (
        "refused",
        "refused_total",
        "Messages that broke the protocol, or that the server had no room or time for.",
    ),
    ("resets", "resets_total", "Connections that the server has reset."),
    ("timeouts", "timeouts_total", "Requests that had no answer within their time."),
    (
        "upgrades",
        "upgrades_total",
        "Connections that programs have taken over for another protocol.",
    ),
    ("log_lines_dropped", "log_lines_dropped_total", "Lines that the access log has no room for."),
)

_PROCESS: Final = (
    ("rss_bytes", "gauge", "worker_resident_memory_bytes", "Memory that a worker holds."),
    ("cpu_seconds", "counter", "worker_cpu_seconds_total", "Processor time of a worker."),
    ("open_fds", "gauge", "worker_open_fds", "Files and sockets that a worker has open."),
    ("max_fds", "gauge", "worker_max_fds", "Files and sockets that it may have open."),
)


def exposition(sums: Sums, supervisor: dict[str, Any] | None) -> str:
    """Return figures as text.

    Args:
        sums: of all workers.
        supervisor: its state; None if it does not answer.
    """
    return "".join((*_of_supervisor(sums, supervisor), *_of_requests(sums), *_of_workers(sums)))


def _of_supervisor(sums: Sums, state: dict[str, Any] | None) -> Iterator[str]:
    if state is not None:
        labels = (("version", str(state.get("version", ""))),)
        yield family("info", "gauge", "What serves.", [("", labels, 1)])
        states = [str(worker["state"]) for worker in state["workers"]]
        kinds = ("starting", "serving", "retiring", "stopping")
        yield family(
            *("workers", "gauge", "Worker processes by state."),
            [("", (("state", kind),), states.count(kind)) for kind in kinds],
        )
        yield family(
            *("workers_wanted", "gauge", "Workers that are to serve."),
            [("", (), state["wanted"])],
        )
        yield family(
            *("worker_restarts_total", "counter", "Workers that died and were replaced."),
            [("", (), state["restarts"])],
        )
        yield family(
            *("reloads_total", "counter", "Reloads of the application."),
            [("", (), state["generation"])],
        )
    yield family(
        "workers_missing",
        "gauge",
        "Workers that did not answer in time; what they said last is counted.",
        [("", (), sums.missing)],
    )


def _of_requests(sums: Sums) -> Iterator[str]:
    endpoints: dict[str, Any] = sums.totals.get("endpoints", {})
    named = [((("endpoint", name),), figures) for name, figures in sorted(endpoints.items())]
    yield family(
        "requests_total",
        "counter",
        "Answered requests by endpoint and class of status code; endpoint is empty where no rule matched.",
        [
            ("", (*labels, ("status", status)), count)
            for labels, figures in named
            for status, count in zip(CLASSES, figures["classes"], strict=True)
            if count
        ],
    )
    yield family(
        "request_duration_seconds",
        "histogram",
        "From the last byte of a request's head to the last of its answer.",
        [
            sample
            for labels, figures in named
            for sample in histogram(figures["durations"], DURATION_BOUNDS, labels)
        ],
    )
    yield family(
        "content_bytes_total",
        "counter",
        "Content of answers by endpoint.",
        [("", labels, figures["octets"]) for labels, figures in named],
    )
    runs = sums.totals.get("runs", {})
    yield family(
        "handler_runs_total",
        "counter",
        "Where answers were made: at once on the event loop, in a thread, or by a coroutine.",
        [("", (("where", where),), count) for where, count in runs.items()],
    )


def _of_workers(sums: Sums) -> Iterator[str]:
    totals, gauges = sums.totals, sums.gauges
    octets = totals.get("octets", {"in": 0, "out": 0})
    for name, text, way in (
        ("received_bytes_total", "Octets that came from clients, without those of TLS.", "in"),
        ("sent_bytes_total", "Octets that were sent to clients, with those of TLS.", "out"),
    ):
        yield family(name, "counter", text, [("", (), octets[way])])
    counters = totals.get("counters", {})
    for key, name, text in _COUNTERS:
        yield family(name, "counter", text, [("", (), counters.get(key, 0))])
    states = gauges.get("connections", {})
    yield family(
        "connections",
        "gauge",
        "Open connections by what they are doing.",
        [
            ("", (("state", state),), states.get(state, 0))
            for state in dict.fromkeys((*STATES, *states))
        ],
    )
    for name, text in (
        ("threads_busy", "Threads that run a call."),
        ("threads_max", "Threads that may run calls at once."),
        ("calls_waiting", "Calls that wait for a thread."),
    ):
        yield family(name, "gauge", text, [("", (), gauges.get(name, 0))])
    lag = totals.get("lag")
    yield family(
        "loop_lag_seconds",
        "histogram",
        "How late the event loop was, looked at five times a second.",
        [] if lag is None else list(histogram(lag, LAG_BOUNDS)),
    )
    yield from _of_collections(totals.get("collections", []))
    for key, type, name, text in _PROCESS:
        yield family(
            *(name, type, text),
            [
                ("", (("worker", str(number)),), figures[key])
                for number, figures in sorted(sums.processes.items())
            ],
        )


def _of_collections(generations: Sequence[Sequence[int]]) -> Iterator[str]:
    for index, (name, text) in enumerate(
        (
            ("gc_collections_total", "Garbage collections by generation."),
            ("gc_objects_collected_total", "Objects that they have collected."),
            ("gc_objects_uncollectable_total", "Objects that they could not."),
        )
    ):
        yield family(
            *(name, "counter", text),
            [
                ("", (("generation", str(number)),), figures[index])
                for number, figures in enumerate(generations)
            ],
        )


def histogram(
    figures: dict[str, Any], bounds: Sequence[float], labels: Labels = ()
) -> Iterator[Sample]:
    """Yield the samples of a histogram whose buckets are not added up yet."""
    buckets: list[int] = figures["buckets"]
    counts = list(accumulate(buckets))
    for bound, count in zip((*map(number, bounds), "+Inf"), counts, strict=True):
        yield "_bucket", (*labels, ("le", bound)), count
    yield "_sum", labels, figures["seconds"]
    yield "_count", labels, counts[-1]


def family(name: str, type: str, text: str, samples: Iterable[Sample]) -> str:
    """Return the lines of one family; none if it has no sample."""
    name = f"groundwire_{name}"
    lines = [
        f"{name}{suffix}{_labels(labels)} {number(value)}\n" for suffix, labels, value in samples
    ]
    if not lines:
        return ""
    shown = text.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {shown}\n# TYPE {name} {type}\n{''.join(lines)}"


def number(value: float) -> str:
    """Return a number as the format has it."""
    return str(value) if isinstance(value, int) else repr(float(value))


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{escaped_label(value)}"' for name, value in labels) + "}"


def escaped_label(value: str) -> str:
    """Return the value of a label as it stands between quotation marks."""
    value = value.encode("utf-8", "replace").decode()  # nor has it half characters
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
