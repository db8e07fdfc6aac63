import asyncio
import re
import threading
from collections.abc import Awaitable, Iterator

import pytest

from groundwire.http.handler import ContentPolicy, InThread
from groundwire.http.request import Request
from groundwire.http.request_ids import is_fit, new_id
from groundwire.http.response import Response
from groundwire.server.server import Answer
from serving import SECONDS, Served, everything, running_server

MADE = re.compile(rb"\r\nX-Request-ID: ([0-9a-f]{32})\r\n")


def get(path: str, *fields: str) -> bytes:
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n".encode()


class Program:
    """Answers with what it thinks the request is called, in all the ways there are."""

    request_class = Request

    def __init__(self) -> None:
        self.leave = threading.Event()

    def handle(self, request: Request) -> Answer:
        if request.path == "/thread":
            return InThread(lambda: self.text(request))
        if request.path == "/task":
            return self.later(request)
        if request.path == "/stream":
            return Response(iter(["a", "b"]))
        if request.path == "/waits":
            return InThread(self.wait, request)
        if request.path == "/nothing":
            return Response(status=204)
        if request.path == "/own":
            return Response("own", headers={"X-Request-ID": "own"})
        if request.path == "/odd":
            request.id = "no\nfield"
        if request.path == "/wsgi":
            return Response(request.environ.get("HTTP_X_REQUEST_ID", "none"))
        if request.path == "/fails":
            return self.failing()
        return Response.of_text(request.id)

    def text(self, request: Request) -> Response:
        assert threading.current_thread().name.startswith("groundwire-")
        return Response.of_text(request.id)

    def wait(self, request: Request) -> Response:
        self.leave.wait(SECONDS)
        return Response.of_text(request.id)

    async def later(self, request: Request) -> Response:
        await asyncio.sleep(0)
        return Response.of_text(request.id)

    async def failing(self) -> Response:
        raise ValueError("on purpose")

    def content_policy(self, request: Request) -> ContentPolicy:
        return ContentPolicy(limit_bytes=5)

    def startup(self) -> Awaitable[None] | None:
        return None

    def shutdown(self) -> Awaitable[None] | None:
        return None


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with running_server(Program(), request_id=True) as served:
        yield served


@pytest.mark.parametrize("path", ["/", "/thread", "/task", "/wsgi"])
def test_answers_say_what_their_program_knows_the_request_by(served: Served, path: str) -> None:
    made = served.exchange(get(path))
    taken = served.exchange(get(path, "X-Request-ID: 0af7-651916cd.43dd"))

    found = MADE.search(made)
    assert found is not None
    assert made.endswith(b"\r\n\r\n" + found[1])
    assert b"\r\nX-Request-ID: 0af7-651916cd.43dd\r\n" in taken
    assert taken.endswith(b"\r\n\r\n0af7-651916cd.43dd")


@pytest.mark.parametrize("path", ["/stream", "/fails"])
def test_streams_and_failures_are_named_too(served: Served, path: str) -> None:
    assert MADE.search(served.exchange(get(path)))


def test_each_request_of_a_connection_has_its_own(served: Served) -> None:
    first = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    answer = served.exchange(first, first, get("/"))

    assert 3 == len(set(MADE.findall(answer)))


def test_answers_that_overtake_others_keep_their_own() -> None:
    program = Program()
    with running_server(program, request_id=True) as served, served.connect() as slow:
        slow.sendall(get("/waits", "X-Request-ID: slow"))
        answers = [
            served.exchange(get(path, f"X-Request-ID: {path[1:]}")) for path in ("/thread", "/task")
        ]
        program.leave.set()
        answers.append(everything(slow))

    for name, answer in zip((b"thread", b"task", b"slow"), answers, strict=True):
        assert b"\r\nX-Request-ID: " + name + b"\r\n" in answer
        assert answer.endswith(b"\r\n\r\n" + name)


@pytest.mark.parametrize(
    ("path", "expected"), [("/", b"HTTP/1.1 200 OK"), ("/nothing", b"HTTP/1.1 204 No Content")]
)
def test_heads_without_content_have_it_too(served: Served, path: str, expected: bytes) -> None:
    head = get(path, "X-Request-ID: mine").replace(b"GET", b"HEAD")
    old = f"GET {path} HTTP/1.0\r\nHost: a\r\nX-Request-ID: mine\r\n\r\n".encode()

    for message in (head, old):
        answer = served.exchange(message)
        assert answer.startswith(expected)
        assert 1 == answer.count(b"\r\nX-Request-ID: mine\r\n")


def test_interim_answers_have_none(served: Served) -> None:
    message = (
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
        b"X-Request-ID: mine\r\nConnection: close\r\n\r\n"
    )
    with served.connect() as client:
        client.sendall(message)
        interim = client.recv(65536)
        client.sendall(b"ab")
        final = everything(client)

    assert b"HTTP/1.1 100 Continue\r\n\r\n" == interim
    assert b"\r\nX-Request-ID: mine\r\n" in final


@pytest.mark.parametrize(
    "sent",
    [
        ["X-Request-ID: "],
        ["X-Request-ID: a b"],
        ["X-Request-ID: a;b"],
        ['X-Request-ID: "a"'],
        ["X-Request-ID: <script>"],
        ["X-Request-ID: " + "a" * 201],
        ["X-Request-ID: a", "X-Request-ID: b"],
        ["X_Request_ID: a"],
    ],
)
def test_what_is_not_fit_is_replaced(served: Served, sent: list[str]) -> None:
    assert MADE.search(served.exchange(get("/", *sent)))


def test_a_program_may_say_another(served: Served) -> None:
    answer = served.exchange(get("/own"))

    assert b"\r\nX-Request-ID: own\r\n" in answer
    assert 1 == answer.count(b"X-Request-ID")


def test_a_program_cannot_split_the_answer_by_it(served: Served) -> None:
    answer = served.exchange(get("/odd"))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Request-ID" not in answer
    assert b"\r\n\r\nno\nfield" in answer


def test_refusals_of_a_request_are_named(served: Served) -> None:
    message = b"POST / HTTP/1.1\r\nHost: a\r\nX-Request-ID: mine\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n"

    answer = served.exchange(message)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nX-Request-ID: mine\r\n" in answer


def test_what_is_no_request_has_no_name(served: Served) -> None:
    assert b"X-Request-ID" not in served.exchange(b"nonsense\r\n\r\n")


def test_without_the_setting_programs_can_ask_and_answers_say_nothing() -> None:
    with running_server(Program()) as served:
        answer = served.exchange(get("/", "X-Request-ID: mine"))
        other = served.exchange(get("/wsgi"))

    assert answer.endswith(b"\r\n\r\nmine")
    assert b"X-Request-ID" not in answer
    assert other.endswith(b"\r\n\r\nnone")


def test_a_request_made_from_an_environ_has_one_too() -> None:
    given = Request({"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": "a.b"})
    made = Request({"REQUEST_METHOD": "GET"})

    assert "a.b" == given.id
    assert 32 == len(made.id)
    assert made.id == made.id


def test_new_ones_differ_and_are_fit() -> None:
    made = {new_id() for _ in range(1000)}

    assert 1000 == len(made)
    assert all(map(is_fit, made))


@pytest.mark.parametrize("identifier", [None, 7, "", "a\n", "ä", "a" * 201, "a b", "'", "\\"])
def test_what_cannot_be_one(identifier: object) -> None:
    assert not is_fit(identifier)


def test_asgi_applications_are_told() -> None:
    from groundwire.adapters.asgi import ASGIHandler

    seen: list[list[bytes]] = []

    async def application(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        if scope["type"] == "http":
            seen.append([value for name, value in scope["headers"] if name == b"x-request-id"])
            await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
            await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    with running_server(ASGIHandler(application), request_id=True) as served:  # type: ignore[arg-type]
        answer = served.exchange(get("/", "X-Request-ID: not fit"))

    found = MADE.search(answer)
    assert found is not None
    assert [[found[1]]] == seen
