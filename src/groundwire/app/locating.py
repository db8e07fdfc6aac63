"""From the name of a file or module, and of something in it, to the application that is meant.

Without a name it is, in this order: ``app``, ``application``, the only application in the module,
``create_app()`` or ``make_app()``. This is Flask's order, https://flask.palletsprojects.com/en/stable/cli/.

What the program itself raises, while it is imported or in a factory, goes through to the caller.
"""

import ast
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from .applications import can_be_called, described, is_application

APPLICATION_NAMES: Final = ("app", "application")
FACTORY_NAMES: Final = ("create_app", "make_app")

Accepts = Callable[[Any], bool]


class NoAppException(click.UsageError):
    """No application can be found or loaded. The message says why and what to do.

    Attributes:
        details: lines of the program's own traceback, or nothing.
    """

    def __init__(
        self, message: str, ctx: click.Context | None = None, *, details: str = ""
    ) -> None:
        super().__init__(message, ctx)
        self.details = details

    def format_message(self) -> str:
        """Return the message with its details, as commands show it."""
        return f"{self.message}\n\n{self.details}" if self.details else self.message


class NoSuchModule(NoAppException):
    """The module itself is not there, unlike one that it imports."""


# Importing.


def prepare_import(path: str) -> str:
    """Return the name a file or module is imported by, and see to it that it can be.

    What a package it may lie in is imported from goes to the front of `sys.path`. The file need not exist.
    """
    name, folder = name_and_folder(Path(os.path.realpath(path)))
    if sys.path[0] != str(folder):
        sys.path.insert(0, str(folder))
    return name


def name_and_folder(path: Path) -> tuple[str, Path]:
    """Return the dotted name of a module by its file, or its file without ``.py``, and where that name begins."""
    if path.suffix == ".py":
        path = path.with_suffix("")
    if path.name == "__init__":
        path = path.parent
    parts = [path.name]
    folder = path.parent
    while (folder / "__init__.py").is_file():  # a module of a package is imported as such
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def import_module(name: str) -> Any:
    """Import a module.

    Raises:
        NoSuchModule: there is none of that name.
        Exception: whatever the program raises.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise NoSuchModule(
                f"Could not import {name!r}: there is no such module in {sys.path[0] or os.getcwd()} or wherever else"
                " Python looks."
            ) from error
        raise


def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> Any:
    """Import a module and return the application in it: by name, or the best there is.

    Returns:
        The application; None if there is no such module and that is not to be raised.

    Raises:
        NoAppException: there is no such module, it imports what is not there, or it has no such application.
    """
    try:
        module = import_module(module_name)
    except NoSuchModule:
        if raise_if_not_found:
            raise
        return None
    except ImportError as error:
        raise NoAppException(
            f"While importing {module_name!r}, an ImportError was raised:",
            details=traceback.format_exc(),
        ) from error
    return find_best_app(module) if app_name is None else find_app_by_string(module, app_name)


# Finding.


def find_best_app(module: Any) -> Any:
    """Return the application of a module that nobody has named.

    Raises:
        NoAppException: there is none, or more than one.
    """
    return find_unnamed(module, module.__name__)[0]


def find_app_by_string(module: Any, app_name: str) -> Any:
    """Return the application that a name, dotted name or call with literal arguments stands for in a module.

    Raises:
        NoAppException: it stands for none.
    """
    value, found = find_named(module, app_name.strip(), module.__name__)
    if not is_application(value):
        raise NoAppException(
            f"'{module.__name__}:{found}' is {described(value)}, and not an application of Groundwire."
        )
    return value


def find_unnamed(module: Any, place: str, accepts: Accepts = is_application) -> tuple[Any, str]:
    """Return the application of a module that nobody has named, and its name.

    Args:
        module: what to look in.
        place: what messages call it.
        accepts: tells of a value whether it is what is looked for under the usual names.

    Raises:
        NoAppException: there is none, or more than one.
    """
    for name in APPLICATION_NAMES:
        value = getattr(module, name, None)
        if accepts(value):
            return value, name
    applications: dict[int, tuple[str, Any]] = {}
    defined: dict[str, Any] = module.__dict__
    for name, value in defined.items():
        if is_application(value):
            applications.setdefault(id(value), (name, value))
    if len(applications) > 1:
        names = [name for name, _ in applications.values()]
        raise NoAppException(
            f"{place} has {len(names)} applications ({', '.join(names)}); choose one: {place}:{names[0]}"
        )
    for name, value in applications.values():
        return value, name
    for name in FACTORY_NAMES:
        factory = getattr(module, name, None)
        if inspect.isfunction(factory):
            value = _call(factory, (), {}, f"{place}:{name}")
            if not accepts(value):
                raise NoAppException(
                    f"{place}:{name}() returned what is {described(value)}, and not an application"
                )
            return value, f"{name}()"
    raise NoAppException(
        f"{place} has no application: there is no app, application, other instance of Groundwire, "
        f"create_app() or make_app() in it; name it as {place}:NAME"
    )


def find_named(
    module: Any, expression: str, place: str, accepts: Accepts = is_application
) -> tuple[Any, str]:
    """Return what a name, dotted name, or call with literal arguments stands for in a module, and how it is called.

    A factory may be named without its ().

    Raises:
        NoAppException: it stands for nothing. (Whether what it stands for is an application is not looked at.)
    """
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError:
        node = None
    call = node if isinstance(node, ast.Call) else None
    path = _dotted_name(call.func if call is not None else node)
    if not path:
        raise NoAppException(
            f"{expression!r} is neither a name nor a call with plain values; write {place}:NAME or {place}:NAME()"
        )
    value: Any = module
    for name in path:
        try:
            value = getattr(value, name)
        except AttributeError as error:
            raise NoAppException(
                f"{place} has no {'.'.join(path)!r}; {_suggested(module, place)}"
            ) from error
    shown = f"{place}:{'.'.join(path)}"
    if call is not None:
        try:
            args = [ast.literal_eval(argument) for argument in call.args]
            kwargs = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
        except ValueError as error:
            raise NoAppException(
                f"the arguments in {expression!r} have to be plain values"
            ) from error
        return _call(value, args, kwargs, shown), expression
    if not accepts(value) and inspect.isfunction(value) and can_be_called(value, 0):
        return _call(value, (), {}, shown), f"{expression}()"
    return value, expression


def _dotted_name(node: ast.expr | None) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        outer = _dotted_name(node.value)
        return [*outer, node.attr] if outer else []
    return []


def _suggested(module: Any, place: str) -> str:
    defined: dict[str, Any] = module.__dict__
    names = [name for name, value in defined.items() if is_application(value)]
    if names:
        return f"it has {', '.join(names)}: write {place}:{names[0]}"
    return "name an application that is in it"


def _call(function: Callable[..., Any], args: Any, kwargs: dict[str, Any], shown: str) -> Any:
    if not callable(function):
        raise NoAppException(
            f"{shown} is {described(function)}, and cannot be called; leave the () out"
        )
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise NoAppException(
            f"{shown}() cannot be called so: {error}; give its arguments as plain values"
        ) from error
    except ValueError:  # a function of C may have no signature
        pass
    return function(*args, **kwargs)
