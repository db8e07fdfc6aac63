"""Media types, and every other field value of the form ``value; name=value; …`` (RFC 9110 §5.6.6, §8.3.1)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import quote, unquote_to_bytes

from .field_values import (
    OWS,
    TOKEN_CHARACTERS,
    fold_case,
    quote_header_value,
    unquote_header_value,
)

# A parameter with the separators before it. Possessive throughout: it matches in one pass or not at all.
_PARAMETER = re.compile(
    rf'[; \t]*+([{TOKEN_CHARACTERS}]++)[ \t]*+=[ \t]*+("(?:[^"\\]|\\.)*+"|[!#-:<-~]++)[^;]*+',
    re.DOTALL,
)
_CONTINUED = re.compile(r"(.+)\*([0-9]{1,4})", re.DOTALL)
# RFC 8187 §3.2.1: attr-char, the token characters that percent-encoding leaves alone.
_UNENCODED = "!#$&+-.^_`|~"
_CHARSETS = frozenset({"utf-8", "us-ascii", "ascii", "iso-8859-1"})


def iterate_parameters(text: str) -> Iterator[tuple[str, str]]:
    """Iterate over the ``name=value`` pairs of ``; name=value; …``, as they stand. What is no pair is passed over."""
    position, end = 0, len(text)
    while position < end:
        match = _PARAMETER.match(text, position)
        if match is not None:
            yield match[1], match[2].strip(OWS)
            position = match.end()
            continue
        # Not a parameter: go on behind the next semicolon that is not at `position` itself.
        while position < end and text[position] in "; \t":
            position += 1
        position = text.find(";", position)
        if position < 0:
            return


def _split_extended(text: str) -> tuple[str, str]:
    """Split ``charset'language'value`` (RFC 8187 §3.2); the charset is empty when it is not of that form."""
    charset, quote_mark, rest = text.partition("'")
    _, second_mark, value = rest.partition("'")
    if not quote_mark or not second_mark:
        return "", text
    return fold_case(charset), value


class _Continuation:
    """The pieces ``name*0``, ``name*1*`` … of one parameter (RFC 2231 §3)."""

    def __init__(self) -> None:
        self.pieces: dict[int, tuple[str, bool]] = {}

    def join(self) -> str:
        """Return the value from the first piece to the one before the first that is missing.

        Joined as octets: a piece may end within a character.
        """
        first, is_encoded = self.pieces[0]
        charset = "utf-8"
        if is_encoded:
            named, first = _split_extended(first)
            charset = named if named in _CHARSETS else charset
            self.pieces[0] = first, True
        joined = bytearray()
        for number in range(len(self.pieces)):
            if number not in self.pieces:
                break
            text, encoded = self.pieces[number]
            joined += unquote_to_bytes(text) if encoded else text.encode(charset, "replace")
        return joined.decode(charset, "replace")


def parse_options_header(value: str | None) -> tuple[str, dict[str, str]]:
    """Split ``value; name=value; …`` into the value and its parameters, names in lower case.

    Understands quoted strings, ``name*=UTF-8''…`` (RFC 8187) and ``name*0=…; name*1=…`` (RFC 2231 §3). An encoded
    parameter goes before a plain one of the same name (RFC 6266 §4.3); one in an unknown charset comes
    last and stays encoded; of two alike the last counts. Never raises:
    what cannot be understood is left out. Takes time linear in the length.
    """
    if not value:
        return "", {}
    main, separator, rest = value.partition(";")
    main = main.strip(OWS)
    if not main or not separator:
        return main, {}
    unreadable: dict[str, str] = {}
    plain: dict[str, str] = {}
    encoded: dict[str, str] = {}
    continued: dict[str, _Continuation] = {}
    for raw_name, text in iterate_parameters(rest):
        name = fold_case(raw_name)
        is_encoded = name[-1] == "*"
        if is_encoded:
            name = name[:-1]
        if text[:1] == '"':
            # WHATWG forms write a double quote within a file name as %22.
            text = unquote_header_value(text).replace("%22", '"')
        match = _CONTINUED.fullmatch(name)
        if match is not None:
            pieces = continued.setdefault(match[1], _Continuation()).pieces
            pieces.setdefault(int(match[2]), (text, is_encoded))
        elif not name:
            continue
        elif is_encoded:
            charset, text = _split_extended(text)
            if charset not in _CHARSETS:
                unreadable[name] = text
            else:
                encoded[name] = unquote_to_bytes(text).decode(charset, "replace")
        else:
            plain[name] = text
    for name, continuation in continued.items():
        if 0 in continuation.pieces:
            encoded.setdefault(name, continuation.join())
    return main, unreadable | plain | encoded


def dump_options_header(header: str | None, options: Mapping[str, Any]) -> str:
    """Return ``header; name=value; …``, values quoted where they need it. An option whose value is None is left out.

    A value outside ASCII is written as ``name*=UTF-8''…`` (RFC 8187 §3.2), which any recipient reads alike. The value
    of a name that ends in ``*`` is taken as encoded already.
    """
    segments = [] if header is None else [header]
    for name, value in options.items():
        if value is None:
            continue
        text = str(value)
        if name[-1:] == "*":
            segments.append(f"{name}={text}")
        elif text.isascii():
            segments.append(f"{name}={quote_header_value(text)}")
        else:
            segments.append(f"{name}*=UTF-8''{quote(text, safe=_UNENCODED)}")
    return "; ".join(segments)


def get_content_type(mimetype: str, charset: str = "utf-8") -> str:
    """Return `mimetype` with a charset parameter if it is a textual type that lacks one.

    (Werkzeug: ``get_content_type``.)
    """
    if ";" not in mimetype and (mimetype.startswith("text/") or _is_xml_or_script(mimetype)):
        return f"{mimetype}; charset={charset}"
    return mimetype


def _is_xml_or_script(mimetype: str) -> bool:
    return mimetype in _TEXTUAL_APPLICATION_TYPES or mimetype.endswith("+xml")


_TEXTUAL_APPLICATION_TYPES = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/sql",
        "application/xml",
        "application/xml-dtd",
        "application/xml-external-parsed-entity",
    }
)

_MEDIA_TYPE = re.compile(f"([{TOKEN_CHARACTERS}]+)/([{TOKEN_CHARACTERS}]+)")


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type or media range (RFC 9110 §8.3.1, §12.5.1).

    Attributes:
        type: before the slash, in lower case; ``*`` in a range.
        subtype: after the slash, in lower case; ``*`` in a range.
        parameters: names in lower case, values as they are.
    """

    type: str
    subtype: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a field value.

        Raises:
            ValueError: it is not ``type/subtype`` with parameters.
        """
        essence, parameters = parse_options_header(value)
        match = _MEDIA_TYPE.fullmatch(essence)
        if match is None:
            raise ValueError(f"not a media type: {value[:100]!r}")
        return cls(match[1].lower(), match[2].lower(), MappingProxyType(parameters))

    @property
    def essence(self) -> str:
        """``type/subtype`` without parameters."""
        return f"{self.type}/{self.subtype}"

    @property
    def suffix(self) -> str | None:
        """What follows the last ``+`` of the subtype (RFC 6839), such as ``json``."""
        return self.subtype.rpartition("+")[2] if "+" in self.subtype else None

    @property
    def charset(self) -> str | None:
        """The charset parameter in lower case (charset names have no case, RFC 9110 §8.3.2)."""
        charset = self.parameters.get("charset")
        return None if charset is None else fold_case(charset)

    @property
    def is_json(self) -> bool:
        """Whether it is ``application/json`` or has the suffix ``+json`` (RFC 6839 §3.1)."""
        return self.essence == "application/json" or (
            self.type == "application" and self.suffix == "json"
        )

    def matches(self, media_range: "MediaType") -> bool:
        """Whether this type is within `media_range`: every parameter of the range has to be here too."""
        if media_range.type not in ("*", self.type):
            return False
        if media_range.subtype not in ("*", self.subtype):
            return False
        return all(
            self._parameter_matches(name, value) for name, value in media_range.parameters.items()
        )

    def _parameter_matches(self, name: str, value: str) -> bool:
        own = self.parameters.get(name)
        if own is None:
            return False
        return fold_case(own) == fold_case(value) if name == "charset" else own == value

    def __str__(self) -> str:
        return dump_options_header(self.essence, self.parameters)
