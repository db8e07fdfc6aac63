import os
import sys
import sysconfig
import threading
from pathlib import Path

import pytest

import groundwire
from groundwire.server.file_watch import FileWatch, Wakener, is_of_program, program_files, stamps


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_changes_of_files_are_found_once(here: Path) -> None:
    file = written(here / "a.py")
    watch = FileWatch()
    watch.add(stamps(["a.py"]))

    assert [] == watch.changed()
    written(file, "longer")
    assert [str(file)] == watch.changed()
    assert [] == watch.changed()
    file.unlink()
    assert [str(file)] == watch.changed()
    written(file)
    assert [str(file)] == watch.changed()


def test_adding_a_file_again_does_not_hide_its_change(here: Path) -> None:
    file = written(here / "a.py")
    watch = FileWatch()
    watch.add(stamps([str(file)]))
    written(file, "longer")
    watch.add(stamps([str(file)]))

    assert [str(file)] == watch.changed()


def test_a_change_counts_from_when_somebody_else_looked(here: Path) -> None:
    file = written(here / "a.py")
    before = stamps([str(file)])
    written(file, "longer")
    watch = FileWatch()
    watch.add(before)

    assert [str(file)] == watch.changed()


def test_files_folders_and_patterns_are_included(here: Path) -> None:
    for name in ("one.toml", "templates/a.html", "conf/x.ini", "conf/y.txt", "other.txt"):
        written(here / name)
    watch = FileWatch(["one.toml", "templates", "conf/*.ini"])

    for name in ("one.toml", "templates/a.html", "conf/x.ini", "templates/deep/new.html"):
        written(here / name, "changed")
        assert [str(here / name)] == watch.changed()
    for name in ("other.txt", "conf/y.txt"):
        written(here / name, "changed")
        assert [] == watch.changed()


def test_files_are_excluded_by_name_or_path(here: Path) -> None:
    watch = FileWatch(["."], ["*.log", "cache/*"])

    written(here / "a.log")
    written(here / "cache" / "x.txt")
    assert [] == watch.changed()
    written(here / "kept.txt")
    assert [str(here / "kept.txt")] == watch.changed()


def test_virtual_environments_and_hidden_folders_are_skipped(here: Path) -> None:
    for folder in (".git", "env", "node_modules", "__pycache__"):
        written(here / folder / "a.py")
    written(here / "env" / "pyvenv.cfg")
    written(here / "package" / "b.py")
    watch = FileWatch()
    watch.watch_tree(str(here))

    assert 1 == len(watch)
    written(here / "package" / "b.py", "changed")
    written(here / "env" / "a.py", "changed")
    written(here / "note.txt")
    assert [str(here / "package" / "b.py")] == watch.changed()


def test_folders_are_those_of_the_files(here: Path) -> None:
    (here / "templates").mkdir()
    watch = FileWatch(["templates"])
    watch.add(stamps([str(written(here / "package" / "a.py"))]))

    assert {str(here / "package"), str(here / "templates")} == watch.folders()


def test_a_program_is_made_of_neither_python_nor_packages_nor_groundwire(here: Path) -> None:
    assert is_of_program(str(here / "app.py"))
    assert not is_of_program(os.path.join(sysconfig.get_path("stdlib"), "json", "__init__.py"))
    assert not is_of_program(os.path.join(sysconfig.get_path("purelib"), "click", "core.py"))
    assert not is_of_program(str(here / "env" / "site-packages" / "x.py"))
    assert not is_of_program(groundwire.__file__)
    assert not is_of_program("<frozen runpy>")


def test_modules_of_the_program_are_its_files(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(here / "made_for_this.py", "")
    monkeypatch.syspath_prepend(here)
    __import__("made_for_this")
    try:
        assert str(here / "made_for_this.py") in program_files()
    finally:
        del sys.modules["made_for_this"]


def test_the_system_tells_of_changes_where_watchfiles_is(here: Path) -> None:
    pytest.importorskip("watchfiles")
    woken = threading.Event()
    wakener = Wakener(woken.set)
    try:
        wakener.set_folders({str(here)})
        assert wakener.is_told
        for attempt in range(200):  # the thread has to have begun to watch
            written(here / "a.py", str(attempt))
            if woken.wait(0.1):
                break
        assert woken.is_set()
    finally:
        wakener.close()
    assert not wakener.is_told


def test_without_watchfiles_nobody_tells(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    wakener = Wakener(lambda: None)
    wakener.set_folders({str(here)})

    assert not wakener.is_told
