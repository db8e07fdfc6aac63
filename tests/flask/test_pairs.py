"""Each request to each of the programs is answered as Flask answers it.

What is meant to differ is named here, with its reason; the guide "Coming from Flask" tells of all of it.
"""

import re
from typing import Any

import pytest

from groundwire.http.dates import parse_date
from pairing import Answer, Raised, answers, program_names, request_line, requests_of

PAIRS_PROMISED = 150

DELIBERATE = {
    ("files", 10): "RFC 9110 §13.2.2: If-Unmodified-Since that does not hold is answered with 412",
    ("limits", 3): "MAX_FORM_MEMORY_SIZE is for every form, not for multipart alone",
    ("overrides", 15): "provide_automatic_options=True adds OPTIONS, as documented, in any case",
    ("uploads", 12): "a multipart form that is cut short is refused, not taken for an empty one",
    ("request_attributes", 5): "cookies are read as UTF-8",
    ("request_attributes", 6): "RFC 6265bis §5.6: a semicolon ends a cookie within quotes too",
    (
        "response_attributes",
        7,
    ): "parameters of a field outside ASCII are written as RFC 8187 has it",
    ("response_attributes", 8): "the same, for HEAD",
    ("queries", 34): "octets that are no UTF-8 become U+FFFD; the rest of the form stays",
    ("multipart", 37): "RFC 7578 §4.2: a part has a name",
    ("multipart", 38): "RFC 7578 §4.2: a part has a Content-Disposition",
    ("multipart", 39): "RFC 2046 §5.1.1: content has no line that begins with the boundary",
    ("multipart", 40): "a multipart form without a boundary is refused",
    ("multipart", 41): "so is one with another boundary than its content has",
    ("multipart", 42): "RFC 2046 §5.1.1: lines end in CR LF",
    ("multipart", 43): "a backslash in a name stays where it quotes nothing",
    ("return_values", 96): "RFC 9110 §15.3.6: 205 has no content",
    ("return_values", 97): "a media type that has a charset is given no second one",
    ("conditions", 36): "RFC 9110 §14.2: an invalid range is passed over",
    ("conditions", 37): "RFC 9110 §14.2: so is one of an unknown unit",
    ("conditions", 38): "RFC 9110 §14.1.2: a suffix may be longer than the file",
    ("conditions", 39): "RFC 9110 §14.2: several ranges are answered",
    ("conditions", 40): "RFC 9110 §14.2: Range is for GET",
    ("conditions", 41): "RFC 9110 §13.1.1: * is any representation there is",
    ("conditions", 42): "a failed precondition is answered with an error page, not with the file",
    ("conditions", 43): "RFC 9110 §13.2.2: as in files",
    ("static_names", 26): "names that begin with a dot are not sent: they are often secrets",
    ("static_names", 27): "the same, of a folder",
    ("static_names", 28): "one file has one name",
    ("static_names", 29): "one file has one name",
    ("static_names", 30): "one file has one name",
}
"""Pairs whose answers are meant to differ: (program, number of the request)."""

FILE_ETAG = re.compile(r'"[0-9.]+-\d+-\d+"|"[0-9a-f]{10,}-[0-9a-f]+"')
"""The entity tag of a file: of its time and size in both, and of its path in Flask's; either is opaque."""

CLOCK_SECONDS = 60
"""Dates that lie so long from now may differ by what passed between two runs."""


def seconds_apart(one: str, other: str | None) -> float:
    """Return how far two dates are from each other; without end when one of them is none."""
    dates = [parse_date(one), parse_date(other or "")]
    if dates[0] is None or dates[1] is None:
        return float("inf")
    return abs((dates[0] - dates[1]).total_seconds())


def as_flasks(ours: Answer | Raised, flasks: Answer | Raised) -> Answer | Raised:
    """Return our answer without what is meant to be added to every answer of its kind."""
    if isinstance(ours, Raised) or isinstance(flasks, Raised):
        return ours
    theirs = dict(flasks.fields)
    fields = []
    for name, value in ours.fields:
        if name == "x-content-type-options" and name not in theirs:
            continue  # error pages and files are not to be taken for another type than they say
        if name == "vary":
            # Error pages are HTML, JSON or text, as Accept asks; what may be compressed depends on Accept-Encoding.
            kept = [
                token
                for token in value.split(", ")
                if token not in {"Accept", "Accept-Encoding"} or token in theirs.get("vary", "")
            ]
            if not kept:
                continue
            value = ", ".join(kept)
        if (
            name == "etag"
            and FILE_ETAG.fullmatch(value)
            and FILE_ETAG.fullmatch(theirs.get(name, ""))
        ):
            value = theirs[name]
        if name == "expires" and seconds_apart(value, theirs.get(name)) < CLOCK_SECONDS:
            value = theirs[name]  # so long from now, and the two were not asked in the same second
        fields.append((name, value))
    if "content-length" not in theirs:
        # Our server says how long what a WSGI application returned as a list is.
        fields = [field for field in fields if field != ("content-length", str(len(ours.content)))]
    disposition = theirs.get("content-disposition", "")
    if disposition.startswith("inline; filename=") and "content-disposition" not in dict(fields):
        fields.append(
            ("content-disposition", disposition)
        )  # static files: what a browser does anyway
    return ours._replace(fields=sorted(fields))


PAIRS = [
    pytest.param(name, number, id=f"{name}-{number}-{' '.join(request_line(step)[:2])}")
    for name in program_names()
    for number, step in enumerate(requests_of(name))
    if (name, number) not in DELIBERATE
]


def test_there_are_as_many_pairs_as_promised() -> None:
    assert len({pair.id for pair in PAIRS}) >= PAIRS_PROMISED


@pytest.mark.parametrize("way", ["client", "wire", "sockets"])
@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_the_answer_is_flasks(name: str, number: int, way: Any) -> None:
    flasks, ours = (side[number] for side in answers(name, way))

    assert as_flasks(ours, flasks) == flasks


@pytest.mark.parametrize(("name", "number"), DELIBERATE)
def test_what_is_meant_to_differ_differs(name: str, number: int) -> None:
    flasks, ours = (side[number] for side in answers(name, "sockets"))

    assert as_flasks(ours, flasks) != flasks
