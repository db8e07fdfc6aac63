"""Sessions: what an app remembers of one client (https://flask.palletsprojects.com/api/#sessions).

The stock session is a signed cookie, in Flask's own format: either reads what the other wrote. It is opened when a
program first looks at it, so that a request which does not use it costs nothing. Two things need it earlier: the
cookie of a permanent session is sent anew with each response (SESSION_REFRESH_EACH_REQUEST), for which a glance at the
cookie suffices; and a session interface of a program's own is opened and saved with each request, as Flask says.
"""

import hashlib
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from traceback import clear_frames
from typing import Any, NamedTuple, NoReturn, Self, cast

from itsdangerous import BadData, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode

from ..http.mappings import CallbackDict
from .current import current
from .json_tag import TaggedJSONSerializer
from .security import is_strict

on_interface_changed: list[Callable[[], None]] = []
"""Called when an attribute of a stock interface is set: an app decides by them when to open its sessions."""


class SessionMixin(MutableMapping[str, Any]):
    """What a session is besides a dict."""

    new = False
    """Whether it was begun with this request. Not every kind of session knows."""

    modified = True
    """Whether it was changed. A kind of session that cannot tell is always saved."""

    accessed = False
    """Whether it was looked at in this request, so that the response depends on the cookie."""

    @property
    def permanent(self) -> bool:
        """Whether it outlives the browser (PERMANENT_SESSION_LIFETIME); kept in the session, as ``_permanent``."""
        permanent: bool = self.get("_permanent", False)
        return permanent

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


def note_change(session: "SecureCookieSession") -> None:
    """Remember that a session was changed."""
    session.modified = True


class SecureCookieSession(CallbackDict[str, Any], SessionMixin):
    """A session whose whole content is in a signed cookie.

    It notices what is done to it, not what is done to a list or dict within: set `modified` then.

    Args:
        initial: what it holds at first.
    """

    modified = False

    def __init__(self, initial: Any = None) -> None:
        super().__init__(initial, note_change)


class NullSession(SecureCookieSession):
    """Stands for the session where there can be none: it is empty, and says why when it is written to."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            "The session is unavailable because no secret key was set. Set the secret_key on the application to"
            " something unique and secret: app.secret_key = secrets.token_hex(), made once and kept."
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = update = setdefault = _refuse
    del _refuse


class SessionInterface:
    """How sessions are opened and saved. A subclass defines `open_session` and `save_session`.

    What `open_session` returns is a dict with `SessionMixin` beside it. Set an instance as `app.session_interface`.
    """

    null_session_class: type[Any] = NullSession
    """What `make_null_session` makes."""

    pickle_based = False
    """Whether sessions are pickled, so that they may hold anything."""

    def make_null_session(self, app: Any) -> Any:
        """Return what stands for the session when `open_session` returned None."""
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Tell whether `obj` is such a stand-in, which is not saved."""
        return isinstance(obj, self.null_session_class)

    # The cookie

    def get_cookie_name(self, app: Any) -> str:
        """Return the cookie's name (SESSION_COOKIE_NAME)."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: Any) -> str | None:
        """Return the domain whose hosts get the cookie; None: the very host that set it (SESSION_COOKIE_DOMAIN)."""
        domain: str | None = app.config["SESSION_COOKIE_DOMAIN"]
        return domain

    def get_cookie_path(self, app: Any) -> str:
        """Return the path below which the cookie is sent (SESSION_COOKIE_PATH, otherwise APPLICATION_ROOT)."""
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: Any) -> bool:
        """Tell whether the cookie is hidden from scripts (SESSION_COOKIE_HTTPONLY)."""
        httponly: bool = app.config["SESSION_COOKIE_HTTPONLY"]
        return httponly

    def get_cookie_secure(self, app: Any) -> bool:
        """Tell whether the cookie is sent over HTTPS only (SESSION_COOKIE_SECURE).

        With ``SECURITY_PROFILE = "strict"`` also when the current request came that way.
        """
        secure: bool = app.config["SESSION_COOKIE_SECURE"]
        if not secure and is_strict(app):
            context = current.get(None)
            request = None if context is None else context.request
            return request is not None and bool(request.is_secure)
        return secure

    def get_cookie_samesite(self, app: Any) -> str | None:
        """Return which requests that other sites cause have the cookie: Strict, Lax or None (SESSION_COOKIE_SAMESITE).

        With ``SECURITY_PROFILE = "strict"`` it is Lax where that key is not set.
        """
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return "Lax" if samesite is None and is_strict(app) else samesite

    def get_cookie_partitioned(self, app: Any) -> bool:
        """Tell whether the cookie is kept apart for each top-level site (SESSION_COOKIE_PARTITIONED)."""
        partitioned: bool = app.config["SESSION_COOKIE_PARTITIONED"]
        return partitioned

    def get_expiration_time(self, app: Any, session: Any) -> datetime | None:
        """Return when a permanent session ends; None: when the browser is closed."""
        if not session.permanent:
            return None
        ending: datetime = datetime.now(UTC) + app.permanent_session_lifetime
        return ending

    def should_set_cookie(self, app: Any, session: Any) -> bool:
        """Tell whether the response sets the cookie: the session was changed, or is permanent and kept fresh."""
        return bool(
            session.modified or (session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"])
        )

    # The session

    def open_session(self, app: Any, request: Any) -> Any:
        """Return the session of `request`; None: there can be none, and `make_null_session` is asked.

        Called in the request's context, before the request's rule is looked for.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define 'open_session'.")

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        """Keep the session, and tell the client by `response`. Called after the `after_request` functions."""
        raise NotImplementedError(f"{type(self).__name__} has to define 'save_session'.")


session_json_serializer = TaggedJSONSerializer()
"""What the stock cookie is written with."""


def _sha1(string: bytes = b"") -> Any:
    # Looked up when it is called: a Python built for FIPS may lack it, and a program may choose another before that.
    # What is known of collisions of SHA-1 does not help against HMAC (RFC 6194 §3.3).
    return hashlib.sha1(string)


@lru_cache(32)
def signing_serializer(
    keys: tuple[str | bytes, ...],
    salt: str,
    serializer: Any,
    key_derivation: str,
    digest_method: Callable[..., Any],
) -> URLSafeTimedSerializer:
    """Return what signs with the last of `keys`, and checks signatures made with any.

    PERF: making one takes 6 µs, since it tries the serializer; checking a signature 10.
    """
    return URLSafeTimedSerializer(
        cast("Any", keys),
        salt=salt,
        serializer=serializer,
        signer_kwargs={"key_derivation": key_derivation, "digest_method": digest_method},
    )


def vary_by_cookie(response: Any) -> None:
    """Say in a response that it depends on the request's cookies (RFC 9110 §12.5.5)."""
    headers = response.headers
    if "Vary" in headers:
        response.vary.add("Cookie")
    else:
        headers["Vary"] = "Cookie"


class SecureCookieSessionInterface(SessionInterface):
    """Keeps sessions in cookies that are signed with SECRET_KEY: anybody can read them, nobody can change them."""

    salt = "cookie-session"
    """Goes into the key, so that nothing else that is signed with SECRET_KEY can pass for a session."""

    digest_method: Callable[..., Any] = staticmethod(_sha1)
    """The hash function of the signature."""

    key_derivation = "hmac"
    """How itsdangerous makes the signing key of SECRET_KEY and the salt."""

    serializer: Any = session_json_serializer
    """What the session is written with."""

    session_class: type[Any] = SecureCookieSession

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        for listener in on_interface_changed:
            listener()

    def get_signing_serializer(self, app: Any) -> URLSafeTimedSerializer | None:
        """Return what signs, and checks signatures; None without a SECRET_KEY.

        It signs with that, and accepts what was signed with one of SECRET_KEY_FALLBACKS.
        """
        key: str | bytes | None = app.secret_key
        if not key:
            return None
        keys: Any = (*(app.config["SECRET_KEY_FALLBACKS"] or ()), key)  # the newest last
        made_of = (keys, self.salt, self.serializer, self.key_derivation, self.digest_method)
        try:
            return signing_serializer(*made_of)
        except TypeError:  # a serializer that cannot be hashed
            return signing_serializer.__wrapped__(*made_of)

    def open_session(self, app: Any, request: Any) -> Any:
        """Return the session of the request's cookie; an empty one if that is missing, too old or not signed by us."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie:
            return self.session_class()
        max_age = int(app.permanent_session_lifetime.total_seconds())
        try:
            return self.session_class(serializer.loads(cookie, max_age=max_age))
        except BadData as error:  # also what is signed but not to be read: by another serializer
            # What itsdangerous raises holds itself, by the frames of those who keep it in a variable.
            clear_frames(error.__traceback__)
            return self.session_class()

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        """Set the cookie if the session was changed or is kept fresh; delete it if the session was emptied."""
        sets_cookie = self.should_set_cookie(app, session) if session else session.modified
        if session.accessed or sets_cookie:
            vary_by_cookie(response)
        if not sets_cookie:
            return
        name = self.get_cookie_name(app)
        attributes = {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "partitioned": self.get_cookie_partitioned(app),
            "samesite": self.get_cookie_samesite(app),
            "httponly": self.get_cookie_httponly(app),
        }
        if session:
            serializer = self.get_signing_serializer(app)
            assert serializer is not None, "a NullSession is not saved"
            value = serializer.dumps(dict(session))
            expires = self.get_expiration_time(app, session)
            response.set_cookie(name, value, expires=expires, **attributes)
        else:
            response.delete_cookie(name, **attributes)


# When a session is opened

_STOCK = {
    name: getattr(SecureCookieSessionInterface, name)
    for name in (
        *("open_session", "save_session", "should_set_cookie"),
        *("make_null_session", "is_null_session", "null_session_class", "session_class"),
    )
}
_STOCK_NAME = {"get_cookie_name": SecureCookieSessionInterface.get_cookie_name}
_STOCK_CODING = {
    name: getattr(SecureCookieSessionInterface, name)
    for name in ("get_signing_serializer", "serializer")
}


def opens_lazily(interface: Any) -> bool:
    """Tell whether nobody can notice that a session is opened at its first use: where the stock methods do it."""
    return _has(interface, _STOCK)


def _has(interface: Any, stock: dict[str, Any]) -> bool:
    own = getattr(interface, "__dict__", {})
    kind = cast("Any", type(interface))
    return not (own.keys() & stock.keys()) and all(
        getattr(kind, name, None) is value for name, value in stock.items()
    )


class Refreshing(NamedTuple):
    """The requests whose session is opened although nobody looks at it: its cookie is sent anew, being permanent."""

    cookie_name: str | None
    """None: the interface is asked for each request's."""

    ask_cookie_name: Callable[[], str]
    readable: bool
    """Whether the cookie is in the stock format, so that it can be seen in it."""

    @classmethod
    def of(cls, app: Any) -> Self | None:
        """Return which requests of `app` these are; None: none."""
        interface = app.session_interface
        config = app.config
        if not (config["SESSION_REFRESH_EACH_REQUEST"] and app.secret_key):
            return None
        ask = partial(interface.get_cookie_name, app)
        name = ask() if _has(interface, _STOCK_NAME) else None
        return cls(name, ask, _has(interface, _STOCK_CODING))

    def concerns(self, request: Any) -> bool:
        """Tell whether `request` is one of them.

        True for some that are not: whether the cookie is signed by us, opening the session will tell.
        PERF: 1.3 µs without the cookie. With it, that it is not permanent takes 5 µs; opening the session, 60.
        """
        sent = request.headers.combined("Cookie")
        if sent is None:
            return False
        name = self.cookie_name or self.ask_cookie_name()
        cookie = request.cookies.get(name) if name in sent else None
        if not cookie:
            return False
        if (
            not self.readable or cookie[0] == "."
        ):  # compressed, so it is large and will take its time anyway
            return True
        try:
            return b'"_permanent"' in base64_decode(cookie.partition(".")[0])
        except BadData:
            return False
