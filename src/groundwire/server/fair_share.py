"""Which of several workers accepts the next connection: one that has no more than the others.

They all wait on the same socket, and the one that is awake already is the quickest: of clients that come at once, and
stay, it would serve nearly all, beside workers that have nothing to do. So each tells how many it has, in memory that
all of them see, and one that is ahead holds back for a moment.
"""

import mmap
from typing import Final

PLACES: Final = 64
"""Workers beyond hold nothing back."""

NOBODY: Final = 0xFFFFFFFF
SLACK: Final = 1
SLACK_PART: Final = 8
"""One that has an eighth more than another is not ahead: the memory is read without a lock, and who is behind may
have much to do."""


class ConnectionCounts:
    """How many connections each worker has. Made before workers are forked, and shared by them."""

    def __init__(self) -> None:
        self._memory = memoryview(mmap.mmap(-1, PLACES * 4)).cast("I")
        for place in range(PLACES):
            self._memory[place] = NOBODY

    def share_of(self, number: int) -> "Share | None":
        """Return the share of the worker with this number, from 1; None if it is to hold nothing back."""
        return Share(self._memory, number - 1) if 0 < number <= PLACES else None

    def vacate(self, number: int) -> None:
        """Have nobody wait for a worker that has ended."""
        if 0 < number <= PLACES:
            self._memory[number - 1] = NOBODY


class Share:
    """One worker's view of them."""

    def __init__(self, memory: memoryview, place: int) -> None:
        self._memory = memory
        self._place = place

    def tell(self, connections: int) -> None:
        """Say how many connections this worker has."""
        self._memory[self._place] = connections

    def leave(self) -> None:
        """Say that this worker accepts no more."""
        self._memory[self._place] = NOBODY

    def is_ahead(self) -> bool:
        """Tell whether another worker has considerably fewer connections."""
        mine = self._memory[self._place]
        least = min(self._memory)  # mine too, which is no smaller than itself
        return mine > least + SLACK + least // SLACK_PART
