"""Forms as a client sends them: fields and files encoded as multipart/form-data, for tests.

What a browser would do, with the liberties that Flask's test client takes with the values it is given.
"""

import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any, cast

from .headers import Headers
from .multidict import MultiDict, is_mapping, is_multidict
from .multipart import MultipartWriter

PIECE_BYTES = 65536

SPOOL_BYTES = 500 * 1024
"""Encoded octets that are held in memory; more go to a temporary file."""

FormValues = Mapping[str, Any] | Iterable[tuple[str, Any]]


def form_pairs(values: FormValues) -> Iterator[tuple[str, Any]]:
    """Iterate over the names and values of a form; a list in a mapping stands for several values.

    Other than in a `MultiDict`, a tuple is one value: a file with its name and type.
    """
    pairs: Iterable[tuple[str, Any]] = cast("Any", values)
    if is_multidict(values):
        yield from cast("MultiDict[str, Any]", values).items(multi=True)
        return
    if is_mapping(values):
        pairs = cast("Mapping[str, Any]", values).items()
    for name, value in pairs:
        if isinstance(value, list):
            several: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            for each in several:
                yield name, each
        else:
            yield name, value


def stream_encode_multipart(
    data: FormValues,
    use_tempfile: bool = True,
    threshold: int = SPOOL_BYTES,
    boundary: str | None = None,
) -> tuple[IO[bytes], int, str]:
    """Encode a form as multipart/form-data into a stream.

    A value with a `read` method is read as a file: its `filename` (or `name`) and `content_type` are sent where it has
    them, and without a file name it is sent as a field. Octets are sent as they are, anything else as `str` gives it.

    Args:
        data: the fields and files.
        use_tempfile: whether a long form goes to a temporary file.
        threshold: octets from which a form is long.
        boundary: what separates the parts; by default a random one. For tests: files are not searched for it.

    Returns:
        The stream at its start, how many octets it has, and the boundary.

    Raises:
        ValueError: a name has a control character, a field contains the boundary, or `boundary` is none.

    (Werkzeug: ``werkzeug.test.stream_encode_multipart``.)
    """
    writer = MultipartWriter(boundary)
    stream: IO[bytes] = BytesIO()
    length = 0
    for piece in _pieces(writer, data):
        length += len(piece)
        if use_tempfile and length > threshold and isinstance(stream, BytesIO):
            # Not a SpooledTemporaryFile: that warns when it is not closed, and nobody closes a small form.
            held = stream.getvalue()
            stream = cast("IO[bytes]", TemporaryFile("w+b"))  # noqa: SIM115 - the caller's to close
            stream.write(held)
        stream.write(piece)
    stream.seek(0)
    return stream, length, writer.boundary


def _pieces(writer: MultipartWriter, data: FormValues) -> Iterator[bytes]:
    for name, value in form_pairs(data):
        if hasattr(value, "read"):
            yield from _file_pieces(writer, name, value)
        else:
            yield writer.field(name, value if isinstance(value, bytes) else str(value))
    yield writer.end()


def _file_pieces(writer: MultipartWriter, name: str, file: Any) -> Iterator[bytes]:
    filename: Any = getattr(file, "filename", getattr(file, "name", None))
    filename = None if filename is None else str(filename)
    headers = Headers(getattr(file, "headers", None))
    if "Content-Type" not in headers:
        guessed = mimetypes.guess_type(filename)[0] if filename else None
        headers["Content-Type"] = guessed or "application/octet-stream"
    yield writer.file_head(name, filename, headers)
    while piece := file.read(PIECE_BYTES):
        yield piece.encode() if isinstance(piece, str) else piece


def encode_multipart(values: FormValues, boundary: str | None = None) -> tuple[str, bytes]:
    """Encode a form as multipart/form-data, all of it in memory; values as in `stream_encode_multipart`.

    Returns:
        The boundary and the encoded octets.

    Raises:
        ValueError: as `stream_encode_multipart`.

    (Werkzeug: ``werkzeug.test.encode_multipart``.)
    """
    stream, _, boundary = stream_encode_multipart(values, use_tempfile=False, boundary=boundary)
    return boundary, stream.read()
