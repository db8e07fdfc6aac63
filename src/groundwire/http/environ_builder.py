"""`EnvironBuilder`: makes the environ of a request that no client sent, for tests and for URLs outside of a request.

(Werkzeug: https://werkzeug.palletsprojects.com/test/#environment-building)
"""

import json as standard_json
import sys
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import IO, Any, ClassVar, Self
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from .authorization import Authorization
from .environ import DEFAULT_PORTS, Environ, EnvironHeaders, decode_wsgi, encode_wsgi
from .form_encoding import FormValues, form_pairs, stream_encode_multipart
from .headers import Headers
from .mappings import CallbackDict
from .media_types import dump_options_header, get_content_type, parse_options_header
from .multidict import MultiDict, iterate_pairs
from .uploads import FileMultiDict
from .urls import build_query, iri_to_uri, split_host

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"


class EnvironBuilder:
    """Collects what a request is made of, and makes an environ or a request of it.

    Each part can be changed until then: `path`, `query_string` or `args`, `method`, `headers`, `content_type`, and the
    content, which is either `input_stream` or `form` with `files`.

    Args:
        path: the path, which may have a query behind it.
        base_url: scheme, host and mount point; by default ``http://localhost/``.
        query_string: the query, as it is or as a mapping.
        method: the method.
        input_stream: the content as a binary stream.
        content_type: its media type. A form has one of its own.
        content_length: its length, where it cannot be seen.
        errors_stream: becomes ``wsgi.errors``; by default standard error.
        multithread: becomes ``wsgi.multithread``.
        multiprocess: becomes ``wsgi.multiprocess``.
        run_once: becomes ``wsgi.run_once``.
        headers: a mapping, or (name, value) pairs.
        data: the content: text, octets, a file that is read at once, or a mapping that is sent as a form. A value of
            it is text, a file, a tuple of a file and its name and type, or a list of those.
        environ_base: variables that others go over.
        environ_overrides: variables that go over all others.
        mimetype: the media type without parameters; textual ones get ``charset=utf-8``.
        json: a value that is sent as JSON.
        auth: credentials, or a (name, password) pair for Basic.

    Raises:
        ValueError: there is a query both in `path` and in `query_string`, or one in `base_url`.
        TypeError: there are two of `data`, `json` and `input_stream`.

    (Werkzeug: ``werkzeug.test.EnvironBuilder``.)
    """

    server_protocol = "HTTP/1.1"
    wsgi_version = (1, 0)

    request_class: ClassVar[type[Any]]
    """What `get_request` makes: `groundwire.http.request.Request`, which sets this."""

    json_dumps: Any = staticmethod(standard_json.dumps)
    """What encodes the argument `json`."""

    closed = True
    """Whether there is nothing to close: so while `__init__` has not come to its end."""

    def __init__(
        self,
        path: str = "/",
        base_url: str | None = None,
        query_string: Mapping[str, Any] | str | None = None,
        method: str = "GET",
        input_stream: IO[bytes] | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        errors_stream: IO[str] | None = None,
        multithread: bool = False,
        multiprocess: bool = False,
        run_once: bool = False,
        headers: Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        data: IO[bytes] | IO[str] | str | bytes | FormValues | None = None,
        environ_base: Mapping[str, Any] | None = None,
        environ_overrides: Mapping[str, Any] | None = None,
        mimetype: str | None = None,
        json: Any = None,
        auth: Authorization | tuple[str, str] | None = None,
    ) -> None:
        url = urlsplit(path)
        if "?" in path:
            if query_string is not None:
                raise ValueError(
                    f"There is a query in the path, {path!r}, and as 'query_string', {query_string!r}: give one."
                )
            query_string = url.query
        self.request_uri = path
        self.path = iri_to_uri(url.path)
        self.base_url = None if base_url is None else iri_to_uri(base_url)
        self._take_query(query_string)
        self.method = method
        self.headers = headers if type(headers) is Headers else _headers_of(headers)
        if content_type is not None:
            self.content_type = content_type
        self.errors_stream: IO[str] = sys.stderr if errors_stream is None else errors_stream
        self.multithread = multithread
        self.multiprocess = multiprocess
        self.run_once = run_once
        self.environ_base = environ_base
        self.environ_overrides = environ_overrides
        self.input_stream = input_stream
        self.content_length = content_length
        self.closed = False
        if auth is not None:
            self.headers.set("Authorization", _credentials(auth).to_header())
        if json is not None:
            _refuse_second("data", data, "json")
            data = str(self.json_dumps(json))
            if self.content_type is None:
                self.content_type = "application/json"
        if data or hasattr(data, "read"):
            _refuse_second("input_stream", input_stream, "data")
            self._take_data(data)
        if mimetype is not None:
            self.mimetype = mimetype

    def _take_query(self, query: Any) -> None:
        if isinstance(query, str):
            self.query_string = query
        else:
            self.args = query if isinstance(query, MultiDict) else MultiDict(query)

    def _take_data(self, data: Any) -> None:
        if hasattr(data, "read"):
            data = data.read()
        if isinstance(data, str):
            data = data.encode()
        if isinstance(data, (bytes, bytearray)):
            self.input_stream = BytesIO(data)
            if self.content_length is None:
                self.content_length = len(data)
            return
        for name, value in form_pairs(data):
            if isinstance(value, tuple):
                described: tuple[Any, ...] = value  # pyright: ignore[reportUnknownVariableType]
                self.files.add_file(name, *described)
            elif hasattr(value, "read"):
                self.files.add_file(name, value)
            else:
                self.form.setlistdefault(name).append(value)

    @classmethod
    def from_environ(cls, environ: Environ, **kwargs: Any) -> Self:
        """Return a builder of the request that `environ` describes.

        Args:
            environ: the environ.
            kwargs: arguments of the class that go over what was found.
        """
        headers = _headers_of(EnvironHeaders(environ))
        found: dict[str, Any] = {
            "path": decode_wsgi(environ["PATH_INFO"]),
            "base_url": _base_url(
                environ["wsgi.url_scheme"],
                headers.pop("Host"),
                decode_wsgi(environ["SCRIPT_NAME"]),
            ),
            "query_string": decode_wsgi(environ["QUERY_STRING"]),
            "method": environ["REQUEST_METHOD"],
            "input_stream": environ["wsgi.input"],
            "content_type": headers.pop("Content-Type", None),
            "content_length": headers.pop("Content-Length", None),
            "errors_stream": environ["wsgi.errors"],
            "multithread": environ["wsgi.multithread"],
            "multiprocess": environ["wsgi.multiprocess"],
            "run_once": environ["wsgi.run_once"],
            "headers": headers,
        }
        return cls(**{**found, **kwargs})

    # Where it goes

    @property
    def base_url(self) -> str:
        """Scheme, host and mount point, with a slash at the end."""
        return _base_url(self.url_scheme, self.host, self.script_root)

    @base_url.setter
    def base_url(self, value: str | None) -> None:
        url = urlsplit("http://localhost" if value is None else value)
        if url.query or url.fragment:
            raise ValueError(f"A base URL has neither query nor fragment: {value!r}")
        self.url_scheme = url.scheme
        self.host = url.netloc
        self.script_root = url.path.rstrip("/")

    @property
    def server_name(self) -> str:
        """The name in `host`."""
        return split_host(self.host)[0]

    @property
    def server_port(self) -> int:
        """The port in `host`, or that of the scheme."""
        port = split_host(self.host)[1]
        return int(port if port.isdecimal() else DEFAULT_PORTS.get(self.url_scheme, "80"))

    @property
    def query_string(self) -> str:
        """The query, made of `args` unless it was set itself."""
        if self._query_string is not None:
            return self._query_string
        return build_query(self._args) if self._args else ""

    @query_string.setter
    def query_string(self, value: str | None) -> None:
        self._query_string = value
        self._args: MultiDict[str, Any] | None = None

    @property
    def args(self) -> MultiDict[str, Any]:
        """The fields of the query.

        Raises:
            AttributeError: `query_string` was set.
        """
        if self._query_string is not None:
            raise AttributeError("'query_string' was set: set it to None to give fields in 'args'")
        if self._args is None:
            self._args = MultiDict()
        return self._args

    @args.setter
    def args(self, value: MultiDict[str, Any] | None) -> None:
        self._query_string = None
        self._args = value

    # Its content

    @property
    def content_type(self) -> str | None:
        """The Content-Type in `headers`, or else that of the form that `form` and `files` make."""
        given = self.headers.get("Content-Type")
        if given is not None or self._input_stream is not None:
            return given
        if self._files:
            return MULTIPART
        return URLENCODED if self._form else None

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        self._set_field("Content-Type", value)

    @property
    def content_length(self) -> int | None:
        """The Content-Length in `headers`."""
        return self.headers.get("Content-Length", type=int)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        self._set_field("Content-Length", value)

    def _set_field(self, name: str, value: object) -> None:
        if value is None:
            self.headers.remove(name)
        else:
            self.headers[name] = str(value)

    @property
    def mimetype(self) -> str | None:
        """The media type without parameters. One that is set gets ``charset=utf-8`` if it is textual."""
        content_type = self.content_type
        return content_type.partition(";")[0].strip() if content_type else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.content_type = get_content_type(value, "utf-8")

    @property
    def mimetype_params(self) -> CallbackDict[str, str]:
        """The parameters of the media type; changing them changes `content_type`."""

        def write(parameters: Any) -> None:
            self.headers["Content-Type"] = dump_options_header(self.mimetype, parameters)

        parameters = parse_options_header(self.headers.get("Content-Type", ""))[1]
        return CallbackDict(parameters, write)

    @property
    def input_stream(self) -> IO[bytes] | None:
        """The content as a stream. Setting it forgets `form` and `files`."""
        return self._input_stream

    @input_stream.setter
    def input_stream(self, value: IO[bytes] | None) -> None:
        self._input_stream = value
        self._form: MultiDict[str, Any] | None = None
        self._files: FileMultiDict | None = None

    def _refuse_stream(self) -> None:
        if self._input_stream is not None:
            raise AttributeError(
                "'input_stream' is the content: set it to None to give a form in its place"
            )

    @property
    def form(self) -> MultiDict[str, Any]:
        """The fields of the form.

        Raises:
            AttributeError: `input_stream` was set.
        """
        self._refuse_stream()
        if self._form is None:
            self._form = MultiDict()
        return self._form

    @form.setter
    def form(self, value: MultiDict[str, Any]) -> None:
        self._input_stream = None
        self._form = value

    @property
    def files(self) -> FileMultiDict:
        """The files of the form; see `FileMultiDict.add_file`.

        Raises:
            AttributeError: `input_stream` was set.
        """
        self._refuse_stream()
        if self._files is None:
            self._files = FileMultiDict()
        return self._files

    @files.setter
    def files(self, value: FileMultiDict) -> None:
        self._input_stream = None
        self._files = value

    def close(self) -> None:
        """Close the files of the form."""
        if self.closed:
            return
        self.closed = True
        for file in self._files.values() if self._files else ():
            file.close()

    def __del__(self) -> None:
        self.close()

    # What comes of it

    def get_environ(self) -> Environ:
        """Return the environ. A stream stays where it stands."""
        content, length, content_type = self._content()
        target = encode_wsgi(self.request_uri)
        environ: Environ = {
            **(self.environ_base or {}),
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": _octets(self.script_root),
            "PATH_INFO": _octets(self.path),
            "QUERY_STRING": encode_wsgi(self.query_string),
            # As mod_wsgi and uWSGI call it, and as gunicorn does.
            "REQUEST_URI": target,
            "RAW_URI": target,
            "SERVER_NAME": self.server_name,
            "SERVER_PORT": str(self.server_port),
            "HTTP_HOST": self.host,
            "SERVER_PROTOCOL": self.server_protocol,
            "wsgi.version": self.wsgi_version,
            "wsgi.url_scheme": self.url_scheme,
            "wsgi.input": content,
            "wsgi.errors": self.errors_stream,
            "wsgi.multithread": self.multithread,
            "wsgi.multiprocess": self.multiprocess,
            "wsgi.run_once": self.run_once,
        }
        if content_type is not None:
            environ["CONTENT_TYPE"] = content_type
        if length is not None:
            environ["CONTENT_LENGTH"] = str(length)
        environ.update(field_variables(self.headers))
        environ.update(self.environ_overrides or {})
        return environ

    def _content(self) -> tuple[IO[bytes], int | None, str | None]:
        """Return the content as a stream, its length and its type."""
        stream = self._input_stream
        if stream is not None:
            return stream, _rest_of(stream, self.content_length), self.content_type
        mimetype = self.mimetype
        if mimetype == MULTIPART:
            fields = [*self.form.items(multi=True), *self.files.items(multi=True)]
            stream, length, boundary = stream_encode_multipart(fields)
            return stream, length, f'{MULTIPART}; boundary="{boundary}"'
        if mimetype == URLENCODED:
            encoded = build_query(self.form).encode("ascii")
            return BytesIO(encoded), len(encoded), self.content_type
        return BytesIO(), self.content_length, self.content_type

    def get_request(self, cls: type[Any] | None = None) -> Any:
        """Return a request of class `cls`, by default `request_class`."""
        return (cls or self.request_class)(self.get_environ())


def create_environ(*args: Any, **kwargs: Any) -> Environ:
    """Return an environ made of an `EnvironBuilder`'s arguments.

    (Werkzeug: ``werkzeug.test.create_environ``.)
    """
    builder = EnvironBuilder(*args, **kwargs)
    try:
        return builder.get_environ()
    finally:
        builder.close()


def field_variables(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the variables that stand for field lines, but those of the content (RFC 3875 §4.1.18)."""
    values: dict[str, list[str]] = {}
    for name, value in lines:
        variable = name.upper().replace("-", "_")
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            values.setdefault(f"HTTP_{variable}", []).append(value)
    return {variable: ", ".join(lines) for variable, lines in values.items()}


def _refuse_second(name: str, value: object, other: str) -> None:
    if value is not None:
        raise TypeError(
            f"There is '{name}' and '{other}', and a request has one content: give one."
        )


class UncheckedHeaders(Headers):
    """Field lines as an environ can hold them: of any name and text, where no line ends within.

    A test may want to know what becomes of a field that no connection would carry.
    """

    def __init__(self, lines: Iterable[tuple[Any, Any]] = ()) -> None:
        super().__init__()
        for name, value in lines:
            if any(end in f"{name}{value}" for end in "\r\n\0"):
                raise ValueError(f"header {name!r}: {value!r} does not fit in one line")
            self._list.append((str(name), str(value)))


def _headers_of(given: Any) -> Headers:
    try:
        return Headers(given)
    except ValueError:
        return UncheckedHeaders(iterate_pairs(given))


def _base_url(scheme: str, host: str, script_root: str) -> str:
    return urlunsplit((scheme, host, script_root, "", "")).rstrip("/") + "/"


def _octets(path: str) -> str:
    """Return a percent-encoded path as an environ holds it."""
    return unquote_to_bytes(path).decode("latin-1")


def _rest_of(stream: IO[bytes], stated: int | None) -> int | None:
    """Return how much of `stream` is left; what was `stated` where it cannot tell."""
    try:
        position = stream.tell()
        end = stream.seek(0, 2)
        stream.seek(position)
    except (AttributeError, OSError):  # a pipe, or something of a program's own with `read` alone
        return stated
    return end - position


def _credentials(auth: Authorization | tuple[str, str]) -> Authorization:
    if isinstance(auth, tuple):
        return Authorization("basic", {"username": auth[0], "password": auth[1]})
    return auth
