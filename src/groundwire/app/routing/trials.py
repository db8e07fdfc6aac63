"""What becomes of one request in the route table: each rule that was tried, in order, and what was wrong with it.

It is the table itself that is asked (`RouteTable.find`), by a walk that takes notes; so what is told here is what
happened. Only of rules that the walk never came to is the reason found separately (`groundwire.app.routing.explain`).
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ...http.errors import HTTPException, MethodNotAllowed
from .adapter import MapAdapter
from .converters import ValidationError
from .exceptions import NoMatch, RequestPath, RequestRedirect, WebsocketMismatch
from .explain import Reason, reasons, refusal, wrong_kind, wrong_method
from .matcher import Found, SlashRequired, State, Walk
from .parts import Part
from .rules import Rule

Result = Literal[
    "matched",
    "redirect",
    "wrong method",
    "wrong kind",
    "converter refused",
    "path differs",
    "host differs",
    "not tried",
    "builds only",
]

Happening = Literal[
    "took it", "took it with a slash", "ends without slash", "method", "kind", "misfit"
]

ALIKE = 0.6
"""How alike a path and a rule are, by `difflib`, for the one to be taken for a slip of the other."""

DECIDING = ("matched", "redirect", "converter refused")
"""What ends the search."""

COMPARED = 500
"""Rules at most that a path is compared with, letter by letter."""


class Conversion(NamedTuple):
    """One variable of a rule, and what its converter made of its text."""

    name: str
    converter: str
    """As it stands in the rule: ``<int(min=1):id>``."""

    text: str
    value: Any
    refused: bool


class Trial(NamedTuple):
    """One rule, and what became of the request there."""

    rule: Rule
    result: Result
    """``wrong kind``: it is for WebSocket requests and this is none, or the other way round. ``not tried``: another
    rule was tried before it, and decided."""

    why: str
    conversions: tuple[Conversion, ...] = ()


class Trials(NamedTuple):
    """What became of one request in the route table."""

    rule: Rule | None
    """The rule that matched."""

    values: Mapping[str, Any] | None
    error: HTTPException | None
    """What is raised in place of a match: `NotFound`, `MethodNotAllowed`, `RequestRedirect`, `WebsocketMismatch`."""

    trials: tuple[Trial, ...]
    """Rules in the order in which the table tries them; then those it never came to, those that fit most first."""

    hint: str | None
    """A sentence that helps, where there is one."""


class NotingWalk(Walk):
    """A walk that takes notes of each rule it comes to."""

    __slots__ = ("_entered", "happenings")

    def __init__(self, method: str, websocket: bool) -> None:
        super().__init__([], method, websocket)
        self.happenings: list[tuple[Rule, Happening, tuple[str, ...]]] = []
        self._entered = 0

    def descend(self, state: State, at: int, values: tuple[str, ...]) -> Found | None:
        """Return what the walk from `state` on finds; see `Walk.descend`."""
        self._entered += 1
        return super().descend(state, at, values)

    def _follow(
        self, part: Part, following: State, at: int, values: tuple[str, ...]
    ) -> Found | None:
        before = self._entered
        found = super()._follow(part, following, at, values)
        if self._entered == before:  # the part did not take the segment
            for state in following.states():
                self.happenings.extend((rule, "misfit", values) for rule in state.rules)
        return found

    def _first(
        self, rules: list[Rule], values: tuple[str, ...], *, lenient: bool = False
    ) -> Found | None:
        for rule in rules:
            found = super()._first([rule], values, lenient=lenient)
            if found is not None:
                self.happenings.append((rule, "took it", values))
                return found
            if lenient and rule.strict_slashes:
                happening: Happening = "ends without slash"
            else:
                happening = "kind" if self._takes_method(rule) else "method"
            self.happenings.append((rule, happening, values))
        return None

    def _arrive(self, state: State, values: tuple[str, ...]) -> Found | None:
        self._entered += 1
        try:
            found = super()._arrive(state, values)
        except SlashRequired:
            required = (
                rule
                for rule in state.static[""].rules
                if rule.websocket == self.websocket and self._takes_method(rule)
            )
            self.happenings.append((next(required), "took it with a slash", values))
            raise
        if found is not None and (not self.happenings or self.happenings[-1][0] is not found[0]):
            self.happenings.append((found[0], "took it", values))  # a branch that is not strict
        return found

    def _takes_method(self, rule: Rule) -> bool:
        return rule.methods is None or self.method in rule.methods


def trials_of(
    adapter: MapAdapter,
    path_info: str | None = None,
    method: str | None = None,
    websocket: bool | None = None,
) -> Trials:
    """Return what becomes of a request; arguments as `MapAdapter.match`'s.

    Raises:
        Exception: what a converter of the program's own raises, other than `ValidationError`.
    """
    path_info = adapter.path_info if path_info is None else path_info
    method = (method or adapter.default_method).upper()
    websocket = adapter.websocket if websocket is None else websocket
    rule: Rule | None = None
    values: Mapping[str, Any] | None = None
    error: HTTPException | None = None
    try:
        rule, values = adapter.match(path_info, method, return_rule=True, websocket=websocket)
    except HTTPException as failure:
        failure.__traceback__ = None
        error = failure
    path = f"/{path_info.lstrip('/')}" if path_info else ""
    walk = NotingWalk(method, websocket)
    ending: RequestPath | NoMatch | None = None
    try:
        adapter.map.table.find(adapter.domain(), path, method, websocket, walk)
    except (RequestPath, NoMatch) as failure:
        ending = failure
    said = {
        id(reason.rule): reason
        for reason in reasons(adapter.map.in_order, method, path, adapter.domain(), websocket)
    }
    tried = _tried(walk, method, ending, error, said)
    trials = (*tried, *_not_come_to(tried, said, path))
    return Trials(rule, values, error, trials, hint(adapter, path, method, websocket, error))


def _tried(
    walk: NotingWalk,
    method: str,
    ending: RequestPath | NoMatch | None,
    error: HTTPException | None,
    said: Mapping[int, Reason],
) -> list[Trial]:
    """Return the rules that `walk` came to. Of one that it came to twice, the last time counts.

    Where there is no match, those come first whose whole path fits, and the others are left for `_not_come_to`.
    """
    trials: dict[int, Trial] = {}
    for index, (rule, happening, texts) in enumerate(walk.happenings):
        if happening == "misfit":
            if error is None and id(rule) not in trials:
                trials[id(rule)] = _misfit(said[id(rule)])
            continue
        trials.pop(id(rule), None)
        last = index + 1 == len(walk.happenings)
        result, why = _verdict(rule, happening, texts, method, ending if last else None, error)
        trials[id(rule)] = Trial(rule, result, why, conversions_of(rule, texts))
    return list(trials.values())


def _verdict(
    rule: Rule,
    happening: Happening,
    texts: tuple[str, ...],
    method: str,
    ending: RequestPath | NoMatch | None,
    error: HTTPException | None,
) -> tuple[Result, str]:
    if happening == "method":
        return "wrong method", wrong_method(rule, method)
    if happening == "kind":
        return "wrong kind", wrong_kind(rule)
    if happening == "ends without slash":
        return "path differs", "the path ends in a slash, the rule does not"
    target = error.new_url if isinstance(error, RequestRedirect) else ""
    if happening == "took it with a slash":
        return (
            "redirect",
            f"it ends in a slash, the path does not: the client is sent to {target}",
        )
    if isinstance(ending, RequestPath):
        return "redirect", f"it matches with single slashes: the client is sent to {target}"
    if isinstance(ending, NoMatch):
        try:
            rule.convert(texts)
        except ValidationError:
            return "converter refused", refusal(rule, texts)
        return "path differs", "it would match with single slashes, and is not to be redirected"
    if target:
        return "redirect", f"{_why_elsewhere(rule)}: the client is sent to {target}"
    return "matched", "this rule matches"


def _why_elsewhere(rule: Rule) -> str:
    if rule.alias:
        return "it is an alias"
    if rule.redirect_to is not None:
        return "it has a redirect_to"
    return "another rule has these values as its defaults"


def conversions_of(rule: Rule, texts: Sequence[str]) -> tuple[Conversion, ...]:
    """Return what the converters of `rule` make of the texts of its first variables."""
    variables = [variable for part in rule.parts for variable in part.variables]
    made: list[Conversion] = []
    for variable, text in zip(variables, texts, strict=False):
        try:
            value = rule.converters[variable.name].to_python(text)
        except ValidationError:
            made.append(Conversion(variable.name, variable.source, text, None, refused=True))
        else:
            made.append(Conversion(variable.name, variable.source, text, value, refused=False))
    return tuple(made)


def _not_come_to(tried: Sequence[Trial], said: Mapping[int, Reason], path: str) -> Iterator[Trial]:
    """Yield the rules that are not among `tried`, those that fit most first, and of these the likest."""
    known = {id(trial.rule) for trial in tried}
    decided = next((trial for trial in tried if trial.result in DECIDING), None)
    rest = [reason for rule, reason in said.items() if rule not in known]
    if decided is None:
        compared = [(_likeness(reason.rule.rule, path), reason) for reason in rest[:COMPARED]]
        # What a converter refused is nearer than what is longer or shorter.
        compared.sort(
            key=lambda pair: (-pair[1].fitting, pair[1].result != "converter refused", -pair[0])
        )
        rest[:COMPARED] = [reason for _, reason in compared]
    for reason in rest:
        if reason.path_fits:
            before = "another rule" if decided is None else repr(decided.rule.rule)
            yield Trial(reason.rule, "not tried", f"{before} is tried before it, and decided")
        else:
            yield _misfit(reason)


def _misfit(reason: Reason) -> Trial:
    return Trial(reason.rule, reason.result, reason.sentence, conversions_of_misfit(reason))


def conversions_of_misfit(reason: Reason) -> tuple[Conversion, ...]:
    """Return what the converters of a rule make of the texts that were come to, the last of which may be refused."""
    if reason.result != "converter refused" or reason.path_fits:
        return conversions_of(reason.rule, reason.texts)
    *taken, refused = reason.texts
    made = conversions_of(reason.rule, taken)
    variables = [variable for part in reason.rule.parts for variable in part.variables]
    variable = variables[len(taken)]
    return (*made, Conversion(variable.name, variable.source, refused, None, refused=True))


# Hints


def hint(
    adapter: MapAdapter, path: str, method: str, websocket: bool, error: HTTPException | None
) -> str | None:
    """Return a sentence for a request that no rule took, or None where there is nothing to say that helps.

    What would have matched was tried on the table.
    """
    if error is None or isinstance(error, RequestRedirect):
        return None
    if isinstance(error, MethodNotAllowed):
        methods = _meant(set(error.valid_methods or ()))
        return f"{' and '.join(methods)} {'is' if len(methods) == 1 else 'are'} allowed here."
    for other, why in (
        (path.rstrip("/"), "the rule has no slash at its end"),
        (path.lower(), "upper and lower case are different in a path"),
        (path.strip(), "the path has white space at its end"),
    ):
        if other not in ("", path) and _takes(adapter, other, method, websocket):
            return f"{other!r} would have matched: {why}."
    if isinstance(error, WebsocketMismatch):
        return None
    return _likest(adapter, path)


def _meant(methods: set[str]) -> list[str]:
    """Return the methods that somebody wrote down, without those that come along."""
    come_along = {"OPTIONS", "HEAD"} if "GET" in methods else {"OPTIONS"}
    return sorted(methods - come_along or methods)


def _takes(adapter: MapAdapter, path: str, method: str, websocket: bool) -> bool:
    try:
        adapter.match(path, method, websocket=websocket)
    except RequestRedirect:
        return True
    except Exception:  # noqa: BLE001 - a converter may raise anything; then there is no hint
        return False
    return True


def _likest(adapter: MapAdapter, path: str) -> str | None:
    rules = [rule for rule in adapter.map.in_order if not rule.build_only][:COMPARED]
    likely = max(rules, key=lambda rule: _likeness(rule.rule, path), default=None)
    if likely is None or _likeness(likely.rule, path) < ALIKE or likely.rule == path:
        return None
    return f"Did you mean {likely.rule!r}?"


def _likeness(rule: str, path: str) -> float:
    return difflib.SequenceMatcher(None, rule, path).ratio()
