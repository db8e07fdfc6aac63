"""What can be told of other people's applications, which tell nothing themselves: that they ran, what they raised."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import update_wrapper
from time import perf_counter
from typing import Any, Literal

from ..http.defined import described, place_of
from ..http.tracing import tracing


@contextmanager
def followed(application: Callable[..., Any]) -> Generator[None]:
    """Tell whoever takes notes that `application` runs in a `with` block (`groundwire.http.tracing`)."""
    trace = tracing.get()
    if trace is None:
        yield
        return
    name, file, line = place_of(application)
    outcome = "returned"
    began = perf_counter()
    try:
        yield
    except BaseException as error:
        outcome = f"raised {type(error).__name__}"
        trace.note("error", exception=error, handled=False)
        raise
    finally:
        trace.note(
            "called",
            role="application",
            name=name,
            file=file,
            line=line,
            began=began,
            ended=perf_counter(),
            outcome=outcome,
        )


def telling(application: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return an ASGI application that does what `application` does, and tells of it."""

    async def told(*args: Any) -> None:
        with followed(application):
            await application(*args)

    return update_wrapper(told, application, updated=())


def describe_routing(
    application: Callable[..., Any], runs: Literal["thread", "loop"], reason: str
) -> dict[str, Any]:
    """Return what an `app.describe_routing` does, of an application that answers everything in ways of its own."""
    why = "the application answers every request, in ways of its own"
    return {
        "candidates": [],
        "left_out": 0,
        "verdict": {"result": "matched", "status": 0, "why": why, "location": ""},
        "hint": None,
        "rule": "",
        "endpoint": "",
        "arguments": [],
        "methods_here": [],
        "handler": described(application, runs=runs, reason=reason),
    }
