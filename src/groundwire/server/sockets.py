"""What the transports do not offer: how much is unsent, and a real reset."""

import asyncio
import contextlib
import socket
import struct
from typing import Any

try:
    from fcntl import ioctl
    from termios import TIOCOUTQ  # the same request as Linux's SIOCOUTQ
except ImportError:  # Windows
    ioctl = None  # type: ignore[assignment]
    TIOCOUTQ = 0

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def unsent_bytes(transport: asyncio.BaseTransport) -> int:
    """Return how many bytes the kernel holds that the peer has not acknowledged; 0 where it cannot tell."""
    connection: Any = transport.get_extra_info("socket")
    if connection is None or ioctl is None:
        return 0
    try:
        return int.from_bytes(ioctl(connection.fileno(), TIOCOUTQ, b"\0\0\0\0"), "little")
    except (OSError, ValueError):
        return 0


def reset(transport: asyncio.Transport) -> None:
    """Close so that the peer gets a reset: a plain `abort` sends what is pending and then a proper end."""
    connection: Any = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError, AttributeError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
