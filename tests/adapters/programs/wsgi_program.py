"""What the WSGI servers under test serve: an ordinary application behind an ordinary middleware."""

import asyncio
import hashlib
import io
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from groundwire import Groundwire, Response, g, redirect, request, send_file, url_for
from groundwire.werkzeug.wsgi import wrap_file

app = Groundwire(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1_000_000
events: list[str] = []


class Middleware:
    """Tells the application something and adds to every answer; answers one path itself."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self.inner = inner

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/outside":
            return Response("made outside", 203, {"X-Own": "1"})(environ, start_response)
        environ["program.said"] = "by the middleware"

        def start(status: str, fields: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*fields, ("X-Middleware", "was here")], *error)

        return self.inner(environ, start)


app.wsgi_app = Middleware(app.wsgi_app)  # type: ignore[method-assign]


@app.teardown_request
def note_teardown(error: BaseException | None) -> None:
    if "quiet" not in g:
        events.append(f"teardown {request.path} {type(error).__name__}")


@app.get("/hello")
def hello() -> str:
    return "Hello, World!"


@app.get("/events")
def told() -> list[str]:
    g.quiet = True
    told, events[:] = events[:], []
    return told


@app.get("/environ")
def environ() -> dict[str, Any]:
    seen = request.environ
    return {
        name: seen.get(name)
        for name in (
            *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL"),
            *("REMOTE_ADDR", "HTTP_X_TWICE", "HTTP_HOST", "wsgi.url_scheme", "program.said"),
        )
    } | {"url": request.url, "args": request.args.to_dict(), "x": request.headers.get("X-One")}


@app.post("/form")
def form() -> dict[str, Any]:
    return {
        "fields": request.form.to_dict(),
        "files": {
            name: [file.filename, hashlib.sha256(file.read()).hexdigest()]
            for name, file in request.files.items()
        },
    }


@app.post("/raw")
def raw() -> dict[str, Any]:
    data = request.get_data()
    return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@app.get("/stream")
def stream() -> Iterator[str]:
    yield "one,"
    yield "two,"
    yield "three"


@app.get("/stream-async")
def stream_async() -> AsyncIterator[str]:
    async def pieces() -> AsyncIterator[str]:
        for piece in ("one,", "two,", "three"):
            await asyncio.sleep(0)
            yield piece

    return pieces()


@app.get("/endless")
def endless() -> Response:
    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
                time.sleep(0.01)
        finally:
            events.append("generator closed")

    response = app.response_class(pieces())
    response.call_on_close(lambda: events.append("response closed"))
    return response


@app.get("/async")
async def in_a_coroutine() -> str:
    await asyncio.sleep(0.01)
    return f"awaited {request.path}"


@app.get("/closing")
def closing() -> Response:
    response = app.response_class("closing")
    response.call_on_close(lambda: events.append("response closed"))
    return response


@app.get("/error")
def error() -> str:
    raise LookupError("what went wrong is for the log")


@app.get("/redirect")
def redirecting() -> Any:
    return redirect(url_for("hello", x="ü"))


@app.get("/cookie")
def cookie() -> Response:
    response = app.response_class(request.cookies.get("seen", "never"))
    response.set_cookie("seen", "before", httponly=True)
    response.set_cookie("other", "2")
    return response


@app.get("/file")
def file() -> Any:
    return send_file(Path(__file__), mimetype="text/x-python")


@app.get("/file-wrapped")
def file_wrapped() -> Response:
    file = Path(__file__).open("rb")  # noqa: SIM115 - the server closes it
    wrapped = wrap_file(request.environ, file)
    events.append("wsgi.file_wrapper" if "wsgi.file_wrapper" in request.environ else "our own")
    return app.response_class(wrapped, mimetype="text/x-python", direct_passthrough=True)


@app.get("/file-in-memory")
def file_in_memory() -> Any:
    return send_file(io.BytesIO(b"0123456789"), mimetype="text/plain")
