"""Programs that use extensions as their documentation says, each run on Groundwire and on the real Flask.

`make test-flask SUITE=integration` installs the extensions and runs both. Elsewhere they are not installed, and
nothing here is collected.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess, run
from sys import executable
from typing import Any

import pytest

EXTENSIONS = (
    "flask_babel",
    "flask_debugtoolbar",
    "flask_limiter",
    "flask_migrate",
    "flask_session",
)

collect_ignore_glob = [] if all(map(find_spec, EXTENSIONS)) else ["test_*.py"]

Command = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def flask_command(tmp_path: Path) -> Command:
    """Runs the `flask` command of this environment in the test's folder."""

    def command(*arguments: str, **options: Any) -> "CompletedProcess[str]":
        script = Path(executable).with_name("flask")
        ended = run(
            [str(script), *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    return command
