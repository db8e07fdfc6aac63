"""From what was typed after `groundwire run` to the application that is meant.

What may be typed::

    hello.py                a file
    hello                   a module that can be imported from here
    hello:api               the name of an application in it (hello.py:api too)
    hello:make("test")      a call of a function in it that returns one; arguments are literals

Without a name it is, in this order: ``app``, ``application``, the only application in the module,
``create_app()`` or ``make_app()``. This is Flask's order, https://flask.palletsprojects.com/en/stable/cli/.
"""

import ast
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

APPLICATION_NAMES: Final = ("app", "application")
FACTORY_NAMES: Final = ("create_app", "make_app")
DEFAULT_FILES: Final = ("app.py", "wsgi.py", "hello.py")
"""What is run when nothing is named."""

TARGET_VARIABLE: Final = "GROUNDWIRE_APP"

_SHOWN_FRAMES: Final = 5


class TargetError(Exception):
    """No application can be got from a target. The message says why and what to do.

    Attributes:
        details: lines of the program's own traceback, or nothing.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class Application(NamedTuple):
    """An application that was found."""

    handler: Any
    """What the server calls: a `Handler`."""

    value: Any
    """What was found in the module: the handler itself, or the WSGI or ASGI application it runs."""

    name: str
    """As messages name it, for example ``hello:app``."""


def load_application(target: str | None) -> Application:
    """Import what `target` names and find the application in it.

    Raises:
        TargetError: there is none, or the program failed while it was imported.
    """
    text = target or os.environ.get(TARGET_VARIABLE) or _default_target()
    place, expression = _split(text)
    module = _import(place)
    if expression:
        value, found = _evaluate(module, expression, place), expression
    else:
        value, found = _find(module, place)
    handler = as_handler(value)
    if handler is None and inspect.isfunction(value) and _takes(value, 0):
        # As Flask's command: a factory may be named without its ().
        value = _call(value, (), {}, f"{place}:{found}")
        found = f"{found}()"
        handler = as_handler(value)
    if handler is None:
        raise TargetError(
            f"{place}:{found} is {_described(value)}, and not an application; "
            "name one that is, such as app = Groundwire(__name__)"
        )
    return Application(handler, value, f"{module.__name__}:{found}")


def as_handler(value: Any) -> Any:
    """Return what the server can call for `value`; None if that is no application of any kind.

    A WSGI application runs as it is, and an ASGI application, which is known by being async. So does a function,
    ``def`` or ``async def``, of nothing but a ``request``.
    """
    if is_application(value):
        return value
    if not callable(value) or isinstance(value, type):
        return None
    application: Any = value
    if _takes_request(value):
        from ..server.server import CallableHandler

        return CallableHandler(application)
    called: Any = value if inspect.isfunction(value) else type(value).__call__
    if inspect.iscoroutinefunction(called):
        from ..adapters.asgi import ASGIHandler

        return ASGIHandler(application)
    if not _takes(value, 2):
        return None
    from ..adapters.wsgi import WSGIHandler

    return WSGIHandler(application)


def is_application(value: object) -> bool:
    """Whether `value` is a `Handler`, as each `Groundwire` is."""
    # The type is asked first: `request` and its like, imported by every other module, answer questions about
    # themselves with an error outside a request.
    kind = type(value)
    return callable(getattr(kind, "handle", None)) and hasattr(value, "request_class")


def _default_target() -> str:
    for name in DEFAULT_FILES:
        if Path(name).is_file():
            return name
    raise TargetError(
        f"no application was named, and there is no {' or '.join(DEFAULT_FILES)} in {os.getcwd()}; "
        "try: groundwire run FILE.py"
    )


def _split(text: str) -> tuple[str, str]:
    """Split a target at the colon behind its file or module, which is not that of a Windows drive."""
    place, colon, expression = text.partition(":")
    if colon and len(place) == 1 and expression[:1] in ("\\", "/"):
        rest, colon, expression = expression.partition(":")
        place = f"{place}:{rest}"
    if not place or (colon and not expression):
        raise TargetError(
            f"{text!r} names no application; write it as FILE.py, MODULE or MODULE:NAME"
        )
    return place, expression.strip()


# Importing.


def _import(place: str) -> ModuleType:
    path = Path(place)
    is_file = (
        place.endswith(".py") or "/" in place or os.sep in place or place in (os.curdir, os.pardir)
    )
    module_name, folder = _module_of_file(path, place) if is_file else (place, Path.cwd())
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name == missing or module_name.startswith(f"{missing}."):
            raise TargetError(
                f"there is no module {module_name!r} to be imported from {folder}; a file is named with its .py"
            ) from error
        raise _failed(f"{place} cannot be imported", error) from error
    except (Exception, SystemExit) as error:
        raise _failed(f"{place} cannot be imported", error) from error
    found = getattr(module, "__file__", None)
    if (
        is_file
        and found
        and path.resolve() not in (Path(found).resolve(), Path(found).resolve().parent)
    ):
        raise TargetError(
            f"{place!r} has the name of another module, {found}, which Python loads in its place; rename it"
        )
    return module


def _module_of_file(path: Path, place: str) -> tuple[str, Path]:
    """Return the name a file is imported by, and the folder it is imported from."""
    resolved = path.resolve()
    if resolved.is_dir():
        if not (resolved / "__init__.py").is_file():
            raise TargetError(f"{place!r} is a folder without __init__.py; name the file in it")
    elif not resolved.is_file():
        where = path.parent if path.is_absolute() else Path.cwd() / path.parent
        raise TargetError(f"there is no file {path.name!r} in {where.resolve()}; name one that is")
    if resolved.name == "__init__.py":
        resolved = resolved.parent
    parts = [resolved.stem]
    folder = resolved.parent
    while (folder / "__init__.py").is_file():  # a module of a package is imported as such
        parts.insert(0, folder.name)
        folder = folder.parent
    for part in parts:
        if not part.isidentifier():
            raise TargetError(
                f"{place!r} cannot be imported: {part!r} is not a name in Python; rename it"
            )
    return ".".join(parts), folder


def _failed(what: str, error: BaseException) -> TargetError:
    """Describe an exception of the program by its last line and the program's own frames."""
    summary = "".join(traceback.format_exception_only(error)).strip().splitlines()
    if isinstance(error, SyntaxError):
        where = f"{_shown_path(error.filename or '?')}, line {error.lineno}"
        return TargetError(f"{what}: {summary[-1]} ({where})", "\n".join(summary[1:-1]))
    if isinstance(error, SystemExit):
        summary = [f"it ended the process with status {error.code!r}"]
    own_folder = str(Path(__file__).parent)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<frozen ", own_folder))
        and frame.filename != importlib.__file__
    ]
    lines: list[str] = []
    for frame in frames[-_SHOWN_FRAMES:]:
        lines.append(f"  {_shown_path(frame.filename)}, line {frame.lineno}, in {frame.name}")
        if frame.line:
            lines.append(f"    {frame.line}")
    return TargetError(f"{what}: {summary[0]}", "\n".join(lines))


def _shown_path(filename: str) -> str:
    relative = os.path.relpath(filename) if os.path.isabs(filename) else filename
    return filename if relative.startswith("..") else relative


# Finding.


def _find(module: ModuleType, place: str) -> tuple[Any, str]:
    names = vars(module)
    for name in APPLICATION_NAMES:
        if as_handler(names.get(name)) is not None:
            return names[name], name
    applications: dict[int, str] = {}
    for name, value in names.items():
        if is_application(value):
            applications.setdefault(id(value), name)
    if len(applications) > 1:
        choices = ", ".join(applications.values())
        first = next(iter(applications.values()))
        raise TargetError(
            f"{place} has {len(applications)} applications ({choices}); choose one: {place}:{first}"
        )
    for name in applications.values():
        return names[name], name
    for name in FACTORY_NAMES:
        if inspect.isfunction(names.get(name)):
            return _call(names[name], (), {}, f"{place}:{name}"), f"{name}()"
    raise TargetError(
        f"{place} has no application: there is no app, application, other instance of Groundwire, "
        f"create_app() or make_app() in it; name it as {place}:NAME"
    )


def _evaluate(module: ModuleType, expression: str, place: str) -> Any:
    """Return what a name, dotted name, or call with literal arguments stands for in a module."""
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError:
        node = None
    call = node if isinstance(node, ast.Call) else None
    named = call.func if call is not None else node
    path = _dotted_name(named)
    if not path:
        raise TargetError(
            f"{expression!r} is neither a name nor a call with plain values; write {place}:NAME or {place}:NAME()"
        )
    value: Any = module
    for name in path:
        try:
            value = getattr(value, name)
        except AttributeError as error:
            raise TargetError(
                f"{place} has no {'.'.join(path)!r}; {_suggested(module, place)}"
            ) from error
    if call is None:
        return value
    try:
        args = [ast.literal_eval(argument) for argument in call.args]
        kwargs = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    except ValueError as error:
        raise TargetError(f"the arguments in {expression!r} have to be plain values") from error
    return _call(value, args, kwargs, f"{place}:{'.'.join(path)}")


def _dotted_name(node: ast.expr | None) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        outer = _dotted_name(node.value)
        return [*outer, node.attr] if outer else []
    return []


def _suggested(module: ModuleType, place: str) -> str:
    names = [name for name, value in vars(module).items() if is_application(value)]
    if names:
        return f"it has {', '.join(names)}: write {place}:{names[0]}"
    return "name an application that is in it"


def _call(function: Callable[..., Any], args: Any, kwargs: dict[str, Any], shown: str) -> Any:
    if not callable(function):
        raise TargetError(
            f"{shown} is {_described(function)}, and cannot be called; leave the () out"
        )
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise TargetError(
            f"{shown}() cannot be called so: {error}; give its arguments as plain values"
        ) from error
    except ValueError:  # a function of C may have no signature
        pass
    try:
        return function(*args, **kwargs)
    except (Exception, SystemExit) as error:
        raise _failed(f"{shown}() failed", error) from error


def _takes(function: Any, positional: int) -> bool:
    try:
        inspect.signature(function).bind(*range(positional))
    except (TypeError, ValueError):
        return False
    return True


def _takes_request(value: Any) -> bool:
    """Whether `value` is a function of one argument, named so that no factory is mistaken for it."""
    return inspect.isfunction(value) and list(inspect.signature(value).parameters) == ["request"]


def _described(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if inspect.isfunction(value):
        return "a function"
    return f"of type {type(value).__name__}"
