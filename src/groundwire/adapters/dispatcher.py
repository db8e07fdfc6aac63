"""Several WSGI applications as one, each below a path of its own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any


class DispatcherMiddleware:
    """A WSGI application that hands a request to the application mounted at the longest beginning of its path.

    To that application the path begins behind where it is mounted; ``SCRIPT_NAME`` has the rest, so that it builds
    URLs to itself.

    Args:
        app: gets what belongs to none of `mounts`.
        mounts: paths (``"/api"``: with a slash at the start, none at the end) and their applications.

    (Flask: "Application Dispatching". Werkzeug: ``werkzeug.middleware.dispatcher.DispatcherMiddleware``.)
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        mounts: Mapping[str, Callable[..., Iterable[bytes]]] | None = None,
    ) -> None:
        self.app = app
        self.mounts = mounts or {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        end = len(path)
        # The whole path first, then without its last name, and so on; at last what stands before the first slash.
        while path[:end] not in self.mounts and (slash := path.rfind("/", 0, end)) >= 0:
            end = slash
        app = self.mounts.get(path[:end], self.app)
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + path[:end]
        environ["PATH_INFO"] = path[end:]
        return app(environ, start_response)
