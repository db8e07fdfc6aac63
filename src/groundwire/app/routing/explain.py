"""Why a rule does not match, in sentences: for the page that debug mode shows, and for who looks at one request."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from .converters import ValidationError
from .parts import Part
from .rules import Rule

_NOUNS = {
    "int": "a whole number",
    "float": "a number with a decimal point",
    "uuid": "a UUID",
}

MATCHES = "this rule matches"

Result = Literal[
    "builds only",
    "host differs",
    "path differs",
    "converter refused",
    "wrong kind",
    "wrong method",
    "matched",
]


class Reason(NamedTuple):
    """What one rule has to say to one request, taken by itself."""

    rule: Rule
    result: Result
    """``wrong kind``: it is for WebSocket requests and this is none, or the other way round."""

    sentence: str
    fitting: int
    """How many segments fit, and one more for each further thing that does."""

    texts: tuple[str, ...] = ()
    """What its variables took, as far as they were come to. The last is what one did not take, where a converter
    refused and the path does not fit."""

    path_fits: bool = False


def explain(
    rules: Iterable[Rule], method: str, path: str, domain: str, websocket: bool
) -> list[tuple[Rule, str]]:
    """Return each of `rules` with the reason why it does not match, those that fit most of the path first.

    Of rules that fit alike, those added first come first: where several would match, the first of them does.
    """
    return [
        (reason.rule, reason.sentence) for reason in reasons(rules, method, path, domain, websocket)
    ]


def reasons(
    rules: Iterable[Rule], method: str, path: str, domain: str, websocket: bool
) -> list[Reason]:
    """Return what each of `rules` has to say to the request; ordered as by `explain`."""
    segments = f"/{path.lstrip('/')}".split("/")[1:]
    found = [_reason(rule, method, segments, domain, websocket) for rule in rules]
    return sorted(found, key=lambda reason: -reason.fitting)


def _reason(rule: Rule, method: str, segments: list[str], domain: str, websocket: bool) -> Reason:
    """Return how many segments fit, and what is wrong with the next thing that is looked at."""
    if rule.build_only:
        return Reason(rule, "builds only", "it only builds URLs and matches nothing", -2)
    host = rule.parts[0]
    texts: list[str] = []
    if not _fits(host, domain, texts):
        word = "host" if rule.map.host_matching else "subdomain"
        return Reason(rule, "host differs", f"{word} {domain!r} is not {host.source!r}", -1)
    fitting, sentence, refused = _path_reason(rule, segments, texts)
    if sentence is not None:
        result: Result = "path differs" if refused is None else "converter refused"
        if refused is not None:
            texts.append(refused)
        return Reason(rule, result, sentence, fitting, tuple(texts))
    fitting += 1
    took = tuple(texts)
    if websocket != rule.websocket:
        return Reason(rule, "wrong kind", wrong_kind(rule), fitting, took, path_fits=True)
    if rule.methods is not None and method not in rule.methods:
        return Reason(
            rule, "wrong method", wrong_method(rule, method), fitting, took, path_fits=True
        )
    try:
        rule.convert(texts)
    except ValidationError:
        return Reason(
            rule, "converter refused", refusal(rule, texts), fitting, took, path_fits=True
        )
    return Reason(rule, "matched", MATCHES, fitting + 1, took, path_fits=True)


def wrong_kind(rule: Rule) -> str:
    """Say for which kind of requests `rule` is."""
    return f"it is for {'' if rule.websocket else 'requests other than '}WebSocket requests"


def wrong_method(rule: Rule, method: str) -> str:
    """Say for which methods `rule` is."""
    return f"method {method} is not one of {', '.join(sorted(rule.methods or ()))}"


def _fits(part: Part, text: str, texts: list[str]) -> bool:
    if part.static:
        return part.content == text
    values = part.take(text)
    if values is None:
        return False
    texts.extend(values[: len(part.variables)])
    return True


def _path_reason(
    rule: Rule, segments: list[str], texts: list[str]
) -> tuple[int, str | None, str | None]:
    """Return how many segments fit, what is wrong with the next (None: nothing), and the text a variable refused."""
    parts = rule.parts[2:]  # the first of the path is the nothing before its first slash
    for index, part in enumerate(parts):
        if index == len(segments):
            return index, _too_short(parts[index:], rule), None
        if part.final:
            rest = "/".join(segments[index:])
            if _fits(part, rest, texts):
                if part.suffixed and not rest.endswith("/") and rule.strict_slashes:
                    return index + 1, "it ends in a slash, the path does not", None
                return index + 1, None, None
            return index, f"{rest!r}, from segment {index + 1} on, is not {part.source}", None
        if not _fits(part, segments[index], texts):
            refused = segments[index] if _is_one_variable(part) and segments[index] else None
            return index, _misfit(part, segments[index], index, len(segments)), refused
    rest_of_path = segments[len(parts) :]
    if not rest_of_path or (rest_of_path == [""] and not rule.strict_slashes):
        return len(parts), None, None
    if rest_of_path == [""]:
        return len(parts), "the path ends in a slash, the rule does not", None
    return len(parts), f"the path goes on after it: {'/' + '/'.join(rest_of_path)!r}", None


def _is_one_variable(part: Part) -> bool:
    return len(part.variables) == 1 and part.variables[0].source == part.source


def _too_short(missing: tuple[Part, ...], rule: Rule) -> str | None:
    if len(missing) == 1 and missing[0].static and not missing[0].content:
        return "it ends in a slash, the path does not" if rule.strict_slashes else None
    return f"the path ends before {'/' + '/'.join([part.source for part in missing])!r}"


def _misfit(part: Part, segment: str, index: int, count: int) -> str:
    where = f"segment {index + 1}"
    if not segment and index + 1 == count:
        return f"the path ends in a slash, where the rule has {part.source!r}"
    if part.static:
        if not part.content:
            return f"{where} {segment!r} stands where the rule ends in a slash"
        return f"{where} {segment!r} is not {part.content!r}"
    variable = part.variables[0]
    if variable.source == part.source and variable.converter in _NOUNS:
        noun = _NOUNS[variable.converter]
        written = f" ({variable.source})" if variable.arguments else ""
        return f"{where} {segment!r} is not {noun}{written}"
    return f"{where} {segment!r} is not {part.source}"


def refusal(rule: Rule, texts: Iterable[str]) -> str:
    """Say which variable's text its converter refuses."""
    sources = [variable.source for part in rule.parts for variable in part.variables]
    refused = "a value"
    for source, converter, text in zip(sources, rule.converters.values(), texts, strict=True):
        try:
            converter.to_python(text)
        except ValidationError:
            refused = f"{text!r} is out of the range of {source}"
            break
    return refused
