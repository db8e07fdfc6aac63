"""The Python path alone: one connection in memory, no socket, no second process.

Prints what the way of one request costs between `Connection.data_received` and `transport.write`, in microseconds of
this thread's own time: the least of many short runs, which hardly depends on what else the machine does; and how
many Python functions are called, in how many files. With ``--profile``, where the time goes.

    python -m benchmarks.path
    python -m benchmarks.path post --profile
"""

import argparse
import asyncio
import cProfile
import gc
import pstats
import sys
from collections.abc import Callable
from time import thread_time
from types import CodeType, FrameType

from groundwire.server.connection import Connection
from groundwire.server.memory import MemoryTransport
from groundwire.server.process import loop_factory
from groundwire.server.server import Server
from groundwire.server.settings import ServerSettings

from .applications.groundwire_app import app
from .cases import CASES, Case

RUNS = 40
REQUESTS = 1000
WARM_REQUESTS = 100
PROFILED_REQUESTS = 20_000


class Discard(MemoryTransport):
    """Takes output and forgets it, but for the last answer."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = data  # type: ignore[assignment]


def least_us(connection: Connection, transport: Discard, data: bytes) -> float:
    """The least time one request took, on average over a run."""
    receive = connection.data_received
    least = float("inf")
    for _ in range(RUNS):
        began = thread_time()
        for _ in range(REQUESTS):
            receive(data)
        least = min(least, (thread_time() - began) / REQUESTS)
        check_answered(connection, transport, data)
    return least * 1e6


def check_answered(connection: Connection, transport: Discard, data: bytes) -> None:
    """End the program unless `data` is answered at once, with 200."""
    transport.written = bytearray()
    connection.data_received(data)
    answer = bytes(transport.written[:200])
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"not answered at once: {data!r} got {answer!r}")


def calls_until_written(receive: Callable[[bytes], None], data: bytes) -> list[CodeType]:
    """The Python functions that are called from the first byte in to the first byte out, in order."""
    called: list[CodeType] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code)

    sys.setprofile(note)
    receive(data)
    sys.setprofile(None)
    return called[: called.index(Discard.write.__code__)]


def profile(receive: Callable[[bytes], None], data: bytes) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(PROFILED_REQUESTS):
        receive(data)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


async def measure(cases: list[Case], profiled: bool) -> None:
    # The path on the event loop is measured, not the judgement whether an endpoint may run there: that sends one whose
    # run was long to a thread, and on a busy machine any run can be.
    app.config["INLINE"] = "always"
    app.plans.overran = lambda *_: None
    server = Server(app, ServerSettings(access_log="off", keepalive_requests=10**9))
    server.attach(asyncio.get_running_loop())
    for case in cases:
        connection, transport = Connection(server), Discard(("127.0.0.1", 50000), ("127.0.0.1", 80))
        connection.connection_made(transport)
        for _ in range(WARM_REQUESTS):
            check_answered(connection, transport, case.request)
        gc.freeze()
        called = calls_until_written(connection.data_received, case.request)
        files = {code.co_filename for code in called}
        microseconds = least_us(connection, transport, case.request)
        print(
            f"  {case.title:40} {microseconds:6.2f} µs, {len(called):3} calls in {len(files):2} files"
        )
        if profiled:
            profile(connection.data_received, case.request)


def main() -> int:
    # A pipeline of 16 yields to the loop, which does not run here: that case needs a socket.
    single = {case.name: case for case in CASES if case.depth == 1}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.path", description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[[], *single], help="default: all")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
        runner.run(measure([single[name] for name in given.cases or single], given.profile))
    return 0


if __name__ == "__main__":
    sys.exit(main())
