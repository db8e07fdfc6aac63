"""Where a WSGI application spends its time."""

import io
import pstats
from pathlib import Path
from typing import Any

import pytest

from groundwire.adapters.profiler import ProfilerMiddleware

ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a/b"}


def slowly() -> bytes:
    return b"content"


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    write = start_response("200 OK", [])
    write(b"written ")
    return [slowly()]


def heads() -> tuple[list[Any], Any]:
    calls: list[Any] = []
    return calls, lambda *args: calls.append(args)


def test_the_calls_of_a_request_are_written(tmp_path: Path) -> None:
    stream = io.StringIO()
    calls, start_response = heads()

    content = ProfilerMiddleware(application, stream, restrictions=["slowly"])(
        dict(ENVIRON), start_response
    )

    assert [b"written content"] == list(content)
    assert [("200 OK", [])] == calls
    assert "PATH: '/a/b'" in stream.getvalue()
    assert "(slowly)" in stream.getvalue()


@pytest.mark.parametrize(
    ("path", "pattern"), [("/a/b", "GET.a.b.*ms.*.prof"), ("/", "GET.root.*ms.*.prof")]
)
def test_the_whole_profile_is_kept_in_a_folder(tmp_path: Path, path: str, pattern: str) -> None:
    middleware = ProfilerMiddleware(application, None, profile_dir=str(tmp_path))

    middleware(ENVIRON | {"PATH_INFO": path}, heads()[1])

    (file,) = tmp_path.glob(pattern)
    assert pstats.Stats(str(file)).total_calls  # type: ignore[attr-defined]


def test_a_function_may_name_the_file(tmp_path: Path) -> None:
    def name(environ: dict[str, Any]) -> str:
        assert {"elapsed", "time"} == set(environ["werkzeug.profiler"])
        return "own.prof"

    ProfilerMiddleware(application, None, profile_dir=str(tmp_path), filename_format=name)(
        dict(ENVIRON), heads()[1]
    )

    assert (tmp_path / "own.prof").exists()


def test_content_is_closed() -> None:
    closed: list[bool] = []

    class Content(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    ProfilerMiddleware(lambda environ, start_response: Content(), None)(dict(ENVIRON), heads()[1])

    assert [True] == closed
