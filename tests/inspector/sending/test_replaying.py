"""The page has a request sent again to the server it is a page of."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import pytest

from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.inspector.masking.masker import Masker
from groundwire.inspector.sending.outgoing import ReplayError
from groundwire.inspector.sending.replaying import Replayer
from serving import Served, running_server

RAW = b"POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: ***\r\nContent-Length: 2\r\n\r\nhi"


def answer(request: Request) -> Response:
    said = f"{request.headers.get('Authorization', '')} {request.get_data(as_text=True)}\n"
    response = Response(said, content_type="text/plain")
    response.headers["X-Wire-Id"] = "1-9"
    return response


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with running_server(answer) as served:
        yield served


def encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def message(raw: bytes, masked: tuple[tuple[int, int], ...] = (), **more: Any) -> dict[str, Any]:
    kept = {"raw": encoded(raw), "masked": masked, "size": len(raw), "kept": len(raw), "cut": False}
    return kept | more


def recorded(**more: Any) -> dict[str, Any]:
    start = RAW.index(b"***")
    response = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n*** hi\n"
    return {
        "method": "POST",
        "request": message(RAW, ((start, start + 3),)),
        "response": message(response),
    } | more


def replay(
    served: Served,
    asked: dict[str, Any],
    document: dict[str, Any] | None = None,
    masker: Masker | None = None,
) -> dict[str, Any]:
    async def find(identifier: str) -> dict[str, Any]:
        assert "1-1" == identifier
        return document or recorded()

    return asyncio.run(Replayer(served.server, find, masker)(asked))


def test_a_recorded_request_is_sent_again_and_the_answers_compared(server: Served) -> None:
    told = replay(server, {"id": "1-1"})

    assert ("1-9", "answered", 200) == (told["id"], told["state"], told["status"])
    assert RAW == base64.b64decode(told["request"])
    assert base64.b64decode(told["response"]).endswith(b"\r\n\r\n*** hi\n")
    assert None is told["difference"]["content"]
    assert [{"name": "Authorization", "filled": False}] == [
        {name: part[name] for name in ("name", "filled")} for part in told["masked"]
    ]


def test_what_was_masked_can_be_filled_in(server: Served) -> None:
    told = replay(server, {"id": "1-1", "fill": {"Authorization": "Bearer x"}})

    assert b"Bearer x hi\n" in base64.b64decode(told["response"])
    assert told["masked"][0]["filled"]
    assert ["-*** hi", "+Bearer x hi"] == told["difference"]["content"]["lines"][1:]


def test_an_edited_request_is_compared_with_what_was_recorded(server: Served) -> None:
    raw = RAW.replace(b"hi", b"ho").replace(b"***", b"abc")

    told = replay(server, {"id": "1-1", "raw": encoded(raw)})

    assert raw == base64.b64decode(told["request"])
    assert [] == told["masked"]
    assert ["-*** hi", "+abc ho"] == told["difference"]["content"]["lines"][1:]


def test_a_request_can_be_given_as_fields(server: Served) -> None:
    asked = {
        "method": "POST",
        "target": "/",
        "fields": [["Host", "a"], ["Content-Length", "99"]],
        "content": encoded(b"hello"),
    }

    told = replay(server, asked)

    assert b"Content-Length: 5\r\n" in base64.b64decode(told["request"])
    assert base64.b64decode(told["response"]).endswith(b" hello\n")
    assert None is told["difference"]


def test_broken_octets_are_sent_and_refused(server: Served) -> None:
    told = replay(server, {"raw": encoded(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")})

    assert ("answered", 400) == (told["state"], told["status"])


def test_secrets_are_masked_in_what_is_shown(server: Served) -> None:
    told = replay(server, {"id": "1-1", "fill": {"Authorization": "S3CR3T"}}, masker=Masker())

    assert b"Authorization: ******\r\n" in base64.b64decode(told["request"])
    assert b"****** hi\n" in base64.b64decode(told["response"])
    assert 1 == len(told["response_masked"])
    assert None is told["difference"]["content"]


def test_without_a_recorded_answer_there_is_no_difference(server: Served) -> None:
    assert None is replay(server, {"id": "1-1"}, recorded(response=None))["difference"]


def test_a_server_that_has_stopped_cannot_be_reached() -> None:
    with running_server(answer) as served:
        pass

    told = replay(served, {"id": "1-1"})

    assert ("not reached", None, 0) == (told["state"], told["response"], told["status"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Say what to send"),
        ({"raw": ""}, "There is nothing to send."),
        ({"raw": "a b"}, "'raw' is not in base64"),
        ({"raw": 5}, "'raw' is a text."),
        ({"method": "GET"}, "target"),
        ({"method": "GET", "target": "/", "fields": {"a": "b"}}, "two texts"),
        ({"method": "GET", "target": "/", "fields": [["a"]]}, "two texts"),
        ({"method": "GET", "target": "/", "fields": [["a", 1]]}, "two texts"),
        ({"id": 7}, "'id' is a text."),
        ({"id": "1-1", "fill": ["a"]}, "an object of texts"),
        ({"id": "1-1", "fill": {"Authorization": 1}}, "an object of texts"),
        ({"id": "1-1", "fill": {"Cookie": "a"}}, "'Cookie'"),
    ],
)
def test_what_cannot_be_sent_is_told(server: Served, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ReplayError, match=said):
        replay(server, asked)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (message(RAW, size=99_999, cut=True), "of 99,999 octets were kept"),
        (message(b""), "Nothing had come"),
    ],
)
def test_what_was_not_kept_cannot_be_sent(
    server: Served, request_: dict[str, Any], said: str
) -> None:
    with pytest.raises(ReplayError, match=said):
        replay(server, {"id": "1-1"}, recorded(request=request_))
