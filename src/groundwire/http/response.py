"""A response, as the application makes it and the server sends it (RFC 9110 §3.4).

Most responses are a short text and its type. Those have no `Headers` object and never get one unless somebody looks:
`plain_type` stands for the one field there is.
"""

import json
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Self, cast
from urllib.parse import urljoin

from .conditional import Outcome, evaluate_preconditions
from .dates import http_date
from .environ import ClosingIterator, EnvironHeaders, run_wsgi_app, url_of_environ
from .errors import RequestedRangeNotSatisfiable, use_response_class
from .files import FileParts, FileSlice
from .headers import Headers, field_value
from .media_types import get_content_type
from .partial_content import byteranges, part_of_source
from .properties import cached_property
from .ranges import Range, parse_range_header
from .response_fields import ResponseFields
from .response_stream import ResponseStream
from .status import Status, parse_status, usual_reason
from .urls import iri_to_uri

NO_CONTENT_STATUSES = frozenset({204, 304})
"""Final statuses whose responses have no content (RFC 9110 §6.4.1)."""

FRAMING_FIELDS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""What only the server can say, because it writes the message (RFC 9112 §6, §9)."""

REPRESENTATION_FIELDS = frozenset(
    {
        "allow",
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-range",
        "content-type",
        "last-modified",
    }
)
"""What a 304 leaves out: the client has it with the representation that it keeps (RFC 9110 §15.4.5)."""

URI_FIELDS = frozenset({"content-location", "location"})

OVERRIDABLE_STEPS = (
    "__call__",
    "get_app_iter",
    "get_wsgi_headers",
    "get_wsgi_response",
    "is_streamed",
    "iter_encoded",
)
"""Steps from a response to what is sent, as Werkzeug's documentation names them for subclasses."""


@lru_cache(maxsize=256)
def checked_content_type(content_type: str) -> str:
    """Return a value for Content-Type; raise ValueError where it could not be one."""
    return field_value("Content-Type", content_type)


@lru_cache(maxsize=64)
def type_of_text(mimetype: str | None) -> str | None:
    """Return the content type of text of this media type."""
    return None if mimetype is None else checked_content_type(get_content_type(mimetype, "utf-8"))


class Response(ResponseFields):
    """One response: status, header section and content.

    Args:
        response: the content: text (sent as UTF-8), octets, or an iterable of either, which may be asynchronous; None
            for no content.
        status: a status code, or a code with a reason phrase of one's own: ``"200 Fine"``.
        headers: field lines. A `Headers` object is used itself, not copied.
        mimetype: the media type without parameters; textual ones get ``charset=utf-8``.
        content_type: the whole value of Content-Type; goes before `mimetype`.
        direct_passthrough: the iterable is handed to the server as it is (`wsgi.file_wrapper`).

    Raises:
        ValueError: a field or the reason phrase has a character that could end its line.

    (Flask: ``flask.Response``. Werkzeug: ``werkzeug.wrappers.Response``.)
    """

    default_status: ClassVar[Status] = 200
    default_mimetype: ClassVar[str | None] = "text/plain"

    implicit_sequence_conversion = True
    """Whether `data` and the like may read a streamed response whole."""

    autocorrect_location_header = False
    """Whether a relative Location is made absolute. RFC 9110 §10.2.2 allows relative ones."""

    automatically_set_content_length = True
    max_cookie_size = 4093
    json_module: Any = json

    # What the server reads. Class-level, so that the usual response sets next to nothing.

    content: bytes | None = b""
    """The content when it is whole; None when `source` gives it."""

    source: Any = None
    """Where content comes from when it is not whole: an iterable, synchronous or not, of octets or text, or a
    `FileSlice`."""

    plain_type: str | None = "text/plain; charset=utf-8"
    """The value of Content-Type while that is the only field; None once `headers` exists."""

    status_code: int = 200
    reason: str | None = None
    """A reason phrase of one's own."""

    trailers: Headers | None = None
    """Fields to be sent after the content of a streamed response (RFC 9110 §6.5)."""

    coding_chosen: bool = False
    """Whether a content coding, or none, was chosen when it was made, so that nobody has to do it later."""

    on_close: list[Callable[[], Any]] | None = None
    direct_passthrough = False

    is_plain: ClassVar[bool] = True
    """Whether this class leaves every step from response to message as it is."""

    _headers: Headers | None = None
    _settled = False
    _closed = False
    _reason_status = 0
    """The status code that `reason` was given with: another one has no use for it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.adopt_defaults()

    @classmethod
    def adopt_defaults(cls) -> None:
        """Make `default_status`, `default_mimetype` and overridden steps those of `of_text` too.

        Done when a class is made, and again before it serves: a program may have set them meanwhile.
        """
        cls.is_plain = all(
            getattr(cls, step) is getattr(Response, step) for step in OVERRIDABLE_STEPS
        )
        cls.status_code, cls.reason = parse_status(cls.default_status)
        cls._reason_status = cls.status_code
        cls.plain_type = type_of_text(cls.default_mimetype)
        own: Any = cls
        constructs = not cls.is_plain or cls.__init__ is not _plain_init
        if constructs or cls.plain_type is None:
            own.of_text = classmethod(_construct_of_text)
        if constructs:
            own.of_typed_text = classmethod(_construct_of_typed_text)

    def __init__(
        self,
        response: Iterable[bytes]
        | Iterable[str]
        | AsyncIterable[bytes | str]
        | bytes
        | bytearray
        | str
        | None = None,
        status: Status | None = None,
        headers: Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        if isinstance(headers, Headers):
            self._headers = headers
        elif headers:
            self._headers = Headers(headers)
        given = self._headers
        if content_type is None:
            if mimetype is None and (given is None or "content-type" not in given):
                mimetype = self.default_mimetype
            if mimetype is not None:
                content_type = type_of_text(mimetype)
        if given is not None:
            self.plain_type = None
            if content_type is not None:
                given["Content-Type"] = content_type
        else:
            self.plain_type = None if content_type is None else checked_content_type(content_type)
        if not self.is_plain or not self.plain_type:
            self._make_headers()
        if status is None:
            status = self.default_status
        if type(status) is int:
            self.status_code = status
        else:
            self.status = status
        if direct_passthrough:
            self.direct_passthrough = True
        if response is None:
            pass
        elif isinstance(response, (str, bytes, bytearray)):
            self.set_data(response)
        else:
            self.content = None
            self.source = response

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Make the response of a view that returned `text`, as ``cls(text)`` would, in the shortest way.

        PERF: 0.2 µs, where the constructor takes 1 µs.
        """
        response = cls.__new__(cls)
        response.content = text.encode()
        return response

    @classmethod
    def of_typed_text(cls, text: str, mimetype: str) -> Self:
        """Make a response of `text` as ``cls(text, mimetype=mimetype)`` would, in the shortest way."""
        response = cls.__new__(cls)
        response.content = text.encode()
        response.plain_type = type_of_text(mimetype)
        return response

    def __repr__(self) -> str:
        if self.is_sequence:
            size = f"{sum(map(len, self.iter_encoded()))} bytes"
        else:
            size = "streamed" if self.is_streamed else "likely-streamed"
        return f"<{type(self).__name__} {size} [{self.status}]>"

    # Control data and header section.

    @property
    def status(self) -> str:
        """The status code and the reason phrase: ``"404 NOT FOUND"``."""
        self.settle_status()
        code = self.status_code
        if code == 0:
            return f"0 {self.reason or 'UNKNOWN'}"
        return f"{code} {self._own_reason() or usual_reason(code)}"

    @status.setter
    def status(self, value: Status) -> None:
        self.status_code, self.reason = parse_status(value)
        self._reason_status = self.status_code

    def settle_status(self) -> None:
        """Make a code out of what a program has set `status_code` to: it may be text, or a member of an enumeration.

        PERF: a property would do so at once, and cost each answer 0.15 µs.
        """
        if type(self.status_code) is not int:
            self.status = self.status_code

    def _own_reason(self) -> str | None:
        if self.reason is not None and self._reason_status != self.status_code:
            self.reason = None
        return self.reason

    @property
    def headers(self) -> Headers:
        """The header section. Content-Length is in it once the content is known to be whole."""
        headers = self._headers
        return self._make_headers() if headers is None else headers

    @headers.setter
    def headers(self, value: Any) -> None:
        # A dict too, as programs written for Flask give one.
        self._headers = value if isinstance(value, Headers) else Headers(value)
        self.plain_type = None

    def _make_headers(self) -> Headers:
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers()
            if self.plain_type:
                headers.set("Content-Type", self.plain_type)
            # As Werkzeug: content that was given, be it empty, has its length in the headers.
            if "content" in self.__dict__ and self.content is not None:
                self._set_length(headers, self.content)
        self.plain_type = None
        return headers

    def field_lines(self) -> list[tuple[str, str]]:
        """Return the field lines that the server sends; it adds those that frame the content.

        Raises:
            ValueError: Content-Length was set to another number than the content has octets. Sending it, or
                quietly another, would let two recipients disagree on where the response ends.
        """
        self._own_reason()
        if self.plain_type is not None:
            return [("Content-Type", self.plain_type)]
        lines: list[tuple[str, str]] = []
        not_modified = self.status_code == 304
        for line in self.headers:
            name = line[0].lower()
            if name in FRAMING_FIELDS:
                if name == "content-length" and self.content and not not_modified:
                    self._check_length(line[1], len(self.content))
            elif not_modified and name in REPRESENTATION_FIELDS:
                continue
            elif name in URI_FIELDS:
                lines.append((line[0], iri_to_uri(line[1])))
            else:
                lines.append(line)
        return lines

    def _check_length(self, stated: str, length: int) -> None:
        if stated != str(length):
            raise ValueError(
                f"Content-Length was set to {stated}, but the response's content has {length} octets."
                " Leave the field out: the server sends it."
            )

    # Content.

    @property
    def response(self) -> Any:
        """The content as an iterable: a list when it is whole, otherwise what was given."""
        if self.content is not None:
            # From now on the list is the content: whoever asked may change it.
            self.source = [self.content] if self.content else []
            self.content = None
        return self.source

    @response.setter
    def response(self, value: Any) -> None:
        if isinstance(value, (str, bytes, bytearray)):
            self.set_data(value)
        else:
            self.content = None
            self.source = value

    def get_data(self, as_text: bool = False) -> Any:
        """Return the content whole, as octets or, if `as_text`, as text.

        Raises:
            RuntimeError: it is streamed, and reading it whole is switched off or impossible.
        """
        content = self.content
        if content is None:
            self.ensure_sequence()
            content = b"".join(self.iter_encoded())
        return content.decode() if as_text else content

    def set_data(self, value: bytes | bytearray | str) -> None:
        """Make `value` the whole content; text is encoded as UTF-8.

        Raises:
            TypeError: it is neither text nor octets.
        """
        # By way of memoryview, because bytes(5) is five octets.
        octets = value.encode() if isinstance(value, str) else value
        self.content = content = octets if type(octets) is bytes else bytes(memoryview(octets))
        self.source = None
        if self._headers is not None:
            self._set_length(self._headers, content)

    def _set_length(self, headers: Headers, content: bytes) -> None:
        if self.automatically_set_content_length:
            headers.set("Content-Length", str(len(content)))

    data = property(
        get_data, set_data, doc="The content whole, as octets. Setting it takes text too."
    )

    @property
    def is_sequence(self) -> bool:
        """Whether the content is whole, or a list or tuple of pieces."""
        return self.content is not None or isinstance(self.source, (list, tuple))

    @property
    def is_streamed(self) -> bool:
        """Whether the content is an iterable of unknown length."""
        return self.content is None and not hasattr(self.source, "__len__")

    def calculate_content_length(self) -> int | None:
        """Return how many octets the content has; None when it is streamed and may not be read for that."""
        try:
            self.ensure_sequence()
        except RuntimeError:
            return None
        return sum(len(piece) for piece in self.iter_encoded())

    def iter_encoded(self) -> Iterator[bytes]:
        """Iterate over the content's pieces as octets."""
        if self.content is not None:
            return iter((self.content,) if self.content else ())
        return _encoded_pieces(self.source)

    def ensure_sequence(self, mutable: bool = False) -> None:
        """Have the content as a sequence, as a list if `mutable`."""
        if self.is_sequence:
            if mutable:
                self.source = list(self.response)
            return
        if self.direct_passthrough:
            raise RuntimeError(
                "The content of this response is passed through to the server (direct_passthrough), so it cannot be"
                " read here. Set direct_passthrough to False first."
            )
        if not self.implicit_sequence_conversion:
            raise RuntimeError(
                "The content of this response is streamed, and implicit_sequence_conversion is off. Call"
                " make_sequence() first."
            )
        self.make_sequence()

    def make_sequence(self) -> None:
        """Read a streamed response whole.

        Raises:
            RuntimeError: it is an asynchronous iterable, which only the server can read.
        """
        if self.is_sequence:
            return
        close = getattr(self.source, "close", None)
        self.source = list(self.iter_encoded())
        if close is not None:
            self.call_on_close(close)

    @cached_property
    def stream(self) -> ResponseStream:
        """The content as a file that is written to."""
        return ResponseStream(self)

    def freeze(self) -> None:
        """Make the response ready to be stored: content whole, Content-Length and ETag set."""
        pieces = list(self.iter_encoded())
        self.content = None
        self.source = pieces
        self.headers["Content-Length"] = str(sum(map(len, pieces)))
        self.add_etag()

    def settle(self, request: Any) -> None:
        """Make `content`, `source` and the fields what is sent. The server calls this before it frames a response.

        Args:
            request: the request; its `environ` is read for classes that override how a response becomes a message.

        Raises:
            ValueError: Content-Length was set to another number than the content has octets.
        """
        self.settle_status()
        if not self.is_plain:
            self._settle_overridden(request)
        elif self.content is None and isinstance(self.source, (list, tuple)):
            self.content = b"".join(self.iter_encoded())
            self.source = None
        if self._headers is None:
            return
        if self.is_plain and self.autocorrect_location_header:
            self._headers = self.get_wsgi_headers(request.environ)
        length = self._headers.get("Content-Length")
        if length is not None and self.content and self.status_code != 304:
            self._check_length(length, len(self.content))

    def _settle_overridden(self, request: Any) -> None:
        if self._settled:
            return
        self._settled = True
        # As for GET: the server itself leaves the content of an answer to HEAD out.
        environ = request.environ | {"REQUEST_METHOD": "GET"}
        pieces, status, lines = self.get_wsgi_response(environ)
        whole = self.is_sequence
        self.status = status
        self.headers = Headers(lines)
        self.content = b"".join(pieces) if whole else None
        self.source = None if whole else pieces

    def make_conditional(
        self,
        request_or_environ: Any,
        accept_ranges: bool | str = False,
        complete_length: int | None = None,
    ) -> Self:
        """Answer what the request's conditions come to: 304, 412, a part (206), or the response as it is.

        To be called when `last_modified` and the entity tag are set. Only GET and HEAD, and a status of 2xx, count.

        Args:
            request_or_environ: a request, or a WSGI environ.
            accept_ranges: answer Range (True stands for ``"bytes"``); a Range that cannot be read is ignored.
            complete_length: how many octets the whole representation has; without it Range is not answered.

        Raises:
            RequestedRangeNotSatisfiable: no range that is asked for lies within the representation.

        (Werkzeug: ``Response.make_conditional``; RFC 9110 §13.2.2, §14.2.)
        """
        if isinstance(request_or_environ, Mapping):
            environ = cast("Mapping[str, Any]", request_or_environ)
            method: str = environ["REQUEST_METHOD"]
            asked: Headers = EnvironHeaders(environ)
        else:
            method, asked = request_or_environ.method, request_or_environ.headers
        if method not in ("GET", "HEAD") or not 200 <= self.status_code <= 299:
            return self  # RFC 9110 §13.2.1: conditions are those of a representation that would be sent
        headers = self.headers
        if "Date" not in headers:
            headers["Date"] = http_date()
        unit = "bytes" if accept_ranges is True else accept_ranges or None
        if unit is not None and complete_length:
            headers["Accept-Ranges"] = unit
        verdict = evaluate_preconditions(
            method, asked, etag=headers.get("ETag"), last_modified=self.last_modified
        )
        if verdict.outcome is Outcome.NOT_MODIFIED:
            self.status_code = 304
        elif verdict.outcome is Outcome.PRECONDITION_FAILED:
            self.status_code = 412
        elif verdict.use_range and unit is not None and complete_length:
            self._answer_range(parse_range_header(asked.combined("Range")), unit, complete_length)
        if "Content-Length" not in headers and self.is_sequence:
            # Unlike Werkzeug, a stream is not read whole for its length: it goes out as it comes.
            self._set_length(headers, self.get_data())
        return self

    def _answer_range(self, wanted: Range | None, unit: str, complete_length: int) -> None:
        if wanted is None or wanted.units != unit:
            return
        parts = wanted.resolve(complete_length)
        if not parts:
            raise RequestedRangeNotSatisfiable(complete_length)
        if len(parts) == 1:
            start, stop = parts[0]
            self.headers["Content-Range"] = f"{unit} {start}-{stop - 1}/{complete_length}"
            if self.is_sequence:
                self.set_data(self.get_data()[start:stop])
            else:
                self.source = part_of_source(self.source, self.iter_encoded(), start, stop - start)
                self.headers["Content-Length"] = str(stop - start)
        elif self.is_sequence:
            content, self.headers["Content-Type"] = byteranges(
                self.get_data(), parts, self.headers.get("Content-Type")
            )
            self.set_data(content)
        elif isinstance(self.source, FileSlice) and self.source.length == complete_length:
            self.source = source = FileParts(
                self.source.file, parts, self.headers.get("Content-Type")
            )
            self.headers["Content-Type"] = source.content_type
            self.headers["Content-Length"] = str(source.length)
        else:
            return  # RFC 9110 §14.2 lets a server ignore Range; several parts of a stream would have to be held.
        self.status_code = 206

    # JSON.

    @property
    def is_json(self) -> bool:
        """Whether the content type is JSON: ``application/json`` or ``application/*+json``."""
        mimetype = self.mimetype or ""
        return mimetype == "application/json" or (
            mimetype.startswith("application/") and mimetype.endswith("+json")
        )

    @property
    def json(self) -> Any:
        """The content decoded as JSON; see `get_json`."""
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Decode the content as JSON; None when its type is not JSON, unless `force`.

        Raises:
            ValueError: it is not JSON, unless `silent`.
        """
        if not (force or self.is_json):
            return None
        try:
            return self.json_module.loads(self.get_data())
        except ValueError:
            if not silent:
                raise
            return None

    # The end.

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Have `func` called when the response is over, and return it, so that this can be a decorator."""
        if self.on_close is None:
            self.on_close = []
        self.on_close.append(func)
        return func

    def close(self) -> None:
        """Close the iterable and call what `call_on_close` was given, each once, even if one of them fails.

        Raises:
            Exception: what the first one that failed raised.
        """
        functions = self.on_close or []
        self.on_close = None
        if self.content is None and not self._closed:
            # The source may be made of this response's own steps, and close it in turn.
            self._closed = True
            close = getattr(self.source, "close", None)
            if close is not None:
                functions = [close, *functions]
        failure: Exception | None = None
        for function in functions:
            try:
                function()
            except Exception as error:  # noqa: BLE001 - raised again when all have run
                failure = failure or error
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # WSGI (PEP 3333).

    @classmethod
    def force_type(cls, response: Any, environ: Mapping[str, Any] | None = None) -> Self:
        """Return `response` as an instance of this class; a WSGI application is called to get one.

        Raises:
            TypeError: it is no response, and there is no environ to call it with.
        """
        if not isinstance(response, Response):
            if environ is None:
                raise TypeError("a WSGI application needs an environ to be made a response")
            if not callable(response):
                raise TypeError(f"neither a response nor a WSGI application: {response!r:.100}")
            response = Response(*run_wsgi_app(response, environ))
        if type(response) is not cls:
            if not cls.is_plain:
                _ = response.headers
            response.__class__ = cls
        return cast(Self, response)

    @classmethod
    def from_app(cls, app: Any, environ: Mapping[str, Any], buffered: bool = False) -> Self:
        """Call a WSGI application and return its response; read whole if `buffered`."""
        return cls(*run_wsgi_app(app, environ, buffered))

    def get_app_iter(self, environ: Mapping[str, Any]) -> Iterable[bytes]:
        """Return the content for a WSGI server: an iterable whose `close` is this response's."""
        status = self.status_code
        if (
            environ["REQUEST_METHOD"] == "HEAD"
            or 100 <= status < 200
            or status in NO_CONTENT_STATUSES
        ):
            return _closing((), self.close, whole=True)
        if self.direct_passthrough:
            return cast("Iterable[bytes]", self.response)
        return _closing(self.iter_encoded(), self.close, whole=self.is_plain and self.is_sequence)

    def get_wsgi_headers(self, environ: Mapping[str, Any]) -> Headers:
        """Return the header section for a WSGI server: a copy, with what follows from status and request."""
        headers = self.headers.copy()
        status = self.status_code
        for name in ("Location", "Content-Location"):
            if name in headers:
                headers[name] = iri_to_uri(headers[name])
        if self.autocorrect_location_header and "Location" in headers:
            current_url = iri_to_uri(url_of_environ(environ))
            headers["Location"] = urljoin(current_url, headers["Location"])
        if status == 304:
            for name in REPRESENTATION_FIELDS:
                headers.remove(name)
        if 100 <= status < 200 or status == 204:
            headers.remove("Content-Length")
        elif (
            self.automatically_set_content_length
            and self.is_sequence
            and "Content-Length" not in headers
            and status != 304
        ):
            headers["Content-Length"] = str(sum(len(piece) for piece in self.iter_encoded()))
        return headers

    def get_wsgi_response(
        self, environ: Mapping[str, Any]
    ) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return what a WSGI server needs: content, status and field lines."""
        self.settle_status()
        headers = self.get_wsgi_headers(environ)
        return self.get_app_iter(environ), self.status, headers.to_wsgi_list()

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        pieces, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers)
        return pieces


def _construct_of_text(cls: type[Response], text: str) -> Response:
    return cls(text)


def _construct_of_typed_text(cls: type[Response], text: str, mimetype: str) -> Response:
    return cls(text, mimetype=mimetype)


def _closing(pieces: Iterable[bytes], close: Callable[[], None], *, whole: bool) -> ClosingIterator:
    iterator = ClosingIterator(pieces, close)
    iterator.whole = whole
    return iterator


def _encoded_pieces(source: Iterable[Any]) -> Iterator[bytes]:
    if isinstance(source, AsyncIterable):
        raise RuntimeError(
            "The content of this response is an asynchronous iterable: only the server can read it, on its event loop."
        )
    for piece in source:
        yield piece.encode() if isinstance(piece, str) else piece


_plain_init = Response.__init__

use_response_class(Response)
