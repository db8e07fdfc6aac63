"""Octet for octet: what is recorded is what was sent and what came back, for every request of the corpus.

Over real connections, and in memory cut into pieces; with secrets, and without them outside what is masked.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from corpora.runner import Case, parse_responses, raw_bytes
from groundwire.http.response import Response
from groundwire.inspector import Inspector, Record
from groundwire.inspector.recording.records import CONTENT_BYTES
from groundwire.protocol.http1.explain import Element, explain_request, explain_response
from groundwire.server.settings import ServerSettings
from recorded_wire import RecordedWire
from serving import running_server
from test_corpus import FRAMEWORK, application, cases_of

AT_ONCE = 16
PIECES = (1, 7)
"""Octets to a piece; the long ones come in pieces of a thirtieth."""

CASES = cases_of(*FRAMEWORK)
NAMES = [case["id"] for case in CASES]

Exchanged = tuple[bytes, bytes, list[Record]]
"""What was sent on a connection, what came back, and its records."""


async def exchange(data: bytes, host: str, port: int) -> tuple[str, bytes]:
    """Send `data`, end our side, and return our address and all that comes back."""
    reader, writer = await asyncio.open_connection(host, port)
    own, own_port = writer.get_extra_info("sockname")
    received = bytearray()

    async def receive() -> None:
        while piece := await reader.read(65536):
            received.extend(piece)

    receiving = asyncio.ensure_future(receive())
    try:
        writer.write(data)
        await writer.drain()
        writer.write_eof()
    except OSError:  # it was refused meanwhile
        pass
    try:
        await asyncio.wait_for(receiving, 10)
    except OSError:
        pass
    writer.close()
    return f"{own}:{own_port}", bytes(received)


async def exchange_all(host: str, port: int) -> dict[str, tuple[str, bytes]]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(case: Case) -> tuple[str, tuple[str, bytes]]:
        async with slots:
            return case["id"], await exchange(raw_bytes(case), host, port)

    return dict(await asyncio.gather(*map(run, CASES)))


@pytest.fixture(scope="module")
def over_sockets() -> dict[str, Exchanged]:
    inspector = Inspector(ServerSettings(wire_secrets=True, wire_bytes=1 << 30))
    with running_server(
        application("app"), observer=lambda _: inspector, keepalive_seconds=1
    ) as served:
        came = asyncio.run(exchange_all(*served))
    by_client: dict[str, list[Record]] = {}
    for record in inspector.recorder.records():
        by_client.setdefault(record.peer, []).append(record)
    return {
        case["id"]: (raw_bytes(case), came[case["id"]][1], by_client.get(came[case["id"]][0], []))
        for case in CASES
    }


def in_memory(data: bytes, pieces: int, secrets: bool) -> Exchanged:
    with RecordedWire(echo, wire_secrets=secrets, wire_bytes=1 << 30) as wire:
        size = max(pieces, len(data) // 30)
        wire.send(*(data[at : at + size] for at in range(0, len(data), size)))
        if not wire.closed:
            wire.eof()
        wire.until(lambda: wire.closed)
        wire.connection.connection_lost(None)
        return data, wire.raw, wire.records


def echo(request: Any) -> Response:
    return Response(f"{request.method} {request.path}", mimetype="text/plain")


# What is to hold of a connection


def check_octets(exchanged: Exchanged) -> None:
    sent, came, records = exchanged
    assert came == b"".join(record.response for record in records)
    position = 0
    for record in records:
        kept = len(record.request)
        assert sent[position : position + kept] == record.request
        assert record.request_octets == kept or (record.request_octets > kept >= CONTENT_BYTES)
        position += record.request_octets
    ended = not records or records[-1].state == "refused" or b"close" in records[-1].response
    rest = sent[position:]
    assert ended or not rest.strip(b"\r\n") or records[-1].state != "answered"


def check_elements(record: Record) -> None:
    request, response = bytes(record.request), bytes(record.response)
    explained = explain_request(request)
    of_kind = cut_out(request, explained.elements)
    if record.parsed:
        head = explained.head
        assert head is not None
        assert [head.method.encode()] == of_kind["method"]
        assert [head.target.encode()] == of_kind["target"]
        assert [head.version.encode()] == of_kind["version"]
        assert (head.method, head.target, head.version, head.path) == (
            *(record.method, record.target, record.version, record.path),
        )
        lines = list(zip(of_kind["field-name"], of_kind["field-value"], strict=True))
        assert list(head.fields.lines) == lines
        content = b"".join(of_kind["chunk-data"] or of_kind["content"])
        assert explained.content == content
        if head.content_length and record.request_octets == len(request) and explained.complete:
            assert head.content_length == len(content)
    answer = explain_response(response, record.method)
    assert record.status == answer.status
    assert len(response) == answer.end or record.response_octets > len(response)
    of_kind = cut_out(response, answer.elements)
    for response_read in parse_responses(response, [record.method])[0][-1:]:
        assert str(response_read.status).encode() == of_kind["status"][-1]
        names = {name.decode().lower() for name in of_kind["field-name"]}
        assert names >= response_read.headers.keys()
        if len(response) == record.response_octets:
            assert response_read.body == b"".join(of_kind["chunk-data"] or of_kind["content"])


def cut_out(data: bytes, elements: Iterable[Element]) -> dict[str, list[bytes]]:
    """The octets of each element, by its kind."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for element in elements:
        assert 0 <= element.start <= element.end <= len(data)
        found[element.kind].append(data[element.start : element.end])
    return found


def check_refusal(record: Record) -> None:
    if record.state != "refused":
        return
    error = record.error
    assert error is not None
    assert error["message"]
    assert error["section"].startswith("RFC ")
    assert 0 <= error["offset"] <= len(record.request)
    assert record.status == error["status"]
    if "was closed inside" not in error["message"]:
        explained = explain_request(bytes(record.request)).error
        assert explained is not None
        assert (explained.message, explained.section, explained.offset) == (
            *(error["message"], error["section"], error["offset"]),
        )


def check(exchanged: Exchanged) -> None:
    check_octets(exchanged)
    for record in exchanged[2]:
        check_elements(record)
        check_refusal(record)


# The cases


@pytest.mark.parametrize("name", NAMES)
def test_octets_of_a_real_connection_are_recorded(
    over_sockets: dict[str, Exchanged], name: str
) -> None:
    check(over_sockets[name])


def test_every_case_has_a_record(over_sockets: dict[str, Exchanged]) -> None:
    silent = [name for name, (_, _, records) in over_sockets.items() if not records]

    assert [] == [name for name in silent if over_sockets[name][0].strip(b"\r\n")]


@pytest.fixture(scope="module")
def whole() -> dict[str, Exchanged]:
    return {case["id"]: in_memory(raw_bytes(case), 1 << 20, True) for case in CASES}


@pytest.mark.slow
@pytest.mark.parametrize("pieces", PIECES)
def test_octets_are_the_same_in_pieces(whole: dict[str, Exchanged], pieces: int) -> None:
    for case in CASES:
        data = raw_bytes(case)
        cut = in_memory(data, pieces, True)
        check(cut)
        _, _, records = whole[case["id"]]
        assert len(records) == len(cut[2]), case["id"]
        for one, other in zip(records, cut[2], strict=True):
            assert one.request.startswith(other.request), case["id"]
            assert one.error == other.error, case["id"]
            assert one.status == other.status, case["id"]


@pytest.mark.slow
def test_only_masked_octets_are_others(whole: dict[str, Exchanged]) -> None:
    for case in CASES[::2]:
        _, _, records = whole[case["id"]]
        _, _, masked = in_memory(raw_bytes(case), 1 << 20, False)
        assert len(records) == len(masked), case["id"]
        for one, other in zip(records, masked, strict=True):
            assert outside(one.request, other.request_masked) == outside(
                other.request, other.request_masked
            ), case["id"]
            assert without_date(outside(one.response, other.response_masked)) == without_date(
                outside(other.response, other.response_masked)
            ), case["id"]
            assert one.error == other.error, case["id"]


def outside(data: bytes | bytearray, spans: Any) -> bytes:
    shown = bytearray(data)
    for start, end in spans:
        shown[start:end] = bytes(end - start)
    return bytes(shown)


def without_date(data: bytes) -> bytes:
    start = data.find(b"Date: ")
    return data if start < 0 else data[:start] + data[start + 35 :]
