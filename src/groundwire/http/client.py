"""A client of a WSGI application, without a server between: it keeps cookies and follows redirects.

(Werkzeug: https://werkzeug.palletsprojects.com/test/)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self, cast
from urllib.parse import urljoin, urlsplit

from .cookies import dump_cookie, parse_cookie
from .dates import parse_date
from .environ import Environ, run_wsgi_app, url_of_environ
from .environ_builder import EnvironBuilder
from .field_values import OWS
from .headers import Headers
from .properties import cached_property
from .request import Request
from .response import Response
from .urls import iri_to_uri, split_host

Parts = tuple[Iterable[bytes], str, Headers]
"""What a WSGI application answers: content, status and header section."""

REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})
KEEP_METHOD = frozenset({307, 308})

MAX_REDIRECTS = 100
"""Redirects that are followed in a row; browsers follow 20."""


class ClientRedirectError(Exception):
    """Redirects go round in a circle, or on and on."""


class TestResponse(Response):
    """A response as a client got it.

    Attributes:
        request: the request that it answers.
        history: the redirects that led to it, first to last.
        raw: every octet that came, for a client on the wire.
        interim: the 1xx responses before it, for a client on the wire.

    (Werkzeug: ``werkzeug.test.TestResponse``.)
    """

    raw: bytes | None = None
    interim: Sequence[Any] = ()

    __test__ = False  # its name is Werkzeug's; pytest must not take it for a test
    default_mimetype = None

    def __init__(
        self,
        response: Iterable[bytes],
        status: str,
        headers: Headers,
        request: Any,
        history: "tuple[TestResponse, ...]" = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(response, status, headers, **kwargs)
        self.request: Any = request
        self.history = history

    @cached_property
    def text(self) -> str:
        """The content as text."""
        return cast("str", self.get_data(as_text=True))


@lru_cache(maxsize=64)
def test_response_class(wanted: Any) -> type[TestResponse]:
    """Return the class of a client's responses that are also `wanted`."""
    if wanted is None or wanted is Response:
        return TestResponse
    if issubclass(wanted, TestResponse):
        return wanted  # type: ignore[no-any-return]
    return cast("type[TestResponse]", type("WrapperTestResponse", (TestResponse, wanted), {}))


@dataclass
class Cookie:
    """A cookie that a client keeps (RFC 6265)."""

    key: str
    """Its name, as it is sent."""

    value: str
    """Its value, as it is sent."""

    decoded_key: str
    """Its name, as a program reads it."""

    decoded_value: str
    """Its value, as a program reads it."""

    expires: datetime | None
    max_age: int | None
    """Seconds that it lives."""

    domain: str
    """The host, or also those below it if not `origin_only`, that it is sent to."""

    origin_only: bool
    path: str
    """The path that it is sent to, and below."""

    secure: bool
    http_only: bool
    same_site: str | None

    @classmethod
    def parse(cls, field_value: str, host: str, path: str) -> Self:
        """Read a Set-Cookie field value that came from `host` in answer to a request for `path` (RFC 6265 §5.2)."""
        pair, _, rest = field_value.partition(";")
        key, _, value = pair.partition("=")
        decoded = next(iter(parse_cookie(pair).items()), ("", ""))
        attributes: dict[str, str | None] = {}
        for piece in rest.split(";"):
            name, given, text = piece.partition("=")
            attributes[name.strip(OWS).lower()] = text.strip(OWS) if given else None
        max_age = attributes.get("max-age")
        return cls(
            key=key.strip(OWS),
            value=value.strip(OWS),
            decoded_key=decoded[0],
            decoded_value=decoded[1],
            expires=parse_date(attributes.get("expires")),
            max_age=int(max_age or 0) if "max-age" in attributes else None,
            domain=attributes.get("domain") or host,
            origin_only="domain" not in attributes,
            path=attributes.get("path") or path.rpartition("/")[0] or "/",
            secure="secure" in attributes,
            http_only="httponly" in attributes,
            same_site=attributes.get("samesite"),
        )

    def goes_to(self, host: str, path: str) -> bool:
        """Tell whether it is sent with a request (RFC 6265 §5.1.3, §5.1.4), whatever its scheme."""
        if host != self.domain and (self.origin_only or not host.endswith(f".{self.domain}")):
            return False
        return path == self.path or path.startswith(self.path.removesuffix("/") + "/")

    @property
    def identity(self) -> tuple[str, str, str]:
        """What another cookie must share to take its place."""
        return self.domain, self.path, self.decoded_key

    @property
    def deletes(self) -> bool:
        """Tell whether it takes a cookie back: it ended when time began, or lives for no second."""
        return self.max_age == 0 or (self.expires is not None and self.expires.timestamp() == 0)


class Client:
    """Sends requests to a WSGI application, keeps its cookies, and follows its redirects.

    Args:
        application: the application.
        response_wrapper: a class that the responses are also instances of; by default they are `TestResponse`s.
        use_cookies: whether to keep cookies and send them back, by domain and path.
        allow_subdomain_redirects: whether to follow redirects to a name below the host's.

    (Werkzeug: ``werkzeug.test.Client``.)
    """

    def __init__(
        self,
        application: Any,
        response_wrapper: type[Response] | None = None,
        use_cookies: bool = True,
        allow_subdomain_redirects: bool = False,
    ) -> None:
        self.application = application
        self.response_wrapper: type[TestResponse] = test_response_class(
            cast("Any", response_wrapper)
        )
        self.allow_subdomain_redirects = allow_subdomain_redirects
        self._cookies: dict[tuple[str, str, str], Cookie] | None = {} if use_cookies else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.application!r}>"

    # Cookies

    def _kept_cookies(self) -> dict[tuple[str, str, str], Cookie]:
        if self._cookies is None:
            raise TypeError("Cookies are disabled. Create a client with 'use_cookies=True'.")
        return self._cookies

    def get_cookie(self, key: str, domain: str = "localhost", path: str = "/") -> Cookie | None:
        """Return a cookie that is kept, by its decoded name and the domain and path it was set for.

        Raises:
            TypeError: the client keeps no cookies.
        """
        return self._kept_cookies().get((domain, path, key))

    def set_cookie(
        self,
        key: str,
        value: str = "",
        *,
        domain: str = "localhost",
        origin_only: bool = True,
        path: str = "/",
        **kwargs: Any,
    ) -> None:
        """Keep a cookie as if the application had set it.

        Args:
            key: its name.
            value: its value.
            domain: the host it is sent to.
            origin_only: whether it is sent to no host below that.
            path: the path it is sent to, and below.
            kwargs: more for `dump_cookie`.

        Raises:
            TypeError: the client keeps no cookies.
            ValueError: it cannot be a cookie.
        """
        self._kept_cookies()
        cookie = Cookie.parse(
            dump_cookie(key, value, domain=domain, path=path, **kwargs), domain, "/"
        )
        cookie.origin_only = origin_only
        self._keep(cookie)

    def delete_cookie(self, key: str, *, domain: str = "localhost", path: str = "/") -> None:
        """Forget a cookie, if there is one of this decoded name, domain and path.

        Raises:
            TypeError: the client keeps no cookies.
        """
        self._kept_cookies().pop((domain, path, key), None)

    def _keep(self, cookie: Cookie) -> None:
        if self._cookies is None:
            return
        if cookie.deletes:
            self._cookies.pop(cookie.identity, None)
        else:
            self._cookies[cookie.identity] = cookie

    def _add_cookies_to_wsgi(self, environ: Environ) -> None:
        """Put the cookies that belong to a request into its environ, in place of what was given there."""
        if not self._cookies:
            return
        host, path = _host_and_path(environ)
        sent = [cookie for cookie in self._cookies.values() if cookie.goes_to(host, path)]
        if sent:
            environ["HTTP_COOKIE"] = "; ".join(f"{cookie.key}={cookie.value}" for cookie in sent)

    def _update_cookies_from_response(
        self, server_name: str, path: str, headers: Iterable[str]
    ) -> None:
        """Keep the cookies of Set-Cookie fields that came from `server_name` for `path`."""
        for field_value in headers:
            self._keep(Cookie.parse(field_value, server_name, path))

    # Requests

    def open(
        self,
        *args: Any,
        buffered: bool = False,
        follow_redirects: bool = False,
        **kwargs: Any,
    ) -> TestResponse:
        """Send a request and return its response.

        Args:
            args: those of `EnvironBuilder`; or just one: an `EnvironBuilder`, an environ, or a request.
            buffered: read the content whole at once, and close the application's iterable.
            follow_redirects: go where a redirect leads, within the application.
            kwargs: those of `EnvironBuilder`.

        Raises:
            Exception: what the application raised.
            ClientRedirectError: redirects do not come to an end.
            RuntimeError: a redirect leads out of the application.
        """
        request = self._request_of(args, kwargs)
        content = request.input_stream
        start = _position(content)
        response = self._send(request, buffered)
        if follow_redirects:
            response = self._follow(response, buffered, start)
        response.call_on_close(content.close)
        return response

    def _request_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the request that arguments of `open` stand for."""
        if len(args) == 1 and not kwargs:
            given = args[0]
            if isinstance(given, EnvironBuilder):
                return given.get_request()
            if isinstance(given, dict):
                return EnvironBuilder.from_environ(cast("Environ", given)).get_request()
            if isinstance(given, Request):
                return given
        builder = EnvironBuilder(*args, **kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def _send(self, request: Any, buffered: bool) -> TestResponse:
        parts = self.run_wsgi_app(request.environ, buffered=buffered)
        return self.response_wrapper(*parts, request=request)

    def run_wsgi_app(self, environ: Environ, buffered: bool = False) -> Parts:
        """Send the request of an environ with the cookies that belong to it, and keep those that come back."""
        self._add_cookies_to_wsgi(environ)
        parts = self._exchange(environ, buffered)
        self._update_cookies_from_response(*_host_and_path(environ), parts[2].getlist("Set-Cookie"))
        return parts

    def _exchange(self, environ: Environ, buffered: bool) -> Parts:
        """Have the request of an environ answered."""
        return run_wsgi_app(self.application, environ, buffered)

    def _follow(self, response: TestResponse, buffered: bool, start: int | None) -> TestResponse:
        """Follow redirects; `start` is where the content of the first request began in its stream."""
        taken: set[tuple[str | None, int]] = set()
        history: list[TestResponse] = []
        while response.status_code in REDIRECTS:
            if not buffered:
                # What is at the end of the content, in middleware for example, is to run before the next request.
                response.make_sequence()
                response.close()
            redirect = (response.location, response.status_code)
            if redirect in taken or len(history) == MAX_REDIRECTS:
                raise ClientRedirectError(
                    f"The redirects lead round in a circle or never end: after {len(history)} of them came"
                    f" {redirect[1]} to {redirect[0]!r} "
                    + ("again." if redirect in taken else "and no answer.")
                )
            taken.add(redirect)
            response.history = tuple(history)
            history.append(response)
            if response.status_code in KEEP_METHOD and start is not None:
                response.request.input_stream.seek(start)  # the application may have read it
            response = self.resolve_redirect(response, buffered=buffered)
        response.history = tuple(history)
        return response

    def resolve_redirect(self, response: TestResponse, buffered: bool = False) -> TestResponse:
        """Send the request that a redirect asks for (RFC 9110 §15.4).

        Raises:
            RuntimeError: it leads out of the application.
        """
        environ = response.request.environ
        location = urlsplit(_absolute_path(response.location or "", environ))
        builder = EnvironBuilder.from_environ(
            environ, path=location.path, query_string=location.query
        )
        if location.netloc:
            self._check_host(location.netloc, builder.server_name)
            builder.url_scheme = location.scheme or builder.url_scheme
            builder.host = location.netloc
        if self._cookies is not None:
            builder.headers.remove("Cookie")  # what is to be sent now, may be others
        root = builder.script_root
        if location.path == root or location.path.startswith(f"{root}/"):
            builder.path = location.path[len(root) :]
        else:
            builder.script_root = ""
        if response.status_code not in KEEP_METHOD:
            if builder.method != "HEAD":
                builder.method = "GET"
            if builder.input_stream is not None:
                builder.input_stream.close()
            builder.input_stream = None
            builder.content_type = None
            builder.content_length = None
            builder.headers.remove("Transfer-Encoding")
        return self.open(builder, buffered=buffered)

    def _check_host(self, netloc: str, present: str) -> None:
        wanted = split_host(netloc)[0]
        if wanted == present:
            return
        if not wanted.endswith(f".{present}"):
            raise RuntimeError(
                f"Following external redirects is not supported. This one leads from {present!r} to {wanted!r}."
            )
        if not self.allow_subdomain_redirects:
            raise RuntimeError(
                f"Following subdomain redirects is not enabled. This one leads from {present!r} to {wanted!r}; make the"
                " client with allow_subdomain_redirects=True to follow it."
            )

    def get(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with GET."""
        kwargs["method"] = "GET"
        return self.open(*args, **kwargs)

    def post(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with POST."""
        kwargs["method"] = "POST"
        return self.open(*args, **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with PUT."""
        kwargs["method"] = "PUT"
        return self.open(*args, **kwargs)

    def patch(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with PATCH."""
        kwargs["method"] = "PATCH"
        return self.open(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with DELETE."""
        kwargs["method"] = "DELETE"
        return self.open(*args, **kwargs)

    def head(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with HEAD."""
        kwargs["method"] = "HEAD"
        return self.open(*args, **kwargs)

    def options(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with OPTIONS."""
        kwargs["method"] = "OPTIONS"
        return self.open(*args, **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with TRACE."""
        kwargs["method"] = "TRACE"
        return self.open(*args, **kwargs)


def _host_and_path(environ: Environ) -> tuple[str, str]:
    """Return the host and the path by which cookies are chosen."""
    url = urlsplit(url_of_environ(environ))
    return url.hostname or "localhost", url.path


def _position(stream: Any) -> int | None:
    """Return where a stream stands, None if it cannot be made to stand there again."""
    try:
        position: int = stream.tell()
        return position if stream.seekable() else None
    except (AttributeError, OSError, ValueError):
        return None


def _absolute_path(location: str, environ: Environ) -> str:
    """Return a Location that begins with a scheme, a host or a slash (RFC 3986 §5.2)."""
    if location.startswith("/") or urlsplit(location).scheme:
        return location
    joined = urlsplit(urljoin(iri_to_uri(url_of_environ(environ)), location))
    return joined._replace(scheme="", netloc="").geturl()
