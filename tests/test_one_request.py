"""One request from the socket to your function and back: its stations, and what they cost."""

import asyncio
import sys
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import groundwire
from fetching import make_app, settle_inline
from groundwire import Groundwire
from groundwire import request as request_of_flask
from wire import Wire, request

PACKAGE = Path(groundwire.__file__).parent

STATIONS = [
    "server/connection.py",
    "protocol/http1/reader.py",
    "http/request.py",
    "app/app.py",
    "your function",
    "http/response.py",
    "protocol/http1/writer.py",
]
"""Where the third request of a connection comes by, in the order in which each is reached first: receive, parse,
request, handle (which matches by one look into a dict), your function, answer, serialize. The transport sends."""

MAX_FRAMES = 3
MAX_CALLS = 16
MAX_FILES = 8

PIECE = bytes(65536)
MAX_CALLS_PER_PIECE = 40
MAX_FILES_OF_UPLOAD = 32


class Journey:
    """The Python-level calls of one request, and what stood above the view."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.above_view: list[str] = []

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self.calls.append((place_of(frame), frame.f_code.co_qualname))

    @property
    def files(self) -> list[str]:
        return list(dict.fromkeys(file for file, _ in self.calls))


def place_of(frame: FrameType) -> str:
    return place_of_file(frame.f_code.co_filename)


@cache
def place_of_file(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else "your function"


def travel(app: Groundwire, journey: Journey, message: bytes) -> bytes:
    """Send a request three times on one connection and note the third journey; again if the machine was busy."""
    for _ in range(10):
        answer = travel_once(app, journey, message)
        calls = {name for _, name in journey.calls}
        if not calls & {"Groundwire.answer", "PlanTable.overran"}:
            break
        settle_inline(app, "/hello")
    return answer


def travel_once(app: Groundwire, journey: Journey, message: bytes) -> bytes:
    journey.calls.clear()
    with Wire(app) as wire:
        wire.send(message).until_idle()
        wire.send(message).until_idle()
        before = len(wire.raw)

        async def receive() -> None:
            sys.setprofile(journey.note)
            try:
                wire.connection.data_received(message)
            finally:
                sys.setprofile(None)

        wire.loop.run_until_complete(receive())
        return wire.raw[before:]


def hello_app(journey: Journey) -> Groundwire:
    app = make_app()

    @app.route("/hello")
    def hello() -> str:
        frame = sys._getframe(1)
        journey.above_view = []
        while frame is not None and place_of(frame) != "your function":
            journey.above_view.append(f"{place_of(frame)} {frame.f_code.co_qualname}")
            frame = frame.f_back  # type: ignore[assignment]
        return "Hello, World!"

    settle_inline(app, "/hello")
    execution = app.plans.executions["hello"]
    assert "inline" == execution.mode, execution.reason
    return app


def test_request_passes_its_stations_in_order() -> None:
    journey = Journey()

    answer = travel(hello_app(journey), journey, request("/hello"))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nHello, World!")
    seen = [file for file in journey.files if file in STATIONS]
    assert STATIONS == seen


def test_short_path_stays_short() -> None:
    journey = Journey()
    app = hello_app(journey)
    travel(app, journey, request("/hello"))
    calls = [call for call in journey.calls if call[0] != "your function"]

    assert len(journey.above_view) <= MAX_FRAMES, journey.above_view
    assert len(calls) + 1 <= MAX_CALLS, calls
    assert len(journey.files) <= MAX_FILES, journey.files


def test_handling_takes_few_calls() -> None:
    journey = Journey()
    travel(hello_app(journey), journey, request("/hello"))

    handling = [
        call for file, call in journey.calls if file.startswith("app/") or "of_text" in call
    ]

    assert ["Groundwire.handle", "Response.of_text"] == handling


def test_a_piece_of_an_upload_takes_few_calls() -> None:
    app = make_app()

    @app.post("/upload", stream=True)
    async def upload() -> str:
        return str(sum([len(piece) async for piece in request_of_flask.stream]))

    def calls_of(pieces: int) -> Journey:
        journey = Journey()
        with Wire(app) as wire:

            async def receive() -> None:
                sys.setprofile(journey.note)
                try:
                    length = str(pieces * len(PIECE))
                    wire.connection.data_received(request("/upload", "POST", Content_Length=length))
                    for _ in range(pieces):
                        await asyncio.sleep(0)
                        await asyncio.sleep(0)
                        wire.connection.data_received(PIECE)
                finally:
                    sys.setprofile(None)

            wire.loop.run_until_complete(receive())
            wire.until_idle()
            assert wire.raw.endswith(f"\r\n\r\n{pieces * len(PIECE)}".encode())
        journey.calls = [call for call in journey.calls if call[0] != "your function"]
        return journey

    few, many = calls_of(10), calls_of(20)

    assert len(many.calls) - len(few.calls) <= 10 * MAX_CALLS_PER_PIECE
    assert len(many.files) <= MAX_FILES_OF_UPLOAD, many.files
