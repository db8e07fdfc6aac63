"""Awaiting from a plain function, for those of Flask's functions that are plain and do what may be asynchronous."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .execution import Steps, drive, run_sync, running_loop, wait_for

T = TypeVar("T")


def in_task() -> bool:
    """Tell whether a coroutine called this, so that to wait here would be to hold the event loop."""
    return running_loop() is not None and asyncio.current_task() is not None


def run_here(steps: Steps[T], advice: str) -> T:
    """Run `steps` to their end and return what comes of them.

    A thread waits. The event loop must not: there this succeeds when nothing that is awaited really has to be waited
    for.

    Args:
        steps: what to run.
        advice: what to do instead, for the message of the error.

    Raises:
        RuntimeError: a coroutine called it, and there is something to wait for.
    """
    if not in_task():
        return run_sync(steps)
    result: Any = drive(steps)
    value: T = _at_once(result, advice) if asyncio.iscoroutine(result) else result
    return value


def wait_here(coroutine: Coroutine[Any, Any, T], advice: str) -> T:
    """Run `coroutine` to its end and return what comes of it. Arguments and errors as `run_here`'s."""
    return _at_once(coroutine, advice) if in_task() else wait_for(coroutine)


async def awaited(steps: Steps[T]) -> T:
    """Run `steps` to their end in the current task and return what comes of them."""
    result: Any = drive(steps)
    value: T = await result if asyncio.iscoroutine(result) else result
    return value


def _at_once(coroutine: Coroutine[Any, Any, T], advice: str) -> T:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError(
        f"This has to wait for something, and was called on the event loop, which must not wait. {advice}"
    )
