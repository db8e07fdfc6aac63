"""`--reload` and ``app.run(debug=True)``: how this program is started again, and what is shown while it cannot be.

`groundwire.server.reloader` does the rest.
"""

import contextlib
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import Any, Final

from markupsafe import Markup

from ..http.handler import ContentPolicy
from ..http.request import Request as PlainRequest
from ..server.addresses import ListeningSockets, open_sockets
from ..server.channel import Message
from ..server.file_watch import FileWatch, is_of_program, stamps
from ..server.process import announce_on_stderr
from ..server.reloader import Reloaded, Reloader
from ..server.server import Server
from ..server.settings import ServerSettings
from .debug_pages import FIELDS, STYLE, is_shown_to
from .debug_traceback import message_of, sections, title_of
from .wrappers import Request, Response

STARTER: Final = "groundwire.app.reloaded"
"""The module that starts a program in a child."""

RELOADER_SECONDS: Final = 0.25
"""How often files are looked at, unless somebody says otherwise. Werkzeug's reloader looks once a second."""

PAGE: Final = Markup(
    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>{title}</title>\n"
    "<meta name=viewport content='width=device-width'>\n<style>{style}</style>\n"
    "<h1>{title}</h1>\n<p class=message>{message}</p>\n"
    "<p>The program cannot be started so. Save a change, and load this page again.</p>\n{sections}\n"
    "<footer>Shown because the program is run with --reload, and only on the machine that runs it.</footer>\n</html>\n"
)

ELSEWHERE: Final = (
    "The program cannot be started at the moment. The terminal it runs in says why.\n"
)


class Process:
    """What this process knows of reloading.

    Attributes:
        reloaded: its end of the way to its parent, if a reloader has started it.
        has_told: whether the parent knows why the program cannot be started.
        program: how to start it again, as `program_of_this_process` returns it; a command that runs a program in its
            own process says so.
    """

    def __init__(self) -> None:
        self.reloaded: Reloaded | None = None
        self.has_told = False
        self.program: tuple[str, ...] | None = None


process = Process()


def program_of_this_process() -> tuple[str, ...] | None:
    """Return how this process's program was started: ``file`` or ``module``, its name, and arguments.

    None if it cannot be started again, as what was typed at a prompt.
    """
    if process.program is not None:
        return process.program
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return "module", spec.name.removesuffix(".__main__"), *sys.argv[1:]
    file = getattr(main, "__file__", None)
    if not file or not os.path.isfile(file):
        return None
    return "file", os.path.abspath(file), *sys.argv[1:]


def why_not() -> str | None:
    """Return why this program cannot be reloaded; None if it can."""
    if os.name == "nt":
        return "there is no reloader on Windows"
    if threading.current_thread() is not threading.main_thread():
        return "only the main thread can reload"
    if "_pytest" in sys.modules:
        return "tests are not started again"
    if program_of_this_process() is None:
        return "what was not started from a file cannot be reloaded"
    return None


def is_to_begin() -> bool:
    """Tell whether this process, which is to reload, has to become the parent now; say why where it cannot."""
    if process.reloaded is not None:
        return False
    reason = why_not()
    if reason is not None:
        sys.stderr.write(f"groundwire: changes are not looked for: {reason}\n")
    return reason is None


def of_child(name: str = "") -> dict[str, Any]:
    """Return what `server.process.run` is told besides in a child, the first time: the sockets, and whom to tell.

    Args:
        name: of the application, as the first child announces it.
    """
    reloaded = process.reloaded
    if reloaded is None or reloaded.has_served:
        return {}
    listening = reloaded.take_sockets()
    if listening is None:
        return {}

    def announce(server: Server) -> None:
        reloaded.serving(server)
        if reloaded.generation == 1:
            announce_on_stderr(server, name)

    return {"listening": listening, "announce": announce}


def run_reloading(
    settings: ServerSettings,
    *,
    opens_sockets: bool = True,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    interval_seconds: float = RELOADER_SECONDS,
    waits: bool = False,
) -> int:
    """Start this program in a child, and anew after each change; return the exit status for the process.

    Args:
        settings: where it listens.
        opens_sockets: whether the sockets are opened here, or by the program each time.
        include: more files, folders or patterns to watch.
        exclude: patterns of files not to watch.
        interval_seconds: how often files are looked at.
        waits: whether a program that cannot be started the first time is waited for; otherwise that is the end.

    Raises:
        StartError: the address cannot be listened on.
    """
    program = program_of_this_process()
    assert program is not None  # `why_not` says so
    listening: ListeningSockets | None = open_sockets(settings) if opens_sockets else None
    watch = FileWatch(include, exclude)
    if program[0] == "file":
        watch.add(stamps([program[1]]))
    # The options of Python itself, such as -X dev and -W.
    flags: Callable[[], list[str]] = getattr(subprocess, "_args_from_interpreter_flags", list[str])
    command: list[str] = [*flags(), "-m", STARTER, *program]
    return Reloader(
        command, settings, listening, failure_handler, watch, interval_seconds, waits=waits
    ).run()


def failure_handler(told: Message) -> "FailureHandler":
    """Return what answers while the program cannot be started, of what its child said of the error."""
    return FailureHandler(str(told.get("page") or simple_page(told.get("title", ""), "")))


class FailureHandler:
    """Answers every request with why the program cannot be started.

    Only clients on this machine are shown more than that it cannot.
    """

    request_class: type[PlainRequest] = Request

    def __init__(self, page: str) -> None:
        self._page = page

    def handle(self, request: Any) -> Response:
        """Answer 500: 503 would have clients ask again by themselves."""
        if not is_shown_to(request):
            return Response(ELSEWHERE, 500, mimetype="text/plain")
        response = Response(self._page, 500)
        for name, value in FIELDS.items():
            response.headers[name] = value
        return response

    def content_policy(self, request: PlainRequest) -> ContentPolicy:
        """Receive no more content than is discarded unread."""
        return ContentPolicy(whole=False)

    def startup(self) -> None:
        """Nothing has to be made ready."""

    def shutdown(self) -> None:
        """Nothing has to be given back."""


def tell_failure(error: BaseException) -> None:
    """Tell the parent why the program could not be started."""
    reloaded = process.reloaded
    if reloaded is None or process.has_told:
        return
    process.has_told = True
    cause = cause_of(error)
    reloaded.failed(files_of(cause), title=title_of(cause), page=page_of(error))


@contextlib.contextmanager
def telling_failures() -> Generator[None]:
    """Tell the parent of what is raised in the block: a command is going to end with no more than a status."""
    try:
        yield
    except Exception as error:
        tell_failure(error)
        raise


def cause_of(error: BaseException) -> BaseException:
    """Return the error a person has to mend: behind the end of a command there is the program's own."""
    while isinstance(error, SystemExit) or hasattr(error, "format_message"):
        behind = error.__cause__ or error.__context__
        if behind is None:
            break
        error = behind
    # `NoAppException` tells in a line of what the program raised, which is its cause.
    return error.__cause__ if hasattr(error, "details") and error.__cause__ else error


def of_program(where: TracebackType | None) -> TracebackType | None:
    """Return a traceback without what led to the program, as Python would have shown it."""
    while where is not None and not is_of_program(where.tb_frame.f_code.co_filename):
        where = where.tb_next
    return where


def page_of(error: BaseException) -> str:
    """Return the page that shows why the program could not be started."""
    cause = cause_of(error)
    if isinstance(cause, SystemExit):
        return simple_page("The program ended", f"It ended the process with status {cause.code!r}.")
    if hasattr(cause, "details") or hasattr(cause, "format_message"):
        return simple_page("No application", str(getattr(cause, "message", "") or cause))
    own = cause.with_traceback(of_program(cause.__traceback__))
    return _page(title_of(own), message_of(own), sections(own))


def simple_page(title: str, message: str) -> str:
    """Return the page for an error of which nothing more is known."""
    return _page(title, message, Markup("<p>The terminal may say more.</p>"))


def _page(title: str, message: str, shown: Markup) -> str:
    return PAGE.format(title=title, message=message, sections=shown, style=Markup(STYLE))


def files_of(error: BaseException | None) -> set[str]:
    """Return the files that an error leads through: what failed is in no list of modules."""
    files: set[str] = set()
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, SyntaxError) and error.filename and os.path.isfile(error.filename):
            files.add(os.path.abspath(error.filename))
        for frame in traceback.extract_tb(error.__traceback__):
            if os.path.isfile(frame.filename):
                files.add(os.path.abspath(frame.filename))
        error = error.__cause__ or error.__context__
    return files
