"""Entity tags: opaque validators of a representation, strong or weak (RFC 9110 §8.8.3)."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator

_ENTITY_TAG = re.compile(r'[ \t]*+([Ww]/)?(?:"([^"]*+)"|([^",\s]++))[ \t]*+(?:,[ \t,]*+|$)')


class ETags(Collection[str]):
    """The entity tags of If-Match or If-None-Match, or ``*``, which stands for any.

    Tags are held and asked for without quotes. ``in`` and `contains` compare strongly, `contains_weak` weakly (RFC 9110
    §8.8.3.2). (Werkzeug: ``ETags``.)

    Attributes:
        star_tag: whether it is ``*``.
    """

    def __init__(
        self,
        strong_etags: Iterable[str] | None = None,
        weak_etags: Iterable[str] | None = None,
        star_tag: bool = False,
    ) -> None:
        self.star_tag = star_tag
        # Dictionaries for their order: what is written is what was read.
        self._strong = dict.fromkeys(() if star_tag else strong_etags or ())
        self._weak = dict.fromkeys(() if star_tag else weak_etags or ())

    def as_set(self, include_weak: bool = False) -> set[str]:
        """Return a plain set of the strong tags, and of the weak ones if asked to."""
        return {*self._strong, *self._weak} if include_weak else set(self._strong)

    def is_weak(self, etag: str) -> bool:
        """Whether a tag is listed as weak."""
        return etag in self._weak

    def is_strong(self, etag: str) -> bool:
        """Whether a tag is listed as strong."""
        return etag in self._strong

    def contains_weak(self, etag: str) -> bool:
        """Whether a tag matches by weak comparison: any listed tag of the same opaque value."""
        return self.star_tag or etag in self._strong or etag in self._weak

    def contains(self, etag: str) -> bool:
        """Whether a strong tag matches by strong comparison: a listed strong tag of the same opaque value."""
        return self.star_tag or etag in self._strong

    def contains_raw(self, etag: str) -> bool:
        """Whether a tag in its quoted form matches: weakly if it is weak, strongly otherwise."""
        opaque, weak = unquote_etag(etag)
        if opaque is None:
            return False
        return self.contains_weak(opaque) if weak else self.contains(opaque)

    def to_header(self) -> str:
        """Return the field value."""
        if self.star_tag:
            return "*"
        return ", ".join(
            [
                *(quote_etag(tag) for tag in self._strong),
                *(quote_etag(tag, weak=True) for tag in self._weak),
            ]
        )

    def __call__(
        self, etag: str | None = None, data: bytes | None = None, include_weak: bool = False
    ) -> bool:
        """Whether a tag, or the tag that `generate_etag` makes of `data`, is contained.

        Raises:
            TypeError: neither is given.
        """
        if etag is None:
            if data is None:
                raise TypeError("'data' is required when 'etag' is not given.")
            etag = generate_etag(data)
        return self.contains_weak(etag) if include_weak else self.contains(etag)

    def __contains__(self, etag: object) -> bool:
        return isinstance(etag, str) and self.contains(etag)

    def __iter__(self) -> Iterator[str]:
        return iter(self._strong)

    def __len__(self) -> int:
        return len(self._strong)

    def __bool__(self) -> bool:
        return bool(self.star_tag or self._strong or self._weak)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ETags):
            return NotImplemented
        return (
            self.star_tag == other.star_tag
            and self._strong.keys() == other._strong.keys()
            and self._weak.keys() == other._weak.keys()
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def quote_etag(etag: str, weak: bool = False) -> str:
    """Return a tag in its quoted form.

    Raises:
        ValueError: it contains a double quote, for which there is no escape (RFC 9110 §8.8.3).
    """
    if '"' in etag:
        raise ValueError(f"an entity tag cannot contain a double quote: {etag[:100]!r}")
    return f'W/"{etag}"' if weak else f'"{etag}"'


def unquote_etag(etag: str | None) -> tuple[str, bool] | tuple[None, None]:
    """Return (opaque value, whether it is weak) of a tag in its quoted form; (None, None) for none.

    A tag without quotes is taken as it is, since servers and clients write such.
    """
    if not etag:
        return None, None
    text = etag.strip(" \t")
    weak = text[:2] in ("W/", "w/")
    if weak:
        text = text[2:]
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return text, weak


def parse_etags(value: str | None) -> ETags:
    """Read the value of If-Match or If-None-Match.

    Unquoted tags are taken too. Where the list breaks off its form nothing of it counts: better no match than a wrong
    one. Takes time linear in the length.
    """
    if not value:
        return ETags()
    text = value.strip(" \t,")
    if text == "*":
        return ETags(star_tag=True)
    strong: list[str] = []
    weak: list[str] = []
    position = 0
    while position < len(text):
        match = _ENTITY_TAG.match(text, position)
        if match is None:
            return ETags()
        weak_mark, quoted, bare = match.groups()
        tag = bare if quoted is None else quoted
        (weak if weak_mark else strong).append(tag)
        position = match.end()
    return ETags(strong, weak)


def generate_etag(data: bytes) -> str:
    """Return an entity tag for `data`, unquoted: the SHA-1 of it, as Flask has it."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
