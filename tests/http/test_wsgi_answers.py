"""What WSGI programs answer with."""

import io
from typing import Any

from groundwire.http.response import Response
from groundwire.http.wsgi_answers import FileWrapper, responder, wrap_file


class Bare:
    """A file that can be read, and nothing else."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


def test_a_file_is_given_in_blocks_and_closed() -> None:
    file = io.BytesIO(b"12345")
    wrapper = FileWrapper(file, 2)

    assert [b"12", b"34", b"5"] == list(wrapper)
    assert wrapper.seekable()
    wrapper.seek(1)
    assert 1 == wrapper.tell()
    wrapper.close()
    assert file.closed


def test_a_file_that_can_only_be_read_is_enough() -> None:
    bare: Any = Bare(b"123")
    wrapper = FileWrapper(bare)

    wrapper.seek(1)
    wrapper.close()

    assert (False, None, [b"123"]) == (wrapper.seekable(), wrapper.tell(), list(wrapper))


def test_a_file_is_seekable_if_it_has_seek() -> None:
    bare: Any = Bare(b"")
    bare.seek = lambda *args: 0

    assert FileWrapper(bare).seekable()


def test_the_servers_own_wrapper_comes_first() -> None:
    file = io.BytesIO(b"1")

    assert isinstance(wrap_file({}, file), FileWrapper)
    assert (file, 7) == wrap_file({"wsgi.file_wrapper": lambda *args: args}, file, 7)


def test_a_responder_calls_what_it_returns() -> None:
    @responder
    def application(environ: dict[str, Any], start_response: Any) -> Response:
        return Response(environ["PATH_INFO"])

    environ = {"PATH_INFO": "/x", "REQUEST_METHOD": "GET"}

    assert "application" == application.__name__
    assert [b"/x"] == list(application(environ, lambda *args: None))
