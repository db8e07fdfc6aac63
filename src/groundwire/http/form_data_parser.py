"""The object a request has its form parsed by, which an application may put another in the place of."""

from collections.abc import Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from .errors import BadRequest, RequestEntityTooLarge
from .forms import (
    DEFAULT_LIMITS,
    FormError,
    FormLimits,
    FormTooLarge,
    MultipartParser,
    StreamFactory,
    parse_form,
)
from .limited_stream import get_content_length, get_input_stream
from .media_types import dump_options_header, parse_options_header
from .multidict import ImmutableMultiDict, MultiDict
from .uploads import FileStorage

PIECE_BYTES = 65536

Parsed = tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]
"""The stream, the fields and the files."""


class FormDataParser:
    """Parses a form from a stream.

    Args:
        stream_factory: makes the stream a file is written to; None: memory, then a temporary file.
        max_form_memory_size: octets of all fields that are not files. Beyond: 413.
        max_content_length: octets of the whole form. Beyond: 413.
        cls: what the two results are instances of.
        silent: answer an empty form, instead of 400, when the content is malformed.
        max_form_parts: fields and files of a form. Beyond: 413.

    (Werkzeug: ``werkzeug.formparser.FormDataParser``.)
    """

    def __init__(
        self,
        stream_factory: StreamFactory | None = None,
        max_form_memory_size: int | None = None,
        max_content_length: int | None = None,
        cls: type[MultiDict[str, Any]] | None = None,
        silent: bool = True,
        *,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_form_parts = max_form_parts
        self.max_content_length = max_content_length
        self.cls: type[MultiDict[str, Any]] = ImmutableMultiDict if cls is None else cls
        self.silent = silent

    def parse_from_environ(self, environ: Mapping[str, Any]) -> Parsed:
        """Parse the form in ``wsgi.input``; as `parse` does otherwise.

        Raises:
            RequestEntityTooLarge: the form is beyond a limit.
            BadRequest: it is malformed, unless `silent`.
        """
        stream = get_input_stream(environ, max_content_length=self.max_content_length)
        mimetype, options = parse_options_header(environ.get("CONTENT_TYPE"))
        return self.parse(stream, mimetype, get_content_length(environ), options)

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: Mapping[str, str] | None = None,
    ) -> Parsed:
        """Parse the form in `stream`, and return the stream, the fields and the files.

        Where `mimetype` is no form's, nothing is read and both are empty.

        Args:
            stream: the content.
            mimetype: its media type without parameters.
            content_length: its length, None when unknown.
            options: the parameters of the media type.

        Raises:
            RequestEntityTooLarge: the form is beyond a limit.
            BadRequest: it is malformed, unless `silent`.
        """
        limit = self.max_content_length
        if limit is not None and content_length is not None and content_length > limit:
            raise RequestEntityTooLarge
        limits = FormLimits(
            max_form_memory_bytes=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            max_fields=self.max_form_parts,
        )
        content_type = dump_options_header(mimetype, options or {})
        try:
            form, files = parse_form(
                _pieces(stream), content_type, limits, self.stream_factory, content_length
            )
        except FormTooLarge as error:
            raise RequestEntityTooLarge(error.message) from error
        except FormError as error:
            if not self.silent:
                raise BadRequest(f"The form cannot be read: {error.message}.") from error
            return stream, self.cls(), self.cls()
        if self.cls is ImmutableMultiDict:
            return stream, form, files
        return stream, self.cls(form), self.cls(files)


def parse_form_data(
    environ: Mapping[str, Any],
    stream_factory: StreamFactory | None = None,
    max_form_memory_size: int | None = None,
    max_content_length: int | None = None,
    cls: type[MultiDict[str, Any]] | None = None,
    silent: bool = True,
    *,
    max_form_parts: int | None = None,
) -> Parsed:
    """Parse the form of the request that `environ` describes; arguments as `FormDataParser`'s.

    Raises:
        RequestEntityTooLarge: the form is beyond a limit.
        BadRequest: it is malformed, unless `silent`.

    (Werkzeug: ``werkzeug.formparser.parse_form_data``.)
    """
    parser = FormDataParser(
        *(stream_factory, max_form_memory_size, max_content_length, cls, silent),
        max_form_parts=max_form_parts,
    )
    return parser.parse_from_environ(environ)


class MultiPartParser:
    """Parses multipart/form-data content, whose boundary is known.

    Args:
        stream_factory: makes the stream a file is written to; None: `default_stream_factory`.
        max_form_memory_size: octets of all fields that are not files. Beyond: 413.
        cls: what the two results are instances of.
        buffer_size: octets that are read at a time.
        max_form_parts: fields and files of a form. Beyond: 413.

    (Werkzeug: ``werkzeug.formparser.MultiPartParser``.)
    """

    def __init__(
        self,
        stream_factory: StreamFactory | None = None,
        max_form_memory_size: int | None = None,
        cls: type[MultiDict[str, Any]] | None = None,
        buffer_size: int = PIECE_BYTES,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory or default_stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.cls: type[MultiDict[str, Any]] = MultiDict if cls is None else cls
        self.buffer_size = buffer_size
        self.max_form_parts = max_form_parts

    def parse(
        self, stream: IO[bytes], boundary: bytes, content_length: int | None
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Parse the form in `stream`, and return its fields and files.

        Raises:
            RequestEntityTooLarge: the form is beyond a limit.
            ValueError: it is malformed.
        """
        limits = FormLimits(self.max_form_memory_size, self.max_form_parts, self.max_form_parts)
        parser = MultipartParser(boundary, limits, self.stream_factory, content_length)
        try:
            for piece in _pieces(stream, self.buffer_size):
                parser.receive(piece)
            form, files = parser.finish()
        except FormTooLarge as error:
            raise RequestEntityTooLarge(error.message) from error
        except BaseException:
            parser.close()
            raise
        return self.cls(form), self.cls(files)


def default_stream_factory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """Return a stream in memory that moves to a temporary file when it grows.

    (Werkzeug: ``werkzeug.formparser.default_stream_factory``.)
    """
    return cast("IO[bytes]", SpooledTemporaryFile(DEFAULT_LIMITS.spool_bytes))


def _pieces(stream: IO[bytes], size: int = PIECE_BYTES) -> Iterator[bytes]:
    while piece := stream.read(size):
        yield piece
