"""A server on a plain socket that takes a request apart.

python split_request.py
curl -i 'http://localhost:8000/hello?name=Ann'
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


def describe(method, path, query, version, headers):
    lines = [f"method: {method}", f"path: {path}", f"query: {query}", f"version: {version}"]
    lines += [f"{name} = {value}" for name, value in headers.items()]
    return "\n".join(lines) + "\n"


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
                client.sendall(answer_with(describe(*split(request))))
