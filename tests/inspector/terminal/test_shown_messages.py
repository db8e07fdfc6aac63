"""Messages are shown so that one sees what matters, and nothing in them commands the terminal."""

import gzip
from typing import Any

import pytest

from groundwire.inspector.terminal.shown_messages import (
    SHOWN_CONTENT_BYTES,
    SHOWN_CONTENT_LINES,
    SHOWN_HEAD_BYTES,
    Message,
    message_lines,
)
from groundwire.inspector.terminal.terminal import Paint, has_colours, printable, printable_octets

PLAIN = Paint(colours=False)


def shown(raw: bytes, sign: str = ">", **more: Any) -> list[str]:
    facts = {"size": len(raw), "method": "GET"} | more
    return list(message_lines(Message(raw, sign, **facts), PLAIN))


def response(content: bytes, *fields: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *fields, f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


def content_of(content: bytes, *fields: str, **more: Any) -> list[str]:
    lines = shown(response(content, *fields), "<", **more)
    return lines[lines.index("<") + 1 :]


def test_a_head_is_shown_line_by_line() -> None:
    assert ["> GET / HTTP/1.1", "> Host: a", ">"] == shown(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")


def test_interim_responses_are_shown_too() -> None:
    raw = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response(b"ok")

    assert [
        *("< HTTP/1.1 103 Early Hints", "< Link: </a>", "<"),
        *("< HTTP/1.1 200 OK", "< Content-Length: 2", "<", "< ok"),
    ] == shown(raw, "<")


@pytest.mark.parametrize(
    ("raw", "mark", "lines"),
    [
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 20, ["> Host : a", "      ^"]),
        (b"GET /\x1b HTTP/1.1\r\n\r\n", 6, [r"> GET /\x1b HTTP/1.1", "           ^"]),
        (b"GET / HTTP/1.1\nHost: a\n\n", 14, [r"> GET / HTTP/1.1\n", "                ^"]),
        (b"GET / HTTP/1.1\r\n\r\n", 16, [r"> \r\n", "  ^"]),
        (b"GET / HT", 8, ["> GET / HT", "          ^"]),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhellozz",
            64,
            [r"> 5\r\nhellozz", "            ^"],
        ),
    ],
)
def test_the_octet_that_broke_a_rule_is_marked(raw: bytes, mark: int, lines: list[str]) -> None:
    found = shown(raw, mark=mark)

    assert lines == found[found.index(lines[0]) :][:2]


def test_a_line_that_ends_otherwise_is_seen_to() -> None:
    assert [r"> GET / HTTP/1.1\n", r"> Host: a\n", r"> \n"] == shown(b"GET / HTTP/1.1\nHost: a\n\n")


def test_a_long_head_is_cut() -> None:
    lines = shown(b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 5000)

    assert len("\n".join(lines)) < 2 * SHOWN_HEAD_BYTES
    assert lines[-1].endswith("octets more")


@pytest.mark.parametrize(
    ("content", "fields", "lines"),
    [
        (b"a\n\tb\n", (), ["< a", "< \tb"]),
        ("ü€\n".encode(), (), ["< ü€"]),
        (b"a\x1b[2Jb\n", ("Content-Type: text/plain",), ["< { 7 octets of text/plain }"]),
        ("a\u202eb".encode(), (), [r"< a\u202eb"]),
        (b"\x89PNG", ("Content-Type: image/png",), ["< { 4 octets of image/png }"]),
        (b"a", ("Content-Encoding: unknown",), ["< { 1 octet, unknown }"]),
        (b"\0\1", ("Content-Type: x\u0085y",), ["< { 2 octets of xÂ\\x85y }"]),
    ],
)
def test_content_is_shown_if_it_is_text(
    content: bytes, fields: tuple[str, ...], lines: list[str]
) -> None:
    assert lines == content_of(content, *fields)


def test_a_coding_is_taken_off() -> None:
    assert ["< hello"] == content_of(gzip.compress(b"hello"), "Content-Encoding: gzip")


def test_long_text_is_shown_in_part() -> None:
    lines = content_of("ü\n".encode() * 5000)
    assert SHOWN_CONTENT_LINES + 1 == len(lines)
    assert "< … { 15,000 octets }" == lines[-1]

    (line, rest) = content_of(b"a" + "ü".encode() * 5000)
    assert len(line) < SHOWN_CONTENT_BYTES + 3
    assert rest.startswith("< … {")


def test_content_that_was_not_kept_is_counted() -> None:
    raw = response(b"a" * 10).replace(b": 10", b": 99")

    lines = shown(raw, "<", size=len(raw) + 89)

    assert ["< aaaaaaaaaa", "< … { 99 octets, 10 kept }"] == lines[-2:]


def test_masked_octets_have_a_colour_of_their_own() -> None:
    raw = b"GET / HTTP/1.1\r\nX-Key: ****\r\n\r\n"

    lines = list(message_lines(Message(raw, ">", len(raw), ((23, 27),)), Paint(colours=True)))

    assert "\x1b[34m>\x1b[0m \x1b[1mX-Key\x1b[0m: \x1b[33m****\x1b[0m" == lines[1]


@pytest.mark.parametrize(("status", "code"), [(200, "1;32"), (404, "1;33"), (500, "1;31")])
def test_the_status_has_a_colour(status: int, code: str) -> None:
    raw = b"HTTP/1.1 %d x\r\n\r\n" % status

    line = next(message_lines(Message(raw, "<", len(raw)), Paint(colours=True)))

    assert f"\x1b[{code}mHTTP/1.1 {status} x\x1b[0m" in line


@pytest.mark.parametrize(
    ("text", "safe"),
    [("a", "a"), ("a\x1bb", r"a\x1bb"), ("\u2028", r"\u2028"), ("\x9b", r"\x9b"), ("ü", "ü")],
)
def test_text_does_not_steer_a_terminal(text: str, safe: str) -> None:
    assert safe == printable(text)


@pytest.mark.parametrize(
    ("octets", "safe"), [(b"a\xff", r"a\xff"), ("ü".encode(), "ü"), (b"\x9b\x07", r"\x9b\x07")]
)
def test_octets_do_not_either(octets: bytes, safe: str) -> None:
    assert safe == printable_octets(octets)


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        def __init__(self, *, terminal: bool) -> None:
            self.terminal = terminal

        def isatty(self) -> bool:
            return self.terminal

    terminal: Any = Stream(terminal=True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert has_colours(terminal)
    file: Any = Stream(terminal=False)
    assert not has_colours(file)
    monkeypatch.setenv("TERM", "dumb")
    assert not has_colours(terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colours(terminal)
