"""The runner of Flask's and extensions' own suites: what it counts, compares and refuses. It is not run here."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

UPSTREAM = Path(__file__).parent / "upstream"
MODULES = ("environments", "groups", "recorder", "run", "suites")


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The script's modules, which find each other because they lie in one folder."""
    monkeypatch.syspath_prepend(UPSTREAM)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        sys.modules.pop(name, None)


# --- groups

CONFTEST = """
import pytest
from flask import Flask

@pytest.fixture
def app():
    return Flask("x")
"""

TESTS = """
import flask
import pytest
import werkzeug.serving
from flask.cli import prepare_import
from flask.globals import _cv_request
from flask.json.tag import JSONTag
from flask.sessions import SessionInterface
from werkzeug.exceptions import NotFound
from _pytest import monkeypatch as patches

@pytest.fixture
def bound(app):
    return _cv_request.get()

def make_error():
    return NotFound()

def test_public(app, monkeypatch):
    monkeypatch._setitem.append(patches.notset)
    _, g = flask.g._get_current_object(), flask.g

def test_documented_in_a_module(app):
    class Own(SessionInterface):
        pass

def test_documented_as_a_whole():
    JSONTag(None)

def test_undocumented():
    prepare_import("x")

def test_private_attribute():
    flask.request._secret

def test_by_a_fixture(bound):
    pass

def test_by_a_function():
    make_error()

def test_patched(monkeypatch):
    monkeypatch.setattr(werkzeug.serving, "run_simple", None)

def test_named_in_a_text(mocker):
    mocker.patch("werkzeug.serving.run_simple")

class TestGroup:
    @pytest.mark.parametrize("one", [1, 2])
    def test_within(self, one):
        NotFound()
"""

PAGE = """
.. autoclass:: flask.sessions.SessionInterface

.. automodule:: flask.json.tag
"""


@pytest.fixture
def distribution(tmp_path: Path) -> Path:
    files = {
        "docs/api.rst": PAGE,
        "docs/changes.rst": "prepare_import was added\n",
        "src/flask/__init__.py": "",
        "src/flask/cli.py": "",
        "src/flask/globals.py": "",
        "src/flask/sessions.py": "",
        "src/flask/json/__init__.py": "",
        "src/flask/json/tag.py": "",
        "tests/conftest.py": CONFTEST,
        "tests/test_it.py": TESTS,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("test_public", "public API only"),
        ("test_documented_in_a_module", "public API only"),
        ("test_documented_as_a_whole", "public API only"),
        ("test_undocumented", "internals"),
        ("test_private_attribute", "internals"),
        ("test_by_a_fixture", "internals"),
        ("test_by_a_function", "Werkzeug's names too"),
        ("test_patched", "Werkzeug's names too"),
        ("test_named_in_a_text", "Werkzeug's names too"),
        ("TestGroup::test_within[2]", "Werkzeug's names too"),
    ],
)
def test_a_test_is_grouped_by_what_it_touches(
    runner: dict[str, ModuleType], distribution: Path, test: str, group: str
) -> None:
    groups = runner["groups"].Groups(distribution)

    assert group == groups.of(f"tests/test_it.py::{test}")


# --- expected failures


def test_a_list_gives_each_test_the_reason_above_it(
    runner: dict[str, ModuleType], tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# A reason\n# of two lines.\na::one\na::two[x y]\n\n# Another.\nb::three\n")

    expected = runner["suites"].Expected.read(path)

    assert {
        "a::one": "A reason of two lines.",
        "a::two[x y]": "A reason of two lines.",
        "b::three": "Another.",
    } == expected.reasons


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a::one\n", "no reason for a::one"),
        ("# Why.\na::one\n\nb::two\n", "no reason for b::two"),
        ("# Why.\na::one\na::one\n", "names a::one twice"),
    ],
)
def test_a_list_without_reasons_is_refused(
    runner: dict[str, ModuleType], tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)

    with pytest.raises(ValueError, match=message):
        runner["suites"].Expected.read(path)


def test_a_suite_without_a_list_expects_no_failure(
    runner: dict[str, ModuleType], tmp_path: Path
) -> None:
    assert {} == runner["suites"].Expected.read(tmp_path / "none.txt").reasons


def test_every_committed_list_can_be_read_and_is_of_a_suite(
    runner: dict[str, ModuleType],
) -> None:
    suites = runner["suites"]
    names = {suite.expected.name for suite in suites.SUITES}

    for path in (UPSTREAM / "expected").iterdir():
        assert path.name in names
        assert suites.Expected.read(path).reasons


def test_every_suite_is_of_a_pinned_version(runner: dict[str, ModuleType]) -> None:
    for suite in runner["suites"].SUITES:
        if suite.distribution is not None:
            assert runner["environments"].version_of(suite.distribution)
    with pytest.raises(LookupError, match="no-such-project"):
        runner["environments"].version_of("no-such-project")


# --- comparison


def compared(
    runner: dict[str, ModuleType],
    flask: dict[str, str],
    groundwire: dict[str, str],
    expected: dict[str, str],
    *,
    partial: bool = False,
) -> list[str]:
    run, suites = runner["run"], runner["suites"]
    comparison = run.Comparison(
        suites.Suite("name", "name"),
        run.Run(flask, {}, "what pytest said"),
        run.Run(groundwire, {"t": "why"}, ""),
        suites.Expected(expected),
        partial,
    )
    mistakes: list[str] = comparison.mistakes
    return mistakes


def test_the_same_outcomes_are_right(runner: dict[str, ModuleType]) -> None:
    outcomes = {"t": "passed", "u": "failed", "v": "skipped"}

    assert [] == compared(runner, outcomes, outcomes, {})


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped"])
def test_a_test_that_passes_on_flask_alone_is_a_mistake(
    runner: dict[str, ModuleType], outcome: str
) -> None:
    mistakes = compared(runner, {"t": "passed"}, {"t": outcome}, {})

    assert [f"t fails, which is not expected ({outcome}: why)"] == mistakes


def test_a_test_that_does_not_run_is_a_mistake(runner: dict[str, ModuleType]) -> None:
    assert ["u fails, which is not expected (did not run)"] == compared(
        runner, {"u": "passed"}, {}, {}
    )


def test_a_failure_with_a_reason_is_right(runner: dict[str, ModuleType]) -> None:
    assert [] == compared(runner, {"t": "passed"}, {"t": "failed"}, {"t": "a reason"})


@pytest.mark.parametrize("theirs", ["passed", "failed"])
def test_a_reason_that_is_outlived_is_a_mistake(runner: dict[str, ModuleType], theirs: str) -> None:
    mistakes = compared(runner, {"t": theirs}, {"t": "passed"}, {"t": "a reason"})

    assert ["t is in name.txt and passes: take it out"] == mistakes


def test_a_reason_for_no_test_is_a_mistake_unless_tests_were_chosen(
    runner: dict[str, ModuleType],
) -> None:
    outcomes = {"t": "passed"}

    assert ["gone is in name.txt and is no test of the suite"] == compared(
        runner, outcomes, outcomes, {"gone": "a reason"}
    )
    assert [] == compared(runner, outcomes, outcomes, {"gone": "a reason"}, partial=True)


def test_a_suite_that_did_not_run_is_a_mistake(runner: dict[str, ModuleType]) -> None:
    assert ["no test of name ran:\nwhat pytest said"] == compared(runner, {}, {}, {})


# --- recorder

RECORDED = """
import pytest

def test_passes():
    pass

def test_fails():
    assert 1 == 2, "first line"

@pytest.fixture
def broken():
    raise RuntimeError("no fixture")

def test_has_an_error(broken):
    pass

def test_is_skipped():
    pytest.skip("not today")
"""


@pytest.mark.slow
def test_outcomes_are_recorded_with_what_failures_said(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(RECORDED)
    (tmp_path / "test_broken.py").write_text("import no_such_module\n")
    recorded = tmp_path / "recorded.json"
    options = ["-p", "recorder", "--recorded", str(recorded), "--continue-on-collection-errors"]

    subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", ".", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(UPSTREAM)},
        stdout=subprocess.DEVNULL,
        check=False,
    )

    found = json.loads(recorded.read_text())
    assert {
        "test_broken.py": "error",
        "test_it.py::test_passes": "passed",
        "test_it.py::test_fails": "failed",
        "test_it.py::test_has_an_error": "error",
        "test_it.py::test_is_skipped": "skipped",
    } == found["outcomes"]
    assert "no_such_module" in found["reasons"]["test_broken.py"]
    assert "first line" in found["reasons"]["test_it.py::test_fails"]
    assert "no fixture" in found["reasons"]["test_it.py::test_has_an_error"]
