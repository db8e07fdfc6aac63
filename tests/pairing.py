"""The same program on Flask and on Groundwire, asked the same questions.

A program is an ordinary Flask program in `flask/programs/`: it imports `flask` and, where its subject does,
`werkzeug`. It is loaded twice: as it stands, and with these two names leading to `groundwire.flask` and
`groundwire.werkzeug`. Besides its `app` it holds `REQUESTS`, which are made one after the other, as by one browser
that keeps cookies::

    REQUESTS = [
        "GET /",
        ("POST /login", {"data": {"name": "ann"}}),
    ]

The options are those of Flask's test client.
"""

import builtins
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import httpx
from itsdangerous import base64_decode
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import EnvironBuilder

from serving import SECONDS, running_server

PROGRAMS = Path(__file__).parent / "flask" / "programs"
ALIASED = ("flask", "werkzeug")

OF_THE_HOP = {"connection", "date", "keep-alive", "server", "transfer-encoding"}
"""Fields that tell of the server and the connection, not of the program."""


class Answer(NamedTuple):
    """What a request was answered with, as far as it is the program's doing."""

    status: int
    fields: list[tuple[str, str]]
    """Sorted, names in small letters, without `OF_THE_HOP`; a cookie's field holds what it decodes to."""

    content: bytes


class Raised(NamedTuple):
    """What a request raised through the test client."""

    kind: str
    text: str


def request_line(step: Any) -> tuple[str, str, dict[str, Any]]:
    """Return the method, the path and the options of one of a program's `REQUESTS`."""
    line, options = (step, {}) if isinstance(step, str) else step
    method, _, path = line.partition(" ")
    return method, path, dict(options)


def program_names() -> list[str]:
    """The names of the programs."""
    return sorted(path.stem for path in PROGRAMS.glob("*.py"))


@cache
def requests_of(name: str) -> list[Any]:
    """The `REQUESTS` of a program."""
    with loaded(name, "flask") as program:
        return list(program.REQUESTS)


@contextmanager
def loaded(name: str, framework: str) -> Iterator[Any]:
    """Run the program `name` on "flask" or on "groundwire"; yields its module, which is gone afterwards."""
    path = PROGRAMS / f"{name}.py"
    module = ModuleType(f"program_{name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    if framework == "groundwire":
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": import_ours}
    try:
        exec(compile(path.read_text(encoding="utf-8"), path, "exec"), module.__dict__)
        yield module
    finally:
        # Receivers of signals live as long as their names: they would be called, and counted, in other tests.
        del sys.modules[module.__name__]
        module.__dict__.clear()


def import_ours(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: tuple[str, ...] | None = (),
    level: int = 0,
) -> Any:
    """Import as the statement does, but `flask` and `werkzeug` from `groundwire`."""
    if level == 0 and name.partition(".")[0] in ALIASED:
        module = builtins.__import__(f"groundwire.{name}", globals, locals, fromlist, 0)
        # `import flask.views` binds `flask`, that is what `__import__` returns for it.
        return module if fromlist else getattr(module, name.partition(".")[0])
    return builtins.__import__(name, globals, locals, fromlist, level)


# --- three ways to ask


def ask_client(program: Any, **kind: Any) -> Iterator[Answer | Raised]:
    """Ask through `app.test_client()`."""
    client = program.app.test_client(**kind)
    for step in program.REQUESTS:
        method, path, options = request_line(step)
        try:
            response = client.open(path, method=method, **options)
        except Exception as error:  # noqa: BLE001 - it is what is compared
            yield Raised(type(error).__name__, str(error))
        else:
            yield answer_of(response.status_code, response.headers.items(), response.get_data())
            response.close()


def ask_over_sockets(program: Any, serve: Callable[[Any], Any]) -> Iterator[Answer | Raised]:
    """Ask a server on loopback."""
    with (
        serve(program.app) as url,
        httpx.Client(
            base_url=url, headers={"Host": "localhost", "User-Agent": "pairs"}, timeout=SECONDS
        ) as client,
    ):
        del client.headers["Accept-Encoding"], client.headers["Accept"]
        for step in program.REQUESTS:
            method, path, options = request_line(step)
            follow = options.pop("follow_redirects", False)
            environ = EnvironBuilder(path, method=method, **options).get_environ()
            fields = dict(options.get("headers", ()))
            if environ.get("CONTENT_TYPE"):
                fields["Content-Type"] = environ["CONTENT_TYPE"]
            if "HTTP_AUTHORIZATION" in environ:
                fields["Authorization"] = environ["HTTP_AUTHORIZATION"]
            target = (
                environ["REQUEST_URI"]
                if "query_string" not in options
                else (f"{environ['REQUEST_URI'].partition('?')[0]}?{environ['QUERY_STRING']}")
            )
            response = client.request(
                method,
                target,
                content=environ["wsgi.input"].read() or None,
                headers={name: value.encode("latin-1") for name, value in fields.items()},
                follow_redirects=follow,
            )
            yield answer_of(response.status_code, response.headers.multi_items(), response.content)


class QuietHandler(WSGIRequestHandler):
    """Werkzeug's, without its log."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def served_by_werkzeug(app: Any) -> Iterator[str]:
    """Serve with Werkzeug's development server; yields the URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served_by_groundwire(app: Any) -> Iterator[str]:
    """Serve with Groundwire; yields the URL."""
    with running_server(app) as served:
        yield served.url


# --- what is compared


def answer_of(status: int, fields: Any, content: bytes) -> Answer:
    """Make the `Answer` of a response."""
    kept = [(name.lower(), value) for name, value in fields if name.lower() not in OF_THE_HOP]
    return Answer(
        status, sorted((name, in_one_order(name, value)) for name, value in kept), content
    )


def in_one_order(name: str, value: str) -> str:
    """Return a field's value, or for what stands for a set, or is signed with the time, one that can be compared."""
    if name == "allow":
        return ", ".join(sorted(value.split(", ")))
    return decoded(value) if name == "set-cookie" else value


def decoded(line: str) -> str:
    """Return a Set-Cookie field with what its value says in place of when that was signed."""
    cookie = SimpleCookie(line)
    for name, morsel in cookie.items():
        payload, *signature = morsel.value.rsplit(".", 2)
        if len(signature) == 2 and payload:
            morsel.set(name, "-", payload_of(payload))
    return repr(
        sorted((name, morsel.value, *sorted(morsel.items())) for name, morsel in cookie.items())
    )


def payload_of(encoded: str) -> str:
    """Return what is in a session's cookie; one that begins with a dot is compressed."""
    data = base64_decode(encoded.lstrip("."))
    return (zlib.decompress(data) if encoded.startswith(".") else data).decode()


@cache
def answers(name: str, way: str) -> tuple[list[Answer | Raised], list[Answer | Raised]]:
    """Return Flask's answers to a program's requests and ours, asked in one `way`."""
    sides = []
    for framework, serve in (("flask", served_by_werkzeug), ("groundwire", served_by_groundwire)):
        with loaded(name, framework) as program:
            if way == "sockets":
                sides.append(list(ask_over_sockets(program, serve)))
            else:
                wire = {"wire": True} if way == "wire" and framework == "groundwire" else {}
                sides.append(list(ask_client(program, **wire)))
    flasks, ours = sides
    return flasks, ours
