"""Where a WSGI application spends its time: `ProfilerMiddleware`."""

import cProfile
import os
import pstats
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO, Any


class ProfilerMiddleware:
    """A WSGI application around another that writes a table of its calls for each request.

    For development: it takes the application's content whole, and answers one request after the other, because an
    interpreter has one profiler.

    Args:
        app: the application.
        stream: where the table is written; None for nowhere.
        sort_by: by which columns (`pstats.Stats.sort_stats`).
        restrictions: which lines (`pstats.Stats.print_stats`).
        profile_dir: a folder for the whole profile of each request, for other tools to read.
        filename_format: the file's name, from ``method``, ``path``, ``elapsed`` (milliseconds) and ``time``, or a
            function of the environ, where they are under ``werkzeug.profiler``.

    (Werkzeug: ``werkzeug.middleware.profiler.ProfilerMiddleware``.)
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        stream: IO[str] | None = sys.stdout,
        sort_by: Iterable[str] = ("time", "calls"),
        restrictions: Iterable[str | int | float] = (),
        profile_dir: str | None = None,
        filename_format: str
        | Callable[[dict[str, Any]], str] = "{method}.{path}.{elapsed:.0f}ms.{time:.0f}.prof",
    ) -> None:
        self.app = app
        self.stream = stream
        self.sort_by = tuple(sort_by)
        self.restrictions = tuple(restrictions)
        self.profile_dir = profile_dir
        self.filename_format = filename_format
        self._one_at_a_time = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        pieces: list[bytes] = []

        def call() -> None:
            content = self.app(environ, catching_start_response)
            try:
                pieces.extend(content)
            finally:
                close = getattr(content, "close", None)
                if close is not None:
                    close()

        def catching_start_response(*args: Any) -> Callable[[bytes], None]:
            start_response(*args)
            return pieces.append

        with self._one_at_a_time:
            profile = cProfile.Profile()
            started = time.perf_counter()
            profile.runcall(call)
            elapsed = time.perf_counter() - started
        self._keep(profile, environ, elapsed)
        self._write(profile, environ)
        return [b"".join(pieces)]

    def _keep(self, profile: cProfile.Profile, environ: dict[str, Any], elapsed: float) -> None:
        if self.profile_dir is None:
            return
        facts = {"elapsed": elapsed * 1000, "time": time.time()}
        if callable(self.filename_format):
            environ["werkzeug.profiler"] = facts
            filename = self.filename_format(environ)
        else:
            path = environ.get("PATH_INFO", "").strip("/").replace("/", ".") or "root"
            method = environ["REQUEST_METHOD"]
            filename = self.filename_format.format(method=method, path=path, **facts)
        profile.dump_stats(os.path.join(self.profile_dir, filename))

    def _write(self, profile: cProfile.Profile, environ: dict[str, Any]) -> None:
        if self.stream is None:
            return
        print("-" * 80, file=self.stream)
        print(f"PATH: {environ.get('PATH_INFO', '')!r}", file=self.stream)
        stats = pstats.Stats(profile, stream=self.stream)
        stats.sort_stats(*self.sort_by)
        stats.print_stats(*self.restrictions)
        print(f"{'-' * 80}\n", file=self.stream)
