"""A server on a plain socket: it prints what a client sends, and says hello.

python raw_request.py
curl -i http://localhost:8000/hello
"""

import contextlib
import socket
from email.utils import formatdate


def receive_head(client):
    """Receive up to the empty line. One recv may bring half a line as well as three requests."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(4096)
        if not piece:  # the client has closed
            break
        received += piece
    return received


def answer_with(content):
    head = (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Server: groundwire\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        f"Content-Length: {len(content)}\r\n"
        "Connection: close\r\n"
        "\r\n"
    )
    return head.encode() + content


with socket.create_server(("127.0.0.1", 8000)) as server:
    while True:
        client, address = server.accept()
        # A client that goes away, or says nothing for five seconds, is left alone.
        with client, contextlib.suppress(OSError):
            client.settimeout(5)
            request = receive_head(client)
            print(request.decode("latin-1"))
            client.sendall(answer_with(b"Hello, World!"))
