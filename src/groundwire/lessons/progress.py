"""Which tasks a learner has done: a small file beside the learner's programs, where it can be seen and thrown away."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Final

FILE_NAME: Final = "groundwire-lessons.json"


def done_in(folder: Path) -> frozenset[int]:
    """Return the numbers of the lessons whose tasks are done, as the file in a folder says.

    A file that is not there, or that is no such file, says nothing.
    """
    try:
        numbers: Any = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))["done"]
        return frozenset(int(number) for number in numbers)
    except (OSError, ValueError, TypeError, KeyError):
        return frozenset()


def note_done(folder: Path, number: int) -> None:
    """Note that a task is done. In a folder that cannot be written to, nothing is noted."""
    done = sorted(done_in(folder) | {number})
    beside = folder / f".{FILE_NAME}.{os.getpid()}"
    with contextlib.suppress(OSError):
        beside.write_text(json.dumps({"done": done}) + "\n", encoding="utf-8")
        beside.replace(folder / FILE_NAME)
