"""Ports for what has to know its own before it listens, and for where nobody may listen."""

import contextlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""Linux: from which port on the kernel chooses, for whoever binds to 0 and for each connection."""

LOWEST = 20_000


def free_ports(number: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on.

    They are none of those that the kernel chooses: one of these may be another test's connection's, or its server's,
    before it is listened on.
    """
    above = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 49152
    chance = random.SystemRandom()  # tests seed the other, in each process alike
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        while len(found) < number:
            port = chance.randrange(LOWEST, above)
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                found.append(port)
        return found


@contextlib.contextmanager
def unheard_port() -> Iterator[int]:
    """Yield a port of 127.0.0.1 that nobody listens on, nor can for the time of a ``with`` block."""
    with socket.socket() as holding:
        holding.bind(("127.0.0.1", 0))
        yield holding.getsockname()[1]
