"""Files beside a WSGI application: `SharedDataMiddleware`."""

import importlib.resources
import os
import posixpath
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import IO, Any

from ..http.environ_urls import get_path_info
from ..http.file_types import OCTETS, guess_type
from ..http.media_types import get_content_type
from ..http.response import Response
from ..http.safe_join import safe_join
from ..http.wsgi_answers import wrap_file

Opener = Callable[[], tuple[IO[bytes], datetime, int]]
"""Opens a file; answers it, when it changed last, and how many octets it has."""

Loader = Callable[[str | None], tuple[str | None, Opener | None]]
"""Answers the name and the opener of a file below an export, or of the export itself for None; (None, None): none."""


class SharedDataMiddleware:
    """A WSGI application around another that answers with files where there are any for the path.

    Args:
        app: gets what there is no file for.
        exports: paths of URLs, each with a file, a folder, or a package and a folder in it: ``{"/shared": "folder"}``.
        disallow: a pattern (`fnmatch`) of file names that are not served.
        cache: whether clients may keep files.
        cache_timeout: for how many seconds.
        fallback_mimetype: the media type of files whose name does not tell.

    (Werkzeug: ``werkzeug.middleware.shared_data.SharedDataMiddleware``.)
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        exports: Mapping[str, str | tuple[str, str]] | Iterable[tuple[str, str | tuple[str, str]]],
        disallow: str | None = None,
        cache: bool = True,
        cache_timeout: int = 12 * 60 * 60,
        fallback_mimetype: str = OCTETS,
    ) -> None:
        self.app = app
        self.cache = cache
        self.cache_timeout = cache_timeout
        self.fallback_mimetype = fallback_mimetype
        self._disallow = disallow
        self.exports: list[tuple[str, Loader]] = [
            (path, self._loader_of(export)) for path, export in _pairs(exports)
        ]

    def _loader_of(self, export: str | tuple[str, str]) -> Loader:
        if isinstance(export, tuple):
            return self.get_package_loader(*export)
        if os.path.isfile(export):
            return self.get_file_loader(export)
        return self.get_directory_loader(export)

    def is_allowed(self, filename: str) -> bool:
        """Tell whether a file of this name is served. For subclasses to override."""
        return self._disallow is None or not fnmatch(filename, self._disallow)

    def get_file_loader(self, filename: str) -> Loader:
        """Return a loader of one file, whatever the path below it."""

        def load(path: str | None) -> tuple[str | None, Opener | None]:
            return os.path.basename(filename), _opener(filename)

        return load

    def get_package_loader(self, package: str, package_path: str) -> Loader:
        """Return a loader of the files in a folder of an importable package."""
        root = str(importlib.resources.files(package))
        return self.get_directory_loader(os.path.join(root, package_path))

    def get_directory_loader(self, directory: str) -> Loader:
        """Return a loader of the files in a folder."""

        def load(path: str | None) -> tuple[str | None, Opener | None]:
            file = directory if path is None else safe_join(directory, path)
            if file is None or not os.path.isfile(file):
                return None, None
            return posixpath.basename(file), _opener(file)

        return load

    def generate_etag(self, mtime: datetime, file_size: int, real_filename: str) -> str:
        """Return the entity tag of a file. For subclasses to override."""
        name = zlib.adler32(os.fsencode(real_filename))
        return f"{mtime.timestamp():.6f}-{file_size:x}-{name:x}"

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        name, opener = self._find(get_path_info(environ))
        if name is None or opener is None or not self.is_allowed(name):
            return self.app(environ, start_response)
        mimetype = get_content_type(guess_type(name)[0] or self.fallback_mimetype, "utf-8")
        file, modified, size = opener()
        content = wrap_file(environ, file)
        response = Response(content, content_type=mimetype, direct_passthrough=True)
        response.call_on_close(file.close)
        response.content_length = size
        response.last_modified = modified
        response.cache_control.public = True
        if self.cache:
            response.set_etag(self.generate_etag(modified, size, name))
            response.cache_control.max_age = self.cache_timeout
            response.expires = datetime.now(UTC) + timedelta(seconds=self.cache_timeout)
        response.make_conditional(environ, accept_ranges=True, complete_length=size)
        return response(environ, start_response)

    def _find(self, path: str) -> tuple[str | None, Opener | None]:
        for export, load in self.exports:
            if path == export:
                found = load(None)
            elif path.startswith(export if export.endswith("/") else f"{export}/"):
                found = load(path[len(export) :].removeprefix("/"))
            else:
                continue
            if found[1] is not None:
                return found
        return None, None


def _pairs(exports: Any) -> Iterable[tuple[str, str | tuple[str, str]]]:
    pairs: Iterable[tuple[str, str | tuple[str, str]]] = exports
    return exports.items() if hasattr(exports, "items") else pairs


def _opener(filename: str) -> Opener:
    def open_file() -> tuple[IO[bytes], datetime, int]:
        file = open(filename, "rb")  # noqa: SIM115 - whoever answers with it closes it
        about = os.fstat(file.fileno())
        return file, datetime.fromtimestamp(about.st_mtime, UTC), about.st_size

    return open_file
