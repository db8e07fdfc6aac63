import base64
import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.streams import mutated
from groundwire.cli import explain as explain_module
from groundwire.cli.command import groundwire
from groundwire.cli.explaining import marked_line, visible_lines
from groundwire.cli.message_files import with_line_ends
from groundwire.protocol.http1.explain import explain_request

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"

GET = b"GET /a?b=c+d HTTP/1.1\r\nHost: localhost\r\n\r\n"
REFUSED = b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"
CHUNKED = (
    b"PUT http://a:8000/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: application/json\r\nCookie: k=v\r\n\r\n"
    b'5;x=1\r\n{"a":\r\n6\r\n "\xc3\xbc"}\r\n0\r\nX-Sum: 1\r\n\r\n'
)
RESPONSE = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 2\r\n\r\nhi"
)


def explained(data: bytes, *arguments: str, columns: int = 120, color: bool = False) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(
        groundwire, ["explain", *arguments], input=data, color=color
    )


def documents(data: bytes, *arguments: str) -> list[dict[str, Any]]:
    result = json.loads(explained(data, "--json", *arguments).output)
    assert 1 == result["version"]
    return result["messages"]


@pytest.mark.parametrize(
    ("name", "reason"), [("none.http", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_told_in_a_line(
    name: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = explained(b"", name)

    assert (2, f"groundwire: {name} cannot be read: {reason}.\n") == (
        result.exit_code,
        result.stderr,
    )


def test_a_request_is_shown_byte_for_byte_and_part_by_part() -> None:
    result = explained(GET)

    assert 0 == result.exit_code
    assert (
        r"""standard input has one request: 42 bytes.

    GET /a?b=c+d HTTP/1.1\r\n
    Host: localhost\r\n
    \r\n

The request line says what is wanted:
     0  method   GET       asks to be sent what is there; changes nothing (RFC 9110 §9.3.1)
     4  target   /a?b=c+d  which thing on this server: the path (RFC 9112 §3.2.1)
    13  version  HTTP/1.1  which rules the message follows (RFC 9112 §2.3)
    The target has a query, the part behind the question mark:
      b  = c d

The headers say more about it (1, a line each, name and value):
    29  Host  localhost  which site is meant; one machine may serve many (RFC 9110 §7.2)

    Then an empty line: the headers end here.

There is no content.

"""
        == result.output
    )


def test_chunks_json_cookies_and_trailers_are_shown() -> None:
    output = explained(CHUNKED).output

    assert "The cookies are:\n      k  = v\n" in output
    assert "5  5 bytes of data, an extension that nobody has to know: ;x=1" in output
    assert "0  the last chunk, which is empty" in output
    assert '    {\n      "a": "ü"\n    }\n' in output
    assert "X-Sum" in output.split("Behind the content come trailers")[1]


def test_parts_are_shown() -> None:
    content = (
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nHello\r\n'
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--b--\r\n"
    )
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    output = explained(head + b"Content-Length: %d\r\n\r\n" % len(content) + content).output

    assert "    a  = Hello\n    f  a file: a.png, 4 bytes, image/png\n" in output


def test_a_refused_request_is_shown_as_the_reference_shows_it() -> None:
    result = explained(REFUSED)
    shown = re.search(r"explain\n(standard input.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    assert explain_module.NOT_ALL_WELL == result.exit_code
    assert shown is not None
    assert shown[1].strip() == result.output.strip()


def test_what_cannot_be_corrected_gets_advice() -> None:
    result = explained(b"\x16\x03\x01\x02\x00")

    assert explain_module.NOT_ALL_WELL == result.exit_code
    assert "What to do:\n    The client speaks TLS" in result.output


def test_messages_of_a_pipeline_are_shown_one_after_the_other() -> None:
    result = explained(GET + GET + b"GET /c")

    assert explain_module.NOT_ALL_WELL == result.exit_code
    assert "3 requests, one after the other" in result.output
    assert "2 of 3, from byte 42 on:" in result.output
    assert "That is no whole request.\n    It ends within the request line" in result.output


def test_what_follows_the_last_request_of_a_connection_is_said_not_to_be_read() -> None:
    output = explained(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET).output

    assert "what follows would not be read" in output


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", "The empty line is missing"),
        (b"GET / HTTP/1.1\r\nHost: ", "within a header"),
        (b"\r\n", "Nothing has come but empty lines."),
        (
            b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
            "2 bytes more are announced",
        ),
        (CHUNKED[:-4], "The last chunk has not come."),
        (b"HTTP/1.1 200", "no whole response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "rest of the response has not come"),
    ],
)
def test_what_is_not_whole_is_said_so(data: bytes, words: str) -> None:
    result = explained(data)

    assert words in result.output
    assert explain_module.NOT_ALL_WELL == result.exit_code


def test_a_response_is_seen_by_its_status_line() -> None:
    result = explained(RESPONSE)

    assert 0 == result.exit_code
    assert "First comes an interim response, 103:" in result.output
    assert "status   200       it worked, and here it is (RFC 9110 §15.3.1)" in result.output
    assert "The cookies it sets are:\n      a  = 1\n" in result.output


def test_an_answer_to_head_has_no_content() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

    assert 0 == explained(data, "--method", "HEAD").exit_code
    assert 1 == explained(data).exit_code


def test_what_is_no_response_is_refused_as_one_when_it_must_be_one() -> None:
    result = explained(b"HTTPS/1.1 200\r\n", "--response")

    assert "That is no response:" in result.output
    assert explain_module.NOT_ALL_WELL == result.exit_code


def test_a_response_without_a_length_ends_with_the_connection() -> None:
    assert "until the connection is closed" in explained(b"HTTP/1.1 200 OK\r\n\r\nhi").output


def test_a_file_as_editors_save_it_is_said_to_be_so_and_can_be_converted(tmp_path: Path) -> None:
    file = tmp_path / "a.http"
    file.write_bytes(b"GET / HTTP/1.1\nHost: a\n")
    as_it_is = explained(b"", str(file))
    converted = explained(b"", "--crlf", str(file))

    assert 1 == as_it_is.exit_code
    assert "The lines of this file end in a line feed alone (LF)" in as_it_is.output
    assert "--crlf" in as_it_is.output
    assert 0 == converted.exit_code
    assert r"Host: a\r\n" in converted.output
    assert "they have been converted" in converted.output


def test_a_file_of_an_editor_s_client_has_separators() -> None:
    found = documents(b"### one\r\n" + GET + b"\r\n### two\r\n" + GET + b"###\r\n" + REFUSED)

    assert ["/a?b=c+d", "/a?b=c+d", None] == [message.get("target") for message in found]
    assert [None, None, "RFC 9112 §5.1"] == [
        message["refusal"] and message["refusal"]["section"] for message in found
    ]


@pytest.mark.parametrize(
    ("saved", "sent"),
    [
        (b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"A: b\n\nc\nd\n", b"A: b\r\n\r\nc\r\nd\r\n\r\n"),
        (
            b"P\nContent-Length: 4\n\nc\nd\nG\n\n",
            b"P\r\nContent-Length: 4\r\n\r\nc\nd\nG\r\n\r\n",
        ),
        (
            b"P\nTransfer-Encoding: chunked\n\n1\na\n0\n\n",
            b"P\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        ),
        (b"HTTP/1.1 200 OK\n\na\nb\n", b"HTTP/1.1 200 OK\r\n\r\na\nb\n"),
        (GET + GET, GET + GET),
    ],
)
def test_line_ends_are_converted_where_they_are_not_content(saved: bytes, sent: bytes) -> None:
    assert sent == with_line_ends(saved)


def test_json_has_the_message_and_its_refusal() -> None:
    (message,) = documents(REFUSED)
    refusal = message["refusal"]

    assert REFUSED == base64.b64decode(message["raw"])
    assert ("method", 0, 3) == tuple(message["elements"][0].values())
    assert (400, "Bad Request", 20) == (refusal["status"], refusal["reason"], refusal["offset"])
    assert "https://www.rfc-editor.org/rfc/rfc9112#section-5.1" == refusal["url"]
    assert REFUSED.replace(b" :", b":") == base64.b64decode(refusal["corrected"])
    assert ["The colon stands right behind the name Host now."] == refusal["changes"]


def test_json_of_a_response_has_its_status() -> None:
    (message,) = documents(RESPONSE)

    assert ("HTTP/1.1", 200, "OK", None) == tuple(
        message[key] for key in ("http_version", "status", "reason", "refusal")
    )
    assert "hi" == message["content"]["text"]


def test_there_must_be_something_to_show() -> None:
    assert 2 == explained(b"").exit_code
    assert 2 == explained(b"", "no such file").exit_code


def test_too_much_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_module, "MAX_BYTES", 10)

    assert 2 == explained(GET).exit_code


def test_the_bytes_of_elements_are_coloured() -> None:
    line = visible_lines(GET, 100, explain_request(GET).elements)[0]

    assert click.style("GET", bold=True) in line
    assert click.style("/a?b=c+d", fg="green") in line
    assert r"GET /a?b=c+d HTTP/1.1\r\n" == click.unstyle(line)
    assert "\x1b[" in explained(REFUSED, color=True).output


@settings(max_examples=60, deadline=None)
@given(mutated(), st.sampled_from([40, 80, 200]))
def test_whatever_comes_is_shown_in_lines_that_can_be_printed(data: bytes, columns: int) -> None:
    for arguments in ((), ("--response",), ("--crlf",)):
        result = explained(data or b" ", *arguments, columns=columns)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert all(line.isprintable() for line in result.output.splitlines())


@given(st.binary(min_size=1, max_size=200), st.integers(0, 250))
def test_the_mark_stands_under_its_byte(data: bytes, offset: int) -> None:
    line, mark = (click.unstyle(line) for line in marked_line(data, min(offset, len(data))))

    octet = data[offset : offset + 1].decode("latin-1").encode("unicode_escape").decode()
    if octet:
        assert octet == line[mark.index("^") : mark.rindex("^") + 1]
    else:
        assert "here it ends" in mark


def test_elements_are_coloured_without_changing_a_byte() -> None:
    for data in (GET, CHUNKED, REFUSED):
        plain = visible_lines(data, 1000)
        coloured = visible_lines(data, 1000, explain_request(data).elements)
        assert [click.unstyle(line) for line in plain] == [click.unstyle(line) for line in coloured]
