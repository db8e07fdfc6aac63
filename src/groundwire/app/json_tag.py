"""JSON that gives back the types it was given: what session cookies hold.

A value that JSON does not know becomes an object with one key, its tag: ``{" t": [1, 2]}`` is a tuple. The text is
Flask's to the byte, so each reads what the other wrote (https://flask.palletsprojects.com/api/#flask.json.tag).
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from markupsafe import Markup

from ..http.dates import http_date, parse_date
from . import json


class JSONTag:
    """How values of one type are written, and read again. Base of what `TaggedJSONSerializer.register` takes.

    Args:
        serializer: what it is registered with, for values within values.
    """

    __slots__ = ("serializer",)

    key: str = ""
    """The tag. A class without one only says how values of its type are gone through."""

    def __init__(self, serializer: "TaggedJSONSerializer") -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Tell whether this is the tag for `value`."""
        raise NotImplementedError(f"{type(self).__name__} has to define 'check'.")

    def to_json(self, value: Any) -> Any:
        """Return what stands for `value` behind the tag: something that JSON knows."""
        raise NotImplementedError(f"{type(self).__name__} has to define 'to_json'.")

    def to_python(self, value: Any) -> Any:
        """Return the value for which `value` stood behind the tag."""
        raise NotImplementedError(f"{type(self).__name__} has to define 'to_python'.")

    def tag(self, value: Any) -> Any:
        """Return `value` as JSON knows it, tag and all."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dict that looks like a tag, because its one key is one: two underscores behind the key tell it apart."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        """Tell whether `value` is a dict whose only key is a registered tag."""
        if not isinstance(value, dict) or len(value) != 1:  # pyright: ignore[reportUnknownArgumentType]
            return False
        (key,) = cast("dict[str, Any]", value)
        return key in self.serializer.tags

    def to_json(self, value: Any) -> Any:
        """Return the dict with the key made unlike a tag."""
        ((key, inner),) = value.items()
        return {f"{key}__": self.serializer.tag(inner)}

    def to_python(self, value: Any) -> Any:
        """Return the dict with the key as it was."""
        ((key, inner),) = value.items()
        return {key[:-2]: inner}


class PassDict(JSONTag):
    """Any other dict: only its values are tagged, as the keys of JSON are strings."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        """Tell whether `value` is a dict."""
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        """Return the dict with its values tagged."""
        tag = self.serializer.tag
        return {key: tag(inner) for key, inner in value.items()}

    tag = to_json


class TagTuple(JSONTag):
    """A tuple, as a list."""

    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        """Tell whether `value` is a tuple."""
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        """Return the items, tagged, as a list."""
        tag = self.serializer.tag
        return [tag(item) for item in value]

    def to_python(self, value: Any) -> Any:
        """Return the items as a tuple."""
        return tuple(value)


class PassList(JSONTag):
    """A list: its items are tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        """Tell whether `value` is a list."""
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        """Return the list with its items tagged."""
        tag = self.serializer.tag
        return [tag(item) for item in value]

    tag = to_json


class TagBytes(JSONTag):
    """Bytes, in base64."""

    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        """Tell whether `value` is bytes."""
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        """Return the bytes in base64."""
        return b64encode(value).decode("ascii")

    def to_python(self, value: Any) -> Any:
        """Return the bytes."""
        return b64decode(value)


class TagMarkup(JSONTag):
    """Whatever has `__html__`, as that text; it comes back as `Markup`."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        """Tell whether `value` can say what it is in HTML."""
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        """Return the HTML."""
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        """Return the HTML as text that is not escaped again."""
        # Who could write it here has the key that signs it.
        return Markup(value)


class TagUUID(JSONTag):
    """A UUID, as 32 hexadecimal digits."""

    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        """Tell whether `value` is a UUID."""
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        """Return the digits."""
        return value.hex

    def to_python(self, value: Any) -> Any:
        """Return the UUID."""
        return UUID(value)


class TagDateTime(JSONTag):
    """A point in time, to the second and in UTC, as HTTP writes it."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        """Tell whether `value` is a datetime."""
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        """Return the HTTP date."""
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        """Return the point in time, with its zone."""
        return parse_date(value)


class TaggedJSONSerializer:
    """Writes and reads tagged JSON: dicts, lists, tuples, bytes, markup, UUIDs and datetimes, and what is registered.

    It is what itsdangerous calls a serializer. (Flask: ``flask.json.tag.TaggedJSONSerializer``.)
    """

    __slots__ = ("order", "tags")

    default_tags: ClassVar[Sequence[type[JSONTag]]] = [
        *(TagDict, PassDict, TagTuple, PassList, TagBytes, TagMarkup, TagUUID, TagDateTime),
    ]
    """What each is made with."""

    tags: dict[str, JSONTag]
    """By their keys: what reading looks at."""

    order: list[JSONTag]
    """What writing asks, one after the other; the first that says yes writes."""

    def __init__(self) -> None:
        self.tags = {}
        self.order = []
        for tag_class in self.default_tags:
            self.register(tag_class)

    def register(
        self, tag_class: type[JSONTag], force: bool = False, index: int | None = None
    ) -> None:
        """Add a tag.

        Args:
            tag_class: its class.
            force: whether it may take the place of one with the same key.
            index: where it is asked; by default last. One for a subclass of what another takes has to come before.

        Raises:
            KeyError: the key is taken, and `force` is not set.
        """
        tag = tag_class(self)
        if tag.key:
            if not force and tag.key in self.tags:
                raise KeyError(f"Tag {tag.key!r} is already registered.")
            self.tags[tag.key] = tag
        self.order.insert(len(self.order) if index is None else index, tag)

    def tag(self, value: Any) -> Any:
        """Return `value` as JSON knows it."""
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """Return what a dict stands for, whose values are untagged already."""
        if len(value) != 1:
            return value
        ((key, inner),) = value.items()
        tag = self.tags.get(key)
        return value if tag is None else tag.to_python(inner)

    def _untag_all(self, value: Any) -> Any:
        if isinstance(value, dict):
            inner = cast("Any", value)
            return self.untag({key: self._untag_all(item) for key, item in inner.items()})
        if isinstance(value, list):
            return [self._untag_all(item) for item in cast("Any", value)]
        return value

    def dumps(self, value: Any) -> str:
        """Return `value` as tagged JSON, without white space."""
        return json.dumps(self.tag(value), separators=(",", ":"))

    def loads(self, value: str | bytes) -> Any:
        """Return the value that tagged JSON says."""
        return self._untag_all(json.loads(value))
