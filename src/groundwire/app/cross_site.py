"""Requests that another site's page has a browser send (cross-site request forgery).

A browser sends this site's cookies along, and whoever looks at the cookies only takes the request for the user's own.
But it also says where the request comes from, in fields that no script can set: Sec-Fetch-Site (W3C Fetch Metadata), or
at least Origin (RFC 6454 §7; sent with every POST since 2020). So no token has to go through every form. A request
with neither comes from a program that is no browser, and to which nobody can lend a user's cookies.
"""

from collections.abc import Iterable
from typing import Any, Final

from ..http.errors import Forbidden
from .route_options import options_of
from .security import is_strict

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""They change nothing (RFC 9110 §9.2.1), so that any page may link to them."""

_OWN: Final = frozenset({"same-origin", "none"})
"""From a page of this very origin, or from the person: typed, or from a bookmark."""


class CrossSite:
    """What is refused of an app's requests.

    Args:
        trusted: origins whose pages may send anything, such as ``https://accounts.example``.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = frozenset(origin.lower().rstrip("/") for origin in trusted)

    @classmethod
    def of(cls, app: Any) -> "CrossSite | None":
        """Return what an app's configuration says; None: it refuses nothing.

        Raises:
            TypeError: CSRF_TRUSTED_ORIGINS is a text; it has to be a list of them.
        """
        wanted = app.config["CSRF_PROTECTION"]
        if not (is_strict(app) if wanted is None else wanted):
            return None
        trusted = app.config["CSRF_TRUSTED_ORIGINS"]
        if isinstance(trusted, str):
            raise TypeError(f"CSRF_TRUSTED_ORIGINS is {trusted!r}; make it a list: [{trusted!r}]")
        return cls(trusted)

    def check(self, request: Any, rule: Any) -> None:
        """Refuse a request that changes something, or opens a WebSocket, and that a page of another site has sent.

        Raises:
            Forbidden: it is one, and the route does not say ``cross_site=True``.
        """
        safe = request.method in SAFE_METHODS and not getattr(rule, "websocket", False)
        if safe or options_of(rule).cross_site:
            return
        fields = request.headers
        origin = fields.get("Origin")
        if origin is not None and origin.lower() in self._trusted:
            return
        site = fields.get("Sec-Fetch-Site")
        if site is not None:
            own = site in _OWN
        else:
            # The host only: behind a proxy that ends TLS the scheme may be another here.
            own = origin is None or origin.lower().partition("://")[2] == request.host.lower()
        if not own:
            raise Forbidden(
                "This request comes from a page of another site, which may not change anything here."
            )
