"""`--reload` of `groundwire run`."""

import sys
from typing import Any

from ..app.environment import get_debug_flag
from ..app.reloading import process, program_of_this_process, run_reloading, why_not
from ..app.serving import command_line
from ..server.settings_table import process_settings, server_settings
from .errors import CannotStart
from .settings_options import or_cannot_start


def is_to_reload(given: dict[str, Any]) -> bool:
    """Tell whether the program is to be started anew when its files change: by default in debug mode."""
    asked = given.get("reload")
    if process.reloaded is not None:
        return True
    if asked and (reason := why_not()):
        raise CannotStart(f"--reload cannot be: {reason}")
    return (get_debug_flag() and why_not() is None) if asked is None else bool(asked)


def leave_reloading_to_program(given: dict[str, Any]) -> None:
    """Have `app.run` in a file that runs as ``__main__`` reload as the command's options say, or else as it says."""
    process.program = program_of_this_process()
    settings = process_settings(given)
    command_line.reload = is_to_reload(given) or settings.reload
    command_line.watch = _watch(given)


def begin_reloading(given: dict[str, Any]) -> None:
    """Become the parent of the program, which serves in a child, and end with its status.

    Returns in the child, and where nothing is to be reloaded.

    Raises:
        CannotStart: it cannot, or the address cannot be listened on.
        SystemExit: in the parent, with the exit status.
    """
    if process.reloaded is not None or not is_to_reload(given):
        return
    settings = or_cannot_start(server_settings, given)
    sys.exit(or_cannot_start(lambda: run_reloading(settings, **_watch(given))))


def _watch(given: dict[str, Any]) -> dict[str, Any]:
    settings = process_settings(given)
    return {
        "include": settings.reload_include,
        "exclude": settings.reload_exclude,
        "interval_seconds": settings.reload_seconds,
        # Who asked for it is at work on the program; --debug alone may be a mistake in its name.
        "waits": bool(settings.reload),
    }
