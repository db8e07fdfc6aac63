"""Whether a peer is too slow, judged once a second (no timer per request)."""

from .settings import ServerSettings


class ReceivingPace:
    """How content comes in. Seconds count only while the server waits for the peer, not the reverse."""

    __slots__ = ("_awaited_seconds", "_octets", "_silent_seconds")

    def __init__(self) -> None:
        self._awaited_seconds = 0
        self._silent_seconds = 0
        self._octets = 0

    def is_too_slow(self, octets: int, settings: ServerSettings) -> bool:
        """Judge another awaited second, `octets` having come in all."""
        self._awaited_seconds += 1
        self._silent_seconds = self._silent_seconds + 1 if octets == self._octets else 0
        self._octets = octets
        if self._silent_seconds > settings.content_gap_seconds:
            return True
        return (
            self._awaited_seconds > settings.content_grace_seconds
            and octets < settings.content_rate_bytes * self._awaited_seconds
        )


class SendingPace:
    """How the peer takes what is pending. Made when something is, dropped when nothing is."""

    __slots__ = ("_pending_seconds", "_stalled_seconds", "_taken", "_taken_at_first")

    def __init__(self, taken: int) -> None:
        self._pending_seconds = 0
        self._stalled_seconds = 0
        self._taken = taken
        self._taken_at_first = taken

    def is_too_slow(self, taken: int, settings: ServerSettings) -> bool:
        """Judge another second with bytes pending, the peer having taken `taken` octets in all."""
        self._pending_seconds += 1
        self._stalled_seconds = self._stalled_seconds + 1 if taken <= self._taken else 0
        self._taken = taken
        if self._stalled_seconds > settings.send_stall_seconds:
            return True
        return (
            self._pending_seconds > settings.send_grace_seconds
            and taken - self._taken_at_first < settings.send_rate_bytes * self._pending_seconds
        )
