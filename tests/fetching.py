"""Requests to an app through the connection code, in memory, in one line."""

from typing import Any

from groundwire import Groundwire
from wire import Answer, Wire, request


def make_app(**options: Any) -> Groundwire:
    """Make an app without a static folder, whose errors are not shown by the logger."""
    app = Groundwire(options.pop("import_name", "sample"), static_folder=None, **options)
    app.logger.disabled = True
    return app


def fetch(app: Any, target: str = "/", method: str = "GET", **options: Any) -> Answer:
    """Send one request and return its answer; options as `wire.request`'s."""
    with Wire(app) as wire:
        return wire.send(request(target, method, **options)).until_idle().answers(method)[-1]


def fetch_often(app: Any, target: str, times: int) -> list[Answer]:
    """Send the same request again and again on one connection."""
    with Wire(app) as wire:
        for _ in range(times):
            wire.send(request(target)).until_idle()
        return wire.answers()


def settle_inline(app: Any, target: str = "/", times: int = 60) -> None:
    """Send a request as often as an endpoint is watched, and a few times more: a busy machine spoils some runs."""
    fetch_often(app, target, times)
