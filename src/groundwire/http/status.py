"""Status codes: their reason phrases, and what each says of content (RFC 9110 §15)."""

from http import HTTPStatus

from ..protocol.http1.reasons import REASONS as REASONS
from .field_values import OWS
from .headers import field_value

Status = int | str | HTTPStatus
"""A status code, or a code with a reason phrase."""

HTTP_STATUS_CODES: dict[int, str] = REASONS | {
    203: "Non Authoritative Information",
    207: "Multi Status",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
    449: "Retry With",
    511: "Network Authentication Failed",
}
"""What programs and error pages call each status. Where RFC 9110 writes another name, programs for Flask compare with
this one; what goes over the wire is RFC 9110's."""

_WITHOUT_CONTENT = frozenset({204, 205, 304})


def forbids_content(status: int) -> bool:
    """Whether an answer of this status never has content (RFC 9110 §6.4.1, §15.3.6)."""
    return 100 <= status < 200 or status in _WITHOUT_CONTENT


def reason_phrase(status: int) -> str:
    """Return the registered reason phrase, empty for an unregistered code: recipients go by its first digit."""
    return REASONS.get(status, "")


def parse_status(status: Status) -> tuple[int, str | None]:
    """Return the status code, and the reason phrase where it is another than the usual one.

    Raises:
        TypeError: it is neither a code nor text.
        ValueError: the status is empty, or its reason phrase cannot be sent (RFC 9112 §4).
    """
    if isinstance(status, int):
        return int(status), None
    if not isinstance(status, str):
        raise TypeError(f"a status is a code or text, not {type(status).__name__}: {status!r:.100}")
    # Only blanks are white space here: a line break within a status is no mistake to be mended (RFC 9112 §4).
    text = status.strip(OWS)
    if not text:
        raise ValueError("Empty status argument: give a code, or a code and a reason phrase")
    code_text, _, reason = text.partition(" ")
    if not (code_text.isascii() and code_text.isdigit()):
        # Not to be sent; Werkzeug too takes it, as code 0.
        return 0, field_value("status", text)
    code = int(code_text)
    reason = reason.strip(OWS)
    if not reason or reason == usual_reason(code):
        return code, None
    return code, field_value("status", reason)


def usual_reason(code: int) -> str:
    """Return the reason phrase of a status code, in capitals as Flask writes it."""
    return HTTP_STATUS_CODES.get(code, "unknown").upper()
