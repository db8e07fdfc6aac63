"""The control socket: how an operator's programs ask the supervisor and tell it what to do.

It is a Unix socket that only the supervisor's user may connect to. Messages are framed as on a `channel`; each is
answered by one, with the same "id" if it has one::

    state                     {value}        what there is, as JSON
    scale    {workers | by}   {value}        another number of workers; the value is the number
    reload                    {} | {error}   when the reload has ended
    reopen                    {}             log files are opened anew
    stop     {at_once}        {}
    gather   {what}           {value, missing}   what each worker says
"""

import contextlib
import socket
from collections.abc import Callable
from typing import Any, Final

from .addresses import ListeningSockets, open_unix
from .channel import Channel, FrameReader, Message, framed
from .errors import StartError

CONTROL_MODE: Final = 0o600
CONNECTIONS: Final = 32
BACKLOG: Final = 16


class ControlSocket:
    """The supervisor's end.

    Raises:
        StartError: the path cannot be used.
    """

    def __init__(self, path: str) -> None:
        self.listening: ListeningSockets = open_unix(path, BACKLOG, CONTROL_MODE, "--control")
        self.channels: set[Channel] = set()

    def accept(self) -> Channel | None:
        """Return a connection that is new; None if there is none, or there are too many."""
        try:
            accepted, _address = self.listening.sockets[0].accept()
        except OSError:
            return None
        if len(self.channels) >= CONNECTIONS:
            accepted.close()
            return None
        channel = Channel(accepted)
        self.channels.add(channel)
        return channel

    def let_go(self) -> None:
        """Close all that is open, and leave the file: for a process that has been forked."""
        for sock in self.listening.sockets:
            sock.close()
        for channel in self.channels:
            channel.close()

    def close(self) -> None:
        """Close all that is open, and remove the file."""
        self.listening.unlink()
        self.let_go()


def ask_supervisor(path: str, type: str, timeout_seconds: float = 5.0, **fields: Any) -> Message:
    """Send one message to a control socket and return the answer.

    Raises:
        StartError: nobody answers.
    """
    reader = FrameReader()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_seconds)
            client.connect(path)
            client.sendall(framed({"type": type, **fields}))
            while data := client.recv(65536):
                if messages := reader.receive(data):
                    return messages[0]
    except FileNotFoundError as error:
        raise StartError(
            f"there is no control socket {path!r}; name the one the server was started with: --control PATH"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StartError(f"the server does not answer on {path!r}: {reason}") from error
    raise StartError(f"the server closed {path!r} without an answer")


Answer = Callable[..., None]
"""Called with the fields of an answer."""


def answering(channel: Channel, message: Message) -> Answer:
    """Return what answers `message` on `channel`."""
    same = {"id": message["id"]} if "id" in message else {}

    def answer(type: str = "done", **fields: Any) -> None:
        with contextlib.suppress(OSError):
            channel.send(type, **same, **fields)

    return answer
