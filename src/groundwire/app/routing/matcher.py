"""The route table: from method and path to a rule, at a cost that depends on the path, not on the number of rules.

A tree holds the rules. Its first level is the host or subdomain, each further one a segment of the path. A state of
the tree knows its static children by their text, its dynamic ones as a list in the order they are tried (see
`Weight`), and the rules that end in it, in the order they were added. The walk prefers static children, comes back
when a branch ends without a rule, and so visits a state at most once. Literal paths are also listed in a dict,
`RouteTable.literal`, which needs no walk; for them it gives what the walk would give.

The verdicts are Werkzeug's, which a property test compares.
"""

import re
from bisect import insort
from collections.abc import Iterator
from typing import Any, Final

from ...http.errors import MethodNotAllowed, NotFound
from .converters import ValidationError
from .exceptions import AdapterNeeded, NoMatch, RequestPath, WebsocketMismatch
from .parts import ANY_TEXT, DIGITS, REST, Part
from .rules import Rule

ORDINARY_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods under which `RouteTable.literal` lists a rule that takes all methods; others are found by the walk."""

_SLASHES = re.compile("/{2,}")

Found = tuple[Rule, tuple[str, ...]]


class State:
    """A place in the tree: what may come next, and the rules that end here."""

    __slots__ = ("by_key", "dynamic", "rules", "static")

    def __init__(self) -> None:
        self.static: dict[str, State] = {}
        self.dynamic: list[tuple[Part, State]] = []
        self.by_key: dict[Any, State] = {}
        self.rules: list[Rule] = []

    def child(self, part: Part) -> "State":
        """Return the state behind `part`, made first where there is none."""
        if part.static:
            return self.static.setdefault(part.content, State())
        child = self.by_key.get(part.key)
        if child is None:
            child = self.by_key[part.key] = State()
            # A new list, since another thread may be walking over the old one.
            dynamic = [*self.dynamic]
            insort(dynamic, (part, child), key=lambda entry: entry[0].weight)
            self.dynamic = dynamic
        return child

    def states(self) -> "Iterator[State]":
        """Iterate over this state and all below it."""
        waiting: list[State] = [self]
        while waiting:
            state = waiting.pop()
            yield state
            waiting.extend(state.static.values())
            waiting.extend([child for _, child in state.dynamic])


class SlashRequired(Exception):
    """The path matches with a slash at its end."""


def straight(
    state: State, segments: list[str], method: str, websocket: bool
) -> tuple[Rule, dict[str, Any]] | None:
    """Return what the walk finds where the first choice at each segment leads to a rule; None: walk.

    Raises:
        ValidationError: a converter refuses its text.

    PERF: this is what nearly every request needs, in one call; the walk takes eight.
    """
    texts: list[str] = []
    waiting = iter(segments)
    for segment in waiting:
        child = state.static.get(segment)
        if child is None:
            dynamic = state.dynamic
            if not dynamic:
                return None
            part, child = dynamic[0]
            kind = part.kind
            if kind == ANY_TEXT:
                if not segment:
                    return None
            elif kind == DIGITS:
                if not segment.isdecimal():
                    return None
            elif kind == REST and segment:
                segment = "/".join([segment, *waiting])
                if "\n" in segment:
                    return None
            else:
                return None
            texts.append(segment)
        state = child
    for rule in state.rules:
        methods = rule.methods
        if (methods is None or method in methods) and rule.websocket == websocket:
            return rule, rule.convert(texts)
    return None


class Walk:
    """One request's way through the tree. There is one that takes notes (`groundwire.app.routing.trials`)."""

    __slots__ = ("allowed", "count", "method", "segments", "websocket", "websocket_mismatch")

    def __init__(self, segments: list[str], method: str, websocket: bool) -> None:
        self.segments = segments
        self.count = len(segments)
        self.method = method
        self.websocket = websocket
        self.allowed: set[str] = set()
        self.websocket_mismatch = False

    def descend(self, state: State, at: int, values: tuple[str, ...]) -> Found | None:
        """Return the rule that the segments from `at` on lead to, and the texts of its variables.

        Raises:
            SlashRequired: they would, with one slash more.
        """
        segments = self.segments
        while at < self.count:
            segment = segments[at]
            ends_in_slash = not segment and at + 1 == self.count
            child = state.static.get(segment)
            dynamic = state.dynamic
            if child is not None:
                if not dynamic and not ends_in_slash:
                    state = child
                    at += 1
                    continue
                found = self.descend(child, at + 1, values)
                if found is not None:
                    return found
            for part, following in dynamic:
                found = self._follow(part, following, at, values)
                if found is not None:
                    return found
            return self._first(state.rules, values, lenient=True) if ends_in_slash else None
        return self._arrive(state, values)

    def _follow(
        self, part: Part, following: State, at: int, values: tuple[str, ...]
    ) -> Found | None:
        segment = self.segments[at]
        kind = part.kind
        if kind in (ANY_TEXT, DIGITS):
            if not (segment if kind == ANY_TEXT else segment.isdecimal()):
                return None
            return self.descend(following, at + 1, (*values, segment))
        if not part.final:
            texts = part.take(segment)
            return None if texts is None else self.descend(following, at + 1, values + texts)
        texts = part.take("/".join(self.segments[at:]))
        if texts is None:
            return None
        if part.suffixed:
            *rest, slash = texts
            if slash:
                following = following.static[""]
            return self._arrive(following, (*values, *rest))
        return self._arrive(following, values + texts)

    def _first(
        self, rules: list[Rule], values: tuple[str, ...], *, lenient: bool = False
    ) -> Found | None:
        """Return the first of `rules` that takes the method; `lenient`: of those without strict slashes."""
        for rule in rules:
            if lenient and rule.strict_slashes:
                continue
            methods = rule.methods
            if methods is not None and self.method not in methods:
                self.allowed.update(methods)
            elif rule.websocket != self.websocket:
                self.websocket_mismatch = True
            else:
                return rule, values
        return None

    def _arrive(self, state: State, values: tuple[str, ...]) -> Found | None:
        """Return the rule that ends in `state`, or would end there with a slash more."""
        found = self._first(state.rules, values)
        if found is not None:
            return found
        branch = state.static.get("")
        if branch is not None:
            for rule in branch.rules:
                if rule.websocket == self.websocket and (
                    rule.methods is None or self.method in rule.methods
                ):
                    if rule.strict_slashes:
                        raise SlashRequired
                    return rule, values
        return None


class RouteTable:
    """All rules of a map, ready to be matched.

    `literal` gives the rule for a request without a call of ours: ``literal.get(path)``, then ``.get(method)``. It
    holds the rules on the default host whose path is without variables and that need no more than to be found (no
    defaults, no redirect); what is not in it may still match, see `match`. `path` is decoded, and begins with one
    slash.

    Args:
        merge_slashes: whether a path matches as if ``//`` in it were ``/``, and is redirected.
        default_domain: the domain part whose rules `literal` holds; None: there is no such domain.
    """

    def __init__(self, *, merge_slashes: bool = True, default_domain: str | None = "") -> None:
        self.merge_slashes = merge_slashes
        self.literal: dict[str, dict[str, Rule]] = {}
        self.default_domain = default_domain

        self.redirecting: set[Any] = set()
        """Endpoints of which some rule has defaults, an alias, or a redirect: a match may not be the last word."""

        self._root = State()
        self._depth = 1

    def add(self, rule: Rule) -> None:
        """Take in a bound rule. Rules that only build URLs are left out."""
        if rule.build_only:
            return
        state = self._root
        for part in rule.parts:
            state = state.child(part)
        state.rules.append(rule)
        self._depth = max(self._depth, len(rule.parts))
        self._list(rule, state)

    def relist(self, rule: Rule) -> None:
        """Take note of what `rule`, which is in the table, says now. The tree itself asks the rules."""
        if not rule.build_only:
            state = self._root
            for part in rule.parts:
                state = state.child(part)
            self._list(rule, state)

    def _list(self, rule: Rule, state: State) -> None:
        if rule.defaults or rule.alias or rule.redirect_to is not None:
            self.redirecting.add(rule.endpoint)
        if all(part.static for part in rule.parts):
            self._list_literal(rule.parts, state)

    def _list_literal(self, parts: tuple[Part, ...], state: State) -> None:
        path = "/".join([part.content for part in parts[1:]])
        # A request's path never begins with two slashes when it is matched.
        if parts[0].content != self.default_domain or path.startswith("//"):
            return
        by_method: dict[str, Rule] = {}
        seen: set[str] = set()
        for rule in state.rules:
            if rule.websocket:
                continue
            methods = ORDINARY_METHODS if rule.methods is None else rule.methods
            if not (rule.defaults or rule.alias or rule.redirect_to is not None):
                by_method.update({method: rule for method in methods if method not in seen})
            seen.update(methods)
            if rule.methods is None:
                break
        if by_method:
            self.literal[path] = by_method
        else:
            self.literal.pop(path, None)

    def find(
        self,
        domain: str,
        path: str,
        method: str,
        websocket: bool = False,
        walk: Walk | None = None,
    ) -> tuple[Rule, dict[str, Any]]:
        """Return the rule for a request and the values for its view.

        Args:
            domain: the subdomain, or the host where the map matches hosts.
            path: the decoded path. It begins with one slash, or is empty.
            method: the method, in upper case.
            websocket: whether it is a WebSocket's.
            walk: goes through the tree, and takes notes on its way; None: nobody looks on.

        Raises:
            RequestPath: a rule matches when the path is written with a slash at its end, or with single slashes.
            NoMatch: none matches.
        """
        # PERF: segments beyond the deepest rule stay in one piece: 8 KiB of "a/" take 2 µs, not 150.
        segments = path.split("/", self._depth)
        if walk is None:
            state = self._root.static.get(domain)
            if state is not None:
                try:
                    first = straight(state, segments, method, websocket)
                except ValidationError:
                    first = None
                if first is not None:
                    return first
            walk = Walk(segments, method, websocket)
        else:
            walk.segments = segments
            walk.count = len(segments)
        try:
            found = self._walk(walk, domain)
            if found is not None:
                return found[0], found[0].convert(found[1])
            if self.merge_slashes and "//" in path:
                path = _SLASHES.sub("/", path)
                walk.segments = path.split("/", self._depth)
                walk.count = len(walk.segments)
                found = self._walk(walk, domain)
                if found is not None and found[0].merge_slashes is not False:
                    raise RequestPath(path)
        except SlashRequired:
            raise RequestPath(f"{path}/") from None
        except ValidationError:
            pass  # Werkzeug tries no other rule then, and nor do we.
        raise NoMatch(walk.allowed, walk.websocket_mismatch)

    def _walk(self, walk: Walk, domain: str) -> Found | None:
        root = self._root
        if root.dynamic:
            walk.segments = [domain, *walk.segments]
            walk.count += 1
            return walk.descend(root, 0, ())
        state = root.static.get(domain)
        return None if state is None else walk.descend(state, 0, ())

    def match(
        self, method: str, path: str, domain: str = "", websocket: bool = False
    ) -> tuple[Rule, dict[str, Any]]:
        """Return the rule for a request, and the values for its view.

        Args:
            method: the method, in upper case.
            path: the decoded path.
            domain: the subdomain, or the host where the map matches hosts.
            websocket: whether it is a WebSocket's.

        Raises:
            NotFound: no rule matches the path.
            MethodNotAllowed: rules match the path, for other methods.
            WebsocketMismatch: rules match, for WebSocket requests only, or for all others only.
            AdapterNeeded: `MapAdapter.match` has to decide: it may raise a redirect, which needs scheme and host.
        """
        if path[:2] == "//" or path[:1] != "/":
            path = f"/{path.lstrip('/')}" if path else ""
        elif not self.redirecting and (state := self._root.static.get(domain)) is not None:
            # PERF: the first step of `find`, without that call.
            try:
                first = straight(state, path.split("/", self._depth), method, websocket)
            except ValidationError:
                first = None
            if first is not None:
                return first
        try:
            found = self.find(domain, path, method, websocket)
        except NoMatch as error:
            raise self.verdict(error) from None
        except RequestPath:
            raise AdapterNeeded from None
        if self.redirecting and found[0].endpoint in self.redirecting:
            raise AdapterNeeded
        return found

    @staticmethod
    def verdict(no_match: NoMatch) -> MethodNotAllowed | WebsocketMismatch | NotFound:
        """Return the error that answers a request for which there is no match."""
        if no_match.have_match_for:
            return MethodNotAllowed(valid_methods=sorted(no_match.have_match_for))
        if no_match.websocket_mismatch:
            return WebsocketMismatch()
        return NotFound()

    def duplicates(self) -> Iterator[tuple[Rule, Rule]]:
        """Iterate over pairs of rules that match the same requests, so that the second of them never does.

        Not among them: rules that differ in their methods; OPTIONS, and HEAD beside GET, do not count, since they
        are added by themselves. Nor two rules that lead to the same endpoint with the same arguments.
        """
        for state in self._root.states():
            for index, second in enumerate(state.rules):
                for first in state.rules[:index]:
                    same = first.endpoint == second.endpoint and first.arguments == second.arguments
                    if first.websocket == second.websocket and not same and _overlap(first, second):
                        yield first, second


def _overlap(first: Rule, second: Rule) -> bool:
    if first.methods is None or second.methods is None:
        return True
    meant = second.methods - {"OPTIONS"}
    if "GET" in meant:
        meant -= {"HEAD"}
    return bool(first.methods & meant)
