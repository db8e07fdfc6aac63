import asyncio
from typing import Any

import pytest

from groundwire.adapters.asgi import ASGIHandler
from wire import Wire, chunked, request

Scope = dict[str, Any]


async def echo(scope: Scope, receive: Any, send: Any) -> None:
    content = b""
    while True:
        message = await receive()
        content += message["body"]
        if not message["more_body"]:
            break
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"text/plain")],
    }
    await send(start)
    await send({"type": "http.response.body", "body": f"{scope['path']} ".encode() + content})


def test_an_asgi_application_is_served_through_the_waist() -> None:
    with Wire(ASGIHandler(echo)) as wire:
        (answer,) = wire.send(request("/caf%C3%A9?x=1", "POST", b"hello")).until_idle().answers()

    assert (200, "/café hello".encode()) == (answer.status, answer.content)
    assert "text/plain" == answer.headers["Content-Type"]


def test_the_scope_is_what_the_asgi_specification_asks_for() -> None:
    seen: Scope = {}

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    with Wire(ASGIHandler(application)) as wire:
        (answer,) = wire.send(request("/a%20b?q=%20", X_One="1")).until_idle().answers()

    assert 204 == answer.status
    expected = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"q=%20",
        "root_path": "",
        "headers": [(b"host", b"example.com"), (b"x-one", b"1")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
    assert expected == {key: seen[key] for key in expected}


def test_content_reaches_the_application_as_it_comes() -> None:
    pieces: list[bytes] = []

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            pieces.append(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"done"})

    with Wire(ASGIHandler(application)) as wire:
        wire.send(request("/", "POST", Transfer_Encoding="chunked"), b"3\r\nabc\r\n").settle()
        assert [b"abc"] == pieces
        wire.send(chunked(b"def")).until_idle()

    assert [b"abc", b"def", b""] == pieces


def test_a_streamed_response_goes_out_as_it_is_made_and_no_faster() -> None:
    sent: list[int] = []

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        for number in range(100):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            sent.append(number)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    with Wire(ASGIHandler(application)) as wire:
        wire.connection.pause_writing()
        wire.send(request()).settle()
        assert len(sent) <= 2
        wire.connection.resume_writing()
        (answer,) = wire.until_idle().answers()

    assert b"x" * 100 == answer.content


def test_an_application_learns_that_its_client_has_gone() -> None:
    seen: list[object] = []

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        seen.append((await receive())["type"])
        try:
            await send({"type": "http.response.body", "body": b"y", "more_body": True})
        except OSError as error:
            seen.append(type(error))

    with Wire(ASGIHandler(application)) as wire:
        wire.send(request()).settle()
        wire.connection.connection_lost(ConnectionResetError())
        wire.settle()

    assert ["http.disconnect", OSError] == seen


@pytest.mark.parametrize("after", ["nothing", "start", "body"])
def test_an_application_that_fails_gets_500_or_a_cut_connection(
    after: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def application(scope: Scope, receive: Any, send: Any) -> None:
        if after != "nothing":
            await send({"type": "http.response.start", "status": 200})
        if after == "body":
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise LookupError("broken")

    with Wire(ASGIHandler(application)) as wire:
        wire.send(request()).until(
            lambda: bool(wire.raw) and (wire.closed or wire.connection.is_idle)
        )

        assert "LookupError" in caplog.text
        if after == "body":
            assert wire.closed
            assert not wire.raw.endswith(b"0\r\n\r\n")
        else:
            assert 500 == wire.answers()[0].status


def test_lifespan_is_run_around_everything_and_its_state_is_shared() -> None:
    events: list[str] = []

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            assert "lifespan.startup" == (await receive())["type"]
            scope["state"]["pool"] = "a pool"
            await send({"type": "lifespan.startup.complete"})
            assert "lifespan.shutdown" == (await receive())["type"]
            events.append("shut down")
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": scope["state"]["pool"].encode()})

    handler = ASGIHandler(application)
    with Wire(handler) as wire:
        wire.loop.run_until_complete(handler.startup())
        (answer,) = wire.send(request()).until_idle().answers()
        wire.loop.run_until_complete(handler.shutdown())

    assert b"a pool" == answer.content
    assert ["shut down"] == events


def test_an_application_without_lifespan_is_served() -> None:
    async def application(scope: Scope, receive: Any, send: Any) -> None:
        assert "http" == scope["type"]
        await echo(scope, receive, send)

    handler = ASGIHandler(application)
    with Wire(handler) as wire:
        wire.loop.run_until_complete(handler.startup())
        (answer,) = wire.send(request("/x")).until_idle().answers()
        wire.loop.run_until_complete(handler.shutdown())

    assert b"/x " == answer.content


def test_a_failed_startup_is_told() -> None:
    async def application(scope: Scope, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    handler = ASGIHandler(application)
    loop = asyncio.new_event_loop()
    with pytest.raises(RuntimeError, match="no database"):
        loop.run_until_complete(handler.startup())
    loop.close()


@pytest.mark.parametrize("raises", [True, False])
@pytest.mark.parametrize("framing", ["Content-Length: 11", "Transfer-Encoding: chunked"])
def test_content_beyond_the_limit_is_answered_for_the_application(
    raises: bool, framing: str
) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request":
            assert len(message["body"]) <= 10
        if raises:
            raise RuntimeError("the client has gone, it says")

    head = f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode()
    with Wire(ASGIHandler(application, max_content_length=10)) as wire:
        wire.send(head + (b"x" * 11 if "Length" in framing else chunked(b"x" * 11))).until_idle()
        (answer,) = wire.answers()

    assert 413 == answer.status


def test_host_is_whom_the_request_is_for() -> None:
    seen: list[bytes] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(value for name, value in scope["headers"] if name == b"host")
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    with Wire(ASGIHandler(application)) as wire:
        wire.send(b"GET http://b.example/ HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n").until_idle()

    assert [b"b.example"] == seen
