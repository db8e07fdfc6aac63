"""What is hidden before something that came with a request is shown to a person: values that are secret by their name.

A name says it, not a value: whoever calls a field ``X-Session-Token`` has said enough.
"""

import re
from typing import Final
from urllib.parse import unquote_plus

HIDDEN: Final = "(hidden)"

_SECRET_NAME: Final = re.compile(
    r"pass|pwd|token|secret|key(?!word)|auth(?!or(?!i))|session|csrf|xsrf|card|cookie|credential|signature|otp",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(r"([?&;]|^)([^=&#;?\s]+)=([^&#;\s]+)")
# Bounded, so that a long text without an "@" costs no more than its length.
_PASSWORD: Final = re.compile(
    r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]{0,200}):[^\s/@]{1,200}@", re.IGNORECASE
)


def is_secret(name: str) -> bool:
    """Tell whether what goes by this name is not to be shown: ``Authorization``, ``csrf_token``, ``X-Api-Key``."""
    return _SECRET_NAME.search(name) is not None


def masked_query(text: str) -> str:
    """Return a query, or a URL with one, with ``(hidden)`` in place of the values of secret names."""
    return _PARAMETER.sub(_masked_parameter, text)


def _masked_parameter(match: re.Match[str]) -> str:
    mark, name, _ = match.groups()
    return f"{mark}{name}={HIDDEN}" if is_secret(unquote_plus(name)) else match.group()


def masked_passwords(text: str) -> str:
    """Return a text with the passwords of URLs in it hidden: ``postgresql://user:(hidden)@host/name``."""
    return _PASSWORD.sub(rf"\1:{HIDDEN}@", text)


def masked_field(name: str, value: str) -> str:
    """Return the value of a header field as it may be shown."""
    return HIDDEN if is_secret(name) else masked_passwords(masked_query(value))
