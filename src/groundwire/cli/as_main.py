"""A file run as `python FILE` runs it: as `__main__`, to its end, its `app.run()` being what serves."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ..app.environment import RUN_FROM_CLI
from ..app.serving import command_line
from .target import Application, application_of, check_file, failure


def run_as_main(place: str, settings: dict[str, Any], debug: bool | None) -> Application | None:
    """Run a file as `__main__`.

    Args:
        place: its path.
        settings: fields of `ServerSettings` that win over what the program says.
        debug: likewise; None leaves it to the program.

    Returns:
        The application in the file, if it has not served by itself.

    Raises:
        NoAppException: there is no such file, it failed, or it ended without having served and has no application.
        SystemExit: the program ended so.
    """
    path = Path(place)
    check_file(path)
    filename = str(path.absolute())
    command_line.settings = settings
    command_line.debug = debug
    os.environ.pop(RUN_FROM_CLI, None)  # `app.run()` is to serve
    module = ModuleType("__main__")
    module.__dict__.update(__file__=filename, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    sys.argv = [place]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        exec(compile(path.read_bytes(), filename, "exec", dont_inherit=True), module.__dict__)
    except Exception as error:
        raise failure(f"{place} failed", error) from error
    return None if command_line.has_served else application_of(module, "", place)
