"""URLs from values: a rule's static texts are quoted once, when the rule is bound; building joins them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from ...http.multidict import iterate_pairs
from .converters import BaseConverter, quote_path

QUERY_SAFE = "!$'()*,/:;?@"
"""What a query may hold unquoted inside of names and values (the URL standard's query percent-encode set)."""


def encode_query(query: Any) -> str:
    """Return a query string of a mapping or an iterable of pairs; pairs without a value (None) are left out."""
    pairs = [(name, value) for name, value in iterate_pairs(query) if value is not None]
    return urlencode(pairs, safe=QUERY_SAFE)


class Template:
    """A domain or a path, with room for the values of its variables.

    Args:
        trace: its pieces in order, as (is variable, text or variable's name).
        converters: the converter of each variable.
        defaults: values that are part of the text, by variable.
    """

    __slots__ = ("_format", "text", "variables")

    text: str | None
    """The whole of it, where it has no variables."""

    variables: list[tuple[str, BaseConverter]]
    """Those that need a value, in order."""

    def __init__(
        self,
        trace: Iterable[tuple[bool, str]],
        converters: Mapping[str, BaseConverter],
        defaults: Mapping[str, Any],
    ) -> None:
        self.variables = []
        pieces: list[str] = []
        for is_variable, text in trace:
            if is_variable and text not in defaults:
                self.variables.append((text, converters[text]))
                pieces.append("%s")
                continue
            quoted = converters[text].to_url(defaults[text]) if is_variable else quote_path(text)
            pieces.append(quoted.replace("%", "%%"))
        self._format = "".join(pieces)
        self.text = None if self.variables else self._format % ()

    def fill(self, values: Mapping[str, Any]) -> str:
        """Return the text with `values` in it. Raises KeyError for one that is missing, and what converters raise."""
        variables = self.variables
        if len(variables) == 1:
            name, converter = variables[0]
            return self._format % (converter.to_url(values[name]),)
        return self._format % tuple(
            [converter.to_url(values[name]) for name, converter in variables]
        )


class UrlBuilder:
    """Builds the URLs of one rule.

    Args:
        domain: the rule's subdomain or host.
        path: its path.
        defaults: the rule's defaults.
        sort_parameters: whether the query is sorted, by `sort_key` where there is one.
        sort_key: what to sort pairs by.
    """

    __slots__ = ("_domain", "_path", "known", "sort_key", "sort_parameters")

    known: frozenset[str]
    """What does not go into the query: the variables, and the names that have a default."""

    def __init__(
        self,
        domain: Template,
        path: Template,
        defaults: Mapping[str, Any],
        sort_parameters: bool = False,
        sort_key: Callable[[Any], Any] | None = None,
    ) -> None:
        self._domain = domain
        self._path = path
        variables = [*domain.variables, *path.variables]
        self.known = frozenset([*(name for name, _ in variables), *map(str, defaults)])
        self.sort_parameters = sort_parameters
        self.sort_key = sort_key

    def build(self, values: Mapping[str, Any], append_unknown: bool) -> tuple[str, str]:
        """Return (domain part, path with query).

        Raises:
            KeyError: a variable has no value.
            ValidationError: a converter refuses its value; other exceptions pass through.
        """
        domain, path = self._domain.text, self._path.text
        if domain is None:
            domain = self._domain.fill(values)
        if path is None:
            path = self._path.fill(values)
        known = self.known
        if append_unknown and values and not known.issuperset(values):
            query = self._encode({name: values[name] for name in values if name not in known})
            if query:
                path = f"{path}?{query}"
        return domain, path

    def _encode(self, unknown: Mapping[str, Any]) -> str:
        if self.sort_parameters:
            return encode_query(sorted(iterate_pairs(unknown), key=self.sort_key))
        return encode_query(unknown)
