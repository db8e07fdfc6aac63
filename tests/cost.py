"""What something costs, as far as a busy machine lets one tell."""

import gc
import time
from collections.abc import Callable
from typing import Any


def processor_seconds(call: Callable[[], Any], runs: int = 3) -> float:
    """Return the processor time of the best of some runs, without what collecting other tests' garbage takes."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return min(_seconds(call) for _ in range(runs))
    finally:
        if collecting:
            gc.enable()


def _seconds(call: Callable[[], Any]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
