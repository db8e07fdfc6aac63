"""An application on Groundwire's server, started as on Werkzeug's (https://werkzeug.palletsprojects.com/serving/).

`groundwire.werkzeug.serving` is this very module, and `Groundwire.run` looks `run_simple` up on it: a program that
replaces ``werkzeug.serving.run_simple`` is obeyed.
"""

import asyncio
import dataclasses
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from ..server.errors import StartError
from ..server.observer import Observer
from ..server.process import loop_factory
from ..server.process import run as run_server
from ..server.server import Server
from ..server.settings import ServerSettings
from ..server.settings_table import (
    configuration_of,
    from_configuration,
    from_variables,
    server_settings,
)
from .applications import as_handler
from .reloading import RELOADER_SECONDS, is_to_begin, of_child, process, run_reloading

if TYPE_CHECKING:
    from ..server.worker import Worker


class CommandLine:
    """What the command was told that runs this program, as ``python FILE`` would; it wins over what the program says.

    Attributes:
        settings: fields of `ServerSettings`.
        debug: whether debug mode was turned on or off.
        reload: likewise, the reloader.
        watch: what `run_reloading` is told of files.
        has_served: whether the program has served by itself.
    """

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.debug: bool | None = None
        self.reload: bool | None = None
        self.watch: dict[str, Any] = {}
        self.has_served = False


command_line = CommandLine()
"""Of this process."""

UNIX: Final = "unix://"
"""What begins a host that is the path of a Unix socket."""

PASSED_OVER: Final = frozenset(
    {"use_debugger", "use_evalex", "passthrough_errors", "request_handler", "reloader_type"}
)
"""Options of Werkzeug's server without a meaning here. (An app in debug mode shows its errors.)"""

_SHUTDOWN_SECONDS: Final = 5.0


def run_simple(
    hostname: str,
    port: int,
    application: Any,
    use_reloader: bool = False,
    *,
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    reloader_interval: float = RELOADER_SECONDS,
    threaded: bool = False,
    processes: int = 1,
    static_files: Any = None,
    ssl_context: Any = None,
    **settings: Any,
) -> None:
    """Serve an application until it is interrupted.

    The server is the same as `groundwire run`'s; it is fit for production.

    Args:
        hostname: name or address to listen on, or ``unix://`` and a path.
        port: port to listen on; 0 takes a free one.
        application: a Groundwire, WSGI or ASGI application.
        use_reloader: whether the program is started anew when its files change. Then this process does that, and
            does not return: the program serves in a child.
        extra_files: other files, folders or patterns to watch.
        exclude_patterns: patterns of files not to watch.
        reloader_interval: how often files are looked at, in seconds, where watchfiles is not installed.
        threaded: False has one pool thread make all answers that may wait, one after the other.
        processes: 1.
        static_files: None; an app's `static_folder` is for that.
        ssl_context: an `ssl.SSLContext`, the files of a certificate and its key, or ``adhoc`` for a certificate that is
            made on the spot (which needs the package trustme). None: plain HTTP.
        settings: fields of `ServerSettings`; Werkzeug's others (`PASSED_OVER`) are taken and mean nothing.

    Raises:
        TypeError: the port is no number, or a setting is unknown.
        SystemExit: the server could not start, and standard error says why; or a second signal ended it.
    """
    if not isinstance(port, int):
        raise TypeError(f"port must be an integer, not {port!r}")
    try:
        _refuse(processes=processes, static_files=static_files)
        settings = {**_tls_settings(ssl_context), **settings}
        chosen = _settings(hostname, port, threaded, settings, configuration_of(application))
        handler = _handler(application)
        reload = use_reloader if command_line.reload is None else command_line.reload
        if reload and is_to_begin():
            watch: dict[str, Any] = {
                "include": tuple(extra_files or ()),
                "exclude": tuple(exclude_patterns or ()),
                "interval_seconds": reloader_interval,
            }
            raise SystemExit(run_reloading(chosen, **(command_line.watch or watch)))
    except StartError as error:
        sys.stderr.write(f"groundwire: {error}\n")
        raise SystemExit(2) from error
    command_line.has_served = True
    if command_line.debug is not None and hasattr(handler, "debug"):
        handler.debug = command_line.debug
    name = str(getattr(application, "name", ""))
    observer = inspector_for(handler, chosen)
    status = run_server(handler, chosen, name=name, observer=observer, **of_child(name))
    if status:
        raise SystemExit(status)


def run_with_reloader(
    main_func: Callable[[], None],
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    interval: float = RELOADER_SECONDS,
    reloader_type: str = "auto",
) -> None:
    """Call `main_func`, which serves, in a child of this process, and in another one after each change.

    (Werkzeug: ``werkzeug._reloader.run_with_reloader``.)

    Raises:
        SystemExit: in this process.
    """
    if is_to_begin():
        raise SystemExit(
            run_reloading(
                ServerSettings(),
                opens_sockets=False,
                include=tuple(extra_files or ()),
                exclude=tuple(exclude_patterns or ()),
                interval_seconds=interval,
            )
        )
    if process.reloaded is not None:
        process.reloaded.serving()
    main_func()


def is_running_from_reloader() -> bool:
    """Tell whether a reloader has started this process (WERKZEUG_RUN_MAIN)."""
    return os.environ.get("WERKZEUG_RUN_MAIN") == "true"


def inspector_for(
    handler: Any, settings: ServerSettings, worker: "Worker | None" = None
) -> Observer | None:
    """Return the inspector of a server, if it is to have one: where it is asked for, or in debug mode.

    Args:
        handler: what is served.
        settings: the server's.
        worker: what serves it beside others; None: this process alone does.
    """
    if not settings.watches(debug=bool(getattr(handler, "debug", False))):
        return None
    # PERF: 30 ms, which only those pay who look.
    from ..inspector.opening import ShownInspector

    if worker is None:
        return ShownInspector(settings)
    return ShownInspector(settings, worker=worker.number, channel=worker.channel)


class BaseWSGIServer:
    """A server that a program starts and stops itself, in a thread of its own for example: see `make_server`.

    It listens from the moment it is made; clients wait until `serve_forever`.

    Args:
        host: as for `run_simple`.
        port: as for `run_simple`.
        app: a Groundwire, WSGI or ASGI application.
        handler: taken for Werkzeug's sake, as `passthrough_errors`.
        passthrough_errors: see `handler`.
        ssl_context: as for `run_simple`.
        threaded: as for `run_simple`.
        settings: fields of `ServerSettings`.

    Attributes:
        port: the port it listens on, also when 0 was asked for; `server_port` is the same.

    Raises:
        StartError: it cannot listen there, or not so.
    """

    multiprocess = False
    ssl_context = None

    def __init__(
        self,
        host: str,
        port: int,
        app: Any,
        handler: type[Any] | None = None,
        passthrough_errors: bool = False,
        ssl_context: Any = None,
        *,
        threaded: bool = False,
        **settings: Any,
    ) -> None:
        self.ssl_context = ssl_context
        settings = {**_tls_settings(ssl_context), **settings}
        self.app = app
        self.host = host
        self.multithread = threaded
        self.passthrough_errors = passthrough_errors
        chosen = _settings(host, port, threaded, settings, configuration_of(app))
        served = _handler(app)
        self._server = Server(served, chosen, observer=inspector_for(served, chosen))
        self._server.open()
        self.port = self.server_port = self._server.port or 0
        self.server_address = (host, self.port)
        self._lock = threading.Lock()
        self._serving = False
        self._stop_asked = False
        self._ended = threading.Event()

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until `shutdown` is called in another thread, or Ctrl+C."""
        try:
            with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
                runner.run(self._server.serve(self._ready))
        except KeyboardInterrupt:
            pass
        finally:
            self._ended.set()

    def shutdown(self) -> None:
        """Have `serve_forever` end, once what is being answered has been, and wait for that."""
        with self._lock:
            self._stop_asked = True
            if self._serving:
                self._server.request_stop()
        self._ended.wait(self._server.settings.graceful_seconds + _SHUTDOWN_SECONDS)

    def server_close(self) -> None:
        """Stop listening, if it was never started."""
        self._server.close()

    def log_startup(self) -> None:
        """Say where it is to be found."""
        sys.stderr.write(f"Groundwire listens on {self._server.url}\n")

    def __enter__(self) -> "BaseWSGIServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.server_close()

    def _ready(self) -> None:
        with self._lock:
            self._serving = True
            if self._stop_asked:
                self._server.request_stop()


class ThreadedWSGIServer(BaseWSGIServer):
    """One whose answers are made by several threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, threaded=True, **kwargs)


class WSGIRequestHandler:
    """A name that programs set attributes of, or make a subclass of, to change how Werkzeug's server speaks and logs.

    Groundwire's server has no object of the kind. It speaks HTTP/1.1, and its access log is an option of its own.
    """

    protocol_version = "HTTP/1.1"


def make_server(
    host: str,
    port: int,
    app: Any,
    threaded: bool = False,
    processes: int = 1,
    request_handler: type[Any] | None = None,
    passthrough_errors: bool = False,
    ssl_context: Any = None,
    fd: int | None = None,
) -> BaseWSGIServer:
    """Make a server that listens; call its `serve_forever`, and `shutdown` from another thread.

    Args: as `run_simple`'s.

    Raises:
        StartError: it cannot listen there, or not so.
    """
    _refuse(processes=processes, fd=fd)
    make: Callable[..., BaseWSGIServer] = ThreadedWSGIServer if threaded else BaseWSGIServer
    return make(host, port, app, request_handler, passthrough_errors, ssl_context)


def _refuse(**given: Any) -> None:
    reasons = {
        "processes": "one process serves, with as many threads as threads=N says",
        "static_files": "give the app a static_folder",
        "fd": "Groundwire opens its sockets itself; say host and port",
    }
    for name, value in given.items():
        if value is not None and not (name == "processes" and value == 1):
            raise StartError(f"{name}={value!r} cannot be: {reasons[name]}")


def _tls_settings(ssl_context: Any) -> dict[str, Any]:
    if ssl_context is None:
        return {}
    if ssl_context == "adhoc":
        return {"tls_dev": True}
    if isinstance(ssl_context, tuple | list):
        given = cast("Iterable[Any]", ssl_context)
        files: list[str] = [str(file) for file in given if file is not None]
        return {"cert": tuple(files[:1]), "key": tuple(files[1:])}
    return {"ssl_context": ssl_context}


def _handler(application: Any) -> Any:
    handler = as_handler(application)
    if handler is None:
        raise StartError(f"{application!r} is neither a Groundwire nor a WSGI or ASGI application")
    return handler


def _settings(
    hostname: str,
    port: int,
    threaded: bool,
    settings: dict[str, Any],
    config: Mapping[str, Any] | None,
) -> ServerSettings:
    """Make the settings: what the program says wins over variables, and these over its configuration."""
    known = {field.name for field in dataclasses.fields(ServerSettings)}
    given = {name: value for name, value in settings.items() if name not in PASSED_OVER}
    for name in given:
        if name not in known:
            raise TypeError(f"there is no setting {name!r}")
    chosen: dict[str, Any] = {"host": hostname, "port": port, **_logged_as_asked()}
    if hostname.startswith(UNIX):
        chosen = {**chosen, "host": "localhost", "unix": hostname.removeprefix(UNIX)}
    if not threaded:
        chosen["threads"] = 1
    said = {
        # Where a program is written, a debugger stops it.
        "request_timeout_seconds": 0,
        **(from_configuration(config) if config else {}),
        **from_variables(os.environ),
    }
    return server_settings({**said, **chosen, **given, **command_line.settings})


def _logged_as_asked() -> dict[str, str]:
    """Leave the access log off where a program has silenced Werkzeug's, which goes by logger."""
    log = logging.getLogger("werkzeug")
    return {"access_log": "off"} if log.disabled or log.level > logging.INFO else {}
