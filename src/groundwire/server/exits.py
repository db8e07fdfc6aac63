"""A program that ends its own process: where it did so is told before it is too late."""

import contextlib
import faulthandler
import os
from collections.abc import Generator
from typing import NoReturn


@contextlib.contextmanager
def told_exits(descriptor: int) -> Generator[None]:
    """Have `os._exit` write the stack of who calls it to `descriptor`, in this process, not in those forked from it.

    (`sys.exit` raises an exception, which is caught and logged as any other; a signal has its number.)
    """
    process = os.getpid()
    leave = os._exit

    def leave_with_stack(status: int) -> NoReturn:
        if os.getpid() == process:
            faulthandler.dump_traceback(descriptor, all_threads=False)
        leave(status)

    os._exit = leave_with_stack
    try:
        yield
    finally:
        os._exit = leave
