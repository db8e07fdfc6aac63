"""The pool of threads, and the threads that leave it."""

import asyncio
import threading
from contextvars import Context

from groundwire.server.threads import Outcome, ThreadPool
from serving import SECONDS


def test_a_call_that_parts_gives_its_place_to_another() -> None:
    async def run() -> None:
        pool = ThreadPool(asyncio.get_running_loop(), threads=1, waiting=1)
        release = threading.Event()
        names: list[str] = []
        outcomes: list[Outcome] = []

        def long() -> str:
            release.wait(SECONDS)
            return threading.current_thread().name

        def short() -> None:
            names.append(threading.current_thread().name)

        call = pool.submit(Context(), long, (), outcomes.append)
        assert call is not None
        waiting = asyncio.ensure_future(pool.call(Context(), short))
        await asyncio.sleep(0.05)
        assert ([], None) == (names, pool.submit(Context(), short, (), outcomes.append))

        pool.part(call)
        await waiting
        assert ["groundwire-2"] == names
        assert (0, 0) == (pool.pending, pool.busy)

        release.set()
        while not outcomes:
            await asyncio.sleep(0.01)
        assert [Outcome("groundwire-1", None)] == outcomes
        assert 0 == pool.pending
        await pool.call(Context(), short)
        assert ["groundwire-2"] * 2 == names  # the one that parted has ended with its call
        pool.close()

    asyncio.run(run())
