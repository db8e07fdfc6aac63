"""The form in which an error without a handler of the application's own is answered.

A browser gets the page (`HTTPException.get_body`), an API client problem details (RFC 9457), a terminal plain text.
"""

import json
from typing import Final, Literal

from .errors import NO_SNIFFING, HTTPException

ErrorFormat = Literal["html", "problem", "plain"]

CONTENT_TYPES: Final[dict[ErrorFormat, str]] = {
    "html": "text/html; charset=utf-8",
    "problem": "application/problem+json",
    "plain": "text/plain; charset=utf-8",
}

_RANKED: Final[dict[ErrorFormat, tuple[str, ...]]] = {
    "html": ("text/html", "application/xhtml+xml"),
    "problem": ("application/problem+json", "application/json"),
    "plain": ("text/plain",),
}

# Command-line clients send ``*/*`` or nothing; a browser always names text/html.
MAX_RANGES: Final = 64
"""Media ranges of one Accept field that are looked at; browsers send 8."""


def _weight(parameters: str) -> float:
    """Return the q-value among `parameters`, 1 without one, 0 when it is no number (RFC 9110 §12.4.2)."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value.strip())
            except ValueError:
                return 0.0
            return weight if 0.0 <= weight <= 1.0 else 0.0
    return 1.0


def _named_weight(accept: str, media_types: tuple[str, ...]) -> float | None:
    """Return the greatest weight that `accept` gives to one of `media_types` by name; None: it names none."""
    found: float | None = None
    for media_range in accept.split(",", MAX_RANGES)[:MAX_RANGES]:
        name, _, parameters = media_range.partition(";")
        if name.strip().lower() in media_types:
            weight = _weight(parameters)
            found = weight if found is None else max(found, weight)
    return found


def _wildcard_weight(accept: str, media_types: tuple[str, ...]) -> float:
    """Return the weight that the wildcards of `accept` leave to the first of `media_types` (RFC 9110 §12.5.1)."""
    group = media_types[0].partition("/")[0] + "/*"
    weight = _named_weight(accept, (group,))
    if weight is None:
        weight = _named_weight(accept, ("*/*",))
    return weight or 0.0


def negotiate_error_format(
    accept: str | None, mode: Literal["html", "negotiate"] = "html"
) -> ErrorFormat:
    """Choose the form of an error's content from the request's Accept field.

    Problem details only where `accept` names ``application/json`` or ``application/problem+json`` and ranks it above
    ``text/html``. No Accept, or ``*/*`` alone, gets the page, as with Flask; in mode ``negotiate`` it gets plain
    text, and so does a client that ranks ``text/plain`` above ``text/html``.
    """
    if not accept or not accept.strip():
        return "plain" if mode == "negotiate" else "html"
    html = _named_weight(accept, _RANKED["html"])
    problem = _named_weight(accept, _RANKED["problem"])
    html_weight = _wildcard_weight(accept, _RANKED["html"]) if html is None else html
    # At equal weight a name counts for more than a wildcard: ``application/json, */*`` wants JSON.
    if problem and (problem > html_weight or (html is None and problem >= html_weight)):
        return "problem"
    if mode == "negotiate" and html is None:
        return "plain"
    if mode == "negotiate" and (_named_weight(accept, _RANKED["plain"]) or 0.0) > html_weight:
        return "plain"
    return "html"


def problem_body(error: HTTPException) -> bytes:
    """Return `error` as problem details (RFC 9457 §3): its status, name and description.

    ``type`` is ``about:blank``: the status says all there is to say of the kind of problem (RFC 9457 §4.2.1).
    """
    details: dict[str, object] = {"type": "about:blank", "title": error.name}
    if error.code is not None:
        details["status"] = error.code
    if error.description:
        details["detail"] = str(error.description)
    return json.dumps(details).encode()


def plain_body(error: HTTPException) -> bytes:
    """Return `error` as a line for its status and one for its description."""
    code = "" if error.code is None else f"{error.code} "
    description = f"{error.description}\n" if error.description else ""
    return f"{code}{error.name}\n{description}".encode()


def error_content(error: HTTPException, form: ErrorFormat) -> bytes:
    """Return the content of `error` in the form that `negotiate_error_format` chose."""
    if form == "problem":
        return problem_body(error)
    if form == "plain":
        return plain_body(error)
    return error.get_body().encode()


def error_fields(error: HTTPException, form: ErrorFormat) -> list[tuple[str, str]]:
    """Return the field lines that go with `error_content`: those of the error, with the form's content type.

    And Vary, or a cache would give the form that one client prefers to all others (RFC 9110 §12.5.5).
    """
    fields = [
        ("Content-Type", CONTENT_TYPES[form]) if name.lower() == "content-type" else (name, value)
        for name, value in error.get_headers()
        if name.lower() != "vary"
    ]
    own = [value for name, value in error.get_headers() if name.lower() == "vary"]
    return [*fields, NO_SNIFFING, ("Vary", ", ".join([*own, "Accept"]))]
