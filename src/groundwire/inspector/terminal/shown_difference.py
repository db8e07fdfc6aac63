"""The difference of two answers as text, for a terminal."""

import json
from collections.abc import Iterator
from typing import Any, Final

from ..sending.difference import Difference
from .terminal import GREEN, RED, Paint, printable

SHOWN_CHARS: Final = 200


def difference_lines(difference: Difference, paint: Paint) -> Iterator[str]:
    """Yield the lines that tell of a difference; what is expected to differ is told of in a word.

    Args:
        difference: as `difference.difference` makes it.
        paint: what colours.
    """
    status = difference["status"]
    if status is not None:
        yield "status"
        yield from _change(paint, _status(status["before"]), _status(status["after"]))
    expected: list[str] = []
    for each in difference["fields"]:
        if each["expected"]:
            expected.append(printable(each["name"]))
            continue
        what = "trailer" if each.get("trailer") else "field"
        yield f"{what} {printable(each['name'])}"
        for value in each["before"]:
            yield paint(f"  - {_short(value)}", RED)
        for value in each["after"]:
            yield paint(f"  + {_short(value)}", GREEN)
    content = difference["content"]
    if content is not None:
        yield from _content(content, paint)
    for note in difference["notes"]:
        yield paint.faint(printable(note))
    if expected:
        yield paint.faint(f"as expected, there is a difference in {', '.join(expected)}")
    if difference["same"]:
        yield paint("no difference", GREEN)


def _content(content: dict[str, Any], paint: Paint) -> Iterator[str]:
    yield f"content ({content['before_octets']:,} octets, then {content['after_octets']:,})"
    if content["kind"] == "json":
        for each in content["paths"]:
            yield f"  {printable(each['path'])}"
            if "before" in each:
                yield paint(f"  - {_value(each['before'])}", RED)
            if "after" in each:
                yield paint(f"  + {_value(each['after'])}", GREEN)
    elif content["kind"] == "text":
        for line in content["lines"]:
            shown = f"  {printable(line)}"
            colour = {"-": RED, "+": GREEN}.get(line[:1])
            yield paint(shown, colour) if colour else shown
        if not content["lines"]:
            yield "  only line ends differ"
    else:
        yield f"  from octet {content['offset']:,} on (the first is 0)"
        yield from _change(paint, content["before_hex"] or "(end)", content["after_hex"] or "(end)")
    if content["more"]:
        yield paint.faint("  … and more")


def _change(paint: Paint, before: str, after: str) -> Iterator[str]:
    yield paint(f"  - {before}", RED)
    yield paint(f"  + {after}", GREEN)


def _status(status: int | None) -> str:
    return "(no answer)" if status is None else str(status)


def _value(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= SHOWN_CHARS else f"{shown[: SHOWN_CHARS - 1]}…"
