"""Writing lines without ever waiting for who reads them.

A terminal that is stopped, a pipe whose reader hangs, a disk that is full: a server that waits for its log stops
serving. Here lines wait in a bounded queue instead, and what does not fit is dropped and counted.
"""

import contextlib
import os
import select
import socket
import stat
import threading
from collections import deque
from typing import Final

from .errors import StartError

QUEUE_BYTES: Final = 1024 * 1024
FILE_MODE: Final = 0o640
"""A log names visitors: it is for its owner, and for the group that reads logs."""

_PIPE_WRITE_BYTES: Final = 4096


class Sink:
    """A file, terminal or pipe that lines are written to. Safe to use from any thread.

    Attributes:
        dropped: how many lines have been dropped since the start, because the queue was full or the disk was.
    """

    def __init__(self, descriptor: int, *, owned: bool, queue_bytes: int = QUEUE_BYTES) -> None:
        self.dropped = 0
        self._descriptor = descriptor
        self._owned = owned
        self._queue_bytes = queue_bytes
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._poll: select.poll | None = None
        self._path: str | None = None
        self._shared = False
        self._in_line = False
        """Whether what was written last is not the end of a line."""

        self._prepare()

    @classmethod
    def named(cls, name: str) -> "Sink | None":
        """Open what an operator named: a file, ``-`` for standard error, or None for ``off``.

        Raises:
            StartError: it is a file that cannot be written.
        """
        if name == "off":
            return None
        return cls.to_stderr() if name == "-" else cls.to_file(name)

    @classmethod
    def to_file(cls, path: str) -> "Sink":
        """Open a file to append to, made with mode 0640 if it is not there.

        Raises:
            StartError: it cannot be written.
        """
        sink = cls(_open_to_append(path), owned=True)
        sink._path = os.path.abspath(path)
        return sink

    @classmethod
    def to_stderr(cls) -> "Sink":
        """Write to this process's standard error."""
        return cls(2, owned=False)

    @property
    def waiting(self) -> bool:
        """Whether lines are waiting to be written."""
        return bool(self._queue)

    def write(self, data: bytes, lines: int = 1) -> None:
        """Write `data`, which holds `lines` whole lines, now or when there is room."""
        with self._lock:
            if self._queued_bytes + len(data) > self._queue_bytes:
                self.dropped += lines
            else:
                self._queue.append(data)
                self._queued_bytes += len(data)
            self._drain()

    def drain(self) -> None:
        """Write as much of what waits as fits without waiting."""
        if self._queue:
            with self._lock:
                self._drain()

    @property
    def is_named(self) -> bool:
        """Whether it was opened by a name, and is not this process's standard error."""
        return self._path is not None

    @property
    def descriptor(self) -> int:
        """What is written to."""
        return self._descriptor

    def reopen(self) -> None:
        """Open the file anew, which has been renamed: what comes from now on goes to a file of the old name.

        Raises:
            StartError: it cannot be written; the old one goes on being used.
        """
        if self._path is None:
            return
        descriptor = _open_to_append(self._path)
        with self._lock:
            self._drain()
            os.close(self._descriptor)
            self._descriptor = descriptor

    def close(self) -> None:
        """Write what can be written, and close what was opened here."""
        self.drain()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._owned:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._owned = False

    def _prepare(self) -> None:
        """Find how to write to the descriptor without waiting, leaving it as other programs know it.

        O_NONBLOCK belongs to the open file, which a terminal's other users share: setting it would make *their*
        writes fail. So pipes and terminals are opened once more, and where that cannot be done they are asked first.
        """
        if self._owned:
            return
        try:
            mode = os.fstat(self._descriptor).st_mode
        except OSError:
            return
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(self._descriptor))
        elif stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            try:
                self._descriptor = os.open(
                    f"/dev/fd/{self._descriptor}",
                    os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC,
                )
                self._owned = self._shared = True
            except (OSError, AttributeError):
                if hasattr(select, "poll"):
                    self._poll = select.poll()
                    self._poll.register(self._descriptor, select.POLLOUT)

    def _drain(self) -> None:
        while self._queue:
            block = self._queue[0]
            try:
                written = self._write_some(block)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # ENOSPC, EIO, a reader that has gone: these lines are lost, later ones may not be.
                if self._lose(block):
                    return
                continue
            self._queued_bytes -= written
            self._in_line = block[written - 1 : written] != b"\n" if written else self._in_line
            if written < len(block):
                # The rest of a line that has begun goes first when there is room again.
                self._queue[0] = block[written:]
            else:
                self._queue.popleft()

    def _lose(self, block: bytes) -> bool:
        """Drop the first block; but if a line of it has begun, keep its rest, drop all else, and return True.

        Without its rest, the next line would go on where that one was cut.
        """
        if not self._in_line:
            self._queue.popleft()
            self._queued_bytes -= len(block)
            self.dropped += block.count(b"\n")
            return False
        rest = block[: block.find(b"\n") + 1]
        self.dropped += sum(each.count(b"\n") for each in self._queue) - 1
        self._queue.clear()
        self._queue.append(rest)
        self._queued_bytes = len(rest)
        return True

    def _write_some(self, block: bytes) -> int:
        if self._socket is not None:
            return self._socket.send(block, getattr(socket, "MSG_DONTWAIT", 0))
        if self._poll is not None:
            if not self._poll.poll(0):
                raise BlockingIOError
            # A pipe that is writable has room for this much at least (POSIX's PIPE_BUF is 512; Linux's a page).
            block = _whole_lines(block)
        elif self._shared:
            block = _whole_lines(block)
        return os.write(self._descriptor, block)


def _open_to_append(path: str) -> int:
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
        return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), FILE_MODE)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StartError(
            f"cannot write to the log file {path!r}: {reason}; choose another, or - for stderr"
        ) from error


def _whole_lines(block: bytes) -> bytes:
    """Return as much of the beginning as a pipe takes in one piece, with no line cut in two if that can be.

    Several processes write to one pipe or terminal, and what is longer may be mixed with what others write.
    """
    if len(block) <= _PIPE_WRITE_BYTES:
        return block
    return block[: block.rfind(b"\n", 0, _PIPE_WRITE_BYTES) + 1 or _PIPE_WRITE_BYTES]
