"""HAR files of browsers are read as far as they go."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from groundwire.inspector.keeping import har
from groundwire.inspector.keeping.har import Entry, open_har, read_har
from groundwire.inspector.keeping.saved import SavedError
from groundwire.protocol.http1.responses import read_responses


def entry(
    request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-11-20T18:00:00.123+01:00",
        "time": 12.5,
        "request": {
            "method": "GET",
            "url": "https://example.org/a b?q=ü",
            "headers": [
                {"name": ":authority", "value": "example.org"},
                {"name": "Accept", "value": "*/*"},
            ],
        }
        | (request or {}),
        "response": {
            "status": 200,
            "statusText": "",
            "headers": [
                {"name": "content-encoding", "value": "br"},
                {"name": "content-type", "value": "text/plain"},
            ],
            "content": {"size": 5, "text": "hello"},
        }
        | (response or {}),
    } | more


def read(*entries: object) -> list[Entry]:
    return read_har(json.dumps({"log": {"version": "1.2", "entries": entries}}).encode())


def test_messages_are_built_as_http_1() -> None:
    (found,) = read(entry())

    assert (
        b"GET /a%20b?q=%C3%BC HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n" == found.request
    )
    assert (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
        == found.response
    )
    assert ("2026-11-20T17:00:00.123000Z", 12_500, "example.org") == (
        found.began,
        found.duration_us,
        found.server,
    )


@pytest.mark.parametrize(
    ("posted", "content"),
    [
        ({"text": "ü"}, "ü".encode()),
        ({"text": base64.b64encode(b"\0\xff").decode(), "encoding": "base64"}, b"\0\xff"),
        ({"params": [{"name": "a", "value": "b c"}, {"name": "d"}]}, b"a=b+c&d="),
    ],
)
def test_what_was_posted_is_sent(posted: dict[str, Any], content: bytes) -> None:
    headers = [{"name": "Host", "value": "a"}, {"name": "content-length", "value": "999"}]

    (found,) = read(entry({"method": "POST", "postData": posted, "headers": headers}))

    assert found.request.endswith(b"\r\n\r\n" + content)
    assert b"Content-Length: %d\r\n" % len(content) in found.request
    assert 1 == found.request.count(b"Host")


def test_octets_of_an_answer_are_decoded() -> None:
    coded = base64.b64encode(b"\x89PNG").decode()

    (found,) = read(entry(response={"content": {"text": coded, "encoding": "base64", "size": 4}}))

    assert found.response is not None
    assert b"\x89PNG" == read_responses(found.response)[0].content


def test_content_that_was_not_saved_is_missing() -> None:
    (found,) = read(entry(response={"content": {"size": 5000}}))

    assert found.response is not None
    assert b"Content-Length: 5000\r\n" in found.response
    assert len(found.response) + 5000 == found.response_octets


def test_some_answers_have_no_content_and_some_requests_no_answer() -> None:
    (moved,) = read(entry(response={"status": 304, "content": {"size": 0}}))
    (blocked,) = read(entry(response={"status": 0}))

    assert moved.response is not None
    assert b"Content-Length" not in moved.response
    assert (None, 0) == (blocked.response, blocked.response_octets)


def test_lines_of_a_field_that_were_joined_stay_in_their_line() -> None:
    joined = [{"name": "set-cookie", "value": "a=b\nc=d"}]

    (found,) = read(entry(response={"headers": joined}))

    assert found.response is not None
    assert b"set-cookie: a=b, c=d\r\n" in found.response


@pytest.mark.parametrize("began", ["yesterday", "", None])
def test_a_time_that_is_none_is_left_out(began: Any) -> None:
    assert "" == read(entry(startedDateTime=began, time=None))[0].began


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"[]", b"{}", b'{"log": {}}', b'{"log": []}', b"[" * 9999]
)
def test_other_files_are_told_from_it(data: bytes) -> None:
    with pytest.raises(SavedError, match="this is no HAR file"):
        read_har(data)


@pytest.mark.parametrize(
    "damaged",
    [
        "text",
        {},
        entry({"method": "G T"}),
        entry({"headers": [{"name": "a b", "value": ""}]}),
        entry({"headers": [{"value": ""}]}),
        entry({"headers": None}),
        entry({"url": 5}),
        entry({"postData": {"text": "*", "encoding": "base64"}}),
        entry(response={"status": "x"}),
        entry(response={"headers": [{"name": "A", "value": "a\rb"}]}),
        entry(response={"content": []}),
        entry(time="long"),
    ],
)
def test_the_damaged_entry_is_named(damaged: object) -> None:
    with pytest.raises(SavedError, match="entry 2 is damaged: "):
        read(entry(), damaged)


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [entry(), entry()]}}))
    assert 2 == len(open_har(path))
    monkeypatch.setattr(har, "MAX_ENTRIES", 1)
    with pytest.raises(SavedError, match="more than 1 entries"):
        open_har(path)
    monkeypatch.setattr(har, "MAX_BYTES", 10)
    with pytest.raises(SavedError, match="is larger than"):
        open_har(path)
    with pytest.raises(SavedError, match="cannot be read"):
        open_har(tmp_path / "none")
