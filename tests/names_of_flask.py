"""The table of Flask's API, derived from the Flask that is installed and never written by hand."""

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final, TypeVar, get_origin

import flask

NOT_A_PACKAGE: Final = ["flask.sansio.app", "flask.sansio.blueprints", "flask.sansio.scaffold"]
"""Their folder has no `__init__`, so nobody finds them by walking."""

MODULES: Final = sorted(
    ["flask", *NOT_A_PACKAGE]
    + [
        found.name
        for found in pkgutil.walk_packages(flask.__path__, "flask.")
        if found.name != "flask.__main__"
    ]
)


def is_foreign(module: str) -> bool:
    """Tell whether a module comes from neither the standard library nor Flask."""
    return module.partition(".")[0] not in {*sys.stdlib_module_names, "flask"}


def own_names(module: ModuleType) -> Iterator[str]:
    """Yield the public names that a module of Flask defines, or takes from a package that is no standard library's.

    What it takes belongs to the table because extensions import it from there: Flask-Login takes `Namespace` from
    `flask.signals`, flask-smorest takes `Rule` from `flask.app`.
    """
    for node in ast.parse(inspect.getsource(module)).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case ast.ImportFrom(level=level, module=source) if level or is_foreign(str(source)):
                names = [alias.asname or alias.name for alias in node.names]
            case _:
                names = []
        for name in names:
            value = getattr(module, name)
            if not name.startswith("_") and not isinstance(value, TypeVar | ModuleType):
                yield name


NAMES: Final = [
    (module, name) for module in MODULES for name in own_names(importlib.import_module(module))
]
DEFINED: Final = [
    (module, name)
    for module, name in NAMES
    if getattr(getattr(importlib.import_module(module), name), "__module__", None) == module
]


def is_class(value: Any) -> bool:
    return inspect.isclass(value) and get_origin(value) is None


CLASSES: Final = [
    (module, name)
    for module, name in DEFINED
    if is_class(getattr(importlib.import_module(module), name))
]
MEMBERS: Final = [
    (module, name, member)
    for module, name in CLASSES
    for member in sorted(vars(getattr(importlib.import_module(module), name)))
    if not member.startswith("_")
]
