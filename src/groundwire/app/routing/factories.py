"""Factories that put rules under a prefix, a subdomain, or into a template (Werkzeug: "Rule Factories")."""

from collections.abc import Iterable, Iterator, Mapping
from string import Template
from typing import Any

from .rules import Rule, RuleFactory


class Subdomain(RuleFactory):
    """The same rules on the subdomain `subdomain`, which may have placeholders."""

    def __init__(self, subdomain: str, rules: Iterable[RuleFactory]) -> None:
        self.subdomain = subdomain
        self.rules = rules

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Yield the rules."""
        for factory in self.rules:
            for rule in factory.get_rules(map):
                copy = rule.empty()
                copy.subdomain = self.subdomain
                yield copy


class Submount(RuleFactory):
    """The same rules with `path` before theirs."""

    def __init__(self, path: str, rules: Iterable[RuleFactory]) -> None:
        self.path = path.rstrip("/")
        self.rules = rules

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Yield the rules."""
        for factory in self.rules:
            for rule in factory.get_rules(map):
                copy = rule.empty()
                copy.rule = self.path + rule.rule
                yield copy


class EndpointPrefix(RuleFactory):
    """The same rules with `prefix` before their endpoints, which have to be strings."""

    def __init__(self, prefix: str, rules: Iterable[RuleFactory]) -> None:
        self.prefix = prefix
        self.rules = rules

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Yield the rules."""
        for factory in self.rules:
            for rule in factory.get_rules(map):
                copy = rule.empty()
                copy.endpoint = f"{self.prefix}{rule.endpoint}"
                yield copy


class RuleTemplate:
    """Rules with ``$name`` in their texts; calling it with ``name=value`` makes the rules of one case."""

    def __init__(self, rules: Iterable[RuleFactory]) -> None:
        self.rules = list(rules)

    def __call__(self, *args: Any, **kwargs: Any) -> "RuleTemplateFactory":
        """Return a factory of the rules with these values in them."""
        return RuleTemplateFactory(self.rules, dict(*args, **kwargs))


class RuleTemplateFactory(RuleFactory):
    """What calling a `RuleTemplate` makes."""

    def __init__(self, rules: Iterable[RuleFactory], context: Mapping[str, Any]) -> None:
        self.rules = rules
        self.context = context

    def _filled(self, value: Any) -> Any:
        return Template(value).substitute(self.context) if isinstance(value, str) else value

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Yield the rules, filled in. Raises KeyError for a ``$name`` without a value."""
        for factory in self.rules:
            for rule in factory.get_rules(map):
                copy = rule.empty()
                copy.rule = self._filled(rule.rule)
                copy.endpoint = self._filled(rule.endpoint)
                copy.subdomain = self._filled(rule.subdomain)
                if rule.defaults:
                    copy.defaults = {
                        name: self._filled(value) for name, value in rule.defaults.items()
                    }
                yield copy
