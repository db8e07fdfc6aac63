"""Why a rule does not match: sentences for the page that debug mode shows instead of 404 or 405."""

from collections.abc import Iterable

from .converters import ValidationError
from .parts import Part
from .rules import Rule

_NOUNS = {
    "int": "a whole number",
    "float": "a number with a decimal point",
    "uuid": "a UUID",
}

MATCHES = "this rule matches"


def explain(
    rules: Iterable[Rule], method: str, path: str, domain: str, websocket: bool
) -> list[tuple[Rule, str]]:
    """Return each of `rules` with the reason why it does not match, those that fit most of the path first.

    Of rules that fit alike, those added first come first: where several would match, the first of them does.
    """
    segments = f"/{path.lstrip('/')}".split("/")[1:]
    explained: list[tuple[int, Rule, str]] = []
    for rule in rules:
        fitting, reason = _reason(rule, method, segments, domain, websocket)
        explained.append((fitting, rule, reason))
    explained.sort(key=lambda entry: -entry[0])
    return [(rule, reason) for _, rule, reason in explained]


def _reason(
    rule: Rule, method: str, segments: list[str], domain: str, websocket: bool
) -> tuple[int, str]:
    """Return how many segments fit, and what is wrong with the next thing that is looked at."""
    if rule.build_only:
        return -2, "it only builds URLs and matches nothing"
    host = rule.parts[0]
    texts: list[str] = []
    if not _fits(host, domain, texts):
        word = "host" if rule.map.host_matching else "subdomain"
        return -1, f"{word} {domain!r} is not {host.source!r}"
    fitting, reason = _path_reason(rule, segments, texts)
    if reason is not None:
        return fitting, reason
    fitting += 1
    if websocket != rule.websocket:
        return (
            fitting,
            f"it is for {'' if rule.websocket else 'requests other than '}WebSocket requests",
        )
    if rule.methods is not None and method not in rule.methods:
        return fitting, f"method {method} is not one of {', '.join(sorted(rule.methods))}"
    try:
        rule.convert(texts)
    except ValidationError:
        return fitting, _refusal(rule, texts)
    return fitting + 1, MATCHES


def _fits(part: Part, text: str, texts: list[str]) -> bool:
    if part.static:
        return part.content == text
    values = part.take(text)
    if values is None:
        return False
    texts.extend(values[: len(part.variables)])
    return True


def _path_reason(rule: Rule, segments: list[str], texts: list[str]) -> tuple[int, str | None]:
    """Return how many segments fit, and what is wrong with the next; None: nothing."""
    parts = rule.parts[2:]  # the first of the path is the nothing before its first slash
    for index, part in enumerate(parts):
        if index == len(segments):
            return index, _too_short(parts[index:], rule)
        if part.final:
            rest = "/".join(segments[index:])
            if _fits(part, rest, texts):
                if part.suffixed and not rest.endswith("/") and rule.strict_slashes:
                    return index + 1, "it ends in a slash, the path does not"
                return index + 1, None
            return index, f"{rest!r}, from segment {index + 1} on, is not {part.source}"
        if not _fits(part, segments[index], texts):
            return index, _misfit(part, segments[index], index, len(segments))
    rest_of_path = segments[len(parts) :]
    if not rest_of_path or (rest_of_path == [""] and not rule.strict_slashes):
        return len(parts), None
    if rest_of_path == [""]:
        return len(parts), "the path ends in a slash, the rule does not"
    return len(parts), f"the path goes on after it: {'/' + '/'.join(rest_of_path)!r}"


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


def _refusal(rule: Rule, texts: list[str]) -> str:
    """Return which variable's text its converter refuses."""
    sources = [variable.source for part in rule.parts for variable in part.variables]
    refused = "a value"
    for source, converter, text in zip(sources, rule.converters.values(), texts, strict=True):
        try:
            converter.to_python(text)
        except ValidationError:
            refused = f"{text!r} is out of the range of {source}"
            break
    return refused
