"""The last answer must reach the client, whatever it was still sending."""

import socket
import struct
import threading

import pytest

from groundwire.http.request import Request
from groundwire.http.response import Response
from serving import SECONDS, running_server


def hello(_: Request) -> Response:
    return Response("hello")


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["auto", "asyncio"])
def test_100_of_100_clients_with_200_kb_in_flight_read_the_refusal_whole(loop: str) -> None:
    message = b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n" + b"x" * 200_000
    answers: list[bytes] = []

    def send() -> None:
        with socket.create_connection(served, timeout=SECONDS) as client:
            client.sendall(message)
            received = b""
            while piece := client.recv(65536):
                received += piece
            answers.append(received)

    with running_server(hello, loop=loop) as served:
        threads = [threading.Thread(target=send) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)

    whole = [
        answer
        for answer in answers
        if answer.startswith(b"HTTP/1.1 400 ") and b"of the request.\n" in answer
    ]
    assert 100 == len(whole)


def test_the_server_ends_its_side_and_then_closes_when_the_client_has() -> None:
    with (
        running_server(hello) as served,
        socket.create_connection(served, timeout=SECONDS) as client,
    ):
        client.sendall(b"BAD\r\n\r\n")
        received = b""
        while piece := client.recv(65536):
            received += piece
        assert received.startswith(b"HTTP/1.1 400 ")
        client.sendall(b"more")  # still taken, and discarded


def test_a_client_that_resets_is_forgotten() -> None:
    with running_server(hello) as served:
        for _ in range(50):
            client = socket.create_connection(served, timeout=SECONDS)
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        with socket.create_connection(served, timeout=SECONDS) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("loop", ["auto", "asyncio"])
def test_a_client_that_closes_before_its_last_answer_is_forgotten(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    gone = threading.Event()

    def answer(request: Request) -> Response:
        if request.path == "/wait":
            assert gone.wait(
                SECONDS
            )  # the loop stands still: that the client has closed is not seen
        return Response("answered")

    with running_server(answer, loop=loop) as served:
        client = served.connect()
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.close()
        gone.set()

        last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        assert served.exchange(last).endswith(b"answered")
        assert 2 == served.server.counters.requests

    assert 0 == served.server.counters.refused
    assert [] == [record for record in caplog.records if record.levelname == "ERROR"]
