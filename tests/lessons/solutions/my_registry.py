"""A solution."""

import contextlib
import socket
from email.utils import formatdate

routes = {}


def route(path, method="GET"):
    """Have the function below answer for `method` on `path`."""

    def register(function):
        routes.setdefault(path, {})[method] = function
        return function

    return register


@route("/hello")
def hello():
    return "Hello, World!"


@route("/bye")
def bye():
    return "Good bye!"


@route("/guests", method="POST")
def welcome():
    return "Welcome!"


def handle(method, path):
    """Find the function that is registered, and call it; the third value is more header lines."""
    if path not in routes:
        return "404 Not Found", "Nothing is here.", ""
    if method not in routes[path]:
        allowed = ", ".join(routes[path])
        return "405 Method Not Allowed", "Not so.", f"Allow: {allowed}\r\n"
    return "200 OK", routes[path][method](), ""


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
    status, text, more = handle(method, path)
    content = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Server: groundwire\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        f"{more}"
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
