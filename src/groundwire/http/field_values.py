"""The forms that field values are built from: tokens, quoted strings, lists, dictionaries and sets (RFC 9110 §5.6).

Every function here takes time linear in the length of what it is given.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSet
from typing import Any, Self
from urllib.parse import unquote

TOKEN_CHARACTERS = r"!#$%&'*+\-.^_`|~0-9A-Za-z"
"""RFC 9110 §5.6.2, for use within a bracket expression."""

is_token = re.compile(f"[{TOKEN_CHARACTERS}]+").fullmatch
"""Matches a token (RFC 9110 §5.6.2)."""

OWS = " \t"
"""Optional white space (RFC 9110 §5.6.3). `str.strip()` would take U+00A0 and its like besides."""

# An item ends at a comma outside quotes. The closing quote is optional, so that the pattern never has to go back.
_LIST_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^",]+|,', re.DOTALL)
_QUOTED_PAIR = re.compile(r'\\([\\"])')
_EXTENDED_VALUE = re.compile(r"([\w!#$%&+\-^`{}~]*)'[\w\-]*'(.*)", re.ASCII | re.DOTALL)


def fold_case(name: str) -> str:
    """Return `name` in lower case, ASCII letters only.

    `str.lower` makes a ``k`` of U+212A, so that a name which is no token would match one that is.
    """
    return name.lower() if name.isascii() else "".join(c.lower() if c < "\x80" else c for c in name)


def quote_header_value(value: Any, allow_token: bool = True) -> str:
    """Return `value` as a token where it is one (and `allow_token`), otherwise as a quoted string (RFC 9110 §5.6.4)."""
    text = str(value)
    if allow_token and is_token(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquote_header_value(value: str) -> str:
    r"""Return what a quoted string stands for; anything else as it is.

    A backslash is taken for an escape only before ``"`` and ``\``: browsers write file names with plain backslashes.
    """
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", value[1:-1])
    return value


def decode_extended_value(value: str) -> str | None:
    """Decode ``charset'language'percent-encoded`` (RFC 8187 §3.2); None when it is not that, or not in a known charset.

    Only UTF-8 (which senders have to use), US-ASCII and ISO-8859-1 are known.
    """
    match = _EXTENDED_VALUE.fullmatch(value)
    if match is None:
        return None
    charset = match[1].lower()
    if charset not in {"utf-8", "us-ascii", "ascii", "iso-8859-1"}:
        return None
    return unquote(match[2], charset, "replace")


def split_list(value: str) -> Iterator[str]:
    """Iterate over the items of a comma-separated list, quoted strings still quoted, empty items left out.

    (RFC 9110 §5.6.1.2.)
    """
    pieces: list[str] = []
    for match in _LIST_PIECE.finditer(value):
        piece = match[0]
        if piece != ",":
            pieces.append(piece)
            continue
        if item := "".join(pieces).strip(OWS):
            yield item
        pieces.clear()
    if item := "".join(pieces).strip(OWS):
        yield item


def parse_list_header(value: str) -> list[str]:
    """Return the items of a comma-separated list, quoted strings unquoted (RFC 9110 §5.6.1)."""
    return [unquote_header_value(item) for item in split_list(value)]


def parse_dict_header(value: str) -> dict[str, str | None]:
    """Return the ``key=value`` items of a comma-separated list; a key without ``=`` has the value None.

    A key that ends in ``*`` is decoded as RFC 8187 says and loses its ``*``. Of a repeated key the last counts.
    """
    result: dict[str, str | None] = {}
    for item in split_list(value):
        key, has_value, text = item.partition("=")
        key, text = key.strip(OWS), text.strip(OWS)
        if not key:
            continue
        if not has_value:
            result[unquote_header_value(key)] = None
        elif key[-1] == "*":
            decoded = decode_extended_value(text)
            if key := key[:-1]:
                result[key] = unquote_header_value(text) if decoded is None else decoded
        else:
            result[key] = unquote_header_value(text)
    return result


def dump_header(iterable: Mapping[str, Any] | Iterable[Any]) -> str:
    """Return a comma-separated list of items, or of ``key=value`` for a mapping, each quoted where it needs to be.

    In a mapping, None gives the key alone, and the value of a key that ends in ``*`` is taken as encoded already.
    """
    source: Any = iterable
    if not isinstance(iterable, Mapping):
        return ", ".join(quote_header_value(item) for item in source)
    items: list[str] = []
    key: str
    value: Any
    for key, value in source.items():
        if value is None:
            items.append(key)
        elif key[-1:] == "*":
            items.append(f"{key}={value}")
        else:
            items.append(f"{key}={quote_header_value(value)}")
    return ", ".join(items)


class HeaderSet(MutableSet[str]):
    """An ordered set of words whose case does not matter, such as the value of ``Vary`` or ``Allow``.

    Calls ``on_update(set)`` after each change. (Werkzeug: ``HeaderSet``.)
    """

    def __init__(
        self,
        headers: Iterable[str] | None = None,
        on_update: Callable[[Any], object] | None = None,
    ) -> None:
        self._words: dict[str, str] = {}
        for word in headers or ():
            self._words.setdefault(fold_case(word), word)
        self.on_update = on_update

    def _updated(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def add(self, header: str) -> None:
        """Add a word, unless it is there in whatever case."""
        self.update((header,))

    def update(self, iterable: Iterable[str]) -> None:
        """Add all words of `iterable`."""
        before = len(self._words)
        for word in iterable:
            self._words.setdefault(fold_case(word), word)
        if len(self._words) != before:
            self._updated()

    def remove(self, header: str) -> None:
        """Remove a word.

        Raises:
            KeyError: it is not there.
        """
        key = fold_case(header)
        if key not in self._words:
            raise KeyError(header)
        del self._words[key]
        self._updated()

    def discard(self, header: str) -> None:
        """Remove a word if it is there."""
        if header in self:
            self.remove(header)

    def find(self, header: str) -> int:
        """Return the position of a word, -1 when it is not there."""
        key = fold_case(header)
        return list(self._words).index(key) if key in self._words else -1

    def index(self, header: str) -> int:
        """Return the position of a word.

        Raises:
            IndexError: it is not there.
        """
        position = self.find(header)
        if position < 0:
            raise IndexError(header)
        return position

    def clear(self) -> None:
        """Remove all words."""
        self._words.clear()
        self._updated()

    def as_set(self, preserve_casing: bool = False) -> set[str]:
        """Return a plain set of the words, in lower case unless `preserve_casing`."""
        return set(self._words.values() if preserve_casing else self._words)

    def to_header(self) -> str:
        """Return the field value."""
        return ", ".join(quote_header_value(word) for word in self._words.values())

    def copy(self) -> Self:
        """Return a copy that tells nobody of its changes."""
        return type(self)(self._words.values())

    def __getitem__(self, position: int) -> str:
        return list(self._words.values())[position]

    def __setitem__(self, position: int, header: str) -> None:
        words = list(self._words.values())
        words[position] = header
        self._words = {fold_case(word): word for word in words}
        self._updated()

    def __delitem__(self, position: int) -> None:
        del self._words[list(self._words)[position]]
        self._updated()

    def __contains__(self, header: object) -> bool:
        return isinstance(header, str) and fold_case(header) in self._words

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words.values())

    def __bool__(self) -> bool:
        return bool(self._words)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._words.values())!r})"


def parse_set_header(
    value: str | None, on_update: Callable[[HeaderSet], object] | None = None
) -> HeaderSet:
    """Return the words of a comma-separated list as a set (RFC 9110 §5.6.1)."""
    return HeaderSet(parse_list_header(value) if value else None, on_update)
