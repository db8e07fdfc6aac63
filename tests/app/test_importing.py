"""Objects and modules by their names."""

import datetime
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire.app.importing import ImportStringError, find_modules, import_string


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("json", json),
        ("json.decoder", json.decoder),
        ("json:loads", json.loads),
        ("json.loads", json.loads),
        ("datetime:date.today", None),
    ],
)
def test_modules_and_their_attributes_are_found(name: str, value: Any) -> None:
    assert value == import_string(name, silent=True)


def test_what_is_missing_is_named_with_how_far_the_import_got() -> None:
    with pytest.raises(ImportStringError, match="no attribute 'nothing'") as raised:
        import_string("json:nothing")

    error = raised.value
    assert "json.nothing" == error.import_name
    assert isinstance(error.exception, ImportError)
    assert f"- 'json' found in {json.__file__!r}." in str(error)
    assert "- 'json.nothing' not found." in str(error)
    assert repr(error).startswith("<ImportStringError('json.nothing'")
    with pytest.raises(ImportStringError, match="- 'no_such_module_at_all' not found"):
        import_string("no_such_module_at_all")


@pytest.mark.parametrize("name", ["json.nothing", "no_such_module_at_all", "no_such_package.x"])
def test_silence_answers_none(name: str) -> None:
    assert import_string(name, silent=True) is None


def test_a_module_that_fails_within_says_why(folder: Path) -> None:
    (folder / "fails_within.py").write_text("import no_such_module_at_all\n")

    with pytest.raises(
        ImportStringError, match="No module named 'no_such_module_at_all'"
    ) as raised:
        import_string("fails_within.X")
    assert "fails_within.py" in "".join(traceback.format_tb(raised.value.__traceback__))


def test_other_errors_of_a_module_pass_through(folder: Path) -> None:
    (folder / "fails_otherwise.py").write_text("raise AttributeError('bad')\n")

    with pytest.raises(AttributeError, match="bad"):
        import_string("fails_otherwise.X", silent=True)


def test_modules_of_a_package_are_listed(folder: Path) -> None:
    for name in ("found", "found/inner"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("")
    (folder / "found" / "a.py").write_text("raise ValueError")
    (folder / "found" / "inner" / "b.py").write_text("")

    assert ["found.a"] == list(find_modules("found"))
    assert ["found.a", "found.inner"] == list(find_modules("found", include_packages=True))
    assert ["found.a", "found.inner.b"] == list(find_modules("found", recursive=True))
    with pytest.raises(ValueError, match="'datetime' is not a package"):
        list(find_modules(datetime.__name__))
