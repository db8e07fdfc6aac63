"""Runs one program for a lesson, in a process of its own: ``python -P child.py SECONDS FILE``.

The program may be anything that listens: a file with an accept loop, with ``app.run()``, or with an application that
nobody has served yet. Wherever it says that it wants to listen, it gets a free port of 127.0.0.1, and this process
tells which one, in a line on standard output. What the program prints goes to standard error.

It ends when standard input does, that is, with the process that started it, and after SECONDS in any case.

This is a script and imports nothing of Groundwire's before the program has run, so that a program on plain sockets
starts in no time, and would not notice that it is a lesson's.
"""

import os
import socket
import sys
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def main(seconds: float, file: str) -> None:
    """Run `file` as ``python FILE`` does, and serve the application in it if it has not served by itself."""
    report = os.dup(1)
    os.dup2(2, 1)
    end_with_parent(seconds)
    listen_where_it_is_free(report)
    path = Path(file).absolute()
    module = ModuleType("__main__")
    module.__dict__.update(__file__=str(path), __builtins__=__builtins__)
    sys.modules["__main__"] = module
    sys.argv = [file]
    sys.path.insert(0, str(path.parent))
    try:
        exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), module.__dict__)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown as Python shows it
        frames = error.__traceback__
        # Without the line above, which is none of the program's.
        traceback.print_exception(error.with_traceback(frames.tb_next if frames else None))
        sys.exit(1)
    # Whoever was asked to listen and came back has served to the end.
    if not listened.is_set():
        serve_application_of(module, file)


def end_with_parent(seconds: float) -> None:
    """End this process when the one that started it closes our standard input, or is gone, or after `seconds`."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
    timer = threading.Timer(seconds, os._exit, [0])
    timer.daemon = True
    timer.start()


listened = threading.Event()


def listen_where_it_is_free(report: int) -> None:
    """Have every socket listen on loopback, on a free port, and write the number of the first port to `report`."""
    bind, listen = socket.socket.bind, socket.socket.listen

    def bind_on_loopback(self: socket.socket, address: Any) -> None:
        if self.family in LOOPBACK:
            address = (LOOPBACK[self.family], 0)
        bind(self, address)

    def listen_and_tell(self: socket.socket, *backlog: int) -> None:
        listen(self, *backlog)
        if self.family == socket.AF_INET and not listened.is_set():
            listened.set()
            os.write(report, b"%d\n" % self.getsockname()[1])

    for name, function in (("bind", bind_on_loopback), ("listen", listen_and_tell)):
        setattr(socket.socket, name, function)


def serve_application_of(module: ModuleType, file: str) -> None:
    """Find the application in `module` and serve it, or say why not and end."""
    from groundwire.app.locating import NoAppException
    from groundwire.cli.target import application_of
    from groundwire.server.errors import StartError
    from groundwire.server.process import run
    from groundwire.server.settings_table import configuration_of, server_settings

    try:
        application = application_of(module, "", file)
        given = {"host": "127.0.0.1", "access_log": "off"}
        settings = server_settings(given, configuration_of(application.value))
    except (NoAppException, StartError) as error:
        sys.exit(f"{file} neither listens nor has an application that can be served: {error}")
    # Where it listens is told by whoever has started this.
    sys.exit(run(application.handler, settings, announce=lambda _: None))


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
