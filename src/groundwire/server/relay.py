"""A protected connection that a program has taken over: what its blocking socket stands for.

The program has one end of a pair of sockets, this has the other, on the event loop, and TLS goes on between here and
the peer. What one side takes too slowly is not read from the other.
"""

import asyncio
import contextlib
import socket
from typing import Final

from .sockets import reset

PIECE_BYTES: Final = 65536
LAST_SECONDS: Final = 5.0
"""For the peer to take the last bytes and to end its side, once the program has ended both of its own."""


class Relay(asyncio.Protocol):
    """Carries bytes between the transport of a connection and a socket.

    Args:
        loop: the event loop.
        transport: the connection's; this becomes its protocol. It is not being read from.
        end: one of a pair of sockets.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, end: socket.socket
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._end = end
        self._waiting = b""
        """What the program has no room for yet."""

        self._peer_ended = False
        self._program_ended = False
        self._refuses = False
        """Whether the program reads no more."""

        self._is_full = False
        """Whether the program's socket has as much as it takes."""

        self._reading = False
        end.setblocking(False)
        transport.set_protocol(self)
        self.resume_writing()
        transport.resume_reading()

    # From the peer to the program.

    def data_received(self, data: bytes) -> None:
        """Hand on what the peer sends."""
        if self._refuses:
            return
        self._waiting = self._waiting + data if self._waiting else data
        self._send()

    def _send(self) -> None:
        was_full = self._is_full
        try:
            sent = self._end.send(self._waiting)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:  # the program has ended its side: what comes is of no use
            self._refuses = True
            sent = len(self._waiting)
        self._waiting = self._waiting[sent:]
        if self._waiting and not was_full:
            self._is_full = True
            self._transport.pause_reading()
            self._loop.add_writer(self._end, self._send)
        elif not self._waiting and was_full:
            self._is_full = False
            self._loop.remove_writer(self._end)
            self._transport.resume_reading()
        if not self._waiting and self._peer_ended:
            self._tell_end()

    def eof_received(self) -> bool:
        """Hand on that the peer has ended its side."""
        self._peer_ended = True
        if not self._waiting:
            self._tell_end()
        if self._program_ended:
            self._transport.close()
        return True

    def _tell_end(self) -> None:
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_WR)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on that nothing more comes or goes."""
        self._let_go()

    # From the program to the peer.

    def pause_writing(self) -> None:
        """Leave in the program's socket what the peer does not take, so that the program waits."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._end)

    def resume_writing(self) -> None:
        """Go on with what the program sends."""
        if not self._reading and not self._program_ended and self._end.fileno() >= 0:
            self._reading = True
            self._loop.add_reader(self._end, self._receive)

    def _receive(self) -> None:
        try:
            data = self._end.recv(PIECE_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if data:
            self._transport.write(data)
            return
        self.pause_writing()
        self._program_ended = True
        if self._peer_ended:
            self._transport.close()
        elif not self._transport.is_closing():
            with contextlib.suppress(OSError):
                self._transport.write_eof()

    # The end.

    def finish(self) -> None:
        """Send what the program has sent, and close: it has closed its socket."""
        self.pause_writing()
        with contextlib.suppress(OSError):
            while self._end.fileno() >= 0 and (data := self._end.recv(PIECE_BYTES)):
                self._transport.write(data)
        self._let_go()
        self._transport.close()
        self._loop.call_later(LAST_SECONDS, self._transport.abort)

    def cut(self) -> None:
        """Give the connection up at once."""
        self._let_go()
        reset(self._transport)

    def _let_go(self) -> None:
        if self._end.fileno() >= 0:
            self.pause_writing()
            if self._is_full:
                self._loop.remove_writer(self._end)
            self._refuses = True
            self._waiting = b""
            self._end.close()
