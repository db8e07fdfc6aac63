"""Forms: ``application/x-www-form-urlencoded`` and ``multipart/form-data`` content to fields and files.

A form parser is given octets as they come (`receive`), and hands out everything at the end (`finish`). Whoever
reads the content, waiting in a thread or awaiting on the loop, drives the same parser; `parse_form` is that loop
for content that can simply be iterated over.

A file is written to memory, and beyond `FormLimits.spool_bytes` to a temporary file that has no name, so that
it is gone when it is closed, or when the process ends in whatever way. When a form is refused or given up, every
file of it is closed before the error is raised.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, cast

from .headers import Headers
from .media_types import parse_options_header
from .multidict import ImmutableMultiDict
from .multipart import Data, End, Field, File, MultipartError, MultipartLimits, MultipartReader
from .uploads import FileStorage
from .urls import FieldLimitExceeded, parse_query

Form = ImmutableMultiDict[str, str]
Files = ImmutableMultiDict[str, FileStorage]

StreamFactory = Callable[[int | None, str | None, str | None, int | None], IO[bytes]]
"""Makes the stream a file is written to, from the total content length, the part's content type, its file name
and the part's own content length, as Werkzeug's ``stream_factory``."""

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class FormError(ValueError):
    """The content is not the form it says it is, or is larger than is allowed.

    Attributes:
        message: what is wrong, in one sentence; the client's own octets only `repr`-escaped.
        status: the status code to answer with.
    """

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FormMalformed(FormError):
    """The content breaks the rules of its media type."""


class FormTooLarge(FormError):
    """The form goes beyond one of its `FormLimits`."""

    status = 413


@dataclass(frozen=True, slots=True)
class FormLimits:
    """How much of one form is read before it is refused. None means no limit.

    All count over the whole form, not for one field.
    """

    max_form_memory_bytes: int | None = 512 * 1024
    """Octets of all fields that are not files, since they are kept in memory. Beyond: 413."""

    max_form_parts: int | None = 1000
    """Parts of a multipart form, fields and files together. Beyond: 413."""

    max_fields: int | None = 1000
    """Fields that are not files (Django and PHP 1,000). Beyond: 413."""

    part_header_lines: int = 100
    """Field lines in one part. Beyond: 413."""

    part_header_line_bytes: int = 8192
    """One field line of a part. Beyond: 413."""

    spool_bytes: int = 500 * 1024
    """How much of one file is kept in memory before it moves to a temporary file."""


DEFAULT_LIMITS = FormLimits()


class FormParser:
    """Parses one form from octets cut anywhere.

    A parser that is not finished has to be closed, so that no temporary file outlives it.
    """

    def receive(self, data: bytes) -> None:
        """Take the next octets.

        Raises:
            FormError: the form is malformed or too large. The parser has closed itself.
        """
        raise TypeError(f"{type(self).__name__} parses no content")

    def finish(self) -> tuple[Form, Files]:
        """Say that no more octets come, and return the fields and the files.

        The files are the caller's to close from then on.

        Raises:
            FormError: the form is not whole. The parser has closed itself.
        """
        raise TypeError(f"{type(self).__name__} parses no content")

    def close(self) -> None:
        """Give the form up: close its files, which deletes them. Does nothing after `finish`."""


class UrlencodedParser(FormParser):
    """Parses ``application/x-www-form-urlencoded`` (URL Standard §5.1): UTF-8, ``+`` for a space.

    A name without ``=`` has an empty value. Percent-encoded octets that are no UTF-8 stay encoded, as in a query.
    """

    def __init__(self, limits: FormLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._content = bytearray()
        self._separators = 0

    def receive(self, data: bytes) -> None:
        self._content += data
        limit = self.limits.max_form_memory_bytes
        if limit is not None and len(self._content) > limit:
            self.close()
            raise FormTooLarge(f"the form has more than {limit} octets")
        self._separators += data.count(b"&")
        limit = self.limits.max_fields
        if limit is not None and self._separators > limit:
            # Empty pieces between separators are no fields but cost the same.
            self.close()
            raise FormTooLarge(f"the form has more than {limit} fields")

    def finish(self) -> tuple[Form, Files]:
        content = self._content.decode("utf-8", "replace")
        self.close()
        limit = self.limits.max_fields
        try:
            pairs = parse_query(content, sys.maxsize if limit is None else limit)
        except FieldLimitExceeded:
            raise FormTooLarge(f"the form has more than {limit} fields") from None
        return Form(pairs), Files()

    def close(self) -> None:
        self._content = bytearray()


class MultipartParser(FormParser):
    """Parses ``multipart/form-data`` (RFC 7578), writing files away as they come.

    Args:
        boundary: the ``boundary`` parameter of the Content-Type.
        limits: how much is read before the form is refused.
        stream_factory: makes the stream a file is written to; by default one that moves from memory to disk.
        content_length: the length of the whole content where it is known, for `stream_factory`.

    Raises:
        FormMalformed: `boundary` is no boundary.
    """

    def __init__(
        self,
        boundary: bytes,
        limits: FormLimits = DEFAULT_LIMITS,
        stream_factory: StreamFactory | None = None,
        content_length: int | None = None,
    ) -> None:
        self.limits = limits
        self._stream_factory = stream_factory
        self._content_length = content_length
        self._fields: list[tuple[str, str]] = []
        self._files: list[tuple[str, FileStorage]] = []
        self._field: Field | None = None
        self._stream: IO[bytes] | None = None
        self._pieces: list[bytes] = []
        self._memory_bytes = 0
        self._received = False
        part_limits = MultipartLimits(
            parts=limits.max_form_parts,
            header_lines=limits.part_header_lines,
            header_line_bytes=limits.part_header_line_bytes,
        )
        try:
            self._reader = MultipartReader(boundary, part_limits)
        except MultipartError as error:
            raise FormMalformed(error.message) from None

    def receive(self, data: bytes) -> None:
        if not data:
            return
        self._received = True
        self._reader.receive(data)
        try:
            self._take_events()
        except MultipartError as error:
            self.close()
            raise form_error(error) from None
        except BaseException:
            # A full disk, for one: what has been written so far must not stay.
            self.close()
            raise

    def finish(self) -> tuple[Form, Files]:
        # A client that sends no octets at all sends no form: many do so for a form without fields.
        if self._received:
            try:
                self._reader.receive_eof()
            except MultipartError as error:
                self.close()
                raise form_error(error) from None
        files = self._files
        self._files = []
        try:
            for _, file in files:
                file.stream.seek(0)
        except BaseException:
            self._files = files
            self.close()
            raise
        return Form(self._fields), Files(files)

    def close(self) -> None:
        files = self._files
        self._files = []
        self._fields = []
        self._pieces = []
        for _, file in files:
            file.close()

    def _take_events(self) -> None:
        while True:
            event = self._reader.next_event()
            if event is None or type(event) is End:
                return
            if type(event) is Data:
                self._take_data(event)
            elif type(event) is File:
                self._begin_file(event)
            else:
                self._field = cast("Field", event)

    def _begin_file(self, event: File) -> None:
        headers = event.headers
        content_type = headers.get("Content-Type")
        if self._stream_factory is None:
            stream: IO[bytes] = BytesIO()
            file = FileStorage(stream, event.filename, event.name, headers=headers)
        else:
            file = FileStorage(None, event.filename, event.name, headers=headers)
            stream = self._stream_factory(
                self._content_length, content_type, event.filename, file.content_length
            )
            file.stream = stream
        self._stream = stream
        self._files.append((event.name, file))

    def _spool(self, memory: BytesIO, more_bytes: int) -> IO[bytes]:
        """Return where the next `more_bytes` octets of the last file are written: `memory`, or from now on a file."""
        if memory.tell() + more_bytes <= self.limits.spool_bytes:
            return memory
        disk = temporary_file()
        self._files[-1][1].stream = disk
        disk.write(memory.getbuffer())
        return disk

    def _take_data(self, event: Data) -> None:
        stream = self._stream
        if stream is not None:
            if type(stream) is BytesIO and self._stream_factory is None:
                stream = self._spool(stream, len(event.data))
            stream.write(event.data)
            self._stream = stream if event.more else None
            return
        self._memory_bytes += len(event.data)
        limit = self.limits.max_form_memory_bytes
        if limit is not None and self._memory_bytes > limit:
            raise MultipartError(
                f"the fields of the form have more than {limit} octets", status=413
            )
        self._pieces.append(event.data)
        field = self._field
        if event.more or field is None:
            return
        limit = self.limits.max_fields
        if limit is not None and len(self._fields) == limit:
            raise MultipartError(f"the form has more than {limit} fields", status=413)
        value = b"".join(self._pieces).decode(field_charset(field.headers), "replace")
        self._pieces = []
        self._fields.append((field.name, value))


def temporary_file() -> IO[bytes]:
    """Open a file on disk that has no name."""
    return cast("IO[bytes]", TemporaryFile())


def form_error(error: MultipartError) -> FormError:
    """Return the error of a form for an error of the multipart message it is in."""
    if error.status == FormTooLarge.status:
        return FormTooLarge(error.message)
    return FormMalformed(error.message)


def field_charset(headers: Headers) -> str:
    """Return the charset of a field's value: UTF-8 unless the part names one of the few that are safe to decode."""
    content_type = headers.get("Content-Type")
    if content_type is not None:
        charset = parse_options_header(content_type)[1].get("charset", "").lower()
        # Others are left out on purpose: a decoder chosen by the peer can be one that expands or never ends.
        if charset in {"ascii", "us-ascii", "utf-8", "iso-8859-1"}:
            return charset
    return "utf-8"


def form_parser(
    content_type: str,
    limits: FormLimits = DEFAULT_LIMITS,
    stream_factory: StreamFactory | None = None,
    content_length: int | None = None,
) -> FormParser | None:
    """Return the parser for content of `content_type`, or None where it is not a form.

    Raises:
        FormMalformed: it is multipart/form-data without a boundary (RFC 2046 §5.1.1).
    """
    media_type, parameters = parse_options_header(content_type)
    media_type = media_type.lower()
    if media_type == URLENCODED:
        return UrlencodedParser(limits)
    if media_type == MULTIPART:
        boundary = parameters.get("boundary")
        if boundary is None:
            raise FormMalformed(
                "the Content-Type is multipart/form-data without a boundary (RFC 2046 §5.1.1): leave it to the client "
                "to set that field"
            )
        return MultipartParser(
            boundary.encode("latin-1", "replace"), limits, stream_factory, content_length
        )
    return None


def parse_form(
    pieces: Iterable[bytes],
    content_type: str,
    limits: FormLimits = DEFAULT_LIMITS,
    stream_factory: StreamFactory | None = None,
    content_length: int | None = None,
) -> tuple[Form, Files]:
    """Parse the form that `pieces` are the octets of; nothing is read where `content_type` is no form's.

    Args:
        pieces: the content, cut anywhere. Whatever iterating over it raises passes through, after the form's files
            have been closed.
        content_type: the request's Content-Type.
        limits: how much is read before the form is refused.
        stream_factory: makes the stream a file is written to.
        content_length: the length of the whole content where it is known, for `stream_factory`.

    Raises:
        FormMalformed: the content breaks the rules of its media type.
        FormTooLarge: it goes beyond one of `limits`.
    """
    parser = form_parser(content_type, limits, stream_factory, content_length)
    if parser is None:
        return Form(), Files()
    try:
        for piece in pieces:
            parser.receive(piece)
    except BaseException:
        parser.close()
        raise
    return parser.finish()
