"""Files as answers: a static folder, `send_file` and `send_from_directory`.

A static folder is for files that anybody may have, named by the request. `send_file` answers with a file that the
program named, `send_from_directory` with one that the request named in a folder that the program named. All three end
in `Response.make_conditional`, where preconditions and ranges are looked at (RFC 9110 §13, §14).
"""

import os
import threading
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from io import BytesIO, TextIOBase
from time import time
from typing import IO, Any, NamedTuple, TypeVar, cast
from urllib.parse import quote

from ..http.codings import (
    MIN_BYTES,
    choose,
    encode,
    is_compressible,
    weaken,
)
from ..http.dates import http_date
from ..http.errors import NotFound, PreconditionFailed
from ..http.etags import quote_etag
from ..http.file_types import OCTETS, guess_type
from ..http.files import (
    SLICE_BYTES,
    FileRefused,
    FileSlice,
    FileTruncated,
    OpenFile,
    SmallFile,
    SmallFileCache,
    open_below,
    open_trusted,
)
from ..http.headers import Headers
from ..http.media_types import dump_options_header, get_content_type
from ..http.response import Response
from .context import request_context

F = TypeVar("F", bound=Callable[..., Any])

MaxAge = int | None | Callable[[str | None], int | None]
"""How many seconds a client may keep a file without asking, or what tells it for a path."""

NEIGHBOURS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""Codings a file can lie beside another in (``app.js.br``), best first, and the extensions they have."""

NEIGHBOUR_AGE_NS = 2 * 10**9
"""A neighbour older than its file by more than this was made from an older one. (Copying takes a moment.)"""

SMALL_FILES = SmallFileCache(lock=threading.Lock())
"""Small static files, of all apps of this process."""


# The static folder


def static_response(
    root: str | os.PathLike[str],
    filename: str,
    *,
    request: Any,
    max_age: MaxAge = None,
    compress: bool = False,
    dotfiles: bool = False,
    cache: SmallFileCache = SMALL_FILES,
    response_class: type[Response] = Response,
) -> Response:
    """Answer `request` with the file `filename` of the folder `root`.

    A file that lies beside it under the same name with ``.br``, ``.zst`` or ``.gz`` is sent in its place to a client
    that takes that coding and asks for the whole; links, and files older than the original, do not count for that.
    Files up to 64 KiB are kept in memory, larger ones are read as the client takes them.

    Args:
        root: the folder. What a link in it leads to outside of it is not there.
        filename: from the request, decoded, ``/`` between the names.
        request: whose method, preconditions, ranges and Accept-Encoding are answered.
        max_age: how many seconds the client may keep it without asking; None: it asks each time.
        compress: whether small files are coded on the way where there is no neighbour.
        dotfiles: whether names may begin with a dot.
        cache: where small files are kept.
        response_class: what the answer is made of.

    Raises:
        NotFound: there is no such file, or it may not be served; which of the two is not told.
        PreconditionFailed: the request's If-Match or If-Unmodified-Since does not hold.
        RequestedRangeNotSatisfiable: no range it asks for lies in the file.
        OSError: the system is out of descriptors, or fails.
    """
    folder = StaticFolder(os.fspath(root), cache, dotfiles)
    return answer_from(folder, filename, request, max_age, compress, response_class)


def kept_static_response(
    root: str | os.PathLike[str],
    filename: str,
    *,
    request: Any,
    max_age: MaxAge = None,
    compress: bool = False,
    cache: SmallFileCache = SMALL_FILES,
    response_class: type[Response] = Response,
) -> Response | None:
    """Answer as `static_response` if that needs nothing that is not in memory, otherwise return None.

    The file system is asked whether what is kept is still what is there, but nothing is opened, read or coded: this can
    be called on an event loop.

    Raises:
        PreconditionFailed: as `static_response`.
        RequestedRangeNotSatisfiable: as `static_response`.
    """
    folder = StaticFolder(os.fspath(root), cache, kept_only=True)
    try:
        return answer_from(folder, filename, request, max_age, compress, response_class)
    except NotKept:
        return None


def answer_from(
    folder: "StaticFolder",
    filename: str,
    request: Any,
    max_age: MaxAge,
    compress: bool,
    response_class: type[Response],
) -> Response:
    """Answer `request` with a file of `folder`; see `static_response`.

    Raises:
        NotKept: only what is kept was wanted, and this is not.
        HTTPException: as `static_response`.
    """
    try:
        chosen = folder.choose(filename, request, compress)
    except FileRefused as refusal:
        raise NotFound from refusal
    try:
        modified = int(modified_at(chosen.mtime_ns))
        path = os.path.join(folder.root, filename)
        age = max_age(path) if callable(max_age) else max_age
        headers = fields_of(chosen.about, modified, age).copy()
        if age is not None:
            headers.add("Expires", http_date(int(time() + age)))
        response = response_class(headers=headers)
        response.coding_chosen = isinstance(chosen.source, bytes)
        size_bytes = set_content(response, chosen.source)
    except BaseException:
        if isinstance(chosen.source, OpenFile):
            chosen.source.close()
        raise
    ranges = not chosen.whole_only
    if is_unconditional(request) and response_class.make_conditional is MAKE_CONDITIONAL:
        if ranges and size_bytes:
            headers.add("Accept-Ranges", "bytes")
        return response
    return answer_conditions(response, request, size_bytes, ranges)


@lru_cache(maxsize=512)
def fields_of(about: "About", modified: int, max_age: int | None) -> Headers:
    """Return the fields of a static file, but for Expires. Not to be changed: the next request gets the same object.

    PERF: 0.1 µs; to make and check them takes 15 µs.
    """
    headers = Headers(
        [
            ("Content-Type", get_content_type(about.mimetype or OCTETS)),
            ("X-Content-Type-Options", "nosniff"),
        ]
    )
    if about.coding:
        headers.add("Content-Encoding", about.coding)
    if about.varies:
        headers.add("Vary", "Accept-Encoding")
    add_validators(headers, about.etag, modified)
    headers.add("Cache-Control", cache_policy(max_age))
    return headers


CONDITIONS = ("If-None-Match", "If-Modified-Since", "Range", "If-Match", "If-Unmodified-Since")
MAKE_CONDITIONAL = Response.make_conditional


def is_unconditional(request: Any) -> bool:
    """Whether a request has neither preconditions nor a range, so that nothing has to be compared."""
    headers = request.headers
    return not any(name in headers for name in CONDITIONS)


class About(NamedTuple):
    """What is said of a representation of a static file."""

    mimetype: str | None
    coding: str | None
    """Its content coding, be it what the file was asked for or what was chosen for this client."""

    etag: str
    varies: bool
    """Whether another client would get another one (RFC 9110 §12.5.5)."""


class Chosen:
    """The representation of a static file that is sent.

    Args:
        source: the file.
        about: what is said of it.
        whole_only: whether it is coded for this client, so that there are no ranges of it.
    """

    __slots__ = ("about", "mtime_ns", "source", "whole_only")

    def __init__(
        self, source: SmallFile | OpenFile, about: About, *, whole_only: bool = False
    ) -> None:
        self.source = source.content if isinstance(source, SmallFile) else source
        self.mtime_ns = source.mtime_ns
        self.about = about
        self.whole_only = whole_only


class NotKept(Exception):
    """What is asked for is not in memory."""


class StaticFolder:
    """A folder that files are chosen from.

    Args:
        root: its path.
        cache: where small files are kept.
        dotfiles: whether names may begin with a dot.
        kept_only: whether to raise `NotKept` rather than read, and so wait for, anything.
    """

    __slots__ = ("cache", "dotfiles", "kept_only", "root")

    def __init__(
        self, root: str, cache: SmallFileCache, dotfiles: bool = False, kept_only: bool = False
    ) -> None:
        self.root = root
        self.cache = cache
        self.dotfiles = dotfiles
        self.kept_only = kept_only

    def choose(self, filename: str, request: Any, compress: bool) -> Chosen:
        """Choose the representation of a file for a request (RFC 9110 §12.1).

        Raises:
            FileRefused: there is no such file, or it may not be served.
        """
        source = self.fetch(filename)
        try:
            mimetype, coded = guess_type(filename)
            etag = f"{source.mtime_ns:x}-{source.size_bytes:x}"
            itself = About(mimetype, coded, f'"{etag}"', varies=False)
            if mimetype is None or coded is not None or not is_compressible(mimetype):
                return Chosen(source, itself)
            accepted = request.headers.combined("Accept-Encoding")
            # Ranges count the octets of the file itself, whatever coding the client takes besides.
            whole = "Range" not in request.headers
            beside = self.neighbours_of(filename, source)
            if beside:
                itself = itself._replace(varies=True)
                coding = choose(accepted, beside) if whole else None
                neighbour = None if coding is None else self.neighbour(filename, coding)
                if neighbour is not None:
                    if isinstance(source, OpenFile):
                        source.close()
                    etag = f'"{neighbour.mtime_ns:x}-{neighbour.size_bytes:x}-{coding}"'
                    about = itself._replace(coding=coding, etag=etag)
                    return Chosen(neighbour, about, whole_only=True)
            if not compress or not isinstance(source, SmallFile) or source.size_bytes <= MIN_BYTES:
                return Chosen(source, itself)
            itself = itself._replace(varies=True)
            coding = choose(accepted) if whole else None
            small = None if coding is None else self.coded(filename, coding, source)
            if small is None:
                return Chosen(source, itself)
            about = itself._replace(coding=coding, etag=weaken(itself.etag))
            return Chosen(small, about, whole_only=True)
        except BaseException:
            if isinstance(source, OpenFile):
                source.close()
            raise

    def fetch(self, filename: str, links: bool = True) -> SmallFile | OpenFile:
        """Return a file, from memory where it is kept or small enough to be, otherwise open.

        Raises:
            FileRefused: there is no such file, or it may not be served.
        """
        # What may be a link, and what may not, are kept apart.
        kind = "" if links else "no link"
        # SECURITY: what is kept was opened by this very name once, so it has passed every check but that for a dot.
        dotted = filename[:1] == "." or "/." in filename
        small = None if dotted else self.cache.get(self.root, filename, kind)
        if small is not None:
            return small
        if self.kept_only:
            raise NotKept
        file = open_below(self.root, filename, dotfiles=self.dotfiles, links=links)
        if file.size_bytes > self.cache.max_file_bytes:
            return file
        try:
            return self.cache.read(self.root, filename, file, kind)
        except FileTruncated:
            # Somebody is writing it just now; what is sent must be what its length and entity tag say.
            raise FileRefused(f"{file.path!r} is being changed") from None
        finally:
            file.close()

    def neighbours_of(self, filename: str, source: SmallFile | OpenFile) -> tuple[str, ...]:
        """Return the codings that a file lies beside itself in, best first, whether or not they may be sent."""
        found: list[str] = []
        path = os.path.join(self.root, filename)
        for coding, extension in NEIGHBOURS.items():
            try:
                status = os.lstat(path + extension)
            except OSError:
                continue
            if status.st_mtime_ns >= source.mtime_ns - NEIGHBOUR_AGE_NS:
                found.append(coding)
        return tuple(found)

    def neighbour(self, filename: str, coding: str) -> SmallFile | OpenFile | None:
        """Return the neighbour of a file in `coding`, or None if it may not be served; a link never may."""
        try:
            return self.fetch(filename + NEIGHBOURS[coding], links=False)
        except FileRefused:
            return None

    def coded(self, filename: str, coding: str, small: SmallFile) -> SmallFile | None:
        """Return a small file in `coding`, kept so that it is coded once; None where that does not make it smaller."""
        kept = self.cache.get(self.root, filename, coding)
        if kept is None or kept.mtime_ns != small.mtime_ns or kept.size_bytes != small.size_bytes:
            if self.kept_only:
                raise NotKept
            content = encode(coding, small.content)
            # What does not get smaller is kept as it is: a sign not to try again.
            best = min(content, small.content, key=len)
            kept = self.cache.keep_coded(self.root, filename, coding, small, best)
        return kept if len(kept.content) < small.size_bytes else None


# What all share


def add_validators(headers: Headers, etag: str | None, modified: float | datetime | None) -> None:
    """Add ETag, given in its quoted form, and Last-Modified."""
    if etag is not None:
        headers.add("ETag", etag)
    if modified is not None:
        headers.add("Last-Modified", http_date(modified))


def modified_at(mtime_ns: int) -> float:
    """Return when a file changed last, as it may be said: never later than now (RFC 9110 §8.8.2.1)."""
    return min(mtime_ns / 10**9, time())


def add_freshness(headers: Headers, max_age: int | None) -> None:
    """Add Cache-Control, and Expires with it, as Flask does: without `max_age` a client has to ask each time."""
    headers.add("Cache-Control", cache_policy(max_age))
    if max_age is not None:
        headers.add("Expires", http_date(int(time() + max_age)))


def cache_policy(max_age: int | None) -> str:
    """Return the value of Cache-Control."""
    if max_age is None:
        return "no-cache"
    return f"{'public' if max_age > 0 else 'no-cache'}, max-age={max_age}"


class StreamPieces:
    """A stream that a program gave, as the source of a response. Closes it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data = self._stream.read(SLICE_BYTES)
        if not data:
            raise StopIteration
        return data

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def set_content(
    response: Response, source: bytes | OpenFile | IO[bytes] | TextIOBase
) -> int | None:
    """Give `response` its content, and return how many octets that has, None where only the end will tell.

    Raises:
        ValueError: the source is a stream of text.
    """
    if isinstance(source, bytes):
        response.set_data(source)
        return len(source)
    if isinstance(source, OpenFile):
        if source.size_bytes <= SMALL_FILES.max_file_bytes:
            with source:
                response.set_data(source.read_whole())
        else:
            response.response = FileSlice(source)
            response.headers.set("Content-Length", str(source.size_bytes))
        return source.size_bytes
    if isinstance(source, BytesIO):
        data = source.read()
        response.set_data(data)
        response.call_on_close(source.close)
        return len(data)
    if isinstance(source, TextIOBase):
        raise ValueError("a file to send has to be opened in binary mode, or be a BytesIO")
    response.response = StreamPieces(source)
    return None


def answer_conditions(
    response: Response, request: Any, size_bytes: int | None, ranges: bool = True
) -> Response:
    """Answer the preconditions and ranges of `request`; what is not sent of `response` is closed.

    Raises:
        PreconditionFailed: a precondition does not hold.
        RequestedRangeNotSatisfiable: no range asked for lies in the content.
    """
    try:
        conditional = response.make_conditional(
            request, accept_ranges=ranges, complete_length=size_bytes
        )
        if conditional.status_code == 412:
            raise PreconditionFailed
    except BaseException:
        response.close()
        raise
    if conditional.status_code == 304:
        # The client has it: nothing is open any longer than needed.
        if conditional.content is None:
            conditional.source.close()
        conditional.content, conditional.source = b"", None
    return conditional


# Flask's functions


def send_static(root: str, filename: str | os.PathLike[str], max_age: MaxAge = None) -> Response:
    """Answer the current request with a file of a static folder; see `static_response`.

    Raises:
        NotFound: there is no such file, or it may not be served.
        NotKept: it has to be read, and this must not wait (`RequestContext.kept_files_only`).
        RuntimeError: there is no current request.
    """
    filename = os.fspath(filename)
    context = request_context()
    app = context.app
    respond = kept_static_response if context.kept_files_only else static_response
    response = respond(
        root,
        filename,
        request=context.request,
        max_age=app.get_send_file_max_age(filename) if max_age is None else max_age,
        compress=bool(app.config.get("COMPRESS")),
        response_class=app.response_class,
    )
    if response is None:
        raise NotKept
    return response


def sends_static(method: F) -> F:
    """Mark a method as one that does nothing but serve static files, so that it may be called on the event loop.

    A program's own in its place bears no mark, and is called in threads.
    """
    cast("Any", method).sends_static = True
    return method


def serves_kept_files(app: Any, view: Any) -> bool:
    """Tell whether `view` serves static files as Groundwire does, and may be tried with `kept_files_only`."""
    stands_for = getattr(view, "stands_for", None)
    method = view if stands_for is None else stands_for()
    owner = getattr(method, "__self__", app)
    called = (method, app.get_send_file_max_age, getattr(owner, "get_send_file_max_age", None))
    return all(getattr(each, "sends_static", False) for each in called)


def max_age_of(value: Any) -> int | None:
    """Return SEND_FILE_MAX_AGE_DEFAULT in seconds, be it a number, a `timedelta` or None."""
    if value is None:
        return None
    return int(value.total_seconds()) if hasattr(value, "total_seconds") else int(value)


def send_file(
    path_or_file: str | os.PathLike[str] | IO[bytes],
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: MaxAge = None,
) -> Response:
    """Answer the current request with a file that the program chose.

    Never give it a path from a request: that is what `send_from_directory` is for.

    Args:
        path_or_file: a path, relative to the app's root path, or a binary stream, which is closed after it was sent.
        mimetype: the media type; by default from the file's name.
        as_attachment: whether a browser offers to save it instead of showing it.
        download_name: the name it is saved under; by default the file's.
        conditional: whether preconditions and ranges of the request are answered.
        etag: the entity tag, or whether to make one; for a stream there is only one of your own.
        last_modified: when it changed last; by default what the file system says.
        max_age: how many seconds the client may keep it without asking, or a function of the path; by default the
            app's `get_send_file_max_age`.

    Raises:
        OSError: there is no such file.
        TypeError: there is no name to tell the media type by, or to save it under.
        ValueError: the stream is one of text.
        RequestedRangeNotSatisfiable: no range asked for lies in the file.
        PreconditionFailed: a precondition of the request does not hold.
        RuntimeError: there is no current request.

    (Flask: ``flask.send_file``.)
    """
    context = request_context()
    return file_response(
        opened(path_or_file, context.app.root_path),
        context,
        mimetype=mimetype,
        as_attachment=as_attachment,
        download_name=download_name,
        conditional=conditional,
        etag=etag,
        last_modified=last_modified,
        max_age=max_age,
    )


def send_from_directory(
    directory: str | os.PathLike[str], path: str | os.PathLike[str], **kwargs: Any
) -> Response:
    """Answer the current request with a file that it named, in a folder that the program chose.

    Links are followed inside the folder only, and names that begin with a dot are not there (but for ``.well-known``,
    RFC 8615).

    Args:
        directory: the folder, relative to the app's root path. Never from a request.
        path: the file in it, ``/`` between the names.
        **kwargs: as `send_file` takes.

    Raises:
        NotFound: there is no such file, or it may not be served.
        Exception: as `send_file` does otherwise.

    (Flask: ``flask.send_from_directory``.)
    """
    context = request_context()
    return file_response(opened_below(directory, path, context.app.root_path), context, **kwargs)


def opened(
    path_or_file: str | os.PathLike[str] | IO[bytes], root: str | os.PathLike[str]
) -> OpenFile | IO[bytes]:
    """Return what `send_file` was given, opened if it is a path: one that the program chose, relative to `root`.

    Raises:
        OSError: there is no such file.
    """
    if not isinstance(path_or_file, (str, os.PathLike)):
        return path_or_file
    path = os.path.join(root, path_or_file)
    try:
        return open_trusted(path)
    except FileRefused as refusal:
        raise OSError(f"cannot send {path!r}: {refusal.reason}") from None


def opened_below(
    directory: str | os.PathLike[str],
    path: str | os.PathLike[str],
    root: str | os.PathLike[str],
) -> OpenFile:
    """Open a file that a request named, in a folder that the program chose, relative to `root`.

    Raises:
        NotFound: there is no such file, or it may not be served.
    """
    try:
        return open_below(os.path.join(root, directory), os.fspath(path))
    except FileRefused as refusal:
        raise NotFound from refusal


def file_response(
    source: OpenFile | IO[bytes] | bytes,
    context: Any,
    *,
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: MaxAge = None,
) -> Response:
    """Answer the request of `context` with an open file or a stream; arguments as `send_file`'s. Closes it, at last.

    Raises:
        Exception: as `send_file` does.
    """
    file = source if isinstance(source, OpenFile) else None
    try:
        path = None if file is None else file.path
        if download_name is None and path is not None:
            download_name = os.path.basename(path)
        headers = Headers()
        if mimetype is None:
            mimetype, coding = type_of_download(download_name)
            # A browser would decode an attachment, and save what its name does not say.
            if coding is not None and not as_attachment:
                headers.set("Content-Encoding", coding)
        if download_name is not None:
            headers.set("Content-Disposition", disposition(download_name, as_attachment))
        elif as_attachment:
            raise TypeError(
                "There is no name to save this attachment under. Give a download_name, or a path instead of a stream."
            )
        if max_age is None:
            max_age = context.app.get_send_file_max_age
        add_freshness(headers, max_age(path) if callable(max_age) else max_age)
        tag = None
        if isinstance(etag, str):
            tag = quote_etag(etag)
        elif etag and file is not None:
            tag = quote_etag(f"{file.mtime_ns:x}-{file.size_bytes:x}")
        if last_modified is None and file is not None:
            last_modified = modified_at(file.mtime_ns)
        add_validators(headers, tag, last_modified)
        response: Response = context.app.response_class(
            headers=headers, mimetype=mimetype, direct_passthrough=True
        )
        if file is not None and context.app.config["USE_X_SENDFILE"]:
            headers.set("X-Sendfile", file.path)
            file.close()
            source, ranges = b"", False
        else:
            ranges = True
        size_bytes = set_content(response, source)
        if not conditional:
            return response
        response = answer_conditions(response, context.request, size_bytes, ranges)
        if response.status_code == 304:
            headers.remove("X-Sendfile")
        return response
    except BaseException:
        if file is not None:
            file.close()
        raise


def type_of_download(name: str | None) -> tuple[str, str | None]:
    """Return the media type and the content coding of a file of this name.

    Raises:
        TypeError: there is no name.
    """
    if name is None:
        raise TypeError(
            "There is no name to detect the MIME type of this stream by. Give a mimetype, a download_name, or a path"
            " instead of a stream."
        )
    mimetype, coding = guess_type(name)
    return mimetype or OCTETS, coding


def disposition(name: str, as_attachment: bool) -> str:
    """Return a Content-Disposition; a name outside ASCII comes in two forms, for old clients too (RFC 6266 §4.3)."""
    kind = "attachment" if as_attachment else "inline"
    if name.isascii():
        return dump_options_header(kind, {"filename": name})
    simple = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    encoded = quote(name, safe="!#$&+-.^_`|~", errors="replace")
    return dump_options_header(kind, {"filename": simple, "filename*": f"UTF-8''{encoded}"})
