"""The test client: requests to an app, as bytes through the code that serves real ones.

(Flask: https://flask.palletsprojects.com/testing/)
"""

import weakref
from collections.abc import Iterable, Mapping
from http.cookies import SimpleCookie
from time import time
from types import TracebackType
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urljoin, urlsplit

from ..http.authorization import Authorization
from ..http.dates import parse_date
from ..http.handler import ContentPolicy
from ..http.headers import Headers
from ..http.form_encoding import encode_multipart
from ..http.response import Response
from ..http.uploads import FileStorage
from ..http.urls import build_query, iri_to_uri
from ..protocol.http1.responses import ReceivedResponse, read_responses
from ..server.memory import MemoryServer

MAX_REDIRECTS = 20


class SentRequest(NamedTuple):
    """What a response is the answer to."""

    method: str
    url: str

    @property
    def path(self) -> str:
        """The path, as it was sent."""
        return urlsplit(self.url).path


class TestResponse(Response):
    """A response as the client got it.

    Attributes:
        request: the request that it answers.
        history: the redirects that led to it, first to last.
        interim: the 1xx responses before it.
        raw: every byte that came.
    """

    __test__ = False  # its name is Flask's; pytest must not take it for a test

    def __init__(self, received: ReceivedResponse, request: SentRequest, raw: bytes) -> None:
        super().__init__(received.content, f"{received.status} {received.reason}")
        # As they came: `Response` adds some, and what answers HEAD has the length of what GET would get.
        self.headers = Headers(received.fields)
        self.request = request
        self.history: tuple[TestResponse, ...] = ()
        self.interim: list[ReceivedResponse] = []
        self.raw = raw

    @property
    def text(self) -> str:
        """The content as text."""
        return cast("str", self.get_data(as_text=True))


class Cookie(NamedTuple):
    """A cookie that the client keeps (RFC 6265)."""

    key: str
    value: str
    domain: str
    path: str
    origin_only: bool
    secure: bool
    http_only: bool
    same_site: str | None
    expires: float | None
    max_age: int | None

    def matches(self, host: str, path: str, secure: bool) -> bool:
        """Whether it goes with a request (RFC 6265 §5.4). As browsers do, ``localhost`` is trusted without TLS."""
        trusted = secure or host == "localhost" or host.endswith(".localhost")
        if self.secure and not trusted:
            return False
        in_domain = host == self.domain or (
            not self.origin_only and host.endswith(f".{self.domain}")
        )
        below = self.path.rstrip("/")
        return in_domain and (path == self.path or path == below or path.startswith(f"{below}/"))


MULTIPART = "multipart/form-data"


class FlaskClient:
    """Sends requests to `app` and keeps its cookies.

    Each request goes, as bytes, through the protocol and connection code that serves real ones, on a connection in
    memory. What a view raises is raised here while TESTING or PROPAGATE_EXCEPTIONS say so, as with Flask's client.

    Args:
        app: the app.
        use_cookies: whether to keep cookies and send them back.
        wire: accepted for what it says; this client is always on the wire.
    """

    def __init__(
        self, app: Any, response_wrapper: Any = None, use_cookies: bool = True, *, wire: bool = True
    ) -> None:
        self.application = app
        self.response_wrapper = response_wrapper
        self._cookies: dict[tuple[str, str, str], Cookie] | None = {} if use_cookies else None
        self._watched = _Watched(app)
        self._server: MemoryServer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the client's loop and threads back. Happens by itself when the client is forgotten."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    # Requests

    def open(
        self,
        path: str = "/",
        base_url: str | None = None,
        *,
        method: str = "GET",
        query_string: str | Mapping[str, Any] | None = None,
        headers: Any = None,
        data: Any = None,
        json: Any = None,
        content_type: str | None = None,
        mimetype: str | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        follow_redirects: bool = False,
        buffered: bool = True,
    ) -> TestResponse:
        """Send a request and return its response.

        Args:
            path: a path, with or without a query, or a whole URL.
            base_url: scheme and host in place of ``http://localhost``, or of SERVER_NAME.
            method: the method.
            query_string: the query, as it is or as a mapping.
            headers: a mapping, or (name, value) pairs.
            data: the content: bytes, str, a file, or a mapping that is sent as a form; one with files (a file, or a
                tuple of a file, its name and type) as multipart/form-data.
            json: a value to send as JSON.
            content_type: the type of the content; ``multipart/form-data`` has a mapping sent so without files, too.
            mimetype: the same, without parameters.
            auth: credentials, or a (name, password) pair for Basic.
            follow_redirects: whether to go where a redirect leads.
            buffered: accepted; content is always read whole.

        Raises:
            Exception: what the view raised, while TESTING or PROPAGATE_EXCEPTIONS say so.
            ValueError: `data` together with `json`, or something that cannot be sent.
        """
        url = self._url(path, base_url, query_string)
        fields = Headers(headers or ())
        wanted = content_type or mimetype or fields.get("Content-Type") or ""
        content, kind = self._content(data, json, wanted)
        if kind is not None and kind.startswith(MULTIPART):
            fields["Content-Type"] = kind  # with the boundary
        elif wanted or kind:
            fields.setdefault("Content-Type", wanted or kind or "")
        if auth is not None:
            fields["Authorization"] = _authorization(auth)
        response = self._send(method.upper(), url, fields, content)
        history: list[TestResponse] = []
        while follow_redirects and response.status_code in (301, 302, 303, 305, 307, 308):
            if len(history) == MAX_REDIRECTS:
                raise ClientRedirectError(f"more than {MAX_REDIRECTS} redirects from {url}")
            history.append(response)
            response = self._follow(response, fields, content)
            response.history = tuple(history)
        return response

    def get(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with GET."""
        return self.open(*args, method="GET", **kwargs)

    def post(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with POST."""
        return self.open(*args, method="POST", **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with PUT."""
        return self.open(*args, method="PUT", **kwargs)

    def patch(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with PATCH."""
        return self.open(*args, method="PATCH", **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with DELETE."""
        return self.open(*args, method="DELETE", **kwargs)

    def head(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with HEAD."""
        return self.open(*args, method="HEAD", **kwargs)

    def options(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with OPTIONS."""
        return self.open(*args, method="OPTIONS", **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> TestResponse:
        """`open` with TRACE."""
        return self.open(*args, method="TRACE", **kwargs)

    # Cookies

    def get_cookie(self, key: str, domain: str = "localhost", path: str = "/") -> Cookie | None:
        """Return a kept cookie."""
        return self._jar().get((domain, path, key))

    def set_cookie(
        self,
        key: str,
        value: str = "",
        *,
        domain: str = "localhost",
        origin_only: bool = True,
        path: str = "/",
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
    ) -> None:
        """Keep a cookie as if the app had set it."""
        cookie = Cookie(
            key, value, domain, path, origin_only, secure, httponly, samesite, None, None
        )
        self._jar()[domain, path, key] = cookie

    def delete_cookie(self, key: str, *, domain: str = "localhost", path: str = "/") -> None:
        """Forget a cookie."""
        self._jar().pop((domain, path, key), None)

    def _jar(self) -> dict[tuple[str, str, str], Cookie]:
        if self._cookies is None:
            raise TypeError("Cookies are disabled. Create a client with 'use_cookies=True'.")
        return self._cookies

    # Within

    def _url(
        self, path: str, base_url: str | None, query_string: str | Mapping[str, Any] | None
    ) -> str:
        config = self.application.config
        if base_url is None:
            root = config.get("APPLICATION_ROOT") or "/"
            host = config.get("SERVER_NAME") or "localhost"
            base_url = f"{config.get('PREFERRED_URL_SCHEME', 'http')}://{host}{root.rstrip('/')}"
        url = (
            path
            if "://" in path.partition("?")[0] and not path.startswith("/")
            else base_url.rstrip("/") + (path if path.startswith("/") else f"/{path}")
        )
        url = iri_to_uri(url.partition("#")[0])
        if query_string is not None:
            query = query_string if isinstance(query_string, str) else build_query(query_string)
            url = f"{url.partition('?')[0]}?{query}"
        return url

    def _content(self, data: Any, json: Any, wanted: str) -> tuple[bytes | None, str | None]:
        if data is not None and json is not None:
            raise ValueError("Give the content as 'data' or as 'json', not as both.")
        if json is not None:
            return self.application.json.dumps(json).encode(), "application/json"
        if data is None or isinstance(data, bytes):
            return data, None
        if isinstance(data, str):
            return data.encode(), None
        if hasattr(data, "read"):
            content = data.read()
            return content.encode() if isinstance(content, str) else cast("bytes", content), None
        pairs = _fields(data)
        if wanted.startswith(MULTIPART) or any(_is_file(value) for _, value in pairs):
            boundary, content = encode_multipart(pairs)
            return content, f'{MULTIPART}; boundary="{boundary}"'
        return build_query(pairs).encode(), "application/x-www-form-urlencoded"

    def _send(self, method: str, url: str, headers: Headers, content: bytes | None) -> TestResponse:
        parts = urlsplit(url)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        lines = [f"{method} {target} HTTP/1.1"]
        if "Host" not in headers:
            lines.append(f"Host: {parts.netloc}")
        lines += [f"{name}: {value}" for name, value in headers]
        if (cookies := self._cookie_field(parts.hostname or "", path, parts.scheme)) is not None:
            lines.append(f"Cookie: {cookies}")
        framed = "Content-Length" in headers or "Transfer-Encoding" in headers
        if not framed and (content is not None or method in ("POST", "PUT", "PATCH")):
            lines.append(f"Content-Length: {len(content or b'')}")
        message = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (content or b"")
        if self._server is None:
            self._server = MemoryServer(self._watched)
            weakref.finalize(self, self._server.close)
        self._watched.request = None
        raw = self._server.exchange(message, scheme=parts.scheme)
        self._raise_what_was_raised()
        *interim, final = read_responses(raw, method)
        response = TestResponse(final, SentRequest(method, url), raw)
        response.interim = interim
        self._keep_cookies(response, parts.hostname or "", path)
        return response

    def _raise_what_was_raised(self) -> None:
        request = self._watched.request
        error: BaseException | None = getattr(request, "unhandled_error", None)
        if error is not None:
            raise error

    def _follow(
        self, response: TestResponse, headers: Headers, content: bytes | None
    ) -> TestResponse:
        method = response.request.method
        if response.status_code not in (307, 308) and method not in ("GET", "HEAD"):
            # RFC 9110 §15.4: what everybody does, and 303 asks for.
            method, content = "GET", None
            headers = Headers(
                [(name, value) for name, value in headers if name.lower() != "content-type"]
            )
        url = iri_to_uri(urljoin(response.request.url, response.headers["Location"]))
        if urlsplit(url).hostname != urlsplit(response.request.url).hostname:
            raise ClientRedirectError(
                f"{url} leads out of the app: a test client reaches no other host"
            )
        return self._send(method, url, headers, content)

    def _cookie_field(self, host: str, path: str, scheme: str) -> str | None:
        if not self._cookies:
            return None
        now = time()
        found = [
            cookie
            for cookie in self._cookies.values()
            if cookie.matches(host, path, scheme == "https")
            and (cookie.expires is None or cookie.expires > now)
        ]
        return "; ".join(f"{cookie.key}={cookie.value}" for cookie in found) or None

    def _keep_cookies(self, response: TestResponse, host: str, path: str) -> None:
        if self._cookies is None:
            return
        for line in response.headers.getlist("Set-Cookie"):
            for cookie in _read_cookie(line, host, path):
                name = (cookie.domain, cookie.path, cookie.key)
                if cookie.expires is not None and cookie.expires <= time():
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = cookie


class ClientRedirectError(Exception):
    """A redirect cannot be followed."""


class _Watched:
    """The app, with a note of the last request that went to it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.request_class: Any = app.request_class
        self.request: Any = None

    def handle(self, request: Any) -> Any:
        self.request = request
        return self._app.handle(request)

    def content_policy(self, request: Any) -> ContentPolicy:
        return cast("ContentPolicy", self._app.content_policy(request))

    def startup(self) -> None:
        """The app's own start is for servers."""

    def shutdown(self) -> None:
        """As `startup`."""


def _read_cookie(line: str, host: str, request_path: str) -> Iterable[Cookie]:
    """Read a Set-Cookie field (RFC 6265 §5.2)."""
    parsed: SimpleCookie = SimpleCookie()
    parsed.load(line)
    for key, morsel in parsed.items():
        max_age = int(morsel["max-age"]) if morsel["max-age"] else None
        expires: float | None = None
        if max_age is not None:
            expires = time() + max_age
        elif morsel["expires"]:
            date = parse_date(morsel["expires"])
            expires = None if date is None else date.timestamp()
        domain = morsel["domain"].lstrip(".")
        default_path = request_path.rpartition("/")[0] or "/"
        yield Cookie(
            key,
            morsel.coded_value,
            domain or host,
            morsel["path"] or default_path,
            not domain,
            bool(morsel["secure"]),
            bool(morsel["httponly"]),
            morsel["samesite"] or None,
            expires,
            max_age,
        )


def _authorization(auth: Authorization | tuple[str, str]) -> str:
    if isinstance(auth, tuple):
        auth = Authorization("basic", {"username": auth[0], "password": auth[1]})
    return auth.to_header()


def _fields(data: Any) -> list[tuple[str, Any]]:
    """Return the fields of a form, several for a list of values; (file, name, type) tuples as files."""
    items = {"multi": True} if hasattr(data, "getlist") else {}
    pairs: Iterable[tuple[str, Any]] = data.items(**items) if hasattr(data, "items") else data
    fields: list[tuple[str, Any]] = []
    for name, value in pairs:
        values: list[Any] = list(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType]
        fields += [(name, _as_file(each) if isinstance(each, tuple) else each) for each in values]
    return fields


def _as_file(given: Any) -> FileStorage:
    filename = given[1] if len(given) > 1 else None
    return FileStorage(given[0], filename, content_type=given[2] if len(given) > 2 else None)


def _is_file(value: Any) -> bool:
    return hasattr(value, "read")
