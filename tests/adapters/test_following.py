"""What is told of other people's applications."""

from typing import Any

import pytest

from groundwire.adapters.asgi import ASGIHandler
from groundwire.adapters.wsgi import WSGIHandler
from notetaking import Followed, follow
from wire import Wire, request

HERE = __file__


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/fail":
        raise LookupError
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi"]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"] == "/fail":
        raise LookupError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})


KINDS = pytest.mark.parametrize(
    ("handler_class", "application"), [(WSGIHandler, wsgi), (ASGIHandler, asgi)]
)


@KINDS
def test_a_call_is_told(handler_class: Any, application: Any) -> None:
    answer, notes = follow(handler_class(application), "/")

    assert application.__name__.encode() == answer.content
    [call] = notes.of("called")
    assert ("application", application.__name__, HERE, "returned") == (
        call["role"],
        call["name"],
        call["file"],
        call["outcome"],
    )
    assert call["began"] <= call["ended"]


@KINDS
def test_what_it_raised_is_told(handler_class: Any, application: Any) -> None:
    answer, notes = follow(handler_class(application), "/fail")

    assert 500 == answer.status
    assert ["raised LookupError"] == [call["outcome"] for call in notes.of("called")]
    [error] = notes.of("error")
    assert "LookupError" in error["traceback"]
    assert not error["handled"]


@KINDS
def test_without_notes_it_answers_as_ever(handler_class: Any, application: Any) -> None:
    handler = handler_class(application)
    Followed(handler)
    with Wire(handler) as wire:
        answer = wire.send(request()).until_idle().answers()[-1]

    assert application.__name__.encode() == answer.content


@pytest.mark.parametrize(
    ("handler", "name", "runs"),
    [(WSGIHandler(wsgi), "wsgi", "thread"), (ASGIHandler(asgi), "asgi", "loop")],
)
def test_the_application_is_what_answers(handler: Any, name: str, runs: str) -> None:
    handler.begin_tracing()

    described = handler.describe_routing(None)

    assert [] == described["candidates"]
    assert (name, HERE, runs) == (
        described["handler"]["name"],
        described["handler"]["file"],
        described["handler"]["runs"],
    )
    assert any(name in line for line in described["handler"]["source"])
