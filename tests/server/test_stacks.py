"""Where threads and tasks are, in words."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from types import FrameType
from typing import Any

from groundwire import Groundwire
from groundwire.http.request import Request
from groundwire.server.stacks import (
    FRAMES,
    frames_of_task,
    frames_of_thread,
    named,
    request_of_task,
    stacks,
    text_of,
    text_of_all,
    thread_name,
)
from groundwire.server.threads import awaited_tasks
from wire import Wire, request


def names(frames: list[FrameType]) -> list[str]:
    return [frame.f_code.co_name for frame in frames]


def test_the_innermost_function_comes_last() -> None:
    def inner() -> list[str]:
        return names(frames_of_thread(sys._getframe()))[-2:]

    def outer() -> list[str]:
        return inner()

    assert ["outer", "inner"] == outer()


def test_of_a_very_long_stack_the_middle_is_left_out() -> None:
    def deeper(levels: int) -> str:
        if levels:
            return deeper(levels - 1)
        return text_of(frames_of_thread(sys._getframe(), outside))

    outside = sys._getframe().f_code
    lines = deeper(99).splitlines()
    assert f"  ({100 - FRAMES} more)" in lines
    assert "    return text_of(frames_of_thread(sys._getframe(), outside))" == lines[-1]


def test_a_stack_without_python_functions_is_told_so() -> None:
    assert "  (no Python function)" == text_of([])


def test_a_task_is_followed_through_everything_it_awaits() -> None:
    class Awaitable:
        def __await__(self) -> Iterator[Any]:
            return (yield from plain_generator())

    def plain_generator() -> Iterator[Any]:
        yield from asyncio.get_running_loop().create_future()

    async def pieces() -> AsyncIterator[int]:
        await Awaitable()
        yield 1

    async def child() -> None:
        async for _ in pieces():
            pass

    async def parent() -> None:
        await asyncio.create_task(child())

    async def run() -> list[str]:
        task = asyncio.create_task(parent())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            return names(frames_of_task(task))
        finally:
            task.cancel()

    assert ["parent", "child", "pieces", "__await__", "plain_generator"] == asyncio.run(run())


def test_a_task_that_has_ended_is_nowhere() -> None:
    async def nothing() -> None:
        pass

    async def run() -> list[FrameType]:
        task = asyncio.create_task(nothing())
        await task
        return frames_of_task(task)

    assert [] == asyncio.run(run())


def test_a_coroutine_that_a_thread_waits_for_belongs_to_the_thread_s_request() -> None:
    app = Groundwire(__name__)
    entered = threading.Event()
    go_on = asyncio.Event()

    @app.before_request
    def plain() -> None:
        pass

    @app.route("/mixed")
    async def mixed() -> str:
        entered.set()
        await go_on.wait()
        return "done"

    with Wire(app) as wire:
        wire.server.connections.add(wire.connection)
        wire.send(request("/mixed"))
        wire.until(lambda: entered.is_set() and bool(awaited_tasks))
        found = {request_of_task(wire.server, task) for task in asyncio.all_tasks(wire.loop)}
        assert {"/mixed"} == {asked.path for asked in found if asked is not None}
        line = '"GET /mixed HTTP/1.1" (endpoint mixed)'
        entries = [entry for entry in stacks(wire.server) if entry["request"] == line]
        assert {"thread", "task"} == {entry["kind"] for entry in entries}
        go_on.set()
        wire.until_idle()
        assert b"done" == wire.answers()[0].content


def test_a_request_without_a_head_is_named_by_its_path() -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/\x1b[31m",
        "QUERY_STRING": "",
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    assert '"GET /\\x1b[31m"' == named(Request(environ))


def test_a_thread_that_has_ended_is_named_by_its_number() -> None:
    assert "-1" == thread_name(-1)


def test_all_of_it_is_a_text_for_a_log() -> None:
    entries = [
        {"kind": "thread", "name": "a", "request": '"GET / HTTP/1.1"', "stack": "  x"},
        {"kind": "task", "name": "b", "request": None, "stack": "  y"},
    ]
    assert 'thread a, for "GET / HTTP/1.1":\n  x\ntask b:\n  y' == text_of_all(entries)
