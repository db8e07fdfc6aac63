"""The file that says which process is the supervisor."""

import contextlib
import logging
import os
from typing import Final

from .errors import StartError

logger = logging.getLogger("groundwire.server")

PID_FILE_MODE: Final = 0o644


class PidFile:
    """A file with this process's id, locked while it lives: a number alone may be another process's by now.

    Raises:
        StartError: another process has it, or it cannot be written.
    """

    def __init__(self, path: str) -> None:
        import fcntl

        self._path = os.path.abspath(path)
        try:
            self._descriptor = os.open(
                self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PID_FILE_MODE
            )
        except OSError as error:
            raise StartError(
                f"cannot write the pid file {path!r}: {error.strerror}; choose another with --pid"
            ) from error
        try:
            found = os.read(self._descriptor, 64).decode("latin-1").strip()
            if found and not found.isdecimal():
                raise StartError(
                    f"{path!r} exists and is no pid file; remove it, or choose another with --pid"
                )
            try:
                # Held by this process and not by those it forks, and gone with it however it ends.
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StartError(
                    f"a server with the pid file {path!r} runs already, as process {found or 'unknown'}; "
                    "stop that one, or choose another with --pid"
                ) from error
        except BaseException:
            os.close(self._descriptor)
            raise
        if found:
            logger.warning("the pid file %r was left by process %s, which has gone", path, found)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def let_go(self) -> None:
        """Have nothing more to do with it: for a process that has been forked."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Remove it, if it is still the one made here."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(self._path), os.fstat(self._descriptor)):
                os.unlink(self._path)
        os.close(self._descriptor)
