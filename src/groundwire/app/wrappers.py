"""`Request` and `Response` as views know them: messages, and what the app knows of them."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from ..http import request as messages
from ..http.errors import BadRequest, HTTPException
from ..http.json_limits import JSONLimits
from ..http.response import Response as MessageResponse
from . import json
from .current import current
from .debug_helpers import attach_enctype_error_multidict
from .route_options import NO_OPTIONS
from .security import is_strict

_NOT_GIVEN: Any = object()


def _config(key: str, default: Any) -> Any:
    context = current.get(None)
    return default if context is None else context.app.config[key]


class Request(messages.Request):
    """A request, with the rule that matched it and the limits that the app's configuration sets.

    (Flask: ``flask.Request``.)
    """

    json_module: Any = json

    url_rule: Any = None
    """The rule that matched, or None."""

    view_args: dict[str, Any] | None = None
    """The parameters that the rule took from the path; None when none matched."""

    routing_exception: HTTPException | None = None
    """Why no rule matched; raised in place of calling a view."""

    matched: bool = False
    """Whether it was looked for a rule already."""

    context: Any = None
    """The context made for it when its content was asked about, before it was handled."""

    unhandled_error: BaseException | None = None
    """What the app let through for a test client to raise, as PROPAGATE_EXCEPTIONS and TESTING say."""

    _max_content_length: int | None = None
    _max_form_memory_size: int | None = None
    _max_form_parts: int | None = None

    @property
    def max_content_length(self) -> int | None:
        """Octets of content that are read before 413; may be set until content is read (MAX_CONTENT_LENGTH)."""
        limit = self._max_content_length
        if limit is None:
            # PERF: read with every content, so the two steps are taken here: 0.2 µs, in calls 0.6.
            limit = getattr(self.url_rule, "route_options", NO_OPTIONS).max_content_length
        if limit is None:
            context = current.get(None)
            if context is None:
                return super().max_content_length
            limit = context.app.config["MAX_CONTENT_LENGTH"]
        return limit

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._max_content_length = value

    @property
    def max_form_memory_size(self) -> int | None:
        """Octets a form's fields that are not files may have (MAX_FORM_MEMORY_SIZE)."""
        if self._max_form_memory_size is not None:
            return self._max_form_memory_size
        return cast("int | None", _config("MAX_FORM_MEMORY_SIZE", super().max_form_memory_size))

    @max_form_memory_size.setter
    def max_form_memory_size(self, value: int | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._max_form_memory_size = value

    @property
    def max_form_parts(self) -> int | None:
        """Parts a multipart form may have (MAX_FORM_PARTS)."""
        if self._max_form_parts is not None:
            return self._max_form_parts
        return cast("int | None", _config("MAX_FORM_PARTS", super().max_form_parts))

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._max_form_parts = value

    @property
    def endpoint(self) -> str | None:
        """The endpoint of the rule that matched, or None."""
        rule = self.url_rule
        return None if rule is None else rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The dotted name of the blueprint that the endpoint is of, or None."""
        endpoint = self.endpoint
        if endpoint is None or "." not in endpoint:
            return None
        return endpoint.rpartition(".")[0]

    @property
    def blueprints(self) -> list[str]:
        """The names of `blueprint` and of those it is nested in, innermost first."""
        name = self.blueprint
        return [] if name is None else scopes_of(name)

    def _load_form_data(self) -> None:
        super()._load_form_data()
        context = current.get(None)
        if context is None or not context.app.debug or self.mimetype == "multipart/form-data":
            return
        if not self.files:
            attach_enctype_error_multidict(self)

    def _decode_json(self, data: bytes, limits: JSONLimits | None = None) -> Any:
        limits = limits or self.json_limits
        if limits.constants:
            context = current.get(None)
            if context is not None and context.app.config["SECURITY_PROFILE"] == "strict":
                limits = limits._replace(constants=False)
        return super()._decode_json(data, limits)

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Answer for content that is no JSON: raise 400, with the reason in debug mode, or 415 (see `get_json`)."""
        try:
            return super().on_json_loading_failed(e)
        except BadRequest as error:
            context = current.get(None)
            if context is not None and context.app.debug:
                raise
            raise BadRequest from error


def scopes_of(name: str) -> list[str]:
    """Return a dotted blueprint name and those it is nested in, innermost first."""
    scopes = [name]
    while "." in name:
        name = name.rpartition(".")[0]
        scopes.append(name)
    return scopes


class Response(MessageResponse):
    """A response, of HTML unless it says otherwise.

    (Flask: ``flask.Response``.)
    """

    default_mimetype: ClassVar[str | None] = "text/html"
    json_module: Any = json
    autocorrect_location_header = False

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | int | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = _NOT_GIVEN,
        httponly: bool = _NOT_GIVEN,
        samesite: str | None = _NOT_GIVEN,
        partitioned: bool = False,
    ) -> None:
        """Have the client keep a cookie; arguments as `groundwire.http.response.Response.set_cookie`'s.

        With ``SECURITY_PROFILE = "strict"`` what is not given is chosen with care: kept from scripts (`httponly`), not
        sent when other sites make a browser send a request (`samesite` Lax), and over HTTPS only where the request
        came over HTTPS (`secure`). Otherwise it is False, False and None, as with Flask. And caches do not keep the
        response, unless it has a Cache-Control of its own.

        Raises:
            ValueError: one of them has a character that cannot be in a cookie, or contradicts the prefix of `key`.
        """
        context = current.get(None)
        strict = context is not None and is_strict(context.app)
        request = None if context is None else context.request
        if secure is _NOT_GIVEN:
            secure = strict and request is not None and request.is_secure
        if httponly is _NOT_GIVEN:
            httponly = strict
        if samesite is _NOT_GIVEN:
            samesite = "Lax" if strict else None
        super().set_cookie(
            *(key, value, max_age, expires, path, domain, secure, httponly, samesite, partitioned)
        )
        if strict:
            # RFC 9111 §7.3: a cache that keeps the response keeps the cookie, and may give it to somebody else.
            self.headers.setdefault("Cache-Control", "no-store")

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """Octets a cookie may have before a warning (MAX_COOKIE_SIZE)."""
        return cast("int", _config("MAX_COOKIE_SIZE", 4093))
