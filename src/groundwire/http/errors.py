"""Errors that are answers: one exception for each status a program may want to raise (RFC 9110 §15.5, §15.6).

    HTTPException
        BadRequest 400                  BadRequestKeyError (also a KeyError), ClientDisconnected, SecurityError, BadHost
        Unauthorized 401                Forbidden 403           NotFound 404            MethodNotAllowed 405
        …one class per status…
        InternalServerError 500         NotImplemented 501      BadGateway 502          ServiceUnavailable 503 …

Names, arguments, descriptions and the page are those Flask programs know (Werkzeug: ``werkzeug.exceptions``). An error
can be raised (`abort(404)`), returned, or called as a WSGI application.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar, NoReturn, cast

from markupsafe import Markup, escape

from .mappings import MissingKey
from .status import HTTP_STATUS_CODES


class ResponseMaker:
    """Which class the answers of errors are made of.

    Responses raise errors (a range that cannot be satisfied), so this module cannot import them: the module that
    defines the class says here, once, what to make.
    """

    make: ClassVar[type[Any] | None] = None


def use_response_class(response_class: type[Any]) -> None:
    """Make the answers of errors with `response_class`, called with (content, status, list of field lines)."""
    ResponseMaker.make = response_class


def make_response(content: str | bytes, status: int | None, fields: list[tuple[str, str]]) -> Any:
    """Make a response of the class that `use_response_class` was told.

    Raises:
        RuntimeError: it was told none yet; importing `groundwire` does that.
    """
    if ResponseMaker.make is None:
        raise RuntimeError("no response class is known yet: import groundwire first")
    return ResponseMaker.make(content, status, fields)


NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
"""SECURITY: what an error echoes must never be taken for another type than the one it says."""


class HTTPException(Exception):
    """An error that is answered with a status of its own.

    Subclass it for a status of your own: set `code` and `description`.

    Args:
        description: what the page says; the class's own text when None.
        response: answers instead of the page.

    (Flask: "Handling Application Errors". Werkzeug: ``HTTPException``.)
    """

    code: int | None = None
    description: str | None = None

    def __init__(self, description: str | None = None, response: Any | None = None) -> None:
        super().__init__()
        if description is not None:
            self.description = description
        self.response = response

    @classmethod
    def wrap(cls, exception: type[BaseException], name: str | None = None) -> type[Any]:
        """Make a class that is this error and an `exception` too, so that ``except KeyError`` catches it.

        Its first argument is the other exception's, the rest are this one's.
        """

        def __init__(self: Any, arg: object = None, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            cls.__init__(self, *args, **kwargs)
            exception.__init__(self, *(() if arg is None else (arg,)))

        members = {"__init__": __init__, "__module__": cls.__module__}
        return type(name or f"{cls.__name__}{exception.__name__}", (cls, exception), members)

    @property
    def name(self) -> str:
        """The name of the status, as the page's heading shows it."""
        return (
            HTTP_STATUS_CODES.get(self.code, "Unknown Error")
            if self.code is not None
            else "Unknown Error"
        )

    def get_description(
        self, environ: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
    ) -> str:
        """Return the description as HTML: escaped, unless it is `Markup`, with its line breaks."""
        text = "" if self.description is None else self.description
        escaped = escape(text).replace("\n", Markup("<br>"))
        return f"<p>{escaped}</p>"

    def get_body(
        self, environ: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
    ) -> str:
        """Return the page."""
        name = escape(self.name)
        return (
            "<!doctype html>\n"
            "<html lang=en>\n"
            f"<title>{self.code} {name}</title>\n"
            f"<h1>{name}</h1>\n"
            f"{self.get_description(environ)}\n"
        )

    def get_headers(
        self, environ: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the field lines of the page's response; `NO_SNIFFING` is added when that is made."""
        return [("Content-Type", "text/html; charset=utf-8")]

    def get_response(
        self, environ: Any | None = None, scope: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the response: the one this was made with, or a page.

        Args:
            environ: a WSGI environ, or a request; handed on to `get_body` and `get_headers`.
            scope: an ASGI scope, handed on likewise.
        """
        if self.response is not None:
            return self.response
        # The classes of this module ask nothing of an environ, which costs 10 µs where a request has to make it.
        own = type(self).__module__ == __name__
        environ = None if own else getattr(environ, "environ", environ)
        fields = [*self.get_headers(environ, scope), NO_SNIFFING]
        return make_response(self.get_body(environ, scope), self.code, fields)

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer as a WSGI application (PEP 3333)."""
        answer: Iterable[bytes] = self.get_response(environ)(environ, start_response)
        return answer

    def __str__(self) -> str:
        return f"{'???' if self.code is None else self.code} {self.name}: {self.description}"

    def __repr__(self) -> str:
        code = "???" if self.code is None else self.code
        return f"<{type(self).__name__} '{code}: {self.name}'>"


# --- 4xx: the client's


class BadRequest(HTTPException):
    """400: the request cannot be understood, or its data are not what the application needs."""

    code = 400
    description: str | None = (
        "The browser (or proxy) sent a request that this server could not understand."
    )


class BadRequestKeyError(BadRequest, KeyError):
    """400: the request lacks a form field, query parameter or the like that the program read by ``[]``.

    `show_exception`, which debug mode sets, adds the key to the description.
    """

    show_exception = False
    _description = BadRequest.description

    def __init__(self, arg: object = None, *args: Any, **kwargs: Any) -> None:
        BadRequest.__init__(self, *args, **kwargs)
        KeyError.__init__(self, *(() if arg is None else (arg,)))

    @property
    def description(self) -> str | None:
        """What the page says; names the key while `show_exception` is set."""
        if self.show_exception:
            return f"{self._description}\n{KeyError.__name__}: {KeyError.__str__(self)}"
        return self._description

    @description.setter
    def description(self, value: str | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._description = value


MissingKey.error = BadRequestKeyError


class ClientDisconnected(BadRequest):
    """400: the client went away while its content was read."""


class SecurityError(BadRequest):
    """400: the request claims what it must not, such as a host that is not trusted."""


class BadHost(BadRequest):
    """400: the host the request names cannot be a host."""


class Unauthorized(HTTPException):
    """401: the request needs credentials (RFC 9110 §15.5.2).

    Args:
        description: what the page says.
        response: answers instead of the page.
        www_authenticate: one challenge, or several; each becomes a WWW-Authenticate field.
    """

    code = 401
    description = (
        "The server could not verify that you are authorized to access the URL requested. "
        "You either supplied the wrong credentials (e.g. a bad password), or your browser "
        "doesn't understand how to supply the credentials required."
    )

    def __init__(
        self,
        description: str | None = None,
        response: Any | None = None,
        www_authenticate: Any | None = None,
    ) -> None:
        super().__init__(description, response)
        challenges: tuple[object, ...] | None = None
        if isinstance(www_authenticate, (list, tuple, set, frozenset)):
            challenges = tuple(cast("Iterable[object]", www_authenticate))
        elif www_authenticate is not None:
            challenges = (www_authenticate,)
        self.www_authenticate = challenges

    def get_headers(
        self, environ: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the field lines, with the challenges."""
        headers = super().get_headers(environ, scope)
        headers.extend(
            ("WWW-Authenticate", str(challenge)) for challenge in self.www_authenticate or ()
        )
        return headers


class Forbidden(HTTPException):
    """403: the client may not have this, whoever it is."""

    code = 403
    description = (
        "You don't have the permission to access the requested resource. "
        "It is either read-protected or not readable by the server."
    )


class NotFound(HTTPException):
    """404: there is nothing at this URL."""

    code = 404
    description = (
        "The requested URL was not found on the server. If you entered the URL manually "
        "please check your spelling and try again."
    )


class MethodNotAllowed(HTTPException):
    """405: the resource does not take this method (RFC 9110 §15.5.6).

    Args:
        valid_methods: the methods it does take; they become the Allow field.
        description: what the page says.
        response: answers instead of the page.
    """

    code = 405
    description = "The method is not allowed for the requested URL."

    def __init__(
        self,
        valid_methods: Iterable[str] | None = None,
        description: str | None = None,
        response: Any | None = None,
    ) -> None:
        super().__init__(description, response)
        self.valid_methods = valid_methods

    def get_headers(
        self, environ: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the field lines, with Allow."""
        headers = super().get_headers(environ, scope)
        if self.valid_methods:
            headers.append(("Allow", ", ".join(self.valid_methods)))
        return headers


class NotAcceptable(HTTPException):
    """406: no representation suits the request's Accept fields."""

    code = 406
    description = (
        "The resource identified by the request is only capable of generating response "
        "entities which have content characteristics not acceptable according to the accept "
        "headers sent in the request."
    )


class RequestTimeout(HTTPException):
    """408: the request did not come whole in time."""

    code = 408
    description = (
        "The server closed the network connection because the browser didn't finish the "
        "request within the specified time."
    )


class Conflict(HTTPException):
    """409: the request does not fit the present state of the resource."""

    code = 409
    description = (
        "A conflict happened while processing the request. The resource might have been "
        "modified while the request was being processed."
    )


class Gone(HTTPException):
    """410: the resource existed once and will not again."""

    code = 410
    description = (
        "The requested URL is no longer available on this server and there is no forwarding "
        "address. If you followed a link from a foreign page, please contact the author of "
        "this page."
    )


class LengthRequired(HTTPException):
    """411: the request must say how long its content is."""

    code = 411
    description = "A request with this method requires a valid <code>Content-Length</code> header."


class PreconditionFailed(HTTPException):
    """412: a condition of the request, such as If-Match, does not hold."""

    code = 412
    description = "The precondition on the request for the URL failed positive evaluation."


class RequestEntityTooLarge(HTTPException):
    """413: the content is larger than the limit."""

    code = 413
    description = "The data value transmitted exceeds the capacity limit."


class RequestURITooLarge(HTTPException):
    """414: the request target is longer than the limit."""

    code = 414
    description = (
        "The length of the requested URL exceeds the capacity limit for this server. The "
        "request cannot be processed."
    )


class UnsupportedMediaType(HTTPException):
    """415: the content is of a type, or in a coding, that is not taken here."""

    code = 415
    description = "The server does not support the media type transmitted in the request."


class RequestedRangeNotSatisfiable(HTTPException):
    """416: no range asked for lies within the representation (RFC 9110 §15.5.17).

    Args:
        length: the length of the representation; becomes the Content-Range field.
        units: the range unit.
        description: what the page says.
        response: answers instead of the page.
    """

    code = 416
    description = "The server cannot provide the requested range."

    def __init__(
        self,
        length: int | None = None,
        units: str = "bytes",
        description: str | None = None,
        response: Any | None = None,
    ) -> None:
        super().__init__(description, response)
        self.length = length
        self.units = units

    def get_headers(
        self, environ: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the field lines, with Content-Range."""
        headers = super().get_headers(environ, scope)
        if self.length is not None:
            headers.append(("Content-Range", f"{self.units} */{self.length}"))
        return headers


class ExpectationFailed(HTTPException):
    """417: the request's Expect cannot be met."""

    code = 417
    description = "The server could not meet the requirements of the Expect header"


class ImATeapot(HTTPException):
    """418: coffee was asked of a teapot (RFC 2324 §2.3.2)."""

    code = 418
    description = "This server is a teapot, not a coffee machine"


class MisdirectedRequest(HTTPException):
    """421: the request came to a server that does not answer for its host."""

    code = 421
    description = "The server is not able to produce a response."


class UnprocessableEntity(HTTPException):
    """422: the content is well formed and still makes no sense here."""

    code = 422
    description = (
        "The request was well-formed but was unable to be followed due to semantic errors."
    )


class Locked(HTTPException):
    """423: the resource is locked (RFC 4918 §11.3)."""

    code = 423
    description = "The resource that is being accessed is locked."


class FailedDependency(HTTPException):
    """424: another request this one depended on failed (RFC 4918 §11.4)."""

    code = 424
    description = (
        "The method could not be performed on the resource because the requested action "
        "depended on another action and that action failed."
    )


class PreconditionRequired(HTTPException):
    """428: the request must be conditional, so that no other client's change is lost (RFC 6585 §3)."""

    code = 428
    description = (
        'This request is required to be conditional; try using "If-Match" or "If-Unmodified-Since".'
    )


class RetryLater(HTTPException):
    """What 429 and 503 have in common: they can say when to come back (RFC 9110 §10.2.3).

    Args:
        description: what the page says.
        response: answers instead of the page.
        retry_after: seconds from now, or a time (UTC where it names no zone); becomes the Retry-After field.
    """

    def __init__(
        self,
        description: str | None = None,
        response: Any | None = None,
        retry_after: datetime | int | None = None,
    ) -> None:
        super().__init__(description, response)
        self.retry_after = retry_after

    def get_headers(
        self, environ: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the field lines, with Retry-After."""
        headers = super().get_headers(environ, scope)
        if isinstance(self.retry_after, datetime):
            moment = self.retry_after
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            moment = moment.astimezone(UTC)
            headers.append(("Retry-After", format_datetime(moment, usegmt=True)))
        elif self.retry_after is not None:
            headers.append(("Retry-After", str(self.retry_after)))
        return headers


class TooManyRequests(RetryLater):
    """429: this client asks more often than it may (RFC 6585 §4)."""

    code = 429
    description = "This user has exceeded an allotted request count. Try again later."


class RequestHeaderFieldsTooLarge(HTTPException):
    """431: the header section is larger than the limit (RFC 6585 §5)."""

    code = 431
    description = "One or more header fields exceeds the maximum size."


class UnavailableForLegalReasons(HTTPException):
    """451: a law forbids to show this (RFC 7725 §3)."""

    code = 451
    description = "Unavailable for legal reasons."


# --- 5xx: the server's


class InternalServerError(HTTPException):
    """500: the application failed.

    Args:
        description: what the page says.
        response: answers instead of the page.
        original_exception: what the application raised; None when it aborted with 500 itself.
    """

    code = 500
    description = (
        "The server encountered an internal error and was unable to complete your request. "
        "Either the server is overloaded or there is an error in the application."
    )

    def __init__(
        self,
        description: str | None = None,
        response: Any | None = None,
        original_exception: BaseException | None = None,
    ) -> None:
        super().__init__(description, response)
        self.original_exception = original_exception


class NotImplemented(HTTPException):  # noqa: A001
    """501: the server does not know this method."""

    code = 501
    description = "The server does not support the action requested by the browser."


class BadGateway(HTTPException):
    """502: another server that was asked answered something invalid."""

    code = 502
    description = "The proxy server received an invalid response from an upstream server."


class ServiceUnavailable(RetryLater):
    """503: overloaded, or closed for maintenance."""

    code = 503
    description = (
        "The server is temporarily unable to service your request due to maintenance downtime "
        "or capacity problems. Please try again later."
    )


class GatewayTimeout(HTTPException):
    """504: another server that was asked did not answer in time."""

    code = 504
    description = "The connection to an upstream server timed out."


class HTTPVersionNotSupported(HTTPException):
    """505: the request is in a version of HTTP that is not spoken here."""

    code = 505
    description = "The server does not support the HTTP protocol version used in the request."


default_exceptions: dict[int, type[HTTPException]] = {
    error.code: error
    for base in (HTTPException, RetryLater)
    for error in base.__subclasses__()
    if error.code is not None
}
"""Which class stands for each status; `abort` raises these."""


class Aborter:
    """Raises the error that stands for a status.

    Args:
        mapping: which class stands for which status; `default_exceptions` when None.
        extra: classes that come on top of `mapping`.

    (Flask: ``Flask.aborter_class``.)
    """

    def __init__(
        self,
        mapping: Mapping[int, type[HTTPException]] | None = None,
        extra: Mapping[int, type[HTTPException]] | None = None,
    ) -> None:
        self.mapping = dict(default_exceptions if mapping is None else mapping)
        if extra is not None:
            self.mapping.update(extra)

    def __call__(self, code: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise the error for the status `code`, or one that answers with the response `code`.

        Raises:
            HTTPException: always, made with the other arguments.
            LookupError: no class stands for that status.
        """
        if ResponseMaker.make is not None and isinstance(code, ResponseMaker.make):
            raise HTTPException(response=code)
        if code not in self.mapping:
            raise LookupError(f"no exception for {code!r}")
        raise self.mapping[code](*args, **kwargs)


_abort = Aborter()


def abort(status: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the error for a status (``abort(404)``), or answer with a response (``abort(response)``).

    Raises:
        HTTPException: always, made with the other arguments.
        LookupError: no class stands for that status.
    """
    _abort(status, *args, **kwargs)
