"""From what was typed after `groundwire run` to the application that is meant.

What may be typed::

    hello.py                a file
    hello                   a module that can be imported from here
    hello:api               the name of an application in it (hello.py:api too)
    hello:make("test")      a call of a function in it that returns one; arguments are literals

Without a name it is what `groundwire.app.locating` finds. What the program raises is told in a line and the lines of
its own that led there.
"""

import importlib
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from ..app import locating
from ..app.applications import as_handler, described
from ..app.commands import ScriptInfo
from ..app.environment import variable
from ..app.locating import NoAppException, NoSuchModule
from .errors import CannotStart

DEFAULT_FILES: Final = ("wsgi.py", "app.py", "hello.py")
"""What is run when nothing is named; the first two are Flask's."""

TARGET_VARIABLE: Final = "APP"
"""Behind the prefix ``GROUNDWIRE_`` or ``FLASK_``."""

_SHOWN_FRAMES: Final = 5


class Application(NamedTuple):
    """An application that was found."""

    handler: Any
    """What the server calls: a `Handler`."""

    value: Any
    """What was found in the module: the handler itself, or the WSGI or ASGI application it runs."""

    name: str
    """As messages name it, for example ``hello:app``."""


class Program(ScriptInfo):
    """Knows the application of a command line of Groundwire's.

    What was typed is a target, and debug mode is left to the program unless a variable or an option says something.
    """

    def __init__(self) -> None:
        super().__init__()
        self._application: Application | None = None

    @property
    def name(self) -> str:
        """The name of the application, once it is loaded."""
        return self._application.name if self._application is not None else ""

    def is_unnamed(self) -> bool:
        """Whether neither an option nor a variable nor a file in the current folder says what to run."""
        if self._application or self.app_import_path or variable(TARGET_VARIABLE):
            return False
        return not any(Path(name).is_file() for name in DEFAULT_FILES)

    def choose(self, target: str | None) -> None:
        """Have `target` be the application's; None leaves what there is."""
        if target is not None:
            self.app_import_path = target

    def load_application(self) -> Application:
        """Import the program and find the application in it, of whatever kind.

        Raises:
            CannotStart: there is none, or the program failed.
        """
        if self._application is None:
            try:
                self._application = load_application(self.app_import_path)
            except NoAppException as error:
                raise CannotStart(error.message, error.details) from error
        return self._application

    def load_app(self) -> Any:
        """Return the application, which has to be Groundwire's.

        Raises:
            CannotStart: it is not, there is none, or the program failed.
        """
        self.set_debug_flag = variable("DEBUG") is not None
        return super().load_app()

    def find_app(self) -> Any:
        """As `load_app`, the first time."""
        application = self.load_application()
        if not hasattr(application.value, "cli"):
            raise CannotStart(f"{application.name} is no application of Groundwire's")
        return application.value


def load_application(target: str | None) -> Application:
    """Import what `target` names and find the application in it.

    Raises:
        NoAppException: there is none, or the program failed while it was imported.
    """
    place, expression = split_target(target or variable(TARGET_VARIABLE) or _default_target())
    return application_of(_import(place), expression, place)


def application_of(module: ModuleType, expression: str, place: str) -> Application:
    """Find the application in a module: what `expression` stands for, or without one the best there is.

    Raises:
        NoAppException: there is none, or the factory failed that should have made it.
    """
    try:
        if expression:
            value, found = locating.find_named(module, expression, place, _can_be_served)
        else:
            value, found = locating.find_unnamed(module, place, _can_be_served)
    except NoAppException:
        raise
    except (Exception, SystemExit) as error:
        called = expression.partition("(")[0] or _factory_name(module)
        raise failure(f"{place}:{called}() failed", error) from error
    handler = as_handler(value)
    if handler is None:
        raise NoAppException(
            f"{place}:{found} is {described(value)}, and not an application; "
            "name one that is, such as app = Groundwire(__name__)"
        )
    return Application(handler, value, f"{module.__name__}:{found}")


def _can_be_served(value: Any) -> bool:
    return as_handler(value) is not None


def _factory_name(module: ModuleType) -> str:
    return next(name for name in locating.FACTORY_NAMES if hasattr(module, name))


def _default_target() -> str:
    for name in DEFAULT_FILES:
        if Path(name).is_file():
            return name
    *names, last = DEFAULT_FILES
    raise NoAppException(
        f"no application was named, and there is no {', '.join(names)} or {last} in {os.getcwd()}; "
        "try: groundwire run FILE.py"
    )


def split_target(text: str) -> tuple[str, str]:
    """Split a target at the colon behind its file or module, which is not that of a Windows drive.

    Raises:
        NoAppException: one of the two is missing.
    """
    place, colon, expression = text.partition(":")
    if colon and len(place) == 1 and expression[:1] in ("\\", "/"):
        rest, colon, expression = expression.partition(":")
        place = f"{place}:{rest}"
    if not place or (colon and not expression):
        raise NoAppException(
            f"{text!r} names no application; write it as FILE.py, MODULE or MODULE:NAME"
        )
    return place, expression.strip()


def is_file_name(place: str) -> bool:
    """Whether the first part of a target is the path of a file, and not the name of a module."""
    return place.endswith(".py") or "/" in place or os.sep in place or place in (".", "..")


def _import(place: str) -> ModuleType:
    path = Path(place)
    is_file = is_file_name(place)
    module_name, folder = _module_of_file(path, place) if is_file else (place, Path.cwd())
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module: ModuleType = locating.import_module(module_name)
    except NoSuchModule as error:
        raise NoAppException(
            f"there is no module {module_name!r} to be imported from {folder}; a file is named with its .py"
        ) from error
    except (Exception, SystemExit) as error:
        raise failure(f"{place} cannot be imported", error) from error
    found = getattr(module, "__file__", None)
    if (
        is_file
        and found
        and path.resolve() not in (Path(found).resolve(), Path(found).resolve().parent)
    ):
        raise NoAppException(
            f"{place!r} has the name of another module, {found}, which Python loads in its place; rename it"
        )
    return module


def _module_of_file(path: Path, place: str) -> tuple[str, Path]:
    """Return the name a file is imported by, and the folder it is imported from."""
    resolved = path.resolve()
    if resolved.is_dir():
        if not (resolved / "__init__.py").is_file():
            raise NoAppException(f"{place!r} is a folder without __init__.py; name the file in it")
    else:
        check_file(path)
    name, folder = locating.name_and_folder(resolved)
    for part in name.split("."):
        if not part.isidentifier():
            raise NoAppException(
                f"{place!r} cannot be imported: {part!r} is not a name in Python; rename it"
            )
    return name, folder


def check_file(path: Path) -> None:
    """See that there is a file.

    Raises:
        NoAppException: there is none.
    """
    if not path.is_file():
        where = path.parent if path.is_absolute() else Path.cwd() / path.parent
        raise NoAppException(
            f"there is no file {path.name!r} in {where.resolve()}; name one that is"
        )


def failure(what: str, error: BaseException) -> NoAppException:
    """Describe an exception of the program by its last line and the program's own frames."""
    summary = "".join(traceback.format_exception_only(error)).strip().splitlines()
    if isinstance(error, ModuleNotFoundError) and error.name == "flask":
        summary[0] += " (run --as-flask gives it Groundwire in place of flask)"
    if isinstance(error, SyntaxError):
        where = f"{_shown_path(error.filename or '?')}, line {error.lineno}"
        return NoAppException(f"{what}: {summary[-1]} ({where})", details="\n".join(summary[1:-1]))
    if isinstance(error, SystemExit):
        summary = [f"it ended the process with status {error.code!r}"]
    own_folder = str(Path(__file__).parent)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<frozen ", own_folder))
        and frame.filename not in (importlib.__file__, locating.__file__)
    ]
    lines: list[str] = []
    for frame in frames[-_SHOWN_FRAMES:]:
        lines.append(f"  {_shown_path(frame.filename)}, line {frame.lineno}, in {frame.name}")
        if frame.line:
            lines.append(f"    {frame.line}")
    return NoAppException(f"{what}: {summary[0]}", details="\n".join(lines))


def _shown_path(filename: str) -> str:
    relative = os.path.relpath(filename) if os.path.isabs(filename) else filename
    return filename if relative.startswith("..") else relative
