"""The application that the fault suite serves: it answers, and does everything that a program should not."""

import ctypes
import os
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any

from jinja2 import DictLoader

from groundwire import Groundwire, Response, render_template, request, session

VERSION = os.environ.get("PROGRAM_VERSION", "1")

PIECE = bytes(65536)

app = Groundwire(__name__)
app.config["MAX_CONTENT_LENGTH"] = 2 << 30
app.jinja_loader = DictLoader(
    {"page.html": "<h1>{{ name }}</h1>{% for n in range(9) %}<p>{{ n }}</p>{% endfor %}"}
)
app.config["SECRET_KEY"] = "for the fault suite only, and long enough"
lock = threading.Lock()
seen: dict[str, int] = {"gone": 0, "finished": 0, "closed": 0, "taken": 0, "sent": 0}


def made(seed: int, size: int) -> Response:
    piece = b"%d\n" % seed
    content = (piece * (size // len(piece) + 1))[:size]
    response = Response(content, mimetype="application/octet-stream")
    response.headers["X-Checksum"] = str(zlib.crc32(content))
    response.headers["X-Worker"] = str(os.getpid())
    return response


@app.get("/answer/<int:seed>/<int:size>", run="inline")
def answer(seed: int, size: int) -> Response:
    return made(seed, size)


@app.get("/thread/<int:ms>/<int:seed>/<int:size>", run="thread")
def answer_in_thread(ms: int, seed: int, size: int) -> Response:
    time.sleep(ms / 1000)
    return made(seed, size)


@app.get("/version")
def version() -> dict[str, Any]:
    return {"version": VERSION, "pid": os.getpid()}


@app.get("/seen", run="inline")
def what_was_seen() -> dict[str, int]:
    return {**seen, "threads": threading.active_count(), "pid": os.getpid()}


@app.get("/large/<int:mebibytes>")
def large(mebibytes: int) -> bytes:
    return bytes(mebibytes << 20)


# Content in pieces.


@app.get("/stream/<int:mebibytes>")
def stream(mebibytes: int) -> Response:
    def pieces() -> Iterator[bytes]:
        try:
            for _ in range(mebibytes * 16):
                seen["sent"] += len(PIECE)
                yield PIECE
        finally:
            seen["closed"] += 1

    return Response(pieces(), mimetype="application/octet-stream")


@app.get("/async-stream/<int:mebibytes>")
async def async_stream(mebibytes: int) -> Response:
    async def pieces() -> Any:
        try:
            for _ in range(mebibytes * 16):
                seen["sent"] += len(PIECE)
                yield PIECE
        finally:
            seen["closed"] += 1

    return Response(pieces(), mimetype="application/octet-stream")


@app.post("/upload/<int:ms>", stream=True)
def upload(ms: int) -> dict[str, int]:
    """Read content piece by piece, with a pause after each."""
    taken = checksum = 0
    try:
        while piece := request.stream.read(65536):
            taken += len(piece)
            checksum = zlib.crc32(piece, checksum)
            seen["taken"] = taken
            time.sleep(ms / 1000)
    except Exception:
        seen["gone"] += 1
        raise
    seen["finished"] += 1
    return {"taken": taken, "checksum": checksum}


@app.post("/whole")
async def whole() -> dict[str, int]:
    """Take content as a whole, which the server spools to a file when it is large."""
    content = request.get_data()
    seen["finished"] += 1
    return {"taken": len(content), "checksum": zlib.crc32(content)}


@app.post("/json")
def json_back() -> Any:
    return request.get_json()


@app.post("/form")
def form() -> dict[str, int]:
    size = sum(len(file.read()) for file in request.files.values())
    return {"fields": len(request.form), "octets": size}


@app.get("/pieces/<int:number>")
def pieces(number: int) -> Response:
    return Response(b"piece %d\n" % piece for piece in range(number))


@app.get("/count")
def count() -> dict[str, int]:
    session["count"] = session.get("count", 0) + 1
    return {"count": session["count"]}


@app.get("/page/<name>")
def page(name: str) -> str:
    return render_template("page.html", name=name)


# What a program should not do.


@app.get("/hang/thread", run="thread")
def loop_in_thread() -> str:
    while True:
        pass


@app.get("/hang/inline", run="inline")
def loop_inline() -> str:
    while True:
        pass


@app.get("/hang/deadlock", run="thread")
def deadlock() -> str:
    with lock:
        lock.acquire()
    return "never"


@app.get("/hang/async")
async def wait_for_ever() -> str:
    import asyncio

    await asyncio.Event().wait()
    return "never"


@app.get("/hold/<int:ms>", run="inline")
def hold(ms: int) -> str:
    time.sleep(ms / 1000)
    return "held"


@app.get("/exit/<int:status>")
def leave(status: int) -> str:
    os._exit(status)


@app.get("/segfault")
def segfault() -> str:
    ctypes.string_at(0)
    return "never"


RAISED = {
    kind.__name__: kind
    for kind in (
        SystemExit,
        KeyboardInterrupt,
        MemoryError,
        RecursionError,
        GeneratorExit,
        BaseException,
        ValueError,
    )
}


@app.get("/raise/thread/<name>", run="thread")
def raise_in_thread(name: str) -> str:
    raise RAISED[name]("as it was asked to")


@app.get("/raise/inline/<name>", run="inline")
def raise_inline(name: str) -> str:
    raise RAISED[name]("as it was asked to")


@app.get("/raise/async/<name>")
async def raise_in_task(name: str) -> str:
    raise RAISED[name]("as it was asked to")


@app.get("/raise/stream/<name>")
def raise_in_stream(name: str) -> Response:
    def pieces() -> Iterator[bytes]:
        yield b"begun"
        raise RAISED[name]("as it was asked to")

    return Response(pieces())


kept: list[bytes] = []


@app.get("/keep/<int:mebibytes>")
def keep(mebibytes: int) -> dict[str, int]:
    """Hold more and more memory."""
    kept.append(b"x" * (mebibytes << 20))
    return {"kept": len(kept)}


descriptors: list[int] = []


@app.get("/take-descriptors", run="inline")
def take_descriptors() -> str:
    """Take every descriptor that there is."""
    try:
        while True:
            descriptors.append(os.dup(0))
    except OSError:
        return str(len(descriptors))


@app.get("/give-descriptors", run="inline")
def give_descriptors() -> str:
    while descriptors:
        os.close(descriptors.pop())
    return "given"


if os.environ.get("PROGRAM_BROKEN"):
    sys.exit("broken as it was asked to be")
