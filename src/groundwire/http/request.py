"""A request, as the handler sees it (RFC 9110 §3.4), made from the wire or from a WSGI environ.

Making one costs next to nothing: whatever is not in the request line is worked out when it is first asked for, and
then kept in the instance's `__dict__`, where a program may put another value, or delete it.
"""

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import IO, Any, Self, cast

from ..protocol.head import RequestHead
from . import request_ids
from .environ import (
    ENDPOINTS,
    ROUTE,
    Environ,
    EnvironHeaders,
    decode_wsgi,
    environ_from_head,
    peer_address,
    server_address,
)
from .environ_builder import EnvironBuilder
from .errors import (
    BadRequest,
    HTTPException,
    RequestEntityTooLarge,
    SecurityError,
    UnsupportedMediaType,
)
from .exchange import Content, ContentError, Exchange
from .form_data_parser import FormDataParser
from .headers import Headers, RequestHeaders
from .json_limits import JSONLimits, check_json
from .multidict import CombinedMultiDict, ImmutableMultiDict, MultiDict, iterate_pairs
from .properties import cached_property, environ_property
from .request_content import ContentStream, EnvironContent, http_error
from .request_fields import RequestFields
from .uploads import FileStorage
from .urls import UntrustedHost, decode_path, get_current_url, get_host, parse_query

_STREAMS = frozenset({"environ", "stream", "_wire_stream"})
"""Attributes through which the content may have been read already."""


class Request(RequestFields):
    """One request: control data, header section and content.

    Args:
        environ: what a WSGI server hands over. (The server of this project uses `from_wire`.)
        populate_request: put the request into the environ, as ``werkzeug.request``.
        shallow: refuse to read the content, for code that must leave it to others.

    (Flask: ``flask.Request``. Werkzeug: ``werkzeug.wrappers.Request``.)
    """

    # What a subclass, or a program, may set.

    max_content_length: int | None = None
    """Octets of content that are read; None: the server's limit. May be set until content is read. Beyond: 413."""

    max_form_memory_size: int | None = 500_000
    """Octets of all fields of a form that are not files. Beyond: 413."""

    max_form_parts: int | None = 1000
    """Fields and files of a form. Beyond: 413."""

    trusted_hosts: list[str] | None = None
    """Hosts a request may be for, `.example.org` with everything below it; None: any. Otherwise reading `host`
    raises `SecurityError`."""

    parameter_storage_class: type[MultiDict[str, Any]] = ImmutableMultiDict
    """What `args`, `form` and `files` are instances of."""

    form_data_parser_class: type[FormDataParser] = FormDataParser
    json_module: Any = json
    """What decodes JSON, by its `loads`."""

    json_limits: JSONLimits = JSONLimits()

    # What the request is made of. Class-level values are those of most requests.

    head: RequestHead | None = None
    """What was parsed from the wire; None for a request made from an environ."""

    exchange: Exchange | None = None
    """What stands behind a request from the wire; None for a request made from an environ."""

    content: bytes | Content = b""
    """The content: octets when it came whole and stayed in memory, otherwise what it can be read from."""

    trailer_lines: tuple[tuple[bytes, bytes], ...] = ()
    """The field lines of the trailer section of content that came whole; see `trailers`."""

    method: str
    path: str
    """The path, decoded, with one leading slash; ``*`` in asterisk-form, empty in authority-form (CONNECT)."""

    root_path: str = ""
    """Where the application is mounted, without a slash at the end."""

    observed: Any = None
    """What an observer of the server keeps of it (`groundwire.server.observer`)."""

    shallow = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own: Any = cls
        if cls.__init__ is not Request.__init__ and own.from_wire.__func__ is _from_wire:
            own.from_wire = classmethod(_from_wire_through_init)

    def __init__(
        self, environ: Environ, populate_request: bool = True, shallow: bool = False
    ) -> None:
        self.environ = environ
        self.shallow = shallow
        if self.head is None:
            self.method = environ.get("REQUEST_METHOD", "GET").upper()
            self.root_path = decode_wsgi(environ.get("SCRIPT_NAME") or "").rstrip("/")
            self.path = "/" + decode_wsgi(environ.get("PATH_INFO") or "").lstrip("/")
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    @classmethod
    def from_wire(cls, head: RequestHead, exchange: Exchange) -> Self:
        """Make the request that `head` begins.

        PERF: 0.2 µs, most of it the object. `__init__` is called, with the environ it wants, only where a subclass
        has its own.
        """
        request = cls.__new__(cls)
        request.head = head
        request.exchange = exchange
        request.method = head.method
        path = head.path
        if "%" in path or "//" in path:
            path = decode_path(path)
            if path.startswith("//"):
                # As Flask: what looks like a host to a browser must not come back in a redirect.
                path = "/" + path.lstrip("/")
        request.path = path
        return request

    def __repr__(self) -> str:
        try:
            url = repr(self.url)
        except HTTPException as error:
            url = f"(invalid URL: {error.description})"
        return f"<{type(self).__name__} {url} [{self.method}]>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files of the form, if it was parsed; temporary ones are gone then."""
        files: MultiDict[str, FileStorage] | None = self.__dict__.get("files")
        if files:
            for _, file in iterate_pairs(files):
                file.close()

    @classmethod
    def from_values(cls, *args: Any, **kwargs: Any) -> Self:
        """Make a request that nobody sent; arguments as `EnvironBuilder`'s.

        (Werkzeug: ``Request.from_values``.)
        """
        builder = EnvironBuilder(*args, **kwargs)
        try:
            return cast("Self", builder.get_request(cls))
        finally:
            builder.close()

    @classmethod
    def application(cls, f: Callable[..., Any]) -> Callable[..., Iterable[bytes]]:
        """Make a WSGI application of a function (or method) that takes a request and returns a response.

        An `HTTPException` that it raises is answered. (Werkzeug: ``Request.application``.)
        """

        def application(*args: Any) -> Iterable[bytes]:
            environ = args[-2]
            with cls(environ) as request:
                try:
                    response = f(*args[:-2], request)
                except HTTPException as error:
                    response = error.get_response(environ)
                return cast("Iterable[bytes]", response(*args[-2:]))

        application.__name__ = getattr(f, "__name__", "application")
        application.__doc__ = f.__doc__
        return application

    # Where the two forms differ.

    @cached_property
    def environ(self) -> Environ:
        """The environ of WSGI (PEP 3333); made now, if the request came over the wire."""
        head, exchange = self._wire()
        environ = environ_from_head(head, exchange, self._wire_stream)
        if "id" in self.__dict__:  # as if a proxy in front of us had written it
            environ["HTTP_X_REQUEST_ID"] = str(self.id)
        environ["werkzeug.request"] = self
        environ[ENDPOINTS] = []
        return environ

    def _wire(self) -> tuple[RequestHead, Exchange]:
        if self.head is None or self.exchange is None:
            raise RuntimeError("this request was made neither by from_wire() nor from an environ")
        return self.head, self.exchange

    @cached_property
    def headers(self) -> Headers:
        """The header section: `Headers` that cannot be changed."""
        if self.head is None:
            return EnvironHeaders(self.environ)
        if self.head.form == "absolute":
            return RequestHeaders(self.head.lines)
        fields = self.head.fields
        headers: Any = fields.view
        if headers is None:
            # Kept beside the lines it was made from: a client sends the same ones again and again.
            headers = fields.view = RequestHeaders(fields.lines)
        return headers  # type: ignore[no-any-return]

    @property
    def trailers(self) -> RequestHeaders:
        """The trailer section, once content has been read to its end; never part of `headers` (RFC 9110 §6.5.1)."""
        content = self.content
        return RequestHeaders(
            self.trailer_lines if isinstance(content, bytes) else content.trailers
        )

    @property
    def disconnected(self) -> bool:
        """Whether the client has gone, so that nobody waits for the answer. For work in threads that takes long."""
        return self.exchange is not None and self.exchange.disconnected

    @cached_property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        if self.exchange is None:
            return cast(str, self.environ.get("wsgi.url_scheme", "http"))
        return self.exchange.scheme

    @cached_property
    def server(self) -> tuple[str, int | None] | None:
        """Address and port the request came in at; (path, None) for a Unix socket."""
        if self.exchange is None:
            return server_address(self.environ)
        local = self.exchange.local
        return local if isinstance(local, tuple) else (local, None)

    @cached_property
    def remote_addr(self) -> Any:
        """The address of the client, or of the last proxy before us; empty for a Unix socket."""
        if self.exchange is None:
            return self.environ.get("REMOTE_ADDR")
        return peer_address(self.exchange)

    @cached_property
    def id(self) -> str:
        """What this request is called in logs: what X-Request-ID says, if that can be, otherwise 32 random digits."""
        lines = self.headers.getlist(request_ids.FIELD)
        return request_ids.taken_or_new(lines[0] if len(lines) == 1 else None)

    def _believed_route(self) -> Iterable[str]:
        return self.environ.get(ROUTE, ()) if self.exchange is None else self.exchange.route

    @cached_property
    def query_string(self) -> bytes:
        """What follows the ``?``, as it was sent."""
        query: str = self.environ.get("QUERY_STRING", "") if self.head is None else self.head.query
        return query.encode("latin-1")

    @cached_property
    def authority(self) -> str | None:
        """The host and port the client asked for, unchecked: see `host`."""
        if self.head is None:
            return cast("str | None", self.environ.get("HTTP_HOST"))
        return self.head.authority or None

    @property
    def remote_user(self) -> str | None:
        """The user, where the WSGI server has authenticated one."""
        if self.head is not None and "environ" not in self.__dict__:
            return None
        return cast("str | None", self.environ.get("REMOTE_USER"))

    is_multithread = environ_property[bool](
        "wsgi.multithread", doc="Whether other threads may serve the application at the same time."
    )
    is_multiprocess = environ_property[bool](
        "wsgi.multiprocess",
        doc="Whether other processes may serve the application at the same time.",
    )
    is_run_once = environ_property[bool](
        "wsgi.run_once", doc="Whether the application is run for this one request only, as by CGI."
    )
    input_stream = environ_property[IO[bytes]](
        "wsgi.input", doc="The content as WSGI hands it over. `stream` is the safe way to it."
    )

    # The URL.

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The fields of the query."""
        query = self.query_string.decode(errors="replace")
        # Bounded by the length of the request target, so no limit of its own is needed.
        return self.parameter_storage_class(parse_query(query, len(query) + 1))

    @cached_property
    def host(self) -> str:
        """The host the request is for, with its port unless that is the scheme's own.

        Raises:
            SecurityError: it is none of `trusted_hosts`.
        """
        try:
            return get_host(self.scheme, self.authority, self.server, self.trusted_hosts)
        except UntrustedHost as error:
            raise SecurityError(str(error)) from error

    @property
    def is_secure(self) -> bool:
        """Whether the request came over TLS."""
        return self.scheme in ("https", "wss")

    @property
    def script_root(self) -> str:
        """Another name of `root_path`."""
        return self.root_path.rstrip("/")

    @cached_property
    def full_path(self) -> str:
        """Path and query; there is always a ``?``."""
        return f"{self.path}?{self.query_string.decode(errors='replace')}"

    @cached_property
    def url(self) -> str:
        """The whole URL, as an IRI to be read by people."""
        return get_current_url(self.scheme, self.host, self.root_path, self.path, self.query_string)

    @cached_property
    def base_url(self) -> str:
        """The URL without its query."""
        return get_current_url(self.scheme, self.host, self.root_path, self.path)

    @cached_property
    def root_url(self) -> str:
        """The URL of the application: scheme, host and `root_path`, with a slash at the end."""
        return get_current_url(self.scheme, self.host, self.root_path)

    @property
    def url_root(self) -> str:
        """Another name of `root_url`."""
        return self.root_url

    @cached_property
    def host_url(self) -> str:
        """The URL of the host: scheme and host, with a slash at the end."""
        return get_current_url(self.scheme, self.host)

    # The content.

    def _declared_length(self) -> int | None:
        return self.content_length if self.head is None else self.head.content_length

    def _refuse_too_large(self) -> None:
        """Refuse content whose announced length is over the limit before any of it is read."""
        limit = self.max_content_length
        content = self.content
        length = len(content) if isinstance(content, bytes) and content else self._declared_length()
        if limit is not None and length is not None and length > limit:
            raise RequestEntityTooLarge

    def _open_content(self) -> bytes | Content:
        """Return the content with the limit on it that counts from now on."""
        self._refuse_too_large()
        content = b"" if "_cached_data" in self.__dict__ else self.content
        if self.head is None and content == b"":
            content = self.content = EnvironContent(self.environ, self.content_length)
        if not isinstance(content, bytes) and self.max_content_length is not None:
            content.limit_bytes = self.max_content_length
        return content

    @cached_property
    def _wire_stream(self) -> ContentStream:
        """The one stream over the content: `stream` and ``wsgi.input`` share how far it has been read."""
        return ContentStream(self._open_content)

    @cached_property
    def stream(self) -> IO[bytes]:
        """The content as a binary file; ``async for`` gives it as it comes.

        Reading here leaves nothing for `data`, `form` and the like, and the other way round.

        Raises:
            RequestEntityTooLarge: Content-Length is over `max_content_length`.
            RuntimeError: the request is shallow.
        """
        if self.shallow:
            raise RuntimeError(
                "This request is shallow (shallow=True): its content is to be read by somebody else."
            )
        self._refuse_too_large()
        environ = self.__dict__.get("environ")
        if self.head is not None and environ is not None:
            replaced = environ.get("wsgi.input")
            if replaced is not self._wire_stream:
                # A program has put its own stream between, as Flask's documentation shows for checksums.
                content = EnvironContent(environ, self._declared_length())
                return cast("IO[bytes]", ContentStream(lambda: content))
        return cast("IO[bytes]", self._wire_stream)

    async def receive(self) -> None:
        """Wait, on the event loop, until the content is here and reading it need not wait.

        Raises:
            RequestEntityTooLarge: it is larger than allowed.
            ClientDisconnected: it will never be whole.
        """
        content = self._open_content()
        if not isinstance(content, bytes):
            try:
                await content.receive_whole()
            except ContentError as error:
                raise http_error(error) from error

    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> Any:
        """Return the content whole, as octets or, if `as_text`, as text (UTF-8, malformed sequences as U+FFFD).

        Empty when the content has been read already, by `stream` or as a form.

        Args:
            cache: keep it, so that it can be asked for again.
            as_text: decode it.
            parse_form_data: parse a form instead, if it is one: then there is no data.

        Raises:
            RequestEntityTooLarge: it is larger than allowed.
            ClientDisconnected: the client went away before it was whole.
        """
        data: bytes | None = self.__dict__.get("_cached_data")
        if data is None:
            if parse_form_data:
                self._load_form_data()
            content = self.content
            if cache and type(content) is bytes and content and _STREAMS.isdisjoint(self.__dict__):
                # PERF: what is whole already needs no stream to be read from (0.5 µs against 2.5).
                limit = self.max_content_length
                if limit is not None and len(content) > limit:
                    raise RequestEntityTooLarge
                data = content
            else:
                data = self.stream.read()
            if cache:
                self._cached_data = data
        return data.decode(errors="replace") if as_text else data

    @cached_property
    def data(self) -> bytes:
        """The content, whole; empty when it is a form."""
        return cast(bytes, self.get_data(parse_form_data=True))

    # Forms.

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether the content may be a form: whether it has a type at all."""
        return bool(self.content_type)

    def make_form_data_parser(self) -> FormDataParser:
        """Return what parses the form."""
        factory = None
        if type(self)._get_file_stream is not Request._get_file_stream:
            factory = self._get_file_stream
        return self.form_data_parser_class(
            stream_factory=factory,
            max_form_memory_size=self.max_form_memory_size,
            max_content_length=self.max_content_length,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
            silent=False,
        )

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Return the stream a file of the form is written to. Overriding it replaces temporary files."""
        return BytesIO()

    def _get_stream_for_parsing(self) -> IO[bytes]:
        data = self.__dict__.get("_cached_data")
        return self.stream if data is None else BytesIO(data)

    def _load_form_data(self) -> None:
        """Parse the form, once, into `form` and `files`."""
        known = self.__dict__
        if "form" in known:
            return
        if self.want_form_data_parsed:
            parser = self.make_form_data_parser()
            stream, form, files = parser.parse(
                self._get_stream_for_parsing(),
                self.mimetype,
                self._declared_length(),
                self.mimetype_params,
            )
        else:
            stream = self.stream
            form = self.parameter_storage_class()
            files = self.parameter_storage_class()
        known["stream"] = stream
        known["form"] = form
        known["files"] = files

    @cached_property
    def form(self) -> MultiDict[str, str]:
        """The fields of the form.

        Raises:
            RequestEntityTooLarge: the form is larger than allowed.
            BadRequest: it is malformed.
        """
        self._load_form_data()
        return cast("MultiDict[str, str]", self.__dict__["form"])

    @cached_property
    def files(self) -> MultiDict[str, FileStorage]:
        """The files of the form. Raises as `form` does."""
        self._load_form_data()
        return cast("MultiDict[str, FileStorage]", self.__dict__["files"])

    @cached_property
    def values(self) -> CombinedMultiDict[str, str]:
        """The fields of the query and, unless the method is GET, of the form."""
        sources: list[Any] = [self.args]
        if self.method != "GET":
            sources.append(self.form)
        # A subclass may store parameters in a plain dict.
        return CombinedMultiDict(map(_multi_dict, sources))

    # JSON.

    @property
    def json(self) -> Any:
        """The content decoded as JSON; see `get_json`."""
        return self.get_json()

    _cached_json: tuple[Any, Any] = (..., ...)
    """What `get_json` answered: when not silent, when silent."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Decode the content as JSON.

        Of a repeated name in an object the last counts.

        Args:
            force: whatever the content type says.
            silent: answer None instead of raising.
            cache: keep the result, so that it can be asked for again.

        Raises:
            UnsupportedMediaType: the content type is not JSON.
            BadRequest: the content is not JSON, or beyond `json_limits`.
        """
        if cache and self._cached_json[silent] is not ...:
            return self._cached_json[silent]
        if not (force or self.is_json):
            return None if silent else self.on_json_loading_failed(None)
        data = self.get_data(cache=cache)
        try:
            value = self._decode_json(data)
        except ValueError as error:
            value = None if silent else self.on_json_loading_failed(error)
            kept = (self._cached_json[0], value) if silent else (value, self._cached_json[1])
        else:
            kept = (value, value)
        if cache:
            self._cached_json = kept
        return value

    def _decode_json(self, data: bytes, limits: JSONLimits | None = None) -> Any:
        check_json(data, limits or self.json_limits)
        try:
            return self.json_module.loads(data)
        except RecursionError as error:
            # The view was called with little stack left; the nesting itself is within the limits.
            raise ValueError("arrays and objects are nested too deep") from error

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Answer in the place of JSON that cannot be had: what this returns, `get_json` returns.

        Args:
            e: why it cannot be decoded; None when the content type is not JSON.

        Raises:
            BadRequest: it cannot be decoded.
            UnsupportedMediaType: the content type is not JSON.
        """
        if e is not None:
            raise BadRequest(f"Failed to decode JSON object: {e}")
        raise UnsupportedMediaType(
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
        )


_from_wire = cast(Any, Request.from_wire).__func__

EnvironBuilder.request_class = Request


def _from_wire_through_init(cls: type[Request], head: RequestHead, exchange: Exchange) -> Request:
    request: Request = _from_wire(cls, head, exchange)
    type(request).__init__(request, request.environ)
    return request


def _multi_dict(source: Any) -> MultiDict[str, str]:
    return (
        cast("MultiDict[str, str]", source) if isinstance(source, MultiDict) else MultiDict(source)
    )
