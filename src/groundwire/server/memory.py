"""A connection without a socket: bytes in, bytes out, through the very code that serves real ones."""

import asyncio
from typing import Any, cast

from .connection import Connection
from .delivery import Delivery
from .server import AnyHandler, Server
from .settings import ServerSettings


class MemoryTransport(asyncio.Transport):
    """Keeps what a connection writes. Its peer takes everything at once."""

    def __init__(self, peer: tuple[str, int], local: tuple[str, int]) -> None:
        super().__init__({"peername": peer, "sockname": local})
        self.written = bytearray()
        self.changed = asyncio.Event()
        self.reading = True
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep `data`."""
        if not self._closing:
            self.written += data
            self.changed.set()

    def is_closing(self) -> bool:
        """Whether the connection has been closed."""
        return self._closing

    def close(self) -> None:
        """Note that the connection was closed."""
        self._closing = True
        self.changed.set()

    def abort(self) -> None:
        """Note that the connection was reset."""
        self.close()

    def can_write_eof(self) -> bool:
        """Nobody waits for the end of a connection in memory."""
        return False

    def get_write_buffer_size(self) -> int:
        """Nothing is ever pending."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever pending."""

    def pause_reading(self) -> None:
        """Note that the connection wants no more bytes for now."""
        self.reading = False

    def resume_reading(self) -> None:
        """Note that the connection wants bytes again."""
        self.reading = True
        self.changed.set()


class MemoryConnection(Connection):
    """Tells its peer when an answer is out: the last byte of known length tells the peer of a socket."""

    def answered(self, delivery: Delivery, persistent: bool) -> bool:
        """Take note that the answer is out. True: the next request may follow at once."""
        goes_on = super().answered(delivery, persistent)
        cast("MemoryTransport", self.transport).changed.set()
        return goes_on


class MemoryServer:
    """A server on a loop of its own that runs only while somebody waits for an answer.

    For tests of applications: the handler sees what it would see behind a socket.
    """

    def __init__(self, handler: AnyHandler, settings: ServerSettings | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = Server(handler, settings)
        self.server.attach(self.loop)

    def exchange(
        self,
        data: bytes,
        *,
        scheme: str = "http",
        peer: tuple[str, int] = ("127.0.0.1", 50000),
        local: tuple[str, int] = ("127.0.0.1", 80),
        timeout_seconds: float = 60.0,
    ) -> bytes:
        """Send `data` on a new connection and return all that comes back.

        Raises:
            TimeoutError: the answer has not ended after `timeout_seconds`.
        """
        return self.loop.run_until_complete(
            asyncio.wait_for(self._exchange(data, scheme, peer, local), timeout_seconds)
        )

    async def _exchange(
        self, data: bytes, scheme: str, peer: tuple[str, int], local: tuple[str, int]
    ) -> bytes:
        transport = MemoryTransport(peer, local)
        connection = MemoryConnection(self.server)
        connection.connection_made(transport)
        connection.scheme = scheme
        try:
            for start in range(0, len(data), 65536):
                while not transport.reading and not transport.is_closing():
                    await _next_change(transport)
                if transport.is_closing():
                    break
                connection.data_received(data[start : start + 65536])
            while not (connection.is_idle or transport.is_closing()):
                await _next_change(transport)
        finally:
            connection.connection_lost(None)
        return bytes(transport.written)

    def close(self) -> None:
        """Give the loop and the threads back."""
        if self.loop.is_closed():
            return
        self.server.pool.close()
        if not _is_in_loop():  # a forgotten client may be found while another loop runs
            # Generators that a handler left are closed by tasks, which are made in the loop's next turn.
            self.loop.run_until_complete(_some_turns())
        pending: set[asyncio.Task[Any]] = asyncio.all_tasks(self.loop)
        for task in pending:
            task.cancel()
        if not _is_in_loop():
            if pending:
                self.loop.run_until_complete(asyncio.wait(pending))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _some_turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def _next_change(transport: MemoryTransport) -> None:
    transport.changed.clear()
    await transport.changed.wait()
