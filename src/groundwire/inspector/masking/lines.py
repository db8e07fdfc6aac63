"""Finds secrets in heads and trailers, line by line.

This parses nothing: a message that was refused has no fields, and its secrets are no less secret. Lines end where a
line feed is, a name ends at a colon if there is one, and where a line is broken the rest of it is hidden when anything
before says that it might be secret.
"""

import re
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from .fields import in_field, in_request_line, in_url, is_secret_field_name
from .text import Secret, in_text, shifted, userinfo, userinfo_start


class Line(NamedTuple):
    """A line of a head with those that are folded onto it; offsets count from the first byte looked at."""

    start: int
    name_end: int
    """Where the colon is; the same as `start` when there is none."""
    end: int
    """Where the CR LF, or the LF, begins."""


_LINE: Final = re.compile(rb"([^\n]*+)(?:\n|$)")
_NO_NAME: Final = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BROKEN_NAME: Final = re.compile(
    rb"[A-Za-z0-9-]+(?:[^!#$%&'*+\-.^_`|~0-9A-Za-z]+[A-Za-z0-9-]|[\x00-\x08\x0a-\x1f\x7f-\xff])"
)
_FIRST_WORD: Final = re.compile(rb"[^A-Za-z0-9]*+([A-Za-z0-9_-]{1,64}+)[^A-Za-z0-9_\-]")
_NAME: Final = re.compile(rb"[A-Z][A-Za-z]*(?:-[A-Za-z]*)*")
"""What is most likely a name that is cut off, not the rest of a value."""
_LETTER_OR_DIGIT: Final = re.compile(rb"[0-9A-Za-z]")
_LAST_NAME: Final = re.compile(rb"[A-Za-z0-9_%\[\].-]{1,64}$")
_BEGUN_URL: Final = re.compile(rb":/{0,2}$")
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]+[ \t]*;")
# A request line that is none, but a field line, or the first line of a head without CR.
_LIKE_A_FIELD: Final = re.compile(rb"[^\s:/?=]{1,64}+\s{0,4}:(?!//)")
_CARRIED_BYTES: Final = 64


def lines_of(data: bytes, start: int, end: int) -> list[Line]:
    """Take the lines between two offsets apart; a line that begins with white space belongs to the one before.

    An empty line ends nothing here: it is left out.
    """
    lines: list[Line] = []
    for found in _LINE.finditer(data, start, end):
        first, last = found.span(1)
        if last > first and data[last - 1] == 0x0D:
            last -= 1
        if last == first:
            continue
        if data[first] in b" \t" and lines:
            lines[-1] = lines[-1]._replace(end=last)
            continue
        colon = data.find(b":", first, last)
        lines.append(Line(first, max(colon, first), last))
    return lines


def in_first_line(data: bytes, start: int, end: int) -> Iterator[Secret]:
    """Find the secrets in what should be a request line; lines may follow that a bare LF has joined to it."""
    line_feed = data.find(b"\n", start, end)
    line_end = end if line_feed < 0 else line_feed
    open_end = False
    for secret in in_request_line(data, start, line_end):
        yield secret
        open_end = open_end or secret.end >= line_end
    text = data[start:line_end]
    word = _FIRST_WORD.match(text)
    if _LIKE_A_FIELD.match(text) or (word is not None and is_secret_field_name(word[1])):
        yield from in_lines(data, start, line_end)
    if line_end < end:
        before = text[-_CARRIED_BYTES:]
        yield from in_lines(data, line_end + 1, end, before, hidden=open_end)


def in_lines(
    data: bytes, start: int, end: int, before: bytes = b"", *, hidden: bool = False
) -> Iterator[Secret]:
    """Find the secrets in all field lines between two offsets.

    Args:
        data: the octets.
        start: where the first line begins.
        end: where the last one ends.
        before: the end of the line before, in which a name may begin that a fault has cut in two.
        hidden: whether a secret was there up to its end: what has no colon may be the rest of it.
    """
    for line in lines_of(data, start, end):
        if line.name_end == line.start:
            hidden = yield from _in_broken_line(data, line, before, hidden=hidden)
        else:
            hidden = yield from _in_line(data, line, before)
        before = b"" if hidden else data[line.start : line.end][-_CARRIED_BYTES:]


def _in_line(data: bytes, line: Line, before: bytes) -> Generator[Secret, None, bool]:
    """Find what is secret in a line with a colon; return whether that may go on in the next."""
    text = data[line.start : line.name_end]
    name = _NO_NAME.sub(b"", text)
    secret_name = is_secret_field_name(name)
    if not secret_name and before and b":" not in before:
        secret_name = is_secret_field_name(_NO_NAME.sub(b"", before + text))
    if not secret_name and _BROKEN_NAME.match(text):
        # Not a name that a field can have. What it was before a fault broke it cannot be known.
        secret_name = True
    second = data.find(b":", line.name_end + 1, line.end)
    if not secret_name and second >= 0 and not _NO_NAME.search(data, line.name_end + 1, second):
        # One colon too many, within a name.
        secret_name = is_secret_field_name(data[line.start : second])
    if secret_name and not is_secret_field_name(name):
        name = b"authorization"
    open_end = secret_name
    for secret in in_field(name, data, line.name_end + 1, line.end):
        yield secret
        open_end = open_end or secret.end >= line.end
    if not secret_name and _BEGUN_URL.search(before):
        at = data.rfind(b"@", line.start, line.end)
        if at >= 0:
            yield userinfo(data, line.start, at)
    if not secret_name and _NO_NAME.search(text):
        yield from shifted(in_text(data[line.start : line.end]), line.start)
    return open_end


def _in_broken_line(
    data: bytes, line: Line, before: bytes, *, hidden: bool
) -> Generator[Secret, None, bool]:
    """Find what may be secret in a line without a colon; return whether that may go on in the next."""
    text = data[line.start : line.end]
    word = _FIRST_WORD.match(text)
    name_before = _LAST_NAME.search(before)
    if word is not None and (
        is_secret_field_name(word[1])
        or (name_before is not None and is_secret_field_name(name_before[0] + word[1]))
    ):
        yield from in_field(b"authorization", data, line.start + word.end(), line.end)
        return True
    if hidden and not (line.end == len(data) and _NAME.fullmatch(text)):
        rest = _LETTER_OR_DIGIT.search(text)
        if rest is not None:  # else there is only what breaks a rule, and that stays
            yield Secret(line.start + rest.start(), line.end)
        return True
    if _CHUNK_SIZE.match(text):
        yield from shifted(in_text(text), line.start)
        return False
    at = text.rfind(b"@")
    if at > 0:
        yield userinfo(data, userinfo_start(data, line.start, line.start + at), line.start + at)
    open_end = False
    for secret in (
        *in_url(data, line.start, line.end),
        *shifted(in_text(text), line.start),
    ):
        yield secret
        open_end = open_end or secret.end >= line.end
    return open_end or is_secret_field_name(_NO_NAME.sub(b"", text)[-_CARRIED_BYTES:])
