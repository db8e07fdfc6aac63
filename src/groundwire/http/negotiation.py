"""Proactive content negotiation: what a client accepts, and how much it would like it (RFC 9110 §12)."""

import re
from collections.abc import Iterable, Iterator
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Any, SupportsIndex, TypeAlias, TypeVar, overload

from .field_values import OWS, TOKEN_CHARACTERS, fold_case, split_list
from .mappings import ImmutableList
from .media_types import dump_options_header, parse_options_header

_weight = re.compile(r"0(?:\.[0-9]*)?|1(?:\.0*)?", re.ASCII).fullmatch
"""Matches a weight (RFC 9110 §12.4.2), with more decimals than the three a sender may write."""
_names_weight = re.compile(r";[ \t]*[qQ][ \t]*=").search
_quoted = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)

_plain_item = re.compile(
    rf"([{TOKEN_CHARACTERS}/]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{{0,15}})?|1(?:\.0{{0,15}})?))?",
    re.ASCII,
).fullmatch
"""Matches an item without parameters but its weight."""


def _write_weight(quality: float) -> str:
    return f"{quality:.3f}".rstrip("0").rstrip(".")


class Accept(ImmutableList[tuple[str, float]]):
    """(value, quality) of each item of an Accept field, the most specific and then the best first.

    ``accept[value]`` and `quality` give how much a value is liked, from 0 to 1; ``value in accept`` whether anything is
    said of it; `best_match` chooses. (Werkzeug: ``Accept``.)

    Attributes:
        provided: whether the field was there at all.
    """

    def __init__(self, values: "Accept | Iterable[tuple[str, float]] | None" = ()) -> None:
        self.provided = values is not None
        self._comparable: list[Any] | None = None
        if isinstance(values, Accept):
            self.provided = values.provided
            super().__init__(values)
        else:
            ordered = sorted(
                values or (), key=lambda item: (self._specificity(item[0]), item[1]), reverse=True
            )
            super().__init__(ordered)

    def _specificity(self, value: str) -> tuple[bool, ...]:
        """Return what orders an item among those that match the same value: a wildcard is the least."""
        return (value != "*",)

    def _read_value(self, value: str) -> Any:
        """Return the form in which a value of the server is compared."""
        return fold_case(value)

    def _read_item(self, item: str) -> Any:
        """Return the form in which an item of the client is compared."""
        return self._read_value(item)

    def _covers(self, item: Any, value: Any) -> bool:
        """Whether an item covers a value, both in the form in which they are compared."""
        return item in ("*", value)

    def find(self, key: Any) -> int:
        """Return the position of the first item that matches a value, or of an item, -1 when there is none."""
        if not isinstance(key, str):
            return super().index(key) if super().__contains__(key) else -1
        if self._comparable is None:
            # Read once: a client can send thousands, and each is compared with each of the server's values.
            self._comparable = [self._read_item(item) for item, _ in self]
        value = self._read_value(key)
        for position, item in enumerate(self._comparable):
            if self._covers(item, value):
                return position
        return -1

    @overload
    def __getitem__(self, key: str) -> float: ...
    @overload
    def __getitem__(self, key: SupportsIndex) -> tuple[str, float]: ...
    @overload
    def __getitem__(self, key: slice) -> list[tuple[str, float]]: ...
    def __getitem__(self, key: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the quality of a value, or the item at a position."""
        if isinstance(key, str):
            return self.quality(key)
        items: Any = super()
        return items.__getitem__(key)

    def quality(self, key: str) -> float:
        """Return the quality of a value: that of the most specific item that matches it, 0 without one."""
        item = self._best_item(key)
        return 0 if item is None else item[1]

    def _best_item(self, value: str) -> tuple[str, float] | None:
        position = self.find(value)
        return None if position < 0 else self[position]

    def __contains__(self, value: object) -> bool:
        return self._mentions(value) if isinstance(value, str) else super().__contains__(value)

    def _mentions(self, value: str) -> bool:
        return self._best_item(value) is not None

    def index(self, key: Any, *args: Any) -> int:
        """Return the position of the first item that matches a value, or of an item.

        Raises:
            ValueError: there is none.
        """
        if not isinstance(key, str):
            return super().index(key, *args)
        position = self.find(key)
        if position < 0:
            raise ValueError(key)
        return position

    def values(self) -> Iterator[str]:
        """Iterate over the values, without their qualities."""
        for value, _ in self:
            yield value

    def to_header(self) -> str:
        """Return the field value."""
        return ",".join(
            value if quality == 1 else f"{value};q={_write_weight(quality)}"
            for value, quality in self
        )

    def best_match(self, matches: Iterable[str], default: str | None = None) -> str | None:
        """Return which of the server's values the client likes best, `default` when it likes none.

        The quality of a value is that of the most specific item that matches it (RFC 9110 §12.5.1); of two values alike
        in quality the one matched more specifically, then the one named outright, then the first, is taken.
        """
        best: tuple[float, tuple[bool, ...], bool] | None = None
        result = default
        for value in matches:
            item = self._best_item(value)
            if item is None or item[1] <= 0:
                continue
            rank = (item[1], self._specificity(item[0]), fold_case(item[0]) == fold_case(value))
            if best is None or rank > best:
                best, result = rank, value
        return result

    @property
    def best(self) -> str | None:
        """The first value, None when there is none."""
        return self[0][0] if self else None

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"


_MIME_SEPARATOR = re.compile(r"/|[ \t]*;[ \t]*")


_MediaRange: TypeAlias = tuple[str, str, frozenset[str]]


class MIMEAccept(Accept):
    """Media ranges, the value of Accept (RFC 9110 §12.5.1; Werkzeug: ``MIMEAccept``)."""

    def _specificity(self, value: str) -> tuple[bool, ...]:
        return tuple(part != "*" for part in _MIME_SEPARATOR.split(value))

    def _read_value(self, value: str) -> Any:
        read = _split_media_type(value)
        if not read[1] or (read[0] == "*" and read[1] != "*"):
            raise ValueError(f"invalid mimetype {value!r}")
        return read

    def _read_item(self, item: str) -> Any:
        return _split_media_type(item)

    def _covers(self, item: Any, value: Any) -> bool:
        media_range: _MediaRange = item
        media_type: _MediaRange = value
        item_type, item_subtype, item_parameters = media_range
        value_type, value_subtype, value_parameters = media_type
        if not item_subtype:
            return False
        if item_type == "*":
            return item_subtype == "*"
        if value_type == "*" or (value_type == item_type and value_subtype == "*"):
            return True
        if item_type != value_type:
            return False
        if item_subtype == "*":
            return True
        return item_subtype == value_subtype and item_parameters <= value_parameters

    @property
    def accept_html(self) -> bool:
        """Whether HTML is accepted, as itself or as XHTML."""
        return self._mentions("text/html") or self.accept_xhtml

    @property
    def accept_xhtml(self) -> bool:
        """Whether XHTML is accepted."""
        return self._mentions("application/xhtml+xml") or self._mentions("application/xml")

    @property
    def accept_json(self) -> bool:
        """Whether JSON is accepted."""
        return self._mentions("application/json")


def _split_media_type(value: str) -> _MediaRange:
    """Return type, subtype and ``name=value`` parameters, without case."""
    essence, *parameters = fold_case(value).split(";")
    main, _, subtype = essence.partition("/")
    return (
        main.strip(OWS),
        subtype.strip(OWS),
        frozenset(stripped for each in parameters if (stripped := each.strip(OWS))),
    )


def _primary(tag: str) -> str:
    """Return the first part of a language tag, which names the language itself."""
    return fold_case(tag).replace("_", "-").partition("-")[0]


class LanguageAccept(Accept):
    """Language ranges, the value of Accept-Language (RFC 9110 §12.5.4; Werkzeug: ``LanguageAccept``)."""

    def _read_value(self, value: str) -> Any:
        return fold_case(value).replace("_", "-")

    def best_match(self, matches: Iterable[str], default: str | None = None) -> str | None:
        """Return which of the server's languages the client likes best, `default` when it likes none.

        An exact match goes first. Without one, first the client's ranges and then the server's tags are cut to their
        first part, so that ``en`` serves ``en-US`` and ``en-GB`` serves ``en``.
        """
        matches = list(matches)
        result = super().best_match(matches)
        if result is not None:
            return result
        result = Accept((_primary(item), quality) for item, quality in self).best_match(matches)
        if result is not None:
            return result
        primary = [_primary(tag) for tag in matches]
        result = super().best_match(primary)
        return default if result is None else matches[primary.index(result)]


class CharsetAccept(Accept):
    """Charsets, the value of Accept-Charset (RFC 9110 §12.5.2; Werkzeug: ``CharsetAccept``)."""

    def _read_value(self, value: str) -> Any:
        return _charset_name(value)


def _charset_name(name: str) -> str:
    # Not codecs.lookup(): it looks for a module to import, for each name that a client makes up.
    folded = fold_case(name)
    normal = normalize_encoding(folded)
    if normal in _CODECS:
        return normal
    return aliases.get(normal, folded)


_CODECS = frozenset(aliases.values())


A = TypeVar("A", bound=Accept)


@overload
def parse_accept_header(value: str | None) -> Accept: ...
@overload
def parse_accept_header(value: str | None, cls: type[A]) -> A: ...
def parse_accept_header(value: str | None, cls: type[Accept] | None = None) -> Accept:
    """Read the value of an Accept field into `cls` (`Accept` by default).

    An item whose ``q`` is no weight (RFC 9110 §12.4.2) is left out; without a ``q`` the weight is 1.
    """
    make = Accept if cls is None else cls
    if not value:
        return make(None)
    items: list[tuple[str, float]] = []
    for text in split_list(value):
        # PERF: 0.7 µs for the form nearly every item has, 5 µs for any other.
        plain = _plain_item(text)
        if plain is not None:
            items.append((plain[1], 1.0 if plain[2] is None else float(plain[2])))
            continue
        item, parameters = parse_options_header(text)
        weight = parameters.pop("q", None)
        quality = 1.0
        if weight is not None:
            if _weight(weight) is None:
                continue
            quality = float(weight[:16])
        elif _names_weight(_quoted.sub("", text)):
            continue
        if item:
            items.append((dump_options_header(item, parameters), quality))
    return make(items)
