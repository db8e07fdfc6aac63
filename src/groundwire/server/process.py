"""One process that serves: it picks the event loop, obeys signals, and speaks to its operator."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal

from .addresses import ListeningSockets, scheme_of
from .errors import StartError
from .observer import Observer
from .server import AnyHandler, Server
from .settings import ServerSettings
from .sink import Sink
from .version import version

logger = logging.getLogger("groundwire")

LoopChoice = Literal["auto", "uvloop", "asyncio"]

LOOP_VARIABLE: Final = "GROUNDWIRE_LOOP"

SWITCH_SECONDS: Final = 0.001
"""How long a thread may keep the interpreter from the event loop. With Python's own 5 ms a thread
that computes adds 13 ms to the slowest hundredth of all other requests; with this, under 5."""

SAME_MESSAGES_PER_SECOND: Final = 10

CANNOT_START: Final = 2

# A traceback has line feeds and tabs of its own; whatever else could steer a terminal came from a peer.
_CONTROLS: Final = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029)
    if code not in (0x09, 0x0A)
}


def run(
    handler: AnyHandler,
    settings: ServerSettings | None = None,
    *,
    name: str = "",
    loop: LoopChoice | None = None,
    announce: Callable[[Server], None] | None = None,
    listening: ListeningSockets | None = None,
    observer: Observer | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit status for the process.

    The first signal stops gracefully, the second at once. Outside the main thread no signal comes;
    there `Server.request_stop`, called by what `announce` was given, ends it.

    Args:
        handler: what answers.
        settings: where and how.
        name: what to call the application in the message that it is served.
        loop: the event loop; by default what the variable ``GROUNDWIRE_LOOP`` says, otherwise
            uvloop where it is installed.
        announce: called once the server accepts connections; by default `announce_on_stderr`.
        listening: sockets that are listening already, to serve on in place of what `settings` say.
        observer: who watches the server's connections, if anybody does.

    Returns:
        0 after a graceful stop, even one that its bound cut short; 128 and the signal's number when
        a second signal ended it; 2 when it could not start, which stderr then says in one line.
    """
    diagnostics = log_to_stderr()
    received: list[int] = []
    server = Server(handler, settings, listening=listening, observer=observer)
    try:
        make_loop = loop_factory(loop or os.environ.get(LOOP_VARIABLE) or "auto")
        server.open()
        sys.setswitchinterval(SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=make_loop) as runner:

            def ready() -> None:
                freeze_memory()
                _obey_signals(server, received)
                if announce is not None:
                    announce(server)
                else:
                    announce_on_stderr(server, name)

            runner.run(server.serve(ready))
    except StartError as error:
        sys.stderr.write(f"groundwire: {error}\n")
        return CANNOT_START
    except Exception:
        if server.has_started:
            raise
        sys.stderr.write("groundwire: the application could not start:\n")
        traceback.print_exc()
        return CANNOT_START
    except KeyboardInterrupt:  # before signals were ours to handle
        return 128 + signal.SIGINT
    finally:
        if diagnostics is not None:
            logger.removeHandler(diagnostics)
            diagnostics.close()
    return 128 + received[1] if len(received) > 1 else 0


def freeze_memory() -> None:
    """Leave what exists by now out of garbage collections, for it lives as long as the process.

    Left to the collector, each full collection would hold the loop for milliseconds to find that out again.
    """
    gc.collect()
    gc.freeze()


def announce_on_stderr(server: Server, name: str = "") -> None:
    """Say where clients find the server, and how to end it; warn where debug mode is on."""
    what = name or str(getattr(server.handler, "name", ""))
    debug = getattr(server.handler, "debug", False)
    announce(what, server.url, server.settings, debug=debug, note=note_of(server))


def note_of(server: Server) -> str:
    """Return what a server's observer has to say to the operator; empty: nothing, or there is none."""
    return "" if server.observer is None else server.observer.announcement(server)


def announce(
    name: str,
    url: str,
    settings: ServerSettings,
    *,
    debug: bool = False,
    workers: int = 1,
    note: str = "",
) -> None:
    """Say on standard error where clients find what, and how to end it; warn where debug mode is on.

    Args:
        name: what is served.
        url: where.
        settings: the server's.
        debug: whether debug mode is on.
        workers: how many processes serve.
        note: a line more.
    """
    place = url
    if settings.unix is None and settings.host in ("", "*", "0.0.0.0", "::"):
        place = f"every address of this machine, here {place}"
    if workers > 1:
        place = f"{place} with {workers} workers"
    text = f"Groundwire {version()} serves {name or 'requests'} on {place} (Ctrl+C stops)\n"
    if note:
        text += f"{note}\n"
    if debug:
        warning = "Debug mode: errors show source code on this machine. Never use it in production."
        coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        text += f"\x1b[1;97;41m {warning} \x1b[0m\n" if coloured else f"{warning}\n"
    sys.stderr.write(text)
    sys.stderr.flush()


def loop_factory(choice: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the event loop named by `choice`: ``auto``, ``uvloop`` or ``asyncio``.

    Raises:
        StartError: it is another name, or uvloop is asked for and not installed.
    """
    if choice not in ("auto", "uvloop", "asyncio"):
        raise StartError(f"there is no event loop {choice!r}; choose auto, uvloop or asyncio")
    if choice != "asyncio":
        try:
            import uvloop
        except ImportError as error:
            if choice == "uvloop":
                raise StartError(
                    "uvloop is not installed; pip install uvloop, or choose asyncio"
                ) from error
        else:
            return uvloop.new_event_loop
    return asyncio.new_event_loop


def _obey_signals(server: Server, received: list[int]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return

    def obey(number: int, _frame: object = None) -> None:
        received.append(number)
        if len(received) == 1:
            logger.info("stopping gracefully; the same again stops at once")
        server.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            server.loop.add_signal_handler(number, obey, number)
        except NotImplementedError:  # Windows
            signal.signal(number, obey)
    if scheme_of(server.settings) == "https" and hasattr(signal, "SIGHUP"):
        server.loop.add_signal_handler(signal.SIGHUP, server.reload_certificates)


class DiagnosticsHandler(logging.Handler):
    """Writes log records without ever waiting for who reads them, and no message without end."""

    def __init__(self, sink: Sink, prefix: str = "") -> None:
        super().__init__()
        self._sink = sink
        self._second = 0
        self._seen: Counter[tuple[int, object]] = Counter()
        self.setFormatter(logging.Formatter(f"{prefix}%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless ten with the same message have been written in this second."""
        try:
            second = int(time.monotonic())
            if second != self._second:
                self._second = second
                self._seen.clear()
            kind = (record.levelno, record.msg)
            self._seen[kind] += 1
            if self._seen[kind] <= SAME_MESSAGES_PER_SECOND:
                text = self.format(record).translate(_CONTROLS) + "\n"
                self._sink.write(text.encode("utf-8", "backslashreplace"))
        except Exception:  # noqa: BLE001 - as logging does: a log that fails must not stop a server
            self.handleError(record)

    def close(self) -> None:
        """Write what still fits, and end."""
        self._sink.close()
        super().close()


def log_to_stderr(prefix: str = "") -> DiagnosticsHandler | None:
    """Show the server's own messages, where the program has not said what becomes of them.

    Args:
        prefix: what each begins with, such as which of several processes says it.
    """
    if logger.handlers or logging.getLogger().handlers:
        return None
    handler = DiagnosticsHandler(Sink.to_stderr(), prefix)
    logger.addHandler(handler)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    return handler
