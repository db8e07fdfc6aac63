"""What is noted of an exchange, made so that it can be kept: nothing else alive, nothing without end, no secrets."""

import sys
from collections.abc import Callable
from typing import Any, Final, cast

from ...http.tracing import KnownView

NOTES_MAX: Final = 256
"""Notes of one exchange, and things in one list."""

TEXT_CHARACTERS: Final = 2048
"""Of a log message, and of any text in a note."""

SHORT_CHARACTERS: Final = 200
TOO_MUCH: Final = "(too much to be kept)"

_PLAIN: Final = frozenset((str, int, float, bool, type(None)))

FACTS: Final[dict[str, tuple[str, ...]]] = {
    "called": ("role", "name", "file", "line", "began", "ended", "outcome"),
    "matched": ("endpoint", "rule", "view_args", "at"),
}
"""The facts of the most frequent kinds, in their order. PERF: kept so, notes take a quarter of the memory."""

Note = tuple[Any, ...]
"""The kind and the values of its facts, where `FACTS` names them; otherwise the kind and a dictionary of facts.

Of a view that is known: the kind, the view, and the values of those facts that are not the same each time.
"""


def packed(kind: str, facts: dict[str, Any]) -> Note:
    """Return a note as it is kept."""
    return (kind, *facts.values()) if tuple(facts) == FACTS.get(kind) else (kind, facts)


def unpacked(note: Note) -> dict[str, Any]:
    """Return the facts of a note."""
    view = note[1]
    if isinstance(view, KnownView):
        if note[0] == "matched":
            return {"endpoint": view.endpoint, "rule": view.rule, "view_args": {}, "at": note[2]}
        values = ("view", view.name, view.file, view.line, *note[2:])
        return dict(zip(FACTS["called"], values, strict=True))
    names = FACTS.get(note[0])
    if names is not None and len(note) == len(names) + 1:
        facts = dict(zip(names, note[1:], strict=True))
        if note[0] == "matched" and facts["view_args"] is None:
            facts["view_args"] = {}
        return facts
    return cast("dict[str, Any]", note[1])


def masked_facts(
    facts: dict[str, Any], masked: Callable[[str], str], masked_value: Callable[[str, Any], Any]
) -> dict[str, Any]:
    """Return the facts of a note without secrets: by name where they have one, otherwise as any text."""
    changed: dict[str, Any] = {}
    for name, value in facts.items():
        if name == "view_args" and isinstance(value, dict):
            named = cast("dict[str, Any]", value)
            changed[name] = {key: masked_value(key, one) for key, one in named.items()}
        elif name in ("added", "removed"):
            changed[name] = [_masked_field(field, masked_value) for field in value]
        elif name == "said":
            changed[name] = masked_value(str(facts.get("about", "")), value)
        else:
            changed[name] = with_texts(value, masked)
    return changed


def _masked_field(field: Any, masked_value: Callable[[str, Any], Any]) -> Any:
    if isinstance(field, tuple) and len(field) == 2:  # pyright: ignore[reportUnknownArgumentType]
        name, value = cast("tuple[str, Any]", field)
        return name, masked_value(name, value)
    return cast("Any", field)


def plain(value: Any, depth: int = 4) -> Any:
    """Return a value as what JSON can hold, so that nothing else is kept alive; long texts are cut."""
    kind = again = _kind(value)
    if kind in _PLAIN:
        return value[:TEXT_CHARACTERS] if kind is str else value
    if depth and (kind is list or kind is tuple):
        return again(plain(item, depth - 1) for item in value[:NOTES_MAX])
    if depth and kind is dict:
        items = list(value.items())[:NOTES_MAX]
        return {str(name)[:TEXT_CHARACTERS]: plain(item, depth - 1) for name, item in items}
    return shown(value, str if isinstance(value, str) else repr)


def shown(value: Any, show: Callable[[Any], str]) -> str:
    """Return `show(value)`, cut; what is a program's own may fail at that."""
    try:
        return str(show(value))[:TEXT_CHARACTERS]
    except Exception:  # noqa: BLE001 - of which nothing is known
        return f"<{type(value).__qualname__}>"


def emptied(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts made by `plain` that are too much to be kept, without what is long: of the same kinds."""
    kept: dict[str, Any] = {}
    for name, value in facts.items():
        kind = again = _kind(value)
        if kind in (list, tuple, dict):
            kept[name] = again()
        else:
            kept[name] = TOO_MUCH if kind is str and len(value) > SHORT_CHARACTERS else value
    return kept


def size_of(value: Any) -> int:
    """Return what a value made by `plain` takes in memory, all told."""
    size, kind = sys.getsizeof(value), _kind(value)
    if kind is dict:
        return size + sum(sys.getsizeof(name) + size_of(item) for name, item in value.items())
    if kind in (list, tuple):
        return size + sum(map(size_of, value))
    return size


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value made by `plain` with each text changed."""
    kind = again = _kind(value)
    if kind is str:
        return change(value)
    if kind is dict:
        return {name: with_texts(item, change) for name, item in value.items()}
    if kind is list or kind is tuple:
        return again(with_texts(item, change) for item in value)
    return value


def _kind(value: Any) -> Any:
    return type(value)  # pyright: ignore[reportUnknownVariableType]
