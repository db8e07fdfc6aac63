"""A program with an inspector, and a client for both."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from groundwire import Groundwire, request
from groundwire.inspector.opening import ShownInspector
from serving import SECONDS, Served, running_server


class Answer(NamedTuple):
    status: int
    fields: http.client.HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Asks on a connection of its own each time."""

    def __init__(self, served: Served) -> None:
        self.served = served

    def ask(self, target: str, method: str = "GET", content: Any = None, **fields: str) -> Answer:
        lines = {name.replace("_", "-"): value for name, value in fields.items()}
        if content is not None and not isinstance(content, bytes):
            content = json.dumps(content).encode()
            lines.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(*self.served, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request(method, target, content, lines)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def wire(self, place: str = "", method: str = "GET", **options: Any) -> Answer:
        return self.ask(f"/__wire__/{place}", method, **options)

    def listed(self, query: str = "") -> list[str]:
        """The targets of what is listed, oldest first."""
        answer = self.wire(f"requests{query}")
        assert 200 == answer.status, answer.content
        return [one["target"] for one in reversed(answer.json["requests"])]

    def clear(self) -> None:
        answer = self.wire("requests", "DELETE", Content_Type="application/json")
        assert 200 == answer.status, answer.content


class Program:
    """What the application has seen, and when it may go on."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.go_on = threading.Event()
        self.app = app = Groundwire("program", static_folder=None)
        app.logger.disabled = True

        @app.before_request
        def look() -> None:
            self.seen.append(request.path)

        @app.get("/hello")
        def hello() -> str:
            return "hello"

        @app.get("/users/<int:id>")
        def user(id: int) -> dict[str, int]:
            return {"id": id}

        @app.post("/echo")
        def echo() -> bytes:
            return request.get_data()

        @app.get("/wait", run="thread")
        def wait() -> str:
            self.go_on.wait(60)
            return "waited"

        @app.get("/fail")
        def fail() -> str:
            raise LookupError("nothing is here")


@contextlib.contextmanager
def inspected(program: Program | None = None, **settings: Any) -> Iterator[Client]:
    """Serve a program with an inspector."""
    program = program or Program()
    with running_server(program.app, observer=ShownInspector, **settings) as served:
        try:
            yield Client(served)
        finally:
            program.go_on.set()
