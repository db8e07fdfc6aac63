r"""Reads the text corpora: messages written so that a person can read them, and what must come of each.

    == what the case shows
    | POST /p HTTP/1.1\r\n
    | Host : a\r\n
    | \r\n

Lines that begin with a bar are the message, put together without anything between them. In it

    \r \n \t \0 \\ \xHH     are bytes,
    {a*100}                 is a text repeated,
    {name}                  is what a line ``let name = text`` stands for, for the rest of the file,
    {!}                     stands before the byte that a refusal must name.

Then come the messages that are read from it, in order:

    -> POST /p HTTP/1.1             method, target and version, and optionally, each on a line of its own:
       form origin                  path, query, authority, likewise ("-" for nothing)
       field Host: a                all field lines, if any is given
       length 5                     or "chunked", or 0
       persistent no
       expects 100-continue         "-" for nothing
       content hello                in the same notation; nothing when it is not given
       trailer X-T: v
       unfinished                   its content has not ended

and how it ends:

    refused 400 RFC 9112 §5.1       status and rule; the byte is {!} in the message
       says a space                 words of its message
    waits in head                   more is needed; without any of these the stream is read to its end
    waits in content

``with target_bytes=10`` sets limits, ``eof`` lets the peer close its side behind the message.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from groundwire.protocol.limits import MessageLimits

CORPORA = Path(__file__).parent

_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)|\{([^{}]*)\}")
_SIMPLE = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
_MARK = "\N{SECTION SIGN}mark"


@dataclass
class Expected:
    """A message that must be read; None where the case does not say."""

    request_line: str
    form: str | None = None
    path: str | None = None
    query: str | None = None
    authority: str | None = None
    length: str | None = None
    persistent: str | None = None
    expects: str | None = None
    fields: list[bytes] = field(default_factory=list)
    trailers: list[bytes] = field(default_factory=list)
    content: bytes = b""
    finished: bool = True


@dataclass
class Case:
    """One message of a corpus."""

    title: str
    place: str
    data: bytes = b""
    mark: int | None = None
    limits: MessageLimits = field(default_factory=MessageLimits)
    eof: bool = False
    messages: list[Expected] = field(default_factory=list)
    status: int | None = None
    section: str = ""
    says: str = ""
    waits: str = ""


def unescape(text: str, names: dict[str, str]) -> str:
    """Turn the notation into text, one character a byte, with `_MARK` left where the mark is."""

    def replace(match: re.Match[str]) -> str:
        escape, braced = match.groups()
        if escape is not None:
            return chr(int(escape[1:], 16)) if len(escape) == 3 else _SIMPLE[escape]
        if braced == "!":
            return _MARK
        if "*" in braced:
            repeated, _, count = braced.rpartition("*")
            return unescape(repeated, names) * int(count)
        return names[braced]

    return _ESCAPE.sub(replace, text)


def load(path: Path) -> list[Case]:
    """Read the cases of one file."""
    cases: list[Case] = []
    names: dict[str, str] = {}
    texts: list[str] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word == "let":
            name, _, text = rest.partition(" = ")
            names[name] = unescape(text, names)
        elif word == "==":
            cases.append(Case(rest, f"{path.name}:{number}"))
            texts.append("")
        elif line.startswith("|"):
            texts[-1] += unescape(line[2:], names)
        else:
            _expect(cases[-1], word, rest, names)
    for case, text in zip(cases, texts, strict=True):
        before, mark, after = text.partition(_MARK)
        case.data = (before + after).encode("latin-1")
        case.mark = len(before) if mark else None
    return cases


def load_all(folder: str) -> list[Case]:
    """Read every file of a corpus."""
    return [case for path in sorted((CORPORA / folder).glob("*.txt")) for case in load(path)]


def _expect(case: Case, word: str, rest: str, names: dict[str, str]) -> None:
    if word == "->":
        case.messages.append(Expected(rest))
    elif word == "refused":
        status, _, case.section = rest.partition(" ")
        case.status = int(status)
    elif word == "says":
        case.says = rest
    elif word == "waits":
        case.waits = rest.removeprefix("in ")
    elif word == "eof":
        case.eof = True
    elif word == "with":
        settings = (setting.split("=") for setting in rest.split())
        case.limits = MessageLimits(**{name: int(value) for name, value in settings})
    else:
        message = case.messages[-1]
        if word == "field":
            message.fields.append(unescape(rest, names).encode("latin-1"))
        elif word == "trailer":
            message.trailers.append(unescape(rest, names).encode("latin-1"))
        elif word == "content":
            message.content = unescape(rest, names).encode("latin-1")
        elif word == "unfinished":
            message.finished = False
        else:
            if word not in (
                "form",
                "path",
                "query",
                "authority",
                "length",
                "persistent",
                "expects",
            ):
                raise ValueError(f"{case.place}: what is {word!r}?")
            setattr(message, word, "" if rest == "-" else rest)
