"""Streams that are nearly HTTP, cut anywhere, answered in every way: recording changes nothing, and misses nothing."""

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.streams import limits, mutated
from groundwire.http.handler import ContentPolicy, InThread
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.protocol.limits import MessageLimits
from recorded_wire import RecordedWire
from wire import Wire

OWN_LINES = re.compile(rb"(?:X-Wire-Id|Link|Date): [^\r\n]*\r\n")

WAYS = ("at once", "later", "in a thread", "in pieces", "reading", "not reading", "raising")


class Answering:
    """A handler that answers in one of `WAYS`."""

    request_class = Request

    def __init__(self, way: str) -> None:
        self._way = way

    def handle(self, request: Any) -> Any:
        match self._way:
            case "at once":
                return text(request)
            case "in a thread":
                return InThread(text, request)
            case "raising":
                raise LookupError(request.path)
            case "in pieces":
                return Response(iter(["a", request.path]), mimetype="text/plain")
        return self._later(request)

    async def _later(self, request: Any) -> Response:
        await asyncio.sleep(0)
        if self._way == "reading" and not isinstance(request.content, bytes):
            async for _ in request.content.chunks():
                pass
        return text(request)

    def content_policy(self, _: Any) -> ContentPolicy:
        return ContentPolicy(whole=self._way not in ("reading", "not reading"))

    def startup(self) -> None: ...

    def shutdown(self) -> None: ...


def text(request: Any) -> Response:
    return Response(f"{request.method} {request.path}\n", mimetype="text/plain")


def sent_over(wire: Wire, pieces: list[bytes]) -> bytes:
    wire.send(*pieces)
    if not wire.closed:
        wire.eof()
    wire.until(lambda: wire.closed)
    wire.connection.connection_lost(None)
    wire.settle(3)
    return wire.raw


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(mutated(), limits, st.sampled_from(WAYS), st.integers(1, 200))
def test_a_recorded_connection_is_like_any_other_and_all_of_it_is_recorded(
    data: bytes, message_limits: MessageLimits, way: str, size: int
) -> None:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    chosen = {"message_limits": message_limits}
    with Wire(Answering(way), **chosen) as plain:
        expected = sent_over(plain, pieces)
    with RecordedWire(Answering(way), **chosen) as wire:
        came = sent_over(wire, pieces)
        records = wire.records
        recorder = wire.inspector.recorder

    assert OWN_LINES.sub(b"", expected) == OWN_LINES.sub(b"", came)
    assert came == b"".join(record.response for record in records)
    recorded = b"".join(record.request for record in records)
    assert data.startswith(recorded)
    assert list(range(1, len(records) + 1)) == [record.number for record in records]
    assert all(record.finished and record.state != "receiving" for record in records)
    assert recorder.octets - sum(record.octets() for record in records) in range(64 * 2048 * 2)
    for record in records:
        if record.state == "refused" and record.error and record.error["section"]:
            assert record.error["offset"] <= len(record.request)
            assert record.error["status"] == record.status
