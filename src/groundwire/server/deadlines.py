"""The deadlines of a connection, enforced by one sweep a second over all of them: no timer per request."""

from .connection import Connection
from .pace import SendingPace
from .sockets import unsent_bytes
from .state import State

LINGER_SECONDS = 2
FORGET_SECONDS = 1
"""An idle connection forgets the previous request's field section within this long.

PERF: 10,000 clients that send a browser's header fields take 3.7 KiB each; 6.7 where it was kept for three.
"""


def enforce(connection: Connection, now: int) -> None:
    """Close, refuse or reset `connection` if it is overdue by the server's coarse clock `now`."""
    if connection.takeover is not None:
        connection.takeover.enforce(now)
        return
    state = connection.state
    if state is State.READY:
        _enforce_head(connection, now - connection.since)
    elif state is State.HANDSHAKING:
        if now - connection.since > connection.server.settings.tls_handshake_seconds:
            connection.transport.abort()
    elif state is State.LINGERING or state is State.DRAINING:
        if now - connection.since > LINGER_SECONDS:
            connection.transport.close()
    else:
        if connection.reception is not None and not connection.paused:
            _enforce_content(connection)
        delivery = connection.delivery
        if delivery is not None and connection.state is State.ANSWERING:
            connection.server.hangs.enforce(connection, delivery)
    _enforce_sending(connection)


def _enforce_head(connection: Connection, waited: int) -> None:
    settings = connection.server.settings
    if connection.reader.in_head:
        if waited > settings.head_seconds:
            connection.answer_last(
                408, f"The head of the request did not come whole within {settings.head_seconds} s."
            )
    elif connection.is_new:
        if waited > settings.first_byte_seconds:
            connection.transport.close()
    elif waited > settings.keepalive_seconds:
        connection.transport.close()
    elif waited >= FORGET_SECONDS:
        connection.reader.forget_fields()


def _enforce_content(connection: Connection) -> None:
    settings = connection.server.settings
    reception = connection.reception
    if reception is not None and reception.awaited and reception.is_too_slow(settings):
        connection.answer_last(
            408,
            f"Content must come at {settings.content_rate_bytes} bytes a second or more,"
            f" and never pause for {settings.content_gap_seconds} s.",
        )


def _enforce_sending(connection: Connection) -> None:
    buffered = (
        0 if connection.state is State.CLOSED else connection.transport.get_write_buffer_size()
    )
    if not buffered:
        connection.sending_pace = None
        return
    taken = connection.octets_sent - buffered - unsent_bytes(connection.transport)
    if connection.sending_pace is None:
        connection.sending_pace = SendingPace(taken)
    elif connection.sending_pace.is_too_slow(taken, connection.server.settings):
        connection.reset("the client takes its response too slowly")
