"""Every name, member and configuration key of Flask's API is used in a test of what it does.

`test_flask_names` says that they are there. Here each has to stand, as a word, in a test or in a program that is run on
Flask and on Groundwire, so that a name whose behaviour nobody has tried is noticed.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

import flask
import pytest

from names_of_flask import DEFINED, MEMBERS

TESTS: Final = Path(__file__).parents[1]
PROGRAMS: Final = TESTS.parent / "examples" / "flask"

NAMES_ONLY: Final = {
    "names_of_flask.py",
    "test_flask_names.py",
    "test_werkzeug_api.py",
    "test_werkzeug_names.py",
    Path(__file__).name,
}
"""Tests that look at names and do not use them."""

THROUGH_OTHERS: Final = {
    "CertParamType": "the option --cert of a program's own command line, in tests/cli",
    "SeparatedPathType": "the options --extra-files and --exclude-patterns of that command line",
    "UnexpectedUnicodeError": "nothing raises it, in Flask neither: the name is for those who catch it",
    "attach_enctype_error_multidict": "DebugFilesKeyError: a form without multipart whose files are asked for",
    "find_package": "instance folders: test_setup finds them for installed modules and others",
    "get_command": "every command that is invoked",
    "get_root_path": "every application that has a folder",
    "list_commands": "the help of the command line",
    "Scaffold": "what an application and a blueprint have in common",
    "setupmethod": "the AssertionError of a method that is called too late",
    "PassDict": "TaggedJSONSerializer: a dict in a session",
    "PassList": "TaggedJSONSerializer: a list in a session",
    "TagBytes": "TaggedJSONSerializer: bytes in a session",
    "TagDateTime": "TaggedJSONSerializer: a date in a session",
    "TagMarkup": "TaggedJSONSerializer: Markup in a session",
    "TagTuple": "TaggedJSONSerializer: a tuple in a session",
    "TagUUID": "TaggedJSONSerializer: a UUID in a session",
    "untag": "TaggedJSONSerializer.loads",
}
"""Names that are tried, but under the name of what uses them."""


@cache
def words() -> frozenset[str]:
    """The words of all tests and of the programs they run."""
    files = [
        path
        for folder in (TESTS, PROGRAMS)
        for pattern in ("*.py", "*.html")
        for path in folder.rglob(pattern)
        if path.name not in NAMES_ONLY and "upstream" not in path.parts
    ]
    return frozenset(
        word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    )


NAMES: Final = sorted(
    {name for _, name in DEFINED}
    | {member for _, _, member in MEMBERS}
    | {*flask.Flask.default_config}
)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in THROUGH_OTHERS])
def test_a_name_of_flasks_api_is_tried(name: str) -> None:
    assert name in words()


def test_only_names_that_nobody_writes_are_tried_through_others() -> None:
    assert [] == sorted({*THROUGH_OTHERS} & words())
