"""Starts a program as ``python FILE`` or ``python -m MODULE`` would, in a child of the reloader.

Run with ``-m``; its arguments are what `groundwire.app.reloading.program_of_this_process` returned in the parent. What
the program raises on its way to serving is told to the parent, which shows it in the browser.
"""

import os
import runpy
import sys
import traceback
from types import ModuleType

from ..server.reloader import adopted
from .reloading import of_program, process, tell_failure


def main() -> None:
    """Run the program.

    Raises:
        SystemExit: it ended so, or failed.
    """
    kind, name, *arguments = sys.argv[1:]
    process.reloaded = adopted()
    sys.argv = [name, *arguments]
    try:
        if kind == "module":
            process.program = (kind, name, *arguments)
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            run_file(name)
    except BaseException as error:
        own = error.with_traceback(of_program(error.__traceback__))
        served = process.reloaded is not None and process.reloaded.has_served
        ended_well = isinstance(error, SystemExit) and not error.code
        if not served and not ended_well and not isinstance(error, KeyboardInterrupt):
            tell_failure(own)
        if isinstance(error, SystemExit):
            raise
        traceback.print_exception(own)
        raise SystemExit(1) from error


def run_file(name: str) -> None:
    """Run a file as ``python FILE`` does."""
    module = ModuleType("__main__")
    module.__dict__.update(__file__=name, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    # `python -m` puts the current folder first, `python FILE` the file's.
    sys.path[0] = os.path.dirname(os.path.realpath(name))
    with open(name, "rb") as file:
        exec(compile(file.read(), name, "exec", dont_inherit=True), module.__dict__)


if __name__ == "__main__":
    main()
