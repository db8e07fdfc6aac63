"""Header sections: ordered field lines whose names have no case (RFC 9110 §5).

`Headers` is what a program builds, and refuses at once what could split a response; `RequestHeaders` is what came in,
immutable and decoded when it is looked at.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn, Self, TypeVar, overload

from .field_values import fold_case, is_token
from .mappings import MISSING, SEVERAL, MissingKey, convert
from .media_types import dump_options_header
from .multidict import MultiDict, iterate_pairs
from .properties import cached_property
from .urls import iri_to_uri

T = TypeVar("T")

_is_field_value = re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch
_has_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_URI_FIELDS = frozenset({"location", "content-location"})


def field_name(name: Any) -> str:
    """Return `name` if it can be a field name.

    Raises:
        ValueError: it is not a token (RFC 9110 §5.1).
    """
    text = name if isinstance(name, str) else str(name)
    if is_token(text) is None:
        raise ValueError(f"not a header name (RFC 9110 §5.1 wants a token): {text[:100]!r}")
    return text


def field_value(name: str, value: Any) -> str:
    """Return `value` as text that can be the value of the field `name`.

    An IRI for Location or Content-Location becomes the URI it stands for, because it is the only thing meant.

    Raises:
        ValueError: it has a control character other than a tab, which could end the line and start another
            (RFC 9110 §5.5), or a character outside ISO-8859-1, which cannot be sent.
    """
    text = value if isinstance(value, str) else _to_text(value)
    if _is_field_value(text) is not None:
        return text
    if name.lower() in _URI_FIELDS and _has_control(text) is None:
        return iri_to_uri(text)
    bad = next(c for c in text if _is_field_value(c) is None)
    raise ValueError(f"header {name!r}: its value has the character {bad!r}, which cannot be sent")


def _to_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _field_line(name: Any, value: Any) -> tuple[str, str]:
    plain = type(name) is str and type(value) is str
    if plain and is_token(name) is not None and _is_field_value(value) is not None:
        return name, value  # PERF: nearly every field, and a third of the time of what follows
    name = field_name(name)
    return name, field_value(name, value)


class Headers:
    """Field lines in order; lookups do not mind the case of names, and a name may come more than once.

    ``headers[name]`` and `get` give the first value, `getlist` all. Whatever sets a value raises ValueError, and
    changes nothing, when a name is not a token or a value cannot be sent. (Werkzeug: ``Headers``.)
    """

    _list: list[tuple[str, str]]

    def __init__(
        self,
        defaults: "Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None" = None,
    ) -> None:
        self._list = []
        if defaults is not None:
            self.extend(defaults)

    # Reading

    def _values(self, name: object) -> list[str]:
        """Return all values of `name`. Everything that looks a name up goes through here or `_first`."""
        if not isinstance(name, str):
            return []
        folded = fold_case(name)
        return [value for key, value in self._list if key.lower() == folded]

    def _first(self, name: object) -> str | None:
        """Return the first value of `name`."""
        if not isinstance(name, str):
            return None
        folded = fold_case(name)
        for key, value in self._list:
            if key.lower() == folded:
                return value
        return None

    @overload
    def __getitem__(self, key: str) -> str: ...
    @overload
    def __getitem__(self, key: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, key: slice) -> "Headers": ...
    def __getitem__(self, key: Any) -> Any:
        """Return the first value of a name; the line at a position; or the lines of a slice."""
        if isinstance(key, int):
            return self._list[key]
        if isinstance(key, slice):
            return Headers(self._list[key])
        value = self._first(key)
        if value is None:
            raise MissingKey.error(key)
        return value

    @overload
    def get(self, key: str, default: None = None, type: None = None) -> str | None: ...
    @overload
    def get(self, key: str, default: str | T, type: None = None) -> str | T: ...
    @overload
    def get(self, key: str, default: None = None, *, type: Callable[[str], T]) -> T | None: ...
    @overload
    def get(self, key: str, default: None, type: Callable[[str], T]) -> T | None: ...
    @overload
    def get(self, key: str, default: T, type: Callable[[str], T]) -> T: ...
    def get(self, key: str, default: Any = None, type: Any = None) -> Any:
        """Return the first value of `key`, or `default` when it is missing or `type` refuses it.

        `type` refuses a value by raising ValueError or TypeError.
        """
        value = self._first(key)
        if value is None:
            return default
        return value if type is None else convert(value, default, type)

    @overload
    def getlist(self, key: str, type: None = None) -> list[str]: ...
    @overload
    def getlist(self, key: str, type: Callable[[str], T]) -> list[T]: ...
    def getlist(self, key: str, type: Any = None) -> list[Any]:
        """Return all values of `key` in order, without those that `type` refuses."""
        values = self._values(key)
        if type is None:
            return values
        converted = [convert(value, MISSING, type) for value in values]
        return [value for value in converted if value is not MISSING]

    def get_all(self, name: str) -> list[str]:
        """Return all values of `name`, as ``wsgiref``'s headers do."""
        return self.getlist(name)

    def combined(self, name: str) -> str | None:
        """Return the field value: the values of all lines of `name` as one list, None without any.

        Lines are joined by a comma (RFC 9110 §5.3), those of Cookie by a semicolon (RFC 9113 §8.2.3). What reads a
        list, such as Accept or If-None-Match, has to read this: a proxy may have split it.
        """
        values = self._values(name)
        if len(values) > 1:
            return ("; " if fold_case(name) == "cookie" else ", ").join(values)
        return values[0] if values else None

    def items(self, lower: bool = False) -> Iterator[tuple[str, str]]:
        """Iterate over (name, value) of every line, names in lower case if `lower`."""
        for key, value in self._list:
            yield (key.lower() if lower else key), value

    def keys(self, lower: bool = False) -> Iterator[str]:
        """Iterate over the name of every line; a name that comes twice is given twice."""
        for key, _ in self.items(lower):
            yield key

    def values(self) -> Iterator[str]:
        """Iterate over the value of every line."""
        for _, value in self._list:
            yield value

    def to_wsgi_list(self) -> list[tuple[str, str]]:
        """Return the field lines as a list of their own."""
        return list(self._list)

    def copy(self) -> Self:
        """Return a copy that can be changed by itself."""
        copied = type(self)()
        copied._list = list(self._list)  # they have been checked when they came here
        return copied

    def __copy__(self) -> Self:
        return self.copy()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._list)

    def __len__(self) -> int:
        return len(self._list)

    def __contains__(self, key: object) -> bool:
        return self._first(key) is not None

    def __eq__(self, other: object) -> bool:
        # As Werkzeug: the same lines, in whatever order.
        if not isinstance(other, Headers):
            return NotImplemented
        return set(self.items(lower=True)) == set(other.items(lower=True))

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Return the header section as it is written in HTTP/1.1, with the empty line after it."""
        return "".join(f"{key}: {value}\r\n" for key, value in self._list) + "\r\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._list)!r})"

    # Changing

    def add(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Add a field line, after those of the same name.

        Keyword arguments become parameters of the value, underscores dashes:
        ``headers.add("Content-Disposition", "attachment", filename="a.png")``.
        """
        self._list.append(_field_line(key, _with_parameters(value, kwargs) if kwargs else value))

    def add_header(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Do as `add`; the name that ``wsgiref``'s headers give it."""
        self.add(key, value, **kwargs)

    def set(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Make this the only line of its name, where the first one was. Keyword arguments are as in `add`."""
        line = _field_line(key, _with_parameters(value, kwargs) if kwargs else value)
        folded = line[0].lower()
        lines = self._list
        for position, (name, _) in enumerate(lines):
            if name.lower() == folded:
                lines[position] = line
                rest = position + 1
                lines[rest:] = [each for each in lines[rest:] if each[0].lower() != folded]
                return
        lines.append(line)

    def setlist(self, key: str, values: Iterable[Any]) -> None:
        """Make these the only lines of their name; the first goes where the first one was, the rest to the end."""
        self._replace(key, [_field_line(key, value) for value in values])

    def _replace(self, key: str, lines: list[tuple[str, str]]) -> None:
        folded = fold_case(key)
        kept = [line for line in self._list if line[0].lower() != folded]
        if lines and len(kept) != len(self._list):
            first = next(i for i, line in enumerate(self._list) if line[0].lower() == folded)
            kept.insert(first, lines[0])
            lines = lines[1:]
        self._list[:] = kept + lines

    def setdefault(self, key: str, default: Any) -> str:
        """Return the first value of `key`, setting it to `default` when it is missing."""
        value = self._first(key)
        if value is not None:
            return value
        self.set(key, default)
        return self[key]

    def setlistdefault(self, key: str, default: Iterable[Any]) -> list[str]:
        """Return the values of `key`, setting them to `default` when there are none. The list is a copy."""
        if key not in self:
            self.setlist(key, default)
        return self.getlist(key)

    def extend(
        self,
        arg: "Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None" = None,
        /,
        **kwargs: Any,
    ) -> None:
        """Add lines from other headers, a mapping (a list as value stands for several lines) or pairs, and keywords."""
        lines = [_field_line(key, value) for key, value in _pairs(arg)]
        if kwargs:
            lines += [_field_line(key, value) for key, value in iterate_pairs(kwargs)]
        self._list.extend(lines)

    def update(
        self,
        arg: "Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None" = None,
        /,
        **kwargs: Any,
    ) -> None:
        """Replace lines by those from other headers, a mapping (a list as value stands for several lines) or pairs,
        and keywords. Of pairs with the same name the last counts.
        """
        changed = Headers()
        changed._list = list(self._list)
        source: Any = arg
        if isinstance(arg, Headers):
            for key in dict.fromkeys(arg.keys(lower=True)):
                lines = [line for line in arg if line[0].lower() == key]
                changed._replace(key, lines)
        elif isinstance(arg, Mapping):
            _set_all(changed, source)
        elif arg is not None:
            for key, value in source:
                changed.set(key, value)
        _set_all(changed, kwargs)
        self._list[:] = changed._list

    def remove(self, key: str) -> None:
        """Remove every line of `key`; nothing happens when there is none."""
        self._replace(key, [])

    def clear(self) -> None:
        """Remove every line."""
        self._list.clear()

    def pop(self, key: str | int | None = None, default: Any = MISSING) -> Any:
        """Remove and return the line at a position (the last without one), or every line of a name and the first value.

        Raises:
            KeyError: there is no such name and no default.
            IndexError: there is no line at the position.
        """
        if key is None:
            return self._list.pop()
        if isinstance(key, int):
            return self._list.pop(key)
        value = self._first(key)
        if value is not None:
            self.remove(key)
            return value
        if default is MISSING:
            raise MissingKey.error(key)
        return default

    def popitem(self) -> tuple[str, str]:
        """Remove and return the last line. Raises IndexError when there is none."""
        return self._list.pop()

    def __setitem__(self, key: str | int | slice, value: Any) -> None:
        """Set the only value of a name; the line at a position; or the lines of a slice."""
        if isinstance(key, str):
            self.set(key, value)
        elif isinstance(key, int):
            self._list[key] = _field_line(value[0], value[1])
        else:
            self._list[key] = [_field_line(name, text) for name, text in value]

    def __delitem__(self, key: str | int | slice) -> None:
        if isinstance(key, str):
            self.remove(key)
        else:
            del self._list[key]

    def __or__(self, other: Any) -> "Headers":
        if not _is_mapping(other):
            return NotImplemented
        joined = Headers(self._list)
        joined.update(other)
        return joined

    def __ior__(self, other: Any) -> Self:
        if not _is_mapping(other) and not hasattr(other, "__iter__"):
            return NotImplemented
        self.update(other)
        return self


def _is_mapping(source: object) -> bool:
    return isinstance(source, (Headers, Mapping))


def _pairs(source: Any) -> Iterable[tuple[Any, Any]]:
    if source is None:
        return ()
    return iter(source) if isinstance(source, Headers) else iterate_pairs(source)


def _set_all(headers: Headers, source: Mapping[str, Any]) -> None:
    lists: Any = source.lists() if isinstance(source, MultiDict) else source.items()
    key: str
    value: Any
    for key, value in lists:
        if isinstance(value, SEVERAL):
            headers.setlist(key, value)
        else:
            headers.set(key, value)


def _with_parameters(value: Any, parameters: dict[str, Any]) -> str:
    options = {name.replace("_", "-"): option for name, option in parameters.items()}
    return dump_options_header(_to_text(value) if value is not None else None, options)


class ImmutableHeadersMixin:
    """Makes `Headers` immutable."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__!r} objects are immutable")

    add = add_header = set = setlist = setdefault = setlistdefault = _refuse
    extend = update = insert = remove = pop = popitem = clear = _refuse
    __setitem__ = __delitem__ = __ior__ = _refuse


_SEARCHES_BEFORE_INDEX = 4
_FEW_LINES = 24


class RequestHeaders(ImmutableHeadersMixin, Headers):
    """The header section of a request: immutable, decoded (as ISO-8859-1) when it is looked at.

    `copy` and ``|`` give `Headers`, which can be changed.
    """

    _index: dict[bytes, list[bytes]] | None = None
    _searches = 0

    def __init__(self, lines: Iterable[tuple[bytes, bytes]]) -> None:
        self._lines = lines if isinstance(lines, tuple) else tuple(lines)

    @cached_property
    def _list(self) -> list[tuple[str, str]]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._lines]

    def _raw(self, name: object) -> list[bytes]:
        # Encoded first, because bytes.lower() knows ASCII letters only. What cannot be encoded is no field name.
        if not isinstance(name, str) or not name.isascii():
            return []
        folded = name.encode("ascii").lower()
        index = self._index
        if index is None:
            # PERF: going through a browser's 13 lines takes 0.6 µs, an index of them 1.4 µs and 0.1 µs a search. A
            # handler reads two or three; but a connection's next request with the same lines has this same object.
            if self._searches < _SEARCHES_BEFORE_INDEX and len(self._lines) <= _FEW_LINES:
                self._searches += 1
                return [value for key, value in self._lines if key.lower() == folded]
            built: dict[bytes, list[bytes]] = {}
            for key, value in self._lines:
                built.setdefault(key.lower(), []).append(value)
            self._index = index = built
        return index.get(folded, [])

    def _values(self, name: object) -> list[str]:
        return [value.decode("latin-1") for value in self._raw(name)]

    def _first(self, name: object) -> str | None:
        index = self._index
        if index is not None and isinstance(name, str) and name.isascii():
            raw = index.get(name.lower().encode("ascii"))
        else:
            raw = self._raw(name)
        return raw[0].decode("latin-1") if raw else None

    def __len__(self) -> int:
        return len(self._lines)

    def copy(self) -> Headers:  # type: ignore[override]
        """Return `Headers` of the same lines, which can be changed."""
        copied = Headers()
        copied._list = list(self._list)
        return copied

    def __or__(self, other: Any) -> Headers:
        joined = self.copy()
        if not _is_mapping(other):
            return NotImplemented
        joined.update(other)
        return joined

    def __reduce__(self) -> Any:
        return type(self), (self._lines,)


# RFC 9110 §7.6.1, and what the same paragraph lists as hop-by-hop without being named in Connection.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_REPRESENTATION = frozenset(
    {
        "allow",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "expires",
        "extension-header",
        "last-modified",
    }
)


def is_hop_by_hop_header(header: str) -> bool:
    """Whether a field is for one connection only, so that an application must not set it (PEP 3333)."""
    return fold_case(header) in _HOP_BY_HOP


def is_entity_header(header: str) -> bool:
    """Whether a field describes the representation ("entity header" until RFC 7231)."""
    return fold_case(header) in _REPRESENTATION


def remove_hop_by_hop_headers(headers: Headers | list[tuple[str, str]]) -> None:
    """Remove in place the fields that are for one connection only."""
    kept = [(name, value) for name, value in headers if not is_hop_by_hop_header(name)]
    headers[:] = kept


def remove_entity_headers(
    headers: Headers | list[tuple[str, str]],
    allowed: Iterable[str] = ("expires", "content-location"),
) -> None:
    """Remove in place the fields that describe a representation, but for `allowed`: what a 304 must not repeat."""
    keep = {fold_case(name) for name in allowed}
    headers[:] = [
        (name, value)
        for name, value in headers
        if fold_case(name) in keep or not is_entity_header(name)
    ]
