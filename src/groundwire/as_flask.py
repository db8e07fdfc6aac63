"""Makes this process's `flask` and `werkzeug` Groundwire's: ``import groundwire.as_flask`` as a program's first line.

From then on ``import flask.views`` is ``import groundwire.flask.views``: one module object under both names, so that
an extension's ``except NotFound`` and ``isinstance(x, FileStorage)`` meet the classes that are in use. What
Groundwire lacks raises ImportError; the real packages, installed or not, are never loaded. Plain functions of the
program run in threads, as on Flask's own server.
"""

import importlib
import importlib.metadata
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, cast

from .app.api_versions import API_VERSIONS
from .app.config import keep_threads

ALIASED: Final = API_VERSIONS
"""The packages Groundwire stands in for, and the release of each whose API it has."""

PACKAGE: Final = "groundwire"


class AliasFinder(MetaPathFinder):
    """Finds `flask.x` in `groundwire.flask.x`, `werkzeug.x` in `groundwire.werkzeug.x`.

    It stands first among the finders, and answers for every name below the two: there is no way past it to a package
    that happens to be installed.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how `fullname` is loaded if it is `flask`, `werkzeug` or below them, else None.

        Raises:
            ModuleNotFoundError: Groundwire has no such module.
            ImportError: ``from flask import x`` named what is neither in the package nor a module of it.
        """
        if _is_aliased(fullname):
            ours = _spec_of(f"{PACKAGE}.{fullname}")
            if ours is None:
                raise ModuleNotFoundError(
                    f"Groundwire has no module {fullname!r}, and it stands in for {_package(fullname)!r} here "
                    "(groundwire.as_flask)",
                    name=fullname,
                )
            is_package = ours.submodule_search_locations is not None
            return ModuleSpec(
                fullname, AliasLoader(ours.name), origin=ours.origin, is_package=is_package
            )
        package, dot, rest = fullname.partition(".")
        # `from flask import x` looks for a module `x` under the package's own name before it gives up.
        if (
            dot and package == PACKAGE and "." in rest and _is_aliased(rest)
        ) and PathFinder.find_spec(fullname, path) is None:
            within, _, name = rest.rpartition(".")
            raise ImportError(
                f"cannot import name {name!r} from {within!r}: Groundwire has none, "
                f"and it stands in for {_package(rest)!r} here (groundwire.as_flask)",
                name=rest,
            )
        return None

    def find_distributions(
        self, context: importlib.metadata.DistributionFinder.Context | None = None
    ) -> Iterator[importlib.metadata.Distribution]:
        """Yield what ``importlib.metadata.version("flask")`` reads; lists of what is installed stay as they are."""
        name = (context.name or "").lower() if context is not None else ""
        if name in ALIASED:
            yield AliasDistribution(name)


class AliasLoader(Loader):
    """Hands over the module of Groundwire under its other name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the one module there is, loaded if it was not."""
        module = importlib.import_module(self.name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module the specification back that the import system has just replaced."""
        module.__spec__ = self._own_spec

    def get_code(self, fullname: str) -> CodeType | None:
        """Return what ``python -m flask`` runs."""
        own = _spec_of(self.name)
        loader: Any = None if own is None else own.loader
        return None if loader is None else cast("CodeType | None", loader.get_code(self.name))


class AliasDistribution(importlib.metadata.Distribution):
    """The metadata of a package Groundwire stands in for: its name and version."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read_text(self, filename: str) -> str | None:
        """Return the content of the file METADATA; there are no others."""
        if filename != "METADATA":
            return None
        return (
            f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {ALIASED[self._name]}\n"
            "Summary: Groundwire, in place of the package of this name\n"
        )

    def locate_file(self, path: str | os.PathLike[str]) -> Any:
        """Return where a file of the distribution is: in Groundwire's folder."""
        from pathlib import Path

        return Path(__file__).parent / path


def install() -> None:
    """Alias the two packages; once is enough, more does no harm.

    Raises:
        ImportError: a real one has been imported already. The message names the importer.
    """
    for name in ALIASED:
        module = sys.modules.get(name)
        if module is not None and module.__name__ != f"{PACKAGE}.{name}":
            raise ImportError(
                f"the real {name} ({getattr(module, '__file__', None) or 'of unknown origin'}) is already imported"
                f"{_importer_of(name)}; import groundwire.as_flask before that, "
                "or start the program with: groundwire run --as-flask TARGET",
                name=name,
            )
    if not is_installed():
        sys.meta_path.insert(0, AliasFinder())
        keep_threads()
    for name in ALIASED:
        # What the packages bring with them is aliased at once: programs look for `sys.modules["flask.cli"]`.
        importlib.import_module(name)
    for fullname, module in list(sys.modules.items()):
        alias = fullname.removeprefix(f"{PACKAGE}.")
        if alias != fullname and _is_aliased(alias):
            sys.modules.setdefault(alias, module)


def is_installed() -> bool:
    """Whether `flask` and `werkzeug` are Groundwire's in this process."""
    return any(isinstance(finder, AliasFinder) for finder in sys.meta_path)


def _spec_of(name: str) -> ModuleSpec | None:
    package = importlib.import_module(name.rpartition(".")[0])
    return PathFinder.find_spec(name, getattr(package, "__path__", ()))


def _is_aliased(fullname: str) -> bool:
    return _package(fullname) in ALIASED


def _package(fullname: str) -> str:
    return fullname.partition(".")[0]


def _importer_of(package: str) -> str:
    """Say which module imported a package, as far as can be told: the one in `sys.modules` nearest before it.

    A module enters `sys.modules` when its import begins, so the importer of a package stands before it, and what it
    imported is among its names.
    """
    before: list[str] = []
    after: list[str] = []
    found = before
    for name, module in list(sys.modules.items()):
        if _is_aliased(name):
            if _package(name) == package:
                found = after
        elif _package(name) != PACKAGE and _holds_aliased(module):
            found.append(name)
    for name in [*reversed(before), *after][:1]:
        filename = getattr(sys.modules[name], "__file__", None)
        return f" by {name}" + (f" ({filename})" if filename else "")
    return " (by what, is not to be seen)"


def _holds_aliased(module: object) -> bool:
    """Whether something of either package is among a module's names: Flask's `request` is an object of Werkzeug's."""
    for value in list(getattr(module, "__dict__", {}).values()):
        # The value itself is not asked: a proxy may raise, or import what it stands for.
        kind = type(cast(object, value))
        if issubclass(kind, ModuleType):
            origin = value.__dict__.get("__name__")
        elif issubclass(kind, type | FunctionType):
            origin = value.__module__
        else:
            origin = kind.__module__
        if isinstance(origin, str) and _is_aliased(origin):
            return True
    return False


install()
