"""Status codes: their reason phrases, and what each says of content (RFC 9110 §15)."""

from ..protocol.http1.reasons import REASONS as REASONS

HTTP_STATUS_CODES = REASONS
"""Werkzeug's name for `REASONS`."""

_WITHOUT_CONTENT = frozenset({204, 205, 304})


def forbids_content(status: int) -> bool:
    """Whether an answer of this status never has content (RFC 9110 §6.4.1, §15.3.6)."""
    return 100 <= status < 200 or status in _WITHOUT_CONTENT


def reason_phrase(status: int) -> str:
    """Return the registered reason phrase, empty for an unregistered code: recipients go by its first digit."""
    return REASONS.get(status, "")
