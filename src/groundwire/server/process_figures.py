"""What the system knows of this process: memory, processor time, open files."""

import contextlib
import gc
import os
import time
from typing import Any


def resident_bytes() -> int:
    """Return how much memory this process holds (resident set); 0 where the system does not say."""
    with contextlib.suppress(OSError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def open_descriptors() -> int:
    """Return how many files and sockets are open; 0 where the system does not say."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return len(os.listdir(folder)) - 1  # reading the folder opens it
    return 0


def most_descriptors() -> int:
    """Return how many may be open; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def process_figures() -> dict[str, Any]:
    """Return the figures of this process, as JSON can hold them."""
    return {
        "pid": os.getpid(),
        "rss_bytes": resident_bytes(),
        "cpu_seconds": round(time.process_time(), 3),
        "open_fds": open_descriptors(),
        "max_fds": most_descriptors(),
    }


def collections() -> list[list[int]]:
    """Return by generation of the garbage collector: collections, objects collected, objects that cannot be."""
    return [
        [figures["collections"], figures["collected"], figures["uncollectable"]]
        for figures in gc.get_stats()
    ]
