"""What a server has recorded is kept in a file, and sent again from there, as it was."""

import contextlib
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from groundwire import Groundwire, request
from groundwire.cli.command import groundwire
from groundwire.inspector.keeping.har import read_har
from groundwire.inspector.keeping.saved import SavedError, Session, fault_of, read_session
from groundwire.inspector.opening import ShownInspector
from groundwire.inspector.sending.replay import Address, send_and_wait
from groundwire.inspector.serving.opened import session_of_har
from serving import Served, running_server

REQUESTS = [
    b"GET /hello?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n",
    b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /fails HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}',
    b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nX-T: v\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    b"GET /hello HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /\xff\x00\n",
    b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nhello",
    b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf",
    b"GET /hello HTTP/1.1\r\nHost: loc",
    b"\x16\x03\x01\x02\x00\x01",
]


def make_app() -> Groundwire:
    app = Groundwire("kept")

    @app.route("/hello")
    def hello() -> str:
        return "Hello\n"

    @app.route("/stream")
    def stream() -> Iterator[str]:
        return (f"{n}\n" for n in range(3))

    @app.route("/fails")
    def fails() -> str:
        app.logger.disabled = True
        raise ValueError("as it should")

    @app.route("/echo", methods=["POST"])
    def echo() -> tuple[bytes, int, dict[str, str]]:
        return request.get_data(), 200, {"Set-Cookie": "session=a; Path=/"}

    return app


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with running_server(make_app(), observer=ShownInspector, wire="on") as served:
        yield served


@pytest.fixture(scope="module")
def kept(server: Served) -> bytes:
    """The session after each of the requests."""
    address = Address("127.0.0.1", server.port)
    for raw in REQUESTS:
        assert "answered" == send_and_wait(raw, address).state, raw
    asked = b"GET /__wire__/session HTTP/1.1\r\nHost: localhost\r\n\r\n"
    return send_and_wait(asked, address).responses[0].content


def opened(data: bytes) -> Session:
    return read_session(io.BytesIO(data))


def test_all_that_was_recorded_is_in_the_file(kept: bytes) -> None:
    documents = list(opened(kept).documents())

    assert len(REQUESTS) == len(documents)
    assert 6 == sum(document["refusal"] is not None for document in documents)
    assert b"Expect" in REQUESTS[7]
    assert [200, 200, 404, 200, 500] == [document["status"] for document in documents[:5]]


def test_what_was_recorded_is_answered_as_it_was(
    server: Served, kept: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "s.wire"
    path.write_bytes(kept)

    result = CliRunner().invoke(
        groundwire,
        ["replay", str(path), "--target", server.url, "--diff-only", "--fail-on-difference"],
    )

    assert (0, "") == (result.exit_code, result.stdout)
    assert f"* {len(REQUESTS)} requests were sent.\n" == result.stderr


def test_a_damaged_file_is_opened_or_refused_and_nothing_else(kept: bytes) -> None:
    """Whatever happens to a file on its way, nobody meets another exception than the one that tells."""
    chance = random.Random(5)
    lines = kept.splitlines(keepends=True)
    refused = 0
    for _ in range(300):
        damaged = bytearray(b"".join([lines[0], lines[1 + chance.randrange(3)], lines[-1]]))
        for _ in range(chance.choice((1, 1, 3, 30))):
            at = chance.randrange(len(damaged))
            if chance.random() < 0.3:
                del damaged[at : at + chance.randrange(1, 200)]
                continue
            damaged[at] = chance.choice(b'0129-"{}[]:,ntf\\\n\x00\xff')
        try:
            session = opened(bytes(damaged))
        except SavedError:
            refused += 1
        else:
            assert all(each["id"] is not None for each in session.summaries)
    assert refused > 100


def test_values_of_any_other_kind_are_opened_or_refused(kept: bytes) -> None:
    chance = random.Random(6)
    heading, _, *_, last = kept.splitlines(keepends=True)
    documents = [json.loads(line) for line in kept.splitlines()[1:-1]]
    others: list[Any] = [None, True, -1, 1e9, "", "x", [], [None], {}, {"a": 1}]
    for _ in range(200):
        document = json.loads(json.dumps(chance.choice(documents)))
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = chance.choice(keys)
            if chance.random() < 0.4 or not isinstance(place[key], dict | list) or not place[key]:
                place[key] = chance.choice(others)
                break
            place = place[key]
        line = json.dumps(document).encode() + b"\n"
        with contextlib.suppress(SavedError):
            opened(heading + line + last)


def test_har_files_with_values_of_any_other_kind_are_read_or_refused(server: Served) -> None:
    address = Address("127.0.0.1", server.port)
    raw = REQUESTS[0].replace(b"/hello?a=b", b"/__wire__/requests/1-6/export?as=har")
    archive = json.loads(send_and_wait(raw, address).responses[0].content)
    assert 1 == len(read_har(json.dumps(archive).encode()))
    chance = random.Random(7)
    others: list[Any] = [None, True, -1, 1e400, "", "x\n", [], [None], {}, {"a": 1}]
    for _ in range(200):
        changed = json.loads(json.dumps(archive))
        place: Any = changed["log"]["entries"][0]
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = chance.choice(keys)
            if chance.random() < 0.4 or not isinstance(place[key], dict | list) or not place[key]:
                place[key] = chance.choice(others)
                break
            place = place[key]
        with contextlib.suppress(SavedError):
            session = session_of_har(read_har(json.dumps(changed).encode()))
            assert ["" for _ in session.summaries] == list(map(fault_of, session.documents()))
