"""The test client: requests to an app, by an environ as Flask's, or as bytes through the code that serves real ones.

(Flask: https://flask.palletsprojects.com/testing/)
"""

import copy
import weakref
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

from ..http import environ_builder
from ..http.client import Client, Parts, TestResponse
from ..http.environ import Environ
from ..http.headers import Headers
from ..http.request import Request
from ..server.version import version
from .wire import FIELD_LINES, PRESERVE_CONTEXT, Answer, Wire, status_of


class EnvironBuilder(environ_builder.EnvironBuilder):
    """An `EnvironBuilder` for requests to an app, whose configuration says what is not given.

    Args:
        app: the app.
        path: the path, which may have a query behind it; or a whole URL.
        base_url: scheme, host and mount point; by default those of PREFERRED_URL_SCHEME, SERVER_NAME and
            APPLICATION_ROOT.
        subdomain: goes before SERVER_NAME.
        url_scheme: in place of PREFERRED_URL_SCHEME.
        args: more of `groundwire.http.environ_builder.EnvironBuilder`'s.
        kwargs: more of those.

    Raises:
        AssertionError: `subdomain` or `url_scheme` together with `base_url`.

    (Flask: ``flask.testing.EnvironBuilder``.)
    """

    def __init__(
        self,
        app: Any,
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if base_url is None:
            url = urlsplit(path)
            base_url = _configured_url(app, url.scheme or url_scheme, url.netloc, subdomain)
            path = f"{url.path}?{url.query}" if url.query else url.path
        elif subdomain or url_scheme:
            raise AssertionError(
                'Cannot pass "subdomain" or "url_scheme" with "base_url": that says the host and the scheme itself.'
            )
        self.app = app
        super().__init__(path, base_url, *args, **kwargs)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Encode a value as the app does (`app.json`)."""
        return cast("str", self.app.json.dumps(obj, **kwargs))


@cache
def user_agent() -> str:
    """Return who the test client says it is. To look the version up takes half a millisecond."""
    return f"Groundwire/{version()}"


def _configured_url(app: Any, scheme: str | None, host: str, subdomain: str | None) -> str:
    """Return scheme, host and mount point as the configuration says, where they are not given."""
    config = app.config
    own = config.get("SERVER_NAME") or "localhost"
    if subdomain:
        own = f"{subdomain}.{own}"
    root = config["APPLICATION_ROOT"].lstrip("/")
    return f"{scheme or config['PREFERRED_URL_SCHEME']}://{host or own}/{root}"


class FlaskClient(Client):
    """Sends requests to an app, keeps its cookies, and in a ``with`` block the context of the last request.

    What a view raises is raised here while TESTING or PROPAGATE_EXCEPTIONS say so.

    Args:
        args: those of `groundwire.http.client.Client`.
        wire: send the requests as bytes, through the protocol and connection code of a server in memory, in place of
            calling the app with an environ.
        kwargs: more of `Client`'s.

    Attributes:
        environ_base: variables for every request that others go over.

    (Flask: ``flask.testing.FlaskClient``.)
    """

    def __init__(self, *args: Any, wire: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environ_base: dict[str, Any] = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": user_agent(),
        }
        self.preserve_context = False
        self._new_contexts: list[Any] = []
        self._context_stack = ExitStack()
        self._on_wire = wire
        self._wire: Wire | None = None
        self._close_wire: weakref.finalize[..., Any] | None = None
        self._last_answer: Answer | None = None

    def __enter__(self) -> Self:
        if self.preserve_context:
            raise RuntimeError(
                "Cannot nest client invocations: this client is in a 'with' block already. Make another client."
            )
        self.preserve_context = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.preserve_context = False
        self.close()

    def close(self) -> None:
        """Let go of the context of the last request, and on the wire of a loop and threads.

        Happens at the end of a ``with`` block, and to the latter when the client is forgotten. It may be used again.
        """
        self._wire = None
        if self._close_wire is not None:
            self._close_wire()
        self._context_stack.close()

    def open(
        self,
        *args: Any,
        buffered: bool = False,
        follow_redirects: bool = False,
        **kwargs: Any,
    ) -> TestResponse:
        """Send a request and return its response.

        Args:
            args: those of `EnvironBuilder` without the app; or first an `EnvironBuilder`, an environ, or a request.
            buffered: read the content whole at once. On the wire it always is.
            follow_redirects: go where a redirect leads, within the app.
            kwargs: those of `EnvironBuilder`.

        Raises:
            Exception: what the view raised, while TESTING or PROPAGATE_EXCEPTIONS say so.
            ClientRedirectError: redirects do not come to an end.
            RuntimeError: a redirect leads out of the app.
            ValueError: on the wire, an environ has a variable that cannot be sent.
        """
        self._new_contexts.clear()
        response = super().open(
            *args, buffered=buffered, follow_redirects=follow_redirects, **kwargs
        )
        contexts, self._new_contexts = self._new_contexts, []
        for context in contexts:
            self._context_stack.enter_context(context)
        return response

    def _request_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = self._made_request(args, kwargs)
        # Here, not earlier: until now a program's values could look at the last request.
        self._context_stack.close()
        return request

    def _made_request(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = args[0] if args else None
        if isinstance(given, environ_builder.EnvironBuilder):
            builder = copy.copy(given)
            builder.closed = True  # its files are the other's to close
            builder.environ_base = self._copy_environ(builder.environ_base or {})
        elif isinstance(given, dict):
            builder = EnvironBuilder.from_environ(
                cast("Environ", given), app=self.application, environ_base=self._copy_environ({})
            )
        elif isinstance(given, Request):
            request = copy.copy(given)
            request.environ = self._copy_environ(request.environ)
            return request
        else:
            kwargs["environ_base"] = self._copy_environ(kwargs.get("environ_base") or {})
            builder = EnvironBuilder(self.application, *args, **kwargs)
        try:
            request = builder.get_request()
        finally:
            builder.close()
        if self._on_wire:
            request.environ[FIELD_LINES] = builder.headers.to_wsgi_list()
        return request

    def _request_from_builder_args(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Flask's name for it; Flask-SocketIO's test client calls it."""
        return self._made_request(args, kwargs)

    def _copy_environ(self, other: Mapping[str, Any]) -> Environ:
        """Return the variables for every request, with `other` over them."""
        environ = {**self.environ_base, **other}
        if self.preserve_context:
            environ[PRESERVE_CONTEXT] = self._new_contexts.append
        return environ

    def _send(self, request: Any, buffered: bool) -> TestResponse:
        response = super()._send(request, buffered)
        response.json_module = self.application.json
        answer, self._last_answer = self._last_answer, None
        if answer is not None:
            response.raw, response.interim = answer.raw, answer.interim
        return response

    def _exchange(self, environ: Environ, buffered: bool) -> Parts:
        if not self._on_wire:
            return super()._exchange(environ, buffered)
        if self._wire is None:
            self._wire = Wire(self.application)
            self._close_wire = weakref.finalize(self, self._wire.close)
        self._last_answer = answer = self._wire.exchange(environ)
        final = answer.final
        return [final.content], status_of(final), Headers(final.fields)

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Generator[Any, None, None]:
        """Open the session that the client's cookies stand for, in a ``with`` block; at its end it is saved in them.

        Args:
            args: those of `EnvironBuilder` without the app, of a request that the session is opened for.
            kwargs: more of those.

        Raises:
            TypeError: the client keeps no cookies.
            RuntimeError: no session could be opened.
        """
        self._kept_cookies()
        app = self.application
        context = app.test_request_context(*args, **kwargs)
        request = context.request
        self._add_cookies_to_wsgi(request.environ)
        interface = app.session_interface
        with context:
            session = interface.open_session(app, request)
        if session is None:
            raise RuntimeError(
                "Session backend did not open a session. The usual one needs a key: set app.secret_key."
            )
        yield session
        if interface.is_null_session(session):
            return
        response = app.response_class()
        with context:
            interface.save_session(app, session, response)
        self._update_cookies_from_response(
            request.host.partition(":")[0],
            request.path,
            response.headers.getlist("Set-Cookie"),
        )
