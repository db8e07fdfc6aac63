"""What ``SECURITY_PROFILE = "strict"`` asks for where Flask's documented behaviour is to let it pass.

The profile ``flask`` is the default, because programs written for Flask must run as they are. ``strict`` is for new
ones: cookies are kept from scripts and other sites, JSON is RFC 8259's, a redirect stays on the site, and a server
does not start with a key that anybody can guess.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

PROFILES: Final = ("flask", "strict")

MIN_KEY_BYTES: Final = 16
"""128 bits, if they are random; what Flask's documentation has `secrets.token_hex` make is twice as long."""

KNOWN_KEYS: Final = frozenset(
    (
        *(
            "changeme",
            "default",
            "dev",
            "development",
            "insecure",
            "key",
            "password",
            "secret",
            "secretkey",
            "test",
        ),
        *(
            "mysecret",
            "mysecretkey",
            "supersecret",
            "supersecretkey",
            "thisisasecret",
            "yoursecretkey",
        ),
        # Of Flask's documentation.
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
        "5y2lf4q8zxec",
    )
)
"""Keys of examples, without what is neither letter nor digit, in lower case."""

_NO_LETTER_OR_DIGIT: Final = re.compile(r"[\W_]+")
_IGNORED: Final = str.maketrans("\\", "/", "\t\r\n")
_ABSOLUTE: Final = re.compile(r"([a-z][a-z0-9+.-]*:)?(/*)([^/?#]*)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def is_strict(app: Any) -> bool:
    """Tell whether the app's SECURITY_PROFILE is ``strict``."""
    return bool(app.config["SECURITY_PROFILE"] == "strict")


def weakness_of_keys(keys: Iterable[str | bytes | None]) -> str | None:
    """Return what is wrong with one of the keys, so that it protects nothing; None: each may do. It is not told."""
    for key in keys:
        if not key:
            continue
        octets = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else bytes(key)
        text = octets.decode("latin-1").lower()
        if _NO_LETTER_OR_DIGIT.sub("", text) in KNOWN_KEYS:
            return "stands in documentation and examples"
        if len(octets) < MIN_KEY_BYTES:
            return f"has only {len(octets)} bytes; it needs {MIN_KEY_BYTES}"
        if len(set(octets)) == 1:
            return "is one character repeated"
    return None


def leads_away(location: str, scheme: str, host: str) -> bool:
    """Tell whether a browser that shows a page of `scheme` and `host` leaves that site for `location`.

    Read as browsers read it, not as RFC 3986 does: blanks and control characters around it are cut off, tabs and line
    ends vanish, a backslash is a slash, and ``https:host`` needs none (https://url.spec.whatwg.org/#url-parsing).
    From ``http`` to ``https`` of the same host is no other site, the way back is.
    """
    text = location.strip("".join(map(chr, range(33)))).translate(_IGNORED)
    match = _ABSOLUTE.match(text)
    assert match is not None  # every part of it may be empty
    stated, slashes, authority = match.groups()
    if stated is None:
        if len(slashes) < 2:
            return False
        target = scheme
    else:
        target = stated[:-1].lower()
        if target not in _DEFAULT_PORTS or (scheme == "https") > (target == "https"):
            return True
    port = _DEFAULT_PORTS.get(target, "")
    own = host.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))
    return not own or authority.lower().removesuffix(port) != own


def check_redirect(location: str, request: Any) -> None:
    """Refuse a redirect to another site than that of `request`; None: to any.

    Raises:
        ValueError: it leads away.
    """
    scheme, host = ("http", "") if request is None else (request.scheme, request.host)
    if leads_away(location, scheme, host):
        raise ValueError(
            f"redirect() would lead to another site: {location[:200]!r}. If that is meant, say"
            " redirect(..., allow_external=True); if it came with the request, check it first."
        )
