"""An application whose server is measured from outside."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

from groundwire import Groundwire, Response

PIECE = b"x" * 65536
PIECES = 16384  # 1 GiB

app = Groundwire(__name__)
app.config["MAX_CONTENT_LENGTH"] = None
stopped = threading.Event()


@app.route("/hello")
def hello() -> str:
    return "Hello, World!"


@app.route("/gigabyte")
def gigabyte() -> Response:
    def pieces() -> Iterator[bytes]:
        for _ in range(PIECES):
            yield PIECE

    return Response(pieces())


@app.route("/gigabyte-async")
async def gigabyte_async() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(PIECES):
            yield PIECE

    return Response(pieces())


@app.route("/never-reads", methods=["POST"], stream=True, run="thread")
def never_reads() -> str:
    stopped.wait(60)
    return ""


@app.route("/never-reads-async", methods=["POST"], stream=True)
async def never_reads_async() -> str:
    await asyncio.sleep(60)
    return ""
