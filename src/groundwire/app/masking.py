"""What is hidden before what came with a request is shown to a person: the values of secret names."""

import re
from typing import Final
from urllib.parse import unquote_plus

from ..http.secrets import is_secret, is_secret_field

HIDDEN: Final = "(hidden)"

_PARAMETER: Final = re.compile(r"([?&;]|^)([^=&#;?\s]+)=([^&#;\s]+)")
# Bounded, so that a long text without an "@" costs no more than its length.
_PASSWORD: Final = re.compile(
    r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]{0,200}):[^\s/@]{1,200}@", re.IGNORECASE
)


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
    return HIDDEN if is_secret_field(name) else masked_passwords(masked_query(value))
