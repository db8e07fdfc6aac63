"""Joining names that a client sent to a folder."""

import os
import posixpath

from .uploads import is_device_name

_OTHER_SEPARATORS = [
    separator for separator in (os.sep, os.altsep) if separator and separator != "/"
]
"""What separates names on this system beside the ``/`` of URLs."""


def safe_join(directory: str, *untrusted: str) -> str | None:
    r"""Join relative paths to a folder; None where the result would not be below it.

    Links in the folder are not looked at: `send_from_directory` does that too.

    Args:
        directory: the folder, which is trusted; the current one where it is empty.
        *untrusted: relative paths, ``/`` between the names.

    (Werkzeug: ``werkzeug.security.safe_join``.)
    """
    path = directory or "."
    for part in filter(None, untrusted):
        relative = posixpath.normpath(part)
        if not _stays_below(relative):
            return None
        path = posixpath.join(path, relative)
    return path


def _stays_below(path: str) -> bool:
    if path == ".." or path.startswith(("/", "../")) or os.path.isabs(path) or "\0" in path:
        return False
    if any(separator in path for separator in _OTHER_SEPARATORS):
        return False
    return os.name != "nt" or not any(map(is_device_name, path.split("/")))
