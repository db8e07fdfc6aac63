"""Where an error was raised, as HTML: the chain of errors, and of each the frames with their source.

The innermost frame comes first, since that is where one looks. Frames of the program are open, those of libraries, and
of Groundwire itself, are folded away between them.
"""

import linecache
import os
import sysconfig
import traceback
from collections.abc import Iterator
from itertools import groupby, islice
from types import CodeType, TracebackType
from typing import Final, NamedTuple, cast

from markupsafe import Markup

from .masking import masked_passwords

CONTEXT_LINES: Final = 5
MAX_LINE: Final = 400
MAX_MESSAGE: Final = 4_000
MAX_TEXT: Final = 100_000
MAX_FRAMES: Final = 60
"""Frames that are shown of one error, half of them from each end: endless recursion has a thousand."""

MAX_ERRORS: Final = 20
"""Errors that are shown of a chain or a group."""


class Frame(NamedTuple):
    """A frame as it was when the error went through it."""

    file: str
    line: int
    function: str
    columns: tuple[int, int] | None = None
    """The part of the line that was being run, in octets of its UTF-8 form."""


def title_of(error: BaseException) -> str:
    """Return the name of an error's class, with its module unless it is built in."""
    kind = type(error)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def message_of(error: BaseException) -> str:
    """Return what an error says, no longer than can be read, and whatever its own method does."""
    try:
        text = str(error)
        notes: list[str] = [str(note) for note in getattr(error, "__notes__", ())]
    except Exception as failure:  # noqa: BLE001 - the program's own code
        return f"(its message cannot be shown: {type(failure).__name__})"
    return masked_passwords(shortened("\n".join([text or "(no message)", *notes]), MAX_MESSAGE))


def shortened(text: str, length: int) -> str:
    """Return the beginning of a text that is longer than `length`, and how much is missing."""
    missing = len(text) - length
    return text if missing <= 0 else f"{text[:length]}… ({missing:,} characters more)"


def text_of(error: BaseException) -> str:
    """Return the traceback as text, to be copied."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as failure:  # noqa: BLE001 - an error's own code
        text = f"(the traceback cannot be shown: {type(failure).__name__})"
    return masked_passwords(shortened(text, MAX_TEXT))


def sections(error: BaseException) -> Markup:
    """Write the error, what led to it, and, of a group, the errors in it."""
    return Markup("\n").join(
        [
            Markup("<section>\n<h2>{how}</h2>\n{message}{frames}\n</section>").format(
                how=how,
                message="" if current is error else _heading(current),
                frames=_frames(current),
            )
            for how, current in islice(related(error), MAX_ERRORS)
        ]
    )


def related(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Iterate over the error, the errors of its group, and what led to each; with each, how it came about."""
    seen: set[int] = set()
    waiting: list[tuple[str, BaseException]] = [("Where it was raised", error)]
    while waiting:
        how, current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield how, current
        if current.__cause__ is not None:
            waiting.append(("Caused by", current.__cause__))
        elif current.__context__ is not None and not current.__suppress_context__:
            waiting.append(("Raised while this was being handled", current.__context__))
        if isinstance(current, BaseExceptionGroup):
            inner = cast("BaseExceptionGroup[BaseException]", current).exceptions
            waiting.extend(
                (f"In the group: {index} of {len(inner)}", each)
                for index, each in reversed([*enumerate(inner, 1)])
            )


def _heading(error: BaseException) -> Markup:
    return Markup("<h3>{name}</h3>\n<p class=message>{message}</p>\n").format(
        name=title_of(error), message=message_of(error)
    )


# Frames


def frames_of(error: BaseException) -> list[Frame]:
    """Return the frames an error went through, the innermost first."""
    frames: list[Frame] = []
    step: TracebackType | None = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        columns = _columns(code, step.tb_lasti)
        frame = Frame(code.co_filename, step.tb_lineno, code.co_qualname, columns)
        if code.co_qualname == "<module>" != code.co_name:
            # Jinja puts a frame in the place of a template's, with its name and line, but not its columns.
            frame = frame._replace(function=code.co_name, columns=None)
        frames.append(frame)
        step = step.tb_next
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        # It was raised by the compiler; what is wrong is in a file that was never run.
        frames.append(Frame(error.filename, error.lineno, "(not run)"))
    return frames[::-1]


def _columns(code: CodeType, instruction: int) -> tuple[int, int] | None:
    if instruction < 0:
        return None
    nowhere = (None, None, None, None)
    line, end_line, start, end = next(islice(code.co_positions(), instruction // 2, None), nowhere)
    if start is None or end is None or line != end_line:
        return None
    return start, end


def is_of_program(file: str) -> bool:
    """Tell whether a source file is the program's own: neither Python's, nor a library's, nor Groundwire's."""
    if file.startswith("<frozen"):
        return False
    path = os.path.abspath(file)
    if path.startswith(_PACKAGE) and not path.startswith(_DEMO):
        return False
    return not any(path.startswith(folder) for folder in _LIBRARIES) and (
        f"{os.sep}site-packages{os.sep}" not in path
    )


_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_DEMO: Final = os.path.join(_PACKAGE, "demo") + os.sep
_LIBRARIES: Final = tuple(
    sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def _frames(error: BaseException) -> Markup:
    frames = frames_of(error)
    left_out = len(frames) - MAX_FRAMES
    if left_out > 0:
        half = MAX_FRAMES // 2
        parts = [
            _frame_list(frames[:half]),
            Markup("<p class=quiet>{:,} frames more</p>").format(left_out),
            _frame_list(frames[-half:]),
        ]
        return Markup("\n").join(parts)
    return _frame_list(frames)


def _frame_list(frames: list[Frame]) -> Markup:
    """Write frames in a row; those of libraries that follow each other are folded into one."""
    written: list[Markup] = []
    for own, group in groupby(frames, key=lambda frame: is_of_program(frame.file)):
        some = [*group]
        if own:
            written.extend(_frame(frame, opened=True) for frame in some)
        elif len(some) == 1:
            written.append(_frame(some[0], opened=False))
        else:
            written.append(
                Markup(
                    "<details class=folded><summary>{count} frames of libraries</summary>\n{frames}\n</details>"
                ).format(
                    count=len(some),
                    frames=Markup("\n").join([_frame(frame, opened=False) for frame in some]),
                )
            )
    return Markup("\n").join(written)


def _frame(frame: Frame, *, opened: bool) -> Markup:
    return Markup(
        "<details class=frame{opened}><summary><b>{function}</b> <span>{file}:{line}</span></summary>{source}</details>"
    ).format(
        opened=Markup(" open") if opened else "",
        file=shown_path(frame.file),
        line=frame.line,
        function=frame.function,
        source=_source(frame),
    )


def _source(frame: Frame) -> Markup:
    first = max(1, frame.line - CONTEXT_LINES)
    rows: list[Markup] = []
    for number in range(first, frame.line + CONTEXT_LINES + 1):
        line = linecache.getline(frame.file, number)
        if not line:
            if number <= frame.line:
                return Markup("<p class=quiet>Its source is not at hand.</p>")
            break
        line = line.rstrip()
        if number != frame.line:
            rows.append(Markup("<i>{:5}</i>  {}\n").format(number, _shown_line(line)))
        else:
            marked = _marked(line, frame.columns)
            rows.append(Markup("<mark><i>{:5}</i>  {}\n</mark>").format(number, marked))
    return Markup("<pre>{}</pre>").format(Markup("").join(rows))


def _marked(line: str, columns: tuple[int, int] | None) -> Markup:
    """Write the line of an error, with the part that was being run marked, unless that is all of it."""
    if columns is not None and len(line) <= MAX_LINE:
        octets = line.encode("utf-8", "surrogatepass")
        before, part, after = (
            piece.decode("utf-8", "replace")
            for piece in (
                octets[: columns[0]],
                octets[columns[0] : columns[1]],
                octets[columns[1] :],
            )
        )
        if part and (before.strip() or after.strip()):
            return Markup("{}<u>{}</u>{}").format(*map(masked_passwords, (before, part, after)))
    return Markup("{}").format(_shown_line(line))


def _shown_line(line: str) -> str:
    return masked_passwords(shortened(line, MAX_LINE))


def shown_path(path: str) -> str:
    """Return a path relative to the working directory where it is below that, as an editor's terminal can open it."""
    try:
        return path.removeprefix(os.getcwd() + os.sep)
    except OSError:  # the working directory is gone
        return path
