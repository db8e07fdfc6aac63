"""Answers of the inspector: what is on all of them, and what is on one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from ...http.response import Response
from ..explaining.document import VERSION
from ..files import File
from .access import JSON_TYPE

STATIC: Final = Path(__file__).parents[1] / "static"

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": JSON_TYPE,
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

EVENTS_TYPE: Final = "text/event-stream"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""What a page of ours may load: what it brings with it."""

FIELDS: Final = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("X-Robots-Tag", "noindex"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""On every answer, whatever it is."""

Content = bytes | str | AsyncIterator[bytes] | AsyncIterator[str] | None


class Refused(Exception):
    """A request of the inspector's that is answered with an error.

    Args:
        status: the status code.
        text: a sentence.
        fields: more fields.
    """

    def __init__(self, status: int, text: str, *fields: tuple[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.fields = fields


def respond(
    status: int, content: Content, content_type: str | None, *fields: tuple[str, str]
) -> Response:
    """Return an answer with the fields that all have."""
    lines = [*FIELDS, *fields]
    if content_type is not None:
        lines.append(("Content-Type", content_type))
    response = Response(content, status, headers=lines)
    response.coding_chosen = True
    return response


def respond_json(status: int, value: dict[str, Any], *fields: tuple[str, str]) -> Response:
    """Return an answer in JSON, which says its version."""
    said = {"version": VERSION, **value}
    try:
        text = json.dumps(said, separators=(",", ":"), allow_nan=False, default=str)
    except ValueError:  # what a program calls NaN no browser can read
        said = json.loads(json.dumps(said, default=str), parse_constant=str)
        text = json.dumps(said, separators=(",", ":"))
    return respond(status, text + "\n", JSON_TYPE, *fields)


def respond_static(name: str) -> Response:
    """Return a file of the page's.

    Raises:
        Refused: there is no such file.
    """
    kind = TYPES.get(Path(name).suffix)
    path = STATIC / name
    # A name has no slash (`pages`), so it cannot lead out of the folder.
    if kind is None or path.parent != STATIC or not path.is_file():
        raise Refused(404, f"There is no file {name[:100]!r}.")
    return respond(200, path.read_bytes(), kind)


def respond_file(file: File) -> Response:
    """Return something to be copied or kept."""
    fields = [("Content-Disposition", f'attachment; filename="{file.name}"')] if file.name else []
    return respond(200, file.content, file.type, *fields)


def redirect(status: int, location: str, *fields: tuple[str, str]) -> Response:
    """Return an answer that leads elsewhere."""
    return respond(status, None, None, ("Location", location), *fields)
