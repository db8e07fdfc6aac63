"""A solution."""

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
    request_line, *field_lines = head.decode("latin-1").strip("\r\n").split("\r\n")
    options = []
    for line in field_lines:
        name, _, value = line.partition(":")
        if name.lower() == "connection":
            options += [option.strip().lower() for option in value.split(",")]
    if request_line.endswith("HTTP/1.0"):
        return "keep-alive" in options and "close" not in options
    return "close" not in options


def answer(head, stay):
    content = b"Hello, World!"
    connection = ""
    if not stay:
        connection = "Connection: close\r\n"
    elif b" HTTP/1.0\r\n" in head:
        connection = "Connection: keep-alive\r\n"
    lines = (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        f"Content-Length: {len(content)}\r\n"
        f"{connection}"
        "\r\n"
    )
    return lines.encode() + content


def serve(connection):
    client = Client(connection)
    while head := client.receive_head():
        stay = wants_to_stay(head)
        connection.sendall(answer(head, stay))
        if not stay:
            break


with socket.create_server(("127.0.0.1", 8000)) as server:
    while True:
        connection, address = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            serve(connection)
