"""The difference of two contents: JSON by path, text by lines, anything else by the first octet that differs.

Bounded in time and size: it is made on a server's event loop. What is left out is said.
"""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from ...http.json_limits import JSONLimits, check_json
from ...http.media_types import parse_options_header
from ..explaining.decoding import CannotDecode, decode_content
from ..shapes import is_list, is_object

MAX_PATHS: Final = 100
MAX_LINES: Final = 200
"""Of what is told."""

COMPARED_LINES: Final = 500
"""Lines between the first and the last that differ, which are matched with each other. PERF: where each
second line is another, they take 25 ms."""

SHOWN_CHARS: Final = 1000
HEX_OCTETS: Final = 16

_TEXT_TYPES: Final = re.compile(
    r"text/|application/(?:[\w.+-]*\+)?(?:json|xml|javascript|x-www-form-urlencoded|x-ndjson|problem)|image/svg"
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
_ASTERISKS: Final = re.compile(rb"\*+")

ContentDifference = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """The content of an answer, as far as it is known."""

    octets: bytes
    content_type: str = ""
    coding: str = ""
    """Its content codings, as the field has them."""

    masked: bool = False
    """Whether something in it is."""


def content_difference(before: Content, after: Content) -> ContentDifference | None:
    """Return how two contents differ, as the documentation of the inspector's JSON says; None if they do not."""
    old, new = _plain(before), _plain(after)
    if before.masked or after.masked:
        # What was masked has its length still, which is no difference to speak of.
        old, new = _ASTERISKS.sub(b"***", old), _ASTERISKS.sub(b"***", new)
    if old == new:
        return None
    difference: ContentDifference = {
        "kind": "binary",
        "before_octets": len(before.octets),
        "after_octets": len(after.octets),
        "more": False,
    }
    texts = _text(old, before), _text(new, after)
    if texts[0] is None or texts[1] is None:
        return difference | _octets(old, new)
    if _is_json(before) and _is_json(after):
        try:
            found = _paths(_parsed(texts[0]), _parsed(texts[1]), "$")
            paths = list(islice(found, MAX_PATHS + 1))
        except (ValueError, RecursionError):
            pass
        else:
            # White space and the order of keys are no difference in what is said, but they are one.
            if paths:
                return difference | {
                    "kind": "json",
                    "paths": paths[:MAX_PATHS],
                    "more": len(paths) > MAX_PATHS,
                }
    return difference | _lines(texts[0], texts[1])


def _plain(content: Content) -> bytes:
    """Take codings off, if that can be done with little."""
    try:
        plain, whole = decode_content(content.octets, content.coding)
    except CannotDecode:
        return content.octets
    return plain if whole else content.octets


def _text(octets: bytes, content: Content) -> str | None:
    """Decode what is text; None if it is none."""
    kind, parameters = parse_options_header(content.content_type)
    if kind and not _TEXT_TYPES.match(kind.lower()):
        return None
    if not kind and b"\0" in octets:
        return None
    try:
        return octets.decode(parameters.get("charset", "utf-8"))
    except (LookupError, UnicodeDecodeError, ValueError):
        return None


def _is_json(content: Content) -> bool:
    kind = parse_options_header(content.content_type)[0].lower()
    return kind == "application/json" or kind.endswith("+json")


def _parsed(text: str) -> Any:
    check_json(text, JSONLimits())
    return json.loads(text)


def _paths(before: Any, after: Any, path: str) -> Iterator[dict[str, Any]]:
    """Yield what differs, by its path from the root ``$``."""
    if is_object(before) and is_object(after):
        for name in {**before, **after}:
            inner = f"{path}.{name}" if _IDENTIFIER.fullmatch(name) else f"{path}[{_key(name)}]"
            if name not in after:
                yield {"path": inner, "kind": "removed", "before": _shown(before[name])}
            elif name not in before:
                yield {"path": inner, "kind": "added", "after": _shown(after[name])}
            else:
                yield from _paths(before[name], after[name], inner)
    elif is_list(before) and is_list(after):
        shared = min(len(before), len(after))
        for index in range(shared):
            yield from _paths(before[index], after[index], f"{path}[{index}]")
        for index in range(shared, len(before)):
            yield {"path": f"{path}[{index}]", "kind": "removed", "before": _shown(before[index])}
        for index in range(shared, len(after)):
            yield {"path": f"{path}[{index}]", "kind": "added", "after": _shown(after[index])}
    # 1 and true are equal to Python, 1 and 1.0 are too.
    elif before != after or type(before) is not type(after):
        yield {"path": path, "kind": "changed", "before": _shown(before), "after": _shown(after)}


def _key(name: str) -> str:
    return json.dumps(_cut(name, 200), ensure_ascii=False)


def _shown(value: Any) -> Any:
    """Return a value that is not long; in place of one that is, its beginning as text."""
    if isinstance(value, str):
        return _cut(value, SHOWN_CHARS)
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= SHOWN_CHARS else _cut(text, SHOWN_CHARS)


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]}… ({len(text):,} characters)"


def _lines(before: str, after: str) -> dict[str, Any]:
    """Compare texts as `diff -u` does, but for the names of files."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if old == new:
        return {"kind": "text", "lines": []}
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    # Far from what differs there is nothing to be shown.
    skipped = max(0, same - 3)
    old, new = old[skipped:], new[skipped:]
    end = 0
    while end < min(len(old), len(new)) and old[-1 - end] == new[-1 - end]:
        end += 1
    dropped = max(0, end - 3)
    old, new = old[: len(old) - dropped], new[: len(new) - dropped]
    more = max(len(old), len(new)) > COMPARED_LINES
    old, new = old[:COMPARED_LINES], new[:COMPARED_LINES]
    lines: list[str] = []
    # The first two lines are for the names of files.
    for line in islice(difflib.unified_diff(old, new, n=3), 2, None):
        if len(lines) >= MAX_LINES:
            more = True
            break
        lines.append(_moved(line, skipped) if line.startswith("@@") else _shown_line(line))
    return {"kind": "text", "lines": lines, "more": more}


def _moved(heading: str, lines: int) -> str:
    """Add to the line numbers of a heading, such as ``@@ -1,3 +1,4 @@``, those that were not compared."""
    return re.sub(
        r"([-+])(\d+)", lambda match: f"{match[1]}{int(match[2]) + lines}", heading.rstrip()
    )


def _shown_line(line: str) -> str:
    text = line.rstrip("\n")
    if text.endswith("\r"):
        text = f"{text[:-1]}\\r"
    if not line.endswith("\n"):
        text += "  (no line end)"
    return _cut(text, SHOWN_CHARS)


def _octets(before: bytes, after: bytes) -> dict[str, Any]:
    """Find the first octet that differs."""
    low, high = 0, min(len(before), len(after))
    # PERF: comparing halves is done in C; octet by octet 64 KiB take 3 ms.
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return {
        "kind": "binary",
        "offset": low,
        "before_hex": before[low : low + HEX_OCTETS].hex(" "),
        "after_hex": after[low : low + HEX_OCTETS].hex(" "),
    }
