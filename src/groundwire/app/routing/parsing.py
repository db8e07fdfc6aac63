"""Rule strings, taken apart: ``/users/<int(min=1):id>`` becomes static text, slashes and variables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable part of a rule: ``<converter(arguments):name>``."""

    name: str
    converter: str
    arguments: str
    source: str
    """As it stands in the rule."""


Token = str | Variable
"""``"/"``, other static text, or a variable."""

_TOKEN = re.compile(
    r"""
    /
    | [^</]+
    | <
      (?: (?P<converter>[a-zA-Z_][a-zA-Z0-9_]*) (?: \( (?P<arguments>.*?) \) )? : )?
      (?P<name>[a-zA-Z_][a-zA-Z0-9_]*)
      >
    """,
    re.VERBOSE,
)

_ARGUMENT = re.compile(
    r"""
    \s*
    (?: (?P<name>\w+) \s* = \s* )?
    (?: [uUrR]? (?P<quoted>"[^"]*"|'[^']*') | (?P<bare>[^\s,"'=]+) )
    \s* (?: , | $ )
    """,
    re.VERBOSE,
)

_CONSTANTS: dict[str, Any] = {"None": None, "True": True, "False": False}


def tokenize(rule: str) -> Iterator[Token]:
    """Iterate over the tokens of a rule, or of a host or subdomain.

    Raises:
        ValueError: ``<`` begins something that is no variable.
    """
    position = 0
    while position < len(rule):
        match = _TOKEN.match(rule, position)
        if match is None:
            raise ValueError(
                f"malformed url rule: {rule!r}: {rule[position:]!r} does not begin with a"
                " variable such as <name>, <int:name> or <int(min=1):name>"
            )
        if match["name"] is None:
            yield match[0]
        else:
            yield Variable(
                match["name"], match["converter"] or "default", match["arguments"] or "", match[0]
            )
        position = match.end()


def _value_of(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


def parse_converter_args(argstr: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the positional and the keyword arguments written after a converter's name.

    A value is a Python int, float, True, False or None, a quoted string, or a bare word, which is a string.

    Raises:
        ValueError: what stands there is no list of such values.
    """
    positional: list[Any] = []
    named: dict[str, Any] = {}
    position = 0
    while argstr[position:].strip():
        match = _ARGUMENT.match(argstr, position)
        if match is None:
            raise ValueError(f"cannot parse converter argument {argstr[position:]!r}")
        quoted: str | None = match["quoted"]
        value = _value_of(match["bare"]) if quoted is None else quoted[1:-1]
        if match["name"] is None:
            positional.append(value)
        else:
            named[match["name"]] = value
        position = match.end()
    return tuple(positional), named
