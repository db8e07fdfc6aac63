"""Converters: what a variable part of a rule matches, and its value in Python and in a URL.

Names and arguments are Werkzeug's (``werkzeug.routing``), which Flask documents under "URL Route Registrations".
"""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

PATH_SAFE = "!$&'()*+,/:;=@"
"""What a path may hold unquoted, besides letters, digits and ``-._~`` (the URL standard's path segments, and ``/``)."""

_PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,/:;=@]*")


def quote_path(text: str) -> str:
    """Percent-encode what cannot stand in the path of a URL, as UTF-8."""
    # PERF: 0.2 µs where there is nothing to encode; urllib's quote takes 0.9.
    return text if _PLAIN_PATH.fullmatch(text) else quote(text, safe=PATH_SAFE)


class ValidationError(ValueError):
    """A converter's `to_python` raises it for a value that is not in its range: the rule does not match then."""


class BaseConverter:
    """What every converter inherits. Register one with ``app.url_map.converters["name"] = MyConverter``.

    Arguments in the rule, ``<name(1, key=2):variable>``, come after `map`.
    """

    regex = "[^/]+"
    """What the variable matches."""

    weight = 100
    """Where variables compete for a segment, the lowest weight is tried first."""

    part_isolating = True
    """Whether a value lies within one segment. False by itself in a class whose `regex` holds a ``/``."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "regex" in cls.__dict__ and "part_isolating" not in cls.__dict__:
            cls.part_isolating = "/" not in cls.regex

    def __init__(self, map: Any, *args: Any, **kwargs: Any) -> None:
        self.map = map

    def to_python(self, value: str) -> Any:
        """Return the value that a view gets. Raises `ValidationError` to refuse it."""
        return value

    def to_url(self, value: Any) -> str:
        """Return what stands in the URL for `value`, percent-encoded."""
        text = str(value)
        return text if _PLAIN_PATH.fullmatch(text) else quote(text, safe=PATH_SAFE)


class UnicodeConverter(BaseConverter):
    """``string``, which is also the default: text without a slash.

    Args:
        map: the map of the rule.
        minlength: how many characters it has at least.
        maxlength: how many at most; None: any number.
        length: how many exactly, instead of the other two.
    """

    def __init__(
        self,
        map: Any,
        minlength: int = 1,
        maxlength: int | None = None,
        length: int | None = None,
    ) -> None:
        super().__init__(map)
        if length is not None:
            count = f"{int(length)}"
        else:
            count = f"{int(minlength)},{'' if maxlength is None else int(maxlength)}"
        self.regex = f"[^/]{{{count}}}"


class AnyConverter(BaseConverter):
    """``any(about, help, "a b")``: one of the given texts.

    Raises:
        ValueError: from `to_url`, for a value that is none of them.
    """

    def __init__(self, map: Any, *items: Any) -> None:
        super().__init__(map)
        texts = [str(item) for item in items]
        self.items = set(texts)
        self.regex = f"(?:{'|'.join([re.escape(text) for text in texts])})"

    def to_url(self, value: Any) -> str:
        """Return `value`. Raises ValueError if it is none of the texts."""
        if value in self.items:
            return str(value)
        valid = ", ".join(f"'{item}'" for item in sorted(self.items))
        raise ValueError(f"'{value}' is not one of {valid}")


class PathConverter(BaseConverter):
    """``path``: text that may hold slashes, but not begin with one."""

    part_isolating = False
    regex = "[^/].*?"
    weight = 200


class NumberConverter(BaseConverter):
    """What `IntegerConverter` and `FloatConverter` have in common.

    Args:
        map: the map of the rule.
        fixed_digits: how many digits the number is written with, zeros before it; 0: as many as it has.
        min: the smallest number that matches.
        max: the greatest number that matches.
        signed: whether it may have a minus sign.
    """

    weight = 50
    num_convert: Callable[[Any], Any] = int

    def __init__(
        self,
        map: Any,
        fixed_digits: int = 0,
        min: float | None = None,
        max: float | None = None,
        signed: bool = False,
    ) -> None:
        if signed:
            self.regex = self.signed_regex
        super().__init__(map)
        self.fixed_digits = fixed_digits
        self.min = min
        self.max = max
        self.signed = signed

    def to_python(self, value: str) -> Any:
        """Return the number. Raises `ValidationError` if it has other digits or lies outside the range."""
        if self.fixed_digits and len(value) != self.fixed_digits:
            raise ValidationError
        try:
            number = self.num_convert(value)
        except ValueError as error:  # more digits than Python converts (sys.set_int_max_str_digits)
            raise ValidationError from error
        if (self.min is not None and number < self.min) or (
            self.max is not None and number > self.max
        ):
            raise ValidationError
        return number

    def to_url(self, value: Any) -> str:
        """Return the number's digits. Raises ValueError or TypeError if it is none."""
        text = str(self.num_convert(value))
        return text.zfill(self.fixed_digits) if self.fixed_digits else text

    @property
    def signed_regex(self) -> str:
        """What matches with a minus sign or without."""
        return f"-?{self.regex}"


class IntegerConverter(NumberConverter):
    """``int``: a whole number, not negative unless ``signed=True``."""

    regex = r"\d+"


class FloatConverter(NumberConverter):
    """``float``: a number with a decimal point, not negative unless ``signed=True``."""

    regex = r"\d+\.\d+"
    num_convert = float

    def __init__(
        self,
        map: Any,
        min: float | None = None,
        max: float | None = None,
        signed: bool = False,
    ) -> None:
        super().__init__(map, min=min, max=max, signed=signed)


class UUIDConverter(BaseConverter):
    """``uuid``: a UUID, written in its five groups (RFC 9562 §4)."""

    regex = "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}"

    def to_python(self, value: str) -> uuid.UUID:
        """Return the UUID."""
        return uuid.UUID(value)

    def to_url(self, value: Any) -> str:
        """Return the UUID's text."""
        return str(value)


DEFAULT_CONVERTERS: Mapping[str, type[BaseConverter]] = {
    "default": UnicodeConverter,
    "string": UnicodeConverter,
    "any": AnyConverter,
    "path": PathConverter,
    "int": IntegerConverter,
    "float": FloatConverter,
    "uuid": UUIDConverter,
}
"""The converters every map knows, by the name a rule calls them."""


def regex_is_known(converter: BaseConverter) -> bool:
    """Whether the regex of `converter` is one of this module's, whose cost on any text is known."""
    owner = next(kind for kind in type(converter).__mro__ if "regex" in kind.__dict__)
    maker = next(kind for kind in type(converter).__mro__ if "__init__" in kind.__dict__)
    return owner.__module__ == __name__ and (
        maker.__module__ == __name__ or "regex" not in vars(converter)
    )
