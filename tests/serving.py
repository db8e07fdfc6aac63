"""A server for tests: real sockets on loopback, in a thread with a loop of its own."""

import asyncio
import contextlib
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

from groundwire.server.process import loop_factory
from groundwire.server.server import Server
from groundwire.server.settings import ServerSettings

SECONDS = 20.0
"""How long anything may take that ends at an event, on a machine that is busy with other tests."""


class Served(tuple[str, int]):
    """The address of a running server: a (host, port) pair that `socket.create_connection` takes.

    Attributes:
        server: the server itself; its loop runs in another thread.
        url: where it is found, without a slash at the end.
        clients: the connections that were opened by `connect`.
    """

    server: Server
    thread: threading.Thread
    clients: list[socket.socket]

    @property
    def host(self) -> str:
        return self[0]

    @property
    def port(self) -> int:
        return self[1]

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def connect(self, timeout_seconds: float = SECONDS) -> socket.socket:
        """Open a connection."""
        client = socket.create_connection(self, timeout=timeout_seconds)
        self.clients.append(client)
        return client

    def exchange(self, *messages: bytes, timeout_seconds: float = SECONDS) -> bytes:
        """Send messages on one connection and return everything that comes until the server closes."""
        with self.connect(timeout_seconds) as client:
            for message in messages:
                client.sendall(message)
            return everything(client)

    def stop(self) -> None:
        """Stop gracefully and wait for it."""
        with contextlib.suppress(RuntimeError):  # it has stopped already
            self.server.request_stop()
        self.thread.join(SECONDS)
        assert not self.thread.is_alive(), (
            f"the server did not stop in time:\n{place_of(self.thread)}"
        )


def everything(client: socket.socket) -> bytes:
    """Read until the peer closes."""
    pieces = []
    try:
        while piece := client.recv(65536):
            pieces.append(piece)
    except OSError as error:
        error.add_note(f"Before that came {b''.join(pieces)[-1000:]!r}.")
        raise
    return b"".join(pieces)


def place_of(thread: threading.Thread) -> str:
    """Say where a thread is."""
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else "it has ended"


@contextlib.contextmanager
def running_server(
    handler: Any,
    *,
    loop: str = "auto",
    connection_class: Any = None,
    observer: Any = None,
    **settings: Any,
) -> Iterator[Served]:
    """Serve `handler` on a free port of 127.0.0.1 for the time of a ``with`` block, without an access log.

    ``observer`` makes one of the settings; ``settings`` are those of `ServerSettings`. Whatever is left open at the
    end is cut after a moment.
    """
    settings = {
        "host": "127.0.0.1",
        "port": 0,
        "access_log": "off",
        "graceful_seconds": 0.2,
        "watchdog": False,  # a machine that tests are run on is held up by anything
    } | settings
    more = {} if connection_class is None else {"connection_class": connection_class}
    given = ServerSettings(**settings)
    if observer is not None:
        more["observer"] = observer(given)
    server = Server(handler, given, **more)
    ready = threading.Event()
    failed: list[BaseException] = []

    def serve() -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
                runner.run(server.serve(ready.set))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=serve, name="served")
    thread.start()
    assert ready.wait(SECONDS), f"the server did not start in time:\n{place_of(thread)}"
    if failed:
        thread.join()
        raise failed[0]
    served = Served(("127.0.0.1", server.port or 0))
    served.server = server
    served.thread = thread
    served.clients = []
    try:
        yield served
    except BaseException:
        # Left open, they would be collected in another test, and fail that one too.
        for client in served.clients:
            client.close()
        raise
    finally:
        served.stop()
    if failed:
        raise failed[0]
