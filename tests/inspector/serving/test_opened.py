"""What is in a file is shown as what a running server has recorded, and can only be read."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire.inspector.keeping.har import Entry
from groundwire.inspector.keeping.saved import SavedError, Session, fault_of, session_lines
from groundwire.inspector.serving.live import NotKept
from groundwire.inspector.serving.opened import Opened, OpenedHandler, open_file, session_of_har
from groundwire.inspector.serving.wanted import Wanted
from serving import Served, running_server

SAMPLES = Path(__file__).parents[1] / "documents"
REQUEST = b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\n\r\n"


def samples() -> list[dict[str, Any]]:
    return [
        json.loads((SAMPLES / f"{name}.json").read_text()) for name in ("user", "refused", "form")
    ]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    path = tmp_path / "a.wire"
    path.write_bytes(b"".join(session_lines(samples(), {"secrets": False, "odd": ["x"]})))
    return open_file(path)


def listed(session: Session, **wanted: Any) -> dict[str, Any]:
    return asyncio.run(Opened(session, "a.wire").requests(Wanted(**wanted)))


def ids(session: Session, **wanted: Any) -> list[str]:
    return [each["id"] for each in listed(session, **wanted)["requests"]]


def test_the_newest_is_listed_first(session: Session) -> None:
    assert [each["id"] for each in reversed(samples())] == ids(session)


def test_filters_are_those_of_a_running_server(session: Session) -> None:
    user, refused, form = samples()

    assert [user["id"]] == ids(session, text="/users/7")
    assert [refused["id"]] == ids(session, status="4xx")
    assert [form["id"]] == ids(session, method="POST")
    assert [user["id"]] == ids(session, endpoint="user")
    assert [form["id"]] == ids(session, limit=1)
    assert [form["id"], refused["id"]] == ids(session, after=user["id"])


def test_it_says_that_it_is_a_file(session: Session) -> None:
    recorder = listed(session)["recorder"]

    assert (True, "a.wire", 3, False) == (
        recorder["read_only"],
        recorder["file"],
        recorder["messages"],
        recorder["secrets"],
    )
    assert "odd" not in recorder


def test_an_exchange_is_found_by_its_name(session: Session, tmp_path: Path) -> None:
    opened = Opened(session)

    async def look() -> None:
        assert samples()[0] == await opened.document(samples()[0]["id"])
        assert samples() == [document async for document in opened.documents()]
        with pytest.raises(NotKept, match="no exchange '9-9' in this file"):
            await opened.document("9-9")
        assert [] == await opened.clear()
        (tmp_path / "a.wire").unlink()
        with pytest.raises(NotKept, match="cannot be shown: the file cannot be read any more"):
            await opened.document(samples()[0]["id"])

    asyncio.run(look())


def entry(**more: Any) -> Entry:
    facts: dict[str, Any] = {
        "url": "https://example.org/a?b=c",
        "request": REQUEST,
        "response": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "response_octets": 43,
        "began": "2026-11-20T17:00:00.000000Z",
        "duration_us": 1500,
        "client": "",
        "server": "192.0.2.1",
    }
    return Entry(**(facts | more))


def test_a_har_file_is_shown_as_far_as_it_goes() -> None:
    session = session_of_har([entry(), entry(response=None, response_octets=0, began="")])
    document = session.document("1-1")

    assert document is not None
    assert "" == fault_of(document)
    assert ("GET", "/a?b=c", "b=c", 200, "https", 1500) == tuple(
        document[name] for name in ("method", "target", "query", "status", "scheme", "duration_us")
    )
    assert [["b", "c"]] == document["request"]["query"]
    assert "hello" == document["response"]["content"]["text"]
    assert "This was a HAR file" in session.notes[0]
    assert ["answered", "client gone"] == [each["state"] for each in session.summaries]


def test_content_that_is_not_in_the_file_is_cut() -> None:
    session = session_of_har([entry(response_octets=5000)])

    document = session.document("1-1")
    assert document is not None
    assert document["response"]["cut"]


def test_what_is_long_is_shown_in_part() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"a" * 99_999
    document = session_of_har([entry(response=long, response_octets=len(long))]).document("1-1")

    assert document is not None
    assert (True, len(long)) == (document["response"]["cut"], document["response"]["size"])
    assert document["response"]["kept"] < 70_000


def test_the_name_tells_a_har_file(tmp_path: Path) -> None:
    path = tmp_path / "A.HAR"
    path.write_text('{"log": {"entries": []}}')

    assert 0 == len(open_file(path))
    with pytest.raises(SavedError, match="no file of recorded exchanges"):
        open_file(path.rename(tmp_path / "a.wire"))


@pytest.fixture
def served(session: Session) -> Iterator[Served]:
    with running_server(OpenedHandler(Opened(session, "a.wire"))) as server:
        yield server


def ask(served: Served, target: str, method: str = "GET", *fields: str) -> bytes:
    lines = (f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *fields)
    return served.exchange("\r\n".join((*lines, "", "")).encode())


def test_the_page_is_served_read_only(served: Served) -> None:
    answer = ask(served, "/__wire__/requests")

    assert b"Content-Security-Policy: default-src 'none'" in answer
    assert 3 == len(json.loads(answer.partition(b"\r\n\r\n")[2])["requests"])
    assert b"\r\nLocation: /__wire__/\r\n" in ask(served, "/")
    assert ask(served, "/__wire__/").startswith(b"HTTP/1.1 200 ")
    assert ask(served, "/else").startswith(b"HTTP/1.1 404 ")
    json_type = "Content-Type: application/json"
    assert ask(served, "/__wire__/requests", "DELETE", json_type).startswith(b"HTTP/1.1 403 ")
    replayed = ask(served, "/__wire__/replay", "POST", json_type, "Content-Length: 0")
    assert replayed.startswith(b"HTTP/1.1 403 ")


def test_others_than_this_machine_see_nothing(served: Served) -> None:
    assert ask(served, "/__wire__/requests", "GET", "X-Forwarded-For: 192.0.2.1").startswith(
        b"HTTP/1.1 404 "
    )
