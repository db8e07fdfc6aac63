"""The parts of a rule, one for each segment of the path, and what each matches.

A part is static text, or it holds variables. A variable whose converter crosses slashes (``path``) makes its part
final: the part takes everything that is left of the path.

Matching is bounded, whatever the path: a part looks at one segment, a part with a regular expression of the
application's own refuses more than `OWN_REGEX_CHARACTERS`, and a part in which several variables compete for the same
characters, so that the time grows with a power of the length, refuses texts for which that would take long. Texts
between plain separators (``<a>-<b>``) compete too, and are found in linear time without a regular expression.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from .converters import BaseConverter, PathConverter, regex_is_known
from .parsing import Token, Variable

OWN_REGEX_CHARACTERS: Final = 1024
"""The longest text that is matched against a regular expression that the application wrote."""

CONTESTED_CHARACTERS: Final = {2: 2048, 3: 256, 4: 96}
"""The longest text in which 2, 3, or 4 and more variables may compete: some 20 ms of backtracking at worst."""

ANY_TEXT_REGEX: Final = "[^/]{1,}"
"""The regular expression of a variable without converter and arguments."""

ANY_TEXT: Final = 1
"""Kind of part: the whole segment is one variable that takes any text (``<name>``)."""

DIGITS: Final = 2
"""Kind of part: the whole segment is one whole number (``<int:id>``)."""

REST: Final = 3
"""Kind of part: all that is left of the path is one variable (``<path:name>``)."""

PATTERN: Final = 4
"""Kind of part: anything else."""

KINDS: Final = {
    (ANY_TEXT_REGEX, False): ANY_TEXT,
    (r"\d+", False): DIGITS,
    (PathConverter.regex, True): REST,
}
"""The kinds of parts of one variable, by its regular expression and whether they are final."""


class Weight(NamedTuple):
    """The order in which the parts of different rules are tried on a segment: least first.

    More static text goes before less, more variables before fewer, then the converters' weights decide.
    """

    static_count: int
    static_weights: tuple[tuple[int, int], ...]
    variable_count: int
    variable_weights: tuple[int, ...]


class Part:
    """One segment of a rule. Two parts are equal when they match the same and are tried at the same time."""

    __slots__ = (
        "content",
        "final",
        "is_chain",
        "key",
        "kind",
        "limit_characters",
        "match",
        "names",
        "source",
        "static",
        "suffixed",
        "texts",
        "variables",
        "weight",
    )

    content: str
    """The text of a static part, else a regular expression."""

    static: bool
    final: bool
    """Whether it takes all that is left of the path."""

    suffixed: bool
    """Whether it is final and the rule goes on with a slash, which the path may lack."""

    weight: Weight
    kind: int
    variables: tuple[Variable, ...]
    source: str
    """As it stands in the rule."""

    match: Callable[[str], re.Match[str] | None]
    names: tuple[str, ...]
    limit_characters: int | None
    texts: tuple[str, ...]
    """The static texts before, between and after the variables: none of them may be missing."""

    is_chain: bool
    """Whether every variable takes any text, so that `texts` are all that has to be found."""

    key: tuple[str, bool, bool, Weight]

    def __init__(
        self,
        content: str,
        *,
        source: str = "",
        weight: Weight,
        static: bool,
        final: bool = False,
        suffixed: bool = False,
        variables: tuple[Variable, ...] = (),
        limit_characters: int | None = None,
        kind: int = PATTERN,
        texts: tuple[str, ...] = (),
        is_chain: bool = False,
    ) -> None:
        self.content = content
        self.source = source
        self.static = static
        self.final = final
        self.suffixed = suffixed
        self.weight = weight
        self.kind = kind
        self.variables = variables
        self.limit_characters = limit_characters
        self.texts = texts
        self.is_chain = is_chain
        self.key = (content, final, suffixed, weight)
        if not static:
            self.match = re.compile(content).fullmatch
            self.names = tuple(f"_{number}" for number in range(len(variables)))

    def take(self, text: str) -> tuple[str, ...] | None:
        """Return what the variables of a part with a pattern take of `text`; None: it does not match.

        The last value of a suffixed part is the slash, or nothing.
        """
        texts = self.texts
        if not text.startswith(texts[0]) or not text.endswith(texts[-1]):
            return None
        if self.is_chain:
            return take_chain(texts, text)
        if self.limit_characters is not None and len(text) > self.limit_characters:
            return None
        # PERF: where thousands of patterns compete, most are out before a regular expression is tried.
        for between in texts[1:-1]:
            if between not in text:
                return None
        match = self.match(text)
        if match is None:
            return None
        values = tuple(match[name] for name in self.names)
        return (*values, match[match.re.groups]) if self.suffixed else values

    def __repr__(self) -> str:
        return f"<Part {self.source!r}>"


def take_chain(texts: tuple[str, ...], segment: str) -> tuple[str, ...] | None:
    """Return what stands in `segment` between `texts`, one or more characters each; None: it does not fit.

    It is known to begin with the first of `texts` and to end with the last.

    The first value is as long as can be, then the second, as with greedy regular expressions. That is: each text
    between is taken where it stands last, from right to left.
    """
    first, *between, last = texts
    start, end = len(first), len(segment) - len(last)
    values: list[str] = []
    for text in reversed(between):
        at = segment.rfind(text, start, end - 1) if end > start else -1
        if at < 0:
            return None
        values.append(segment[at + len(text) : end])
        end = at
    if end <= start:
        return None
    values.append(segment[start:end])
    return tuple(reversed(values))


EMPTY_DOMAIN: Final = Part("", weight=Weight(0, (), 0, ()), static=True)
"""The domain of rules for no subdomain."""


class _Collector:
    """What is known so far of one part."""

    def __init__(self) -> None:
        self.regex = ""
        self.text = ""
        self.source = ""
        self.final = False
        self.static_lengths: list[int] = []
        self.converters: list[BaseConverter] = []
        self.variables: list[Variable] = []
        self.pieces: list[str | BaseConverter] = []

    def add_text(self, text: str) -> None:
        if text != "/":
            self.static_lengths.append(len(text))
        self.text += text
        self.source += text
        self.regex += re.escape(text)
        self.pieces.append(text)

    def add_variable(self, variable: Variable, converter: BaseConverter) -> None:
        self.regex += f"(?P<_{len(self.variables)}>{converter.regex})"
        self.source += variable.source
        self.variables.append(variable)
        self.converters.append(converter)
        self.pieces.append(converter)
        self.final = self.final or not converter.part_isolating

    def weight(self) -> Weight:
        return Weight(
            -len(self.static_lengths),
            tuple((index, -length) for index, length in enumerate(self.static_lengths)),
            -len(self.converters),
            tuple(converter.weight for converter in self.converters),
        )

    def finish(self, *, suffixed: bool = False) -> Part:
        if not self.variables:
            return Part(self.text, source=self.source, weight=self.weight(), static=True)
        regex = self.regex
        if suffixed:
            # The value must not end in the slash that the path may lack.
            regex = regex.removesuffix("/") + "(?<!/)(/?)"
        kind = PATTERN
        if len(self.pieces) == 1 and regex_is_known(self.converters[0]):
            kind = KINDS.get((self.converters[0].regex, self.final), PATTERN)
        return Part(
            regex,
            source=self.source,
            weight=self.weight(),
            static=False,
            final=self.final,
            suffixed=suffixed,
            variables=tuple(self.variables),
            limit_characters=limit_for(self.pieces),
            kind=kind,
            texts=texts_of(self.pieces, suffixed),
            is_chain=not self.final and all(map(takes_any_text, self.converters)),
        )


def takes_any_text(converter: BaseConverter) -> bool:
    """Whether a variable takes any text without a slash."""
    return (
        converter.part_isolating and converter.regex == ANY_TEXT_REGEX and regex_is_known(converter)
    )


def texts_of(pieces: list[str | BaseConverter], suffixed: bool) -> tuple[str, ...]:
    """Return the texts before, between and after the variables; without the slash that may be missing."""
    texts = [""]
    for piece in pieces:
        if isinstance(piece, str):
            texts[-1] += piece
        else:
            texts.append("")
    if suffixed:
        texts[-1:] = [texts[-1].removesuffix("/"), ""]
    return tuple(texts)


def may_end_anywhere(converter: BaseConverter, following: str | BaseConverter) -> bool:
    """Whether a match of `converter` can end in several places before `following` ("": the end of the part)."""
    if isinstance(following, BaseConverter) or not converter.part_isolating:
        return True
    if converter.regex.startswith("[^/]"):
        return following not in ("", "/")
    return following[:1].isdecimal()


def may_run_on(converter: BaseConverter, before: str | BaseConverter) -> bool:
    """Whether matches of `converter` that begin after different places of `before` can overlap at length."""
    if isinstance(before, BaseConverter) or not converter.part_isolating:
        return True
    if converter.regex.startswith("[^/]"):
        return "/" not in before
    return before.isdecimal()


def limit_for(pieces: list[str | BaseConverter]) -> int | None:
    """Return how long a text may be for a part of `pieces` to be matched against it; None: any length.

    One variable that can end in several places costs time in proportion to the text, two its square.
    """
    contested = 0
    limit: int | None = None
    before: str | BaseConverter = ""
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        if isinstance(piece, BaseConverter):
            known = regex_is_known(piece)
            if not known:
                limit = OWN_REGEX_CHARACTERS
            contested += (
                not known
                or may_end_anywhere(piece, following)
                or bool(contested and may_run_on(piece, before))
            )
        before = piece
    if contested < 2:
        return limit
    most = CONTESTED_CHARACTERS[min(contested, 4)]
    return most if limit is None else min(limit, most)


def split_parts(tokens: Iterable[Token], converter_of: Callable[[Variable], Any]) -> Iterable[Part]:
    """Iterate over the parts that `tokens` make, with the converter that `converter_of` gives each variable."""
    part = _Collector()
    ends_in_slash = False
    for token in tokens:
        ends_in_slash = token == "/"
        if isinstance(token, Variable):
            part.add_variable(token, converter_of(token))
        elif token != "/" or part.final:
            part.add_text(token)
        else:
            yield part.finish()
            part = _Collector()
    suffixed = part.final and ends_in_slash
    last = part.finish(suffixed=suffixed)
    yield last
    if suffixed:
        yield Part("", weight=last.weight, static=True)
