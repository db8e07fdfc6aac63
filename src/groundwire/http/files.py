"""Files below a root: opened so that nothing outside it can be reached, and read so that nothing is made up.

A path from a request is a list of names. It is checked as text first, by the same rules on every system, because a
program is written on one and run on another. Then the root is opened, and from there one name after the other,
each relative to the folder opened before (``openat``) and without following links: whatever others rename or link
meanwhile, the walk never leaves the folder it is in. A link is looked up once, and the walk starts over with where it
really leads, if that is inside the root; a link met on that second walk was put there in between, and is refused.

Systems without ``openat`` (Windows) compare real paths instead.
"""

import errno
import os
import re
import stat
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from io import FileIO
from typing import Any, NamedTuple, Self

from .ranges import byteranges_end, byteranges_length, byteranges_part_head, make_boundary
from .uploads import is_device_name

CAN_WALK = (
    os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
)
"""Whether folders can be opened one relative to the other here."""

FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
# O_NONBLOCK: opening a FIFO would wait for a writer.
FILE_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)

SLICE_BYTES = 128 * 1024
"""How much of a file is read at a time."""

# What no segment may contain: control characters, the separators of Windows, and the colon of drives (``C:``) and of
# streams (``name:stream``).
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\:]")
WELL_KNOWN = ".well-known"

GONE = frozenset(
    getattr(errno, name)
    for name in (
        "EACCES",
        "EINVAL",
        "EISDIR",
        "ELOOP",
        "EMLINK",
        "ENAMETOOLONG",
        "ENODEV",
        "ENOENT",
        "ENOTDIR",
        "ENXIO",
        "EPERM",
    )
)
"""Why a file cannot be served, from the outside all the same. Others are the server's own trouble (EMFILE, EIO …)."""


class FileRefused(Exception):
    """There is no file of that name that may be served. Whoever asked learns no more than "not found".

    Attributes:
        reason: why, for the person who runs the server.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FileTruncated(Exception):
    """A file has become shorter than it was when its length was sent. The answer cannot be completed."""


def split_path(path: str, *, dotfiles: bool = False) -> list[str]:
    r"""Return the names `path` is made of, if it can be a path below a root on every system.

    Args:
        path: decoded, with ``/`` between the names, and relative.
        dotfiles: whether names may begin with a dot. ``.well-known`` may stand first in any case (RFC 8615).

    Raises:
        FileRefused: a name is empty, ``.`` or ``..``, has a control character, ``\`` or ``:``, is a device on Windows
            (``CON``, ``nul.txt``), or begins with a dot.
    """
    if FORBIDDEN.search(path) is not None:
        raise FileRefused(f"{path!r} has a control character, backslash or colon")
    names = path.split("/")
    for name in names:
        if not name or name in (".", ".."):
            raise FileRefused(f"{path!r} is not a plain relative path")
        if is_device_name(name):
            raise FileRefused(f"{path!r} names a device of Windows")
        if sys.platform == "win32" and name[-1] in ". ":
            raise FileRefused(f"{path!r} has a name that Windows would take for another")
        if name[0] == "." and not dotfiles and not (name == WELL_KNOWN and name is names[0]):
            raise FileRefused(f"{path!r} has a name that begins with a dot")
    return names


class OpenFile:
    """A regular file, open for reading, and what was true of it when it was opened.

    Closes itself at last when nobody refers to it any more.
    """

    __slots__ = ("_file", "device", "inode", "mtime_ns", "path", "size_bytes")

    def __init__(self, descriptor: int, path: str) -> None:
        """Take over `descriptor`, which is closed if this fails.

        Raises:
            FileRefused: it is no regular file.
        """
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FileRefused(f"{path!r} is not a regular file")
            self._file = FileIO(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise
        self.path = path
        """Where it was found; only to be shown, or looked up with the same care again."""
        self.size_bytes = status.st_size
        self.mtime_ns = status.st_mtime_ns
        self.inode = status.st_ino
        self.device = status.st_dev

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to `size` octets from `offset` on: fewer where the system gives fewer, none behind the end."""
        if sys.platform == "win32":
            self._file.seek(offset)
            return self._file.read(size)
        return os.pread(self._file.fileno(), size, offset)

    def read_whole(self) -> bytes:
        """Return all of it.

        Raises:
            FileTruncated: it has become shorter since it was opened.
        """
        with FileSlice(self) as whole:
            return b"".join(whole)

    def close(self) -> None:
        """Close it. Does nothing the second time."""
        self._file.close()

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._file.closed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


def open_trusted(path: str | os.PathLike[str]) -> OpenFile:
    """Open a path that the program chose itself, links and all.

    Raises:
        FileRefused: it is no regular file.
        OSError: it cannot be opened.
    """
    text = os.fspath(path)
    # On a FIFO that others read, opening already means something; a folder cannot be opened on Windows.
    if not stat.S_ISREG(os.stat(text).st_mode):
        raise FileRefused(f"{text!r} is not a regular file")
    return OpenFile(os.open(text, FILE_FLAGS), text)


def open_below(
    root: str | os.PathLike[str], path: str, *, dotfiles: bool = False, links: bool = True
) -> OpenFile:
    """Open the file that `path` names below the folder `root`.

    Args:
        root: a folder; itself trusted, and it may be a link.
        path: from a request, decoded, relative, ``/`` between the names.
        dotfiles: whether names may begin with a dot.
        links: whether links are followed, to what is inside `root`.

    Raises:
        FileRefused: there is no such file, it is no regular file, it is not inside `root`, or its name is refused
            (see `split_path`).
        OSError: the system is out of descriptors, or fails.
    """
    names = split_path(path, dotfiles=dotfiles)
    try:
        real_root = os.path.realpath(root)
        if not CAN_WALK:
            return open_by_real_path(real_root, names, links)
        file = open_by_walk(real_root, names)
        if file is None and links:
            file = open_by_walk(real_root, names_of_link(real_root, names))
        if file is None:
            raise FileRefused(f"{path!r} leads over a link")
        return file
    except OSError as error:
        if error.errno in GONE:
            raise FileRefused(f"{path!r} below {os.fspath(root)!r}: {error.strerror}") from None
        raise
    except ValueError:
        # Surrogates that the file system's encoding has no octets for.
        raise FileRefused(f"{path!r} cannot be a file's name here") from None


def open_by_walk(real_root: str, names: list[str]) -> OpenFile | None:
    """Open `names` one relative to the other, or return None when one of them is a link.

    Raises:
        FileRefused: the last is no regular file.
        OSError: one cannot be opened.
    """
    folder = os.open(real_root, FOLDER_FLAGS)
    try:
        for name in names[:-1]:
            try:
                inner = os.open(name, FOLDER_FLAGS | NOFOLLOW, dir_fd=folder)
            except OSError:
                if is_link(name, folder):
                    return None
                raise
            os.close(folder)
            folder = inner
        name = names[-1]
        # Looked at before it is opened: opening a FIFO wakes its writer, opening a device may do anything.
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            return None
        path = os.path.join(real_root, *names)
        if not stat.S_ISREG(status.st_mode):
            raise FileRefused(f"{path!r} is not a regular file")
        return OpenFile(os.open(name, FILE_FLAGS | NOFOLLOW, dir_fd=folder), path)
    finally:
        os.close(folder)


def is_link(name: str, folder: int) -> bool:
    """Whether `name` in the open `folder` is a link; how opening one without following it fails differs by system."""
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def names_of_link(real_root: str, names: list[str]) -> list[str]:
    """Return the names below `real_root` of what `names` lead to when links are followed.

    Raises:
        FileRefused: that is not inside `real_root`.
        OSError: the links lead in a circle, or to nothing.
    """
    target = os.path.realpath(os.path.join(real_root, *names), strict=True)
    if target == real_root or os.path.commonpath([real_root, target]) != real_root:
        raise FileRefused(f"{os.path.join(real_root, *names)!r} is a link out of its root")
    return os.path.relpath(target, real_root).split(os.sep)


def open_by_real_path(real_root: str, names: list[str], links: bool = True) -> OpenFile:
    """Open `names` below `real_root` where folders cannot be opened one relative to the other.

    Raises:
        FileRefused: it is no regular file, or not inside `real_root`.
        OSError: it cannot be opened.
    """
    found = names_of_link(real_root, names)
    target = os.path.join(real_root, *found)
    if found != names and not links:
        raise FileRefused(f"{target!r} is what a link leads to")
    before = os.stat(target)
    if not stat.S_ISREG(before.st_mode):
        raise FileRefused(f"{target!r} is not a regular file")
    file = OpenFile(os.open(target, FILE_FLAGS | NOFOLLOW), target)
    # What was opened must be what was looked at, and its path must still lead to itself.
    if (file.inode, file.device) != (before.st_ino, before.st_dev) or os.path.realpath(
        target
    ) != target:
        file.close()
        raise FileRefused(f"{target!r} changed while it was opened")
    return file


class FileSlice:
    """A run of octets of an open file, as the content of a response. Closes the file.

    The length is promised before the first octet is read, so a file that has become shorter is an error, never
    padding: whoever sends it has to break off.

    Args:
        file: the open file, which belongs to the slice from now on.
        offset: where it begins.
        length: how many octets; None: to the end the file had when it was opened.
    """

    __slots__ = ("_end", "_position", "file", "length", "offset")

    def __init__(self, file: OpenFile, offset: int = 0, length: int | None = None) -> None:
        self.file = file
        self.offset = offset
        self.length = file.size_bytes - offset if length is None else length
        self._position = offset
        self._end = offset + self.length

    @property
    def remaining(self) -> int:
        """Octets not yet read."""
        return self._end - self._position

    def read(self, size: int = SLICE_BYTES) -> bytes:
        """Return the next octets, at most `size`, and none at the end. Waits for the disk.

        Raises:
            FileTruncated: the file ends before the slice does.
        """
        size = min(size, self._end - self._position) if size >= 0 else self._end - self._position
        if size == 0:
            return b""
        data = self.file.read_at(self._position, size)
        if not data:
            raise FileTruncated(
                f"{self.file.path!r} ends at octet {self._position}; {self._end} were there when it was opened"
            )
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data = self.read()
        if not data:
            raise StopIteration
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


class FileParts:
    """Several parts of an open file as multipart/byteranges (RFC 9110 §14.6). Closes the file.

    Args:
        file: the open file, which belongs to this from now on.
        parts: (start, stop) of each part.
        content_type: the type of the whole representation.

    Attributes:
        length: octets of the content, delimiters and all.
        content_type: what the content as it is sent is.
    """

    def __init__(
        self, file: OpenFile, parts: Iterable[tuple[int, int]], content_type: str | None
    ) -> None:
        self.file = file
        self._parts = list(parts)
        self._part_type = content_type
        self._boundary = make_boundary()
        self.content_type = f"multipart/byteranges; boundary={self._boundary}"
        self.length = byteranges_length(self._boundary, content_type, self._parts, file.size_bytes)
        self._pieces = self._read()

    def _read(self) -> Iterator[bytes]:
        for start, stop in self._parts:
            yield byteranges_part_head(
                self._boundary, self._part_type, start, stop, self.file.size_bytes
            )
            yield from FileSlice(self.file, start, stop - start)
        yield byteranges_end(self._boundary)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class SmallFile(NamedTuple):
    """A file kept in memory, and what it was when it was read."""

    content: bytes
    """Its content, in the coding it is kept in."""

    path: str
    size_bytes: int
    """Octets of the file itself."""

    mtime_ns: int
    inode: int
    device: int


class SmallFileCache:
    """Small files in memory, those not used for longest given up first.

    An entry is good only as long as what stands at its path is the very file that was read, by modification time, size
    and inode; so a lookup asks the system once, and never reads. A file can be kept in content codings as well.

    Args:
        max_file_bytes: larger files are not kept.
        max_bytes: what is kept altogether.
        lock: held while the cache changes; needed where threads share it. (This layer knows no threads.)
    """

    def __init__(
        self,
        max_file_bytes: int = 64 * 1024,
        max_bytes: int = 16 * 1024 * 1024,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.max_file_bytes = max_file_bytes
        self.max_bytes = max_bytes
        self._lock: AbstractContextManager[Any] = nullcontext() if lock is None else lock
        self._files: OrderedDict[tuple[str, str, str], SmallFile] = OrderedDict()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """Octets of content kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._files)

    def get(self, root: str, path: str, kind: str = "") -> SmallFile | None:
        """Return the file kept for `path` below `root`, if it is still what is there.

        `kind` tells apart what is kept for one path: the codings of `keep_coded`, or whatever `read` was given.
        """
        key = (root, path, kind)
        with self._lock:
            small = self._files.get(key)
            if small is not None:
                self._files.move_to_end(key)
        if small is None:
            return None
        try:
            status = os.lstat(small.path)
        except OSError:
            status = None
        if status is not None and (
            status.st_mtime_ns == small.mtime_ns
            and status.st_size == small.size_bytes
            and status.st_ino == small.inode
            and status.st_dev == small.device
        ):
            return small
        self._discard(key)
        return None

    def read(self, root: str, path: str, file: OpenFile, kind: str = "") -> SmallFile:
        """Read `file`, which was opened for `path` below `root`, keep and return it. Does not close it.

        Raises:
            FileTruncated: it has become shorter since it was opened.
        """
        content = b"".join(FileSlice(file))
        small = SmallFile(
            content, file.path, file.size_bytes, file.mtime_ns, file.inode, file.device
        )
        self._keep((root, path, kind), small)
        return small

    def keep_coded(
        self, root: str, path: str, coding: str, small: SmallFile, content: bytes
    ) -> SmallFile:
        """Keep and return `content`, the content of `small` in `coding`, good as long as that file is what is there."""
        coded = small._replace(content=content)
        self._keep((root, path, coding), coded)
        return coded

    def _keep(self, key: tuple[str, str, str], small: SmallFile) -> None:
        if len(small.content) > self.max_file_bytes:
            return
        with self._lock:
            old = self._files.pop(key, None)
            if old is not None:
                self._bytes -= len(old.content)
            self._files[key] = small
            self._bytes += len(small.content)
            while self._bytes > self.max_bytes:
                _, oldest = self._files.popitem(last=False)
                self._bytes -= len(oldest.content)

    def _discard(self, key: tuple[str, str, str]) -> None:
        with self._lock:
            old = self._files.pop(key, None)
            if old is not None:
                self._bytes -= len(old.content)
