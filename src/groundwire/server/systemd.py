"""What a service manager hands over and wants to hear: sd_listen_fds(3) and sd_notify(3), without their library."""

import contextlib
import os
import socket
import time
from collections.abc import Mapping, MutableMapping
from typing import Final

FIRST_DESCRIPTOR: Final = 3
"""SD_LISTEN_FDS_START: descriptors that are passed begin here."""


def is_passed_sockets(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether sockets were handed to this process."""
    return environment.get("LISTEN_PID") == str(os.getpid()) and "LISTEN_FDS" in environment


def passed_descriptors(environment: MutableMapping[str, str] = os.environ) -> list[int]:
    """Return the descriptors this process was started with, and see that no child takes them for its own."""
    pid = environment.pop("LISTEN_PID", "")
    number = environment.pop("LISTEN_FDS", "")
    environment.pop("LISTEN_FDNAMES", None)
    if not number.isdecimal() or pid != str(os.getpid()):
        return []
    descriptors = list(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(number)))
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return descriptors


class Notifier:
    """Tells the service manager how things are, if there is one that wants to know.

    Attributes:
        watchdog_seconds: how long the manager waits for a sign of life; None if it does not.
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_seconds: float | None = None
        if self._address and microseconds.isdecimal() and pid in ("", str(os.getpid())):
            self.watchdog_seconds = int(microseconds) / 1e6 or None

    def ready(self, status: str) -> None:
        """It serves, again or for the first time."""
        self._send("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """A new version is on its way in; `ready` says when that has ended (Type=notify-reload)."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """It is about to end."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Nothing hangs."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # A manager that has gone is no reason to stop serving.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(lines).encode(), self._address)
