"""Requests to an app through the connection code, in memory, in one line."""

import time
from typing import Any

from groundwire import Groundwire
from groundwire.app.execution import Execution
from wire import Answer, Wire, request


def make_app(**options: Any) -> Groundwire:
    """Make an app without a static folder, whose errors are not shown by the logger."""
    app = Groundwire(options.pop("import_name", "sample"), static_folder=None, **options)
    app.logger.disabled = True
    return app


def fetch(app: Any, target: str = "/", method: str = "GET", **options: Any) -> Answer:
    """Send one request and return its answer; options as `wire.request`'s."""
    return fetch_often(app, target, 1, method, **options)[-1]


def fetch_often(
    app: Any, target: str, times: int, method: str = "GET", **options: Any
) -> list[Answer]:
    """Send the same request again and again on one connection.

    As on a server, what keeps the thread from running is not counted against an endpoint.
    """
    hold_ups = app.plans.hold_ups
    hold_ups.start(None)
    try:
        with Wire(app) as wire:
            for _ in range(times):
                hold_ups.note()
                wire.send(request(target, method, **options)).until_idle()
            return wire.answers(*[method] * times)
    finally:
        hold_ups.stop()


def settle_inline(app: Any, target: str = "/") -> None:
    """Send a request until its endpoint is watched no more, whatever runs a busy machine spoils."""
    executions = app.plans.executions
    until = time.monotonic() + 60
    while True:
        fetch_often(app, target, 25)
        spoiled = [name for name, each in executions.items() if was_spoiled(each)]
        watched = any(each.mode == "watch" for each in executions.values())
        if not (spoiled or watched) or time.monotonic() > until:
            break
        # Of those that are watched still, every good run counts.
        for name in spoiled:
            del executions[name]
        if spoiled:
            app.plans.forget()


def was_spoiled(execution: Execution) -> bool:
    """Tell whether what was found out about an endpoint says more of the machine than of its functions."""
    return execution.mode == "thread" and execution.reason.startswith(("a run ", "it waited for "))
