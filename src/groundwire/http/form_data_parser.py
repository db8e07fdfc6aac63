"""The object a request has its form parsed by, which an application may put another in the place of."""

from collections.abc import Iterator, Mapping
from typing import IO, Any

from .errors import BadRequest, RequestEntityTooLarge
from .forms import FormError, FormLimits, FormTooLarge, StreamFactory, parse_form
from .media_types import dump_options_header
from .multidict import ImmutableMultiDict, MultiDict

PIECE_BYTES = 65536


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

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: Mapping[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]:
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


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece
