"""A peer on loopback that answers each connection with octets that were written beforehand."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from serving import SECONDS, place_of


class Peer:
    """What was received, connection by connection, and where."""

    def __init__(self, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.received: list[bytes] = []
        self.connections: list[socket.socket] = []
        self.arrived = threading.Event()


@contextlib.contextmanager
def answering(*answers: bytes | None, reset: bool = False, hold: bool = False) -> Iterator[Peer]:
    """Answer the nth connection with the nth of `answers`, then close it.

    Args:
        answers: None closes without an answer.
        reset: end by a reset.
        hold: leave connections open until the end.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    peer = Peer(listening)

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            peer.connections.append(connection)
            with contextlib.suppress(OSError):  # who has heard enough may go
                peer.received.append(connection.recv(65536))
                peer.arrived.set()
                if answer:
                    connection.sendall(answer)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if not hold:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield peer
    finally:
        with contextlib.suppress(OSError):  # wakes who waits for a connection
            listening.shutdown(socket.SHUT_RDWR)
        for connection in peer.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join(SECONDS)
        listening.close()
        for connection in peer.connections:
            connection.close()
        assert not thread.is_alive(), place_of(thread)
