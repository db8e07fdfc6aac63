"""What the header section of a request says, field by field (RFC 9110 §8, §10.1, §12.5, §13.1, §14.2).

Each attribute is worked out when it is first asked for. A field that is a list is read from all its lines.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from .authorization import Authorization
from .cache_control import RequestCacheControl, parse_cache_control_header
from .cookies import parse_cookie
from .dates import parse_date
from .etags import ETags, parse_etags
from .field_values import HeaderSet, parse_list_header, parse_set_header
from .headers import Headers
from .mappings import ImmutableList
from .media_types import parse_options_header
from .multidict import ImmutableMultiDict, MultiDict
from .negotiation import Accept, CharsetAccept, LanguageAccept, MIMEAccept, parse_accept_header
from .properties import cached_property, header_property
from .ranges import IfRange, Range, parse_if_range_header, parse_range_header

MAX_CONTENT_LENGTH_DIGITS = 19
"""Digits that Content-Length may have; more is larger than any disk."""


@lru_cache(maxsize=64)
def media_type_of(content_type: str | None) -> str:
    """Return the media type in a value of Content-Type, in lower case.

    PERF: 0.1 µs where clients send the same few types, as they do; parsing one takes 1 µs.
    """
    return parse_options_header(content_type)[0].lower()


class UserAgent:
    """What the client says it is (RFC 9110 §10.1.5).

    Only the text itself is known: what a browser is cannot be told from it reliably. A subclass that tries to is
    named by `Request.user_agent_class`. (Werkzeug: ``werkzeug.user_agent.UserAgent``.)
    """

    platform: str | None = None
    browser: str | None = None
    version: str | None = None
    language: str | None = None

    def __init__(self, string: str) -> None:
        self.string = string

    def to_header(self) -> str:
        """Return the text."""
        return self.string

    def __str__(self) -> str:
        return self.string

    def __bool__(self) -> bool:
        return bool(self.browser)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.browser}/{self.version}>"


class RequestFields:
    """The fields of a request as attributes."""

    headers: Any
    """The header section: `Headers` that cannot be changed."""

    dict_storage_class: type[MultiDict[str, Any]] = ImmutableMultiDict
    """What `cookies` is an instance of."""

    list_storage_class: type[list[Any]] = ImmutableList
    """What `access_route` is an instance of."""

    user_agent_class: type[UserAgent] = UserAgent

    def _combined(self, name: str) -> str | None:
        headers: Headers = self.headers
        return headers.combined(name)

    # The content (RFC 9110 §8).

    @property
    def content_type(self) -> str | None:
        """The media type of the content with its parameters."""
        value: str | None = self.headers.get("Content-Type")
        return value

    content_encoding = header_property[str](
        "Content-Encoding", read_only=True, doc="The codings applied to the content."
    )
    content_md5 = header_property[str](
        "Content-MD5", read_only=True, doc="An MD5 digest of the content (RFC 1864; obsolete)."
    )

    @cached_property
    def content_length(self) -> int | None:
        """How many octets the content has, as Content-Length says; None where it is chunked or says nothing."""
        headers: Headers = self.headers
        if headers.get("Transfer-Encoding", "") == "chunked":
            return None
        value = headers.get("Content-Length")
        if value is None or not (value.isascii() and value.isdigit()):
            return None
        return int(value) if len(value) <= MAX_CONTENT_LENGTH_DIGITS else None

    @property
    def mimetype(self) -> str:
        """The media type of the content in lower case, without parameters; empty without one."""
        return media_type_of(self.content_type)

    @cached_property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the media type: ``{"charset": "utf-8"}``."""
        return parse_options_header(self.content_type)[1]

    @property
    def is_json(self) -> bool:
        """Whether the content type is JSON: ``application/json`` or ``application/*+json``."""
        mimetype = self.mimetype
        return mimetype == "application/json" or (
            mimetype.startswith("application/") and mimetype.endswith("+json")
        )

    # The client and its wishes (RFC 9110 §10.1, §12.5).

    @cached_property
    def cookies(self) -> MultiDict[str, str]:
        """The cookies that the client keeps for this site."""
        return parse_cookie(self._combined("Cookie"), self.dict_storage_class)

    @cached_property
    def user_agent(self) -> UserAgent:
        """What the client says it is; the text is its `string`."""
        return self.user_agent_class(self.headers.get("User-Agent", ""))

    @cached_property
    def authorization(self) -> Authorization | None:
        """The credentials the client gives; None without any (RFC 9110 §11.6.2)."""
        return Authorization.from_header(self.headers.get("Authorization"))

    referrer = header_property[str](
        "Referer", read_only=True, doc="The page the client comes from (RFC 9110 §10.1.3)."
    )
    origin = header_property[str](
        "Origin",
        read_only=True,
        doc="The origin of the page that caused the request (RFC 6454 §7).",
    )
    date = header_property[datetime](
        "Date", None, parse_date, read_only=True, doc="When the client sent it (RFC 9110 §6.6.1)."
    )
    max_forwards = header_property[int](
        "Max-Forwards",
        None,
        int,
        read_only=True,
        doc="Through how many more intermediaries TRACE or OPTIONS may go (RFC 9110 §7.6.2).",
    )
    access_control_request_headers = header_property[HeaderSet](
        "Access-Control-Request-Headers",
        None,
        parse_set_header,
        read_only=True,
        doc="Which fields a page of another origin wants to send; in a preflight (Fetch §3.3).",
    )
    access_control_request_method = header_property[str](
        "Access-Control-Request-Method",
        read_only=True,
        doc="Which method a page of another origin wants to use; in a preflight (Fetch §3.3).",
    )

    @cached_property
    def accept_mimetypes(self) -> MIMEAccept:
        """The media types the client takes, best first."""
        return parse_accept_header(self._combined("Accept"), MIMEAccept)

    @cached_property
    def accept_charsets(self) -> CharsetAccept:
        """The charsets the client takes, best first."""
        return parse_accept_header(self._combined("Accept-Charset"), CharsetAccept)

    @cached_property
    def accept_encodings(self) -> Accept:
        """The content codings the client takes, best first."""
        return parse_accept_header(self._combined("Accept-Encoding"))

    @cached_property
    def accept_languages(self) -> LanguageAccept:
        """The languages the client takes, best first."""
        return parse_accept_header(self._combined("Accept-Language"), LanguageAccept)

    # Caches, conditions and ranges (RFC 9110 §13.1, §14.2; RFC 9111 §5.2.1).

    @cached_property
    def cache_control(self) -> RequestCacheControl:
        """What caches on the way may do."""
        return parse_cache_control_header(
            self._combined("Cache-Control"), None, RequestCacheControl
        )

    @cached_property
    def pragma(self) -> HeaderSet:
        """Directives of HTTP/1.0 caches (RFC 9111 §5.4; obsolete)."""
        return parse_set_header(self._combined("Pragma"))

    @cached_property
    def if_match(self) -> ETags:
        """The entity tags of which one must be the resource's."""
        return parse_etags(self._combined("If-Match"))

    @cached_property
    def if_none_match(self) -> ETags:
        """The entity tags of which none may be the resource's."""
        return parse_etags(self._combined("If-None-Match"))

    @cached_property
    def if_modified_since(self) -> datetime | None:
        """Since when the resource must have changed."""
        return parse_date(self.headers.get("If-Modified-Since"))

    @cached_property
    def if_unmodified_since(self) -> datetime | None:
        """Since when the resource must not have changed."""
        return parse_date(self.headers.get("If-Unmodified-Since"))

    @cached_property
    def if_range(self) -> IfRange:
        """What the resource must still be for `range` to count."""
        return parse_if_range_header(self.headers.get("If-Range"))

    @cached_property
    def range(self) -> Range | None:
        """The parts of the representation that are wanted."""
        return parse_range_header(self.headers.get("Range"))

    # Where it came from.

    remote_addr: Any

    def _believed_route(self) -> Iterable[str]:
        """Return what the server believes of the way the request came; empty where it believes nobody."""
        return ()

    @cached_property
    def access_route(self) -> list[str]:
        """The addresses X-Forwarded-For names, client first; otherwise the peer's alone.

        Where the peer is one of the server's trusted proxies, those it is believed to have come by. Otherwise anybody
        can have sent that field, and it says nothing.
        """
        route = self._believed_route()
        if route:
            return self.list_storage_class(route)
        forwarded = self._combined("X-Forwarded-For")
        if forwarded is not None:
            return self.list_storage_class(parse_list_header(forwarded))
        return self.list_storage_class([] if self.remote_addr is None else [self.remote_addr])
