"""The lessons: their pages as written, taken apart into text, programs and requests.

A page is Markdown. Two kinds of fenced block stand for what is put in their place:

``program NAME``
    the file of that name, from `programs/`;

``exchange WORDS``
    requests, which are sent, and what comes of it. Several are parted by a line of three hyphens. WORDS may be
    ``twin``: they go to the lesson's second program; ``kept``: they follow each other on one connection;
    ``pipelined``: they are sent at once; and ``crlf``: lines of their content end in CR LF too, and an empty one ends
    it, as with chunks. ``{ETag}`` in a request is that field of the answer before.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from .asking import as_request

FOLDER: Final = Path(__file__).parent
PAGES: Final = FOLDER / "pages"
PROGRAMS: Final = FOLDER / "programs"
STARTERS: Final = FOLDER / "starters"

BLOCK: Final = re.compile(r"^```(program|exchange)(?: ([\w. ]+))?\n(.*?)^```\n", re.M | re.S)
BETWEEN_REQUESTS: Final = re.compile(r"^---\n", re.MULTILINE)


class Exchange(NamedTuple):
    """Requests that a page has sent."""

    requests: tuple[bytes, ...]
    words: frozenset[str]

    @property
    def to_twin(self) -> bool:
        """Whether they go to the lesson's second program."""
        return "twin" in self.words

    @property
    def label(self) -> str:
        """The request lines, for a button."""
        lines = [request.partition(b"\r\n")[0].decode() for request in self.requests]
        names = list(dict.fromkeys(line.rpartition(" ")[0] or line for line in lines))
        times = f", {len(lines)} times" if len(lines) > len(names) else ""
        return f"{', '.join(names)}{times}"


class Lesson(NamedTuple):
    """One page, with what belongs to it."""

    number: int
    slug: str
    """What its addresses and files are called, for example ``08-the-301-of-a-url-shortener``."""

    title: str
    source: str
    """The page, its blocks not replaced."""

    program: Path
    """What answers the page's requests."""

    twin: Path | None
    """A second program that gives the same answers, where there is one."""

    beside: Path | None
    """A program that the others talk to, where there is one; they find its URL in `BESIDE_VARIABLE`."""

    starter: Path
    """What the learner begins the task with."""

    exchanges: tuple[Exchange, ...]


BESIDE_VARIABLE: Final = "WEATHER_API"

_TWINS: Final = {
    1: "hello.py",
    2: "split_by_groundwire.py",
    3: "registry_of_groundwire.py",
}
_BESIDE: Final = {12: "weather_api.py"}


@cache
def lessons() -> tuple[Lesson, ...]:
    """Return all lessons, in order."""
    return tuple(map(_read, sorted(PAGES.glob("*.md"))))


def _read(page: Path) -> Lesson:
    source = page.read_text(encoding="utf-8")
    number = int(page.stem[:2])
    title = source.partition("\n")[0].removeprefix("# ")
    programs = [match[2] for match in BLOCK.finditer(source) if match[1] == "program"]
    exchanges = tuple(
        as_exchange(match[3], match[2] or "")
        for match in BLOCK.finditer(source)
        if match[1] == "exchange"
    )
    twin, beside = _TWINS.get(number), _BESIDE.get(number)
    return Lesson(
        number=number,
        slug=page.stem,
        title=title,
        source=source,
        program=PROGRAMS / programs[0],
        twin=PROGRAMS / twin if twin else None,
        beside=PROGRAMS / beside if beside else None,
        starter=STARTERS / f"my_{programs[0]}",
        exchanges=exchanges,
    )


def as_exchange(text: str, words: str) -> Exchange:
    """Return the requests that stand in a block."""
    of_block = frozenset(words.split())
    requests = [as_request(one) for one in BETWEEN_REQUESTS.split(text)]
    if "crlf" in of_block:
        plain = [request.replace(b"\r\n", b"\n").rstrip(b"\n") for request in requests]
        requests = [request.replace(b"\n", b"\r\n") + b"\r\n\r\n" for request in plain]
    return Exchange(tuple(requests), of_block)
