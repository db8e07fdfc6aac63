"""Programs of lessons for tests: those on plain sockets in processes of their own, applications within this one.

A process that imports the framework takes half a second; a server in a thread takes a twentieth of that.
"""

import contextlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from pathlib import Path

from groundwire.lessons.running import Running
from serving import running_server

SOLUTIONS = Path(__file__).parent / "lessons" / "solutions"

SECONDS = 60.0


@contextlib.contextmanager
def running_program(file: Path, *, alone: bool = False) -> Iterator[int]:
    """Run a program for the time of a ``with`` block, and yield its port. `alone`: in a process of its own."""
    if alone or "groundwire import" not in file.read_text(encoding="utf-8"):
        with Running(file, seconds=SECONDS) as running:
            yield running.port
        return
    module = types.ModuleType(f"lesson_{file.stem}")
    module.__file__ = str(file)
    module.__spec__ = importlib.util.spec_from_loader(module.__name__, None, origin=str(file))
    sys.modules[module.__name__] = module
    try:
        exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)
        module.app.logger.disabled = True
        if hasattr(module, "WAIT_SECONDS"):  # for another program, on a machine that is busy
            module.WAIT_SECONDS = 2.5
        with running_server(module.app) as served:
            yield served.port
    finally:
        del sys.modules[module.__name__]
