"""What WSGI programs answer with: files, and applications they choose by the request (PEP 3333)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import update_wrapper
from typing import IO, Any, cast

from .environ import run_wsgi_app
from .response import Response


def response_of(app: Callable[..., Any], environ: Mapping[str, Any]) -> Response:
    """Call a WSGI application and return its response, with no field it has not given.

    Raises:
        Exception: as `run_wsgi_app`.
    """
    content, status, headers = run_wsgi_app(app, environ)
    has_type = "Content-Type" in headers
    response = Response(content, status, headers)
    if not has_type:
        response.headers.remove("Content-Type")
    return response


class FileWrapper:
    """An iterable over a file, in blocks; closing it closes the file.

    Args:
        file: has `read`; binary.
        buffer_size: octets of a block.

    (Werkzeug: ``werkzeug.wsgi.FileWrapper``.)
    """

    def __init__(self, file: IO[bytes], buffer_size: int = 8192) -> None:
        self.file = file
        self.buffer_size = buffer_size

    def close(self) -> None:
        """Close the file, if it can be."""
        if hasattr(self.file, "close"):
            self.file.close()

    def seekable(self) -> bool:
        """Whether the file can be read from another place."""
        if hasattr(self.file, "seekable"):
            return self.file.seekable()
        return hasattr(self.file, "seek")

    def seek(self, *args: Any) -> None:
        """Go to another place in the file, if that is possible."""
        if hasattr(self.file, "seek"):
            self.file.seek(*args)

    def tell(self) -> int | None:
        """Return the place in the file; None where it does not tell."""
        return self.file.tell() if hasattr(self.file, "tell") else None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if block := self.file.read(self.buffer_size):
            return block
        raise StopIteration


def wrap_file(
    environ: Mapping[str, Any], file: IO[bytes], buffer_size: int = 8192
) -> Iterable[bytes]:
    """Wrap a file in what the server has for that, or in a `FileWrapper`.

    In a response it needs ``direct_passthrough=True``.

    (Werkzeug: ``werkzeug.wsgi.wrap_file``.)
    """
    wrapper = environ.get("wsgi.file_wrapper", FileWrapper)
    return cast("Iterable[bytes]", wrapper(file, buffer_size))


def responder(f: Callable[..., Callable[..., Any]]) -> Callable[..., Any]:
    """Make a WSGI application of a function that takes an environ and answers with a WSGI application.

    (Werkzeug: ``werkzeug.wsgi.responder``.)
    """

    def application(*args: Any) -> Any:
        return f(*args)(*args[-2:])

    return update_wrapper(application, f)
