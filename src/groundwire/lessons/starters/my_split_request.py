"""Task 2: greet the client by its name, however it spells the header.

Names of headers mean the same in small and in capital letters, and spaces around a value do not belong to it. So
"User-Agent: robin/1", "user-agent:robin/1" and "USER-AGENT:   robin/1  " all get "Hello, robin/1!" and a line feed. A
client without the header is a stranger.

Check it: groundwire learn 2 --check my_split_request.py
"""

import contextlib
import socket
from email.utils import formatdate


def receive_head(client):
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(4096)
        if not piece:
            break
        received += piece
    return received


def split(request):
    head, _, _ = request.partition(b"\r\n\r\n")
    request_line, *field_lines = head.decode("latin-1").split("\r\n")
    method, target, version = request_line.split(" ")
    path, _, query = target.partition("?")
    headers = {}
    for line in field_lines:
        name, _, value = line.partition(":")
        headers[name] = value.strip(" \t")
    return method, path, query, version, headers


def greet(method, path, query, version, headers):
    return f"Hello, {headers.get('User-Agent', 'stranger')}!\n"


def answer_with(text):
    content = text.encode()
    head = (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
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
        with client, contextlib.suppress(OSError):
            client.settimeout(5)
            request = receive_head(client)
            if request:
                client.sendall(answer_with(greet(*split(request))))
