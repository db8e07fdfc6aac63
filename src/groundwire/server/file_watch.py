"""Whether one of the files has changed that a program is made of."""

import contextlib
import glob
import importlib
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from typing import Any, Final

FILES_MAX: Final = 10_000
"""Files that are looked at in folders; the rest would take too long to be looked at four times a second."""

SKIPPED_FOLDERS: Final = frozenset(
    {"__pycache__", "node_modules", "site-packages", "dist-packages"}
)

_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

Stamp = tuple[int, int, int] | None
"""What changes when a file does; None where there is none."""


class FileWatch:
    """The files that are looked at, and what they were like at the last look.

    Args:
        include: other files, folders or patterns, from the current folder.
        exclude: patterns of files that are left out, compared with the whole path and with the name.
    """

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        self._include = tuple(include)
        self._exclude = tuple(exclude)
        self._files: set[str] = set()
        self._tree: str | None = None
        self._seen: dict[str, Stamp] = {}
        self._look()

    def add(self, files: Mapping[str, Stamp]) -> None:
        """Look at files too, which were like this when somebody else looked (`stamps`)."""
        for file in files.keys() - self._files:
            self._files.add(file)
            if not self._is_excluded(file):
                self._seen.setdefault(file, files[file])

    def watch_tree(self, folder: str | None) -> None:
        """Look at all Python files below `folder` too: what a broken program is made of is not known. None ends it."""
        self._tree = folder
        if folder is not None:
            for file in self._found():
                self._seen.setdefault(file, stamp(file))

    def __len__(self) -> int:
        return len(self._seen)

    def changed(self) -> list[str]:
        """Return the files that have changed, come or gone since the last look."""
        before = self._seen
        self._look()
        files = dict.fromkeys((*self._seen, *before))
        return [file for file in files if self._seen.get(file) != before.get(file)]

    def folders(self) -> set[str]:
        """Return the folders in which something may change."""
        folders = {os.path.dirname(file) for file in self._seen}
        for pattern in self._include:
            if os.path.isdir(pattern):
                folders.add(os.path.abspath(pattern))
        if self._tree is not None:
            folders.add(self._tree)
        return {folder for folder in folders if os.path.isdir(folder)}

    def _look(self) -> None:
        self._seen = {file: stamp(file) for file in self._found()}

    def _found(self) -> Iterator[str]:
        yield from (file for file in self._files if not self._is_excluded(file))
        number = 0
        for file in self._in_folders():
            if file not in self._files and not self._is_excluded(file):
                number += 1
                if number > FILES_MAX:
                    return
                yield file

    def _in_folders(self) -> Iterator[str]:
        if self._tree is not None:
            yield from (file for file in _below(self._tree) if file.endswith(".py"))
        for pattern in self._include:
            path = os.path.abspath(pattern)
            if os.path.isdir(path):
                yield from _below(path)
            elif glob.has_magic(pattern):
                yield from filter(os.path.isfile, glob.iglob(path, recursive=True))
            else:
                yield path

    def _is_excluded(self, file: str) -> bool:
        name = os.path.basename(file)
        return any(
            fnmatch(file, pattern)
            or fnmatch(name, pattern)
            or fnmatch(file, os.path.abspath(pattern))
            for pattern in self._exclude
        )


class Wakener:
    """Waits for something to happen in folders: told by watchfiles where that is installed, otherwise by looking often.

    It says only that it may be time to look. What counts is what `FileWatch` finds then.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._watch: Any = None
        self._stop: threading.Event | None = None
        self._folders: set[str] = set()
        with contextlib.suppress(ImportError):
            self._watch = importlib.import_module("watchfiles").watch

    @property
    def is_told(self) -> bool:
        """Whether the system tells of changes, so that looking often is not needed."""
        return self._watch is not None and self._stop is not None

    def set_folders(self, folders: set[str]) -> None:
        """Wait for something to happen in these, and in no others."""
        if self._watch is None or folders == self._folders:
            return
        self.close()
        if folders:
            self._folders = folders
            self._stop = threading.Event()
            threading.Thread(
                target=self._run, args=(folders, self._stop), name="groundwire-watch", daemon=True
            ).start()

    def close(self) -> None:
        """Wait no more."""
        if self._stop is not None:
            self._stop.set()
        self._stop = None
        self._folders = set()

    def _run(self, folders: set[str], stop: threading.Event) -> None:
        try:
            for _ in self._watch(
                *folders,
                watch_filter=None,
                debounce=50,
                step=20,
                rust_timeout=500,
                stop_event=stop,
                raise_interrupt=False,
                recursive=False,
            ):
                if stop.is_set():
                    return
                self._wake()
        except Exception:  # noqa: BLE001 - a folder has gone, or there are too many: looking often will do
            if self._stop is stop:
                self._stop = None


def program_files() -> set[str]:
    """Return the files of all modules that are loaded now, but for Python's own and what is installed."""
    files: set[str] = set()
    for module in list(sys.modules.values()):
        file: Any = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and is_of_program(file):
            files.add(os.path.abspath(file))
    return files


def is_of_program(file: str) -> bool:
    """Whether a file is neither Python's nor Groundwire's nor that of an installed package."""
    if file.startswith("<"):  # such as what is frozen into Python
        return False
    path = os.path.abspath(file)
    if path.startswith(_PACKAGE + os.sep) or not SKIPPED_FOLDERS.isdisjoint(path.split(os.sep)):
        return False
    return not any(path.startswith(folder + os.sep) for folder in _installed())


def _installed() -> set[str]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    if sys.prefix != sys.base_prefix:
        folders.add(sys.prefix)
    return {os.path.abspath(folder) for folder in folders if folder}


def _below(folder: str) -> Iterator[str]:
    """Yield the files below a folder, but for those of virtual environments and hidden folders."""
    for path, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if name not in SKIPPED_FOLDERS
            and not name.startswith(".")
            and not os.path.exists(os.path.join(path, name, "pyvenv.cfg"))
        ]
        for file in files:
            yield os.path.join(path, file)


def stamps(files: Iterable[str]) -> dict[str, Stamp]:
    """Return what files are like now, by their whole paths."""
    return {path: stamp(path) for path in map(os.path.abspath, files)}


def stamp(file: str) -> Stamp:
    """Return what a file is like now."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
