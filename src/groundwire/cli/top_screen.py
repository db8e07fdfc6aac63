"""How `groundwire top` looks: text for a view, with the colours of a terminal or without."""

from collections.abc import Sequence
from typing import Final

from .top_figures import Traffic, View, WorkerRow

GREEN: Final = "32"
YELLOW: Final = "33"
RED: Final = "31"
FAINT: Final = "2"
BOLD: Final = "1"

SLOW_LAG_SECONDS: Final = 0.1

_STATE_COLOURS: Final = {
    "serving": GREEN,
    "starting": YELLOW,
    "retiring": YELLOW,
    "stopping": YELLOW,
}

_WORKER_HEADING: Final = (
    *("#", "PID", "STATE", "UPTIME", "RSS", "CPU"),
    *("CONNS", "REQ/S", "P50", "P99", "THREADS", "WAIT", "LAG"),
)
_ENDPOINT_HEADING: Final = ("ENDPOINT", "REQ/S", "P50", "P99", "4XX/S", "5XX/S")

Cell = tuple[str, str]
"""A text, and its colour or nothing."""


def screen(
    view: View,
    width: int = 120,
    height: int = 1_000_000,
    *,
    colours: bool = False,
    note: str = "",
) -> list[str]:
    """Return the lines to show.

    Args:
        view: what is shown.
        width: columns; longer lines are cut.
        height: rows; what comes last has to be left out.
        colours: whether the terminal's are used.
        note: for the end of the first line, such as how to leave.
    """
    lines = [
        *_summary(view, note),
        [],
        *_table(_WORKER_HEADING, [_worker_cells(worker) for worker in view.workers], left={2}),
    ]
    if view.endpoints:
        rows = [_endpoint_cells(name, traffic) for name, traffic in view.endpoints.items()]
        lines += [[], *_table(_ENDPOINT_HEADING, rows, left={0})]
    return [_line(cells, width, colours=colours) for cells in lines[:height]]


def _summary(view: View, note: str) -> list[list[Cell]]:
    state = "stopping" if view.stopping else "reloading" if view.reloading else ""
    serving = sum(worker.state == "serving" for worker in view.workers)
    first: list[Cell] = [
        (f"groundwire {view.version}", BOLD),
        (f"  {view.name}  {view.url}  up {shown_span(view.uptime_seconds)}", ""),
        (f"  {state}" if state else "", YELLOW),
        (f"  {note}" if note else "", FAINT),
    ]
    traffic = view.traffic
    second: list[Cell] = [
        (
            f"{serving} of {view.workers_wanted} workers serve",
            "" if serving >= view.workers_wanted else RED,
        ),
        (f"   {shown_rate(traffic.requests_per_second)} requests/s", ""),
        (f"   p50 {shown_seconds(traffic.p50_seconds)}", ""),
        (f"   p99 {shown_seconds(traffic.p99_seconds)}", ""),
        (
            f"   {shown_rate(traffic.server_errors_per_second)} errors/s",
            RED if traffic.server_errors_per_second else "",
        ),
        (f"   in {shown_bytes(view.received_bytes_per_second)}/s", ""),
        (f"   out {shown_bytes(view.sent_bytes_per_second)}/s", ""),
        (f"   {view.restarts} restarts   {view.reloads} reloads", ""),
    ]
    return [first, second]


def _worker_cells(worker: WorkerRow) -> list[Cell]:
    traffic = worker.traffic
    lag = worker.lag_seconds
    threads = shown_count(worker.threads_busy)
    if worker.threads_max is not None:
        threads = f"{threads}/{worker.threads_max}"
    state = (
        ("silent", RED) if worker.silent else (worker.state, _STATE_COLOURS.get(worker.state, ""))
    )
    return [
        (str(worker.number), ""),
        (str(worker.pid), ""),
        state,
        (shown_span(worker.uptime_seconds), ""),
        (shown_bytes(worker.rss_bytes), ""),
        ("-" if worker.cpu_share is None else f"{worker.cpu_share:.0%}", ""),
        (shown_count(worker.connections), ""),
        (shown_rate(traffic.requests_per_second), ""),
        (shown_seconds(traffic.p50_seconds), ""),
        (shown_seconds(traffic.p99_seconds), ""),
        (threads, RED if worker.threads_busy and worker.threads_busy == worker.threads_max else ""),
        (shown_count(worker.calls_waiting), RED if worker.calls_waiting else ""),
        (shown_seconds(lag), RED if lag is not None and lag > SLOW_LAG_SECONDS else ""),
    ]


def _endpoint_cells(name: str, traffic: Traffic) -> list[Cell]:
    return [
        (name or "(no rule matched)", ""),
        (shown_rate(traffic.requests_per_second), ""),
        (shown_seconds(traffic.p50_seconds), ""),
        (shown_seconds(traffic.p99_seconds), ""),
        (shown_rate(traffic.client_errors_per_second), ""),
        (
            shown_rate(traffic.server_errors_per_second),
            RED if traffic.server_errors_per_second else "",
        ),
    ]


def _table(
    heading: Sequence[str], rows: Sequence[Sequence[Cell]], left: set[int]
) -> list[list[Cell]]:
    cells = [[(title, FAINT) for title in heading], *rows]
    widths = [max(len(row[column][0]) for row in cells) for column in range(len(heading))]

    def padded(column: int, text: str) -> str:
        space = widths[column]
        return ("" if column == 0 else "  ") + (
            text.ljust(space) if column in left else text.rjust(space)
        )

    return [
        [(padded(column, text), colour) for column, (text, colour) in enumerate(row)]
        for row in cells
    ]


def _line(cells: Sequence[Cell], width: int, *, colours: bool) -> str:
    room = width
    parts: list[str] = []
    for text, colour in cells:
        shown = printable(text)[:room]
        room -= len(shown)
        parts.append(f"\x1b[{colour}m{shown}\x1b[0m" if colours and colour and shown else shown)
    line = "".join(parts)
    return line if colours else line.rstrip()


def printable(text: str) -> str:
    """Return text without what could steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def shown_span(seconds: float) -> str:
    """Return a long time, such as ``2:13:04`` or ``3d 2:13:04``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = f"{hours}:{minutes:02}:{rest:02}"
    return f"{days}d {clock}" if days else clock


def shown_seconds(seconds: float | None) -> str:
    """Return a short time, such as ``0.4ms`` or ``12s``."""
    if seconds is None:
        return "-"
    if seconds < 1:
        milliseconds = seconds * 1000
        return f"{milliseconds:.1f}ms" if milliseconds < 10 else f"{milliseconds:.0f}ms"
    return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"


def shown_rate(rate: float | None) -> str:
    """Return how often something happens in a second."""
    if rate is None:
        return "-"
    return f"{rate:.1f}" if rate < 100 else f"{rate:.0f}"


def shown_count(number: int | None) -> str:
    """Return a number, or a dash."""
    return "-" if number is None else str(number)


def shown_bytes(octets: float | None) -> str:
    """Return a size, such as ``34M``."""
    if octets is None:
        return "-"
    units = iter(("", "K", "M", "G", "T", "P"))
    unit = next(units)
    while octets >= 1000 and unit != "P":
        octets /= 1024
        unit = next(units)
    return f"{octets:.0f}{unit}" if octets >= 10 or not unit else f"{octets:.1f}{unit}"
