"""What is put on a server so that its exchanges are recorded."""

from collections.abc import Callable
from typing import TypeVar, cast

from ..server.server import Server
from ..server.settings import ServerSettings
from .masking.masker import Masker
from .recording.connections import RecordedDelivery, recording_class, recording_handle
from .recording.logs import begin_capturing
from .recording.recorder import Recorder

ConnectionT = TypeVar("ConnectionT")


class Inspector:
    """Watches one server (`groundwire.server.observer.Observer`) and keeps what it sees.

    Args:
        settings: the server's.
        worker: the number of this process among those that serve.

    Attributes:
        masker: what hides secrets in them; None: nothing does.
        recorder: the exchanges.
        on_attached: called with the server when it has its loop, after the recording has been set up.
    """

    def __init__(self, settings: ServerSettings | None = None, *, worker: int = 1) -> None:
        self.settings = settings or ServerSettings()
        self.masker = None if self.settings.wire_secrets else Masker(self.settings.message_limits)
        self.recorder = Recorder(
            self.masker,
            bound_octets=self.settings.wire_bytes,
            worker=worker,
        )
        self.on_attached: list[Callable[[Server], None]] = []

    def connection_class(self, base: type[ConnectionT], /) -> type[ConnectionT]:
        """Return the class of connections that record what they carry."""
        return cast("type[ConnectionT]", recording_class(base, self.recorder))

    def attached(self, server: Server, /) -> None:
        """Have each request handled under the eyes of its record."""
        server.delivery_class = RecordedDelivery
        server.handle = recording_handle(server.handle, self.recorder)
        begin_tracing = getattr(server.handler, "begin_tracing", None)
        if begin_tracing is not None:
            begin_tracing()
        begin_capturing()
        for call in self.on_attached:
            call(server)

    def announcement(self, _server: Server, /) -> str:
        """Return a line for the operator: there is nothing to say of what is only recorded."""
        return ""
