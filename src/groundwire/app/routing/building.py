"""URLs from values: a rule's static texts are quoted once, when the rule is bound; building joins them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from ...http.multidict import iterate_pairs
from .converters import BaseConverter, quote_path

QUERY_SAFE = "!$'()*,/:;?@"
"""What a query may hold unquoted inside of names and values (the URL standard's query percent-encode set)."""

Operation = str | tuple[str, BaseConverter]
"""A text as it goes into the URL, or a variable's name and the converter of its value."""


def encode_query(query: Any) -> str:
    """Return a query string of a mapping or an iterable of pairs; pairs without a value (None) are left out."""
    pairs = [(name, value) for name, value in iterate_pairs(query) if value is not None]
    return urlencode(pairs, safe=QUERY_SAFE)


class UrlBuilder:
    """Builds the URLs of one rule.

    Args:
        domain: the rule's subdomain or host, as (is variable, text or variable's name) in order.
        path: its path, likewise.
        converters: the converter of each variable.
        defaults: the rule's defaults. A variable that has one is part of the text.
        sort_parameters: whether the query is sorted, by `sort_key` where there is one.
        sort_key: what to sort pairs by.
    """

    __slots__ = ("_domain", "_path", "known", "sort_key", "sort_parameters")

    known: frozenset[str]
    """What does not go into the query: the variables, and the names that have a default."""

    def __init__(
        self,
        domain: Iterable[tuple[bool, str]],
        path: Iterable[tuple[bool, str]],
        converters: Mapping[str, BaseConverter],
        defaults: Mapping[str, Any],
        sort_parameters: bool = False,
        sort_key: Callable[[Any], Any] | None = None,
    ) -> None:
        self._domain = _operations(domain, converters, defaults)
        self._path = _operations(path, converters, defaults)
        self.known = frozenset(
            [operation[0] for operation in self._domain + self._path if type(operation) is tuple]
        ) | {str(name) for name in defaults}
        self.sort_parameters = sort_parameters
        self.sort_key = sort_key

    def build(self, values: Mapping[str, Any], append_unknown: bool) -> tuple[str, str]:
        """Return (domain part, path with query).

        Raises:
            KeyError: a variable has no value.
            ValidationError: a converter refuses its value; other exceptions pass through.
        """
        domain = _join(self._domain, values)
        path = _join(self._path, values)
        if append_unknown and not self.known.issuperset(values):
            known = self.known
            query = self._encode({name: values[name] for name in values if name not in known})
            if query:
                path = f"{path}?{query}"
        return domain, path

    def _encode(self, unknown: Mapping[str, Any]) -> str:
        if self.sort_parameters:
            return encode_query(sorted(iterate_pairs(unknown), key=self.sort_key))
        return encode_query(unknown)


def _operations(
    trace: Iterable[tuple[bool, str]],
    converters: Mapping[str, BaseConverter],
    defaults: Mapping[str, Any],
) -> list[Operation]:
    operations: list[Operation] = []
    for is_variable, text in trace:
        if is_variable and text not in defaults:
            operations.append((text, converters[text]))
            continue
        quoted = converters[text].to_url(defaults[text]) if is_variable else quote_path(text)
        previous = operations[-1] if operations else None
        if isinstance(previous, str):
            operations[-1] = previous + quoted
        else:
            operations.append(quoted)
    return operations


def _join(operations: list[Operation], values: Mapping[str, Any]) -> str:
    if len(operations) == 1 and type(operations[0]) is str:
        return operations[0]
    return "".join(
        [
            operation if isinstance(operation, str) else operation[1].to_url(values[operation[0]])
            for operation in operations
        ]
    )
