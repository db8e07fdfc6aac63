"""Where callbacks run, and that it is found out by watching."""

import asyncio
import contextvars
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fetching import fetch, fetch_often, make_app, settle_inline
from groundwire import Groundwire, g, url_for
from groundwire import request as current_request
from groundwire.app.execution import (
    LONG_HOLD_SECONDS,
    SHORT_HOLDS,
    SLOW_RUNS,
    SWITCHED_RUNS,
    WATCHED_RUNS,
    Execution,
    drive,
    helper_loop,
    is_async,
    run_sync,
    wait_for,
)
from groundwire.app.nonblocking import Watch
from serving import SECONDS, running_server
from wire import Wire, request

LOOP_THREAD = "MainThread"


def where(app: Groundwire, endpoint: str = "view") -> tuple[str, str]:
    execution = app.plans.executions[endpoint]
    return execution.mode, execution.reason


def thread_name() -> str:
    return threading.current_thread().name


# --- watching


def test_view_that_only_computes_runs_on_the_loop_after_its_watched_runs() -> None:
    app = make_app()
    threads: list[str] = []

    @app.route("/")
    def view() -> str:
        threads.append(thread_name())
        return "hello".upper()

    settle_inline(app)

    assert ("inline", f"{WATCHED_RUNS} runs called nothing that can wait") == where(app)
    assert LOOP_THREAD not in threads[:WATCHED_RUNS]
    fetch(app)
    assert LOOP_THREAD == threads[-1]


def test_view_with_a_parameter_runs_on_the_loop_too() -> None:
    app = make_app()

    @app.route("/<int:n>")
    def view(n: int) -> dict[str, Any]:
        return {"n": n, "thread": thread_name()}

    settle_inline(app, "/5")

    assert b'{"n":5,"thread":"MainThread"}\n' == fetch(app, "/5").content


def _sleeps() -> None:
    time.sleep(0)


def _opens_a_file() -> None:
    with open("/dev/null", "rb") as file:
        file.read(1)


def _reads_a_database() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("select 1").fetchall()


LOCK = threading.Lock()


class Guarded:
    def __init__(self) -> None:
        self.lock = threading.RLock()

    def use(self) -> None:
        with self.lock:
            pass


def _takes_a_lock() -> None:
    LOCK.acquire()
    LOCK.release()


def _enters_a_lock() -> None:
    with LOCK:
        pass


def _enters_a_lock_of_its_own(guarded: Guarded = Guarded()) -> None:
    guarded.use()


def _enters_a_lock_from_a_list() -> None:
    locks = [LOCK]
    with locks[0]:
        pass


def _runs_a_loop() -> None:
    asyncio.run(asyncio.sleep(0))


def _prints() -> None:
    print(end="")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (_sleeps, "it called time.sleep"),
        (_opens_a_file, "it called io.open"),
        (_reads_a_database, "it called _sqlite3.connect"),
        (_takes_a_lock, "it called _thread.lock.acquire"),
        (_enters_a_lock, "it called _thread.lock.__exit__"),
        (_enters_a_lock_of_its_own, "it called _thread.RLock.__exit__"),
        (_prints, "it called print"),
    ],
)
def test_view_that_may_wait_stays_in_threads(function: Callable[[], None], reason: str) -> None:
    app = make_app()

    @app.route("/")
    def view() -> str:
        function()
        return thread_name()

    settle_inline(app)

    assert "thread" == where(app)[0]
    assert LOOP_THREAD.encode() != fetch(app).content
    assert reason in where(app)[1] or "with" in where(app)[1]


@pytest.mark.parametrize("function", [_runs_a_loop, _enters_a_lock_from_a_list])
def test_view_that_runs_a_loop_or_an_unseen_manager_stays_in_threads(
    function: Callable[[], None],
) -> None:
    app = make_app()

    @app.route("/")
    def view() -> str:
        function()
        return "done"

    answers = fetch_often(app, "/", 40)

    assert {(200, b"done")} == {(answer.status, answer.content) for answer in answers}
    assert "thread" == where(app)[0]


def test_hook_that_may_wait_keeps_its_endpoints_in_threads() -> None:
    app = make_app()
    app.before_request(_sleeps)
    app.route("/", endpoint="view")(lambda: "x")

    fetch_often(app, "/", 3)

    assert ("thread", "it called time.sleep") == where(app)


def test_first_runs_may_import() -> None:
    app = make_app()

    @app.route("/")
    def view() -> str:
        import colorsys

        return repr(colorsys.rgb_to_hsv(1, 0, 0))

    settle_inline(app)

    assert "inline" == where(app)[0]


@pytest.mark.parametrize(
    "read",
    [
        lambda: current_request.args.get("n", 0, type=int),
        lambda: current_request.args.getlist("n"),
        lambda: dict(current_request.cookies),
        lambda: current_request.form.to_dict(),
        lambda: current_request.headers.get("User-Agent"),
        lambda: current_request.accept_mimetypes.best,
        lambda: url_for("view"),
        lambda: url_for("view", _external=True, page=2),
    ],
    ids=["args", "list", "cookies", "form", "headers", "accept", "url_for", "external"],
)
def test_what_most_views_do_keeps_none_in_threads(read: Callable[[], object]) -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: str(read()))

    settle_inline(app, "/?n=5")

    assert ("inline", f"{WATCHED_RUNS} runs called nothing that can wait") == where(app)


def test_route_says_where_it_runs() -> None:
    app = make_app()
    app.add_url_rule("/inline", "inline", thread_name, run="inline")
    app.add_url_rule("/thread", "thread", thread_name, run="thread")

    inline = fetch_often(app, "/inline", 2)
    thread = fetch_often(app, "/thread", 40)

    assert {LOOP_THREAD.encode()} == {answer.content for answer in inline}
    assert LOOP_THREAD.encode() not in {answer.content for answer in thread}
    assert ("inline", 'the route says run="inline"') == where(app, "inline")
    assert ("thread", 'the route says run="thread"') == where(app, "thread")


def test_configuration_says_where_plain_views_run() -> None:
    always, never = make_app(), make_app()
    always.config["INLINE"] = "always"
    never.config["INLINE"] = "never"
    for app in (always, never):
        app.add_url_rule("/", "view", thread_name)

    assert LOOP_THREAD.encode() == fetch(always).content
    assert LOOP_THREAD.encode() not in {each.content for each in fetch_often(never, "/", 30)}
    assert ("thread", 'INLINE is "never"') == where(never)
    assert ("inline", 'INLINE is "always"') == where(always)


def test_run_must_be_inline_or_thread() -> None:
    with pytest.raises(ValueError, match="'run' must be 'inline' or 'thread', not 'fast'"):
        make_app().add_url_rule("/", "view", lambda: "x", run="fast")


# --- the record


def run(
    *, blocking: str | None = None, loading: bool = False, seconds: float = 0.0, switches: int = 0
) -> Watch:
    watch = Watch()
    watch.blocking, watch.loading, watch.seconds, watch.switches = (
        *(blocking, loading, seconds),
        switches,
    )
    return watch


def watched() -> Execution:
    return Execution((), "watch", "")


def test_twenty_clean_runs_in_a_row_are_needed() -> None:
    execution = watched()

    changes = [execution.count(run()) for _ in range(WATCHED_RUNS)]

    assert [False] * (WATCHED_RUNS - 1) + [True] == changes
    assert "inline" == execution.mode
    assert not execution.count(run(blocking="anything"))


def test_one_run_that_may_wait_is_enough_for_threads() -> None:
    execution = watched()

    assert execution.count(run(blocking="it called time.sleep"))
    assert ("thread", "it called time.sleep") == (execution.mode, execution.reason)


def test_run_that_loaded_code_does_not_count() -> None:
    execution = watched()
    for _ in range(WATCHED_RUNS - 1):
        execution.count(run())

    assert not execution.count(run(loading=True, seconds=1.0))
    assert execution.count(run())


def test_slow_run_begins_anew_and_ten_end_the_watching() -> None:
    execution = watched()
    for _ in range(SLOW_RUNS - 1):
        assert not execution.count(run())
        assert not execution.count(run(seconds=0.0021))
    assert "watch" == execution.mode
    assert 0 == execution.runs

    assert execution.count(run(seconds=0.0021))
    assert ("thread", "a run took 2.1 ms") == (execution.mode, execution.reason)


def test_runs_that_gave_the_processor_up_count_neither_way() -> None:
    execution = watched()
    for _ in range(WATCHED_RUNS - 1):
        assert not execution.count(run(switches=1))
        assert not execution.count(run())

    assert execution.count(run())
    assert "inline" == execution.mode


def test_an_endpoint_that_always_gives_the_processor_up_stays_in_threads() -> None:
    execution = watched()
    for _ in range(SWITCHED_RUNS - 1):
        assert not execution.count(run(switches=1))

    assert execution.count(run(switches=1))
    assert ("thread", "it waited for something") == (execution.mode, execution.reason)


def test_a_long_hold_of_the_loop_is_one_too_many() -> None:
    execution = Execution((), "inline", "")

    assert execution.held_the_loop_for(LONG_HOLD_SECONDS, 100.0)
    assert ("thread", "a run held the event loop for 10.0 ms") == (execution.mode, execution.reason)
    assert execution.held_loop


def test_short_holds_are_forgiven_as_long_as_they_are_rare() -> None:
    execution = Execution((), "inline", "")

    for second in range(100):
        assert not execution.held_the_loop_for(0.003, float(second))
    for _ in range(SHORT_HOLDS - 1):
        assert not execution.held_the_loop_for(0.003, 99.0)
    assert execution.held_the_loop_for(0.003, 99.0)
    assert "thread" == execution.mode


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.mark.parametrize("path", ["/plain", "/value/5", "/hooked"])
def test_endpoint_that_holds_the_loop_goes_to_threads_for_good(path: str) -> None:
    app = make_app()
    slow: list[int] = []

    def view(n: int = 0) -> str:
        if slow:
            burn(0.1)
        return thread_name()

    app.add_url_rule("/plain", "view", view, run="inline")
    app.add_url_rule("/value/<int:n>", "view", run="inline")
    app.add_url_rule("/hooked", "view", run="inline")
    if path == "/hooked":
        app.before_request(lambda: None)
    assert LOOP_THREAD.encode() == fetch(app, path).content

    slow.append(1)
    fetch(app, path)
    slow.clear()

    assert LOOP_THREAD.encode() != fetch(app, path).content
    assert "held the event loop" in where(app)[1]
    app.before_request_funcs.setdefault(None, []).append(
        lambda: None
    )  # another chain is not watched anew
    assert LOOP_THREAD.encode() not in {each.content for each in fetch_often(app, path, 30)}


def test_coroutines_stay_on_the_loop_whatever_it_was_held_by() -> None:
    app = make_app()

    @app.get("/")
    async def view() -> str:
        return thread_name()

    fetch(app)
    rule = next(app.url_map.iter_rules("view"))
    app.plans.overran(app.plans.of(app, rule), 1.0)  # its first steps, while code was loaded

    assert LOOP_THREAD.encode() == fetch(app).content
    assert ("inline", "async def") == where(app)


def test_other_hooks_are_watched_anew() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: "x")
    settle_inline(app)
    assert "inline" == where(app)[0]

    app.before_request_funcs.setdefault(None, []).append(_sleeps)
    fetch(app)

    assert ("thread", "it called time.sleep") == where(app)


# --- coroutines


def test_coroutine_view_runs_in_a_task_on_the_loop() -> None:
    app = make_app()

    @app.route("/")
    async def view() -> str:
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0, "slept"))
        return f"{thread_name()} {task.result()} {current_request.path}"

    assert b"MainThread slept /" == fetch(app).content
    assert ("inline", "async def") == where(app)


def test_callable_objects_and_partials_can_be_coroutine_functions() -> None:
    class View:
        async def __call__(self) -> str:
            return "called"

    async def view(text: str) -> str:
        return text

    assert is_async(View())
    assert is_async(partial(view, "x"))
    assert not is_async(len)
    app = make_app()
    app.add_url_rule("/object", "object", View())
    app.add_url_rule("/partial", "partial", partial(view, "partial"))
    assert b"called" == fetch(app, "/object").content
    assert b"partial" == fetch(app, "/partial").content


def test_plain_view_that_returns_an_awaitable_is_awaited() -> None:
    app = make_app()

    async def later() -> str:
        await asyncio.sleep(0)
        return thread_name()

    app.add_url_rule("/", "view", lambda: later())
    app.add_url_rule("/inline", "inline", lambda: later(), run="inline")

    assert b"MainThread" == fetch(app).content
    assert [b"MainThread"] * 2 == [each.content for each in fetch_often(app, "/inline", 2)]


def test_awaitable_that_raises_is_an_error_of_the_view() -> None:
    app = make_app()
    app.register_error_handler(ZeroDivisionError, lambda error: ("handled", 400))

    async def later() -> str:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    app.add_url_rule("/", "view", lambda: later(), run="inline")
    app.add_url_rule("/thread", "thread", lambda: later(), run="thread")

    assert [(400, b"handled")] * 4 == [
        (each.status, each.content)
        for each in fetch_often(app, "/", 2) + fetch_often(app, "/thread", 2)
    ]


def make_mixed_app(order: list[str]) -> Groundwire:
    app = make_app()

    @app.before_request
    def before() -> None:
        order.append(f"before {thread_name() == LOOP_THREAD}")

    @app.before_request
    async def before_async() -> None:
        await asyncio.sleep(0)
        order.append(f"async {thread_name() == LOOP_THREAD}")
        g.seen = "seen"

    @app.after_request
    async def after(response: Any) -> Any:
        await asyncio.sleep(0)
        response.headers["X-Seen"] = g.seen
        return response

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        order.append("teardown")

    @app.route("/")
    async def view() -> str:
        await asyncio.sleep(0)
        return g.seen

    return app


def test_plain_hooks_around_a_coroutine_run_in_a_thread_until_they_are_known() -> None:
    order: list[str] = []
    app = make_mixed_app(order)

    first = fetch(app)
    assert (b"seen", "seen") == (first.content, first.headers["X-Seen"])
    assert ["before False", "async True", "teardown"] == order

    settle_inline(app)
    order.clear()
    last = fetch(app)

    assert "inline" == where(app)[0]
    assert (b"seen", "seen") == (last.content, last.headers["X-Seen"])
    assert ["before True", "async True", "teardown"] == order


def test_context_variables_pass_into_coroutines_and_back() -> None:
    app = make_app()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    @app.before_request
    def before() -> None:
        variable.set("by hook")

    @app.before_request
    async def before_async() -> None:
        variable.set(variable.get() + ", by coroutine")

    @app.route("/")
    def view() -> str:
        return variable.get()

    assert [b"by hook, by coroutine"] * 3 == [each.content for each in fetch_often(app, "/", 3)]
    assert "unset" == variable.get()


def test_context_variables_do_not_leak_to_the_next_request() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("leak", default="clean")

    def view() -> str:
        seen = variable.get()
        variable.set("dirty")
        return seen

    async def async_view() -> str:
        return view()

    def generator() -> Iterator[str]:
        yield view()

    app = make_app()
    app.add_url_rule("/inline", "inline", view, run="inline")
    app.add_url_rule("/thread", "thread", view, run="thread")
    app.add_url_rule("/async", "async", async_view)
    app.add_url_rule("/iterator", "iterator", lambda: generator(), run="inline")

    for path in ("/inline", "/thread", "/async", "/iterator"):
        assert {b"clean"} == {each.content for each in fetch_often(app, path, 3)}
    assert "clean" == variable.get()


# --- from plain code into a coroutine


def test_ensure_sync_runs_a_coroutine_on_the_servers_loop() -> None:
    app = make_app()

    async def add(a: int, b: int) -> str:
        await asyncio.sleep(0)
        return f"{a + b} {thread_name()} {current_request.path}"

    @app.route("/")
    def view() -> Any:
        return app.ensure_sync(add)(1, b=2)

    assert b"3 MainThread /" == fetch(app).content
    assert app.ensure_sync(view) is view


def test_ensure_sync_on_the_loop_uses_another_loop_and_pins_the_endpoint() -> None:
    app = make_app()

    async def name() -> str:
        await asyncio.sleep(0)
        return thread_name()

    app.add_url_rule("/", "view", lambda: app.async_to_sync(name)(), run="inline")

    assert b"groundwire-await" == fetch(app).content
    assert (
        "thread" == where(app)[0]
    )  # for waiting, or on a busy machine for holding the loop meanwhile
    assert b"MainThread" == fetch(app).content


def test_waiting_outside_of_a_request_uses_the_helper_loop() -> None:
    async def fail() -> None:
        raise LookupError("inside")

    async def name() -> str:
        return thread_name()

    assert "groundwire-await" == wait_for(name())
    with pytest.raises(LookupError, match="inside"):
        wait_for(fail())
    assert helper_loop.get() is helper_loop.get()


def test_waiting_brings_changed_variables_back() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("back")

    async def change() -> None:
        variable.set(5)

    wait_for(change())

    assert 5 == variable.get()


def steps(log: list[Any]) -> Iterator[Awaitable[Any]]:
    try:
        log.append((yield asyncio.sleep(0, "first")))
        yield failing()
    except KeyError as error:
        log.append(error.args)
    return "end"


async def failing() -> None:
    raise KeyError("second")


def test_steps_run_alike_in_a_thread_and_on_a_loop() -> None:
    in_thread: list[Any] = []
    on_loop: list[Any] = []

    async def on_a_loop() -> Any:
        return await drive(steps(on_loop))  # type: ignore[arg-type, misc]

    assert "end" == run_sync(steps(in_thread))  # type: ignore[arg-type]
    assert "end" == asyncio.run(on_a_loop())
    assert ["first", ("second",)] == in_thread == on_loop


# --- nothing that waits holds the loop


@pytest.mark.slow
def test_database_read_beside_a_writer_does_not_hold_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "app.sqlite"
    with sqlite3.connect(path) as made:
        made.execute("create table t (n integer)")
        made.execute("insert into t values (1)")
    made.close()
    app = make_app()

    @app.route("/read")
    def read() -> str:
        connection = sqlite3.connect(path, timeout=SECONDS)
        try:
            return str(connection.execute("select n from t").fetchone()[0])
        finally:
            connection.close()

    app.add_url_rule("/quick", "quick", lambda: "quick", run="inline")
    fetch_often(app, "/read", 30)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("pragma locking_mode = exclusive")
        writer.execute("begin exclusive")
        with Wire(app) as wire:
            wire.send(request("/read"))
            with Wire(app) as other:
                other.send(request("/quick")).until_idle()
                assert b"quick" == other.answers()[0].content
            writer.execute("rollback")
            writer.close()
            wire.until_idle()

            # One that held the loop would have given up before the writer did.
            assert (200, b"1") == (wire.answers()[0].status, wire.answers()[0].content)


@pytest.mark.slow
def test_asyncio_run_in_a_view_works_a_hundred_times() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: asyncio.run(asyncio.sleep(0, "slept")))

    assert [(200, b"slept")] * 100 == [
        (each.status, each.content) for each in fetch_often(app, "/", 100)
    ]


def answered_while_waiting(app: Groundwire, target: str, go_on: threading.Event) -> bool:
    """Ask for ``/quick`` while a request for `target` waits for `go_on`, which it does not do for ever.

    Returns:
        Whether ``/quick`` was answered before.
    """
    with Wire(app) as held, Wire(app) as other:
        held.send(request(target)).settle()
        other.send(request("/quick")).until_idle()
        assert b"quick" == other.answers()[0].content
        before = not held.connection.is_idle
        go_on.set()
        held.until_idle()
        assert 200 == held.answers()[0].status
    return before


@pytest.mark.slow
def test_lock_held_by_another_thread_does_not_hold_the_loop() -> None:
    app = make_app()
    lock = threading.Lock()
    taken, go_on = threading.Event(), threading.Event()

    @app.route("/")
    def view() -> str:
        with lock:
            return "mine"

    app.add_url_rule("/quick", "quick", lambda: "quick", run="inline")
    fetch_often(app, "/", 30)

    def hold() -> None:
        with lock:
            taken.set()
            go_on.wait(SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()

    assert answered_while_waiting(app, "/", go_on)
    holder.join()


@pytest.mark.slow
def test_generator_that_waits_does_not_hold_the_loop() -> None:
    app = make_app()
    go_on = threading.Event()

    def pieces() -> Iterator[str]:
        yield "first"
        go_on.wait(SECONDS)
        yield "second"

    app.add_url_rule("/", "view", lambda: pieces(), run="inline")
    app.add_url_rule("/quick", "quick", lambda: "quick", run="inline")

    assert answered_while_waiting(app, "/", go_on)


def test_coroutine_that_a_thread_waits_for_is_cancelled_when_the_client_has_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("groundwire.app.execution.LOOK_SECONDS", 0.01)
    app = make_app()
    entered = threading.Event()
    ended: list[str] = []
    over = threading.Event()

    @app.teardown_request
    def tear_down(
        error: BaseException | None,
    ) -> None:  # a plain function: the chain runs in a thread
        ended.append(f"{type(error).__name__}, {current_request.disconnected}")
        over.set()

    @app.route("/")
    async def view() -> str:
        entered.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "never"

    with running_server(app) as served:
        with served.connect() as client:
            client.sendall(request("/"))
            assert entered.wait(SECONDS)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert over.wait(SECONDS)

    assert ["cancelled", "CancelledError, True"] == ended
