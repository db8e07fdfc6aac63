"""What a route may say beyond Flask, kept beside the rules so that those stay what extensions know."""

from typing import Any, NamedTuple


class RouteOptions(NamedTuple):
    """What `add_url_rule` takes beyond Flask's arguments."""

    run: str | None = None
    """``inline`` or ``thread``; None: found out by watching (see `groundwire.app.execution`)."""

    stream: bool = False
    """Whether the view reads the content as it comes."""

    max_content_length: int | None = None
    """In place of MAX_CONTENT_LENGTH."""

    timeout: float | None = None
    """Seconds in which an answer has to begin, in place of the server's `request_timeout_seconds`; 0: no limit."""

    cross_site: bool = False
    """Whether pages of other sites may have browsers send it what changes something (CSRF_PROTECTION)."""

    place: str = ""
    """Where the rule was added, as ``file:line``."""


NO_OPTIONS = RouteOptions()


def options_of(rule: Any) -> RouteOptions:
    """Return what the route of `rule` said."""
    options: RouteOptions = getattr(rule, "route_options", NO_OPTIONS)
    return options


def is_automatic(request: Any) -> bool:
    """Tell whether the request is an OPTIONS that is answered without calling the view."""
    return request.method == "OPTIONS" and bool(
        getattr(request.url_rule, "provide_automatic_options", False)
    )
