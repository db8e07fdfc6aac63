"""What a message's content is: a form, JSON, parts, text, or just bytes."""

import codecs
import json
from collections.abc import Callable
from typing import Any, Final

from ...http.json_limits import JSONLimitExceeded, JSONLimits, check_json
from ...http.media_types import parse_options_header
from ...http.multipart import Data, Field, File, MultipartError, MultipartLimits, MultipartReader
from ...http.urls import FieldLimitExceeded, parse_query
from .decoding import CannotDecode, decode_content

SHOWN_BYTES: Final = 64 * 1024
"""How much of a content is decoded, and shown as text."""

SHOWN_FIELD_BYTES: Final = 2048
"""How much of the value of a form's field that came as a part is shown."""

MAX_PAIRS: Final = 1000
JSON_LIMITS: Final = JSONLimits(max_depth=50)
PART_LIMITS: Final = MultipartLimits(parts=MAX_PAIRS)

TEXT_TYPES: Final = frozenset(
    (
        "application/javascript",
        "application/sql",
        "application/toml",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/yaml",
    )
)
BINARY_TYPES: Final = ("audio/", "font/", "image/", "video/")
CHARSETS: Final = frozenset(("utf-8", "ascii", "us-ascii", "iso-8859-1", "windows-1252", "utf-16"))
"""Those that text is decoded from. A decoder chosen by the peer can be one that expands."""

incremental_decoder = codecs.getincrementaldecoder("utf-8")
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))

ContentView = dict[str, Any]


def describe_content(
    content: bytes,
    *,
    content_type: str,
    coding: str,
    size: int,
    place: Callable[[int], int],
) -> ContentView:
    """Describe content for show, whatever it is: this raises nothing.

    Args:
        content: the octets, or the first of them, out of their chunks.
        content_type: the value of Content-Type, or empty.
        coding: the value of Content-Encoding, or empty.
        size: how many octets it has altogether.
        place: gives the offset in the message for an offset in the content.

    Returns:
        The member ``content`` of a message in the inspector's JSON (docs/reference/wire.md).
    """
    media_type, parameters = parse_options_header(content_type)
    media_type = media_type.strip().lower()
    view: ContentView = {
        "type": media_type,
        "size": size,
        "kind": "none",
        "form": [],
        "json": None,
        "parts": [],
        "text": "",
        "coding": "",
        "decoded": True,
        "text_cut": False,
    }
    if not content:
        return view
    view["coding"] = coding
    try:
        decoded, _whole = decode_content(content, coding)
    except CannotDecode:
        view["kind"], view["decoded"] = "binary", False
        return view
    if media_type == "multipart/form-data":
        view["kind"] = "multipart"
        in_place = None if coding else place
        view["parts"] = _parts(decoded, parameters.get("boundary", ""), in_place)
    text = _text(decoded, media_type, parameters.get("charset", ""))
    if text is None:
        view["kind"] = view["kind"] if view["kind"] != "none" else "binary"
        return view
    view["text"] = text
    view["text_cut"] = len(decoded) > SHOWN_BYTES
    if view["kind"] == "none":
        view["kind"] = "text"
        if media_type == "application/x-www-form-urlencoded":
            view["kind"] = "form"
            view["form"] = pairs(readable(decoded))
        elif media_type == "application/json" or media_type.endswith("+json"):
            view["kind"] = "json"
            view["json"] = _json(decoded)
    return view


def pairs(text: str) -> list[list[str]]:
    """Return the names and values of a query or form, as many as are shown."""
    try:
        found = parse_query(text, MAX_PAIRS)
    except FieldLimitExceeded:
        found = parse_query("&".join(text.split("&", MAX_PAIRS)[:MAX_PAIRS]), MAX_PAIRS)
    return [[name, value] for name, value in found]


def readable(octets: bytes) -> str:
    """Return octets as text: UTF-8 where they are that, else ISO-8859-1, which all octets are."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _text(content: bytes, media_type: str, charset: str) -> str | None:
    """Return the beginning of content as text, or None where it is none."""
    shown = content[:SHOWN_BYTES]
    if media_type.startswith(BINARY_TYPES) and media_type != "image/svg+xml":
        return None
    is_text = (
        media_type.startswith("text/")
        or media_type in TEXT_TYPES
        or media_type.endswith(("json", "+xml"))
    )
    if not is_text:
        # Of a kind that says nothing: it is text if it reads as text. A character may be cut at the end.
        if shown.translate(None, _CONTROLS) != shown:
            return None
        try:
            incremental_decoder().decode(shown)
        except UnicodeDecodeError:
            return None
    charset = charset.lower()
    return shown.decode(charset if charset in CHARSETS else "utf-8", "replace")


def _json(content: bytes) -> Any:
    """Return the value of JSON text, or None where it cannot be read, for example because it is cut."""
    try:
        check_json(content, JSON_LIMITS)
        # No browser reads NaN, so such a constant is shown as its name.
        return json.loads(content, parse_constant=str)
    except (JSONLimitExceeded, ValueError, RecursionError):
        return None


def _parts(
    content: bytes, boundary: str, place: Callable[[int], int] | None
) -> list[dict[str, Any]]:
    """Return the parts of multipart/form-data, as many as are whole enough to be named."""
    found: list[dict[str, Any]] = []
    sizes: list[int] = []
    starts: list[int] = []
    try:
        reader = MultipartReader(boundary.encode("latin-1", "replace"), PART_LIMITS)
        reader.receive(content)
        while (event := reader.next_event()) is not None:
            if isinstance(event, (Field, File)):
                found.append(
                    {
                        "name": event.name,
                        "filename": event.filename if isinstance(event, File) else None,
                        "type": event.headers.get("Content-Type", ""),
                        "text": "",
                    }
                )
                # The line end of the empty line is still buffered.
                starts.append(len(content) - reader.buffered + 2)
                sizes.append(0)
            elif isinstance(event, Data):
                sizes[-1] += len(event.data)
    except MultipartError:
        pass
    for part, start, size in zip(found, starts, sizes, strict=True):
        part["size"] = size
        part["start"] = None if place is None else place(start)
        part["end"] = (
            None if place is None else place(start + size - 1) + 1 if size else place(start)
        )
        if part["filename"] is None:
            part["text"] = readable(content[start : start + min(size, SHOWN_FIELD_BYTES)])
    return found
