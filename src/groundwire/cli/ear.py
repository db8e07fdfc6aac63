"""What `groundwire listen` listens with: one thread, a selector, and a conversation for each connection."""

import selectors
import socket
import time
from collections.abc import Callable
from html import escape
from typing import Final

import click

from ..protocol.errors import ProtocolError
from ..protocol.head import RequestHead
from ..protocol.http1.reader import RequestReader
from ..protocol.http1.writer import ResponseWriter
from ..server.addresses import ListeningSockets
from ..server.clock import date_field
from .explaining import Received, explain, visible_lines

MAX_CONNECTIONS: Final = 32
KEPT_BYTES: Final = 256 * 1024
"""How much of a message is kept to be shown."""

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
MESSAGE_SECONDS: Final = 30.0
"""How long a message may take from its first byte to its last."""

SILENT_SECONDS: Final = 60.0
CLOSING_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.25


class Conversation:
    """One connection: what has come on it so far."""

    def __init__(self, connection: socket.socket, peer: str, now: float) -> None:
        self.connection = connection
        self.peer = peer
        self.reader = RequestReader()
        self.head: RequestHead | None = None
        self.received = Received(peer, b"")
        self.deadline = now + SILENT_SECONDS
        self.octets = 0
        self.closing = False
        """Whether it has its answer, and is only waited for to have read it."""

    def receive(self, data: bytes, now: float) -> bool:
        """Take bytes. True: the message is whole, or is none."""
        received = self.received
        if not self.octets:
            self.deadline = now + MESSAGE_SECONDS
        self.octets += len(data)
        received.octets = self.octets
        received.raw += data[: KEPT_BYTES - len(received.raw)]
        try:
            self.reader.receive(data)
            if self.head is None:
                received.head = self.head = self.reader.next_head()
                if self.head is None:
                    return False
                if self.head.expectation == b"100-continue":
                    self.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            while self.reader.next_content():
                pass
        except ProtocolError as error:
            received.error = error
            return True
        if self.octets > MAX_MESSAGE_BYTES:
            received.ended = (
                f"It is longer than the {MAX_MESSAGE_BYTES:,} bytes that are read here."
            )
            received.head = None
            return True
        return self.reader.complete

    def give_up(self) -> None:
        """Note that the rest does not come in time."""
        self.received.head = None
        self.received.ended = (
            f"Nothing more came in {MESSAGE_SECONDS:g} s, so it is given up: a server answers 408."
        )

    def receive_eof(self) -> bool:
        """Note that nothing more comes. True: something had come that is worth showing."""
        self.received.head = None
        self.received.ended = "The client ended the connection before the message was whole."
        return self.octets > 0


class Ear:
    """Accepts connections, shows what comes on them, and answers each once.

    Args:
        listening: where to accept.
        show: what to do with each line.
        once: end after the first message.
    """

    def __init__(
        self, listening: ListeningSockets, show: Callable[[str], None], *, once: bool = False
    ) -> None:
        self._listening = listening
        self._show = show
        self._once = once
        self._selector = selectors.DefaultSelector()
        self._conversations: set[Conversation] = set()
        self._writer = ResponseWriter()
        self._answered = 0
        self._stopped = False

    def listen(self) -> None:
        """Go on until `stop` is called, or after the first message if that was asked for."""
        for sock in self._listening.sockets:
            self._selector.register(sock, selectors.EVENT_READ, None)
        try:
            while not self._stopped and not (
                self._once and self._answered and not self._conversations
            ):
                for key, _events in self._selector.select(POLL_SECONDS):
                    if isinstance(key.data, Conversation):
                        self._read(key.data)
                    elif isinstance(key.fileobj, socket.socket):
                        self._accept(key.fileobj)
                self._end_overdue(time.monotonic())
        finally:
            for conversation in tuple(self._conversations):
                self._close(conversation)
            self._selector.close()

    def stop(self) -> None:
        """Have `listen` return. Safe to call in any thread."""
        self._stopped = True

    def _accept(self, sock: socket.socket) -> None:
        try:
            connection, address = sock.accept()
        except OSError:
            return
        if len(self._conversations) >= MAX_CONNECTIONS or (self._once and self._answered):
            connection.close()
            return
        connection.setblocking(False)
        peer = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
        conversation = Conversation(connection, peer, time.monotonic())
        self._conversations.add(conversation)
        self._selector.register(connection, selectors.EVENT_READ, conversation)

    def _read(self, conversation: Conversation) -> None:
        try:
            data = conversation.connection.recv(65536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._close(conversation)
            return
        if conversation.closing:
            if not data:
                self._close(conversation)
        elif not data:
            if conversation.receive_eof():
                self._explain(conversation)
            self._close(conversation)
        elif conversation.receive(data, time.monotonic()):
            self._explain(conversation)
            self._answer(conversation)

    def _explain(self, conversation: Conversation) -> None:
        for line in explain(conversation.received):
            self._show(line)
        self._answered += 1

    def _answer(self, conversation: Conversation) -> None:
        """Send the answer, and let the client read it before the connection is closed."""
        answer = answer_to(conversation.received, self._writer)
        head, _, _ = answer.partition(b"\r\n\r\n")
        self._show(click.style("It was answered:", fg="cyan", bold=True))
        self._show("")
        for line in visible_lines(head + b"\r\n\r\n", 4096):
            self._show(f"    {line}")
        self._show(f"    (and {len(answer) - len(head) - 4:,} bytes of content)")
        self._show("")
        connection = conversation.connection
        try:
            connection.settimeout(CLOSING_SECONDS)
            connection.sendall(answer)
            connection.setblocking(False)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conversation)
            return
        conversation.closing = True
        conversation.deadline = time.monotonic() + CLOSING_SECONDS

    def _end_overdue(self, now: float) -> None:
        for conversation in tuple(self._conversations):
            if now < conversation.deadline:
                continue
            if not conversation.closing and conversation.octets:
                conversation.give_up()
                self._explain(conversation)
            self._close(conversation)

    def _close(self, conversation: Conversation) -> None:
        self._conversations.discard(conversation)
        self._selector.unregister(conversation.connection)
        conversation.connection.close()


def answer_to(received: Received, writer: ResponseWriter) -> bytes:
    """Return the answer that shows a client what it sent: a page for a browser, otherwise text."""
    error = received.error
    head = received.head
    status = 200
    if error is not None:
        status = error.status
    elif head is None:
        status = 413
    elif head.path == "/favicon.ico":
        status = 404
    wants_page = head is not None and any(
        name.lower() == b"accept" and b"text/html" in value.lower()
        for name, value in head.fields.lines
    )
    sent = "\n".join(click.unstyle(line) for line in visible_lines(received.raw, KEPT_BYTES))
    if error is not None:
        said = f"{error.message} ({error.section}, byte {error.offset})"
    else:
        said = f"This is what you sent me, {len(received.raw):,} bytes of it:"
    if wants_page:
        kind = "text/html; charset=utf-8"
        content = _PAGE.replace("{said}", escape(said)).replace("{sent}", escape(sent))
    else:
        kind = "text/plain; charset=utf-8"
        content = f"{said}\n\n{sent}\n"
    octets = content.encode()
    writer.set_date(date_field(time.time()))
    fields = [
        ("Content-Type", kind),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ]
    answer = writer.head(status, fields, content_length=len(octets), connection="close")
    return answer if head is not None and head.method == "HEAD" else answer + octets


_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Groundwire listens</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem; color: #1c2733 }
pre { background: #f2f5f8; border-left: 4px solid #2f6fab; padding: 1rem; overflow-x: auto; white-space: pre-wrap }
@media (prefers-color-scheme: dark) { body { background: #12181f; color: #dde5ec } pre { background: #1c2733 } }
</style>
<h1>Hello!</h1>
<p>{said}</p>
<pre>{sent}</pre>
<p>The terminal says what each part is for.</p>
</html>
"""
