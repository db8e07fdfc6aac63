"""Which C functions cannot wait, and what the profiler does not see."""

import _thread
import asyncio
import collections
import contextlib
import datetime
import decimal
import gc
import hashlib
import io
import itertools
import math
import os
import random
import re
import select
import socket
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest

from groundwire.app.nonblocking import Watch, describe, hidden_managers, may_not_wait

DATABASE = sqlite3.connect(":memory:")
DATABASE.close()


class OwnDict(dict[str, int]):
    """A class of the program that inherits C methods."""


class OwnError(Exception):
    """An exception of the program."""


@pytest.mark.parametrize(
    "function",
    [
        *(len, isinstance, getattr, sorted, min, "a".join, b"a".find, [].append, {}.get, {1}.add),
        *(
            (1).to_bytes,
            (1.5).hex,
            iter([]).__length_hint__,
            OwnDict().get,
            OwnError().with_traceback,
        ),
        *(re.compile("x").match, re.compile("x").scanner, re.compile("x").match("x").group),
        *(datetime.datetime.now, datetime.datetime.isoformat, datetime.timedelta().total_seconds),
        *(
            decimal.Decimal(1).sqrt,
            math.sqrt,
            itertools.count().__next__,
            collections.deque().append,
        ),
        *(collections.OrderedDict().move_to_end, collections.defaultdict(int).get, random.random),
        *(
            time.time,
            time.monotonic,
            time.perf_counter,
            time.strftime,
            os.urandom,
            os.getpid,
            os.fspath,
        ),
        *(hashlib.sha256().update, hashlib.sha256, io.StringIO().write, io.BytesIO().read, id),
        *(msgspec.json.encode, msgspec.json.Encoder().encode),
        *(
            sys.exc_info,
            _thread.get_ident,
            (x for x in ()).send,
            type.mro,
            str.maketrans,
        ),
        *(uuid.UUID(int=1).__hash__, asyncio.get_running_loop, object().__dir__, int.from_bytes),
        threading.local().__reduce__,
    ],
    ids=describe,
)
def test_function_that_computes_and_returns_is_known(function: Any) -> None:
    assert may_not_wait(function)


@pytest.mark.parametrize(
    "function",
    [
        *(
            open,
            input,
            print,
            eval,
            exec,
            compile,
            breakpoint,
            __import__,
            time.sleep,
            select.select,
        ),
        *(
            os.stat,
            os.listdir,
            os.read,
            os.write,
            os.open,
            os.system,
            os.waitpid,
            socket.getaddrinfo,
        ),
        *(sqlite3.connect, DATABASE.execute, _thread.allocate_lock().acquire),
        *(threading.RLock().acquire, _thread.start_new_thread, sys.stdout.flush),
    ],
    ids=describe,
)
def test_function_that_may_wait_is_not_on_the_list(function: Any) -> None:
    assert not may_not_wait(function)
    assert not may_not_wait(function)  # as remembered


def test_names_are_those_a_reader_knows() -> None:
    assert ["open", "time.sleep", "str.join", "dict.get"] == [
        describe(function).removeprefix("io.") for function in (open, time.sleep, "".join, {}.get)
    ]
    assert "collections.deque.append" == describe(collections.deque().append)
    assert "type.mro" == f"type.{type.mro.__name__}"


def test_method_of_a_class_is_judged_by_the_class_that_defines_it() -> None:
    class Lockish(OwnDict):
        acquire = _thread.allocate_lock().acquire

    assert may_not_wait(Lockish().keys)
    assert may_not_wait(Lockish.fromkeys)
    assert may_not_wait(Lockish.mro)


def test_method_that_a_class_overrides_in_python_is_judged_by_the_one_it_calls() -> None:
    class Overriding(OwnDict):
        def get(self, key: str, default: Any = None) -> Any:
            return super().get(key, default)

    assert may_not_wait(super(Overriding, Overriding()).get)


# --- with


class Manager:
    def __enter__(self) -> "Manager":
        return self

    def __exit__(self, *error: object) -> None:
        """Leave."""


class AsyncManager:
    async def __aenter__(self) -> None:
        """Enter."""

    async def __aexit__(self, *error: object) -> None:
        """Leave."""


LOCK = threading.Lock()
HOLDER = type("Holder", (), {})()
HOLDER.lock = LOCK
HOLDER.manager = Manager()
HOLDER.deeper = HOLDER
MANAGERS = {"lock": LOCK}


def called() -> None:
    with Manager():
        pass


def several_called() -> None:
    with Manager(), contextlib.suppress(KeyError), io.BytesIO():
        pass


def global_lock() -> None:
    with LOCK:
        pass


def local_manager() -> None:
    manager = Manager()
    with manager:
        pass


def local_lock() -> None:
    lock = threading.Lock()
    with lock:
        pass


def attribute() -> None:
    with HOLDER.deeper.lock:
        pass


def attribute_that_is_python() -> None:
    with HOLDER.manager:
        pass


def item() -> None:
    with MANAGERS["lock"]:
        pass


def closure() -> Callable[[], None]:
    lock = LOCK

    def inner() -> None:
        with lock:
            pass

    return inner


def coroutine() -> None:
    async def inner() -> None:
        manager = AsyncManager()
        async with manager:
            pass

    with contextlib.suppress(StopIteration):
        inner().send(None)


def unbound() -> None:
    if not MANAGERS:
        missing = LOCK
        with missing:
            pass


@pytest.mark.parametrize(
    ("function", "managers"),
    [
        *(
            (called, ()),
            (several_called, ()),
            (global_lock, (("LOCK",),)),
            (local_lock, (("lock",),)),
        ),
        *((attribute, (("HOLDER", "deeper", "lock"),)), (item, (None,)), (closure(), (("lock",),))),
    ],
)
def test_managers_that_no_call_makes_are_found(function: Any, managers: Any) -> None:
    assert managers == hidden_managers(function.__code__)


def watch(function: Callable[[], Any]) -> Watch:
    with Watch() as seen:
        function()
    return seen


def replayed(function: Callable[[], Any]) -> Watch:
    """As `watch`, by calling what the profiler would call, so that a test's own tools see it too."""
    seen = Watch()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        events.append((frame, event, argument))
        if event == "return":  # what a frame's names stand for is gone later
            seen._note(frame, event, argument)

    events: list[Any] = []
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    for frame, event, argument in events:
        if event != "return":
            seen._note(frame, event, argument)
    return seen


@pytest.mark.parametrize("way", [watch, replayed])
@pytest.mark.parametrize(
    "function", [called, several_called, local_manager, attribute_that_is_python, coroutine]
)
def test_manager_with_python_methods_is_seen_through(
    function: Callable[[], Any], way: Callable[[Any], Watch]
) -> None:
    assert way(function).blocking is None


@pytest.mark.parametrize("way", [watch, replayed])
@pytest.mark.parametrize("function", [global_lock, local_lock, attribute, item, closure(), unbound])
def test_manager_that_may_wait_is_noticed(
    function: Callable[[], Any], way: Callable[[Any], Watch]
) -> None:
    assert way(function).blocking is not None


def test_reason_names_the_manager() -> None:
    seen = Watch()

    def note(frame: FrameType) -> str | None:
        seen._note(frame, "return", None)
        return seen.blocking

    def with_lock() -> str | None:
        with LOCK:
            return note(sys._getframe())

    def with_item() -> str | None:
        with MANAGERS["lock"]:
            return note(sys._getframe())

    def with_python() -> str | None:
        manager = Manager()
        with manager, HOLDER.deeper.manager:
            return note(sys._getframe())

    assert with_python() is None
    assert "it used `with LOCK`" == with_lock()
    seen.blocking = None
    assert "with_item is on something that could not be seen" in (with_item() or "")


@pytest.mark.parametrize("way", [watch, replayed])
def test_first_function_that_may_wait_is_kept(way: Callable[[Any], Watch]) -> None:
    def run() -> None:
        time.sleep(0)
        os.listdir("/")

    assert "it called time.sleep" == way(run).blocking


@pytest.mark.parametrize("way", [watch, replayed])
def test_what_an_import_calls_is_not_counted(
    way: Callable[[Any], Watch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"imported_{way.__name__}"
    (tmp_path / f"{name}.py").write_text("import time\ntime.sleep(0)\n")
    monkeypatch.syspath_prepend(tmp_path)

    seen = way(lambda: __import__(name) if way is None else exec_import(name))

    assert seen.loading


def exec_import(name: str) -> None:
    namespace: dict[str, Any] = {}
    IMPORTS[name](namespace)


IMPORTS = {
    "imported_watch": eval("lambda names: names.update(m=__import__('imported_watch'))"),
    "imported_replayed": eval("lambda names: names.update(m=__import__('imported_replayed'))"),
}


def test_time_and_switches_are_measured_and_pauses_are_not() -> None:
    gc.disable()  # what other tests have left takes longer than that
    try:
        with Watch() as seen:
            seen.pause()
            time.sleep(0.002)
            end = time.thread_time() + 0.005
            while time.thread_time() < end:
                pass
            seen.go_on()
    finally:
        gc.enable()

    assert seen.complete
    assert seen.blocking is None
    assert seen.seconds < 0.004


def test_nothing_is_noted_beside_another_profiler() -> None:
    def other(frame: FrameType, event: str, argument: Any) -> None:
        """Do nothing."""

    sys.setprofile(other)
    try:
        with Watch() as seen:
            time.sleep(0)
        kept = sys.getprofile()
    finally:
        sys.setprofile(None)

    assert kept is other
    assert (False, None) == (seen.complete, seen.blocking)
