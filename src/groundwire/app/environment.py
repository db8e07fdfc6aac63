"""What environment variables say: those that begin with ``GROUNDWIRE_``, and Flask's, which mean the same.

Where both are set, ``GROUNDWIRE_`` wins. (Flask: https://flask.palletsprojects.com/en/stable/cli/)
"""

import os
import sys
from importlib import import_module
from typing import Any, Final

PREFIX: Final = "GROUNDWIRE_"
FLASK_PREFIX: Final = "FLASK_"

RUN_FROM_CLI: Final = "FLASK_RUN_FROM_CLI"
"""``true`` while a command has a program imported: its own `app.run()` does nothing then."""

_NO: Final = frozenset({"0", "false", "no"})

_MEANT_FOR_FLASK: Final = frozenset({"APP", "DEBUG", "ENV_FILE", "SKIP_DOTENV"})
"""What `share_variables` gives Flask's name to, and what begins with ``RUN_``. No more: a program that fills its
configuration from ``FLASK_…`` is to find in there what was set by that name."""


def variable(name: str) -> str | None:
    """Return the variable ``GROUNDWIRE_`` and `name`, otherwise ``FLASK_`` and `name`, otherwise None."""
    value = os.environ.get(PREFIX + name)
    return os.environ.get(FLASK_PREFIX + name) if value is None else value


def get_debug_flag() -> bool:
    """Tell whether the environment asks for debug mode (GROUNDWIRE_DEBUG, FLASK_DEBUG)."""
    value = variable("DEBUG")
    return bool(value) and str(value).lower() not in _NO


def set_debug_flag(value: bool) -> None:
    """Have the environment ask for debug mode, or not; programs may look there for themselves."""
    os.environ[FLASK_PREFIX + "DEBUG"] = "1" if value else "0"
    if PREFIX + "DEBUG" in os.environ:
        os.environ[PREFIX + "DEBUG"] = "1" if value else "0"


def get_load_dotenv(default: bool = True) -> bool:
    """Tell whether ``.env`` files are to be read: not with GROUNDWIRE_SKIP_DOTENV or FLASK_SKIP_DOTENV set."""
    value = variable("SKIP_DOTENV")
    return value.lower() in _NO if value else default


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set environment variables from files: `path` before ``.env`` before ``.flaskenv``; what is set stays as it is.

    The two are looked for in the working directory and its parents. Without python-dotenv nothing is read, and a line
    on standard error says so where there is such a file.

    Returns:
        Whether a file said anything.
    """
    try:
        dotenv: Any = import_module("dotenv")
    except ImportError:
        found = [name for name in (".env", ".flaskenv") if os.path.isfile(name)]
        if path or found:
            sys.stderr.write(
                f"groundwire: {path or ' and '.join(found)} {'was' if path or len(found) == 1 else 'were'} not read,"
                " because python-dotenv is not installed; pip install python-dotenv, or set"
                " GROUNDWIRE_SKIP_DOTENV=1\n"
            )
        return False
    data: dict[str, str | None] = {}
    if load_defaults:
        for name in (".flaskenv", ".env"):
            default = dotenv.find_dotenv(name, usecwd=True)
            if default:
                data |= dotenv.dotenv_values(default, encoding="utf-8")
    if path is not None and os.path.isfile(path):
        data |= dotenv.dotenv_values(path, encoding="utf-8")
    for name, value in data.items():
        if value is not None:
            os.environ.setdefault(name, value)
    return bool(data)


def share_variables() -> None:
    """Give each variable under one prefix its name under the other, for whoever reads one of them only.

    Options do: click looks for ``GROUNDWIRE_RUN_PORT``, and a program's `.flaskenv` has ``FLASK_RUN_PORT``.
    """
    for name, value in dict(os.environ).items():
        if name.startswith(FLASK_PREFIX) and name != RUN_FROM_CLI:
            os.environ.setdefault(PREFIX + name.removeprefix(FLASK_PREFIX), value)
        elif name.startswith(PREFIX):
            rest = name.removeprefix(PREFIX)
            if rest in _MEANT_FOR_FLASK or rest.startswith("RUN_"):
                os.environ[FLASK_PREFIX + rest] = value
