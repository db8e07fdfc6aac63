import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.cli import ear as ear_module
from groundwire.cli.explaining import Received, explain, visible_lines
from groundwire.protocol.http1.reader import RequestReader
from groundwire.server.addresses import open_sockets
from groundwire.server.settings import ServerSettings
from serving import SECONDS, everything, place_of

Ear = ear_module.Ear


class Listening:
    """An ear in a thread, and what it has shown."""

    def __init__(self, *, once: bool = False) -> None:
        self.sockets = open_sockets(ServerSettings(host="127.0.0.1", port=0))
        self.lines: list[str] = []
        self.ear = Ear(self.sockets, self.lines.append, once=once)
        self.thread = threading.Thread(target=self.ear.listen)
        self.thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.sockets.port), timeout=SECONDS)

    def exchange(self, message: bytes) -> bytes:
        with self.connect() as client:
            client.sendall(message)
            return everything(client)

    @property
    def shown(self) -> str:
        return click.unstyle("\n".join(self.lines))

    def await_shown(self, words: str) -> None:
        deadline = time.monotonic() + SECONDS
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.005)


@contextlib.contextmanager
def listening(*, once: bool = False) -> Iterator[Listening]:
    fixture = Listening(once=once)
    try:
        yield fixture
    finally:
        fixture.ear.stop()
        fixture.thread.join(SECONDS)
        fixture.sockets.close()
    assert not fixture.thread.is_alive(), place_of(fixture.thread)


BROWSER = (
    b"GET /hello?name=J%C3%BCrgen HTTP/1.1\r\nHost: localhost\r\n"
    b"Accept: text/html,*/*;q=0.8\r\nX-Own: <script>\r\n\r\n"
)


def test_a_request_is_shown_byte_for_byte_and_taken_apart() -> None:
    with listening() as ear:
        ear.exchange(BROWSER)

    assert (
        r"""
    GET /hello?name=J%C3%BCrgen HTTP/1.1\r\n
    Host: localhost\r\n
    Accept: text/html,*/*;q=0.8\r\n
    X-Own: <script>\r\n
    \r\n
"""
        in ear.shown
    )
    assert f"sent {len(BROWSER)} bytes:" in ear.shown
    assert "method   GET" in ear.shown
    assert "name  = Jürgen" in ear.shown
    assert "which site is meant; one machine may serve many" in ear.shown
    assert "a header of this client's own" in ear.shown
    assert "There is no content." in ear.shown


def test_a_browser_gets_a_page_that_shows_what_it_sent_escaped() -> None:
    with listening() as ear:
        answer = ear.exchange(BROWSER)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: text/html; charset=utf-8\r\n" in answer
    assert b"X-Own: &lt;script&gt;\\r\\n" in answer
    assert b"<script>" not in answer


def test_others_get_plain_text() -> None:
    with listening() as ear:
        answer = ear.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert b"Content-Type: text/plain; charset=utf-8\r\n" in answer
    assert answer.endswith(b"GET / HTTP/1.1\\r\\n\nHost: a\\r\\n\n\\r\\n\n")


def test_a_form_is_taken_apart() -> None:
    with listening() as ear:
        ear.exchange(
            b"POST /tweets HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 18\r\n\r\nauthor=me&text=a+b"
        )

    assert "The content has 18 bytes, as Content-Length says:" in ear.shown
    assert "It is the fields of a form" in ear.shown
    assert "text    = a b" in ear.shown


def test_chunks_are_put_together() -> None:
    with listening() as ear:
        ear.exchange(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
        )

    assert "The content has 6 bytes, in chunks:\n\n    abcdef" in ear.shown


def test_content_that_waits_for_consent_is_asked_for() -> None:
    with listening() as ear, ear.connect() as client:
        client.sendall(
            b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == client.recv(1000)
        client.sendall(b"hi")
        assert everything(client).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_message_that_is_no_request_is_explained_by_rule_and_byte() -> None:
    with listening() as ear:
        answer = ear.exchange(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"RFC 9112 \xc2\xa73, byte 4" in answer
    assert "That is no request:" in ear.shown
    assert "it was broken at byte 4 (the first is 0):\n\n    GET  / HTTP/1.1" in ear.shown
    assert "\n        ^ byte 4, 0x20\n" in ear.shown


def test_head_gets_no_content() -> None:
    with listening() as ear:
        answer = ear.exchange(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.endswith(b"\r\n\r\n")


def test_the_little_picture_in_the_tab_is_not_found() -> None:
    with listening() as ear:
        answer = ear.exchange(b"GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert "Browsers ask for this by themselves" in ear.shown


def test_a_spare_connection_does_not_keep_others_waiting() -> None:
    with listening() as ear, ear.connect():
        assert ear.exchange(BROWSER).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_message_cut_short_is_shown() -> None:
    with listening() as ear:
        with ear.connect() as client:
            client.sendall(b"GET / HT")
        ear.await_shown("That is no whole request.")

    assert "    GET / HT\n" in ear.shown
    assert "ended the connection before the message was whole" in ear.shown


def test_a_message_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear_module, "MESSAGE_SECONDS", 0.05)
    with listening() as ear, ear.connect() as client:
        client.sendall(b"GET / HT")
        assert b"" == client.recv(1)

    assert "Nothing more came in 0.05 s" in ear.shown


def test_a_message_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear_module, "MAX_MESSAGE_BYTES", 1000)
    with listening() as ear:
        answer = ear.exchange(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
        )

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_connections_beyond_the_bound_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear_module, "MAX_CONNECTIONS", 1)
    with listening() as ear, ear.connect(), ear.connect() as second:
        assert b"" == second.recv(1)


def test_once_ends_after_the_first_message() -> None:
    with listening(once=True) as ear:
        ear.exchange(BROWSER)
        ear.thread.join(SECONDS)
        assert not ear.thread.is_alive(), place_of(ear.thread)


# What is shown.


@given(st.binary(max_size=200))
def test_what_is_shown_is_printable_ascii_and_holds_every_byte(data: bytes) -> None:
    lines = [click.unstyle(line) for line in visible_lines(data, 1000)]

    assert all(line.isascii() and (line.isprintable() or not line) for line in lines)
    assert data == "".join(lines).encode().decode("unicode_escape").encode("latin-1")


def test_long_messages_are_cut() -> None:
    assert ["aaaa", "... and 6 bytes more"] == [
        click.unstyle(line) for line in visible_lines(b"a" * 10, 4)
    ]


@given(st.binary(max_size=300))
def test_every_message_can_be_explained(data: bytes) -> None:
    received = Received("127.0.0.1:1", data)
    conversation_reader = RequestReader()
    conversation_reader.receive(data)
    with contextlib.suppress(Exception):
        received.head = conversation_reader.next_head()

    lines = [click.unstyle(line) for line in explain(received)]

    assert all(line.isprintable() or not line for line in lines)
