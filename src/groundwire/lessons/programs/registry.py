"""A framework on a plain socket: a dictionary of routes, filled by a decorator.

python registry.py
curl -i http://localhost:8000/hello
"""

import contextlib
import socket
from email.utils import formatdate

routes = {}


def route(path):
    """Have the function below answer for `path`."""

    def register(function):
        routes[path] = function
        return function

    return register


@route("/hello")
def hello():
    return "Hello, World!"


@route("/bye")
def bye():
    return "Good bye!"


def handle(path):
    """Find the function that is registered for `path`, and call it."""
    if path in routes:
        return "200 OK", routes[path]()
    return "404 Not Found", "Nothing is here."


def receive_head(client):
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(4096)
        if not piece:
            break
        received += piece
    return received


def answer(request):
    request_line, _, _ = request.decode("latin-1").partition("\r\n")
    method, target, version = request_line.split(" ")
    path, _, query = target.partition("?")
    status, text = handle(path)
    content = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\n"
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
        with client, contextlib.suppress(OSError):
            client.settimeout(5)
            request = receive_head(client)
            if request:
                client.sendall(answer(request))
