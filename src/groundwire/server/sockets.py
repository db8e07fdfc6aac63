"""What the transports do not offer: how much is unsent, and a real reset."""

import asyncio
import contextlib
import socket
import struct
import sys
from typing import Any

if sys.platform != "win32":
    import fcntl
    import termios

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def unsent_bytes(transport: asyncio.BaseTransport) -> int:
    """Return how many bytes the kernel holds that the peer has not acknowledged; 0 where it cannot tell."""
    connection: Any = transport.get_extra_info("socket")
    if connection is None or sys.platform == "win32":
        return 0
    try:
        # For sockets Linux calls the same request SIOCOUTQ.
        answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        return 0
    return int.from_bytes(answer, sys.byteorder)


def reset(transport: asyncio.Transport) -> None:
    """Close so that the peer gets a reset: a plain `abort` sends what is pending and then a proper end."""
    connection: Any = transport.get_extra_info("socket")
    if connection is not None:
        # (ValueError: what uvloop says of a socket that is closed already.)
        with contextlib.suppress(OSError, AttributeError, ValueError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
