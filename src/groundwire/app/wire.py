"""A way for the test client to send its requests: as bytes, through the protocol and connection code of a server."""

import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ..http.environ import UNPREFIXED, Environ
from ..http.environ_builder import field_variables
from ..http.handler import ContentPolicy
from ..http.urls import iri_to_uri
from ..protocol.http1.reasons import REASONS
from ..protocol.http1.responses import ReceivedResponse, read_responses
from ..server.memory import MemoryServer
from .current import current
from .execution import running_loop

FIELD_LINES: Final = "groundwire.field_lines"
"""Variable of the field lines as a test gave them: an environ has neither their names' case nor repeated ones."""

PRESERVE_CONTEXT: Final = "werkzeug.debug.preserve_context"
"""Variable of what is called with each context that is to outlive its request."""

UNSENT: Final = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "RAW_URI"),
        *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "REMOTE_PORT"),
        *("CONTENT_TYPE", "CONTENT_LENGTH", FIELD_LINES, PRESERVE_CONTEXT, "werkzeug.request"),
        *("wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.input_terminated", "wsgi.errors"),
        *("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"),
    }
)
"""Variables that become something else than a field line, or that belong to the client itself."""

USUALLY_WITH_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})

NOT_IN_TARGET: Final = re.compile(rb"[^!-\"$-~]")
"""Octets that a request target does not have."""

PATH_SAFE: Final = "!$&'()*+,/:;=@"


class Answer(NamedTuple):
    """What came of one request."""

    final: ReceivedResponse
    interim: list[ReceivedResponse]
    raw: bytes


class Wire:
    """Sends requests to `app`, each on a connection in memory.

    What a view raises is raised again here while TESTING or PROPAGATE_EXCEPTIONS say so.

    Args:
        app: the app.
    """

    def __init__(self, app: Any) -> None:
        self._watched = _Watched(app)
        self._server = MemoryServer(self._watched)

    def close(self) -> None:
        """Give the loop and the threads back."""
        self._server.close()

    def exchange(self, environ: Environ) -> Answer:
        """Send the request that an environ describes.

        Raises:
            ValueError: the environ has a variable that no request over a connection could set.
            ConnectionResetError: the app closed the connection without an answer.
            ProtocolError: the answer broke off, as that of a stream that fails does.
            Exception: what the program raised.
        """
        _check_variables(environ)
        message = message_of(environ)
        preserve = environ.get(PRESERVE_CONTEXT)
        self._watched.listen(preserve)
        peer = (environ.get("REMOTE_ADDR", "127.0.0.1"), int(environ.get("REMOTE_PORT", 50000)))
        send = partial(
            self._server.exchange,
            message,
            scheme=environ["wsgi.url_scheme"],
            peer=peer,
            local=("127.0.0.1", int(environ["SERVER_PORT"])),
        )
        try:
            if running_loop() is None:
                raw = send()
            else:  # a test that is a coroutine: a thread runs one loop at a time
                with ThreadPoolExecutor(1) as thread:
                    raw = thread.submit(send).result()
            self._watched.tell()
        finally:
            self._watched.listen(None)
        if not raw:
            raise ConnectionResetError("the connection was closed without an answer")
        *interim, final = read_responses(raw, environ["REQUEST_METHOD"])
        return Answer(final, interim, raw)


class _Watched:
    """The app, and what became of the last request that went to it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.request_class: Any = app.request_class
        self._request: Any = None
        self._context: Any = None
        self._preserve: Callable[[Any], object] | None = None
        self._preserved = False

    def handle(self, request: Any) -> Any:
        self._request = request
        app = self._app
        app.plans.notice_patches(app)
        if (
            self._preserve is not None
            and (app.plans.setup or app.plans.look_over(app)).wsgi_app_overridden
        ):
            request.environ[PRESERVE_CONTEXT] = self._keep
        answer = app.handle(request)
        self._context = current.get(None)
        return answer

    def content_policy(self, request: Any) -> ContentPolicy:
        return cast("ContentPolicy", self._app.content_policy(request))

    def startup(self) -> None:
        """The app's own start is for servers."""

    def shutdown(self) -> None:
        """As `startup`."""

    def listen(self, preserve: Callable[[Any], object] | None) -> None:
        """Forget the last request; have `preserve` called with the contexts of the next."""
        self._request = self._context = None
        self._preserve = preserve
        self._preserved = False

    def tell(self) -> None:
        """Hand the contexts of the request over, and raise what it raised."""
        context = self._context
        if self._preserve is not None and context is not None and not self._preserved:
            self._preserve(self._app_context(context))
            self._preserve(context)
        error: BaseException | None = getattr(self._request, "unhandled_error", None)
        if error is not None:
            raise error

    def _keep(self, context: Any) -> None:
        """Take a context of `wsgi_app`, which stands on that of the server's exchange."""
        assert self._preserve is not None
        self._preserved = True
        self._preserve(self._app_context(context) if context is self._context else context)

    def _app_context(self, exchange: Any) -> Any:
        """Return the app's part of a server's exchange, whose context is both in one and cannot be pushed."""
        context = self._app.app_context()
        context.g = exchange.g
        return context


def _check_variables(environ: Environ) -> None:
    unsent = [
        variable
        for variable in environ
        if variable not in UNSENT and not variable.startswith("HTTP_")
    ]
    if environ["wsgi.errors"] is not sys.stderr:
        unsent.append("wsgi.errors")
    if unsent:
        raise ValueError(
            f"The environ variable {unsent[0]!r} cannot be sent: a request over a connection has a method, a target,"
            " field lines (HTTP_…), content, and a peer (REMOTE_ADDR). Use app.test_client() without wire=True for a"
            " test that needs it."
        )


def message_of(environ: Environ) -> bytes:
    """Return the bytes of the request that an environ describes (RFC 9112 §2.1). Its content is read."""
    content: bytes = environ["wsgi.input"].read()
    lines = [f"{environ['REQUEST_METHOD']} {target_of(environ)} {environ['SERVER_PROTOCOL']}"]
    given = environ.get(FIELD_LINES, ())
    lines += [f"{name}: {value}" for name, value in _field_lines(environ, given)]
    lines += [
        f"{name}: {environ[variable]}"
        for variable, name in UNPREFIXED.items()
        if variable in environ and variable != "CONTENT_LENGTH"
    ]
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        # RFC 9112 §7.1: chunks, of which this is one, and the last chunk, which is empty.
        chunks = [b"%x\r\n%s\r\n" % (len(content), content)] if content else []
        content = b"".join([*chunks, b"0\r\n\r\n"])
    elif "HTTP_TRANSFER_ENCODING" not in environ:
        length = environ.get("CONTENT_LENGTH")
        if length is None and (content or environ["REQUEST_METHOD"] in USUALLY_WITH_CONTENT):
            length = len(content)
        if length is not None:
            lines.append(f"Content-Length: {length}")
    head = "\r\n".join([*lines, "", ""])
    try:
        return head.encode("latin-1") + content
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{head[error.start : error.end]!r} cannot be sent in a field line, whose characters are ISO-8859-1. Use"
            " app.test_client() without wire=True for a test that needs it."
        ) from error


def target_of(environ: Environ) -> str:
    """Return the request target: as a test wrote the path, where that is what the environ says (RFC 9112 §3.2)."""
    path_octets = environ["PATH_INFO"].encode("latin-1")
    path = iri_to_uri(urlsplit(str(environ.get("RAW_URI", ""))).path)
    if unquote_to_bytes(path) != path_octets:
        path = quote(path_octets, safe=PATH_SAFE)
    root = quote(environ["SCRIPT_NAME"].encode("latin-1"), safe=PATH_SAFE)
    target = f"{root}{path}" or "/"
    if target[0] != "/" and target != "*":
        target = f"/{target}"
    query = environ["QUERY_STRING"].encode("latin-1")
    if not query:
        return target
    # Whatever can be sent stays as a test wrote it.
    encoded = NOT_IN_TARGET.sub(lambda match: b"%%%02X" % match[0][0], query)
    return f"{target}?{encoded.decode('ascii')}"


def _field_lines(environ: Environ, given: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Return the field lines of an environ, those of `given` in their own words if the environ says the same."""
    said = field_variables(given)
    for variable, value in environ.items():
        if not variable.startswith("HTTP_"):
            continue
        if said.get(variable) != value:
            yield variable[5:].replace("_", "-").title(), str(value)
    for name, value in given:
        variable = f"HTTP_{name.upper().replace('-', '_')}"
        if variable in environ and environ[variable] == said.get(variable):
            yield name, value


def status_of(response: ReceivedResponse) -> str:
    """Return the status as Flask writes it: the reason phrase in capitals, unless it is one of the program's own."""
    usual = REASONS.get(response.status, "")
    reason = usual.upper() if response.reason == usual else response.reason
    return f"{response.status} {reason}"
