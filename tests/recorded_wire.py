"""A connection in memory that an inspector watches."""

from typing import Any

from groundwire.inspector import Inspector, Record
from groundwire.server.memory import MemoryTransport
from groundwire.server.server import Server
from groundwire.server.settings import ServerSettings
from wire import Wire


class RecordedWire(Wire):
    """One connection to `handler`, recorded, with its secrets unless `wire_secrets` is said to be False."""

    def __init__(self, handler: Any, **settings: Any) -> None:
        super().__init__(handler)
        self.server.pool.close()
        given = ServerSettings(**{"wire_secrets": True, **settings})
        self.inspector = Inspector(given)
        self.server = Server(handler, given, observer=self.inspector)
        self.server.attach(self.loop)
        self.connect()

    def connect(self) -> "RecordedWire":
        """Begin another connection, which the methods are about from now on."""
        self.transport = MemoryTransport(("127.0.0.1", 50000), ("127.0.0.1", 80))
        self.connection = self.server._connection_class(self.server)
        self.connection.connection_made(self.transport)
        return self

    def lose(self) -> "RecordedWire":
        """Let the peer vanish."""
        self.connection.connection_lost(None)
        return self.settle()

    @property
    def records(self) -> list[Record]:
        """All records, the newest last."""
        return self.inspector.recorder.records()

    @property
    def record(self) -> Record:
        """The only one."""
        [record] = self.records
        return record
