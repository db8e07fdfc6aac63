"""A file that a client sent in a form (RFC 7578), and what may be made of the name it gave it."""

import mimetypes
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any, cast

from .headers import Headers
from .media_types import parse_options_header
from .multidict import MultiDict

# Names that open a device in every folder on Windows, with any extension (Microsoft, "Naming Files, Paths, and
# Namespaces"). The superscript digits are digits to Windows.
DEVICE_NAME = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(?:COM|LPT)[0-9¹²³])[ ]*(?:\..*)?",
    re.IGNORECASE | re.DOTALL,
)

UNSAFE_CHARACTER = re.compile(r"[^A-Za-z0-9_.-]")


def is_device_name(name: str) -> bool:
    """Whether Windows takes the file name `name` for a device such as ``CON``, ``nul.txt`` or ``COM1 .log``."""
    return DEVICE_NAME.fullmatch(name) is not None


def secure_filename(filename: str) -> str:
    """Return a file name made from `filename` that stays inside the folder it is put in.

    Only ASCII letters, digits, ``_``, ``.`` and ``-`` are left, so the result can be empty, and two names can become
    one: choose a name of your own where that matters. Names that Windows takes for devices get a ``_`` in front on
    every system, because files move between systems.

        >>> secure_filename("../../../etc/passwd")
        'etc_passwd'

    (Werkzeug: ``werkzeug.utils.secure_filename``.)
    """
    ascii_only = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode("ascii")
    for separator in (os.sep, os.altsep):
        if separator:
            ascii_only = ascii_only.replace(separator, " ")
    name = UNSAFE_CHARACTER.sub("", "_".join(ascii_only.split())).strip("._")
    return f"_{name}" if is_device_name(name) else name


class FileStorage:
    """An uploaded file: its content as a stream, and what the client said about it.

    What the stream has (`read`, `seek`, `readline` …) can be called on the file itself. It is true when it has a
    file name: a browser sends an empty one where no file was chosen.

    Args:
        stream: the content, positioned at its start; by default empty.
        filename: the name the client gave it. Never use it as a path: see `secure_filename`.
        name: the name of the form's field.
        content_type: what to put into `headers` as Content-Type.
        content_length: what to put into `headers` as Content-Length.
        headers: the field section of the part.

    (Werkzeug: ``werkzeug.datastructures.FileStorage``.)
    """

    name: str | None
    filename: str | None
    stream: IO[bytes]
    headers: Headers

    def __init__(
        self,
        stream: IO[bytes] | None = None,
        filename: str | os.PathLike[str] | bytes | None = None,
        name: str | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.name = name
        self.stream = BytesIO() if stream is None else stream
        if filename is None:
            own = getattr(stream, "name", None)
            # Files opened by number have an int for a name, the standard streams "<stdin>" and the like.
            if isinstance(own, (str, bytes, os.PathLike)):
                own_name = os.fsdecode(cast("str | bytes | os.PathLike[str]", own))
                if not (own_name.startswith("<") and own_name.endswith(">")):
                    filename = own_name
        self.filename = None if filename is None else os.fsdecode(filename)
        self.headers = Headers() if headers is None else headers
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        if content_length is not None:
            self.headers["Content-Length"] = str(content_length)

    @property
    def content_type(self) -> str | None:
        """The part's Content-Type as it was sent, or None. What the client says, not what the content is."""
        return self.headers.get("Content-Type")

    @property
    def content_length(self) -> int:
        """The part's own Content-Length, which hardly any client sends, or 0. Not the size of the content."""
        value = self.headers.get("Content-Length", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0

    @property
    def mimetype(self) -> str:
        """The media type without parameters, in lower case: ``text/html`` for ``text/HTML; charset=utf-8``."""
        return parse_options_header(self.content_type)[0].lower()

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the media type: ``{"charset": "utf-8"}`` for ``text/html; charset=utf-8``."""
        return parse_options_header(self.content_type)[1]

    def save(self, dst: str | os.PathLike[str] | IO[bytes], buffer_size: int = 16384) -> None:
        """Copy the content, from where the stream stands, to a path or a binary stream.

        A file that is there is overwritten, as in Flask. A new one can be read and written by the server's own user
        only. A stream stays open.

        Args:
            dst: where to copy to.
            buffer_size: how many octets are copied at a time.

        Raises:
            ValueError: `dst` ends in the client's own file name, and that name leads out of the folder it is put
                in (``../../app.py``), or contains NUL. Use `secure_filename`.
            OSError: the file cannot be written.
        """
        if not isinstance(dst, (str, os.PathLike)):
            shutil.copyfileobj(self.stream, dst, buffer_size)
            return
        path = os.fspath(dst)
        self._refuse_unsafe(path)
        with open(path, "wb", opener=open_private) as target:
            shutil.copyfileobj(self.stream, target, buffer_size)

    def _refuse_unsafe(self, path: str) -> None:
        # SECURITY: `file.save(os.path.join(folder, file.filename))` is the classic mistake; the name is the peer's.
        if "\0" in path:
            raise ValueError(f"cannot save to {path!r}: a path has no NUL")
        name = self.filename
        if name and path.endswith(name) and leads_outside(name):
            raise ValueError(
                f"cannot save to {path!r}: it ends in the file name the client sent, {name!r}, which leads out of the "
                "folder it is put in. Use secure_filename(file.filename), or a name of your own."
            )

    def close(self) -> None:
        """Close the stream, which also deletes its temporary file."""
        try:
            self.stream.close()
        except Exception:  # noqa: BLE001 - whatever a program gave for a stream, closing is for cleaning up
            pass

    def __bool__(self) -> bool:
        return bool(self.filename)

    def __getattr__(self, name: str) -> Any:
        # `stream` itself is missing while an object is being unpickled or copied.
        if name == "stream":
            raise AttributeError(name)
        return getattr(self.stream, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.filename!r} ({self.content_type!r})>"


class FileMultiDict(MultiDict[str, FileStorage]):
    """A `MultiDict` of files to be sent in a form.

    (Werkzeug: ``FileMultiDict``.)
    """

    def add_file(
        self,
        name: str,
        file: str | os.PathLike[str] | IO[bytes] | FileStorage,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        """Add a file.

        Args:
            name: the name of the form's field.
            file: a `FileStorage`, which is added as it is; a binary stream; or a path, which is opened.
            filename: the name it is sent with; by default the path, or the stream's own name.
            content_type: its media type; by default what its file name suggests.

        Raises:
            OSError: the path cannot be opened.
        """
        if isinstance(file, FileStorage):
            self.add(name, file)
            return
        stream: Any = file
        if isinstance(file, (str, os.PathLike)):
            if filename is None:
                filename = os.fspath(file)
            stream = open(file, "rb")  # noqa: SIM115 - whoever has the dict closes its files
        if filename and content_type is None:
            content_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        self.add(name, FileStorage(stream, filename, name, content_type))


def leads_outside(name: str) -> bool:
    """Whether joining the file name `name` to a folder can give a path outside it, on any system."""
    segments = re.split(r"[/\\]", name)
    return ".." in segments or not segments[0] or re.match(r"[A-Za-z]:", name) is not None


def open_private(path: str, flags: int) -> int:
    """Open like `os.open`, a new file with mode 0600: what strangers send is nobody else's to read."""
    return os.open(path, flags, 0o600)
