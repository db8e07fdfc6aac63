"""Children of the supervisor that are no workers: one that serves the admin address, one that watches files."""

import logging
import os
import socket
import traceback
from collections.abc import Callable
from typing import Final

from .privileges import Identity, become
from .process import log_to_stderr

logger = logging.getLogger("groundwire.server")

LONGEST_DELAY_SECONDS: Final = 10.0


class Assistant:
    """What such a child is.

    Args:
        name: as messages call it: "the NAME was killed by SIGKILL".
        main: what it does; it is called in the child with its channel's socket (for a `ChildChannel`), and returns
            the exit status. It ends when the channel does.
    """

    def __init__(self, name: str, main: Callable[[socket.socket], int]) -> None:
        self.name = name
        self._main = main
        self._delay_seconds = 0.05

    def next_delay_seconds(self) -> float:
        """Return how long to wait before it is started again: longer each time."""
        self._delay_seconds = min(LONGEST_DELAY_SECONDS, self._delay_seconds * 2)
        return self._delay_seconds

    def run(self, channel: socket.socket, identity: Identity | None) -> int:
        """Be it, in the child."""
        log_to_stderr(f"[{os.getpid()}] ")
        try:
            become(identity)
            return self._main(channel)
        except Exception:  # noqa: BLE001 - it is told
            logger.error("the %s failed:\n%s", self.name, traceback.format_exc())
            return 1
