"""What goes over a lesson's connection is kept to the byte, whatever the program does."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from groundwire.lessons import checking
from groundwire.lessons.asking import Conversation, Piece, as_request
from groundwire.lessons.checking import Task, Unmet
from groundwire.lessons.showing import transcript, visible_lines
from ports import unheard_port
from serving import SECONDS, place_of

Answering = Callable[[socket.socket], None]


@pytest.fixture
def answering() -> Iterator[Callable[[Answering], int]]:
    """Makes programs: each takes one connection and does with it what it is told."""
    threads: list[threading.Thread] = []

    def make(answer: Answering) -> int:
        listening = socket.create_server(("127.0.0.1", 0))

        listening.settimeout(SECONDS)

        def serve() -> None:
            with listening, listening.accept()[0] as connection:
                connection.settimeout(SECONDS)
                answer(connection)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return int(listening.getsockname()[1])

    yield make
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive(), place_of(thread)


def received(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(1000)
        assert piece, data
        data += piece
    return data


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


def test_content_that_has_to_be_asked_for_is_sent_when_it_is(answering: Any) -> None:
    def program(connection: socket.socket) -> None:
        assert received(connection).endswith(b"\r\n\r\n")
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert b"ab" == connection.recv(10)
        connection.sendall(OK + b"ok")

    request = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab"
    with Conversation(answering(program)) as conversation:
        asked = conversation.ask(request)

    assert ["sent", "received", "sent", "received"] == [p.way for p in conversation.pieces]
    assert (request, 200, b"ok") == (asked.request, asked.answer.status, asked.answer.content)


def test_content_that_is_refused_is_not_sent(answering: Any) -> None:
    def program(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        assert b"" == connection.recv(10)

    request = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab"
    with Conversation(answering(program)) as conversation:
        assert 413 == conversation.ask(request).answer.status
    assert ["sent", "received"] == [piece.way for piece in conversation.pieces]


def test_answers_that_come_in_one_piece_are_told_apart(answering: Any) -> None:
    def program(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(OK + b"ab" + OK + b"cd")

    requests = [as_request("GET / HTTP/1.1")] * 2
    with Conversation(answering(program)) as conversation:
        answers = conversation.ask_at_once(requests)

    assert [b"ab", b"cd"] == [asked.answer.content for asked in answers]
    assert ["", ""] == [asked.missing for asked in answers]


def test_the_end_of_the_connection_ends_an_answer(answering: Any) -> None:
    def program(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nall")

    with Conversation(answering(program)) as conversation:
        asked = conversation.ask(as_request("GET / HTTP/1.0"))
        assert conversation.is_closed_by_program(SECONDS)

    assert (b"all", "") == (asked.answer.content, asked.missing)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "There is no answer to GET / HTTP/1.1: the program closed the connection."),
        (OK[:30], "byte 30: the answer ends there, but its head is not whole."),
        (OK + b"a", "byte 39: the answer ends there, but of 2 octets of content 1 have come."),
    ],
)
def test_what_is_no_whole_answer_is_told(answering: Any, answer: bytes, message: str) -> None:
    def program(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(answer)

    with pytest.raises(Unmet) as caught:
        Task(answering(program)).ask("GET / HTTP/1.1")

    assert message == str(caught.value)


def test_a_program_that_is_gone_is_told() -> None:
    with (
        unheard_port() as port,
        pytest.raises(Unmet, match="does not take connections any more"),
    ):
        Task(port).ask("GET / HTTP/1.1")


ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAllow: GET\r\nAllow: HEAD\r\n"
    b"Content-Length: 5\r\n\r\nHello"
)


@pytest.mark.parametrize(
    ("wants", "message"),
    [
        (
            lambda answer: answer.wants_status(301, 308),
            "byte 9: the status line says 200, the task wants 301 or 308",
        ),
        (
            lambda answer: answer.wants_field("Location", "/x"),
            "byte 86: the header section ends without Location; the task wants Location: /x",
        ),
        (
            lambda answer: answer.wants_field("content-type", "text/plain"),
            "byte 31: content-type says 'text/html', the task wants 'text/plain'",
        ),
        (
            lambda answer: answer.wants_member("Allow", "PUT"),
            "byte 49: Allow says 'GET, HEAD', the task wants 'PUT' in it",
        ),
        (
            lambda answer: answer.wants_no("Allow"),
            "byte 42: there is Allow: GET, HEAD; the task wants none",
        ),
        (
            lambda answer: answer.wants_content(b"Help"),
            'byte 91: the content says "lo", the task wants "p"',
        ),
        (
            lambda answer: answer.wants_content(b"Hell"),
            'byte 92: the content goes on with "o"; the task wants it to end there',
        ),
        (
            lambda answer: answer.wants_content(b"Hello, World!"),
            'byte 93: the content ends after 5 bytes, the task wants ", World!"',
        ),
        (
            lambda answer: answer.wants_in_content("x"),
            'byte 88: the content is "Hello", the task wants "x" in it',
        ),
        (
            lambda answer: answer.wants_in_content("x", without="ll"),
            'byte 90: the content has "ll", the task wants "x"',
        ),
    ],
)
def test_what_is_not_as_wanted_is_told_to_the_byte(
    answering: Any, wants: Callable[[Any], None], message: str
) -> None:
    def program(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(ANSWER)

    answer = Task(answering(program)).ask("GET / HTTP/1.1")
    with pytest.raises(Unmet) as caught:
        wants(answer)

    assert message == str(caught.value)
    answer.wants_status(200)
    answer.wants_field("content-TYPE", "text/html")
    answer.wants_member("allow", "head")
    answer.wants_no("Location")
    answer.wants_content(b"Hello")
    answer.wants_in_content("ell", without="x")


def test_a_connection_that_should_be_kept_or_closed_is_told(
    answering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closing(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(OK + b"ok")

    def keeping(connection: socket.socket) -> None:
        closing(connection)
        connection.recv(10)

    with (
        monkeypatch.context() as patient,
        pytest.raises(Unmet, match="wants the connection kept after this answer"),
    ):
        patient.setattr(checking, "KEPT_SECONDS", SECONDS)  # it may take so long to close
        Task(answering(closing)).converse(["GET / HTTP/1.1"], closes=False)
    Task(answering(keeping)).converse(["GET / HTTP/1.1"], closes=False)


def test_requests_are_written_as_text() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert head == as_request("GET / HTTP/1.1\nHost: a")
    assert head == as_request("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert head + b"a\n\nb" == as_request("GET / HTTP/1.1\nHost: a\n\na\n\nb\n")


def test_bytes_are_shown_with_their_line_ends() -> None:
    assert ["a\\r\\n", "\\r\\n", "b\\n", "\\xe9\\\\"] == visible_lines(b"a\r\n\r\nb\n\xe9\\")
    assert [] == visible_lines(b"")
    assert [] == transcript([])


@pytest.mark.parametrize(
    ("mark", "lines"),
    [
        (0, ["< ab\\r\\n", "  ^", "< c"]),
        (1, ["< ab\\r\\n", "   ^", "< c"]),
        (3, ["< ab\\r\\n", "      ^", "< c"]),
        (4, ["< ab\\r\\n", "< c", "  ^"]),
        (5, ["< ab\\r\\n", "< c", "   ^"]),
    ],
)
def test_a_byte_is_marked_below_it(mark: int, lines: list[str]) -> None:
    sent, came = Piece("sent", b"x\n"), Piece("received", b"ab\r\nc")

    assert ["> x\\n", *lines, "* the program closes the connection"] == transcript(
        [sent, came, Piece("closed", b"")], came, mark
    )
