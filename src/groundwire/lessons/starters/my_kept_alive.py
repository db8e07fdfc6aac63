"""Task 14: keep the connection.

This server answers one request and closes. Let it answer the next on the same connection, and the next. HTTP/1.1 stays
unless the request says "Connection: close"; HTTP/1.0 closes unless it says "Connection: keep-alive". An answer after
which you close says "Connection: close"; one that keeps a connection of HTTP/1.0 says "Connection: keep-alive". Several
requests may come at once: answer them in order. (They have no content here, so a request ends with its head.)

Check it: groundwire learn 14 --check my_kept_alive.py
"""

import contextlib
import socket
from email.utils import formatdate


class Client:
    """One connection. What was received too early, because several requests came at once, is kept in `rest`."""

    def __init__(self, connection):
        self.connection = connection
        self.rest = b""

    def receive_head(self):
        """Return the next head up to its empty line, or b"" if the client has closed."""
        while b"\r\n\r\n" not in self.rest:
            piece = self.connection.recv(4096)
            if not piece:
                return b""
            self.rest += piece
        head, end, self.rest = self.rest.partition(b"\r\n\r\n")
        return head + end


def wants_to_stay(head):
    """Whether the client wants to send another request on this connection."""
    return False


def answer(head, stay):
    content = b"Hello, World!"
    lines = (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        f"Content-Length: {len(content)}\r\n"
        "Connection: close\r\n"
        "\r\n"
    )
    return lines.encode() + content


def serve(connection):
    client = Client(connection)
    head = client.receive_head()
    if head:
        connection.sendall(answer(head, wants_to_stay(head)))


with socket.create_server(("127.0.0.1", 8000)) as server:
    while True:
        connection, address = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            serve(connection)
