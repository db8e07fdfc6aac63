"""What the header section of a response says, field by field (RFC 9110 §8, §10.2, §12.5.5, §14; RFC 9111 §5).

Each attribute reads and writes `headers`; where a field is a list, a set or a dictionary, changing the object that the
attribute gives changes the field.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from .authorization import WWWAuthenticate
from .cache_control import ResponseCacheControl, parse_cache_control_header
from .content_security_policy import parse_csp_header
from .cookies import dump_cookie
from .dates import dump_age, http_date, parse_age, parse_date
from .etags import generate_etag, quote_etag, unquote_etag
from .field_values import HeaderSet, dump_header, parse_set_header
from .headers import Headers
from .mappings import CallbackDict
from .media_types import dump_options_header, get_content_type, parse_options_header
from .properties import header_property
from .ranges import ContentRange, parse_content_range_header


class COEP(Enum):
    """Values of Cross-Origin-Embedder-Policy (HTML, §7.1.4)."""

    UNSAFE_NONE = "unsafe-none"
    REQUIRE_CORP = "require-corp"


class COOP(Enum):
    """Values of Cross-Origin-Opener-Policy (HTML, §7.1.3)."""

    UNSAFE_NONE = "unsafe-none"
    SAME_ORIGIN_ALLOW_POPUPS = "same-origin-allow-popups"
    SAME_ORIGIN = "same-origin"


def _policy_value(policy: Enum) -> str:
    return str(policy.value)


def _writer(headers: Headers, name: str) -> Callable[[Any], None]:
    """Return what writes a changed object back to the field it was read from; an empty one removes the field."""

    def write(value: Any) -> None:
        text = value.to_header() if value else ""
        if text:
            headers[name] = text
        else:
            headers.remove(name)

    return write


class _ParsedField:
    """A field that is read as an object; what is done to the object is done to the field."""

    def __init__(
        self, name: str, parse: Callable[[str | None, Callable[[Any], None]], Any], doc: str
    ) -> None:
        self.name = name
        self.parse = parse
        self.__doc__ = doc

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        headers: Headers = instance.headers
        return self.parse(headers.combined(self.name), _writer(headers, self.name))

    def __set__(self, instance: Any, value: Any) -> None:
        headers: Headers = instance.headers
        if not value:
            headers.remove(self.name)
        elif isinstance(value, str):
            headers[self.name] = value
        elif hasattr(value, "to_header"):
            headers[self.name] = value.to_header()
        else:
            headers[self.name] = dump_header(value)


def _parse_cache_control(
    value: str | None, on_update: Callable[[Any], None]
) -> ResponseCacheControl:
    return parse_cache_control_header(value, on_update, ResponseCacheControl)


def _parse_content_range(value: str | None, on_update: Callable[[Any], None]) -> ContentRange:
    content_range = parse_content_range_header(value, on_update)
    # Without one: nothing yet, but something that can be filled in.
    return (
        ContentRange(None, None, None, None, on_update) if content_range is None else content_range
    )


class ResponseFields:
    """The fields of a response as attributes."""

    headers: Any
    max_cookie_size: Any

    # What is transferred (RFC 9110 §8).

    content_type = header_property[str](
        "Content-Type", doc="The media type of the content with its parameters (RFC 9110 §8.3)."
    )
    content_length = header_property[int](
        "Content-Length", None, int, str, doc="How many octets the content has (RFC 9110 §8.6)."
    )
    content_encoding = header_property[str](
        "Content-Encoding", doc="The codings applied to the content (RFC 9110 §8.4)."
    )
    content_location = header_property[str](
        "Content-Location", doc="Where just this representation can be had (RFC 9110 §8.7)."
    )
    content_md5 = header_property[str](
        "Content-MD5", doc="An MD5 digest of the content (RFC 1864; obsolete)."
    )
    content_language = _ParsedField(
        "Content-Language",
        parse_set_header,
        "The languages of the intended audience (RFC 9110 §8.5).",
    )
    last_modified = header_property[datetime](
        "Last-Modified",
        None,
        parse_date,
        http_date,
        doc="When the resource last changed (RFC 9110 §8.8.2).",
    )

    @property
    def mimetype(self) -> str | None:
        """The media type without parameters. Setting it adds ``charset=utf-8`` to textual ones."""
        content_type = self.content_type
        return content_type.split(";")[0].strip() if content_type else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.content_type = get_content_type(value, "utf-8")

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the content type; changing the dict changes the field."""

        def write(parameters: Any) -> None:
            self.content_type = dump_options_header(self.mimetype, parameters)

        parameters = parse_options_header(self.content_type)[1]
        return CallbackDict(parameters, write)

    def get_etag(self) -> tuple[str | None, bool | None]:
        """Return the entity tag and whether it is weak; (None, None) without one (RFC 9110 §8.8.3)."""
        return unquote_etag(self.headers.get("ETag"))

    def set_etag(self, etag: str, weak: bool = False) -> None:
        """Set the entity tag."""
        self.headers["ETag"] = quote_etag(etag, weak)

    def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Set an entity tag made from the content, unless there is one already."""
        if overwrite or "ETag" not in self.headers:
            self.set_etag(generate_etag(self.get_data()), weak)

    def get_data(self, as_text: bool = False) -> Any:
        """Return the content whole."""
        raise TypeError("a header section has no content")  # pragma: no cover

    # Control data (RFC 9110 §10.2, §12.5.5, §14).

    age = header_property[timedelta](
        "Age", None, parse_age, dump_age, doc="How long a cache has had it (RFC 9111 §5.1)."
    )
    allow = _ParsedField(
        "Allow", parse_set_header, "The methods the resource takes (RFC 9110 §10.2.1)."
    )
    date = header_property[datetime](
        "Date", None, parse_date, http_date, doc="When the message was made (RFC 9110 §6.6.1)."
    )
    expires = header_property[datetime](
        "Expires", None, parse_date, http_date, doc="When it becomes stale (RFC 9111 §5.3)."
    )
    location = header_property[str](
        "Location", doc="Where the client is sent, or what was created (RFC 9110 §10.2.2)."
    )
    vary = _ParsedField(
        "Vary", parse_set_header, "Which request fields the response depends on (RFC 9110 §12.5.5)."
    )
    cache_control = _ParsedField(
        "Cache-Control", _parse_cache_control, "What caches may do with it (RFC 9111 §5.2.2)."
    )
    accept_ranges = header_property[str](
        "Accept-Ranges", doc="Which range units may be asked for (RFC 9110 §14.3)."
    )
    content_range = _ParsedField(
        "Content-Range",
        _parse_content_range,
        "Which part of the representation this is (RFC 9110 §14.4).",
    )

    @property
    def retry_after(self) -> datetime | None:
        """When to ask again (RFC 9110 §10.2.3). Set to a date, or to seconds from now."""
        value = self.headers.get("Retry-After")
        if value is None:
            return None
        seconds = parse_age(value)
        return parse_date(value) if seconds is None else datetime.now(UTC) + seconds

    @retry_after.setter
    def retry_after(self, value: datetime | int | str | None) -> None:
        if value is None:
            self.headers.remove("Retry-After")
        else:
            self.headers["Retry-After"] = (
                http_date(value) if isinstance(value, datetime) else str(value)
            )

    @property
    def www_authenticate(self) -> WWWAuthenticate:
        """The challenge of a 401 (RFC 9110 §11.6.1). Set to one or several; the first is the one read."""
        challenge = WWWAuthenticate.from_header(self.headers.get("WWW-Authenticate"))
        if challenge is None:
            challenge = WWWAuthenticate("basic")
        challenge.on_update(_writer(self.headers, "WWW-Authenticate"))
        return challenge

    @www_authenticate.setter
    def www_authenticate(self, value: WWWAuthenticate | list[WWWAuthenticate] | None) -> None:
        if not value:
            self.headers.remove("WWW-Authenticate")
        elif isinstance(value, list):
            self.headers.setlist("WWW-Authenticate", [challenge.to_header() for challenge in value])
        else:
            self.headers["WWW-Authenticate"] = value.to_header()
            value.on_update(_writer(self.headers, "WWW-Authenticate"))

    @www_authenticate.deleter
    def www_authenticate(self) -> None:
        self.headers.remove("WWW-Authenticate")

    # Policies for browsers (CSP 3; HTML; Fetch).

    content_security_policy = _ParsedField(
        "Content-Security-Policy", parse_csp_header, "What the page may load (CSP 3 §3.1)."
    )
    content_security_policy_report_only = _ParsedField(
        "Content-Security-Policy-Report-Only",
        parse_csp_header,
        "What is reported if the page loads it (CSP 3 §3.2).",
    )
    cross_origin_opener_policy = header_property[COOP](
        "Cross-Origin-Opener-Policy",
        COOP.UNSAFE_NONE,
        COOP,
        _policy_value,
        doc="Which pages this one may share a browsing context group with.",
    )
    cross_origin_embedder_policy = header_property[COEP](
        "Cross-Origin-Embedder-Policy",
        COEP.UNSAFE_NONE,
        COEP,
        _policy_value,
        doc="Whether the page may load what does not say that it may be embedded.",
    )

    @property
    def access_control_allow_credentials(self) -> bool:
        """Whether a page of another origin may see a response to a request with credentials (Fetch §3.3)."""
        return "Access-Control-Allow-Credentials" in self.headers

    @access_control_allow_credentials.setter
    def access_control_allow_credentials(self, value: bool | None) -> None:
        if value is True:
            self.headers["Access-Control-Allow-Credentials"] = "true"
        else:
            self.headers.remove("Access-Control-Allow-Credentials")

    access_control_allow_headers = header_property[HeaderSet](
        "Access-Control-Allow-Headers",
        None,
        parse_set_header,
        dump_header,
        doc="Which fields a page of another origin may send.",
    )
    access_control_allow_methods = header_property[HeaderSet](
        "Access-Control-Allow-Methods",
        None,
        parse_set_header,
        dump_header,
        doc="Which methods a page of another origin may use.",
    )
    access_control_allow_origin = header_property[str](
        "Access-Control-Allow-Origin",
        doc="Which origin, or ``*``, may read the response.",
    )
    access_control_expose_headers = header_property[HeaderSet](
        "Access-Control-Expose-Headers",
        None,
        parse_set_header,
        dump_header,
        doc="Which fields a page of another origin may read.",
    )
    access_control_max_age = header_property[int](
        "Access-Control-Max-Age",
        None,
        int,
        str,
        doc="How many seconds these permissions hold.",
    )

    # Cookies (RFC 6265).

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | int | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Have the client keep a cookie.

        Args:
            key: its name.
            value: its value.
            max_age: for how many seconds it is kept; None: until the browser closes.
            expires: until when it is kept: a date, or seconds since 1970.
            path: where on the site it is sent to.
            domain: also sent to hosts below this one; None: only to the host that set it.
            secure: sent over HTTPS only.
            httponly: kept from JavaScript.
            samesite: ``Strict``, ``Lax`` or ``None``: whether it is sent with requests that other sites cause.
            partitioned: kept apart for each top-level site.

        Raises:
            ValueError: one of them has a character that cannot be in a cookie, or contradicts the prefix of `key`.
        """
        cookie = dump_cookie(
            key,
            value=value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            max_size=self.max_cookie_size,
            samesite=samesite,
            partitioned=partitioned,
        )
        self.headers.add("Set-Cookie", cookie)

    def delete_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Have the client forget a cookie. Path and domain must be those it was set with."""
        self.set_cookie(
            key,
            expires=0,
            max_age=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )
