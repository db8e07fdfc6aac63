"""Every name that the extensions take from Werkzeug is here, and is the very object the framework uses."""

import importlib
import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from names_used import RECORD, names_below, names_in

USED: dict[str, list[str]] = json.loads(RECORD.read_text(encoding="utf-8"))
REEXPORTS = ("groundwire.werkzeug", "groundwire.flask")


def find(name: str) -> Any:
    """Return what a dotted name is: the longest module in it, and attributes of that."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError as error:
            if not name.startswith(error.name or ""):
                raise
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def exists(name: str) -> bool:
    try:
        find(name)
    except (AttributeError, ImportError):
        return False
    return True


NAMES = sorted(filter(exists, {name for names in USED.values() for name in names}))
"""An extension that knows older releases of Werkzeug too may name what the present one no longer has."""


def is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_here_and_is_the_frameworks_own(name: str) -> None:
    ours = find(f"groundwire.{name}")

    if isinstance(ours, type) or callable(ours):
        home = getattr(ours, "__module__", "")
        assert home.startswith("groundwire.")
        assert not home.startswith(REEXPORTS)
        assert ours is getattr(sys.modules[home], ours.__qualname__.partition(".")[0])
    else:
        assert isinstance(ours, ModuleType | dict)


@pytest.mark.parametrize("distribution", [name for name in USED if is_installed(name)])
def test_what_is_written_down_is_what_an_installed_extension_uses(distribution: str) -> None:
    """The record is made from the source distributions, whose tests may use more than the package does."""
    files = importlib.metadata.files(distribution) or []
    packages = {path.parts[0] for path in files if path.name == "__init__.py"}
    found: set[str] = set()
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found |= set(names_below(Path(spec.origin).parent))

    assert found <= set(USED[distribution])


def test_names_are_read_from_source_in_every_form() -> None:
    source = """
import werkzeug.serving
import werkzeug.exceptions as errors
from werkzeug.utils import redirect as to, secure_filename
from werkzeug import routing
from . import werkzeug as other
from werkzeugs import nothing
errors.NotFound.code
routing.Map()
werkzeug.serving.run_simple
"""

    assert {
        "werkzeug.serving",
        "werkzeug.exceptions",
        "werkzeug.utils.redirect",
        "werkzeug.utils.secure_filename",
        "werkzeug.routing",
        "werkzeug.exceptions.NotFound",
        "werkzeug.exceptions.NotFound.code",
        "werkzeug.routing.Map",
        "werkzeug.serving.run_simple",
    } == names_in(source)
