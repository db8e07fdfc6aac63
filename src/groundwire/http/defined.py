"""Where a function of a program is written: its name, file, line and source, through whatever wraps it."""

import inspect
import linecache
from functools import lru_cache, partial
from types import CodeType
from typing import Any, Final, Literal, NamedTuple, cast

SOURCE_LINES: Final = 80
"""Lines of a function that are shown."""

LINE_CHARACTERS: Final = 400
"""Of one of them."""

PACKAGE: Final = f"{__name__.partition('.')[0]}."

LOCAL: Final = "<locals>."
"""What stands in the name of a function that is defined in another."""


class Place(NamedTuple):
    """Where a function is written."""

    name: str
    """As one reads it in the file: ``UserView.get``, or ``index`` where that is defined in another function."""

    file: str
    """Empty for what is not written in Python."""

    line: int
    """Its first line, decorators included, from 1; 0 where there is none."""


def place_of(function: Any, method: str = "GET") -> Place:
    """Return where `function` is written.

    Args:
        function: a function, a method, a class, an object that can be called, or what wraps one of these:
            `functools.partial`, what `functools.wraps` made, or what `View.as_view` returned.
        method: the request's, by which a view that is a class answers.
    """
    try:
        return _place_of(function, method)
    except TypeError:  # it cannot be hashed
        return _place_of.__wrapped__(function, method)


@lru_cache(512)
def _place_of(function: Any, method: str) -> Place:
    written = innermost(function, method)
    code = code_of(written)
    if code is not None:
        return Place(_name_of(written), code.co_filename, code.co_firstlineno)
    if inspect.isclass(written):
        try:
            file = inspect.getsourcefile(written) or ""
            return Place(_name_of(written), file, inspect.getsourcelines(written)[1])
        except (OSError, TypeError):
            pass
    return Place(_name_of(written), "", 0)


def innermost(function: Any, method: str = "GET") -> Any:
    """Return the function that a person wrote, behind what wraps it; arguments as `place_of`'s."""
    kind: Any = getattr(function, "view_class", None)
    dispatches = getattr(kind, "dispatch_request", None)
    if dispatches is not None:
        function = _method_of(kind, method) or dispatches
    for _ in range(100):  # whatever wraps itself
        if isinstance(function, partial):
            function = function.func
        elif (wrapped := getattr(function, "__wrapped__", None)) is not None:
            function = wrapped
        elif inspect.ismethod(function):
            function = function.__func__
        else:
            break
    if code_of(function) is None and not inspect.isclass(function):
        kind = cast("Any", type(function))
        call = getattr(kind, "__call__", None)  # noqa: B004 - the method itself
        if code_of(call) is not None:
            return call
    return function


def _method_of(kind: Any, method: str) -> Any:
    """Return what answers requests of `method` in a view that is a class; None where one function answers all."""
    if not str(kind.dispatch_request.__module__).startswith(PACKAGE):
        return None  # the program's own
    found = getattr(kind, method.lower(), None)
    return getattr(kind, "get", None) if found is None and method == "HEAD" else found


def code_of(function: Any) -> CodeType | None:
    """Return the code of a function written in Python; None of anything else."""
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _name_of(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return str(name or type(function).__qualname__).rpartition(LOCAL)[2]


def source_of(function: Any, method: str = "GET") -> tuple[list[str], int]:
    """Return the first `SOURCE_LINES` lines of a function, and how many there are more; arguments as `place_of`'s.

    No lines where the file is not to be had.
    """
    written = innermost(function, method)
    try:
        code = code_of(written)
        if code is not None:
            # The file may have changed since it was read.
            linecache.checkcache(code.co_filename)
        lines = inspect.getsourcelines(written)[0]
    except (OSError, TypeError, IndexError, SyntaxError):
        return [], 0
    shown = [line.rstrip("\r\n")[:LINE_CHARACTERS] for line in lines[:SOURCE_LINES]]
    return shown, max(0, len(lines) - SOURCE_LINES)


def described(
    function: Any, *, runs: Literal["inline", "thread", "loop"], reason: str, method: str = "GET"
) -> dict[str, Any]:
    """Return what is known of a function that answers, in what JSON can hold.

    Args:
        function: the function; see `place_of`.
        runs: where: at once, in a pool thread, or as a coroutine on the event loop.
        reason: why there.
        method: the request's.
    """
    place = place_of(function, method)
    source, more = source_of(function, method)
    return {
        "name": place.name,
        "file": place.file,
        "line": place.line,
        "source": source,
        "source_left_out": more,
        "runs": runs,
        "reason": reason,
    }
